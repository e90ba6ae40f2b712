//! The hostile corpus: plugins that mean harm, each with the outcome that is wanted of it on every host.
//!
//! Most are files in `cases/`, a few lines of WAT each, with the outcome in their first lines; what is too large to write
//! down, or has to be signed or encoded, is generated ([`generated`], [`answers`]). A test gives each to the gate and to
//! an engine; this crate runs nothing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "test data: what fails here is a mistake in the corpus"
)]

mod answers;
mod file;
mod generated;
mod module;

pub use module::{good_answer, good_manifest, good_module, with_section};

use spoor_plugin_abi::encode_frame;

/// What is wanted of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Admission or metering refuses the module by the rule of this name (`spoor_gate::Rule::name`).
    Refused(String),
    /// The call traps, and the trap has this name (`spoor_gate::Trap::name`).
    Trap(String),
    /// The answer is refused by the rule of this name (`spoor_gate::answer::AnswerRule::name`).
    Fault(String),
    /// The plugin answers with an error message that has this in it.
    Error(String),
    /// The answer is believed. What it holds is data, however it looks.
    Answer,
}

/// A plugin that means harm.
#[derive(Clone, Debug)]
pub struct Case {
    /// A name: the file's, or the generator's.
    pub name: String,
    /// The module, which may be no module at all.
    pub bytes: Vec<u8>,
    /// What is wanted.
    pub outcome: Outcome,
    /// The fuel that the call is given, in units.
    pub fuel: u64,
    /// The function that is called: the manifest's first.
    pub function: String,
    /// How many rows the host says that the input has. The corpus' plugins do not read their input, so none is sent.
    pub rows: u64,
}

impl Case {
    /// The frame that the call is given.
    pub fn call(&self) -> Vec<u8> {
        let header = serde_json::json!({"function": self.function, "arguments": {}}).to_string();
        encode_frame(header.as_bytes(), &[]).unwrap()
    }
}

/// Fuel of a call where the case does not say otherwise, in units.
pub const FUEL: u64 = 10_000_000;

/// Every case, in the order of their names.
pub fn cases() -> Vec<Case> {
    let mut cases = file::cases();
    cases.extend(generated::cases());
    cases.extend(answers::cases());
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}

pub(crate) fn case(name: &str, outcome: Outcome, bytes: Vec<u8>) -> Case {
    Case {
        name: name.into(),
        bytes,
        outcome,
        fuel: FUEL,
        function: "f".into(),
        rows: 0,
    }
}

pub(crate) fn refused(rule: &str) -> Outcome {
    Outcome::Refused(rule.into())
}

pub(crate) fn fault(rule: &str) -> Outcome {
    Outcome::Fault(rule.into())
}
