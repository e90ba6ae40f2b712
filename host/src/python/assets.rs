//! The guest's files, and the manifest that names them: `guest.json`.
//!
//! Written by [`super::snapshot`], read by this driver and by the browser's. `runtime/python`'s
//! README describes the folder. Digests are checked where the bytes are read whole anyway (the
//! code, when it is compiled); [`PythonAssets::verify`] checks the rest on request.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::aot::hex;
use crate::error::Error;

/// The manifest's file name.
pub const MANIFEST: &str = "guest.json";
/// The manifest's version that this driver reads.
pub const FORMAT: u32 = 3;

/// The folder of the guest's files, its manifest read.
#[derive(Debug, Clone)]
pub struct PythonAssets {
    dir: PathBuf,
    manifest: Manifest,
}

/// `guest.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u32,
    /// A digest of everything the files were made from, in hex.
    pub inputs: String,
    /// The code: a WebAssembly module without data, whose memory starts smaller than the image.
    pub module: Asset,
    /// Linear memory, byte for byte from address 0; its length is a multiple of 64 KiB. A driver
    /// instantiates the module, grows its memory to this length, and puts the image there.
    pub image: Asset,
    /// What the guest finds in its file system, in any order.
    pub mounts: Vec<AssetMount>,
    /// The environment the image was made with.
    pub environment: BTreeMap<String, String>,
    /// The bytes to change (by a bitwise or) for a running loop to raise `KeyboardInterrupt`.
    pub interrupt: Vec<Poke>,
    /// The same code and memory as a page loads them.
    #[serde(default)]
    pub web: Web,
    /// Versions of what is inside, by name.
    pub versions: BTreeMap<String, String>,
}

/// What a page loads: less than the whole at first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Web {
    /// The module's parts ([`crate::parts`]); the first is the guest, and the further ones are
    /// loaded when it asks for them.
    pub parts: Vec<Asset>,
    /// Linear memory before the first turn: `bare`, and `pandas`, which has pandas imported.
    pub images: BTreeMap<String, Image>,
}

/// Linear memory without its empty pages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Image {
    /// The bytes of the runs, one after the other.
    #[serde(flatten)]
    pub asset: Asset,
    /// How long the memory is, in bytes; a multiple of 64 KiB. What is in no run is zero.
    pub memory: u64,
    /// Where each run is in memory, and how long, in bytes.
    pub runs: Vec<(u32, u32)>,
    /// How many of the code's parts, from the first on, its turns are about to need.
    pub parts: usize,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asset {
    /// Its path below the folder of the manifest.
    pub file: String,
    /// Its SHA-256, in hex.
    pub sha256: String,
    /// Its length in bytes.
    pub bytes: u64,
}

/// A folder that the guest sees, and the files in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssetMount {
    /// Where the guest sees it.
    pub guest: String,
    /// The folder below the manifest's, for a read-only one; without it, a writable folder of
    /// the session's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dir: Option<String>,
    /// Every file in it, by its path below the manifest's folder.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<Asset>,
}

/// One byte to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Poke {
    /// Where in linear memory.
    pub address: u32,
    /// The bits to set.
    pub or: u8,
}

impl PythonAssets {
    /// Reads the manifest in `dir`.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self, Error> {
        let dir = dir.into();
        let path = dir.join(MANIFEST);
        let text = fs::read(&path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => Error::MissingAsset { path: path.clone() },
            _ => Error::File {
                what: "cannot read",
                path: path.clone(),
                source,
            },
        })?;
        let manifest: Manifest = serde_json::from_slice(&text).map_err(|e| Error::Module {
            name: MANIFEST.into(),
            reason: e.to_string(),
        })?;
        if manifest.format != FORMAT {
            let reason = format!(
                "it is of format {}, and this spoor reads {FORMAT}",
                manifest.format
            );
            return Err(Error::Module {
                name: MANIFEST.into(),
                reason,
            });
        }
        Ok(Self { dir, manifest })
    }

    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Where a file or folder of the manifest is.
    pub fn path(&self, file: &str) -> PathBuf {
        self.dir.join(file)
    }

    /// Reads every file and compares its digest with the manifest's.
    pub fn verify(&self) -> Result<(), Error> {
        let m = &self.manifest;
        let mounted = m.mounts.iter().flat_map(|mount| &mount.files);
        let images = m.web.images.values().map(|image| &image.asset);
        let web = m.web.parts.iter().chain(images);
        for asset in [&m.module, &m.image].into_iter().chain(mounted).chain(web) {
            let path = self.path(&asset.file);
            let found = Asset::of(&self.dir, &path)?;
            if found != *asset {
                return Err(Error::Checksum {
                    path,
                    expected: asset.sha256.clone(),
                    found: found.sha256,
                });
            }
        }
        Ok(())
    }
}

impl Asset {
    /// The entry for the file at `path`, which is below `dir`.
    pub fn of(dir: &Path, path: &Path) -> Result<Self, Error> {
        let mut sha = Sha256::new();
        let bytes = File::open(path)
            .and_then(|mut file| io::copy(&mut file, &mut sha))
            .map_err(|source| Error::File {
                what: "cannot read",
                path: path.to_owned(),
                source,
            })?;
        let below = path.strip_prefix(dir).unwrap_or(path);
        Ok(Self {
            file: below.to_string_lossy().into_owned(),
            sha256: hex(&sha.finalize()),
            bytes,
        })
    }
}
