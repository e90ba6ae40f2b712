//! The rows that have come from the worker, in blocks; the longest unused go first.

use std::collections::HashMap;

use spoor_messages::results::{Row, Rows};

/// Rows of a block, which are asked for together.
pub(super) const BLOCK: u32 = 128;
/// Blocks that are kept.
const KEPT: usize = 48;

/// Rows of one view.
#[derive(Debug, Default)]
pub(super) struct Cache {
    blocks: HashMap<u32, (u64, Vec<Row>)>,
    clock: u64,
}

impl Cache {
    /// A row, if it is there.
    pub(super) fn row(&self, place: u32) -> Option<&Row> {
        let (_, rows) = self.blocks.get(&(place / BLOCK))?;
        rows.get((place % BLOCK) as usize)
    }

    /// The first block of these rows that is not there, as its rows; marks the others as used.
    pub(super) fn missing(&mut self, shown: std::ops::Range<u32>) -> Option<(u32, u32)> {
        self.clock += 1;
        let clock = self.clock;
        let mut missing = None;
        if shown.is_empty() {
            return None;
        }
        for block in shown.start / BLOCK..=(shown.end - 1) / BLOCK {
            match self.blocks.get_mut(&block) {
                Some((used, _)) => *used = clock,
                None => missing = missing.or(Some((block * BLOCK, (block + 1) * BLOCK))),
            }
        }
        missing
    }

    /// Keeps rows that have come.
    pub(super) fn keep(&mut self, rows: Rows) {
        if self.blocks.len() >= KEPT {
            let oldest = self.blocks.iter().min_by_key(|(_, (used, _))| *used);
            if let Some(oldest) = oldest.map(|(block, _)| *block) {
                self.blocks.remove(&oldest);
            }
        }
        self.blocks
            .insert(rows.from / BLOCK, (self.clock, rows.rows));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn block(from: u32) -> Rows {
        let row = |id| Row {
            id,
            cells: Vec::new(),
            cut: Vec::new(),
        };
        Rows {
            from,
            total: u32::MAX,
            rows: (from..from + BLOCK).map(row).collect(),
        }
    }

    #[test]
    fn blocks_are_asked_for_once_and_the_oldest_go() {
        let mut cache = Cache::default();
        assert_eq!(cache.missing(0..0), None);
        assert_eq!(cache.missing(100..140), Some((0, 128)));
        cache.keep(block(0));
        assert_eq!(cache.missing(100..140), Some((128, 256)));
        cache.keep(block(128));
        assert_eq!(cache.missing(100..140), None);
        assert_eq!(cache.row(130).unwrap().id, 130);
        for nth in 2..60 {
            let from = nth * BLOCK;
            assert_eq!(cache.missing(from..from + 1), Some((from, from + BLOCK)));
            cache.keep(block(from));
        }
        assert!(cache.row(130).is_none());
        assert_eq!(cache.row(59 * BLOCK).unwrap().id, 59 * BLOCK);
    }
}
