//! Keeps what a command writes apart from what it reads, and its results apart from each other.
//! Asked before any work is done: afterwards the file is gone.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::{Exit, Failure};
use crate::save;
use crate::sources::Source;

/// Where files are, and what each is to the command.
#[derive(Default)]
pub struct Places(HashMap<PathBuf, String>);

impl Places {
    /// Takes note of a file that is read. `what` says what it is: `the notebook n.ipynb`.
    pub fn read(&mut self, what: impl Into<String>, path: &Path) {
        // Of a folder there is nothing to overwrite.
        if !is_stream(path) && !path.is_dir() {
            self.0.entry(save::place(path)).or_insert(what.into());
        }
    }

    /// Takes note of data files.
    pub fn read_data<'a>(&mut self, sources: impl IntoIterator<Item = &'a Source>) {
        for source in sources {
            let what = format!("the data file {}", source.path.display());
            self.read(what, &source.path);
        }
    }

    /// Takes note of a file that will be written. Fails if that would replace another.
    pub fn write(&mut self, what: impl Into<String>, path: &Path) -> Result<(), Failure> {
        if is_stream(path) {
            return Ok(());
        }
        let what = what.into();
        let place = save::place(path);
        if let Some(taken) = self.0.get(&place) {
            let message = format!(
                "{what} cannot go to {}: that is the place of {taken}; name another place",
                path.display()
            );
            return Err(Failure::new(Exit::Usage, message));
        }
        self.0.insert(place, what);
        Ok(())
    }
}

/// Whether the path stands for standard input or output.
pub fn is_stream(path: &Path) -> bool {
    path.as_os_str() == "-"
}
