//! JSON values that are read as trees: errors, statistics, properties. As a tree, text takes up to sixteen times its length, so
//! a value is bounded before it becomes one. Errors between rows do not stay trees.

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use serde_json::Value;
use spoor_table::dynamic::{Builder, JsonSeed};

/// Bytes of one value. What services say of themselves takes kilobytes.
const MOST_BYTES: usize = 1 << 20;

/// Reads one value.
pub(super) struct Small;

impl<'de> DeserializeSeed<'de> for Small {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let mut builder = Builder::within(MOST_BYTES);
        JsonSeed(&mut builder).deserialize(deserializer)?;
        tree(builder)
    }
}

impl Small {
    /// Reads an object that has begun.
    pub(super) fn object<'de, A: MapAccess<'de>>(self, entries: A) -> Result<Value, A::Error> {
        let mut builder = Builder::within(MOST_BYTES);
        JsonSeed(&mut builder).visit_map(entries)?;
        tree(builder)
    }
}

fn tree<E: Error>(builder: Builder) -> Result<Value, E> {
    // One long text is as long as it was.
    serde_json::from_str(&builder.finish().view().to_json()).map_err(E::custom)
}
