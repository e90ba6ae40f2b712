//! The answer's decoder: whatever the bytes are, it reads them or refuses them, and what it reads has the declared columns.
//!
//! The first byte says what is done: the rest is taken as an answer, or as changes of a good one: three bytes each, where and
//! what.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use spoor_gate::answer::{Bounds, read};
use spoor_hostile::{good_answer, good_manifest};
use spoor_plugin_abi::{Function, Manifest};

static FUNCTION: LazyLock<Function> = LazyLock::new(|| {
    let manifest = Manifest::parse(good_manifest().to_string().as_bytes()).expect("a manifest");
    manifest.functions[0].clone()
});

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, rest)) = bytes.split_first() else {
        return;
    };
    let answer = match kind % 2 {
        0 => rest.to_vec(),
        _ => changed(rest),
    };
    if let Ok(read) = read(&answer, &FUNCTION, 3, &Bounds::default()) {
        assert_eq!(read.tables[0].schema.field(0).name(), "Value");
        for batch in &read.tables[0].batches {
            assert_eq!(batch.num_columns(), 1);
        }
    }
});

fn changed(changes: &[u8]) -> Vec<u8> {
    let mut answer = good_answer();
    for change in changes.chunks_exact(3) {
        let at = usize::from(u16::from_le_bytes([change[0], change[1]])) % answer.len();
        answer[at] = change[2];
    }
    answer
}
