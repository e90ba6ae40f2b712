//! The guest's system: its folders, its environment, and where its file descriptors 1 and 2 go.
//!
//! Preview 1 as wasmtime-wasi has it, with the exceptions of [`super::shadow`]. No network, no
//! arguments, an empty standard input.

use std::fs;
use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};
use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

use super::Mount;
use super::assets::PythonAssets;
use super::shadow::Quota;
use crate::error::Error;

/// Where bytes written to a file descriptor go.
pub type Output = std::sync::Arc<dyn Fn(u8, &[u8]) + Send + Sync>;

/// The guest's system, and the private folder that it may write to, which is removed when this
/// is dropped.
pub struct System {
    /// What wasmtime-wasi keeps of it, open files included.
    pub ctx: WasiP1Ctx,
    /// What the guest may still write.
    pub quota: Quota,
    /// The host's side of `/tmp`.
    _tmp: tempfile::TempDir,
}

impl System {
    /// A new system with the guest's own folders and `mounts`, to which the guest may write
    /// `written_bytes` in all.
    pub fn new(
        assets: &PythonAssets,
        mounts: &[Mount],
        output: &Output,
        written_bytes: u64,
    ) -> Result<Self, Error> {
        let tmp = tempfile::Builder::new()
            .prefix("spoor-python-")
            .tempdir()
            .map_err(Error::file("cannot make a folder in", std::env::temp_dir()))?;
        let mut builder = WasiCtxBuilder::new();
        builder.allow_blocking_current_thread(true);
        builder.stdout(Sink {
            fd: 1,
            output: output.clone(),
        });
        builder.stderr(Sink {
            fd: 2,
            output: output.clone(),
        });
        let manifest = assets.manifest();
        for (name, value) in &manifest.environment {
            builder.env(name, value);
        }
        for mount in &manifest.mounts {
            let (host, perms) = match &mount.dir {
                Some(dir) => (assets.path(dir), FsPerms::ReadOnly),
                None => {
                    let own = tmp
                        .path()
                        .join(mount.guest.trim_matches('/').replace('/', "-"));
                    fs::create_dir(&own).map_err(Error::file("cannot make", &own))?;
                    (own, FsPerms::ReadWrite)
                }
            };
            open(&mut builder, &host, &mount.guest, perms)?;
        }
        for mount in mounts {
            let perms = if mount.read_only {
                FsPerms::ReadOnly
            } else {
                FsPerms::ReadWrite
            };
            open(&mut builder, &mount.host, &mount.guest, perms)?;
        }
        Ok(Self {
            ctx: builder.build_p1(),
            quota: Quota::new(written_bytes, output.clone()),
            _tmp: tmp,
        })
    }
}

fn open(
    builder: &mut WasiCtxBuilder,
    host: &std::path::Path,
    guest: &str,
    perms: FsPerms,
) -> Result<(), Error> {
    builder
        .preopened_dir(host, guest, perms)
        .map(drop)
        .map_err(|e| Error::File {
            what: "cannot open the folder",
            path: host.to_owned(),
            source: std::io::Error::other(format!("{e:#}")),
        })
}

/// One of the guest's two output descriptors.
#[derive(Clone)]
struct Sink {
    fd: u8,
    output: Output,
}

/// The most bytes taken in one write; wasi-libc writes the rest in further ones.
const CHUNK: usize = 64 << 10;

impl IsTerminal for Sink {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Sink {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        // Preview 1 uses `p2_stream` alone.
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl OutputStream for Sink {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        (self.output)(self.fd, &bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(CHUNK)
    }
}

impl Pollable for Sink {
    fn ready<'a, 'b>(&'a mut self) -> Pin<Box<dyn Future<Output = ()> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(std::future::ready(()))
    }
}
