//! What metering costs: calls of a module as it is and metered, under wasmtime.
//!
//! `cargo run --release -p spoor-gate --example overhead -- work.wasm`, where `work.wasm` is `examples/work.rs` built with
//! `rustc -O --target wasm32-unknown-unknown --crate-type cdylib`: a plugin's exports, and a `call(kind, rounds)` that
//! works. Prints the least of nine runs of each kind.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a measurement"
)]

use std::time::{Duration, Instant};

use spoor_gate::{FUEL_EXPORT, Limits, Policy, admit, meter};
use wasmtime::{Engine, Instance, Module, Store, Val};

const KINDS: [(&str, i32); 8] = [
    ("sha256", 60),
    ("utf-8 scan", 300),
    ("byte count", 300),
    ("fnv hash", 100),
    ("sort", 6),
    ("recursion", 27),
    ("float sums", 60),
    ("dispatch", 100),
];

fn main() {
    let path = std::env::args().nth(1).expect("the path of work.wasm");
    let manifest = spoor_hostile::good_manifest().to_string();
    let bytes = spoor_hostile::with_section(
        std::fs::read(path).unwrap(),
        "spoor.manifest",
        manifest.as_bytes(),
    );
    let module = admit(&bytes, &Policy::default()).unwrap();
    let start = Instant::now();
    let metered = meter(&module, &Limits::default()).unwrap().bytes;
    println!(
        "{} bytes, metered {} in {:?}",
        bytes.len(),
        metered.len(),
        start.elapsed()
    );
    let engine = Engine::default();
    let (mut before, mut after) = (instance(&engine, &bytes), instance(&engine, &metered));
    for (kind, (name, rounds)) in KINDS.iter().enumerate() {
        let mut times = [Duration::MAX; 2];
        for _ in 0..9 {
            for (time, guest) in times.iter_mut().zip([&mut before, &mut after]) {
                *time = (*time).min(call(guest, kind as i32, *rounds).0);
            }
        }
        let [plain, counted] = times;
        let (_, fuel) = call(&mut after, kind as i32, *rounds);
        let percent = (counted.as_secs_f64() / plain.as_secs_f64() - 1.0) * 100.0;
        println!("{name:12} {plain:10.2?} {counted:10.2?} {percent:+6.1} %  {fuel} units");
    }
}

fn instance(engine: &Engine, bytes: &[u8]) -> (Store<()>, Instance) {
    let module = Module::new(engine, bytes).unwrap();
    let mut store = Store::new(engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    (store, instance)
}

fn call((store, instance): &mut (Store<()>, Instance), kind: i32, rounds: i32) -> (Duration, i64) {
    let function = instance
        .get_typed_func::<(i32, i32), i64>(&mut *store, "call")
        .unwrap();
    let fuel = instance.get_global(&mut *store, FUEL_EXPORT);
    let limit = 1 << 50;
    if let Some(fuel) = &fuel {
        fuel.set(&mut *store, Val::I64(limit)).unwrap();
    }
    let start = Instant::now();
    function.call(&mut *store, (kind, rounds)).unwrap();
    let time = start.elapsed();
    let left = fuel.map_or(limit, |fuel| fuel.get(&mut *store).unwrap_i64());
    (time, limit - left)
}
