//! Functions of plugins: what `evaluate` calls, and the calls that the engine leaves to others.

use std::sync::Arc;

use spoor_plugin_abi::Function;

/// A function of a plugin.
#[derive(Debug, Clone, PartialEq)]
pub struct PluginFunction {
    /// The plugin's name, for people.
    pub plugin: String,
    /// What the caller knows the plugin by.
    pub module: String,
    /// What the plugin's manifest says of it.
    pub function: Arc<Function>,
}

/// A call that a query waits for.
#[derive(Debug)]
pub struct PluginCall {
    /// Its number in the query.
    pub number: u64,
    /// What is called.
    pub function: Arc<PluginFunction>,
    /// The call's frame, as plugins/ABI.md has it.
    pub frame: Vec<u8>,
    /// How many rows the frame holds.
    pub rows: u64,
}
