//! Connections to addresses that were checked.

use std::io;
use std::net::{IpAddr, SocketAddr};

use spoor_providers::endpoint::Origin;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::error::Elapsed;
use tokio::time::timeout;
use url::{Host, Url};

use super::{Trouble, Wire};

/// Bytes to and fro.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Connects to the host of `url`, which is one of the origin's.
pub(super) async fn connect(
    wire: &Wire,
    origin: &Origin,
    url: &Url,
) -> Result<Box<dyn Stream>, Trouble> {
    let addresses = addresses(wire, url).await?;
    // One unfit address makes all of them suspicious: whoever answers for the name mixes them.
    for address in &addresses {
        origin.admits_address(*address).map_err(Trouble::Refused)?;
    }
    let stream = first(wire, origin, &addresses).await?;
    if url.scheme() == "http" {
        return Ok(Box::new(stream));
    }
    let host = url.host_str().unwrap_or_default();
    wire.tls()?.connect(host, stream).await
}

async fn addresses(wire: &Wire, url: &Url) -> Result<Vec<IpAddr>, Trouble> {
    let name = match url.host() {
        Some(Host::Ipv4(address)) => return Ok(vec![address.into()]),
        Some(Host::Ipv6(address)) => return Ok(vec![address.into()]),
        Some(Host::Domain(name)) => name.to_owned(),
        None => String::new(),
    };
    let host = name.clone();
    let resolver = wire.options().resolver.clone();
    let looked = tokio::task::spawn_blocking(move || resolver.resolve(&name)).await;
    let failed = |cause: String| Trouble::Name {
        host: host.clone(),
        cause,
    };
    let found = looked.map_err(|error| failed(error.to_string()))?;
    let found = found.map_err(|error| failed(error.to_string()))?;
    if found.is_empty() {
        return Err(failed("it has no address".to_owned()));
    }
    Ok(found)
}

/// The first address that takes a connection. Each has its share of the time: a network may swallow what goes to the first of them.
async fn first(wire: &Wire, origin: &Origin, addresses: &[IpAddr]) -> Result<TcpStream, Trouble> {
    let count = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
    // One share is TLS's.
    let share = wire.options().timings.connect / count.saturating_add(1);
    let mut cause = String::new();
    for address in addresses {
        let connecting = TcpStream::connect(SocketAddr::new(*address, origin.port()));
        match timeout(share, connecting).await.unwrap_or_else(late) {
            Ok(stream) => {
                // Requests are written at once; waiting to fill a packet only delays them. It is no harm where it is not done.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) => cause = error.to_string(),
        }
    }
    Err(Trouble::Connect(cause))
}

fn late(_: Elapsed) -> io::Result<TcpStream> {
    Err(io::ErrorKind::TimedOut.into())
}
