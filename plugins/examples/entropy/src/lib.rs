//! The smallest plugin: the Shannon entropy of a column of text. The same in C and in AssemblyScript lies beside it.

use spoor_plugin::{Input, Output, function, plugin};

/// A row of the input.
#[derive(Input)]
pub struct Text<'a> {
    /// The text to measure.
    pub text: &'a str,
}

/// A row of the answer.
#[derive(Output)]
pub struct Entropy {
    /// Bits for each byte of the text, 0 to 8.
    pub entropy: f64,
}

/// Shannon entropy of text.
///
/// High for what looks random: keys, packed payloads, generated names. Bytes are counted, not characters; the entropy of
/// empty text is 0.
#[function]
pub fn entropy(row: Text<'_>) -> Entropy {
    let mut counts = [0u32; 256];
    for byte in row.text.bytes() {
        counts[usize::from(byte)] += 1;
    }
    let total = row.text.len() as f64;
    let terms = counts.iter().filter(|count| **count > 0).map(|count| {
        let share = f64::from(*count) / total;
        -share * share.log2()
    });
    Entropy {
        entropy: terms.fold(0.0, |sum, term| sum + term),
    }
}

plugin! {
    name: "entropy",
    functions: [entropy],
}
