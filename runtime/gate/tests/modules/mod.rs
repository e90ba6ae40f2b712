//! Modules that nobody wrote: wasm-smith's, with what a plugin has to export and to say.
#![allow(clippy::unwrap_used, reason = "tests and fuzz targets alone use it")]

use arbitrary::{Arbitrary, Unstructured};
use spoor_hostile::{good_manifest, with_section};
use wasm_smith::{Config, InstructionKind, InstructionKinds, Module};

/// A module of these bytes, with a manifest; none where they are too few. `simd`: whether it may have vectors.
pub fn module(bytes: &[u8], simd: bool) -> Option<Vec<u8>> {
    let mut u = Unstructured::new(bytes);
    let config = config(&mut u, simd);
    let module = Module::new(config, &mut u).ok()?;
    let manifest = good_manifest().to_string();
    Some(with_section(
        module.to_bytes(),
        "spoor.manifest",
        manifest.as_bytes(),
    ))
}

fn config(u: &mut Unstructured<'_>, simd: bool) -> Config {
    let exports = r#"(module (memory (export "memory") 1 64) (func (export "spoor_abi_1"))
        (func (export "alloc") (param i32) (result i32) unreachable)
        (func (export "call") (param i32 i32) (result i64) unreachable))"#;
    let mut config = Config::arbitrary(u).unwrap_or_default();
    config.exports = Some(wat::parse_str(exports).unwrap());
    config.allowed_instructions = InstructionKinds::new(&[
        InstructionKind::Numeric,
        InstructionKind::Vector,
        InstructionKind::Parametric,
        InstructionKind::Variable,
        InstructionKind::Memory,
        InstructionKind::Control,
    ]);
    config.available_imports = None;
    config.max_imports = 0;
    config.max_memories = 0;
    config.allow_start_export = false;
    config.canonicalize_nans = true;
    config.memory_max_size_required = true;
    config.max_memory32_bytes = 4 << 20;
    config.max_table_elements = 1_000;
    config.max_instructions = 300;
    config.max_funcs = 20;
    config.simd_enabled = simd;
    config.bulk_memory_enabled = true;
    config.multi_value_enabled = true;
    config.saturating_float_to_int_enabled = true;
    config.sign_extension_ops_enabled = true;
    config.reference_types_enabled = false;
    config.exceptions_enabled = false;
    config.gc_enabled = false;
    config.memory64_enabled = false;
    config.relaxed_simd_enabled = false;
    config.tail_call_enabled = false;
    config.threads_enabled = false;
    config.shared_everything_threads_enabled = false;
    config.custom_page_sizes_enabled = false;
    config.custom_descriptors_enabled = false;
    config.wide_arithmetic_enabled = false;
    config.extended_const_enabled = false;
    config.generate_custom_sections = false;
    config.allow_invalid_funcs = false;
    config
}
