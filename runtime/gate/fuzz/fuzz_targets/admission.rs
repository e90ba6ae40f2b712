//! Admission and rewriting: no bytes make them panic, and what is admitted is still a module once it is metered, and does what it
//! did before while fuel lasts, by an engine of its own.
//!
//! Input that begins as a module is taken as it is; any other makes one (`tests/modules`).
#![no_main]

#[path = "../../tests/engines/mod.rs"]
mod engines;
#[path = "../../tests/modules/mod.rs"]
mod modules;

use engines::{Guest, Wasmi, original};
use libfuzzer_sys::fuzz_target;
use spoor_gate::{Limits, Policy, Reason, Trap, admit, meter};
use wasmparser::Validator;

const FUEL: u64 = 100_000;

fuzz_target!(|bytes: &[u8]| {
    if bytes.starts_with(b"\0asm") {
        return tried(bytes, false);
    }
    let simd = bytes.first().is_some_and(|byte| byte % 2 == 0);
    if let Some(module) = modules::module(bytes, simd) {
        tried(&module, true);
    }
});

/// `is_ours`: it imports nothing and exports what a call needs, so that it can be run.
fn tried(bytes: &[u8], is_ours: bool) {
    let Ok(module) = admit(bytes, &Policy::default()) else {
        return;
    };
    let Ok(metered) = meter(&module, &Limits::default()) else {
        return;
    };
    if let Err(error) = Validator::new().validate_all(&metered.bytes) {
        panic!("the rewritten module is none: {error}");
    }
    if !is_ours {
        return;
    }
    for arguments in [(0, 0), (1024, 64)] {
        let after = called(&metered.bytes, arguments);
        if matches!(after, Err(Trap::Fuel | Trap::Stack)) {
            continue;
        }
        let (before, _) = original(bytes, arguments, FUEL * 4);
        assert!(before == after, "metering changed what it does");
    }
}

fn called(bytes: &[u8], (pointer, length): (i32, i32)) -> Result<(i64, Vec<u8>), Trap> {
    let mut guest = Wasmi::new(bytes)?;
    guest.set_fuel(FUEL as i64);
    match guest.call(pointer, length) {
        Ok(value) => Ok((value, guest.memory().to_vec())),
        Err(trap) => Err(trap.because(Reason::from_global(guest.reason()))),
    }
}
