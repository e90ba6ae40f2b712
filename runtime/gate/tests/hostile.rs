//! Every plugin of the hostile corpus through admission, metering and a call, on two engines: the outcome that the case
//! wants, the same on both, and the same fuel to the unit. After each, a good plugin's call still works.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod engines;

use engines::{End, Ran, Wasmi, Wasmtime, run};
use spoor_gate::{Limits, Policy, Refusal, admit, fuel_used, meter};
use spoor_hostile::{Case, Outcome, cases};
use spoor_plugin_abi::Function;

/// What came of a case, in the corpus' words, and the fuel on each engine.
struct Came {
    outcome: Outcome,
    words: String,
    fuel: Option<u64>,
}

fn prepare(case: &Case) -> Result<(Vec<u8>, Function), Refusal> {
    let module = admit(&case.bytes, &Policy::default())?;
    let function = module
        .manifest
        .function(&case.function)
        .cloned()
        .expect("the case calls a function it has");
    Ok((meter(&module, &Limits::default())?.bytes, function))
}

fn try_case(case: &Case) -> Result<Came, String> {
    let (bytes, function) = match prepare(case) {
        Ok(ready) => ready,
        Err(refusal) => {
            let outcome = Outcome::Refused(refusal.rule.name().into());
            return Ok(Came {
                outcome,
                words: refusal.to_string(),
                fuel: None,
            });
        }
    };
    let ran = run::<Wasmtime>(&bytes, &function, &case.call(), case.rows, case.fuel);
    let again = run::<Wasmi>(&bytes, &function, &case.call(), case.rows, case.fuel);
    let [(first, words), (second, _)] = [&ran, &again].map(outcome);
    if first != second || ran.fuel != again.fuel {
        return Err(format!(
            "wasmtime {first:?} {} and wasmi {second:?} {}",
            ran.fuel, again.fuel
        ));
    }
    if ran.fuel > case.fuel {
        return Err(format!("{} units of {} were used", ran.fuel, case.fuel));
    }
    Ok(Came {
        outcome: first,
        words,
        fuel: Some(ran.fuel),
    })
}

fn outcome(ran: &Ran) -> (Outcome, String) {
    match &ran.end {
        End::Trap(trap) => (Outcome::Trap(trap.name().into()), trap.to_string()),
        End::Fault(fault) => (Outcome::Fault(fault.rule.name().into()), fault.to_string()),
        End::Error(text) => (Outcome::Error(text.clone()), text.clone()),
        End::Answer(_) => (Outcome::Answer, "answered".into()),
    }
}

fn agrees(wanted: &Outcome, came: &Outcome) -> bool {
    match (wanted, came) {
        (Outcome::Error(part), Outcome::Error(whole)) => whole.contains(part),
        (wanted, came) => wanted == came,
    }
}

#[test]
fn every_case_comes_out_as_it_should_on_both_engines() {
    let cases = cases();
    assert!(cases.len() >= 100, "the corpus has {} cases", cases.len());
    let good = cases
        .iter()
        .find(|case| case.name == "good")
        .expect("the corpus has a good plugin")
        .clone();
    let only = std::env::var("SPOOR_CASE").ok();
    let mut wrong = Vec::new();
    for case in cases
        .iter()
        .filter(|case| only.as_ref().is_none_or(|only| case.name.contains(only)))
    {
        match try_case(case) {
            Ok(came) if agrees(&case.outcome, &came.outcome) => {
                println!("{}: {} ({:?} units)", case.name, came.words, came.fuel);
            }
            Ok(came) => wrong.push(format!(
                "{}: wanted {:?}, came {:?}: {}",
                case.name, case.outcome, came.outcome, came.words
            )),
            Err(words) => wrong.push(format!("{}: {words}", case.name)),
        }
        let next = try_case(&good).map(|came| came.outcome);
        assert_eq!(next, Ok(Outcome::Answer), "the call after {}", case.name);
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn a_signed_module_with_any_byte_changed_is_not_its_publishers() {
    let cases = cases();
    let good = cases
        .iter()
        .find(|case| case.name == "signature-good")
        .expect("the corpus has it");
    for at in 0..good.bytes.len() {
        for change in [1, 0x80, 0xff] {
            let mut bytes = good.bytes.clone();
            bytes[at] ^= change;
            // Where the section's name changes, what is left is an unsigned module of another identity.
            let publisher = admit(&bytes, &Policy::default()).map(|module| module.publisher);
            assert!(matches!(publisher, Err(_) | Ok(None)), "byte {at} changed");
        }
    }
}

#[test]
fn the_fuel_used_is_never_more_than_the_limit() {
    assert_eq!(fuel_used(100, 40), 60);
    assert_eq!(fuel_used(100, -40), 100);
    assert_eq!(fuel_used(100, 400), 0);
}
