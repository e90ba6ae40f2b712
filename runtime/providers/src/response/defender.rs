//! Answers of Microsoft Graph's `runHuntingQuery`: a `schema`, and `results` that are objects.
//!
//! Source: Microsoft Graph's page on `security: runHuntingQuery`, whose examples write the names within the schema in both cases.
//! The service gives 100,000 rows at most, and no sign when there are more: a result of exactly that many is shown as partial.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use spoor_table::Column;

use super::budget::Budget;
use super::columns::ColumnsSeed;
use super::fault::Fault;
use super::objects::{Names, ObjectsSeed};
use super::rows::Filling;
use super::small::Small;
use super::{Cause, DecodeError, Named, Outcome, tables};

/// The most rows that the service gives.
const MOST_ROWS: usize = 100_000;

pub(super) fn decode(body: &[u8], budget: &Budget) -> Result<Outcome, DecodeError> {
    let mut read = pass(body, budget, None)?;
    if read.late {
        let columns = read
            .filling
            .as_ref()
            .map(|filling| filling.columns().to_vec());
        read = pass(body, budget, columns)?;
    }
    if let Some(fault) = read.error.as_ref().and_then(Fault::beside) {
        return Err(DecodeError::Service(Box::new(fault)));
    }
    let Some(filling) = read.filling else {
        return Err(DecodeError::Shape("it has no schema".to_owned()));
    };
    if !read.came {
        return Err(DecodeError::Shape("it has no results".to_owned()));
    }
    let mut outcome = Outcome::default();
    outcome.completeness.take_in(&read.budget.errors);
    if let Some(cut) = filling.cut {
        let told = read.budget.told(cut);
        outcome.completeness.note(Cause::Limit, told);
    }
    if filling.came >= MOST_ROWS {
        let told =
            format!("Microsoft Defender gives {MOST_ROWS} rows at most, and here are as many");
        outcome.completeness.note(Cause::Truncated, told);
    }
    let table = filling.finish()?;
    outcome.tables.push(Named {
        name: "PrimaryResult".to_owned(),
        table,
    });
    Ok(outcome)
}

/// One reading.
struct Pass {
    filling: Option<Filling>,
    /// The schema is the first reading's.
    known: bool,
    /// There are results.
    came: bool,
    /// They came before the schema.
    late: bool,
    error: Option<Value>,
    budget: Budget,
}

fn pass(body: &[u8], budget: &Budget, known: Option<Vec<Column>>) -> Result<Pass, DecodeError> {
    let mut budget = budget.clone();
    let mut pass = Pass {
        known: known.is_some(),
        filling: known.and_then(|columns| Filling::new(columns, &mut budget)),
        came: false,
        late: false,
        error: None,
        budget,
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
        f.write_str("an object with a schema and results")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(key) = entries.next_key::<std::borrow::Cow<'de, str>>()? {
            match key.to_ascii_lowercase().as_str() {
                "schema" if self.known => drop(entries.next_value::<IgnoredAny>()?),
                "schema" if self.filling.is_some() => {
                    return Err(Error::custom("it has two schemas"));
                }
                "schema" => {
                    let columns = entries.next_value_seed(ColumnsSeed)?;
                    self.filling = Some(tables::filling(columns, &mut self.budget)?);
                }
                "results" if std::mem::replace(&mut self.came, true) => {
                    return Err(Error::custom("it has its results twice"));
                }
                "results" => match &mut self.filling {
                    Some(filling) => {
                        let names = &Names::of(filling);
                        let budget = &mut self.budget;
                        entries.next_value_seed(ObjectsSeed {
                            filling,
                            names,
                            budget,
                        })?;
                    }
                    None => {
                        self.late = true;
                        entries.next_value::<IgnoredAny>()?;
                    }
                },
                "error" if self.error.is_some() => {
                    return Err(Error::custom("it has 'error' twice"));
                }
                "error" => self.error = Some(entries.next_value_seed(Small)?),
                _ => drop(entries.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}
