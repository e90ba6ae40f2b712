//! Addresses that no remote service has.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What kind of unfit address it is, in words; `None` for one that a service may have.
pub(crate) fn unfit(address: IpAddr) -> Option<&'static str> {
    match plain(address) {
        IpAddr::V4(address) => unfit_v4(address),
        IpAddr::V6(address) => unfit_v6(address),
    }
}

/// Whether it is this machine.
pub(crate) fn is_loopback(address: IpAddr) -> bool {
    plain(address).is_loopback()
}

/// An IPv4 address that is written as one of IPv6 (mapped, compatible, translated, of 6to4, or behind NAT64) as itself.
fn plain(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else {
        return address;
    };
    if let Some(v4) = v6.to_ipv4_mapped() {
        return IpAddr::V4(v4);
    }
    let v4 =
        |high: u16, low: u16| IpAddr::V4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    match v6.segments() {
        _ if v6.is_loopback() || v6.is_unspecified() => address,
        [0, 0, 0, 0, 0, 0, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x64, 0xff9b, 1, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => v4(high, low),
        // RFC 8215's prefix of 48 bits, with the address around the eighth byte, as RFC 6052 has it.
        [0x64, 0xff9b, 1, high, middle, low, ..] => v4(high, (middle << 8) | (low >> 8)),
        _ => address,
    }
}

fn unfit_v4(address: Ipv4Addr) -> Option<&'static str> {
    match address.octets() {
        [127, ..] => Some("this machine"),
        [0, ..] => Some("no address"),
        // Cloud machines' metadata, with their credentials, is there.
        [169, 254, ..] => Some("an address of the local link"),
        // Azure's own metadata and DNS.
        [168, 63, 129, 16] => Some("an address of the machine's host"),
        [224..=239, ..] => Some("a multicast address"),
        [240..=255, ..] => Some("a reserved address"),
        _ => None,
    }
}

fn unfit_v6(address: Ipv6Addr) -> Option<&'static str> {
    if address.is_loopback() {
        Some("this machine")
    } else if address.is_unspecified() {
        Some("no address")
    } else if address.is_multicast() {
        Some("a multicast address")
    } else if address.segments() == [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254] {
        // Amazon's machines have their metadata there.
        Some("an address of the machine's host")
    } else if address.segments()[0] & 0xffc0 == 0xfe80 {
        Some("an address of the local link")
    } else {
        None
    }
}
