//! Shapes as GeoJSON has them, as points on the unit sphere: lines and polygons, which rings bound. Edges are the shortest ways between
//! their ends.

use spoor_table::dynamic::{Builder, Kind};
use spoor_table::{Cell, DynamicRef};

/// A point of the unit sphere.
pub(super) type Vector = [f64; 3];

/// Points in a row.
pub(super) type Line = Vec<Vector>;

/// A polygon: its outer ring, then its holes. Each ring ends where it begins.
pub(super) type Polygon = Vec<Line>;

/// The point at a longitude and a latitude, in degrees.
pub(super) fn vector(longitude: f64, latitude: f64) -> Vector {
    let (lon, lat) = (longitude.to_radians(), latitude.to_radians());
    [lat.cos() * lon.cos(), lat.cos() * lon.sin(), lat.sin()]
}

/// The longitude and the latitude of a point, in degrees.
pub(super) fn degrees(v: Vector) -> (f64, f64) {
    // As S2 has it, to the last digit.
    let lat = v[2].atan2((v[0] * v[0] + v[1] * v[1]).sqrt());
    (v[1].atan2(v[0]).to_degrees(), lat.to_degrees())
}

pub(super) fn dot(a: Vector, b: Vector) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

pub(super) fn cross(a: Vector, b: Vector) -> Vector {
    [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
}

pub(super) fn norm(a: Vector) -> f64 {
    dot(a, a).sqrt()
}

pub(super) fn sum(a: Vector, b: Vector, times: f64) -> Vector {
    [
        a[0] + b[0] * times,
        a[1] + b[1] * times,
        a[2] + b[2] * times,
    ]
}

pub(super) fn unit(a: Vector) -> Vector {
    let length = norm(a);
    [a[0] / length, a[1] / length, a[2] / length]
}

/// The angle between two points, in radians.
pub(super) fn angle(a: Vector, b: Vector) -> f64 {
    norm(cross(a, b)).atan2(dot(a, b))
}

/// A longitude and a latitude that two arguments give, if they are on the globe.
pub(super) fn coordinates(cells: &[Cell<'_>], at: usize) -> Option<(f64, f64)> {
    match (cells.get(at)?, cells.get(at + 1)?) {
        (Cell::Real(lon), Cell::Real(lat)) if lon.abs() <= 180.0 && lat.abs() <= 90.0 => {
            Some((*lon, *lat))
        }
        _ => None,
    }
}

fn number(value: DynamicRef<'_>) -> Option<f64> {
    match value.kind() {
        Kind::Long(v) => Some(v as f64),
        Kind::Real(v) if v.is_finite() => Some(v),
        _ => None,
    }
}

fn position(value: DynamicRef<'_>) -> Option<Vector> {
    let mut numbers = value.as_array()?.iter();
    let (lon, lat) = (number(numbers.next()?)?, number(numbers.next()?)?);
    (lon.abs() <= 360.0 && lat.abs() <= 90.0).then(|| vector(lon, lat))
}

fn positions(value: DynamicRef<'_>) -> Option<Line> {
    value.as_array()?.iter().map(position).collect()
}

/// A line of a shape: two points at least, none of which comes twice in a row.
fn line(value: DynamicRef<'_>) -> Option<Line> {
    let line = positions(value)?;
    (line.len() >= 2 && line.windows(2).all(|pair| pair[0] != pair[1])).then_some(line)
}

/// A ring: it ends where it begins, and has three different points at least.
fn ring(value: DynamicRef<'_>) -> Option<Line> {
    let ring = line(value)?;
    (ring.len() >= 4 && ring.first() == ring.last()).then_some(ring)
}

fn polygon(value: DynamicRef<'_>) -> Option<Polygon> {
    let rings: Option<Polygon> = value.as_array()?.iter().map(ring).collect();
    rings.filter(|rings| !rings.is_empty())
}

fn typed<'a>(cell: &Cell<'a>) -> Option<(&'a str, DynamicRef<'a>)> {
    let Cell::Dynamic(value) = cell else {
        return None;
    };
    let object = value.as_object()?;
    Some((object.get("type")?.as_str()?, object.get("coordinates")?))
}

/// The lines of a `LineString` or a `MultiLineString`; none where it is no line.
pub(super) fn lines(cell: &Cell<'_>) -> Option<Vec<Line>> {
    let lines: Vec<Line> = match typed(cell)? {
        ("LineString", coordinates) => vec![line(coordinates)?],
        ("MultiLineString", coordinates) => {
            let lines: Option<_> = coordinates.as_array()?.iter().map(line).collect();
            lines?
        }
        _ => return None,
    };
    (!lines.is_empty()).then_some(lines)
}

/// The polygons of a `Polygon` or a `MultiPolygon`; none where it is none.
pub(super) fn polygons(cell: &Cell<'_>) -> Option<Vec<Polygon>> {
    let polygons: Vec<Polygon> = match typed(cell)? {
        ("Polygon", coordinates) => vec![polygon(coordinates)?],
        ("MultiPolygon", coordinates) => {
            let polygons: Option<_> = coordinates.as_array()?.iter().map(polygon).collect();
            polygons?
        }
        _ => return None,
    };
    (!polygons.is_empty()).then_some(polygons)
}

/// Writes a shape: its type, and what `write` makes of its coordinates.
pub(super) fn write_shape(b: &mut Builder, ty: &str, write: impl FnOnce(&mut Builder)) {
    let mark = b.begin_object();
    b.key(&mark, "type");
    b.string(ty);
    b.item(&mark);
    b.key(&mark, "coordinates");
    write(b);
    b.item(&mark);
    b.end(mark);
}

/// Writes a longitude and a latitude.
pub(super) fn write_position(b: &mut Builder, (lon, lat): (f64, f64)) {
    let mark = b.begin_array();
    b.real(lon);
    b.item(&mark);
    b.real(lat);
    b.item(&mark);
    b.end(mark);
}

/// Writes several of them.
pub(super) fn write_positions(b: &mut Builder, positions: &[(f64, f64)]) {
    let mark = b.begin_array();
    for position in positions {
        write_position(b, *position);
        b.item(&mark);
    }
    b.end(mark);
}

/// Writes a polygon of one ring, which is given without its last point.
pub(super) fn write_ring(b: &mut Builder, mut corners: Vec<(f64, f64)>) {
    corners.extend(corners.first().copied());
    write_shape(b, "Polygon", |b| {
        let mark = b.begin_array();
        write_positions(b, &corners);
        b.item(&mark);
        b.end(mark);
    });
}
