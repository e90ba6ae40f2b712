//! The page beside Pyodide, in Chromium: time to the first Python result and to the first KQL result.

use anyhow::Result;

use super::Row;
use crate::paths::Paths;

pub fn python(_: &Paths, _: u32) -> Result<Vec<Row>> {
    Ok(Vec::new())
}
pub fn kql(_: &Paths, _: u32) -> Result<Vec<Row>> {
    Ok(Vec::new())
}
