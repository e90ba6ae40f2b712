//! The tabular operators that are built, in a line each, for completion and hover.

use crate::typed::Documentation;

/// Kinds of charts that `render` knows.
pub(super) const CHARTS: &[&str] = &[
    "anomalychart",
    "areachart",
    "barchart",
    "card",
    "columnchart",
    "ladderchart",
    "linechart",
    "piechart",
    "pivotchart",
    "scatterchart",
    "stackedareachart",
    "table",
    "timechart",
    "timepivot",
    "treemap",
];

/// Kinds of join.
pub(super) const JOIN_KINDS: &[&str] = &[
    "fullouter",
    "inner",
    "innerunique",
    "leftanti",
    "leftouter",
    "leftsemi",
    "rightanti",
    "rightouter",
    "rightsemi",
];

const OPERATORS: &[(&str, &str, &str)] = &[
    (
        "as",
        "as name",
        "Names the rows so far, for `union withsource` and for later use in the same query.",
    ),
    (
        "count",
        "count",
        "The number of rows, as one row with the column Count.",
    ),
    (
        "distinct",
        "distinct column, ... | distinct *",
        "The distinct combinations of some columns.",
    ),
    (
        "extend",
        "extend name = expression, ...",
        "Adds columns, or replaces those of the same name.",
    ),
    ("filter", "filter condition", "The same as `where`."),
    (
        "getschema",
        "getschema",
        "The columns and their types, as rows.",
    ),
    (
        "invoke",
        "invoke function(arguments)",
        "Calls a function of the query's with the rows so far as its first argument.",
    ),
    (
        "join",
        "join kind=inner (table) on column, $left.a == $right.b",
        "Pairs rows with those of another table whose keys are equal. Without a kind it is innerunique: one row per key of the left table.",
    ),
    ("limit", "limit rows", "The same as `take`."),
    (
        "lookup",
        "lookup kind=leftouter (table) on column",
        "Adds the columns of a table of facts by key.",
    ),
    (
        "make-series",
        "make-series name = aggregate(...) default=0, ... on axis from a to b step c by key, ...",
        "Arrays of evenly spaced aggregates, one row for each combination of keys.",
    ),
    (
        "mv-apply",
        "mv-apply name = array to typeof(type) on (subquery)",
        "Runs a subquery over the elements of each row's array, and adds its columns to the row.",
    ),
    (
        "mv-expand",
        "mv-expand name = array to typeof(type), ...",
        "A row for each element of an array or each property of a bag.",
    ),
    (
        "order",
        "order by expression desc, ...",
        "The same as `sort`.",
    ),
    (
        "parse",
        "parse text with * \"before\" name:type \"after\" *",
        "Takes columns out of a text by the pieces between them.",
    ),
    (
        "parse-where",
        "parse-where text with ...",
        "Like `parse`, and drops the rows that do not match.",
    ),
    (
        "partition",
        "partition by column (subquery)",
        "Runs a subquery over the rows of each value of a column.",
    ),
    (
        "print",
        "print name = expression, ...",
        "One row of computed columns.",
    ),
    (
        "project",
        "project column, name = expression, ...",
        "Chooses, renames and computes the columns.",
    ),
    (
        "project-away",
        "project-away column, pattern*, ...",
        "Drops columns.",
    ),
    (
        "project-keep",
        "project-keep column, pattern*, ...",
        "Keeps columns, in the order that they have.",
    ),
    (
        "project-rename",
        "project-rename new = old, ...",
        "Renames columns.",
    ),
    (
        "project-reorder",
        "project-reorder column, pattern* asc, ...",
        "Moves columns to the front.",
    ),
    (
        "range",
        "range name from first to last step distance",
        "A table of one column of evenly spaced values.",
    ),
    (
        "render",
        "render chart with (title=\"...\", xcolumn=..., ycolumns=...)",
        "Draws the result; must be the last operator.",
    ),
    ("sample", "sample rows", "Some rows, any."),
    (
        "serialize",
        "serialize name = expression, ...",
        "Fixes the order of the rows, so that prev(), next() and row_number() may be used.",
    ),
    (
        "sort",
        "sort by expression asc nulls first, ...",
        "Orders the rows; descending where not said.",
    ),
    (
        "summarize",
        "summarize name = aggregate(...), ... by key, ...",
        "One row for each combination of keys, with aggregates.",
    ),
    (
        "take",
        "take rows",
        "Up to that many rows, any unless sorted.",
    ),
    (
        "top",
        "top rows by expression desc",
        "The first rows in an order.",
    ),
    (
        "union",
        "union kind=outer withsource=name table, pattern*, ...",
        "The rows of several tables.",
    ),
    (
        "where",
        "where condition",
        "Keeps the rows for which the condition holds.",
    ),
];

/// What an operator does, if it is built.
pub(super) fn operator_documentation(name: &str) -> Option<Documentation> {
    let found = OPERATORS.iter().find(|(operator, ..)| *operator == name);
    found.map(|(_, signature, summary)| Documentation { signature, summary })
}
