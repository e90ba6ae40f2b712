//! `scan`: its steps as expressions over a row, the columns that it declares, and what steps remember (`step.column`). How rows are
//! held against steps is `exec`'s business. Source: Kusto's documentation of the operator, "Matching logic".

use std::sync::Arc;

use datafusion::arrow::datatypes::{Field, Schema};
use datafusion::datasource::provider_as_source;
use spoor_kql_syntax::Diagnostic;
use spoor_kql_syntax::ast::{Argument, Expr, ExprKind, ParameterType, Scan, ScanStep, Span};
use spoor_table::{Column, KustoType, Value};

use super::expression::Row;
use super::relation::{BoundColumn, Relation};
use super::scope::Scope;
use super::{Bind, Binder};
use crate::exec::{ScanSlot, ScanStep as RunStep, SteppedTable, Stepping};
use crate::functions;

/// What is between a step's name and a column's in the name of what a step remembers.
const OF_STEP: char = '\u{1}';

impl Binder<'_> {
    pub(super) fn scan_steps(
        &mut self,
        input: Relation,
        scan: &Scan,
        scope: &Scope,
        span: Span,
    ) -> Bind<Relation> {
        self.check_steps(scan, span)?;
        let source = input.source.clone();
        let input = self.sorted(input, None, span)?;
        let mut extended = input.columns.clone();
        let own = extended.len();
        let mut defaults = Vec::new();
        for declared in &scan.declared {
            let ParameterType::Scalar(name) = &declared.ty else {
                return Err(self.error(declared.name.span, "a declared column has a scalar type"));
            };
            let ty = self.type_named(name)?;
            let value = match &declared.default {
                Some(default) => self.constant(default, scope, "a default")?,
                None => Value::null(ty),
            };
            let value = self.implicitly(functions::literal(value), ty, declared.name.span)?;
            defaults.push(functions::scalar_value(
                &value.constant.unwrap_or(Value::null(ty)),
            ));
            // A declared column takes the place of one of the rows' own.
            extended.push(BoundColumn {
                name: declared.name.text.clone(),
                ty,
                id: self.id(),
            });
        }
        let (slots, remembered) = self.slots(scan, &extended)?;
        let mut columns: Vec<BoundColumn> = extended.iter().rev().cloned().collect();
        columns.extend(remembered.iter().cloned());
        let row = Row {
            columns: &columns,
            ..self.constant_row(scope)
        };
        let steps = self.each(&scan.steps, |binder, step| binder.step(step, scan, &row))?;
        let all = extended.iter().chain(&remembered);
        let fields: Vec<Field> = all
            .map(|column| Field::new(&column.id, column.ty.arrow(), true))
            .collect();
        let plan = self.finish(
            Relation {
                order: Default::default(),
                ..input.clone()
            },
            span,
        )?;
        let mut result: Vec<Column> = extended
            .iter()
            .map(|column| Column::new(&column.id, column.ty))
            .collect();
        let number = scan.match_id.as_ref().map(|name| (self.id(), name));
        result.extend(
            number
                .iter()
                .map(|(id, _)| Column::new(id, KustoType::Long)),
        );
        let given: Vec<Field> = result
            .iter()
            .map(|column| Field::new(&column.name, column.ty.arrow(), true))
            .collect();
        let stepping = Stepping {
            steps,
            fields: Arc::new(Schema::new(fields)),
            own,
            defaults,
            slots,
            schema: Arc::new(Schema::new(given)),
            numbered: number.is_some(),
        };
        let table = Arc::new(SteppedTable::new(stepping, plan.plan));
        let mut relation = self.scan(provider_as_source(table), &result, span)?;
        let names = extended.iter().map(|column| column.name.clone());
        let numbers = number.iter().map(|(_, name)| name.text.clone());
        for (column, name) in relation.columns.iter_mut().zip(names.chain(numbers)) {
            column.name = name;
        }
        relation.order.serialized = true;
        relation.open = input.open;
        relation.source = source;
        Ok(relation)
    }

    fn check_steps(&mut self, scan: &Scan, span: Span) -> Bind<()> {
        if scan.steps.is_empty() {
            let hint = Some("write with (step s1: condition;)");
            return Err(self.error_hint(span, "`scan` needs a step", hint));
        }
        for step in &scan.steps {
            let output = step.output.as_ref();
            let problem = match output.map(|name| (name.text.as_str(), name.span)) {
                _ if step.optional => Some((step.name.span, "optional steps are")),
                None | Some(("all" | "none", _)) => None,
                Some(("last", span)) => Some((span, "`output=last` is")),
                Some((_, span)) => {
                    let problem = Diagnostic::error(span, "this is no output of a step")
                        .hint("the outputs are all, last and none");
                    return Err(self.report(problem));
                }
            };
            if let Some((span, what)) = problem {
                return Err(self.error(span, format!("{what} not supported yet")));
            }
        }
        Ok(())
    }

    /// What steps must remember: each `step.column` that the query reads, once.
    fn slots(
        &mut self,
        scan: &Scan,
        extended: &[BoundColumn],
    ) -> Bind<(Vec<ScanSlot>, Vec<BoundColumn>)> {
        let mut slots = Vec::new();
        let mut remembered: Vec<BoundColumn> = Vec::new();
        let conditions = scan.steps.iter().map(|step| &step.condition);
        let values = scan
            .steps
            .iter()
            .flat_map(|s| s.assignments.iter().map(|a| &a.value));
        for expr in conditions.chain(values) {
            for (step, column, span) in reads(expr, scan) {
                let name = slot_name(&scan.steps[step].name.text, column);
                if remembered.iter().any(|known| known.name == name) {
                    continue;
                }
                let Some(at) = extended.iter().rposition(|c| c.name == column) else {
                    let message = format!("the rows of this step have no column `{column}`");
                    return Err(self.error(span, message));
                };
                slots.push(ScanSlot { step, column: at });
                remembered.push(BoundColumn {
                    name,
                    ty: extended[at].ty,
                    id: self.id(),
                });
            }
        }
        Ok((slots, remembered))
    }

    fn step(&mut self, step: &ScanStep, scan: &Scan, row: &Row<'_>) -> Bind<RunStep> {
        let condition = self.expression(&named_slots(&step.condition, scan), row)?;
        let condition = self.condition(condition, step.condition.span)?;
        let mut assignments = Vec::new();
        for assigned in &step.assignments {
            let [name] = assigned.names.as_slice() else {
                return Err(self.error(assigned.span, "a step assigns with column = value"));
            };
            let place = scan.declared.iter().position(|d| d.name.text == name.text);
            let (Some(place), Some(column)) =
                (place, row.columns.iter().find(|c| c.name == name.text))
            else {
                let hint = Some("declare it first: scan declare (name: type) with (...)");
                let message = format!("no declared column is called `{}`", name.text);
                return Err(self.error_hint(name.span, message, hint));
            };
            let value = self.expression(&named_slots(&assigned.value, scan), row)?;
            let value = self.implicitly(value, column.ty, assigned.value.span)?;
            assignments.push((place, value.expr));
        }
        Ok(RunStep {
            condition,
            assignments,
            gives: step.output.as_ref().is_none_or(|name| name.text != "none"),
        })
    }
}

fn slot_name(step: &str, column: &str) -> String {
    format!("{step}{OF_STEP}{column}")
}

/// The step and the column that a path reads, if it is one of a step's.
fn slot_of<'e>(expr: &'e Expr, scan: &Scan) -> Option<(usize, &'e str)> {
    let (base, column) = match &expr.kind {
        ExprKind::Member { base, name } => (base, name.text.as_str()),
        _ => return None,
    };
    let ExprKind::Name(step) = &base.kind else {
        return None;
    };
    let at = scan
        .steps
        .iter()
        .position(|known| known.name.text == *step)?;
    Some((at, column))
}

/// All paths of steps in an expression.
fn reads<'e>(expr: &'e Expr, scan: &Scan) -> Vec<(usize, &'e str, Span)> {
    let mut found = Vec::new();
    let mut pending = vec![expr];
    while let Some(expr) = pending.pop() {
        if let Some((step, column)) = slot_of(expr, scan) {
            found.push((step, column, expr.span));
            continue;
        }
        pending.extend(expr.parts());
    }
    found
}

/// The expression with each path of a step as the name of what the step remembers.
fn named_slots(expr: &Expr, scan: &Scan) -> Expr {
    let inner = |expr: &Expr| Box::new(named_slots(expr, scan));
    let kind = match &expr.kind {
        ExprKind::Member { base, name } => match slot_of(expr, scan) {
            Some((step, column)) => ExprKind::Name(slot_name(&scan.steps[step].name.text, column)),
            None => ExprKind::Member {
                base: inner(base),
                name: name.clone(),
            },
        },
        ExprKind::Paren(paren) => ExprKind::Paren(inner(paren)),
        ExprKind::Unary { op, operand } => ExprKind::Unary {
            op: *op,
            operand: inner(operand),
        },
        ExprKind::Binary {
            op,
            op_span,
            left,
            right,
        } => ExprKind::Binary {
            op: *op,
            op_span: *op_span,
            left: inner(left),
            right: inner(right),
        },
        ExprKind::List {
            op,
            op_span,
            operand,
            items,
        } => ExprKind::List {
            op: *op,
            op_span: *op_span,
            operand: inner(operand),
            items: items.iter().map(|item| named_slots(item, scan)).collect(),
        },
        ExprKind::Between {
            negated,
            operand,
            low,
            high,
        } => ExprKind::Between {
            negated: *negated,
            operand: inner(operand),
            low: inner(low),
            high: inner(high),
        },
        ExprKind::Index { base, index } => ExprKind::Index {
            base: inner(base),
            index: inner(index),
        },
        ExprKind::Call { name, arguments } => ExprKind::Call {
            name: name.clone(),
            arguments: arguments
                .iter()
                .map(|argument| Argument {
                    name: argument.name.clone(),
                    value: named_slots(&argument.value, scan),
                })
                .collect(),
        },
        kind => kind.clone(),
    };
    Expr {
        kind,
        span: expr.span,
    }
}
