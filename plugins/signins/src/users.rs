//! Users by name.

use std::collections::HashMap;

/// Users' numbers, in the order in which they first come. Letters of ASCII are the same in either case: one account's rows
/// may have it as a directory spells it, as the user typed it, or as an application does.
#[derive(Debug, Default)]
pub struct Users<'a> {
    /// By the name as it came, so that most need no folding. Looked up only: their order never shows.
    exact: HashMap<&'a str, usize>,
    folded: HashMap<String, usize>,
}

impl<'a> Users<'a> {
    /// The number of a user; `None` of an empty name, which is a missing one.
    pub fn number(&mut self, name: &'a str) -> Option<usize> {
        if name.is_empty() {
            return None;
        }
        if let Some(number) = self.exact.get(name) {
            return Some(*number);
        }
        let next = self.folded.len();
        let number = *self.folded.entry(name.to_ascii_lowercase()).or_insert(next);
        self.exact.insert(name, number);
        Some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_the_same_in_either_case() {
        let mut users = Users::default();
        let numbers = [
            "Ann@x.example",
            "",
            "bob",
            "ann@X.example",
            "BOB",
            "\u{c4}nn",
            "\u{e4}nn",
        ];
        let numbers = numbers.map(|name| users.number(name));
        let expected = [Some(0), None, Some(1), Some(0), Some(1), Some(2), Some(3)];
        assert_eq!(numbers, expected);
    }
}
