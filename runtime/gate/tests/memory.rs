//! A thousand failing calls leave no memory behind. A file of its own: nothing else runs in the process.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod engines;

use engines::{End, Wasmtime, run};
use spoor_gate::{Limits, Policy, admit, meter};
use spoor_hostile::cases;

/// Resident memory of this process, in pages; `None` where the system does not say.
fn resident() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    text.split_whitespace().nth(1)?.parse().ok()
}

#[test]
fn memory_comes_back_after_a_thousand_failing_calls() {
    let wanted = [
        "answer-past-the-end",
        "load-outside-memory",
        "endless-recursion",
        "answer-corrupted",
    ];
    let ready: Vec<_> = cases()
        .into_iter()
        .filter(|case| wanted.contains(&case.name.as_str()))
        .map(|case| {
            let module = admit(&case.bytes, &Policy::default()).unwrap();
            let function = module.manifest.functions[0].clone();
            (
                meter(&module, &Limits::default()).unwrap().bytes,
                function,
                case,
            )
        })
        .collect();
    assert_eq!(ready.len(), wanted.len());
    let fail = |times: usize| {
        for (bytes, function, case) in ready.iter().cycle().take(times) {
            let ran = run::<Wasmtime>(bytes, function, &case.call(), case.rows, case.fuel);
            assert!(!matches!(ran.end, End::Answer(_)), "{}", case.name);
        }
    };
    fail(400);
    let Some(before) = resident() else {
        return;
    };
    fail(1_000);
    let after = resident().unwrap();
    assert!(
        after <= before + before / 100 + 64,
        "{before} pages before, {after} after"
    );
}
