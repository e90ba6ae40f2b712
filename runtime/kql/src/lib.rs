//! KQL over DataFusion: binder, planner and Kusto's functions.
//!
//! [`Engine`] is the way in: it keeps a catalogue of tables and runs queries in slices. `bind` turns a syntax tree into a
//! logical plan, [`functions`] know Kusto's operators and functions, `exec` runs plans.

pub mod bind;
mod cut;
mod engine;
mod exec;
pub mod functions;
pub mod typed;

pub use cut::RESULT_ROWS;
pub use engine::{Engine, EngineOptions, Query, QueryError, QueryResult, Step};
pub use exec::{Called, ExecutionError, StoredBatches, StoredRows, Wanted};
pub use functions::plugin::{PluginCall, PluginFunction};
