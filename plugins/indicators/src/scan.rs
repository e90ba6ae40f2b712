//! One pass over a text, from left to right.
//!
//! The pass goes from one byte that an indicator has to the next ([`bytes::STOP`]), and takes the run of name bytes
//! (letters, digits, `.`, `-`, `_`, what is outside ASCII) around it. What a run and the bytes after it can be decides
//! what is tried. What lies between is words, and is only probed for runs as long as a hash: every 32nd byte. Each attempt
//! is bounded in length, so that the whole is linear in the text.
//!
//! What lies inside a URL or a path is not taken for something else: a URL gives its host, and in what follows it only
//! addresses, hashes, e-mails, CVEs and further URLs are looked for; a path gives its server, hashes and CVEs.

mod digits;
mod names;

use std::borrow::Cow;
use std::net::Ipv6Addr;

use crate::bytes::{
    self, ALPHANUMERIC, Class, DOT, HIGH, HYPHEN, MARK, NAME, OUTSIDE, STOP, before, byte, is,
    run_back, skip, slice,
};
use crate::host::{self, Host, Name};
use crate::ipv6;
use crate::kind::{Kind, Kinds};
use crate::path::{self, Path};
use crate::url::{self, Url};

/// What is looked for after the host of a URL.
const IN_URL: Kinds =
    Kinds::HASHES
        .or(Kinds::ADDRESSES)
        .or(Kinds::of(&[Kind::Url, Kind::Email, Kind::Cve]));

/// What is looked for in a path.
const IN_PATH: Kinds = Kinds::HASHES.or(Kinds::of(&[Kind::Cve]));

/// URLs inside one another that are told; each is nearly as long as the one around it.
const NESTED: usize = 4;

/// An indicator in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Indicator<'t> {
    /// What it is.
    pub kind: Kind,
    /// As it is meant: refanged; hosts and hashes in lower case, CVEs in upper case, addresses in their shortest form.
    pub value: Cow<'t, str>,
    /// The registered domain of the host in it: the public suffix and one label.
    pub registered: Option<Cow<'t, str>>,
    /// Whether it was written so that nobody follows it by accident.
    pub defanged: bool,
    /// Where it begins, in bytes of the text.
    pub start: usize,
}

/// Calls `found` for each indicator of these kinds. In order of where they begin, but that what is inside another comes
/// after it.
pub fn scan<'t>(text: &'t str, kinds: Kinds, found: impl FnMut(Indicator<'t>)) {
    let scan = Scan {
        text,
        kinds,
        inside: Inside {
            end: 0,
            kinds: Kinds::ALL,
            urls: 0,
            path: false,
        },
        floor: 0,
        json: text.trim_start().starts_with(['{', '[', '"']),
        found,
    };
    scan.run();
}

/// The URL or path around a place.
struct Inside {
    end: usize,
    kinds: Kinds,
    urls: usize,
    path: bool,
}

struct Scan<'t, F> {
    text: &'t str,
    kinds: Kinds,
    inside: Inside,
    /// Where the last e-mail address ended: none begins before it.
    floor: usize,
    /// Whether a backslash may be an escape of JSON.
    json: bool,
    found: F,
}

impl<'t, F: FnMut(Indicator<'t>)> Scan<'t, F> {
    fn run(mut self) {
        let mut at = 0;
        while at < self.text.len() {
            let (end, stop) = match at < self.inside.end && self.inside.path {
                true => (self.inside.end, HYPHEN),
                false => (self.text.len(), STOP),
            };
            let bytes = self.text.as_bytes().get(at..end).unwrap_or(&[]);
            let stop = at + skip(bytes, stop);
            let start = run_back(self.text, at, stop);
            self.long_runs(at, start);
            let (end, has) = bytes::run(self.text, start);
            at = if end > start {
                self.name(start, end, has)
            } else if is(byte(self.text, stop), MARK) && stop >= self.inside.end {
                self.mark(stop)
            } else {
                stop + 1
            };
        }
    }

    /// Looks at the runs of 32 bytes and more between two places, where runs begin or end.
    #[inline]
    fn long_runs(&mut self, mut from: usize, to: usize) {
        while from + 31 < to {
            // A run of 32 bytes from `from` on has this one.
            let probe = from + 31;
            if is(byte(self.text, probe), OUTSIDE) {
                from = probe + 1;
                continue;
            }
            let start = run_back(self.text, from, probe);
            let (end, has) = bytes::run(self.text, start);
            if end - start >= 32 {
                self.digits(start, end, has);
            }
            from = end + 1;
        }
    }

    /// The kinds that are looked for at a place.
    fn wanted(&self, at: usize) -> Kinds {
        match at < self.inside.end {
            true => self.kinds.and(self.inside.kinds),
            false => self.kinds,
        }
    }

    fn tell(&mut self, kind: Kind, value: Cow<'t, str>, defanged: bool, start: usize) {
        self.tell_of(kind, value, None, defanged, start);
    }

    fn tell_of(
        &mut self,
        kind: Kind,
        value: Cow<'t, str>,
        registered: Option<Cow<'t, str>>,
        defanged: bool,
        start: usize,
    ) {
        if self.kinds.has(kind) {
            (self.found)(Indicator {
                kind,
                value,
                registered,
                defanged,
                start,
            });
        }
    }

    /// Looks at a run of name bytes and what follows it; answers where to go on.
    #[inline]
    fn name(&mut self, start: usize, end: usize, has: Class) -> usize {
        let long = end - start >= 32;
        let hyphened = has & HYPHEN != 0;
        if start < self.inside.end && self.inside.path {
            if long || hyphened {
                self.digits(start, end, has);
            }
            return end;
        }
        let joins = goes_on(byte(self.text, end), byte(self.text, end + 1));
        let cve = hyphened && end - start >= digits::SHORTEST_CVE;
        if !joins && has & DOT == 0 && !long && !cve {
            return end;
        }
        self.candidate(start, end, has, joins)
    }

    fn candidate(&mut self, start: usize, end: usize, has: Class, joins: bool) -> usize {
        if joins && let Some(after) = self.joined(start, end) {
            return after;
        }
        let host = match joins {
            true => host::read(self.text, start, end, has),
            false => Host::plain(self.text, start, end, has),
        };
        let end = host.end;
        if host.has & DOT != 0 {
            self.host(start, &host);
        }
        self.digits(start, end, host.has);
        end
    }

    /// What a run is the beginning of, with `:`, `@` or a bracket after it.
    fn joined(&mut self, start: usize, end: usize) -> Option<usize> {
        if let Some(after) = self.url(start, end) {
            return Some(after);
        }
        if start >= self.inside.end
            && let Some(after) = self.rooted(start, end)
        {
            return Some(after);
        }
        self.email(end).or_else(|| self.ipv6(start, end))
    }

    /// A URL whose scheme ends a run.
    fn url(&mut self, start: usize, end: usize) -> Option<usize> {
        let inside = start < self.inside.end;
        if inside && (!self.inside.kinds.has(Kind::Url) || self.inside.urls >= NESTED) {
            return None;
        }
        let url = url::read(self.text, url::scheme(self.text, start, end)?)?;
        let after = url.host.end;
        let urls = if inside { self.inside.urls + 1 } else { 0 };
        self.tell_url(url.clone());
        self.inside = Inside {
            end: url.range.end.max(self.inside.end),
            kinds: IN_URL,
            urls,
            path: false,
        };
        Some(after)
    }

    fn tell_url(&mut self, url: Url<'t>) {
        let Url {
            value,
            range,
            host: in_text,
            host_in_value,
            defanged,
        } = url;
        let raw = slice(self.text, in_text.start, in_text.end);
        let host: Cow<'t, str> = match &value {
            Cow::Borrowed(_) => Cow::Borrowed(raw),
            Cow::Owned(value) => {
                Cow::Owned(slice(value, host_in_value.start, host_in_value.end).to_owned())
            }
        };
        let brackets = host.starts_with('[');
        let host_defanged = !brackets && raw.contains(['[', '(', '{']);
        let name = host::name_of(&host);
        let registered = name
            .as_ref()
            .and_then(|name| Some(tail(&name.text, name.registered?)));
        self.tell_of(Kind::Url, value, registered, defanged, range.start);
        if let Some(name) = name {
            self.tell_name(name, host_defanged, in_text.start);
        } else if host::is_ipv4(&host) {
            self.tell(Kind::Ipv4, host, host_defanged, in_text.start);
        } else if brackets && let Ok(address) = host.trim_matches(['[', ']']).parse::<Ipv6Addr>() {
            let value = Cow::Owned(address.to_string());
            self.tell(Kind::Ipv6, value, false, in_text.start + 1);
        }
    }

    fn tell_name(&mut self, name: Name<'t>, defanged: bool, start: usize) {
        let registered = name.registered.map(|at| tail(&name.text, at));
        self.tell_of(Kind::Domain, name.text, registered, defanged, start);
    }

    /// A path that begins with the end of a run: `C:\` or `$env:TEMP\`.
    fn rooted(&mut self, start: usize, end: usize) -> Option<usize> {
        if byte(self.text, end) != b':' {
            return None;
        }
        let drive = end.checked_sub(1)?;
        if path::may_be_drive(self.text, drive) {
            let path = path::with_drive(self.text, drive)?;
            return Some(self.windows(path, drive + 2));
        }
        let variable = bytes::stands(self.text, start, "env") && end == start + 3;
        if variable && before(self.text, start) == b'$' {
            let path = path::with_variable(self.text, start - 1, end + 1)?;
            return Some(self.windows(path, end + 1));
        }
        None
    }

    fn windows(&mut self, path: Path<'t>, after: usize) -> usize {
        self.path(Kind::WindowsPath, path, after)
    }

    /// Tells a path and its server; answers where to go on.
    fn path(&mut self, kind: Kind, path: Path<'t>, mut after: usize) -> usize {
        self.inside = Inside {
            end: path.range.end,
            kinds: IN_PATH,
            urls: 0,
            path: true,
        };
        self.tell(kind, path.value, false, path.range.start);
        if let Some(server) = path.server {
            let name = slice(self.text, server.start, server.end);
            if host::is_ipv4(name) {
                self.tell(Kind::Ipv4, Cow::Borrowed(name), false, server.start);
            } else if let Some(name) = host::name(name) {
                self.tell_name(name, false, server.start);
            }
            after = server.end;
        }
        after
    }

    /// An IPv6 address that a run begins.
    fn ipv6(&mut self, start: usize, end: usize) -> Option<usize> {
        let groups = byte(self.text, end) == b':' && end - start <= 4;
        let sought = self.wanted(start).has(Kind::Ipv6) || self.wanted(start).has(Kind::Ipv4);
        if !groups || !sought || is(before(self.text, start), NAME) {
            return None;
        }
        let (address, end) = ipv6::read(self.text, start)?;
        let value = Cow::Owned(address.to_string());
        self.tell(Kind::Ipv6, value, false, start);
        if let Some(mapped) = address.to_ipv4_mapped()
            && self.wanted(start).has(Kind::Ipv4)
        {
            self.tell(Kind::Ipv4, Cow::Owned(mapped.to_string()), false, start);
        }
        Some(end)
    }

    /// Looks at a byte that an indicator may begin with; answers where to go on.
    fn mark(&mut self, at: usize) -> usize {
        let text = self.text;
        match byte(text, at) {
            b'\\' => match path::with_backslashes(text, at) {
                Some(path) => self.windows(path, at + 1),
                None => at + bytes::count(text, at, |byte| byte == b'\\'),
            },
            b'%' => match path::with_variable(text, at, at + 1) {
                Some(path) => self.windows(path, at + 1),
                None => at + 1,
            },
            b'/' | b'~' => match path::unix(text, at) {
                Some(path) => self.path(Kind::UnixPath, path, at + 1),
                None => at + 1,
            },
            b':' if byte(text, at + 1) == b':' && !is(before(text, at), NAME) => {
                self.ipv6(at, at).unwrap_or(at + 2)
            }
            _ => at + 1,
        }
    }
}

/// Whether something begins with a run that has these two bytes after it: a scheme, a drive, `$env:`, an IPv6 address, an
/// e-mail address, a defanged name. `Image: ` and `f(x)` do not.
#[inline]
fn goes_on(next: u8, after: u8) -> bool {
    match next {
        b':' => is(after, ALPHANUMERIC) || matches!(after, b'/' | b'\\' | b'[' | b':'),
        b'@' => is(after, ALPHANUMERIC | HIGH),
        b'[' | b'(' | b'{' => matches!(after, b'.' | b':' | b'@' | b'a' | b'A' | b'd' | b'D'),
        _ => false,
    }
}

/// The end of a text from a place on, borrowed where the text is.
fn tail<'t>(text: &Cow<'t, str>, at: usize) -> Cow<'t, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(slice(text, at, text.len())),
        Cow::Owned(text) => Cow::Owned(slice(text, at, text.len()).to_owned()),
    }
}
