//! What is kept of a notebook and of a data file beside its bytes, and which old versions go.

use serde::{Deserialize, Serialize};

/// A notebook in the storage. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its id, which no other has.
    pub id: String,
    /// Its name, with `.ipynb`.
    pub name: String,
    /// When it came to be.
    pub created: f64,
    /// Its versions that are kept, oldest first; the last is what it is now.
    pub versions: Vec<Version>,
    /// Where it came from, if from elsewhere: a URL, a file's name.
    pub origin: Option<String>,
    /// Whether the user trusts what its outputs do.
    pub trusted: bool,
    /// When it was deleted, if it was.
    pub removed: Option<f64>,
}

/// One saved version of a notebook.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Version {
    /// Its number: the first is 1.
    pub number: u32,
    /// When it was saved.
    pub saved: f64,
    /// Its length in bytes.
    pub bytes: f64,
}

impl Entry {
    /// What it is now.
    pub fn latest(&self) -> Version {
        // There always is one: a notebook is made with its first.
        self.versions.last().copied().unwrap_or(Version {
            number: 0,
            saved: self.created,
            bytes: 0.0,
        })
    }

    /// The number of what it is now.
    pub fn version(&self) -> u32 {
        self.latest().number
    }

    /// When it was last saved.
    pub fn modified(&self) -> f64 {
        self.latest().saved
    }

    /// Its length in bytes.
    pub fn bytes(&self) -> f64 {
        self.latest().bytes
    }

    /// Adds a version, and takes away those that need not be kept: their numbers.
    pub fn add(&mut self, bytes: f64, now: f64) -> (u32, Vec<u32>) {
        let number = self.version() + 1;
        let saved = now;
        self.versions.push(Version {
            number,
            saved,
            bytes,
        });
        let gone = superseded(&self.versions, now);
        self.versions.retain(|one| !gone.contains(&one.number));
        (number, gone)
    }
}

/// The most recent versions that are kept, however close together.
const RECENT: usize = 5;
/// The most versions of a notebook.
const MOST: usize = 60;
/// The most bytes of a notebook's old versions. The two newest are kept whatever their size.
const MOST_BYTES: f64 = 256e6;

const MINUTE: f64 = 60e3;
const HOUR: f64 = 60.0 * MINUTE;
const DAY: f64 = 24.0 * HOUR;

/// The versions that need not be kept: of older ones the last in each ten minutes of a day, in each
/// hour of a week and in each day before is enough.
pub fn superseded(versions: &[Version], now: f64) -> Vec<u32> {
    let mut gone = Vec::new();
    let (mut kept, mut bytes, mut newer) = (0, 0.0, f64::INFINITY);
    for version in versions.iter().rev() {
        let age = now - version.saved;
        let grain = match age {
            age if age < DAY => 10.0 * MINUTE,
            age if age < 7.0 * DAY => HOUR,
            _ => DAY,
        };
        let slot = |time: f64| (time / grain).floor();
        let distinct = kept < RECENT || slot(version.saved) != slot(newer);
        let fits = kept < 2 || (kept < MOST && bytes + version.bytes <= MOST_BYTES);
        if distinct && fits {
            kept += 1;
            bytes += version.bytes;
            newer = version.saved;
        } else {
            gone.push(version.number);
        }
    }
    gone
}

/// A data file in the storage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FileRecord {
    /// Its id, which no other has, and its name in OPFS.
    pub id: String,
    /// Its name, with extensions.
    pub name: String,
    /// Its length in bytes.
    pub bytes: f64,
    /// When it was added.
    pub added: f64,
    /// How far it is.
    pub state: FileState,
    /// Where its bytes are.
    pub place: Place,
}

/// How far a data file is. Only whole ones are seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileState {
    /// Being written.
    Partial,
    /// There.
    Whole,
    /// Being deleted.
    Going,
}

/// Where a data file's bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// In the origin's private file system.
    Opfs,
    /// In IndexedDB, as a Blob.
    Blob,
}

/// What was typed when the page went away, and may not have been saved.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Draft {
    /// The notebook.
    pub id: String,
    /// The version that it was typed on.
    pub base: u32,
    /// The notebook's text.
    pub text: String,
    /// The version as a server names it, for a notebook that one keeps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub served: Option<String>,
}

/// Whether two names are one, as they are to file systems that do not tell cases apart.
pub fn same_name(a: &str, b: &str) -> bool {
    a == b || a.to_lowercase() == b.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry {
            id: "a".into(),
            name: "a.ipynb".into(),
            created: 0.0,
            versions: Vec::new(),
            origin: None,
            trusted: true,
            removed: None,
        }
    }

    #[test]
    fn a_day_of_autosaves_leaves_few_versions() {
        let mut entry = entry();
        // Every two seconds for eight hours.
        for step in 0..14_400 {
            entry.add(1e3, f64::from(step) * 2e3);
        }
        assert_eq!(entry.version(), 14_400);
        let ages: Vec<f64> = entry.versions.iter().map(|v| 28_798e3 - v.saved).collect();
        assert!(ages.len() <= 60 && ages.len() >= 48, "{}", ages.len());
        // The last ones are all there, and something of every ten minutes.
        assert_eq!(ages[ages.len() - 5..], [8e3, 6e3, 4e3, 2e3, 0.0]);
        assert!(
            ages.windows(2)
                .all(|pair| pair[0] - pair[1] <= 20.0 * MINUTE)
        );
    }

    #[test]
    fn large_versions_are_bounded_and_the_last_two_stay() {
        let mut entry = entry();
        for hour in 0..20 {
            entry.add(100e6, f64::from(hour) * HOUR);
        }
        assert_eq!(entry.versions.len(), 2);
        for hour in 20..24 {
            entry.add(300e6, f64::from(hour) * HOUR);
        }
        let numbers: Vec<u32> = entry.versions.iter().map(|v| v.number).collect();
        assert_eq!(numbers, [23, 24]);
    }

    #[test]
    fn old_versions_thin_out() {
        let hourly = |n: u32| Version {
            number: n,
            saved: f64::from(n) * HOUR,
            bytes: 1.0,
        };
        let versions: Vec<Version> = (1..=240).map(hourly).collect();
        let gone = superseded(&versions, 240.0 * HOUR);
        let kept = 240 - gone.len();
        assert_eq!(kept, MOST);
        assert!(!gone.contains(&240) && gone.contains(&1));
    }
}
