//! `time_metering MODULE FUNCTION DATA RUNS [OPTION=VALUE ...]`: what counting its own instructions costs a plugin. DATA is an
//! Arrow file whose columns are named as the function's parameters.
//!
//! One call's frame goes through the module as it was built and through the module that the gate makes of it, in turn, in
//! the engine that plugins run in. Prints the median milliseconds of either, and the rows, one a line.

// Its output is its answer.
#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, anyhow, bail, ensure};
use spoor::plugins::{engine, parse_option};
use spoor_gate::{FUEL_EXPORT, Limits, MAX_FUEL, Policy, admit, meter};
use spoor_plugin_abi::{EXPORT_ALLOC, EXPORT_CALL, EXPORT_INITIALIZE, EXPORT_MEMORY, Function};
use spoor_plugins::{Bound, Call, fitting};
use spoor_table::{Table, convert};
use spoor_tests::read_rows;
use wasmtime::{InstancePre, Linker, Module, Store, Val};

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [module, function, data, runs, options @ ..] = args.as_slice() else {
        bail!("usage: time_metering MODULE FUNCTION DATA RUNS [OPTION=VALUE ...]");
    };
    let bytes = fs::read(module).with_context(|| format!("could not read {module}"))?;
    let admitted = admit(&bytes, &Policy::default())?;
    let function = admitted.manifest.function(function);
    let function = function.context("there is no such function")?;
    let table = table(Path::new(data))?;
    let frame = frame(function, &table, options)?;
    let (raw, metered) = (
        prepare(&bytes)?,
        prepare(&meter(&admitted, &Limits::default())?.bytes)?,
    );
    ensure!(
        answer(&raw, &frame)? == answer(&metered, &frame)?,
        "the metered module answers otherwise"
    );
    let (mut one, mut other) = (Vec::new(), Vec::new());
    for _ in 0..runs.parse::<u32>()? {
        one.push(timed(&raw, &frame)?);
        other.push(timed(&metered, &frame)?);
    }
    println!("{}\n{}\n{}", median(one)?, median(other)?, table.rows());
    Ok(())
}

fn table(data: &Path) -> Result<Table> {
    let batches = read_rows(data)?;
    let first = batches.first().context("the data has no rows")?;
    Ok(convert::from_arrow(&first.schema(), &batches)?)
}

/// The frame of a call with all rows.
fn frame(function: &Function, table: &Table, options: &[String]) -> Result<Vec<u8>> {
    let bound = function.columns().filter_map(|parameter| {
        let index = table.index_of(&parameter.name)?;
        let ty = fitting(table.columns().get(index)?.ty, &parameter.types.to_vec())?;
        Some(Bound {
            name: parameter.name.clone(),
            index,
            ty,
        })
    });
    let mut values = BTreeMap::new();
    for option in options {
        let (name, text) = option.split_once('=').context("an option is NAME=VALUE")?;
        let parameter = function.options().find(|option| option.name == name);
        let parameter = parameter.with_context(|| format!("there is no option {name}"))?;
        values.insert(name.to_owned(), parse_option(parameter, text)?);
    }
    let call = Call::new(function.clone(), bound.collect(), &values)?;
    Ok(call.frame(Some(&table.concat()?))?)
}

fn prepare(module: &[u8]) -> Result<InstancePre<()>> {
    let engine = engine::shared()?;
    Module::new(engine, module)
        .and_then(|module| Linker::new(engine).instantiate_pre(&module))
        .map_err(|error| anyhow!("{error:#}"))
}

/// The milliseconds of a call.
fn timed(module: &InstancePre<()>, frame: &[u8]) -> Result<f64> {
    let began = Instant::now();
    answer(module, frame)?;
    Ok(began.elapsed().as_secs_f64() * 1e3)
}

/// The answer of a call, in an instance of its own, as plugins/ABI.md has it.
fn answer(module: &InstancePre<()>, frame: &[u8]) -> Result<Vec<u8>> {
    let (answer, is_message) = call(module, frame).map_err(|error| anyhow!("{error:#}"))?;
    if is_message {
        bail!("the plugin said: {}", String::from_utf8_lossy(&answer));
    }
    Ok(answer)
}

/// What a call answered, and whether that is an error's message.
fn call(module: &InstancePre<()>, frame: &[u8]) -> wasmtime::Result<(Vec<u8>, bool)> {
    let mut store = Store::new(module.module().engine(), ());
    store.set_epoch_deadline(u64::MAX / 2);
    let instance = module.instantiate(&mut store)?;
    if let Some(fuel) = instance.get_global(&mut store, FUEL_EXPORT) {
        fuel.set(&mut store, Val::I64(MAX_FUEL as i64))?;
    }
    if let Ok(initialize) = instance.get_typed_func::<(), ()>(&mut store, EXPORT_INITIALIZE) {
        initialize.call(&mut store, ())?;
    }
    let memory = instance.get_memory(&mut store, EXPORT_MEMORY);
    let memory = memory.ok_or_else(|| wasmtime::Error::msg("there is no memory"))?;
    let alloc = instance.get_typed_func::<i32, i32>(&mut store, EXPORT_ALLOC)?;
    let length = i32::try_from(frame.len())?;
    let pointer = alloc.call(&mut store, length)?;
    memory.write(&mut store, pointer as u32 as usize, frame)?;
    let call = instance.get_typed_func::<(i32, i32), i64>(&mut store, EXPORT_CALL)?;
    let packed = call.call(&mut store, (pointer, length))?;
    let (start, length) = (
        (packed >> 32) as usize & 0x7FFF_FFFF,
        packed as u32 as usize,
    );
    let bytes = memory.data(&store).get(start..start + length);
    let bytes = bytes.ok_or_else(|| wasmtime::Error::msg("the answer lies outside"))?;
    Ok((bytes.to_vec(), packed < 0))
}

fn median(mut times: Vec<f64>) -> Result<f64> {
    times.sort_by(f64::total_cmp);
    let middle = times.get(times.len() / 2).copied();
    middle.context("count at least one run")
}
