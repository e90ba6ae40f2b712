//! What authorities say, fit to be shown. The host's `spoor-signin` has the same rules for what it keeps.

/// The most characters of it.
const MOST: usize = 300;

/// How long a word may be before it may be a token. Numbers of directories and requests have 36 characters.
const TOKEN: usize = 40;

/// One short line without control characters, and without what may be a token.
pub(crate) fn told(text: &str) -> String {
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
    line.chars()
        .filter(|c| !c.is_control())
        .take(MOST)
        .collect()
}

/// Whether tokens consist of such.
fn is_of_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+' | '=' | '~')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_authorities_say_is_made_fit() {
        let token = "eyJhbGciOiJSUzI1NiJ9".repeat(4);
        let id = "0f1e2d3c-0000-1111-2222-333344445555";
        assert_eq!(
            told(&format!(
                "AADSTS70000: got \"{token}\" of {id}\x1b[31m\r\nTrace"
            )),
            format!("AADSTS70000: got \"…\" of {id}[31m")
        );
        assert_eq!(told(&"x y ".repeat(1000)).len(), 300);
    }
}
