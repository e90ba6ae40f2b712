//! One query from its beginning to its end.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use spoor_protocol::FetchError;
use spoor_providers::config::Workspace;
use spoor_providers::progress::Progress;
use spoor_providers::request::{self, Query, Request, RequestError};
use spoor_providers::response::{
    Answer, DecodeError, Decoder, Outcome, ServiceError, TableSchema, decode_schema, failure,
};
use spoor_providers::retry::{Decision, Policy, Standing};
use spoor_providers::secret::Secret;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;

use crate::gate::Gate;
use crate::trouble::Failed;
use crate::wire::{self, Reply};

/// Between two words on an answer that comes, in milliseconds.
const BETWEEN: f64 = 100.0;

/// The longest body of an answer that is no result, in bytes.
const MOST_REFUSAL: usize = 1 << 20;

/// How long a service is told that nobody waits for a query.
const FAREWELL: Duration = Duration::from_secs(5);

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance)]
    fn now() -> f64;
    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues, catch)]
    fn random(bytes: &mut [u8]) -> Result<(), JsValue>;
}

/// What a query asks its surroundings for.
pub(crate) trait Desk {
    /// A token of the workspace; another one than the last, where that was refused.
    async fn token(&self, is_refused: bool) -> Result<String, FetchError>;
    /// Tells what the query waits for.
    fn tell(&self, progress: Progress);
}

/// A query that runs.
pub(crate) struct Run<'a, D> {
    pub(crate) gate: &'a Rc<Gate>,
    pub(crate) workspace: &'a Workspace,
    pub(crate) desk: &'a D,
    /// All that were used; the last one is good, as far as anybody knows.
    pub(crate) used: RefCell<Vec<Secret>>,
}

impl<D: Desk> Run<'_, D> {
    /// The answer to a query, all of its pages.
    pub(crate) async fn query(
        &self,
        text: &str,
        timespan: Option<&str>,
    ) -> Result<Outcome, Failed> {
        let make = |id: &str, page: Option<&str>| {
            let query = Query {
                text,
                timespan,
                id,
                page,
            };
            request::query(self.workspace, &query)
        };
        // What cannot be sent does not wait first.
        make("Spoor", None)?;
        let _turn = self.turn().await?;
        self.sign_in(false).await?;
        let mut outcome = self.page(1, &|id| make(id, None)).await?;
        let mut number = 1;
        while let Some(next) = outcome.next.clone() {
            number += 1;
            let page = self.page(number, &|id| make(id, Some(&next))).await?;
            outcome.append(page, self.workspace.limits)?;
        }
        outcome.change_texts(&|text| self.hide_in(text));
        Ok(outcome)
    }

    /// The tables and columns of the workspace; none where the service does not tell them.
    pub(crate) async fn schema(&self) -> Result<Vec<TableSchema>, Failed> {
        if request::schema(self.workspace, "Spoor")?.is_none() {
            return Ok(Vec::new());
        }
        let none = || RequestError::Local(self.workspace.name.clone());
        let make = |id: &str| request::schema(self.workspace, id)?.ok_or_else(none);
        let _turn = self.turn().await?;
        self.sign_in(false).await?;
        let (request, headers, body) = self.asked(1, &make, &Whole).await?;
        let answer = Answer {
            status: 200,
            headers: &pairs(&headers),
            body: &body,
        };
        Ok(decode_schema(request.form, self.workspace.limits, &answer)?)
    }

    /// What went wrong, for people, without any token in it.
    pub(crate) fn told(&self, failed: &Failed, query: &str, page: &str) -> FetchError {
        let mut error = failed.told(self.workspace, query, page);
        error.change_texts(&|text| self.hide_in(text));
        error
    }

    async fn turn(&self) -> Result<crate::gate::Turn, Failed> {
        let waiting = |ahead| self.desk.tell(Progress::Waiting { ahead });
        self.gate.enter(self.workspace, waiting).await
    }

    async fn page(&self, number: usize, make: Make<'_>) -> Result<Outcome, Failed> {
        let (_, _, outcome) = self.asked(number, make, &Decoding).await?;
        Ok(outcome)
    }

    /// Sends a request until it is answered or that is no use.
    async fn asked<R: Reading>(
        &self,
        page: usize,
        make: Make<'_>,
        reading: &R,
    ) -> Result<(Request, Headers, R::Made), Failed> {
        let began = now();
        let (mut attempts, mut renewed) = (1, false);
        loop {
            let failed = match self.attempt(page, make, reading).await {
                Ok(made) => return Ok(made),
                Err(failed) => failed,
            };
            if failed.is_unknown_token() && !self.used.borrow().is_empty() && !renewed {
                self.sign_in(true).await?;
                renewed = true;
                continue;
            }
            let Some(wait) = wait_after(&failed, attempts, now() - began) else {
                return Err(failed);
            };
            self.desk.tell(Progress::Retrying { attempts, wait });
            gloo_timers::future::sleep(wait).await;
            attempts += 1;
        }
    }

    async fn attempt<R: Reading>(
        &self,
        page: usize,
        make: Make<'_>,
        reading: &R,
    ) -> Result<(Request, Headers, R::Made), Failed> {
        let id = id()?;
        let request = make(&id)?;
        self.desk.tell(Progress::Asking { page });
        let token = self.used.borrow().last().cloned();
        // Dropped before its end where nobody waits any more.
        let mut farewell = Farewell::new(self.workspace, token.clone(), id);
        let done = wire::within(
            request.timeout,
            self.exchange(&request, token.as_ref(), reading),
        )
        .await;
        if !done.as_ref().is_err_and(Failed::leaves_running) {
            farewell.id = None;
        }
        let (headers, made) = done?;
        Ok((request, headers, made))
    }

    async fn exchange<R: Reading>(
        &self,
        request: &Request,
        token: Option<&Secret>,
        reading: &R,
    ) -> Result<(Headers, R::Made), Failed> {
        let remote = self.workspace.remote.as_ref();
        let none = || RequestError::Local(self.workspace.name.clone());
        let origin = &remote.ok_or_else(none)?.origin;
        let mut reply = wire::send(origin, request, token).await?;
        let headers = reply.headers();
        if reply.status() != 200 {
            return Err(self.refusal(&mut reply, &headers).await);
        }
        let mut last = f64::NEG_INFINITY;
        let heard = |progress| {
            if now() - last > BETWEEN {
                last = now();
                self.desk.tell(progress);
            }
        };
        let made = reading
            .read(self.workspace, request, &mut reply, &headers, heard)
            .await;
        let made = made.map_err(|failed| match failed {
            Failed::Decode(error) => unreadable(self.workspace, &headers, error),
            other => other,
        })?;
        Ok((headers, made))
    }

    async fn refusal(&self, reply: &mut Reply, headers: &Headers) -> Failed {
        let status = reply.status();
        if (200..300).contains(&status) {
            return DecodeError::Status(status).into();
        }
        let body = reply.start(MOST_REFUSAL).await;
        let answer = Answer {
            status,
            headers: &pairs(headers),
            body: &body,
        };
        Failed::Service(Box::new(failure(self.workspace, &answer)))
    }

    /// Gets a token, where the workspace takes one.
    async fn sign_in(&self, is_refused: bool) -> Result<(), Failed> {
        let remote = self.workspace.remote.as_ref();
        if remote.is_none_or(|remote| remote.scope.is_none()) {
            return Ok(());
        }
        self.desk.tell(Progress::SigningIn);
        let token = self.desk.token(is_refused).await.map_err(Failed::Token)?;
        self.used.borrow_mut().push(Secret::new(token));
        Ok(())
    }

    fn hide_in(&self, text: &mut String) {
        for secret in self.used.borrow().iter() {
            *text = secret.hide_in(text);
        }
    }
}

/// Makes the request that goes by an identifier.
type Make<'a> = &'a dyn Fn(&str) -> Result<Request, RequestError>;

type Headers = Vec<(String, String)>;

fn pairs(headers: &Headers) -> Vec<(&str, &str)> {
    let pairs = headers.iter();
    pairs
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

/// Reads the body of a good answer.
trait Reading {
    /// What it makes of it.
    type Made;

    async fn read(
        &self,
        workspace: &Workspace,
        request: &Request,
        reply: &mut Reply,
        headers: &Headers,
        heard: impl FnMut(Progress),
    ) -> Result<Self::Made, Failed>;
}

/// A result, which is read as it comes.
struct Decoding;

impl Reading for Decoding {
    type Made = Outcome;

    async fn read(
        &self,
        workspace: &Workspace,
        request: &Request,
        reply: &mut Reply,
        headers: &Headers,
        mut heard: impl FnMut(Progress),
    ) -> Result<Outcome, Failed> {
        let mut decoder = Decoder::new(request.form, workspace.limits, &pairs(headers));
        while let Some(part) = reply.part().await? {
            let read = decoder.push(&part)?;
            heard(Progress::Reading {
                bytes: read.bytes,
                rows: read.rows,
                percent: read.percent,
            });
        }
        Ok(decoder.finish()?)
    }
}

/// The bytes of a schema, which is read in one go.
struct Whole;

impl Reading for Whole {
    type Made = Vec<u8>;

    async fn read(
        &self,
        workspace: &Workspace,
        _: &Request,
        reply: &mut Reply,
        _: &Headers,
        _: impl FnMut(Progress),
    ) -> Result<Vec<u8>, Failed> {
        let limit = workspace.limits.bytes;
        let mut body = Vec::new();
        while let Some(part) = reply.part().await? {
            if body.len() + part.len() > limit {
                return Err(DecodeError::TooLarge { limit }.into());
            }
            body.extend_from_slice(&part);
        }
        Ok(body)
    }
}

fn unreadable(workspace: &Workspace, headers: &Headers, error: DecodeError) -> Failed {
    match ServiceError::of_decoding(workspace, &pairs(headers), &error) {
        Some(error) => Failed::Service(Box::new(error)),
        None => Failed::Decode(error),
    }
}

/// How long to wait before the next attempt; `None` where there is none. `elapsed` is in milliseconds.
fn wait_after(failed: &Failed, attempts: u32, elapsed: f64) -> Option<Duration> {
    let standing = Standing {
        attempts,
        elapsed: millis(elapsed),
        now: millis(js_sys::Date::now()),
        jitter: js_sys::Math::random(),
    };
    match Policy::default().decide(failed.failure()?, standing) {
        Decision::Wait(wait) => Some(wait),
        Decision::GiveUp(_) => None,
    }
}

fn millis(ms: f64) -> Duration {
    Duration::try_from_secs_f64(ms / 1000.0).unwrap_or_default()
}

/// A new identifier of a request.
fn id() -> Result<String, Failed> {
    let mut bytes = [0; 16];
    random(&mut bytes).map_err(|_| Failed::Unsendable("there are no random numbers".to_owned()))?;
    let number = u128::from_le_bytes(bytes);
    Ok(format!("Spoor;{number:032x}"))
}

/// Has a query ended at its service when it is dropped, if the service has a request for that.
struct Farewell {
    workspace: Workspace,
    token: Option<Secret>,
    id: Option<String>,
}

impl Farewell {
    fn new(workspace: &Workspace, token: Option<Secret>, id: String) -> Self {
        Self {
            workspace: workspace.clone(),
            token,
            id: Some(id),
        }
    }
}

impl Drop for Farewell {
    fn drop(&mut self) {
        let (Some(running), Ok(own)) = (self.id.take(), id()) else {
            return;
        };
        let Ok(Some(request)) = request::cancel(&self.workspace, &running, &own) else {
            return;
        };
        let (token, remote) = (self.token.take(), self.workspace.remote.clone());
        spawn_local(async move {
            let Some(remote) = remote else {
                return;
            };
            // The service may refuse, or be gone: nobody is left to be told.
            let told = wire::send(&remote.origin, &request, token.as_ref());
            let _ = wire::within(FAREWELL, told).await;
        });
    }
}
