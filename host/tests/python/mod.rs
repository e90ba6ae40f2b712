//! What the tests of the Python guest share: finding its files, and a stand-in for the kernel
//! that hands out requests and keeps what is published.

#![allow(dead_code, clippy::unwrap_used, clippy::panic)]

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};
use spoor::aot::Cache;
use spoor::python::{Door, Interpreter, Limits, Mount, PythonAssets, PythonGuest};
use spoor_protocol::{Frame, Outcome};

/// What the kernel runs for each request.
pub const TURN: &str = "__import__('spoor.guest').guest.turn()";

/// The interpreter that set-up made, loaded once for all tests of a binary.
pub fn interpreter() -> Arc<Interpreter> {
    static LOADED: OnceLock<Arc<Interpreter>> = OnceLock::new();
    let load = || {
        let dir = assets_dir();
        let assets = PythonAssets::open(&dir).unwrap_or_else(|error| {
            panic!(
                "no Python guest in {}: {error}\nrun `cargo xtask setup` first",
                dir.display()
            )
        });
        Interpreter::load(&assets, &Cache::of_user(), &|p| eprintln!("{p}")).unwrap()
    };
    LOADED.get_or_init(load).clone()
}

/// `$SPOOR_ASSETS/python`, else `assets/python` beside the binaries that cargo built.
fn assets_dir() -> PathBuf {
    let base = std::env::var_os("SPOOR_ASSETS")
        .map(PathBuf::from)
        .unwrap_or_else(|| {
            let test = std::env::current_exe().unwrap();
            test.parent()
                .and_then(|deps| deps.parent())
                .unwrap()
                .join("assets")
        });
    base.join("python")
}

/// A session with a guest of its own.
pub struct Session {
    pub guest: PythonGuest,
    pub tray: Tray,
    cells: u64,
}

/// The kernel's side of the door.
#[derive(Default)]
pub struct Tray {
    requests: VecDeque<Value>,
    /// Answers to `kql` requests, in order.
    pub answers: VecDeque<Frame<Value>>,
    /// Every request but `next`, in order.
    pub asked: Vec<Frame<Value>>,
    /// What came from file descriptors 1 and 2.
    pub output: String,
    /// Why the next `publish` is refused, if it is.
    pub refuses: Option<&'static str>,
}

impl Session {
    pub fn new() -> Self {
        Self::with(Limits::default(), &[])
    }

    pub fn with(limits: Limits, mounts: &[Mount]) -> Self {
        let guest = PythonGuest::start(&interpreter(), limits, mounts).unwrap();
        Self {
            guest,
            tray: Tray::default(),
            cells: 0,
        }
    }

    /// Runs a cell; gives what it published, and the content of its reply.
    pub fn run(&mut self, code: &str) -> (Vec<Value>, Value) {
        let (outcome, messages, reply) = self.try_run(code);
        assert_eq!(
            outcome,
            Outcome::Returned,
            "{code}\n{messages:#?}\n{}",
            self.tray.output
        );
        (messages, reply)
    }

    /// Runs a cell that may end badly; the reply is null then.
    pub fn try_run(&mut self, code: &str) -> (Outcome, Vec<Value>, Value) {
        self.cells += 1;
        self.request(execute(code, self.cells))
    }

    /// Serves any request of the kernel's.
    pub fn request(&mut self, request: Value) -> (Outcome, Vec<Value>, Value) {
        self.tray.requests = VecDeque::from([request]);
        self.tray.asked.clear();
        let outcome = self.guest.turn(TURN, &mut self.tray);
        let of = |op: &str| {
            let wanted = self
                .tray
                .asked
                .iter()
                .filter(|f| f.header["op"] == op)
                .map(|f| f.header.clone());
            wanted.collect::<Vec<_>>()
        };
        let reply = of("done").pop().unwrap_or(Value::Null);
        (outcome, of("publish"), reply)
    }

    /// Everything that a cell printed to stdout.
    pub fn printed(&mut self, code: &str) -> String {
        let (messages, reply) = self.run(code);
        assert_eq!(reply["content"]["status"], "ok", "{code}\n{reply:#}");
        let text = messages
            .iter()
            .filter(|m| m["content"]["name"] == "stdout")
            .map(|m| m["content"]["text"].as_str());
        text.flatten().collect()
    }
}

impl Tray {
    /// Makes `code` what the next turn is told to run.
    pub fn queue(&mut self, code: &str) {
        self.requests = VecDeque::from([execute(code, 1)]);
    }
}

fn execute(code: &str, count: u64) -> Value {
    json!({
        "op": "execute", "code": code, "cell_id": format!("c{count}"), "silent": false, "store_history": true,
        "allow_stdin": code.contains("# asks"), "execution_count": count, "bind": []
    })
}

impl Door for Tray {
    fn call(&mut self, request: &[u8]) -> Result<Vec<u8>, spoor::Error> {
        let frame = Frame::<Value>::decode(request).unwrap();
        let answer = match frame.header["op"].as_str().unwrap() {
            "next" => Frame::new(self.requests.pop_front().unwrap()),
            "publish" if self.refuses.is_some() => {
                Frame::new(json!({"ok": false, "message": self.refuses.take()}))
            }
            "kql" => self
                .answers
                .pop_front()
                .unwrap_or_else(|| Frame::new(refusal())),
            "input" => Frame::new(json!({"ok": true, "value": "typed"})),
            "tables" => Frame::new(json!({"ok": true, "tables": [
                {"name": "Logs", "rows": 3, "columns": [["Time", "datetime"], ["Host", "string"]]}
            ]})),
            _ => Frame::new(json!({"ok": true})),
        };
        if frame.header["op"] != "next" {
            self.asked.push(frame);
        }
        Ok(answer.encode().unwrap())
    }

    fn output(&mut self, _fd: u8, bytes: &[u8]) {
        self.output.push_str(&String::from_utf8_lossy(bytes));
    }
}

fn refusal() -> Value {
    json!({
        "ok": false, "ename": "KqlError", "evalue": "no operator 'foo'",
        "traceback": ["error: no operator 'foo'", " 1 | Logs | foo", "   |        ^^^"]
    })
}
