//! Answers in pieces: fixed text, and the rows of a table a few at a time.
//!
//! A protocol's encoder lists the parts of its answer; the server asks for one piece after the other as the client takes them.
//! What an answer says behind its rows depends on how many there were, so such a part is made when its turn comes.

use std::collections::VecDeque;

use spoor_table::{Cell, Table};

use crate::cells::{self, Spelling};

/// Bytes in a piece, about.
const PIECE: usize = 64 << 10;

/// What an answer may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Rows.
    pub rows: usize,
    /// Bytes of the rows as JSON.
    pub bytes: usize,
}

/// Which limit left rows out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// There were more than so many rows.
    Rows(usize),
    /// They took more than so many bytes.
    Bytes(usize),
}

impl Cut {
    /// As Kusto and Log Analytics, which is built on it, say it.
    pub fn told(self) -> String {
        let limit = match self {
            Cut::Rows(rows) => format!("{rows} records"),
            Cut::Bytes(bytes) => format!("{bytes} bytes"),
        };
        format!(
            "The results of this query exceed the set limit of {limit}, so not all records were returned \
             (E_QUERY_RESULT_SET_TOO_LARGE, 0x80DA0003)."
        )
    }
}

/// What has been written of the rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// How many.
    pub rows: usize,
    /// Their bytes.
    pub bytes: usize,
    /// Which limit was reached.
    pub cut: Option<Cut>,
}

/// Makes what is said behind the rows.
type Late = Box<dyn FnOnce(Written) -> String + Send>;

/// A part of an answer.
enum Part {
    Text(String),
    Rows(Rows),
    Late(Late),
}

/// Rows that are still to be written.
struct Rows {
    table: Table,
    spelling: Spelling,
    /// The next row: its batch, and its place there.
    next: (usize, usize),
    /// A text that stands between so many rows, in place of a comma.
    fence: Option<(usize, String)>,
}

/// An answer, piece by piece.
pub struct Pieces {
    parts: VecDeque<Part>,
    limits: Limits,
    written: Written,
}

impl Pieces {
    /// Nothing yet, and room for so much.
    pub fn new(limits: Limits) -> Self {
        Pieces {
            parts: VecDeque::new(),
            limits,
            written: Written::default(),
        }
    }

    /// Adds text.
    pub(crate) fn text(mut self, text: impl Into<String>) -> Self {
        self.parts.push_back(Part::Text(text.into()));
        self
    }

    /// Adds a table's rows, as JSON arrays with commas between them. The limits are for all that are added.
    pub(crate) fn rows(self, table: Table, spelling: Spelling) -> Self {
        self.fenced(table, spelling, None)
    }

    /// Adds a table's rows with a text between every so many.
    pub(crate) fn fenced(
        mut self,
        table: Table,
        spelling: Spelling,
        fence: Option<(usize, String)>,
    ) -> Self {
        let next = (0, 0);
        self.parts.push_back(Part::Rows(Rows {
            table,
            spelling,
            next,
            fence,
        }));
        self
    }

    /// Adds text that depends on what was written before it.
    pub(crate) fn late(mut self, late: impl FnOnce(Written) -> String + Send + 'static) -> Self {
        self.parts.push_back(Part::Late(Box::new(late)));
        self
    }

    /// All of it in one text: for small answers, and tests.
    pub fn whole(self) -> String {
        self.collect()
    }
}

impl Iterator for Pieces {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let mut piece = String::new();
        while piece.len() < PIECE {
            match self.parts.pop_front() {
                None if piece.is_empty() => return None,
                None => break,
                Some(Part::Text(text)) => piece.push_str(&text),
                Some(Part::Late(late)) => piece.push_str(&late(self.written)),
                Some(Part::Rows(mut rows)) => {
                    if !rows.fill(&mut piece, self.limits, &mut self.written) {
                        self.parts.push_front(Part::Rows(rows));
                    }
                }
            }
        }
        Some(piece)
    }
}

impl Rows {
    /// Writes rows until the piece is full; `true` when there are no more to write.
    fn fill(&mut self, piece: &mut String, limits: Limits, written: &mut Written) -> bool {
        while piece.len() < PIECE {
            let Some(batch) = self.table.batches().get(self.next.0) else {
                return true;
            };
            if self.next.1 >= batch.num_rows() {
                self.next = (self.next.0 + 1, 0);
                continue;
            }
            written.cut = written.cut.or(reached(limits, written));
            if written.cut.is_some() {
                return true;
            }
            let before = piece.len();
            self.separate(piece, written.rows);
            self.row(piece);
            self.next.1 += 1;
            written.rows += 1;
            written.bytes += piece.len() - before;
        }
        false
    }

    fn separate(&self, piece: &mut String, rows: usize) {
        match &self.fence {
            _ if rows == 0 => {}
            Some((every, text)) if rows.is_multiple_of(*every) => piece.push_str(text),
            _ => piece.push(','),
        }
    }

    fn row(&self, piece: &mut String) {
        let (batch, row) = self.next;
        let Some(batch) = self.table.batches().get(batch) else {
            return;
        };
        piece.push('[');
        for (at, (column, array)) in self.table.columns().iter().zip(batch.columns()).enumerate() {
            if at > 0 {
                piece.push(',');
            }
            cells::push(piece, Cell::of(array, column.ty, row), self.spelling);
        }
        piece.push(']');
    }
}

fn reached(limits: Limits, written: &Written) -> Option<Cut> {
    if written.rows >= limits.rows {
        Some(Cut::Rows(limits.rows))
    } else if written.bytes >= limits.bytes {
        Some(Cut::Bytes(limits.bytes))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use spoor_table::{Column, KustoType, Value};

    use super::*;

    fn numbers(count: i64) -> Table {
        let rows: Vec<Vec<Value>> = (0..count).map(|n| vec![Value::Long(n)]).collect();
        Table::from_values(vec![Column::new("n", KustoType::Long)], &rows).unwrap()
    }

    fn pieces(table: Table, rows: usize, bytes: usize) -> Pieces {
        Pieces::new(Limits { rows, bytes })
            .text("<")
            .rows(table, Spelling::KustoV2)
            .late(|written| format!("> {} {:?}", written.rows, written.cut))
    }

    #[test]
    fn many_rows_are_many_pieces() {
        let all: Vec<String> = pieces(numbers(100_000), 1 << 20, 1 << 30).collect();
        assert!(all.len() > 5, "{}", all.len());
        assert!(all.iter().all(|piece| piece.len() < PIECE + 100));
        assert!(all.concat().ends_with("[99999]> 100000 None"));
    }

    #[test]
    fn limits_cut_and_say_so() {
        assert_eq!(
            pieces(numbers(5), 2, 1_000).whole(),
            "<[0],[1]> 2 Some(Rows(2))"
        );
        assert_eq!(pieces(numbers(2), 2, 1_000).whole(), "<[0],[1]> 2 None");
        assert_eq!(
            pieces(numbers(5), 9, 4).whole(),
            "<[0],[1]> 2 Some(Bytes(4))"
        );
    }

    #[test]
    fn fences_stand_between_rows() {
        let fence = Some((2, "|".to_owned()));
        let limits = Limits {
            rows: 10,
            bytes: 100,
        };
        let pieces = Pieces::new(limits).fenced(numbers(5), Spelling::KustoV2, fence);
        assert_eq!(pieces.whole(), "[0],[1]|[2],[3]|[4]");
    }
}
