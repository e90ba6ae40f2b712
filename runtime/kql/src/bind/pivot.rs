//! `evaluate pivot(...)`: a column for each value of one, which holds an aggregate of the rows with that value. Which values there are
//! is known once they have been read, so a part of the query runs first.

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::Expr as PlanExpr;
use spoor_kql_syntax::ast::{Argument, Expr, ExprKind, Name, NamedExpr, Span};
use spoor_table::{Cell, KustoType, Value};

use super::naming::Projection;
use super::relation::Relation;
use super::scope::Scope;
use super::search::names;
use super::summarize::Output;
use super::{Bind, Binder, Mode};
use crate::functions;
use crate::typed::Typed;

/// Columns that values may become.
pub(super) const MOST_COLUMNS: usize = 2000;

impl Binder<'_> {
    pub(super) fn pivot(
        &mut self,
        input: Relation,
        arguments: &[Argument],
        scope: &Scope,
        span: Span,
    ) -> Bind<Relation> {
        let input = self.without_stand_ins(input, span)?;
        let Some((first, rest)) = arguments.split_first() else {
            return Err(self.error(span, "pivot takes the column whose values become columns"));
        };
        let of = &first.value;
        let (aggregate, by) = match rest.split_first() {
            Some((second, by)) if is_aggregate(&second.value) => (second.value.clone(), by),
            _ => (count_rows(span), rest),
        };
        let row = self.row(&input, scope);
        let value = self.expression(of, &row)?;
        let context = row.context.clone();
        let converted = functions::convert(&context, value, KustoType::String);
        let value = self.applied(converted, of.span, &[])?;
        let measure = self.aggregate(&unnamed(&aggregate), &row, &[])?;
        let keys = self.pivot_keys(&input, of, &aggregate, by, scope)?;
        let values = self.pivot_values(&input, &value, of.span)?;
        let mut outputs = Vec::new();
        for name in values {
            let is_it = value
                .expr
                .clone()
                .eq(functions::literal(Value::String(name.clone())).expr);
            for output in &measure {
                let expr = self.only_where(output.typed.expr.clone(), &is_it, span)?;
                outputs.push(Output {
                    declared: false,
                    name: name.clone(),
                    base: name.clone(),
                    typed: Typed::new(expr, output.typed.ty),
                    span,
                });
            }
        }
        let open = input.open || self.mode != Mode::Run;
        let mut relation = self.aggregated(&input, keys, outputs, span)?;
        relation.open = open;
        Ok(relation)
    }

    /// The columns that stay: those that are named, else all but what is pivoted and aggregated.
    fn pivot_keys(
        &mut self,
        input: &Relation,
        of: &Expr,
        aggregate: &Expr,
        by: &[Argument],
        scope: &Scope,
    ) -> Bind<Projection> {
        let row = self.row(input, scope);
        let named: Vec<NamedExpr> = if by.is_empty() {
            let used: Vec<&str> = names(of).into_iter().chain(names(aggregate)).collect();
            let rest = input
                .columns
                .iter()
                .filter(|c| !used.contains(&c.name.as_str()));
            let column = |name: &String| Expr {
                kind: ExprKind::Name(name.clone()),
                span: of.span,
            };
            rest.map(|c| unnamed(&column(&c.name))).collect()
        } else {
            by.iter().map(|argument| unnamed(&argument.value)).collect()
        };
        let keys = self.projection(&named, &row)?;
        for (key, named) in keys.columns.iter().zip(&named) {
            self.refuse_dynamic(key, named.span, "pivot")?;
        }
        Ok(keys)
    }

    /// The values that become columns, in order, by running a part of the query.
    fn pivot_values(&mut self, input: &Relation, value: &Typed, span: Span) -> Bind<Vec<String>> {
        let (expr, column) = self.computed("value", value);
        let values = self.project_to(input.clone(), vec![expr], vec![column.clone()], span)?;
        let values = self.distinct_columns(values, vec![column], span)?;
        let table = self.stage(values, span)?;
        let mut found = Vec::new();
        table.for_each_row(|cells| {
            if let Some(Cell::String(text)) = cells.first() {
                found.push((*text).to_owned());
            }
            found.len() <= MOST_COLUMNS
        });
        if found.len() > MOST_COLUMNS {
            let message = format!("more than {MOST_COLUMNS} values would become columns");
            let hint = Some("keep fewer with `where` or `top`, or use summarize ... by");
            return Err(self.error_hint(span, message, hint));
        }
        found.sort();
        Ok(found)
    }

    /// An expression whose aggregates look only at rows for which a condition holds.
    fn only_where(&mut self, expr: PlanExpr, condition: &PlanExpr, span: Span) -> Bind<PlanExpr> {
        let filtered = expr.transform_down(|node| {
            Ok(match node {
                PlanExpr::AggregateFunction(mut function) => {
                    let filter = match function.params.filter.take() {
                        Some(filter) => filter.and(condition.clone()),
                        None => condition.clone(),
                    };
                    function.params.filter = Some(Box::new(filter));
                    Transformed::yes(PlanExpr::AggregateFunction(function))
                }
                other => Transformed::no(other),
            })
        });
        filtered
            .map(|transformed| transformed.data)
            .map_err(|error| self.internal(span, error))
    }
}

fn is_aggregate(expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::Call { name, .. } if functions::aggregate(&name.text).is_some())
}

fn count_rows(span: Span) -> Expr {
    let name = Name {
        text: "count".to_owned(),
        span,
    };
    Expr {
        kind: ExprKind::Call {
            name,
            arguments: Vec::new(),
        },
        span,
    }
}

fn unnamed(expr: &Expr) -> NamedExpr {
    NamedExpr {
        names: Vec::new(),
        value: expr.clone(),
        span: expr.span,
    }
}
