//! The columns of objects that have no schema: the union of their names in the order of their appearance.

use std::collections::HashMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use spoor_table::{Column, KustoType};

/// Names beyond this are data.
const MOST_COLUMNS: usize = 10_000;

/// The columns so far.
#[derive(Default)]
pub(super) struct Inferred {
    places: HashMap<String, usize>,
    columns: Vec<(String, Option<KustoType>)>,
}

impl Inferred {
    /// The columns. One that has only nulls is dynamic, which keeps them.
    pub(super) fn columns(self) -> Vec<Column> {
        let columns = self.columns.into_iter();
        columns
            .map(|(name, ty)| Column::new(name, ty.unwrap_or(KustoType::Dynamic)))
            .collect()
    }

    fn place<E: Error>(&mut self, name: &str) -> Result<usize, E> {
        if let Some(at) = self.places.get(name) {
            return Ok(*at);
        }
        let at = self.columns.len();
        if at >= MOST_COLUMNS {
            return Err(E::custom(format_args!(
                "its rows have more than {MOST_COLUMNS} names"
            )));
        }
        self.places.insert(name.to_owned(), at);
        self.columns.push((name.to_owned(), None));
        Ok(at)
    }

    fn note(&mut self, at: usize, found: Option<KustoType>) {
        if let Some((_, ty)) = self.columns.get_mut(at) {
            *ty = join(*ty, found);
        }
    }
}

/// The narrowest type that holds the values of both; `None` has none.
fn join(one: Option<KustoType>, other: Option<KustoType>) -> Option<KustoType> {
    use KustoType::{Dynamic, Long, Real};
    match (one, other) {
        (None, ty) | (ty, None) => ty,
        (Some(one), Some(other)) if one == other => Some(one),
        (Some(Long | Real), Some(Long | Real)) => Some(Real),
        _ => Some(Dynamic),
    }
}

#[derive(Default)]
pub(super) struct InferSeed(Inferred);

impl<'de> Visitor<'de> for InferSeed {
    type Value = Inferred;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut rows: A) -> Result<Inferred, A::Error> {
        while rows.next_element_seed(Row(&mut self.0))?.is_some() {}
        Ok(self.0)
    }
}

struct Row<'a>(&'a mut Inferred);

impl<'de> DeserializeSeed<'de> for Row<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Row<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row, which is an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(name) = entries.next_key::<std::borrow::Cow<'de, str>>()? {
            let at = self.0.place(&name)?;
            let found = entries.next_value_seed(Kind)?;
            self.0.note(at, found);
        }
        Ok(())
    }
}

/// The type of one value.
struct Kind;

impl<'de> DeserializeSeed<'de> for Kind {
    type Value = Option<KustoType>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Kind {
    type Value = Option<KustoType>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Some(KustoType::Bool))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Some(KustoType::Long))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Some(if i64::try_from(value).is_ok() {
            KustoType::Long
        } else {
            KustoType::Real
        }))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Some(KustoType::Real))
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(Some(KustoType::String))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Some(KustoType::Dynamic))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Some(KustoType::Dynamic))
    }
}
