//! The kernel as a driver sees it: events in, effects out, with a scripted guest for Python.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod cells;
mod diagnosis;
mod fetch;
mod files;
mod guest;
mod kept;
mod misuse;
mod page;
mod plugins;
mod queries;
mod storm;
mod workspaces;

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};
use spoor_protocol::{
    DataFormat, Effect, Effects, Event, FetchError, Frame, Outcome, PluginOutcome, SourceSpec,
};

use crate::Kernel;

/// What the scripted guest does in one turn.
type Script = Box<dyn FnMut(&mut Guest<'_>) -> Outcome>;

/// A provider: an Arrow stream for a query.
type Provider = Box<dyn Fn(&str) -> Result<Vec<u8>, FetchError>>;

/// A driver without a disk or a guest: files are bytes, turns are scripts.
struct Driver {
    kernel: Kernel,
    files: BTreeMap<String, Vec<u8>>,
    turns: VecDeque<Script>,
    /// What the provider `host` gives for a query; none where there is no such provider.
    provider: Option<Provider>,
    /// What comes of calls of plugins, and the bytes with it; without, calls stay unanswered.
    plugin: Option<(PluginOutcome, Vec<u8>)>,
    /// What was published and asked since it was last taken, a line for each effect.
    log: String,
    requests: usize,
}

impl Driver {
    fn new() -> Self {
        Self::with_options(&[])
    }

    fn with_options(options: &[(&str, Value)]) -> Self {
        let mut driver = Self {
            kernel: Kernel::new(),
            files: BTreeMap::new(),
            turns: VecDeque::new(),
            provider: None,
            plugin: None,
            log: String::new(),
            requests: 0,
        };
        let options = options
            .iter()
            .map(|(name, value)| (name.to_string(), value.clone()))
            .collect();
        driver.send(Event::Open { options }, vec![]);
        driver
    }

    /// Declares a file by its path; the table is called as the file is.
    fn file(&mut self, path: &str, content: &str) {
        let name = path.split('.').next().unwrap().to_string();
        self.files.insert(name.clone(), content.as_bytes().to_vec());
        let bytes = Some(content.len() as u64);
        let source = SourceSpec {
            name,
            label: path.into(),
            bytes,
            format: DataFormat::Auto,
        };
        self.send(Event::AddSource { source }, vec![]);
    }

    fn turn(&mut self, script: impl FnMut(&mut Guest<'_>) -> Outcome + 'static) {
        self.turns.push_back(Box::new(script));
    }

    /// Runs a cell to its end and gives the log.
    fn run(&mut self, code: &str) -> String {
        self.run_cell(None, code)
    }

    fn run_cell(&mut self, cell: Option<&str>, code: &str) -> String {
        self.requests += 1;
        let event = Event::Execute {
            id: format!("r{}", self.requests),
            cell_id: cell.map(String::from),
            code: code.into(),
            silent: false,
            allow_stdin: true,
        };
        self.send(event, vec![]);
        std::mem::take(&mut self.log)
    }

    /// Sends an event and carries out everything that follows from it.
    fn send(&mut self, event: Event, buffers: Vec<Vec<u8>>) -> Option<Vec<u8>> {
        self.carry_on(Frame::with(event, buffers))
    }

    /// [`Driver::send`] of a frame.
    fn carry_on(&mut self, frame: Frame<Event>) -> Option<Vec<u8>> {
        let mut events = VecDeque::from([frame]);
        let mut answered = None;
        while let Some(event) = events.pop_front() {
            let effects = self.kernel.step(event);
            for effect in &effects.header {
                self.note(effect);
                match effect {
                    Effect::Continue => events.push_back(Frame::new(Event::Continue)),
                    Effect::Read { name } => events.extend(self.read(name)),
                    Effect::Fetch { fetch, query, .. } => events.extend(self.fetch(*fetch, query)),
                    Effect::CallPlugin { call, .. } => events.extend(self.plugin(*call)),
                    Effect::RunPython { .. } => {
                        let outcome = self.python();
                        events.push_back(Frame::new(Event::PythonDone { outcome }));
                    }
                    Effect::UpcallReply { buffer } => {
                        answered = Some(effects.buffers[*buffer].clone())
                    }
                    Effect::Publish { .. }
                    | Effect::LoadPlugin { .. }
                    | Effect::ResetPython
                    | Effect::Refuse { .. }
                    | Effect::Idle { .. } => {}
                }
            }
        }
        answered
    }

    /// A file in two parts, or the error that it is not there.
    fn read(&self, name: &str) -> Vec<Frame<Event>> {
        let part = |bytes: &[u8], last| {
            Frame::with(
                Event::Data {
                    name: name.into(),
                    last,
                    error: None,
                },
                vec![bytes.to_vec()],
            )
        };
        match self.files.get(name) {
            Some(bytes) => {
                let (head, tail) = bytes.split_at(bytes.len() / 2);
                vec![part(head, false), part(tail, true)]
            }
            None => {
                let error = Some("no such file".to_string());
                vec![Frame::new(Event::Data {
                    name: name.into(),
                    last: true,
                    error,
                })]
            }
        }
    }

    /// A provider's answer in two parts, or what it says instead.
    fn fetch(&self, fetch: u64, query: &str) -> Vec<Frame<Event>> {
        let part = |bytes: &[u8], last, error| {
            let fetched = Event::Fetched {
                fetch,
                table: 0,
                last,
                error,
                told: Box::default(),
            };
            Frame::with(fetched, vec![bytes.to_vec()])
        };
        let answer = match &self.provider {
            Some(provider) => provider(query),
            None => Err(FetchError::new("there is no host here").hint("start one")),
        };
        match answer {
            Ok(bytes) => {
                let (head, tail) = bytes.split_at(bytes.len() / 2);
                vec![part(head, false, None), part(tail, true, None)]
            }
            Err(error) => vec![part(&[], true, Some(error))],
        }
    }

    fn plugin(&self, call: u64) -> Option<Frame<Event>> {
        let (outcome, bytes) = self.plugin.clone()?;
        let called = Event::PluginCalled { call, outcome };
        Some(Frame::with(called, vec![bytes]))
    }

    fn python(&mut self) -> Outcome {
        let mut script = self.turns.pop_front().expect("a script for the turn");
        script(&mut Guest { driver: self })
    }

    fn note(&mut self, effect: &Effect) {
        let line = match effect {
            Effect::Publish {
                msg_type,
                parent,
                content,
                metadata,
                ..
            } => {
                let mut content = Value::Object(content.clone());
                let mut metadata = Value::Object(metadata.clone());
                if let Some(elapsed) = metadata.pointer_mut("/spoor/elapsed_ms") {
                    *elapsed = json!("…");
                }
                if let Some(Value::String(svg)) = content.pointer_mut("/data/image~1svg+xml") {
                    svg.truncate(4);
                }
                let metadata = if metadata == json!({}) {
                    String::new()
                } else {
                    format!(" {metadata}")
                };
                format!("{parent} {msg_type} {content}{metadata}")
            }
            Effect::RunPython { .. } => "run python".into(),
            Effect::ResetPython => "reset python".into(),
            Effect::UpcallReply { .. } => return,
            Effect::Read { name } => format!("read {name}"),
            Effect::Fetch {
                fetch,
                provider,
                query,
                timespan,
            } => {
                let over = timespan.as_ref().map(|span| format!(" over {span}"));
                let over = over.unwrap_or_default();
                format!("fetch {fetch} of {provider}{over}: {query:?}")
            }
            Effect::LoadPlugin { name, imports, .. } => format!("load {name} with {imports:?}"),
            Effect::CallPlugin { call, limits, .. } => {
                format!("call {call} with {} units", limits.fuel)
            }
            Effect::Continue => return,
            Effect::Refuse { reason } => format!("refuse: {reason}"),
            Effect::Idle { parent } => format!("{parent} ends"),
        };
        self.log.push_str(&line);
        self.log.push('\n');
    }
}

/// The scripted guest's door to the kernel.
struct Guest<'a> {
    driver: &'a mut Driver,
}

impl Guest<'_> {
    fn call(&mut self, header: Value) -> Value {
        self.call_with(header, vec![]).header
    }

    fn call_with(&mut self, header: Value, buffers: Vec<Vec<u8>>) -> Frame<Value> {
        let request = Frame::with(header, buffers).encode().unwrap();
        let answer = self
            .driver
            .send(Event::Upcall, vec![request])
            .expect("an answer");
        Frame::decode(&answer).unwrap()
    }

    /// Ends the turn well.
    fn done(&mut self, reads: &[&str], writes: &[&str]) -> Outcome {
        let content = json!({ "status": "ok", "payload": [], "user_expressions": {} });
        self.call(json!({ "op": "done", "content": content, "names": { "reads": reads, "writes": writes } }));
        Outcome::Returned
    }

    fn say(&mut self, text: &str) {
        self.driver.log.push_str(&format!("  guest: {text}\n"));
    }
}

/// The effects of one event, by themselves.
fn step(kernel: &mut Kernel, event: Event) -> Effects {
    kernel.step(Frame::new(event)).header
}
