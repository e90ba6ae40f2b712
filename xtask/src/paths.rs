//! Where things are: the checkout, cargo's target folder, the built assets, the download cache.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The folders that every task works in.
pub struct Paths {
    /// The checkout.
    pub root: PathBuf,
    /// Cargo's target folder (`CARGO_TARGET_DIR`, else `target` in the checkout).
    pub target: PathBuf,
    /// Pinned downloads and other things that outlive a checkout.
    pub cache: PathBuf,
}

impl Paths {
    /// Finds the folders from this crate's own place and the environment.
    pub fn find() -> Result<Self> {
        // As cargo says when it runs this, not when it built it: checkouts that share a target folder
        // share this binary too.
        let manifest = env::var_os("CARGO_MANIFEST_DIR")
            .context("run this as `cargo xtask`, which says where the checkout is")?;
        let root = Path::new(&manifest)
            .parent()
            .context("xtask is not inside a checkout")?
            .to_path_buf();
        let target =
            env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        let target = if target.is_absolute() {
            target
        } else {
            root.join(target)
        };
        let home = env::var_os("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .or_else(|| env::var_os("HOME").map(|home| Path::new(&home).join(".cache")));
        let cache = home
            .context("neither XDG_CACHE_HOME nor HOME is set: set one, for the download cache")?;
        Ok(Self {
            root,
            target,
            cache: cache.join("spoor"),
        })
    }

    /// Where the native release build puts its binaries.
    pub fn bin(&self) -> PathBuf {
        self.target.join("release")
    }

    /// The `spoor` command.
    pub fn spoor(&self) -> PathBuf {
        self.bin().join("spoor")
    }

    /// What `spoor` loads at run time: `kernel.wasm` and `python/`.
    pub fn assets(&self) -> PathBuf {
        self.bin().join("assets")
    }

    /// The built page, its engines whole: what the tests and benchmarks load.
    pub fn web(&self) -> PathBuf {
        self.target.join("web")
    }

    /// The page as it is put on static file servers, where `spoor serve` looks for it too.
    pub fn site(&self) -> PathBuf {
        self.target.join("site")
    }

    /// The demo's data and results.
    pub fn demo(&self) -> PathBuf {
        self.target.join("demo")
    }

    /// Pinned downloads.
    pub fn downloads(&self) -> PathBuf {
        self.cache.join("downloads")
    }

    /// Data for trying Spoor that does not ship with it, beside the checkout: `name` below
    /// `SPOOR_SHARED`, else below `../shared`. `None` where it is absent.
    pub fn shared(&self, name: &str) -> Option<PathBuf> {
        let base = env::var_os("SPOOR_SHARED")
            .map(PathBuf::from)
            .or_else(|| self.root.parent().map(|parent| parent.join("shared")))?;
        Some(base.join(name)).filter(|path| path.exists())
    }
}
