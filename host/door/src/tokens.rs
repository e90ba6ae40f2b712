//! Static bearer tokens. Only their hashes are kept, and all of them are compared whatever the first says.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Bytes of a SHA-256.
const HASH: usize = 32;

/// Who may ask.
#[derive(Clone, Default)]
pub struct Tokens(Vec<(String, [u8; HASH])>);

/// Why a file of tokens cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It cannot be read.
    #[error("cannot read the tokens of {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line is none of a name and a hash.
    #[error(
        "line {0} of the tokens is not `NAME SHA256`: write a name, a blank, and the 64 hexadecimal digits of \
         the token's SHA-256, as `printf %s TOKEN | sha256sum` gives them"
    )]
    Line(usize),
    /// It names nobody, so that nobody could ask.
    #[error("the file of tokens names nobody")]
    Empty,
}

impl Tokens {
    /// Reads a file: a name and the SHA-256 of a token on each line; empty lines and those that begin with `#` say nothing.
    ///
    /// # Errors
    /// When it cannot be read, or says something else.
    pub fn open(path: &Path) -> Result<Self, TokenError> {
        let text = std::fs::read_to_string(path).map_err(|source| TokenError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::read(&text)
    }

    /// Reads a file's text: see [`Tokens::open`].
    ///
    /// # Errors
    /// When it says something else.
    pub fn read(text: &str) -> Result<Self, TokenError> {
        let mut tokens = Vec::new();
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            tokens.push(entry(line).ok_or(TokenError::Line(at + 1))?);
        }
        if tokens.is_empty() {
            return Err(TokenError::Empty);
        }
        Ok(Self(tokens))
    }

    /// Those of names, with the hexadecimal SHA-256 of the token of each; the name of one whose hash is none, otherwise.
    pub(crate) fn of<'n>(
        entries: impl Iterator<Item = (&'n str, &'n str)>,
    ) -> Result<Self, &'n str> {
        let entries = entries.map(|(name, hex)| match hash(hex) {
            Some(hash) => Ok((name.to_owned(), hash)),
            None => Err(name),
        });
        entries.collect::<Result<_, _>>().map(Self)
    }

    /// Whether somebody has this token. Takes as long wherever it differs.
    pub fn knows(&self, token: &str) -> bool {
        self.who(token).is_some()
    }

    /// The name of whoever has this token. Takes as long wherever it differs.
    pub fn who(&self, token: &str) -> Option<&str> {
        let hash: [u8; HASH] = Sha256::digest(token.as_bytes()).into();
        let mut found = None;
        for (name, own) in &self.0 {
            if own.ct_eq(&hash).into() {
                found = Some(name.as_str());
            }
        }
        found
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

fn entry(line: &str) -> Option<(String, [u8; HASH])> {
    let (name, hex) = line.split_once(char::is_whitespace)?;
    Some((name.to_owned(), hash(hex.trim())?))
}

fn hash(hex: &str) -> Option<[u8; HASH]> {
    if hex.len() != 2 * HASH || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut hash = [0; HASH];
    for (at, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The SHA-256 of `secret`.
    const SECRET: &str = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";

    #[test]
    fn a_token_is_known_by_its_hash() {
        let tokens = Tokens::read(&format!("# who\n\nana {SECRET}\n")).unwrap();
        assert!(tokens.knows("secret") && tokens.who("secret") == Some("ana"));
        assert!(!tokens.knows("Secret") && !tokens.knows("") && !tokens.knows(SECRET));
        assert_eq!(format!("{tokens:?}"), "[\"ana\"]");
    }

    #[test]
    fn other_lines_are_refused() {
        for text in ["ana", "ana secret", "ana zz", &format!("ana {SECRET}0")] {
            let read = Tokens::read(&format!("\n{text}"));
            assert!(matches!(read, Err(TokenError::Line(2))), "{text}");
        }
        assert!(matches!(Tokens::read("#\n"), Err(TokenError::Empty)));
    }
}
