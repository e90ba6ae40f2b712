//! Rows that come as objects: Defender's results.
//!
//! Names are compared without regard to case where none is the same: Microsoft Graph's documentation shows rows whose names
//! differ from its schema's in the case of their first letter. What a row lacks is null; what the schema lacks is left out.

use std::collections::HashMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::budget::Budget;
use super::rows::Filling;

/// Where each column is, by its name and by its name in lower case.
pub(super) struct Names {
    exact: HashMap<String, usize>,
    folded: HashMap<String, usize>,
    ordered: Vec<String>,
}

impl Names {
    pub(super) fn of(filling: &Filling) -> Self {
        let names = || {
            filling
                .columns()
                .iter()
                .map(|column| &column.name)
                .enumerate()
        };
        Names {
            // Of columns with the same name the first is filled.
            exact: names().rev().map(|(at, name)| (name.clone(), at)).collect(),
            folded: names()
                .rev()
                .map(|(at, name)| (name.to_lowercase(), at))
                .collect(),
            ordered: names().map(|(_, name)| name.clone()).collect(),
        }
    }

    /// The column of a name. `next` is the one that most likely comes now: rows keep the order of the schema.
    fn find(&self, name: &str, next: usize) -> Option<usize> {
        if self.ordered.get(next).is_some_and(|own| own == name) {
            return Some(next);
        }
        let folded = || self.folded.get(&name.to_lowercase());
        self.exact.get(name).or_else(folded).copied()
    }
}

/// Reads an array of objects into a table.
pub(super) struct ObjectsSeed<'a> {
    pub(super) filling: &'a mut Filling,
    pub(super) names: &'a Names,
    pub(super) budget: &'a mut Budget,
}

impl<'de> DeserializeSeed<'de> for ObjectsSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for ObjectsSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        let mut filled = vec![false; self.filling.columns().len()];
        loop {
            let row = ObjectSeed {
                filling: self.filling,
                names: self.names,
                budget: self.budget,
                filled: &mut filled,
            };
            if rows.next_element_seed(row)?.is_none() {
                return Ok(());
            }
        }
    }
}

struct ObjectSeed<'a> {
    filling: &'a mut Filling,
    names: &'a Names,
    budget: &'a mut Budget,
    filled: &'a mut [bool],
}

impl<'de> DeserializeSeed<'de> for ObjectSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ObjectSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row, which is an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        if !self.filling.begin_row(self.budget) {
            while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(());
        }
        self.filled.fill(false);
        let mut next = 0;
        while let Some(name) = entries.next_key::<std::borrow::Cow<'de, str>>()? {
            let Some(at) = self.names.find(&name, next) else {
                entries.next_value::<IgnoredAny>()?;
                continue;
            };
            if std::mem::replace(&mut self.filled[at], true) {
                let row = self.filling.came;
                return Err(Error::custom(format_args!("row {row} has '{name}' twice")));
            }
            self.filling.cell(at, self.budget, |seed| {
                entries.next_value_seed(seed).map(|()| true)
            })?;
            next = at + 1;
        }
        for (at, _) in self
            .filled
            .iter()
            .enumerate()
            .filter(|(_, filled)| !**filled)
        {
            self.filling.null(at);
        }
        self.filling.end_row(self.budget).map_err(Error::custom)
    }
}
