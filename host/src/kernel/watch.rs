//! Which of the kernel's functions run: a copy of it in which each function leaves a mark.
//!
//! [`divide`](super::divide) asks. The marks are bytes of a second memory, one for each function by its
//! index, so that the copy does what the kernel does. It is compiled without optimising, as it runs once.

use wasm_encoder::{
    CodeSection, ExportKind, ExportSection, Function, MemArg, MemorySection, MemoryType, Module,
    RawSection,
};
use wasmparser::{FunctionBody, Parser, Payload, TypeRef};

/// The export by which the marks are found.
pub const MARKS: &str = "spoor_marks";
/// Bytes of a page of memory.
const PAGE: usize = 64 << 10;

/// A kernel whose functions leave marks.
#[derive(Debug)]
pub struct Watched {
    /// The module.
    pub module: Vec<u8>,
    /// How many functions it has, imports among them.
    pub functions: usize,
}

/// Makes the copy. The error says what about the module was not as expected.
pub fn watched(kernel: &[u8]) -> Result<Watched, String> {
    let mut copy = Copy {
        kernel,
        module: Module::new(),
        memories: 0,
        functions: 0,
        imports: 0,
        code: CodeSection::new(),
    };
    for payload in Parser::new(0).parse_all(kernel) {
        let payload = payload.map_err(text)?;
        copy.payload(&payload)?;
    }
    Ok(Watched {
        module: copy.module.finish(),
        functions: copy.functions,
    })
}

struct Copy<'a> {
    kernel: &'a [u8],
    module: Module,
    /// How many the kernel has; the marks' is the next.
    memories: u32,
    functions: usize,
    imports: usize,
    code: CodeSection,
}

impl Copy<'_> {
    fn payload(&mut self, payload: &Payload<'_>) -> Result<(), String> {
        match payload {
            Payload::ImportSection(section) => {
                for import in section.clone().into_imports() {
                    match import.map_err(text)?.ty {
                        TypeRef::Func(_) => self.imports += 1,
                        _ => return Err("it imports what is not a function".into()),
                    }
                }
                self.functions += self.imports;
                self.raw(payload)
            }
            Payload::FunctionSection(section) => {
                self.functions += section.count() as usize;
                self.raw(payload)
            }
            Payload::MemorySection(section) => self.memory(section),
            Payload::ExportSection(section) => self.exports(section),
            Payload::CodeSectionEntry(body) => self.body(body),
            Payload::CodeSectionStart { .. } | Payload::CustomSection(_) => Ok(()),
            // All bodies have come.
            Payload::DataSection(_) => {
                self.write_code();
                self.raw(payload)
            }
            Payload::End(_) => {
                self.write_code();
                Ok(())
            }
            _ => self.raw(payload),
        }
    }

    fn raw(&mut self, payload: &Payload<'_>) -> Result<(), String> {
        if let Some((id, range)) = payload.as_section() {
            let data = self.kernel.get(range).ok_or("a section past the end")?;
            self.module.section(&RawSection { id, data });
        }
        Ok(())
    }

    fn memory(&mut self, section: &wasmparser::MemorySectionReader<'_>) -> Result<(), String> {
        let mut memories = MemorySection::new();
        for memory in section.clone() {
            let memory = memory.map_err(text)?;
            memories.memory(memory.into());
            self.memories += 1;
        }
        let pages = self.functions.div_ceil(PAGE).max(1) as u64;
        memories.memory(MemoryType {
            minimum: pages,
            maximum: Some(pages),
            memory64: false,
            shared: false,
            page_size_log2: None,
        });
        self.module.section(&memories);
        Ok(())
    }

    fn exports(&mut self, section: &wasmparser::ExportSectionReader<'_>) -> Result<(), String> {
        let mut exports = ExportSection::new();
        for export in section.clone() {
            let export = export.map_err(text)?;
            exports.export(export.name, export.kind.into(), export.index);
        }
        exports.export(MARKS, ExportKind::Memory, self.memories);
        self.module.section(&exports);
        Ok(())
    }

    /// The body behind a store of 1 into the function's byte. Nothing that it names has another number.
    fn body(&mut self, body: &FunctionBody<'_>) -> Result<(), String> {
        let locals = body.get_locals_reader().map_err(text)?;
        let locals: Vec<_> = locals
            .into_iter()
            .map(|local| {
                let (count, kind) = local.map_err(text)?;
                Ok((count, kind.try_into().map_err(text)?))
            })
            .collect::<Result<_, String>>()?;
        let number = self.imports + self.code.len() as usize;
        let mut function = Function::new(locals);
        function
            .instructions()
            .i32_const(i32::try_from(number).map_err(text)?)
            .i32_const(1)
            .i32_store8(MemArg {
                offset: 0,
                align: 0,
                memory_index: self.memories,
            });
        let rest = body.get_operators_reader().map_err(text)?;
        let rest = rest.original_position()..body.range().end;
        function.raw(
            self.kernel
                .get(rest)
                .ok_or("a body past the end")?
                .iter()
                .copied(),
        );
        self.code.function(&function);
        Ok(())
    }

    fn write_code(&mut self) {
        if !self.code.is_empty() {
            self.module.section(&self.code);
            self.code = CodeSection::new();
        }
    }
}

fn text(error: impl ToString) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests;
