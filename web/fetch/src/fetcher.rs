//! The WebAssembly module's entry: messages in and out, and what runs.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use futures::channel::oneshot;
use futures::future::{AbortHandle, abortable};
use js_sys::{Array, Function, Uint8Array};
use spoor_messages::fetch::{FromFetcher, ToFetcher};
use spoor_protocol::{FetchError, MAX_FETCHED, Told};
use spoor_providers::config::{Workspace, Workspaces};
use spoor_providers::progress::Progress;
use spoor_table::{Table, ipc};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;

use crate::gate::Gate;
use crate::known::{self, known, mistaken};
use crate::run::{Desk, Run};
use crate::trouble::Failed;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_namespace = self, js_name = origin)]
    static ORIGIN: String;
}

/// What the page asks of workspaces.
#[wasm_bindgen]
pub struct Worker(Rc<Fetcher>);

struct Fetcher {
    post: Function,
    workspaces: RefCell<Workspaces>,
    gate: Rc<Gate>,
    running: RefCell<HashMap<u32, AbortHandle>>,
    /// Queries that wait for a token.
    tokens: RefCell<HashMap<u32, oneshot::Sender<Result<String, FetchError>>>>,
}

#[wasm_bindgen]
impl Worker {
    /// Without workspaces. `post(text, buffers)` sends a message to the page: JSON, and an array of `Uint8Array`.
    #[wasm_bindgen(constructor)]
    pub fn new(post: Function) -> Self {
        Self(Rc::new(Fetcher {
            post,
            workspaces: RefCell::default(),
            gate: Rc::default(),
            running: RefCell::default(),
            tokens: RefCell::default(),
        }))
    }

    /// Takes a message of the page's.
    pub fn take(&self, text: &str) {
        // The page's own messages read; there is nobody to be told of others.
        if let Ok(message) = serde_json::from_str(text) {
            self.0.take(message);
        }
    }
}

/// What a query asks a workspace for.
enum Asked {
    Query {
        text: String,
        timespan: Option<String>,
    },
    Schema,
}

impl Fetcher {
    fn take(self: &Rc<Self>, message: ToFetcher) {
        match message {
            ToFetcher::Configure { text } => self.configure(&text),
            ToFetcher::Query {
                id,
                workspace,
                query,
                timespan,
            } => {
                let text = query;
                self.begin(id, &workspace, Asked::Query { text, timespan });
            }
            ToFetcher::Schema { id, workspace } => self.begin(id, &workspace, Asked::Schema),
            ToFetcher::Token { id, token } => {
                let waiting = self.tokens.borrow_mut().remove(&id);
                if let Some(waiting) = waiting {
                    // A query that was stopped needs none.
                    let _ = waiting.send(token);
                }
            }
            ToFetcher::Stop { id } => {
                let stopped = self.running.borrow_mut().remove(&id);
                self.tokens.borrow_mut().remove(&id);
                stopped.into_iter().for_each(|running| running.abort());
            }
        }
    }

    fn configure(&self, text: &str) {
        let message = match Workspaces::read(text) {
            Ok(read) => {
                let message = known(&read);
                self.workspaces.replace(read);
                message
            }
            Err(error) => mistaken(error),
        };
        self.send(&message, &[]);
    }

    fn begin(self: &Rc<Self>, id: u32, workspace: &str, asked: Asked) {
        let found = self.workspaces.borrow().get(workspace).cloned();
        let workspace = match found {
            Ok(workspace) => workspace,
            Err(mistake) => {
                let error = FetchError::new(mistake.message).hint(mistake.hint);
                return self.send(&FromFetcher::Failed { id, error }, &[]);
            }
        };
        let fetcher = self.clone();
        let (work, handle) = abortable(async move { fetcher.run(id, &workspace, &asked).await });
        self.running.borrow_mut().insert(id, handle);
        let fetcher = self.clone();
        spawn_local(async move {
            // One that was stopped has no answer.
            if work.await.is_ok() {
                fetcher.running.borrow_mut().remove(&id);
            }
        });
    }

    async fn run(&self, id: u32, workspace: &Workspace, asked: &Asked) {
        let desk = Counter {
            fetcher: self,
            id,
            workspace,
        };
        let run = Run {
            gate: &self.gate,
            workspace,
            desk: &desk,
            used: RefCell::default(),
        };
        let (done, text) = match asked {
            Asked::Query { text, timespan } => {
                let outcome = run.query(text, timespan.as_deref()).await;
                let sent = outcome.and_then(|outcome| {
                    let (tables, told) = outcome.told();
                    self.answer(id, &tables, told)
                });
                (sent, text.as_str())
            }
            Asked::Schema => {
                let schema = run.schema().await;
                (schema.map(|tables| self.schema(id, &tables)), "")
            }
        };
        if let Err(failed) = done {
            let page = ORIGIN.with(Clone::clone);
            let error = run.told(&failed, text, &page);
            self.send(&FromFetcher::Failed { id, error }, &[]);
        }
    }

    fn answer(&self, id: u32, tables: &[Table], told: Told) -> Result<(), Failed> {
        let mut streams = Vec::with_capacity(tables.len());
        let mut bytes = 0;
        for table in tables {
            let stream = ipc::to_stream(table).map_err(|error| Failed::Rows(error.to_string()))?;
            bytes += stream.len();
            if bytes > MAX_FETCHED {
                return Err(Failed::TooLarge);
            }
            streams.push(Uint8Array::from(stream.as_slice()));
        }
        let told = Box::new(told);
        self.send(&FromFetcher::Answered { id, told }, &streams);
        Ok(())
    }

    fn schema(&self, id: u32, tables: &[spoor_providers::response::TableSchema]) {
        let tables = tables
            .iter()
            .map(|table| {
                let columns = table.columns.iter();
                let columns = columns.map(|column| (column.name.clone(), column.ty.to_string()));
                (table.name.clone(), columns.collect())
            })
            .collect();
        self.send(&FromFetcher::Schema { id, tables }, &[]);
    }

    fn send(&self, message: &FromFetcher, buffers: &[Uint8Array]) {
        let text = serde_json::to_string(message).unwrap_or_default();
        let buffers: Array = buffers.iter().collect();
        // A page that is gone hears nothing.
        let _ = self.post.call2(&JsValue::NULL, &text.into(), &buffers);
    }
}

/// Where a query asks the page.
struct Counter<'a> {
    fetcher: &'a Fetcher,
    id: u32,
    workspace: &'a Workspace,
}

impl Desk for Counter<'_> {
    async fn token(&self, is_refused: bool) -> Result<String, FetchError> {
        let (sender, token) = oneshot::channel();
        self.fetcher.tokens.borrow_mut().insert(self.id, sender);
        let wanted = FromFetcher::TokenWanted {
            id: self.id,
            workspace: known::workspace(self.workspace),
            is_refused,
        };
        self.fetcher.send(&wanted, &[]);
        let gone = |_| FetchError::new("the page has no token for it");
        token.await.map_err(gone).flatten()
    }

    fn tell(&self, progress: Progress) {
        let text = progress.to_string();
        self.fetcher
            .send(&FromFetcher::Progress { id: self.id, text }, &[]);
    }
}
