//! Plugins from the command line: real modules, run, checked, signed, published and added by the real binary.

#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Output;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray, UInt32Array};
use common::{Place, expect, stderr, stdout};
use serde_json::{Value, json};
use spoor_hostile::with_section;
use spoor_plugin_abi::{MANIFEST_SECTION, encode_frame};

/// A module that answers every call with these bytes, after `work`.
fn module(manifest: &Value, work: &str, answer: &[u8]) -> Vec<u8> {
    let packed = 1_024_u64 << 32 | answer.len() as u64;
    let data: String = answer.iter().map(|byte| format!("\\{byte:02x}")).collect();
    let text = format!(
        r#"(module {work} (memory (export "memory") 8) (func (export "spoor_abi_1"))
        (func (export "alloc") (param i32) (result i32) (i32.mul (i32.const 65536)
            (memory.grow (i32.add (i32.const 1) (i32.shr_u (local.get 0) (i32.const 16))))))
        (func (export "call") (param i32 i32) (result i64) (call $work) (i64.const {packed}))
        (data (i32.const 1024) "{data}"))"#
    );
    let wasm = wat::parse_str(text).unwrap();
    with_section(wasm, MANIFEST_SECTION, manifest.to_string().as_bytes())
}

const NO_WORK: &str = "(func $work)";
const ENDLESS: &str = "(func $work (loop (br 0)))";

fn table(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = arrow_ipc::writer::StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    writer.into_inner().unwrap()
}

fn manifest(version: &str, rows: &str) -> Value {
    json!({
        "abi": 1, "name": "marks", "version": version, "licence": "Apache-2.0",
        "summary": "Marks rows", "functions": [{
            "name": "mark", "summary": "A mark for a row", "input": "whole",
            "parameters": [
                {"name": "text", "kind": "column", "type": ["string", "dynamic"], "docs": "What is marked."},
                {"name": "seen", "kind": "column", "type": "datetime", "default": null},
                {"name": "least", "kind": "option", "type": "timespan", "default": 0},
            ],
            "output": {"rows": rows, "columns": [{"name": "Score", "type": "real"}, {"name": "Why", "type": "dynamic"}]},
        }],
    })
}

/// Two answers for the input's second and first row.
fn indexed() -> Vec<u8> {
    let why = StringArray::from(vec![Some(r#"{"a":1}"#), None]);
    let answer = table(vec![
        ("_row", Arc::new(UInt32Array::from(vec![1, 0])) as ArrayRef),
        ("Score", Arc::new(Float64Array::from(vec![0.5, 2.0]))),
        ("Why", Arc::new(why)),
    ]);
    encode_frame(b"{}", &[&answer]).unwrap()
}

fn free() -> Vec<u8> {
    let answer = table(vec![
        ("Score", Arc::new(Float64Array::from(vec![1.0])) as ArrayRef),
        ("Why", Arc::new(StringArray::from(vec!["[]"]))),
    ]);
    let header = br#"{"charts":[{"kind":"barchart","table":1,"properties":{"title":"Marks"}}]}"#;
    let more = table(vec![(
        "Note",
        Arc::new(StringArray::from(vec!["more"])) as ArrayRef,
    )]);
    encode_frame(header, &[&answer, &more]).unwrap()
}

struct Bench {
    place: Place,
}

impl Bench {
    fn new() -> Self {
        let place = Place::new();
        place.write(
            "T.csv",
            "Cmd,Score,When\na b,7,2024-01-01T00:00:00Z\nc,8,\n",
        );
        Bench { place }
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.place.path(name), bytes).unwrap();
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = self.place.spoor_with_mute_kernel();
        command.env("XDG_DATA_HOME", self.place.path("share"));
        command.arg("plugin").args(args).output().unwrap()
    }

    #[track_caller]
    fn done(&self, args: &[&str]) -> String {
        let output = self.run(args);
        expect(&output, 0);
        stdout(&output)
    }

    #[track_caller]
    fn fails(&self, code: i32, args: &[&str], words: &[&str]) {
        let output = self.run(args);
        expect(&output, code);
        let told = stderr(&output);
        for word in words {
            assert!(told.contains(word), "{told} lacks {word}");
        }
    }
}

#[test]
fn answers_join_the_rows_that_they_are_of() {
    let bench = Bench::new();
    bench.write(
        "m.wasm",
        &module(&manifest("1.0.0", "indexed"), NO_WORK, &indexed()),
    );
    let wanted = "Cmd,Score,When,Score1,Why\n\
        c,8,,0.5,\"{\"\"a\"\":1}\"\n\
        a b,7,2024-01-01T00:00:00.0000000Z,2,\n";
    let run = [
        "run", "m.wasm", "mark", "--data", "T.csv", "--column", "text=Cmd",
    ];
    assert_eq!(bench.done(&[&run[..], &["-f", "csv"]].concat()), wanted);
    // The only function need not be named, and an option is read by its type.
    let short = [
        "run", "m.wasm", "-d", "T.csv", "-c", "text=Cmd", "-p", "least=1h",
    ];
    let more = ["-c", "seen=When", "-o", "out.csv", "--stats"];
    let output = bench.run(&[&short[..], &more].concat());
    expect(&output, 0);
    assert!(
        stderr(&output).contains("calls 1, fuel"),
        "{}",
        stderr(&output)
    );
    assert_eq!(
        fs::read_to_string(bench.place.path("out.csv")).unwrap(),
        wanted
    );
    bench.fails(
        2,
        &["run", "m.wasm", "-d", "T.csv"],
        &["no column 'text'", "are Cmd"],
    );
    let wrong = ["run", "m.wasm", "-d", "T.csv", "-c", "text=Score"];
    bench.fails(2, &wrong, &["Score is long", "takes string or dynamic"]);
    bench.fails(
        2,
        &[&run[..], &["-p", "least=soon"]].concat(),
        &["timespan", "1h"],
    );
    bench.fails(
        2,
        &[&run[..], &["-p", "most=1"]].concat(),
        &["no option 'most'", "it takes least"],
    );
    bench.fails(
        2,
        &[&run[..], &["-c", "to=Cmd"]].concat(),
        &["no column parameter 'to'"],
    );
    bench.fails(2, &["run", "m.wasm", "nothing"], &["it has mark"]);
    bench.fails(2, &["run", "m.wasm"], &["--data"]);
}

#[test]
fn more_tables_and_charts_are_told() {
    let bench = Bench::new();
    bench.write(
        "m.wasm",
        &module(&manifest("1.0.0", "free"), NO_WORK, &free()),
    );
    let output = bench.run(&["run", "m.wasm", "-d", "T.csv", "-c", "text=Cmd"]);
    expect(&output, 0);
    let shown = stdout(&output);
    assert!(
        shown.contains("table 1") && shown.contains("more"),
        "{shown}"
    );
    assert!(stderr(&output).contains("chart: barchart of table 1 Marks"));
}

#[test]
fn limits_end_a_call_and_say_how_to_raise_them() {
    let bench = Bench::new();
    bench.write(
        "m.wasm",
        &module(&manifest("1.0.0", "free"), ENDLESS, &free()),
    );
    let run = ["run", "m.wasm", "-d", "T.csv", "-c", "text=Cmd"];
    let fuel = [&run[..], &["--fuel", "100000"]].concat();
    bench.fails(1, &fuel, &["out of fuel", "100000 units", "--fuel"]);
    let time = [&run[..], &["--fuel", "1000000000000", "--timeout", "0.2"]].concat();
    bench.fails(4, &time, &["200ms", "--timeout"]);
    bench.fails(
        1,
        &[&run[..], &["--memory", "64K"]].concat(),
        &["rule 'memory'"],
    );
    let output = bench.run(&["check", "m.wasm", "--runs", "2", "--fuel", "100000"]);
    expect(&output, 1);
    let report = stdout(&output);
    assert!(
        report.contains("FAIL  mark: odd inputs") && report.contains("out of fuel"),
        "{report}"
    );
    assert!(report.contains("pass  mark: same twice"), "{report}");
}

#[test]
fn a_capability_is_granted_by_the_user() {
    let bench = Bench::new();
    let work = r#"(import "spoor_abi_1" "log" (func $log (param i32 i32)))
        (func $work (call $log (i32.const 0) (i32.const 5))) (data (i32.const 0) "hello")"#;
    let mut asking = manifest("1.0.0", "free");
    asking["capabilities"] = json!(["log"]);
    bench.write("m.wasm", &module(&asking, work, &free()));
    let run = ["run", "m.wasm", "-d", "T.csv", "-c", "text=Cmd"];
    bench.fails(2, &run, &["needs log", "--grant"]);
    let output = bench.run(&[&run[..], &["--grant", "log"]].concat());
    expect(&output, 0);
    assert!(
        stderr(&output).contains("log: hello"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_sound_plugin_passes_its_check_and_info_tells_of_it() {
    let bench = Bench::new();
    bench.write(
        "m.wasm",
        &module(&manifest("1.0.0", "free"), NO_WORK, &free()),
    );
    let report = bench.done(&["check", "m.wasm", "--runs", "30"]);
    for line in [
        "pass  admission",
        "note  signature",
        "pass  mark: same twice",
        "30 answers",
    ] {
        assert!(report.contains(line), "{report} lacks {line}");
    }
    let info = bench.done(&["info", "m.wasm"]);
    assert!(
        info.contains("mark(column text: string or dynamic"),
        "{info}"
    );
    assert!(info.contains("least: timespan = 0"), "{info}");
    let info = bench.done(&["info", "m.wasm", "--format", "json"]);
    let info: Value = serde_json::from_str(&info).unwrap();
    assert_eq!(info["manifest"]["name"], "marks");
}

#[test]
fn a_plugin_goes_from_its_author_to_a_user() {
    let bench = Bench::new();
    let version = |version: &str| module(&manifest(version, "free"), NO_WORK, &free());
    let author = bench.done(&["key", "new", "author"]).trim().to_owned();
    let registry = bench
        .done(&["key", "new", "registry-key"])
        .trim()
        .to_owned();
    let mode = fs::metadata(bench.place.path("author"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    for (name, number) in [("1", "1.0.0"), ("2", "1.1.0"), ("3", "2.0.0")] {
        bench.write(name, &version(number));
        bench.done(&["sign", name, "--key", "author"]);
        bench.done(&["publish", name, "--to", "r", "--key", "registry-key"]);
    }
    bench.fails(1, &["sign", "1", "--key", "author"], &["signed already"]);
    // Another module of a version that is published stays out.
    bench.write("other", &version("1.0.0"));
    let publish = ["publish", "other", "--to", "r", "--key", "registry-key"];
    bench.fails(1, &publish, &["another marks 1.0.0"]);
    let foreign = ["publish", "1", "--to", "r", "--key", "author"];
    bench.fails(1, &foreign, &["the registry's own key"]);

    bench.fails(
        1,
        &["add", "marks", "--from", "r"],
        &["not known here", &registry],
    );
    let first = ["add", "marks@1.0", "--from", "r", "--key", &registry];
    let output = bench.run(&first);
    expect(&output, 0);
    assert!(
        stderr(&output).contains("added marks 1.1.0"),
        "{}",
        stderr(&output)
    );
    assert!(
        bench
            .done(&["list"])
            .contains(&format!("signed by {author}"))
    );
    assert!(
        bench
            .done(&["list", "--from", "r"])
            .contains("marks 2.0.0  Apache-2.0  Marks rows")
    );
    let shown = bench.done(&["run", "marks", "-d", "T.csv", "-c", "text=Cmd", "-f", "csv"]);
    assert_eq!(shown, "Score,Why\n1,[]\n");
    bench.done(&["add", "marks", "--from", "r"]);
    assert!(bench.done(&["list"]).contains("marks 2.0.0"));
    bench.fails(1, &["add", "marks@9", "--from", "r"], &["2.0.0"]);
    // A module that nobody signed does not take the place of one that somebody did.
    bench.fails(
        1,
        &["add", "./other"],
        &["signed by nobody", "--new-publisher"],
    );
    bench.done(&["add", "./other", "--new-publisher"]);
    bench.done(&["remove", "marks"]);
    assert_eq!(bench.done(&["list"]), "");
    bench.fails(3, &["info", "marks"], &["there are none"]);
}

#[test]
fn a_registry_cannot_lie() {
    let bench = Bench::new();
    let registry = bench.done(&["key", "new", "key"]).trim().to_owned();
    bench.write("m", &module(&manifest("1.0.0", "free"), NO_WORK, &free()));
    bench.done(&["publish", "m", "--to", "r", "--key", "key"]);
    let old = fs::read(bench.place.path("r/index.json")).unwrap();
    bench.write("m", &module(&manifest("1.1.0", "free"), NO_WORK, &free()));
    bench.done(&["publish", "m", "--to", "r", "--key", "key"]);
    bench.done(&["list", "--from", "r", "--key", &registry]);
    let index = fs::read(bench.place.path("r/index.json")).unwrap();
    let add = ["add", "marks", "--from", "r"];
    // An index of yesterday hides what was published since.
    bench.write("r/index.json", &old);
    bench.fails(1, &add, &["older than one seen before"]);
    let text = String::from_utf8(index.clone()).unwrap();
    bench.write(
        "r/index.json",
        text.replace("Marks rows", "Marks cows").as_bytes(),
    );
    bench.fails(1, &add, &["changed on the way, or is forged"]);
    bench.write("r/index.json", &index);
    let file = "r/marks/marks-1.1.0.wasm";
    let mut bytes = fs::read(bench.place.path(file)).unwrap();
    bytes.push(0);
    bench.write(file, &bytes);
    bench.fails(1, &add, &["not what the registry's index vouches for"]);
    bytes.pop();
    bench.write(file, &bytes);
    bench.done(&add);
    // What was pinned is what runs.
    let pinned = bench.done(&["list"]);
    let sha256 = pinned.split_whitespace().nth(2).unwrap();
    bench.write(&format!("share/spoor/plugins/{sha256}.wasm"), b"x");
    bench.fails(
        3,
        &["run", "marks", "-d", "T.csv"],
        &["is not the marks that was added"],
    );
    // Another key in the same place is not the registry's.
    bench.done(&["key", "new", "other"]);
    fs::remove_dir_all(bench.place.path("r")).unwrap();
    bench.done(&["publish", "m", "--to", "r", "--key", "other"]);
    bench.fails(1, &add, &["was signed by", &registry]);
}
