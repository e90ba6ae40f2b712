//! IPv6 addresses (RFC 4291, section 2.2).

use std::net::Ipv6Addr;

use crate::bytes::{ALPHANUMERIC, DIGIT, DOT, HEX_LETTER, byte, is, rest, slice};

/// More than the longest of them has bytes (an IPv4 address in the last two groups: 45).
const LONGEST: usize = 46;

/// Reads an address at a place where no letter or digit is before: it, and where it ends. What is not: times, MAC
/// addresses, `::` alone, and words around `::` that have no digit (`dead::beef`).
pub fn read(text: &str, start: usize) -> Option<(Ipv6Addr, usize)> {
    let (mut length, mut colons, mut compressed, mut last) = (0, 0, false, 0);
    for byte in rest(text, start).iter().take(LONGEST) {
        if *byte == b':' {
            colons += 1;
            compressed |= last == b':';
        } else if !is(*byte, HEX_LETTER | DIGIT | DOT) {
            break;
        }
        last = *byte;
        length += 1;
    }
    let few = !compressed && colons < 6;
    if few || length >= LONGEST || is(byte(text, start + length), ALPHANUMERIC) {
        return None;
    }
    let token = slice(text, start, start + length);
    let token = token.trim_end_matches('.');
    let token = match token.strip_suffix(':') {
        Some(shorter) if !shorter.ends_with(':') => shorter,
        _ => token,
    };
    let colons = token.bytes().filter(|byte| *byte == b':').count();
    if !compressed && colons != 7 && !(colons == 6 && token.contains('.')) {
        return None;
    }
    let groups = token.split(':').filter(|group| !group.is_empty()).count();
    let digits = token.bytes().any(|byte| byte.is_ascii_digit());
    if groups == 0 || compressed && groups < 3 && !digits {
        return None;
    }
    let address = token.parse().ok()?;
    Some((address, start + token.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_what_looks_like_them() {
        let of = |text| read(text, 0).map(|(address, end)| (address.to_string(), end));
        for (text, address) in [
            ("2001:db8::1", "2001:db8::1"),
            ("2001:0DB8:0:0:0:0:0:0001,", "2001:db8::1"),
            ("fe80::1%11", "fe80::1"),
            ("::1", "::1"),
            ("::ffff:10.0.0.1", "::ffff:10.0.0.1"),
            ("fe80::1.", "fe80::1"),
            ("fe80::1: up", "fe80::1"),
            ("fe80::", "fe80::"),
        ] {
            assert_eq!(
                of(text).map(|found| found.0).as_deref(),
                Some(address),
                "{text}"
            );
        }
        for text in [
            "::",
            "12:34:56",
            "00:11:22:33:44:55",
            "dead::beef",
            "a::b::c",
            "fe80::1g",
            "1:2:3:4:5:6:7:8:9",
            "",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
