//! `search`, and predicates over any column (`where * has "x"`): what they say of a row, column by column.
//!
//! A text that stands alone is looked for in every column as a term. A table that lacks a column that is compared has no rows
//! for which the comparison holds.

use datafusion::logical_expr::{Expr as PlanExpr, lit};
use spoor_kql_syntax::Diagnostic;
use spoor_kql_syntax::ast::{Argument, BinaryOp, Expr, ExprKind, ListOp, Literal, Property, Span};
use spoor_table::{KustoType, Value};

use super::expression::Row;
use super::relation::Relation;
use super::scope::Scope;
use super::{Bind, Binder};
use crate::functions::{self, operators};
use crate::typed::Typed;

/// The kinds of `search`, and whether upper and lower case differ.
const KINDS: &[(&str, bool)] = &[
    ("case_insensitive", false),
    ("default", false),
    ("case_sensitive", true),
];

/// What a term looks like in a text.
struct Term {
    op: BinaryOp,
    text: String,
}

impl Binder<'_> {
    /// The tables that `search in (...)` names; without names, all.
    pub(super) fn searched(
        &mut self,
        tables: &[Expr],
        scope: &Scope,
        span: Span,
    ) -> Bind<Vec<Relation>> {
        let mut searched = Vec::new();
        if !tables.is_empty() {
            self.each(tables, |binder, table| {
                binder.union_table(table, scope, false, &mut searched)
            })?;
            return Ok(searched);
        }
        let every = Expr {
            kind: ExprKind::Star,
            span,
        };
        self.union_table(&every, scope, true, &mut searched)?;
        if searched.is_empty() {
            let hint = Some("load a table first, or name one: search in (T) \"x\"");
            return Err(self.error_hint(span, "there are no tables to search", hint));
        }
        Ok(searched)
    }

    /// The rows of some tables for which a predicate holds, after their table's name.
    pub(super) fn search(
        &mut self,
        tables: Vec<Relation>,
        properties: &[Property],
        predicate: &Expr,
        scope: &Scope,
        span: Span,
    ) -> Bind<Relation> {
        let cased = self.search_kind(properties)?;
        let predicate = spelled_out(predicate, cased);
        let mut known = Vec::new();
        for table in &tables {
            known.extend(table.columns.iter().map(|column| column.name.clone()));
        }
        let open = tables.iter().any(|table| table.open);
        let mut found = Vec::new();
        for table in tables {
            let lacks = |name: &str| {
                table.find(name).is_none()
                    && scope.get(name).is_none()
                    && (open || known.iter().any(|known| known == name))
            };
            let own = without(&predicate, &lacks);
            found.push(self.filter(table, &own, scope)?);
        }
        for (at, table) in found.iter_mut().enumerate() {
            let name = table.source.take();
            table.source = Some(name.unwrap_or_else(|| format!("search_arg{at}")));
        }
        self.united(found, false, Some("$table"), span)
    }

    fn search_kind(&mut self, properties: &[Property]) -> Bind<bool> {
        let mut cased = false;
        for property in properties {
            let kind = match (property.name.text.as_str(), &property.value.kind) {
                ("kind", ExprKind::Name(kind)) => KINDS.iter().find(|(name, _)| name == kind),
                _ => None,
            };
            let Some((_, differs)) = kind else {
                let message = "`search` has no such option";
                let problem = Diagnostic::error(property.name.span, message)
                    .hint("it has kind=case_insensitive and kind=case_sensitive");
                let known: &[(&str, &[&str])] =
                    &[("kind", &["case_insensitive", "case_sensitive"])];
                return Err(self.no_such_option(problem, property, known));
            };
            cased = *differs;
        }
        Ok(cased)
    }

    /// `* op value`, `column : term` and `* : term`.
    pub(super) fn any_column(
        &mut self,
        op: BinaryOp,
        left: &Expr,
        right: &Expr,
        span: Span,
        row: &Row<'_>,
    ) -> Bind<Typed> {
        let (op, value) = self.sought(op, right, row)?;
        let Some(op) = op else {
            return Ok(functions::literal(Value::Bool(true)));
        };
        if left.kind != ExprKind::Star {
            let column = self.expression(left, row)?;
            let column = self.as_text(column, op, left.span)?;
            let bound = operators::binary(&row.context, op, column, value);
            return self.applied(bound, span, &[left.span, right.span]);
        }
        let mut holds = Vec::new();
        for column in row.columns {
            let typed = self.as_text(column.typed(), op, left.span)?;
            // What does not compare with the value is not equal to it.
            if let Ok(bound) = operators::binary(&row.context, op, typed, value.clone()) {
                holds.push(bound.expr);
            }
        }
        Ok(Typed::new(any_of(holds), KustoType::Bool))
    }

    /// What is looked for and how; no operator where everything is found.
    fn sought(
        &mut self,
        op: BinaryOp,
        right: &Expr,
        row: &Row<'_>,
    ) -> Bind<(Option<BinaryOp>, Typed)> {
        let value = self.expression(right, row)?;
        if op != BinaryOp::Search {
            return Ok((Some(op), value));
        }
        match &value.constant {
            Some(Value::String(text)) => {
                let term = term(text);
                let op = term.as_ref().map(|term| term.op);
                let text = term.map(|term| term.text).unwrap_or_default();
                Ok((op, functions::literal(Value::String(text))))
            }
            Some(_) => Ok((Some(BinaryOp::Equal), value)),
            None => Err(self.error(right.span, "`:` takes a constant")),
        }
    }

    /// A value as the text that text operators look into.
    fn as_text(&mut self, typed: Typed, op: BinaryOp, span: Span) -> Bind<Typed> {
        let takes_text = !matches!(
            op,
            BinaryOp::Equal
                | BinaryOp::NotEqual
                | BinaryOp::Less
                | BinaryOp::LessOrEqual
                | BinaryOp::Greater
                | BinaryOp::GreaterOrEqual
        );
        if !takes_text || typed.ty == KustoType::String {
            return Ok(typed);
        }
        let context = self.constant_row(&Scope::root()).context;
        let text = functions::convert(&context, typed, KustoType::String);
        self.applied(text, span, &[])
    }
}

/// Whether any of some conditions holds: halves of halves, so that hundreds of columns are no deep tree.
fn any_of(mut conditions: Vec<PlanExpr>) -> PlanExpr {
    match conditions.len() {
        0 => lit(false),
        1 => conditions.remove(0),
        count => {
            let rest = conditions.split_off(count / 2);
            any_of(conditions).or(any_of(rest))
        }
    }
}

/// A term with its wildcards; none where it matches everything.
fn term(text: &str) -> Option<Term> {
    if !text.is_empty() && text.chars().all(|c| c == '*') {
        return None;
    }
    let inner = text.trim_matches('*');
    if inner.contains('*') {
        let parts: Vec<String> = text.split('*').map(regex::escape).collect();
        return Some(Term {
            op: BinaryOp::MatchesRegex,
            text: format!("(?is){}", parts.join(".*")),
        });
    }
    let op = match (text.starts_with('*'), text.ends_with('*')) {
        (true, true) => BinaryOp::Contains,
        (true, false) => BinaryOp::HasSuffix,
        (false, true) => BinaryOp::HasPrefix,
        (false, false) => BinaryOp::Has,
    };
    Some(Term {
        op,
        text: inner.to_owned(),
    })
}

/// The predicate as `where` has it: a text alone becomes `* : text`, and what compares texts does so regardless of case.
fn spelled_out(expr: &Expr, cased: bool) -> Expr {
    let kind = match &expr.kind {
        ExprKind::Literal(Literal::String(text)) => {
            let star = Box::new(Expr {
                kind: ExprKind::Star,
                span: expr.span,
            });
            let op = match (cased, term(text)) {
                (true, Some(term)) => with_case(term.op),
                _ => BinaryOp::Search,
            };
            let sought = match op {
                BinaryOp::Search => expr.clone(),
                _ => Expr {
                    kind: ExprKind::Literal(Literal::String(text.trim_matches('*').to_owned())),
                    span: expr.span,
                },
            };
            ExprKind::Binary {
                op,
                op_span: expr.span,
                left: star,
                right: Box::new(sought),
            }
        }
        ExprKind::Star => ExprKind::Literal(Literal::Bool(Some(true))),
        ExprKind::Paren(inner) => ExprKind::Paren(Box::new(spelled_out(inner, cased))),
        ExprKind::Call { name, arguments } if name.text == "not" => ExprKind::Call {
            name: name.clone(),
            arguments: arguments
                .iter()
                .map(|argument| Argument {
                    name: argument.name.clone(),
                    value: spelled_out(&argument.value, cased),
                })
                .collect(),
        },
        ExprKind::Binary {
            op: op @ (BinaryOp::And | BinaryOp::Or),
            op_span,
            left,
            right,
        } => ExprKind::Binary {
            op: *op,
            op_span: *op_span,
            left: Box::new(spelled_out(left, cased)),
            right: Box::new(spelled_out(right, cased)),
        },
        ExprKind::Binary {
            op,
            op_span,
            left,
            right,
        } => ExprKind::Binary {
            op: match (cased, is_text(left) || is_text(right)) {
                (true, _) => with_case(*op),
                (false, true) => without_case(*op),
                (false, false) => *op,
            },
            op_span: *op_span,
            left: left.clone(),
            right: right.clone(),
        },
        ExprKind::List {
            op,
            op_span,
            operand,
            items,
        } if !cased && items.iter().any(is_text) => ExprKind::List {
            op: match op {
                ListOp::In => ListOp::InTilde,
                ListOp::NotIn => ListOp::NotInTilde,
                op => *op,
            },
            op_span: *op_span,
            operand: operand.clone(),
            items: items.clone(),
        },
        kind => kind.clone(),
    };
    Expr {
        kind,
        span: expr.span,
    }
}

fn is_text(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Literal(Literal::String(_)))
}

fn with_case(op: BinaryOp) -> BinaryOp {
    match op {
        BinaryOp::Has => BinaryOp::HasCs,
        BinaryOp::HasPrefix => BinaryOp::HasPrefixCs,
        BinaryOp::HasSuffix => BinaryOp::HasSuffixCs,
        BinaryOp::Contains => BinaryOp::ContainsCs,
        BinaryOp::StartsWith => BinaryOp::StartsWithCs,
        BinaryOp::EndsWith => BinaryOp::EndsWithCs,
        BinaryOp::NotHas => BinaryOp::NotHasCs,
        BinaryOp::NotContains => BinaryOp::NotContainsCs,
        op => op,
    }
}

fn without_case(op: BinaryOp) -> BinaryOp {
    match op {
        BinaryOp::Equal => BinaryOp::EqualTilde,
        BinaryOp::NotEqual => BinaryOp::NotEqualTilde,
        op => op,
    }
}

/// The predicate with `false` for each condition that needs a column that a table lacks.
pub(super) fn without(expr: &Expr, lacks: &dyn Fn(&str) -> bool) -> Expr {
    let kind = match &expr.kind {
        ExprKind::Paren(inner) => ExprKind::Paren(Box::new(without(inner, lacks))),
        ExprKind::Binary {
            op: op @ (BinaryOp::And | BinaryOp::Or),
            op_span,
            left,
            right,
        } => ExprKind::Binary {
            op: *op,
            op_span: *op_span,
            left: Box::new(without(left, lacks)),
            right: Box::new(without(right, lacks)),
        },
        _ if names(expr).iter().any(|name| lacks(name)) => {
            ExprKind::Literal(Literal::Bool(Some(false)))
        }
        kind => kind.clone(),
    };
    Expr {
        kind,
        span: expr.span,
    }
}

/// The names in a scalar expression.
pub(super) fn names(expr: &Expr) -> Vec<&str> {
    let mut found = Vec::new();
    let mut pending = vec![expr];
    while let Some(expr) = pending.pop() {
        if let ExprKind::Name(name) = &expr.kind {
            found.push(name.as_str());
        }
        pending.extend(expr.parts());
    }
    found
}
