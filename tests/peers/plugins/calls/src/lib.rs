//! How the peers' calls are timed: `gcd` over 1,024 rows, from a record batch to a record batch.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Int64Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema};

const ROWS: i64 = 1_024;

/// What a peer is to do.
pub struct Task {
    /// The module.
    pub module: Vec<u8>,
    /// Calls that are counted.
    pub calls: usize,
    /// Whether each call has an instance of its own, of a module that is compiled already, as Spoor's have. By
    /// themselves the peers keep one from call to call.
    pub is_fresh: bool,
}

impl Task {
    /// The task of a command line: `MODULE CALLS kept|fresh`.
    pub fn of_arguments() -> Result<Self> {
        let args: Vec<String> = std::env::args().skip(1).collect();
        let [module, calls, instance] = args.as_slice() else {
            bail!("usage: MODULE CALLS kept|fresh");
        };
        Ok(Task {
            module: std::fs::read(Path::new(module))
                .with_context(|| format!("could not read {module}"))?,
            calls: calls.parse()?,
            is_fresh: instance == "fresh",
        })
    }
}

/// The columns of arrow-udf's own benchmark: numbers, and each twice.
pub fn input() -> Result<RecordBatch> {
    let field = |name| Field::new(name, DataType::Int64, true);
    let schema = Schema::new(vec![field("a"), field("b")]);
    let (a, b) = (0..ROWS, (0..ROWS).map(|n| 2 * n));
    let columns = vec![
        Arc::new(Int64Array::from_iter_values(a)) as _,
        Arc::new(Int64Array::from_iter_values(b)) as _,
    ];
    Ok(RecordBatch::try_new(Arc::new(schema), columns)?)
}

/// A number and its double have that number in common.
fn check(answer: &RecordBatch) -> Result<()> {
    let column = answer.column(0).as_primitive_opt::<Int64Type>();
    let column = column.context("the answer is not of int64")?;
    ensure!(
        column.values().iter().copied().eq(0..ROWS),
        "the answer is wrong"
    );
    Ok(())
}

/// The median microseconds of a call, after a tenth as many that are not counted.
pub fn median(calls: usize, mut call: impl FnMut() -> Result<RecordBatch>) -> Result<f64> {
    for _ in 0..calls / 10 + 1 {
        check(&call()?)?;
    }
    let mut times = Vec::with_capacity(calls);
    for _ in 0..calls {
        let began = Instant::now();
        let answer = call()?;
        times.push(began.elapsed().as_secs_f64() * 1e6);
        check(&answer)?;
    }
    times.sort_by(f64::total_cmp);
    times
        .get(calls / 2)
        .copied()
        .context("count at least one call")
}
