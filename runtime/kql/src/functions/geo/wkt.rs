//! Well-known text: `POINT (1 2)`, `POLYGON ((...))` and the like as GeoJSON.

use spoor_table::Cell;
use spoor_table::dynamic::Builder;

use super::shape::write_position;
use crate::functions::udf::Out;

/// Brackets within each other.
const DEEPEST: usize = 16;

/// What stands in brackets.
enum Part {
    Position(f64, f64),
    List(Vec<Part>),
}

struct Reader<'t> {
    rest: &'t str,
}

impl<'t> Reader<'t> {
    fn eat(&mut self, mark: char) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(mark) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn word(&mut self) -> &'t str {
        self.rest = self.rest.trim_start();
        let end = self
            .rest
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    fn number(&mut self) -> Option<f64> {
        self.rest = self.rest.trim_start();
        let end = self
            .rest
            .find(|c: char| c.is_whitespace() || matches!(c, ',' | ')' | '('))
            .unwrap_or(self.rest.len());
        let (number, rest) = self.rest.split_at(end);
        self.rest = rest;
        number
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite())
    }

    /// `(...)`: positions or further brackets, with commas between.
    fn list(&mut self, depth: usize) -> Option<Vec<Part>> {
        if depth > DEEPEST || !self.eat('(') {
            return None;
        }
        let mut parts = Vec::new();
        loop {
            self.rest = self.rest.trim_start();
            parts.push(match self.rest.starts_with('(') {
                true => Part::List(self.list(depth + 1)?),
                false => Part::Position(self.number()?, self.number()?),
            });
            if self.eat(')') {
                return Some(parts);
            }
            if !self.eat(',') {
                return None;
            }
        }
    }

    fn shape(&mut self, b: &mut Builder, depth: usize) -> Option<()> {
        let name = self.word().to_ascii_uppercase();
        if name == "GEOMETRYCOLLECTION" {
            return self.collection(b, depth);
        }
        let (ty, levels) = match name.as_str() {
            "POINT" => ("Point", 0),
            "LINESTRING" => ("LineString", 1),
            "POLYGON" => ("Polygon", 2),
            "MULTIPOINT" => ("MultiPoint", 1),
            "MULTILINESTRING" => ("MultiLineString", 2),
            "MULTIPOLYGON" => ("MultiPolygon", 3),
            _ => return None,
        };
        let mut parts = self.list(0)?;
        if ty == "MultiPoint" {
            // Its points may stand in brackets of their own.
            parts = parts.into_iter().map(bare).collect::<Option<_>>()?;
        }
        if !parts.iter().all(|part| depth_is(part, levels)) || levels == 0 && parts.len() != 1 {
            return None;
        }
        let mark = b.begin_object();
        b.key(&mark, "type");
        b.string(ty);
        b.item(&mark);
        b.key(&mark, "coordinates");
        match (levels, parts.first()) {
            (0, Some(point)) => write(b, point),
            _ => write(b, &Part::List(parts)),
        }
        b.item(&mark);
        b.end(mark);
        Some(())
    }

    fn collection(&mut self, b: &mut Builder, depth: usize) -> Option<()> {
        if depth > DEEPEST || !self.eat('(') {
            return None;
        }
        let mark = b.begin_object();
        b.key(&mark, "type");
        b.string("GeometryCollection");
        b.item(&mark);
        b.key(&mark, "geometries");
        let list = b.begin_array();
        let mut read = Some(());
        while read.is_some() {
            read = self.shape(b, depth + 1);
            b.item(&list);
            if !self.eat(',') {
                break;
            }
        }
        b.end(list);
        b.item(&mark);
        b.end(mark);
        read.filter(|()| self.eat(')'))
    }
}

fn bare(part: Part) -> Option<Part> {
    match part {
        Part::Position(..) => Some(part),
        Part::List(mut parts) => parts.pop().filter(|_| parts.is_empty()),
    }
}

/// Whether a part's positions are so many levels deep; one level is the shape's own.
fn depth_is(part: &Part, levels: usize) -> bool {
    match part {
        Part::Position(..) => levels <= 1,
        Part::List(parts) => levels > 1 && parts.iter().all(|part| depth_is(part, levels - 1)),
    }
}

fn write(b: &mut Builder, part: &Part) {
    match part {
        Part::Position(x, y) => write_position(b, (*x, *y)),
        Part::List(parts) => {
            let mark = b.begin_array();
            for part in parts {
                write(b, part);
                b.item(&mark);
            }
            b.end(mark);
        }
    }
}

pub(super) fn from_wkt(cells: &[Cell<'_>], out: &mut Out) {
    let Cell::String(text) = &cells[0] else {
        return out.null();
    };
    let mut reader = Reader { rest: text };
    let mut built = Builder::new();
    let read = reader.shape(&mut built, 0);
    let whole = read.filter(|()| reader.rest.trim().is_empty());
    let built = built.finish();
    out.maybe(whole, |out, ()| out.dynamic(|b| b.value(built.view())));
}
