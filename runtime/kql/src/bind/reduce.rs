//! `reduce`: its options, and the columns of the patterns that `exec` finds. Source: Kusto's page on the operator.

use std::sync::Arc;

use spoor_kql_syntax::ast::{Expr, Property, Reduce, Span};
use spoor_table::{Column, KustoType, Value};

use super::naming::Projection;
use super::relation::Relation;
use super::scope::Scope;
use super::{Bind, Binder};
use crate::exec::Patterns;

/// What the column of patterns is called.
const PATTERN: &str = "Pattern";

impl Binder<'_> {
    pub(super) fn reduce(
        &mut self,
        input: Relation,
        reduce: &Reduce,
        scope: &Scope,
        span: Span,
    ) -> Bind<Relation> {
        let mut patterns = self.reduce_options(&reduce.properties, scope)?;
        patterns.beside = self.reduces_beside(reduce)?;
        let text = self.expression(&reduce.by, &self.row(&input, scope))?;
        if text.ty != KustoType::String {
            let message = format!("`reduce` finds patterns in text, and this is {}", text.ty);
            let hint = Some("make text of it: tostring(...)");
            return Err(self.error_hint(reduce.by.span, message, hint));
        }
        let (expr, column) = self.computed("", &text);
        let mut projection = Projection::default();
        projection.exprs.push(expr);
        projection.columns.push(column);
        let found = [
            Column::new(PATTERN, KustoType::String),
            Column::new("Count", KustoType::Long),
            Column::new("Representative", KustoType::String),
        ];
        let mut made = found.to_vec();
        if patterns.beside {
            made = Vec::new();
            for own in &input.columns {
                made.push(Column::new(&own.name, own.ty));
                projection.exprs.push(own.expr());
                projection.columns.push(own.clone());
            }
            let own = Projection::of(&input.columns);
            let name = match own.contains(PATTERN) {
                true => own.unique(PATTERN),
                false => PATTERN.to_owned(),
            };
            made.push(Column::new(name, KustoType::String));
        }
        let input = self.project_to(input, projection.exprs, projection.columns, span)?;
        self.of_all_rows(input, made, Arc::new(patterns), span)
    }

    /// Whether the rows are kept: `kind=source`.
    fn reduces_beside(&mut self, reduce: &Reduce) -> Bind<bool> {
        match &reduce.kind {
            None => Ok(false),
            Some(kind) if kind.text == "source" => Ok(true),
            Some(kind) => {
                let message = format!("`{}` is no kind of `reduce`", kind.text);
                let hint = Some("kind=source puts each row's pattern beside it");
                Err(self.error_hint(kind.span, message, hint))
            }
        }
    }

    fn reduce_options(&mut self, properties: &[Property], scope: &Scope) -> Bind<Patterns> {
        let mut patterns = Patterns {
            threshold: 0.1,
            separators: None,
            beside: false,
        };
        for property in properties {
            let given = self.constant(&property.value, scope, "an option of `reduce`")?;
            match (property.name.text.as_str(), given) {
                ("threshold", Value::Real(share)) if (0.0..=1.0).contains(&share) => {
                    patterns.threshold = share;
                }
                ("threshold", Value::Long(share @ 0..=1)) => patterns.threshold = share as f64,
                ("threshold", _) => {
                    let message = "the threshold is a share of the rows, between 0 and 1";
                    return Err(self.error(property.value.span, message));
                }
                ("characters", Value::String(letters)) => {
                    patterns.separators = Some(letters.chars().collect());
                }
                ("characters", _) => return Err(self.no_characters(&property.value)),
                _ => {
                    let options = "threshold=0.1, characters=\" \"";
                    return Err(self.no_option(property, options));
                }
            }
        }
        Ok(patterns)
    }

    fn no_characters(&mut self, value: &Expr) -> super::Stop {
        let message = "the characters that separate words are a text, such as \" ,;\"";
        self.error(value.span, message)
    }
}
