//! What servers say, fit to be shown and kept.

use crate::secret::Secret;

/// The most characters of it.
const MOST: usize = 300;

/// Characters of a word from which on it may be a token. Numbers of directories and requests have 36.
const TOKEN: usize = 40;

/// One short line without control characters and without tokens: neither those of the request, which servers have been seen to
/// repeat, nor anything else that looks like one.
pub(crate) fn told(text: &str, secrets: &[&Secret]) -> String {
    let mut text = text.to_owned();
    for secret in secrets.iter().map(|secret| secret.expose()) {
        if !secret.is_empty() {
            text = text.replace(secret, "…");
        }
    }
    let mut shown = String::new();
    for part in text.split_inclusive(|c| !is_of_token(c)) {
        let word = part.trim_end_matches(|c| !is_of_token(c));
        shown.push_str(if word.len() < TOKEN { word } else { "…" });
        shown.push_str(&part[word.len()..]);
    }
    line(&shown)
}

/// One short line without control characters, of what is no secret by its nature: somebody's name.
pub(crate) fn line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let plain = line.chars().filter(|c| !c.is_control());
    plain.take(MOST).collect()
}

/// Whether tokens consist of such: Base64's letters, but for the slash, and what stands between their parts.
fn is_of_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+' | '=' | '~')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_servers_say_is_made_fit() {
        let secret = Secret::new("tok-123".to_owned());
        assert_eq!(
            told("AADSTS70000: 'tok-123' is bad\x1b[31m\r\nTrace", &[&secret]),
            "AADSTS70000: '…' is bad[31m"
        );
        let token = "eyJhbGciOiJSUzI1NiJ9".repeat(4);
        let id = "0f1e2d3c-0000-1111-2222-333344445555";
        assert_eq!(
            told(&format!("got \"{token}\" of {id}"), &[]),
            format!("got \"…\" of {id}")
        );
        assert_eq!(told(&"x y ".repeat(1000), &[]).len(), 300);
    }
}
