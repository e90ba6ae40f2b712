//! Documents that hold all their tables in one object: Log Analytics' (`tables`) and Kusto's version 1 (`Tables`).
//!
//! Rows go straight from the parser into columns, which has to know the columns first. Services write them first; where one does
//! not, the document is read a second time, with what the first reading found.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use spoor_table::Column;

use super::DecodeError;
use super::budget::{Budget, MOST_TABLES};
use super::columns::ColumnsSeed;
use super::rows::{Filling, RowsSeed};
use super::small::Small;

/// A document as it was read.
pub(super) struct Document {
    pub(super) tables: Vec<Read>,
    /// The fields that were asked for, under their own names.
    pub(super) fields: Map<String, Value>,
    pub(super) budget: Budget,
    /// Of the tables behind the first, if they have their own.
    pub(super) beside: Option<Budget>,
}

/// A table as it was read.
pub(super) struct Read {
    pub(super) name: String,
    pub(super) filling: Filling,
}

/// Reads a document with its tables and the fields called `wanted`. With `beside`, only the first table is a result for sure,
/// and the others do not share its limits.
pub(super) fn read(
    body: &[u8],
    budget: &Budget,
    beside: Option<Budget>,
    wanted: &[&str],
) -> Result<Document, DecodeError> {
    let budgets = || (budget.clone(), beside.clone());
    let first = pass(body, budgets(), wanted, None)?;
    let first = if first.drafts.iter().any(|draft| draft.late) {
        let known = first
            .drafts
            .iter()
            .map(Draft::columns)
            .collect::<Result<Vec<_>, _>>()?;
        pass(body, budgets(), wanted, Some(known))?
    } else {
        first
    };
    // What is an error has no tables.
    if !first.came && !first.fields.contains_key("error") {
        return Err(DecodeError::Shape("it has no tables".to_owned()));
    }
    let tables = first
        .drafts
        .into_iter()
        .map(Draft::settle)
        .collect::<Result<_, _>>()?;
    Ok(Document {
        tables,
        fields: first.fields,
        budget: first.budget,
        beside: first.beside,
    })
}

/// One reading.
struct Pass<'a> {
    wanted: &'a [&'a str],
    known: Option<Vec<Vec<Column>>>,
    /// Whether there is an array of tables.
    came: bool,
    drafts: Vec<Draft>,
    fields: Map<String, Value>,
    budget: Budget,
    beside: Option<Budget>,
}

fn pass<'a>(
    body: &[u8],
    (budget, beside): (Budget, Option<Budget>),
    wanted: &'a [&'a str],
    known: Option<Vec<Vec<Column>>>,
) -> Result<Pass<'a>, DecodeError> {
    let mut pass = Pass {
        wanted,
        known,
        came: false,
        drafts: Vec::new(),
        fields: Map::new(),
        budget,
        beside,
    };
    let mut reader = serde_json::Deserializer::from_slice(body);
    let read = (&mut pass)
        .deserialize(&mut reader)
        .and_then(|()| reader.end());
    read.map_err(|error| DecodeError::of(&error, body))?;
    Ok(pass)
}

impl<'de> DeserializeSeed<'de> for &mut Pass<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut Pass<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with tables")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(key) = entries.next_key::<std::borrow::Cow<'de, str>>()? {
            if key.eq_ignore_ascii_case("tables") {
                entries.next_value_seed(TablesSeed(self))?;
            } else if self.wanted.contains(&key.as_ref()) {
                field(&mut self.fields, &key, &mut entries)?;
            } else {
                entries.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// Reads the value of a field, of which there may be one.
pub(super) fn field<'de, A: MapAccess<'de>>(
    fields: &mut Map<String, Value>,
    key: &str,
    entries: &mut A,
) -> Result<(), A::Error> {
    let value = entries.next_value_seed(Small)?;
    match fields.insert(key.to_owned(), value) {
        Some(_) => Err(Error::custom(format_args!("it has '{key}' twice"))),
        None => Ok(()),
    }
}

struct TablesSeed<'a, 'b>(&'a mut Pass<'b>);

impl<'de> DeserializeSeed<'de> for TablesSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for TablesSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of tables")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut tables: A) -> Result<(), A::Error> {
        let pass = self.0;
        if std::mem::replace(&mut pass.came, true) {
            return Err(Error::custom("it has its tables twice"));
        }
        loop {
            let at = pass.drafts.len();
            let known = match &pass.known {
                Some(known) => known.get(at).cloned(),
                None => None,
            };
            let budget = match &mut pass.beside {
                Some(beside) if at > 0 => beside,
                _ => &mut pass.budget,
            };
            let Some(draft) = tables.next_element_seed(TableSeed { budget, known })? else {
                return Ok(());
            };
            if at >= MOST_TABLES {
                return Err(Error::custom(format_args!(
                    "it has more than {MOST_TABLES} tables"
                )));
            }
            pass.drafts.push(draft);
        }
    }
}

/// A table of which something may be missing yet.
pub(super) struct Draft {
    pub(super) name: String,
    pub(super) filling: Option<Filling>,
    /// There are rows.
    pub(super) rows: bool,
    /// They came before the columns, and were skipped.
    pub(super) late: bool,
}

impl Draft {
    fn missing(&self, what: &str) -> DecodeError {
        DecodeError::Shape(format!("the table '{}' has no {what}", self.name))
    }

    pub(super) fn columns(&self) -> Result<Vec<Column>, DecodeError> {
        let filling = self.filling.as_ref();
        filling
            .map(|filling| filling.columns().to_vec())
            .ok_or_else(|| self.missing("columns"))
    }

    pub(super) fn settle(self) -> Result<Read, DecodeError> {
        match self {
            Draft {
                name,
                filling: Some(filling),
                rows: true,
                ..
            } => Ok(Read { name, filling }),
            draft if draft.filling.is_some() => Err(draft.missing("rows")),
            draft => Err(draft.missing("columns")),
        }
    }
}

pub(super) struct TableSeed<'a> {
    pub(super) budget: &'a mut Budget,
    /// What the first reading found.
    pub(super) known: Option<Vec<Column>>,
}

impl<'de> DeserializeSeed<'de> for TableSeed<'_> {
    type Value = Draft;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Draft, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for TableSeed<'_> {
    type Value = Draft;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table, which is an object with columns and rows")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Draft, A::Error> {
        let budget = self.budget;
        let was_known = self.known.is_some();
        let mut draft = Draft {
            name: String::new(),
            filling: self
                .known
                .map(|columns| filling(columns, budget))
                .transpose()?,
            rows: false,
            late: false,
        };
        while let Some(key) = entries.next_key::<std::borrow::Cow<'de, str>>()? {
            match key.to_ascii_lowercase().as_str() {
                "name" | "tablename" => {
                    draft.name = entries.next_value::<Option<String>>()?.unwrap_or_default();
                }
                "columns" if was_known => drop(entries.next_value::<IgnoredAny>()?),
                "columns" if draft.filling.is_some() => {
                    return Err(Error::custom("a table has its columns twice"));
                }
                "columns" => {
                    let columns = entries.next_value_seed(ColumnsSeed)?;
                    draft.filling = Some(filling(columns, budget)?);
                }
                "rows" if std::mem::replace(&mut draft.rows, true) => {
                    return Err(Error::custom("a table has its rows twice"));
                }
                "rows" => match &mut draft.filling {
                    Some(filling) => entries.next_value_seed(RowsSeed { filling, budget })?,
                    None => {
                        draft.late = true;
                        entries.next_value::<IgnoredAny>()?;
                    }
                },
                _ => drop(entries.next_value::<IgnoredAny>()?),
            }
        }
        Ok(draft)
    }
}

pub(super) fn filling<E: Error>(columns: Vec<Column>, budget: &mut Budget) -> Result<Filling, E> {
    Filling::new(columns, budget).ok_or_else(|| E::custom("it has too many columns"))
}
