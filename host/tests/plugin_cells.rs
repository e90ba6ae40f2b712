//! Notebooks whose cells call plugins, run by the real binary with the real kernel and the real Python guest.

#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch};
use common::{Place, expect, outputs, stderr, stdout};
use serde_json::{Value, json};
use spoor_hostile::with_section;
use spoor_plugin_abi::{MANIFEST_SECTION, encode_frame};

/// A module whose function `mark` answers one row, 0.5, after `work`.
fn module(work: &str, capabilities: &[&str]) -> Vec<u8> {
    let scores: ArrayRef = Arc::new(Float64Array::from(vec![0.5]));
    let batch = RecordBatch::try_from_iter([("Score", scores)]).unwrap();
    let mut writer = arrow_ipc::writer::StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    let answer = encode_frame(b"{}", &[&writer.into_inner().unwrap()]).unwrap();
    let packed = 1_024_u64 << 32 | answer.len() as u64;
    let data: String = answer.iter().map(|byte| format!("\\{byte:02x}")).collect();
    let text = format!(
        r#"(module {work} (memory (export "memory") 8) (func (export "spoor_abi_1"))
        (func (export "alloc") (param i32) (result i32) (i32.mul (i32.const 65536)
            (memory.grow (i32.add (i32.const 1) (i32.shr_u (local.get 0) (i32.const 16))))))
        (func (export "call") (param i32 i32) (result i64) (call $work) (i64.const {packed}))
        (data (i32.const 1024) "{data}"))"#
    );
    let manifest = json!({
        "abi": 1, "name": "marks", "version": "1.2.3", "licence": "Apache-2.0", "summary": "Marks rows.",
        "capabilities": capabilities,
        "functions": [{
            "name": "mark", "summary": "A mark for all rows.", "docs": "Always the same.", "input": "whole",
            "parameters": [
                {"name": "text", "kind": "column", "type": ["string", "dynamic"], "docs": "What is marked."},
                {"name": "least", "kind": "option", "type": "long", "default": 0},
            ],
            "output": {"rows": "free", "columns": [{"name": "Score", "type": "real"}]},
        }],
    });
    let wasm = wat::parse_str(text).unwrap();
    with_section(wasm, MANIFEST_SECTION, manifest.to_string().as_bytes())
}

const NO_WORK: &str = "(func $work)";

fn place(cells: &[&str], module: &[u8]) -> Place {
    let place = Place::new();
    place.write("T.csv", "Cmd,N\na b,7\nc,8\n");
    place.notebook("hunt.ipynb", cells);
    fs::write(place.path("marks.wasm"), module).unwrap();
    place
}

fn run(place: &Place, code: i32, more: &[&str]) -> (Vec<String>, String) {
    let mut args = vec!["run", "hunt.ipynb", "--data", "T.csv", "--allow-errors"];
    args.extend(more);
    let mut command = place.spoor();
    command.env("XDG_DATA_HOME", place.path("share"));
    let output = command.args(args).output().unwrap();
    expect(&output, code);
    (outputs(&place.path("hunt.out.ipynb")), stderr(&output))
}

#[test]
fn kql_and_python_call_a_plugin_as_their_own() {
    let place = place(
        &[
            "%%kql\nT | evaluate mark(Cmd) | extend Twice = Score * 2",
            "import spoor\nframe = kql('T')\nspoor.plugins.mark(frame, text='Cmd', least=3)['Score'][0]",
            "spoor.plugins.mark(frame['Cmd'])['Score'][0], dir(spoor.plugins), len(spoor.tables())",
            "help(spoor.plugins.mark)",
            "spoor.plugins.mark(frame, column='Cmd')",
            "spoor.plugins.nothing",
            "%%kql\nT | evaluate mark(N)",
        ],
        &module(NO_WORK, &[]),
    );
    let (shown, _) = run(&place, 0, &["--plugin", "marks.wasm"]);
    assert!(
        shown[0].contains("Twice") && shown[0].contains("0.5"),
        "{}",
        shown[0]
    );
    assert!(shown[1].contains("0.5"), "{}", shown[1]);
    // The frame that was handed over is no table of the session's.
    assert!(
        shown[2].contains("0.5") && shown[2].contains("['mark'], 1)"),
        "{}",
        shown[2]
    );
    for words in [
        "mark(frame=None, /, text=None, least=0)",
        "A mark for all rows. From the plugin marks.",
        "Always the same.",
        "text (column, string or dynamic): What is marked.",
    ] {
        assert!(shown[3].contains(words), "{}", shown[3]);
    }
    assert!(
        shown[4].contains("TypeError: mark() has no argument 'column'; it takes text, least"),
        "{}",
        shown[4]
    );
    assert!(
        shown[5].contains("AttributeError") && shown[5].contains("functions here: mark"),
        "{}",
        shown[5]
    );
    assert!(
        shown[6].contains("this is long, and `text` takes string or dynamic"),
        "{}",
        shown[6]
    );
    // The executed notebook pins what it was run with.
    let text = fs::read(place.path("hunt.out.ipynb")).unwrap();
    let notebook: Value = serde_json::from_slice(&text).unwrap();
    let pin = &notebook["metadata"]["spoor"]["plugins"]["marks"];
    assert_eq!(pin["version"], "1.2.3");
    assert_eq!(pin["sha256"].as_str().unwrap().len(), 64);
}

#[test]
fn what_a_plugin_does_wrong_is_an_error_on_its_cell() {
    let endless = module("(func $work (loop (br 0)))", &[]);
    let place = place(
        &[
            "%%kql\nT | evaluate mark(Cmd)",
            "%%kql\nT | count",
            "try:\n    kql('T | evaluate mark(Cmd)')\nexcept Exception as e:\n    print(e)",
        ],
        &endless,
    );
    let (shown, _) = run(&place, 0, &["--plugin", "marks.wasm"]);
    assert!(
        shown[0].contains("mark (marks): the plugin ran out of fuel: it used the 2000100000 units"),
        "{}",
        shown[0]
    );
    assert!(shown[1].contains('2'), "{}", shown[1]);
    assert!(shown[2].contains("ran out of fuel"), "{}", shown[2]);
    fs::write(
        place.path("marks.wasm"),
        module("(func $work (unreachable))", &[]),
    )
    .unwrap();
    let (shown, _) = run(&place, 0, &["--plugin", "marks.wasm"]);
    assert!(shown[0].contains("gave up"), "{}", shown[0]);
}

#[test]
fn a_capability_is_granted_by_whoever_runs_the_notebook() {
    let work = r#"(import "spoor_abi_1" "log" (func $log (param i32 i32)))
        (func $work (call $log (i32.const 0) (i32.const 5))) (data (i32.const 0) "hello")"#;
    let place = place(&["%%kql\nT | evaluate mark(Cmd)"], &module(work, &["log"]));
    let output = place.run(&[
        "run",
        "hunt.ipynb",
        "--data",
        "T.csv",
        "--plugin",
        "marks.wasm",
    ]);
    expect(&output, 3);
    assert!(stderr(&output).contains("needs log"), "{}", stderr(&output));
    let (shown, told) = run(&place, 0, &["--plugin", "marks.wasm", "--grant", "log"]);
    assert!(shown[0].contains("0.5"), "{}", shown[0]);
    assert!(told.contains("hello"), "{told}");
}

#[test]
fn a_pinned_plugin_runs_where_its_user_has_added_it() {
    let cells = ["%%kql\nT | evaluate mark(Cmd)"];
    let place = place(&cells, &module(NO_WORK, &[]));
    run(&place, 0, &["--plugin", "marks.wasm"]);
    // What was executed is run again, by someone who has not added it, and by someone who has.
    fs::copy(place.path("hunt.out.ipynb"), place.path("hunt.ipynb")).unwrap();
    let (shown, told) = run(&place, 0, &[]);
    assert!(
        shown[0].contains("no plugin has a function called `mark`"),
        "{}",
        shown[0]
    );
    assert!(
        told.contains("pins the plugin marks 1.2.3, and that module was not added here"),
        "{told}"
    );
    let mut add = place.spoor();
    add.env("XDG_DATA_HOME", place.path("share"));
    expect(
        &add.args(["plugin", "add", "./marks.wasm"])
            .output()
            .unwrap(),
        0,
    );
    let (shown, told) = run(&place, 0, &[]);
    assert!(
        shown[0].contains("0.5") && !told.contains("pins"),
        "{} {told}",
        shown[0]
    );
}

#[test]
fn native_queries_call_plugins_too() {
    let found = "print Text = 'CVE-2026-1234' | evaluate indicators(Text) | project Indicator";
    let host = format!("%%kql host\n{found}");
    let place = place(&[&host], &module(NO_WORK, &[]));
    // What is named, and what comes with Spoor.
    let query = |text: &str, more: &[&str]| {
        let args = [&["query", text, "--data", "T.csv", "--format", "csv"], more].concat();
        let output = place.run(&args);
        expect(&output, 0);
        stdout(&output)
    };
    let named = query("T | evaluate mark(Cmd)", &["--plugin", "marks.wasm"]);
    assert_eq!(named, "Score\n0.5\n");
    assert_eq!(query(found, &[]), "Indicator\nCVE-2026-1234\n");
    let (shown, _) = run(&place, 0, &[]);
    assert!(shown[0].contains("CVE-2026-1234"), "{}", shown[0]);
    // Two of one name: which is meant cannot be known.
    fs::copy(place.path("marks.wasm"), place.path("again.wasm")).unwrap();
    let both = ["--plugin", "marks.wasm", "--plugin", "again.wasm"];
    let args = [
        &["query", "T | evaluate mark(Cmd)", "--data", "T.csv"],
        &both[..],
    ]
    .concat();
    let output = place.run(&args);
    expect(&output, 2);
    assert!(stderr(&output).contains("again.wasm: the plugin marks has the name"));
    let endless = module("(func $work (loop (br 0)))", &[]);
    fs::write(place.path("marks.wasm"), endless).unwrap();
    let args = [
        "query",
        "T | evaluate mark(Cmd)",
        "--data",
        "T.csv",
        "--plugin",
        "marks.wasm",
    ];
    let output = place.run(&args);
    expect(&output, 1);
    assert!(stderr(&output).contains("mark (marks): the plugin ran out of fuel"));
}
