//! Lines on the globe: how long they are, where their points lie, how far others are from them, where they cross.

use spoor_table::Cell;

use super::RADIUS;
use super::shape::{
    Line, Vector, angle, coordinates, cross, degrees, dot, lines, norm, polygons, sum, unit,
    vector, write_position, write_positions, write_shape,
};
use crate::functions::udf::Out;

/// Angles below which points are one: less than a millimetre.
const NEAR: f64 = 1e-15;

pub(super) fn edges(lines: &[Line]) -> impl Iterator<Item = (Vector, Vector)> {
    lines
        .iter()
        .flat_map(|line| line.windows(2).map(|pair| (pair[0], pair[1])))
}

/// Every edge of polygons.
pub(super) fn ring_edges(cell: &Cell<'_>) -> Option<Vec<(Vector, Vector)>> {
    let polygons = polygons(cell)?;
    Some(polygons.iter().flat_map(|rings| edges(rings)).collect())
}

fn line_edges(cell: &Cell<'_>) -> Option<Vec<(Vector, Vector)>> {
    Some(edges(&lines(cell)?).collect())
}

/// The point of an edge that is next to a point.
pub(super) fn closest((a, b): (Vector, Vector), p: Vector) -> Vector {
    let normal = cross(a, b);
    let length = norm(normal);
    if length < NEAR {
        return a;
    }
    let normal = unit(normal);
    let foot = sum(p, normal, -dot(p, normal));
    let within = dot(cross(normal, a), foot) >= 0.0 && dot(cross(b, normal), foot) >= 0.0;
    if within && norm(foot) > NEAR {
        return unit(foot);
    }
    if angle(a, p) <= angle(b, p) { a } else { b }
}

/// The point of some edges that is next to a point, and which edge's it is.
pub(super) fn nearest(edges: &[(Vector, Vector)], p: Vector) -> Option<(usize, Vector)> {
    let feet = edges
        .iter()
        .enumerate()
        .map(|(at, edge)| (at, closest(*edge, p)));
    feet.min_by(|a, b| angle(a.1, p).total_cmp(&angle(b.1, p)))
}

pub(super) fn write_point(out: &mut Out, point: Vector) {
    out.dynamic(|b| write_shape(b, "Point", |b| write_position(b, degrees(point))));
}

pub(super) fn length(cells: &[Cell<'_>], out: &mut Out) {
    out.maybe(line_edges(&cells[0]), |out, edges| {
        out.real(edges.iter().map(|(a, b)| angle(*a, *b)).sum::<f64>() * RADIUS)
    });
}

pub(super) fn distance(cells: &[Cell<'_>], out: &mut Out) {
    let found = coordinates(cells, 0).zip(line_edges(&cells[2]));
    let near = found.and_then(|((lon, lat), edges)| {
        let p = vector(lon, lat);
        Some(angle(nearest(&edges, p)?.1, p) * RADIUS)
    });
    out.maybe(near, Out::real);
}

pub(super) fn closest_point(cells: &[Cell<'_>], out: &mut Out) {
    let found = coordinates(cells, 0).zip(line_edges(&cells[2]));
    let near = found.and_then(|((lon, lat), edges)| nearest(&edges, vector(lon, lat)));
    out.maybe(near, |out, (_, point)| write_point(out, point));
}

/// The centroid: each edge's middle, by its length.
pub(super) fn centroid(cells: &[Cell<'_>], out: &mut Out) {
    let middle = line_edges(&cells[0]).map(|edges| {
        let weighed = edges.iter().fold([0.0; 3], |total, (a, b)| {
            let (together, apart) = (sum(*a, *b, 1.0), sum(*a, *b, -1.0));
            sum(total, together, norm(apart) / norm(together))
        });
        unit(weighed)
    });
    out.maybe(middle, write_point);
}

/// The point at a share of the line's length.
pub(super) fn interpolated(cells: &[Cell<'_>], out: &mut Out) {
    let share = match &cells[1] {
        Cell::Real(share) if (0.0..=1.0).contains(share) => Some(*share),
        _ => None,
    };
    let point = single(&cells[0]).zip(share).map(|(line, share)| {
        let edges: Vec<_> = edges(std::slice::from_ref(&line)).collect();
        let total: f64 = edges.iter().map(|(a, b)| angle(*a, *b)).sum();
        let mut left = total * share;
        for (a, b) in &edges {
            let length = angle(*a, *b);
            if left <= length {
                return along(*a, *b, left);
            }
            left -= length;
        }
        line.last().copied().unwrap_or_default()
    });
    out.maybe(point, write_point);
}

/// The point so far from `a` towards `b`, in radians.
fn along(a: Vector, b: Vector, far: f64) -> Vector {
    let aside = cross(cross(a, b), a);
    if norm(aside) < NEAR {
        return a;
    }
    let aside = unit(aside);
    unit(sum(
        [a[0] * far.cos(), a[1] * far.cos(), a[2] * far.cos()],
        aside,
        far.sin(),
    ))
}

fn single(cell: &Cell<'_>) -> Option<Line> {
    let mut lines = lines(cell)?;
    match lines.len() {
        1 => lines.pop(),
        _ => None,
    }
}

/// The share of the line's length up to the point that is next to another.
pub(super) fn located(cells: &[Cell<'_>], out: &mut Out) {
    let share = single(&cells[0])
        .zip(coordinates(cells, 1))
        .and_then(|(line, (lon, lat))| {
            let edges: Vec<_> = edges(std::slice::from_ref(&line)).collect();
            let (at, foot) = nearest(&edges, vector(lon, lat))?;
            let total: f64 = edges.iter().map(|(a, b)| angle(*a, *b)).sum();
            let before: f64 = edges.iter().take(at).map(|(a, b)| angle(*a, *b)).sum();
            Some((before + angle(edges.get(at)?.0, foot)) / total)
        });
    out.maybe(share, Out::real);
}

/// Where two edges meet, if they do.
pub(super) fn meeting((a, b): (Vector, Vector), (c, d): (Vector, Vector)) -> Option<Vector> {
    for shared in [a, b] {
        if [c, d].iter().any(|end| angle(*end, shared) < NEAR) {
            return Some(shared);
        }
    }
    let (n, m) = (cross(a, b), cross(c, d));
    let sides = [dot(n, c), dot(n, d), dot(m, a), dot(m, b)];
    let apart = sides[0] * sides[1] <= 0.0 && sides[2] * sides[3] <= 0.0;
    let line = cross(n, m);
    if !apart || norm(line) < 1e-30 {
        return None;
    }
    let point = unit(line);
    let middle = sum(sum(a, b, 1.0), sum(c, d, 1.0), 1.0);
    let point = match dot(point, middle) >= 0.0 {
        true => point,
        false => [-point[0], -point[1], -point[2]],
    };
    // The great circles meet on the other side of the globe too.
    let on = |(a, b): (Vector, Vector)| angle(a, point) + angle(point, b) <= angle(a, b) + 1e-12;
    (on((a, b)) && on((c, d))).then_some(point)
}

/// Whether any of some edges meets any of others.
pub(super) fn meet(one: &[(Vector, Vector)], other: &[(Vector, Vector)]) -> bool {
    one.iter()
        .any(|a| other.iter().any(|b| meeting(*a, *b).is_some()))
}

pub(super) fn lines_meet(cells: &[Cell<'_>], out: &mut Out) {
    let both = line_edges(&cells[0]).zip(line_edges(&cells[1]));
    out.maybe(both, |out, (one, other)| out.bool(meet(&one, &other)));
}

/// Where two lines meet: a point, several, or an empty collection.
pub(super) fn crossings(cells: &[Cell<'_>], out: &mut Out) {
    let both = line_edges(&cells[0]).zip(line_edges(&cells[1]));
    out.maybe(both, |out, (one, other)| {
        let mut points: Vec<Vector> = Vec::new();
        for a in &one {
            for b in &other {
                if let Some(point) = meeting(*a, *b)
                    && !points.iter().any(|known| angle(*known, point) < 1e-14)
                {
                    points.push(point);
                }
            }
        }
        match points.as_slice() {
            [] => write_nothing(out),
            [point] => write_point(out, *point),
            points => {
                let points: Vec<_> = points.iter().map(|point| degrees(*point)).collect();
                out.dynamic(|b| write_shape(b, "MultiPoint", |b| write_positions(b, &points)));
            }
        }
    });
}

/// A collection of no shapes.
pub(super) fn write_nothing(out: &mut Out) {
    out.dynamic(|b| {
        let mark = b.begin_object();
        b.key(&mark, "type");
        b.string("GeometryCollection");
        b.item(&mark);
        b.key(&mark, "geometries");
        let inner = b.begin_array();
        b.end(inner);
        b.item(&mark);
        b.end(mark);
    });
}

/// The angle at the second point from the first to the third, in radians, clockwise.
pub(super) fn turn(cells: &[Cell<'_>], out: &mut Out) {
    let points = coordinates(cells, 0)
        .zip(coordinates(cells, 2))
        .zip(coordinates(cells, 4));
    let turned = points.and_then(|(((a, b), (c, d)), (e, f))| {
        let (from, at, to) = (vector(a, b), vector(c, d), vector(e, f));
        if angle(from, at) < NEAR || angle(at, to) < NEAR {
            return None;
        }
        let (one, other) = (cross(at, from), cross(at, to));
        let signed = dot(cross(other, one), at).atan2(dot(one, other));
        Some(signed)
    });
    out.maybe(turned, Out::real);
}
