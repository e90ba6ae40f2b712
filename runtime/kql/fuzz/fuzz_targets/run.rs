//! Planning and running over small tables: a query of the cases, changed, is a result or a message. It never panics, never ends in
//! an error that only a mistake of ours can cause, and what the editor asks of it is answered too.
#![no_main]

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use spoor_kql::bind::{complete, diagnose, hover};
use spoor_kql::{Engine, EngineOptions, ExecutionError, QueryError, Step};
use spoor_kql_fuzz::{Case, cases, changed};

/// A query that goes on for longer is ended, as a person would.
const LONGEST: Duration = Duration::from_secs(2);

struct All {
    cases: Vec<Case>,
    /// One for each file, with its tables.
    engines: Vec<Engine>,
}

static ALL: LazyLock<All> = LazyLock::new(|| {
    let (cases, tables) = cases();
    let engines = tables.iter().map(|tables| engine(tables)).collect();
    All { cases, engines }
});

fn engine(tables: &[(String, String)]) -> Engine {
    let options = EngineOptions {
        memory_bytes: 64 << 20,
        threads: 1,
        ..EngineOptions::default()
    };
    let mut engine = Engine::new(options).expect("an engine");
    for (name, query) in tables {
        let rows = engine.run(query, 0).expect("a table of the cases").table;
        engine.register(name, rows);
    }
    engine
}

fuzz_target!(|bytes: &[u8]| {
    let Some((text, file)) = changed(bytes, &ALL.cases) else {
        return;
    };
    let engine = &ALL.engines[file];
    let middle = text.floor_char_boundary(text.len() / 2);
    complete(&text, middle, engine.catalogue());
    hover(&text, middle, engine.catalogue());
    let is_sound = !diagnose(&text, engine.catalogue(), 0)
        .diagnostics
        .iter()
        .any(|one| one.is_error());
    match engine.start(&text, 0) {
        // Who has written nothing yet has made no mistake, and yet there is nothing to run.
        Err(_) => assert!(
            !is_sound || is_empty(&text),
            "the editor sees no mistake in {text}"
        ),
        // A mistake may be behind what has to run first.
        Ok(query) => assert!(
            !run(query, &text) || is_sound,
            "the editor sees a mistake in {text}"
        ),
    }
});

fn is_empty(text: &str) -> bool {
    spoor_kql_syntax::parse(text).query.statements.is_empty()
}

/// Whether it comes to a result.
fn run(mut query: spoor_kql::Query, text: &str) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < LONGEST {
        match query.step(Duration::from_millis(100)) {
            Ok(Step::More) => {}
            Ok(Step::Done(_)) => return true,
            Ok(Step::Call(_)) => return false,
            Err(QueryError::Execution(error)) => {
                assert!(!is_ours(&error), "{error}\n{text}");
                return false;
            }
            Err(_) => return false,
        }
    }
    false
}

/// Whether only a mistake of the planner's or of an operator's leads to it.
fn is_ours(error: &ExecutionError) -> bool {
    match error {
        ExecutionError::Shape(_) => true,
        ExecutionError::Failed(why) => ["Internal error", "Schema error", "Error during planning"]
            .iter()
            .any(|one| why.contains(one)),
        _ => false,
    }
}
