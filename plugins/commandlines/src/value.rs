//! Which tokens are values, of which there may be many.

/// Whether a masked token is a value: not a word, which may be what is to be done, not a switch, and not a command for
/// another shell, as after `cmd /c`.
pub fn is_value(token: &str) -> bool {
    let of_slash = token.strip_prefix('/');
    let is_switch = token.starts_with('-') || of_slash.is_some_and(|rest| !rest.contains('/'));
    let is_word = token
        .chars()
        .all(|letter| letter.is_alphabetic() || letter == '-');
    !is_switch && !is_word && !is_command(token)
}

/// Whether a token is several words, or joins commands, and is no path.
fn is_command(token: &str) -> bool {
    let is_path = token.starts_with(['/', '\\', '%']) || token.get(1..3) == Some(":\\");
    // In a URL, `&` and `;` divide what is asked for.
    let is_url = token.contains("://") && !token.contains("&&");
    let joins = token.contains(['|', '^']) || (!is_url && token.contains(['&', ';']));
    joins || (!is_path && token.contains(char::is_whitespace))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_urls_are_values_and_commands_are_none() {
        let cases = [
            ("a.txt", true),
            (r"c:\a b.txt", true),
            ("/tmp/a", true),
            ("https://x.example/?a=b&c=d", true),
            ("https://x.example/?a=b;c=d", true),
            ("x=https://x.example/?a=b&c=d", true),
            ("user", false),
            ("/x", false),
            ("-z:a.b", false),
            ("a.exe&b.exe", false),
            ("a.sh;b.sh", false),
            ("https://x.example/|sh", false),
            ("https://x.example/&&calc.exe", false),
            ("curl https://x.example/&calc.exe", false),
        ];
        for (token, value) in cases {
            assert_eq!(is_value(token), value, "{token}");
        }
    }
}
