//! Runs the files under `cases/`, one for each operator: queries, and the tables or the diagnostics that come of them.
//!
//! A block ```` ```table Name ```` is a query whose result the file's queries may read as `Name`. A block ```` ```kql ```` is a
//! query, and the ```` ```text ```` after it what is expected: `name: type` of each column on one line, then each row as JSON values,
//! then how it is rendered, and what it lacks; or the diagnostics as people read them. Expectations follow Kusto's documentation. They are written
//! by hand, and `UPDATE_EXPECT=1` rewrites them to what the engine gives: look at the difference before you keep it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use spoor_kql::{Engine, EngineOptions, QueryError, QueryResult, Step};
use spoor_kql_syntax::ast::{ExprKind, Literal, Property, Render};
use spoor_table::{Table, format};

const FENCE: &str = "```";
/// Slices that no case needs: each gets on by a batch at least.
const STEPS: usize = 100_000;

/// One of a file's pieces: prose, or a fenced block with its heading.
fn pieces(text: &str) -> Vec<String> {
    text.split(FENCE).map(str::to_owned).collect()
}

fn run(engine: &Engine, query: &str, budget: Duration) -> Result<QueryResult, String> {
    let diagnosed = |diagnostics: &[_]| {
        let shown = spoor_kql_syntax::render(query, diagnostics);
        shown.trim_end().to_owned()
    };
    let mut running = engine.start(query, 0).map_err(|d| diagnosed(&d))?;
    for _ in 0..STEPS {
        match running.step(budget) {
            Ok(Step::More | Step::Call(_)) => {}
            Ok(Step::Done(result)) => return Ok(result),
            Err(QueryError::Diagnostics(diagnostics)) => return Err(diagnosed(&diagnostics)),
            Err(error) => return Err(format!("error: {error}")),
        }
    }
    Err(format!("no end after {STEPS} slices"))
}

fn describe(result: &Result<QueryResult, String>) -> String {
    match result {
        Err(message) => message.clone(),
        Ok(result) => {
            let mut text = describe_table(&result.table);
            if let Some(render) = &result.render {
                write!(text, "\n{}", describe_render(render)).unwrap();
            }
            for lack in &result.lacks {
                write!(text, "\npartial: {lack}").unwrap();
            }
            text
        }
    }
}

fn describe_table(table: &Table) -> String {
    let columns = table.columns().iter();
    let columns = columns.map(|column| format!("{}: {}", column.name, column.ty));
    let mut text = columns.collect::<Vec<_>>().join(", ");
    table.for_each_row(|cells| {
        text.push('\n');
        for (at, cell) in cells.iter().enumerate() {
            text.push_str(if at > 0 { ", " } else { "" });
            format::push_json(&mut text, *cell);
        }
        true
    });
    text
}

fn describe_render(render: &Render) -> String {
    let properties = render.properties.iter().map(describe_property);
    let properties = properties.collect::<Vec<_>>().join(", ");
    format!("render {} ({properties})", render.kind.text)
}

fn describe_property(property: &Property) -> String {
    let value = match &property.value.kind {
        ExprKind::Name(name) => name.clone(),
        ExprKind::Literal(Literal::String(text)) => format!("{text:?}"),
        other => format!("{other:?}"),
    };
    format!("{}={value}", property.name.text)
}

/// What a file comes to.
struct Outcome {
    cases: usize,
    /// The file with what was found in place of what was expected.
    found: String,
    wrong: String,
}

fn run_file(text: &str) -> Outcome {
    let mut engine = Engine::new(EngineOptions::default()).unwrap();
    let mut pieces = pieces(text);
    let (mut cases, mut wrong) = (0, String::new());
    for at in (1..pieces.len()).step_by(2) {
        let (heading, body) = pieces[at].split_once('\n').expect("a block has a heading");
        let body = body.trim_end_matches('\n').to_owned();
        if let Some(name) = heading.strip_prefix("table ") {
            let table = run(&engine, &body, Duration::from_secs(9)).unwrap().table;
            engine.register(name, table);
        } else if heading == "kql" {
            cases += 1;
            let found = describe(&run(&engine, &body, Duration::from_secs(9)));
            let sliced = describe(&run(&engine, &body, Duration::ZERO));
            assert_eq!(found, sliced, "in slices: {body}");
            let expected = pieces.get_mut(at + 2).expect("a query has an expectation");
            let block = format!("text\n{found}\n");
            if *expected != block {
                writeln!(wrong, "{body}\nexpected {expected}found {block}").unwrap();
                *expected = block;
            }
        }
    }
    Outcome {
        cases,
        found: pieces.join(FENCE),
        wrong,
    }
}

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

#[test]
fn kql_answers_as_kusto_does() {
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let (mut cases, mut wrong) = (0, String::new());
    for path in files() {
        let text = std::fs::read_to_string(&path).unwrap();
        let outcome = run_file(&text);
        cases += outcome.cases;
        if !outcome.wrong.is_empty() {
            writeln!(wrong, "--- {}\n{}", path.display(), outcome.wrong).unwrap();
        }
        if update {
            std::fs::write(path, outcome.found).unwrap();
        }
    }
    assert!(cases >= 120, "only {cases} cases were found");
    assert!(update || wrong.is_empty(), "{wrong}");
}
