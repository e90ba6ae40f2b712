//! Where a configuration may be.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The name of the file.
const FILE: &str = "spoor.toml";

/// What says where the configuration is, the strongest first.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// What `--config` says.
    pub explicit: Option<PathBuf>,
    /// What `$SPOOR_CONFIG` says.
    pub variable: Option<PathBuf>,
    /// The working directory, from which `spoor.toml` is looked for upwards.
    pub directory: Option<PathBuf>,
    /// The directory of the user's own settings: `$XDG_CONFIG_HOME`, or `~/.config`.
    pub settings: Option<PathBuf>,
}

impl Places {
    /// Those of this process.
    pub fn of_process(explicit: Option<&Path>) -> Self {
        let there = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
        let own = || Some(env::home_dir()?.join(".config"));
        Places {
            explicit: explicit.map(Path::to_owned),
            variable: there("SPOOR_CONFIG").map(PathBuf::from),
            directory: env::current_dir().ok(),
            settings: there("XDG_CONFIG_HOME").and_then(absolute).or_else(own),
        }
    }

    /// The file to read, and what gives its path if it was not found; `None` where there is none.
    pub(super) fn file(&self) -> Option<(PathBuf, Option<&'static str>)> {
        let explicit = || Some((self.explicit.clone()?, Some("--config")));
        let variable = || Some((self.variable.clone()?, Some("$SPOOR_CONFIG")));
        let found = || Some((self.nearest()?, None));
        explicit().or_else(variable).or_else(found)
    }

    fn nearest(&self) -> Option<PathBuf> {
        let upwards = self.directory.iter().flat_map(|at| at.ancestors());
        let upwards = upwards.map(|at| at.join(FILE));
        let own = self.settings.iter().map(|at| at.join("spoor").join(FILE));
        upwards.chain(own).find(|path| path.is_file())
    }
}

/// The XDG specification has relative paths ignored.
fn absolute(value: OsString) -> Option<PathBuf> {
    let path = PathBuf::from(value);
    path.is_absolute().then_some(path)
}
