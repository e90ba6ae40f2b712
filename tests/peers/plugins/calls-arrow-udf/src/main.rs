//! Times calls of arrow-udf: prints the median in microseconds. By itself its runtime keeps instances in a pool.

use anyhow::Result;
use arrow_schema::DataType;
use arrow_udf_runtime::wasm::Runtime;
use calls::{Task, input, median};

fn main() -> Result<()> {
    let task = Task::of_arguments()?;
    let runtime = Runtime::new(&task.module)?;
    let types = vec![DataType::Int64, DataType::Int64];
    let gcd = runtime.find_function("gcd", types, DataType::Int64)?;
    let input = input()?;
    let median = median(task.calls, || match task.is_fresh {
        // A clone shares the compiled module, and its pool is empty.
        true => runtime.clone().call(&gcd, &input),
        false => runtime.call(&gcd, &input),
    })?;
    println!("{median}");
    Ok(())
}
