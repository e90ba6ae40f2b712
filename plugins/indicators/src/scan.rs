//! One pass over a text, from left to right.
//!
//! The pass goes from one run of name bytes (letters, digits, `.`, `-`, `_`, what is outside ASCII) to the next. What a
//! run and the bytes after it can be decides what is tried: most runs are a word, and cost a look at each byte. Each
//! attempt is bounded in length, so that the whole is linear in the text.
//!
//! What lies inside a URL or a path is not taken for something else: a URL gives its host, and in what follows it only
//! addresses, hashes, e-mails, CVEs and further URLs are looked for; a path gives its server, hashes and CVEs.

use std::borrow::Cow;

use crate::bytes::{
    self, ALPHANUMERIC, DOT, HIGH, HYPHEN, MARK, NAME, before, byte, class, is, rest, slice,
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

/// The longest part of an e-mail address before its `@` (RFC 5321, section 4.5.3.1.1), in bytes.
const LOCAL_BYTES: usize = 64;

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
        while let Some(byte) = self.text.as_bytes().get(at) {
            let class = class(*byte);
            at = if class & NAME != 0 {
                let (end, has) = bytes::run(self.text, at);
                self.name(at, end, has)
            } else if class & MARK != 0 && at >= self.inside.end {
                self.mark(at)
            } else {
                at + 1
            };
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
    fn name(&mut self, start: usize, end: usize, has: u8) -> usize {
        let next = byte(self.text, end);
        let joins = matches!(next, b':' | b'[' | b'(' | b'{' | b'@');
        if !joins && has & DOT == 0 && end - start < 32 && has & HYPHEN == 0 {
            return end;
        }
        self.candidate(start, end, has)
    }

    fn candidate(&mut self, start: usize, end: usize, has: u8) -> usize {
        if let Some(after) = self.url(start, end) {
            return after;
        }
        if start >= self.inside.end
            && let Some(after) = self.rooted(start, end)
        {
            return after;
        }
        if let Some(after) = self.email(end) {
            return after;
        }
        if let Some(after) = self.ipv6(start, end) {
            return after;
        }
        let host = host::read(self.text, start, end, has);
        let end = host.end;
        if host.has & DOT != 0 {
            self.host(start, &host);
        }
        self.hashes(start, end);
        if has & HYPHEN != 0 {
            self.cves(start, end);
        }
        end
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
        let host = slice(&value, host_in_value.start, host_in_value.end);
        let brackets = host.starts_with('[');
        let host_defanged = !brackets && raw.contains(['[', '(', '{']);
        let name = host::name(host).map(|name| (name.text.into_owned(), name.registered));
        let address = brackets.then(|| host.trim_matches(['[', ']']).parse::<std::net::Ipv6Addr>());
        let v4 = host::is_ipv4(host).then(|| host.to_owned());
        let registered = name.as_ref().and_then(|(text, at)| {
            let text = slice(text, (*at)?, text.len());
            Some(Cow::Owned(text.to_owned()))
        });
        self.tell_of(Kind::Url, value, registered, defanged, range.start);
        match (name, v4, address) {
            (Some((text, registered)), ..) => {
                let text = Cow::Owned(text);
                self.tell_name(Name { text, registered }, host_defanged, in_text.start);
            }
            (_, Some(v4), _) => self.tell(Kind::Ipv4, Cow::Owned(v4), host_defanged, in_text.start),
            (_, _, Some(Ok(v6))) => {
                self.tell(
                    Kind::Ipv6,
                    Cow::Owned(v6.to_string()),
                    false,
                    in_text.start + 1,
                );
            }
            _ => {}
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

    /// An e-mail address whose part before the `@` ends a run.
    fn email(&mut self, end: usize) -> Option<usize> {
        let plain = byte(self.text, end) == b'@';
        let length = match plain {
            true => 1,
            false => host::at_sign(self.text, end),
        };
        let from = end + length;
        if length == 0 || !is(byte(self.text, from), ALPHANUMERIC | HIGH) {
            return None;
        }
        let local = self.local(end)?;
        let (run_end, has) = bytes::run(self.text, from);
        let host = host::read(self.text, from, run_end, has);
        let defanged = !plain || host.defanged;
        let kept = host.text.trim_end_matches(['.', '-', '_']);
        let name = host::name(kept)?;
        let registered = name.registered.map(|at| tail(&name.text, at).into_owned());
        if self.wanted(local).has(Kind::Email) {
            let address = slice(self.text, local, from + kept.len());
            let value = match defanged || matches!(name.text, Cow::Owned(_)) {
                true => Cow::Owned(format!("{}@{}", slice(self.text, local, end), name.text)),
                false => Cow::Borrowed(address),
            };
            let registered = registered.clone().map(Cow::Owned);
            self.tell_of(Kind::Email, value, registered, defanged, local);
        }
        if self.wanted(from).has(Kind::Domain) {
            let text = Cow::Owned(name.text.into_owned());
            let registered = registered.map(Cow::Owned);
            self.tell_of(Kind::Domain, text, registered, host.defanged, from);
        }
        self.floor = host.end;
        Some(host.end)
    }

    /// Where the part of an e-mail address before its `@` begins, which is at `end`.
    fn local(&self, end: usize) -> Option<usize> {
        let least = self.floor.max(end.saturating_sub(LOCAL_BYTES));
        let is_local = |byte: u8| is(byte, NAME) && byte < 0x80 || byte == b'+' || byte == b'%';
        let bytes = self.text.as_bytes().get(least..end)?;
        let length = bytes
            .iter()
            .rev()
            .take_while(|byte| is_local(**byte))
            .count();
        let piece = slice(self.text, end - length, end);
        let kept = piece.trim_start_matches(['.', '-', '+', '%']).len();
        let from = self.unescaped(end - kept, end);
        (from < end
            && is(
                before(self.text, end),
                ALPHANUMERIC | bytes::UNDERSCORE | HYPHEN,
            ))
        .then_some(from)
    }

    /// Past the letter of an escape of JSON, which is not part of the word after it: `\nexample.com`.
    fn unescaped(&self, start: usize, end: usize) -> usize {
        let escape = self.json
            && before(self.text, start) == b'\\'
            && start
                .checked_sub(1)
                .is_some_and(|at| before(self.text, at) != b'\\')
            && matches!(byte(self.text, start), b'n' | b'r' | b't');
        match escape && start < end {
            true => start + 1,
            false => start,
        }
    }

    /// An IPv6 address that a run begins.
    fn ipv6(&mut self, start: usize, end: usize) -> Option<usize> {
        let groups = byte(self.text, end) == b':' && end - start <= 4;
        if !groups || !self.wanted(start).has(Kind::Ipv6) || is(before(self.text, start), NAME) {
            return None;
        }
        let (address, end) = ipv6::read(self.text, start)?;
        self.tell(Kind::Ipv6, Cow::Owned(address.to_string()), false, start);
        Some(end)
    }

    /// A host's name or addresses in a run with dots.
    fn host(&mut self, start: usize, host: &Host<'t>) {
        let wanted = self.wanted(start);
        if wanted.has(Kind::Domain)
            && start >= self.inside.end
            && let Some((name, at)) = self.likely(start, host)
        {
            self.tell_name(name, host.defanged, start + at);
            return;
        }
        if host.has & bytes::DIGIT == 0 || !wanted.has(Kind::Ipv4) {
            return;
        }
        match &host.text {
            Cow::Borrowed(run) => {
                for range in host::ipv4(run) {
                    let at = start + range.start;
                    if !self.is_version(at) {
                        let value = slice(self.text, at, start + range.end);
                        self.tell(Kind::Ipv4, Cow::Borrowed(value), false, at);
                    }
                }
            }
            Cow::Owned(run) => {
                let value = run.trim_end_matches(['.', '-', '_']);
                if host::is_ipv4(value) {
                    self.tell(Kind::Ipv4, Cow::Owned(value.to_owned()), true, start);
                }
            }
        }
    }

    /// The first name in a run that is likely meant as a host's, and its offset.
    fn likely(&self, start: usize, host: &Host<'t>) -> Option<(Name<'t>, usize)> {
        let escape = self.escape(start, host.end);
        match &host.text {
            Cow::Borrowed(run) => {
                let run: &'t str = run;
                let run = slice(run, escape, run.len());
                host::candidates(run, host.has).find_map(|(at, part)| {
                    let at = at + escape;
                    let end = start + at + part.len();
                    let previous = match escape {
                        0 => before(self.text, start),
                        _ => b' ',
                    };
                    host::is_likely(part, previous, rest(self.text, end))
                        .then(|| host::name(part))?
                        .map(|name| (name, at))
                })
            }
            Cow::Owned(run) => {
                let name = host::name(run.trim_end_matches(['.', '-', '_']))?;
                let registered = name.registered;
                let text = Cow::Owned(name.text.into_owned());
                Some((Name { text, registered }, 0))
            }
        }
    }

    /// How many bytes at the start of a run belong to an escape of JSON or of a URL.
    fn escape(&self, start: usize, end: usize) -> usize {
        let hex = |at| byte(self.text, at).is_ascii_hexdigit();
        match before(self.text, start) == b'%' && hex(start) && hex(start + 1) {
            true => 2.min(end - start),
            false => self.unescaped(start, end) - start,
        }
    }

    /// Whether `version` is before a place: `Version=4.0.0.0`.
    fn is_version(&self, at: usize) -> bool {
        let back = (0..4)
            .take_while(|back| {
                at.checked_sub(*back)
                    .is_some_and(|at| b" =:\"'".contains(&before(self.text, at)))
            })
            .count();
        let Some(end) = at.checked_sub(back) else {
            return false;
        };
        ["version", "ver"].iter().any(|word| {
            end.checked_sub(word.len())
                .is_some_and(|start| bytes::stands(self.text, start, word))
        })
    }

    /// Hashes between what is neither letter nor digit in a range.
    fn hashes(&mut self, start: usize, end: usize) {
        if end - start < 32 {
            return;
        }
        let mut at = start;
        while at < end {
            let mut has = 0;
            let length = rest(self.text, at)
                .iter()
                .take(end - at)
                .take_while(|byte| {
                    let class = class(**byte);
                    has |= class;
                    class & (ALPHANUMERIC | HIGH) != 0
                })
                .count();
            if matches!(length, 32 | 40 | 64) {
                self.hash(at, at + length);
            }
            at += length + 1;
        }
    }

    fn hash(&mut self, start: usize, end: usize) {
        let digits = slice(self.text, start, end);
        let hexadecimal = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        // Sixteen hundred million million of random hashes have one without letters.
        let letters = digits.bytes().any(|byte| byte.is_ascii_alphabetic());
        if !hexadecimal || !letters {
            return;
        }
        let import = start
            .checked_sub("imphash=".len())
            .is_some_and(|at| bytes::stands(self.text, at, "imphash="));
        let kind = match end - start {
            32 if import => Kind::Imphash,
            32 => Kind::Md5,
            40 => Kind::Sha1,
            _ => Kind::Sha256,
        };
        let value = match digits.bytes().any(|byte| byte.is_ascii_uppercase()) {
            true => Cow::Owned(digits.to_ascii_lowercase()),
            false => Cow::Borrowed(digits),
        };
        if self.wanted(start).has(kind) {
            self.tell(kind, value, false, start);
        }
    }

    /// CVE numbers in a range: `CVE-`, a year, and four to nineteen digits (CVE's record format).
    fn cves(&mut self, start: usize, end: usize) {
        if end - start < "CVE-1999-0001".len() || !self.wanted(start).has(Kind::Cve) {
            return;
        }
        for at in start..end - 12 {
            if !matches!(byte(self.text, at), b'c' | b'C') || !bytes::stands(self.text, at, "cve-")
            {
                continue;
            }
            let year = slice(self.text, at + 4, at + 8);
            let digits = bytes::count(self.text, at + 9, |byte| byte.is_ascii_digit());
            let whole = !is(before(self.text, at), ALPHANUMERIC)
                && ("1999"..="2999").contains(&year)
                && year.bytes().all(|byte| byte.is_ascii_digit())
                && byte(self.text, at + 8) == b'-'
                && (4..=19).contains(&digits)
                && !is(byte(self.text, at + 9 + digits), ALPHANUMERIC);
            if whole {
                let raw = slice(self.text, at, at + 9 + digits);
                let value = match raw.starts_with("CVE") {
                    true => Cow::Borrowed(raw),
                    false => Cow::Owned(raw.to_ascii_uppercase()),
                };
                self.tell(Kind::Cve, value, false, at);
            }
        }
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

/// The end of a text from a place on, borrowed where the text is.
fn tail<'t>(text: &Cow<'t, str>, at: usize) -> Cow<'t, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(slice(text, at, text.len())),
        Cow::Owned(text) => Cow::Owned(slice(text, at, text.len()).to_owned()),
    }
}
