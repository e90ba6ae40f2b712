//! The session's plugins: admitted and metered here, run by the driver, and their answers read here before they are believed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Map, Value, json};
use spoor_gate::answer::{self, Answer, Bounds};
use spoor_gate::{Admitted, Identity, Policy, Trap, admit, meter};
use spoor_kql::bind::is_kustos;
use spoor_kql::{Called, Engine, PluginCall, PluginFunction};
use spoor_plugin_abi::{Chart, InputMode};
use spoor_plugins::{Failure as PluginFailure, Limits, Trapped, Wish};
use spoor_protocol::{Effect, PluginLimits, PluginOutcome, PluginWish};
use spoor_table::Table;
use spoor_table::convert::from_arrow;

use crate::bundle::{Answer as Shown, Render};
use crate::output::{Failure, Output, object};

/// The longest word that is taken from a plugin's chart, in characters.
const MOST_WORDS: usize = 200;

/// The plugins, by name.
#[derive(Default)]
pub(crate) struct Plugins {
    added: BTreeMap<String, Added>,
    /// The calls that the driver has been asked for; the last one's number.
    calls: u64,
    /// Those that the running request has called, as pins.
    used: Map<String, Value>,
}

struct Added {
    version: String,
    sha256: String,
    limits: Limits,
}

/// What the user says of a plugin that is added.
pub(crate) struct Adding {
    /// The module that it has to be.
    pub sha256: Option<String>,
    pub granted: Vec<String>,
    pub wish: PluginWish,
}

/// A call that is under way.
pub(crate) struct Calling {
    call: PluginCall,
    limits: Limits,
}

impl Plugins {
    /// Admits a plugin, has the driver compile it, and offers its functions to queries.
    pub(crate) fn add(
        &mut self,
        engine: &mut Engine,
        bytes: &[u8],
        adding: &Adding,
        out: &mut Output,
    ) -> Result<Map<String, Value>, Failure> {
        let admitted = admit(bytes, &Policy::default()).map_err(refused)?;
        check_pin(&admitted, adding)?;
        check_granted(&admitted, &adding.granted)?;
        self.check_names(engine, &admitted)?;
        let limits = Limits::of(&admitted.manifest.limits, &wish(&adding.wish));
        let gate = spoor_gate::Limits {
            memory: limits.memory,
            ..spoor_gate::Limits::default()
        };
        let metered = meter(&admitted, &gate).map_err(refused)?;
        let sha256 = admitted.identity.to_string();
        let buffer = out.buffer(metered.bytes);
        out.push(Effect::LoadPlugin {
            plugin: sha256.clone(),
            name: admitted.manifest.name.clone(),
            imports: admitted.imports.iter().map(|i| i.name().into()).collect(),
            buffer,
        });
        self.remove(engine, &admitted.manifest.name);
        Ok(self.offer(engine, admitted, sha256, limits))
    }

    fn offer(
        &mut self,
        engine: &mut Engine,
        admitted: Admitted<'_>,
        sha256: String,
        limits: Limits,
    ) -> Map<String, Value> {
        let publisher = admitted.publisher.map(|key| key.to_string());
        let manifest = admitted.manifest;
        let functions: Vec<&str> = manifest.functions.iter().map(|f| f.name.as_str()).collect();
        let about = json!({
            "name": manifest.name,
            "version": manifest.version,
            "sha256": sha256,
            "publisher": publisher,
            "functions": functions,
        });
        for function in manifest.functions {
            engine.add_function(PluginFunction {
                plugin: manifest.name.clone(),
                module: sha256.clone(),
                function: function.into(),
            });
        }
        let added = Added {
            version: manifest.version,
            sha256,
            limits,
        };
        self.added.insert(manifest.name, added);
        object(about)
    }

    /// Two plugins may not have functions of one name: a query has to say which it means.
    fn check_names(&self, engine: &Engine, admitted: &Admitted<'_>) -> Result<(), Failure> {
        let manifest = &admitted.manifest;
        let kustos = manifest
            .functions
            .iter()
            .find(|function| is_kustos(&function.name));
        if let Some(function) = kustos {
            return Err(failure(format!(
                "the plugin {} has a function '{}', which is the name of a plugin of Kusto's: a query would mean that",
                manifest.name, function.name
            )));
        }
        let taken = engine.functions().find(|there| {
            there.plugin != manifest.name && manifest.function(&there.function.name).is_some()
        });
        match taken {
            None => Ok(()),
            Some(there) => Err(failure(format!(
                "the plugin {} has a function '{}', and so has {}: remove one of them",
                manifest.name, there.function.name, there.plugin
            ))),
        }
    }

    /// Takes a plugin and its functions away; `false` if there is none of that name.
    pub(crate) fn remove(&mut self, engine: &mut Engine, name: &str) -> bool {
        let Some(added) = self.added.remove(name) else {
            return false;
        };
        engine.remove_functions(&added.sha256);
        true
    }

    /// Asks the driver to make a call. Gives its number in the session.
    pub(crate) fn call(
        &mut self,
        mut call: PluginCall,
        out: &mut Output,
    ) -> Option<(u64, Calling)> {
        let name = &call.function.plugin;
        let added = self.added.get(name)?;
        let limits = added.limits.for_rows(call.rows);
        let pin = json!({ "version": added.version, "sha256": added.sha256 });
        self.used.insert(name.clone(), pin);
        self.calls += 1;
        let buffer = out.buffer(std::mem::take(&mut call.frame));
        out.push(Effect::CallPlugin {
            call: self.calls,
            plugin: call.function.module.clone(),
            limits: told(&limits),
            buffer,
        });
        Some((self.calls, Calling { call, limits }))
    }

    /// The plugins that were called since the last time, as a notebook pins them: `{name: {version, sha256}}`.
    pub(crate) fn take_used(&mut self) -> Map<String, Value> {
        std::mem::take(&mut self.used)
    }

    /// Whether a call of this number was ever asked for.
    pub(crate) fn has_called(&self, number: u64) -> bool {
        (1..=self.calls).contains(&number)
    }
}

impl Calling {
    /// Its number in its query.
    pub(crate) fn number(&self) -> u64 {
        self.call.number
    }

    /// What came of it: the answer, if it keeps its word.
    pub(crate) fn ended(&self, outcome: PluginOutcome, bytes: &[u8]) -> Called {
        let ended = match outcome {
            PluginOutcome::Answered { .. } => return self.read(bytes),
            PluginOutcome::Said => PluginFailure::Said(answer::message(bytes)),
            PluginOutcome::Misplaced { message } => PluginFailure::Engine(message),
            PluginOutcome::Failed { message } => PluginFailure::Engine(message),
            PluginOutcome::Trapped {
                trap,
                memory,
                words,
            } => PluginFailure::Trap(Trapped {
                trap: Trap::from_name(&trap).unwrap_or(Trap::Other),
                limits: self.limits,
                memory,
                words: words.map(|words| answer::message(words.as_bytes())),
            }),
        };
        Err(self.words(&ended))
    }

    /// What an answer has beside the declared table, at most so many: further tables, and charts of any. Of batches there would be
    /// as many as calls.
    pub(crate) fn more(&self, answer: &Answer, most: usize) -> Vec<Shown> {
        if self.call.function.function.input == InputMode::Batches {
            return Vec::new();
        }
        let drawn: Vec<usize> = answer.charts.iter().map(|c| c.table as usize).collect();
        let tables = (1..answer.tables.len()).filter(|at| !drawn.contains(at));
        let tables = tables.map(|at| (at, None));
        let charts = answer.charts.iter();
        let charts = charts.map(|chart| (chart.table as usize, Some(render(chart))));
        // A table is read once, however many charts it has.
        let mut read: BTreeMap<usize, Option<Table>> = BTreeMap::new();
        let shown = tables.chain(charts).take(most).filter_map(|(at, render)| {
            let table = read.entry(at).or_insert_with(|| {
                let table = answer.tables.get(at)?;
                from_arrow(&table.schema, &table.batches).ok()
            });
            Some(Shown {
                render,
                ..Shown::of(table.clone()?)
            })
        });
        shown.collect()
    }

    fn read(&self, bytes: &[u8]) -> Result<Answer, String> {
        let bounds = Bounds {
            output: self.limits.output,
            ..Bounds::default()
        };
        answer::read(bytes, &self.call.function.function, self.call.rows, &bounds)
            .map_err(|fault| self.words(&PluginFailure::Answer(fault)))
    }

    fn words(&self, failure: &PluginFailure) -> String {
        let function = &self.call.function;
        format!(
            "{} ({}): {failure}",
            function.function.name, function.plugin
        )
    }
}

fn wish(wish: &PluginWish) -> Wish {
    Wish {
        fuel: wish.fuel,
        memory: wish.memory,
        output: wish.output,
        wall: wish.wall_ms.map(Duration::from_millis),
    }
}

fn told(limits: &Limits) -> PluginLimits {
    PluginLimits {
        fuel: limits.fuel,
        memory: limits.memory,
        output: limits.output,
        wall_ms: u64::try_from(limits.wall.as_millis()).unwrap_or(u64::MAX),
    }
}

fn check_pin(admitted: &Admitted<'_>, adding: &Adding) -> Result<(), Failure> {
    let Some(wanted) = &adding.sha256 else {
        return Ok(());
    };
    if wanted.parse::<Identity>() == Ok(admitted.identity) {
        return Ok(());
    }
    Err(failure(format!(
        "the plugin {} is not the one that is pinned: its SHA-256 is {}, and not {wanted}",
        admitted.manifest.name, admitted.identity
    )))
}

fn check_granted(admitted: &Admitted<'_>, granted: &[String]) -> Result<(), Failure> {
    let granted: BTreeSet<&str> = granted.iter().map(String::as_str).collect();
    let imports = admitted.imports.iter().map(|import| import.name());
    let missing: Vec<&str> = imports.filter(|name| !granted.contains(name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(refused(PluginFailure::NotGranted {
        plugin: admitted.manifest.name.clone(),
        capabilities: missing.join(", "),
    }))
}

fn refused(why: impl std::fmt::Display) -> Failure {
    failure(why.to_string())
}

fn failure(message: impl Into<String>) -> Failure {
    Failure::new("PluginError", message)
}

/// What a plugin's chart asks for, in words that are fit to be shown.
fn render(chart: &Chart) -> Render {
    let fit = |text: &str| {
        let text = answer::message(text.as_bytes());
        text.chars().take(MOST_WORDS).collect::<String>()
    };
    let properties = chart.properties.iter();
    Render {
        kind: fit(&chart.kind),
        properties: properties
            .map(|(name, value)| (fit(name), fit(value)))
            .collect(),
    }
}
