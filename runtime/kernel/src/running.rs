//! A query on its way, wherever it runs: here, at a provider, or in parts at several.

use std::collections::{BTreeMap, VecDeque};

use spoor_kql_syntax::Part;
use spoor_protocol::{Provider, Told};
use spoor_table::{Table, Value};

use crate::bundle::{Answer, From, Origin};
use crate::fetching::Fetching;
use crate::job::{Job, Progress};
use crate::kernel::Machine;
use crate::output::Output;
use crate::workspaces::{Away, Place};

/// A query on its way.
pub(crate) enum Running {
    /// The kernel runs it.
    Here(Box<Job>),
    /// A provider runs it.
    Away(Box<Fetching>),
    /// Workspaces run parts of it, one after the other, and the kernel the rest.
    Across(Box<Gathering>),
}

/// A query across workspaces.
pub(crate) struct Gathering {
    /// The parts that have not been asked for yet.
    parts: VecDeque<Part>,
    /// The one that is asked for, and the table that its answer becomes.
    under_way: Option<(String, Box<Fetching>)>,
    timespan: Option<String>,
    /// The query as it was written.
    whole: String,
    /// The query that is left, and the tables of this session that it may read.
    rest: String,
    reads: Vec<String>,
    /// Python's values that it may use.
    values: BTreeMap<String, Value>,
    /// Answers so far, by the names that the rest has for them.
    tables: Vec<(String, Table)>,
    told: Vec<Origin>,
    /// The rest, once all answers are there.
    job: Option<Box<Job>>,
}

impl Machine {
    /// Sets a query going where it is to run. What the kernel runs of it may use `values`.
    pub(crate) fn set_going(
        &mut self,
        place: Place,
        query: String,
        values: BTreeMap<String, Value>,
        out: &mut Output,
    ) -> Running {
        match place {
            Place::Here => {
                let job = Job::new(query, &self.catalogue).with_values(values);
                Running::Here(Box::new(job))
            }
            Place::Away(away) => Running::Away(self.begin_fetch(away, query.clone(), query, out)),
            Place::Across(across, timespan) => Running::Across(Box::new(Gathering {
                parts: across.parts.into(),
                under_way: None,
                timespan,
                whole: query,
                reads: self.catalogue.references(&across.rest),
                rest: across.rest,
                values,
                tables: Vec::new(),
                told: Vec::new(),
                job: None,
            })),
        }
    }

    /// Works on a query for a slice.
    pub(crate) fn advance(&mut self, running: &mut Running, out: &mut Output) -> Progress {
        match running {
            Running::Here(job) => job.advance(&mut self.catalogue, out),
            Running::Away(fetching) => fetching.advance(),
            Running::Across(gathering) => self.gather(gathering, out),
        }
    }

    fn gather(&mut self, gathering: &mut Gathering, out: &mut Output) -> Progress {
        if let Some(job) = &mut gathering.job {
            let progress = job.advance(&mut self.catalogue, out);
            return gathering.told_of(progress);
        }
        if let Some((_, fetching)) = &mut gathering.under_way {
            match fetching.advance() {
                Progress::Done(Ok(answer)) => gathering.take(answer),
                other => return other,
            }
        }
        match gathering.parts.pop_front() {
            Some(part) => {
                let away = Away {
                    provider: Provider::Workspace(part.workspace),
                    timespan: gathering.timespan.clone(),
                };
                let whole = gathering.whole.clone();
                let fetching = self.begin_fetch(away, part.query, whole, out);
                gathering.under_way = Some((part.table, fetching));
                Progress::Waiting
            }
            None => {
                let rest = std::mem::take(&mut gathering.rest);
                let tables = std::mem::take(&mut gathering.tables);
                let whole = gathering.whole.clone();
                let values = std::mem::take(&mut gathering.values);
                let job = Job::over(rest, whole, tables, &self.catalogue).with_values(values);
                gathering.job = Some(Box::new(job));
                Progress::More
            }
        }
    }
}

impl Running {
    /// The query that a provider is asked to run just now.
    pub(crate) fn fetching(&mut self) -> Option<&mut Fetching> {
        match self {
            Running::Away(fetching) => Some(fetching),
            Running::Across(gathering) => gathering.under_way.as_mut().map(|(_, one)| &mut **one),
            Running::Here(_) => None,
        }
    }

    /// The tables of this session that it may read.
    pub(crate) fn reads(&self) -> Vec<String> {
        match self {
            Running::Here(job) => job.reads().to_vec(),
            Running::Away(_) => Vec::new(),
            Running::Across(gathering) => gathering.reads.clone(),
        }
    }

    /// The query that the kernel runs just now.
    pub(crate) fn job(&mut self) -> Option<&mut Job> {
        match self {
            Running::Here(job) => Some(job),
            Running::Across(gathering) => gathering.job.as_deref_mut(),
            Running::Away(_) => None,
        }
    }
}

impl Gathering {
    /// Takes the answer to the part that was under way.
    fn take(&mut self, answer: Answer) {
        if let Some((table, _)) = self.under_way.take() {
            self.tables.push((table, answer.table));
        }
        self.told.extend(answer.origin.map(|origin| *origin));
    }

    /// Has the result say what its parts' workspaces said.
    fn told_of(&mut self, progress: Progress) -> Progress {
        let Progress::Done(Ok(mut answer)) = progress else {
            return progress;
        };
        // What it reads of the session may be less than whole as well.
        self.told.extend(answer.origin.take().map(|origin| *origin));
        answer.origin = together(std::mem::take(&mut self.told)).map(Box::new);
        Progress::Done(Ok(answer))
    }
}

/// What several workspaces said, each sentence with its workspace's name; the oldest record counts.
fn together(mut all: Vec<Origin>) -> Option<Origin> {
    if all.len() < 2 {
        return all.pop();
    }
    let mut providers: Vec<Provider> = Vec::new();
    let mut told = Told::default();
    for one in all {
        told.partial.extend(one.lacks());
        told.recorded = match (told.recorded.take(), one.told.recorded) {
            (Some(first), Some(second)) => Some(first.min(second)),
            (first, second) => first.or(second),
        };
        let From::Providers(of) = one.from else {
            continue;
        };
        for provider in of {
            if !providers.contains(&provider) {
                providers.push(provider);
            }
        }
    }
    let from = From::Providers(providers);
    Some(Origin { from, told })
}
