//! How a client behaves.

use std::fmt;
use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use spoor_providers::retry::Policy;

/// How a client behaves. The defaults are right outside of tests.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// When a request is sent again.
    pub policy: Policy,
    /// How long things may take.
    pub timings: Timings,
    /// A file with certificates in PEM that are trusted beside the system's: of a private cloud, or of a test.
    pub extra_roots: Option<PathBuf>,
    /// Who looks names up.
    pub resolver: Resolver,
}

/// How long things may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timings {
    /// Looking a name up and connecting, TLS included.
    pub connect: Duration,
    /// Between two parts of a body.
    pub idle: Duration,
    /// A request and its answer; the workspace's own limit holds where it is shorter.
    pub whole: Duration,
}

impl Default for Timings {
    fn default() -> Self {
        Timings {
            connect: Duration::from_secs(20),
            idle: Duration::from_secs(90),
            whole: Duration::MAX,
        }
    }
}

/// The addresses of a name, or why there are none. It may block.
type Lookup = dyn Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync;

/// Looks names up. What it answers is checked before anything connects there, and nobody looks the name up once more.
#[derive(Clone)]
pub struct Resolver(Arc<Lookup>);

impl Resolver {
    /// One that asks `lookup`, which may block.
    pub fn new(lookup: impl Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync + 'static) -> Self {
        Self(Arc::new(lookup))
    }

    pub(crate) fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        (self.0)(host)
    }
}

impl Default for Resolver {
    /// The system's.
    fn default() -> Self {
        Self::new(|host| {
            let found = (host, 0).to_socket_addrs()?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resolver(..)")
    }
}
