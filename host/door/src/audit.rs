//! Who did what, as lines of JSON in a file: never the text of a query, a token, a cookie or a code.
//!
//! Where a line cannot be written nothing is let through until one can: what is not written down does not happen.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::access::AccessError;
use crate::caller::Caller;

/// The most characters of anything that somebody else wrote.
const MOST: usize = 300;

/// How something ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// As it should.
    Done,
    /// With an error.
    Failed,
    /// Nobody waited any more, or its time was up.
    Stopped,
    /// It was not allowed.
    Denied,
}

/// A query that has ended.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// The workspace; `host` is the server's own data.
    pub workspace: &'a str,
    /// Its text, of which the hash is written down.
    pub text: &'a str,
    /// The rows of its result, if there is one.
    pub rows: Option<u64>,
    /// How long it ran.
    pub took: Duration,
    /// How it ended.
    pub outcome: Outcome,
}

/// A notebook that was saved, or not.
#[derive(Clone, Copy, Debug)]
pub struct Save<'a> {
    /// Its path.
    pub notebook: &'a str,
    /// The SHA-256 of what was to be saved.
    pub version: Option<&'a str>,
    /// How it ended.
    pub outcome: Outcome,
}

/// A line. What does not apply is left out.
#[derive(Default, Serialize)]
struct Line<'a> {
    time: String,
    action: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    caller: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    workspace: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    query: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notebook: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    milliseconds: Option<u64>,
    outcome: Option<Outcome>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

/// What the door itself writes down.
pub(crate) struct Entry<'a> {
    pub(crate) action: &'a str,
    pub(crate) caller: Option<&'a Caller>,
    pub(crate) address: Option<IpAddr>,
    /// The method and the path of the request, where that says more than the action.
    pub(crate) request: Option<(&'a str, &'a str)>,
    pub(crate) outcome: Outcome,
    pub(crate) why: Option<&'a str>,
}

/// The audit log.
#[derive(Debug)]
pub struct Audit {
    file: Mutex<Written>,
}

#[derive(Debug)]
struct Written {
    file: File,
    /// Whether the last line is in the file.
    whole: bool,
}

impl Audit {
    /// Appends to a file; a new one is for its user alone.
    ///
    /// # Errors
    /// When it cannot be opened for that.
    pub(crate) fn open(path: &Path) -> Result<Self, AccessError> {
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(|source| AccessError::Audit {
            path: path.to_owned(),
            source,
        })?;
        let file = Mutex::new(Written { file, whole: true });
        Ok(Self { file })
    }

    /// Writes down a query that has ended.
    pub fn query(&self, caller: &Caller, query: Query<'_>) {
        let hash = format!("{:x}", Sha256::digest(query.text));
        self.write(Line {
            workspace: Some(query.workspace),
            query: Some(hash),
            rows: query.rows,
            milliseconds: Some(u64::try_from(query.took.as_millis()).unwrap_or(u64::MAX)),
            outcome: Some(query.outcome),
            ..line("query", Some(caller))
        });
    }

    /// Writes down a save.
    pub fn save(&self, caller: &Caller, save: Save<'_>) {
        self.write(Line {
            notebook: Some(short(save.notebook)),
            version: save.version,
            outcome: Some(save.outcome),
            ..line("save", Some(caller))
        });
    }

    /// Writes down what happened at the door.
    pub(crate) fn entry(&self, entry: Entry<'_>) {
        self.write(Line {
            address: entry.address,
            method: entry.request.map(|(method, _)| method),
            path: entry.request.map(|(_, path)| short(path)),
            outcome: Some(entry.outcome),
            why: entry.why.map(short),
            ..line(entry.action, entry.caller)
        });
    }

    /// Whether what happens can be written down.
    pub(crate) fn is_whole(&self) -> bool {
        let mut written = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if !written.whole {
            // There may be room by now. What was half a line is ended.
            written.whole = written.file.write_all(b"\n").is_ok();
        }
        written.whole
    }

    fn write(&self, line: Line<'_>) {
        let mut text = serde_json::to_vec(&line).unwrap_or_default();
        text.push(b'\n');
        let mut written = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        // One call, so that lines of two servers do not mix.
        let done = written.file.write_all(&text);
        written.whole = done.is_ok() && text.len() > 1;
    }
}

fn line<'a>(action: &'a str, caller: Option<&Caller>) -> Line<'a> {
    Line {
        time: jiff::Timestamp::now().to_string(),
        action,
        caller: caller.map(|caller| short(&caller.subject)),
        name: caller.map(|caller| short(&caller.name)),
        kind: caller.map(|caller| caller.kind.as_str()),
        ..Line::default()
    }
}

fn short(text: &str) -> String {
    text.chars().take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::caller::Kind;

    #[test]
    fn a_query_is_a_line_without_its_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        let audit = Audit::open(&path).unwrap();
        let caller = Caller {
            kind: Kind::Machine,
            subject: "a\nb".into(),
            name: "nightly".into(),
            grants: Vec::new(),
        };
        let query = Query {
            workspace: "host",
            text: "secret",
            rows: Some(7),
            took: Duration::from_millis(12),
            outcome: Outcome::Done,
        };
        audit.query(&caller, query);
        audit.save(
            &caller,
            Save {
                notebook: "a/b.ipynb",
                version: None,
                outcome: Outcome::Failed,
            },
        );
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(
            lines[0]["query"],
            "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"
        );
        assert_eq!(
            (&lines[0]["rows"], &lines[0]["milliseconds"]),
            (&7.into(), &12.into())
        );
        assert_eq!(
            (&lines[0]["caller"], &lines[0]["outcome"]),
            (&"a\nb".into(), &"done".into())
        );
        assert_eq!(lines[1]["notebook"], "a/b.ipynb");
        assert!(!text.contains("secret"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_noticed() {
        let audit = Audit::open(Path::new("/dev/full")).unwrap();
        assert!(audit.is_whole());
        audit.entry(Entry {
            action: "sign-in",
            caller: None,
            address: None,
            request: None,
            outcome: Outcome::Denied,
            why: None,
        });
        assert!(!audit.is_whole());
    }
}
