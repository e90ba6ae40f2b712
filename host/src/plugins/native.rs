//! Plugins in queries that run natively: their functions in an engine, and the calls that a query waits for.

use std::collections::BTreeSet;
use std::sync::OnceLock;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use spoor_kql::{Called, Engine, PluginCall, PluginFunction, Query};
use spoor_plugin_abi::Manifest;
use spoor_registry::{Identity, Label, LabelError};

use super::control::Control;
use super::runner::{Plugin, Runner};
use super::{Failure, Wish};

/// How long calls run between two looks at whether they are still wanted.
const LOOK: Duration = Duration::from_millis(50);

/// A plugin that queries may call. Its label says what functions it has; it is compiled when one of them is called.
#[derive(Debug)]
pub struct Offered<'a> {
    manifest: Manifest,
    identity: Identity,
    bytes: Vec<u8>,
    runner: &'a Runner,
    plugin: OnceLock<Result<Plugin, Failure>>,
}

impl<'a> Offered<'a> {
    /// The plugin of a module, which gets no capability.
    ///
    /// # Errors
    /// The module has no label.
    pub fn new(bytes: Vec<u8>, runner: &'a Runner) -> Result<Self, LabelError> {
        let label = Label::read(&bytes)?;
        Ok(Self {
            manifest: label.manifest,
            identity: label.identity,
            bytes,
            runner,
            plugin: OnceLock::new(),
        })
    }

    /// What it says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The plugin, admitted and compiled.
    ///
    /// # Errors
    /// The gate's refusal.
    pub fn plugin(&self) -> Result<&Plugin, &Failure> {
        let load = || {
            let (wish, granted) = (Wish::default(), BTreeSet::new());
            self.runner.load(&self.bytes, &wish, &granted, &|_| {})
        };
        self.plugin.get_or_init(load).as_ref()
    }
}

/// The plugins that a query may call.
#[derive(Debug, Default)]
pub struct Callable<'a>(Vec<Offered<'a>>);

impl<'a> Callable<'a> {
    /// These, of which no two have a function of one name.
    pub fn new(plugins: Vec<Offered<'a>>) -> Self {
        Self(plugins)
    }

    /// Offers their functions to an engine's queries.
    pub fn offer(&self, engine: &mut Engine) {
        for plugin in &self.0 {
            for function in &plugin.manifest.functions {
                engine.add_function(PluginFunction {
                    plugin: plugin.manifest.name.clone(),
                    module: plugin.identity.to_string(),
                    function: function.clone().into(),
                });
            }
        }
    }

    /// Makes the calls that a query waits for, one for each `evaluate` that waits and as many at once as there are cores, and hands
    /// in what comes of them. They are ended once `wanted` says no, which is asked some times a second.
    pub fn answer(&self, query: &mut Query, calls: &[PluginCall], wanted: &dyn Fn() -> bool) {
        let at_once = thread::available_parallelism().map_or(1, usize::from);
        let control = Control::default();
        for some in calls.chunks(at_once) {
            let (done, ended) = channel();
            thread::scope(|scope| {
                for call in some {
                    let (done, control) = (done.clone(), &control);
                    // Whoever waits is there until the last has sent.
                    scope.spawn(move || done.send((call.number, self.call(call, control))));
                }
                drop(done);
                loop {
                    match ended.recv_timeout(LOOK) {
                        Ok((number, called)) => {
                            query.answer(number, called);
                        }
                        Err(RecvTimeoutError::Timeout) if wanted() => {}
                        Err(RecvTimeoutError::Timeout) => control.cancel(),
                        Err(RecvTimeoutError::Disconnected) => break,
                    }
                }
            });
        }
    }

    fn call(&self, call: &PluginCall, control: &Control) -> Called {
        let (name, function) = (&call.function.plugin, &call.function.function);
        let is_meant = |plugin: &&Offered<'_>| plugin.identity.to_string() == call.function.module;
        let plugin = self.0.iter().find(is_meant);
        let plugin = plugin.ok_or_else(|| format!("there is no plugin {name}"))?;
        let plugin = plugin.plugin().map_err(|why| format!("{name}: {why}"))?;
        let outcome = plugin.call(function, &call.frame, call.rows, control);
        outcome
            .answer
            .map_err(|failure| format!("{} ({name}): {failure}", function.name))
    }
}
