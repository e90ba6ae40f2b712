//! How far a query has come.

use std::fmt;
use std::time::Duration;

/// What a query is at. As text it is a line for people.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Progress {
    /// As many queries of the workspace run as may.
    Waiting {
        /// How many that wait come before it.
        ahead: usize,
    },
    /// A token is wanted.
    SigningIn,
    /// A request is on its way.
    Asking {
        /// The page, from 1; only Resource Graph has more than one.
        page: usize,
    },
    /// The answer comes. Told ten times a second at most.
    Reading {
        /// Bytes of this page's answer.
        bytes: usize,
        /// Rows of it that were read; only Kusto's are read as they come.
        rows: usize,
        /// Per cent of the query, where the service says so.
        percent: Option<f64>,
    },
    /// The service could not be asked, and is asked again after a while.
    Retrying {
        /// Attempts so far.
        attempts: u32,
        /// How long it waits.
        wait: Duration,
    },
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Progress::Waiting { ahead: 0 } => {
                f.write_str("waiting for another query of the workspace")
            }
            Progress::Waiting { ahead } => {
                write!(f, "waiting: {ahead} before this one")
            }
            Progress::SigningIn => f.write_str("signing in"),
            Progress::Asking { page: 1 } => f.write_str("asking the service"),
            Progress::Asking { page } => write!(f, "asking for page {page}"),
            Progress::Reading {
                bytes,
                rows,
                percent,
            } => reading(f, *bytes, *rows, *percent),
            Progress::Retrying { attempts, wait } => {
                let seconds = wait.as_secs_f64();
                write!(
                    f,
                    "attempt {attempts} failed; asking again in {seconds:.1} s"
                )
            }
        }
    }
}

fn reading(
    f: &mut fmt::Formatter<'_>,
    bytes: usize,
    rows: usize,
    percent: Option<f64>,
) -> fmt::Result {
    write!(f, "reading: {} KiB", bytes >> 10)?;
    if rows > 0 {
        write!(f, ", {rows} rows")?;
    }
    match percent {
        Some(percent) => write!(f, ", {percent:.0} % of the query"),
        None => Ok(()),
    }
}
