//! Imports and exports against the ABI and the manifest.

use std::collections::HashMap;

use spoor_plugin_abi::{
    Capability, EXPORT_ALLOC, EXPORT_CALL, EXPORT_INITIALIZE, EXPORT_MEMORY, IMPORT_MODULE, MARKER,
    Manifest,
};
use wasmparser::ValType::{I32, I64};
use wasmparser::{CompositeInnerType, ExternalKind, FuncType, Payload, TypeRef, ValType};

use super::sections::printable;
use crate::refusal::{Refusal, Rule};

/// What a module takes and offers, gathered section by section.
#[derive(Debug, Default)]
pub(super) struct Interface {
    types: Vec<FuncType>,
    /// The type of each function, the imported ones first.
    functions: Vec<u32>,
    imports: Vec<Import>,
    exports: HashMap<String, (ExternalKind, u32, usize)>,
    memories: u32,
}

#[derive(Debug)]
struct Import {
    module: String,
    name: String,
    /// The function's type; `None` for what is no function.
    ty: Option<u32>,
    offset: usize,
}

impl Interface {
    /// Takes in a section that is valid and within the caps.
    pub(super) fn payload(&mut self, payload: &Payload<'_>) -> Result<(), wasmparser::Error> {
        match payload {
            Payload::TypeSection(types) => self.take_types(types),
            Payload::ImportSection(imports) => self.take_imports(imports),
            Payload::FunctionSection(functions) => functions
                .clone()
                .into_iter()
                .try_for_each(|ty| ty.map(|ty| self.functions.push(ty))),
            Payload::MemorySection(memories) => {
                self.memories = memories.count();
                Ok(())
            }
            Payload::ExportSection(exports) => {
                for export in exports.clone().into_iter_with_offsets() {
                    let (offset, export) = export?;
                    self.exports
                        .insert(export.name.to_owned(), (export.kind, export.index, offset));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn take_types(
        &mut self,
        types: &wasmparser::TypeSectionReader<'_>,
    ) -> Result<(), wasmparser::Error> {
        for group in types.clone() {
            for ty in group?.types() {
                if let CompositeInnerType::Func(function) = &ty.composite_type.inner {
                    self.types.push(function.clone());
                }
            }
        }
        Ok(())
    }

    fn take_imports(
        &mut self,
        imports: &wasmparser::ImportSectionReader<'_>,
    ) -> Result<(), wasmparser::Error> {
        for import in imports.clone().into_imports_with_offsets() {
            let (offset, import) = import?;
            let ty = match import.ty {
                TypeRef::Func(ty) | TypeRef::FuncExact(ty) => Some(ty),
                _ => None,
            };
            self.functions.extend(ty);
            let (module, name) = (import.module.to_owned(), import.name.to_owned());
            self.imports.push(Import {
                module,
                name,
                ty,
                offset,
            });
        }
        Ok(())
    }

    /// Holds imports and exports against the ABI and the manifest, and answers with the capabilities that are imported.
    /// What is missing is said to be missing at `end`.
    pub(super) fn check(
        &self,
        manifest: &Manifest,
        end: usize,
    ) -> Result<Vec<Capability>, Refusal> {
        let imports: Vec<Capability> = self
            .imports
            .iter()
            .map(|import| self.check_import(import, manifest))
            .collect::<Result<_, _>>()?;
        if self.memories != 1 {
            return Err(Refusal::new(Rule::Memory, end, "it declares no memory"));
        }
        self.check_memory(end)?;
        self.check_export(MARKER, &[], &[], end)?;
        self.check_export(EXPORT_ALLOC, &[I32], &[I32], end)?;
        self.check_export(EXPORT_CALL, &[I32, I32], &[I64], end)?;
        if self.exports.contains_key(EXPORT_INITIALIZE) {
            self.check_export(EXPORT_INITIALIZE, &[], &[], end)?;
        }
        Ok(imports)
    }

    fn check_import(&self, import: &Import, manifest: &Manifest) -> Result<Capability, Refusal> {
        let what = format!(
            "'{}' from '{}'",
            printable(&import.name),
            printable(&import.module)
        );
        let refuse = |rule, words| Err(Refusal::new(rule, import.offset, words));
        let known = Capability::ALL
            .into_iter()
            .find(|known| known.name() == import.name);
        let Some(capability) = known.filter(|_| import.module == IMPORT_MODULE) else {
            return refuse(
                Rule::Import,
                format!("it imports {what}, which the ABI does not have"),
            );
        };
        let (parameters, results): (&[ValType], &[ValType]) = match capability {
            Capability::Log => (&[I32, I32], &[]),
            Capability::Progress => (&[I32], &[]),
            Capability::Time => (&[], &[I64]),
        };
        if !import
            .ty
            .is_some_and(|ty| self.has_type(ty, parameters, results))
        {
            let wanted = signature(parameters, results);
            return refuse(
                Rule::Import,
                format!("it imports {what} not as a function {wanted}"),
            );
        }
        if !manifest.capabilities.contains(&capability) {
            let words = format!("it imports {what}, and the manifest does not ask for it");
            return refuse(Rule::Capability, words);
        }
        Ok(capability)
    }

    fn check_memory(&self, end: usize) -> Result<(), Refusal> {
        match self.exports.get(EXPORT_MEMORY) {
            Some((ExternalKind::Memory, _, _)) => Ok(()),
            Some((_, _, offset)) => Err(Refusal::new(
                Rule::Export,
                *offset,
                format!("'{EXPORT_MEMORY}' is no memory"),
            )),
            None => Err(missing(EXPORT_MEMORY, end)),
        }
    }

    fn check_export(
        &self,
        name: &str,
        parameters: &[ValType],
        results: &[ValType],
        end: usize,
    ) -> Result<(), Refusal> {
        let (kind, index, offset) = self.exports.get(name).ok_or_else(|| missing(name, end))?;
        let is_function = matches!(kind, ExternalKind::Func | ExternalKind::FuncExact);
        let ty = self.functions.get(*index as usize).filter(|_| is_function);
        if ty.is_some_and(|ty| self.has_type(*ty, parameters, results)) {
            return Ok(());
        }
        let words = format!("'{name}' is no function {}", signature(parameters, results));
        Err(Refusal::new(Rule::Export, *offset, words))
    }

    fn has_type(&self, ty: u32, parameters: &[ValType], results: &[ValType]) -> bool {
        self.types
            .get(ty as usize)
            .is_some_and(|ty| (ty.params(), ty.results()) == (parameters, results))
    }
}

fn missing(name: &str, end: usize) -> Refusal {
    Refusal::new(Rule::Export, end, format!("it does not export '{name}'"))
}

fn signature(parameters: &[ValType], results: &[ValType]) -> String {
    let list = |types: &[ValType]| {
        types
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", ")
    };
    format!("({}) -> ({})", list(parameters), list(results))
}
