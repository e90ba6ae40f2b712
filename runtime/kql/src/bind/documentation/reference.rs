//! The lists in `docs/kql.md`, made of the binder's and the functions' own tables. What stands between `<!-- name -->` and
//! `<!-- end -->` there is written here; all else is written by hand. A test fails when the two do not agree, and
//! `UPDATE_EXPECT=1` has it write the page anew.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod refused;
mod said;

use std::fmt::Write;

use spoor_table::{Column, KustoType, Table, format};

use super::super::complete::RENDER_OPTIONS;
use super::super::kustos::PLUGINS;
use super::super::{CALL_LIMIT, join, limits, parse, pivot, series, unpack};
use super::operators::OPERATORS;
use super::words::{BETWEEN_OPERANDS, OWN_FUNCTIONS};
use super::{CHARTS, Entry, functions};
use crate::{Engine, EngineOptions, QueryError};
use said::{Said, TOPICS};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/kql.md");
const END: &str = "<!-- end -->";

/// 2026-01-01, in ticks: what `now()` gives in the examples.
const NOW: i64 = 639_028_224_000_000_000;

/// What begins a query's statement.
const STATEMENTS: &[&str] = &["declare", "let", "set"];

/// Signature and summary.
type Row = (String, String);

#[test]
fn the_page_is_what_the_code_says() {
    let text = std::fs::read_to_string(PAGE).unwrap();
    let actual = renewed(&text);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(PAGE, &actual).unwrap();
    }
    assert!(
        text == actual,
        "docs/kql.md is out of date: run this test with UPDATE_EXPECT=1"
    );
}

/// The page with each list written anew, and then its contents.
fn renewed(page: &str) -> String {
    let lists = [
        ("statements", statements()),
        ("operators", operators()),
        ("kinds", kinds()),
        ("operands", operands()),
        ("scalar functions", scalar()),
        ("aggregates", list(function_rows(aggregates()))),
        ("plugins", list(rows(PLUGINS.iter()))),
        ("charts", charts()),
        ("refused", refused::all()),
        ("limits", limits()),
        ("differences", differences()),
    ];
    let filled = lists.iter().fold(page.to_owned(), |page, (name, list)| {
        fill(&page, name, list)
    });
    fill(&filled, "contents", &contents(&filled))
}

/// The page with a list in its place.
fn fill(page: &str, name: &str, list: &str) -> String {
    let mark = format!("<!-- {name} -->\n");
    let (before, rest) = page
        .split_once(&mark)
        .unwrap_or_else(|| panic!("docs/kql.md has no place for the {name}: {mark}"));
    let (_, after) = rest.split_once(END).expect("a list has an end");
    format!("{before}{mark}\n{}\n\n{END}{after}", list.trim_end())
}

/// The page's headings, those of the second level behind their own.
fn contents(page: &str) -> String {
    let mut contents = String::new();
    for line in page.lines() {
        let (between, title) = match (line.strip_prefix("## "), line.strip_prefix("### ")) {
            (Some(title), _) => ("\n- ", title),
            (_, Some(title)) if contents.ends_with("**") => (": ", title),
            (_, Some(title)) => (" · ", title),
            _ => continue,
        };
        let link = format!("[{title}](#{})", anchor(title));
        let bold = if line.starts_with("## ") { "**" } else { "" };
        write!(contents, "{between}{bold}{link}{bold}").unwrap();
    }
    contents.trim_start().to_owned()
}

/// What a heading is called in links.
fn anchor(title: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    title
        .to_lowercase()
        .chars()
        .filter(kept)
        .collect::<String>()
        .replace(' ', "-")
}

fn statements() -> String {
    let is_statement = |entry: &&Entry| STATEMENTS.contains(&entry.0);
    list(rows(OPERATORS.iter().filter(is_statement)))
}

fn operators() -> String {
    let is_operator = |entry: &&Entry| !STATEMENTS.contains(&entry.0);
    list(rows(OPERATORS.iter().filter(is_operator)))
}

fn kinds() -> String {
    let kinds = [
        ("join", join::KINDS),
        ("lookup", join::LOOKUP_KINDS),
        ("parse", parse::PARSE_KINDS),
    ];
    let kinds =
        kinds.map(|(name, kinds)| format!("- of {}: {}", code(name), codes(kinds.iter().copied())));
    format!("Kinds, which `kind=` chooses:\n\n{}", kinds.join("\n"))
}

fn operands() -> String {
    let all = BETWEEN_OPERANDS.iter();
    list(all.map(|(_, form, summary)| row(form, summary)).collect())
}

fn scalar() -> String {
    let mut text = String::new();
    for (family, functions) in functions::families() {
        write!(text, "### {family}\n\n{}\n", list(function_rows(functions))).unwrap();
    }
    let own = list(rows(OWN_FUNCTIONS.iter()));
    write!(text, "### Tables, columns and types\n\n{own}").unwrap();
    text
}

fn aggregates() -> Vec<crate::typed::Documentation> {
    let all = functions::all().filter(|entry| entry.aggregate);
    all.map(|entry| entry.docs).collect()
}

fn rows<'e>(entries: impl Iterator<Item = &'e Entry>) -> Vec<Row> {
    entries
        .map(|(_, form, summary, _)| row(form, summary))
        .collect()
}

/// Functions by name.
fn function_rows(functions: Vec<crate::typed::Documentation>) -> Vec<Row> {
    let rows = functions
        .iter()
        .map(|docs| row(docs.signature, docs.summary));
    let mut rows: Vec<Row> = rows.collect();
    rows.sort();
    rows
}

fn row(form: &str, summary: &str) -> Row {
    (form.to_owned(), summary.to_owned())
}

/// A table of forms and what they do; below it the other names of what stands in it.
fn list(rows: Vec<Row>) -> String {
    let mut table = "| form | what it does |\n| --- | --- |\n".to_owned();
    let mut others = Vec::new();
    for (form, summary) in rows {
        if let Some(name) = other_name_of(&summary) {
            let other = form.split(['(', ' ']).next().unwrap_or_default();
            others.push(format!("{} is {}", code(other), code(name)));
            continue;
        }
        let forms: Vec<String> = form.lines().map(code).collect();
        writeln!(table, "| {} | {} |", forms.join("<br>"), cell(&summary)).unwrap();
    }
    if !others.is_empty() {
        write!(table, "\nOther names: {}.\n", others.join(", ")).unwrap();
    }
    table
}

/// What a function or an operator is only another name of, as its summary says.
fn other_name_of(summary: &str) -> Option<&str> {
    let (_, name) = summary
        .rsplit_once("the older name of ")
        .or_else(|| summary.rsplit_once("he same as "))?;
    Some(name.trim_matches(['.', '`']))
}

/// Code in a cell of a table.
fn code(text: &str) -> String {
    format!("`{}`", cell(text))
}

/// Text in a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

/// Code that follows one another.
fn codes<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let names: Vec<String> = names.into_iter().map(code).collect();
    names.join(", ")
}

fn charts() -> String {
    let mut text = format!("Kinds: {}.\n\n", codes(CHARTS.iter().copied()));
    let options = RENDER_OPTIONS.iter().map(|(name, values)| match *values {
        [] => code(&format!("{name}=...")),
        ["column"] => code(&format!("{name}=column")),
        values => code(&format!("{name}={}", values.join(" or "))),
    });
    let options: Vec<String> = options.collect();
    write!(text, "Options of `with (...)`: {}.", options.join(", ")).unwrap();
    text
}

fn limits() -> String {
    let limits = [
        (
            "expressions and subqueries within each other",
            limits::NESTING,
        ),
        (
            "calls of the query's own functions within each other",
            CALL_LIMIT,
        ),
        ("calls of the query's own functions in all", limits::CALLS),
        (
            "steps of a plan in a row; an operator takes one to three",
            limits::PLAN_DEPTH,
        ),
        ("steps of a plan in all", limits::PLAN_SIZE),
        (
            "tables of a union, times the columns of its result",
            limits::UNION_SIZE,
        ),
        (
            "points of a series of `make-series`",
            series::POINT_LIMIT as usize,
        ),
        ("columns that `evaluate pivot` makes", pivot::MOST_COLUMNS),
        (
            "columns that `evaluate bag_unpack` makes",
            unpack::MOST_COLUMNS,
        ),
        (
            "MiB of text and dynamic values that a function makes of 8,192 rows",
            functions::BATCH_BYTES >> 20,
        ),
    ];
    let mut table = "| of | at most |\n| --- | ---: |\n".to_owned();
    for (what, most) in limits {
        writeln!(table, "| {what} | {} |", grouped(most)).unwrap();
    }
    table
}

/// A number with its thousands apart.
fn grouped(number: usize) -> String {
    match number {
        0..1000 => number.to_string(),
        _ => format!("{},{:03}", grouped(number / 1000), number % 1000),
    }
}

fn differences() -> String {
    let mut text = String::new();
    for (topic, all) in TOPICS {
        write!(text, "### {topic}\n\n").unwrap();
        for said in *all {
            writeln!(text, "- {}{}", said.sentence, shown(said)).unwrap();
        }
        text.push('\n');
    }
    text
}

/// An example with what comes of it.
fn shown(said: &Said) -> String {
    match said.example {
        "" => String::new(),
        query => format!("<br>`{query}` → {}", answer(query)),
    }
}

/// The first row of a query's result, or the message that refuses it.
fn answer(query: &str) -> String {
    let table = match engine().run(query, NOW) {
        Ok(result) => result.table,
        Err(QueryError::Diagnostics(found)) => return format!("*{}*", found[0].message),
        Err(error) => panic!("{query}: {error}"),
    };
    let mut text = String::new();
    table.for_each_row(|cells| {
        for (at, cell) in cells.iter().enumerate() {
            text.push_str(if at > 0 { ", " } else { "" });
            format::push_json(&mut text, *cell);
        }
        false
    });
    code(&text)
}

/// An engine with the table that the refused queries are about.
fn engine() -> Engine {
    let mut engine = Engine::new(EngineOptions::default()).unwrap();
    let columns = [("When", KustoType::DateTime), ("User", KustoType::String)];
    let columns = columns.map(|(name, ty)| Column::new(name, ty));
    engine.register("Logins", Table::empty(columns.to_vec()));
    engine
}
