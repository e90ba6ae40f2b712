//! The hostile corpus as files, for a browser's tests: `cargo run -p spoor-gate --example corpus -- DIR`.
//!
//! Writes each case's module as `NAME.wasm`, where the gate lets it in also as it is metered, `NAME.metered.wasm`, and its
//! call's frame, `NAME.frame`; and `cases.json`, an array of `{name, expect, metered, fuel, used}`: the outcome that is
//! wanted (`trap memory`), whether there is a metered module, the fuel that the call is given, and what it used of it under
//! wasmtime, both in units, and `rows`, how many rows its input is said to have.
//!
//! Beside them are plugins that do what no case does: `chatty.wasm` logs 1,500 lines, `panicking.wasm` leaves words when it
//! traps, and `slow.wasm` says that 437 of 1,000 are done, and more than there is before that, and goes on for ever.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "test data: what fails here is a mistake in the corpus"
)]

#[path = "../tests/engines/mod.rs"]
mod engines;

use std::path::{Path, PathBuf};

use engines::{Wasmtime, run};
use serde_json::{Value, json};
use spoor_gate::{Limits, Policy, Refusal, admit, meter};
use spoor_hostile::{Case, Outcome, cases, good_answer, good_manifest, with_section};
use spoor_plugin_abi::Function;

fn main() {
    let folder = std::env::args().nth(1).expect("name the folder to write");
    let folder = PathBuf::from(folder);
    std::fs::create_dir_all(&folder).unwrap();
    let written: Vec<Value> = cases().iter().map(|case| dump(&folder, case)).collect();
    let list = serde_json::to_vec_pretty(&written).unwrap();
    std::fs::write(folder.join("cases.json"), list).unwrap();
    std::fs::write(folder.join("chatty.wasm"), chatty()).unwrap();
    std::fs::write(folder.join("panicking.wasm"), panicking()).unwrap();
    std::fs::write(folder.join("slow.wasm"), slow()).unwrap();
}

/// Logs a line with a control character, many times, and answers.
fn chatty() -> Vec<u8> {
    let answer = good_answer();
    let data: String = answer.iter().map(|byte| format!("\\{byte:02x}")).collect();
    let packed = 1_024_u64 << 32 | answer.len() as u64;
    plugin(
        &["log"],
        &format!(
            r#"(import "spoor_abi_1" "log" (func $log (param i32 i32)))
            (data (i32.const 64) "a line\1b[31m") (data (i32.const 1024) "{data}")
            (func (export "call") (param i32 i32) (result i64) (local $n i32)
              (loop
                (call $log (i32.const 64) (i32.const 11))
                (local.set $n (i32.add (local.get $n) (i32.const 1)))
                (br_if 0 (i32.lt_u (local.get $n) (i32.const 1500))))
              (i64.const {packed}))"#
        ),
    )
}

/// Leaves words, and traps.
fn panicking() -> Vec<u8> {
    plugin(
        &[],
        r#"(global (export "spoor_panic") i32 (i32.const 16))
        (data (i32.const 16) "\40\00\00\00\0b\00\00\00") (data (i32.const 64) "out of luck")
        (func (export "call") (param i32 i32) (result i64) (unreachable))"#,
    )
}

/// Says how much of it is done over and over, and does not come to an end.
fn slow() -> Vec<u8> {
    plugin(
        &["progress"],
        r#"(import "spoor_abi_1" "progress" (func $progress (param i32)))
        (func (export "call") (param i32 i32) (result i64)
          (call $progress (i32.const -2147483648)) (call $progress (i32.const 2147483647))
          (loop (call $progress (i32.const 437)) (br 0))
          (unreachable))"#,
    )
}

/// A module of the ABI with these fields, whose function `f` takes all rows at once.
fn plugin(capabilities: &[&str], fields: &str) -> Vec<u8> {
    let mut manifest = good_manifest();
    manifest["capabilities"] = json!(capabilities);
    manifest["functions"][0]["input"] = json!("whole");
    manifest["functions"][0]["parameters"] =
        json!([{"name": "c", "kind": "column", "type": "long", "default": null}]);
    let module = wat::parse_str(format!(
        r#"(module {fields}
        (memory (export "memory") 2)
        (func (export "spoor_abi_1"))
        (func (export "alloc") (param i32) (result i32) (i32.const 65536)))"#
    ));
    with_section(
        module.unwrap(),
        "spoor.manifest",
        manifest.to_string().as_bytes(),
    )
}

/// Writes a case's files. Gives what `cases.json` says of it.
fn dump(folder: &Path, case: &Case) -> Value {
    let write = |ending: &str, bytes: &[u8]| {
        std::fs::write(folder.join(format!("{}.{ending}", case.name)), bytes).unwrap();
    };
    write("wasm", &case.bytes);
    let prepared = prepare(case).ok();
    let used = prepared.as_ref().map(|(metered, function)| {
        write("metered.wasm", metered);
        write("frame", &case.call());
        run::<Wasmtime>(metered, function, &case.call(), case.rows, case.fuel).fuel
    });
    json!({
        "name": case.name,
        "expect": words(&case.outcome),
        "metered": prepared.is_some(),
        "fuel": case.fuel,
        "used": used,
        "rows": case.rows,
    })
}

fn prepare(case: &Case) -> Result<(Vec<u8>, Function), Refusal> {
    let module = admit(&case.bytes, &Policy::default())?;
    let function = module.manifest.function(&case.function);
    let function = function.expect("the case calls a function it has").clone();
    Ok((meter(&module, &Limits::default())?.bytes, function))
}

/// The outcome as the corpus' files have it.
fn words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Refused(rule) => format!("refused {rule}"),
        Outcome::Trap(kind) => format!("trap {kind}"),
        Outcome::Fault(rule) => format!("fault {rule}"),
        Outcome::Error(text) => format!("error {text}"),
        Outcome::Answer => "answer".into(),
    }
}
