//! Runs whose session ends before its notebook does, with kernels that are written out.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::Path;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use spoor::Error;
use spoor::aot::{Cache, Progress};
use spoor::assets::Assets;
use spoor::run::{Ending, Finished, Plan, Run};
use spoor::save::Saver;
use spoor::session::{Options, Runtime};
use spoor_notebook::{Cell, Notebook, Output};
use spoor_protocol::{Channel, Effect, Frame};

/// A kernel that gives these answers to its events, in order, whatever those are, and then traps.
fn kernel(answers: &[Vec<Effect>]) -> Vec<u8> {
    let (mut data, mut steps, mut at) = (String::new(), String::new(), 1u64 << 16);
    for (n, answer) in answers.iter().enumerate() {
        let bytes = Frame::new(answer).encode().unwrap();
        let text: String = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
        data += &format!("(data (i32.const {at}) \"{text}\")");
        let packed = at << 32 | bytes.len() as u64;
        steps += &format!(
            "(if (i32.eq (global.get $n) (i32.const {})) (then (return (i64.const {packed}))))",
            n + 1
        );
        at += bytes.len() as u64;
    }
    let text = format!(
        r#"(module
        (memory (export "memory") 4) {data}
        (global $n (mut i32) (i32.const 0))
        (func (export "spoor_kernel_protocol") (result i32) (i32.const 1))
        (func (export "alloc") (param i32) (result i32) (i32.const 1024))
        (func (export "dealloc") (param i32 i32))
        (func (export "step") (param i32 i32) (result i64)
            (global.set $n (i32.add (global.get $n) (i32.const 1))) {steps} unreachable))"#
    );
    wat::parse_str(text).unwrap()
}

fn publish(channel: Channel, msg_type: &str, content: Value) -> Effect {
    Effect::Publish {
        channel,
        msg_type: msg_type.into(),
        parent: "cell".into(),
        content: content.as_object().cloned().unwrap(),
        metadata: serde_json::Map::new(),
        buffers: Vec::new(),
    }
}

fn print(text: &str) -> Effect {
    publish(
        Channel::Iopub,
        "stream",
        json!({ "name": "stdout", "text": text }),
    )
}

fn done() -> Effect {
    publish(Channel::Shell, "execute_reply", json!({ "status": "ok" }))
}

/// A Python guest of which nothing works; compiling it is reported.
fn no_python(dir: &Path) {
    fs::create_dir_all(dir).unwrap();
    fs::write(dir.join("python.wasm"), wat::parse_str("(module)").unwrap()).unwrap();
    let asset = |file: &str| json!({ "file": file, "sha256": "00", "bytes": 0 });
    let manifest = json!({
        "format": spoor::python::assets::FORMAT, "inputs": "", "module": asset("python.wasm"), "image": asset("python.image"),
        "mounts": [], "environment": {}, "interrupt": [], "versions": {}
    });
    fs::write(dir.join("guest.json"), manifest.to_string()).unwrap();
}

/// Runs a notebook of three cells; gives how that ended, and the notebook as it was saved.
fn run(answers: &[Vec<Effect>]) -> (Result<Finished, Error>, Notebook) {
    let dir = tempfile::tempdir().unwrap();
    let assets = dir.path().join("assets");
    no_python(&assets.join("python"));
    fs::write(assets.join("kernel.wasm"), kernel(answers)).unwrap();
    let out = dir.path().join("out.ipynb");
    let (cache, to) = (Cache::at(dir.path().join("aot")), out.clone());
    let (sender, ended) = channel();
    thread::spawn(move || {
        let progress = |_: Progress| {
            if thread::current().name() == Some("spoor-session") {
                panic!("a fault of our own");
            }
        };
        let runtime = Runtime::load(Assets::at(assets).unwrap(), cache, Box::new(progress));
        let mut notebook = Notebook::new();
        notebook.cells = vec![Cell::code("1"), Cell::code("2"), Cell::code("3")];
        let plan = Plan {
            allow_errors: false,
            timeout: None,
            session: Options::default(),
        };
        let ended = Run::default().start(
            &runtime.unwrap(),
            &mut notebook,
            &mut Saver::new(to),
            plan,
            &mut |_| {},
        );
        drop(sender.send(ended));
    });
    let ended = ended
        .recv_timeout(Duration::from_secs(120))
        .unwrap_or_else(|_| panic!("the run hangs"));
    let saved = Notebook::from_slice(&fs::read(out).unwrap()).unwrap();
    (ended, saved)
}

/// What a cell shows: text, and errors by name.
fn shown(cell: &Cell) -> Vec<&str> {
    let outputs = cell.outputs().iter();
    let texts = outputs.map(|output| match output {
        Output::Stream { text, .. } => text.as_str(),
        Output::Error { ename, .. } => ename.as_str(),
        _ => "",
    });
    texts.collect()
}

#[test]
fn a_panic_of_our_own_ends_the_run_and_keeps_what_there_is() {
    let run_python = Effect::RunPython { source: "1".into() };
    let (ended, saved) = run(&[
        vec![],
        vec![print("first"), done()],
        vec![print("half of the second"), run_python],
    ]);
    let error = ended.unwrap_err();
    assert!(matches!(error, Error::Internal(_)), "{error:?}");
    assert!(error.to_string().contains("a fault of our own"), "{error}");
    assert_eq!(shown(&saved.cells[0]), ["first"]);
    assert_eq!(
        shown(&saved.cells[1]),
        ["half of the second", "SessionEnded"]
    );
    assert!(shown(&saved.cells[2]).is_empty());
}

#[test]
fn a_kernel_that_breaks_costs_its_cell_and_no_more() {
    let (ended, saved) = run(&[
        vec![],
        vec![print("first"), done()],
        vec![print("half of the second"), Effect::Continue],
    ]);
    assert_eq!(ended.unwrap().end, Ending::Failed);
    assert_eq!(shown(&saved.cells[0]), ["first"]);
    assert_eq!(
        shown(&saved.cells[1]),
        ["half of the second", "KernelStopped"]
    );
}
