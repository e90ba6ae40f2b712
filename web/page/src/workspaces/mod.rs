//! The user's workspaces: their configuration, which the browser keeps, and the queries that the session's cells ask of them.
//!
//! A worker of its own (`spoor-fetch`) reads the configuration, sends the requests and reads the answers; it starts when a
//! workspace is first wanted. Tokens come from who signs people in ([`crate::signin`]), go to that worker, and are never sent to the
//! session's, where Python and plugins are.

mod chooser;
mod client;
mod realm;
mod screen;
mod settings;
mod tables;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::{Rc, Weak};

use futures::channel::oneshot;
use futures::lock::Mutex;
use js_sys::Array;
use spoor_messages::ToWorker;
use spoor_messages::fetch::{FromFetcher, Known, ToFetcher};
use spoor_protocol::{FetchError, Told};
use wasm_bindgen_futures::spawn_local;

use crate::server::Client;
use crate::session::Session;
use crate::storage::{Store, StoreError};
use client::FetchClient;

pub use chooser::Chooser;
pub use settings::open as open_settings;
use tables::Schema;

/// Where the configuration is kept.
const KEY: &str = "workspaces";

/// A table of a workspace: its name, and its columns by name and Kusto's type.
pub type Table = (String, Vec<(String, String)>);

/// What is wrong with a configuration: lines from 1 (0 for all of it), and what.
pub type Mistakes = Vec<(usize, String)>;

/// The workspaces.
#[derive(Default)]
pub struct Workspaces {
    client: RefCell<Option<FetchClient>>,
    /// The configuration that holds, once it was read.
    text: RefCell<Option<String>>,
    known: RefCell<Vec<Known>>,
    /// Those that the server of the page asks for whoever is here, and the way to it.
    served: RefCell<(Vec<String>, Option<Client>)>,
    last: Cell<u32>,
    asked: RefCell<HashMap<u32, Asked>>,
    /// Their tables, by workspace, as far as they were asked for.
    schemas: RefCell<HashMap<String, Schema>>,
    /// Who waits for a configuration's answer.
    configuring: RefCell<Option<oneshot::Sender<Mistakes>>>,
    /// Held while the configuration is read or changed.
    turn: Mutex<()>,
}

/// Who waits for an answer.
enum Asked {
    /// A cell.
    Cell {
        session: Weak<Session>,
        /// The session's number for it.
        id: u32,
        workspace: String,
        shows: Shows,
    },
    /// Somebody who wants to know a workspace's tables.
    Schema(oneshot::Sender<Result<Vec<Table>, FetchError>>),
}

/// What a cell's query shows while it runs.
pub struct Shows {
    /// What it waits for.
    pub wait: Box<dyn Fn(&str)>,
    /// Offers to sign in, which it takes.
    pub sign_in: Box<dyn Fn()>,
}

impl Workspaces {
    /// Those of the configuration that the browser keeps, which is read at the first call.
    ///
    /// # Errors
    /// Where the storage does not give it, or it no longer holds.
    pub async fn all(self: &Rc<Self>, store: &Store) -> Result<Vec<Known>, FetchError> {
        let _turn = self.turn.lock().await;
        if self.text.borrow().is_none() {
            let text = kept(store).await?;
            let mistakes = match text.trim() {
                "" => Vec::new(),
                _ => self.ask_for(&text).await,
            };
            if let Some((_, first)) = mistakes.first() {
                let message = format!("the workspaces cannot be read: {first}");
                return Err(
                    FetchError::new(message).hint("look at them under Workspaces and sign-in")
                );
            }
            *self.text.borrow_mut() = Some(text);
        }
        Ok(self.known.borrow().clone())
    }

    /// The workspaces as far as they are known.
    pub fn known(&self) -> Vec<Known> {
        self.known.borrow().clone()
    }

    /// Takes in which ones the server of the page asks.
    pub fn serve(&self, client: &Client, names: Vec<String>) {
        self.served.replace((names, Some(client.clone())));
    }

    /// The names of all that can be asked, those of the configuration first.
    pub fn names(&self) -> Vec<String> {
        let known = self.known.borrow();
        let remote = known.iter().filter(|one| one.server.is_some());
        let mut names: Vec<String> = remote.map(|one| one.name.clone()).collect();
        for name in &self.served.borrow().0 {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    }

    /// Takes another configuration, and keeps it. One with mistakes changes nothing.
    ///
    /// # Errors
    /// What is wrong with it, or that it could not be kept.
    pub async fn configure(self: &Rc<Self>, store: &Store, text: &str) -> Result<(), Mistakes> {
        let _turn = self.turn.lock().await;
        let mistakes = self.ask_for(text).await;
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        self.schemas.borrow_mut().clear();
        *self.text.borrow_mut() = Some(text.to_owned());
        let kept = store.keep_setting(KEY, &text).await;
        let until_closed = |error| {
            let told = format!("in use until the page is closed, and not kept: {error}");
            vec![(0, told)]
        };
        kept.map_err(until_closed)
    }

    /// Has the worker read a configuration.
    async fn ask_for(self: &Rc<Self>, text: &str) -> Mistakes {
        let (sender, answer) = oneshot::channel();
        self.configuring.replace(Some(sender));
        let text = text.to_owned();
        if let Err(why) = self.send(&ToFetcher::Configure { text }) {
            return vec![(0, why)];
        }
        let gone = |_| vec![(0, "the worker that asks workspaces ended".to_owned())];
        answer.await.unwrap_or_else(gone)
    }

    /// Asks a workspace for a session's cell, and answers the session.
    pub fn fetch(
        self: &Rc<Self>,
        store: impl Future<Output = Result<Store, StoreError>> + 'static,
        session: &Rc<Session>,
        query: Query,
        shows: Shows,
    ) {
        let number = self.number();
        let asked = Asked::Cell {
            session: Rc::downgrade(session),
            id: query.id,
            workspace: query.workspace.clone(),
            shows,
        };
        self.asked.borrow_mut().insert(number, asked);
        let own = self.clone();
        spawn_local(async move {
            let known = match store.await {
                Ok(store) => own.all(&store).await,
                Err(error) => Err(FetchError::new(error.to_string())),
            };
            let is_known = known.map(|all| all.iter().any(|one| one.name == query.workspace));
            match is_known {
                Ok(true) => own.begin(number, query),
                Ok(false) => own.answer(number, None, Array::new()),
                Err(error) => own.answer(number, Some(Err(error)), Array::new()),
            }
        });
    }

    fn begin(self: &Rc<Self>, number: u32, query: Query) {
        // It may have been stopped meanwhile.
        if !self.asked.borrow().contains_key(&number) {
            return;
        }
        let sent = self.send(&ToFetcher::Query {
            id: number,
            workspace: query.workspace,
            query: query.text,
            timespan: query.timespan,
        });
        if let Err(why) = sent {
            self.answer(number, Some(Err(FetchError::new(why))), Array::new());
        }
    }

    /// Ends what a session asked for under a number of its own.
    pub fn stop(&self, session: &Rc<Session>, query: u32) {
        let is_it = |asked: &Asked| match asked {
            Asked::Cell {
                session: of, id, ..
            } => *id == query && of.as_ptr() == Rc::as_ptr(session),
            Asked::Schema(_) => false,
        };
        let found = {
            let asked = self.asked.borrow();
            asked
                .iter()
                .find(|(_, asked)| is_it(asked))
                .map(|(id, _)| *id)
        };
        if let Some(id) = found {
            self.asked.borrow_mut().remove(&id);
            if let Some(client) = &*self.client.borrow() {
                client.send(&ToFetcher::Stop { id });
            }
        }
    }

    /// The tables and columns of a workspace; none where its service does not tell them.
    ///
    /// # Errors
    /// As of a query.
    pub async fn schema(self: &Rc<Self>, workspace: &str) -> Result<Vec<Table>, FetchError> {
        if let Some(client) = self.server_of(workspace) {
            let tables = client.tables(workspace).await;
            return tables.map_err(|error| FetchError::new(error.to_string()));
        }
        let id = self.number();
        let (sender, answer) = oneshot::channel();
        self.asked.borrow_mut().insert(id, Asked::Schema(sender));
        let workspace = workspace.to_owned();
        self.send(&ToFetcher::Schema { id, workspace })
            .map_err(FetchError::new)?;
        let gone = |_| FetchError::new("the worker that asks workspaces ended");
        answer.await.map_err(gone)?
    }

    /// The server that asks a workspace in the page's stead. One of the configuration goes before one of the server's.
    fn server_of(&self, workspace: &str) -> Option<Client> {
        let is_own = self.known.borrow().iter().any(|one| one.name == workspace);
        let (names, client) = &*self.served.borrow();
        let is_served = !is_own && names.iter().any(|name| name == workspace);
        client.clone().filter(|_| is_served)
    }

    fn number(&self) -> u32 {
        let number = self.last.get() + 1;
        self.last.set(number);
        number
    }

    /// Sends a message to the worker, which starts with the first.
    fn send(self: &Rc<Self>, message: &ToFetcher) -> Result<(), String> {
        if self.client.borrow().is_none() {
            let (hears, fails) = (Rc::downgrade(self), Rc::downgrade(self));
            let started = FetchClient::start(
                move |message, buffers| {
                    if let Some(own) = hears.upgrade() {
                        own.hear(message, &buffers);
                    }
                },
                move |why| {
                    if let Some(own) = fails.upgrade() {
                        own.lose(&why);
                    }
                },
            );
            let unable = |thrown| format!("the page cannot ask workspaces: {thrown:?}");
            self.client.replace(Some(started.map_err(unable)?));
        }
        if let Some(client) = &*self.client.borrow() {
            client.send(message);
        }
        Ok(())
    }

    fn hear(self: &Rc<Self>, message: FromFetcher, buffers: &Array) {
        match message {
            FromFetcher::Known {
                workspaces,
                mistakes,
            } => {
                if mistakes.is_empty() {
                    self.known.replace(workspaces);
                }
                if let Some(waiting) = self.configuring.take() {
                    let _ = waiting.send(mistakes);
                }
            }
            FromFetcher::TokenWanted {
                id,
                workspace,
                is_refused,
            } => self.give_token(id, workspace, is_refused),
            FromFetcher::Progress { id, text } => {
                if let Some(Asked::Cell { shows, .. }) = self.asked.borrow().get(&id) {
                    (shows.wait)(&text);
                }
            }
            FromFetcher::Answered { id, told } => {
                let of = self.asked_by(id);
                self.answer(id, Some(Ok(told)), buffers.clone());
                // Whoever is answered may ask for the tables as well.
                if let Some((session, workspace)) = of {
                    self.tell_tables(&session, &workspace);
                }
            }
            FromFetcher::Schema { id, tables } => {
                if let Some(Asked::Schema(waiting)) = self.asked.borrow_mut().remove(&id) {
                    let _ = waiting.send(Ok(tables));
                }
            }
            FromFetcher::Failed { id, error } => self.answer(id, Some(Err(error)), Array::new()),
        }
    }

    /// The session and the workspace of a cell's query.
    fn asked_by(&self, id: u32) -> Option<(Rc<Session>, String)> {
        match self.asked.borrow().get(&id)? {
            Asked::Cell {
                session, workspace, ..
            } => Some((session.upgrade()?, workspace.clone())),
            Asked::Schema(_) => None,
        }
    }

    /// Answers whoever asked; nothing is an answer too: no such workspace is known.
    fn answer(&self, id: u32, answer: Option<Result<Box<Told>, FetchError>>, buffers: Array) {
        let asked = self.asked.borrow_mut().remove(&id);
        let (told, error) = match answer {
            Some(Ok(told)) => (Some(told), None),
            Some(Err(error)) => (None, Some(error)),
            None => (None, None),
        };
        match asked {
            Some(Asked::Cell { session, id, .. }) => {
                if let Some(session) = session.upgrade() {
                    // As text: the page's own numbers are not as long as a service's may be.
                    let told = told.map(|told| serde_json::to_string(&told).unwrap_or_default());
                    session.send_with(&ToWorker::Fetched { id, told, error }, &buffers);
                }
            }
            Some(Asked::Schema(waiting)) => {
                let _ = waiting.send(Err(error.unwrap_or_default()));
            }
            // It was stopped.
            None => {}
        }
    }

    /// Gives a query a token for the workspace that it asks. One that was saved under the name since is another.
    fn give_token(self: &Rc<Self>, id: u32, workspace: Known, is_refused: bool) {
        let is_still_there = self.known.borrow().contains(&workspace);
        let own = self.clone();
        spawn_local(async move {
            let token = match is_still_there {
                true => realm::token_for(&workspace, is_refused).await,
                false => Err(changed(&workspace.name).into()),
            };
            let token = token.map_err(|none| own.offer_sign_in(id, none));
            let message = ToFetcher::Token { id, token };
            if let Some(client) = &*own.client.borrow() {
                client.send(&message);
            }
        });
    }

    /// Offers to sign in where that is what a cell's query takes. Gives why it fails.
    fn offer_sign_in(&self, id: u32, none: realm::NoToken) -> FetchError {
        if none.wants_sign_in
            && let Some(Asked::Cell { shows, .. }) = self.asked.borrow().get(&id)
        {
            (shows.sign_in)();
        }
        none.error
    }

    /// After the worker broke: all who wait are told, and the next query starts another.
    fn lose(&self, why: &str) {
        self.client.replace(None);
        self.text.replace(None);
        self.configuring.take();
        let all: Vec<u32> = self.asked.borrow().keys().copied().collect();
        for id in all {
            let error = FetchError::new(format!("the worker that asks workspaces stopped: {why}"))
                .hint("run the cell again");
            self.answer(id, Some(Err(error)), Array::new());
        }
    }
}

/// The configuration's text as the browser keeps it; empty where there is none.
async fn kept(store: &Store) -> Result<String, FetchError> {
    let kept: Result<Option<String>, StoreError> = store.setting(KEY).await;
    let kept = kept.map_err(|error| FetchError::new(error.to_string()))?;
    Ok(kept.unwrap_or_default())
}

fn changed(name: &str) -> FetchError {
    FetchError::new(format!(
        "the workspace '{name}' was changed while it was asked"
    ))
    .hint("run the cell again")
}

/// A query of a session's cell.
#[derive(Debug)]
pub struct Query {
    /// The session's number for it.
    pub id: u32,
    /// The workspace's name.
    pub workspace: String,
    /// KQL.
    pub text: String,
    /// The time that it looks at.
    pub timespan: Option<String>,
}
