//! Answers of workspaces, kept in a folder (`spoor run --record DIR`) and given again from there (`--replay DIR`).
//!
//! The form of the folder is `spoor-providers`'s. Files are written whole or not at all, the header of an answer last.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use spoor_data::{Format, Limits, Loader, Progress};
use spoor_protocol::{FetchError, MAX_FETCHED_TABLES};
use spoor_providers::recorded::{Header, MAX_HEADER, Question, missing};
use spoor_table::{Table, ipc};

use crate::native::{Answered, Asked, Remote, Watch};
use crate::save::write_atomically;

/// How long a table is read between two looks at whether it is wanted.
const SLICE: Duration = Duration::from_millis(50);

impl<'a> From<Asked<'a>> for Question<'a> {
    fn from(asked: Asked<'a>) -> Self {
        Self {
            workspace: asked.workspace,
            text: asked.text,
            timespan: asked.timespan,
        }
    }
}

/// Keeps what another answers.
pub struct Recorder {
    inner: Arc<dyn Remote>,
    folder: PathBuf,
}

impl Recorder {
    /// Keeps the answers of `inner` in `folder`, which is made if need be.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn new(inner: Arc<dyn Remote>, folder: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        Ok(Self { inner, folder })
    }

    fn keep(&self, question: Question<'_>, answered: &Answered) -> Result<(), FetchError> {
        if answered.tables.len() > MAX_FETCHED_TABLES {
            return Err(FetchError::new(format!(
                "an answer of more than {MAX_FETCHED_TABLES} tables cannot be recorded"
            )));
        }
        let streams: Result<Vec<Vec<u8>>, _> = answered.tables.iter().map(ipc::to_stream).collect();
        let streams = streams.map_err(|error| FetchError::new(error.to_string()))?;
        let when = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let header = Header::new(question, &streams, answered.told.clone(), &when);
        for (number, stream) in streams.iter().enumerate() {
            self.write(&question.table(number), stream)?;
        }
        self.write(&question.header(), header.to_json()?.as_bytes())
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), FetchError> {
        let written = write_atomically(&self.folder.join(name), bytes);
        written.map_err(|error| FetchError::new(format!("the answer cannot be recorded: {error}")))
    }
}

impl Remote for Recorder {
    fn ask(&self, asked: Asked<'_>, watch: &Watch) -> Result<Answered, FetchError> {
        let answered = self.inner.ask(asked, watch)?;
        self.keep(asked.into(), &answered)?;
        Ok(answered)
    }

    fn local(&self) -> Vec<String> {
        self.inner.local()
    }
}

/// Gives recorded answers, and asks nobody.
pub struct Replayer {
    folder: PathBuf,
}

impl Replayer {
    /// The answers of `folder`.
    ///
    /// # Errors
    /// When it is no folder.
    pub fn new(folder: PathBuf) -> io::Result<Self> {
        fs::read_dir(&folder)?;
        Ok(Self { folder })
    }

    /// All of a file, which is no longer than `most` bytes; `None` where there is none.
    fn read(&self, name: &str, most: usize) -> Result<Option<Vec<u8>>, FetchError> {
        let path = self.folder.join(name);
        match read_within(&path, most) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(FetchError::new(format!(
                "{} cannot be read: {error}",
                path.display()
            ))),
        }
    }
}

impl Remote for Replayer {
    fn ask(&self, asked: Asked<'_>, watch: &Watch) -> Result<Answered, FetchError> {
        let question = Question::from(asked);
        let absent = || missing(question, &self.folder.display().to_string());
        let header = self.read(&question.header(), MAX_HEADER)?;
        let header = Header::read(question, &header.ok_or_else(absent)?)?;
        let mut tables = Vec::with_capacity(header.tables());
        for number in 0..header.tables() {
            let bytes = self.read(&question.table(number), header.bytes(number))?;
            let bytes = bytes.ok_or_else(absent)?;
            header.check(number, &bytes)?;
            tables.push(read_table(&question.table(number), bytes, watch)?);
        }
        Ok(Answered {
            tables,
            told: header.told().clone(),
        })
    }
}

/// Reads a table within what a data file may take: its bytes may be a stranger's.
fn read_table(label: &str, bytes: Vec<u8>, watch: &Watch) -> Result<Table, FetchError> {
    let mut loader = Loader::new(label, Some(Format::Arrow), bytes, Limits::default());
    loop {
        if watch.stop().is_some() {
            return Err(FetchError::new("nobody waits for the result"));
        }
        match loader.step(SLICE) {
            Ok(Progress::Done(table)) => return Ok(table),
            Ok(Progress::More) => {}
            Err(error) => return Err(FetchError::new(error.to_string())),
        }
    }
}

/// A file's bytes; one byte more than `most` where it is longer, which no check passes.
fn read_within(path: &Path, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::atomic::{AtomicUsize, Ordering};

    use spoor_protocol::Told;
    use spoor_table::{Column, KustoType, Value};

    use super::*;

    /// A workspace that counts how often it is asked.
    #[derive(Default)]
    struct Soc(AtomicUsize);

    impl Remote for Soc {
        fn ask(&self, asked: Asked<'_>, _: &Watch) -> Result<Answered, FetchError> {
            self.0.fetch_add(1, Ordering::SeqCst);
            let columns = vec![Column::new("Said", KustoType::String)];
            let rows = [vec![Value::String(asked.text.trim().into())]];
            let table = Table::from_values(columns, &rows).unwrap();
            Ok(Answered {
                tables: vec![table.clone(), table],
                told: Told {
                    partial: vec!["some are missing".into()],
                    ..Told::default()
                },
            })
        }
    }

    fn asked(text: &str) -> Asked<'_> {
        Asked {
            workspace: "soc",
            text,
            timespan: None,
        }
    }

    #[test]
    fn what_was_recorded_is_given_again_with_its_date_and_nobody_is_asked() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("hunt.recorded");
        let soc = Arc::new(Soc::default());
        let watch = Watch::new(|| false, None);
        let recorder = Recorder::new(soc.clone(), place.clone()).unwrap();
        let now = recorder.ask(asked("T | count"), &watch).unwrap();
        assert_eq!(now.told.recorded, None);

        let replayer = Replayer::new(place.clone()).unwrap();
        let again = replayer.ask(asked("  T | count\n"), &watch).unwrap();
        assert_eq!(soc.0.load(Ordering::SeqCst), 1);
        assert_eq!(again.tables.len(), 2);
        assert_eq!(again.tables[1].columns(), now.tables[1].columns());
        assert_eq!(again.told.partial, now.told.partial);
        let when = again.told.recorded.unwrap();
        assert!(when.parse::<Timestamp>().is_ok(), "{when}");

        let other = replayer.ask(asked("T | take 1"), &watch).unwrap_err();
        assert!(other.message.contains("not recorded in"), "{other:?}");
        assert!(Replayer::new(folder.path().join("none")).is_err());
    }

    #[test]
    fn a_table_that_was_changed_or_is_gone_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let watch = Watch::new(|| false, None);
        let recorder = Recorder::new(Arc::new(Soc::default()), folder.path().into()).unwrap();
        recorder.ask(asked("T"), &watch).unwrap();
        let replayer = Replayer::new(folder.path().into()).unwrap();
        let table = folder.path().join(Question::from(asked("T")).table(1));
        let mut bytes = fs::read(&table).unwrap();
        bytes.push(0);
        fs::write(&table, &bytes).unwrap();
        let changed = replayer.ask(asked("T"), &watch).unwrap_err();
        assert!(changed.message.contains("not the one that was kept"));
        fs::remove_file(&table).unwrap();
        let gone = replayer.ask(asked("T"), &watch).unwrap_err();
        assert!(gone.message.contains("not recorded in"), "{gone:?}");
    }
}
