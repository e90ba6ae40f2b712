//! Takes the published interpreter apart into code and memory.
//!
//! `python-snapshot.wasm` is one module: code, and the memory of a started interpreter as data
//! segments. [`split`] gives a module with the same code and no data, and the memory as one run
//! of bytes. The code is then compiled once, whatever is put into the memory; and both drivers
//! replace the memory with that of a warmer interpreter.

use std::borrow::Cow;

use crate::parts::{Marker, constant};
use wasm_encoder::{ExportKind, ExportSection, RawSection};
use wasmparser::{DataKind, ExternalKind, KnownCustom, Name, Parser, Payload};

/// Functions of the interpreter that the driver calls, by their names in the module's name
/// section, and the names under which the module exports them.
const EXPORTED: [(&str, &str); 2] = [
    ("PyErr_SetInterruptEx", INTERRUPT),
    ("__wasilibc_reset_preopens", RESET_PREOPENS),
];

/// The first functions of the module's stretches, by name, and the part of each ([`crate::parts`]):
/// CPython comes first, then numpy and pandas, then what fewer notebooks import; then libraries: numpy's loops over
/// elements, which are called by pointers alone, BLAS and others, and what all use.
const STRETCHES: [(&str, u8); 5] = [
    ("Dragon4_PrintFloat_IEEE_binary16", 1),
    ("ImagingSectionEnter", 2),
    ("UBYTE_argmax", 1),
    ("saxpy_", 2),
    ("adler32", 0),
];
/// How many parts there are.
pub const PARTS: usize = 3;

/// The export that sets a signal's pending flags: `(signal: i32) -> i32`.
pub const INTERRUPT: &str = "spoor_interrupt";
/// The export that makes the C library forget which folders are mounted: `()`.
pub const RESET_PREOPENS: &str = "spoor_reset_preopens";

/// Initial memory must fit in this many bytes.
const MAX_MEMORY: u64 = 1 << 30;

/// The two halves.
pub struct Halves {
    /// The module without data.
    pub code: Vec<u8>,
    /// Linear memory from address 0, a multiple of 64 KiB long.
    pub memory: Vec<u8>,
    /// Where the C stack ends and static data begins: the initial stack pointer.
    pub stack_top: u32,
    /// Where the parts' functions begin.
    pub markers: Vec<Marker>,
}

/// Splits `module`. The error says what about it was not as expected.
pub fn split(module: &[u8]) -> Result<Halves, String> {
    let mut code = wasm_encoder::Module::new();
    let mut exports = ExportSection::new();
    let mut found = Found::default();
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload.map_err(|e| e.to_string())?;
        match &payload {
            Payload::MemorySection(section) => {
                let memory = section
                    .clone()
                    .into_iter()
                    .next()
                    .ok_or("no memory")?
                    .map_err(|e| e.to_string())?;
                found.memory = initial_memory(memory.initial)?;
            }
            Payload::GlobalSection(section) => found.stack_top = stack_pointer(section.clone())?,
            Payload::ExportSection(section) => {
                for export in section.clone() {
                    let export = export.map_err(|e| e.to_string())?;
                    exports.export(export.name, kind(export.kind)?, export.index);
                }
            }
            Payload::DataSection(section) => {
                for segment in section.clone() {
                    found.place(segment.map_err(|e| e.to_string())?)?;
                }
                continue;
            }
            Payload::CustomSection(section) => {
                if let KnownCustom::Name(names) = section.as_known() {
                    found.functions(names)?;
                }
                continue;
            }
            _ => {}
        }
        // Exports are written last, when the names are known, but belong before the code.
        if matches!(payload, Payload::ExportSection(_)) {
            found.sections.push(Section::Exports);
        } else if let Some((id, range)) = payload.as_section() {
            let data = module.get(range).ok_or("a section past the end")?;
            found.sections.push(Section::Raw(id, Cow::Borrowed(data)));
        }
    }
    for (name, export) in EXPORTED {
        exports.export(export, ExportKind::Func, found.function(name)?);
    }
    let markers = STRETCHES.map(|(name, part)| {
        let first = found.function(name)?;
        Ok(Marker { first, part })
    });
    for section in &found.sections {
        match section {
            Section::Exports => code.section(&exports),
            Section::Raw(id, data) => code.section(&RawSection { id: *id, data }),
        };
    }
    Ok(Halves {
        code: code.finish(),
        markers: markers.into_iter().collect::<Result<_, String>>()?,
        memory: found.memory,
        stack_top: found.stack_top,
    })
}

enum Section<'a> {
    Raw(u8, Cow<'a, [u8]>),
    Exports,
}

#[derive(Default)]
struct Found<'a> {
    sections: Vec<Section<'a>>,
    memory: Vec<u8>,
    stack_top: u32,
    named: Vec<(String, u32)>,
}

impl Found<'_> {
    /// Copies a data segment to its place.
    fn place(&mut self, segment: wasmparser::Data<'_>) -> Result<(), String> {
        let offset_expr = match segment.kind {
            DataKind::Active {
                memory_index: 0,
                offset_expr,
            } => offset_expr,
            // What a snapshot tool leaves of the segments that it has merged.
            DataKind::Passive if segment.data.is_empty() => return Ok(()),
            _ => return Err("a data segment that is not active".into()),
        };
        let offset = constant(&offset_expr)? as usize;
        let end = offset
            .checked_add(segment.data.len())
            .ok_or("a data segment past the end")?;
        let place = self
            .memory
            .get_mut(offset..end)
            .ok_or("a data segment past the end")?;
        place.copy_from_slice(segment.data);
        Ok(())
    }

    /// The index of the one function of that name.
    fn function(&self, name: &str) -> Result<u32, String> {
        let mut found = self.named.iter().filter(|(n, _)| n == name);
        match (found.next(), found.next()) {
            (Some((_, index)), None) => Ok(*index),
            (None, _) => Err(format!("no function {name}")),
            (Some(_), Some(_)) => Err(format!("more than one function {name}")),
        }
    }

    /// Notes the indices of the functions that are asked for by name.
    fn functions(&mut self, names: wasmparser::NameSectionReader<'_>) -> Result<(), String> {
        for subsection in names {
            let Name::Function(map) = subsection.map_err(|e| e.to_string())? else {
                continue;
            };
            for naming in map {
                let naming = naming.map_err(|e| e.to_string())?;
                let exported = EXPORTED.iter().map(|(name, _)| name);
                let first = STRETCHES.iter().map(|(name, _)| name);
                if exported.chain(first).any(|name| *name == naming.name) {
                    self.named.push((naming.name.to_owned(), naming.index));
                }
            }
        }
        Ok(())
    }
}

fn initial_memory(pages: u64) -> Result<Vec<u8>, String> {
    let bytes = pages
        .checked_mul(1 << 16)
        .filter(|b| *b <= MAX_MEMORY)
        .ok_or("a memory over 1 GiB")?;
    Ok(vec![0; usize::try_from(bytes).map_err(|e| e.to_string())?])
}

/// The stack pointer is the first global, and the only one that changes: were there others, the
/// memory would not be the guest's whole state.
fn stack_pointer(section: wasmparser::GlobalSectionReader<'_>) -> Result<u32, String> {
    let globals = section
        .into_iter()
        .collect::<Result<Vec<_>, _>>()
        .map_err(|e| e.to_string())?;
    match globals.as_slice() {
        [first, rest @ ..] if first.ty.mutable && rest.iter().all(|g| !g.ty.mutable) => {
            constant(&first.init_expr)
        }
        _ => Err("other mutable globals than a stack pointer".into()),
    }
}

fn kind(kind: ExternalKind) -> Result<ExportKind, String> {
    match kind {
        ExternalKind::Func | ExternalKind::FuncExact => Ok(ExportKind::Func),
        ExternalKind::Memory => Ok(ExportKind::Memory),
        ExternalKind::Table => Ok(ExportKind::Table),
        ExternalKind::Global => Ok(ExportKind::Global),
        ExternalKind::Tag => Ok(ExportKind::Tag),
    }
}
