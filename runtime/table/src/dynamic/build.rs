//! Making dynamic values: a builder that writes the encoding front to back, with no tree in between.

use super::{
    ARRAY, DATETIME, DECIMAL, Dynamic, DynamicRef, FALSE, GUID, LONG, NULL, OBJECT, REAL, STRING,
    TIMESPAN, TRUE,
};

/// Writes one or more dynamic values into a buffer.
///
/// Scalars are written by their methods. A container is opened with [`Builder::begin_array`] or
/// [`Builder::begin_object`], filled (in a bag, [`Builder::key`] before each value; in both, [`Builder::item`] after each
/// value) and closed with [`Builder::end`].
#[derive(Default, Debug)]
pub struct Builder {
    bytes: Vec<u8>,
    /// Offsets noted for the containers still open, innermost last.
    offsets: Vec<u32>,
    /// The most bytes that a reader may fill it with.
    most: Option<usize>,
}

/// A container that is still open.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Mark {
    start: usize,
    offsets: usize,
    object: bool,
}

impl Builder {
    /// An empty builder.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty builder that [`super::JsonSeed`] fills with about `most` bytes at most: small numbers take several times what their
    /// text takes, and what is read may be nobody's friend.
    pub fn within(most: usize) -> Self {
        Builder {
            most: Some(most),
            ..Self::default()
        }
    }

    /// Whether it holds more than it may.
    pub fn is_over(&self) -> bool {
        let held = || self.bytes.len().saturating_add(self.offsets.len() * 4);
        self.most.is_some_and(|most| held() > most)
    }

    /// The bytes written so far.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Forgets what was written and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.offsets.clear();
    }

    /// The one value that was written.
    pub fn finish(self) -> Dynamic {
        if self.bytes.is_empty() {
            return Dynamic::null();
        }
        Dynamic(self.bytes.into_boxed_slice())
    }

    /// Writes null.
    pub fn null(&mut self) {
        self.bytes.push(NULL);
    }

    /// Writes a truth value.
    pub fn bool(&mut self, value: bool) {
        self.bytes.push(if value { TRUE } else { FALSE });
    }

    /// Writes a whole number.
    pub fn long(&mut self, value: i64) {
        self.tagged(LONG, &value.to_le_bytes());
    }

    /// Writes a floating-point number.
    pub fn real(&mut self, value: f64) {
        self.tagged(REAL, &value.to_le_bytes());
    }

    /// Writes text.
    pub fn string(&mut self, value: &str) {
        self.tagged(STRING, value.as_bytes());
    }

    /// Writes an instant, in ticks.
    pub fn datetime(&mut self, ticks: i64) {
        self.tagged(DATETIME, &ticks.to_le_bytes());
    }

    /// Writes a length of time, in ticks.
    pub fn timespan(&mut self, ticks: i64) {
        self.tagged(TIMESPAN, &ticks.to_le_bytes());
    }

    /// Writes a guid's text.
    pub fn guid(&mut self, value: &str) {
        self.tagged(GUID, value.as_bytes());
    }

    /// Writes a decimal, scaled as a decimal column is.
    pub fn decimal(&mut self, value: i128) {
        self.tagged(DECIMAL, &value.to_le_bytes());
    }

    /// Copies a value.
    pub fn value(&mut self, value: DynamicRef<'_>) {
        if value.as_bytes().is_empty() {
            self.null();
        } else {
            self.bytes.extend_from_slice(value.as_bytes());
        }
    }

    fn tagged(&mut self, tag: u8, body: &[u8]) {
        self.bytes.push(tag);
        self.bytes.extend_from_slice(body);
    }

    /// Opens an array.
    pub fn begin_array(&mut self) -> Mark {
        self.begin(ARRAY, false)
    }

    /// Opens a property bag.
    pub fn begin_object(&mut self) -> Mark {
        self.begin(OBJECT, true)
    }

    fn begin(&mut self, tag: u8, object: bool) -> Mark {
        self.bytes.push(tag);
        Mark {
            start: self.bytes.len(),
            offsets: self.offsets.len(),
            object,
        }
    }

    /// Starts the property `key` of the bag `mark`: to be called before its value is written.
    pub fn key(&mut self, mark: &Mark, key: &str) {
        self.bytes.extend_from_slice(key.as_bytes());
        self.offset(mark);
    }

    /// Ends an element or a property of `mark`: to be called when its value is written.
    pub fn item(&mut self, mark: &Mark) {
        self.offset(mark);
    }

    fn offset(&mut self, mark: &Mark) {
        // A value of 4 GiB cannot be in one Arrow binary array, whose offsets have 31 bits.
        self.offsets.push((self.bytes.len() - mark.start) as u32);
    }

    /// Closes the innermost container, which must be `mark`.
    pub fn end(&mut self, mark: Mark) {
        let table = self.offsets.get(mark.offsets..).unwrap_or_default();
        let count = if mark.object {
            table.len() / 2
        } else {
            table.len()
        };
        if mark.object && count > 1 && has_duplicates(&self.bytes[mark.start..], table) {
            let table = self.offsets.split_off(mark.offsets);
            self.rebuild(&mark, &table);
            return;
        }
        for end in table {
            self.bytes.extend_from_slice(&end.to_le_bytes());
        }
        self.bytes.extend_from_slice(&(count as u32).to_le_bytes());
        self.offsets.truncate(mark.offsets);
    }

    /// Closes a bag in which a name occurs twice: the first place and the last value stay.
    fn rebuild(&mut self, mark: &Mark, table: &[u32]) {
        let items = self.bytes.split_off(mark.start);
        let spans = entries(&items, table);
        let mut kept: Vec<(&[u8], &[u8])> = Vec::with_capacity(spans.len());
        let mut places = std::collections::HashMap::with_capacity(spans.len());
        for (key, value) in spans {
            let place = *places.entry(key).or_insert(kept.len());
            match kept.get_mut(place) {
                Some(slot) => slot.1 = value,
                None => kept.push((key, value)),
            }
        }
        let mut ends = Vec::with_capacity(kept.len() * 2);
        for (key, value) in &kept {
            self.bytes.extend_from_slice(key);
            ends.push((self.bytes.len() - mark.start) as u32);
            self.bytes.extend_from_slice(value);
            ends.push((self.bytes.len() - mark.start) as u32);
        }
        for end in ends {
            self.bytes.extend_from_slice(&end.to_le_bytes());
        }
        self.bytes
            .extend_from_slice(&(kept.len() as u32).to_le_bytes());
    }
}

/// The names and values of a bag, in order.
fn entries<'a>(
    items: &'a [u8],
    table: &'a [u32],
) -> impl ExactSizeIterator<Item = (&'a [u8], &'a [u8])> + Clone {
    let mut start = 0;
    table.chunks_exact(2).map(move |pair| {
        let (key, value) = (pair[0] as usize, pair[1] as usize);
        let entry = (&items[start..key], &items[key..value]);
        start = value;
        entry
    })
}

fn has_duplicates(items: &[u8], table: &[u32]) -> bool {
    let mut names = entries(items, table).map(|(name, _)| name);
    if names.len() <= 16 {
        let earlier = names.clone();
        return names
            .enumerate()
            .any(|(at, name)| earlier.clone().take(at).any(|other| other == name));
    }
    let mut seen = std::collections::HashSet::with_capacity(names.len());
    names.any(|name| !seen.insert(name))
}
