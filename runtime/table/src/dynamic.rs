//! Dynamic values: Kusto's JSON-like type, as one self-contained byte string a row.
//!
//! Why not Arrow's Variant (crate `parquet-variant`): its objects keep their fields sorted by name, while Kusto's
//! property bags keep the order in which they were made, which `tostring`, `bag_keys` and printing show; it has no
//! timespan and no datetime of 100 ns; and its field names sit in a metadata part that every row would repeat.
//! What is taken from it: containers end in tables of offsets, so a path is a few comparisons and never a parse.
//!
//! A value is a tag byte and a body whose length the surroundings give. Numbers are little-endian. Arrays hold
//! their elements one after another, then `u32` ends of each, then a `u32` count. Objects hold key, value, key, value
//! ..., then `(u32 key end, u32 value end)` of each, then a `u32` count. Reading is bounds-checked throughout: bytes
//! that break these rules read as null.

mod build;
mod json;

use std::cmp::Ordering;

pub use build::{Builder, Mark};
pub use json::{JsonSeed, parse_json, parse_json_into, write_json};

const NULL: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const LONG: u8 = 3;
const REAL: u8 = 4;
const STRING: u8 = 5;
const DATETIME: u8 = 6;
const TIMESPAN: u8 = 7;
const GUID: u8 = 8;
const DECIMAL: u8 = 9;
const ARRAY: u8 = 16;
const OBJECT: u8 = 17;

/// An owned dynamic value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Dynamic(Box<[u8]>);

impl Dynamic {
    /// The null value.
    pub fn null() -> Self {
        Dynamic(Box::new([NULL]))
    }

    /// A value from bytes that [`Builder`] made or a dynamic column holds.
    pub fn from_bytes(bytes: impl Into<Box<[u8]>>) -> Self {
        Dynamic(bytes.into())
    }

    /// A value from JSON text; `None` if it is not JSON.
    pub fn parse(text: &str) -> Option<Self> {
        parse_json(text)
    }

    /// A view of it.
    pub fn view(&self) -> DynamicRef<'_> {
        DynamicRef(&self.0)
    }

    /// The bytes, as a dynamic column holds them.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// What a dynamic value is.
#[derive(Clone, Copy, Debug)]
pub enum Kind<'a> {
    /// Nothing.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Long(i64),
    /// A floating-point number.
    Real(f64),
    /// Text.
    String(&'a str),
    /// An instant, in ticks.
    DateTime(i64),
    /// A length of time, in ticks.
    TimeSpan(i64),
    /// A guid's text.
    Guid(&'a str),
    /// A decimal, scaled as a decimal column is.
    Decimal(i128),
    /// A list of values.
    Array(Array<'a>),
    /// A property bag.
    Object(Object<'a>),
}

/// A borrowed dynamic value.
#[derive(Clone, Copy, Debug)]
pub struct DynamicRef<'a>(&'a [u8]);

impl<'a> DynamicRef<'a> {
    /// The null value.
    pub const NULL: DynamicRef<'static> = DynamicRef(&[NULL]);

    /// A view of a dynamic column's value.
    pub fn new(bytes: &'a [u8]) -> Self {
        DynamicRef(bytes)
    }

    /// The bytes.
    pub fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// An owned copy.
    pub fn to_owned(self) -> Dynamic {
        Dynamic(self.0.into())
    }

    /// The value decoded one level deep.
    pub fn kind(self) -> Kind<'a> {
        let Some((&tag, body)) = self.0.split_first() else {
            return Kind::Null;
        };
        decode(tag, body).unwrap_or(Kind::Null)
    }

    /// Whether it is null.
    pub fn is_null(self) -> bool {
        // Text is the most common by far, and looking at all of it takes long.
        !matches!(self.0.first(), Some(&(STRING | GUID))) && matches!(self.kind(), Kind::Null)
    }

    /// The text, if it is a string.
    pub fn as_str(self) -> Option<&'a str> {
        match self.kind() {
            Kind::String(text) => Some(text),
            _ => None,
        }
    }

    /// The array, if it is one.
    pub fn as_array(self) -> Option<Array<'a>> {
        match self.kind() {
            Kind::Array(array) => Some(array),
            _ => None,
        }
    }

    /// The property bag, if it is one.
    pub fn as_object(self) -> Option<Object<'a>> {
        match self.kind() {
            Kind::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The property `key` of a bag.
    pub fn get(self, key: &str) -> Option<DynamicRef<'a>> {
        self.as_object()?.get(key)
    }

    /// The element `index` of an array, from the end when negative.
    pub fn at(self, index: i64) -> Option<DynamicRef<'a>> {
        self.as_array()?.at(index)
    }

    /// JSON text of it.
    pub fn to_json(self) -> String {
        let mut out = String::new();
        write_json(&mut out, self);
        out
    }

    /// The name that Kusto's `gettype` gives.
    pub fn type_name(self) -> &'static str {
        match self.kind() {
            Kind::Null => "null",
            Kind::Bool(_) => "bool",
            Kind::Long(_) => "long",
            Kind::Real(_) => "double",
            Kind::String(_) => "string",
            Kind::DateTime(_) => "datetime",
            Kind::TimeSpan(_) => "timespan",
            Kind::Guid(_) => "guid",
            Kind::Decimal(_) => "decimal",
            Kind::Array(_) => "array",
            Kind::Object(_) => "dictionary",
        }
    }

    /// An order over all values, for sorting arrays and comparing: null, bool, numbers, times, text, containers.
    pub fn order(self, other: DynamicRef<'_>) -> Ordering {
        use Kind::{Bool, DateTime, Decimal, Guid, Long, Real, String, TimeSpan};
        match (self.kind(), other.kind()) {
            (Bool(a), Bool(b)) => a.cmp(&b),
            (Long(a), Long(b)) | (DateTime(a), DateTime(b)) | (TimeSpan(a), TimeSpan(b)) => {
                a.cmp(&b)
            }
            (Real(a), Real(b)) => a.total_cmp(&b),
            (Long(a), Real(b)) => (a as f64).total_cmp(&b),
            (Real(a), Long(b)) => a.total_cmp(&(b as f64)),
            (String(a), String(b)) | (Guid(a), Guid(b)) => a.cmp(b),
            (Decimal(a), Decimal(b)) => a.cmp(&b),
            (a, b) => rank(&a).cmp(&rank(&b)).then_with(|| self.0.cmp(other.0)),
        }
    }
}

fn rank(kind: &Kind<'_>) -> u8 {
    match kind {
        Kind::Null => 0,
        Kind::Bool(_) => 1,
        Kind::Long(_) | Kind::Real(_) => 2,
        Kind::Decimal(_) => 3,
        Kind::DateTime(_) => 4,
        Kind::TimeSpan(_) => 5,
        Kind::String(_) => 6,
        Kind::Guid(_) => 7,
        Kind::Array(_) => 8,
        Kind::Object(_) => 9,
    }
}

fn decode(tag: u8, body: &[u8]) -> Option<Kind<'_>> {
    Some(match tag {
        FALSE => Kind::Bool(false),
        TRUE => Kind::Bool(true),
        LONG => Kind::Long(i64::from_le_bytes(body.try_into().ok()?)),
        REAL => Kind::Real(f64::from_le_bytes(body.try_into().ok()?)),
        STRING => Kind::String(std::str::from_utf8(body).ok()?),
        DATETIME => Kind::DateTime(i64::from_le_bytes(body.try_into().ok()?)),
        TIMESPAN => Kind::TimeSpan(i64::from_le_bytes(body.try_into().ok()?)),
        GUID => Kind::Guid(std::str::from_utf8(body).ok()?),
        DECIMAL => Kind::Decimal(i128::from_le_bytes(body.try_into().ok()?)),
        ARRAY => Kind::Array(Array(Container::new(body, 4)?)),
        OBJECT => Kind::Object(Object(Container::new(body, 8)?)),
        _ => return None,
    })
}

/// Items and, behind them, a table of `count` entries of `width` bytes.
#[derive(Clone, Copy, Debug)]
struct Container<'a> {
    items: &'a [u8],
    table: &'a [u8],
    count: usize,
}

impl<'a> Container<'a> {
    fn new(body: &'a [u8], width: usize) -> Option<Self> {
        let (rest, count) = body.split_last_chunk::<4>()?;
        let count = u32::from_le_bytes(*count) as usize;
        let items = rest.len().checked_sub(count.checked_mul(width)?)?;
        let (items, table) = rest.split_at_checked(items)?;
        Some(Container {
            items,
            table,
            count,
        })
    }

    /// The `index`th `u32` of the table; the one before the first is 0.
    fn end(&self, index: usize) -> usize {
        let Some(before) = index.checked_sub(1) else {
            return 0;
        };
        let slot = self.table.get(before * 4..before * 4 + 4);
        slot.and_then(|s| s.try_into().ok())
            .map_or(0, |s| u32::from_le_bytes(s) as usize)
    }

    fn item(&self, index: usize) -> &'a [u8] {
        self.items
            .get(self.end(index)..self.end(index + 1))
            .unwrap_or_default()
    }
}

/// The elements of an array.
#[derive(Clone, Copy, Debug)]
pub struct Array<'a>(Container<'a>);

impl<'a> Array<'a> {
    /// How many elements there are.
    pub fn len(self) -> usize {
        self.0.count
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.0.count == 0
    }

    /// The element at `index`, from the end when negative.
    pub fn at(self, index: i64) -> Option<DynamicRef<'a>> {
        let count = self.0.count as i64;
        let index = if index < 0 {
            index.checked_add(count)?
        } else {
            index
        };
        (0..count)
            .contains(&index)
            .then(|| DynamicRef(self.0.item(index as usize)))
    }

    /// The elements in order.
    pub fn iter(self) -> impl ExactSizeIterator<Item = DynamicRef<'a>> + Clone {
        (0..self.0.count).map(move |i| DynamicRef(self.0.item(i)))
    }
}

/// The properties of a bag, in the order in which they were added.
#[derive(Clone, Copy, Debug)]
pub struct Object<'a>(Container<'a>);

impl<'a> Object<'a> {
    /// How many properties there are.
    pub fn len(self) -> usize {
        self.0.count
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.0.count == 0
    }

    /// The value of property `key`; names are compared exactly.
    pub fn get(self, key: &str) -> Option<DynamicRef<'a>> {
        let found = (0..self.0.count).find(|i| self.0.item(i * 2) == key.as_bytes())?;
        Some(DynamicRef(self.0.item(found * 2 + 1)))
    }

    /// Names and values in order.
    pub fn iter(self) -> impl ExactSizeIterator<Item = (&'a str, DynamicRef<'a>)> + Clone {
        (0..self.0.count).map(move |i| {
            let key = std::str::from_utf8(self.0.item(i * 2)).unwrap_or_default();
            (key, DynamicRef(self.0.item(i * 2 + 1)))
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn round(text: &str) -> String {
        Dynamic::parse(text).unwrap().view().to_json()
    }

    #[test]
    fn a_large_bag_with_a_name_twice_is_closed_in_time() {
        use std::fmt::Write as _;
        let mut text = String::from("{");
        for n in 0..200_000 {
            let _ = write!(text, "\"k{n}\":0,");
        }
        text += "\"k7\":1}";
        let begun = std::time::Instant::now();
        let bag = Dynamic::parse(&text).unwrap();
        // Comparing each name with all others takes minutes.
        assert!(begun.elapsed().as_secs() < 20);
        assert_eq!(bag.view().as_object().unwrap().len(), 200_000);
        assert_eq!(
            bag.view().get("k7").map(|value| value.to_json()).as_deref(),
            Some("1")
        );
    }

    #[test]
    fn json_survives_with_its_order() {
        for text in [
            r#"{"b":1,"a":[1,2.5,"x",null,true,{"c":{}}],"":[]}"#,
            "null",
            r#""a\"\\\n\u0001é""#,
            "-9223372036854775808",
        ] {
            assert_eq!(round(text), text);
        }
        assert_eq!(round(r#"{"a":1,"b":2,"a":3}"#), r#"{"a":3,"b":2}"#);
        assert_eq!(round("1e2"), "100.0");
        assert!(Dynamic::parse("{").is_none());
        assert!(Dynamic::parse(&"[".repeat(100_000)).is_none());
    }

    #[test]
    fn a_builder_with_a_limit_is_not_filled_beyond_it() {
        let long = format!("[{}1]", "1,".repeat(10_000));
        for (text, most, fits) in [
            (long.as_str(), 1_000, false),
            (r#"{"a":{"b":[1,2,3]}}"#, 20, false),
            (r#"{"a":{"b":[1,2,3]}}"#, 200, true),
        ] {
            let mut builder = Builder::within(most);
            assert_eq!(parse_json_into(text, &mut builder), fits, "{most}");
            assert!(builder.bytes().len() < most + 100);
            builder.clear();
            assert!(!builder.is_over());
        }
    }

    #[test]
    fn paths_read_without_parsing() {
        let value = Dynamic::parse(r#"{"a":{"b":[10,20,{"c":"deep"}]}}"#).unwrap();
        let list = value.view().get("a").unwrap().get("b").unwrap();
        assert_eq!(
            list.at(-1).unwrap().get("c").unwrap().as_str(),
            Some("deep")
        );
        assert!(list.at(3).is_none() && list.get("b").is_none());
    }

    #[test]
    fn broken_bytes_read_as_null_or_less() {
        let whole = Dynamic::parse(r#"{"a":[1,{"b":2}],"c":"text"}"#).unwrap();
        for cut in 0..whole.as_bytes().len() {
            let mut bytes = whole.as_bytes().to_vec();
            bytes.truncate(cut);
            let _ = DynamicRef::new(&bytes).to_json();
            let mut bytes = whole.as_bytes().to_vec();
            bytes[cut] ^= 0xff;
            let _ = DynamicRef::new(&bytes).to_json();
        }
    }
}
