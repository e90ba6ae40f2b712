//! What is refused by name, and why: as the tables have it, or as the binder tells it of a query.

use spoor_kql_syntax::ast::{BinaryOp, ListOp};
use std::fmt::Write;

use super::super::super::{kustos, statement};
use super::super::{between_operands, functions, operator};
use super::{codes, engine};

/// Parts of what is there that are not: how they are called, and a query with one.
const PARTS: &[(&str, &str)] = &[
    (
        "`cluster(...)`, `database(...)`, `workspace(...)` before a table",
        "cluster('c').database('d').Logins",
    ),
    (
        "`externaldata`",
        "externaldata(User: string)['https://example.org/users.csv']",
    ),
    (
        "`alias` and `restrict` statements",
        "alias database d = cluster('c').database('d'); Logins",
    ),
    (
        "management commands, such as `.show tables`",
        ".show tables",
    ),
    ("stored functions", "Suspicious() | count"),
    (
        "look-around and back-references in regular expressions",
        "Logins | where User matches regex '(?=a)b'",
    ),
    (
        "`scan` steps with `output=last`",
        "Logins | sort by When asc | scan with (step s output=last: true;)",
    ),
    (
        "`scan` steps that are `optional`",
        "Logins | sort by When asc | scan with (step s optional: true;)",
    ),
    (
        "weights of `evaluate basket`",
        "Logins | project User | evaluate basket(0.1, 'User')",
    ),
    (
        "`partition` over a subquery with a source of its own",
        "Logins | partition by User { Logins | count }",
    ),
];

/// Names that are refused for one reason.
type Groups = Vec<(String, Vec<&'static str>)>;

/// All that is refused.
pub(super) fn all() -> String {
    let named = [
        (["operator", "operators"], operators()),
        (
            ["operator between operands", "operators between operands"],
            operands(),
        ),
        (["function", "functions"], functions()),
        (["plugin", "plugins"], plugins()),
        (["option of `set`:", "options of `set`:"], options()),
    ];
    let mut table = "| what | why, and what to do |\n| --- | --- |\n".to_owned();
    for ([one, several], groups) in named {
        for (why, names) in groups {
            let kind = if names.len() == 1 { one } else { several };
            let why = super::cell(&sentence(&why));
            writeln!(table, "| {kind} {} | {why} |", codes(names)).unwrap();
        }
    }
    for (what, query) in PARTS {
        let why = super::cell(&told(query));
        writeln!(table, "| {what} | {why} |").unwrap();
    }
    table
}

/// Tabular operators without a sentence, by the reason why they are refused.
fn operators() -> Groups {
    let all = spoor_kql_syntax::OPERATORS.iter().copied();
    by_reason(all.filter(|name| operator(name).is_none()), |name| {
        format!("Logins | {name} x")
    })
}

/// Operators between operands without a sentence; `:` belongs to `search`.
fn operands() -> Groups {
    let binary = BinaryOp::ALL.iter().map(|op| op.text());
    let all = binary.chain(ListOp::ALL.iter().map(|op| op.text()));
    let refused = all.filter(|name| *name != ":" && between_operands(name).is_none());
    by_reason(refused, |name| format!("Logins | where User {name} 'x'"))
}

fn functions() -> Groups {
    let listed = functions::ABSENT.iter();
    let mut all: Groups = listed
        .map(|(names, why)| ((*why).to_owned(), names.to_vec()))
        .collect();
    let other = functions::absent("geo_other").unwrap();
    all.push((
        format!("{other}, unless it is listed above"),
        vec!["geo_..."],
    ));
    all
}

fn plugins() -> Groups {
    let all = kustos::ABSENT.iter().copied();
    by_reason(all, |name| format!("Logins | evaluate {name}()"))
}

fn options() -> Groups {
    let all = statement::CHANGING.into_iter();
    by_reason(all, |name| format!("set {name} = 1; Logins"))
}

fn by_reason(names: impl Iterator<Item = &'static str>, query: impl Fn(&str) -> String) -> Groups {
    let mut all: Groups = Vec::new();
    for name in names {
        let (message, hint) = found(&query(name));
        let message = message.replace(&format!("`{name}` is"), "it is");
        let why =
            hint.unwrap_or_else(|| message.replace(&format!("`evaluate {name}` is"), "it is"));
        match all.iter_mut().find(|(known, _)| *known == why) {
            Some((_, names)) => names.push(name),
            None => all.push((why, vec![name])),
        }
    }
    all
}

/// What the binder says of a query that it refuses, in a sentence or two.
fn told(query: &str) -> String {
    let (message, hint) = found(query);
    let sentences = [Some(message), hint].into_iter().flatten();
    let sentences: Vec<String> = sentences.map(|text| sentence(&text)).collect();
    sentences.join(" ")
}

/// What is wrong with a query, and what to do.
fn found(query: &str) -> (String, Option<String>) {
    let found = engine().check(query, 0);
    let first = found.first();
    let first = first.unwrap_or_else(|| panic!("this is not refused: {query}"));
    (first.message.clone(), first.hint.clone())
}

/// A message as a sentence of its own.
fn sentence(text: &str) -> String {
    let mut letters = text.trim_end_matches(';').chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).chain(['.']).collect()
}
