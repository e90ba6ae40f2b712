//! What a reviewer asks of a plugin that they have not read: does it keep the rules, does it do the same thing twice, does
//! it stand what it may be given.
//!
//! Only [`check`] is called from outside. It makes inputs from the manifest's types ([`generate`]), so it finds what breaks on
//! strange values and nothing of what is wrong in the analytic itself.

mod generate;
mod trial;

use std::collections::BTreeSet;
use std::fmt;

use spoor_gate::{Admitted, Policy, admit};
use spoor_plugin_abi::{Capability, Manifest};

use super::{Failure, Limits, Plugin, Runner, Wish};
use crate::aot::Progress;

/// How a line of the report came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// As it should be.
    Pass,
    /// Worth a reviewer's look.
    Note,
    /// Wrong.
    Fail,
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Mark::Pass => "pass",
            Mark::Note => "note",
            Mark::Fail => "FAIL",
        })
    }
}

/// A line of the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// How it came out.
    pub mark: Mark,
    /// What was looked at: `signature`, `entropy: same twice`.
    pub what: String,
    /// What was found, with the figures.
    pub found: String,
}

impl Line {
    fn new(mark: Mark, what: impl Into<String>, found: impl Into<String>) -> Self {
        Line {
            mark,
            what: what.into(),
            found: found.into(),
        }
    }
}

/// What to try.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Inputs of each function.
    pub runs: u64,
    /// What the inputs are drawn from: the same seed, the same inputs.
    pub seed: u64,
}

/// Looks a plugin over: a line for each thing, as it is known. All capabilities that it asks for are granted, with a
/// clock that stands still.
pub fn check(runner: &Runner, bytes: &[u8], wish: &Wish, plan: Plan, tell: &mut dyn FnMut(Line)) {
    let admitted = match admit(bytes, &Policy::default()) {
        Ok(admitted) => admitted,
        Err(refusal) => return tell(Line::new(Mark::Fail, "admission", refusal.to_string())),
    };
    tell(Line::new(
        Mark::Pass,
        "admission",
        format!(
            "{} bytes, of at most {}; every rule is kept",
            bytes.len(),
            Policy::default().module_bytes
        ),
    ));
    said(&admitted).into_iter().for_each(&mut *tell);
    let plugin = match load(runner, bytes, wish) {
        Ok(plugin) => plugin,
        Err(failure) => return tell(Line::new(Mark::Fail, "metering", failure.to_string())),
    };
    let (size, metered) = plugin.sizes();
    tell(Line::new(
        Mark::Pass,
        "metering",
        format!("{size} bytes become {metered}"),
    ));
    for function in &plugin.manifest().functions {
        trial::try_out(&plugin, function, plan)
            .into_iter()
            .for_each(&mut *tell);
    }
}

fn load(runner: &Runner, bytes: &[u8], wish: &Wish) -> Result<Plugin, Failure> {
    let all: BTreeSet<Capability> = Capability::ALL.into_iter().collect();
    runner.load(bytes, wish, &all, &|_: Progress| {})
}

/// What the module says of itself, held against what it does.
fn said(module: &Admitted<'_>) -> Vec<Line> {
    vec![
        manifest(&module.manifest),
        licence(&module.manifest),
        capabilities(module),
        limits(&module.manifest),
        docs(&module.manifest),
        match module.publisher {
            Some(key) => Line::new(Mark::Pass, "signature", format!("good, of the key {key}")),
            None => Line::new(Mark::Note, "signature", "not signed"),
        },
    ]
}

fn manifest(manifest: &Manifest) -> Line {
    let functions: Vec<&str> = manifest.functions.iter().map(|f| f.name.as_str()).collect();
    let found = format!(
        "{} {}, with {}",
        manifest.name,
        manifest.version,
        functions.join(", ")
    );
    Line::new(Mark::Pass, "manifest", found)
}

fn licence(manifest: &Manifest) -> Line {
    match spdx::Expression::parse(&manifest.licence) {
        Ok(_) => Line::new(Mark::Pass, "licence", &*manifest.licence),
        Err(error) => {
            let found = format!(
                "'{}' is no SPDX expression: {}",
                manifest.licence, error.reason
            );
            Line::new(Mark::Fail, "licence", found)
        }
    }
}

fn capabilities(module: &Admitted<'_>) -> Line {
    let asked = &module.manifest.capabilities;
    if asked.is_empty() {
        return Line::new(Mark::Pass, "capabilities", "none");
    }
    let name = |all: &[Capability]| -> String {
        let names: Vec<&str> = all.iter().map(|capability| capability.name()).collect();
        names.join(", ")
    };
    let unused: Vec<Capability> = asked
        .iter()
        .copied()
        .filter(|capability| !module.imports.contains(capability))
        .collect();
    let found = match unused.is_empty() {
        true => format!("asks for {}", name(asked)),
        false => format!("asks for {}, and never uses {}", name(asked), name(&unused)),
    };
    Line::new(Mark::Note, "capabilities", found)
}

fn limits(manifest: &Manifest) -> Line {
    let beyond = Limits::beyond(&manifest.limits);
    if beyond.is_empty() {
        return Line::new(Mark::Pass, "limits", "asks for no more than the defaults");
    }
    let found = format!(
        "asks for more than the defaults, which it does not get by itself: {}",
        beyond.join(", ")
    );
    Line::new(Mark::Note, "limits", found)
}

fn docs(manifest: &Manifest) -> Line {
    let parameters = manifest.functions.iter().flat_map(|function| {
        let bare = function.parameters.iter().filter(|p| p.docs.is_none());
        bare.map(|parameter| format!("{}({})", function.name, parameter.name))
    });
    let columns = manifest.functions.iter().flat_map(|function| {
        let bare = function.output.columns.iter().filter(|c| c.docs.is_none());
        bare.map(|column| format!("{}.{}", function.name, column.name))
    });
    let bare: Vec<String> = parameters.chain(columns).collect();
    match bare.is_empty() {
        true => Line::new(
            Mark::Pass,
            "docs",
            "every parameter and column is described",
        ),
        false => Line::new(
            Mark::Note,
            "docs",
            format!("not described: {}", bare.join(", ")),
        ),
    }
}
