//! Whether a query fixes the order of its rows, and by which of the result's columns that can be checked.

use spoor_kql_syntax::ast::{Expr, ExprKind, Operator, OperatorKind, StatementKind};
use spoor_table::Table;

/// The places of the result's columns by which the query sorts last; none where the order is open.
pub fn key_columns(query: &str, table: &Table) -> Vec<usize> {
    let parsed = spoor_kql_syntax::parse(query);
    let last = parsed
        .query
        .statements
        .iter()
        .rev()
        .find_map(|statement| match &statement.kind {
            StatementKind::Expression(expr) => Some(expr),
            _ => None,
        });
    let Some(operators) = last.and_then(operators) else {
        return Vec::new();
    };
    let Some(at) = operators
        .iter()
        .rposition(|op| matches!(op.kind, OperatorKind::Sort(_) | OperatorKind::Top { .. }))
    else {
        return Vec::new();
    };
    if !operators[at + 1..].iter().all(keeps_order) {
        return Vec::new();
    }
    let keys = match &operators[at].kind {
        OperatorKind::Sort(keys) | OperatorKind::Top { by: keys, .. } => keys,
        _ => return Vec::new(),
    };
    // A later key orders only rows that the earlier ones leave equal: it tells nothing without them.
    let places = keys.iter().map_while(|key| match &key.value.value.kind {
        ExprKind::Name(name) => table.index_of(name),
        _ => None,
    });
    places.collect()
}

fn operators(expr: &Expr) -> Option<&[Operator]> {
    match &expr.kind {
        ExprKind::Pipe { operators, .. } => Some(operators),
        ExprKind::Paren(inner) => operators(inner),
        _ => None,
    }
}

/// Whether the operator neither reorders rows nor gives the sorted names to other values.
fn keeps_order(operator: &Operator) -> bool {
    matches!(
        operator.kind,
        OperatorKind::Where(_)
            | OperatorKind::Take(_)
            | OperatorKind::ProjectAway(_)
            | OperatorKind::ProjectKeep(_)
            | OperatorKind::ProjectReorder(_)
    ) || matches!(&operator.kind, OperatorKind::Project(exprs) if exprs.iter().all(|e| e.names.is_empty()))
}
