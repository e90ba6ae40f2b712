//! What the engine promises besides right answers: slices, a memory limit that is an error, cancelling, threads.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use arrow::record_batch::RecordBatch;
use spoor_kql::{Engine, EngineOptions, ExecutionError, QueryError, Step};
use spoor_table::{Column, KustoType, Table, Value};

fn events(rows: i64) -> Table {
    let columns = vec![
        Column::new("n", KustoType::Long),
        Column::new("user", KustoType::String),
    ];
    let mut table = Table::empty(columns);
    let numbers: ArrayRef = Arc::new((0..rows).collect::<Int64Array>());
    let users: ArrayRef = Arc::new(
        (0..rows)
            .map(|n| Some(format!("user{}", n % 100)))
            .collect::<StringArray>(),
    );
    table
        .push(RecordBatch::try_new(table.schema().clone(), vec![numbers, users]).unwrap())
        .unwrap();
    table
}

fn engine(memory_bytes: usize, threads: usize) -> Engine {
    let mut engine = Engine::new(EngineOptions {
        memory_bytes,
        threads,
        ..EngineOptions::default()
    })
    .unwrap();
    engine.register("Events", events(200_000));
    engine
}

const HEAVY: &str = "Events | extend k = strcat(user, tostring(n % 7)) | summarize s = sum(n), d = dcount(n) by k
    | join kind=inner (Events | summarize c = count() by k = strcat(user, '0')) on k | sort by k asc";

#[test]
fn a_query_comes_back_between_slices_with_the_same_result() {
    let engine = engine(1 << 30, 1);
    let whole = engine.run(HEAVY, 0).unwrap().table;
    let mut query = engine.start(HEAVY, 0).unwrap();
    let mut slices = 0;
    let sliced = loop {
        match query.step(Duration::ZERO).unwrap() {
            Step::More | Step::Call(_) => slices += 1,
            Step::Done(result) => break result.table,
        }
    };
    assert!(slices > 5, "{slices} slices");
    assert_eq!(sliced.concat().unwrap(), whole.concat().unwrap());
    assert!(matches!(query.step(Duration::ZERO), Err(QueryError::Ended)));
}

#[test]
fn a_query_that_outgrows_its_memory_fails_and_leaves_the_engine_sound() {
    let engine = engine(1 << 20, 1);
    let error = engine
        .run("Events | summarize make_list(user) by n", 0)
        .unwrap_err();
    assert!(
        matches!(
            error,
            QueryError::Execution(ExecutionError::OutOfMemory { .. })
        ),
        "{error}"
    );
    assert!(error.to_string().contains("1 MiB"), "{error}");
    assert_eq!(
        engine.run("Events | count", 0).unwrap().table.value(0, 0),
        Value::Long(200_000)
    );
}

#[test]
fn a_result_has_as_many_rows_as_it_may_and_says_that_it_is_cut() {
    let cut = |result_rows, text: &str| {
        let options = EngineOptions {
            result_rows,
            ..EngineOptions::default()
        };
        let result = Engine::new(options).unwrap().run(text, 0).unwrap();
        (result.table.rows(), !result.lacks.is_empty())
    };
    let rows = "range n from 1 to 100000 step 1";
    assert_eq!(cut(None, rows), (100_000, false));
    assert_eq!(cut(Some(100_000), rows), (100_000, false));
    assert_eq!(cut(Some(50_000), rows), (50_000, true));
    assert_eq!(
        cut(Some(5), &format!("set notruncation; {rows}")),
        (100_000, false)
    );
    assert_eq!(
        cut(Some(5), &format!("set notruncation = false; {rows}")),
        (5, true)
    );
    assert_eq!(
        cut(Some(5), &format!("set truncationmaxrecords = 7; {rows}")),
        (7, true)
    );
    // What a query counts on its way is whole, and what comes of it is small.
    assert_eq!(
        cut(
            Some(5),
            &format!("let all = toscalar({rows} | count); print all")
        ),
        (1, false)
    );
    assert_eq!(
        cut(Some(5), &format!("{rows} | summarize count() by n % 3")),
        (3, false)
    );
}

#[test]
fn dropping_a_query_gives_its_memory_back() {
    let engine = engine(64 << 20, 1);
    for _ in 0..20 {
        let mut query = engine
            .start("Events | summarize make_list(user) by n", 0)
            .unwrap();
        query.step(Duration::from_millis(1)).unwrap();
    }
    assert_eq!(
        engine.run("Events | count", 0).unwrap().table.value(0, 0),
        Value::Long(200_000)
    );
}

#[test]
fn threads_give_the_same_rows() {
    let one = engine(1 << 30, 1).run(HEAVY, 0).unwrap().table;
    let two = engine(1 << 30, 2).run(HEAVY, 0).unwrap().table;
    assert_eq!(one.concat().unwrap(), two.concat().unwrap());
}

#[test]
fn now_is_one_instant_that_the_caller_sets() {
    let engine = engine(1 << 30, 1);
    let table = engine
        .run("print a = now(), b = ago(1d)", 864_000_000_000)
        .unwrap()
        .table;
    assert_eq!(table.value(0, 0), Value::DateTime(864_000_000_000));
    assert_eq!(table.value(0, 1), Value::DateTime(0));
}

#[test]
fn tables_come_and_go() {
    let mut engine = engine(1 << 30, 1);
    assert_eq!(engine.names().collect::<Vec<_>>(), ["Events"]);
    assert_eq!(engine.schema("Events").unwrap().len(), 2);
    assert!(engine.remove("Events") && !engine.remove("Events"));
    let diagnostics = engine.start("Events | count", 0).err().unwrap();
    assert!(diagnostics[0].message.contains("Events"), "{diagnostics:?}");
}

#[test]
fn a_result_is_counted_by_its_own_rows_and_not_by_the_buffers_it_shares() {
    // The table is one batch of some 4 MB, which a scan gives in two dozen slices.
    let result = engine(16 << 20, 1).run("Events", 0).unwrap();
    assert_eq!(result.table.rows(), 200_000);
}
