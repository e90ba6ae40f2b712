//! Answers of Azure Resource Graph, in the form of a table, which is what is asked for.
//!
//! `resultTruncated` is a text; with `$skipToken` there is a next page, without it nothing can be done. Source: Azure's pages on
//! Resource Graph's result formats and on paging.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};
use spoor_table::Column;

use super::budget::Budget;
use super::fault::Fault;
use super::tables::{self, Draft, TableSeed};
use super::{Cause, DecodeError, MORE, Named, Outcome};

const FIELDS: [&str; 5] = [
    "$skipToken",
    "count",
    "error",
    "resultTruncated",
    "totalRecords",
];

pub(super) fn decode(body: &[u8], budget: &Budget) -> Result<Outcome, DecodeError> {
    let mut read = pass(body, budget, None)?;
    if let Some(known) = read.again()? {
        read = pass(body, budget, Some(known))?;
    }
    if let Some(fault) = read.fields.get("error").and_then(Fault::beside) {
        return Err(DecodeError::Service(Box::new(fault)));
    }
    let Some(data) = read.data else {
        return Err(DecodeError::Shape("it has no data".to_owned()));
    };
    let mut outcome = Outcome {
        next: text(&read.fields, "$skipToken"),
        total_rows: read.fields.get("totalRecords").and_then(Value::as_u64),
        ..Outcome::default()
    };
    if is_true(read.fields.get("resultTruncated")) && outcome.next.is_none() {
        let told = "Azure Resource Graph has more rows, and no next page: the query has to keep the column id";
        outcome.completeness.note(Cause::Truncated, told);
    }
    if outcome.next.is_some() {
        outcome.completeness.note(Cause::Truncated, MORE);
    }
    let filling = data.settle()?.filling;
    outcome.completeness.take_in(&read.budget.errors);
    let count = read.fields.get("count").and_then(Value::as_u64);
    if let Some(count) = count.filter(|count| *count != filling.came as u64) {
        let told = format!("it is said to have {count} rows, and {} came", filling.came);
        outcome.completeness.note(Cause::Broken, told);
    }
    if let Some(cut) = filling.cut {
        let told = read.budget.told(cut);
        outcome.completeness.note(Cause::Limit, told);
    }
    let table = filling.finish()?;
    outcome.tables.push(Named {
        name: "PrimaryResult".to_owned(),
        table,
    });
    Ok(outcome)
}

fn text(fields: &Map<String, Value>, name: &str) -> Option<String> {
    let text = fields.get(name)?.as_str()?;
    (!text.is_empty()).then(|| text.to_owned())
}

fn is_true(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Bool(value)) => *value,
        Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
        _ => false,
    }
}

/// One reading.
struct Pass {
    known: Option<Vec<Column>>,
    data: Option<Draft>,
    fields: Map<String, Value>,
    budget: Budget,
}

impl Pass {
    /// The columns to read once more with, if that is needed.
    fn again(&self) -> Result<Option<Vec<Column>>, DecodeError> {
        match &self.data {
            Some(draft) if draft.late => draft.columns().map(Some),
            _ => Ok(None),
        }
    }
}

fn pass(body: &[u8], budget: &Budget, known: Option<Vec<Column>>) -> Result<Pass, DecodeError> {
    let mut pass = Pass {
        known,
        data: None,
        fields: Map::new(),
        budget: budget.clone(),
    };
    let mut reader = serde_json::Deserializer::from_slice(body);
    let read = (&mut pass)
        .deserialize(&mut reader)
        .and_then(|()| reader.end());
    read.map_err(|error| DecodeError::of(&error, body))?;
    Ok(pass)
}

impl<'de> DeserializeSeed<'de> for &mut Pass {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut Pass {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with data")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(key) = entries.next_key::<std::borrow::Cow<'de, str>>()? {
            match key.as_ref() {
                "data" if self.data.is_some() => {
                    return Err(Error::custom("it has its data twice"));
                }
                "data" => {
                    let (budget, known) = (&mut self.budget, self.known.take());
                    self.data = Some(entries.next_value_seed(TableSeed { budget, known })?);
                }
                name if FIELDS.contains(&name) => {
                    tables::field(&mut self.fields, name, &mut entries)?;
                }
                _ => drop(entries.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}
