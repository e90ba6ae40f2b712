//! Streams that grow: what a cell prints while it runs.
//!
//! Text is put into the document as it comes. Drawing it takes as long as the whole text does, so a
//! long stream is drawn the less often the longer that took.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use spoor_model::{CellKey, Change};

use super::{Focus, Screen};
use crate::dom;

/// The shortest and the longest wait between two drawings, in milliseconds.
const WAITS: (f64, f64) = (50.0, 2000.0);
/// How much longer than a drawing took the page waits for the next.
const REST: f64 = 10.0;

/// Cells whose outputs have grown, and from which on.
#[derive(Default)]
pub(super) struct Growing {
    cells: RefCell<HashMap<CellKey, usize>>,
    /// Milliseconds that the last drawing took.
    took: Cell<f64>,
}

impl Screen {
    /// Adds text to the end of an output.
    pub(super) fn grow(self: &Rc<Self>, cell: &str, output: usize, text: &str) {
        let changes = self.state.borrow_mut().append_stream(cell, output, text);
        let mut rest = Vec::new();
        for change in changes {
            match change {
                Change::OutputsSet { key, from } => self.draw_later(key, from),
                change => rest.push(change),
            }
        }
        self.patch(rest, Focus::Keep);
    }

    fn draw_later(self: &Rc<Self>, key: CellKey, from: usize) {
        let mut cells = self.growing.cells.borrow_mut();
        let first = cells.is_empty();
        let least = cells.entry(key).or_insert(from);
        *least = from.min(*least);
        if first {
            let wait = (self.growing.took.get() * REST).clamp(WAITS.0, WAITS.1);
            self.after(wait as i32, Self::draw_grown);
        }
    }

    fn draw_grown(self: &Rc<Self>) {
        let began = dom::now();
        let cells = std::mem::take(&mut *self.growing.cells.borrow_mut());
        for (key, from) in cells {
            if let Some(view) = self.view(key) {
                self.draw_outputs(&view, from);
            }
            self.found_anew(key);
        }
        self.growing.took.set(dom::now() - began);
    }
}
