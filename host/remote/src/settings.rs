//! The configuration file: where it is, and what it says.

mod places;

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use spoor_providers::config::{Note, TextError, Workspaces, line_of};

pub use places::Places;

/// The longest configuration, in bytes.
const MOST_BYTES: u64 = 1 << 20;

/// The byte order mark of UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// The workspaces of a configuration that holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The file that was read; `None` where there is none.
    pub path: Option<PathBuf>,
    /// What it has; nothing where there is none.
    pub workspaces: Workspaces,
}

/// Why a configuration is of no use.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A file that was named cannot be read.
    #[error("the configuration {path} cannot be read: {cause}; {}", unreadable_hint(.named_by))]
    Unreadable {
        /// The file.
        path: String,
        /// What is wrong.
        cause: io::Error,
        /// What gives its path: an option or a variable; `None` where it was found.
        named_by: Option<&'static str>,
    },
    /// It is longer than configurations are.
    #[error("the configuration {0} is longer than {limit} KiB; see whether it is the right file", limit = MOST_BYTES >> 10)]
    TooLong(String),
    /// It is no text, no TOML, or has a value of a type that its field does not have.
    #[error("{path}:{line}: {message}; correct that line")]
    NotToml {
        /// The file.
        path: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// It says what cannot be.
    #[error("{}", listed(.path, .notes))]
    Mistakes {
        /// The file.
        path: String,
        /// Everything that is wrong with it, in the order of the lines.
        notes: Vec<Note>,
    },
}

impl Settings {
    /// Finds and reads the configuration: the file `explicit`, or that of `$SPOOR_CONFIG`, or the nearest `spoor.toml` from the working
    /// directory upwards, or the user's own. Without any there are no workspaces.
    ///
    /// # Errors
    /// Why a file that is named or found is of no use, with its lines.
    pub fn find(explicit: Option<&Path>) -> Result<Self, SettingsError> {
        Self::find_in(&Places::of_process(explicit))
    }

    /// As [`Settings::find`], with the process's surroundings handed in.
    ///
    /// # Errors
    /// As there.
    pub fn find_in(places: &Places) -> Result<Self, SettingsError> {
        match places.file() {
            Some((path, named_by)) => Self::read(&path, named_by),
            None => Ok(Self::default()),
        }
    }

    fn read(path: &Path, named_by: Option<&'static str>) -> Result<Self, SettingsError> {
        let shown = path.display().to_string();
        let mut bytes = Vec::new();
        let file = std::fs::File::open(path);
        let read = file.and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes));
        if let Err(cause) = read {
            let path = shown;
            return Err(SettingsError::Unreadable {
                path,
                cause,
                named_by,
            });
        }
        if bytes.len() as u64 > MOST_BYTES {
            return Err(SettingsError::TooLong(shown));
        }
        Ok(Settings {
            path: Some(path.to_owned()),
            // Windows' editors put a mark before the first line.
            workspaces: parse(&shown, bytes.strip_prefix(MARK).unwrap_or(&bytes))?,
        })
    }
}

fn parse(path: &str, bytes: &[u8]) -> Result<Workspaces, SettingsError> {
    let path = path.to_owned();
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let line = line_of(bytes, error.valid_up_to());
            let message = "there is a byte that is no UTF-8".to_owned();
            return Err(SettingsError::NotToml {
                path,
                line,
                message,
            });
        }
    };
    Workspaces::read(text).map_err(|error| match error {
        TextError::NotToml { line, message } => SettingsError::NotToml {
            path,
            line,
            message,
        },
        TextError::Mistakes(notes) => SettingsError::Mistakes { path, notes },
    })
}

fn unreadable_hint(named_by: &Option<&'static str>) -> String {
    match named_by {
        Some(name) => format!("correct the path that {name} gives, or make the file readable"),
        None => "make the file readable".to_owned(),
    }
}

fn listed(path: &str, notes: &[Note]) -> String {
    let each = notes
        .iter()
        .map(|note| format!("{path}:{}: {}", note.line, note.mistake));
    each.collect::<Vec<_>>().join("\n")
}
