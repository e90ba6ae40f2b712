//! Flatbuffers, as much of them as Arrow's metadata needs: tables, vectors, strings.
//!
//! A table begins with the distance back to its vtable, which says where in the table each field is. An offset counts
//! from where it stands. Source: <https://flatbuffers.dev/internals/>.

/// A table that is read. Every read is checked; `None` is what a broken buffer answers.
#[derive(Clone, Copy)]
pub struct Table<'a> {
    bytes: &'a [u8],
    at: usize,
    vtable: usize,
}

impl<'a> Table<'a> {
    /// The buffer's root.
    pub fn root(bytes: &'a [u8]) -> Option<Self> {
        Self::at(bytes, follow(bytes, 0)?)
    }

    fn at(bytes: &'a [u8], at: usize) -> Option<Self> {
        let back = i32::from_le_bytes(array(bytes, at)?);
        let vtable = usize::try_from(i64::try_from(at).ok()? - i64::from(back)).ok()?;
        Some(Table { bytes, at, vtable })
    }

    /// Where field `index` is; `None` where it is left out.
    fn place(self, index: usize) -> Option<usize> {
        let entry = 4 + 2 * index;
        if entry >= usize::from(u16::from_le_bytes(array(self.bytes, self.vtable)?)) {
            return None;
        }
        match u16::from_le_bytes(array(self.bytes, self.vtable.checked_add(entry)?)?) {
            0 => None,
            offset => self.at.checked_add(usize::from(offset)),
        }
    }

    /// The bytes of a number in field `index`; zeros where it is left out.
    pub fn number<const N: usize>(self, index: usize) -> [u8; N] {
        self.place(index)
            .and_then(|at| array(self.bytes, at))
            .unwrap_or([0; N])
    }

    /// Field `index` as an `i64` that counts something.
    pub fn count(self, index: usize) -> Option<usize> {
        usize::try_from(i64::from_le_bytes(self.number(index))).ok()
    }

    /// The table that field `index` points to.
    pub fn table(self, index: usize) -> Option<Self> {
        Self::at(self.bytes, follow(self.bytes, self.place(index)?)?)
    }

    /// The string that field `index` points to.
    pub fn text(self, index: usize) -> Option<&'a str> {
        core::str::from_utf8(self.vector(index, 1)?).ok()
    }

    /// The tables of the vector that field `index` points to.
    pub fn tables(self, index: usize) -> Option<impl ExactSizeIterator<Item = Option<Self>>> {
        let start = follow(self.bytes, self.place(index)?)? + 4;
        let count = self.vector(index, 4)?.len() / 4;
        Some(
            (0..count)
                .map(move |entry| Self::at(self.bytes, follow(self.bytes, start + 4 * entry)?)),
        )
    }

    /// The bytes of the vector that field `index` points to, whose elements have `size` bytes each.
    pub fn vector(self, index: usize, size: usize) -> Option<&'a [u8]> {
        let at = follow(self.bytes, self.place(index)?)?;
        let count = u32::from_le_bytes(array(self.bytes, at)?) as usize;
        self.bytes.get(at + 4..)?.get(..count.checked_mul(size)?)
    }
}

fn follow(bytes: &[u8], at: usize) -> Option<usize> {
    at.checked_add(u32::from_le_bytes(array(bytes, at)?) as usize)
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

/// A buffer that is written front to back: what points to something leaves a [`Slot`] and is filled in later.
#[derive(Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

/// An offset that is not known yet.
pub struct Slot(usize);

impl Writer {
    /// What was written, padded to a multiple of 8.
    pub fn finish(mut self) -> Vec<u8> {
        self.align(8, 0);
        self.bytes
    }

    /// Pads until what is written `ahead` bytes from here begins at a multiple of `to`.
    fn align(&mut self, to: usize, ahead: usize) {
        while !(self.bytes.len() + ahead).is_multiple_of(to) {
            self.bytes.push(0);
        }
    }

    /// Bytes as they are.
    pub fn put(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Begins a table whose own bytes, the distance to its vtable included, are `size`, with each field at the offset
    /// given (0: left out). The fields are to be put next, `size - 4` bytes of them.
    pub fn table(&mut self, size: u16, fields: &[u16]) {
        let vtable = 4 + 2 * fields.len();
        self.align(8, vtable);
        self.put(&(vtable as u16).to_le_bytes());
        self.put(&size.to_le_bytes());
        fields
            .iter()
            .for_each(|offset| self.put(&offset.to_le_bytes()));
        self.put(&(vtable as u32).to_le_bytes());
    }

    /// Begins a vector of `count` elements of 8 bytes' alignment or less, which are to be put next.
    pub fn vector(&mut self, count: usize) {
        self.align(8, 4);
        self.put(&(count as u32).to_le_bytes());
    }

    /// A string.
    pub fn text(&mut self, text: &str) {
        self.vector(text.len());
        self.put(text.as_bytes());
        self.put(&[0]);
    }

    /// An offset to what [`Self::fill`] will say.
    pub fn slot(&mut self) -> Slot {
        let slot = Slot(self.bytes.len());
        self.put(&[0; 4]);
        slot
    }

    /// Points a slot to the table that is begun next, with a vtable of `fields` entries.
    pub fn fill_table(&mut self, slot: Slot, fields: usize) {
        let vtable = 4 + 2 * fields;
        self.align(8, vtable);
        self.fill(slot, self.bytes.len() + vtable);
    }

    /// Points a slot to the vector or string that is begun next.
    pub fn fill_vector(&mut self, slot: Slot) {
        self.align(8, 4);
        self.fill(slot, self.bytes.len());
    }

    fn fill(&mut self, slot: Slot, target: usize) {
        let distance = (target - slot.0) as u32;
        if let Some(place) = self.bytes.get_mut(slot.0..slot.0 + 4) {
            place.copy_from_slice(&distance.to_le_bytes());
        }
    }
}
