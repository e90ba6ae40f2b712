//! What keeping a notebook or a file can fail with, in words for a user.

use wasm_bindgen::prelude::*;

/// Why the browser's storage did not do what was asked.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StoreError {
    /// There is no storage here.
    #[error(
        "this browser keeps no storage for this page ({0}): what you do lives in this tab only; export what is to be kept, or open the page outside private browsing"
    )]
    Unavailable(String),
    /// There is no room.
    #[error("{}", no_room(*needed, *free))]
    Quota {
        /// Bytes asked for, if known.
        needed: Option<f64>,
        /// Bytes left, if known.
        free: Option<f64>,
    },
    /// Somebody saved in between: another tab.
    #[error(
        "another tab saved this notebook (version {latest}) after it was opened here: save yours as a copy, or open theirs"
    )]
    Conflict {
        /// The version that is kept now.
        latest: u32,
    },
    /// The file that a server keeps was changed or removed in between.
    #[error(
        "this notebook's file was changed or removed on the computer after it was opened here: save yours as a copy, or open it again"
    )]
    Elsewhere,
    /// The server that keeps the notebook does not answer, or does not let this browser in. It may again.
    #[error("{0}")]
    Away(String),
    /// The server that keeps the notebook refuses what it was asked.
    #[error("{0}")]
    Refused(String),
    /// The name is another's.
    #[error("there is already a file named “{0}”: choose another name")]
    NameTaken(String),
    /// It is not there, or no longer.
    #[error(
        "{0} is not in this browser's storage any more: it was deleted, in another tab perhaps"
    )]
    Missing(String),
    /// The user stopped it.
    #[error("stopped; nothing was kept of it")]
    Cancelled,
    /// The browser closed the storage: the user cleared it, or a newer page is open.
    #[error(
        "the browser closed this page's storage (its data was cleared, or a newer version of the page is open): export what is to be kept, then reload the page"
    )]
    Closed,
    /// Anything else, in the browser's words.
    #[error("the browser's storage failed: {0}: try again, or export what is to be kept")]
    Failed(String),
}

impl StoreError {
    /// Whether trying again later may help without the user doing anything.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Quota { .. } | Self::Failed(_) | Self::Away(_))
    }
}

impl From<JsValue> for StoreError {
    fn from(error: JsValue) -> Self {
        let exception = error.dyn_ref::<web_sys::DomException>();
        let name = exception.map(web_sys::DomException::name);
        match name.as_deref() {
            Some("QuotaExceededError") => Self::Quota {
                needed: None,
                free: None,
            },
            Some("InvalidStateError") => Self::Closed,
            _ => Self::Failed(text_of(&error)),
        }
    }
}

/// What a JavaScript error says.
pub fn text_of(error: &JsValue) -> String {
    let message = js_sys::Reflect::get(error, &"message".into());
    let message = message.ok().and_then(|message| message.as_string());
    message
        .or_else(|| error.as_string())
        .unwrap_or_else(|| format!("{error:?}"))
}

fn no_room(needed: Option<f64>, free: Option<f64>) -> String {
    let sizes = match (needed, free) {
        (Some(needed), Some(free)) => {
            format!(": {} needed, {} left", bytes(needed), bytes(free))
        }
        _ => String::new(),
    };
    format!(
        "the browser's storage for this page is full{sizes}. Delete data files or old notebooks here, or free disk space; what is not saved is still in this tab"
    )
}

/// A size for people: `9 bytes`, `1.2 kB`, `310 MB`.
pub fn bytes(count: f64) -> String {
    let (divisor, unit) = match count {
        n if n < 1e3 => return format!("{count:.0} bytes"),
        n if n < 999_950.0 => (1e3, "kB"),
        n if n < 999_950_000.0 => (1e6, "MB"),
        _ => (1e9, "GB"),
    };
    let number = count / divisor;
    match number < 10.0 {
        true => format!("{number:.1} {unit}"),
        false => format!("{number:.0} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_well() {
        for (count, text) in [
            (0.0, "0 bytes"),
            (999.0, "999 bytes"),
            (1234.0, "1.2 kB"),
            (999_949.0, "1000 kB"),
            (999_950.0, "1.0 MB"),
            (310e6, "310 MB"),
            (2.5e9, "2.5 GB"),
        ] {
            assert_eq!(bytes(count), text);
        }
    }

    #[test]
    fn a_full_disk_is_told_with_sizes_where_they_are_known() {
        let known = StoreError::Quota {
            needed: Some(5e6),
            free: Some(1e6),
        };
        assert!(known.to_string().contains("5.0 MB needed, 1.0 MB left"));
        let unknown = StoreError::Quota {
            needed: None,
            free: None,
        };
        assert!(
            unknown
                .to_string()
                .starts_with("the browser's storage for this page is full.")
        );
    }
}
