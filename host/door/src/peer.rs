//! Where a request comes from, and how much of what proxies say of that is believed.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::http::{HeaderMap, StatusCode};

use crate::reply::Refusal;

/// The other side of the connection. Whoever listens puts it among a request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// The address that a request is counted for and written down with.
///
/// Behind a proxy only its connections are taken, and the last address that it did not add itself is the client's; what
/// stands before that, clients can write as they like. Without a proxy `X-Forwarded-For` means nothing.
pub(crate) fn client(
    peer: Option<Peer>,
    headers: &HeaderMap,
    proxies: Option<&[IpAddr]>,
) -> Result<Option<IpAddr>, Refusal> {
    let address = peer.map(|Peer(address)| plain(address.ip()));
    let Some(proxies) = proxies else {
        return Ok(address);
    };
    if !address.is_some_and(|address| proxies.contains(&address)) {
        return Err(Refusal::new(
            StatusCode::MISDIRECTED_REQUEST,
            "this server is reached through its proxy alone",
        ));
    }
    let lines = headers.get_all("x-forwarded-for").iter();
    let lines = lines.filter_map(|line| line.to_str().ok());
    let hops: Vec<&str> = lines.flat_map(|line| line.split(',')).collect();
    for hop in hops.into_iter().rev() {
        match hop.trim().parse::<IpAddr>().map(plain) {
            Ok(hop) if proxies.contains(&hop) => {}
            Ok(hop) => return Ok(Some(hop)),
            Err(_) => break,
        }
    }
    Ok(address)
}

/// What shares a limit: an address, or the network of 64 bits that one customer has.
pub(crate) fn counted(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(six) => {
            let network = six.to_bits() & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from_bits(network))
        }
    }
}

/// An address of version 4, however it is written.
fn plain(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(peer: &str, forwarded: &str, proxies: Option<&[&str]>) -> Option<String> {
        let peer = Peer(SocketAddr::new(peer.parse().unwrap(), 1));
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", forwarded.parse().unwrap());
        let proxies: Option<Vec<IpAddr>> =
            proxies.map(|all| all.iter().map(|one| one.parse().unwrap()).collect());
        let client = client(Some(peer), &headers, proxies.as_deref()).ok()??;
        Some(client.to_string())
    }

    #[test]
    fn forwarded_addresses_are_a_proxy_s_word_or_nothing() {
        let proxy: Option<&[&str]> = Some(&["10.0.0.5", "10.0.0.6"]);
        for (peer, forwarded, proxies, expected) in [
            ("192.0.2.1", "198.51.100.7", None, Some("192.0.2.1")),
            ("10.0.0.5", "198.51.100.7", proxy, Some("198.51.100.7")),
            (
                "10.0.0.5",
                "1.2.3.4, 198.51.100.7, 10.0.0.6",
                proxy,
                Some("198.51.100.7"),
            ),
            (
                "::ffff:10.0.0.5",
                "198.51.100.7",
                proxy,
                Some("198.51.100.7"),
            ),
            ("10.0.0.5", "1.2.3.4, nonsense", proxy, Some("10.0.0.5")),
            ("192.0.2.1", "198.51.100.7", proxy, None),
        ] {
            assert_eq!(
                found(peer, forwarded, proxies).as_deref(),
                expected,
                "{peer} {forwarded}"
            );
        }
    }

    #[test]
    fn a_network_shares_a_limit() {
        let counted = |text: &str| counted(text.parse().unwrap()).to_string();
        assert_eq!(counted("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(counted("192.0.2.1"), "192.0.2.1");
    }
}
