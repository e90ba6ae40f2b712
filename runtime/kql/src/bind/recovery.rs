//! Going on after a mistake, so that all mistakes of a query are told at once and none is told twice. What a mistake leaves unknown
//! is open: names that are not found there are no further mistakes.

use spoor_kql_syntax::Diagnostic;
use spoor_kql_syntax::ast::{NamedExpr, Operator, OperatorKind, Query, Span};

use super::relation::Relation;
use super::scope::Scope;
use super::{Bind, BindInput, Binder, Mode, Stop, TokenSense};

/// Mistakes of one query that are told.
const MOST: usize = 50;

/// What a check finds.
pub(super) struct Checked {
    pub diagnostics: Vec<Diagnostic>,
    /// What names were found to be, by their places.
    pub senses: Vec<(Span, TokenSense)>,
    /// The names that the query defines.
    pub scope: Scope,
}

/// Binds a query, whole or as far as it could be parsed, without running anything: what a part of it would give is not known.
pub(super) fn check(query: &Query, input: &BindInput<'_>) -> Checked {
    let mut binder = Binder::new(input, Mode::Check);
    let mut scope = Scope::root();
    // An error is among the diagnostics.
    if let Ok((defined, result)) = binder.statements(query) {
        scope = defined;
        match result {
            Some((relation, span)) if !relation.open && binder.diagnostics.is_empty() => {
                let _ = binder.finish(relation, span);
            }
            Some(_) => {}
            None => {
                binder.no_result(query);
            }
        }
    }
    Checked {
        diagnostics: binder.in_order(),
        senses: std::mem::take(&mut binder.senses),
        scope,
    }
}

impl Binder<'_> {
    /// The diagnostics in the order of the source. A function's body is bound for each call, and its mistakes are told once.
    fn in_order(&mut self) -> Vec<Diagnostic> {
        let mut diagnostics = std::mem::take(&mut self.diagnostics);
        let lacks = std::mem::take(&mut self.lacks);
        diagnostics.extend(
            lacks
                .into_iter()
                .map(|(at, why)| Diagnostic::warning(at, why)),
        );
        diagnostics.sort_by(|a, b| {
            (a.span.start, a.span.end, &a.message).cmp(&(b.span.start, b.span.end, &b.message))
        });
        diagnostics.dedup_by(|a, b| a.span == b.span && a.message == b.message);
        diagnostics.truncate(MOST);
        diagnostics
    }

    /// Whether it is worth while to look for more: a query that is too large is so at every place.
    fn goes_on(&self) -> bool {
        !self.exhausted && self.diagnostics.len() < MOST
    }

    /// Binds a second thing beside a first, so that what is wrong with either is told.
    pub(super) fn both<A, B>(
        &mut self,
        first: Bind<A>,
        second: impl FnOnce(&mut Self) -> Bind<B>,
    ) -> Bind<(A, B)> {
        match first {
            Ok(first) => Ok((first, second(self)?)),
            Err(Stop::Reported) if self.goes_on() => {
                second(self)?;
                Err(Stop::Reported)
            }
            Err(stop) => Err(stop),
        }
    }

    /// Binds each of several things, so that what is wrong with any is told.
    pub(super) fn each<T, R>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        mut bind: impl FnMut(&mut Self, T) -> Bind<R>,
    ) -> Bind<Vec<R>> {
        let mut bound = Vec::new();
        let mut failed = None;
        for item in items {
            match bind(self, item) {
                Ok(item) => bound.push(item),
                Err(Stop::Reported) if self.goes_on() => {
                    failed = Some(Stop::Reported);
                }
                Err(stop) => return Err(stop),
            }
        }
        failed.map_or(Ok(bound), Err)
    }

    /// Stops, without a word, where a relation may have columns that are not known.
    pub(super) fn whole(&self, relation: &Relation) -> Bind<()> {
        match relation.open {
            true => Err(Stop::Reported),
            false => Ok(()),
        }
    }

    /// Notes what a name is.
    pub(super) fn sense(&mut self, span: Span, sense: TokenSense) {
        if self.mode == Mode::Check {
            self.senses.push((span, sense));
        }
    }

    /// A table, or in a check, where it has a mistake, one of which nothing is known.
    pub(super) fn or_unknown(&self, bound: Bind<Relation>) -> Bind<Relation> {
        match bound {
            Err(Stop::Reported) if self.mode == Mode::Check && self.goes_on() => Ok(Relation {
                open: true,
                ..self.no_rows()
            }),
            other => other,
        }
    }

    /// An operator's result, or in a check, where it has a mistake, what may be said of it all the same.
    pub(super) fn or_recovered(
        &self,
        bound: Bind<Relation>,
        input: Option<Relation>,
        operator: &Operator,
    ) -> Bind<Relation> {
        match (bound, input) {
            (Err(Stop::Reported), Some(input)) if self.goes_on() => {
                Ok(recovered(input, &operator.kind))
            }
            (bound, _) => bound,
        }
    }
}

/// What an operator with a mistake leaves of its input.
fn recovered(input: Relation, kind: &OperatorKind) -> Relation {
    match kind {
        OperatorKind::Where(_)
        | OperatorKind::Sort(_)
        | OperatorKind::Top { .. }
        | OperatorKind::Take(_)
        | OperatorKind::Sample(_)
        | OperatorKind::Render(_)
        | OperatorKind::ProjectReorder(_) => input,
        OperatorKind::Extend(exprs) | OperatorKind::Serialize(exprs) => without(input, exprs),
        _ => Relation {
            columns: Vec::new(),
            open: true,
            graph: None,
            ..input
        },
    }
}

/// The relation where the named columns may be anything.
fn without(mut input: Relation, exprs: &[NamedExpr]) -> Relation {
    let names = || exprs.iter().flat_map(|named| &named.names);
    input
        .columns
        .retain(|column| !names().any(|name| name.text == column.name));
    input.open = true;
    input
}
