//! Kernels that misbehave, each written out as WebAssembly text.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::engine::THREAD_STACK;

/// A kernel whose `step` echoes the event, unless `changes` replace a part of it.
fn kernel_text(changes: &[(&str, &str)]) -> String {
    let mut text = r#"(module
        (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (data (i32.const 8) "\10\00\00\00\0c\00\00\00")
        (data (i32.const 16) "out of ideas")
        (func (export "_initialize"))
        (func (export "spoor_kernel_protocol") (result i32) (i32.const 1))
        (func (export "alloc") (param i32) (result i32) (i32.const 1024))
        (func (export "dealloc") (param i32 i32))
        (func (export "step") (param $ptr i32) (param $len i32) (result i64)
            (i64.or (i64.shl (i64.extend_i32_u (local.get $ptr)) (i64.const 32))
                    (i64.extend_i32_u (local.get $len)))))"#
        .to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "{from} is not in the kernel");
        text = text.replace(from, to);
    }
    text
}

fn start(changes: &[(&str, &str)]) -> Result<Kernel, Error> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(FILE);
    std::fs::write(&path, wat::parse_str(kernel_text(changes)).unwrap()).unwrap();
    let code = Code::load(&path, &Cache::at(dir.path().join("aot")), &|_| {}).unwrap();
    let limits = Limits {
        memory_bytes: 16 << 20,
        step_time: Duration::from_millis(50),
    };
    Kernel::start(&code, limits, &Ambient::live(false))
}

/// What an event comes to in a kernel whose `step` has this body.
fn step(body: &str) -> Result<Vec<u8>, Error> {
    let whole = "(i64.or (i64.shl (i64.extend_i32_u (local.get $ptr)) (i64.const 32))
                    (i64.extend_i32_u (local.get $len)))";
    start(&[(whole, body)])?.step(b"event")
}

fn message(result: Result<impl Sized, Error>) -> String {
    result.err().unwrap().to_string()
}

#[test]
fn a_step_takes_an_event_and_gives_its_answer() {
    assert_eq!(start(&[]).unwrap().step(b"event").unwrap(), b"event");
}

#[test]
fn another_protocol_is_refused() {
    let said = message(start(&[(
        "(i32.const 1))\n        (func (export \"alloc\")",
        "(i32.const 7))\n        (func (export \"alloc\")",
    )]));
    assert!(
        said.contains("version 7") && said.contains("cargo xtask setup"),
        "{said}"
    );
}

#[test]
fn a_module_that_is_no_kernel_is_refused() {
    for export in [
        "memory",
        "alloc",
        "dealloc",
        "step",
        "spoor_kernel_protocol",
    ] {
        let said = message(start(&[(&format!("(export \"{export}\")"), "")]));
        assert!(said.contains(export), "{export}: {said}");
    }
}

#[test]
fn an_import_from_elsewhere_is_refused() {
    let said = message(start(&[(
        "\"wasi_snapshot_preview1\" \"fd_write\"",
        "\"env\" \"open_a_socket\"",
    )]));
    assert!(said.contains("open_a_socket"), "{said}");
}

#[test]
fn answers_outside_memory_are_refused() {
    for answer in [
        "(i64.const 0x0000fff000000020)",
        "(i64.const 0xffffffffffffffff)",
        "(i64.const 0x00000000ffffffff)",
    ] {
        let said = message(step(answer));
        assert!(said.contains("not within its memory"), "{answer}: {said}");
    }
}

#[test]
fn an_allocation_outside_memory_is_refused() {
    let wild = start(&[("(i32.const 1024)", "(i32.const 0xfffffff0)")])
        .unwrap()
        .step(b"event");
    assert!(matches!(wild, Err(Error::Kernel(_))));
    let none = message(
        start(&[("(i32.const 1024)", "(i32.const 0)")])
            .unwrap()
            .step(b"event"),
    );
    assert!(none.contains("no memory left"), "{none}");
}

#[test]
fn a_loop_is_stopped() {
    let said = message(step("(loop $forever (br $forever)) (i64.const 0)"));
    assert!(said.contains("longer than 50ms"), "{said}");
}

#[test]
fn memory_is_limited() {
    let said = message(step(
        "(if (i32.eq (memory.grow (i32.const 1000)) (i32.const -1)) (then unreachable)) (i64.const 0)",
    ));
    assert!(said.contains("more than its 16 MiB"), "{said}");
}

#[test]
fn a_kernel_that_broke_is_not_stepped_again() {
    // Its first step traps, any other would be answered.
    let whole = "(i64.or (i64.shl (i64.extend_i32_u (local.get $ptr)) (i64.const 32))
                    (i64.extend_i32_u (local.get $len)))";
    let body = format!(
        "(if (i32.eqz (i32.load8_u (i32.const 100)))
            (then (i32.store8 (i32.const 100) (i32.const 1)) unreachable))
        {whole}"
    );
    let mut kernel = start(&[(whole, &body)]).unwrap();
    assert!(kernel.check().is_ok());
    let first = message(kernel.step(b"event"));
    assert!(first.contains("unreachable"), "{first}");
    let second = message(kernel.step(b"event"));
    assert!(
        second.contains("started anew") && second.contains("unreachable"),
        "{second}"
    );
    assert_eq!(message(kernel.check()), second);
}

#[test]
fn a_panic_is_quoted() {
    let said = message(step(
        "(drop (call $fd_write (i32.const 2) (i32.const 8) (i32.const 1) (i32.const 4))) unreachable",
    ));
    assert!(
        said.contains("out of ideas") && said.contains("unreachable"),
        "{said}"
    );
}

#[test]
fn endless_recursion_is_a_trap() {
    // As a session's thread has it: more than the engine lets WebAssembly use.
    let recurse = || {
        message(step(
            "(drop (call $again)) (i64.const 0)) (func $again (result i32) (i32.add (call $again) (i32.const 1))",
        ))
    };
    let thread = std::thread::Builder::new().stack_size(THREAD_STACK);
    let said = thread.spawn(recurse).unwrap().join().unwrap();
    assert!(said.contains("stack"), "{said}");
}
