//! Goes through a row's JSON without reading what no rule asks: most of a wide table's columns. Values that are skipped
//! are not checked.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// The columns that are read of a row.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Their names, and a number for each.
    slots: BTreeMap<String, usize>,
    /// Those of which empty text is read: otherwise it is as if the column were not there.
    empty: BTreeSet<String>,
    /// Whether all others are read as well.
    all: bool,
}

impl Wanted {
    /// These, or these and all others. Of those in `empty`, empty text is read as well.
    pub fn new(
        names: impl IntoIterator<Item = String>,
        empty: BTreeSet<String>,
        all: bool,
    ) -> Self {
        let mut slots = BTreeMap::new();
        for name in names {
            let next = slots.len();
            slots.entry(name).or_insert(next);
        }
        Wanted { slots, empty, all }
    }

    /// A column's number.
    pub fn slot(&self, name: &str) -> Option<usize> {
        self.slots.get(name).copied()
    }

    /// How many numbers there are.
    pub fn slots(&self) -> usize {
        self.slots.len()
    }
}

/// The columns of the row before, in order: the next row mostly has the same.
#[derive(Clone, Debug, Default)]
pub struct Layout(Vec<Column>);

/// What of a column is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Read {
    Nothing,
    /// What is not empty.
    Something,
    /// Empty text, too.
    Everything,
}

/// A column of the row before.
#[derive(Clone, Debug)]
struct Column {
    /// Its name in quotes, and a colon.
    head: String,
    /// Whether it is read.
    read: Read,
    /// Its number, where it has one.
    slot: Option<usize>,
    /// The text from here to the end of several columns, when they were empty, and how many they are:
    /// where a row has the same, they are passed at once.
    run: Option<(String, usize)>,
}

impl Layout {
    fn learn(&mut self, first: usize, after: usize, text: Option<&str>) {
        let count = after.saturating_sub(first);
        if let (Some(column), Some(text), true) = (self.0.get_mut(first), text, count > 1) {
            column.run = Some((text.to_owned(), count));
        }
    }
}

/// A text being gone through.
pub struct Skim<'j> {
    json: &'j str,
    at: usize,
}

/// A column's name, what of it is read, and its number where it has one.
type Named<'j> = (Cow<'j, str>, Read, Option<usize>);

/// What is wrong with a row.
pub type Wrong = &'static str;

impl<'j> Skim<'j> {
    /// At a text's start.
    pub fn new(json: &'j str) -> Self {
        Skim { json, at: 0 }
    }

    /// Calls `f` with the name, the number and the JSON of each wanted column.
    pub fn columns(
        mut self,
        wanted: &Wanted,
        layout: &mut Layout,
        mut f: impl FnMut(Cow<'j, str>, Option<usize>, &'j str) -> Result<(), String>,
    ) -> Result<(), String> {
        self.take(b'{', "it is no object")?;
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(self.end()?);
        }
        let mut nth = 0;
        // Where columns began that are empty.
        let mut empty: Option<(usize, usize)> = None;
        loop {
            let begin = self.at;
            let passed = self.run(nth, layout);
            if passed > 0 {
                self.learn(&mut empty, nth, begin, layout);
                nth += passed;
                continue;
            }
            let (name, read, slot) = match self.known(nth, layout) {
                Some(known) => known,
                None => self.name(nth, wanted, layout)?,
            };
            let value = self.value()?;
            let is_empty = match value {
                "null" => true,
                "\"\"" => read != Read::Everything,
                _ => false,
            };
            if read != Read::Nothing && !is_empty {
                f(name, slot, value)?;
            }
            let is_last = self.is_last()?;
            match is_empty && !is_last {
                true => _ = empty.get_or_insert((nth, begin)),
                false => self.learn(&mut empty, nth, begin, layout),
            }
            if is_last {
                return Ok(self.end()?);
            }
            nth += 1;
        }
    }

    /// Goes past what follows a value. Whether it was the last.
    fn is_last(&mut self) -> Result<bool, Wrong> {
        if self.rest().first() == Some(&b',') {
            self.at += 1;
            return Ok(false);
        }
        let found = self.peek();
        self.at += 1;
        match found {
            Some(b',') => Ok(false),
            Some(b'}') => Ok(true),
            _ => Err("it ends too soon"),
        }
    }

    /// Goes past a run of empty columns that the rows before had. How many they are.
    fn run(&mut self, nth: usize, layout: &Layout) -> usize {
        let run = layout.0.get(nth).and_then(|column| column.run.as_ref());
        let Some((text, count)) = run else {
            return 0;
        };
        let here = self.rest().get(..text.len());
        if !here.is_some_and(|here| is_same(here, text.as_bytes())) {
            return 0;
        }
        self.at += text.len();
        *count
    }

    /// Keeps the run of empty columns that ended before column `nth`, which begins at `end`.
    fn learn(
        &self,
        empty: &mut Option<(usize, usize)>,
        nth: usize,
        end: usize,
        layout: &mut Layout,
    ) {
        if let Some((first, begin)) = empty.take() {
            layout.learn(first, nth, self.json.get(begin..end));
        }
    }

    /// What a column is where the row before had the same, written the same.
    fn known(&mut self, nth: usize, layout: &Layout) -> Option<Named<'j>> {
        let column = layout.0.get(nth)?;
        let head = column.head.as_bytes();
        let here = self.rest().get(..head.len())?;
        if !is_same(here, head) {
            return None;
        }
        let start = self.at + 1;
        self.at += head.len();
        let end = self.at - 2;
        self.spaces();
        let name = self.json.get(start..end)?;
        Some((Cow::Borrowed(name), column.read, column.slot))
    }

    fn rest(&self) -> &'j [u8] {
        self.json.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn spaces(&mut self) {
        while matches!(self.rest().first(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// The next byte after spaces.
    fn peek(&mut self) -> Option<u8> {
        self.spaces();
        self.rest().first().copied()
    }

    fn take(&mut self, byte: u8, wrong: Wrong) -> Result<(), Wrong> {
        if self.peek() != Some(byte) {
            return Err(wrong);
        }
        self.at += 1;
        Ok(())
    }

    fn end(&mut self) -> Result<(), Wrong> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err("something follows it"),
        }
    }

    /// What a column is.
    fn name(
        &mut self,
        nth: usize,
        wanted: &Wanted,
        layout: &mut Layout,
    ) -> Result<Named<'j>, Wrong> {
        self.take(b'"', "a name is missing")?;
        let start = self.at;
        let is_plain = self.string()?;
        let name = self.json.get(start..self.at - 1).unwrap_or_default();
        let quoted = self.json.get(start - 1..self.at).unwrap_or_default();
        self.take(b':', "a name has no value")?;
        self.spaces();
        let name = match is_plain {
            true => Cow::Borrowed(name),
            false => Cow::Owned(serde_json::from_str(quoted).map_err(|_| "a name is broken")?),
        };
        let slot = wanted.slot(&name);
        let read = match slot.is_some() || wanted.all {
            false => Read::Nothing,
            true if wanted.empty.contains(&*name) => Read::Everything,
            true => Read::Something,
        };
        layout.0.truncate(nth);
        if is_plain && layout.0.len() == nth {
            layout.0.push(Column {
                head: format!("{quoted}:"),
                read,
                slot,
                run: None,
            });
        }
        Ok((name, read, slot))
    }

    /// Goes past a string whose first quote is behind. Whether it has no escapes.
    fn string(&mut self) -> Result<bool, Wrong> {
        let mut is_plain = true;
        loop {
            let found = quote_or_backslash(self.rest()).ok_or("a text does not end")?;
            self.at += found;
            if self.rest().first() == Some(&b'"') {
                self.at += 1;
                return Ok(is_plain);
            }
            is_plain = false;
            self.at += 2;
        }
    }

    /// Goes past a value.
    fn value(&mut self) -> Result<&'j str, Wrong> {
        let start = self.at;
        match self.rest().first() {
            Some(b'"') => {
                self.at += 1;
                match self.rest().first() {
                    // Text that is empty, as most is in wide tables.
                    Some(b'"') => self.at += 1,
                    _ => drop(self.string()?),
                }
            }
            Some(b'n') => self.at += 4,
            Some(b'{' | b'[') => self.nested()?,
            _ => {
                let ends =
                    |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n');
                let length = self.rest().iter().position(ends);
                self.at += length.ok_or("it ends too soon")?;
            }
        }
        self.json.get(start..self.at).ok_or("it ends too soon")
    }

    fn nested(&mut self) -> Result<(), Wrong> {
        let mut depth = 0_usize;
        loop {
            let byte = *self.rest().first().ok_or("it ends too soon")?;
            self.at += 1;
            match byte {
                b'"' => {
                    self.string()?;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }
}

/// Where the first quote or backslash is. Eight bytes at a time: 32-bit WebAssembly has no faster search.
fn quote_or_backslash(text: &[u8]) -> Option<usize> {
    let (words, _) = text.as_chunks::<8>();
    for (nth, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let found = zeros(word ^ QUOTES) | zeros(word ^ BACKSLASHES);
        if found != 0 {
            return Some(nth * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let done = words.len() * 8;
    let rest = text.get(done..)?;
    let found = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'));
    found.map(|found| done + found)
}

/// One in each byte.
const EACH: u64 = 0x0101_0101_0101_0101;
const QUOTES: u64 = EACH * b'"' as u64;
const BACKSLASHES: u64 = EACH * b'\\' as u64;

/// The high bit of each byte that is zero, up to the first at least.
fn zeros(word: u64) -> u64 {
    word.wrapping_sub(EACH) & !word & (EACH << 7)
}

/// Whether texts of one length are the same, eight bytes at a time.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    let (words, rest) = one.as_chunks::<8>();
    let (other_words, other_rest) = other.as_chunks::<8>();
    let pairs = words.iter().zip(other_words);
    let mut bytes = rest.iter().zip(other_rest);
    one.len() == other.len()
        && pairs
            .into_iter()
            .all(|(a, b)| u64::from_le_bytes(*a) == u64::from_le_bytes(*b))
        && bytes.all(|(a, b)| a == b)
}
