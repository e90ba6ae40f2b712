//! Columns as each protocol describes them.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};
use spoor_table::{Column, KustoType};

use super::budget::MOST_COLUMNS;

/// A column's description. Log Analytics, Defender and Resource Graph have `name` and `type`; Kusto has `ColumnName`,
/// `ColumnType`, and in version 1 `DataType`, which is a type of .NET.
#[derive(Debug, Deserialize)]
struct Described {
    #[serde(alias = "Name", alias = "ColumnName")]
    name: String,
    #[serde(default, rename = "type", alias = "Type", alias = "ColumnType")]
    ty: Option<String>,
    #[serde(default, rename = "DataType", alias = "dataType")]
    net: Option<String>,
}

impl Described {
    /// The column; an error names it and the type that nobody knows.
    fn column(&self) -> Result<Column, String> {
        let written = [&self.ty, &self.net]
            .into_iter()
            .flatten()
            .find(|ty| !ty.is_empty());
        let Some(written) = written else {
            return Err(format!("column '{}' has no type", self.name));
        };
        let ty = kusto_type(written)
            .ok_or_else(|| format!("column '{}' is of the unknown type '{written}'", self.name))?;
        Ok(Column::new(&self.name, ty))
    }
}

/// Reads an array of columns, and stops where there are more than any answer has.
pub(super) struct ColumnsSeed;

impl<'de> DeserializeSeed<'de> for ColumnsSeed {
    type Value = Vec<Column>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Column>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for ColumnsSeed {
    type Value = Vec<Column>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of columns")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut described: A) -> Result<Vec<Column>, A::Error> {
        let mut columns = Vec::new();
        while let Some(next) = described.next_element::<Described>()? {
            if columns.len() >= MOST_COLUMNS {
                return Err(Error::custom("it has too many columns"));
            }
            columns.push(next.column().map_err(Error::custom)?);
        }
        Ok(columns)
    }
}

/// The type of a name: Kusto's own, .NET's (Kusto version 1, Defender), or JSON's (Resource Graph).
///
/// Which names Defender uses beside `DateTime`, `String` and `Int64` is documented nowhere; those of .NET are taken, as its
/// older API had them. Which Resource Graph uses beside `string`, `integer`, `number`, `boolean` and `object` is not either.
pub(super) fn kusto_type(name: &str) -> Option<KustoType> {
    let name = name.strip_prefix("System.").unwrap_or(name);
    let name = name
        .strip_prefix("Data.SqlTypes.")
        .unwrap_or(name)
        .to_ascii_lowercase();
    KustoType::from_name(&name).or(match name.as_str() {
        "sbyte" | "byte" => Some(KustoType::Bool),
        "int16" | "uint16" => Some(KustoType::Int),
        "uint32" | "uint64" | "integer" => Some(KustoType::Long),
        "single" | "float" | "number" => Some(KustoType::Real),
        "sqldecimal" => Some(KustoType::Decimal),
        "object" | "array" | "json" | "jtoken" => Some(KustoType::Dynamic),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_protocols_names() {
        for (names, wanted) in [
            ("bool Boolean System.SByte SByte boolean", KustoType::Bool),
            ("int Int32 System.Int32", KustoType::Int),
            ("long Int64 integer", KustoType::Long),
            ("real Double number System.Double", KustoType::Real),
            (
                "decimal SqlDecimal System.Data.SqlTypes.SqlDecimal",
                KustoType::Decimal,
            ),
            ("datetime DateTime System.DateTime", KustoType::DateTime),
            ("timespan TimeSpan System.TimeSpan", KustoType::TimeSpan),
            ("string String System.String", KustoType::String),
            ("guid Guid System.Guid", KustoType::Guid),
            (
                "dynamic Object System.Object object array",
                KustoType::Dynamic,
            ),
        ] {
            for name in names.split(' ') {
                assert_eq!(kusto_type(name), Some(wanted), "{name}");
            }
        }
        assert_eq!(kusto_type("varchar"), None);
    }
}
