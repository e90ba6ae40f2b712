//! Generated domains: malware that makes up the names of its servers makes them up of letters, and people do not.
//!
//! [`domain`] finds the label that someone registered, [`model`] weighs how people write names against how algorithms do.
//! `examples/train.rs` makes the model's table.

pub mod domain;
pub mod model;

use spoor_plugin::{Input, Output, function, plugin};

use crate::model::Model;

/// A name that was asked for.
#[derive(Input)]
pub struct Name<'a> {
    /// A domain, or a URL with one.
    pub domain: &'a str,
}

/// How a domain looks.
#[derive(Clone, Debug, Output, PartialEq)]
pub struct Look {
    /// The label that was judged: the one that was registered, in lower case. Null where there is none to judge: addresses,
    /// names without a dot, names in other scripts.
    pub label: Option<String>,
    /// 0 to 1: how likely an algorithm made it up, if generated names were as common as others. Null without a label.
    pub score: Option<f64>,
    /// Bits that a character of it is unexpected by, to one who knows names: about 3 for written ones, 5 and more for
    /// generated ones. Null without a label.
    pub surprise: Option<f64>,
    /// Characters of the label. Null without one.
    pub length: Option<i64>,
    /// The share of digits in it, 0 to 1. Null without a label.
    pub digits: Option<f64>,
    /// The share of vowels (with y) among its letters, 0 to 1. Null without letters.
    pub vowels: Option<f64>,
}

/// Scores domains by how likely an algorithm made them up.
///
/// The label under the public suffix is judged: `example` of `www.example.co.uk`. The score weighs what a trigram model of
/// some 72,500 registered domains thinks of it against generators of letters, of letters and digits, of hexadecimal digits and
/// of alternating consonants and vowels. Generators that join words are not found, and labels of fewer than seven
/// characters hardly ever reach 0.9.
#[function]
pub fn dga(row: Name<'_>) -> Look {
    let Some(label) = domain::registered(row.domain) else {
        return Look {
            label: None,
            score: None,
            surprise: None,
            length: None,
            digits: None,
            vowels: None,
        };
    };
    let weighed = Model::shipped().weigh(&label);
    let length = label.len() as f64;
    let digits = count(&label, |byte| byte.is_ascii_digit());
    let letters = count(&label, |byte| byte.is_ascii_alphabetic());
    Look {
        score: Some(weighed.score()),
        surprise: Some(weighed.surprise()),
        length: Some(label.len() as i64),
        digits: Some(digits / length),
        vowels: (letters > 0.0).then(|| count(&label, model::is_vowel) / letters),
        label: Some(label),
    }
}

fn count(label: &str, is: impl Fn(u8) -> bool) -> f64 {
    label.bytes().filter(|byte| is(*byte)).count() as f64
}

plugin! {
    name: "dga",
    functions: [dga],
}
