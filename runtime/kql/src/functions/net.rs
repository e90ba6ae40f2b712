//! Functions over addresses, URLs and paths.

use std::net::{Ipv4Addr, Ipv6Addr};

use spoor_table::dynamic::Builder;
use spoor_table::{Cell, KustoType};

use super::args::{P, accept, count, fixed, optional, variadic};
use super::text::{number, text};
use super::udf::{Body, Out, RowFn, call};
use super::{Bound, function_table};
use crate::typed::{BindContext, Typed};

use KustoType::{Bool, Dynamic, Long, String as Text};

function_table! {
    "ipv4_is_private", "ipv4_is_private(address)", "Tells whether an IPv4 address is from a private network.", |c, a| fixed(c, a, "ipv4_is_private", &[P::Text], Bool, Body::Strict(|c, o| o.maybe(V4::parse(text(&c[0])), |o, a| o.bool(a.is_private()))));
    "ipv4_is_in_range", "ipv4_is_in_range(address, range)", "Tells whether an IPv4 address is in a range such as 10.0.0.0/8.", |c, a| fixed(c, a, "ipv4_is_in_range", &[P::Text, P::Text], Bool, Body::Strict(ipv4_is_in_range));
    "ipv4_is_in_any_range", "ipv4_is_in_any_range(address, range, ...)", "Tells whether an IPv4 address is in one of several ranges.", |c, a| any_range(c, a, "ipv4_is_in_any_range", ipv4_is_in_any_range);
    "ipv4_is_match", "ipv4_is_match(address1, address2, prefix)", "Tells whether two IPv4 addresses agree in their prefix.", |c, a| optional(c, a, "ipv4_is_match", 2, &[P::Text, P::Text, P::Long], Bool, Body::Strict(|c, o| o.maybe(ipv4_order(c), |o, order| o.bool(order == 0))));
    "ipv4_compare", "ipv4_compare(address1, address2, prefix)", "Compares two IPv4 addresses in their prefix: -1, 0 or 1.", |c, a| optional(c, a, "ipv4_compare", 2, &[P::Text, P::Text, P::Long], Long, Body::Strict(|c, o| o.maybe(ipv4_order(c), Out::long)));
    "ipv4_netmask_suffix", "ipv4_netmask_suffix(address)", "The prefix length that an IPv4 address carries; 32 without one.", |c, a| fixed(c, a, "ipv4_netmask_suffix", &[P::Text], Long, Body::Strict(|c, o| o.maybe(V4::parse(text(&c[0])), |o, a| o.long(i64::from(a.prefix)))));
    "ipv4_range_to_cidr_list", "ipv4_range_to_cidr_list(start, end)", "Lists the networks that make up a range of IPv4 addresses.", |c, a| fixed(c, a, "ipv4_range_to_cidr_list", &[P::Text, P::Text], Dynamic, Body::Strict(ipv4_range_to_cidr_list));
    "parse_ipv4", "parse_ipv4(address)", "Reads an IPv4 address as a number.", |c, a| fixed(c, a, "parse_ipv4", &[P::Text], Long, Body::Strict(|c, o| o.maybe(V4::parse(text(&c[0])), |o, a| o.long(i64::from(a.masked(a.prefix))))));
    "parse_ipv4_mask", "parse_ipv4_mask(address, prefix)", "Reads an IPv4 address as a number, cut to a prefix.", |c, a| fixed(c, a, "parse_ipv4_mask", &[P::Text, P::Long], Long, Body::Strict(parse_ipv4_mask));
    "format_ipv4", "format_ipv4(address, prefix)", "Writes an IPv4 address, cut to a prefix.", |c, a| { count(a, 1, 2)?; format_ipv4(c, a, "format_ipv4", Body::Strict(|c, o| write_ipv4(c, o, false))) };
    "format_ipv4_mask", "format_ipv4_mask(address, prefix)", "Writes an IPv4 address in network form, with its prefix.", |c, a| { count(a, 1, 2)?; format_ipv4(c, a, "format_ipv4_mask", Body::Strict(|c, o| write_ipv4(c, o, true))) };
    "has_ipv4", "has_ipv4(text, address)", "Tells whether a text has an IPv4 address as a whole.", |c, a| fixed(c, a, "has_ipv4", &[P::Text, P::Text], Bool, Body::Strict(|c, o| { let wanted = text(&c[1]).parse::<Ipv4Addr>().ok(); o.bool(wanted.is_some_and(|w| addresses(text(&c[0])).any(|f| f == w))); }));
    "has_any_ipv4", "has_any_ipv4(text, address, ...)", "Tells whether a text has one of several IPv4 addresses.", |c, a| variadic(c, a, "has_any_ipv4", 2, P::AsText, Bool, Body::Strict(|c, o| { let wanted = lists(&c[1..]); o.bool(addresses(text(&c[0])).any(|f| wanted.contains(&f.to_string()))); }));
    "has_ipv4_prefix", "has_ipv4_prefix(text, prefix)", "Tells whether a text has an IPv4 address that starts so.", |c, a| fixed(c, a, "has_ipv4_prefix", &[P::Text, P::Text], Bool, Body::Strict(|c, o| { let wanted = text(&c[1]); o.bool(addresses(text(&c[0])).any(|f| starts(&f, wanted))); }));
    "has_any_ipv4_prefix", "has_any_ipv4_prefix(text, prefix, ...)", "Tells whether a text has an IPv4 address that starts with one of several prefixes.", |c, a| variadic(c, a, "has_any_ipv4_prefix", 2, P::AsText, Bool, Body::Strict(|c, o| { let wanted = lists(&c[1..]); o.bool(addresses(text(&c[0])).any(|f| wanted.iter().any(|w| starts(&f, w)))); }));
    "parse_ipv6", "parse_ipv6(address)", "Writes an IPv6 or IPv4 address as a full IPv6 address.", |c, a| fixed(c, a, "parse_ipv6", &[P::Text], Text, Body::Strict(|c, o| o.maybe(V6::parse(text(&c[0])), |o, a| o.text(&full(a.masked(a.prefix))))));
    "parse_ipv6_mask", "parse_ipv6_mask(address, prefix)", "Writes an IPv6 or IPv4 address as a full IPv6 address, cut to a prefix.", |c, a| fixed(c, a, "parse_ipv6_mask", &[P::Text, P::Long], Text, Body::Strict(|c, o| { let p = number(c, 1).and_then(|p| u32::try_from(p).ok()).filter(|p| *p <= 128); o.maybe(V6::parse(text(&c[0])).zip(p), |o, (a, p)| o.text(&full(a.masked(a.prefix.min(p))))); }));
    "ipv6_compare", "ipv6_compare(address1, address2, prefix)", "Compares two IPv6 or IPv4 addresses in their prefix: -1, 0 or 1.", |c, a| optional(c, a, "ipv6_compare", 2, &[P::Text, P::Text, P::Long], Long, Body::Strict(|c, o| o.maybe(ipv6_order(c), Out::long)));
    "ipv6_is_match", "ipv6_is_match(address1, address2, prefix)", "Tells whether two IPv6 or IPv4 addresses agree in their prefix.", |c, a| optional(c, a, "ipv6_is_match", 2, &[P::Text, P::Text, P::Long], Bool, Body::Strict(|c, o| o.maybe(ipv6_order(c), |o, order| o.bool(order == 0))));
    "ipv6_is_in_range", "ipv6_is_in_range(address, range)", "Tells whether an IPv6 address is in a range such as fe80::/10.", |c, a| fixed(c, a, "ipv6_is_in_range", &[P::Text, P::Text], Bool, Body::Strict(|c, o| o.maybe(V6::parse(text(&c[0])).zip(V6::parse(text(&c[1]))), |o, (a, r)| o.bool(a.prefix >= r.prefix && a.masked(r.prefix) == r.masked(r.prefix)))));
    "ipv6_is_in_any_range", "ipv6_is_in_any_range(address, range, ...)", "Tells whether an IPv6 address is in one of several ranges.", |c, a| any_range(c, a, "ipv6_is_in_any_range", ipv6_is_in_any_range);
    "parse_url", "parse_url(url)", "Takes a URL apart into a property bag.", |c, a| fixed(c, a, "parse_url", &[P::Text], Dynamic, Body::Strict(parse_url));
    "parseurl", "parseurl(url)", "Takes a URL apart; the same as parse_url.", |c, a| fixed(c, a, "parse_url", &[P::Text], Dynamic, Body::Strict(parse_url));
    "parse_urlquery", "parse_urlquery(query)", "Takes a URL's query apart into a property bag.", |c, a| fixed(c, a, "parse_urlquery", &[P::Text], Dynamic, Body::Strict(parse_urlquery));
    "parse_path", "parse_path(path)", "Takes a file's path apart into a property bag.", |c, a| fixed(c, a, "parse_path", &[P::Text], Dynamic, Body::Strict(parse_path));
    "url_encode", "url_encode(text)", "Encodes a text for a URL, spaces as +.", |c, a| fixed(c, a, "url_encode", &[P::Text], Text, Body::Strict(|c, o| o.text(&percent(text(&c[0]), true))));
    "url_encode_component", "url_encode_component(text)", "Encodes a text for a part of a URL, spaces as %20.", |c, a| fixed(c, a, "url_encode_component", &[P::Text], Text, Body::Strict(|c, o| o.text(&percent(text(&c[0]), false))));
    "url_decode", "url_decode(text)", "Decodes what a URL encodes.", |c, a| fixed(c, a, "url_decode", &[P::Text], Text, Body::Strict(|c, o| o.text(&unpercent(text(&c[0])))));
}

/// An IPv4 address with the length of its network's prefix.
#[derive(Clone, Copy)]
struct V4 {
    address: u32,
    prefix: u32,
}

impl V4 {
    fn parse(text: &str) -> Option<V4> {
        let (address, prefix) = match text.trim().split_once('/') {
            Some((address, prefix)) => (address, prefix.trim().parse().ok().filter(|p| *p <= 32)?),
            None => (text.trim(), 32),
        };
        Some(V4 {
            address: address.trim().parse::<Ipv4Addr>().ok()?.into(),
            prefix,
        })
    }

    fn masked(self, prefix: u32) -> u32 {
        self.address & mask4(prefix)
    }

    fn is_private(self) -> bool {
        const NETWORKS: [(u32, u32); 3] = [(0x0a00_0000, 8), (0xac10_0000, 12), (0xc0a8_0000, 16)];
        // A network is private when all of it is.
        NETWORKS
            .iter()
            .any(|(network, prefix)| self.prefix >= *prefix && self.masked(*prefix) == *network)
    }

    fn holds(self, other: V4) -> bool {
        other.prefix >= self.prefix && other.masked(self.prefix) == self.masked(self.prefix)
    }
}

fn mask4(prefix: u32) -> u32 {
    u32::MAX.checked_shl(32 - prefix.min(32)).unwrap_or(0)
}

fn ipv4_is_in_range(cells: &[Cell<'_>], out: &mut Out) {
    let pair = V4::parse(text(&cells[0])).zip(V4::parse(text(&cells[1])));
    out.maybe(pair, |out, (address, range)| out.bool(range.holds(address)));
}

fn any_range(ctx: &BindContext, args: &[Typed], name: &'static str, run: RowFn) -> Bound {
    count(args, 2, usize::MAX)?;
    let mut bound = vec![accept(ctx, &args[0], P::Text, 0)?];
    for (at, arg) in args.iter().enumerate().skip(1) {
        bound.push(accept(ctx, arg, P::AsText, at)?);
    }
    Ok(call(name, &bound, Bool, Body::Strict(run)))
}

/// Texts of arguments that are texts, or JSON arrays of texts.
fn lists(cells: &[Cell<'_>]) -> Vec<String> {
    let mut texts = Vec::new();
    for cell in cells {
        let one = text(cell);
        match one
            .starts_with('[')
            .then(|| spoor_table::Dynamic::parse(one))
            .flatten()
        {
            Some(array) => {
                let items = array.view().as_array();
                texts.extend(
                    items
                        .iter()
                        .flat_map(|a| a.iter())
                        .filter_map(|v| v.as_str().map(str::to_owned)),
                );
            }
            None => texts.push(one.to_owned()),
        }
    }
    texts
}

fn ipv4_is_in_any_range(cells: &[Cell<'_>], out: &mut Out) {
    let address = V4::parse(text(&cells[0]));
    out.maybe(address, |out, address| {
        out.bool(
            lists(&cells[1..])
                .iter()
                .filter_map(|r| V4::parse(r))
                .any(|range| range.holds(address)),
        );
    });
}

/// -1, 0 or 1; the prefix is the shortest of the two addresses' and the argument.
fn ipv4_order(cells: &[Cell<'_>]) -> Option<i64> {
    let (a, b) = (V4::parse(text(&cells[0]))?, V4::parse(text(&cells[1]))?);
    let limit = match cells.get(2) {
        Some(_) => u32::try_from(number(cells, 2)?).ok().filter(|p| *p <= 32)?,
        None => 32,
    };
    let prefix = a.prefix.min(b.prefix).min(limit);
    Some(a.masked(prefix).cmp(&b.masked(prefix)) as i64)
}

fn parse_ipv4_mask(cells: &[Cell<'_>], out: &mut Out) {
    let prefix = number(cells, 1)
        .and_then(|p| u32::try_from(p).ok())
        .filter(|p| *p <= 32);
    let address = V4::parse(text(&cells[0])).zip(prefix);
    out.maybe(address, |out, (a, prefix)| {
        out.long(i64::from(a.masked(a.prefix.min(prefix))))
    });
}

fn format_ipv4(ctx: &BindContext, args: &[Typed], name: &'static str, body: Body) -> Bound {
    let first = match args[0].ty {
        ty if ty.is_integer() => accept(ctx, &args[0], P::Long, 0)?,
        _ => accept(ctx, &args[0], P::Text, 0)?,
    };
    let mut bound = vec![first];
    if let Some(prefix) = args.get(1) {
        bound.push(accept(ctx, prefix, P::Long, 1)?);
    }
    Ok(call(name, &bound, Text, body))
}

fn write_ipv4(cells: &[Cell<'_>], out: &mut Out, with_prefix: bool) {
    let address = match &cells[0] {
        Cell::Long(value) => u32::try_from(*value).ok().map(|address| V4 {
            address,
            prefix: 32,
        }),
        cell => V4::parse(text(cell)),
    };
    let limit = match cells.get(1) {
        Some(_) => number(cells, 1)
            .and_then(|p| u32::try_from(p).ok())
            .filter(|p| *p <= 32),
        None => Some(32),
    };
    let (Some(address), Some(limit)) = (address, limit) else {
        return out.null();
    };
    let prefix = address.prefix.min(limit);
    let shown = Ipv4Addr::from(address.masked(prefix));
    if with_prefix {
        out.text(&format!("{shown}/{prefix}"))
    } else {
        out.text(&shown.to_string())
    }
}

fn ipv4_range_to_cidr_list(cells: &[Cell<'_>], out: &mut Out) {
    let (Some(first), Some(last)) = (V4::parse(text(&cells[0])), V4::parse(text(&cells[1]))) else {
        return out.null();
    };
    let (mut from, last) = (u64::from(first.address), u64::from(last.address));
    out.dynamic(|b| {
        let mark = b.begin_array();
        while from <= last {
            // The largest network that starts here and does not pass the end.
            let aligned = if from == 0 {
                32
            } else {
                from.trailing_zeros().min(32)
            };
            let room = (last - from + 1).ilog2();
            let bits = aligned.min(room);
            b.string(&format!("{}/{}", Ipv4Addr::from(from as u32), 32 - bits));
            b.item(&mark);
            from += 1 << bits;
        }
        b.end(mark);
    });
}

/// The IPv4 addresses that stand in a text on their own.
fn addresses(text: &str) -> impl Iterator<Item = Ipv4Addr> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '.'))
        .map(|part| part.trim_matches('.'))
        .filter_map(|part| part.parse().ok())
}

fn starts(address: &Ipv4Addr, prefix: &str) -> bool {
    let address = address.to_string();
    match prefix.ends_with('.') {
        true => address.starts_with(prefix),
        false => address == prefix,
    }
}

/// An IPv6 address, or an IPv4 one mapped into them.
#[derive(Clone, Copy)]
struct V6 {
    address: u128,
    prefix: u32,
}

impl V6 {
    fn parse(text: &str) -> Option<V6> {
        if let Some(v4) = V4::parse(text) {
            let mapped = Ipv4Addr::from(v4.address).to_ipv6_mapped();
            return Some(V6 {
                address: mapped.into(),
                prefix: v4.prefix + 96,
            });
        }
        let (address, prefix) = match text.trim().split_once('/') {
            // Where the address ends in IPv4's notation, so does its prefix count there.
            Some((address, prefix)) if address.contains('.') => {
                let prefix: u32 = prefix.trim().parse().ok().filter(|p| *p <= 32)?;
                (address, prefix + 96)
            }
            Some((address, prefix)) => (address, prefix.trim().parse().ok().filter(|p| *p <= 128)?),
            None => (text.trim(), 128),
        };
        Some(V6 {
            address: address.trim().parse::<Ipv6Addr>().ok()?.into(),
            prefix,
        })
    }

    fn masked(self, prefix: u32) -> u128 {
        self.address & u128::MAX.checked_shl(128 - prefix.min(128)).unwrap_or(0)
    }

    /// An IPv4 address in the older notation `::a.b.c.d` in the newer one, so that the two compare.
    fn mapped(self) -> V6 {
        let old = self.address >> 32 == 0 && self.address > 0xffff;
        V6 {
            address: if old {
                self.address | 0xffff << 32
            } else {
                self.address
            },
            ..self
        }
    }
}

fn full(address: u128) -> String {
    let parts: Vec<String> = Ipv6Addr::from(address)
        .segments()
        .iter()
        .map(|s| format!("{s:04x}"))
        .collect();
    parts.join(":")
}

fn ipv6_order(cells: &[Cell<'_>]) -> Option<i64> {
    let (a, b) = (
        V6::parse(text(&cells[0]))?.mapped(),
        V6::parse(text(&cells[1]))?.mapped(),
    );
    let limit = match cells.get(2) {
        Some(_) => u32::try_from(number(cells, 2)?)
            .ok()
            .filter(|p| *p <= 128)?,
        None => 128,
    };
    let prefix = a.prefix.min(b.prefix).min(limit);
    Some(a.masked(prefix).cmp(&b.masked(prefix)) as i64)
}

fn ipv6_is_in_any_range(cells: &[Cell<'_>], out: &mut Out) {
    let address = V6::parse(text(&cells[0]));
    out.maybe(address, |out, a| {
        let inside = |r: V6| a.prefix >= r.prefix && a.masked(r.prefix) == r.masked(r.prefix);
        out.bool(
            lists(&cells[1..])
                .iter()
                .filter_map(|r| V6::parse(r))
                .any(inside),
        );
    });
}

/// Writes a bag of texts; `query` adds a nested bag.
fn bag(out: &mut Out, entries: &[(&str, &str)], query: Option<(&str, &str)>) {
    out.dynamic(|b| {
        let mark = b.begin_object();
        for (key, value) in entries {
            b.key(&mark, key);
            b.string(value);
            b.item(&mark);
            if let Some((name, query)) = query
                && *key == "Password"
            {
                b.key(&mark, name);
                write_query(b, query);
                b.item(&mark);
            }
        }
        b.end(mark);
    });
}

fn write_query(b: &mut Builder, query: &str) {
    let mark = b.begin_object();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        b.key(&mark, &unpercent(key));
        b.string(&unpercent(value));
        b.item(&mark);
    }
    b.end(mark);
}

fn parse_url(cells: &[Cell<'_>], out: &mut Out) {
    let url = text(&cells[0]);
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) => (scheme, rest),
        None => ("", url),
    };
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    // Without a scheme there is no host: all of it is a path.
    let (authority, path) = if scheme.is_empty() {
        ("", rest)
    } else {
        (authority, path)
    };
    let (login, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    let (host, port) = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => (name, port),
        _ => (host, ""),
    };
    let entries = [
        ("Scheme", scheme),
        ("Host", host),
        ("Port", port),
        ("Path", path),
        ("Username", user),
        ("Password", password),
        ("Fragment", fragment),
    ];
    bag(out, &entries, Some(("Query Parameters", query)));
}

fn parse_urlquery(cells: &[Cell<'_>], out: &mut Out) {
    out.dynamic(|b| {
        let mark = b.begin_object();
        b.key(&mark, "Query Parameters");
        write_query(b, text(&cells[0]).trim_start_matches('?'));
        b.item(&mark);
        b.end(mark);
    });
}

fn parse_path(cells: &[Cell<'_>], out: &mut Out) {
    let path = text(&cells[0]);
    let (scheme, rest) = match path.find("://") {
        Some(at) => (
            path.get(..at).unwrap_or_default(),
            path.get(at + 3..).unwrap_or_default(),
        ),
        None => ("", path),
    };
    // An alternate data stream follows a colon behind the drive's.
    let stream_at = rest
        .char_indices()
        .skip(2)
        .find(|(_, c)| *c == ':')
        .map(|(at, _)| at);
    let (body, stream) = match stream_at {
        Some(at) => (
            rest.get(..at).unwrap_or_default(),
            rest.get(at + 1..).unwrap_or_default(),
        ),
        None => (rest, ""),
    };
    let cut = body.rfind(['/', '\\']);
    let (directory, file) = match cut {
        Some(at) => (
            body.get(..at).unwrap_or_default(),
            body.get(at + 1..).unwrap_or_default(),
        ),
        None => ("", body),
    };
    let name = directory.rsplit(['/', '\\']).next().unwrap_or_default();
    let extension = file.rsplit_once('.').map_or("", |(_, extension)| extension);
    let root = match body.get(1..2) {
        Some(":") => body.get(..3).unwrap_or(body),
        _ => "",
    };
    bag(
        out,
        &[
            ("Scheme", scheme),
            ("RootPath", root),
            ("DirectoryPath", directory),
            ("DirectoryName", name),
            ("Filename", file),
            ("Extension", extension),
            ("AlternateDataStreamName", stream),
        ],
        None,
    );
}

/// Percent-encodes all but letters, digits and `-_.~`.
fn percent(text: &str, plus: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(byte as char)
            }
            b'!' | b'*' | b'(' | b')' if plus => out.push(byte as char),
            b' ' if plus => out.push('+'),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Decodes `%XX` and `+`; what is not UTF-8 afterwards is replaced.
pub(super) fn unpercent(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let hex = text
            .get(at + 1..at + 3)
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (byte, hex) {
            (b'%', Some(value)) => {
                out.push(value);
                at += 2;
            }
            (b'+', _) => out.push(b' '),
            (byte, _) => out.push(*byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}
