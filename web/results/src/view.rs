//! A view's rows: filtered, then sorted, in slices, and kept for a while.

use std::collections::VecDeque;
use std::sync::Arc;

use spoor_messages::results::{Filter, View};

use crate::data::Data;
use crate::error::ResultsError;
use crate::filter::Conditions;
use crate::order::RowSort;
use crate::{Over, STRIDE};

/// Views of a result that are kept: four bytes a row each.
const KEPT: usize = 4;

/// The rows of a view, in order. Cloning is cheap.
#[derive(Debug, Clone)]
pub(crate) enum Ids {
    /// All rows of a result, as they are.
    All(u32),
    /// These.
    Some(Arc<Vec<u32>>),
}

impl Ids {
    pub(crate) fn len(&self) -> usize {
        match self {
            Ids::All(rows) => *rows as usize,
            Ids::Some(ids) => ids.len(),
        }
    }

    /// The row at a place of the view.
    pub(crate) fn at(&self, place: usize) -> Option<u32> {
        match self {
            Ids::All(rows) => u32::try_from(place).ok().filter(|row| row < rows),
            Ids::Some(ids) => ids.get(place).copied(),
        }
    }

    /// The rows from one place to another.
    pub(crate) fn between(&self, from: usize, to: usize) -> impl Iterator<Item = u32> + '_ {
        (from..to.min(self.len())).filter_map(|place| self.at(place))
    }
}

/// An open result, and the views of it that were found.
#[derive(Debug)]
pub(crate) struct Held {
    pub data: Arc<Data>,
    views: VecDeque<(View, Ids)>,
}

impl Held {
    pub(crate) fn new(data: Data) -> Self {
        Self {
            data: Arc::new(data),
            views: VecDeque::new(),
        }
    }

    /// A view's rows, if they are known.
    pub(crate) fn known(&self, view: &View) -> Option<Ids> {
        if *view == View::default() {
            return Some(Ids::All(self.data.rows()));
        }
        let found = self.views.iter().find(|(known, _)| known == view);
        found.map(|(_, ids)| ids.clone())
    }

    fn keep(&mut self, view: View, ids: Ids) {
        if self.known(&view).is_none() {
            self.views.truncate(KEPT - 1);
            self.views.push_front((view, ids));
        }
    }
}

/// A view on its way to its rows.
pub(crate) struct Viewing {
    view: View,
    stage: Stage,
}

enum Stage {
    New,
    Filtering(Filtering),
    Sorting(Box<RowSort>),
    Done(Ids),
}

struct Filtering {
    conditions: Conditions,
    next: usize,
    rows: Vec<u32>,
}

impl Viewing {
    pub(crate) fn new(view: View) -> Self {
        Self {
            view,
            stage: Stage::New,
        }
    }

    /// Whether the rows are known already.
    pub(crate) fn is_known(&self, held: &Held) -> bool {
        held.known(&self.view).is_some()
    }

    /// Goes on; gives the rows when they are found.
    pub(crate) fn advance(
        &mut self,
        held: &mut Held,
        over: Over<'_>,
    ) -> Result<Option<Ids>, ResultsError> {
        loop {
            let next = match &mut self.stage {
                Stage::Done(ids) => return Ok(Some(ids.clone())),
                Stage::New => self.begun(held)?,
                Stage::Filtering(filtering) => {
                    if !filtering.advance(&held.data, over) {
                        return Ok(None);
                    }
                    let rows = std::mem::take(&mut filtering.rows);
                    held.keep(self.unsorted(), Ids::Some(Arc::new(rows.clone())));
                    self.sorting(held, rows)?
                }
                Stage::Sorting(sorting) => match sorting.advance(over) {
                    Some(rows) => Stage::Done(Ids::Some(Arc::new(rows))),
                    None => return Ok(None),
                },
            };
            if let Stage::Done(ids) = &next {
                held.keep(self.view.clone(), ids.clone());
            }
            self.stage = next;
        }
    }

    fn begun(&self, held: &Held) -> Result<Stage, ResultsError> {
        if let Some(ids) = held.known(&self.view) {
            return Ok(Stage::Done(ids));
        }
        if let Some(ids) = held.known(&self.unsorted()) {
            return self.sorting(held, ids.between(0, usize::MAX).collect());
        }
        let filters: &[Filter] = &self.view.filters;
        let conditions = Conditions::new(&held.data, filters, &self.view.search)?;
        Ok(Stage::Filtering(Filtering {
            conditions,
            next: 0,
            rows: Vec::new(),
        }))
    }

    fn sorting(&self, held: &Held, rows: Vec<u32>) -> Result<Stage, ResultsError> {
        if self.view.sorts.is_empty() {
            return Ok(Stage::Done(Ids::Some(Arc::new(rows))));
        }
        let sort = RowSort::new(held.data.clone(), &self.view.sorts, rows)?;
        Ok(Stage::Sorting(Box::new(sort)))
    }

    fn unsorted(&self) -> View {
        View {
            sorts: Vec::new(),
            ..self.view.clone()
        }
    }
}

impl Filtering {
    fn advance(&mut self, data: &Data, over: Over<'_>) -> bool {
        while let Some((batch, range)) = data.piece(self.next, STRIDE) {
            let len = range.len();
            let passing = self.conditions.passing(batch, range);
            let first = self.next;
            self.rows
                .extend(passing.into_iter().map(|at| (first + at) as u32));
            self.next += len;
            if over() {
                return false;
            }
        }
        true
    }
}
