//! How large a module may be, in each of the ways in which a module can be large.

/// The caps of admission. The defaults admit what toolchains make of real programs and keep an engine's compiler to
/// seconds: each cap stands against a cost that grows faster than the module's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Bytes of the module.
    pub module_bytes: usize,
    /// Function types.
    pub types: u32,
    /// Parameters of a function or block.
    pub parameters: usize,
    /// Results of a function or block.
    pub results: usize,
    /// Functions defined in the module.
    pub functions: u32,
    /// Bytes of a function's body.
    pub function_bytes: usize,
    /// Locals of a function, its parameters included.
    pub locals: u32,
    /// Blocks within one another.
    pub nesting: u32,
    /// Targets of one branch table.
    pub branch_targets: u32,
    /// Globals.
    pub globals: u32,
    /// Tables.
    pub tables: u32,
    /// Entries of all tables together.
    pub table_entries: u64,
    /// Element segments.
    pub elements: u32,
    /// Data segments.
    pub data: u32,
    /// Exports.
    pub exports: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            module_bytes: spoor_plugin_abi::MAX_MODULE,
            types: 10_000,
            parameters: 128,
            results: 16,
            functions: 50_000,
            function_bytes: 1 << 20,
            locals: 10_000,
            nesting: 2_000,
            branch_targets: 10_000,
            globals: 1_000,
            tables: 4,
            table_entries: 100_000,
            elements: 10_000,
            data: 50_000,
            exports: 1_000,
        }
    }
}
