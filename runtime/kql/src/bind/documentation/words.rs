//! The operators between operands, and the functions that the binder itself understands.

use super::Entry;

/// Operators between operands. Those that begin with `!` or `not` say the opposite of the others.
pub(super) const BETWEEN_OPERANDS: &[(&str, &str, &str)] = &[
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
pub(super) const OWN_FUNCTIONS: &[Entry] = &[
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
        "The table; what summarize, distinct, take or top leave of it is computed once for all its uses.",
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
