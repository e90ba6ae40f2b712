//! `buildschema`: the least schema that all dynamic values of a column fit. Source: Kusto's documentation of the function: a bag's
//! schema is a bag of schemas, an array's stands under `indexer` in backticks, and alternatives are in an array.

use spoor_table::dynamic::{Builder, Kind};
use spoor_table::{Cell, DynamicRef, KustoType};

use super::udf::{Body, Out, call};
use crate::typed::Typed;

/// The name that the elements of arrays go by.
const INDEXER: &str = "`indexer`";

/// What values may be.
#[derive(Default)]
struct Schema {
    /// Types that are no containers, as they came.
    types: Vec<&'static str>,
    /// Properties, and elements under [`INDEXER`], as they came; none where no value was a container.
    parts: Option<Vec<(String, Schema)>>,
}

impl Schema {
    fn add(&mut self, value: DynamicRef<'_>) {
        match value.kind() {
            Kind::Null => {}
            Kind::Array(items) => {
                let elements = self.part(INDEXER);
                items.iter().for_each(|item| elements.add(item));
            }
            Kind::Object(bag) => {
                self.parts.get_or_insert_default();
                for (name, value) in bag.iter() {
                    self.part(name).add(value);
                }
            }
            _ => {
                let name = value.type_name();
                if !self.types.contains(&name) {
                    self.types.push(name);
                }
            }
        }
    }

    fn part(&mut self, name: &str) -> &mut Schema {
        let parts = self.parts.get_or_insert_default();
        let at = match parts.iter().position(|(known, _)| known == name) {
            Some(at) => at,
            None => {
                parts.push((name.to_owned(), Schema::default()));
                parts.len() - 1
            }
        };
        &mut parts[at].1
    }

    fn write(&self, b: &mut Builder) {
        let count = self.types.len() + usize::from(self.parts.is_some());
        if count == 0 {
            return b.null();
        }
        let alternatives = (count > 1).then(|| b.begin_array());
        if let Some(parts) = &self.parts {
            write_parts(b, parts);
            if let Some(mark) = &alternatives {
                b.item(mark);
            }
        }
        for name in &self.types {
            b.string(name);
            if let Some(mark) = &alternatives {
                b.item(mark);
            }
        }
        if let Some(mark) = alternatives {
            b.end(mark);
        }
    }
}

fn write_parts(b: &mut Builder, parts: &[(String, Schema)]) {
    let mark = b.begin_object();
    for (name, schema) in parts {
        b.key(&mark, name);
        schema.write(b);
        b.item(&mark);
    }
    b.end(mark);
}

/// The schema of a list of values; null of none.
pub(super) fn of_list(list: Typed) -> Typed {
    let run = |cells: &[Cell<'_>], out: &mut Out| {
        let items = match cells[0] {
            Cell::Dynamic(list) => list.as_array(),
            _ => None,
        };
        let Some(items) = items.filter(|items| !items.is_empty()) else {
            return out.null();
        };
        let mut schema = Schema::default();
        items.iter().for_each(|item| schema.add(item));
        out.dynamic(|b| schema.write(b));
    };
    call("schema_of", &[list], KustoType::Dynamic, Body::Strict(run))
}
