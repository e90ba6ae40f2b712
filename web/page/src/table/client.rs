//! The page's end of the worker that holds results.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use js_sys::{Array, Object, Reflect, Uint8Array};
use spoor_messages::results::{Answer, Ask, Info, Reply, Request, ResultId};
use wasm_bindgen::prelude::*;
use web_sys::{ErrorEvent, MessageEvent, Worker, WorkerOptions, WorkerType};

use crate::dom;

/// What is called with an answer and, for an export, its bytes.
type Then = Box<dyn FnOnce(Answer, Option<Uint8Array>)>;

/// A result that is open in the worker.
#[derive(Clone, Debug)]
pub struct ResultInfo {
    /// Its name there.
    pub id: ResultId,
    /// Its columns and rows.
    pub info: Info,
    /// The rows that the query gave; more than the worker has where they were too many bytes.
    pub rows_in_all: u64,
    /// Frees the rows in the worker with the last copy of this.
    pub(super) hold: Rc<Hold>,
}

impl ResultInfo {
    /// The worker that has it, which is not the page's any more once that has failed.
    pub(super) fn client(&self) -> ResultsClient {
        self.hold.client.clone()
    }
}

/// A hold of a result in the worker.
#[derive(Debug)]
pub(super) struct Hold {
    client: ResultsClient,
    id: ResultId,
    closed: Cell<bool>,
}

impl Hold {
    /// Frees the rows.
    pub(super) fn close(&self) {
        if !self.closed.replace(true) {
            self.client.ask(Ask::Close { result: self.id }, |_, _| {});
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.close();
    }
}

/// Asks the worker that holds results. Cloning gives another hold of the same worker, which ends with the last.
#[derive(Clone)]
pub struct ResultsClient(Rc<Inner>);

struct Inner {
    worker: Worker,
    asked: Cell<u32>,
    opened: Cell<u32>,
    waiting: Rc<RefCell<HashMap<u32, Then>>>,
    /// Why the worker answers no more.
    failed: Rc<RefCell<Option<String>>>,
}

impl std::fmt::Debug for ResultsClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ResultsClient")
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.worker.terminate();
    }
}

impl ResultsClient {
    /// Starts the worker, whose script is `results.js` beside the page.
    pub fn start() -> Result<Self, JsValue> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        let worker = Worker::new_with_options("results.js", &options)?;
        let waiting: Rc<RefCell<HashMap<u32, Then>>> = Rc::default();
        let hears = waiting.clone();
        dom::on(&worker, "message", move |event: MessageEvent| {
            let Some((reply, buffer)) = read(&event.data()) else {
                return;
            };
            let then = hears.borrow_mut().remove(&reply.request);
            if let Some(then) = then {
                then(reply.answer, buffer);
            }
        });
        let failed: Rc<RefCell<Option<String>>> = Rc::default();
        let (waits, why, broken) = (waiting.clone(), failed.clone(), worker.clone());
        dom::on(&worker, "error", move |event: ErrorEvent| {
            // Whoever waits would wait for ever: the worker is gone, and its results with it.
            let message = format!(
                "the table's worker stopped ({}): run the cell again",
                event.message()
            );
            broken.terminate();
            why.replace(Some(message.clone()));
            let all: Vec<Then> = waits.borrow_mut().drain().map(|(_, then)| then).collect();
            for then in all {
                let message = message.clone();
                then(Answer::Failed { message }, None);
            }
        });
        Ok(Self(Rc::new(Inner {
            worker,
            asked: Cell::new(0),
            opened: Cell::new(0),
            waiting,
            failed,
        })))
    }

    /// Whether the worker has failed: it answers nothing any more, and another is to be started.
    pub fn has_failed(&self) -> bool {
        self.0.failed.borrow().is_some()
    }

    /// Hands a result's Arrow stream over, which is the worker's from then on, and calls `then` with what it is.
    pub fn open(
        &self,
        stream: &Uint8Array,
        rows_in_all: u64,
        then: impl FnOnce(Result<ResultInfo, String>) + 'static,
    ) {
        let id = self.0.opened.get() + 1;
        self.0.opened.set(id);
        let client = self.clone();
        self.send(Ask::Open { result: id }, Some(stream), move |answer, _| {
            let hold = Hold {
                client,
                id,
                closed: Cell::new(false),
            };
            then(match answer {
                Answer::Opened(info) => Ok(ResultInfo {
                    id,
                    info,
                    rows_in_all,
                    hold: Rc::new(hold),
                }),
                Answer::Failed { message } => Err(message),
                _ => Err("the result was closed".to_owned()),
            });
        });
    }

    /// Asks, and calls `then` with the answer, once. Gives the request's number, to cancel it by.
    pub fn ask(&self, ask: Ask, then: impl FnOnce(Answer, Option<Uint8Array>) + 'static) -> u32 {
        self.send(ask, None, then)
    }

    fn send(
        &self,
        ask: Ask,
        buffer: Option<&Uint8Array>,
        then: impl FnOnce(Answer, Option<Uint8Array>) + 'static,
    ) -> u32 {
        let request = self.0.asked.get() + 1;
        self.0.asked.set(request);
        let failed = self.0.failed.borrow().clone();
        if let Some(message) = failed {
            then(Answer::Failed { message }, None);
            return request;
        }
        self.0.waiting.borrow_mut().insert(request, Box::new(then));
        let text = serde_json::to_string(&Request { request, ask }).unwrap_or_default();
        if let Err(error) = self.post(&text, buffer) {
            let then = self.0.waiting.borrow_mut().remove(&request);
            let message = format!("the table's worker cannot be asked: {error:?}");
            if let Some(then) = then {
                then(Answer::Failed { message }, None);
            }
        }
        request
    }

    fn post(&self, text: &str, buffer: Option<&Uint8Array>) -> Result<(), JsValue> {
        let message = Object::new();
        let buffers: Array = buffer.into_iter().collect();
        let transferred: Array = buffer.iter().map(|bytes| bytes.buffer()).collect();
        Reflect::set(&message, &"text".into(), &text.into())?;
        Reflect::set(&message, &"buffers".into(), &buffers)?;
        self.0
            .worker
            .post_message_with_transfer(&message, &transferred)
    }
}

fn read(data: &JsValue) -> Option<(Reply, Option<Uint8Array>)> {
    let text = Reflect::get(data, &"text".into()).ok()?.as_string()?;
    let buffers: Option<Array> = Reflect::get(data, &"buffers".into()).ok()?.dyn_into().ok();
    let buffer = buffers.and_then(|buffers| buffers.get(0).dyn_into().ok());
    Some((serde_json::from_str(&text).ok()?, buffer))
}
