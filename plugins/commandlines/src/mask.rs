//! Masks what varies by nature in a token: numbers, identifiers, encoded data, users' folders.
//!
//! What names a thing stays: `rundll32`, `system32`, `x64`, `v4`. Everything comes out in lower case.

/// Base64 is that from this many characters on.
const BASE64: usize = 40;

/// How many hexadecimal digits are a value and not a word or a small number.
const HEX: usize = 8;

/// How many digits after letters are still part of a name.
const NAME_DIGITS: usize = 3;

/// The parts of a GUID.
const GUID: [usize; 5] = [8, 4, 4, 4, 12];

/// Folders whose subfolders are users'.
const HOMES: &[&str] = &["users", "home", "documents and settings"];

/// Subfolders of those that are nobody's.
const NOBODY: &[&str] = &["public", "default", "all users", "default user", "shared"];

/// A token with what varies masked.
pub fn mask(token: &str) -> String {
    let token = token.strip_prefix(r"\??\").unwrap_or(token);
    let mut masked = String::with_capacity(token.len());
    let mut rest = token;
    // What is left after the last text that could have been base64 and was not: looked at once.
    let mut unencoded = rest.len() + 1;
    while let Some(first) = rest.chars().next() {
        let (length, text) = match first.is_ascii_alphanumeric() {
            true if rest.len() >= BASE64 && rest.len() < unencoded => {
                let long = run(rest, is_base64);
                unencoded = rest.len() - long;
                match base64(rest.get(..long).unwrap_or_default()) {
                    true => (
                        long + run(rest.get(long..).unwrap_or_default(), |byte| byte == b'='),
                        Some("<b64>".into()),
                    ),
                    false => value(rest),
                }
            }
            true => value(rest),
            false => (first.len_utf8(), None),
        };
        let (part, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        match text {
            Some(mask) => masked.push_str(&mask),
            None => push_lower(&mut masked, part),
        }
        rest = after;
    }
    without_users(masked)
}

fn push_lower(text: &mut String, part: &str) {
    if !part.is_ascii() {
        text.extend(part.chars().flat_map(char::to_lowercase));
        return;
    }
    let end = text.len();
    text.push_str(part);
    if let Some(pushed) = text.get_mut(end..) {
        pushed.make_ascii_lowercase();
    }
}

/// How long the value at the beginning of a text is, and its mask if it has one. The text begins with an ASCII letter or digit.
fn value(text: &str) -> (usize, Option<String>) {
    let whole = [
        (guid(text), "<guid>"),
        (sid(text), "<sid>"),
        (address(text), "<ip>"),
        (prefixed(text), "<hex>"),
    ];
    for (length, mask) in whole {
        if let Some(length) = length {
            return (length, Some(mask.to_owned()));
        }
    }
    let length = run(text, |byte| byte.is_ascii_alphanumeric());
    (length, word(text.get(..length).unwrap_or_default()))
}

/// How many bytes from the first on are of a kind.
fn run(text: &str, is: impl Fn(u8) -> bool) -> usize {
    text.bytes().take_while(|byte| is(*byte)).count()
}

fn is_hex(byte: u8) -> bool {
    byte.is_ascii_hexdigit()
}

/// The mask of a run of letters and digits; none for what names something.
fn word(word: &str) -> Option<String> {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    if digits == 0 {
        return None;
    }
    if digits == word.len() {
        return Some("<n>".into());
    }
    if word.len() >= HEX && word.bytes().all(is_hex) {
        return Some("<hex>".into());
    }
    let letters = run(word, |byte| byte.is_ascii_alphabetic());
    if letters > 0 && letters + digits == word.len() {
        let name = word.get(..letters)?.to_ascii_lowercase();
        return (digits > NAME_DIGITS).then(|| name + "<n>");
    }
    let changes = word
        .bytes()
        .zip(word.bytes().skip(1))
        .filter(|(one, next)| one.is_ascii_digit() != next.is_ascii_digit())
        .count();
    (changes >= 3 && word.len() >= 6).then(|| "<id>".into())
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

/// Whether text is base64, or its variant for URLs: long, with capitals, small letters and digits. A path of as many
/// letters is not: its parts are shorter.
fn base64(text: &str) -> bool {
    if text.len() < BASE64 {
        return false;
    }
    let longest = text.split(['/', '-', '_']).map(str::len).max();
    let count = |is: fn(&u8) -> bool| text.bytes().filter(is).count();
    longest.is_some_and(|longest| longest >= BASE64 / 2)
        && count(u8::is_ascii_uppercase) >= 3
        && count(u8::is_ascii_lowercase) >= 3
        && count(u8::is_ascii_digit) >= 1
}

fn guid(text: &str) -> Option<usize> {
    text.get(8..)?.strip_prefix('-')?;
    let mut length = 0;
    for (at, part) in GUID.into_iter().enumerate() {
        if at > 0 {
            text.get(length..)?.strip_prefix('-')?;
            length += 1;
        }
        if run(text.get(length..)?, is_hex) != part {
            return None;
        }
        length += part;
    }
    Some(length)
}

/// A security identifier of a domain's or a computer's account: those of Windows itself stay.
fn sid(text: &str) -> Option<usize> {
    let start = text.get(..9)?.eq_ignore_ascii_case("s-1-5-21-");
    let rest = text.get(9..).filter(|_| start)?;
    Some(9 + run(rest, |byte| byte.is_ascii_digit() || byte == b'-'))
}

fn address(text: &str) -> Option<usize> {
    let mut length = 0;
    for at in 0..4 {
        if at > 0 {
            text.get(length..)?.strip_prefix('.')?;
            length += 1;
        }
        let part = text.get(length..)?;
        let digits = run(part, |byte| byte.is_ascii_digit());
        part.get(..digits)?.parse::<u8>().ok()?;
        length += digits;
    }
    let after = text.as_bytes().get(length);
    let ends = after.is_none_or(|byte| !byte.is_ascii_alphanumeric());
    ends.then_some(length)
}

fn prefixed(text: &str) -> Option<usize> {
    let rest = text
        .strip_prefix("0x")
        .or_else(|| text.strip_prefix("0X"))?;
    let digits = run(rest, is_hex);
    (digits > 0).then_some(digits + 2)
}

/// A path with `<user>` for the folder of one.
fn without_users(path: String) -> String {
    if !path.contains(['\\', '/']) {
        return path;
    }
    let mut masked = String::with_capacity(path.len());
    let mut before = "";
    for piece in path.split_inclusive(['\\', '/']) {
        let part = piece.trim_end_matches(['\\', '/']);
        let separator = piece.get(part.len()..).unwrap_or_default();
        let home = HOMES.contains(&before) && !part.is_empty() && !NOBODY.contains(&part);
        masked.push_str(if home { "<user>" } else { part });
        masked.push_str(separator);
        before = part;
    }
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_varies_is_masked_and_what_names_is_not() {
        let cases = [
            ("", ""),
            ("4711", "<n>"),
            (
                r"C:\Windows\System32\rundll32.exe",
                r"c:\windows\system32\rundll32.exe",
            ),
            (r"\??\C:\Windows\conhost.exe", r"c:\windows\conhost.exe"),
            ("0xffffffff", "<hex>"),
            ("0x", "0x"),
            ("x64", "x64"),
            ("v4.0.30319", "v4.<n>.<n>"),
            ("KB4480966", "kb<n>"),
            ("deadbeef01", "<hex>"),
            ("defaced", "defaced"),
            ("a1b2c3d4z", "<id>"),
            ("7z", "7z"),
            ("{46fe7078-61bb-4bed-9430-7ac01d91c273}", "{<guid>}"),
            ("46fe7078-61bb", "<hex>-61bb"),
            ("S-1-5-21-996632719-2361334927-500", "<sid>"),
            ("S-1-5-18", "s-<n>-<n>-<n>"),
            ("10.0.3.4:8080", "<ip>:<n>"),
            ("10.0.3.400", "<n>.<n>.<n>.<n>"),
            ("1.2.3.4a", "<n>.<n>.<n>.4a"),
            ("http://Evil.example/a1", "http://evil.example/a1"),
            (
                r"C:\Users\Bob\AppData\x.tmp",
                r"c:\users\<user>\appdata\x.tmp",
            ),
            (r"C:\Users\Public\x.exe", r"c:\users\public\x.exe"),
            ("/home/bob", "/home/<user>"),
            (r"C:\Users\", r"c:\users\"),
            ("2019-01-15T05:24:24Z", "<n>-<n>-15t05:<n>:24z"),
            ("\u{130}stanbul", "i\u{307}stanbul"),
            ("JABzAD0ATgBlAHcALQBPAGIAagBlAGMAdAAgAEkATwAuAE0A", "<b64>"),
            (
                "/usr/share/Very/Long/Path/With/Many/Parts/Of/Names2",
                "/usr/share/very/long/path/with/many/parts/of/names2",
            ),
        ];
        for (token, masked) in cases {
            assert_eq!(mask(token), masked, "{token}");
        }
    }

    #[test]
    fn hostile_tokens_are_masked_too() {
        for token in [
            "s-1-5-21",
            "0",
            "0x\u{20ac}",
            "1.",
            "1.2.3.",
            "\u{20ac}1-",
            "-",
            "s-1-5-2\u{20ac}",
        ] {
            mask(token);
        }
        assert_eq!(mask(&"1".repeat(8192)), "<n>");
        assert!(mask(&"1.".repeat(4096)).starts_with("<ip>.<ip>"));
        assert_eq!(mask(&"a-".repeat(500_000)).len(), 1_000_000);
    }
}
