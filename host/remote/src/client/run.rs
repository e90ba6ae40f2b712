//! One query from its beginning to its end.

use std::thread;
use std::time::{Duration, Instant, SystemTime};

use spoor_protocol::FetchError;
use spoor_providers::config::Workspace;
use spoor_providers::progress::Progress;
use spoor_providers::request::{self, Query, Request, RequestError};
use spoor_providers::response::{self, Decoder, Outcome, TableSchema};
use spoor_providers::retry::{Decision, Standing};

use super::exchange::{Exchange, Reader, SchemaBody, id, jitter, local};
use super::failed::Failed;
use super::{Ask, Client};
use crate::tokens::Tokens;
use crate::watch::Watch;
use crate::wire::{self, TICK, Trouble, wanted};
use spoor_providers::secret::Secret;

/// Between two words on an answer that comes.
const BETWEEN: Duration = Duration::from_millis(100);

/// A query that runs.
pub(super) struct Run<'a> {
    client: &'a Client,
    workspace: &'a Workspace,
    tokens: &'a dyn Tokens,
    watch: &'a dyn Watch,
    progress: &'a mut dyn FnMut(Progress),
    /// All that were used; the last one is good, as far as anybody knows.
    used: Vec<Secret>,
}

/// Makes the request that goes by an identifier.
type Make<'a> = &'a dyn Fn(&str) -> Result<Request, RequestError>;

impl<'a> Run<'a> {
    pub(super) fn new(
        client: &'a Client,
        workspace: &'a Workspace,
        tokens: &'a dyn Tokens,
        watch: &'a dyn Watch,
        progress: &'a mut dyn FnMut(Progress),
    ) -> Result<Self, FetchError> {
        if workspace.remote.is_none() {
            return Err(local(workspace).told(workspace, ""));
        }
        Ok(Run {
            client,
            workspace,
            tokens,
            watch,
            progress,
            used: Vec::new(),
        })
    }

    pub(super) fn query(&mut self, ask: &Ask<'_>) -> Result<Outcome, Failed> {
        // What cannot be sent does not wait first.
        request_of(self.workspace, ask, None, &id()?)?;
        let client = self.client;
        let _turn = client
            .gate
            .enter(self.workspace, self.watch, &mut |ahead| {
                (self.progress)(Progress::Waiting { ahead });
            })?;
        self.sign_in(false)?;
        let mut outcome = self.page(ask, None, 1)?;
        let mut number = 1;
        while let Some(next) = outcome.next.clone() {
            number += 1;
            let page = self.page(ask, Some(&next), number)?;
            outcome.append(page, self.workspace.limits)?;
        }
        // What the service says of a result is shown beside it.
        outcome.change_texts(&|text| self.hide_in(text));
        Ok(outcome)
    }

    pub(super) fn schema(&mut self) -> Result<Vec<TableSchema>, Failed> {
        let workspace = self.workspace;
        if request::schema(workspace, &id()?)?.is_none() {
            return Ok(Vec::new());
        }
        let client = self.client;
        let _turn = client.gate.enter(workspace, self.watch, &mut |ahead| {
            (self.progress)(Progress::Waiting { ahead });
        })?;
        self.sign_in(false)?;
        let none = || RequestError::Local(workspace.name.clone());
        self.ask::<SchemaBody>(1, &|id| request::schema(workspace, id)?.ok_or_else(none))
    }

    /// What went wrong, for people, without any token in it.
    pub(super) fn told(&self, failed: &Failed, query: &str) -> FetchError {
        let mut error = failed.told(self.workspace, query);
        error.change_texts(&|text| self.hide_in(text));
        error
    }

    fn page(
        &mut self,
        ask: &Ask<'_>,
        page: Option<&str>,
        number: usize,
    ) -> Result<Outcome, Failed> {
        let workspace = self.workspace;
        self.ask::<Decoder>(number, &|id| request_of(workspace, ask, page, id))
    }

    /// Sends a request until it is answered or that is no use.
    fn ask<R: Reader>(&mut self, page: usize, make: Make<'_>) -> Result<R::Made, Failed> {
        let began = Instant::now();
        let (mut attempts, mut renewed) = (1, false);
        loop {
            let failed = match self.attempt::<R>(page, make) {
                Ok(made) => return Ok(made),
                Err(failed) => failed,
            };
            if failed.is_unknown_token() && !self.used.is_empty() && !renewed {
                self.sign_in(true)?;
                renewed = true;
                continue;
            }
            let wait = self.wait_after(&failed, attempts, began.elapsed())?;
            let Some(wait) = wait else {
                return Err(failed);
            };
            (self.progress)(Progress::Retrying { attempts, wait });
            self.rest(wait)?;
            attempts += 1;
        }
    }

    fn attempt<R: Reader>(&mut self, page: usize, make: Make<'_>) -> Result<R::Made, Failed> {
        let id = id()?;
        let request = make(&id)?;
        (self.progress)(Progress::Asking { page });
        let client = self.client;
        let exchange = Exchange {
            wire: &client.wire,
            workspace: self.workspace,
            request: &request,
            token: self.used.last(),
            watch: self.watch,
        };
        let mut heard = seldom(&mut *self.progress);
        let limit = request.timeout.min(client.wire.options().timings.whole);
        let done = wire::run(limit, self.watch, exchange.run::<R>(&mut heard));
        if done.as_ref().is_err_and(Failed::leaves_running) {
            client
                .cancels
                .send(&client.wire, self.workspace, self.used.last(), &id);
        }
        done
    }

    /// How long to wait before the next attempt; `None` where there is none.
    fn wait_after(
        &self,
        failed: &Failed,
        attempts: u32,
        elapsed: Duration,
    ) -> Result<Option<Duration>, Failed> {
        let Some(failure) = failed.failure() else {
            return Ok(None);
        };
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let standing = Standing {
            attempts,
            elapsed,
            now: now.unwrap_or_default(),
            jitter: jitter()?,
        };
        let policy = self.client.wire.options().policy;
        Ok(match policy.decide(failure, standing) {
            Decision::Wait(wait) => Some(wait),
            Decision::GiveUp(_) => None,
        })
    }

    fn rest(&self, wait: Duration) -> Result<(), Trouble> {
        let began = Instant::now();
        loop {
            wanted(self.watch)?;
            match wait.checked_sub(began.elapsed()) {
                Some(left) if !left.is_zero() => thread::sleep(left.min(TICK)),
                _ => return Ok(()),
            }
        }
    }

    /// Gets a token, where the workspace takes one.
    fn sign_in(&mut self, force_refresh: bool) -> Result<(), Failed> {
        let remote = self.workspace.remote.as_ref();
        if remote.is_none_or(|remote| remote.scope.is_none()) {
            return Ok(());
        }
        wanted(self.watch)?;
        (self.progress)(Progress::SigningIn);
        let over = || wanted(self.watch).is_err();
        let token = self.tokens.token(self.workspace, force_refresh, &over);
        wanted(self.watch)?;
        self.used.push(token?);
        Ok(())
    }

    fn hide_in(&self, text: &mut String) {
        for secret in &self.used {
            *text = secret.hide_in(text);
        }
    }
}

fn request_of(
    workspace: &Workspace,
    ask: &Ask<'_>,
    page: Option<&str>,
    id: &str,
) -> Result<Request, RequestError> {
    let query = Query {
        text: ask.text,
        timespan: ask.timespan,
        id,
        page,
    };
    request::query(workspace, &query)
}

/// Tells of an answer's parts, though not of each.
fn seldom(progress: &mut dyn FnMut(Progress)) -> impl FnMut(response::Progress) {
    let mut last: Option<Instant> = None;
    move |heard| {
        if last.is_some_and(|last| last.elapsed() < BETWEEN) {
            return;
        }
        last = Some(Instant::now());
        progress(Progress::Reading {
            bytes: heard.bytes,
            rows: heard.rows,
            percent: heard.percent,
        });
    }
}
