//! Areas and lines together: what they have in common, their union, and how large areas are.

use spoor_table::dynamic::Builder;
use spoor_table::{Cell, DynamicRef};

use super::RADIUS;
use super::area::any_contains;
use super::line::{closest, edges, ring_edges};
use super::overlay::{Overlaid, Wanted, areas, joined, overlay, parts, ring_area, united};
use super::shape::{
    Line, Polygon, Vector, angle, degrees, lines, polygons, sum, unit, write_position,
    write_positions, write_shape,
};
use crate::functions::udf::Out;

/// Shapes to write: one alone, several of a kind together, or a collection.
#[derive(Default)]
struct Shapes {
    points: Vec<Vector>,
    lines: Vec<Line>,
    polygons: Vec<Polygon>,
}

impl From<Overlaid> for Shapes {
    fn from(overlaid: Overlaid) -> Self {
        Shapes {
            points: overlaid.points,
            lines: overlaid.touching,
            polygons: areas(overlaid.rings),
        }
    }
}

fn write_line(b: &mut Builder, line: &Line) {
    let positions: Vec<_> = line.iter().map(|point| degrees(*point)).collect();
    write_positions(b, &positions);
}

fn write_rings(b: &mut Builder, polygon: &Polygon) {
    write_list(b, polygon, write_line);
}

fn write_list<T>(b: &mut Builder, items: &[T], write: fn(&mut Builder, &T)) {
    let mark = b.begin_array();
    for item in items {
        write(b, item);
        b.item(&mark);
    }
    b.end(mark);
}

/// Shapes of one kind: alone as it is, several as a shape of many.
fn write_kind<T>(b: &mut Builder, name: &str, items: &[T], write: fn(&mut Builder, &T)) {
    match items {
        [only] => write_shape(b, name, |b| write(b, only)),
        items => write_shape(b, &format!("Multi{name}"), |b| write_list(b, items, write)),
    }
}

impl Shapes {
    fn write(&self, b: &mut Builder) {
        let kinds = [
            !self.points.is_empty(),
            !self.lines.is_empty(),
            !self.polygons.is_empty(),
        ];
        if kinds.iter().filter(|has| **has).count() == 1 {
            return self.write_kinds(b, |_| {});
        }
        let mark = b.begin_object();
        b.key(&mark, "type");
        b.string("GeometryCollection");
        b.item(&mark);
        b.key(&mark, "geometries");
        let list = b.begin_array();
        self.write_kinds(b, |b| b.item(&list));
        b.end(list);
        b.item(&mark);
        b.end(mark);
    }

    fn write_kinds(&self, b: &mut Builder, mut written: impl FnMut(&mut Builder)) {
        if !self.points.is_empty() {
            write_kind(b, "Point", &self.points, |b, p| {
                write_position(b, degrees(*p))
            });
            written(b);
        }
        if !self.lines.is_empty() {
            write_kind(b, "LineString", &self.lines, write_line);
            written(b);
        }
        if !self.polygons.is_empty() {
            write_kind(b, "Polygon", &self.polygons, write_rings);
            written(b);
        }
    }
}

fn write(out: &mut Out, shapes: Option<Shapes>) {
    out.maybe(shapes, |out, shapes| out.dynamic(|b| shapes.write(b)));
}

/// The area in square metres; what several polygons share counts once.
pub(super) fn area(cells: &[Cell<'_>], out: &mut Out) {
    let area = polygons(&cells[0]).and_then(|polygons| {
        let whole = match polygons.len() {
            1 => polygons,
            _ => united(&polygons)?,
        };
        let rings = whole.iter().map(|polygon| {
            let mut rings = polygon.iter().map(ring_area);
            rings.next().unwrap_or_default() - rings.sum::<f64>()
        });
        Some(rings.sum::<f64>() * RADIUS * RADIUS)
    });
    out.maybe(area, Out::real);
}

pub(super) fn of_polygons(cells: &[Cell<'_>], out: &mut Out) {
    let both = polygons(&cells[0]).zip(polygons(&cells[1]));
    let common = both.and_then(|(one, other)| {
        let (one, other) = (united(&one)?, united(&other)?);
        overlay(&one, &other, Wanted::Intersection)
    });
    write(out, common.map(Shapes::from));
}

/// The parts of a line that lie in a polygon.
pub(super) fn line_in_polygon(cells: &[Cell<'_>], out: &mut Out) {
    let both = lines(&cells[0]).zip(polygons(&cells[1]).zip(ring_edges(&cells[1])));
    let common = both.map(|(lines, (polygons, bounds))| {
        let mut within: Vec<(Vector, Vector)> = Vec::new();
        let mut touched: Vec<Vector> = Vec::new();
        for edge in edges(&lines) {
            let points = parts(edge, &bounds);
            for pair in points.windows(2) {
                if any_contains(&polygons, unit(sum(pair[0], pair[1], 1.0))) {
                    within.push((pair[0], pair[1]));
                }
            }
            touched.extend(points);
        }
        let is_on = |point: &Vector| {
            let on = |edge: &(Vector, Vector)| near(closest(*edge, *point), *point);
            bounds.iter().any(on)
                && !within
                    .iter()
                    .any(|(a, b)| near(*a, *point) || near(*b, *point))
        };
        let mut points: Vec<Vector> = touched.into_iter().filter(is_on).collect();
        points.dedup_by(|a, b| near(*a, *b));
        Shapes {
            points,
            lines: joined(within),
            polygons: Vec::new(),
        }
    });
    write(out, common);
}

fn near(a: Vector, b: Vector) -> bool {
    angle(a, b) < 1e-14
}

/// What the shapes of a list are, if each is one of the kind; none of none.
pub(super) fn each<T>(cell: &Cell<'_>, read: fn(&Cell<'_>) -> Option<Vec<T>>) -> Option<Vec<T>> {
    let Cell::Dynamic(list) = cell else {
        return None;
    };
    let items: Vec<DynamicRef<'_>> = list.as_array()?.iter().collect();
    let shapes: Option<Vec<Vec<T>>> = items
        .into_iter()
        .map(|item| read(&Cell::Dynamic(item)))
        .collect();
    let shapes: Vec<T> = shapes?.into_iter().flatten().collect();
    (!shapes.is_empty()).then_some(shapes)
}

pub(super) fn union_of_polygons(cells: &[Cell<'_>], out: &mut Out) {
    let whole = each(&cells[0], polygons);
    write_polygons(out, whole.and_then(|polygons| united(&polygons)));
}

/// Writes areas: null where there are none to write.
pub(super) fn write_polygons(out: &mut Out, polygons: Option<Vec<Polygon>>) {
    let shapes = polygons.map(|polygons| Shapes {
        polygons,
        ..Shapes::default()
    });
    write(out, shapes);
}

/// The lines together: an edge that several have is there once, and edges that meet at a point alone go on as one line.
pub(super) fn union_of_lines(cells: &[Cell<'_>], out: &mut Out) {
    let whole = each(&cells[0], lines).map(|lines| {
        let mut distinct: Vec<(Vector, Vector)> = Vec::new();
        for (from, to) in edges(&lines) {
            let known = distinct
                .iter()
                .any(|(a, b)| near(*a, from) && near(*b, to) || near(*a, to) && near(*b, from));
            if !known {
                distinct.push((from, to));
            }
        }
        Shapes {
            lines: traced(distinct),
            ..Shapes::default()
        }
    });
    write(out, whole);
}

/// Lines of edges, each as long as no other branches off.
fn traced(edges: Vec<(Vector, Vector)>) -> Vec<Line> {
    let degree = |point: Vector| -> usize {
        let ends = edges.iter().flat_map(|(a, b)| [*a, *b]);
        ends.filter(|end| near(*end, point)).count()
    };
    let mut left: Vec<(Vector, Vector)> = edges.clone();
    let mut lines = Vec::new();
    while !left.is_empty() {
        let (from, to) = left.remove(0);
        let mut line = vec![from, to];
        while let Some(end) = line.last().copied().filter(|end| degree(*end) == 2)
            && let Some(at) = left
                .iter()
                .position(|(a, b)| near(*a, end) || near(*b, end))
        {
            let (a, b) = left.remove(at);
            line.push(if near(a, end) { b } else { a });
        }
        while let Some(start) = line.first().copied().filter(|start| degree(*start) == 2)
            && let Some(at) = left
                .iter()
                .position(|(a, b)| near(*a, start) || near(*b, start))
        {
            let (a, b) = left.remove(at);
            line.insert(0, if near(b, start) { a } else { b });
        }
        lines.push(line);
    }
    lines
}
