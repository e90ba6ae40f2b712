//! Columns as they lie in an Arrow IPC body: views of the input's, and builders of the answer's.

use spoor_plugin_abi::Type;

/// How values lie in a column's buffers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// One bit a value.
    Bits,
    /// This many bytes a value.
    Fixed(usize),
    /// 32-bit offsets into UTF-8 text.
    Text,
}

impl Layout {
    /// The layout of a type's values.
    pub const fn of(ty: Type) -> Layout {
        match ty {
            Type::Bool => Layout::Bits,
            Type::Int => Layout::Fixed(4),
            Type::Long | Type::Real | Type::DateTime | Type::TimeSpan => Layout::Fixed(8),
            Type::Decimal => Layout::Fixed(16),
            Type::String | Type::Guid | Type::Dynamic => Layout::Text,
        }
    }
}

/// A column of the input: a view of the bytes that the host sent.
#[derive(Clone, Copy, Debug)]
pub struct Column<'a> {
    pub(crate) layout: Layout,
    pub(crate) rows: usize,
    /// A bit a row, set where there is a value; none where all rows have one.
    pub(crate) validity: Option<&'a [u8]>,
    /// `rows + 1` little-endian `i32`, for text alone.
    pub(crate) offsets: &'a [u8],
    /// Bits or fixed-size values.
    pub(crate) values: &'a [u8],
    /// The text that the offsets are of.
    pub(crate) text: &'a str,
}

impl<'a> Column<'a> {
    /// How many rows it has.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Whether a row has no value; true past the end.
    pub fn is_null(&self, row: usize) -> bool {
        row >= self.rows || self.validity.is_some_and(|bits| !bit(bits, row))
    }

    /// The text in a row; `None` where it is null or the column is not text.
    pub fn text(&self, row: usize) -> Option<&'a str> {
        if self.is_null(row) {
            return None;
        }
        let start = word(self.offsets, row)?;
        let end = word(self.offsets, row + 1)?;
        self.text.get(start..end)
    }

    /// The bytes of a value of `N` bytes; `None` where it is null or values have another size.
    pub fn fixed<const N: usize>(&self, row: usize) -> Option<[u8; N]> {
        if self.layout != Layout::Fixed(N) || self.is_null(row) {
            return None;
        }
        self.values.get(row * N..)?.first_chunk::<N>().copied()
    }

    /// A value of one bit; `None` where it is null or the column holds others.
    pub fn bit(&self, row: usize) -> Option<bool> {
        if self.layout != Layout::Bits || self.is_null(row) {
            return None;
        }
        Some(bit(self.values, row))
    }
}

fn bit(bits: &[u8], at: usize) -> bool {
    bits.get(at / 8)
        .is_some_and(|byte| byte >> (at % 8) & 1 == 1)
}

fn word(words: &[u8], at: usize) -> Option<usize> {
    let word = words.get(at * 4..)?.first_chunk::<4>()?;
    usize::try_from(i32::from_le_bytes(*word)).ok()
}

/// A column of the answer, being filled.
#[derive(Clone, Debug)]
pub struct ColumnBuilder {
    layout: Layout,
    rows: usize,
    nulls: usize,
    validity: Vec<u8>,
    offsets: Vec<u8>,
    values: Vec<u8>,
}

impl ColumnBuilder {
    /// An empty column of a type.
    pub fn new(ty: Type) -> Self {
        Self::of(Layout::of(ty))
    }

    /// An empty column of a layout.
    pub(crate) fn of(layout: Layout) -> Self {
        let offsets = match layout {
            Layout::Text => vec![0; 4],
            Layout::Bits | Layout::Fixed(_) => Vec::new(),
        };
        ColumnBuilder {
            layout,
            rows: 0,
            nulls: 0,
            validity: Vec::new(),
            offsets,
            values: Vec::new(),
        }
    }

    /// How many rows it has.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Appends a value of fixed size: its little-endian bytes.
    pub fn push_fixed(&mut self, bytes: &[u8]) {
        self.values.extend_from_slice(bytes);
        self.finish_row(true);
    }

    /// Appends text.
    pub fn push_text(&mut self, text: &str) {
        self.values.extend_from_slice(text.as_bytes());
        self.put_offset();
        self.finish_row(true);
    }

    /// Appends one bit.
    pub fn push_bit(&mut self, value: bool) {
        self.put_bit(value);
        self.finish_row(true);
    }

    /// Appends a null.
    pub fn push_null(&mut self) {
        if self.nulls == 0 {
            self.validity = full(self.rows);
        }
        self.nulls += 1;
        match self.layout {
            Layout::Bits => self.put_bit(false),
            Layout::Fixed(width) => self.values.resize(self.values.len() + width, 0),
            Layout::Text => self.put_offset(),
        }
        self.finish_row(false);
    }

    /// Its nulls, and its buffers in Arrow's order: validity, then what the layout has.
    pub(crate) fn parts(&self) -> (usize, Vec<&[u8]>) {
        let mut buffers = vec![self.validity.as_slice()];
        if self.layout == Layout::Text {
            buffers.push(&self.offsets);
        }
        buffers.push(&self.values);
        (self.nulls, buffers)
    }

    /// A text of 2 GiB or more would need 64-bit offsets; no instance has that memory.
    fn put_offset(&mut self) {
        let end = self.values.len() as i32;
        self.offsets.extend_from_slice(&end.to_le_bytes());
    }

    fn put_bit(&mut self, value: bool) {
        put_bit(&mut self.values, self.rows, value);
    }

    fn finish_row(&mut self, valid: bool) {
        if self.nulls > 0 {
            put_bit(&mut self.validity, self.rows, valid);
        }
        self.rows += 1;
    }
}

fn put_bit(bits: &mut Vec<u8>, at: usize, value: bool) {
    if at.is_multiple_of(8) {
        bits.push(0);
    }
    if let Some(byte) = bits.get_mut(at / 8) {
        *byte |= u8::from(value) << (at % 8);
    }
}

/// Bits of `rows` rows, all set.
fn full(rows: usize) -> Vec<u8> {
    let mut bits = vec![0xFF; rows / 8];
    if !rows.is_multiple_of(8) {
        bits.push((1 << (rows % 8)) - 1);
    }
    bits
}
