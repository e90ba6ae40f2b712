//! Plugins: fetched where the page says, offered to the kernel, their modules compiled once, and calls of them
//! carried out in workers of their own (`js/plugins.mjs`), which are ended at their deadline or by an interrupt.
//!
//! What a plugin may do and how its answer reads is the kernel's; its bytes are passed on unread.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use futures::future::{Either, join_all, select};
use js_sys::{Array, Promise, Uint8Array};
use serde_json::{Map, Value, json};
use spoor_protocol::{Channel, Event, Frame, PluginLimits, PluginOutcome};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortController;

use super::Session;
use super::fetch::Ending;
use crate::bindings::{PluginCall, array, begin_call, compile_plugin, fetch_plugin};
use crate::error::{Error, text_of};
use crate::inbox::Adding;
use spoor_messages::FromWorker;

/// The longest module that is fetched, in bytes.
const MAX_MODULE: u32 = 16 << 20;

/// What the session has of plugins.
#[derive(Default)]
pub(super) struct Plugins {
    /// The modules, by what the kernel calls them.
    modules: RefCell<HashMap<String, Module>>,
    /// The name of the plugin that the kernel let in last.
    admitted: RefCell<Option<String>>,
    /// Those that were added, for a kernel that takes the place of one that broke.
    added: RefCell<Vec<Added>>,
}

/// A module that the kernel has admitted and rewritten.
#[derive(Clone)]
struct Module {
    /// The plugin's name.
    name: String,
    /// The promise of the compiled module.
    compiled: Promise,
    /// The names of the imports that it was granted.
    imports: Array,
}

struct Added {
    name: String,
    adding: Adding,
    bytes: Uint8Array,
}

/// A call that the kernel wants made; see [`spoor_protocol::Effect::CallPlugin`].
#[derive(Debug)]
pub(super) struct Call {
    /// Its number.
    pub call: u64,
    /// The plugin.
    pub plugin: String,
    /// What it may use.
    pub limits: PluginLimits,
    /// Its frame.
    pub frame: Vec<u8>,
}

impl Plugins {
    /// Compiles a module, in place of an earlier one of the plugin. What fails is told by its first call.
    pub fn load(&self, plugin: String, name: String, imports: &[String], module: &[u8]) {
        let loaded = Module {
            name: name.clone(),
            compiled: compile_plugin(&Uint8Array::from(module)),
            imports: array(imports.iter().map(JsValue::from)),
        };
        self.forget(&name);
        self.modules.borrow_mut().insert(plugin, loaded);
        *self.admitted.borrow_mut() = Some(name);
    }

    /// The events that add all plugins again.
    pub fn again(&self) -> Vec<Frame<Event>> {
        let added = self.added.borrow();
        added
            .iter()
            .map(|one| event(&one.adding, &one.bytes))
            .collect()
    }

    fn forget(&self, name: &str) {
        self.modules.borrow_mut().retain(|_, one| one.name != name);
    }

    fn keep(&self, name: String, adding: Adding, bytes: Uint8Array) {
        let mut added = self.added.borrow_mut();
        added.retain(|one| one.name != name);
        added.push(Added {
            name,
            adding,
            bytes,
        });
    }

    /// Forgets a plugin that was added; `false` if there is none of that name.
    fn remove(&self, name: &str) -> bool {
        self.forget(name);
        let mut added = self.added.borrow_mut();
        let before = added.len();
        added.retain(|one| one.name != name);
        added.len() < before
    }
}

/// Adding and removing.
impl Session {
    /// Fetches a plugin and offers it to the kernel, which answers the page.
    pub(super) async fn add_plugin(self: &Rc<Self>, adding: Adding) -> Result<(), Error> {
        let bytes = match self.fetched(&adding.url).await {
            Ok(bytes) => bytes,
            Err(why) => {
                self.refuse_plugin(
                    &adding.id,
                    &format!("the plugin could not be fetched: {why}"),
                );
                return Ok(());
            }
        };
        *self.plugins.admitted.borrow_mut() = None;
        let carried = self.carry(event(&adding, &bytes)).await;
        if let Err(error) = &carried {
            self.refuse_plugin(&adding.id, &error.to_string());
        } else if let Some(name) = self.plugins.admitted.take() {
            self.plugins.keep(name, adding, bytes);
        }
        carried
    }

    /// Takes a plugin away. One that is not there is gone already.
    pub(super) async fn remove_plugin(self: &Rc<Self>, name: String) -> Result<(), Error> {
        if !self.plugins.remove(&name) {
            return Ok(());
        }
        self.carry(Frame::new(Event::RemovePlugin { name })).await
    }

    /// The bytes at `url`. An interrupt ends the waiting, and is still there for the request behind it that it means.
    async fn fetched(&self, url: &str) -> Result<Uint8Array, String> {
        let ending = Ending(AbortController::new().map_err(|thrown| text_of(&thrown))?);
        let fetching = JsFuture::from(fetch_plugin(url, MAX_MODULE, &ending.0.signal()));
        match select(fetching, Box::pin(self.inbox.urgent_there())).await {
            Either::Left((Ok(bytes), _)) => Ok(bytes.unchecked_into()),
            Either::Left((Err(thrown), _)) => Err(text_of(&thrown)),
            Either::Right(_) => Err("it was interrupted".into()),
        }
    }

    /// Tells the page of a plugin that the kernel did not answer for.
    fn refuse_plugin(&self, id: &str, why: &str) {
        let content = json!({ "status": "error", "ename": "PluginError", "evalue": why });
        self.send(&FromWorker::Publish {
            channel: Channel::Shell,
            msg_type: "plugin_reply".into(),
            parent: id.into(),
            content: content.as_object().cloned().unwrap_or_default(),
            metadata: Map::new(),
        });
        self.send(&FromWorker::Done { parent: id.into() });
    }
}

/// Calls.
impl Session {
    /// Makes calls, all at once: what came of them as events for the kernel, or the interrupt that ended them.
    pub(super) async fn call(self: &Rc<Self>, calls: Vec<Call>) -> Vec<Frame<Event>> {
        if calls.is_empty() {
            return Vec::new();
        }
        // Of several at once none says how much of the whole is done.
        let is_whole = calls.len() == 1;
        let calling = join_all(calls.into_iter().map(|call| self.called(call, is_whole)));
        let ended = self.unless_interrupted(calling).await;
        ended.unwrap_or_else(|asked| vec![self.urgent_of(asked)])
    }

    /// What came of one call. The page is told how much of it is done if `is_whole`: nothing else runs for it.
    async fn called(self: &Rc<Self>, wanted: Call, is_whole: bool) -> Frame<Event> {
        let module = self.plugins.modules.borrow().get(&wanted.plugin).cloned();
        let (outcome, bytes) = match module {
            Some(module) => self.run_plugin(&module, &wanted, is_whole).await,
            None => (failed("it is not loaded"), Vec::new()),
        };
        let call = wanted.call;
        Frame::with(Event::PluginCalled { call, outcome }, vec![bytes])
    }

    async fn run_plugin(
        self: &Rc<Self>,
        module: &Module,
        wanted: &Call,
        is_whole: bool,
    ) -> (PluginOutcome, Vec<u8>) {
        let session = self.clone();
        let progress = Closure::<dyn FnMut(f64)>::new(move |permille: f64| {
            if is_whole {
                session.got_on(permille as u16);
            }
        });
        let session = self.clone();
        let log = Closure::<dyn FnMut(String)>::new(move |line: String| session.logged(&line));
        let limits = &wanted.limits;
        let call = Running(begin_call(
            &module.compiled,
            &module.imports,
            limits.fuel,
            limits.output as f64,
            limits.wall_ms as f64,
            &Uint8Array::from(wanted.frame.as_slice()),
            log.as_ref(),
            progress.as_ref(),
        ));
        match JsFuture::from(call.0.ended()).await {
            Ok(ended) => told(&ended.unchecked_into(), limits),
            Err(thrown) => (failed(&text_of(&thrown)), Vec::new()),
        }
    }

    /// Tells the page how much of a call is done.
    fn got_on(&self, permille: u16) {
        if !self.silent.get() && self.running.borrow().is_some() {
            self.send(&FromWorker::Progress { permille });
        }
    }

    /// Shows a line that a plugin has logged on the cell that runs.
    fn logged(&self, line: &str) {
        if self.silent.get() || self.running.borrow().is_none() {
            return;
        }
        let mut content = Map::new();
        content.insert("name".into(), Value::from("stderr"));
        content.insert("text".into(), Value::from(format!("{line}\n")));
        self.show("stream", &content);
    }
}

/// Ends a call when it is dropped; one that has ended stays so.
struct Running(PluginCall);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// What a worker says of a call: an outcome and the bytes beside it, of which no more are taken than were allowed.
fn told(ended: &Array, limits: &PluginLimits) -> (PluginOutcome, Vec<u8>) {
    let outcome = read(&ended.get(0).as_string().unwrap_or_default(), limits);
    match ended.get(1).dyn_into::<Uint8Array>() {
        Ok(bytes) if u64::from(bytes.length()) <= limits.output => (outcome, bytes.to_vec()),
        Ok(_) => (failed("its worker hands over too much"), Vec::new()),
        Err(_) => (outcome, Vec::new()),
    }
}

/// The outcome that the text is, with no more fuel than there was.
fn read(text: &str, limits: &PluginLimits) -> PluginOutcome {
    match serde_json::from_str(text) {
        Ok(PluginOutcome::Answered { fuel }) => PluginOutcome::Answered {
            fuel: fuel.min(limits.fuel),
        },
        Ok(outcome) => outcome,
        Err(error) => failed(&format!("its worker's answer does not read: {error}")),
    }
}

fn failed(message: &str) -> PluginOutcome {
    PluginOutcome::Failed {
        message: message.into(),
    }
}

/// The answer to a call that could only be waited for by blocking, and so could not be ended.
pub(super) fn refused_here(wanted: &Call) -> Frame<Event> {
    let outcome = failed(
        "in this browser Python cannot wait for a plugin: call it from a KQL cell, or update the browser",
    );
    let call = wanted.call;
    Frame::with(Event::PluginCalled { call, outcome }, vec![Vec::new()])
}

fn event(adding: &Adding, bytes: &Uint8Array) -> Frame<Event> {
    let event = Event::AddPlugin {
        id: adding.id.clone(),
        sha256: adding.sha256.clone(),
        granted: adding.granted.clone(),
        limits: adding.limits,
    };
    Frame::with(event, vec![bytes.to_vec()])
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: PluginLimits = PluginLimits {
        fuel: 1 << 60,
        memory: 1 << 20,
        output: 1 << 20,
        wall_ms: 1_000,
    };

    #[test]
    fn what_a_worker_says_reads() {
        let fuel = (1 << 60) - 1;
        let said = format!(r#"{{"kind":"answered","fuel":{fuel}}}"#);
        assert_eq!(read(&said, &LIMITS), PluginOutcome::Answered { fuel });
        let said = r#"{"kind":"trapped","trap":"memory","memory":65536,"words":"no"}"#;
        let trapped = PluginOutcome::Trapped {
            trap: "memory".into(),
            memory: 65_536,
            words: Some("no".into()),
        };
        assert_eq!(read(said, &LIMITS), trapped);
        assert_eq!(read(r#"{"kind":"said"}"#, &LIMITS), PluginOutcome::Said);
    }

    #[test]
    fn what_a_worker_says_is_not_believed() {
        let fuel = LIMITS.fuel;
        let said = format!(r#"{{"kind":"answered","fuel":{}}}"#, u64::MAX);
        assert_eq!(read(&said, &LIMITS), PluginOutcome::Answered { fuel });
        for said in ["", "null", r#"{"kind":"answered","fuel":-1}"#] {
            assert!(matches!(read(said, &LIMITS), PluginOutcome::Failed { .. }));
        }
    }

    #[test]
    fn python_that_cannot_wait_is_told_where_to_call() {
        let wanted = Call {
            call: 7,
            plugin: "00".into(),
            limits: LIMITS,
            frame: Vec::new(),
        };
        let Event::PluginCalled { call: 7, outcome } = refused_here(&wanted).header else {
            panic!("another event");
        };
        assert!(
            matches!(outcome, PluginOutcome::Failed { message } if message.contains("KQL cell"))
        );
    }
}
