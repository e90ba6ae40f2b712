//! A query that a provider runs: asked of the driver, its answer gathered, then read in slices as a file is.

use spoor_data::{Format, Limits, Loader};
use spoor_kql_syntax::ast::{ExprKind, OperatorKind, StatementKind};
use spoor_kql_syntax::{Diagnostic, parse};
use spoor_protocol::{
    Effect, Event, FetchError, LOCAL_WORKSPACE, MAX_FETCHED, MAX_FETCHED_TABLES, Mistake, Provider,
    Told,
};
use spoor_table::Table;

use crate::bundle::{Answer, From, Origin, Render};
use crate::job::{self, Progress};
use crate::kernel::Machine;
use crate::language::byte_offset;
use crate::output::{Failure, Output};
use crate::request::{Turn, Upcall, Work};
use crate::running::Running;
use crate::workspaces::Away;

/// The most mistakes of a query that are shown.
const SHOWN: usize = 20;

/// A query on its way to a provider and back.
pub(crate) struct Fetching {
    number: u64,
    provider: Provider,
    /// What was asked, and the query as people wrote it, in which everything has the same place.
    text: String,
    whole: String,
    /// Results of this session that the query seems to name.
    kept: Vec<String>,
    stage: Stage,
}

enum Stage {
    /// These bytes have come, of each table.
    Coming(Vec<Vec<u8>>),
    Reading(Reading),
    Failed(FetchError),
    /// It has ended.
    Over,
}

/// An answer that is there, being read.
struct Reading {
    loader: Box<Loader>,
    /// The bytes of the tables that come after.
    rest: std::vec::IntoIter<Vec<u8>>,
    read: Vec<Table>,
    told: Told,
}

/// What a driver hands in of an answer.
pub(crate) struct Part {
    fetch: u64,
    table: usize,
    last: bool,
    error: Option<FetchError>,
    told: Box<Told>,
}

impl Part {
    /// Of an event; `None` of any but [`Event::Fetched`].
    pub(crate) fn of(event: Event) -> Option<Self> {
        match event {
            Event::Fetched {
                fetch,
                table,
                last,
                error,
                told,
            } => Some(Self {
                fetch,
                table,
                last,
                error,
                told,
            }),
            _ => None,
        }
    }
}

impl Machine {
    /// Asks a provider to run a query.
    pub(crate) fn begin_fetch(
        &mut self,
        away: Away,
        query: String,
        whole: String,
        out: &mut Output,
    ) -> Box<Fetching> {
        let mut kept = self.catalogue.references(&query);
        kept.retain(|name| !self.catalogue.is_source(name));
        self.fetches += 1;
        out.push(Effect::Fetch {
            fetch: self.fetches,
            provider: away.provider.clone(),
            query: query.clone(),
            timespan: away.timespan,
        });
        Box::new(Fetching {
            number: self.fetches,
            provider: away.provider,
            text: query,
            whole,
            kept,
            stage: Stage::Coming(Vec::new()),
        })
    }

    /// Takes what a provider answered. What comes for a query that has been interrupted is passed over.
    pub(crate) fn fetched(&mut self, part: Part, bytes: Vec<u8>, out: &mut Output) {
        let number = part.fetch;
        if number == 0 || number > self.fetches {
            return out.refuse(format!("there is no fetch {number}"));
        }
        let work = self.current.as_mut().map(|request| &mut request.work);
        let Some(fetching) = work.and_then(Work::fetching) else {
            return;
        };
        if fetching.number != number {
            return;
        }
        match fetching.take(bytes, part) {
            Ok(true) => self.go_on(out),
            Ok(false) => {}
            Err(reason) => out.refuse(reason),
        }
    }
}

impl Work {
    /// The query that a provider is asked to run, by a cell or by the guest.
    fn fetching(&mut self) -> Option<&mut Fetching> {
        self.running().and_then(Running::fetching)
    }

    /// The query on its way, of a cell or of the guest.
    pub(crate) fn running(&mut self) -> Option<&mut Running> {
        match self {
            Work::Query(running)
            | Work::Python(Turn {
                upcall: Some(Upcall::Query { running, .. }),
                ..
            }) => Some(running),
            _ => None,
        }
    }
}

impl Fetching {
    /// Takes bytes of the answer, or why there is none. Whether that is all of it.
    fn take(&mut self, bytes: Vec<u8>, part: Part) -> Result<bool, String> {
        let Stage::Coming(held) = &mut self.stage else {
            return Err(format!("the fetch {} is answered already", self.number));
        };
        if let Some(error) = part.error {
            self.stage = Stage::Failed(error);
            return Ok(true);
        }
        if part.table >= MAX_FETCHED_TABLES {
            let error = format!("the answer has more than {MAX_FETCHED_TABLES} tables");
            self.stage = Stage::Failed(FetchError::new(error));
            return Ok(true);
        }
        if held.len() <= part.table {
            held.resize_with(part.table + 1, Vec::new);
        }
        let all: usize = held.iter().map(Vec::len).sum();
        let table = &mut held[part.table];
        if all + bytes.len() > MAX_FETCHED || table.try_reserve(bytes.len()).is_err() {
            self.stage = Stage::Failed(FetchError::too_large());
            return Ok(true);
        }
        table.extend_from_slice(&bytes);
        if part.last {
            let mut tables = std::mem::take(held).into_iter();
            let first = tables.next().unwrap_or_default();
            self.stage = Stage::Reading(Reading {
                loader: self.loader(first),
                rest: tables,
                read: Vec::new(),
                told: *part.told,
            });
        }
        Ok(part.last)
    }

    fn loader(&self, bytes: Vec<u8>) -> Box<Loader> {
        let label = format!("the answer of {}", self.provider);
        let loader = Loader::new(&label, Some(Format::Arrow), bytes, Limits::default());
        Box::new(loader)
    }

    /// Works for a slice.
    pub(crate) fn advance(&mut self) -> Progress {
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Coming(held) => {
                self.stage = Stage::Coming(held);
                Progress::Waiting
            }
            Stage::Reading(reading) => self.read(reading),
            Stage::Failed(error) => Progress::Done(Err(self.failure(error))),
            Stage::Over => Progress::Done(Err(Failure::new("KqlError", "the query has ended"))),
        }
    }

    fn read(&mut self, mut reading: Reading) -> Progress {
        match reading.loader.step(job::SLICE) {
            Ok(spoor_data::Progress::More) => {}
            Ok(spoor_data::Progress::Done(table)) => {
                reading.read.push(table);
                match reading.rest.next() {
                    Some(bytes) => reading.loader = self.loader(bytes),
                    None => return Progress::Done(self.answer(reading)),
                }
            }
            Err(error) => {
                return Progress::Done(Err(Failure::new("KqlError", error.to_string())));
            }
        }
        self.stage = Stage::Reading(reading);
        Progress::More
    }

    fn answer(&self, reading: Reading) -> Result<Answer, Failure> {
        let mut tables = reading.read.into_iter();
        let empty = || Failure::new("KqlError", "the answer has no table");
        let mut answer = Answer::of(tables.next().ok_or_else(empty)?);
        answer.more = tables.map(Answer::of).collect();
        answer.render = match &reading.told.render {
            Some((kind, properties)) => Some(Render {
                kind: kind.clone(),
                properties: properties.clone(),
            }),
            None => render_of(&self.text),
        };
        answer.origin = Some(Box::new(Origin {
            from: From::Providers(vec![self.provider.clone()]),
            told: reading.told,
        }));
        Ok(answer)
    }

    fn failure(&self, error: FetchError) -> Failure {
        let is_told = |name: &&String| error.message.contains(&format!("`{name}`"));
        let about_kept = self.kept.iter().find(is_told);
        let note = about_kept.map(|name| {
            let provider = &self.provider;
            format!(
                "'{name}' is a result of this session, which {provider} does not have: query it here with `%%kql --workspace {LOCAL_WORKSPACE}`"
            )
        });
        let failure = if error.mistakes.is_empty() {
            let hint = error.hint.map(|hint| format!("hint: {hint}"));
            let lines: Vec<&str> = hint.as_deref().into_iter().collect();
            Failure::new("KqlError", error.message).with(&lines)
        } else {
            let mistakes = error.mistakes.into_iter().take(SHOWN);
            let diagnostics: Vec<Diagnostic> =
                mistakes.map(|mistake| self.diagnostic(mistake)).collect();
            job::refusal(&self.whole, &diagnostics)
        };
        let note: Vec<&str> = note.as_deref().into_iter().collect();
        failure.with(&note)
    }

    fn diagnostic(&self, mistake: Mistake) -> Diagnostic {
        let start = byte_offset(&self.text, mistake.start);
        let end = byte_offset(&self.text, mistake.end).max(start);
        Diagnostic {
            hint: mistake.hint,
            ..Diagnostic::error(start..end, mistake.message)
        }
    }
}

/// What the query's last operator asks to be drawn: the provider gives the rows alone.
fn render_of(text: &str) -> Option<Render> {
    let parsed = parse(text);
    let StatementKind::Expression(expr) = &parsed.query.statements.last()?.kind else {
        return None;
    };
    let ExprKind::Pipe { operators, .. } = &expr.kind else {
        return None;
    };
    match &operators.last()?.kind {
        OperatorKind::Render(render) => Some(Render::read(render, text)),
        _ => None,
    }
}
