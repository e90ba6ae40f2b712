//! How many rows of a result are given: Kusto's truncation, and the options of `set` that change it.

use spoor_kql_syntax::ast::{Expr, ExprKind, Literal, Query, StatementKind};

/// As many rows as Kusto gives of a result.
pub const RESULT_ROWS: usize = 500_000;

/// The most rows of the result of a query that usually has `usual` at most; none where it is whole.
pub(crate) fn most_rows(query: &Query, usual: Option<usize>) -> Option<usize> {
    let mut most = usual?;
    for statement in &query.statements {
        let StatementKind::Set { name, value } = &statement.kind else {
            continue;
        };
        if name.text.eq_ignore_ascii_case("notruncation") && is_on(value.as_ref()) {
            return None;
        }
        if name.text.eq_ignore_ascii_case("truncationmaxrecords") {
            most = value.as_ref().and_then(count).unwrap_or(most);
        }
    }
    Some(most)
}

/// What is said of a result that was cut.
pub(crate) fn told(most: usize) -> String {
    format!(
        "only the first {most} rows are here; begin the query with `set notruncation;` for all of them"
    )
}

/// Whether an option without a value, or with this one, is on.
fn is_on(value: Option<&Expr>) -> bool {
    !matches!(
        value.map(|value| &value.kind),
        Some(ExprKind::Literal(Literal::Bool(Some(false))))
    )
}

/// The number of rows that a value says.
pub(crate) fn count(value: &Expr) -> Option<usize> {
    match &value.kind {
        ExprKind::Literal(Literal::Long(Some(rows))) => usize::try_from(*rows).ok(),
        ExprKind::Literal(Literal::Int(Some(rows))) => usize::try_from(*rows).ok(),
        _ => None,
    }
}
