//! What is wrong with a query, or with Python, underlined while it is typed.

use std::rc::Rc;

use js_sys::Array;
use serde_json::{Map, Value};
use spoor_model::{CellKey, Kind};
use spoor_protocol::Event;
use wasm_bindgen::prelude::*;

use super::Screen;
use crate::dom::object;
use crate::editor::{Editor, units_of_points};

/// Milliseconds after the last key until the kernel is asked.
const PAUSE: i32 = 250;

impl Screen {
    /// Asks what is wrong with a cell, once nothing has been typed for a moment.
    pub(super) fn diagnose_soon(self: &Rc<Self>, key: CellKey) {
        let turn = self.typed.get() + 1;
        self.typed.set(turn);
        self.after(PAUSE, move |screen| {
            if screen.typed.get() == turn {
                screen.diagnose(key);
            }
        });
    }

    /// Asks again once nothing has run for a moment: what ran may have made names, and Python answers again.
    pub(super) fn diagnose_at_rest(self: &Rc<Self>) {
        self.after(PAUSE, |screen| {
            if screen.can_ask() {
                screen.diagnose_all();
            }
        });
    }

    /// Asks what is wrong with the queries that are in editors, as there is something new that they may name, and with the
    /// active cell: Python takes a turn for each.
    pub(crate) fn diagnose_all(self: &Rc<Self>) {
        let open: Vec<CellKey> = {
            let state = self.state.borrow();
            let active = state.active();
            let is_asked = |key| key == active || state.document().kind(key) == Kind::Kql;
            let views = self.views.borrow();
            let open = views.iter().filter(|(_, view)| view.editor().is_some());
            open.map(|(key, _)| *key)
                .filter(|key| is_asked(*key))
                .collect()
        };
        for key in open {
            self.diagnose(key);
        }
    }

    /// The texts of the code cells.
    pub(crate) fn code(&self) -> Vec<String> {
        let state = self.state.borrow();
        let cells = state.document().notebook().cells.iter();
        let code = cells.filter(|cell| cell.is_code());
        code.map(|cell| cell.source.clone()).collect()
    }

    /// Asks what is wrong with a cell that is in an editor. Python answers once nothing runs.
    pub(super) fn diagnose(self: &Rc<Self>, key: CellKey) {
        let (code, language) = {
            let state = self.state.borrow();
            let document = state.document();
            let language = match document.kind(key) {
                Kind::Kql => None,
                Kind::Code if self.can_ask() => Some("python".to_owned()),
                _ => return,
            };
            (document.source(key).to_owned(), language)
        };
        let weak = Rc::downgrade(self);
        let asked = code.clone();
        let make = |id| Event::Diagnose { id, code, language };
        self.session.ask(make, move |reply| {
            let Some(screen) = weak.upgrade() else {
                return;
            };
            // What is true of another text is not shown.
            let same = screen.state.borrow().document().source(key) == asked;
            let editor = screen.view(key).and_then(|view| view.editor());
            if let (true, Some(editor)) = (same, editor) {
                editor.set_diagnostics(&underlines(&editor, &asked, &reply));
            }
        });
    }
}

/// A `diagnose_reply` as the editor takes it.
fn underlines(editor: &Editor, code: &str, reply: &Map<String, Value>) -> Array {
    let list = reply.get("diagnostics").and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .map(|diagnostic| underline(editor, code, diagnostic))
        .collect()
}

fn underline(editor: &Editor, code: &str, diagnostic: &Value) -> JsValue {
    let text = |name: &str| diagnostic.get(name).and_then(Value::as_str);
    let message = match (text("message").unwrap_or_default(), text("hint")) {
        (message, Some(hint)) => format!("{message}. {hint}"),
        (message, None) => message.to_owned(),
    };
    let fixes = diagnostic.get("fixes").and_then(Value::as_array);
    let fixes = fixes.into_iter().flatten();
    let actions: Array = fixes.map(|fix| action(editor, code, fix)).collect();
    object(&[
        ("from", place(code, diagnostic, "start").into()),
        ("to", place(code, diagnostic, "end").into()),
        ("severity", text("severity").unwrap_or("error").into()),
        ("message", message.into()),
        ("actions", actions.into()),
    ])
}

/// A fix as a button of the editor's: `{name, apply}`.
fn action(editor: &Editor, code: &str, fix: &Value) -> JsValue {
    let title = fix.get("title").and_then(Value::as_str).unwrap_or("Fix");
    let edits = fix.get("edits").and_then(Value::as_array);
    let mut edits: Vec<(u32, u32, String)> = edits
        .into_iter()
        .flatten()
        .map(|edit| {
            let text = edit.get("text").and_then(Value::as_str).unwrap_or_default();
            (
                place(code, edit, "start"),
                place(code, edit, "end"),
                text.to_owned(),
            )
        })
        .collect();
    // From the end, so that an edit moves nothing that another one means.
    edits.sort_by_key(|edit| std::cmp::Reverse(edit.0));
    let editor = editor.clone();
    let apply = Closure::<dyn FnMut()>::new(move || {
        for (from, to, text) in &edits {
            editor.replace_range(*from, *to, text);
        }
    });
    object(&[("name", title.into()), ("apply", apply.into_js_value())])
}

/// A place in code points as one in UTF-16 units.
fn place(code: &str, value: &Value, name: &str) -> u32 {
    let points = value.get(name).and_then(Value::as_u64).unwrap_or(0);
    units_of_points(code, usize::try_from(points).unwrap_or(usize::MAX))
}
