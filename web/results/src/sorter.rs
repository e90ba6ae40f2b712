//! A merge sort that works in slices.

use std::cmp::Ordering;

use crate::Over;

/// Items that are sorted at once.
pub(crate) const RUN: usize = 1 << 14;

/// A merge sort of keys and rows, in slices. Equal ones stay in the order of their rows.
pub(crate) struct Sorter {
    items: Vec<(u64, u32)>,
    merged: Vec<(u64, u32)>,
    /// Items that are sorted run by run.
    begun: usize,
    /// The length of the sorted runs.
    width: usize,
    /// The pair of runs that is being merged begins here ...
    pair: usize,
    /// ... and these are its runs' next items.
    next: (usize, usize),
}

impl Sorter {
    pub(crate) fn new(items: Vec<(u64, u32)>) -> Self {
        Self {
            merged: Vec::with_capacity(items.len()),
            items,
            begun: 0,
            width: RUN,
            pair: 0,
            next: (0, RUN),
        }
    }

    /// The sorted items.
    pub(crate) fn take(&mut self) -> Vec<(u64, u32)> {
        std::mem::take(&mut self.items)
    }

    /// Goes on; `true` when all is sorted. `tie` orders rows whose keys are equal.
    pub(crate) fn advance(&mut self, tie: &dyn Fn(u32, u32) -> Ordering, over: Over<'_>) -> bool {
        while self.begun < self.items.len() {
            let end = (self.begun + RUN).min(self.items.len());
            if let Some(run) = self.items.get_mut(self.begun..end) {
                run.sort_unstable_by(|a, b| order(*a, *b, tie));
            }
            self.begun = end;
            if over() {
                return false;
            }
        }
        while self.width < self.items.len() {
            self.merge(tie);
            if over() {
                return false;
            }
        }
        true
    }

    /// Moves some items on.
    fn merge(&mut self, tie: &dyn Fn(u32, u32) -> Ordering) {
        let len = self.items.len();
        let middle = (self.pair + self.width).min(len);
        let end = (self.pair + 2 * self.width).min(len);
        let (mut left, mut right) = self.next;
        let stop = self.merged.len() + RUN;
        while self.merged.len() < stop && left < middle && right < end {
            let (a, b) = (self.items[left], self.items[right]);
            if order(a, b, tie).is_le() {
                self.merged.push(a);
                left += 1;
            } else {
                self.merged.push(b);
                right += 1;
            }
        }
        self.next = (left, right);
        if left == middle || right >= end {
            self.merged.extend_from_slice(&self.items[left..middle]);
            self.merged
                .extend_from_slice(self.items.get(right..end).unwrap_or_default());
            self.pair = end;
            self.next = (end, end + self.width);
        }
        if self.pair >= len {
            std::mem::swap(&mut self.items, &mut self.merged);
            self.merged.clear();
            self.width *= 2;
            self.pair = 0;
            self.next = (0, self.width);
        }
    }
}

fn order(a: (u64, u32), b: (u64, u32), tie: &dyn Fn(u32, u32) -> Ordering) -> Ordering {
    a.0.cmp(&b.0)
        .then_with(|| tie(a.1, b.1))
        .then(a.1.cmp(&b.1))
}
