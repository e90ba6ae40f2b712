//! `evaluate basket(...)`: the columns of the result and the options; what is frequent is found by `exec`.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::common::DataFusionError;
use datafusion::datasource::provider_as_source;
use spoor_kql_syntax::ast::{Argument, Span};
use spoor_table::KustoType::{Long, Real};
use spoor_table::{Column, KustoType, Value};

use super::relation::Relation;
use super::scope::Scope;
use super::{Bind, Binder};
use crate::exec::{Basket, WholeTable};

/// What stands for an option that is left as it is.
pub(super) const DEFAULT: &str = "~";

impl Binder<'_> {
    pub(super) fn basket(
        &mut self,
        input: Relation,
        arguments: &[Argument],
        scope: &Scope,
        span: Span,
    ) -> Bind<Relation> {
        let basket = self.basket_options(arguments, scope)?;
        let leading = [("SegmentId", Long), ("Count", Long), ("Percent", Real)];
        let find = move |batch: &RecordBatch| basket.find(batch);
        self.segments(input, 0, &leading, find, span)
    }

    /// What is found in all rows together: columns of its own, then those of the input but the first few.
    pub(super) fn segments<F>(
        &mut self,
        input: Relation,
        skipped: usize,
        leading: &[(&str, KustoType)],
        find: F,
        span: Span,
    ) -> Bind<Relation>
    where
        F: Fn(&RecordBatch) -> Result<Vec<ArrayRef>, DataFusionError> + Send + Sync + 'static,
    {
        if !input.parts.is_empty() {
            let message = "plugins cannot be called in the subquery of `mv-apply` or `partition`";
            return Err(self.error(span, message));
        }
        self.whole(&input)?;
        let own = || input.columns.iter().skip(skipped);
        let mut columns: Vec<Column> = leading
            .iter()
            .map(|(name, ty)| Column::new(*name, *ty))
            .collect();
        columns.extend(own().map(|c| Column::new(&c.id, c.ty)));
        let names: Vec<String> = own().map(|c| c.name.clone()).collect();
        let plan = self.finish(input, span)?.plan;
        let table = WholeTable::new(Arc::new(find), plan, columns.clone());
        let mut relation = self.scan(provider_as_source(Arc::new(table)), &columns, span)?;
        for (column, name) in relation.columns.iter_mut().skip(leading.len()).zip(names) {
            column.name = name;
        }
        Ok(relation)
    }

    fn basket_options(&mut self, arguments: &[Argument], scope: &Scope) -> Bind<Basket> {
        let mut basket = Basket {
            share: 0.05,
            dimensions: 5,
        };
        for (at, argument) in arguments.iter().enumerate() {
            let span = argument.value.span;
            let value = self.constant(&argument.value, scope, "an option of `basket`")?;
            match (at, value) {
                (_, Value::String(text)) if text == DEFAULT => {}
                (0, Value::Real(share)) if share > 0.0 && share <= 1.0 => basket.share = share,
                (2, Value::Long(count @ 1..)) => {
                    basket.dimensions = usize::try_from(count).unwrap_or(usize::MAX);
                }
                (1, _) => {
                    return Err(self.error(span, "weights are not supported yet: leave '~' here"));
                }
                _ => {
                    let hint = Some("basket(share, '~', dimensions), such as basket(0.05, '~', 5)");
                    return Err(self.error_hint(span, "`basket` takes no such option", hint));
                }
            }
        }
        Ok(basket)
    }
}
