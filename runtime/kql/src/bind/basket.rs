//! `evaluate basket(...)`: the columns of the result and the options; what is frequent is found by `exec`.

use std::sync::Arc;

use datafusion::datasource::provider_as_source;
use spoor_kql_syntax::ast::{Argument, Span};
use spoor_table::KustoType::{Long, Real};
use spoor_table::{Column, KustoType, Value};

use super::relation::Relation;
use super::scope::Scope;
use super::{Bind, Binder, Stop, kustos};
use crate::exec::{Basket, WholeTable, Work};

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
        self.segments(input, 0, &leading, Arc::new(basket), span)
    }

    /// What is found in all rows together: columns of its own, then those of the input but the first few.
    pub(super) fn segments(
        &mut self,
        input: Relation,
        skipped: usize,
        leading: &[(&str, KustoType)],
        work: Arc<dyn Work>,
        span: Span,
    ) -> Bind<Relation> {
        let leading = leading.iter().map(|(name, ty)| Column::new(*name, *ty));
        let own = input.columns.iter().skip(skipped);
        let own = own.map(|column| Column::new(&column.name, column.ty));
        let columns = leading.chain(own).collect();
        self.of_all_rows(input, columns, work, span)
    }

    /// A relation of what is made of all rows of another together.
    pub(super) fn of_all_rows(
        &mut self,
        input: Relation,
        made: Vec<Column>,
        work: Arc<dyn Work>,
        span: Span,
    ) -> Bind<Relation> {
        if !input.parts.is_empty() {
            let message = "plugins cannot be called in the subquery of `mv-apply` or `partition`";
            return Err(self.error(span, message));
        }
        self.whole(&input)?;
        let plan = self.finish(input, span)?.plan;
        // Kusto's names may come twice, and a source's may not.
        let numbered = made.iter().enumerate();
        let numbered = numbered.map(|(at, column)| Column::new(format!("m{at}"), column.ty));
        let numbered: Vec<Column> = numbered.collect();
        let table = WholeTable::new(work, plan, numbered.clone());
        let mut relation = self.scan(provider_as_source(Arc::new(table)), &numbered, span)?;
        for (column, made) in relation.columns.iter_mut().zip(made) {
            column.name = made.name;
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
                _ => return Err(self.refused_option("basket", span)),
            }
        }
        Ok(basket)
    }
    /// An option that a plugin does not take, or not at this place.
    pub(super) fn refused_option(&mut self, plugin: &str, span: Span) -> Stop {
        let message = format!("`{plugin}` takes no such option here");
        self.error_hint(span, message, kustos::form(plugin))
    }
}
