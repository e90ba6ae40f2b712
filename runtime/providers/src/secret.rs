//! Text that is shown to nobody.

use std::fmt;

use zeroize::Zeroizing;

/// Characters of a secret by which its copies are found, so that one that was cut off is found too.
const TELLING: usize = 12;

/// What stands in a secret's place.
const HIDDEN: &str = "[token]";

/// A token. It is never printed, and its memory is overwritten when it is dropped; the copies that a connection makes of it while it is
/// sent are not.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a text over.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text. It belongs into a request's header and nowhere else.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// `text` without this secret, whole or cut off at its end: a server may send back what it was sent.
    pub fn hide_in(&self, text: &str) -> String {
        let secret = self.expose();
        let telling = secret
            .char_indices()
            .nth(TELLING)
            .map_or(secret, |(end, _)| &secret[..end]);
        let mut told = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find(telling).filter(|_| !telling.is_empty()) {
            told.push_str(&rest[..at]);
            told.push_str(HIDDEN);
            rest = after(&rest[at..], secret);
        }
        told.push_str(rest);
        told
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// What follows as much of the secret as `text` begins with.
fn after<'a>(text: &'a str, secret: &str) -> &'a str {
    let mut both = text.char_indices().zip(secret.chars());
    let end = both.find(|((_, own), other)| own != other);
    let end = end.map_or(secret.len().min(text.len()), |((at, _), _)| at);
    text.get(end..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_not_shown() {
        let secret = Secret::new("correct horse battery staple");
        assert_eq!(
            format!("{secret:?} {:#?}", Some(&secret)).find("horse"),
            None
        );
        for (text, told) in [
            ("no secret", "no secret"),
            ("a correct horse battery staple.", "a [token]."),
            ("a correct horse bat", "a [token]"),
            ("correct horse, correct horse battery!", "[token], [token]!"),
        ] {
            assert_eq!(secret.hide_in(text), told);
        }
        assert_eq!(Secret::new("").hide_in("all"), "all");
        assert_eq!(Secret::new("abc").hide_in("xabcabcy"), "x[token][token]y");
    }
}
