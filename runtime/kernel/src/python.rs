//! The Python guest's side of the kernel: its upcalls, its output, and how its turns end.
//!
//! Every upcall is a frame with a JSON header `{"op": ...}`, and so is every answer. The guest is
//! not trusted: whatever it asks is checked, and what does not fit is answered with `ok: false`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use spoor_protocol::{Channel, Frame, Outcome, Provider};
use spoor_table::pandas;

use crate::bundle::{Answer, Origin, bundle};
use crate::cell::check_name;
use crate::job::{self, Progress};
use crate::kernel::Machine;
use crate::output::{Failure, Output, object};
use crate::request::{Ask, Ending, Execute, Request, Turn, Upcall, Work};
use crate::stale::Name;
use crate::values::Values;
use crate::workspaces::Wanted;

/// The line of Python that is a turn of the guest: it asks for its task by itself.
pub const PYTHON_TURN: &str = "__import__('spoor.guest').guest.turn()";

/// The broadcasts that a guest may publish.
const PUBLISHED: [&str; 6] = [
    "stream",
    "display_data",
    "execute_result",
    "update_display_data",
    "clear_output",
    "error",
];

/// What the guest's own output leaves between its pieces: the start of a character.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    halves: [Vec<u8>; 2],
}

impl Streams {
    /// The text of the next bytes of `fd`, which is 1 or 2. What is not UTF-8 is replaced.
    pub(crate) fn text(&mut self, fd: u8, bytes: &[u8]) -> String {
        let half = &mut self.halves[usize::from(fd == 2)];
        half.extend_from_slice(bytes);
        let end = whole_characters(half);
        let text = String::from_utf8_lossy(&half[..end]).into_owned();
        half.drain(..end);
        text
    }

    /// What is left at a turn's end.
    pub(crate) fn rest(&mut self) -> Vec<(&'static str, String)> {
        let names = ["stdout", "stderr"].into_iter();
        let rest = names
            .zip(&mut self.halves)
            .filter(|(_, half)| !half.is_empty());
        rest.map(|(name, half)| {
            (
                name,
                String::from_utf8_lossy(&std::mem::take(half)).into_owned(),
            )
        })
        .collect()
    }
}

/// The length of `bytes` without a character that has only begun.
fn whole_characters(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Ok(_) => bytes.len(),
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        Err(_) => match bytes.iter().rposition(|b| b & 0xc0 != 0x80) {
            Some(at)
                if bytes[at] >= 0xc0
                    && bytes.len() - at < 4
                    && std::str::from_utf8(&bytes[at..])
                        .is_err_and(|e| e.error_len().is_none()) =>
            {
                at
            }
            _ => bytes.len(),
        },
    }
}

/// An upcall's answer.
fn answer(header: Value, buffers: Vec<Vec<u8>>) -> Vec<u8> {
    let too_large = |error: spoor_protocol::FrameError| {
        let failure = Failure::new(
            "KqlError",
            format!("the answer is too large to hand over: {error}"),
        );
        Frame::new(refusal_header(&failure))
            .encode()
            .unwrap_or_default()
    };
    Frame::with(header, buffers)
        .encode()
        .unwrap_or_else(too_large)
}

fn ok() -> Vec<u8> {
    answer(json!({ "ok": true }), Vec::new())
}

fn refusal_header(failure: &Failure) -> Value {
    let mut header = failure.content();
    header.insert("ok".into(), false.into());
    header.insert("message".into(), failure.value.clone().into());
    Value::Object(header)
}

/// The answer that raises an error in the guest.
pub(crate) fn refusal(failure: &Failure) -> Vec<u8> {
    answer(refusal_header(failure), Vec::new())
}

/// The answer to `input()`.
pub(crate) fn input_answer(value: Option<String>) -> Vec<u8> {
    match value {
        Some(value) => answer(json!({ "ok": true, "value": value }), Vec::new()),
        None => refusal(&no_input()),
    }
}

fn no_input() -> Failure {
    let message = "there is no one to ask: input() needs a front end, and this notebook runs without one. \
                   Set the value in a parameters cell instead";
    Failure::new("StdinNotImplementedError", message)
}

fn misuse(message: impl Into<String>) -> Failure {
    Failure::new("RuntimeError", message)
}

/// How a request ends whose turn ended by `outcome` with the guest's answer `done`.
pub(crate) fn ending(outcome: Outcome, done: Option<Map<String, Value>>) -> Ending {
    const BACK: &str =
        "The session went back to the state before this cell: variables are as they were then.";
    let failure = match outcome {
        Outcome::Returned => match done {
            Some(content) => return Ending::Guest(content),
            None => Failure::new("PythonError", "the Python guest ended its turn without an answer")
                .with(&["Its own words, if any, are above. Restart the session if this goes on."]),
        },
        Outcome::Trapped { message } => Failure::new("PythonCrashed", format!("Python crashed ({message})"))
            .with(&[BACK, "The crash is in Python or one of its packages, not in the notebook's session; try the cell in smaller steps to find the call."]),
        Outcome::OutOfMemory { limit } => Failure::new("MemoryError", format!("Python needed more than its {} MiB of memory", limit >> 20))
            .with(&[BACK, "Filter and summarise in KQL before handing rows to Python, or work on them in parts."]),
        Outcome::TimedOut { limit_ms } => Failure::new("TimeoutError", format!("the cell ran for more than {} s and did not stop when asked to", limit_ms as f64 / 1000.0))
            .with(&[BACK, "Raise the cell's time limit, or do less in one cell."]),
        Outcome::Stopped => Failure::new("KeyboardInterrupt", "the cell was stopped")
            .with(&[BACK, "Files that Python had written are gone."]),
        Outcome::Unavailable { message } => Failure::new("PythonUnavailable", message)
            .with(&["KQL cells run without Python."]),
    };
    Ending::Failed(failure)
}

impl Machine {
    /// An upcall of the guest: answered now, or when its work is done.
    pub(crate) fn upcall(&mut self, bytes: &[u8], out: &mut Output) {
        let mut request = match self.current.take() {
            Some(request) if matches!(&request.work, Work::Python(turn) if turn.upcall.is_none()) => {
                request
            }
            other => {
                self.current = other;
                return out.upcall_reply(refusal(&misuse("Spoor is not waiting for this call")));
            }
        };
        match Frame::<Value>::decode(bytes) {
            Err(error) => out.upcall_reply(refusal(&misuse(error.to_string()))),
            Ok(frame) => {
                if let Some(answered) = self.operation(&mut request, frame, out) {
                    out.upcall_reply(answered.unwrap_or_else(|failure| refusal(&failure)));
                }
            }
        }
        self.current = Some(request);
    }

    /// Carries out one upcall. None if its answer comes later.
    fn operation(
        &mut self,
        request: &mut Request,
        frame: Frame<Value>,
        out: &mut Output,
    ) -> Option<Result<Vec<u8>, Failure>> {
        let op = frame
            .header
            .get("op")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_string();
        match op.as_str() {
            "next" => Some(self.next_task(request)),
            "publish" => Some(self.publish(request, frame, out)),
            "kql" => self.query(request, &frame.header, out),
            "put_table" => Some(self.put_table(request, &frame)),
            "drop_table" => Some(self.drop_table(request, &frame.header)),
            "tables" => Some(Ok(self.tables())),
            "plugins" => Some(Ok(self.functions())),
            "input" => self.ask_input(request, &frame.header, out),
            "done" => Some(done(request, &frame.header)),
            _ => Some(Err(misuse(format!("there is no operation '{op}'")))),
        }
    }

    fn next_task(&mut self, request: &mut Request) -> Result<Vec<u8>, Failure> {
        let Work::Python(turn) = &mut request.work else {
            return Err(misuse("no turn is running"));
        };
        if std::mem::replace(&mut turn.told, true) {
            return Err(misuse("this turn has its task already"));
        }
        let task = match &request.ask {
            Ask::Execute(execute) => {
                turn.bound = self.session.take_unbound();
                turn.to_fetch.clone_from(&turn.bound);
                execute_task(execute, request.count, &turn.bound, self.may_ask(execute))
            }
            Ask::Complete { code, cursor_pos } => {
                json!({ "op": "complete", "code": code, "cursor_pos": cursor_pos })
            }
            Ask::Inspect {
                code,
                cursor_pos,
                detail_level,
            } => {
                json!({ "op": "inspect", "code": code, "cursor_pos": cursor_pos, "detail_level": detail_level })
            }
            Ask::IsComplete { code } => json!({ "op": "is_complete", "code": code }),
            Ask::Diagnose { code } => json!({ "op": "diagnose", "code": code }),
            Ask::Describe { .. } => return Err(misuse("a table is not described by the guest")),
        };
        Ok(answer(task, Vec::new()))
    }

    fn may_ask(&self, execute: &Execute) -> bool {
        execute.allow_stdin && !self.headless
    }

    fn publish(
        &mut self,
        request: &mut Request,
        frame: Frame<Value>,
        out: &mut Output,
    ) -> Result<Vec<u8>, Failure> {
        let field = |name: &str| frame.header.get(name);
        let msg_type = field("msg_type")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_string();
        if !PUBLISHED.contains(&msg_type.as_str()) {
            return Err(misuse(format!(
                "a cell cannot publish '{msg_type}' messages"
            )));
        }
        let Some(mut content) = field("content").and_then(Value::as_object).cloned() else {
            return Err(misuse("a message's content is an object"));
        };
        let metadata = field("metadata")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default();
        let display = content
            .get("transient")
            .and_then(|t| t.get("display_id"))
            .and_then(Value::as_str);
        match (msg_type.as_str(), display) {
            ("update_display_data", None) => return Err(misuse("an update names no display_id")),
            // A display that is not on show cannot change; Jupyter's front ends ignore it too.
            ("update_display_data", Some(id)) if !self.session.has_display(id) => return Ok(ok()),
            ("update_display_data", Some(_)) | (_, None) => {}
            (_, Some(id)) => self.session.show_display(id, request.owner()),
        }
        if msg_type == "execute_result" {
            if request.is_silent() {
                return Ok(ok());
            }
            content
                .entry("execution_count")
                .or_insert_with(|| request.count.into());
        }
        out.message(
            (Channel::Iopub, &msg_type, &request.id),
            content,
            metadata,
            frame.buffers,
        );
        Ok(ok())
    }

    fn query(
        &mut self,
        request: &mut Request,
        header: &Value,
        out: &mut Output,
    ) -> Option<Result<Vec<u8>, Failure>> {
        let Some(text) = header.get("query").and_then(Value::as_str) else {
            return Some(Err(misuse("kql() takes the query as text")));
        };
        let keep = header.get("as").and_then(Value::as_str).map(String::from);
        if let Some(Err(message)) = keep.as_deref().map(check_name) {
            return Some(Err(misuse(message)));
        }
        let wanted = wanted(header);
        let placed = self.workspaces.place(&wanted, text, &self.catalogue);
        let place = match placed {
            Ok(place) => place,
            Err(problem) => return Some(Err(job::refusal(text, &[problem]))),
        };
        let running = self.set_going(place, text.to_string(), BTreeMap::new(), out);
        if !fetches_bound(&mut request.work, text) {
            request.names.read_tables(running.reads());
        }
        if let Work::Python(turn) = &mut request.work {
            turn.upcall = Some(Upcall::Query { running, keep });
        }
        self.work_on_upcall(request, out);
        None
    }

    /// One slice of the query that the guest waits for.
    pub(crate) fn work_on_upcall(&mut self, request: &mut Request, out: &mut Output) {
        let Work::Python(Turn {
            upcall: Some(Upcall::Query { running, keep }),
            ..
        }) = &mut request.work
        else {
            return;
        };
        let progress = self.advance(running, out);
        let result = match progress {
            Progress::Waiting => {
                request.awaits_data = true;
                return;
            }
            Progress::More => return self.go_on_later(out),
            Progress::Done(result) => result,
        };
        let keep = keep.take();
        if let Work::Python(turn) = &mut request.work {
            turn.upcall = None;
        }
        let answered = result.and_then(|answer| self.hand_over(request, answer, keep));
        out.upcall_reply(answered.unwrap_or_else(|failure| refusal(&failure)));
    }

    /// The answer to `kql()`: the result's columns as pandas reads them.
    fn hand_over(
        &mut self,
        request: &mut Request,
        result: Answer,
        keep: Option<String>,
    ) -> Result<Vec<u8>, Failure> {
        let (table, buffers) = pandas::export(&result.table);
        let shown = result
            .render
            .as_ref()
            .map(|_| Value::Object(bundle(&result)));
        let header = json!({
            "ok": true,
            "table": table,
            "render": result.render.as_ref().map(|r| r.value()),
            "bundle": shown,
            "more": result.more.len(),
            "origin": result.origin.as_deref().map(Origin::value),
        });
        if let Some(name) = keep {
            let lacks = result.origin.as_deref().map(Origin::lacks);
            self.catalogue
                .keep(&name, result.table, lacks.unwrap_or_default())?;
            // The guest binds the frame that it is handed here.
            self.session.keep(&name, false);
            request.names.write(&name, true);
        }
        Ok(answer(header, buffers))
    }

    fn put_table(
        &mut self,
        request: &mut Request,
        frame: &Frame<Value>,
    ) -> Result<Vec<u8>, Failure> {
        let name = frame
            .header
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or_default();
        check_name(name).map_err(misuse)?;
        let Some(header) = frame.header.get("table") else {
            return Err(misuse("put_table lacks its table"));
        };
        let buffers: Vec<&[u8]> = frame.buffers.iter().map(Vec::as_slice).collect();
        let table = pandas::import(header, &buffers).map_err(|error| misuse(error.to_string()))?;
        let lacks = texts(frame.header.get("lacks"));
        self.catalogue.keep(name, table, lacks)?;
        self.session.keep(name, false);
        request.names.write(name, false);
        Ok(ok())
    }

    /// Takes away a table that is not a source's. Queries for it are told `why`, where the guest says so.
    fn drop_table(&mut self, request: &mut Request, header: &Value) -> Result<Vec<u8>, Failure> {
        let text = |field: &str| header.get(field).and_then(Value::as_str);
        let name = text("name").unwrap_or_default();
        let why = text("why").map(String::from);
        let is_told = why.is_some();
        if !self.catalogue.drop(name, why) {
            return Err(misuse("there is no such table, or it is a file's"));
        }
        self.session.keep(name, false);
        if is_told {
            request.names.write(name, false);
        }
        Ok(ok())
    }

    /// The functions of plugins, as their manifests have them.
    fn functions(&self) -> Vec<u8> {
        let functions = self.catalogue.engine.functions();
        let listed: Vec<Value> = functions
            .map(|known| json!({ "plugin": known.plugin, "function": &*known.function }))
            .collect();
        answer(json!({ "ok": true, "functions": listed }), Vec::new())
    }

    fn tables(&self) -> Vec<u8> {
        let listed = self
            .catalogue
            .list()
            .into_iter()
            .map(|table| match table.shape {
                Some((rows, columns)) => {
                    json!({ "name": table.name, "rows": rows, "columns": columns })
                }
                None => json!({ "name": table.name, "rows": null, "columns": null }),
            });
        answer(
            json!({ "ok": true, "tables": listed.collect::<Vec<_>>() }),
            Vec::new(),
        )
    }

    fn ask_input(
        &mut self,
        request: &mut Request,
        header: &Value,
        out: &mut Output,
    ) -> Option<Result<Vec<u8>, Failure>> {
        let allowed = matches!(&request.ask, Ask::Execute(execute) if self.may_ask(execute));
        if !allowed {
            return Some(Err(no_input()));
        }
        let prompt = header
            .get("prompt")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let password = header
            .get("password")
            .and_then(Value::as_bool)
            .unwrap_or(false);
        let content = object(json!({ "prompt": prompt, "password": password }));
        out.message(
            (Channel::Stdin, "input_request", &request.id),
            content,
            Map::new(),
            Vec::new(),
        );
        if let Work::Python(turn) = &mut request.work {
            turn.upcall = Some(Upcall::Input);
        }
        None
    }
}

fn execute_task(execute: &Execute, count: u64, bind: &[String], allow_stdin: bool) -> Value {
    json!({
        "op": "execute",
        "code": execute.code,
        "cell_id": execute.cell_id,
        "silent": execute.silent,
        "store_history": !execute.silent,
        "allow_stdin": allow_stdin,
        "execution_count": count,
        "bind": bind,
    })
}

/// Whom `kql()` is to ask, as far as it says.
fn wanted(header: &Value) -> Wanted {
    let field = |name: &str| Some(header.get(name)?.as_str()?.to_string());
    Wanted {
        provider: field("workspace").map(Provider::Workspace),
        timespan: field("timespan").map(|span| (span, 0..0)),
    }
}

/// Whether a query only fetches a kept result that the turn was told to bind. That reads nothing
/// for the cell: if its code uses the name, the guest says so when it is done.
fn fetches_bound(work: &mut Work, query: &str) -> bool {
    let Work::Python(turn) = work else {
        return false;
    };
    let fetched = turn.to_fetch.iter().position(|name| name == query);
    fetched.map(|at| turn.to_fetch.remove(at)).is_some()
}

/// The texts of a list of the guest's.
fn texts(list: Option<&Value>) -> Vec<String> {
    let listed = list.and_then(Value::as_array).into_iter().flatten();
    listed.filter_map(Value::as_str).map(String::from).collect()
}

fn done(request: &mut Request, header: &Value) -> Result<Vec<u8>, Failure> {
    let Some(content) = header.get("content").and_then(Value::as_object).cloned() else {
        return Err(misuse("the answer of a turn is an object"));
    };
    let names = |side: &str| {
        let listed = texts(header.get("names").and_then(|n| n.get(side)));
        listed
            .into_iter()
            .map(Name::Python)
            .collect::<BTreeSet<_>>()
    };
    request.names.reads.extend(names("reads"));
    request.names.writes.extend(names("writes"));
    if let Work::Python(turn) = &mut request.work {
        turn.done = Some(content);
        turn.values = header.get("values").map(Values::read);
    }
    Ok(ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_not_cut_between_pieces() {
        let mut streams = Streams::default();
        let text = "naïve → 🦀".as_bytes();
        let pieces: String = text.iter().map(|b| streams.text(1, &[*b])).collect();
        assert_eq!(pieces, "naïve → 🦀");
        assert_eq!(
            streams.text(1, b"ok \xff\xfe bad \xe2"),
            "ok \u{fffd}\u{fffd} bad "
        );
        assert_eq!(streams.rest(), vec![("stdout", "\u{fffd}".to_string())]);
        assert!(streams.rest().is_empty());
    }
}
