//! Where the parts of Spoor that set-up makes are: kernel.wasm and the Python guest, and the page.
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

    /// The registry of the plugins that ship, which may be missing.
    pub fn plugins(&self) -> PathBuf {
        self.dir.join("plugins")
    }

    /// The folder of the Python guest.
    pub fn python(&self) -> PathBuf {
        self.dir.join("python")
    }
}

/// The folder of the page: `given`, else `$SPOOR_SITE`, else the folder `site` beside the executable or
/// beside that one's folder. It must hold the page.
pub fn site(given: Option<PathBuf>) -> Result<PathBuf, Error> {
    let named = given.or_else(|| {
        std::env::var_os("SPOOR_SITE")
            .filter(|dir| !dir.is_empty())
            .map(PathBuf::from)
    });
    let candidates = match named {
        Some(dir) => vec![dir],
        None => {
            let folder = executable_folder()?;
            vec![
                folder.join("site"),
                folder.parent().unwrap_or(&folder).join("site"),
            ]
        }
    };
    let is_page = |dir: &&PathBuf| dir.join("index.html").is_file();
    match candidates.iter().find(is_page) {
        Some(dir) => Ok(dir.clone()),
        None => Err(Error::MissingSite {
            path: candidates.into_iter().next().unwrap_or_default(),
        }),
    }
}

fn beside_executable() -> Result<PathBuf, Error> {
    Ok(executable_folder()?.join("assets"))
}

fn executable_folder() -> Result<PathBuf, Error> {
    let exe = std::env::current_exe().map_err(Error::file("cannot find", "the executable"))?;
    // Resolved, so that a link to the binary finds the assets of the real one.
    let exe = exe.canonicalize().unwrap_or(exe);
    Ok(exe.parent().unwrap_or(Path::new(".")).to_owned())
}
