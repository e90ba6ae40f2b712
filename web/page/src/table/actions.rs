//! What is taken out of a table: to the clipboard, to a file, or one value to read.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Array, JsString, Uint8Array};
use spoor_messages::results::{Answer, Ask, ExportFormat, Selection};
use wasm_bindgen::prelude::*;
use web_sys::{Blob, BlobPropertyBag, Event, HtmlAnchorElement, HtmlDialogElement, Url};

use super::context::Context;
use super::grid::Grid;
use crate::dom::{self, el};
use crate::words::counted;

/// Bytes beyond which browsers choke on a clipboard.
const MOST_COPIED: u32 = 32 << 20;
/// Milliseconds after which a saved file's URL is given back.
const SAVED: i32 = 60_000;

/// Copies the selection in a format; where but one cell is selected, all rows of the view.
pub(super) fn copy(grid: &Rc<Grid>, format: ExportFormat) {
    let span = grid
        .span()
        .filter(|(rows, columns)| rows.1 - rows.0 > 1 || columns.1 - columns.0 > 1);
    let selection = span.map(|(rows, columns)| Selection {
        rows: Some(rows),
        columns: Some((columns.0..columns.1).collect()),
    });
    copy_part(&grid.context, selection.unwrap_or_default(), format);
}

/// Copies the selection: one cell as its text, more as CSV.
pub(super) fn copy_selection(grid: &Rc<Grid>) {
    if let Some((row, column)) = grid.only_cell() {
        return copy_value(&grid.context, row, column);
    }
    let Some((rows, columns)) = grid.span() else {
        return;
    };
    let selection = Selection {
        rows: Some(rows),
        columns: Some((columns.0..columns.1).collect()),
    };
    copy_part(&grid.context, selection, ExportFormat::Csv);
}

/// Copies a cell's text as it is, whole; a null's is empty.
fn copy_value(context: &Rc<Context>, row: u32, column: u32) {
    let weak = Rc::downgrade(context);
    ask_value(context, row, column, move |value| {
        if let Some(context) = weak.upgrade() {
            match value {
                Ok(text) => {
                    let text = text.unwrap_or_default();
                    write_clipboard(&context, &text, "Copied the value".to_owned());
                }
                Err(message) => context.say(&message),
            }
        }
    });
}

fn copy_part(context: &Rc<Context>, selection: Selection, format: ExportFormat) {
    export(context, selection, format, |context, bytes, rows| {
        if bytes.length() > MOST_COPIED {
            let size = bytes.length() >> 20;
            return context.say(&format!(
                "{size} MB are too many to copy: save them as a file"
            ));
        }
        let text = String::from_utf8_lossy(&bytes.to_vec()).into_owned();
        let copied = counted(u64::from(rows), "row");
        write_clipboard(context, &text, format!("Copied {copied}"));
    });
}

fn write_clipboard(context: &Rc<Context>, text: &str, done: String) {
    let clipboard = dom::window().navigator().clipboard();
    // A page that is not served securely has none.
    if clipboard.is_undefined() {
        return context.say("The browser gives no clipboard to this page: save a file instead");
    }
    let written = clipboard.write_text(text);
    let weak = Rc::downgrade(context);
    wasm_bindgen_futures::spawn_local(async move {
        let written = wasm_bindgen_futures::JsFuture::from(written).await;
        if let Some(context) = weak.upgrade() {
            context.say(match &written {
                Ok(_) => &done,
                Err(_) => "The browser did not allow copying: select less, or save a file instead",
            });
        }
    });
}

/// Saves all rows of the view as a file.
pub(super) fn save(context: &Rc<Context>, format: ExportFormat, ending: &'static str) {
    export(
        context,
        Selection::default(),
        format,
        move |context, bytes, rows| {
            let name = format!("result.{ending}");
            let said = match download(&bytes, &name) {
                Ok(()) => format!("Saved {} as {name}", counted(u64::from(rows), "row")),
                Err(error) => format!("{name} could not be saved: {error:?}"),
            };
            context.say(&said);
        },
    );
}

/// Offers bytes as a file to save.
fn download(bytes: &Uint8Array, name: &str) -> Result<(), JsValue> {
    let options = BlobPropertyBag::new();
    options.set_type("text/plain;charset=utf-8");
    let blob = Blob::new_with_u8_array_sequence_and_options(&Array::of1(bytes), &options)?;
    let url = Url::create_object_url_with_blob(&blob)?;
    let link: HtmlAnchorElement = el("a").attr("href", &url).attr("download", name).cast();
    link.click();
    dom::after(SAVED, move || {
        let _ = Url::revoke_object_url(&url);
    });
    Ok(())
}

fn export(
    context: &Rc<Context>,
    selection: Selection,
    format: ExportFormat,
    then: impl FnOnce(&Rc<Context>, Uint8Array, u32) + 'static,
) {
    context.say("Working …");
    let ask = Ask::Export {
        result: context.info.id,
        view: context.view(),
        selection,
        format,
    };
    let weak = Rc::downgrade(context);
    context.ask(ask, move |answer, buffer| {
        let Some(context) = weak.upgrade() else {
            return;
        };
        match (answer, buffer) {
            (Answer::Exported { rows }, Some(bytes)) => then(&context, bytes, rows),
            (Answer::Failed { message }, _) => context.say(&message),
            _ => {}
        }
    });
}

/// Shows a value whole, in a dialog.
pub(super) fn show_value(context: &Rc<Context>, row: u32, column: u32) {
    let name = context
        .columns()
        .get(column as usize)
        .map(|column| column.name.clone());
    let weak = Rc::downgrade(context);
    ask_value(context, row, column, move |value| {
        let Some(context) = weak.upgrade() else {
            return;
        };
        match value {
            Ok(text) => {
                let text = shown(text);
                let body = el("pre").attr("tabindex", "0").text(&text);
                dialog(&context, &name.unwrap_or_default(), body, &text, "value");
            }
            Err(message) => context.say(&message),
        }
    });
}

/// Asks for a cell's text, whole; a null has none.
fn ask_value(
    context: &Context,
    row: u32,
    column: u32,
    then: impl FnOnce(Result<Option<String>, String>) + 'static,
) {
    let ask = Ask::Value {
        result: context.info.id,
        row,
        column,
    };
    context.ask(ask, move |answer, _| match answer {
        Answer::Value { text, null } => then(Ok((!null).then_some(text))),
        Answer::Failed { message } => then(Err(message)),
        _ => {}
    });
}

/// A value as it is read.
fn shown(value: Option<String>) -> String {
    value.map_or_else(|| "null".to_owned(), spread)
}

/// Shows a row whole, in a dialog with this title: each column's name and value.
pub(super) fn show_row(context: &Rc<Context>, row: u32, title: &str) {
    let columns = context.columns().len();
    let values: Rc<RefCell<Vec<String>>> = Rc::new(RefCell::new(vec![String::new(); columns]));
    let left = Rc::new(Cell::new(columns));
    for column in 0..columns {
        let (weak, title) = (Rc::downgrade(context), title.to_owned());
        let (values, left) = (values.clone(), left.clone());
        ask_value(context, row, column as u32, move |value| {
            let Some(context) = weak.upgrade() else {
                return;
            };
            match value {
                Ok(text) => values.borrow_mut()[column] = shown(text),
                // Said once: the others that fail fail alike.
                Err(message) => return context.say(&message),
            }
            left.set(left.get() - 1);
            if left.get() == 0 {
                row_dialog(&context, &title, &values.borrow());
            }
        });
    }
}

fn row_dialog(context: &Rc<Context>, title: &str, values: &[String]) {
    let names = context.columns().iter().map(|column| column.name.as_str());
    let pairs: Vec<(&str, &String)> = names.zip(values).collect();
    let lines = pairs.iter().map(|(name, value)| format!("{name}: {value}"));
    let text = lines.collect::<Vec<_>>().join("\n");
    let list = pairs
        .iter()
        .flat_map(|(name, value)| [el("dt").text(name), el("dd").text(value)]);
    let body = el("div")
        .class("row-values")
        .attr("role", "group")
        .attr("aria-label", "Row")
        .attr("tabindex", "0")
        .child(el("dl").children(list));
    dialog(context, title, body, &text, "row");
}

/// JSON on several lines; any other text as it is.
fn spread(text: String) -> String {
    if !text.starts_with(['{', '[']) {
        return text;
    }
    let value: Option<serde_json::Value> = serde_json::from_str(&text).ok();
    value
        .and_then(|value| serde_json::to_string_pretty(&value).ok())
        .unwrap_or(text)
}

/// Opens a dialog with something to read, and a button that copies it as `text`; `what` it is.
fn dialog(context: &Rc<Context>, name: &str, body: dom::El, text: &str, what: &'static str) {
    let dialog = el("dialog").class("result-value").attr("aria-label", name);
    let shown: HtmlDialogElement = dialog.cast();
    let (closes, gone) = (shown.clone(), shown.clone());
    let weak = Rc::downgrade(context);
    let whole = JsString::from(text);
    let copy = dom::button("Copy").on("click", move |_: Event| {
        if let (Some(context), Some(text)) = (weak.upgrade(), whole.as_string()) {
            write_clipboard(&context, &text, format!("Copied the {what}"));
        }
    });
    let close = dom::button("Close").on("click", move |_: Event| closes.close());
    dialog
        .child(el("h2").text(name))
        .child(body)
        .child(el("div").class("buttons").child(copy).child(close))
        .on("close", move |_: Event| gone.remove())
        .build();
    let body = dom::document().body();
    if let Some(body) = body {
        dom::append(&body, &shown);
        // It fails only for a dialog that is not in the document.
        let _ = shown.show_modal();
    }
}
