//! Segment 0 of a call's frame and of its answer's.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a call asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallHeader {
    /// The function's name, as the manifest has it.
    pub function: String,
    /// Every option's value by its name: those that the caller left out have their default.
    #[serde(default)]
    pub arguments: BTreeMap<String, Value>,
}

/// What an answer holds beside its tables.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerHeader {
    /// Charts of the answer's tables.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub charts: Vec<Chart>,
}

/// A chart of one of the answer's tables: Kusto's `render KIND with (...)`, as data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chart {
    /// What follows `render`: `timechart`, `barchart`, `anomalychart` ...
    pub kind: String,
    /// The table that is drawn, counted from 0.
    #[serde(default)]
    pub table: u32,
    /// What stands in `with (...)`: `title`, `xcolumn`, `ycolumns` ... as Kusto names them, all as text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub properties: BTreeMap<String, String>,
}
