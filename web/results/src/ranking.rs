//! Many texts in their order: each row's text as its place among the different ones.
//!
//! Logs are full of texts that begin alike, so that comparing them pair by pair reads the same beginnings over and over.
//! Here rows are sorted by seven bytes of their texts, then those that are still equal by the next seven, and so on:
//! every byte is read once, and what is compared are numbers.

use arrow::array::{Array, StringArray};

use crate::data::Data;
use crate::sorter::{RUN, Sorter};
use crate::{Over, STRIDE};

/// Bytes of a text that a key holds, and the last byte of the key of a text with more.
const BYTES: usize = 7;
const MORE: u64 = BYTES as u64 + 2;

/// Seven bytes and, below them, how many there are, one more; and two more where there are further ones.
pub(crate) fn prefix(text: &[u8]) -> u64 {
    let mut bytes = [0; BYTES + 1];
    for (slot, byte) in bytes.iter_mut().take(BYTES).zip(text) {
        *slot = *byte;
    }
    // One more, so that a null is below the empty text.
    bytes[BYTES] = text.len().min(BYTES + 1) as u8 + 1;
    u64::from_be_bytes(bytes)
}

/// Rows whose texts are equal up to a byte.
#[derive(Clone, Copy)]
struct Group {
    start: usize,
    end: usize,
    depth: usize,
}

/// Ranks in the making.
pub(crate) struct Ranking {
    texts: Vec<StringArray>,
    starts: Vec<usize>,
    /// A key of each row's text and the row, in order as far as it is known.
    items: Vec<(u64, u32)>,
    /// Whether an item's text is that of the item before.
    same: Vec<bool>,
    /// Groups that are not in order yet.
    groups: Vec<Group>,
    working: Option<Working>,
}

/// A group that is being put in order.
struct Working {
    group: Group,
    /// The next item that lacks its key.
    next: usize,
    sorter: Option<Sorter>,
}

impl Ranking {
    /// The ranks of a column of text.
    pub(crate) fn new(data: &Data, column: usize) -> Self {
        let rows = data.rows() as usize;
        let mut texts: Vec<StringArray> = Vec::new();
        let mut starts = Vec::new();
        let mut start = 0;
        while let Some((batch, range)) = data.piece(start, usize::MAX) {
            starts.push(start);
            start += range.len();
            let array = batch.column(column).as_any().downcast_ref::<StringArray>();
            texts
                .push(array.map_or_else(|| StringArray::new_null(range.len()), StringArray::clone));
        }
        Self {
            texts,
            starts,
            items: (0..data.rows()).map(|row| (0, row)).collect(),
            same: vec![false; rows],
            groups: vec![Group {
                start: 0,
                end: rows,
                depth: 0,
            }],
            working: None,
        }
    }

    /// Goes on; gives each row's rank when all are known.
    pub(crate) fn advance(&mut self, over: Over<'_>) -> Option<Vec<u64>> {
        loop {
            let mut working = match self.working.take() {
                Some(working) => working,
                None => match self.groups.pop() {
                    Some(group) => Working {
                        group,
                        next: group.start,
                        sorter: None,
                    },
                    None => return Some(self.ranks()),
                },
            };
            if !self.work_on(&mut working, over) {
                self.working = Some(working);
                return None;
            }
            self.divide(working.group);
            if over() {
                return None;
            }
        }
    }

    /// Puts a group in the order of its next bytes; `false` where the slice ended before.
    fn work_on(&mut self, working: &mut Working, over: Over<'_>) -> bool {
        let Group { start, end, depth } = working.group;
        while working.next < end {
            let stop = (working.next + STRIDE).min(end);
            for at in working.next..stop {
                let row = self.items[at].1;
                self.items[at].0 = self.key(row, depth);
            }
            working.next = stop;
            if end - start > RUN && over() {
                return false;
            }
        }
        let Some(items) = self.items.get_mut(start..end) else {
            return true;
        };
        if items.len() <= RUN {
            items.sort_unstable();
            return true;
        }
        let sorter = working
            .sorter
            .get_or_insert_with(|| Sorter::new(items.to_vec()));
        if !sorter.advance(&|_, _| std::cmp::Ordering::Equal, over) {
            return false;
        }
        items.copy_from_slice(&sorter.take());
        true
    }

    /// Finds what in a group is still equal: for good where the texts have ended, else to be ordered further.
    fn divide(&mut self, group: Group) {
        let mut start = group.start;
        while start < group.end {
            let key = self.items[start].0;
            let rest = self.items.get(start..group.end).unwrap_or_default();
            let end = start + rest.iter().take_while(|item| item.0 == key).count();
            if end - start > 1 {
                if key & 0xff == MORE {
                    self.groups.push(Group {
                        start,
                        end,
                        depth: group.depth + BYTES,
                    });
                } else {
                    self.same[start + 1..end].fill(true);
                }
            }
            start = end;
        }
    }

    fn key(&self, row: u32, depth: usize) -> u64 {
        let row = row as usize;
        let batch = self
            .starts
            .partition_point(|start| *start <= row)
            .saturating_sub(1);
        let (Some(texts), Some(start)) = (self.texts.get(batch), self.starts.get(batch)) else {
            return 0;
        };
        if texts.is_null(row - start) {
            return 0;
        }
        let text = texts.value(row - start).as_bytes();
        prefix(text.get(depth..).unwrap_or_default())
    }

    fn ranks(&mut self) -> Vec<u64> {
        let mut ranks = vec![0; self.items.len()];
        let mut rank = 0;
        for ((_, row), same) in self.items.iter().zip(&self.same) {
            rank += u64::from(!same);
            if let Some(slot) = ranks.get_mut(*row as usize) {
                *slot = rank;
            }
        }
        ranks
    }
}
