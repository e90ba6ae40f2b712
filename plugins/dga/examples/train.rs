//! Makes `src/trigrams.txt`, and fits and measures what the model's score is made of:
//!
//! `cargo run --release -p spoor-plugin-dga --example train -- hstspreload.bin trigrams.txt`
//!
//! `hstspreload.bin` is Chromium's HSTS preload list as the package `hstspreload` on PyPI has it (version 2025.1.1,
//! BSD 3-Clause). Half of its labels are counted, a quarter is what the regression is fitted on, a quarter is what the
//! false positives are measured on. The same list gives the same bytes and figures.

#![allow(clippy::print_stdout)]

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::Write;

use spoor_plugin_dga::domain;
use spoor_plugin_dga::model::{Model, NAMES, NONE, STEPS, SYMBOLS, is_vowel, symbol};

/// How much a shorter context counts against what was seen in a longer one.
const SMOOTHING: f64 = 20.0;

/// Labels of each shape, to fit and to measure.
const OF_A_SHAPE: usize = 1000;

/// The weight of the penalty on the weights, of values with variance 1.
const RIDGE: f64 = 0.001;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [list, table] = arguments.as_slice() else {
        return Err("give hstspreload.bin, and the file to write".into());
    };
    let [counted, fitted, kept] = parts(&std::fs::read(list)?);
    println!("labels: {} counted, {} fitted", counted.len(), fitted.len());
    let text = written(&table_of(&counted));
    std::fs::write(table, &text)?;
    let model = Model::new(&text);
    println!("weights: {:?}", fit(&model, &fitted));
    println!("with the weights that model.rs has now, share over 0.5 and over 0.9:");
    measure("kept labels", &model, &kept);
    let mut draw = Draw::new(2);
    for shape in FITTED.iter().chain(KEPT) {
        measure(shape.name, &model, &draw.labels(shape));
    }
    let words: Vec<&String> = kept.iter().filter(|word| word.len() <= 9).collect();
    let two = (0..OF_A_SHAPE).map(|_| {
        let mut one = || words[draw.below(words.len())].as_str();
        one().to_owned() + one()
    });
    measure("two labels joined", &model, &two.collect::<Vec<_>>());
    Ok(())
}

/// The list's registered labels: half to count, a quarter to fit, a quarter to measure.
fn parts(list: &[u8]) -> [Vec<String>; 3] {
    let labels: BTreeSet<String> = domains(list)
        .filter_map(|domain| domain::registered(&domain))
        .filter(|label| label.len() > 3)
        .collect();
    let mut labels: Vec<String> = labels.into_iter().collect();
    labels.sort_by_key(|label| hash(label));
    let fitted = labels.split_off(labels.len() / 2);
    let (fitted, kept) = fitted.split_at(fitted.len() / 2);
    [labels, fitted.to_vec(), kept.to_vec()]
}

/// What the list's file holds: flags (128: a whole domain), a length, and that many bytes, again and again.
fn domains(list: &[u8]) -> impl Iterator<Item = String> {
    let mut rest = list;
    std::iter::from_fn(move || {
        let [flags, length, after @ ..] = rest else {
            return None;
        };
        let (name, after) = after.split_at_checked(usize::from(*length))?;
        rest = after;
        Some((flags & 128 != 0, String::from_utf8_lossy(name).into_owned()))
    })
    .filter_map(|(whole, name)| whole.then_some(name))
}

/// FNV-1a and a finaliser, for an order that is the same everywhere and not the alphabet's.
fn hash(text: &str) -> u64 {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    });
    (hash ^ hash >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// For each three symbols, how likely the third is after the other two.
fn table_of(labels: &[String]) -> Vec<f64> {
    let mut three = vec![0.0; SYMBOLS * SYMBOLS * SYMBOLS];
    let mut two = vec![0.0; SYMBOLS * SYMBOLS];
    let mut one = [1.0; SYMBOLS];
    for label in labels {
        let (mut before, mut last) = (0, 0);
        for next in label.bytes().map(symbol).chain([0]) {
            three[(before * SYMBOLS + last) * SYMBOLS + next] += 1.0;
            two[last * SYMBOLS + next] += 1.0;
            one[next] += 1.0;
            (before, last) = (last, next);
        }
    }
    let one = smooth(&one, |_| 0.0);
    let two = smooth(&two, |at| one[at % SYMBOLS]);
    smooth(&three, |at| two[at % (SYMBOLS * SYMBOLS)])
}

/// Shares in each row of counts, drawn towards those of a shorter context.
fn smooth(counts: &[f64], shorter: impl Fn(usize) -> f64) -> Vec<f64> {
    let mut shares = Vec::with_capacity(counts.len());
    for row in counts.chunks(SYMBOLS) {
        let total: f64 = row.iter().sum();
        for count in row {
            let drawn = shorter(shares.len());
            shares.push((count + SMOOTHING * drawn) / (total + SMOOTHING));
        }
    }
    shares
}

/// A table as text: a line for each two symbols.
fn written(shares: &[f64]) -> String {
    let mut text = String::new();
    for (at, row) in shares.chunks(SYMBOLS).enumerate() {
        let name = |at: usize| char::from(NAMES[at % SYMBOLS]);
        let _ = write!(text, "{}{} ", name(at / SYMBOLS), name(at));
        for share in row {
            let steps = (-share.ln() * STEPS).round();
            text.push(char::from(
                NONE + steps.clamp(0.0, f64::from(b'~' - NONE)) as u8,
            ));
        }
        text.push('\n');
    }
    text
}

fn measure(what: &str, model: &Model<'_>, labels: &[String]) {
    let over = |least: f64| {
        let over = labels
            .iter()
            .filter(|label| model.weigh(label).score() > least);
        100.0 * over.count() as f64 / labels.len() as f64
    };
    let (likely, sure) = (over(0.5), over(0.9));
    println!("{what}: {likely:.1}% {sure:.1}% of {}", labels.len());
}

/// Logistic regression of evidence and length, by Newton's method; both classes weigh the same.
fn fit(model: &Model<'_>, labels: &[String]) -> [f64; 3] {
    let mut draw = Draw::new(1);
    let generated: Vec<String> = FITTED.iter().flat_map(|shape| draw.labels(shape)).collect();
    let sample = |label: &String, class: f64| {
        let weighed = model.weigh(label);
        ([1.0, weighed.evidence, weighed.length as f64], class)
    };
    let names = labels.iter().take(generated.len());
    let mut samples: Vec<([f64; 3], f64)> = names.map(|label| sample(label, 0.0)).collect();
    samples.extend(generated.iter().map(|label| sample(label, 1.0)));
    let ridge = ridge(&samples);
    let mut weights = [0.0; 3];
    for _ in 0..40 {
        let (mut slope, mut curve) = ([0.0; 3], [[0.0; 3]; 3]);
        for (values, class) in &samples {
            let odds: f64 = values
                .iter()
                .zip(&weights)
                .map(|(value, weight)| value * weight)
                .sum();
            let share = 1.0 / (1.0 + (-odds).exp());
            for (row, value) in values.iter().enumerate() {
                slope[row] += (class - share) * value;
                for (column, other) in values.iter().enumerate() {
                    curve[row][column] += share * (1.0 - share) * value * other;
                }
            }
        }
        for (at, ridge) in ridge.iter().enumerate() {
            slope[at] -= ridge * weights[at];
            curve[at][at] += ridge;
        }
        let step = solve(curve, slope);
        weights
            .iter_mut()
            .zip(step)
            .for_each(|(weight, by)| *weight += by);
    }
    weights
}

/// What holds each weight but the constant's down: real generators are not quite as these, so the sharpest line between
/// the two would be too sure of itself.
fn ridge(samples: &[([f64; 3], f64)]) -> [f64; 3] {
    let total = samples.len() as f64;
    let mut ridge = [0.0; 3];
    for (at, ridge) in ridge.iter_mut().enumerate() {
        let mean = samples.iter().map(|(values, _)| values[at]).sum::<f64>() / total;
        let squares = samples
            .iter()
            .map(|(values, _)| (values[at] - mean).powi(2));
        *ridge = RIDGE * squares.sum::<f64>();
    }
    ridge
}

/// Solves three equations by elimination.
// Two rows are read at once, which iterators make no clearer.
#[allow(clippy::needless_range_loop)]
fn solve(mut of: [[f64; 3]; 3], mut right: [f64; 3]) -> [f64; 3] {
    for row in 0..3 {
        for other in 0..3 {
            if other != row {
                let by = of[other][row] / of[row][row];
                for column in 0..3 {
                    of[other][column] -= by * of[row][column];
                }
                right[other] -= by * right[row];
            }
        }
    }
    [
        right[0] / of[0][0],
        right[1] / of[1][1],
        right[2] / of[2][2],
    ]
}

/// How a family's labels look: an alphabet, and the least and the most characters.
struct Shape {
    name: &'static str,
    /// Without any, consonants and vowels in turn.
    alphabet: &'static str,
    least: usize,
    most: usize,
}

const fn shape(name: &'static str, alphabet: &'static str, least: usize, most: usize) -> Shape {
    Shape {
        name,
        alphabet,
        least,
        most,
    }
}

const AY: &str = "abcdefghijklmnopqrstuvwxy";
const AZ: &str = "abcdefghijklmnopqrstuvwxyz";
const HEX: &str = "0123456789abcdef";
const AZ09: &str = "abcdefghijklmnopqrstuvwxyz0123456789";

/// Shapes that the regression is fitted on.
const FITTED: &[Shape] = &[
    shape("letters, 5 to 11 (conficker)", AZ, 5, 11),
    shape("letters, 5 to 17 (locky)", AY, 5, 17),
    shape("letters, 8 to 25 (qakbot)", AZ, 8, 25),
    shape("hexadecimal, 16", HEX, 16, 16),
    shape("letters and digits, 12 to 23", AZ09, 12, 23),
    shape("consonants and vowels in turn, 8 to 14", "", 8, 14),
];

/// Shapes that it is not fitted on.
const KEPT: &[Shape] = &[
    shape("letters, 4 to 8", AZ, 4, 8),
    shape("letters, 7 to 21 (necurs)", AZ, 7, 21),
    shape("letters, 8 to 19 (ramnit)", AY, 8, 19),
    shape("letters, 12 (tinba)", AZ, 12, 12),
    shape("hexadecimal, 8", HEX, 8, 8),
    shape("hexadecimal, 32", HEX, 32, 32),
    shape("letters and digits, 8 to 12", AZ09, 8, 12),
    shape("letters and digits, 18 to 28 (newgoz)", AZ09, 18, 28),
    shape("consonants and vowels in turn, 6 to 10", "", 6, 10),
];

/// Marsaglia's xorshift64.
struct Draw(u64);

impl Draw {
    fn new(seed: u64) -> Self {
        Draw(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % end
    }

    fn labels(&mut self, shape: &Shape) -> Vec<String> {
        (0..OF_A_SHAPE).map(|_| self.label(shape)).collect()
    }

    fn label(&mut self, shape: &Shape) -> String {
        let length = shape.least + self.below(shape.most - shape.least + 1);
        let first = self.below(2);
        let (vowels, consonants): (Vec<u8>, Vec<u8>) =
            (b'a'..=b'z').partition(|letter| is_vowel(*letter));
        let character = |at: usize| {
            let from = match (shape.alphabet.is_empty(), (at + first) % 2) {
                (false, _) => shape.alphabet.as_bytes(),
                (true, 0) => &vowels,
                (true, _) => &consonants,
            };
            char::from(from[self.below(from.len())])
        };
        (0..length).map(character).collect()
    }
}
