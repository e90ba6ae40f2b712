//! A query that a provider runs: asked of the driver, its answer gathered, then read in slices as a file is.

use spoor_data::{Format, Limits, Loader};
use spoor_kql_syntax::ast::{ExprKind, OperatorKind, StatementKind};
use spoor_kql_syntax::{Diagnostic, parse};
use spoor_protocol::{Effect, FetchError, MAX_FETCHED, Mistake};

use crate::bundle::{Answer, Render};
use crate::job::{self, Progress};
use crate::kernel::Machine;
use crate::language::byte_offset;
use crate::output::{Failure, Output};
use crate::request::{Request, Work};

/// The most mistakes of a query that are shown.
const SHOWN: usize = 20;

/// A query on its way to a provider and back.
pub(crate) struct Fetching {
    number: u64,
    provider: &'static str,
    text: String,
    /// Results of this session that the query seems to name.
    kept: Vec<String>,
    stage: Stage,
}

enum Stage {
    /// These bytes have come.
    Coming(Vec<u8>),
    Reading(Box<Loader>),
    Failed(FetchError),
    /// It has ended.
    Over,
}

impl Machine {
    /// Asks a provider to run a cell's query.
    pub(crate) fn begin_fetch(
        &mut self,
        provider: &'static str,
        query: String,
        out: &mut Output,
    ) -> Work {
        let mut kept = self.catalogue.references(&query);
        kept.retain(|name| !self.catalogue.is_source(name));
        self.fetches += 1;
        let fetching = Fetching::new(self.fetches, provider, query, kept, out);
        Work::Fetch(Box::new(fetching))
    }

    /// Takes what a provider answered. What comes for a query that has been interrupted is passed over.
    pub(crate) fn fetched(
        &mut self,
        number: u64,
        bytes: Vec<u8>,
        last: bool,
        error: Option<FetchError>,
        out: &mut Output,
    ) {
        if number == 0 || number > self.fetches {
            return out.refuse(format!("there is no fetch {number}"));
        }
        let Some(Request {
            work: Work::Fetch(fetching),
            ..
        }) = &mut self.current
        else {
            return;
        };
        if fetching.number != number {
            return;
        }
        match fetching.take(bytes, last, error) {
            Ok(true) => self.go_on(out),
            Ok(false) => {}
            Err(reason) => out.refuse(reason),
        }
    }
}

impl Fetching {
    /// Asks `provider` to run the query `text`, as the fetch `number`. `kept` are results of this session that the query
    /// seems to name: no provider has them.
    fn new(
        number: u64,
        provider: &'static str,
        text: String,
        kept: Vec<String>,
        out: &mut Output,
    ) -> Self {
        out.push(Effect::Fetch {
            fetch: number,
            provider: provider.into(),
            query: text.clone(),
        });
        Self {
            number,
            provider,
            text,
            kept,
            stage: Stage::Coming(Vec::new()),
        }
    }

    /// Takes bytes of the answer, or why there is none. Whether that is all of it.
    fn take(
        &mut self,
        bytes: Vec<u8>,
        last: bool,
        error: Option<FetchError>,
    ) -> Result<bool, String> {
        let Stage::Coming(held) = &mut self.stage else {
            return Err(format!("the fetch {} is answered already", self.number));
        };
        if let Some(error) = error {
            self.stage = Stage::Failed(error);
            return Ok(true);
        }
        let fits = held.len() + bytes.len() <= MAX_FETCHED;
        if !fits || held.try_reserve(bytes.len()).is_err() {
            self.stage = Stage::Failed(FetchError::too_large());
            return Ok(true);
        }
        held.extend_from_slice(&bytes);
        if last {
            let label = format!("the answer of {}", self.provider);
            let (bytes, limits) = (std::mem::take(held), Limits::default());
            let loader = Loader::new(&label, Some(Format::Arrow), bytes, limits);
            self.stage = Stage::Reading(Box::new(loader));
        }
        Ok(last)
    }

    /// Works for a slice.
    pub(crate) fn advance(&mut self) -> Progress {
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Coming(held) => {
                self.stage = Stage::Coming(held);
                Progress::Waiting
            }
            Stage::Reading(mut loader) => match loader.step(job::SLICE) {
                Ok(spoor_data::Progress::More) => {
                    self.stage = Stage::Reading(loader);
                    Progress::More
                }
                Ok(spoor_data::Progress::Done(table)) => {
                    let render = render_of(&self.text);
                    Progress::Done(Ok(Answer {
                        table,
                        render,
                        more: Vec::new(),
                    }))
                }
                Err(error) => Progress::Done(Err(Failure::new("KqlError", error.to_string()))),
            },
            Stage::Failed(error) => Progress::Done(Err(self.failure(error))),
            Stage::Over => Progress::Done(Err(Failure::new("KqlError", "the query has ended"))),
        }
    }

    fn failure(&self, error: FetchError) -> Failure {
        let is_told = |name: &&String| error.message.contains(&format!("`{name}`"));
        let about_kept = self.kept.iter().find(is_told);
        let note = about_kept.map(|name| {
            format!(
                "'{name}' is a result of this session, which {} does not have: leave out `{}` to query it here",
                self.provider, self.provider
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
            job::refusal(&self.text, &diagnostics)
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
