//! What rows have in common: sets of rows as bits, and columns with a number for each value. `basket` and `cluster` search with them.

use std::collections::HashMap;

use arrow::array::{Array, ArrayRef};
use arrow::row::{RowConverter, SortField};
use datafusion::common::Result;

use super::BATCH_ROWS;
use super::whole::Bench;

/// A set of rows, a bit for each.
pub(super) type Rows = Vec<u64>;

/// Bytes that a value takes in a table of what is known, besides its own.
const ENTRY: usize = 48;

/// How many rows are in a set.
pub(super) fn ones(rows: &Rows) -> u64 {
    rows.iter().map(|bits| u64::from(bits.count_ones())).sum()
}

/// The rows that are in both sets.
pub(super) fn and(a: &Rows, b: &Rows) -> Rows {
    a.iter().zip(b).map(|(a, b)| a & b).collect()
}

/// The rows of the first set that are not in the second.
pub(super) fn and_not(a: &Rows, b: &Rows) -> Rows {
    a.iter().zip(b).map(|(a, b)| a & !b).collect()
}

/// The set of the rows that are marked, in order.
pub(super) fn marked(marks: impl ExactSizeIterator<Item = bool>) -> Rows {
    let mut bits = vec![0; marks.len().div_ceil(64)];
    for (row, is_in) in marks.enumerate() {
        if let Some(word) = bits.get_mut(row / 64) {
            *word |= u64::from(is_in) << (row % 64);
        }
    }
    bits
}

/// The rows of a set, in order.
pub(super) fn each(rows: &Rows) -> impl Iterator<Item = u32> {
    rows.iter().enumerate().flat_map(|(at, word)| {
        let is_in = move |bit: &u32| word >> bit & 1 == 1;
        (0..64).filter(is_in).map(move |bit| at as u32 * 64 + bit)
    })
}

/// A column with a number for each value, in the order in which values come first.
pub(super) struct Codes {
    values: Vec<u32>,
    /// The row in which each value comes first, and in how many it comes.
    pub(super) known: Vec<(u32, u64)>,
}

impl Codes {
    /// The rows that have a value.
    pub(super) fn with(&self, code: u32) -> Rows {
        self.values.chunks(64).map(|of| equal(of, code)).collect()
    }

    /// The rows that have the value of one of them.
    pub(super) fn like(&self, row: u32) -> Rows {
        let code = self.values.get(row as usize);
        code.map_or_else(Rows::new, |code| self.with(*code))
    }

    async fn of(array: &ArrayRef, bench: &mut Bench) -> Result<Codes> {
        bench.hold(array.len() * size_of::<u32>())?;
        let converter = RowConverter::new(vec![SortField::new(array.data_type().clone())])?;
        let mut numbers: HashMap<Box<[u8]>, u32> = HashMap::new();
        let mut values = Vec::with_capacity(array.len());
        let (mut known, mut held): (Vec<(u32, u64)>, _) = (Vec::new(), 0);
        for from in (0..array.len()).step_by(BATCH_ROWS) {
            let part = array.slice(from, BATCH_ROWS.min(array.len() - from));
            let mut grown = 0;
            for value in &converter.convert_columns(&[part])? {
                let code = numbers.get(value.data()).copied().unwrap_or_else(|| {
                    let code = known.len() as u32;
                    grown += value.data().len() + ENTRY;
                    numbers.insert(value.data().into(), code);
                    known.push((values.len() as u32, 0));
                    code
                });
                if let Some((_, count)) = known.get_mut(code as usize) {
                    *count += 1;
                }
                values.push(code);
            }
            bench.hold(grown)?;
            held += grown;
            bench.did(16 * BATCH_ROWS).await;
        }
        bench.free(held);
        bench.hold(known.len() * size_of::<(u32, u64)>())?;
        Ok(Codes { values, known })
    }
}

/// Which of up to 64 numbers are a certain one, a bit for each. Compilers make vectors of the comparison alone, so it is apart from
/// the packing, which a multiplication does for eight bytes: it shifts each one's lowest bit to its place in the topmost byte.
fn equal(numbers: &[u32], wanted: u32) -> u64 {
    let mut flags = [0_u8; 64];
    for (flag, number) in flags.iter_mut().zip(numbers) {
        *flag = u8::from(*number == wanted);
    }
    let (eights, _) = flags.as_chunks::<8>();
    let packed = eights.iter().map(|eight| {
        let spread = u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080);
        spread >> 56
    });
    packed
        .enumerate()
        .fold(0, |word, (at, bits)| word | bits << (8 * at))
}

/// The columns as numbers.
pub(super) async fn coded(columns: &[ArrayRef], bench: &mut Bench) -> Result<Vec<Codes>> {
    let mut coded = Vec::with_capacity(columns.len());
    for array in columns {
        coded.push(Codes::of(array, bench).await?);
    }
    Ok(coded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_numbers_are_marked_at_their_places() {
        for wanted in 0..70 {
            let numbers: Vec<u32> = (0..64).collect();
            let bit = 1_u64.checked_shl(wanted).unwrap_or(0);
            assert_eq!(equal(&numbers, wanted), bit, "{wanted}");
        }
        assert_eq!(equal(&[7; 64], 7), u64::MAX);
        assert_eq!(equal(&[7, 8, 7], 7), 0b101);
    }

    #[test]
    fn a_set_gives_back_its_rows() {
        let rows: Vec<u32> = (0..200).filter(|row| row % 7 == 3 || *row == 63).collect();
        let set = marked((0..200).map(|row| rows.contains(&row)));
        assert_eq!(each(&set).collect::<Vec<_>>(), rows);
        assert_eq!(ones(&set), rows.len() as u64);
    }
}
