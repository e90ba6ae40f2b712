//! Tables with Kusto's types over Arrow: the scalar types, dynamic values, and how values print.
//!
//! The readers (`spoor-data`) make [`Table`]s, the engine (`spoor-kql`) computes them, and everyone shows them through
//! [`format`]. Nothing here plans, computes or reads files.

mod condition;
pub mod convert;
pub mod dynamic;
pub mod format;
pub mod hash;
pub mod ipc;
pub mod pandas;
pub mod parse;
mod table;
pub mod ticks;
mod types;
mod value;

pub use condition::{Condition, Test};
pub use dynamic::{Dynamic, DynamicRef};
pub use table::{Table, TableError, without_nulls};
pub use types::{Column, DECIMAL_PRECISION, DECIMAL_SCALE, KustoType};
pub use value::{Cell, Value, array_of};
