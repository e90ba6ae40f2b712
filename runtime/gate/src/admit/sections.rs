//! The caps on what a module declares, section by section. Counts come first: nothing is read of a section that claims too
//! many items.

use wasmparser::{
    CompositeInnerType, ExternalKind, FuncType, GlobalSectionReader, Payload, RefType,
    SectionLimited, TableSectionReader, TypeSectionReader, ValType,
};

use crate::policy::Policy;
use crate::refusal::{Refusal, Rule};

type Checked = Result<(), Refusal>;

/// Holds a section against the policy. Errors of the format are left to the validator, which sees the section next.
pub(super) fn check(payload: &Payload<'_>, policy: &Policy) -> Checked {
    match payload {
        Payload::TypeSection(types) => check_types(types, policy),
        Payload::ImportSection(imports) => at_most(imports, 3, Rule::Import, "imports"),
        Payload::FunctionSection(s) => at_most(s, policy.functions, Rule::Functions, "functions"),
        Payload::TableSection(tables) => check_tables(tables, policy),
        Payload::MemorySection(memories) => check_memories(memories),
        Payload::GlobalSection(globals) => check_globals(globals, policy),
        Payload::ExportSection(exports) => check_exports(exports, policy),
        Payload::ElementSection(s) => {
            at_most(s, policy.elements, Rule::Elements, "element segments")
        }
        Payload::DataSection(s) => at_most(s, policy.data, Rule::Data, "data segments"),
        Payload::DataCountSection { count, range } if *count > policy.data => Err(too_many(
            Rule::Data,
            range.start,
            *count,
            policy.data,
            "data segments",
        )),
        Payload::StartSection { range, .. } => {
            let words = "it has a start function, which would run before it could be metered";
            Err(Refusal::new(Rule::Start, range.start, words))
        }
        _ => Ok(()),
    }
}

fn check_types(types: &TypeSectionReader<'_>, policy: &Policy) -> Checked {
    at_most(types, policy.types, Rule::Types, "types")?;
    for group in types.clone().into_iter_with_offsets() {
        let Ok((offset, group)) = group else {
            return Ok(());
        };
        for ty in group.types() {
            if let CompositeInnerType::Func(function) = &ty.composite_type.inner {
                check_type(function, offset, policy)?;
            }
        }
    }
    Ok(())
}

fn check_type(function: &FuncType, offset: usize, policy: &Policy) -> Checked {
    for (count, most, what) in [
        (function.params().len(), policy.parameters, "parameters"),
        (function.results().len(), policy.results, "results"),
    ] {
        if count > most {
            let words = format!("a type has {count} {what}, and {most} are allowed");
            return Err(Refusal::new(Rule::Types, offset, words));
        }
    }
    let types = function.params().iter().chain(function.results());
    numbers(types, offset, Rule::Types)
}

/// References as values would let a module build tables as it runs, which is not metered.
fn numbers<'t>(types: impl IntoIterator<Item = &'t ValType>, offset: usize, rule: Rule) -> Checked {
    match types.into_iter().find(|ty| ty.is_reference_type()) {
        Some(ty) => Err(Refusal::new(
            rule,
            offset,
            format!("a value of the type {ty} is not admitted"),
        )),
        None => Ok(()),
    }
}

fn check_tables(tables: &TableSectionReader<'_>, policy: &Policy) -> Checked {
    at_most(tables, policy.tables, Rule::Tables, "tables")?;
    let mut entries = 0u64;
    for table in tables.clone().into_iter_with_offsets() {
        let Ok((offset, table)) = table else {
            return Ok(());
        };
        if table.ty.element_type != RefType::FUNCREF {
            let words = format!(
                "a table holds {}, and only funcref is admitted",
                table.ty.element_type
            );
            return Err(Refusal::new(Rule::Tables, offset, words));
        }
        entries = entries.saturating_add(table.ty.initial);
        if entries > policy.table_entries {
            let words = format!(
                "the tables declare {entries} entries, and {} are allowed",
                policy.table_entries
            );
            return Err(Refusal::new(Rule::TableSize, offset, words));
        }
    }
    Ok(())
}

fn check_memories(memories: &wasmparser::MemorySectionReader<'_>) -> Checked {
    if memories.count() == 1 {
        return Ok(());
    }
    let words = format!(
        "it declares {} memories, and has to declare one",
        memories.count()
    );
    Err(Refusal::new(Rule::Memory, memories.range().start, words))
}

fn check_globals(globals: &GlobalSectionReader<'_>, policy: &Policy) -> Checked {
    at_most(globals, policy.globals, Rule::Globals, "globals")?;
    for global in globals.clone().into_iter_with_offsets() {
        let Ok((offset, global)) = global else {
            return Ok(());
        };
        numbers([&global.ty.content_type], offset, Rule::Globals)?;
    }
    Ok(())
}

fn check_exports(exports: &wasmparser::ExportSectionReader<'_>, policy: &Policy) -> Checked {
    at_most(exports, policy.exports, Rule::Export, "exports")?;
    for export in exports.clone().into_iter_with_offsets() {
        let Ok((offset, export)) = export else {
            return Ok(());
        };
        if export.name.starts_with("spoor.") {
            let words = format!("it exports '{}'", printable(export.name));
            return Err(Refusal::new(Rule::ReservedName, offset, words));
        }
        if export.kind == ExternalKind::Table {
            let words = format!("it exports the table '{}'", printable(export.name));
            return Err(Refusal::new(Rule::Export, offset, words));
        }
    }
    Ok(())
}

fn at_most<'a, T: wasmparser::FromReader<'a>>(
    section: &SectionLimited<'a, T>,
    most: u32,
    rule: Rule,
    what: &str,
) -> Checked {
    if section.count() <= most {
        return Ok(());
    }
    Err(too_many(
        rule,
        section.range().start,
        section.count(),
        most,
        what,
    ))
}

fn too_many(rule: Rule, offset: usize, count: u32, most: u32, what: &str) -> Refusal {
    Refusal::new(
        rule,
        offset,
        format!("it has {count} {what}, and {most} are allowed"),
    )
}

/// A name from the module for a message: short, and nothing that could steer a terminal.
pub(super) fn printable(name: &str) -> String {
    name.chars().take(64).flat_map(char::escape_debug).collect()
}
