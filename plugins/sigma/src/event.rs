//! Events: a row's columns as JSON, read for the columns that rules ask.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::skim::{Layout, Skim, Wanted};

/// An event: the columns that were asked for, or all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Event<'j> {
    entries: Vec<(Cow<'j, str>, Value<'j>)>,
    /// For each number of a wanted column, its place among the entries.
    places: Vec<Option<usize>>,
}

/// A value of an event. What is null is not there.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'j> {
    /// Nothing.
    Null,
    /// Text.
    Text(Cow<'j, str>),
    /// A truth.
    Bool(bool),
    /// A whole number.
    Whole(i128),
    /// A number.
    Real(f64),
    /// Several values: any of them may match.
    List(Vec<Value<'j>>),
    /// Values by name.
    Bag(Vec<(Cow<'j, str>, Value<'j>)>),
}

impl Value<'_> {
    /// A scalar as text; `None` for nothing, lists and bags.
    pub fn text(&self) -> Option<Cow<'_, str>> {
        match self {
            Value::Text(text) => Some(Cow::Borrowed(text)),
            Value::Bool(true) => Some(Cow::Borrowed("true")),
            Value::Bool(false) => Some(Cow::Borrowed("false")),
            Value::Whole(number) => Some(Cow::Owned(number.to_string())),
            Value::Real(number) => Some(Cow::Owned(number.to_string())),
            _ => None,
        }
    }

    /// A scalar as a number; text is one where it is written as one.
    pub fn number(&self) -> Option<f64> {
        match self {
            Value::Whole(number) => Some(*number as f64),
            Value::Real(number) => Some(*number),
            Value::Text(text) => crate::yaml::number(text.trim()),
            _ => None,
        }
    }

    /// Whether it is there, and not empty text or an empty list.
    pub fn is_something(&self) -> bool {
        match self {
            Value::Null => false,
            Value::Text(text) => !text.is_empty(),
            Value::List(values) => values.iter().any(Value::is_something),
            Value::Bag(entries) => entries.iter().any(|(_, value)| value.is_something()),
            _ => true,
        }
    }

    /// Calls `f` with each scalar of it.
    pub fn scalars<'v>(&'v self, f: &mut impl FnMut(&'v Self)) {
        match self {
            Value::Null => {}
            Value::List(values) => values.iter().for_each(|value| value.scalars(f)),
            Value::Bag(entries) => entries.iter().for_each(|(_, value)| value.scalars(f)),
            scalar => f(scalar),
        }
    }
}

impl<'j> Event<'j> {
    /// Reads a row's JSON, for the columns in `wanted`. `layout` is what rows before were like, for the same `wanted`. The
    /// message says what is wrong with it.
    pub fn read(json: &'j str, wanted: &Wanted, layout: &mut Layout) -> Result<Self, String> {
        let mut entries = Vec::new();
        let mut places = vec![None; wanted.slots()];
        let columns = Skim::new(json).columns(wanted, layout, |name, slot, json| {
            let value = value(json).map_err(|error| format!("{name}: {error}"))?;
            if value == Value::Null {
                return Ok(());
            }
            if let Some(place) = slot.and_then(|slot| places.get_mut(slot)) {
                place.get_or_insert(entries.len());
            }
            entries.push((name, value));
            Ok(())
        });
        columns
            .map(|()| Event { entries, places })
            .map_err(|wrong| format!("this is no event as `pack_all()` makes it: {wrong}"))
    }

    /// Every value.
    pub fn values(&self) -> impl Iterator<Item = &Value<'j>> {
        self.entries.iter().map(|(_, value)| value)
    }

    /// The value of the column with a number.
    pub fn at(&self, slot: usize) -> Option<&Value<'j>> {
        let place = self.places.get(slot).copied().flatten()?;
        self.entries.get(place).map(|(_, value)| value)
    }
}

impl<'j> Value<'j> {
    /// The value at a path of names in bags: `a.b`.
    pub fn within(&self, path: &str) -> Option<&Value<'j>> {
        let Value::Bag(entries) = self else {
            return None;
        };
        let named = |name: &str| entries.iter().find(|(key, _)| key == name);
        if let Some((_, value)) = named(path) {
            return Some(value);
        }
        let (first, rest) = path.split_once('.')?;
        named(first)?.1.within(rest)
    }
}

/// Reads a value.
fn value(json: &str) -> Result<Value<'_>, serde_json::Error> {
    if json == "null" {
        return Ok(Value::Null);
    }
    let inside = json
        .strip_prefix('"')
        .and_then(|json| json.strip_suffix('"'));
    if let Some(text) = inside.filter(|text| !text.contains('\\')) {
        return Ok(Value::Text(Cow::Borrowed(text)));
    }
    let mut reader = serde_json::Deserializer::from_str(json);
    let value = Any.deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// Reads text, where it can without a copy.
#[derive(Default)]
struct Text<'j>(Cow<'j, str>);

impl<'j> DeserializeSeed<'j> for Text<'j> {
    type Value = Text<'j>;

    fn deserialize<D: Deserializer<'j>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_str(self)
    }
}

impl<'j> Visitor<'j> for Text<'j> {
    type Value = Text<'j>;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("text")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'j str) -> Result<Self::Value, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }
}

/// Reads any value.
#[derive(Clone, Copy)]
struct Any;

impl<'j> DeserializeSeed<'j> for Any {
    type Value = Value<'j>;

    fn deserialize<D: Deserializer<'j>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'j> Visitor<'j> for Any {
    type Value = Value<'j>;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Value::Whole(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Value::Whole(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Value::Real(value))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'j str) -> Result<Self::Value, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'j>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(Any)? {
            values.push(value);
        }
        Ok(Value::List(values))
    }

    fn visit_map<A: MapAccess<'j>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(Text(key)) = map.next_key_seed(Text::default())? {
            entries.push((key, map.next_value_seed(Any)?));
        }
        Ok(Value::Bag(entries))
    }
}
