//! Calls of plugins' functions: what a call is given, what its answer and its input are together, and why there is none.
//!
//! Nothing here runs a plugin. The query engine, the kernel and the host make a [`Call`] of a function, its columns and its
//! options; whoever has an engine for WebAssembly runs the frame that [`Call::frame`] makes of a batch; `spoor-gate` reads
//! what comes back, and [`Call::joined`] puts it beside the batch's own columns.

mod call;
mod convert;
mod failure;
mod limits;
mod options;

pub use call::{Bound, Call, output_columns};
pub use convert::{abi_type, fitting, kusto_type, stream};
pub use failure::{Failure, Trapped, type_names};
pub use limits::{Limits, Wish};
pub use options::{complete, option_value, parse_option};
