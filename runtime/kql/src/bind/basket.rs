//! `evaluate basket(...)`: the columns of the result and the options; what is frequent is found by `exec`.

use std::sync::Arc;

use datafusion::datasource::provider_as_source;
use spoor_kql_syntax::ast::{Argument, Span};
use spoor_table::{Column, KustoType, Value};

use super::relation::Relation;
use super::scope::Scope;
use super::{Bind, Binder};
use crate::exec::{Basket, WholeTable};

/// What stands for an option that is left as it is.
const DEFAULT: &str = "~";

impl Binder<'_> {
    pub(super) fn basket(
        &mut self,
        input: Relation,
        arguments: &[Argument],
        scope: &Scope,
        span: Span,
    ) -> Bind<Relation> {
        if !input.parts.is_empty() {
            let message = "plugins cannot be called in the subquery of `mv-apply` or `partition`";
            return Err(self.error(span, message));
        }
        self.whole(&input)?;
        let basket = self.basket_options(arguments, scope)?;
        let mut columns = vec![
            Column::new("SegmentId", KustoType::Long),
            Column::new("Count", KustoType::Long),
            Column::new("Percent", KustoType::Real),
        ];
        let ids: Vec<Column> = input
            .columns
            .iter()
            .map(|c| Column::new(&c.id, c.ty))
            .collect();
        columns.extend(ids);
        let names: Vec<String> = input.columns.iter().map(|c| c.name.clone()).collect();
        let plan = self.finish(input, span)?.plan;
        let table = WholeTable::new(
            Arc::new(move |batch| basket.find(batch)),
            plan,
            columns.clone(),
        );
        let mut relation = self.scan(provider_as_source(Arc::new(table)), &columns, span)?;
        for (column, name) in relation.columns.iter_mut().skip(3).zip(names) {
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
