//! `evaluate autocluster(...)` and `evaluate diffpatterns(...)`: their options, and the columns of what `exec` finds.

use std::sync::Arc;

use spoor_kql_syntax::ast::{Argument, BinaryOp, Span};
use spoor_table::KustoType::{Bool, Long, Real};
use spoor_table::Value;

use super::basket::DEFAULT;
use super::naming::Projection;
use super::relation::Relation;
use super::scope::Scope;
use super::{Bind, Binder, kustos};
use crate::exec::{Clusters, Differences};
use crate::functions::operators;
use crate::typed::Typed;

impl Binder<'_> {
    pub(super) fn autocluster(
        &mut self,
        input: Relation,
        arguments: &[Argument],
        scope: &Scope,
        span: Span,
    ) -> Bind<Relation> {
        let mut clusters = Clusters {
            size_weight: 0.5,
            seeds: 25,
        };
        for (at, argument) in arguments.iter().enumerate() {
            let place = argument.value.span;
            match (at, self.constant(&argument.value, scope, "an option")?) {
                (_, Value::String(text)) if text == DEFAULT => {}
                (0, Value::Real(weight)) if weight > 0.0 && weight < 1.0 => {
                    clusters.size_weight = weight;
                }
                (2, Value::Long(seeds @ 1..=1000)) => clusters.seeds = seeds as usize,
                _ => return Err(self.refused_option("autocluster", place)),
            }
        }
        let leading = [("SegmentId", Long), ("Count", Long), ("Percent", Real)];
        self.segments(input, 0, &leading, Arc::new(clusters), span)
    }

    pub(super) fn diffpatterns(
        &mut self,
        input: Relation,
        arguments: &[Argument],
        scope: &Scope,
        span: Span,
    ) -> Bind<Relation> {
        let [split, first, second, options @ ..] = arguments else {
            let message = "`diffpatterns` needs a column and the two values to compare";
            return Err(self.error_hint(span, message, kustos::form("diffpatterns")));
        };
        let differences = self.differences(options, scope)?;
        let row = self.row(&input, scope);
        let value = self.expression(&split.value, &row)?;
        let mut projection = Projection::default();
        for side in [first, second] {
            let wanted = self.expression(&side.value, &row)?;
            let is_it = operators::binary(&row.context, BinaryOp::Equal, value.clone(), wanted);
            let is_it = self.applied(is_it, side.value.span, &[])?;
            let (expr, column) = self.computed("", &Typed::new(is_it.expr, Bool));
            projection.exprs.push(expr);
            projection.columns.push(column);
        }
        let splits = super::written::column_name(&split.value, &input);
        for column in &input.columns {
            if splits.as_ref().is_some_and(|name| name.text == column.name) {
                continue;
            }
            projection.exprs.push(column.expr());
            projection.columns.push(column.clone());
        }
        let input = self.project_to(input, projection.exprs, projection.columns, span)?;
        let leading = [
            ("SegmentId", Long),
            ("CountA", Long),
            ("CountB", Long),
            ("PercentA", Real),
            ("PercentB", Real),
            ("PercentDiffAB", Real),
        ];
        self.segments(input, 2, &leading, Arc::new(differences), span)
    }

    fn differences(&mut self, options: &[Argument], scope: &Scope) -> Bind<Differences> {
        let mut differences = Differences {
            threshold: 0.05,
            dimensions: usize::MAX,
        };
        for (at, option) in options.iter().enumerate() {
            match (at, self.constant(&option.value, scope, "an option")?) {
                (_, Value::String(text)) if text == DEFAULT => {}
                (1, Value::Real(share)) if share > 0.0 && share < 1.0 => {
                    differences.threshold = share;
                }
                (2, Value::Long(count @ 1..)) => {
                    differences.dimensions = usize::try_from(count).unwrap_or(usize::MAX);
                }
                _ => return Err(self.refused_option("diffpatterns", option.value.span)),
            }
        }
        Ok(differences)
    }
}
