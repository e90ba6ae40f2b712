//! Where the parts of Spoor that set-up makes are: kernel.wasm and the Python guest.
//!
//! Called by the command line. Finds folders; loads nothing.

use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::kernel;

/// The folder of the assets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assets {
    dir: PathBuf,
}

impl Assets {
    /// `$SPOOR_ASSETS`, else the folder `assets` beside the executable. It must hold kernel.wasm.
    pub fn find() -> Result<Self, Error> {
        let dir = match std::env::var_os("SPOOR_ASSETS").filter(|dir| !dir.is_empty()) {
            Some(dir) => PathBuf::from(dir),
            None => beside_executable()?,
        };
        Self::at(dir)
    }

    /// The assets in `dir`.
    pub fn at(dir: impl Into<PathBuf>) -> Result<Self, Error> {
        let assets = Self { dir: dir.into() };
        let kernel = assets.kernel();
        if kernel.is_file() {
            Ok(assets)
        } else {
            Err(Error::MissingAsset { path: kernel })
        }
    }

    /// kernel.wasm.
    pub fn kernel(&self) -> PathBuf {
        self.dir.join(kernel::FILE)
    }

    /// The folder of the Python guest.
    pub fn python(&self) -> PathBuf {
        self.dir.join("python")
    }
}

fn beside_executable() -> Result<PathBuf, Error> {
    let exe = std::env::current_exe().map_err(Error::file("cannot find", "the executable"))?;
    // Resolved, so that a link to the binary finds the assets of the real one.
    let exe = exe.canonicalize().unwrap_or(exe);
    Ok(exe.parent().unwrap_or(Path::new(".")).join("assets"))
}
