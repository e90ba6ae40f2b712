//! What the kernel says, and sending it the cells that are queued.

use std::rc::Rc;

use js_sys::Array;
use serde_json::{Map, Value};
use spoor_messages::{FromWorker, State};
use spoor_model::CellKey;
use spoor_model::notebook::OutputsMessage;
use spoor_model::run::{CellState, Outcome, Reply};
use spoor_protocol::Event;

use super::{Focus, Screen};
use crate::dom;
use crate::words::{counted, duration};
use crate::workspaces::Query;

/// The error of a cell that asks to sign in: `%login`, or `!az login`.
const SIGN_IN: &str = "SignIn";

/// Milliseconds between two drawings of the running cell's time.
const TICK: i32 = 200;

impl Screen {
    pub(super) fn listen_to_session(self: &Rc<Self>) {
        let weak = Rc::downgrade(self);
        self.session.listen(move |message, buffers| {
            if let Some(screen) = weak.upgrade() {
                screen.hear(message, &buffers);
            }
        });
        // What failed before there was anyone to hear it.
        for (_, message) in self.session.failed() {
            self.app.shell.say(&message);
        }
    }

    fn hear(self: &Rc<Self>, message: FromWorker, buffers: &Array) {
        let shell = &self.app.shell;
        match message {
            FromWorker::State { state } => self.state_changed(state),
            FromWorker::Loading { .. } | FromWorker::Loaded { .. } => {
                shell.set_progress(&self.session.loads());
            }
            FromWorker::Failed { message, .. } => {
                shell.set_progress(&self.session.loads());
                shell.say(&message);
            }
            FromWorker::Outputs {
                cell,
                from,
                outputs,
                execution_count,
            } => self.take_outputs(OutputsMessage {
                cell,
                from,
                outputs,
                execution_count,
            }),
            FromWorker::Publish {
                msg_type,
                parent,
                content,
                metadata,
                ..
            } => {
                let running = self.queue.borrow().key_of(&parent);
                if let Some(key) = running {
                    self.take_rows(key, &metadata, buffers);
                }
                self.published(&msg_type, &parent, &content, &metadata);
            }
            FromWorker::StreamAppend { cell, output, text } => self.grow(&cell, output, &text),
            FromWorker::Stuck { .. } => self.offer_to_stop(),
            FromWorker::Fetch {
                id,
                workspace,
                query,
                timespan,
            } => self.fetch(Query {
                id,
                workspace,
                text: query,
                timespan,
            }),
            FromWorker::StopFetch { id } => self.stop_fetch(id),
            FromWorker::Progress { permille } => {
                let done = format!("{}% done", permille.min(1000) / 10);
                let changes = self.queue.borrow_mut().got_on(&done);
                self.patch(changes, Focus::Keep);
            }
            FromWorker::Memory { kernel, python } => shell.set_memory(kernel, python),
            FromWorker::Done { parent } => {
                // A run that ended without a reply: the kernel stopped under it.
                let changes = self
                    .queue
                    .borrow_mut()
                    .finish(&parent, Outcome::Error, dom::now());
                self.patch(changes, Focus::Keep);
                self.pump();
            }
        }
    }

    fn state_changed(self: &Rc<Self>, state: State) {
        let health = self.session.health();
        // A completion is no work that a reader should see.
        if state != State::Busy || !self.queue.borrow().is_empty() {
            self.app.shell.set_health(health);
            self.tools.set_health(health);
        }
        if state == State::Idle {
            self.app.keep_for_offline();
            self.diagnose_at_rest();
        }
        if state == State::Dead {
            let changes = self.queue.borrow_mut().restarted(dom::now());
            self.patch(changes, Focus::Keep);
            self.app.shell.announce("The kernel is dead.");
        }
    }

    fn take_outputs(self: &Rc<Self>, message: OutputsMessage) {
        let applied = self.state.borrow_mut().apply_outputs(message);
        match applied {
            Ok(changes) => self.patch(changes, Focus::Keep),
            Err(error) => self
                .app
                .shell
                .say(&format!("An output does not read: {error}.")),
        }
    }

    fn published(
        self: &Rc<Self>,
        msg_type: &str,
        parent: &str,
        content: &Map<String, Value>,
        metadata: &Map<String, Value>,
    ) {
        let running = self.queue.borrow().key_of(parent);
        match (msg_type, running) {
            (spoor_protocol::STALE, _) => {
                let stale = spoor_model::run::stale_ids(content).unwrap_or_default();
                let mut queue = self.queue.borrow_mut();
                let changes = queue.set_stale_ids(self.state.borrow().document(), &stale);
                drop(queue);
                self.patch(changes, Focus::Keep);
            }
            ("input_request", Some(key)) => self.ask(key, content),
            ("execute_reply", Some(key)) => {
                let reply = Reply::read(content, metadata);
                let changes = self.queue.borrow_mut().reply(
                    self.state.borrow().document(),
                    parent,
                    &reply,
                    dom::now(),
                );
                self.patch(changes, Focus::Keep);
                // Before what was called is pinned in the place of what is missing.
                if reply.outcome == Outcome::Error {
                    if content.get("ename").and_then(Value::as_str) == Some(SIGN_IN) {
                        self.offer_sign_in();
                    }
                    self.tell_of_missing_plugins(key);
                }
                self.tell_of_other_plugins(&reply.plugins);
                let changes = self.state.borrow_mut().pin_plugins(&reply.plugins);
                self.patch(changes, Focus::Keep);
                self.ended(key);
            }
            _ => {}
        }
    }

    /// The running code heeds no interrupt: offers what is left.
    fn offer_to_stop(&self) {
        let session = self.session.clone();
        let stop = Box::new(move || {
            // Its end may have come before the answer.
            if session.stuck().is_some() {
                session.roll_back();
            }
        });
        crate::toast::ask(
            "The cell does not heed the interrupt. Stopping it brings back the state after the last finished cell.",
            ("Stop and go back", stop),
        );
    }

    fn ask(self: &Rc<Self>, key: CellKey, content: &Map<String, Value>) {
        let Some(view) = self.view(key) else {
            return;
        };
        let prompt = content
            .get("prompt")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let password = content.get("password").and_then(Value::as_bool) == Some(true);
        let session = self.session.clone();
        view.ask(prompt, password, move |value| {
            session.request(Event::InputReply { value: Some(value) });
        });
        self.app.shell.announce(&format!("A cell asks: {prompt}"));
    }

    /// Tells those who listen how a cell ended.
    fn ended(&self, key: CellKey) {
        if let Some(view) = self.view(key) {
            view.stop_asking();
        }
        let queue = self.queue.borrow();
        let how = match queue.state(key) {
            CellState::Done => "finished",
            CellState::Failed => "failed",
            _ => "was interrupted",
        };
        let index = self.state.borrow().document().index_of(key).unwrap_or(0);
        let mut told = format!("Cell {} {how}", index + 1);
        if let Some(ms) = queue.elapsed(key, dom::now()) {
            told += &format!(" in {}", duration(ms));
        }
        if let Some(rows) = queue.record(key).and_then(|record| record.rows) {
            told += &format!(", {}", counted(rows, "row"));
        }
        self.app.shell.announce(&told);
    }

    /// Queues cells and sends the first, if the kernel has none.
    pub(super) fn run(self: &Rc<Self>, keys: &[CellKey]) {
        self.finished.set(false);
        let changes = self.queue.borrow_mut().request(keys);
        self.patch(changes, Focus::Keep);
        self.pump();
    }

    /// Sets the text of the cell with this id and runs it.
    pub fn run_as(self: &Rc<Self>, id: &str, source: &str) {
        self.draw_rest();
        let key = self.state.borrow().document().key_of_id(id);
        if let Some(key) = key {
            self.change(|state| state.edit_source(key, source));
            if let Some(view) = self.view(key) {
                self.draw_source(&view);
            }
            self.run(&[key]);
        }
    }

    /// Sends the next cell, if none runs.
    pub(super) fn pump(self: &Rc<Self>) {
        let started = self.queue.borrow_mut().start(dom::now());
        let Some((start, changes)) = started else {
            if self.queue.borrow().is_empty() {
                self.finished.set(true);
            }
            return;
        };
        let event = {
            let state = self.state.borrow();
            let document = state.document();
            Event::Execute {
                id: start.request,
                cell_id: Some(document.id(start.key).to_owned()),
                code: document.source(start.key).to_owned(),
                silent: false,
                allow_stdin: true,
            }
        };
        if let Some(view) = self.view(start.key) {
            view.forget_rows();
        }
        self.session.request(event);
        self.patch(changes, Focus::Keep);
        self.tick();
    }

    /// Shows the time of the running cell as it goes on.
    fn tick(self: &Rc<Self>) {
        if self.ticking.replace(true) {
            return;
        }
        self.after(TICK, Self::ticked);
    }

    fn ticked(self: &Rc<Self>) {
        self.ticking.set(false);
        let running = self.queue.borrow().running_key();
        if let Some(key) = running {
            if let Some(view) = self.view(key) {
                self.draw_run(&view);
            }
            self.tick();
        }
    }
}
