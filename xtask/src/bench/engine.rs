//! The query engine inside kernel.wasm beside native DataFusion.

use anyhow::Result;

use super::Row;
use crate::paths::Paths;

pub fn group_by(_: &Paths, _: u32) -> Result<Vec<Row>> {
    Ok(Vec::new())
}
pub fn to_pandas(_: &Paths, _: u32) -> Result<Vec<Row>> {
    Ok(Vec::new())
}
