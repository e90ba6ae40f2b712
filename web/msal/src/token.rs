//! Text that must not be shown.

use std::fmt;

use zeroize::Zeroizing;

/// An access token. It is erased from this module's memory when it is dropped, and no formatting shows it; the browser has copies
/// that nothing can erase.
#[derive(Clone)]
pub struct Token {
    text: Zeroizing<String>,
    expires: f64,
}

impl Token {
    pub(crate) fn new(text: String, expires: f64) -> Self {
        Token {
            text: Zeroizing::new(text),
            expires,
        }
    }

    /// The text, for the one request that carries it.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// When it ends by this computer's clock, in milliseconds since 1970.
    pub fn expires(&self) -> f64 {
        self.expires
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_not_shown() {
        let token = Token::new("canary".to_owned(), 0.0);
        assert_eq!(format!("{token:?}"), "Token(..)");
        assert_eq!(token.expose(), "canary");
    }
}
