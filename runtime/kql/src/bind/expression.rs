//! Scalar expressions.

use spoor_kql_syntax::ast::{Argument, BinaryOp, Expr, ExprKind, Span};
use spoor_kql_syntax::{Diagnostic, Fix, as_written, suggest};
use spoor_table::dynamic::Builder;
use spoor_table::{KustoType, Value};

use super::relation::{BoundColumn, Relation};
use super::scope::{Entity, Scope};
use super::{Bind, Binder, Stop, TokenSense};
use crate::functions::{self, operators};
use crate::typed::{BindContext, FunctionError, Typed};

/// What a scalar expression may refer to.
#[derive(Clone)]
pub(super) struct Row<'a> {
    pub columns: &'a [BoundColumn],
    /// Whether there may be columns that are not known.
    pub open: bool,
    pub scope: &'a Scope,
    pub context: BindContext,
    /// Whether aggregate functions may stand here (in `summarize`); columns then may stand only in their arguments.
    pub aggregates: bool,
}

impl Row<'_> {
    /// The row in an aggregate's arguments.
    pub(super) fn inside_aggregate(&self) -> Self {
        Row {
            aggregates: false,
            ..self.clone()
        }
    }
}

impl Binder<'_> {
    /// The row of a relation's columns.
    pub(super) fn row<'a>(&self, relation: &'a Relation, scope: &'a Scope) -> Row<'a> {
        // In a part of `mv-apply` or `partition` window functions would see its neighbours' rows.
        let serialized = relation.order.serialized && relation.parts.is_empty();
        let order = if serialized {
            relation.order.keys.clone()
        } else {
            Vec::new()
        };
        let context = BindContext {
            now_ticks: self.input.now_ticks,
            serialized,
            order,
        };
        Row {
            columns: &relation.columns,
            open: relation.open,
            scope,
            context,
            aggregates: false,
        }
    }

    /// The row of an expression that has no table: `print`, `let`, the arguments of operators.
    pub(super) fn constant_row<'a>(&self, scope: &'a Scope) -> Row<'a> {
        let context = BindContext {
            now_ticks: self.input.now_ticks,
            serialized: false,
            order: Vec::new(),
        };
        Row {
            columns: &[],
            open: false,
            scope,
            context,
            aggregates: false,
        }
    }

    /// Binds an expression.
    pub(super) fn expression(&mut self, expr: &Expr, row: &Row<'_>) -> Bind<Typed> {
        let bound = self.within(expr.span, |binder| binder.scalar(expr, row))?;
        if !matches!(expr.kind, ExprKind::Literal(_) | ExprKind::Paren(_)) {
            self.bounded(&bound.expr, expr.span)?;
        }
        Ok(bound)
    }

    fn scalar(&mut self, expr: &Expr, row: &Row<'_>) -> Bind<Typed> {
        match &expr.kind {
            ExprKind::Literal(literal) => Ok(functions::literal(self.literal(literal, expr.span)?)),
            ExprKind::Name(name) => self.name(name, expr.span, row),
            ExprKind::Paren(inner) => self.expression(inner, row),
            ExprKind::Unary { op, operand } => {
                let value = self.expression(operand, row)?;
                let bound = operators::unary(&row.context, *op, value);
                self.applied(bound, expr.span, &[operand.span])
            }
            ExprKind::Binary {
                op, left, right, ..
            } if left.kind == ExprKind::Star || *op == BinaryOp::Search => {
                self.any_column(*op, left, right, expr.span, row)
            }
            ExprKind::Binary {
                op, left, right, ..
            } => {
                let spans = [left.span, right.span];
                let left = self.expression(left, row);
                let text = is_text(&left);
                let (left, right) = self.both(left, |binder| binder.operand(right, text, row))?;
                let bound = operators::binary(&row.context, *op, left, right);
                self.applied(bound, expr.span, &spans)
            }
            ExprKind::List {
                op, operand, items, ..
            } => {
                let value = self.expression(operand, row);
                let text = is_text(&value);
                let (value, bound) =
                    self.both(value, |binder| binder.list_items(items, text, row))?;
                let spans: Vec<Span> = std::iter::once(operand.span)
                    .chain(items.iter().map(|i| i.span))
                    .collect();
                let bound = operators::list(&row.context, *op, value, bound);
                self.applied(bound, expr.span, &spans)
            }
            ExprKind::Between {
                negated,
                operand,
                low,
                high,
            } => {
                let spans = [operand.span, low.span, high.span];
                let value = self.expression(operand, row);
                let (value, (low, high)) = self.both(value, |binder| {
                    let low = binder.expression(low, row);
                    binder.both(low, |binder| binder.expression(high, row))
                })?;
                let bound = operators::between(&row.context, *negated, value, low, high);
                self.applied(bound, expr.span, &spans)
            }
            ExprKind::Member { base, name } => {
                let key = functions::literal(Value::String(name.text.clone()));
                self.element(base, key, expr.span, name.span, row)
            }
            ExprKind::Index { base, index } => {
                let key = self.expression(index, row)?;
                self.element(base, key, expr.span, index.span, row)
            }
            ExprKind::Call { name, arguments } => self.call(name, arguments, expr.span, row),
            _ => self.not_scalar(expr),
        }
    }

    fn not_scalar(&mut self, expr: &Expr) -> Bind<Typed> {
        Err(match &expr.kind {
            ExprKind::Star | ExprKind::Pattern(_) => self.error(expr.span, "`*` cannot stand here"),
            ExprKind::MemberCall { name, .. } => self.error(
                expr.span,
                format!("`.{}(...)` cannot stand in a scalar expression", name.text),
            ),
            ExprKind::Missing => Stop::Reported,
            _ => {
                let hint = Some("toscalar(...) makes a scalar of its first row");
                self.error_hint(expr.span, "this is a table where a scalar is needed", hint)
            }
        })
    }

    fn element(
        &mut self,
        base: &Expr,
        key: Typed,
        span: Span,
        key_span: Span,
        row: &Row<'_>,
    ) -> Bind<Typed> {
        if let ExprKind::Name(name) = &base.kind
            && (name == "$left" || name == "$right")
        {
            return Err(self.error(span, format!("`{name}` belongs in the `on` of a join")));
        }
        let value = self.expression(base, row)?;
        let bound = operators::element(&row.context, value, key);
        self.applied(bound, span, &[base.span, key_span])
    }

    fn name(&mut self, name: &str, span: Span, row: &Row<'_>) -> Bind<Typed> {
        if let Some(column) = row.columns.iter().find(|column| column.name == name) {
            if row.aggregates {
                let message = format!("`{name}` is neither aggregated nor in `by`");
                let hint =
                    format!("put it into `by`, or take one of its values with take_any({name})");
                let problem = Diagnostic::error(span, message).hint(hint).fix(Fix::wrap(
                    span,
                    "take_any(",
                    ")",
                ));
                return Err(self.report(problem));
            }
            let typed = column.typed();
            self.sense(span, TokenSense::Column);
            return Ok(typed);
        }
        match row.scope.get(name) {
            Some(Entity::Scalar(typed)) => {
                self.sense(span, TokenSense::Variable);
                return Ok(typed.clone());
            }
            Some(Entity::Unknown) => return Err(Stop::Reported),
            Some(Entity::Table(_)) => {
                let hint = format!("toscalar({name}) makes a scalar of its first row");
                let problem = Diagnostic::error(span, format!("`{name}` is a table, not a scalar"))
                    .hint(hint)
                    .fix(Fix::wrap(span, "toscalar(", ")"));
                return Err(self.report(problem));
            }
            Some(Entity::Function(_)) => {
                return Err(self.error_hint(
                    span,
                    format!("`{name}` is a function"),
                    Some("call it: name(...)"),
                ));
            }
            None => {}
        }
        // Where columns are not known, it may be one of them.
        if let Some(value) = self.input.catalogue.values.get(name)
            && !row.open
        {
            self.sense(span, TokenSense::Variable);
            return Ok(functions::literal(value.clone()));
        }
        Err(self.unknown_name(name, span, row))
    }

    fn unknown_name(&mut self, name: &str, span: Span, row: &Row<'_>) -> Stop {
        if row.open {
            return Stop::Reported;
        }
        let problem = Diagnostic::error(span, format!("no column or variable is called `{name}`"));
        let columns = row.columns.iter().map(|column| column.name.as_str());
        let variables = row.scope.names().map(|(name, _)| name);
        if let Some(found) = suggest(name, columns.chain(variables)) {
            let problem = problem.meant(found, span, &as_written(found), name);
            return self.report(problem);
        }
        let mut hint = None;
        if functions::scalar(name).is_some() {
            hint = Some(format!("`{name}` is a function: {name}(...)"));
        }
        if hint.is_none() && !row.columns.is_empty() {
            let names: Vec<&str> = row
                .columns
                .iter()
                .take(12)
                .map(|column| column.name.as_str())
                .collect();
            let more = if row.columns.len() > names.len() {
                ", ..."
            } else {
                ""
            };
            hint = Some(format!("columns here: {}{more}", names.join(", ")));
        }
        self.report(Diagnostic { hint, ..problem })
    }

    /// An operand whose fellow is a text, or not. A word that is no column may then have been meant as a text.
    fn operand(&mut self, expr: &Expr, beside_text: bool, row: &Row<'_>) -> Bind<Typed> {
        let bound = self.expression(expr, row);
        if let (Err(Stop::Reported), ExprKind::Name(name), true) = (&bound, &expr.kind, beside_text)
            && let Some(last) = self.diagnostics.last_mut()
            && last.span == expr.span.range()
            && last.message.starts_with("no column")
        {
            let text = format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""));
            last.fixes.push(Fix::replace(expr.span, text));
        }
        bound
    }

    /// The items of `in (...)`: expressions, or the first column of a table.
    fn list_items(&mut self, items: &[Expr], beside_text: bool, row: &Row<'_>) -> Bind<Vec<Typed>> {
        if let [only] = items
            && self.is_tabular(only, row.scope)
        {
            return Ok(vec![self.list_of_table(only, row.scope)?]);
        }
        self.each(items, |binder, item| binder.operand(item, beside_text, row))
    }

    /// A table's first column as a dynamic array.
    fn list_of_table(&mut self, expr: &Expr, scope: &Scope) -> Bind<Typed> {
        let mut relation = self.tabular(expr, scope, None)?;
        relation.order = Default::default();
        self.whole(&relation)?;
        let Some(first) = relation.columns.first().cloned() else {
            return Err(self.error(expr.span, "this table has no columns"));
        };
        let relation = self.distinct_columns(relation, vec![first], expr.span)?;
        let table = self.stage(relation, expr.span)?;
        let mut builder = Builder::new();
        let mark = builder.begin_array();
        table.for_each_row(|cells| {
            if let Some(cell) = cells.first() {
                cell.write_dynamic(&mut builder);
                builder.item(&mark);
            }
            true
        });
        builder.end(mark);
        Ok(functions::literal(Value::Dynamic(builder.finish())))
    }

    /// The result of a function, or its error at the argument that it names.
    pub(super) fn applied<T>(
        &mut self,
        result: Result<T, FunctionError>,
        span: Span,
        arguments: &[Span],
    ) -> Bind<T> {
        result.map_err(|error| {
            let place = error
                .argument
                .and_then(|at| arguments.get(at))
                .copied()
                .unwrap_or(span);
            self.error_hint(place, error.message, error.hint)
        })
    }

    /// A constant of an operator's: its value.
    pub(super) fn constant(&mut self, expr: &Expr, scope: &Scope, what: &str) -> Bind<Value> {
        let row = self.constant_row(scope);
        let typed = self.expression(expr, &row)?;
        typed
            .constant
            .ok_or_else(|| self.error(expr.span, format!("{what} must be a constant")))
    }

    /// A row count of an operator's.
    pub(super) fn count(&mut self, expr: &Expr, scope: &Scope, what: &str) -> Bind<usize> {
        let value = match self.constant(expr, scope, what)? {
            Value::Int(value) => i64::from(value),
            Value::Long(value) => value,
            _ => return Err(self.error(expr.span, format!("{what} must be an integer"))),
        };
        if value < 0 {
            return Err(self.error(expr.span, format!("{what} must not be negative")));
        }
        // More rows than there can be are all of them.
        Ok(usize::try_from(value).unwrap_or(usize::MAX))
    }

    /// Binds a call's arguments.
    pub(super) fn bound_arguments(
        &mut self,
        arguments: &[Argument],
        row: &Row<'_>,
    ) -> Bind<Vec<Typed>> {
        self.each(arguments, |binder, argument| {
            let Some(name) = &argument.name else {
                return binder.expression(&argument.value, row);
            };
            let message = format!(
                "this function takes no named arguments, but `{}` is one",
                name.text
            );
            let between = name.span.end..argument.value.span.start;
            let problem = Diagnostic::error(name.span, message)
                .hint("`==` compares")
                .fix(Fix::replace(between, " == ").titled("write `==`"));
            Err(binder.report(problem))
        })
    }
}

fn is_text(bound: &Bind<Typed>) -> bool {
    matches!(bound, Ok(typed) if typed.ty == KustoType::String)
}
