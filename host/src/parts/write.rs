//! Writes the parts.

use std::collections::{BTreeMap, BTreeSet};

use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{
    CodeSection, ConstExpr, DataCountSection, ElementSection, Elements, EntityType, ExportKind,
    ExportSection, Function, FunctionSection, ImportSection, MemorySection, Module, RawSection,
    SectionId, TableSection, TagSection,
};
use wasmparser::ValType;

use super::read::Whole;
use super::{LOAD, Memory, PART_0};

/// The names under which part 0 exports what the others import. A C identifier has no dot, so they
/// are no function's; the memory has the name that WASI gives it.
const MEMORY: &str = "memory";
const TABLE: &str = ".table.";
/// How large a guest's memory can become in a page: 2 GiB in units of 64 KiB. A shared memory has to
/// say it. The host has limits of its own.
const MAX_MEMORY: u64 = 1 << 15;

/// How a module is divided.
pub struct Plan<'a> {
    whole: &'a Whole<'a>,
    part_of: &'a [u8],
    /// The functions of further parts that have stubs, and their slots.
    stubs: BTreeMap<u32, u32>,
    /// For each part, the functions of part 0, stubs among them, that it imports.
    imports: Vec<BTreeSet<u32>>,
    /// The first slot after the stubs' that have none in the whole module.
    flags: u32,
    memory: Memory,
    /// The name under which part 0 exports the table. It says of which division the parts are, lest others be joined.
    table: String,
}

/// The new index of each function of the whole module.
struct Indices(BTreeMap<u32, u32>);

impl Reencode for Indices {
    type Error = String;

    fn function_index(&mut self, function: u32) -> Result<u32, Error<String>> {
        let found = self.0.get(&function).copied();
        found.ok_or_else(|| Error::UserError(format!("function {function} is in no part")))
    }
}

impl<'a> Plan<'a> {
    /// Plans the division in which each function is in the part that `part_of` says.
    pub fn new(
        whole: &'a Whole<'a>,
        part_of: &'a [u8],
        parts: usize,
        memory: Memory,
    ) -> Result<Self, String> {
        let mut imports = vec![BTreeSet::new(); parts];
        let mut stubbed = BTreeSet::new();
        for body in 0..whole.bodies.len() {
            let part = part_of[whole.imports() + body];
            for callee in whole.calls(body)? {
                let theirs = part_of[callee as usize];
                if theirs != part {
                    imports[usize::from(part)].insert(callee);
                    if theirs != 0 {
                        stubbed.insert(callee);
                    }
                }
            }
        }
        let exported = whole
            .exports
            .iter()
            .filter(|export| export.kind == wasmparser::ExternalKind::Func)
            .map(|export| export.index);
        let pointed = whole.slots.iter().map(|(_, function)| *function);
        stubbed.extend(
            exported
                .chain(pointed)
                .filter(|f| part_of[*f as usize] != 0),
        );
        let table = whole.table.ok_or("it has no table")?;
        let mut free = u32::try_from(table.initial).map_err(|e| e.to_string())?;
        let slots: BTreeMap<u32, u32> = whole.slots.iter().map(|(s, f)| (*f, *s)).collect();
        let mut stubs = BTreeMap::new();
        for function in stubbed {
            let slot = slots.get(&function).copied().unwrap_or_else(|| {
                free += 1;
                free - 1
            });
            stubs.insert(function, slot);
        }
        Ok(Self {
            whole,
            part_of,
            stubs,
            imports,
            flags: free,
            memory,
            table: format!("{TABLE}{}", whole.tag(part_of)),
        })
    }

    /// The module of a part.
    pub fn module(&self, part: usize) -> Result<Vec<u8>, String> {
        match part {
            0 => self.first(),
            part => self.further(part),
        }
        .map_err(|error| match error {
            Error::UserError(why) => why,
            other => other.to_string(),
        })
    }

    fn parts(&self) -> u32 {
        self.imports.len() as u32
    }

    /// The slot that is null until `part` is there.
    fn flag(&self, part: usize) -> u32 {
        self.flags + part as u32 - 1
    }

    fn own(&self, part: usize) -> impl Iterator<Item = u32> {
        let functions = self.whole.imports()..self.whole.functions.len();
        let own = functions.filter(move |f| usize::from(self.part_of[*f]) == part);
        own.map(|f| f as u32)
    }

    fn first(&self) -> Result<Vec<u8>, Error<String>> {
        let whole = self.whole;
        let imported = whole.imports() as u32;
        let load = imported;
        // After the imports: what makes sure of each part, then functions and stubs.
        let next = imported + self.parts();
        let mut indices = Indices((0..imported).map(|f| (f, f)).collect());
        let present: Vec<u32> = self.own(0).chain(self.stubs.keys().copied()).collect();
        indices.0.extend(present.iter().copied().zip(next..));

        let mut imports = ImportSection::new();
        for (module, name, ty) in &whole.imported {
            imports.import(module, name, EntityType::Function(*ty));
        }
        let loads = whole.type_of(&[ValType::I32]).map_err(Error::UserError)?;
        imports.import(LOAD.0, LOAD.1, EntityType::Function(loads));

        let (mut functions, mut code) = (FunctionSection::new(), CodeSection::new());
        let nothing = whole.type_of(&[]).map_err(Error::UserError)?;
        for part in 1..self.imports.len() {
            functions.function(nothing);
            code.function(&self.ensure(part, load));
        }
        for function in &present {
            functions.function(whole.functions[*function as usize]);
            if self.part_of[*function as usize] == 0 {
                self.body(*function, &mut indices, &mut code)?;
            } else {
                code.function(&self.stub(*function, imported));
            }
        }

        let mut module = Module::new();
        self.types(&mut module);
        module.section(&imports).section(&functions);
        module.section(&self.tables(&mut indices)?);
        module.section(MemorySection::new().memory(indices.memory_type(self.memory()?)?));
        module.section(&self.tags());
        module.section(&RawSection {
            id: SectionId::Global.into(),
            data: whole.section(&whole.globals),
        });
        module.section(&self.exports(&mut indices)?);
        module.section(&self.elements(&mut indices)?);
        if let Some(count) = whole.data_count {
            module.section(&DataCountSection { count });
        }
        module.section(&code);
        if !whole.data.is_empty() {
            module.section(&RawSection {
                id: SectionId::Data.into(),
                data: whole.section(&whole.data),
            });
        }
        Ok(module.finish())
    }

    /// `()`: loads `part` unless it is there.
    fn ensure(&self, part: usize, load: u32) -> Function {
        let mut function = Function::new([]);
        function
            .instructions()
            .i32_const(self.flag(part).cast_signed())
            .table_get(0)
            .ref_is_null()
            .if_(wasm_encoder::BlockType::Empty)
            .i32_const(part as i32)
            .call(load)
            .end()
            .end();
        function
    }

    /// Calls a function of another part by its slot.
    fn stub(&self, function: u32, imported: u32) -> Function {
        let ty = self.whole.functions[function as usize];
        let params = self.whole.signatures[ty as usize].params.len() as u32;
        let part = u32::from(self.part_of[function as usize]);
        let mut stub = Function::new([]);
        let mut body = stub.instructions();
        body.call(imported + part);
        for param in 0..params {
            body.local_get(param);
        }
        body.i32_const(self.stubs[&function].cast_signed())
            .call_indirect(0, ty)
            .end();
        stub
    }

    fn further(&self, part: usize) -> Result<Vec<u8>, Error<String>> {
        let whole = self.whole;
        let mut indices = Indices(BTreeMap::new());
        let mut imports = ImportSection::new();
        for function in &self.imports[part] {
            let ty = EntityType::Function(whole.functions[*function as usize]);
            imports.import(PART_0, &function_name(*function), ty);
            indices.0.insert(*function, indices.0.len() as u32);
        }
        imports.import(PART_0, &self.table, indices.table_type(self.table_type()?)?);
        imports.import(PART_0, MEMORY, indices.memory_type(self.memory()?)?);
        for (tag, ty) in whole.tags.iter().enumerate() {
            imports.import(PART_0, &tag_name(tag), tag_type(*ty));
        }
        for (global, ty) in whole.global_types.iter().enumerate() {
            imports.import(PART_0, &global_name(global), indices.global_type(*ty)?);
        }
        let mut functions = FunctionSection::new();
        for function in self.own(part) {
            indices.0.insert(function, indices.0.len() as u32);
            functions.function(whole.functions[function as usize]);
        }
        let mut code = CodeSection::new();
        for function in self.own(part) {
            self.body(function, &mut indices, &mut code)?;
        }
        let mut module = Module::new();
        self.types(&mut module);
        module.section(&imports).section(&functions);
        module.section(&self.fillings(part, &mut indices)?);
        module.section(&code);
        Ok(module.finish())
    }

    /// What a part puts into the table: its functions in their slots, and any of them in the slot
    /// that says that the part is there.
    fn fillings(
        &self,
        part: usize,
        indices: &mut Indices,
    ) -> Result<ElementSection, Error<String>> {
        let mine = |function: &u32| usize::from(self.part_of[*function as usize]) == part;
        let slots = self.whole.slots.iter().copied();
        let added = self.stubs.iter().map(|(f, s)| (*s, *f));
        let all: BTreeMap<u32, u32> = slots.chain(added).filter(|(_, f)| mine(f)).collect();
        let any = self.own(part).next();
        let any = any.ok_or_else(|| Error::UserError(format!("part {part} is empty")))?;
        let mut elements = ElementSection::new();
        for run in runs(all.into_iter().chain([(self.flag(part), any)])) {
            segment(&mut elements, &run, indices)?;
        }
        Ok(elements)
    }

    fn types(&self, module: &mut Module) {
        module.section(&RawSection {
            id: SectionId::Type.into(),
            data: self.whole.section(&self.whole.types),
        });
    }

    fn memory(&self) -> Result<wasmparser::MemoryType, Error<String>> {
        let memory = self.whole.memory;
        let mut memory = memory.ok_or_else(|| Error::UserError("no memory".into()))?;
        if self.memory == Memory::Shared {
            memory.maximum = Some(memory.maximum.unwrap_or(MAX_MEMORY).min(MAX_MEMORY));
            memory.shared = true;
        }
        Ok(memory)
    }

    fn table_type(&self) -> Result<wasmparser::TableType, Error<String>> {
        let mut table = self
            .whole
            .table
            .ok_or_else(|| Error::UserError("no table".into()))?;
        let more = u64::from(self.flags + self.parts() - 1) - table.initial;
        table.initial += more;
        table.maximum = table.maximum.map(|maximum| maximum.saturating_add(more));
        Ok(table)
    }

    fn tables(&self, indices: &mut Indices) -> Result<TableSection, Error<String>> {
        let mut tables = TableSection::new();
        tables.table(indices.table_type(self.table_type()?)?);
        Ok(tables)
    }

    fn tags(&self) -> TagSection {
        let mut tags = TagSection::new();
        for ty in &self.whole.tags {
            tags.tag(tag_type(*ty));
        }
        tags
    }

    /// The module's own exports, and what the other parts import.
    fn exports(&self, indices: &mut Indices) -> Result<ExportSection, Error<String>> {
        let mut exports = ExportSection::new();
        for export in &self.whole.exports {
            let kind = indices.export_kind(export.kind)?;
            let index = match kind {
                ExportKind::Func => indices.function_index(export.index)?,
                _ => export.index,
            };
            exports.export(export.name, kind, index);
        }
        exports.export(&self.table, ExportKind::Table, 0);
        for tag in 0..self.whole.tags.len() {
            exports.export(&tag_name(tag), ExportKind::Tag, tag as u32);
        }
        for global in 0..self.whole.global_types.len() {
            exports.export(&global_name(global), ExportKind::Global, global as u32);
        }
        let called: BTreeSet<u32> = self.imports.iter().skip(1).flatten().copied().collect();
        for function in called {
            let index = indices.function_index(function)?;
            exports.export(&function_name(function), ExportKind::Func, index);
        }
        Ok(exports)
    }

    /// The table as it is before another part is there.
    fn elements(&self, indices: &mut Indices) -> Result<ElementSection, Error<String>> {
        let slots = self.whole.slots.iter().copied();
        let added = self.stubs.iter().map(|(f, s)| (*s, *f));
        let all: BTreeMap<u32, u32> = slots.chain(added).collect();
        let mut elements = ElementSection::new();
        for run in runs(all.into_iter()) {
            segment(&mut elements, &run, indices)?;
        }
        Ok(elements)
    }

    fn body(
        &self,
        function: u32,
        indices: &mut Indices,
        code: &mut CodeSection,
    ) -> Result<(), Error<String>> {
        let body = &self.whole.bodies[function as usize - self.whole.imports()];
        utils::parse_function_body(indices, code, body.clone())
    }
}

/// Slots in a row, and their functions.
fn runs(slots: impl Iterator<Item = (u32, u32)>) -> Vec<(u32, Vec<u32>)> {
    let mut runs: Vec<(u32, Vec<u32>)> = Vec::new();
    for (slot, function) in slots {
        match runs.last_mut() {
            Some((first, run)) if *first + run.len() as u32 == slot => run.push(function),
            _ => runs.push((slot, vec![function])),
        }
    }
    runs
}

fn segment(
    elements: &mut ElementSection,
    (first, run): &(u32, Vec<u32>),
    indices: &mut Indices,
) -> Result<(), Error<String>> {
    let functions: Vec<u32> = run
        .iter()
        .map(|function| indices.function_index(*function))
        .collect::<Result<_, _>>()?;
    let offset = ConstExpr::i32_const(first.cast_signed());
    elements.active(None, &offset, Elements::Functions(functions.into()));
    Ok(())
}

fn tag_type(func_type_idx: u32) -> wasm_encoder::TagType {
    wasm_encoder::TagType {
        kind: wasm_encoder::TagKind::Exception,
        func_type_idx,
    }
}

fn function_name(function: u32) -> String {
    format!(".f{function}")
}

fn global_name(global: usize) -> String {
    format!(".g{global}")
}

fn tag_name(tag: usize) -> String {
    format!(".t{tag}")
}
