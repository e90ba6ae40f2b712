//! Answers that were kept, so that a notebook runs again where nobody is signed in and no service is near.
//!
//! A folder holds, for each query that was asked of a workspace, a header `KEY.json` and the tables `KEY.0.arrows`, `KEY.1.arrows` ...,
//! which are Arrow IPC streams. `KEY` is made of the workspace's name, the query and the time span, so whoever has these finds the
//! answer without a list, and runs that ask other things do not meet. The header is written last: what it names is there. Of two runs that
//! record the same question at once, or one that is killed while it does, the answer may be refused, and is recorded again.
//!
//! A folder may come from a stranger, with the notebook. What is read of it is checked: a header of another query, a table that is
//! not the one that was kept, or more than a cell can take is refused.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use spoor_protocol::{FetchError, MAX_FETCHED, MAX_FETCHED_TABLES, Told};

/// The version of the form. A reader refuses another.
const FORM: u32 = 1;

/// The most bytes of a header.
pub const MAX_HEADER: usize = 8 << 20;

/// A query of a workspace, as far as its answer depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question<'a> {
    /// The workspace's name.
    pub workspace: &'a str,
    /// The query. Space around it does not count, nor how its lines end.
    pub text: &'a str,
    /// The time that it looks at.
    pub timespan: Option<&'a str>,
}

impl Question<'_> {
    /// The name of the answer's files, without what stands behind the dot: 32 hexadecimal digits.
    pub fn key(&self) -> String {
        let text = self.normal();
        let mut hash = Sha256::new();
        for part in [Some(self.workspace), Some(text.as_str()), self.timespan] {
            // With its length, so that no two questions run together into the same bytes.
            let length = part.map_or(u64::MAX, |part| part.len() as u64);
            hash.update(length.to_le_bytes());
            hash.update(part.unwrap_or_default());
        }
        let digest = hash.finalize();
        hexadecimal(digest.get(..16).unwrap_or_default())
    }

    /// The file of the header.
    pub fn header(&self) -> String {
        format!("{}.json", self.key())
    }

    /// The file of a table.
    pub fn table(&self, number: usize) -> String {
        format!("{}.{number}.arrows", self.key())
    }

    fn normal(&self) -> String {
        self.text.trim().replace("\r\n", "\n")
    }
}

/// What is kept of an answer beside its tables.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    form: u32,
    workspace: String,
    query: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timespan: Option<String>,
    tables: Vec<Kept>,
    told: Told,
}

/// A table that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    bytes: usize,
    sha256: String,
}

impl Header {
    /// For an answer whose tables are `streams`, that came at `when` (RFC 3339).
    pub fn new(question: Question<'_>, streams: &[Vec<u8>], told: Told, when: &str) -> Self {
        let kept = |bytes: &Vec<u8>| Kept {
            bytes: bytes.len(),
            sha256: hexadecimal(&Sha256::digest(bytes)),
        };
        Self {
            form: FORM,
            workspace: question.workspace.to_owned(),
            query: question.normal(),
            timespan: question.timespan.map(str::to_owned),
            tables: streams.iter().map(kept).collect(),
            told: Told {
                recorded: Some(when.to_owned()),
                ..told
            },
        }
    }

    /// As the file has it.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn to_json(&self) -> Result<String, FetchError> {
        let written = serde_json::to_string_pretty(self);
        written.map_err(|error| FetchError::new(format!("the answer cannot be kept: {error}")))
    }

    /// Reads the file of a question.
    ///
    /// # Errors
    /// When it is no such file, or another question's, or names more than a cell can take.
    pub fn read(question: Question<'_>, bytes: &[u8]) -> Result<Self, FetchError> {
        let broken = |why: String| {
            FetchError::new(format!(
                "the recorded answer {} cannot be read: {why}",
                question.header()
            ))
            .hint("record it again: spoor run --record DIR")
        };
        if bytes.len() > MAX_HEADER {
            return Err(broken("it is too long".into()));
        }
        let header: Self =
            serde_json::from_slice(bytes).map_err(|error| broken(error.to_string()))?;
        let asked = (question.workspace, question.normal(), question.timespan);
        let kept = (
            header.workspace.as_str(),
            header.query.clone(),
            header.timespan.as_deref(),
        );
        let count = header.tables.len();
        let all = header
            .tables
            .iter()
            .try_fold(0usize, |all, table| all.checked_add(table.bytes));
        if header.form != FORM {
            return Err(broken(format!(
                "it has the form {}, not {FORM}",
                header.form
            )));
        }
        if asked != kept {
            return Err(broken("it is of another query".into()));
        }
        if count == 0 || count > MAX_FETCHED_TABLES {
            return Err(broken(format!("it has {count} tables")));
        }
        if all.is_none_or(|all| all > MAX_FETCHED) {
            return Err(FetchError::too_large());
        }
        Ok(header)
    }

    /// How many tables there are; at least one in what was read.
    pub fn tables(&self) -> usize {
        self.tables.len()
    }

    /// Bytes of a table.
    pub fn bytes(&self, number: usize) -> usize {
        self.tables.get(number).map_or(0, |table| table.bytes)
    }

    /// Whether these are the bytes of a table that were kept.
    ///
    /// # Errors
    /// When they are not.
    pub fn check(&self, number: usize, bytes: &[u8]) -> Result<(), FetchError> {
        let kept = self.tables.get(number);
        let same = kept.is_some_and(|kept| {
            kept.bytes == bytes.len() && kept.sha256 == hexadecimal(&Sha256::digest(bytes))
        });
        match same {
            true => Ok(()),
            false => Err(FetchError::new(format!(
                "table {number} of the recorded answer is not the one that was kept"
            ))
            .hint("take the folder from where it came again, or record it again: spoor run --record DIR")),
        }
    }

    /// What is said beside the rows, the day on which it was recorded with it.
    pub fn told(&self) -> &Told {
        &self.told
    }
}

/// There is no answer to a question in `place`.
pub fn missing(question: Question<'_>, place: &str) -> FetchError {
    FetchError::new(format!(
        "this query of workspace '{}' is not recorded in {place}",
        question.workspace
    ))
    .hint("recorded answers are found by workspace, query and time span: run the notebook as it was recorded, or record it again with spoor run --record DIR")
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const ASKED: Question<'static> = Question {
        workspace: "soc",
        text: "SigninLogs | count",
        timespan: Some("P1D"),
    };

    #[test]
    fn a_key_is_of_workspace_query_and_time_and_of_nothing_else() {
        let same = Question {
            text: "   SigninLogs | count\r\n",
            ..ASKED
        };
        assert_eq!((ASKED.key(), ASKED.key().len()), (same.key(), 32));
        for other in [
            Question {
                workspace: "soc2",
                ..ASKED
            },
            Question {
                text: "SigninLogs  | count",
                ..ASKED
            },
            Question {
                timespan: None,
                ..ASKED
            },
            Question {
                timespan: Some(""),
                ..ASKED
            },
            Question {
                workspace: "so",
                text: "cSigninLogs | count",
                ..ASKED
            },
        ] {
            assert_ne!(ASKED.key(), other.key(), "{other:?}");
        }
    }

    #[test]
    fn a_header_says_what_was_kept_and_when() {
        let streams = [b"rows".to_vec(), Vec::new()];
        let header = Header::new(ASKED, &streams, Told::default(), "2024-03-01T00:00:00Z");
        let read = Header::read(ASKED, header.to_json().unwrap().as_bytes()).unwrap();
        assert_eq!(read, header);
        assert_eq!((read.tables(), read.bytes(0), read.bytes(7)), (2, 4, 0));
        assert_eq!(
            read.told().recorded.as_deref(),
            Some("2024-03-01T00:00:00Z")
        );
        read.check(0, b"rows").unwrap();
        read.check(1, b"").unwrap();
        for (number, bytes) in [(0, &b"rowz"[..]), (0, b""), (1, b"rows"), (2, b"")] {
            assert!(read.check(number, bytes).is_err(), "{number}");
        }
    }

    #[test]
    fn what_a_stranger_wrote_is_refused() {
        let told = |change: &dyn Fn(&mut Header)| {
            let mut header =
                Header::new(ASKED, &[vec![1]], Told::default(), "2024-03-01T00:00:00Z");
            change(&mut header);
            Header::read(ASKED, header.to_json().unwrap().as_bytes())
                .unwrap_err()
                .message
        };
        assert!(told(&|header| header.form = 2).contains("it has the form 2, not 1"));
        assert!(told(&|header| header.query.push('x')).contains("it is of another query"));
        assert!(told(&|header| header.tables.clear()).contains("it has 0 tables"));
        assert!(told(&|header| header.tables[0].bytes = usize::MAX / 2).contains("512 MiB"));
        let twice = |header: &mut Header| {
            header.tables[0].bytes = usize::MAX;
            header.tables.push(header.tables[0].clone());
        };
        assert!(told(&twice).contains("512 MiB"));
        let text = Header::read(ASKED, b"<html>").unwrap_err().message;
        assert!(text.contains("cannot be read"), "{text}");
        assert!(Header::read(ASKED, &vec![b' '; MAX_HEADER + 1]).is_err());
    }
}
