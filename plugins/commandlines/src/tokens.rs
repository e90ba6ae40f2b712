//! Splits a command line into tokens, loosely enough for any shell's.

/// The most bytes of a command line that are looked at. Windows allows 32 K characters.
const LONGEST: usize = 8192;

/// The most tokens; what follows is one more.
const MOST: usize = 64;

/// The most tokens that a program's path with spaces and no quotes is put together from.
const PATH: usize = 12;

/// What a program's file name ends with: four characters.
const PROGRAMS: &[&str] = &[".exe", ".com", ".bat", ".cmd", ".scr", ".msc", ".cpl"];

/// The tokens of a command line, without their quotes: what white space divides outside of quotes. A quote that is not closed
/// reaches to the end. The first token is the program, with its path though it have spaces.
pub fn split(line: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = beginning(line).trim_start();
    while !rest.is_empty() {
        if tokens.len() == MOST {
            tokens.push(rest.to_owned());
            break;
        }
        let (token, after) = next(rest);
        tokens.push(token);
        rest = after.trim_start();
    }
    if !line.trim_start().starts_with('"') {
        join_program(&mut tokens);
    }
    tokens
}

/// As much of a command line as is looked at.
fn beginning(line: &str) -> &str {
    line.get(..line.floor_char_boundary(LONGEST))
        .unwrap_or(line)
}

/// A token, and what follows it.
fn next(text: &str) -> (String, &str) {
    let mut token = String::new();
    let mut quote = None;
    // Where what is not yet in the token begins.
    let mut from = 0;
    for (at, letter) in text.char_indices() {
        let is_first = token.is_empty() && from == at;
        let is_quote = match quote {
            Some(open) => letter == open,
            None => letter == '"' || (letter == '\'' && is_first),
        };
        if is_quote {
            token.push_str(text.get(from..at).unwrap_or_default());
            from = at + letter.len_utf8();
            quote = quote.is_none().then_some(letter);
        } else if quote.is_none() && letter.is_whitespace() {
            token.push_str(text.get(from..at).unwrap_or_default());
            return (token, text.get(at..).unwrap_or_default());
        }
    }
    token.push_str(text.get(from..).unwrap_or_default());
    (token, "")
}

/// Puts `C:\Program`, `Files\a.exe` together. A switch or another path with a drive is an argument, and what ends like a
/// program after it is one too.
fn join_program(tokens: &mut Vec<String>) {
    let has_drive = |token: &String| token.get(1..3) == Some(":\\");
    if !tokens.first().is_some_and(has_drive) {
        return;
    }
    let ends = |token: &String| {
        let end = token.len().checked_sub(4).and_then(|at| token.get(at..));
        end.is_some_and(|end| PROGRAMS.iter().any(|one| end.eq_ignore_ascii_case(one)))
    };
    let is_argument = |token: &String| token.starts_with(['/', '-']) || has_drive(token);
    let arguments = tokens.iter().skip(1).position(is_argument);
    let path = arguments.map_or(PATH, |at| PATH.min(at + 1));
    let last = tokens.iter().take(path).position(ends);
    if let Some(last) = last.filter(|last| *last > 0) {
        let program = tokens.drain(..=last).collect::<Vec<_>>().join(" ");
        tokens.insert(0, program);
    }
}

/// The file name of a program's path, in lower case.
pub fn program(path: &str) -> String {
    let name = path
        .trim_end_matches(['\\', '/'])
        .rsplit(['\\', '/'])
        .next();
    name.unwrap_or_default().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_a_token_together() {
        let cases: [(&str, &[&str]); 16] = [
            ("", &[]),
            ("   ", &[]),
            ("a  b\tc", &["a", "b", "c"]),
            (r#""C:\a b\c.exe" /x"#, &[r"C:\a b\c.exe", "/x"]),
            (
                r"C:\Program Files\a.exe -x",
                &[r"C:\Program Files\a.exe", "-x"],
            ),
            (r"C:\a.exe b.exe", &[r"C:\a.exe", "b.exe"]),
            (
                r"C:\Windows\system32\cmd /c C:\temp\x.exe",
                &[r"C:\Windows\system32\cmd", "/c", r"C:\temp\x.exe"],
            ),
            (
                r"C:\Windows\system32\cmd /c start notepad.exe",
                &[r"C:\Windows\system32\cmd", "/c", "start", "notepad.exe"],
            ),
            (r"C:\bin\run -x a.exe", &[r"C:\bin\run", "-x", "a.exe"]),
            (r"C:\bin\run C:\a b.exe", &[r"C:\bin\run", r"C:\a", "b.exe"]),
            (r"C:\no program here", &[r"C:\no", "program", "here"]),
            (r#"a --x="b c" d"#, &["a", "--x=b c", "d"]),
            (r#"a "b c"#, &["a", "b c"]),
            ("sh -c 'a b'", &["sh", "-c", "a b"]),
            ("it's fine", &["it's", "fine"]),
            (r#"""#, &[""]),
        ];
        for (line, tokens) in cases {
            assert_eq!(split(line), tokens, "{line}");
        }
    }

    #[test]
    fn the_program_is_the_last_part_of_its_path() {
        let cases = [
            (r"C:\Windows\CMD.EXE", "cmd.exe"),
            ("/usr/bin/ls", "ls"),
            ("ls", "ls"),
            (r"\", ""),
            ("", ""),
        ];
        for (path, name) in cases {
            assert_eq!(program(path), name);
        }
    }

    #[test]
    fn long_lines_end_somewhere() {
        assert_eq!(split(&"a ".repeat(1_000_000)).len(), MOST + 1);
        let letters: usize = split(&"\u{20ac}".repeat(100_000))
            .iter()
            .map(String::len)
            .sum();
        assert!(letters <= LONGEST);
    }
}
