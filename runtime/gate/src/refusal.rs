//! Why a module is not let in: the rule it breaks, where, in words, and what its author can do about it.

use std::fmt;

/// A rule of the gate. Its [name](Rule::name) is stable: documentation, tests and the page's help refer to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rule {
    /// The module has too many bytes.
    ModuleSize,
    /// The bytes are not a valid module of core WebAssembly.
    Malformed,
    /// The module uses a proposal that is not on the list.
    Proposal,
    /// The module uses an instruction that the gate does not meter.
    Instruction,
    /// There are too many types, or one has too many parameters or results.
    Types,
    /// An import is not one of the ABI's, or has another type.
    Import,
    /// There are too many functions.
    Functions,
    /// A function's body has too many bytes.
    FunctionSize,
    /// A function has too many locals.
    Locals,
    /// A function's blocks lie too deep in one another.
    Nesting,
    /// A branch table has too many targets.
    BranchTable,
    /// There are too many globals, or one is of a reference type.
    Globals,
    /// There are too many tables, or a table of something else than functions.
    Tables,
    /// The tables declare too many entries.
    TableSize,
    /// There are too many element segments.
    Elements,
    /// There is not exactly one memory, or it wants more than the limit from the start.
    Memory,
    /// There are too many data segments.
    Data,
    /// There is a start function.
    Start,
    /// An export of the ABI is missing or has another type, or there are too many exports.
    Export,
    /// An export has a name that belongs to the gate.
    ReservedName,
    /// A section `spoor.manifest` is missing, there twice, or does not hold a manifest.
    Manifest,
    /// The manifest's capabilities and the module's imports disagree.
    Capability,
    /// The section `spoor.signature` is not the last, is malformed, or does not verify.
    Signature,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Rule; 23] = [
        Rule::ModuleSize,
        Rule::Malformed,
        Rule::Proposal,
        Rule::Instruction,
        Rule::Types,
        Rule::Import,
        Rule::Functions,
        Rule::FunctionSize,
        Rule::Locals,
        Rule::Nesting,
        Rule::BranchTable,
        Rule::Globals,
        Rule::Tables,
        Rule::TableSize,
        Rule::Elements,
        Rule::Memory,
        Rule::Data,
        Rule::Start,
        Rule::Export,
        Rule::ReservedName,
        Rule::Manifest,
        Rule::Capability,
        Rule::Signature,
    ];

    /// The rule's stable name: lower-case words joined by hyphens.
    pub const fn name(self) -> &'static str {
        match self {
            Rule::ModuleSize => "module-size",
            Rule::Malformed => "malformed",
            Rule::Proposal => "proposal",
            Rule::Instruction => "instruction",
            Rule::Types => "types",
            Rule::Import => "import",
            Rule::Functions => "functions",
            Rule::FunctionSize => "function-size",
            Rule::Locals => "locals",
            Rule::Nesting => "nesting",
            Rule::BranchTable => "branch-table",
            Rule::Globals => "globals",
            Rule::Tables => "tables",
            Rule::TableSize => "table-size",
            Rule::Elements => "elements",
            Rule::Memory => "memory",
            Rule::Data => "data",
            Rule::Start => "start",
            Rule::Export => "export",
            Rule::ReservedName => "reserved-name",
            Rule::Manifest => "manifest",
            Rule::Capability => "capability",
            Rule::Signature => "signature",
        }
    }

    /// What an author does about it, in one sentence.
    pub const fn remedy(self) -> &'static str {
        match self {
            Rule::ModuleSize => {
                "strip debug information, optimise for size, or move data out of the module"
            }
            Rule::Malformed => {
                "build the module again: what arrived is not what a toolchain writes"
            }
            Rule::Proposal => {
                "build for WebAssembly 2.0 without threads, exceptions, tail calls, GC, 64-bit or several memories, relaxed SIMD"
            }
            Rule::Instruction => {
                "leave out instructions on references and tables: only call_indirect is admitted"
            }
            Rule::Types => "use fewer or smaller function types: pass structures through memory",
            Rule::Import => {
                "import nothing but log, progress and time from spoor_abi_1: no WASI, no env"
            }
            Rule::Functions | Rule::FunctionSize => {
                "split the plugin, or turn a generated table of code into data"
            }
            Rule::Locals => "split the function, or keep large values in memory",
            Rule::Nesting => "split the function that has so many nested blocks",
            Rule::BranchTable => "split the largest switch, or look its values up in memory",
            Rule::Globals => "keep state in memory instead of globals",
            Rule::Tables | Rule::TableSize => {
                "keep one table with an entry for each function that is called indirectly"
            }
            Rule::Elements => "join the element segments",
            Rule::Memory => {
                "export one memory that begins small and grows, or raise the call's memory limit"
            }
            Rule::Data => "join the data segments",
            Rule::Start => "export the start function as _initialize",
            Rule::Export => "export memory, spoor_abi_1, alloc and call as plugins/ABI.md has them",
            Rule::ReservedName => {
                "rename the export: names that begin with 'spoor.' are the gate's"
            }
            Rule::Manifest => "write the section with the SDK or `spoor plugin build`",
            Rule::Capability => "ask for the capability in the manifest, or leave out the import",
            Rule::Signature => "sign the finished module last, with `spoor plugin sign`",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A module that is not let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The rule that is broken.
    pub rule: Rule,
    /// Where, in bytes from the module's start; the module's size where something is missing.
    pub offset: u64,
    /// What is wrong, with the figures.
    pub words: String,
}

impl Refusal {
    pub(crate) fn new(rule: Rule, offset: usize, words: impl Into<String>) -> Self {
        Refusal {
            rule,
            offset: offset as u64,
            words: words.into(),
        }
    }

    /// What the author does about it.
    pub fn remedy(&self) -> &'static str {
        self.rule.remedy()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Refusal {
            rule,
            offset,
            words,
        } = self;
        let remedy = self.remedy();
        write!(
            f,
            "the plugin is refused by the rule '{rule}' at byte {offset}: {words}. To mend it, {remedy}"
        )
    }
}

impl std::error::Error for Refusal {}
