//! Paths of Windows and Unix.
//!
//! Nothing in a command line says where an unquoted path with spaces ends, so a rule of thumb does: a folder's name may
//! have spaces, but not after a word with a file's extension (`C:\a.exe in\b` ends before ` in`); a file's name may have
//! them only where quotes or the whole text bound it.

use std::borrow::Cow;
use std::ops::Range;

use crate::bytes::{
    self, ALPHANUMERIC, APART, APOSTROPHE, Class, DOT, HIGH, HYPHEN, NAME, PATH_END, SPACE,
    UNDERSCORE, before, byte, count, is, rest, slice, until,
};

/// The longest path that Windows knows, in characters; what goes on for more bytes is cut there.
const LONGEST: usize = 32_767;

/// A path in text.
#[derive(Clone, Debug)]
pub struct Path<'t> {
    /// With single separators.
    pub value: Cow<'t, str>,
    /// Where it lies in the text.
    pub range: Range<usize>,
    /// Where the server's name of a share lies in the text.
    pub server: Option<Range<usize>>,
}

/// A root: where the path begins, where its first name begins, and how its names are kept apart.
struct Root {
    start: usize,
    end: usize,
    separator: &'static str,
    server: Option<Range<usize>>,
}

/// Reads a path whose drive is the letter at `drive`.
pub fn with_drive(text: &str, drive: usize) -> Option<Path<'_>> {
    let after = drive + 2;
    let separator = match byte(text, after) {
        b'/' if byte(text, after + 1) != b'/' => "/",
        _ => separator(text, after)?,
    };
    windows(
        text,
        Root {
            start: drive,
            end: after + separator.len(),
            separator,
            server: None,
        },
    )
}

/// Reads a path that begins with an environment variable: `%TEMP%\`, and `$env:TEMP\`, whose name begins at `name`.
pub fn with_variable(text: &str, start: usize, name: usize) -> Option<Path<'_>> {
    let length = count(text, name, |byte| {
        is(byte, ALPHANUMERIC) || matches!(byte, b'_' | b'(' | b')')
    });
    let after = name + length + usize::from(byte(text, start) == b'%');
    let closed = byte(text, start) != b'%' || before(text, after) == b'%';
    if !(1..=64).contains(&length) || !closed {
        return None;
    }
    let separator = separator(text, after)?;
    windows(
        text,
        Root {
            start,
            end: after + separator.len(),
            separator,
            server: None,
        },
    )
}

/// Reads a share's or a device's path at a backslash: `\\server\share`, `\\?\C:\`, `\\.\pipe\`, `\Device\`.
pub fn with_backslashes(text: &str, start: usize) -> Option<Path<'_>> {
    if !is_apart(before(text, start)) {
        return None;
    }
    let slashes = count(text, start, |byte| byte == b'\\');
    let name = start + slashes;
    for device in ["Device", "SystemRoot", "??"] {
        let after = name + device.len();
        if slashes <= 2 && bytes::stands(text, name, device) && slashes == run_of(text, after) {
            let separator = separator(text, after)?;
            return windows(
                text,
                Root {
                    start,
                    end: after + separator.len(),
                    separator,
                    server: None,
                },
            );
        }
    }
    let separator = match slashes {
        2 => "\\",
        4 => "\\\\",
        _ => return None,
    };
    let length = count(text, name, |byte| is(byte, NAME) || byte == b'?');
    let server = name..name + length;
    if !(1..=253).contains(&length) || run_of(text, server.end) != separator.len() {
        return None;
    }
    windows(
        text,
        Root {
            start,
            end: server.end + separator.len(),
            separator,
            server: Some(server),
        },
    )
}

/// How many backslashes there are at a place.
fn run_of(text: &str, at: usize) -> usize {
    count(text, at, |byte| byte == b'\\')
}

/// The separator at a place: a backslash, or two where the text is JSON or a string of a program.
fn separator(text: &str, at: usize) -> Option<&'static str> {
    match run_of(text, at) {
        0 => None,
        1 => Some("\\"),
        _ => Some("\\\\"),
    }
}

/// Whether a byte keeps what follows apart from what is before it.
fn is_apart(before: u8) -> bool {
    is(before, APART)
}

/// Reads what follows a root.
fn windows(text: &str, mut root: Root) -> Option<Path<'_>> {
    let drive = slice(text, root.end, root.end + 2 + root.separator.len());
    if byte(text, root.start) == b'\\'
        && slice(text, root.start, root.end).contains('?')
        && drive.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && drive
            .get(1..)
            .is_some_and(|after| after.strip_prefix(':') == Some(root.separator))
    {
        root.end += drive.len();
    }
    let quote = Some(before(text, root.start)).filter(|byte| matches!(byte, b'"' | b'\''));
    let stop = match quote {
        Some(b'\'') => PATH_END | APOSTROPHE,
        _ => PATH_END,
    };
    let whole = root.start == 0;
    let limit = floor(text, root.end + LONGEST);
    let mut end = root.end;
    loop {
        let bytes = text.as_bytes().get(end..limit).unwrap_or(&[]);
        let (length, has) = until(bytes, stop);
        let after = end + length;
        let name = slice(text, end, after);
        let separated = rest(text, after).starts_with(root.separator.as_bytes());
        if separated && (has & SPACE == 0 || is_folder(name)) {
            end = after + root.separator.len();
            continue;
        }
        let closed = Some(byte(text, after)) == quote || whole && after == text.len();
        end += match is_plain(name, has) {
            true => length,
            false => file(name, closed, quote.is_some()),
        };
        end += stream(text, end, after);
        break;
    }
    let raw = slice(text, root.end, end);
    let kept = raw.trim_end_matches(['\\', '/']).len();
    if kept == 0 {
        return None;
    }
    let range = root.start..root.end + kept;
    let raw = slice(text, range.start, range.end);
    let value = match root.separator {
        "\\\\" => Cow::Owned(raw.replace("\\\\", "\\")),
        _ => Cow::Borrowed(raw),
    };
    Some(Path {
        value,
        range,
        server: root.server,
    })
}

/// Whether what lies before a separator is a folder's name; an empty one stands between doubled separators.
fn is_folder(name: &str) -> bool {
    let Some(space) = name.find(' ') else {
        return true;
    };
    let odd = |text: &str| text.contains([',', ';']) || text.contains(" -");
    space > 0 && !name.ends_with([' ', '.']) && !has_extension(slice(name, 0, space)) && !odd(name)
}

/// Whether a name has nothing that could be after it in its place: most names.
fn is_plain(name: &str, has: Class) -> bool {
    let outside = has & !(ALPHANUMERIC | DOT | HYPHEN | UNDERSCORE);
    outside == 0 && is(before(name, name.len()), ALPHANUMERIC)
}

/// How much of the last name belongs to the path. `closed` where its end is the end of quotes or of the text.
fn file(name: &str, closed: bool, quoted: bool) -> usize {
    let name = match quoted && closed {
        true => name,
        false => slice(
            name,
            0,
            name.find([',', ';', '\'', '`']).unwrap_or(name.len()),
        ),
    };
    let word = slice(name, 0, name.find(' ').unwrap_or(name.len()));
    let spaced = closed && !has_extension(word) && has_extension(name);
    let name = if spaced { name } else { word };
    let kept = name.trim_end_matches(|letter: char| {
        matches!(letter, '.' | ',' | ';' | '!' | '\'' | '`' | ' ')
            || !letter.is_ascii() && !letter.is_alphanumeric()
    });
    unclosed(without_place(kept))
}

/// Without a place in the module, as call traces have it: `ntdll.dll+9d104`.
fn without_place(name: &str) -> &str {
    match name.rsplit_once('+') {
        Some((module, place))
            if has_extension(module) && place.bytes().all(|byte| byte.is_ascii_hexdigit()) =>
        {
            module
        }
        _ => name,
    }
}

/// The length of a name without the brackets at its end that were opened before it.
fn unclosed(name: &str) -> usize {
    let mut depth = 0_i32;
    let stray = name.bytes().position(|byte| {
        depth += match byte {
            b'(' | b'[' | b'{' => 1,
            b')' | b']' | b'}' => -1,
            _ => 0,
        };
        depth < 0
    });
    stray.unwrap_or(name.len())
}

/// Whether a name ends in a stop and one to five letters and digits, the first a letter.
fn has_extension(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(stem, extension)| {
        !stem.is_empty()
            && (1..=5).contains(&extension.len())
            && extension.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && extension.starts_with(|letter: char| letter.is_ascii_alphabetic())
    })
}

/// The length of an alternate data stream's name with its colon, where the file's name ends there: `a.exe:Zone.Identifier`.
fn stream(text: &str, end: usize, after: usize) -> usize {
    if end != after || byte(text, end) != b':' || !byte(text, end + 1).is_ascii_alphabetic() {
        return 0;
    }
    let length = count(text, end + 1, |byte| is(byte, NAME));
    match byte(text, end + 1 + length) {
        0..=b' ' | b'"' | b'\'' => 1 + length,
        b':' if bytes::stands(text, end + 1 + length, ":$DATA") => 1 + length + ":$DATA".len(),
        _ => 0,
    }
}

fn floor(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..4)
        .map(|back| at.saturating_sub(back))
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

/// The folders that an absolute path of Linux or macOS begins with. Any `/a/b` would be a path; so would be every
/// request to a web server, and every switch of a Windows command.
const TOPS: [&str; 26] = [
    "bin",
    "boot",
    "data",
    "dev",
    "etc",
    "home",
    "lib",
    "lib64",
    "media",
    "mnt",
    "opt",
    "private",
    "proc",
    "root",
    "run",
    "sbin",
    "snap",
    "srv",
    "sys",
    "tmp",
    "usr",
    "var",
    "Applications",
    "Library",
    "Users",
    "Volumes",
];

/// Reads a path of Unix at a slash or at `~/`.
pub fn unix(text: &str, start: usize) -> Option<Path<'_>> {
    if !is_apart(before(text, start)) {
        return None;
    }
    let home = byte(text, start) == b'~';
    let from = start + 1 + usize::from(home);
    if home && byte(text, start + 1) != b'/' {
        return None;
    }
    let length = count(text, from, |byte| is(byte, NAME));
    let top = slice(text, from, from + length);
    if !home && (byte(text, from + length) != b'/' || !TOPS.contains(&top)) {
        return None;
    }
    let end = unix_end(text, from);
    let raw = slice(text, start, end);
    let raw = raw.trim_end_matches(['.', ',', ':', ';', '!', '?', '/', '\\']);
    let raw = slice(raw, 0, unclosed(raw));
    let least = if home { from } else { from + length + 1 };
    if start + raw.len() <= least {
        return None;
    }
    Some(Path {
        value: Cow::Borrowed(raw),
        range: start..start + raw.len(),
        server: None,
    })
}

fn unix_end(text: &str, from: usize) -> usize {
    let bound = floor(text, from + LONGEST);
    let tail = slice(text, from, bound);
    let mut escaped = false;
    let stop = tail.char_indices().find(|(_, letter)| {
        let stops = !escaped && ends_unix(*letter);
        escaped = *letter == '\\' && !escaped;
        stops
    });
    from + stop.map_or(tail.len(), |(at, _)| at)
}

fn ends_unix(letter: char) -> bool {
    match letter {
        '\0'..=' ' | '"' | '\'' | '`' | '<' | '>' | '|' | '&' | ';' | ',' | ':' | '\x7F' => true,
        letter => !letter.is_ascii() && !letter.is_alphanumeric() || letter.is_control(),
    }
}

/// Whether the byte before a place lets a drive's letter stand there.
pub fn may_be_drive(text: &str, at: usize) -> bool {
    is(byte(text, at), bytes::HEX_LETTER | bytes::LETTER)
        && !is(before(text, at), ALPHANUMERIC | HIGH)
}
