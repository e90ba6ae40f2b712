//! Shapes with more points, or with fewer. On a map an edge is straight; on the globe it is the shortest way: `geo_line_densify` adds points
//! until both are alike, as the S2 library's `S2EdgeTessellator` does. `geo_line_simplify` leaves out points that a line hardly misses.

use spoor_table::dynamic::{Builder, Kind};
use spoor_table::{Cell, DynamicRef};

use super::RADIUS;
use super::line::closest;
use super::shape::{
    Line, Vector, angle, cross, degrees, dot, lines, polygons, sum, unit, vector, write_positions,
    write_shape,
};
use crate::functions::udf::Out;

/// A longitude and a latitude, in degrees; a longitude may be beyond the map's edge.
type Position = (f64, f64);

/// Where along an edge the map and the globe are furthest apart, and which part of that is told by looking there.
const FURTHEST: f64 = 0.312_156_910_822_482_3;
const TOLD: f64 = 0.838_299_925_698_885_1;

/// The longitude of the map's edge, as near as positions come to it.
const MAP_EDGE: f64 = 179.999_999_999_999;

/// Halvings of an edge: a deeper one is too short to see.
const DEEPEST: usize = 30;

/// The tolerance that an argument gives, in radians; none outside what Kusto takes.
fn tolerance(cell: Option<&Cell<'_>>, most: f64) -> Option<f64> {
    match cell {
        None => Some(10.0 / RADIUS),
        Some(Cell::Real(metres)) if (0.1..=most).contains(metres) => Some(metres / RADIUS),
        _ => None,
    }
}

fn between(a: Position, b: Position, share: f64) -> Position {
    (a.0 + (b.0 - a.0) * share, a.1 + (b.1 - a.1) * share)
}

fn on_globe(a: Vector, b: Vector, share: f64) -> Vector {
    let whole = angle(a, b);
    if whole == 0.0 {
        return a;
    }
    let (from, to) = ((whole * (1.0 - share)).sin(), (whole * share).sin());
    unit(sum([a[0] * from, a[1] * from, a[2] * from], b, to))
}

fn point(position: Position) -> Vector {
    vector(position.0, position.1)
}

/// How far the straight edge of the map is from the shortest way, in radians.
fn apart(a: Position, b: Position) -> f64 {
    let (from, to) = (point(a), point(b));
    if dot(from, to) < -1e-14 {
        return f64::INFINITY;
    }
    [FURTHEST, 1.0 - FURTHEST]
        .map(|share| angle(on_globe(from, to, share), point(between(a, b, share))))
        .into_iter()
        .fold(0.0, f64::max)
}

fn divide(a: Position, b: Position, tolerance: f64, depth: usize, found: &mut Vec<Position>) {
    if depth >= DEEPEST || apart(a, b) <= tolerance {
        found.push(b);
        return;
    }
    let middle = between(a, b, 0.5);
    divide(a, middle, tolerance, depth + 1, found);
    divide(middle, b, tolerance, depth + 1, found);
}

fn densified(line: &[Position], tolerance: f64) -> Vec<Position> {
    let mut found: Vec<Position> = line.first().copied().into_iter().collect();
    for pair in line.windows(2) {
        divide(pair[0], pair[1], tolerance * TOLD, 0, &mut found);
    }
    found
}

/// The positions of a list, as they are written.
fn positions(value: DynamicRef<'_>) -> Option<Vec<Position>> {
    let number = |value: DynamicRef<'_>| match value.kind() {
        Kind::Long(v) => Some(v as f64),
        Kind::Real(v) => Some(v),
        _ => None,
    };
    let read =
        |position: DynamicRef<'_>| Some((number(position.at(0)?)?, number(position.at(1)?)?));
    value.as_array()?.iter().map(read).collect()
}

/// The line on the map's own longitudes, in pieces where it goes over the map's edge.
fn pieces(line: Vec<Position>) -> Vec<Vec<Position>> {
    let mut pieces: Vec<Vec<Position>> = Vec::new();
    for position in line {
        let placed = degrees(point(position));
        let last = pieces.last().and_then(|piece| piece.last());
        let Some(last) = last.copied() else {
            pieces.push(vec![placed]);
            continue;
        };
        if (last.0 - placed.0).abs() <= 180.0 {
            pieces
                .last_mut()
                .into_iter()
                .for_each(|piece| piece.push(placed));
            continue;
        }
        let latitude = at_map_edge(point(last), point(placed));
        let edge = MAP_EDGE.copysign(last.0);
        pieces
            .last_mut()
            .into_iter()
            .for_each(|piece| piece.push((edge, latitude)));
        pieces.push(vec![(-edge, latitude), placed]);
    }
    pieces
}

/// The latitude at which the shortest way between two points goes over the map's edge.
fn at_map_edge(a: Vector, b: Vector) -> f64 {
    let way = cross(a, b);
    let found = unit(cross(way, [0.0, 1.0, 0.0]));
    let (_, latitude) = degrees(found);
    if found[0] < 0.0 { latitude } else { -latitude }
}

fn write_lists(b: &mut Builder, lists: &[Vec<Position>]) {
    let mark = b.begin_array();
    for list in lists {
        write_positions(b, list);
        b.item(&mark);
    }
    b.end(mark);
}

fn write_lines(out: &mut Out, lines: &[Vec<Position>]) {
    out.dynamic(|b| match lines {
        [line] => write_shape(b, "LineString", |b| write_positions(b, line)),
        lines => write_shape(b, "MultiLineString", |b| write_lists(b, lines)),
    });
}

/// The coordinates of a shape that has been found whole, level by level.
fn coordinates<'a>(cell: &Cell<'a>) -> Option<(bool, DynamicRef<'a>)> {
    let Cell::Dynamic(shape) = cell else {
        return None;
    };
    let many = shape.get("type")?.as_str()?.starts_with("Multi");
    Some((many, shape.get("coordinates")?))
}

pub(super) fn densify_line(cells: &[Cell<'_>], out: &mut Out) {
    let found = lines(&cells[0])
        .and(coordinates(&cells[0]))
        .zip(tolerance(cells.get(1), 10_000.0));
    let dense = found.and_then(|((many, coordinates), tolerance)| {
        let lines: Vec<DynamicRef<'_>> = match many {
            true => coordinates.as_array()?.iter().collect(),
            false => vec![coordinates],
        };
        let lines: Option<Vec<_>> = lines.into_iter().map(positions).collect();
        let dense = lines?
            .into_iter()
            .flat_map(|line| pieces(densified(&line, tolerance)));
        Some(dense.collect::<Vec<_>>())
    });
    out.maybe(dense, |out, lines| write_lines(out, &lines));
}

pub(super) fn densify_polygon(cells: &[Cell<'_>], out: &mut Out) {
    let found = polygons(&cells[0])
        .and(coordinates(&cells[0]))
        .zip(tolerance(cells.get(1), 10_000.0));
    let dense = found.and_then(|((many, coordinates), tolerance)| {
        let polygons: Vec<DynamicRef<'_>> = match many {
            true => coordinates.as_array()?.iter().collect(),
            false => vec![coordinates],
        };
        let dense = |polygon: DynamicRef<'_>| -> Option<Vec<Vec<Position>>> {
            let rings = polygon.as_array()?.iter().map(positions);
            let place = |ring: Vec<Position>| -> Vec<Position> {
                let dense = densified(&ring, tolerance).into_iter();
                dense.map(|position| degrees(point(position))).collect()
            };
            rings.map(|ring| Some(place(ring?))).collect()
        };
        polygons.into_iter().map(dense).collect::<Option<Vec<_>>>()
    });
    out.maybe(dense, |out, polygons| write_polygons(out, &polygons));
}

fn write_polygons(out: &mut Out, polygons: &[Vec<Vec<Position>>]) {
    out.dynamic(|b| match polygons {
        [rings] => write_shape(b, "Polygon", |b| write_lists(b, rings)),
        polygons => write_shape(b, "MultiPolygon", |b| {
            let mark = b.begin_array();
            for rings in polygons {
                write_lists(b, rings);
                b.item(&mark);
            }
            b.end(mark);
        }),
    });
}

/// The points of a line without which it would lie too far off (Douglas and Peucker's way).
fn simplified(line: &[Vector], tolerance: f64) -> Line {
    let (Some(first), Some(last)) = (line.first(), line.last()) else {
        return Line::new();
    };
    let far = |point: &Vector| angle(closest((*first, *last), *point), *point);
    let inner = line
        .get(1..line.len().saturating_sub(1))
        .unwrap_or_default();
    let furthest = inner
        .iter()
        .enumerate()
        .max_by(|a, b| far(a.1).total_cmp(&far(b.1)));
    match furthest {
        Some((at, point)) if far(point) > tolerance => {
            let mut whole = simplified(&line[..=at + 1], tolerance);
            whole.pop();
            whole.extend(simplified(&line[at + 1..], tolerance));
            whole
        }
        _ => vec![*first, *last],
    }
}

fn placed(line: &Line) -> Vec<Position> {
    line.iter().map(|point| degrees(*point)).collect()
}

pub(super) fn simplify_line(cells: &[Cell<'_>], out: &mut Out) {
    let found = lines(&cells[0]).zip(tolerance(cells.get(1), f64::INFINITY));
    let simple = found.and_then(|(lines, tolerance)| {
        let simple = lines.iter().map(|line| simplified(line, tolerance));
        // A line that is no longer than the tolerance is a point.
        let kept: Vec<_> = simple
            .filter(|line| line.windows(2).any(|p| angle(p[0], p[1]) > tolerance))
            .collect();
        (!kept.is_empty()).then_some(kept)
    });
    out.maybe(simple, |out, lines| {
        let lines: Vec<_> = lines.iter().map(placed).collect();
        write_lines(out, &lines);
    });
}

/// A ring's points without which it would lie too far off; none where too few are left for an area.
fn simple_ring(ring: &Line, tolerance: f64) -> Option<Line> {
    let far = ring
        .iter()
        .enumerate()
        .max_by(|a, b| angle(ring[0], *a.1).total_cmp(&angle(ring[0], *b.1)));
    let (at, _) = far?;
    let mut whole = simplified(&ring[..=at], tolerance);
    whole.pop();
    whole.extend(simplified(&ring[at..], tolerance));
    (whole.len() >= 4 && angle(ring[0], ring[at]) > tolerance).then_some(whole)
}

pub(super) fn simplify_polygon(cells: &[Cell<'_>], out: &mut Out) {
    let found = polygons(&cells[0]).zip(tolerance(cells.get(1), f64::INFINITY));
    let simple = found.and_then(|(polygons, tolerance)| simple_polygons(&polygons, tolerance));
    out.maybe(simple, |out, polygons| write_polygons(out, &polygons));
}

fn simple_polygons(polygons: &[Vec<Line>], tolerance: f64) -> Option<Vec<Vec<Vec<Position>>>> {
    let simple = polygons.iter().filter_map(|rings| {
        let (outer, holes) = rings.split_first()?;
        let mut simple = vec![placed(&simple_ring(outer, tolerance)?)];
        simple.extend(
            holes
                .iter()
                .filter_map(|hole| Some(placed(&simple_ring(hole, tolerance)?))),
        );
        Some(simple)
    });
    let simple: Vec<_> = simple.collect();
    (!simple.is_empty()).then_some(simple)
}

pub(super) fn simplify_polygons(cells: &[Cell<'_>], out: &mut Out) {
    let polygons = super::combine::each(&cells[0], polygons);
    let found = polygons.zip(tolerance(cells.get(1), f64::INFINITY));
    let simple = found.and_then(|(polygons, tolerance)| {
        simple_polygons(&super::overlay::united(&polygons)?, tolerance)
    });
    out.maybe(simple, |out, polygons| write_polygons(out, &polygons));
}
