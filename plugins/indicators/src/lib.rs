//! Indicators in text: IPv4 and IPv6 addresses, domains, URLs, e-mail addresses, hashes, paths and CVE numbers, also
//! where they are defanged.
//!
//! The method is one hand-written pass over the bytes ([`scan`]) and not a list of regular expressions: a run of bytes
//! is read once, and what it ends with decides what it can be. Formats are those of RFC 3986 (URLs), RFC 5321 (e-mail),
//! RFC 4291 (IPv6), RFC 1035 (names), Microsoft's "Naming Files, Paths, and Namespaces" and CVE's record format; whether
//! a name is a domain is the Public Suffix List's word. Defanged forms are those in the reports of security vendors.

pub mod bytes;
pub mod host;
pub mod ipv6;
pub mod kind;
pub mod likely;
pub mod path;
pub mod scan;
pub mod url;

use std::borrow::Cow;

use spoor_plugin::{Input, Output, Sink, function, plugin};

pub use kind::{Kind, Kinds};
pub use scan::{Indicator, scan};

/// A row of the input.
#[derive(Input)]
pub struct Text<'a> {
    /// The text to look in. A row that is null has no indicators.
    pub text: &'a str,
}

/// A row of the answer: one indicator.
#[derive(Output)]
pub struct Found<'a> {
    /// ipv4, ipv6, domain, url, email, md5, sha1, sha256, imphash, windows_path, unix_path or cve.
    pub indicator_type: &'static str,
    /// The indicator, refanged. Hosts and hashes are in lower case, CVE numbers in upper case, IPv6 addresses in their
    /// shortest form (RFC 5952).
    pub indicator: Cow<'a, str>,
    /// The registered domain (the public suffix and one label) of a domain, of a URL's host or of an e-mail address;
    /// null for what has none.
    pub registered_domain: Option<Cow<'a, str>>,
    /// Whether it was written so that nobody follows it by accident: hxxp, [.], (dot), [at].
    pub defanged: bool,
    /// Where it begins in the text, in characters from 0.
    pub offset: i64,
}

/// Indicators in text: addresses, domains, URLs, e-mails, hashes, paths, CVEs.
///
/// A row for each indicator, in the order of the text, again where it is there again. A URL is followed by its host, an
/// e-mail address by its domain, a share's path by its server. Defanged forms (hxxp://, [.], (dot), [at]) are refanged.
/// Domains are names under a suffix of the Public Suffix List; names such as System.Net or setup.sh, which are more
/// likely something else, are left out, as is what looks like an address or a domain inside a file's path.
#[function]
pub fn indicators<'a>(
    row: Text<'a>,
    out: &mut Sink<'_, Found<'a>>,
    /// What to look for: names of types with commas between them, or hash, ip, path, all.
    #[option(default = "all")]
    kinds: &str,
) -> Result<(), String> {
    let mut characters = Characters::new(row.text);
    scan(row.text, Kinds::parse(kinds)?, |indicator| {
        out.push(Found {
            indicator_type: indicator.kind.name(),
            indicator: indicator.value,
            registered_domain: indicator.registered,
            defanged: indicator.defanged,
            offset: characters.at(indicator.start),
        });
    });
    Ok(())
}

/// Offsets in characters, of offsets in bytes that mostly grow.
struct Characters<'t> {
    text: &'t str,
    byte: usize,
    character: i64,
}

impl<'t> Characters<'t> {
    fn new(text: &'t str) -> Self {
        Characters {
            text,
            byte: 0,
            character: 0,
        }
    }

    fn at(&mut self, byte: usize) -> i64 {
        let count = |from, to| bytes::slice(self.text, from, to).chars().count() as i64;
        self.character += match byte >= self.byte {
            true => count(self.byte, byte),
            false => -count(byte, self.byte),
        };
        self.byte = byte;
        self.character
    }
}

plugin! {
    name: "indicators",
    functions: [indicators],
}
