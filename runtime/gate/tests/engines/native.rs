//! wasmtime.

use std::sync::LazyLock;

use spoor_gate::{FUEL_EXPORT, REASON_EXPORT, Trap};
use wasmtime::{Config, Engine, Instance, Linker, Memory, Module, Store, Val};

use super::Guest;

static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let mut config = Config::new();
    config.max_wasm_stack(1 << 20);
    Engine::new(&config).unwrap()
});

static FUELED: LazyLock<Engine> = LazyLock::new(|| {
    let mut config = Config::new();
    config.max_wasm_stack(1 << 20).consume_fuel(true);
    // What metering does too: a module may look at the bits of a NaN, which WebAssembly leaves open.
    config.cranelift_nan_canonicalization(true);
    Engine::new(&config).unwrap()
});

pub struct Wasmtime {
    store: Store<()>,
    instance: Instance,
    memory: Memory,
}

impl Guest for Wasmtime {
    fn new(bytes: &[u8]) -> Result<Self, Trap> {
        let module = Module::new(&ENGINE, bytes).unwrap();
        let mut store = Store::new(&ENGINE, ());
        let mut linker = Linker::new(&ENGINE);
        linker
            .func_wrap("spoor_abi_1", "log", |_: i32, _: i32| {})
            .unwrap();
        linker
            .func_wrap("spoor_abi_1", "progress", |_: i32| {})
            .unwrap();
        linker.func_wrap("spoor_abi_1", "time", || 0i64).unwrap();
        let instance = linker
            .instantiate(&mut store, &module)
            .map_err(|e| trap(&e))?;
        let memory = instance.get_memory(&mut store, "memory").unwrap();
        Ok(Wasmtime {
            store,
            instance,
            memory,
        })
    }

    fn initialize(&mut self) -> Result<(), Trap> {
        match self
            .instance
            .get_typed_func::<(), ()>(&mut self.store, "_initialize")
        {
            Ok(function) => function.call(&mut self.store, ()).map_err(|e| trap(&e)),
            Err(_) => Ok(()),
        }
    }

    fn alloc(&mut self, length: i32) -> Result<i32, Trap> {
        let function = self
            .instance
            .get_typed_func::<i32, i32>(&mut self.store, "alloc")
            .unwrap();
        function.call(&mut self.store, length).map_err(|e| trap(&e))
    }

    fn call(&mut self, pointer: i32, length: i32) -> Result<i64, Trap> {
        let function = self
            .instance
            .get_typed_func::<(i32, i32), i64>(&mut self.store, "call")
            .unwrap();
        function
            .call(&mut self.store, (pointer, length))
            .map_err(|e| trap(&e))
    }

    fn memory(&mut self) -> &mut [u8] {
        self.memory.data_mut(&mut self.store)
    }

    fn set_fuel(&mut self, fuel: i64) {
        let global = self
            .instance
            .get_global(&mut self.store, FUEL_EXPORT)
            .unwrap();
        global.set(&mut self.store, Val::I64(fuel)).unwrap();
    }

    fn fuel(&mut self) -> i64 {
        let global = self
            .instance
            .get_global(&mut self.store, FUEL_EXPORT)
            .unwrap();
        global.get(&mut self.store).unwrap_i64()
    }

    fn reason(&mut self) -> i32 {
        let global = self
            .instance
            .get_global(&mut self.store, REASON_EXPORT)
            .unwrap();
        global.get(&mut self.store).unwrap_i32()
    }
}

/// A call of the module as it was, with the engine's own fuel: the result and the memory after it, or the trap; and what it
/// took of that fuel.
pub fn original(
    bytes: &[u8],
    arguments: (i32, i32),
    fuel: u64,
) -> (Result<(i64, Vec<u8>), Trap>, u64) {
    let module = Module::new(&FUELED, bytes).unwrap();
    let mut store = Store::new(&FUELED, ());
    store.set_fuel(fuel).unwrap();
    let result = finish(&mut store, &module, arguments);
    (result, fuel - store.get_fuel().unwrap())
}

fn finish(
    mut store: &mut Store<()>,
    module: &Module,
    arguments: (i32, i32),
) -> Result<(i64, Vec<u8>), Trap> {
    let instance = Instance::new(&mut store, module, &[]).map_err(|e| trap(&e))?;
    let function = instance
        .get_typed_func::<(i32, i32), i64>(&mut store, "call")
        .unwrap();
    let result = function.call(&mut store, arguments).map_err(|e| trap(&e))?;
    let memory = instance.get_memory(&mut store, "memory").unwrap();
    Ok((result, memory.data(&store).to_vec()))
}

fn trap(error: &wasmtime::Error) -> Trap {
    use wasmtime::Trap as T;
    match error.downcast_ref::<T>() {
        Some(T::StackOverflow) => Trap::Stack,
        Some(T::MemoryOutOfBounds) => Trap::Memory,
        Some(T::TableOutOfBounds) => Trap::Table,
        Some(T::IndirectCallToNull | T::BadSignature) => Trap::Signature,
        Some(T::IntegerOverflow) => Trap::Overflow,
        Some(T::IntegerDivisionByZero) => Trap::DivisionByZero,
        Some(T::BadConversionToInteger) => Trap::Conversion,
        Some(T::UnreachableCodeReached) => Trap::Unreachable,
        Some(T::OutOfFuel) => Trap::Fuel,
        Some(T::Interrupt) => Trap::Deadline,
        _ => Trap::Other,
    }
}
