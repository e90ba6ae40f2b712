//! Inputs for a function, made from its manifest alone: ordinary values, and those that programs trip over.
//!
//! Everything is drawn from a seed by SplitMix64, so a run can be repeated. An input is one that the ABI allows.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Decimal128Array, Float64Array, Int32Array, Int64Array, StringArray,
};
use serde_json::{Value, json};
use spoor_plugin_abi::{CallHeader, Function, InputMode, Type, encode_frame};
use spoor_table::ticks;

use super::super::Failure;
use spoor_plugins::stream;

/// A source of numbers: SplitMix64 (Steele, Lea, Flood 2014).
pub(super) struct Draw(u64);

impl Draw {
    /// The numbers of a run of a seed.
    pub(super) fn new(seed: u64, run: u64) -> Self {
        let mut draw = Draw(seed);
        let start = draw.next() ^ run.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        Draw(start)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Below `end`, which is not 0.
    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn of<T: Copy>(&mut self, all: &[T], other: T) -> T {
        all.get(self.below(all.len())).copied().unwrap_or(other)
    }
}

/// An input: a call's frame, and what is to be said of it.
pub(super) struct Input {
    /// The columns, by parameter.
    pub columns: Vec<(String, ArrayRef)>,
    /// Rows of the table; 0 where there is none.
    pub rows: usize,
    header: CallHeader,
    has_table: bool,
}

impl Input {
    /// The call's frame for some of the rows.
    pub(super) fn frame(&self, start: usize, rows: usize) -> Result<Vec<u8>, Failure> {
        let header =
            serde_json::to_vec(&self.header).map_err(|e| Failure::Engine(e.to_string()))?;
        let too_large = |e: spoor_plugin_abi::FrameError| Failure::Engine(e.to_string());
        if !self.has_table {
            return encode_frame(&header, &[]).map_err(too_large);
        }
        let columns: Vec<(&str, ArrayRef)> = self
            .columns
            .iter()
            .map(|(name, array)| (name.as_str(), array.slice(start, rows)))
            .collect();
        encode_frame(&header, &[&stream(&columns, rows)?]).map_err(too_large)
    }

    /// In a few words: `7 rows, {"least":0.5}`.
    pub(super) fn words(&self) -> String {
        format!(
            "{} rows, options {}",
            self.rows,
            json!(self.header.arguments)
        )
    }
}

/// The input of a run. Run 0 has no rows and every default, run 1 one row.
pub(super) fn input(function: &Function, seed: u64, run: u64) -> Input {
    let mut draw = Draw::new(seed, run);
    let rows = match (function.input, run) {
        (InputMode::None, _) | (_, 0) => 0,
        (_, 1) => 1,
        _ if draw.one_in(4) => draw.below(3_000),
        _ => draw.of(&[1, 2, 3, 7, 8, 9, 63, 64, 65, 255, 1_000], 1),
    };
    let nulls = draw.of(
        &[Nulls::None, Nulls::Some, Nulls::Some, Nulls::All],
        Nulls::None,
    );
    let mut columns = Vec::new();
    for column in function.columns() {
        if column.default.is_some() && run != 0 && draw.one_in(3) {
            continue;
        }
        let ty = draw.of(&column.types.to_vec(), Type::String);
        columns.push((column.name.clone(), array(&mut draw, ty, rows, nulls)));
    }
    Input {
        columns,
        rows,
        header: CallHeader {
            function: function.name.clone(),
            arguments: arguments(function, &mut draw, run == 0),
        },
        has_table: function.input != InputMode::None,
    }
}

fn arguments(function: &Function, draw: &mut Draw, plain: bool) -> BTreeMap<String, Value> {
    function
        .options()
        .map(|option| {
            let ty = draw.of(&option.types.to_vec(), Type::String);
            let value = match &option.default {
                Some(default) if plain || !draw.one_in(3) => default.clone(),
                _ => value(draw, ty),
            };
            (option.name.clone(), value)
        })
        .collect()
}

#[derive(Clone, Copy)]
enum Nulls {
    None,
    Some,
    All,
}

fn array(draw: &mut Draw, ty: Type, rows: usize, nulls: Nulls) -> ArrayRef {
    macro_rules! fill {
        ($array:ty, $one:expr) => {
            Arc::new(<$array>::from_iter((0..rows).map(|_| {
                let null = match nulls {
                    Nulls::None => false,
                    Nulls::Some => draw.one_in(4),
                    Nulls::All => true,
                };
                (!null).then(|| $one(&mut *draw))
            })))
        };
    }
    match ty {
        Type::Bool => fill!(BooleanArray, |draw: &mut Draw| draw.one_in(2)),
        Type::Int => fill!(Int32Array, int),
        Type::Long => fill!(Int64Array, long),
        Type::TimeSpan => fill!(Int64Array, long),
        Type::DateTime => fill!(Int64Array, datetime),
        Type::Real => fill!(Float64Array, real),
        Type::String => fill!(StringArray, text),
        Type::Guid => fill!(StringArray, guid),
        Type::Dynamic => fill!(StringArray, |draw: &mut Draw| dynamic(draw).to_string()),
        Type::Decimal => {
            let values: Arc<Decimal128Array> = fill!(Decimal128Array, decimal);
            let numbers = Decimal128Array::clone(&values);
            // Its digits are those of the ABI's decimal, so this does not fail.
            match numbers.with_precision_and_scale(38, 12) {
                Ok(numbers) => Arc::new(numbers),
                Err(_) => values,
            }
        }
    }
}

/// An option's value.
fn value(draw: &mut Draw, ty: Type) -> Value {
    match ty {
        Type::Bool => json!(draw.one_in(2)),
        Type::Int => json!(int(draw)),
        Type::Long | Type::TimeSpan => json!(long(draw)),
        Type::DateTime => json!(datetime(draw)),
        Type::Real => json!(real(draw)).as_f64().map_or(json!(0.5), Value::from),
        Type::Decimal => json!(draw.of(&["0", "-1.5", "12345678901234567890.123456789012"], "1")),
        Type::String => json!(text(draw)),
        Type::Guid => json!(guid(draw)),
        Type::Dynamic => dynamic(draw),
    }
}

fn int(draw: &mut Draw) -> i32 {
    let any = draw.next() as i32;
    draw.of(&[0, 1, -1, i32::MIN, i32::MAX, any, any >> 20], 0)
}

fn long(draw: &mut Draw) -> i64 {
    let any = draw.next() as i64;
    let edges = [0, 1, -1, i64::MIN, i64::MAX, 1 << 53, any, any >> 40];
    draw.of(&edges, 0)
}

fn datetime(draw: &mut Draw) -> i64 {
    let recent = ticks::UNIX_EPOCH + draw.below(20_000) as i64 * ticks::DAY;
    let any = (draw.next() % ticks::DATETIME_MAX as u64) as i64;
    draw.of(&[0, ticks::DATETIME_MAX, ticks::UNIX_EPOCH, recent, any], 0)
}

fn real(draw: &mut Draw) -> f64 {
    let any = f64::from_bits(draw.next());
    // A quiet and a signalling NaN with bits of their own: a plugin that shows them differs between machines.
    let edges = [
        0.0,
        -0.0,
        1.5,
        f64::MAX,
        f64::MIN_POSITIVE,
        f64::from_bits(1),
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::from_bits(0x7FF8_0000_0000_1234),
        f64::from_bits(0xFFF0_0000_0000_0001),
        any,
        draw.below(1_000_000) as f64 / 7.0,
    ];
    draw.of(&edges, 0.0)
}

fn decimal(draw: &mut Draw) -> i128 {
    let most = 10_i128.pow(38) - 1;
    let any = i128::from(draw.next() as i64);
    draw.of(&[0, 1, -1, most, -most, any], 0)
}

fn guid(draw: &mut Draw) -> String {
    let bits = match draw.below(4) {
        0 => 0,
        1 => u128::MAX,
        _ => u128::from(draw.next()) << 64 | u128::from(draw.next()),
    };
    let hex = format!("{bits:032x}");
    let parts = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ];
    parts.join("-")
}

/// What text columns hold, and what they hold when somebody means it.
const TEXTS: [&str; 24] = [
    "",
    " ",
    "a",
    "powershell.exe -EncodedCommand SQBFAFgA",
    "C:\\Windows\\System32\\cmd.exe /c \"echo 1\"",
    "https://example.com/a?b=c&d=%2e%2e%2f#e",
    "hxxps[:]//198[.]51[.]100[.]7/x",
    "192.0.2.1",
    "2001:db8::1",
    "user@example.com",
    "d41d8cd98f00b204e9800998ecf8427e",
    "aGVsbG8gd29ybGQ=",
    "H4sIAAAAAAAAAw==",
    "<script>alert(1)</script>",
    "{\"a\": [1, {\"b\": null}]}",
    "title: x\ndetection:\n  selection: {a: '*'}\n",
    "line\r\nline\ttab\u{0}nul\u{1b}[31m",
    "\u{202e}txt.exe",
    "e\u{301}\u{1f469}\u{200d}\u{1f4bb}\u{10ffff}",
    "\u{feff}\u{fffd}\u{2028}",
    "İıſK",
    "NaN",
    "-1e999",
    "9223372036854775808",
];

fn text(draw: &mut Draw) -> String {
    match draw.below(32) {
        0 => {
            let of = draw.of(&["a", "A=", "..", "%41", "\u{1f600}", " "], "a");
            of.repeat(draw.below(20_000))
        }
        1..=8 => {
            let bytes: Vec<u8> = (0..draw.below(80)).map(|_| draw.next() as u8).collect();
            String::from_utf8_lossy(&bytes).into_owned()
        }
        9..=12 => (0..draw.below(60))
            .map(|_| char::from(b' ' + draw.below(95) as u8))
            .collect(),
        _ => draw.of(&TEXTS, "").to_owned(),
    }
}

fn dynamic(draw: &mut Draw) -> Value {
    match draw.below(10) {
        0 => json!([]),
        1 => json!({}),
        2 => json!(text(draw)),
        3 => json!(long(draw)),
        4 => json!(draw.one_in(2)),
        5 => (0..draw.below(100)).fold(json!(1), |inner, _| json!([inner])),
        6 => json!({"": null, "a": {"b": text(draw)}, "c": [1, 1.5, "x", true]}),
        7 => Value::Array((0..draw.below(200)).map(|n| json!(n)).collect()),
        8 => json!([1.7976931348623157e308, -0.0, u64::MAX]),
        _ => json!({"k": [text(draw), text(draw)]}),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn every_type() -> Function {
        let types = json!([
            "bool", "int", "long", "real", "decimal", "datetime", "timespan", "string", "guid",
            "dynamic"
        ]);
        let options = [
            "bool", "int", "long", "real", "decimal", "string", "guid", "dynamic",
        ]
        .map(|ty| json!({"name": format!("o_{ty}"), "kind": "option", "type": ty}));
        let mut parameters = vec![json!({"name": "c", "kind": "column", "type": types})];
        parameters.extend(options);
        serde_json::from_value(json!({
            "name": "f", "summary": "F", "input": "whole", "parameters": parameters,
            "output": {"rows": "free", "columns": [{"name": "X", "type": "long"}]},
        }))
        .unwrap()
    }

    #[test]
    fn inputs_are_what_the_abi_allows_and_the_same_for_a_seed() {
        let function = every_type();
        for run in 0..300 {
            let made = input(&function, 7, run);
            for option in function.options() {
                let value = &made.header.arguments[&option.name];
                assert!(option.types.to_vec()[0].admits(value), "{value}");
                assert!(!value.is_null());
            }
            let frame = made.frame(0, made.rows).unwrap();
            assert_eq!(frame, input(&function, 7, run).frame(0, made.rows).unwrap());
        }
        assert_eq!(input(&function, 7, 0).rows, 0);
        assert_ne!(
            input(&function, 7, 5).frame(0, 1).unwrap(),
            input(&function, 8, 5).frame(0, 1).unwrap()
        );
    }
}
