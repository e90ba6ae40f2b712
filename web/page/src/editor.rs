//! The editor of a cell, whose JavaScript (`js/editor.mjs`) is loaded when it is first wanted.

use std::cell::RefCell;

use js_sys::{Array, Object, Promise, Reflect};
use spoor_model::Kind;
use spoor_notebook::Language;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Element, KeyboardEvent};

use crate::help::Keys;

#[wasm_bindgen(raw_module = "spoor:lazy")]
extern "C" {
    #[wasm_bindgen(js_name = loadEditor)]
    fn load_editor() -> Promise;
}

#[wasm_bindgen]
extern "C" {
    /// The module.
    #[derive(Clone)]
    pub type Library;
    #[wasm_bindgen(method, js_name = create)]
    fn create(this: &Library, parent: &Element, options: &Object) -> Editor;

    /// An editor. Offsets are UTF-16 units.
    #[derive(Clone)]
    pub type Editor;
    /// Sets the text, which is then not reported as a change.
    #[wasm_bindgen(method, js_name = setDoc)]
    pub fn set_doc(this: &Editor, text: &str);
    /// Sets the language, by [`language_name`].
    #[wasm_bindgen(method, js_name = setLanguage)]
    pub fn set_language(this: &Editor, name: &str);
    /// Shows or hides line numbers.
    #[wasm_bindgen(method, js_name = setLineNumbers)]
    pub fn set_line_numbers(this: &Editor, shown: bool);
    /// Breaks long lines, or lets them scroll.
    #[wasm_bindgen(method, js_name = setWrap)]
    pub fn set_wrap(this: &Editor, wraps: bool);
    /// Underlines: an array of `{from, to, severity, message, actions}`.
    #[wasm_bindgen(method, js_name = setDiagnostics)]
    pub fn set_diagnostics(this: &Editor, list: &Array);
    /// Marks what a search found: `from, to, ...` in order, the one that begins at `now` apart.
    #[wasm_bindgen(method, js_name = setFound)]
    pub fn set_found(this: &Editor, flat: &[u32], now: Option<u32>);
    /// Takes the focus.
    #[wasm_bindgen(method)]
    pub fn focus(this: &Editor);
    /// Whether it has the focus.
    #[wasm_bindgen(method, js_name = hasFocus)]
    pub fn has_focus(this: &Editor) -> bool;
    /// Puts the cursor where a click would.
    #[wasm_bindgen(method, js_name = placeCursor)]
    pub fn place_cursor(this: &Editor, x: f64, y: f64);
    /// Where the cursor is.
    #[wasm_bindgen(method)]
    pub fn cursor(this: &Editor) -> u32;
    /// Puts the cursor.
    #[wasm_bindgen(method, js_name = setCursor)]
    pub fn set_cursor(this: &Editor, at: u32);
    /// Where the cell is to be split.
    #[wasm_bindgen(method)]
    pub fn cuts(this: &Editor) -> Vec<u32>;
    /// Selects a range and scrolls to it.
    #[wasm_bindgen(method)]
    pub fn select(this: &Editor, from: u32, to: u32);
    /// Replaces a range, which is reported as a change.
    #[wasm_bindgen(method, js_name = replaceRange)]
    pub fn replace_range(this: &Editor, from: u32, to: u32, text: &str);
    /// What Tab does: completes or indents.
    #[wasm_bindgen(method)]
    pub fn complete(this: &Editor) -> bool;
    /// Shows what is under the cursor.
    #[wasm_bindgen(method)]
    pub fn inspect(this: &Editor) -> JsValue;
    /// Takes it off the page.
    #[wasm_bindgen(method)]
    pub fn destroy(this: &Editor);
}

/// The keys that it has beside the notebook's.
pub const KEYS: Keys = &[
    (
        "Go to the next mistake, or the one before",
        &["F8", "Shift+F8"],
    ),
    ("Mend the mistake", &["Ctrl+."]),
    ("Comment out, or in again", &["Ctrl+/"]),
    ("Indent more, or less", &["Ctrl+]", "Ctrl+["]),
    ("Move the line", &["Alt+Up", "Alt+Down"]),
    ("Copy the line", &["Alt+Shift+Up", "Alt+Shift+Down"]),
    ("Delete the line", &["Ctrl+Shift+K"]),
    ("Add a cursor", &["Ctrl+Alt+Up", "Ctrl+Alt+Down"]),
    ("Undo typing, or redo it", &["Ctrl+Z", "Ctrl+Shift+Z"]),
];

/// How an editor begins.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The text.
    pub text: String,
    /// The language, by [`language_name`].
    pub language: &'static str,
    /// What it is, for those who listen.
    pub label: String,
    /// Whether the text cannot be changed.
    pub read_only: bool,
    /// Whether lines are numbered.
    pub line_numbers: bool,
    /// Whether long lines break.
    pub wrap: bool,
}

/// Whom an editor asks and tells.
pub struct Handlers {
    /// The user has changed the text.
    pub change: Box<dyn FnMut(String)>,
    /// Whether the page takes a key press.
    pub key: Box<dyn FnMut(KeyboardEvent) -> bool>,
    /// Whether the page takes an arrow that leads out of the text, upwards or down.
    pub edge: Box<dyn FnMut(bool) -> bool>,
    /// Completions at an offset: a promise of `{from, to, options}` or null.
    pub complete: Box<dyn FnMut(String, u32) -> Promise>,
    /// What is at an offset: a promise of an element or null.
    pub inspect: Box<dyn FnMut(String, u32) -> Promise>,
}

thread_local! {
    static LIBRARY: RefCell<Option<Library>> = const { RefCell::new(None) };
}

/// The module, loaded once. The error is what the browser threw.
pub async fn load() -> Result<Library, JsValue> {
    if let Some(library) = loaded() {
        return Ok(library);
    }
    let library: Library = JsFuture::from(load_editor()).await?.unchecked_into();
    LIBRARY.with(|slot| *slot.borrow_mut() = Some(library.clone()));
    Ok(library)
}

/// The module, if it is there.
pub fn loaded() -> Option<Library> {
    LIBRARY.with(|slot| slot.borrow().clone())
}

impl Library {
    /// A new editor in `parent`.
    pub fn mount(&self, parent: &Element, options: &Options, handlers: Handlers) -> Editor {
        let object = Object::new();
        let put = |name: &str, value: JsValue| {
            // An object of our own takes any property.
            let _ = Reflect::set(&object, &name.into(), &value);
        };
        put("doc", options.text.as_str().into());
        put("language", options.language.into());
        put("label", options.label.as_str().into());
        put("readOnly", options.read_only.into());
        put("lineNumbers", options.line_numbers.into());
        put("wrap", options.wrap.into());
        put(
            "tokens",
            Closure::<dyn FnMut(String, String) -> Array>::new(tokens).into_js_value(),
        );
        put("onChange", Closure::wrap(handlers.change).into_js_value());
        put("onKey", Closure::wrap(handlers.key).into_js_value());
        put("onEdge", Closure::wrap(handlers.edge).into_js_value());
        put("complete", Closure::wrap(handlers.complete).into_js_value());
        put("inspect", Closure::wrap(handlers.inspect).into_js_value());
        self.create(parent, &object)
    }
}

/// A kind of cell's language, as `js/editor.mjs` names it.
pub fn language_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Code => "python",
        Kind::Kql => "kql",
        Kind::Markdown => "markdown",
        Kind::Raw | Kind::Other => "text",
    }
}

/// The coloured pieces of a text: `from, to, class, ...`.
fn tokens(text: String, language: String) -> Array {
    let language = Language::from_name(&language);
    let flat = Array::new();
    let (mut byte, mut unit) = (0, 0);
    for (piece, class) in spoor_notebook::tokens(&text, &language) {
        let mut to_unit = |to: usize| {
            unit += text.get(byte..to).map_or(0, units);
            byte = to;
            unit
        };
        let (from, to) = (to_unit(piece.start), to_unit(piece.end));
        flat.push(&from.into());
        flat.push(&to.into());
        flat.push(&class.into());
    }
    flat
}

/// The length of a text in UTF-16 units.
fn units(text: &str) -> u32 {
    u32::try_from(text.encode_utf16().count()).unwrap_or(u32::MAX)
}

/// The offset in code points, as Jupyter counts, of an offset in UTF-16 units.
pub fn points_of_units(text: &str, at: u32) -> usize {
    let mut units = 0;
    let before = text.chars().take_while(|c| {
        units += c.len_utf16();
        units <= at as usize
    });
    before.count()
}

/// The offset in UTF-16 units of an offset in code points.
pub fn units_of_points(text: &str, at: usize) -> u32 {
    let units: usize = text.chars().take(at).map(char::len_utf16).sum();
    u32::try_from(units).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_go_both_ways() {
        let text = "a😀bé";
        for (points, units) in [(0, 0), (1, 1), (2, 3), (3, 4), (4, 5)] {
            assert_eq!(points_of_units(text, units), points);
            assert_eq!(units_of_points(text, points), units);
        }
        assert_eq!(points_of_units(text, 99), 4);
    }
}
