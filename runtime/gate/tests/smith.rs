//! Modules that nobody wrote: wasm-smith's, by seed. What is admitted is still a module once it is metered, does the same
//! as before while fuel lasts, and does it on two engines to the unit.
//!
//! `SPOOR_SMITH` modules (500) from the seed `SPOOR_SEED` (0) on.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod engines;
mod modules;

use engines::{Guest, Wasmi, Wasmtime, original};
use spoor_gate::{Limits, Policy, Reason, Trap, admit, fuel_used, meter};

const FUEL: u64 = 200_000;

fn setting(name: &str, or: u64) -> u64 {
    std::env::var(name).map_or(or, |text| text.parse().expect("a number"))
}

/// Bytes by seed: splitmix64.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed;
    let words = std::iter::repeat_with(|| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    });
    words.flat_map(u64::to_le_bytes).take(length).collect()
}

fn generate(seed: u64) -> Option<Vec<u8>> {
    modules::module(&noise(seed, 16_384), seed.is_multiple_of(2))
}

/// A call's result and the memory after it, or the trap; and the fuel.
type Called = (Result<(i64, Vec<u8>), Trap>, u64);

fn metered<G: Guest>(bytes: &[u8], arguments: (i32, i32), fuel: u64) -> Called {
    let mut guest = match G::new(bytes) {
        Ok(guest) => guest,
        Err(trap) => return (Err(trap), 0),
    };
    guest.set_fuel(fuel as i64);
    let result = guest.call(arguments.0, arguments.1);
    let used = fuel_used(fuel, guest.fuel());
    match result {
        Ok(value) => (Ok((value, guest.memory().to_vec())), used),
        Err(trap) => (Err(trap.because(Reason::from_global(guest.reason()))), used),
    }
}

#[test]
fn what_is_admitted_does_the_same_metered() {
    let (first, count) = (setting("SPOOR_SEED", 0), setting("SPOOR_SMITH", 500));
    let (mut admitted, mut finished, mut starved) = (0, 0, 0);
    for seed in first..first + count {
        let Some(bytes) = generate(seed) else {
            continue;
        };
        let module = match admit(&bytes, &Policy::default()) {
            Ok(module) => module,
            Err(refusal) => {
                println!("{seed}: {refusal}");
                continue;
            }
        };
        admitted += 1;
        let rewritten = meter(&module, &Limits::default())
            .unwrap_or_else(|e| panic!("seed {seed}: {e}"))
            .bytes;
        for arguments in [(0, 0), (1024, 64), (-1, i32::MIN)] {
            let native = metered::<Wasmtime>(&rewritten, arguments, FUEL);
            let third = metered::<Wasmi>(&rewritten, arguments, FUEL);
            assert!(
                native == third,
                "seed {seed}: engines differ: {:?} {:?}",
                brief(&native),
                brief(&third)
            );
            let (before, least) = original(&bytes, arguments, FUEL * 4);
            match (&before, &native.0) {
                (_, Err(Trap::Fuel | Trap::Stack)) => starved += 1,
                (before, after) => {
                    assert!(
                        before == after,
                        "seed {seed}: metering changed what it does: {:?}, and not {:?}",
                        brief(&native),
                        brief(&(before.clone(), least))
                    );
                    // Every instruction costs at least what the engine's own fuel takes, which is one more for the call.
                    assert!(
                        before.is_err() || native.1 + 1 >= least,
                        "seed {seed}: {} units for {least}",
                        native.1
                    );
                    finished += 1;
                }
            }
            // With less fuel it stops, or does not notice.
            let half = metered::<Wasmtime>(&rewritten, arguments, native.1 / 2);
            assert!(half.1 <= native.1 / 2);
            assert_eq!(
                half,
                metered::<Wasmi>(&rewritten, arguments, native.1 / 2),
                "seed {seed}"
            );
        }
    }
    println!("{count} modules, {admitted} admitted; {finished} calls finished, {starved} ran out");
    assert!(
        admitted * 2 > count,
        "{admitted} of {count} were admitted: the generator's settings are off"
    );
    assert!(
        finished > admitted,
        "too few calls finish for the comparison to mean something"
    );
}

fn brief(called: &Called) -> (Option<i64>, Option<Trap>, u64) {
    let (result, fuel) = called;
    (
        result.as_ref().ok().map(|(value, _)| *value),
        result.as_ref().err().copied(),
        *fuel,
    )
}
