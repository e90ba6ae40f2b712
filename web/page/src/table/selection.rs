//! The active cell and what is selected with it. The header is a row of its own, above row 0.

/// A cell: its row in the view, none for the header, and its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct At {
    pub row: Option<u32>,
    pub column: u32,
}

/// A way to move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Move {
    Up,
    Down,
    Left,
    Right,
    PageUp(u32),
    PageDown(u32),
    RowStart,
    RowEnd,
    First,
    Last,
}

/// The active cell, and the one where the selection began.
#[derive(Debug, Clone, Copy)]
pub(super) struct Selection {
    rows: u32,
    columns: u32,
    pub active: At,
    anchor: At,
}

impl Selection {
    pub(super) fn new(rows: u32, columns: u32) -> Self {
        let at = At {
            row: (rows > 0).then_some(0),
            column: 0,
        };
        Self {
            rows,
            columns,
            active: at,
            anchor: at,
        }
    }

    /// The view has other rows now: the selection ends, and the active cell stays in its row as far as there is one.
    pub(super) fn resize(&mut self, rows: u32) {
        self.rows = rows;
        let row = self
            .active
            .row
            .and_then(|row| rows.checked_sub(1).map(|last| row.min(last)));
        self.active.row = row;
        self.anchor = self.active;
    }

    /// Moves the active cell, and leaves the selection's other end where it is if `extend`.
    pub(super) fn go(&mut self, to: Move, extend: bool) {
        let At { row, column } = self.active;
        let last_row = self.rows.checked_sub(1);
        let last_column = self.columns.saturating_sub(1);
        let down = |by: u32| match (row, last_row) {
            (_, None) => None,
            (None, Some(last)) => Some((by - 1).min(last)),
            (Some(row), Some(last)) => Some(row.saturating_add(by).min(last)),
        };
        let (row, column) = match to {
            Move::Up => (row.and_then(|row| row.checked_sub(1)), column),
            Move::Down => (down(1), column),
            Move::Left => (row, column.saturating_sub(1)),
            Move::Right => (row, (column + 1).min(last_column)),
            Move::PageUp(by) => (row.map(|row| row.saturating_sub(by)), column),
            Move::PageDown(by) => (down(by.max(1)), column),
            Move::RowStart => (row, 0),
            Move::RowEnd => (row, last_column),
            Move::First => (last_row.map(|_| 0), 0),
            Move::Last => (last_row, last_column),
        };
        self.put(At { row, column }, extend);
    }

    /// Makes a cell the active one.
    pub(super) fn put(&mut self, at: At, extend: bool) {
        self.active = at;
        if !extend || self.anchor.row.is_none() {
            self.anchor = at;
        }
    }

    /// Selects every cell.
    pub(super) fn all(&mut self) {
        let Some(last) = self.rows.checked_sub(1) else {
            return;
        };
        self.anchor = At {
            row: Some(0),
            column: 0,
        };
        self.active = At {
            row: Some(last),
            column: self.columns.saturating_sub(1),
        };
    }

    /// The selected rows and columns, each from the first to behind the last; none in the header.
    pub(super) fn span(&self) -> Option<((u32, u32), (u32, u32))> {
        let (a, b) = (self.active.row?, self.anchor.row?);
        let (c, d) = (self.active.column, self.anchor.column);
        Some(((a.min(b), a.max(b) + 1), (c.min(d), c.max(d) + 1)))
    }

    /// Whether a cell of the rows is selected.
    pub(super) fn has(&self, row: u32, column: u32) -> bool {
        self.span().is_some_and(|(rows, columns)| {
            (rows.0..rows.1).contains(&row) && (columns.0..columns.1).contains(&column)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_move_within_the_table_and_its_header() {
        let mut selection = Selection::new(10, 3);
        let mut go = |to: Move| {
            selection.go(to, false);
            (selection.active.row, selection.active.column)
        };
        assert_eq!(go(Move::Up), (None, 0));
        assert_eq!(go(Move::Up), (None, 0));
        assert_eq!(go(Move::Right), (None, 1));
        assert_eq!(go(Move::Down), (Some(0), 1));
        assert_eq!(go(Move::PageDown(4)), (Some(4), 1));
        assert_eq!(go(Move::PageDown(40)), (Some(9), 1));
        assert_eq!(go(Move::RowEnd), (Some(9), 2));
        assert_eq!(go(Move::Right), (Some(9), 2));
        assert_eq!(go(Move::PageUp(40)), (Some(0), 2));
        assert_eq!(go(Move::Last), (Some(9), 2));
        assert_eq!(go(Move::First), (Some(0), 0));
    }

    #[test]
    fn a_selection_grows_from_where_it_began() {
        let mut selection = Selection::new(10, 3);
        selection.put(
            At {
                row: Some(5),
                column: 1,
            },
            false,
        );
        selection.go(Move::Up, true);
        selection.go(Move::Right, true);
        assert_eq!(selection.span(), Some(((4, 6), (1, 3))));
        assert!(selection.has(4, 2) && !selection.has(4, 0));
        selection.all();
        assert_eq!(selection.span(), Some(((0, 10), (0, 3))));
        selection.resize(2);
        assert_eq!(selection.span(), Some(((1, 2), (2, 3))));
        selection.resize(0);
        assert_eq!(selection.span(), None);
        let mut empty = Selection::new(0, 0);
        empty.go(Move::Down, true);
        empty.go(Move::Last, false);
        assert_eq!(empty.span(), None);
    }
}
