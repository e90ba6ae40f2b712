//! Numbers that stand for texts.

use std::collections::HashMap;

/// Numbers for texts, in the order in which they first come.
#[derive(Debug, Default)]
pub struct Numbers {
    texts: Vec<String>,
    numbers: HashMap<String, u32>,
}

impl Numbers {
    /// The number of a text.
    pub fn of(&mut self, text: String) -> u32 {
        if let Some(number) = self.numbers.get(&text) {
            return *number;
        }
        let number = self.texts.len() as u32;
        self.texts.push(text.clone());
        self.numbers.insert(text, number);
        number
    }

    /// The text of a number; empty where it is none's.
    pub fn text(&self, number: u32) -> &str {
        self.texts.get(number as usize).map_or("", String::as_str)
    }

    /// All texts, in the order of their numbers.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(String::as_str)
    }
}
