//! What the words of the language are for, in a sentence or two each: tabular operators, statements, operators between operands,
//! and the functions that the binder itself understands. The other functions carry their own. Completion and hover read it; every
//! example is bound by a test, over the tables Logins and Hosts.

use spoor_kql_syntax::ast::{BinaryOp, ListOp};

use super::kustos::PLUGINS;
use crate::functions;

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

/// What a word is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// How it is written; several forms are several lines.
    pub signature: String,
    /// A sentence or two.
    pub summary: String,
    /// A query or a part of one; may be empty.
    pub example: String,
}

impl Described {
    fn new(signature: &str, summary: &str, example: &str) -> Self {
        Self {
            signature: signature.to_owned(),
            summary: summary.to_owned(),
            example: example.to_owned(),
        }
    }
}

/// Name, form, what it does, an example.
pub(super) type Entry = (&'static str, &'static str, &'static str, &'static str);

/// The tabular operators that are built, those that begin a query, and statements.
pub(super) const OPERATORS: &[Entry] = &[
    (
        "as",
        "as name",
        "Names the rows so far, for `union withsource` and for later use in the same query.",
        "Logins | as Recent | union withsource=Source Recent",
    ),
    (
        "count",
        "count",
        "The number of rows, as one row with the column Count.",
        "Logins | where Result != 0 | count",
    ),
    (
        "datatable",
        "datatable(name: type, ...)[value, ...]",
        "A table whose values are written in the query, row by row.",
        "datatable(User: string, Score: long)[\"ann\", 7, \"bob\", 2]",
    ),
    (
        "declare",
        "declare query_parameters(name: type = value, ...)",
        "Parameters of the query, each with the value that it has here.",
        "declare query_parameters(limit_: long = 10); Logins | take limit_",
    ),
    (
        "distinct",
        "distinct column, ...\ndistinct *",
        "The distinct combinations of some columns.",
        "Logins | distinct User, Result",
    ),
    (
        "evaluate",
        "evaluate function(column, option = value, ...)",
        "Calls a plugin's function with columns of the rows so far. Its columns come after theirs, or in their place: hover \
         over the function's name to see which.",
        "Logins | evaluate entropy(User)",
    ),
    (
        "extend",
        "extend name = expression, ...",
        "Adds columns, or replaces those of the same name.",
        "Logins | extend Day = bin(When, 1d), Failed = Result != 0",
    ),
    (
        "filter",
        "filter condition",
        "The same as `where`.",
        "Logins | filter Result != 0",
    ),
    (
        "find",
        "find in (table, ...) where condition project column, ...",
        "The rows of several tables for which a condition holds, after the name of their table in `source_`.",
        "find in (Logins, Hosts) where User has \"admin\" project User",
    ),
    (
        "getschema",
        "getschema",
        "The columns and their types, as rows.",
        "Logins | getschema",
    ),
    (
        "invoke",
        "invoke function(arguments)",
        "Calls a function of the query's with the rows so far as its first argument.",
        "let failed = (T: (Result: long)) { T | where Result != 0 }; Logins | invoke failed()",
    ),
    (
        "join",
        "join kind=inner (table) on column, $left.a == $right.b",
        "Pairs rows with those of another table whose keys are equal. Without a kind it is innerunique: one row per key of the left table.",
        "Logins | join kind=leftouter (Hosts | where Host has \"srv\") on User",
    ),
    (
        "let",
        "let name = value;\nlet name = (parameter: type, ...) { body };",
        "Names a value, a table or a function for the rest of the query.",
        "let failed = Logins | where Result != 0; failed | count",
    ),
    (
        "limit",
        "limit rows",
        "The same as `take`.",
        "Logins | limit 10",
    ),
    (
        "lookup",
        "lookup kind=leftouter (table) on column",
        "Adds the columns of a table of facts by key; the kind inner drops rows without a partner.",
        "Logins | lookup (Hosts) on User",
    ),
    (
        "make-series",
        "make-series name = aggregate(...) default=0, ... on axis from a to b step c by key, ...",
        "Arrays of evenly spaced aggregates, one row for each combination of keys.",
        "Logins | make-series Count = count() default=0 on When from datetime(2024-01-01) to datetime(2024-02-01) step 1d by User",
    ),
    (
        "mv-apply",
        "mv-apply name = array to typeof(type) on (subquery)",
        "Runs a subquery over the elements of each row's array, and adds its columns to the row.",
        "Logins | mv-apply Tag = Details.tags to typeof(string) on (where Tag startswith \"t\" | summarize Tags = count())",
    ),
    (
        "mv-expand",
        "mv-expand name = array to typeof(type), ...",
        "A row for each element of an array or each property of a bag.",
        "Logins | mv-expand Tag = Details.tags to typeof(string)",
    ),
    (
        "order",
        "order by expression desc, ...",
        "The same as `sort`.",
        "Logins | order by When asc",
    ),
    (
        "parse",
        "parse kind=simple text with * \"before\" name: type \"after\" *",
        "Takes columns out of a text by the pieces between them.",
        "Logins | parse User with Account \"@\" Domain",
    ),
    (
        "parse-kv",
        "parse-kv text as (name: type, ...) with (pair_delimiter=\",\", kv_delimiter=\"=\", quote=\"\\\"\")",
        "Takes columns out of the keys and values in a text.",
        "Logins | parse-kv User as (domain: string, name: string) with (pair_delimiter=\";\", kv_delimiter=\"=\")",
    ),
    (
        "parse-where",
        "parse-where text with ...",
        "Like `parse`, and drops the rows that do not match.",
        "Logins | parse-where User with Account \"@\" Domain",
    ),
    (
        "partition",
        "partition by column (subquery)",
        "Runs a subquery over the rows of each value of a column.",
        "Logins | partition by User (top 3 by When)",
    ),
    (
        "print",
        "print name = expression, ...",
        "One row of computed columns.",
        "print Yesterday = ago(1d), Answer = 6 * 7",
    ),
    (
        "project",
        "project column, name = expression, ...",
        "Chooses, renames and computes the columns.",
        "Logins | project When, Account = tolower(User)",
    ),
    (
        "project-away",
        "project-away column, pattern*, ...",
        "Drops columns.",
        "Logins | project-away Details, Res*",
    ),
    (
        "project-keep",
        "project-keep column, pattern*, ...",
        "Keeps columns, in the order that they have.",
        "Logins | project-keep When, U*",
    ),
    (
        "project-rename",
        "project-rename new = old, ...",
        "Renames columns.",
        "Logins | project-rename Account = User",
    ),
    (
        "project-reorder",
        "project-reorder column, pattern* asc, ...",
        "Moves columns to the front.",
        "Logins | project-reorder User, *",
    ),
    (
        "range",
        "range name from first to last step distance",
        "A table of one column of evenly spaced values.",
        "range Day from datetime(2024-01-01) to datetime(2024-01-31) step 1d",
    ),
    (
        "render",
        "render chart with (title=\"...\", xcolumn=..., ycolumns=...)",
        "Draws the result; must be the last operator.",
        "Logins | summarize count() by bin(When, 1h) | render timechart with (title=\"Sign-ins\")",
    ),
    (
        "sample",
        "sample rows",
        "Some rows, any.",
        "Logins | sample 10",
    ),
    (
        "sample-distinct",
        "sample-distinct count of column",
        "Some values of a column, any, each once.",
        "Logins | sample-distinct 10 of User",
    ),
    (
        "scan",
        "scan with_match_id=name declare (name: type = default, ...) with (step name: condition => name = expression, ...; ...)",
        "Goes through rows in their order with steps that remember what matched before: `step.column` is the last value that a step saw.",
        "Logins | sort by When asc | scan declare (Failed: long = 0) with (step s: true => Failed = s.Failed + iff(Result != 0, 1, 0);)",
    ),
    (
        "search",
        "search in (table, pattern*) \"text\" and column: \"text\"",
        "The rows of tables in which a text stands in any column, after the name of their table in `$table`.",
        "search in (Logins) \"admin*\" or User == \"root\"",
    ),
    (
        "serialize",
        "serialize name = expression, ...",
        "Fixes the order of the rows, so that prev(), next() and row_number() may be used.",
        "Logins | serialize Number = row_number()",
    ),
    (
        "set",
        "set option = value;",
        "An option of Kusto's service. It is read and changes nothing here.",
        "set notruncation; Logins | take 10",
    ),
    (
        "sort",
        "sort by expression asc nulls first, ...",
        "Orders the rows; descending where not said.",
        "Logins | sort by User asc, When",
    ),
    (
        "summarize",
        "summarize name = aggregate(...), ... by key, ...",
        "One row for each combination of keys, with aggregates.",
        "Logins | summarize Failed = countif(Result != 0), Last = max(When) by User",
    ),
    (
        "take",
        "take rows",
        "Up to that many rows, any unless sorted.",
        "Logins | take 10",
    ),
    (
        "top",
        "top rows by expression desc",
        "The first rows in an order.",
        "Logins | summarize Failed = count() by User | top 10 by Failed",
    ),
    (
        "top-hitters",
        "top-hitters count of column by weight",
        "The values of a column that occur most often, or whose weights add up to most; the sums are exact.",
        "Logins | top-hitters 10 of User",
    ),
    (
        "top-nested",
        "top-nested count of column by aggregate, top-nested count of column by aggregate",
        "The values with the greatest aggregate, level by level: each level looks at the rows that the one before kept.",
        "Logins | top-nested 3 of User by count(), top-nested 1 of Result by count()",
    ),
    (
        "union",
        "union kind=outer withsource=name table, pattern*, ...",
        "The rows of several tables, with the columns of all of them.",
        "union withsource=Source Logins, Hosts",
    ),
    (
        "where",
        "where condition",
        "Keeps the rows for which the condition holds.",
        "Logins | where When > ago(1d) and User has \"admin\"",
    ),
];

/// Operators between operands. Those that begin with `!` or `not` say the opposite of the others.
const BETWEEN_OPERANDS: &[(&str, &str, &str)] = &[
    ("or", "a or b", "True where either condition holds."),
    ("and", "a and b", "True where both conditions hold."),
    (
        "+",
        "a + b",
        "The sum of numbers or timespans; a timespan moves a datetime. Texts are joined with strcat().",
    ),
    (
        "-",
        "a - b",
        "The difference of numbers or timespans; that of two datetimes is a timespan.",
    ),
    (
        "*",
        "a * b",
        "The product of numbers, or of a timespan and a number.",
    ),
    (
        "/",
        "a / b",
        "The quotient; of two whole numbers it is a whole number, and by zero null.",
    ),
    ("%", "a % b", "The remainder of a division, never negative."),
    (
        "==",
        "a == b",
        "True where both are equal; texts also in case.",
    ),
    (
        "!=",
        "a != b",
        "True where they differ; texts also where only the case does. `<>` is the same.",
    ),
    ("<", "a < b", "True where the first is less."),
    ("<=", "a <= b", "True where the first is less or equal."),
    (">", "a > b", "True where the first is greater."),
    (">=", "a >= b", "True where the first is greater or equal."),
    (
        "=~",
        "text =~ text",
        "True where two texts are equal but for case.",
    ),
    (
        "!~",
        "text !~ text",
        "True where two texts differ by more than case.",
    ),
    (
        "has",
        "text has term",
        "True where the text has the term as a whole word, whatever its case. Words are runs of letters and digits.",
    ),
    ("has_cs", "text has_cs term", "Like `has`, and case counts."),
    (
        "hasprefix",
        "text hasprefix term",
        "True where a word of the text begins so, whatever its case.",
    ),
    (
        "hasprefix_cs",
        "text hasprefix_cs term",
        "Like `hasprefix`, and case counts.",
    ),
    (
        "hassuffix",
        "text hassuffix term",
        "True where a word of the text ends so, whatever its case.",
    ),
    (
        "hassuffix_cs",
        "text hassuffix_cs term",
        "Like `hassuffix`, and case counts.",
    ),
    (
        "contains",
        "text contains part",
        "True where the part stands anywhere in the text, whatever its case.",
    ),
    (
        "contains_cs",
        "text contains_cs part",
        "Like `contains`, and case counts.",
    ),
    (
        "startswith",
        "text startswith part",
        "True where the text begins so, whatever its case.",
    ),
    (
        "startswith_cs",
        "text startswith_cs part",
        "Like `startswith`, and case counts.",
    ),
    (
        "endswith",
        "text endswith part",
        "True where the text ends so, whatever its case.",
    ),
    (
        "endswith_cs",
        "text endswith_cs part",
        "Like `endswith`, and case counts.",
    ),
    (
        "matches regex",
        "text matches regex pattern",
        "True where the regular expression, in RE2's syntax, matches a part of the text.",
    ),
    (
        "in",
        "value in (value, ...)\nvalue in (table)",
        "True where the value is one of a list's, an array's, or of a table's first column; case counts.",
    ),
    (
        "in~",
        "text in~ (text, ...)",
        "Like `in`, whatever the case.",
    ),
    (
        "has_any",
        "text has_any (term, ...)",
        "True where the text has at least one of the terms as a whole word, whatever its case.",
    ),
    (
        "has_all",
        "text has_all (term, ...)",
        "True where the text has each of the terms as a whole word, whatever its case.",
    ),
    (
        "between",
        "value between (low .. high)",
        "True from the low value to the high one, both included. Above a datetime, a timespan counts from it.",
    ),
];

/// The functions that the binder understands by itself, because they take tables or names.
const OWN_FUNCTIONS: &[Entry] = &[
    (
        "column_ifexists",
        "column_ifexists(name, default)",
        "The column of that name, or the default where there is none.",
        "Logins | extend Host = column_ifexists(\"Host\", \"\")",
    ),
    (
        "column_names_of",
        "column_names_of(table)",
        "The names of a table's columns, as an array.",
        "print column_names_of(Logins)",
    ),
    (
        "materialize",
        "materialize(table)",
        "The table itself; in Kusto it is computed once for all its uses.",
        "let failed = materialize(Logins | where Result != 0); failed | count",
    ),
    (
        "pack_all",
        "pack_all(ignore_null_empty)",
        "A bag of all the columns, by their names; with true, of those that are neither null nor empty.",
        "Logins | project Row = pack_all()",
    ),
    (
        "table",
        "table(name)",
        "The table of that name, which is a constant text.",
        "table(\"Logins\") | count",
    ),
    (
        "toscalar",
        "toscalar(table)",
        "The first value of a table's first row, known before the rest of the query runs.",
        "Logins | where When > toscalar(Logins | summarize max(When)) - 1h",
    ),
    (
        "totable",
        "totable(table)",
        "The table itself.",
        "totable(Logins) | count",
    ),
    (
        "typeof",
        "typeof(type)",
        "A type, where a function or an operator takes one.",
        "print n = extract(\"([0-9]+)\", 1, \"a 15\", typeof(long))",
    ),
];

/// The names of the functions that the binder understands by itself.
pub(super) fn own_functions() -> impl Iterator<Item = &'static str> {
    OWN_FUNCTIONS.iter().map(|(name, ..)| *name)
}

/// What a tabular operator or a statement does, if it is built.
pub(super) fn operator(name: &str) -> Option<Described> {
    entry(OPERATORS, name)
}

/// What a function does.
pub(super) fn function(name: &str) -> Option<Described> {
    let listed = || {
        functions::scalar(name)
            .map(|f| f.docs)
            .or_else(|| functions::several(name).map(|f| f.docs))
            .or_else(|| functions::aggregate(name).map(|f| f.docs))
            .map(|docs| Described::new(docs.signature, docs.summary, ""))
    };
    entry(OWN_FUNCTIONS, name)
        .or_else(|| entry(PLUGINS, name))
        .or_else(listed)
}

/// What an operator between operands does.
pub(super) fn between_operands(name: &str) -> Option<Described> {
    let name = match name {
        "<>" => "!=",
        "matches" | "regex" => "matches regex",
        name => name,
    };
    let found = |name: &str| BETWEEN_OPERANDS.iter().find(|(known, ..)| *known == name);
    if let Some((_, signature, summary)) = found(name) {
        return Some(Described::new(signature, summary, ""));
    }
    let positive = name
        .strip_prefix('!')
        .or_else(|| name.strip_prefix("not"))?;
    let (_, signature, _) = found(positive)?;
    let signature = signature.replace(&format!(" {positive} "), &format!(" {name} "));
    let summary = format!("The opposite of `{positive}`: true where that is false.");
    Some(Described::new(&signature, &summary, ""))
}

/// The operators between operands that are words, for completion.
pub(super) fn operator_words() -> impl Iterator<Item = &'static str> {
    let binary = BinaryOp::ALL.iter().map(|op| op.text());
    let list = ListOp::ALL.iter().map(|op| op.text());
    binary
        .chain(list)
        .chain(["between", "!between"])
        .filter(|text| text.contains(|c: char| c.is_ascii_alphabetic()))
        // Those that are not built are not offered.
        .filter(|text| between_operands(text).is_some())
}

fn entry(entries: &[Entry], name: &str) -> Option<Described> {
    let found = entries.iter().find(|(known, ..)| *known == name);
    found.map(|(_, signature, summary, example)| Described::new(signature, summary, example))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use spoor_table::{Column, KustoType, Table};

    use super::*;
    use crate::{Engine, EngineOptions};

    fn engine() -> Engine {
        let mut engine = Engine::new(EngineOptions::default()).unwrap();
        let entropy = serde_json::json!({
            "name": "entropy", "summary": "Entropy.", "input": "batches",
            "parameters": [{"name": "text", "kind": "column", "type": "string"}],
            "output": {"rows": "same", "columns": [{"name": "entropy", "type": "real"}]},
        });
        engine.add_function(crate::PluginFunction {
            plugin: "entropy".into(),
            module: String::new(),
            function: serde_json::from_value::<spoor_plugin_abi::Function>(entropy)
                .unwrap()
                .into(),
        });
        let logins = [
            ("When", KustoType::DateTime),
            ("User", KustoType::String),
            ("Result", KustoType::Long),
            ("Details", KustoType::Dynamic),
        ];
        let hosts = [("User", KustoType::String), ("Host", KustoType::String)];
        for (name, columns) in [("Logins", &logins[..]), ("Hosts", &hosts[..])] {
            let columns = columns.iter().map(|(name, ty)| Column::new(*name, *ty));
            engine.register(name, Table::empty(columns.collect::<Vec<_>>()));
        }
        engine
    }

    fn is_sentence(described: &Described) -> bool {
        described.summary.ends_with('.') && described.summary.len() > 8
    }

    #[test]
    fn every_function_has_a_signature_and_a_sentence() {
        for name in functions::names().chain(own_functions()) {
            let described = function(name).unwrap();
            assert!(described.signature.starts_with(name), "{name}");
            assert!(described.signature.contains('('), "{name}");
            assert!(is_sentence(&described), "{name}");
        }
    }

    #[test]
    fn every_operator_between_operands_has_a_signature_and_a_sentence() {
        let binary = BinaryOp::ALL.iter().map(|op| op.text());
        let all = binary
            .chain(ListOp::ALL.iter().map(|op| op.text()))
            .chain(["between", "!between"]);
        // `:` belongs to `search`.
        for name in all.filter(|name| *name != ":") {
            let Some(described) = between_operands(name) else {
                let found = engine().check(&format!("Logins | where User {name} \"x\""), 0);
                let refused = found
                    .iter()
                    .any(|d| d.message.ends_with("is not supported"));
                assert!(refused, "{name}: {found:?}");
                continue;
            };
            assert!(described.signature.contains(name), "{name}");
            assert!(is_sentence(&described), "{name}");
        }
    }

    /// What an operator without a sentence looks like when it is used: it is refused, or it needs its sentence.
    #[test]
    fn every_tabular_operator_that_is_built_has_a_sentence() {
        let engine = engine();
        let uses = [("assert-schema", "(a: long)"), ("consume", "")];
        for name in spoor_kql_syntax::OPERATORS {
            if let Some(described) = operator(name) {
                assert!(described.signature.starts_with(name), "{name}");
                assert!(is_sentence(&described), "{name}");
                continue;
            }
            let arguments = uses.iter().find(|(known, _)| known == name);
            let query = format!("Logins | {name} {}", arguments.map_or("x", |(_, a)| a));
            let found = engine.check(&query, 0);
            let refused = found
                .iter()
                .any(|d| d.message.ends_with("is not supported yet"));
            assert!(refused, "{query}: {found:?}");
        }
    }

    #[test]
    fn every_example_is_a_query() {
        let engine = engine();
        for (name, _, _, example) in OPERATORS.iter().chain(OWN_FUNCTIONS).chain(PLUGINS) {
            assert_eq!(engine.check(example, 0), [], "{name}: {example}");
            assert!(example.contains(name), "{name}");
        }
    }
}
