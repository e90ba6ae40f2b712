//! `top-hitters` and `sample-distinct`.

use spoor_kql_syntax::ast::{Argument, Expr, ExprKind, Name, NamedExpr, Span, TopNested};

use super::naming::default_name;
use super::relation::Relation;
use super::scope::Scope;
use super::{Bind, Binder};

impl Binder<'_> {
    /// `sample-distinct n of x`: any values of a column, each once.
    pub(super) fn sample_distinct(
        &mut self,
        input: Relation,
        count: &Expr,
        of: &Expr,
        scope: &Scope,
        span: Span,
    ) -> Bind<Relation> {
        let rows = self.count(count, scope, "the number of values")?;
        let distinct = self.distinct(input, &[unnamed(of)], scope, span)?;
        self.sorted(distinct, Some(rows), span)
    }

    /// `top-hitters n of x by weight`: the values that occur most, or whose weights add up to most. The sums are exact.
    pub(super) fn top_hitters(
        &mut self,
        input: Relation,
        count: &Expr,
        of: &Expr,
        by: Option<&Expr>,
        scope: &Scope,
        span: Span,
    ) -> Bind<Relation> {
        let rows = self.count(count, scope, "the number of values")?;
        let name_of = |expr: &Expr| default_name(expr).unwrap_or_default();
        let (name, measure) = match by {
            Some(weight) => (
                format!("approximate_sum_{}", name_of(weight)),
                call("sum", vec![weight.clone()], weight.span),
            ),
            None => (
                format!("approximate_count_{}", name_of(of)),
                call("count", Vec::new(), of.span),
            ),
        };
        let level = TopNested {
            count: None,
            of: unnamed(of),
            others: None,
            by: NamedExpr {
                names: vec![Name {
                    text: name,
                    span: measure.span,
                }],
                span: measure.span,
                value: measure,
            },
            ascending: false,
        };
        let mut hitters = self.top_nested(input, std::slice::from_ref(&level), scope, span)?;
        if let Some(measure) = hitters.columns.last() {
            hitters.order.keys = vec![measure.expr().sort(false, false)];
        }
        self.sorted(hitters, Some(rows), span)
    }
}

fn unnamed(expr: &Expr) -> NamedExpr {
    NamedExpr {
        names: Vec::new(),
        value: expr.clone(),
        span: expr.span,
    }
}

fn call(name: &str, arguments: Vec<Expr>, span: Span) -> Expr {
    let arguments = arguments
        .into_iter()
        .map(|value| Argument { name: None, value })
        .collect();
    Expr {
        kind: ExprKind::Call {
            name: Name {
                text: name.to_owned(),
                span,
            },
            arguments,
        },
        span,
    }
}
