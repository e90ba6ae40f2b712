//! What tests and the console see of the page, as `globalThis.spoor` (`js/page.mjs`).

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use serde::Serialize;
use serde_json::{Value, json};
use spoor_model::{CellKey, Document};
use spoor_notebook::Output;
use wasm_bindgen::prelude::*;

use crate::notebook::Screen;

thread_local! {
    static SCREEN: RefCell<Weak<Screen>> = const { RefCell::new(Weak::new()) };
}

/// Has the probe look at a screen.
pub fn watch(screen: &Rc<Screen>) {
    SCREEN.with(|slot| *slot.borrow_mut() = Rc::downgrade(screen));
}

fn screen() -> Option<Rc<Screen>> {
    SCREEN.with(|slot| slot.borrow().upgrade())
}

/// The code cells: an array of `{id, count, outputs}`.
#[wasm_bindgen(js_name = probeCells)]
pub fn cells() -> JsValue {
    let Some(screen) = screen() else {
        return js_sys::Array::new().into();
    };
    let state = screen.state.borrow();
    let document = state.document();
    let code = document
        .keys()
        .iter()
        .filter(|key| document.kind(**key).is_code());
    let cells: Vec<Value> = code.map(|key| cell(document, *key)).collect();
    to_js(&cells)
}

/// What is loaded: `{part: {ms, sha256, at}}`.
#[wasm_bindgen(js_name = probeLoaded)]
pub fn loaded() -> JsValue {
    let loaded = screen().map(|screen| screen.session.loaded());
    let parts = loaded.into_iter().flatten().map(|(part, loaded)| {
        let about = json!({ "ms": loaded.ms, "sha256": loaded.sha256, "at": loaded.at });
        (part, about)
    });
    to_js(&parts.collect::<serde_json::Map<String, Value>>())
}

/// What failed: an array of `{part, message}`.
#[wasm_bindgen(js_name = probeFailed)]
pub fn failed() -> JsValue {
    let failed = screen().map(|screen| screen.session.failed());
    let failed = failed.into_iter().flatten();
    let failed = failed.map(|(part, message)| json!({ "part": part, "message": message }));
    to_js(&failed.collect::<Vec<Value>>())
}

/// The kernel's state.
#[wasm_bindgen(js_name = probeState)]
pub fn state() -> String {
    let health = screen().map(|screen| screen.session.health().name());
    health.unwrap_or("none").to_owned()
}

/// Whether what was to be run has ended.
#[wasm_bindgen(js_name = probeFinished)]
pub fn finished() -> bool {
    screen().is_some_and(|screen| screen.is_finished())
}

/// Whether the running code heeds no interrupt: `{can_interrupt}` then.
#[wasm_bindgen(js_name = probeStuck)]
pub fn stuck() -> JsValue {
    let stuck = screen().and_then(|screen| screen.session.stuck());
    stuck.map_or(JsValue::UNDEFINED, |can| {
        to_js(&json!({ "can_interrupt": can }))
    })
}

/// What the engines hold, `{kernel, python}` in bytes, and by how many bytes streams have grown.
#[wasm_bindgen(js_name = probeHeld)]
pub fn held() -> JsValue {
    let Some(screen) = screen() else {
        return JsValue::UNDEFINED;
    };
    let (kernel, python) = screen.session.memory();
    let appended = screen.session.appended();
    to_js(&json!({ "kernel": kernel, "python": python, "appended": appended }))
}

/// Sends the worker a message, as `spoor-messages` has it.
#[wasm_bindgen(js_name = probeSend)]
pub fn send(message: JsValue) -> Result<(), JsValue> {
    let message = serde_wasm_bindgen::from_value(message)?;
    if let Some(screen) = screen() {
        screen.session.send(&message);
    }
    Ok(())
}

/// Sets the text of the code cell with this id, as if it had been typed, and runs the cell.
#[wasm_bindgen(js_name = probeRun)]
pub fn run(id: &str, source: &str) {
    if let Some(screen) = screen() {
        screen.run_as(id, source);
    }
}

fn cell(document: &Document, key: CellKey) -> Value {
    let outputs: Vec<Value> = document.outputs(key).iter().map(output).collect();
    json!({
        "id": document.id(key),
        "count": document.execution_count(key),
        "outputs": outputs,
    })
}

/// An output as nbformat has it, text in one piece.
fn output(output: &Output) -> Value {
    let mut value = match output {
        Output::Stream { name, text, .. } => {
            json!({ "output_type": "stream", "name": name, "text": text })
        }
        Output::DisplayData(_) => json!({ "output_type": "display_data" }),
        Output::ExecuteResult {
            execution_count, ..
        } => json!({ "output_type": "execute_result", "execution_count": execution_count }),
        Output::Error {
            ename,
            evalue,
            traceback,
            ..
        } => json!({
            "output_type": "error",
            "ename": ename,
            "evalue": evalue,
            "traceback": traceback,
        }),
        Output::Other(object) => Value::Object(object.clone()),
    };
    if let Some(bundle) = output.bundle() {
        value["data"] = Value::Object(bundle.data.clone());
        value["metadata"] = Value::Object(bundle.metadata.clone());
    }
    value
}

fn to_js(value: &impl Serialize) -> JsValue {
    let serializer = serde_wasm_bindgen::Serializer::json_compatible();
    value.serialize(&serializer).unwrap_or(JsValue::NULL)
}
