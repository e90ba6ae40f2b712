//! Drawing a notebook that is opened: what is in sight at once, the rest in slices, so that it is read
//! while the engines begin to load.
//!
//! Cells are drawn in their order, each as the model has it by then. Between the slices the kernel may
//! change cells that are not drawn yet. Before the user changes the model all are drawn: a list that
//! lacks some and still has others that are gone would come out of order.

use std::rc::Rc;

use spoor_model::{CellKey, Kind};

use super::Screen;
use crate::app::Beside;
use crate::dom;

/// Milliseconds for the cells of the first frame.
const FIRST: f64 = 80.0;
/// Milliseconds for the cells of a slice.
const SLICE: f64 = 15.0;

impl Screen {
    /// Draws the first cells, and has the rest drawn once these are on the screen.
    pub(super) fn open(self: &Rc<Self>) {
        self.draw_cells(dom::now() + FIRST);
        self.draw_selection();
        self.draw_outline();
        self.app.shell.set_health(self.session.health());
        self.tools.set_health(self.session.health());
        let weak = Rc::downgrade(self);
        dom::next_frame(move || {
            dom::after(0, move || {
                if let Some(screen) = weak.upgrade() {
                    screen.prepare_python();
                    screen.render_prose();
                    screen.beside.replace(Some(Beside::mount(&screen)));
                    screen.draw_slice();
                }
            });
        });
    }

    fn draw_slice(self: &Rc<Self>) {
        if !self.draw_cells(dom::now() + SLICE) {
            return self.after(0, Self::draw_slice);
        }
        wasm_bindgen_futures::spawn_local(async {
            // The editor is wanted soon; if it cannot be had, a click tells why.
            let _ = crate::editor::load().await;
        });
    }

    /// Draws all cells, before the model changes.
    pub fn draw_rest(self: &Rc<Self>) {
        self.draw_cells(f64::INFINITY);
    }

    /// Draws the cells that are not drawn yet, until a moment has come, in milliseconds of the page's
    /// clock; at least one. Whether all are drawn.
    fn draw_cells(self: &Rc<Self>, until: f64) -> bool {
        let keys = self.state.borrow().document().keys().to_vec();
        let drawn = self.views.borrow().len();
        if drawn == keys.len() {
            return true;
        }
        for (index, key) in keys.iter().enumerate() {
            if self.view(*key).is_some() {
                continue;
            }
            self.draw_cell(*key, index, keys.len());
            if dom::now() >= until {
                return index + 1 == keys.len();
            }
        }
        true
    }

    fn draw_cell(self: &Rc<Self>, key: CellKey, index: usize, of: usize) {
        let view = self.insert(key, index);
        match self.prose.borrow_mut().remove(&key) {
            Some(html) => view.draw_prose(&html),
            None => self.draw_prose(&view),
        }
        self.draw_outputs(&view, 0);
        view.draw_label(index, of);
        view.draw_selected(false, false, false);
        view.root.set_hidden(self.state.borrow().is_hidden(key));
    }

    /// Renders all Markdown as one text, in which links lead from cell to cell, for the cells that are
    /// drawn and for those that will be.
    fn render_prose(&self) {
        let state = self.state.borrow();
        let document = state.document();
        let rendered = spoor_notebook::render_markdown(document.notebook());
        for (index, html) in rendered {
            let Some(key) = document.keys().get(index).copied() else {
                continue;
            };
            match self.view(key) {
                Some(view) if view.kind() == Kind::Markdown => view.draw_prose(&html),
                Some(_) => {}
                None => drop(self.prose.borrow_mut().insert(key, html)),
            }
        }
    }
}
