//! `time_plugin MODULE CALLS`: what a call of a plugin's function `gcd` over 1,024 rows takes, from a record batch to a checked
//! table. The module is admitted, metered and compiled before; each call makes an instance of it, as every call does.
//!
//! Prints the median of the calls in microseconds. The programs in `tests/peers/plugins` do the same for others.

// Its output is its answer.
#![allow(clippy::print_stdout)]

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch};
use arrow::datatypes::Int64Type;
use spoor::aot::Cache;
use spoor::plugins::{Ask, Control, Plugin, Runner, Wish, evaluate};
use spoor_table::{Table, convert};

const ROWS: i64 = 1_024;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [module, calls] = args.as_slice() else {
        bail!("usage: time_plugin MODULE CALLS");
    };
    let bytes = fs::read(module).with_context(|| format!("could not read {module}"))?;
    let runner = Runner::new(Cache::of_user());
    let plugin = runner.load(&bytes, &Wish::default(), &BTreeSet::new(), &|_| {})?;
    println!("{}", median(&plugin, calls.parse()?)?);
    Ok(())
}

/// The columns of arrow-udf's own benchmark: numbers, and each twice.
fn input() -> Result<RecordBatch> {
    let a: ArrayRef = Arc::new(Int64Array::from_iter_values(0..ROWS));
    let b: ArrayRef = Arc::new(Int64Array::from_iter_values((0..ROWS).map(|n| 2 * n)));
    Ok(RecordBatch::try_from_iter([("a", a), ("b", b)])?)
}

/// The median microseconds of a call, after a tenth as many that are not counted.
fn median(plugin: &Plugin, calls: usize) -> Result<f64> {
    let (input, control) = (input()?, Control::default());
    for _ in 0..calls / 10 + 1 {
        check(&call(plugin, &input, &control)?)?;
    }
    let mut times = Vec::with_capacity(calls);
    for _ in 0..calls {
        let began = Instant::now();
        let answer = call(plugin, &input, &control)?;
        times.push(began.elapsed().as_secs_f64() * 1e6);
        check(&answer)?;
    }
    times.sort_by(f64::total_cmp);
    let middle = times.get(calls / 2).copied();
    middle.context("count at least one call")
}

fn call(plugin: &Plugin, input: &RecordBatch, control: &Control) -> Result<Table> {
    let table = convert::from_arrow(&input.schema(), std::slice::from_ref(input))?;
    let ask = Ask {
        function: "gcd",
        table: Some(&table),
        ..Ask::default()
    };
    let mut done = evaluate(plugin, &ask, control)?;
    done.tables.pop().context("there is no answer")
}

/// A number and its double have that number in common.
fn check(answer: &Table) -> Result<()> {
    let batch = answer.concat()?;
    let column = batch.columns().last().context("there is no column")?;
    let column = column.as_primitive_opt::<Int64Type>();
    let column = column.context("the answer is not of int64")?;
    ensure!(
        column.values().iter().copied().eq(0..ROWS),
        "the answer is wrong"
    );
    Ok(())
}
