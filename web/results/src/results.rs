//! What is open and what is asked of it: requests in, answers out, and work in slices between.
//!
//! Work that waits takes turns. Of the same question about the same result only the newest is answered; those before
//! it are told that they are cancelled.

use std::collections::{HashMap, VecDeque};
use std::mem::{Discriminant, discriminant};

use spoor_messages::results::{
    Answer, Ask, ExportFormat, Reply, Request, ResultId, Row, Rows, Selection, TimelineSpec,
};

use crate::Over;
use crate::data::{Data, Reading, cut};
use crate::error::ResultsError;
use crate::export::Exporting;
use crate::stats::Counting;
use crate::timeline::Placing;
use crate::tree::Growing;
use crate::view::{Held, Ids, Viewing};

/// Characters of a cell's text in a row.
const CELL: usize = 300;
/// The most rows of one answer.
const MOST_ROWS: u32 = 2_000;

/// An answer and the bytes that go with it.
#[derive(Debug)]
pub struct Outgoing {
    /// The answer.
    pub reply: Reply,
    /// Bytes of an export.
    pub buffer: Option<Vec<u8>>,
}

/// The open results and what is left to do for them.
#[derive(Default)]
pub struct Results {
    held: HashMap<ResultId, Held>,
    waiting: VecDeque<Task>,
    out: Vec<Outgoing>,
}

struct Task {
    request: u32,
    result: ResultId,
    kind: Discriminant<Ask>,
    job: Job,
}

/// Work on one request. All but reading first find a view's rows.
enum Job {
    Reading(Reading),
    Viewing(Viewing, Option<Next>),
    Rows(Ids, u32, u32),
    Counting(Counting),
    Exporting(Exporting),
    Placing(Placing),
    Growing(Growing),
}

/// What is made of a view's rows.
enum Next {
    Count,
    Rows(u32, u32),
    Stats(u32),
    Export(Selection, ExportFormat),
    Timeline(TimelineSpec),
    Processes,
}

type Done = Option<(Answer, Option<Vec<u8>>)>;

impl Results {
    /// Nothing is open.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a request and the buffer beside it. What can be answered at once is.
    pub fn ask(&mut self, request: Request, buffer: Option<Vec<u8>>) -> Vec<Outgoing> {
        let Request { request, ask } = request;
        let kind = discriminant(&ask);
        let (result, view, next) = match ask {
            Ask::Open { result } => {
                self.cancel(|task| task.result == result);
                self.held.remove(&result);
                let job = Job::Reading(Reading::new(buffer.unwrap_or_default()));
                self.waiting.push_back(Task {
                    request,
                    result,
                    kind,
                    job,
                });
                return self.drain();
            }
            Ask::Close { result } => {
                self.cancel(|task| task.result == result);
                self.held.remove(&result);
                return self.answer(request, Ok((Answer::Closed, None)));
            }
            Ask::Cancel { target } => {
                self.cancel(|task| task.request == target);
                return self.answer(request, Ok((Answer::Closed, None)));
            }
            Ask::Value {
                result,
                row,
                column,
            } => {
                let value = self.value(result, row, column);
                return self.answer(request, value.map(|answer| (answer, None)));
            }
            Ask::View { result, view } => (result, view, Next::Count),
            Ask::Rows {
                result,
                view,
                from,
                to,
            } => (result, view, Next::Rows(from, to)),
            Ask::Stats {
                result,
                view,
                column,
            } => (result, view, Next::Stats(column)),
            Ask::Export {
                result,
                view,
                selection,
                format,
            } => (result, view, Next::Export(selection, format)),
            Ask::Timeline { result, view, spec } => (result, view, Next::Timeline(spec)),
            Ask::Processes { result, view } => (result, view, Next::Processes),
        };
        if !matches!(next, Next::Export(..)) {
            self.cancel(|task| task.result == result && task.kind == kind);
        }
        let at_once = matches!(next, Next::Rows(..) | Next::Count);
        let job = Job::Viewing(Viewing::new(view), Some(next));
        let mut task = Task {
            request,
            result,
            kind,
            job,
        };
        // Rows of a view that is known are there before anything else goes on.
        let known = self
            .held
            .get(&result)
            .is_none_or(|held| task.is_known(held));
        if at_once && known {
            let done = self.advance(&mut task, &mut || false);
            match done {
                Ok(None) => self.waiting.push_back(task),
                Ok(Some(done)) => return self.answer(request, Ok(done)),
                Err(error) => return self.answer(request, Err(error)),
            }
        } else {
            self.waiting.push_back(task);
        }
        self.drain()
    }

    /// Whether there is work left.
    pub fn is_busy(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Works on what is next until `over` says that the slice is over.
    pub fn work(&mut self, over: &mut dyn FnMut() -> bool) -> Vec<Outgoing> {
        if let Some(mut task) = self.waiting.pop_front() {
            match self.advance(&mut task, over) {
                Ok(None) => self.waiting.push_back(task),
                Ok(Some(done)) => return self.answer(task.request, Ok(done)),
                Err(error) => return self.answer(task.request, Err(error)),
            }
        }
        self.drain()
    }

    fn advance(&mut self, task: &mut Task, over: Over<'_>) -> Result<Done, ResultsError> {
        if let Job::Reading(reading) = &mut task.job {
            let Some(data) = reading.advance(over)? else {
                return Ok(None);
            };
            let info = data.info();
            self.held.insert(task.result, Held::new(data));
            return Ok(Some((Answer::Opened(info), None)));
        }
        let held = self
            .held
            .get_mut(&task.result)
            .ok_or(ResultsError::Closed)?;
        task.job.advance(held, over)
    }

    fn value(&self, result: ResultId, row: u32, column: u32) -> Result<Answer, ResultsError> {
        let held = self.held.get(&result).ok_or(ResultsError::Closed)?;
        let (at, _) = held.data.column(column)?;
        Ok(Answer::Value {
            text: held.data.text(row, at),
            null: held.data.cell(row, at).is_null(),
        })
    }

    fn cancel(&mut self, which: impl Fn(&Task) -> bool) {
        let (gone, left) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|task| which(task));
        self.waiting = left;
        self.out.extend(gone.into_iter().map(|task| Outgoing {
            reply: Reply {
                request: task.request,
                answer: Answer::Cancelled,
            },
            buffer: None,
        }));
    }

    fn answer(
        &mut self,
        request: u32,
        done: Result<(Answer, Option<Vec<u8>>), ResultsError>,
    ) -> Vec<Outgoing> {
        let (answer, buffer) = done.unwrap_or_else(|error| {
            let message = error.to_string();
            (Answer::Failed { message }, None)
        });
        let reply = Reply { request, answer };
        self.out.push(Outgoing { reply, buffer });
        self.drain()
    }

    fn drain(&mut self) -> Vec<Outgoing> {
        std::mem::take(&mut self.out)
    }
}

impl Task {
    fn is_known(&self, held: &Held) -> bool {
        matches!(&self.job, Job::Viewing(viewing, _) if viewing.is_known(held))
    }
}

impl Job {
    fn advance(&mut self, held: &mut Held, over: Over<'_>) -> Result<Done, ResultsError> {
        if let Job::Viewing(viewing, next) = self {
            let Some(ids) = viewing.advance(held, over)? else {
                return Ok(None);
            };
            match next.take() {
                None | Some(Next::Count) => {
                    let rows = ids.len() as u32;
                    return Ok(Some((Answer::Viewed { rows }, None)));
                }
                Some(next) => *self = next.job(&held.data, ids)?,
            }
        }
        let data = &held.data;
        Ok(match self {
            Job::Reading(_) | Job::Viewing(..) => None,
            Job::Rows(ids, from, to) => Some((Answer::Rows(rows(data, ids, *from, *to)), None)),
            Job::Counting(counting) => counting
                .advance(data, over)
                .map(|stats| (Answer::Stats(stats), None)),
            Job::Exporting(exporting) => exporting
                .advance(data, over)?
                .map(|(text, rows)| (Answer::Exported { rows }, Some(text.into_bytes()))),
            Job::Placing(placing) => placing
                .advance(data, over)
                .map(|timeline| (Answer::Timeline(timeline), None)),
            Job::Growing(growing) => growing
                .advance(data, over)?
                .map(|processes| (Answer::Processes(processes), None)),
        })
    }
}

impl Next {
    fn job(self, data: &Data, ids: Ids) -> Result<Job, ResultsError> {
        Ok(match self {
            Next::Count => Job::Rows(ids, 0, 0),
            Next::Rows(from, to) => Job::Rows(ids, from, to),
            Next::Stats(column) => Job::Counting(Counting::new(data, column, ids)?),
            Next::Export(selection, format) => {
                Job::Exporting(Exporting::new(data, ids, &selection, format)?)
            }
            Next::Timeline(spec) => Job::Placing(Placing::new(data, ids, spec)?),
            Next::Processes => Job::Growing(Growing::new(data, ids)?),
        })
    }
}

fn rows(data: &Data, ids: &Ids, from: u32, to: u32) -> Rows {
    let to = to.min(from.saturating_add(MOST_ROWS));
    let rows = ids
        .between(from as usize, to as usize)
        .map(|id| row(data, id));
    Rows {
        from,
        total: ids.len() as u32,
        rows: rows.collect(),
    }
}

fn row(data: &Data, id: u32) -> Row {
    let mut cells = Vec::with_capacity(data.columns().len());
    let mut shortened = Vec::new();
    for column in 0..data.columns().len() {
        if data.cell(id, column).is_null() {
            cells.push(None);
            continue;
        }
        let (text, is_cut) = cut(data.text(id, column), CELL);
        cells.push(Some(text));
        if is_cut {
            shortened.push(column as u32);
        }
    }
    Row {
        id,
        cells,
        cut: shortened,
    }
}
