//! Polygons on the globe: what is in them, how far away they are, where their middle is, whether they touch others.

use spoor_table::Cell;

use super::RADIUS;
use super::line::{edges, meet, nearest, ring_edges, write_point};
use super::shape::{
    Line, Polygon, Vector, angle, coordinates, cross, dot, lines, norm, polygons, sum, unit, vector,
};
use crate::functions::udf::Out;

/// Whether a ring goes around a point: the directions to its corners turn once around.
fn rings(ring: &Line, p: Vector) -> bool {
    let mut turned = 0.0;
    for pair in ring.windows(2) {
        let (a, b) = (cross(p, pair[0]), cross(p, pair[1]));
        turned += dot(cross(a, b), p).atan2(dot(a, b));
    }
    turned.abs() > std::f64::consts::PI
}

fn contains(polygon: &Polygon, p: Vector) -> bool {
    match polygon.split_first() {
        Some((outer, holes)) => rings(outer, p) && !holes.iter().any(|hole| rings(hole, p)),
        None => false,
    }
}

pub(super) fn any_contains(polygons: &[Polygon], p: Vector) -> bool {
    polygons.iter().any(|polygon| contains(polygon, p))
}

pub(super) fn has_point(cells: &[Cell<'_>], out: &mut Out) {
    let found = coordinates(cells, 0).zip(polygons(&cells[2]));
    out.maybe(found, |out, ((lon, lat), polygons)| {
        out.bool(any_contains(&polygons, vector(lon, lat)))
    });
}

/// The distance in metres; none from within.
pub(super) fn distance(cells: &[Cell<'_>], out: &mut Out) {
    let found = coordinates(cells, 0).zip(polygons(&cells[2]));
    let far = found.and_then(|((lon, lat), polygons)| {
        let p = vector(lon, lat);
        if any_contains(&polygons, p) {
            return Some(0.0);
        }
        let edges: Vec<_> = polygons.iter().flat_map(|rings| edges(rings)).collect();
        Some(angle(nearest(&edges, p)?.1, p) * RADIUS)
    });
    out.maybe(far, Out::real);
}

/// The point of a polygon that is next to a point, which it is itself within.
pub(super) fn closest_point(cells: &[Cell<'_>], out: &mut Out) {
    let found = coordinates(cells, 0).zip(polygons(&cells[2]));
    let near = found.and_then(|((lon, lat), polygons)| {
        let p = vector(lon, lat);
        if any_contains(&polygons, p) {
            return Some(p);
        }
        let edges: Vec<_> = polygons.iter().flat_map(|rings| edges(rings)).collect();
        Some(nearest(&edges, p)?.1)
    });
    out.maybe(near, write_point);
}

/// A ring's centroid times its area, outwards whichever way it goes around.
fn moment(ring: &Line) -> Vector {
    let mut total = [0.0; 3];
    let mut middle = [0.0; 3];
    for pair in ring.windows(2) {
        let normal = cross(pair[0], pair[1]);
        if norm(normal) > 0.0 {
            total = sum(total, unit(normal), angle(pair[0], pair[1]));
        }
        middle = sum(middle, pair[0], 1.0);
    }
    match dot(total, middle) < 0.0 {
        true => [-total[0], -total[1], -total[2]],
        false => total,
    }
}

pub(super) fn centroid(cells: &[Cell<'_>], out: &mut Out) {
    let middle = polygons(&cells[0]).and_then(|polygons| {
        let total = polygons.iter().fold([0.0; 3], |total, polygon| {
            polygon.iter().enumerate().fold(total, |total, (at, ring)| {
                sum(total, moment(ring), if at == 0 { 1.0 } else { -1.0 })
            })
        });
        (norm(total) > 0.0).then(|| unit(total))
    });
    out.maybe(middle, write_point);
}

fn first_points(polygons: &[Polygon]) -> impl Iterator<Item = Vector> {
    polygons
        .iter()
        .filter_map(|rings| rings.first()?.first().copied())
}

pub(super) fn polygons_meet(cells: &[Cell<'_>], out: &mut Out) {
    let both = polygons(&cells[0]).zip(polygons(&cells[1]));
    let bounds = ring_edges(&cells[0]).zip(ring_edges(&cells[1]));
    out.maybe(both.zip(bounds), |out, ((one, other), (edges, others))| {
        let within = first_points(&one).any(|p| any_contains(&other, p))
            || first_points(&other).any(|p| any_contains(&one, p));
        out.bool(within || meet(&edges, &others));
    });
}

pub(super) fn meets_line(cells: &[Cell<'_>], out: &mut Out) {
    let both = lines(&cells[0]).zip(polygons(&cells[1]));
    out.maybe(
        both.zip(ring_edges(&cells[1])),
        |out, ((lines, polygons), bounds)| {
            let mut starts = lines.iter().filter_map(|line| line.first());
            let within = starts.any(|p| any_contains(&polygons, *p));
            let own: Vec<_> = edges(&lines).collect();
            out.bool(within || meet(&own, &bounds));
        },
    );
}
