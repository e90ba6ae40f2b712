#![allow(clippy::unwrap_used)]

use wasmtime::{Engine, Instance, Module, Store};

use super::*;

const KERNEL: &str = r#"(module
    (import "a" "tell" (func $tell (param i32)))
    (memory (export "memory") 1)
    (table 2 funcref)
    (elem (i32.const 0) $pointed $never)
    (data (i32.const 5) "\07")
    (func (export "sum") (param i32) (result i32) (local i64 i32 i32)
        (local.set 2 (i32.load8_u (i32.const 5)))
        (i32.add (call $called (local.get 0)) (local.get 2)))
    (func $never (export "never") (unreachable))
    (func $called (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
    (func $pointed (export "point") (call_indirect (i32.const 0)) (unreachable)))"#;

#[test]
fn a_watched_kernel_does_the_same_and_says_what_ran() {
    let watched = watched(&wat::parse_str(KERNEL).unwrap()).unwrap();
    assert_eq!(watched.functions, 5);
    let engine = Engine::default();
    let module = Module::new(&engine, &watched.module).unwrap();
    let mut store = Store::new(&engine, ());
    let tell = wasmtime::Func::wrap(&mut store, |_: i32| {});
    let instance = Instance::new(&mut store, &module, &[tell.into()]).unwrap();
    let sum = instance
        .get_typed_func::<i32, i32>(&mut store, "sum")
        .unwrap();
    assert_eq!(sum.call(&mut store, 4).unwrap(), 15);
    let marks = instance.get_memory(&mut store, MARKS).unwrap();
    assert_eq!(marks.data(&store)[..6], [0, 1, 0, 1, 0, 0]);
}

#[test]
fn what_imports_a_memory_is_refused() {
    let module = wat::parse_str("(module (import \"a\" \"b\" (memory 1)))").unwrap();
    assert!(super::watched(&module).unwrap_err().contains("function"));
}
