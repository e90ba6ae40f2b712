//! `evaluate`: the calls that a query leaves to others, and what becomes of their answers.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray, UInt32Array};
use arrow::datatypes::{Int64Type, Schema};
use serde_json::{Value, json};
use spoor_gate::answer::{Answer, Table as Answered};
use spoor_kql::{
    Engine, EngineOptions, PluginCall, PluginFunction, Query, QueryError, QueryResult, Step,
};
use spoor_plugin_abi::Frame;
use spoor_table::{Column, KustoType, Table, Value as Kusto};

fn function(value: Value) -> PluginFunction {
    PluginFunction {
        plugin: "marks".into(),
        module: "00".into(),
        function: Arc::new(serde_json::from_value(value).unwrap()),
    }
}

/// An engine with the table `T` of five rows, and functions that answer in each of the three ways.
fn engine() -> Engine {
    let mut engine = Engine::new(EngineOptions::default()).unwrap();
    let columns = [
        Column::new("Host", KustoType::String),
        Column::new("Count", KustoType::Long),
    ];
    let rows: Vec<Vec<Kusto>> = (0..5)
        .map(|n| vec![Kusto::String(format!("h{n}")), Kusto::Long(n)])
        .collect();
    engine.register("T", Table::from_values(columns, &rows).unwrap());
    let text = json!({"name": "text", "kind": "column", "type": ["string", "dynamic"]});
    let number = json!({"name": "number", "kind": "column", "type": "real", "default": null});
    let least = json!({"name": "least", "kind": "option", "type": "timespan", "default": 0});
    engine.add_function(function(json!({
        "name": "lengths", "summary": "Lengths.", "input": "batches", "parameters": [text, number, least],
        "output": {"rows": "same", "columns": [{"name": "Count", "type": "long"}]},
    })));
    engine.add_function(function(json!({
        "name": "twice", "summary": "Each row twice.", "input": "batches", "parameters": [text],
        "output": {"rows": "indexed", "columns": [{"name": "Copy", "type": "long"}]},
    })));
    engine.add_function(function(json!({
        "name": "total", "summary": "How many.", "input": "whole", "parameters": [text],
        "output": {"rows": "free", "columns": [{"name": "Rows", "type": "long"}, {"name": "All", "type": "dynamic"}]},
    })));
    engine
}

/// The table of a call's frame.
fn given(call: &PluginCall) -> RecordBatch {
    let frame = Frame::decode(&call.frame).unwrap();
    let stream = frame.tables().next().unwrap();
    let reader = arrow_ipc::reader::StreamReader::try_new(stream, None).unwrap();
    let schema = reader.schema();
    let batches: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
    arrow::compute::concat_batches(&schema, &batches).unwrap()
}

fn answer_of(columns: Vec<(&str, ArrayRef)>) -> Answer {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    Answer {
        tables: vec![Answered {
            schema: batch.schema(),
            batches: vec![batch],
        }],
        charts: Vec::new(),
    }
}

/// What the plugin would say.
fn played(call: &PluginCall) -> Answer {
    let input = given(call);
    let texts = input.column(0).as_string::<i32>();
    let rows = u32::try_from(texts.len()).unwrap();
    match call.function.function.name.as_str() {
        "lengths" => {
            let lengths = texts.iter().map(|text| text.map(|text| text.len() as i64));
            answer_of(vec![("Count", Arc::new(Int64Array::from_iter(lengths)))])
        }
        "twice" => {
            let index: Vec<u32> = (0..rows).flat_map(|row| [row, row]).collect();
            let copies: Vec<i64> = (0..rows).flat_map(|_| [1, 2]).collect();
            answer_of(vec![
                ("_row", Arc::new(UInt32Array::from(index))),
                ("Copy", Arc::new(Int64Array::from(copies))),
            ])
        }
        _ => {
            let all: Vec<&str> = texts.iter().flatten().collect();
            answer_of(vec![
                ("Rows", Arc::new(Int64Array::from(vec![i64::from(rows)]))),
                (
                    "All",
                    Arc::new(StringArray::from(vec![json!(all).to_string()])),
                ),
            ])
        }
    }
}

/// Runs a query whose calls are answered by `played`, and counts them.
fn run(engine: &Engine, text: &str) -> Result<(QueryResult, usize), QueryError> {
    let mut query = engine.start(text, 0).map_err(QueryError::Diagnostics)?;
    let mut calls = 0;
    loop {
        match query.step(Duration::from_millis(50))? {
            Step::Done(result) => return Ok((result, calls)),
            Step::More => {}
            Step::Call(new) => {
                assert!(!new.is_empty(), "it waits for what was answered");
                for call in new {
                    calls += 1;
                    assert!(query.answer(call.number, Ok(played(&call))));
                }
            }
        }
    }
}

fn rows(engine: &Engine, text: &str) -> Vec<String> {
    let table = run(engine, text)
        .unwrap_or_else(|e| panic!("{text}: {e:?}"))
        .0
        .table;
    let names: Vec<&str> = table.columns().iter().map(|c| c.name.as_str()).collect();
    let mut lines = vec![names.join(" ")];
    table.for_each_row(|row| {
        let cells: Vec<String> = row
            .iter()
            .map(|cell| spoor_table::format::text(*cell))
            .collect();
        lines.push(cells.join(" "));
        true
    });
    lines
}

#[test]
fn answers_join_their_rows_and_later_operators_know_the_columns() {
    let engine = engine();
    // The input has a column of that name already.
    let same = "T | where Count > 2 | evaluate lengths(Host) | project Host, Count1, More = Count1 + Count";
    assert_eq!(
        rows(&engine, same),
        ["Host Count1 More", "h3 2 5", "h4 2 6"]
    );
    let indexed = "T | take 2 | evaluate twice(strcat(Host, '!')) | summarize n = count(), s = sum(Copy) by Host | sort by Host asc";
    assert_eq!(rows(&engine, indexed), ["Host n s", "h0 2 3", "h1 2 3"]);
    let free =
        "T | sort by Count desc | evaluate total(text=Host) | mv-expand All to typeof(string)";
    assert_eq!(rows(&engine, free)[..3], ["Rows All", "5 h4", "5 h3"]);
    // Only some columns are looked at; none are.
    assert_eq!(
        rows(
            &engine,
            "T | evaluate lengths(Host) | project Count1 | take 1"
        ),
        ["Count1", "2"]
    );
    assert_eq!(
        rows(&engine, "T | evaluate twice(Host) | count"),
        ["Count", "10"]
    );
    // All of an input that has several parts, in order.
    let parts =
        "union T, (T | extend Host = strcat(Host, 'x')) | evaluate total(Host) | project Rows";
    assert_eq!(rows(&engine, parts), ["Rows", "10"]);
    let sorted = "union T, T | sort by Host desc | evaluate total(Host) | project First = tostring(All[0]), Rows";
    assert_eq!(rows(&engine, sorted), ["First Rows", "h4 10"]);
    let each = "union T, T | evaluate lengths(Host) | count";
    assert_eq!(rows(&engine, each), ["Count", "10"]);
    // Of inputs that run beside each other.
    let beside = "union (T | evaluate twice(Host)), (T | evaluate lengths(Host)) | count";
    assert_eq!(rows(&engine, beside), ["Count", "15"]);
    // Within subqueries, of which the first runs before the query can be bound.
    let nested = "let n = toscalar(T | evaluate total(Host) | project Rows); \
                  T | evaluate lengths(Host) | join kind=inner (T | evaluate twice(Host) | where Copy == 2) on Host | where n == 5 | count";
    assert_eq!(rows(&engine, nested), ["Count", "5"]);
    // Over no rows a function of all rows is asked, one of batches has nothing to be asked.
    assert_eq!(
        rows(&engine, "T | where Count > 9 | evaluate total(Host)"),
        ["Rows All", "0 []"]
    );
    assert_eq!(
        rows(&engine, "T | where Count > 9 | evaluate lengths(Host)"),
        ["Host Count Count1"]
    );
}

#[test]
fn rows_stream_through_in_batches() {
    let engine = engine();
    let text = "range n from 1 to 30000 step 1 | evaluate lengths(tostring(n)) | summarize sum(Count), count()";
    let (result, calls) = run(&engine, text).unwrap();
    assert_eq!(result.table.value(0, 1), Kusto::Long(30_000));
    assert!(calls >= 3, "{calls}");
    // Nothing is called for rows that nobody asks for.
    let (_, calls) = run(
        &engine,
        "range n from 1 to 30000 step 1 | evaluate lengths(tostring(n)) | take 5",
    )
    .unwrap();
    assert_eq!(calls, 1);
}

#[test]
fn a_call_that_nobody_waits_for_any_more_holds_nothing_up() {
    let engine = engine();
    let text = "union (T | evaluate twice(Host)), (T | evaluate twice(Host)), (T | evaluate twice(Host)) | take 1 \
                | extend k = 1 | join kind=inner (range n from 1 to 200000 step 1 | extend k = 1) on k | count";
    let mut query = engine.start(text, 0).unwrap();
    let mut left = Vec::new();
    for _ in 0..100_000 {
        match query.step(Duration::from_nanos(1)).unwrap() {
            Step::Done(result) => {
                assert_eq!(result.table.value(0, 0), Kusto::Long(200_000));
                return;
            }
            Step::More => {}
            Step::Call(new) => {
                left.extend(new);
                let call = left.remove(0);
                query.answer(call.number, Ok(played(&call)));
            }
        }
    }
    panic!("it does not end");
}

#[test]
fn arguments_are_given_as_the_function_takes_them() {
    let engine = engine();
    let mut query: Query = engine
        .start("T | evaluate lengths(number=Count, least=1h, text=Host)", 0)
        .unwrap();
    let call = loop {
        if let Step::Call(mut calls) = query.step(Duration::from_millis(50)).unwrap() {
            break calls.remove(0);
        }
    };
    let frame = Frame::decode(&call.frame).unwrap();
    let header: Value = serde_json::from_slice(frame.header()).unwrap();
    assert_eq!(
        header,
        json!({"function": "lengths", "arguments": {"least": 36_000_000_000_i64}})
    );
    let input = given(&call);
    let names: Vec<String> = Schema::clone(&input.schema())
        .fields()
        .iter()
        .map(|f| f.name().clone())
        .collect();
    // A plugin sees the columns that it was given, and no others, in the order of its parameters.
    assert_eq!(names, ["text", "number"]);
    assert!(input.column(1).as_primitive_opt::<Int64Type>().is_none());
    // Asked again before there is an answer, it still waits.
    let again = query.step(Duration::from_millis(50)).unwrap();
    assert!(matches!(again, Step::Call(new) if new.is_empty()));
    assert!(!query.answer(99, Err("nobody asked".into())));
    assert!(query.answer(call.number, Err("it broke".into())));
    let error = loop {
        match query.step(Duration::from_millis(50)) {
            Ok(Step::More) => {}
            Ok(other) => panic!("{other:?}"),
            Err(error) => break error.to_string(),
        }
    };
    assert_eq!(error, "it broke");
}

#[test]
fn mistakes_are_told_with_their_place() {
    let engine = engine();
    let told = |text: &str| {
        let found = engine.check(text, 0);
        let first = found.first().unwrap_or_else(|| panic!("{text} is fine"));
        let hint = first.hint.clone().unwrap_or_default();
        format!("{}: {} ({hint})", &text[first.span.clone()], first.message)
    };
    let cases = [
        (
            "T | evaluate lenghts(Host)",
            "lenghts: no plugin has a function called `lenghts`",
        ),
        (
            "T | evaluate sql_request()",
            "sql_request: `evaluate sql_request` is not supported yet",
        ),
        (
            "T | evaluate bag_unpack(Host)",
            "Host: `Host` is a string, not dynamic",
        ),
        (
            "T | evaluate lengths()",
            "lengths: the column `text` is missing (lengths(text: string or dynamic, [number: real], [least: timespan = 0]))",
        ),
        (
            "T | evaluate lengths(Count)",
            "Count: this is long, and `text` takes string or dynamic",
        ),
        ("T | evaluate lengths(Host, least=soon)", "soon: "),
        (
            "T | evaluate lengths(Host, least=5)",
            "5: this is long, and `least` takes timespan",
        ),
        (
            "T | evaluate lengths(Host, most=5)",
            "most: `lengths` has no `most` (it takes text, number, least)",
        ),
        (
            "T | evaluate lengths(Host, text=Host)",
            "Host: `text` is given twice",
        ),
        (
            "T | evaluate twice(Host, 1, 2)",
            "1: `twice` has fewer arguments (it takes text)",
        ),
        ("T | evaluate total(Host) | where Host == 'x'", "Host: "),
    ];
    for (text, wanted) in cases {
        let told = told(text);
        assert!(told.starts_with(wanted), "{text}: {told}");
    }
}
