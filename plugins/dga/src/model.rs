//! What a label is more like: a name that someone wrote, or one that an algorithm drew.
//!
//! Both sides are probabilities of the same characters, so their ratio is the weight of evidence, and it grows with the
//! label's length as it should: four odd letters are an acronym, fourteen are not.
//!
//! *Written*: characters follow each other as in the domains of Chromium's HSTS preload list (trigrams with interpolated
//! smoothing, after Jelinek and Mercer 1980), which their owners put there themselves. That n-grams of ordinary names
//! separate generated ones is Yadav et al. 2010 ("Detecting algorithmically generated malicious domain names"); the choice
//! of domains over a dictionary is because they are words run together, abbreviations, numbers, in all languages.
//!
//! *Generated*: one of four generators, each as likely: letters, letters with digits and `-`, hexadecimal digits, and
//! consonants and vowels in turn.
//!
//! The evidence is not taken at face value: characters that a trigram finds odd come together. A logistic regression of
//! the evidence and the length turns it into a probability; it was fitted on other domains of the list and on labels
//! generated in six shapes.

/// What a label is made of, and the edge before it: letters, a digit, `-`.
pub const SYMBOLS: usize = 29;

/// The symbols, as a table's lines name them; `.` is the edge, `0` any digit.
pub const NAMES: &[u8; SYMBOLS] = b".abcdefghijklmnopqrstuvwxyz0-";

/// How many steps of the table are one nat.
pub const STEPS: f64 = 6.0;

/// The character that stands for 0 steps in a table. Those after it stand for more, up to `~`.
pub const NONE: u8 = b'!';

/// Bytes of a table's line: two symbols, a space, a character for each symbol that may follow, a line feed.
pub const LINE: usize = 3 + SYMBOLS + 1;

/// Counted by `examples/train.rs`; the README says from what.
static SHIPPED: &str = include_str!("trigrams.txt");

/// What the regression gives evidence and length: a constant, a nat of evidence, a character. From `examples/train.rs`.
const FITTED: [f64; 3] = [-2.193, 0.425, 0.142];

/// A trigram model of labels.
#[derive(Clone, Copy, Debug)]
pub struct Model<'a> {
    table: &'a [u8],
}

/// A label weighed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weighed {
    /// Nats by which it is likelier generated than written.
    pub evidence: f64,
    /// Nats by which all of it is unexpected as a written name.
    pub written: f64,
    /// Its characters.
    pub length: usize,
}

impl Model<'static> {
    /// The one that comes with the plugin.
    pub fn shipped() -> Self {
        Model::new(SHIPPED)
    }
}

impl<'a> Model<'a> {
    /// A model of a table: a line for each two symbols in order, and in it a character for each third one, which says what
    /// that is unexpected by. What a table lacks costs nothing.
    pub fn new(table: &'a str) -> Self {
        Model {
            table: table.as_bytes(),
        }
    }

    /// Weighs a label of lower-case letters, digits and `-`; other characters count as the edge.
    pub fn weigh(&self, label: &str) -> Weighed {
        let (mut steps, mut digits) = (0_u32, 0_u32);
        let (mut before, mut last) = (0, 0);
        for byte in label.bytes() {
            let symbol = symbol(byte);
            steps += self.steps(before, last, symbol);
            digits += u32::from(byte.is_ascii_digit());
            (before, last) = (last, symbol);
        }
        // Which digit it is: each is as likely.
        let written = f64::from(steps) / STEPS + f64::from(digits) * 10_f64.ln();
        Weighed {
            evidence: written - generated(label),
            written,
            length: label.len(),
        }
    }

    /// What a symbol is unexpected by after two others, in steps.
    fn steps(&self, before: usize, last: usize, next: usize) -> u32 {
        let at = (before * SYMBOLS + last) * LINE + 3 + next;
        let character = self.table.get(at).copied().unwrap_or(NONE);
        u32::from(character.saturating_sub(NONE))
    }
}

impl Weighed {
    /// How likely it is generated, 0 to 1, if that is as common as not.
    pub fn score(&self) -> f64 {
        let [constant, evidence, length] = FITTED;
        let odds = constant + evidence * self.evidence + length * self.length as f64;
        1.0 / (1.0 + (-odds).exp())
    }

    /// Bits that a character is unexpected by; 0 of nothing.
    pub fn surprise(&self) -> f64 {
        match self.length {
            0 => 0.0,
            length => self.written / length as f64 / std::f64::consts::LN_2,
        }
    }
}

/// A character's place among [`NAMES`]: 0 is the edge.
pub fn symbol(byte: u8) -> usize {
    match byte {
        b'a'..=b'z' => usize::from(byte - b'a') + 1,
        b'0'..=b'9' => 27,
        b'-' => 28,
        _ => 0,
    }
}

/// Whether a character is a vowel; `y` is one.
pub fn is_vowel(byte: u8) -> bool {
    matches!(byte, b'a' | b'e' | b'i' | b'o' | b'u' | b'y')
}

/// Nats by which a label is unexpected from the generators.
fn generated(label: &str) -> f64 {
    let length = label.len() as f64;
    let all = |is: fn(u8) -> bool| label.bytes().all(is);
    let letters = all(|byte| byte.is_ascii_lowercase());
    let mut nats = vec![length * 37_f64.ln()];
    if letters {
        nats.push(length * 26_f64.ln());
    }
    if all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f')) {
        nats.push(length * 16_f64.ln());
    }
    if letters && alternates(label.as_bytes()) {
        // Each pair is one of 6 vowels and one of 20 consonants, and either may come first.
        nats.push(length / 2.0 * 120_f64.ln() + 2_f64.ln());
    }
    let least = nats.iter().copied().fold(f64::INFINITY, f64::min);
    let sum: f64 = nats.iter().map(|one| (least - one).exp()).sum();
    least - sum.ln() + 4_f64.ln()
}

fn alternates(letters: &[u8]) -> bool {
    letters
        .iter()
        .zip(letters.iter().skip(1))
        .all(|(one, next)| is_vowel(*one) != is_vowel(*next))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(label: &str) -> f64 {
        Model::shipped().weigh(label).score()
    }

    #[test]
    fn the_table_has_a_line_for_each_two_symbols() {
        let lines: Vec<&str> = SHIPPED.lines().collect();
        let pairs = NAMES.iter().flat_map(|one| NAMES.map(|two| (*one, two)));
        assert_eq!(lines.len(), SYMBOLS * SYMBOLS);
        for (line, (one, two)) in lines.iter().zip(pairs) {
            assert_eq!(line.len() + 1, LINE);
            assert!(line.bytes().all(|byte| matches!(byte, b' '..=b'~')));
            assert!(line.as_bytes().starts_with(&[one, two, b' ']), "{line}");
        }
    }

    #[test]
    fn a_table_that_is_none_gives_a_score_too() {
        for table in ["", "x", ".. \u{20ac}"] {
            assert!((0.0..=1.0).contains(&Model::new(table).weigh("example").score()));
        }
    }

    #[test]
    fn written_names_score_low() {
        let names = "google microsoft windowsupdate wikipedia stackoverflow amazon doubleclick cloudflare \
            trafficmanager azureedge office365 schwarzwald aftenposten gstatic my-company-portal univ-paris1";
        for name in names.split_whitespace() {
            assert!(score(name) < 0.5, "{name}: {}", score(name));
        }
    }

    #[test]
    fn generated_names_score_high() {
        // Letters, letters and digits, hexadecimal, consonants and vowels in turn.
        let names = "xjwqpfkzbvtr qhvyzkpwtgxm kqzjxvbwplmtrq 9f86d081884c7d65 d41d8cd98f00b204 \
            1q8xk29fjz0w7v3m5 zukxd6fkxqn qewuzoxifyjav";
        for name in names.split_whitespace() {
            assert!(score(name) > 0.9, "{name}: {}", score(name));
        }
    }

    #[test]
    fn short_labels_are_not_condemned() {
        for name in ["xkcd", "hbr", "bbc", "t", "1e", ""] {
            assert!(score(name) < 0.9, "{name}: {}", score(name));
        }
    }

    #[test]
    fn any_text_has_a_score() {
        for name in ["\u{0}", "\u{10ffff}", "----", &"a".repeat(100_000)] {
            assert!((0.0..=1.0).contains(&score(name)));
        }
    }
}
