//! Columns in which a few texts come again and again, as names of programs and results do: what depends on the text alone need be
//! computed only once for each.

use arrow::array::{Array, BooleanArray, StringViewArray, UInt32Array};
use arrow::buffer::BooleanBuffer;

/// Texts that are few.
const FEW: usize = 64;

/// Slots of the table that finds them; a power of two.
const SLOTS: usize = 4 * FEW;

/// The different texts of a column, and which of them each row has.
pub(crate) struct Alike {
    firsts: Vec<u32>,
    which: Vec<u8>,
}

impl Alike {
    /// Those of a column, if they are few beside its rows. Texts that are alike may count as different: what is compared is where
    /// they lie.
    pub(crate) fn of(views: &StringViewArray) -> Option<Self> {
        if views.null_count() > 0 || views.len() < 4 * FEW {
            return None;
        }
        let mut slots = [(0, u8::MAX); SLOTS];
        let mut alike = Alike {
            firsts: Vec::with_capacity(FEW),
            which: Vec::with_capacity(views.len()),
        };
        for (row, view) in views.views().iter().enumerate() {
            let which = alike.find(&mut slots, *view, row)?;
            alike.which.push(which);
        }
        Some(alike)
    }

    fn find(&mut self, slots: &mut [(u128, u8); SLOTS], view: u128, row: usize) -> Option<u8> {
        let folded = (view as u64 ^ (view >> 64) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut at = (folded >> 32) as usize % SLOTS;
        loop {
            let slot = slots.get_mut(at)?;
            if slot.1 == u8::MAX {
                (self.firsts.len() < FEW).then_some(())?;
                *slot = (view, self.firsts.len() as u8);
                self.firsts.push(u32::try_from(row).ok()?);
                return Some(slot.1);
            }
            if slot.0 == view {
                return Some(slot.1);
            }
            at = (at + 1) % SLOTS;
        }
    }

    /// A row of each.
    pub(crate) fn firsts(&self) -> UInt32Array {
        self.firsts.clone().into()
    }

    /// What was found for those, for each row.
    pub(crate) fn each(&self, answers: &BooleanArray) -> BooleanArray {
        let yes: Vec<bool> = answers.iter().map(|answer| answer == Some(true)).collect();
        let of = |row: usize| {
            let which = self.which.get(row).map(|which| usize::from(*which));
            which
                .and_then(|which| yes.get(which))
                .is_some_and(|yes| *yes)
        };
        BooleanArray::from(BooleanBuffer::collect_bool(self.which.len(), of))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn each_row_has_its_texts_answer() {
        let text = |row: usize| format!("{} of a length that no view has room for", row * row % 37);
        let views: StringViewArray = (0..1000).map(|row| Some(text(row))).collect();
        // Copies lie apart: only what a dictionary repeats is alike.
        assert!(Alike::of(&views).is_none());
        let rows: UInt32Array = (0..1000).map(|row| row * row % 37).collect();
        let views = arrow::compute::take(&views, &rows, None).unwrap();
        let views = views.as_any().downcast_ref::<StringViewArray>().unwrap();
        let alike = Alike::of(views).unwrap();
        let firsts = arrow::compute::take(views, &alike.firsts(), None).unwrap();
        let firsts = firsts.as_any().downcast_ref::<StringViewArray>().unwrap();
        let long = |text: Option<&str>| Some(text?.len() > 39);
        let answers = alike.each(&firsts.iter().map(long).collect());
        let expected: BooleanArray = views.iter().map(long).collect();
        assert_eq!(answers, expected);
        assert!(answers.true_count() > 0 && answers.true_count() < 1000);
    }

    #[test]
    fn many_texts_are_not_few() {
        let count = |many: usize| -> StringViewArray {
            (0..1000)
                .map(|row| Some((row % many).to_string()))
                .collect()
        };
        assert!(Alike::of(&count(FEW)).is_some());
        assert!(Alike::of(&count(FEW + 1)).is_none());
        assert!(Alike::of(&count(3).slice(0, 200)).is_none());
    }
}
