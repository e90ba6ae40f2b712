//! One call of a metered module, the same way on two engines.
#![allow(dead_code, unused_imports, reason = "each test file uses its part")]

mod interpreter;
mod native;

use spoor_gate::answer::{self, Answer, Bounds, Fault};
use spoor_gate::{Reason, Trap, fuel_used};
use spoor_plugin_abi::Function;

pub use interpreter::Wasmi;
pub use native::{Wasmtime, original};

/// An instance of a metered module.
pub trait Guest: Sized {
    fn new(bytes: &[u8]) -> Result<Self, Trap>;
    fn initialize(&mut self) -> Result<(), Trap>;
    fn alloc(&mut self, length: i32) -> Result<i32, Trap>;
    fn call(&mut self, pointer: i32, length: i32) -> Result<i64, Trap>;
    fn memory(&mut self) -> &mut [u8];
    fn set_fuel(&mut self, fuel: i64);
    fn fuel(&mut self) -> i64;
    fn reason(&mut self) -> i32;
}

/// How a call ended.
#[derive(Debug)]
pub enum End {
    Trap(Trap),
    Fault(Fault),
    Error(String),
    Answer(Answer),
}

/// How a call ended, and the fuel that it used.
#[derive(Debug)]
pub struct Ran {
    pub end: End,
    pub fuel: u64,
}

/// Runs one call as a host does: a fresh instance, the fuel set once, and every number checked.
pub fn run<G: Guest>(bytes: &[u8], function: &Function, call: &[u8], rows: u64, fuel: u64) -> Ran {
    let mut guest = match G::new(bytes) {
        Ok(guest) => guest,
        Err(trap) => {
            return Ran {
                end: End::Trap(trap),
                fuel: 0,
            };
        }
    };
    guest.set_fuel(fuel as i64);
    let end = steps(&mut guest, function, call, rows).unwrap_or_else(|end| match end {
        End::Trap(trap) => End::Trap(trap.because(Reason::from_global(guest.reason()))),
        other => other,
    });
    Ran {
        end,
        fuel: fuel_used(fuel, guest.fuel()),
    }
}

fn steps<G: Guest>(guest: &mut G, function: &Function, call: &[u8], rows: u64) -> Result<End, End> {
    let bounds = Bounds::default();
    guest.initialize().map_err(End::Trap)?;
    let pointer = guest.alloc(call.len() as i32).map_err(End::Trap)?;
    let size = guest.memory().len() as u64;
    let room = answer::room(pointer, call.len(), size).map_err(End::Fault)?;
    guest.memory()[room].copy_from_slice(call);
    let returned = guest.call(pointer, call.len() as i32).map_err(End::Trap)?;
    let size = guest.memory().len() as u64;
    let located = answer::locate(returned, size, &bounds).map_err(End::Fault)?;
    let bytes = guest.memory()[located.range].to_vec();
    if located.failed {
        return Ok(End::Error(answer::message(&bytes)));
    }
    answer::read(&bytes, function, rows, &bounds)
        .map(End::Answer)
        .map_err(End::Fault)
}
