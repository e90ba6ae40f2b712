//! The module's sections: most pass as they are, and types, memory, globals, exports and code are written anew.

use std::collections::HashMap;
use std::convert::Infallible;
use std::ops::Range;

use spoor_plugin_abi::{EXPORT_ALLOC, EXPORT_CALL, EXPORT_INITIALIZE, EXPORT_MEMORY, EXPORT_PANIC};
use wasm_encoder::reencode::{self, Reencode, RoundtripReencoder};
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, ExportKind, ExportSection, GlobalSection, GlobalType,
    MemorySection, MemoryType, Module, RawSection, SectionId, TypeSection, ValType,
};
use wasmparser::{
    CodeSectionReader, CompositeInnerType, ExportSectionReader, ExternalKind, FuncType,
    FunctionSectionReader, GlobalSectionReader, ImportSectionReader, MemorySectionReader, Parser,
    TypeSectionReader,
};

use super::emit::Globals;
use super::function::{self, Facts, Shared};
use super::{FUEL_EXPORT, Limits, REASON_EXPORT, broken, reader};
use crate::admit::Admitted;
use crate::refusal::{Refusal, Rule};

/// The order of the sections in a module. The data count lies before the code, where the binary format wants it.
const ORDER: [SectionId; 11] = [
    SectionId::Type,
    SectionId::Import,
    SectionId::Function,
    SectionId::Table,
    SectionId::Memory,
    SectionId::Global,
    SectionId::Export,
    SectionId::Element,
    SectionId::DataCount,
    SectionId::Code,
    SectionId::Data,
];

/// Where each section's content lies, by the section's id.
pub(super) struct Sections<'a> {
    bytes: &'a [u8],
    ranges: HashMap<u8, Range<usize>>,
}

type Fault = reencode::Error<Infallible>;

impl<'a> Sections<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Refusal> {
        let mut ranges = HashMap::new();
        for payload in Parser::new(0).parse_all(bytes) {
            if let Some((id, range)) = payload.map_err(broken)?.as_section() {
                ranges.insert(id, range);
            }
        }
        Ok(Sections { bytes, ranges })
    }

    /// The whole module, rewritten.
    pub(super) fn rewrite(
        &self,
        module: &Admitted<'_>,
        limits: &Limits,
    ) -> Result<Vec<u8>, Refusal> {
        let memory = self.memory(limits)?;
        self.write(module, limits, memory)
            .map_err(|error| match error {
                reencode::Error::ParseError(error) => broken(error),
                other => Refusal::new(Rule::Malformed, 0, other.to_string()),
            })
    }

    fn write(
        &self,
        module: &Admitted<'_>,
        limits: &Limits,
        memory: MemoryType,
    ) -> Result<Vec<u8>, Fault> {
        let types = Types::read(self)?;
        let (globals, section) = self.globals(limits)?;
        let shared = Shared {
            globals,
            imported: types.imported,
            pages: limits.pages(),
        };
        let code = self.code(&types, &module.frames, &shared)?;
        let mut out = Module::new();
        for id in ORDER {
            match id {
                SectionId::Type => out.section(&types.section(self)?),
                SectionId::Memory => out.section(MemorySection::new().memory(memory)),
                SectionId::Global => out.section(&section),
                SectionId::Export => out.section(&self.exports(&globals)?),
                SectionId::Code => out.section(&code),
                other => match self.ranges.get(&(other as u8)) {
                    Some(range) => {
                        let data = self.bytes.get(range.clone()).unwrap_or_default();
                        out.section(&RawSection {
                            id: other as u8,
                            data,
                        })
                    }
                    None => continue,
                },
            };
        }
        Ok(out.finish())
    }

    /// The memory with its maximum clamped.
    fn memory(&self, limits: &Limits) -> Result<MemoryType, Refusal> {
        let missing = || Refusal::new(Rule::Memory, self.bytes.len(), "it declares no memory");
        let range = self.range(SectionId::Memory).ok_or_else(missing)?;
        let start = range.start;
        let memories = MemorySectionReader::new(reader(self.bytes, range)).map_err(broken)?;
        let memory = memories
            .into_iter()
            .next()
            .ok_or_else(missing)?
            .map_err(broken)?;
        let pages = limits.pages();
        if memory.initial > pages {
            let words = format!(
                "it wants {} pages of 64 KiB from the start, and the limit is {pages}",
                memory.initial
            );
            return Err(Refusal::new(Rule::Memory, start, words));
        }
        Ok(MemoryType {
            minimum: memory.initial,
            maximum: Some(memory.maximum.unwrap_or(pages).min(pages)),
            memory64: false,
            shared: false,
            page_size_log2: None,
        })
    }

    /// The module's globals, and after them fuel, reason and stack.
    fn globals(&self, limits: &Limits) -> Result<(Globals, GlobalSection), Fault> {
        let mut section = GlobalSection::new();
        if let Some(range) = self.range(SectionId::Global) {
            let globals = GlobalSectionReader::new(reader(self.bytes, range))?;
            RoundtripReencoder.parse_global_section(&mut section, globals)?;
        }
        let first = section.len();
        let stack = limits.stack.min(1 << 30) as i32;
        let mutable = |val_type| GlobalType {
            val_type,
            mutable: true,
            shared: false,
        };
        section.global(mutable(ValType::I64), &ConstExpr::i64_const(0));
        section.global(mutable(ValType::I32), &ConstExpr::i32_const(0));
        section.global(mutable(ValType::I32), &ConstExpr::i32_const(stack));
        Ok((
            Globals {
                fuel: first,
                reason: first + 1,
                stack: first + 2,
            },
            section,
        ))
    }

    /// What the ABI needs, where the plugin leaves its last words, and the two globals.
    fn exports(&self, globals: &Globals) -> Result<ExportSection, Fault> {
        let mut section = ExportSection::new();
        if let Some(range) = self.range(SectionId::Export) {
            for export in ExportSectionReader::new(reader(self.bytes, range))? {
                let export = export?;
                let is_needed = [EXPORT_MEMORY, EXPORT_ALLOC, EXPORT_CALL, EXPORT_INITIALIZE]
                    .contains(&export.name);
                let is_panic = export.name == EXPORT_PANIC && export.kind == ExternalKind::Global;
                if is_needed || is_panic {
                    let kind = RoundtripReencoder.export_kind(export.kind)?;
                    section.export(export.name, kind, export.index);
                }
            }
        }
        section.export(FUEL_EXPORT, ExportKind::Global, globals.fuel);
        section.export(REASON_EXPORT, ExportKind::Global, globals.reason);
        Ok(section)
    }

    fn code(&self, types: &Types, frames: &[u32], shared: &Shared) -> Result<CodeSection, Fault> {
        let mut section = CodeSection::new();
        let Some(range) = self.range(SectionId::Code) else {
            return Ok(section);
        };
        let bodies = CodeSectionReader::new(reader(self.bytes, range))?;
        for (at, body) in bodies.into_iter().enumerate() {
            let frame = frames.get(at).copied().unwrap_or(u32::MAX >> 2);
            let facts = types.facts(at, frame);
            section.function(&function::rewrite(&body?, facts, shared)?);
        }
        Ok(section)
    }

    fn range(&self, id: SectionId) -> Option<Range<usize>> {
        self.ranges.get(&(id as u8)).cloned()
    }
}

/// The module's types, and those that blocks with several results need.
struct Types {
    types: Vec<FuncType>,
    /// The type of each function that the module defines.
    functions: Vec<u32>,
    imported: u32,
    /// For a type of several results, the added type of none to those.
    blocks: HashMap<u32, u32>,
    /// The types in `blocks`, in order.
    added: Vec<u32>,
}

impl Types {
    fn read(sections: &Sections<'_>) -> Result<Self, Fault> {
        let mut types = Vec::new();
        if let Some(range) = sections.range(SectionId::Type) {
            for group in TypeSectionReader::new(reader(sections.bytes, range))? {
                types.extend(
                    group?
                        .into_types()
                        .filter_map(|ty| match ty.composite_type.inner {
                            CompositeInnerType::Func(function) => Some(function),
                            _ => None,
                        }),
                );
            }
        }
        let mut functions = Vec::new();
        if let Some(range) = sections.range(SectionId::Function) {
            for ty in FunctionSectionReader::new(reader(sections.bytes, range))? {
                functions.push(ty?);
            }
        }
        let mut imported = 0;
        if let Some(range) = sections.range(SectionId::Import) {
            // Every import of an admitted module is a function.
            imported = ImportSectionReader::new(reader(sections.bytes, range))?
                .into_imports()
                .count() as u32;
        }
        let mut read = Types {
            types,
            functions,
            imported,
            blocks: HashMap::new(),
            added: Vec::new(),
        };
        read.add_blocks();
        Ok(read)
    }

    fn add_blocks(&mut self) {
        for ty in &self.functions {
            let several = self
                .types
                .get(*ty as usize)
                .is_some_and(|ty| ty.results().len() > 1);
            if several && !self.blocks.contains_key(ty) {
                self.blocks
                    .insert(*ty, (self.types.len() + self.added.len()) as u32);
                self.added.push(*ty);
            }
        }
    }

    fn facts(&self, function: usize, frame: u32) -> Facts {
        let index = self.functions.get(function).copied().unwrap_or(0);
        let ty = self.types.get(index as usize);
        let results = match ty.map(|ty| ty.results()) {
            Some([one]) => RoundtripReencoder
                .val_type(*one)
                .map_or(BlockType::Empty, BlockType::Result),
            Some([_, _, ..]) => self
                .blocks
                .get(&index)
                .map_or(BlockType::Empty, |block| BlockType::FunctionType(*block)),
            _ => BlockType::Empty,
        };
        Facts {
            parameters: ty.map_or(0, |ty| ty.params().len() as u32),
            results,
            frame,
        }
    }

    /// The section with the types that were added.
    fn section(&self, sections: &Sections<'_>) -> Result<TypeSection, Fault> {
        let mut section = TypeSection::new();
        if let Some(range) = sections.range(SectionId::Type) {
            let types = TypeSectionReader::new(reader(sections.bytes, range))?;
            RoundtripReencoder.parse_type_section(&mut section, types)?;
        }
        for ty in &self.added {
            if let Some(ty) = self.types.get(*ty as usize) {
                let results = RoundtripReencoder.val_types(ty.results().to_vec())?;
                section.ty().function([], results);
            }
        }
        Ok(section)
    }
}
