//! Editors: each cell is read until it is edited, and a long notebook has few editors at a time.

use std::rc::Rc;

use js_sys::{Array, Promise};
use serde_json::{Map, Value};
use spoor_messages::State;
use spoor_model::{CellKey, Command, Kind, Mode};
use spoor_notebook::{Fragments, Notebook, Output};
use spoor_protocol::Event;
use wasm_bindgen::prelude::*;

use super::{CellView, Focus, Screen};
use crate::dom::{self, el, object};
use crate::editor::{self, Editor, Handlers, Library, Options, points_of_units, units_of_points};
use crate::session::Health;

/// Editors that are kept; beyond, the one that was used longest ago gives way to text.
const MOST_EDITORS: usize = 16;

impl Screen {
    /// Puts the focus into a cell's editor, which is made if it is not there.
    pub(super) fn edit(self: &Rc<Self>, view: &Rc<CellView>) {
        if self.state.borrow().document().input_hidden(view.key) {
            self.change(|state| state.apply(Command::ToggleInput));
        }
        self.with_editor(view.key, |_, editor| {
            if !editor.has_focus() {
                editor.focus();
            }
        });
    }

    /// As a click on the text that is read: edit mode, with the cursor there.
    pub(super) fn edit_at(self: &Rc<Self>, view: &Rc<CellView>, x: f64, y: f64) {
        let changes = self.state.borrow_mut().select(view.key, Mode::Edit);
        self.patch(changes, Focus::Keep);
        self.with_editor(view.key, move |_, editor| {
            editor.place_cursor(x, y);
            editor.focus();
        });
    }

    /// Calls `then` with a cell's editor, at once or when it has been loaded.
    pub fn with_editor(
        self: &Rc<Self>,
        key: CellKey,
        then: impl FnOnce(&Rc<Self>, &Editor) + 'static,
    ) {
        if let Some(library) = editor::loaded() {
            if let Some(editor) = self.editor_of(key, &library) {
                then(self, &editor);
            }
            return;
        }
        let screen = self.clone();
        wasm_bindgen_futures::spawn_local(async move {
            match editor::load().await {
                Ok(library) => {
                    if let Some(editor) = screen.editor_of(key, &library) {
                        then(&screen, &editor);
                    }
                }
                Err(_) => screen.app.shell.say(
                    "The editor could not be loaded. Look at the connection, then click the cell again.",
                ),
            }
        });
    }

    fn editor_of(self: &Rc<Self>, key: CellKey, library: &Library) -> Option<Editor> {
        let view = self.view(key)?;
        let editor = match view.editor() {
            Some(editor) => editor,
            None => self.make_editor(&view, library),
        };
        let mut editors = self.editors.borrow_mut();
        editors.retain(|other| *other != key);
        editors.push(key);
        let retired = (editors.len() > MOST_EDITORS).then(|| editors.remove(0));
        drop(editors);
        if let Some(view) = retired.and_then(|key| self.view(key)) {
            view.drop_editor();
            self.draw_source(&view);
        }
        Some(editor)
    }

    fn make_editor(self: &Rc<Self>, view: &Rc<CellView>, library: &Library) -> Editor {
        let options = self.options(view);
        dom::clear(&view.input);
        let editor = library.mount(&view.input, &options, self.handlers(view.key));
        view.set_editor(editor.clone());
        self.diagnose_soon(view.key);
        self.mark_found();
        editor
    }

    fn options(&self, view: &CellView) -> Options {
        let state = self.state.borrow();
        let document = state.document();
        let settings = self.app.preferences.get();
        let kind = document.kind(view.key);
        let number = document.index_of(view.key).map_or(0, |index| index + 1);
        Options {
            text: document.source(view.key).to_owned(),
            language: editor::language_name(kind),
            label: format!("{} of cell {number}", kind.label()),
            read_only: document.is_read_only(view.key),
            line_numbers: self.has_numbers(view),
            wrap: settings.wrap_lines || !kind.is_code(),
        }
    }

    fn handlers(self: &Rc<Self>, key: CellKey) -> Handlers {
        let [change, press, edge, complete, inspect] = [(); 5].map(|()| Rc::downgrade(self));
        Handlers {
            change: Box::new(move |text| {
                if let Some(screen) = change.upgrade() {
                    screen.change(|state| state.edit_source(key, &text));
                    screen.edited(key);
                    screen.found_anew(key);
                    screen.diagnose_soon(key);
                }
            }),
            key: Box::new(move |event| {
                let screen = press.upgrade();
                screen.is_some_and(|screen| screen.key(&event, Mode::Edit))
            }),
            edge: Box::new(move |up| edge.upgrade().is_some_and(|screen| screen.cross(key, up))),
            complete: Box::new(move |text, at| match complete.upgrade() {
                Some(screen) => screen.completions(key, text, at),
                None => Promise::resolve(&JsValue::NULL),
            }),
            inspect: Box::new(move |text, at| match inspect.upgrade() {
                Some(screen) => screen.about(key, text, at),
                None => Promise::resolve(&JsValue::NULL),
            }),
        }
    }

    /// A cell's text has changed: its result is stale.
    pub(super) fn edited(self: &Rc<Self>, key: CellKey) {
        let changes = self.queue.borrow_mut().edited(key);
        self.patch(changes, Focus::Keep);
    }

    /// An arrow led out of a cell's editor: into the next cell's, as in JupyterLab.
    fn cross(self: &Rc<Self>, key: CellKey, up: bool) -> bool {
        let command = if up {
            Command::SelectAbove
        } else {
            Command::SelectBelow
        };
        self.draw_rest();
        let mut state = self.state.borrow_mut();
        let mut changes = state.apply(command);
        let there = state.active();
        if there == key {
            return false;
        }
        let editable = state.document().kind(there) != Kind::Markdown || !state.is_rendered(there);
        let mode = if editable { Mode::Edit } else { Mode::Command };
        changes.extend(state.select(there, mode));
        drop(state);
        self.patch(changes, Focus::Follow);
        if mode == Mode::Edit {
            let cursor = if up { u32::MAX } else { 0 };
            self.with_editor(there, move |_, editor| editor.set_cursor(cursor));
        }
        true
    }

    /// What a request that waits for an idle kernel is worth now: one that runs a cell answers late.
    pub(super) fn can_ask(&self) -> bool {
        self.session.health() == Health::Known(State::Idle) && self.queue.borrow().is_empty()
    }

    fn completions(self: &Rc<Self>, key: CellKey, code: String, at: u32) -> Promise {
        let kind = self.state.borrow().document().kind(key);
        if !kind.is_code() || !self.can_ask() {
            return Promise::resolve(&JsValue::NULL);
        }
        let cursor_pos = points_of_units(&code, at);
        let session = self.session.clone();
        // What the site offers is not the kernel's before it is called.
        let before: String = code.chars().take(cursor_pos).collect();
        let (typed, offered) = self.app.plugins.completing(&before);
        Promise::new(&mut move |resolve, _| {
            let text = code.clone();
            let offered = Offered {
                from: at - typed as u32,
                to: at,
                functions: offered.clone(),
            };
            let make = |id| Event::Complete {
                id,
                code: code.clone(),
                cursor_pos,
            };
            session.ask(make, move |reply| {
                let _ = resolve.call1(&JsValue::NULL, &matches(&text, &reply, &offered));
            });
        })
    }

    fn about(self: &Rc<Self>, key: CellKey, code: String, at: u32) -> Promise {
        let kind = self.state.borrow().document().kind(key);
        if !kind.is_code() || !self.can_ask() {
            return Promise::resolve(&JsValue::NULL);
        }
        let cursor_pos = points_of_units(&code, at);
        let session = self.session.clone();
        Promise::new(&mut move |resolve, _| {
            let make = |id| Event::Inspect {
                id,
                code: code.clone(),
                cursor_pos,
                detail_level: 0,
            };
            session.ask(make, move |reply| {
                let _ = resolve.call1(&JsValue::NULL, &explanation(&reply));
            });
        })
    }
}

/// Functions that could be typed between two places, each with what it does.
struct Offered {
    from: u32,
    to: u32,
    functions: Vec<(String, String)>,
}

/// A `complete_reply` as the editor takes it, with what is offered beside it: `{from, to, options}`, or null if there is nothing.
fn matches(code: &str, reply: &Map<String, Value>, offered: &Offered) -> JsValue {
    let words: Vec<&str> = strings(reply.get("matches"));
    if words.is_empty() && offered.functions.is_empty() {
        return JsValue::NULL;
    }
    let place = |name: &str, without: u32| {
        let points = reply.get(name).and_then(Value::as_u64);
        points
            .filter(|_| !words.is_empty())
            .map_or(without, |points| {
                units_of_points(code, usize::try_from(points).unwrap_or(usize::MAX))
            })
    };
    let types = reply
        .get("metadata")
        .and_then(|metadata| metadata.get("_jupyter_types_experimental")?.as_array());
    let options = Array::new();
    for (nth, word) in words.iter().enumerate() {
        let about = types.and_then(|types| types.get(nth));
        let field = |name: &str| about.and_then(|about| about.get(name)?.as_str());
        let detail = field("signature")
            .filter(|text| !text.is_empty())
            .or(field("type"));
        let option = object(&[
            ("label", (*word).into()),
            ("type", field("type").unwrap_or("text").into()),
            ("detail", detail.unwrap_or("").into()),
        ]);
        options.push(&option);
    }
    let others = offered.functions.iter();
    for (name, about) in others.filter(|(name, _)| !words.contains(&name.as_str())) {
        options.push(&object(&[
            ("label", name.into()),
            ("type", "function".into()),
            ("detail", about.into()),
        ]));
    }
    object(&[
        ("from", place("cursor_start", offered.from).into()),
        ("to", place("cursor_end", offered.to).into()),
        ("options", options.into()),
    ])
}

/// An `inspect_reply` as an element, or null if nothing is known.
fn explanation(reply: &Map<String, Value>) -> JsValue {
    let text = reply
        .get("data")
        .and_then(|data| data.get("text/plain")?.as_str());
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else {
        return JsValue::NULL;
    };
    let output = Output::Stream {
        name: "stdout".into(),
        text: text.to_owned(),
        extra: Map::new(),
    };
    let tooltip = el("div").class("tooltip").build();
    // From spoor-notebook, which escapes what the kernel says.
    let rendered = Fragments::new().output(&Notebook::new(), &output);
    tooltip.set_inner_html(&rendered.html);
    tooltip.into()
}

fn strings(value: Option<&Value>) -> Vec<&str> {
    let list = value.and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}
