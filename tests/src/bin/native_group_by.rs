//! `native_group_by FILE RUNS THREADS`: the benchmark's group-by in native DataFusion, over rows
//! already in memory. Prints each run's milliseconds, one a line.

// Its output is its answer.
#![allow(clippy::print_stdout)]

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use datafusion::datasource::MemTable;
use datafusion::functions_aggregate::expr_fn::{avg, count};
use datafusion::prelude::{SessionConfig, SessionContext, ident, lit};

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [file, runs, threads] = args.as_slice() else {
        anyhow::bail!("usage: native_group_by FILE RUNS THREADS");
    };
    let (runs, threads): (usize, usize) = (runs.parse()?, threads.parse()?);
    let batches = spoor_tests::read_rows(file.as_ref())?;
    let schema = batches.first().context("the file has no rows")?.schema();
    let context =
        SessionContext::new_with_config(SessionConfig::new().with_target_partitions(threads));
    let partitions = deal(batches, threads);
    context.register_table("Rows", Arc::new(MemTable::try_new(schema, partitions)?))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .build()?;
    for _ in 0..runs {
        let begun = Instant::now();
        let groups = runtime.block_on(group_by(&context))?;
        println!("{:.3}", begun.elapsed().as_secs_f64() * 1e3);
        ensure!(groups == 5_000, "{groups} groups instead of 5,000");
    }
    Ok(())
}

/// `Rows | summarize count(), avg(Score) by Account`.
async fn group_by(context: &SessionContext) -> Result<usize> {
    let frame = context.table("Rows").await?.aggregate(
        vec![ident("Account")],
        vec![count(lit(1)), avg(ident("Score"))],
    )?;
    Ok(frame
        .collect()
        .await?
        .iter()
        .map(|batch| batch.num_rows())
        .sum())
}

fn deal<T>(items: Vec<T>, hands: usize) -> Vec<Vec<T>> {
    let mut dealt: Vec<Vec<T>> = (0..hands).map(|_| Vec::new()).collect();
    for (n, item) in items.into_iter().enumerate() {
        dealt[n % hands].push(item);
    }
    dealt
}
