//! Which rows are in view: a scrollbar over more rows than a browser can make an element tall.
//!
//! Up to some millions of pixels the scrollbar is as long as the rows. Beyond, it is as long as allowed and stands for
//! more: what the wheel and the keys do moves rows by as much as it says, and a pull of the bar goes to its place.

/// The tallest element. Firefox stops below 18 million pixels.
const TALLEST: f64 = 8_000_000.0;

/// The place in a list of rows of one height.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scroll {
    rows: u32,
    row: f64,
    viewport: f64,
    /// Where the scrollbar is, in pixels of its own.
    bar: f64,
    /// What is at the viewport's top, in pixels of all rows.
    top: f64,
}

impl Scroll {
    pub(super) fn new(row: f64) -> Self {
        Self {
            rows: 0,
            row,
            viewport: 0.0,
            bar: 0.0,
            top: 0.0,
        }
    }

    pub(super) fn resize(&mut self, rows: u32, viewport: f64) {
        self.rows = rows;
        self.viewport = viewport;
        self.top = self.top.clamp(0.0, self.last_top());
    }

    /// How tall the scrolled element is to be.
    pub(super) fn height(&self) -> f64 {
        self.total().min(TALLEST)
    }

    fn total(&self) -> f64 {
        f64::from(self.rows) * self.row
    }

    fn last_top(&self) -> f64 {
        (self.total() - self.viewport).max(0.0)
    }

    fn last_bar(&self) -> f64 {
        (self.height() - self.viewport).max(0.0)
    }

    /// The scrollbar has moved.
    pub(super) fn scrolled(&mut self, bar: f64) {
        let moved = bar - self.bar;
        self.bar = bar;
        if self.total() <= TALLEST || bar <= 0.0 || bar >= self.last_bar() - 1.0 {
            self.top = self.mapped(bar);
        } else if moved.abs() <= 2.0 * self.viewport {
            self.top = (self.top + moved).clamp(0.0, self.last_top());
        } else {
            self.top = self.mapped(bar);
        }
    }

    fn mapped(&self, bar: f64) -> f64 {
        let last = self.last_bar();
        if last <= 0.0 {
            return 0.0;
        }
        (bar / last).clamp(0.0, 1.0) * self.last_top()
    }

    /// Brings a row into view; gives where the scrollbar is to be if it has to move.
    pub(super) fn reveal(&mut self, row: u32) -> Option<f64> {
        let above = f64::from(row) * self.row;
        let below = above + self.row - self.viewport;
        let top = if above < self.top {
            above
        } else if below > self.top {
            below
        } else {
            return None;
        };
        self.top = top.clamp(0.0, self.last_top());
        let share = if self.last_top() > 0.0 {
            self.top / self.last_top()
        } else {
            0.0
        };
        self.bar = (share * self.last_bar()).round();
        Some(self.bar)
    }

    /// The rows in view and `over` more on each side.
    pub(super) fn shown(&self, over: u32) -> std::ops::Range<u32> {
        let first = (self.top / self.row).floor() as u32;
        let last = ((self.top + self.viewport) / self.row).ceil() as u32;
        first.saturating_sub(over).min(self.rows)..last.saturating_add(over).min(self.rows)
    }

    /// Where a row's element is to be in the scrolled element.
    pub(super) fn place(&self, row: u32) -> f64 {
        self.bar + f64::from(row) * self.row - self.top
    }

    /// Whole rows in the viewport.
    pub(super) fn page(&self) -> u32 {
        ((self.viewport / self.row).floor() as u32).max(1)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn of(rows: u32) -> Scroll {
        let mut scroll = Scroll::new(24.0);
        scroll.resize(rows, 480.0);
        scroll
    }

    #[test]
    fn few_rows_are_where_the_scrollbar_is() {
        let mut scroll = of(1000);
        assert_eq!(scroll.height(), 24_000.0);
        scroll.scrolled(2400.0);
        assert_eq!(scroll.shown(0), 100..120);
        assert_eq!(scroll.place(100), 2400.0);
        scroll.resize(10, 480.0);
        assert_eq!(scroll.shown(8), 0..10);
    }

    #[test]
    fn every_row_of_many_can_be_reached() {
        let mut scroll = of(10_000_000);
        assert_eq!(scroll.height(), TALLEST);
        // The wheel moves by as much as it says.
        scroll.scrolled(120.0);
        assert_eq!(scroll.shown(0).start, 5);
        // A pull goes to its place, and the ends are the ends.
        scroll.scrolled(TALLEST / 2.0);
        let middle = scroll.shown(0).start;
        assert!((4_900_000..5_100_000).contains(&middle), "{middle}");
        scroll.scrolled(TALLEST - 480.0);
        assert_eq!(scroll.shown(0).end, 10_000_000);
        scroll.scrolled(0.0);
        assert_eq!(scroll.shown(0).start, 0);
    }

    #[test]
    fn revealing_moves_as_little_as_needed() {
        for rows in [1000, 10_000_000] {
            let mut scroll = of(rows);
            assert_eq!(scroll.reveal(19), None);
            assert!(scroll.reveal(20).is_some());
            assert_eq!(scroll.shown(0), 1..21);
            assert!(scroll.reveal(rows - 1).is_some());
            assert_eq!(scroll.shown(0).end, rows);
            let place = scroll.place(rows - 1);
            assert!(place + 24.0 <= scroll.height() + 1.0, "{place}");
            scroll.reveal(0).unwrap();
            assert_eq!(scroll.place(0), 0.0);
        }
    }
}
