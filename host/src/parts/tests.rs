#![allow(clippy::unwrap_used)]

use std::sync::{Arc, Mutex};

use wasmtime::{Caller, Config, Engine, Extern, Instance, Linker, Module, Store};

use super::*;

/// Functions 1 and 2 are the guest's, 3 and 4 tables', 5 science's, 6 a library of both.
const WHOLE: &str = r#"(module
    (type $number (func (param i32) (result i32)))
    (type (func (param i32)))
    (type (func))
    (import "host" "log" (func $log (param i32)))
    (memory (export "memory") 1)
    (global $stack (mut i32) (i32.const 40))
    (table 4 4 funcref)
    (elem (i32.const 1) $guest $tables $science)
    (tag $thrown (param i32))
    (export "direct" (func $direct))
    (func $guest (type $number) (i32.mul (local.get 0) (i32.const 2)))
    (func (export "by_slot") (param i32 i32) (result i32)
        (call_indirect (type $number) (local.get 1) (local.get 0)))
    (func $tables (type $number)
        (call $log (i32.const 1))
        (global.set $stack (i32.add (global.get $stack) (i32.const 1)))
        (i32.add (call $guest (local.get 0)) (call $library (global.get $stack))))
    (func $direct (type $number)
        (i32.store (i32.const 8) (local.get 0))
        (call_indirect (type $number) (i32.load (i32.const 8)) (i32.const 3)))
    (func $science (type $number)
        (block $caught (result i32)
            (try_table (result i32) (catch $thrown $caught)
                (throw $thrown (i32.add (call $tables (local.get 0)) (call $library (i32.const 1)))))))
    (func $library (type $number) (i32.add (local.get 0) (i32.const 1000))))"#;

const MARKERS: [Marker; 2] = [Marker { first: 3, part: 1 }, Marker { first: 5, part: 2 }];

/// What the guest asked for: numbers it logged, and 100 for each part that it loaded.
type Log = Arc<Mutex<Vec<i32>>>;

fn instance(modules: &[Vec<u8>], log: &Log) -> (Store<()>, Instance) {
    let mut config = Config::new();
    let engine = Engine::new(config.wasm_exceptions(true).shared_memory(true)).unwrap();
    let modules: Vec<_> = modules
        .iter()
        .map(|m| Module::new(&engine, m).unwrap())
        .collect();
    let mut linker = Linker::new(&engine);
    let logged = log.clone();
    let note = move |what: i32| logged.lock().unwrap().push(what);
    let loaded = note.clone();
    linker.func_wrap("host", "log", note).unwrap();
    let parts = modules.clone();
    let load = move |mut caller: Caller<'_, ()>, part: i32| {
        loaded(100 * part);
        let module = &parts[part as usize];
        let imports: Vec<Extern> = module
            .imports()
            .map(|import| caller.get_export(import.name()).unwrap())
            .collect();
        Instance::new(&mut caller, module, &imports).unwrap();
    };
    linker.func_wrap(LOAD.0, LOAD.1, load).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &modules[0]).unwrap();
    (store, instance)
}

/// What `calls` give: `(slot, argument)`, or a call of `direct` for slot 0.
fn results(modules: &[Vec<u8>], calls: &[(i32, i32)]) -> (Vec<i32>, Vec<i32>) {
    let log = Log::default();
    let (mut store, instance) = instance(modules, &log);
    let by_slot = instance
        .get_typed_func::<(i32, i32), i32>(&mut store, "by_slot")
        .unwrap();
    let direct = instance
        .get_typed_func::<i32, i32>(&mut store, "direct")
        .unwrap();
    let results = calls.iter().map(|(slot, argument)| match slot {
        0 => direct.call(&mut store, *argument).unwrap(),
        slot => by_slot.call(&mut store, (*slot, *argument)).unwrap(),
    });
    let results = results.collect();
    (results, log.lock().unwrap().clone())
}

#[test]
fn the_parts_do_what_the_whole_does_and_are_loaded_once() {
    let whole = wat::parse_str(WHOLE).unwrap();
    let parts = divide(&whole, &Assign::Stretches(&MARKERS), 3, Memory::Shared).unwrap();
    for calls in [
        [(1, 5), (2, 5), (3, 5), (0, 5), (2, 6)],
        [(0, 9), (3, 9), (2, 9), (1, 9), (0, 1)],
        [(3, 2), (2, 2), (0, 2), (3, 2), (1, 1)],
    ] {
        let (expected, _) = results(std::slice::from_ref(&whole), &calls);
        let (found, log) = results(&parts, &calls);
        assert_eq!(found, expected);
        for part in [100, 200] {
            assert_eq!(
                log.iter().filter(|what| **what == part).count(),
                1,
                "{log:?}"
            );
        }
    }
}

#[test]
fn what_is_not_called_is_not_loaded() {
    let parts = divide(
        &wat::parse_str(WHOLE).unwrap(),
        &Assign::Stretches(&MARKERS),
        3,
        Memory::Shared,
    )
    .unwrap();
    assert_eq!(results(&parts, &[(1, 5)]).1, Vec::<i32>::new());
    assert_eq!(results(&parts, &[(2, 5)]).1, [100, 1]);
}

#[test]
fn what_never_ran_is_a_part_of_its_own_and_data_is_there_before_it() {
    // `direct` reads what the data says, by way of a function that is loaded for it.
    let text = WHOLE
        .replace(
            "(i32.const 40))",
            "(i32.const 40))\n(data (i32.const 64) \"\\03\")",
        )
        .replace(
            "(func $library (type $number) (i32.add",
            "(func $library (type $number) (i32.add (i32.load8_u (i32.const 64)) (i32.add",
        )
        .replace("(i32.const 1000))))", "(i32.const 1000)))))");
    let whole = wat::parse_str(text).unwrap();
    let used = [false, true, true, true, false, false, false];
    let parts = divide(
        &whole,
        &Assign::Used {
            used: &used,
            waiting: &["direct"],
        },
        2,
        Memory::AsItIs,
    )
    .unwrap();
    let calls = [(1, 5), (2, 5), (3, 5), (0, 5)];
    let (found, log) = results(&parts, &calls);
    assert_eq!(found, results(std::slice::from_ref(&whole), &calls).0);
    assert_eq!(
        log.iter().filter(|what| **what == 100).count(),
        1,
        "{log:?}"
    );
    assert_eq!(results(&parts, &[(1, 5)]).1, Vec::<i32>::new());

    // An export that cannot wait is there from the beginning.
    let all = Assign::Used {
        used: &used,
        waiting: &[],
    };
    let others = divide(&whole, &all, 2, Memory::AsItIs).unwrap();
    assert!(others[1].len() < parts[1].len());
    assert_eq!(results(&others, &calls).0, found);

    let few = divide(
        &whole,
        &Assign::Used {
            used: &used[1..],
            waiting: &[],
        },
        2,
        Memory::AsItIs,
    );
    assert!(few.unwrap_err().contains("7 functions"));
    let shared = divide(
        &whole,
        &Assign::Used {
            used: &used,
            waiting: &["direct"],
        },
        2,
        Memory::Shared,
    );
    assert!(shared.unwrap_err().contains("data"));
}

#[test]
fn parts_of_two_divisions_are_not_joined() {
    let of = |text: &str| {
        let whole = wat::parse_str(text).unwrap();
        divide(&whole, &Assign::Stretches(&MARKERS), 3, Memory::Shared).unwrap()
    };
    let (mut one, mut other) = (of(WHOLE), of(&WHOLE.replace("1000", "1001")));
    one[1] = other.swap_remove(1);
    let joined = std::panic::catch_unwind(|| results(&one, &[(2, 5)]));
    assert!(joined.is_err());
}

#[test]
fn modules_that_cannot_be_divided_are_refused() {
    for (module, why) in [
        ("(module (memory 1) (data (i32.const 0) \"x\"))", "data"),
        ("(module (table 1 funcref) (table 1 funcref))", "table"),
        ("(module (import \"a\" \"b\" (memory 1)))", "not a function"),
        ("(module (memory 1))", "no table"),
    ] {
        let refused = divide(
            &wat::parse_str(module).unwrap(),
            &Assign::Stretches(&[]),
            2,
            Memory::Shared,
        );
        assert!(
            refused.as_ref().is_err_and(|e| e.contains(why)),
            "{refused:?}"
        );
    }
}
