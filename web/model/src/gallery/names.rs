//! Names of the user's files: what is refused, and a free one where a name is taken.

/// The longest name in bytes; file systems allow 255.
pub const MAX_NAME_BYTES: usize = 200;

const EXTENSION: &str = ".ipynb";

/// Why a name cannot be a file's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// There is nothing in it.
    #[error("a notebook needs a name: type one")]
    Empty,
    /// It is too long.
    #[error("the name is {0} bytes long; {MAX_NAME_BYTES} is the most: shorten it")]
    Long(usize),
    /// A character that some file system does not take.
    #[error("the name holds {0:?}, which no file's name can: leave it out")]
    Character(char),
    /// It begins with a dot, or begins or ends with a blank, or ends with a dot.
    #[error("the name begins with a dot, or begins or ends with a blank or a dot: take it off")]
    Edge,
    /// Some systems keep the name to themselves.
    #[error(
        "Windows keeps the name {0:?} to itself: choose another, so that the file can be taken there"
    )]
    Reserved(String),
}

/// Whether a name can be a file's on every system that a notebook may be taken to.
///
/// # Errors
/// With what stands against it.
pub fn check_name(name: &str) -> Result<(), NameError> {
    let stem = name.strip_suffix(EXTENSION).unwrap_or(name);
    if stem.is_empty() {
        return Err(NameError::Empty);
    }
    if let Some(bad) = name.chars().find(|c| is_refused(*c)) {
        return Err(NameError::Character(bad));
    }
    let blank = |c: char| c.is_whitespace();
    if name.starts_with('.')
        || stem.starts_with(blank)
        || stem.ends_with(blank)
        || name.ends_with('.')
    {
        return Err(NameError::Edge);
    }
    let device = name.split('.').next().unwrap_or_default().trim_end();
    if is_device(device) {
        return Err(NameError::Reserved(device.to_owned()));
    }
    if name.len() > MAX_NAME_BYTES {
        return Err(NameError::Long(name.len()));
    }
    Ok(())
}

/// Path separators, what Windows refuses, control characters, and marks that turn the direction of
/// text around, by which a name can look like another.
fn is_refused(c: char) -> bool {
    matches!(c, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|')
        || c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

fn is_device(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let numbered = |prefix: &str| {
        let number = name.strip_prefix(prefix);
        number.is_some_and(|n| matches!(n.as_bytes(), [b'1'..=b'9']))
    };
    matches!(name.as_str(), "CON" | "PRN" | "AUX" | "NUL") || numbered("COM") || numbered("LPT")
}

/// A name as the user typed it, with `.ipynb` at its end and no blanks around it.
///
/// # Errors
/// As [`check_name`].
pub fn notebook_name(typed: &str) -> Result<String, NameError> {
    let typed = typed.trim();
    let name = match has_extension(typed) {
        true => typed.to_owned(),
        false if typed.is_empty() => return Err(NameError::Empty),
        false => format!("{typed}{EXTENSION}"),
    };
    check_name(&name)?;
    Ok(name)
}

fn has_extension(name: &str) -> bool {
    let start = name.len().checked_sub(EXTENSION.len());
    let end = start.and_then(|start| name.get(start..));
    end.is_some_and(|end| end.eq_ignore_ascii_case(EXTENSION))
}

/// A name that none of `existing` has: the wanted one, else with ` (2)`, ` (3)` ... before its
/// extension. Names that differ in case only count as taken, since some systems do not tell them
/// apart.
pub fn copy_name<S: AsRef<str>>(wanted: &str, existing: &[S]) -> String {
    let taken: std::collections::HashSet<String> = existing
        .iter()
        .map(|name| name.as_ref().to_lowercase())
        .collect();
    if !taken.contains(&wanted.to_lowercase()) {
        return wanted.to_owned();
    }
    let (stem, extension) = match wanted.rfind('.').filter(|at| *at > 0) {
        Some(at) => wanted.split_at(at),
        None => (wanted, ""),
    };
    let stem = without_number(stem);
    let mut number: u64 = 2;
    loop {
        let suffix = format!(" ({number}){extension}");
        let name = format!(
            "{}{suffix}",
            shortened(stem, MAX_NAME_BYTES.saturating_sub(suffix.len()))
        );
        if !taken.contains(&name.to_lowercase()) {
            return name;
        }
        number += 1;
    }
}

/// `hunt (2)` without its number, so that its copy is `hunt (3)`.
fn without_number(stem: &str) -> &str {
    let inner = stem
        .strip_suffix(')')
        .and_then(|rest| rest.rsplit_once(" ("));
    match inner {
        Some((name, digits))
            if !name.is_empty()
                && !digits.is_empty()
                && digits.bytes().all(|b| b.is_ascii_digit()) =>
        {
            name
        }
        _ => stem,
    }
}

fn shortened(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].trim_end()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_that_files_can_have() {
        for name in [
            "a.ipynb",
            "Hunt 7 (2).ipynb",
            "Überfall.ipynb",
            "日本.ipynb",
            "a.b.ipynb",
            "con-1.ipynb",
            "COM0.ipynb",
        ] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn names_that_files_cannot_have() {
        let refused = |name: &str| check_name(name).unwrap_err();
        assert_eq!(refused(""), NameError::Empty);
        assert_eq!(refused(".ipynb"), NameError::Empty);
        assert_eq!(refused("../x.ipynb"), NameError::Character('/'));
        assert_eq!(refused("a\\b.ipynb"), NameError::Character('\\'));
        assert_eq!(refused("a\u{0}.ipynb"), NameError::Character('\0'));
        assert_eq!(refused("a\n.ipynb"), NameError::Character('\n'));
        assert_eq!(
            refused("a\u{202e}bnypi.exe"),
            NameError::Character('\u{202e}')
        );
        assert_eq!(refused("..ipynb"), NameError::Edge);
        assert_eq!(refused(".."), NameError::Edge);
        assert_eq!(refused("a .ipynb"), NameError::Edge);
        assert_eq!(refused("nul.ipynb"), NameError::Reserved("nul".into()));
        assert_eq!(refused("LPT9"), NameError::Reserved("LPT9".into()));
        assert_eq!(refused(&"é".repeat(150)), NameError::Long(300));
    }

    #[test]
    fn a_typed_name_becomes_a_file_name() {
        assert_eq!(notebook_name("  hunt ").unwrap(), "hunt.ipynb");
        assert_eq!(notebook_name("hunt.IPYNB").unwrap(), "hunt.IPYNB");
        assert_eq!(notebook_name("v1.2").unwrap(), "v1.2.ipynb");
        assert_eq!(notebook_name(" "), Err(NameError::Empty));
        assert_eq!(notebook_name("a/b"), Err(NameError::Character('/')));
    }

    #[test]
    fn a_taken_name_gets_a_number() {
        let taken = ["a.ipynb", "a (2).ipynb", "B.ipynb", "plain", "(2).ipynb"];
        let copy = |wanted| copy_name(wanted, &taken);
        assert_eq!(copy("new.ipynb"), "new.ipynb");
        assert_eq!(copy("a.ipynb"), "a (3).ipynb");
        assert_eq!(copy("a (2).ipynb"), "a (3).ipynb");
        assert_eq!(copy("b.ipynb"), "b (2).ipynb");
        assert_eq!(copy("plain"), "plain (2)");
        assert_eq!(copy("(2).ipynb"), "(2) (2).ipynb");
    }

    #[test]
    fn a_copy_is_no_longer_than_a_name_may_be() {
        let long = format!("{}.ipynb", "é".repeat(97));
        let copy = copy_name(&long, &[long.clone()]);
        assert!(copy.ends_with(" (2).ipynb"), "{copy}");
        assert_eq!(check_name(&copy), Ok(()));
        assert_ne!(copy, long);
    }
}
