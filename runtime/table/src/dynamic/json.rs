//! Dynamic values from JSON text and back. serde_json reads; its recursion limit (128) bounds the depth.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{Builder, Dynamic, DynamicRef, Kind, Mark};
use crate::{format, ticks};

/// Nesting deeper than this prints as null: it cannot come from [`parse_json`], and printing recurses.
const MAX_DEPTH: usize = 256;

/// Reads one JSON value, with nothing but space around it.
pub fn parse_json(text: &str) -> Option<Dynamic> {
    let mut builder = Builder::new();
    parse_json_into(text, &mut builder).then(|| builder.finish())
}

/// Reads one JSON value into `builder`; on `false` the builder holds an unfinished value and must be cleared.
pub fn parse_json_into(text: &str, builder: &mut Builder) -> bool {
    let mut reader = serde_json::Deserializer::from_str(text);
    JsonSeed(builder).deserialize(&mut reader).is_ok() && reader.end().is_ok()
}

/// Writes the one JSON value that it deserializes into a builder, for readers that meet values inside larger documents.
/// After an error the builder holds an unfinished value and must be cleared.
pub struct JsonSeed<'b>(pub &'b mut Builder);

impl<'de> DeserializeSeed<'de> for JsonSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for JsonSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.0.null();
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.0.bool(value);
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.0.long(value);
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        match i64::try_from(value) {
            Ok(value) => self.0.long(value),
            Err(_) => self.0.real(value as f64),
        }
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.0.real(value);
        Ok(())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.0.string(value);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mark = self.0.begin_array();
        while items.next_element_seed(JsonSeed(self.0))?.is_some() {
            self.0.item(&mark);
            within(self.0)?;
        }
        self.0.end(mark);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let mark = self.0.begin_object();
        while entries.next_key_seed(Key(self.0, &mark))?.is_some() {
            entries.next_value_seed(JsonSeed(self.0))?;
            self.0.item(&mark);
            within(self.0)?;
        }
        self.0.end(mark);
        Ok(())
    }
}

/// Starts the property of a name that it deserializes.
struct Key<'b>(&'b mut Builder, &'b Mark);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<(), E> {
        self.0.key(self.1, name);
        Ok(())
    }
}

fn within<E: Error>(builder: &Builder) -> Result<(), E> {
    if builder.is_over() {
        return Err(E::custom("a nested value takes more memory than it may"));
    }
    Ok(())
}

/// Appends JSON text. Datetimes, timespans and guids are strings as Kusto prints them; a number that JSON cannot
/// hold (NaN, infinities) is a string too.
pub fn write_json(out: &mut String, value: DynamicRef<'_>) {
    write(out, value, 0);
}

fn write(out: &mut String, value: DynamicRef<'_>, depth: usize) {
    if depth > MAX_DEPTH {
        out.push_str("null");
        return;
    }
    match value.kind() {
        Kind::Null => out.push_str("null"),
        Kind::Bool(value) => out.push_str(if value { "true" } else { "false" }),
        Kind::Long(value) => format::push_long(out, value),
        Kind::Real(value) => format::push_json_real(out, value),
        Kind::Decimal(value) => {
            out.push('"');
            format::push_decimal(out, value);
            out.push('"');
        }
        Kind::String(text) | Kind::Guid(text) => format::push_json_string(out, text),
        Kind::DateTime(value) => {
            out.push('"');
            ticks::write_datetime(out, value);
            out.push('"');
        }
        Kind::TimeSpan(value) => {
            out.push('"');
            ticks::write_timespan(out, value);
            out.push('"');
        }
        Kind::Array(array) => {
            out.push('[');
            for (i, item) in array.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write(out, item, depth + 1);
            }
            out.push(']');
        }
        Kind::Object(object) => {
            out.push('{');
            for (i, (key, item)) in object.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                format::push_json_string(out, key);
                out.push(':');
                write(out, item, depth + 1);
            }
            out.push('}');
        }
    }
}
