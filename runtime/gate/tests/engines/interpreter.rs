//! wasmi: the third opinion.

use std::sync::LazyLock;

use spoor_gate::{FUEL_EXPORT, REASON_EXPORT, Trap};
use wasmi::{Config, Engine, Instance, Linker, Memory, Module, Store, TrapCode, Val};

use super::Guest;

static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let mut config = Config::default();
    config
        .wasm_simd(true)
        .set_max_recursion_depth(100_000)
        .set_max_stack_height(64 << 20);
    Engine::new(&config)
});

pub struct Wasmi {
    store: Store<()>,
    instance: Instance,
    memory: Memory,
}

impl Guest for Wasmi {
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
            .instantiate_and_start(&mut store, &module)
            .map_err(|e| trap(&e))?;
        let memory = instance.get_memory(&store, "memory").unwrap();
        Ok(Wasmi {
            store,
            instance,
            memory,
        })
    }

    fn initialize(&mut self) -> Result<(), Trap> {
        match self
            .instance
            .get_typed_func::<(), ()>(&self.store, "_initialize")
        {
            Ok(function) => function.call(&mut self.store, ()).map_err(|e| trap(&e)),
            Err(_) => Ok(()),
        }
    }

    fn alloc(&mut self, length: i32) -> Result<i32, Trap> {
        let function = self
            .instance
            .get_typed_func::<i32, i32>(&self.store, "alloc")
            .unwrap();
        function.call(&mut self.store, length).map_err(|e| trap(&e))
    }

    fn call(&mut self, pointer: i32, length: i32) -> Result<i64, Trap> {
        let function = self
            .instance
            .get_typed_func::<(i32, i32), i64>(&self.store, "call")
            .unwrap();
        function
            .call(&mut self.store, (pointer, length))
            .map_err(|e| trap(&e))
    }

    fn memory(&mut self) -> &mut [u8] {
        self.memory.data_mut(&mut self.store)
    }

    fn set_fuel(&mut self, fuel: i64) {
        let global = self.instance.get_global(&self.store, FUEL_EXPORT).unwrap();
        global.set(&mut self.store, Val::I64(fuel)).unwrap();
    }

    fn fuel(&mut self) -> i64 {
        let global = self.instance.get_global(&self.store, FUEL_EXPORT).unwrap();
        global.get(&self.store).i64().unwrap()
    }

    fn reason(&mut self) -> i32 {
        let global = self
            .instance
            .get_global(&self.store, REASON_EXPORT)
            .unwrap();
        global.get(&self.store).i32().unwrap()
    }
}

fn trap(error: &wasmi::Error) -> Trap {
    match error.as_trap_code() {
        Some(TrapCode::StackOverflow) => Trap::Stack,
        Some(TrapCode::MemoryOutOfBounds) => Trap::Memory,
        Some(TrapCode::TableOutOfBounds) => Trap::Table,
        Some(TrapCode::IndirectCallToNull | TrapCode::BadSignature) => Trap::Signature,
        Some(TrapCode::IntegerOverflow) => Trap::Overflow,
        Some(TrapCode::IntegerDivisionByZero) => Trap::DivisionByZero,
        Some(TrapCode::BadConversionToInteger) => Trap::Conversion,
        Some(TrapCode::UnreachableCodeReached) => Trap::Unreachable,
        Some(TrapCode::OutOfFuel) => Trap::Fuel,
        _ if error.to_string().contains("table") => Trap::Table,
        _ => Trap::Other,
    }
}
