//! What is within some metres of a point, a line or a polygon: circles, and sides moved outwards with arcs between them. As the S2
//! library's `S2BufferOperation` has it, arcs have as few points as the tolerance allows, which lie at the distance itself.

use spoor_table::Cell;

use super::RADIUS;
use super::combine;
use super::line::edges;
use super::overlay::{counter_clockwise, united};
use super::shape::{
    Line, Polygon, Vector, coordinates, cross, dot, lines, norm, polygons, sum, unit, vector,
};
use crate::functions::udf::Out;

/// Metres that an edge may be off where the query does not say.
const TOLERANCE: f64 = 10.0;

/// The least and the greatest share of the distance that an edge may be off.
const SHARES: (f64, f64) = (1e-6, 0.5);

/// How far, and how wide the steps of arcs are: both in radians.
#[derive(Clone, Copy)]
struct Reach {
    distance: f64,
    step: f64,
}

fn reach(cells: &[Cell<'_>], at: usize) -> Option<Reach> {
    let metres = |cell: &Cell<'_>| match cell {
        Cell::Real(metres) if *metres > 0.0 && metres.is_finite() => Some(*metres),
        _ => None,
    };
    let distance = metres(cells.get(at)?)?;
    let tolerance = match cells.get(at + 1) {
        None => TOLERANCE,
        Some(cell) => metres(cell)?,
    };
    let share = (tolerance / distance).clamp(SHARES.0, SHARES.1);
    let distance = distance / RADIUS;
    let inner = distance * (1.0 - share);
    // A larger circle than half the globe's is around its other side.
    (distance < std::f64::consts::FRAC_PI_2).then_some(Reach {
        distance,
        step: 2.0 * (inner.tan() / distance.tan()).acos(),
    })
}

fn scaled(a: Vector, by: f64) -> Vector {
    [a[0] * by, a[1] * by, a[2] * by]
}

/// A direction turned to the left.
fn rotated(direction: Vector, around: Vector, by: f64) -> Vector {
    sum(
        scaled(direction, by.cos()),
        cross(around, direction),
        by.sin(),
    )
}

impl Reach {
    fn towards(self, from: Vector, direction: Vector) -> Vector {
        unit(sum(
            scaled(from, self.distance.cos()),
            direction,
            self.distance.sin(),
        ))
    }

    /// The points of an arc to the left, from a direction on.
    fn arc(self, around: Vector, from: Vector, span: f64) -> Line {
        let mut points = Line::new();
        let mut turned = 0.0;
        while turned < span - 1e-12 {
            points.push(self.towards(around, rotated(from, around, turned)));
            turned += self.step;
        }
        points.push(self.towards(around, rotated(from, around, span)));
        points
    }

    fn circle(self, middle: Vector) -> Line {
        let whole = 2.0 * std::f64::consts::PI;
        let count = (whole / self.step).ceil().max(3.0);
        let first = aside(middle);
        let points = (0..count as usize)
            .map(|at| self.towards(middle, rotated(first, middle, whole * at as f64 / count)));
        closed(points.collect())
    }

    /// What is near an edge.
    fn around_edge(self, (from, to): (Vector, Vector)) -> Line {
        let left = unit(cross(from, to));
        let mut ring = self.arc(from, left, std::f64::consts::PI);
        ring.extend(self.arc(to, scaled(left, -1.0), std::f64::consts::PI));
        closed(ring)
    }

    /// What is within or near a ring that turns left at each corner; none for another.
    fn around_ring(self, ring: &Line) -> Option<Line> {
        let sides: Vec<Vector> = ring
            .windows(2)
            .map(|pair| scaled(unit(cross(pair[0], pair[1])), -1.0))
            .collect();
        let mut path = vec![self.towards(*ring.first()?, *sides.first()?)];
        for (at, side) in sides.iter().enumerate() {
            let (corner, next) = (ring.get(at + 1)?, sides.get(at + 1).or(sides.first())?);
            let turn = cross(*side, *next);
            let span = dot(turn, *corner).atan2(dot(*side, *next));
            if span < 0.0 {
                return None;
            }
            path.extend(self.arc(*corner, *side, span));
        }
        // The last arc ends where the path began.
        path.pop();
        Some(closed(path))
    }

    fn around_polygon(self, polygon: &Polygon) -> Vec<Polygon> {
        let outer = polygon.first().map(counter_clockwise);
        if let ([_], Some(ring)) = (
            polygon.as_slice(),
            outer.and_then(|ring| self.around_ring(&ring)),
        ) {
            return vec![vec![ring]];
        }
        let near = edges(polygon).map(|edge| vec![self.around_edge(edge)]);
        std::iter::once(polygon.clone()).chain(near).collect()
    }
}

fn closed(mut ring: Line) -> Line {
    ring.extend(ring.first().copied());
    ring
}

/// A direction at a right angle to a point's, as S2 chooses it.
fn aside(point: Vector) -> Vector {
    let largest = (0..3)
        .max_by(|a, b| point[*a].abs().total_cmp(&point[*b].abs()))
        .unwrap_or(0);
    let mut other = [0.012, 0.0053, 0.004_57];
    other[(largest + 2) % 3] = 1.0;
    unit(cross(point, other))
}

fn write(out: &mut Out, parts: Option<Vec<Polygon>>) {
    combine::write_polygons(out, parts.and_then(|parts| united(&parts)));
}

pub(super) fn of_point(cells: &[Cell<'_>], out: &mut Out) {
    let found = coordinates(cells, 0).zip(reach(cells, 2));
    write(
        out,
        found.map(|((lon, lat), reach)| vec![vec![reach.circle(vector(lon, lat))]]),
    );
}

pub(super) fn of_line(cells: &[Cell<'_>], out: &mut Out) {
    let found = lines(&cells[0]).zip(reach(cells, 1));
    let parts = found.map(|(lines, reach)| {
        let edges = edges(&lines).filter(|(from, to)| norm(cross(*from, *to)) > 0.0);
        edges.map(|edge| vec![reach.around_edge(edge)]).collect()
    });
    write(out, parts);
}

pub(super) fn of_polygon(cells: &[Cell<'_>], out: &mut Out) {
    let found = polygons(&cells[0]).zip(reach(cells, 1));
    let parts = found.map(|(polygons, reach)| {
        polygons
            .iter()
            .flat_map(|polygon| reach.around_polygon(polygon))
            .collect()
    });
    write(out, parts);
}
