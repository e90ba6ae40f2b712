//! What a module is made of, as far as dividing it needs to know.

use std::ops::Range;

use sha2::{Digest, Sha256};
use wasmparser::{
    ElementItems, ElementKind, FunctionBody, MemoryType, Operator, Parser, Payload, TableType,
    TypeRef, ValType,
};

use crate::aot::hex;

/// A module, read.
#[derive(Default)]
pub struct Whole<'a> {
    bytes: &'a [u8],
    /// The type section, and the functions' types in it.
    pub types: Range<usize>,
    pub signatures: Vec<Signature>,
    /// Its imports, which are functions: module, name, and type.
    pub imported: Vec<(&'a str, &'a str, u32)>,
    /// The type of each function, imports first.
    pub functions: Vec<u32>,
    pub memory: Option<MemoryType>,
    pub table: Option<TableType>,
    pub globals: Range<usize>,
    pub global_types: Vec<wasmparser::GlobalType>,
    pub tags: Vec<u32>,
    pub exports: Vec<wasmparser::Export<'a>>,
    /// The function in each slot of the table that has one, by slots.
    pub slots: Vec<(u32, u32)>,
    pub bodies: Vec<FunctionBody<'a>>,
    /// The data section, and how many segments the code is told that it has.
    pub data: Range<usize>,
    pub data_count: Option<u32>,
}

/// A function's type, as far as it matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    pub params: Vec<ValType>,
    pub results: usize,
}

impl<'a> Whole<'a> {
    /// Reads `module`.
    pub fn read(module: &'a [u8]) -> Result<Self, String> {
        let mut whole = Self {
            bytes: module,
            ..Self::default()
        };
        for payload in Parser::new(0).parse_all(module) {
            let payload = payload.map_err(text)?;
            let place = payload.as_section().map(|(_, range)| range);
            whole.payload(payload, place.unwrap_or_default())?;
        }
        Ok(whole)
    }

    /// Sixteen digits that another module, or the same one divided otherwise, does not have.
    pub fn tag(&self, part_of: &[u8]) -> String {
        let digest = Sha256::new().chain_update(self.bytes).chain_update(part_of);
        hex(&digest.finalize()[..8])
    }

    /// How many functions are imported.
    pub fn imports(&self) -> usize {
        self.imported.len()
    }

    /// The bytes of a section.
    pub fn section(&self, range: &Range<usize>) -> &'a [u8] {
        self.bytes.get(range.clone()).unwrap_or_default()
    }

    /// The functions that a body calls by index or makes references to.
    pub fn calls(&self, body: usize) -> Result<Vec<u32>, String> {
        let body = self.bodies.get(body).ok_or("no such function")?;
        let mut calls = Vec::new();
        let mut reader = body.get_operators_reader().map_err(text)?;
        while !reader.eof() {
            match reader.read().map_err(text)? {
                Operator::Call { function_index } | Operator::ReturnCall { function_index } => {
                    calls.push(function_index);
                }
                Operator::RefFunc { function_index } => calls.push(function_index),
                Operator::MemoryInit { .. } | Operator::DataDrop { .. } => {
                    return Err("its code reads data segments".into());
                }
                _ => {}
            }
        }
        calls.sort_unstable();
        calls.dedup();
        Ok(calls)
    }

    /// The index of the type of functions that take `params` and give nothing.
    pub fn type_of(&self, params: &[ValType]) -> Result<u32, String> {
        let found = self
            .signatures
            .iter()
            .position(|s| s.params == params && s.results == 0);
        let found = found.ok_or_else(|| format!("no type of functions of {params:?}"))?;
        u32::try_from(found).map_err(text)
    }

    fn payload(&mut self, payload: Payload<'a>, place: Range<usize>) -> Result<(), String> {
        match payload {
            Payload::TypeSection(section) => {
                self.types = place;
                for group in section {
                    self.signature(group.map_err(text)?)?;
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    self.import(import.map_err(text)?)?;
                }
            }
            Payload::FunctionSection(section) => {
                for ty in section {
                    self.functions.push(ty.map_err(text)?);
                }
            }
            Payload::TableSection(section) => {
                for table in section {
                    let table = table.map_err(text)?;
                    if self.table.replace(table.ty).is_some() {
                        return Err("more than one table".into());
                    }
                }
            }
            Payload::MemorySection(section) => {
                for memory in section {
                    if self.memory.replace(memory.map_err(text)?).is_some() {
                        return Err("more than one memory".into());
                    }
                }
            }
            Payload::GlobalSection(section) => {
                self.globals = place;
                for global in section {
                    self.global_types.push(global.map_err(text)?.ty);
                }
            }
            Payload::TagSection(section) => {
                for tag in section {
                    self.tags.push(tag.map_err(text)?.func_type_idx);
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    self.exports.push(export.map_err(text)?);
                }
            }
            Payload::ElementSection(section) => {
                for element in section {
                    self.element(element.map_err(text)?)?;
                }
            }
            Payload::CodeSectionEntry(body) => self.bodies.push(body),
            Payload::DataSection(_) => self.data = place,
            Payload::DataCountSection { count, .. } => self.data_count = Some(count),
            Payload::StartSection { .. } => return Err("it has a start function".into()),
            _ => {}
        }
        Ok(())
    }

    fn signature(&mut self, group: wasmparser::RecGroup) -> Result<(), String> {
        let mut types = group.into_types();
        let (Some(only), None) = (types.next(), types.next()) else {
            return Err("types that refer to each other".into());
        };
        let wasmparser::CompositeInnerType::Func(function) = only.composite_type.inner else {
            return Err("a type that is not a function's".into());
        };
        self.signatures.push(Signature {
            params: function.params().to_vec(),
            results: function.results().len(),
        });
        Ok(())
    }

    fn import(&mut self, import: wasmparser::Import<'a>) -> Result<(), String> {
        let TypeRef::Func(ty) = import.ty else {
            return Err(format!(
                "the import {} is not a function",
                import.name.escape_debug()
            ));
        };
        self.imported.push((import.module, import.name, ty));
        self.functions.push(ty);
        Ok(())
    }

    fn element(&mut self, element: wasmparser::Element<'a>) -> Result<(), String> {
        let (ElementKind::Active { offset_expr, .. }, ElementItems::Functions(functions)) =
            (element.kind, element.items)
        else {
            return Err("elements that are not a table's functions".into());
        };
        let mut slot = constant(&offset_expr)?;
        for function in functions {
            self.slots.push((slot, function.map_err(text)?));
            slot = slot.checked_add(1).ok_or("a slot past the end")?;
        }
        Ok(())
    }
}

/// The value of an address or a slot.
pub fn constant(expr: &wasmparser::ConstExpr<'_>) -> Result<u32, String> {
    match expr
        .get_operators_reader()
        .read()
        .map_err(|e| e.to_string())?
    {
        Operator::I32Const { value } => Ok(value.cast_unsigned()),
        _ => Err("an address that is not a constant".into()),
    }
}

fn text(error: impl ToString) -> String {
    error.to_string()
}
