//! Times calls of Extism: prints the median in microseconds. By itself a plugin of its keeps its instance.

use anyhow::{Context, Result};
use arrow_array::RecordBatch;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use calls::{Task, input, median};
use extism::{CompiledPlugin, Plugin, PluginBuilder};

fn main() -> Result<()> {
    let task = Task::of_arguments()?;
    let compiled = CompiledPlugin::new(PluginBuilder::new(task.module).with_cache_disabled())?;
    let mut kept = Plugin::new_from_compiled(&compiled)?;
    let input = input()?;
    let median = median(task.calls, || match task.is_fresh {
        true => call(&mut Plugin::new_from_compiled(&compiled)?, &input),
        false => call(&mut kept, &input),
    })?;
    println!("{median}");
    Ok(())
}

/// Extism hands over bytes; what they mean is its user's to say. Here they are Arrow IPC streams.
fn call(plugin: &mut Plugin, input: &RecordBatch) -> Result<RecordBatch> {
    let mut bytes = Vec::new();
    let mut writer = StreamWriter::try_new(&mut bytes, &input.schema())?;
    writer.write(input)?;
    writer.finish()?;
    drop(writer);
    let answer: &[u8] = plugin.call("gcd", bytes.as_slice())?;
    let batch = StreamReader::try_new(answer, None)?.next();
    Ok(batch.context("the answer has no batch")??)
}
