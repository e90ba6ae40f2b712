//! Plugins in the host's engine: the hostile corpus, limits, cancelling, many at once.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use spoor_gate::Trap;
use spoor_hostile::{Case, Outcome as Wanted, cases, good_answer, good_manifest, with_section};
use spoor_plugin_abi::{Capability, MANIFEST_SECTION};

use super::*;
use crate::aot::Cache;

struct Bench {
    runner: Runner,
    _dir: tempfile::TempDir,
}

fn bench() -> Bench {
    let dir = tempfile::tempdir().unwrap();
    let cache = Cache::at(dir.path().join("aot"));
    Bench {
        runner: Runner::new(cache),
        _dir: dir,
    }
}

impl Bench {
    fn load(&self, bytes: &[u8], wish: &Wish) -> Result<Plugin, Failure> {
        let all = Capability::ALL.into_iter().collect();
        self.runner.load(bytes, wish, &all, &|_| {})
    }

    /// What comes of a case, in the corpus' words.
    fn came(&self, case: &Case) -> (Wanted, String) {
        let wish = Wish {
            fuel: Some(case.fuel),
            ..Wish::default()
        };
        let plugin = match self.load(&case.bytes, &wish) {
            Ok(plugin) => plugin,
            Err(failure) => return outcome(Err(failure)),
        };
        let function = plugin.function(&case.function).unwrap();
        let outcome_of = plugin.call(function, &case.call(), case.rows, &Control::default());
        assert!(outcome_of.fuel <= case.fuel, "{}", case.name);
        assert!(outcome_of.memory <= plugin.limits().memory, "{}", case.name);
        outcome(outcome_of.answer.map(drop))
    }
}

fn outcome(result: Result<(), Failure>) -> (Wanted, String) {
    let Err(failure) = result else {
        return (Wanted::Answer, String::new());
    };
    let words = failure.to_string();
    let wanted = match failure {
        Failure::Refused(refusal) => Wanted::Refused(refusal.rule.name().into()),
        Failure::Trap(trapped) => Wanted::Trap(trapped.trap.name().into()),
        Failure::Answer(fault) => Wanted::Fault(fault.rule.name().into()),
        Failure::Said(text) => Wanted::Error(text),
        other => Wanted::Error(format!("not of the plugin: {other}")),
    };
    (wanted, words)
}

fn agrees(wanted: &Wanted, came: &Wanted) -> bool {
    match (wanted, came) {
        (Wanted::Error(part), Wanted::Error(whole)) => whole.contains(part),
        (wanted, came) => wanted == came,
    }
}

#[test]
fn every_hostile_case_comes_out_as_it_should() {
    let bench = bench();
    let cases = cases();
    let good = cases.iter().find(|case| case.name == "good").unwrap();
    let mut wrong = Vec::new();
    for case in &cases {
        let (came, words) = bench.came(case);
        if !agrees(&case.outcome, &came) {
            wrong.push(format!(
                "{}: wanted {:?}, came {came:?}: {words}",
                case.name, case.outcome
            ));
        }
        assert_eq!(
            bench.came(good).0,
            Wanted::Answer,
            "the call after {}",
            case.name
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A module of the good manifest (with these capabilities) around these fields.
fn module(fields: &str, capabilities: &[&str]) -> Vec<u8> {
    let answer = good_answer();
    let packed = 1_024_u64 << 32 | answer.len() as u64;
    let data: String = answer.iter().map(|byte| format!("\\{byte:02x}")).collect();
    let text = format!(
        r#"(module {} (memory (export "memory") 2) (func (export "spoor_abi_1"))
        (func (export "alloc") (param i32) (result i32) (i32.const 512))
        (data (i32.const 1024) "{data}"))"#,
        fields.replace("{good}", &packed.to_string())
    );
    let mut manifest = good_manifest();
    manifest["capabilities"] = serde_json::json!(capabilities);
    let wasm = wat::parse_str(text).unwrap();
    with_section(wasm, MANIFEST_SECTION, manifest.to_string().as_bytes())
}

const ENDLESS: &str =
    r#"(func (export "call") (param i32 i32) (result i64) (loop (br 0)) (unreachable))"#;

fn call(plugin: &Plugin, control: &Control) -> Outcome {
    let frame = spoor_plugin_abi::encode_frame(br#"{"function":"f","arguments":{}}"#, &[]).unwrap();
    plugin.call(plugin.function("f").unwrap(), &frame, 0, control)
}

#[test]
fn a_call_ends_at_its_deadline_and_when_it_is_cancelled() {
    let bench = bench();
    let wish = Wish {
        fuel: Some(u64::MAX),
        wall: Some(Duration::from_millis(60)),
        ..Wish::default()
    };
    let plugin = bench.load(&module(ENDLESS, &[]), &wish).unwrap();
    let ended = call(&plugin, &Control::default());
    let failure = ended.answer.unwrap_err();
    assert!(
        matches!(&failure, Failure::Trap(t) if t.trap == Trap::Deadline),
        "{failure}"
    );
    assert!(failure.to_string().contains("60ms"), "{failure}");
    let patient = Wish {
        wall: Some(Duration::from_secs(600)),
        ..wish
    };
    let plugin = bench.load(&module(ENDLESS, &[]), &patient).unwrap();
    let control = Control::default();
    let began = Instant::now();
    let ended = thread::scope(|scope| {
        let running = scope.spawn(|| call(&plugin, &control));
        thread::sleep(Duration::from_millis(50));
        control.cancel();
        running.join().unwrap()
    });
    assert_eq!(ended.answer.unwrap_err(), Failure::Cancelled);
    assert!(began.elapsed() < Duration::from_secs(60));
    assert_eq!(
        call(&plugin, &control).answer.unwrap_err(),
        Failure::Cancelled
    );
}

#[test]
fn capabilities_are_had_by_who_was_granted_them() {
    let bench = bench();
    let fields = r#"(import "spoor_abi_1" "log" (func $log (param i32 i32)))
        (import "spoor_abi_1" "progress" (func $progress (param i32)))
        (import "spoor_abi_1" "time" (func $time (result i64)))
        (data (i32.const 16) "so far\1b[31m")
        (func (export "call") (param i32 i32) (result i64)
          (call $log (i32.const 16) (i32.const 11))
          (call $progress (i32.const 7000))
          (if (i64.ne (call $time) (i64.const 42)) (then unreachable))
          (i64.const {good}))"#;
    let bytes = module(fields, &["log", "progress", "time"]);
    let some: BTreeSet<Capability> = [Capability::Log].into();
    let failure = bench
        .runner
        .load(&bytes, &Wish::default(), &some, &|_| {})
        .unwrap_err();
    assert!(failure.to_string().contains("progress, time"), "{failure}");
    let plugin = bench.load(&bytes, &Wish::default()).unwrap();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ears = heard.clone();
    let control = Control {
        clock: Clock::Still(42),
        ..Control::new(move |heard| ears.lock().unwrap().push(heard))
    };
    call(&plugin, &control).answer.unwrap();
    let wanted = [
        Heard::Log("so far\u{fffd}[31m".into()),
        Heard::Progress(1000),
    ];
    assert_eq!(*heard.lock().unwrap(), wanted);
}

#[test]
fn last_words_are_told() {
    let bench = bench();
    let fields = r#"(global (export "spoor_panic") i32 (i32.const 16))
        (data (i32.const 16) "\20\00\00\00\04\00\00\00") (data (i32.const 32) "oops")
        (func (export "call") (param i32 i32) (result i64) unreachable)"#;
    let plugin = bench.load(&module(fields, &[]), &Wish::default()).unwrap();
    let failure = call(&plugin, &Control::default()).answer.unwrap_err();
    assert_eq!(
        failure.to_string(),
        "the plugin gave up (unreachable): oops"
    );
    // An address outside memory is nothing to say.
    let far = fields.replace("(i32.const 16))", "(i32.const -4))");
    let plugin = bench.load(&module(&far, &[]), &Wish::default()).unwrap();
    let failure = call(&plugin, &Control::default()).answer.unwrap_err();
    assert!(failure.to_string().contains("a panic"), "{failure}");
}

#[test]
fn calls_at_once_are_alike() {
    let bench = bench();
    let fields = r#"(func (export "call") (param i32 i32) (result i64) (local i32)
        (loop (br_if 0 (i32.lt_u (local.tee 2 (i32.add (local.get 2) (i32.const 1))) (i32.const 100000))))
        (i64.const {good}))"#;
    let plugin = bench.load(&module(fields, &[]), &Wish::default()).unwrap();
    let fuel: BTreeSet<u64> = thread::scope(|scope| {
        let calls: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let ended = call(&plugin, &Control::default());
                    assert_eq!(ended.answer.unwrap().tables[0].rows(), 3);
                    ended.fuel
                })
            })
            .collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    assert_eq!(fuel.len(), 1, "{fuel:?}");
}

#[test]
fn no_call_finds_what_another_left() {
    let bench = bench();
    // It traps where anything is not as its module has it, and then leaves something everywhere: in memory that the pool wipes in
    // place, and in memory that it gives back.
    let leaves = r#"(global $left (mut i32) (i32.const 0))
        (func $clean (param i32)
            (if (i32.load (local.get 0)) (then (unreachable)))
            (i32.store (local.get 0) (i32.const -1)))
        (func (export "call") (param i32 i32) (result i64)
            (if (i32.ne (memory.size) (i32.const 2)) (then (unreachable)))
            (if (global.get $left) (then (unreachable)))
            (global.set $left (i32.const 1))
            (drop (memory.grow (i32.const 30)))
            (call $clean (i32.const 65532))
            (call $clean (i32.const 131068))
            (call $clean (i32.const 131072))
            (call $clean (i32.const 2097148))
            (i64.const {good}))"#;
    let plugins = [
        module(leaves, &[]),
        module(&format!("(func) {leaves}"), &[]),
    ];
    let plugins = plugins.map(|bytes| bench.load(&bytes, &Wish::default()).unwrap());
    for round in 0..40 {
        for plugin in &plugins {
            let came = call(plugin, &Control::default());
            assert!(came.answer.is_ok(), "{round}: {:?}", came.answer);
        }
    }
}

#[test]
fn compiled_code_is_kept() {
    let bench = bench();
    let bytes = module(ENDLESS, &[]);
    let compiled = |runner: &Runner| {
        let count = std::cell::Cell::new(0);
        let progress = |p| {
            if matches!(p, crate::aot::Progress::Compiling { .. }) {
                count.set(count.get() + 1);
            }
        };
        runner
            .load(&bytes, &Wish::default(), &BTreeSet::new(), &progress)
            .unwrap();
        count.get()
    };
    assert_eq!(compiled(&bench.runner), 1);
    assert_eq!(compiled(&bench.runner), 0);
    let another = Runner::new(Cache::at(bench._dir.path().join("aot")));
    assert_eq!(compiled(&another), 0);
}

#[test]
fn a_result_is_a_table() {
    let bench = bench();
    let fields = r#"(func (export "call") (param i32 i32) (result i64) (i64.const {good}))"#;
    let plugin = bench.load(&module(fields, &[]), &Wish::default()).unwrap();
    let ask = Ask {
        function: "f",
        ..Ask::default()
    };
    let done = evaluate(&plugin, &ask, &Control::default()).unwrap();
    assert_eq!(
        (done.calls, done.tables.len(), done.charts.len()),
        (1, 1, 0)
    );
    assert_eq!(
        spoor_table::format::csv(&done.tables[0]),
        "Value\n1\n2\n3\n"
    );
    let failure = evaluate(
        &plugin,
        &Ask {
            function: "g",
            ..ask
        },
        &Control::default(),
    );
    assert!(failure.unwrap_err().to_string().contains("it has f"));
}
