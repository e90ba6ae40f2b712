//! Plugins that the kernel has admitted and metered: compiled once, called on the session's thread.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use spoor_plugin_abi::Capability;
use spoor_protocol::{Event, Frame, PluginLimits, PluginOutcome, PluginWish};

use super::Runtime;
use crate::error::Error;
use crate::plugins::{Control, Failure, Heard, Limits, Ready};

/// A plugin that a session is given. That it may run, and with what, the caller has decided.
#[derive(Debug, Clone)]
pub struct PluginFile {
    /// What people call it: a file, a name.
    pub label: String,
    /// The module as it was published.
    pub bytes: Vec<u8>,
    /// Whether the user named it; else the notebook pins it, and the session does without it if need be.
    pub is_named: bool,
    /// The SHA-256 that it has to have, in hexadecimal.
    pub sha256: Option<String>,
    /// The capabilities that the user grants it.
    pub granted: Vec<Capability>,
    /// What the user says of its limits.
    pub limits: PluginWish,
}

impl PluginFile {
    /// The event that adds it.
    pub(super) fn event(&self) -> Frame<Event> {
        let event = Event::AddPlugin {
            id: format!("plugin {}", self.label),
            sha256: self.sha256.clone(),
            granted: self.granted.iter().map(|g| g.name().into()).collect(),
            limits: self.limits,
        };
        Frame::with(event, vec![self.bytes.clone()])
    }
}

/// A module that the kernel wants compiled.
#[derive(Debug)]
pub(super) struct Load {
    pub plugin: String,
    pub name: String,
    pub imports: Vec<String>,
    pub module: Vec<u8>,
}

/// A call that the kernel wants made.
#[derive(Debug)]
pub(super) struct Wanted {
    pub call: u64,
    pub plugin: String,
    pub limits: PluginLimits,
    pub frame: Vec<u8>,
}

/// The compiled modules of a session, by what the kernel calls them, or why one does not compile.
#[derive(Default)]
pub(super) struct Plugins {
    ready: HashMap<String, Result<Ready, String>>,
}

impl Plugins {
    /// Compiles a module. What fails is told by its first call.
    pub(super) fn load(&mut self, runtime: &Runtime, load: Load) {
        let ready = compile(runtime, &load).map_err(|error| error.to_string());
        self.ready.insert(load.plugin, ready);
    }

    /// Makes a call, which ends early once `unwanted` says so. What came of it, and the lines that the plugin logged.
    pub(super) fn call(
        &self,
        wanted: &Wanted,
        unwanted: impl Fn() -> bool + Send + Sync + 'static,
    ) -> (Frame<Event>, Vec<String>) {
        let lines: Arc<Mutex<Vec<String>>> = Arc::default();
        let heard = lines.clone();
        let control = Control::new(move |said| {
            if let Heard::Log(line) = said {
                heard
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(line);
            }
        });
        let (outcome, bytes) = self.run(wanted, &control.until(unwanted));
        let call = wanted.call;
        let event = Frame::with(Event::PluginCalled { call, outcome }, vec![bytes]);
        let lines = std::mem::take(&mut *lines.lock().unwrap_or_else(PoisonError::into_inner));
        (event, lines)
    }

    fn run(&self, wanted: &Wanted, control: &Control) -> (PluginOutcome, Vec<u8>) {
        let failed = |message: String| (PluginOutcome::Failed { message }, Vec::new());
        let ready = match self.ready.get(&wanted.plugin) {
            Some(Ok(ready)) => ready,
            Some(Err(why)) => return failed(why.clone()),
            None => return failed("it is not loaded".into()),
        };
        let called = ready.call(&limits(&wanted.limits), &wanted.frame, control);
        match called.answered {
            Ok(bytes) => {
                let fuel = called.fuel;
                (PluginOutcome::Answered { fuel }, bytes)
            }
            Err(failure) => told(failure),
        }
    }
}

fn compile(runtime: &Runtime, load: &Load) -> Result<Ready, Error> {
    let imports: Option<Vec<Capability>> = load
        .imports
        .iter()
        .map(|name| Capability::ALL.into_iter().find(|c| c.name() == name))
        .collect();
    let imports = imports.ok_or_else(|| Error::Kernel("it grants what there is not".into()))?;
    runtime.plugin(&load.name, &load.module, &imports)
}

fn limits(limits: &PluginLimits) -> Limits {
    Limits {
        fuel: limits.fuel,
        // The kernel has added it.
        fuel_per_row: 0,
        memory: limits.memory,
        output: limits.output,
        wall: Duration::from_millis(limits.wall_ms),
    }
}

fn told(failure: Failure) -> (PluginOutcome, Vec<u8>) {
    match failure {
        Failure::Said(text) => (PluginOutcome::Said, text.into_bytes()),
        Failure::Trap(trapped) => {
            let outcome = PluginOutcome::Trapped {
                trap: trapped.trap.name().into(),
                memory: trapped.memory,
                words: trapped.words,
            };
            (outcome, Vec::new())
        }
        Failure::Answer(fault) => {
            let message = fault.to_string();
            (PluginOutcome::Misplaced { message }, Vec::new())
        }
        other => {
            let message = other.to_string();
            (PluginOutcome::Failed { message }, Vec::new())
        }
    }
}
