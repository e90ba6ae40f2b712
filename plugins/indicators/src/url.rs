//! URLs (RFC 3986), also defanged: `hxxp`, `[:]//`, `[://]`, brackets around the dots of the host and after it.

use std::borrow::Cow;
use std::ops::Range;

use crate::bytes::{self, HEX_LETTER, LETTER, before, byte, count, is, slice};
use crate::host::{self, Host};
use crate::path;

/// The longest URL that is read, in bytes; a longer one is cut there.
pub const LONGEST: usize = 8_192;

/// The schemes that are read.
const SCHEMES: [&str; 26] = [
    "http", "https", "ftp", "ftps", "sftp", "tftp", "ssh", "telnet", "ldap", "ldaps", "ws", "wss",
    "smb", "nfs", "tcp", "udp", "file", "rmi", "iiop", "dns", "rtsp", "rdp", "mms", "irc",
    "gopher", "webdav",
];

/// Schemes with letters changed so that nobody clicks on them, and what they are.
const DEFANGED: [(&str, &str); 9] = [
    ("hxxp", "http"),
    ("hxxps", "https"),
    ("htxp", "http"),
    ("htxps", "https"),
    ("hxtp", "http"),
    ("hxtps", "https"),
    ("fxp", "ftp"),
    ("fxps", "ftps"),
    ("sfxp", "sftp"),
];

/// A scheme with what follows it, up to the authority.
#[derive(Clone, Copy, Debug)]
pub struct Scheme {
    /// Where it begins.
    pub start: usize,
    /// Where the authority begins.
    pub end: usize,
    name: &'static str,
    defanged: bool,
}

/// A URL in text.
#[derive(Clone, Debug)]
pub struct Url<'t> {
    /// Refanged, scheme and host in lower case.
    pub value: Cow<'t, str>,
    /// Where it lies in the text.
    pub range: Range<usize>,
    /// Where the host lies in the text.
    pub host: Range<usize>,
    /// Where the host lies in the value.
    pub host_in_value: Range<usize>,
    /// Whether it was written so that it is none.
    pub defanged: bool,
}

/// The scheme whose letters end at `end`, where `://` or a defanged form of it follows.
pub fn scheme(text: &str, start: usize, end: usize) -> Option<Scheme> {
    let (after, odd) = separator(text, end)?;
    // No scheme is longer than seven letters.
    let letters = (1..=8)
        .take_while(|back| {
            *back <= end - start && is(before(text, end + 1 - back), HEX_LETTER | LETTER)
        })
        .last()?;
    let start = end - letters;
    let word = slice(text, start, end);
    let same = |name: &&str| word.eq_ignore_ascii_case(name);
    let (name, defanged) = match SCHEMES.iter().find(|name| same(name)) {
        Some(name) => (*name, odd),
        None => (DEFANGED.iter().find(|(name, _)| same(name))?.1, true),
    };
    Some(Scheme {
        start,
        end: after,
        name,
        defanged,
    })
}

/// Where what is between scheme and authority ends, and whether it is other than `://`.
fn separator(text: &str, at: usize) -> Option<(usize, bool)> {
    let forms: &[&str] = match (byte(text, at), byte(text, at + 1)) {
        (b':', b'/') => &["://"],
        (b':', b'[') => &[":[//]"],
        // A share's or a drive's, but after the schemes that are never a drive.
        (b':', b'\\') => &[":\\\\"],
        (b'[', b':') => &["[:]//", "[://]", "[:]\\\\"],
        (b'(', b':') => &["(:)//", "(://)"],
        _ => return None,
    };
    let form = forms.iter().find(|form| bytes::stands(text, at, form))?;
    Some((at + form.len(), *form != "://"))
}

/// Reads the URL of a scheme; `None` where no host follows it (but after `file`, whose host may be empty).
pub fn read<'t>(text: &'t str, scheme: Scheme) -> Option<Url<'t>> {
    let limit = floor(text, text.len().min(scheme.start + LONGEST));
    let user = userinfo(text, scheme.end);
    let host = host_at(text, user, scheme.name)?;
    let host_end = host.end.min(limit);
    let end = end(text, host_end, limit);
    let range = scheme.start..end;
    let mut url = Url {
        value: Cow::Borrowed(slice(text, scheme.start, end)),
        host: user..host_end,
        host_in_value: user - scheme.start..host_end - scheme.start,
        defanged: scheme.defanged || host.defanged,
        range,
    };
    let head = slice(text, scheme.start, scheme.start + scheme.name.len());
    let tail = slice(text, host_end, end);
    let upper = host.text.bytes().any(|byte| byte.is_ascii_uppercase());
    let odd_tail = tail.contains(['[', '(', '{']) && refang(tail) != tail;
    if url.defanged || upper || odd_tail || head != scheme.name {
        url.defanged |= odd_tail;
        let mut value = format!("{}://{}", scheme.name, slice(text, scheme.end, user));
        let from = value.len();
        value.push_str(&host.text.to_lowercase());
        url.host_in_value = from..value.len();
        value.push_str(&refang(tail));
        url.value = Cow::Owned(value);
    }
    Some(url)
}

/// Where the host begins: after the user's name and password, if they are there.
fn userinfo(text: &str, at: usize) -> usize {
    const LONGEST_USER: usize = 256;
    let length = count(text, at, |byte| {
        is(byte, bytes::NAME) || b"%!$&*+,;=:~".contains(&byte)
    });
    match byte(text, at + length) {
        b'@' if length <= LONGEST_USER => at + length + 1,
        _ => at,
    }
}

fn host_at<'t>(text: &'t str, at: usize, scheme: &str) -> Option<Host<'t>> {
    let plain = |end: usize| Host::plain(text, at, end, 0);
    if byte(text, at) == b'[' {
        let length = count(text, at + 1, |byte| {
            byte.is_ascii_hexdigit() || byte == b':' || byte == b'.'
        });
        let close = at + 1 + length;
        return (length > 1 && byte(text, close) == b']').then(|| plain(close + 1));
    }
    let (end, has) = bytes::run(text, at);
    if end == at {
        return (scheme == "file" && byte(text, at) == b'/').then(|| plain(at));
    }
    let mut host = host::read(text, at, end, has);
    if !host.defanged {
        // What ends a sentence is no part of a host.
        let kept = host.text.trim_end_matches(is_punctuation).len();
        host = plain(at + kept);
    }
    (host.end > at).then_some(host)
}

fn is_punctuation(letter: char) -> bool {
    matches!(letter, '.' | '-' | '_') || !letter.is_ascii() && !letter.is_alphanumeric()
}

/// Where a URL ends whose host ends at `at`.
fn end(text: &str, at: usize, limit: usize) -> usize {
    let mut end = at;
    if byte(text, end) == b':' {
        let digits = count(text, end + 1, |byte| byte.is_ascii_digit());
        end += if (1..=5).contains(&digits) {
            digits + 1
        } else {
            0
        };
    }
    if !matches!(byte(text, end), b'/' | b'?' | b'#') {
        return end.min(limit);
    }
    let tail = slice(text, end, limit);
    // A drive after `file://`: its path has backslashes.
    let drive = path::may_be_drive(text, end + 1) && byte(text, end + 2) == b':';
    trimmed(text, end, end + extent(tail, drive && end == at))
}

/// How far the bytes of a URL go, with brackets that close more than was opened as the end.
fn extent(tail: &str, backslashes: bool) -> usize {
    let (mut round, mut square, mut curly) = (0_i32, 0_i32, 0_i32);
    for (at, letter) in tail.char_indices() {
        let stops = match letter {
            '\\' if backslashes => false,
            '\0'..=' ' | '"' | '\'' | '<' | '>' | '\\' | '^' | '`' | '|' | '\x7F' => true,
            '(' => closes(&mut round, 1),
            ')' => closes(&mut round, -1),
            '[' => closes(&mut square, 1),
            ']' => closes(&mut square, -1),
            '{' => closes(&mut curly, 1),
            '}' => closes(&mut curly, -1),
            // A list of URLs.
            ',' | ';' => {
                slice(tail, at + 1, at + 3).eq_ignore_ascii_case("ht")
                    || slice(tail, at + 1, at + 3).eq_ignore_ascii_case("hx")
            }
            letter if !letter.is_ascii() => !letter.is_alphanumeric(),
            _ => false,
        };
        if stops {
            return at;
        }
    }
    tail.len()
}

fn closes(depth: &mut i32, by: i32) -> bool {
    *depth += by;
    *depth < 0
}

/// Without the punctuation of a sentence at its end.
fn trimmed(text: &str, start: usize, end: usize) -> usize {
    let tail = slice(text, start, end);
    start
        + tail
            .trim_end_matches(['.', ',', ';', ':', '!', '?', '*', '(', '[', '{', '$'])
            .len()
}

/// The last boundary of characters up to a place.
fn floor(text: &str, at: usize) -> usize {
    (0..4)
        .map(|back| at.saturating_sub(back))
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

/// What follows a host, with the dots out of their brackets.
fn refang(tail: &str) -> Cow<'_, str> {
    let mut made = String::new();
    let mut copied = 0;
    for (at, _) in tail.match_indices(['[', '(', '{']) {
        let length = host::dot(tail, at);
        if length > 0 {
            made.push_str(slice(tail, copied, at));
            made.push('.');
            copied = at + length;
        }
    }
    match copied {
        0 => Cow::Borrowed(tail),
        _ => Cow::Owned(made + slice(tail, copied, tail.len())),
    }
}
