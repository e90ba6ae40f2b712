//! What areas have in common, and what they cover together: their edges are cut where they meet, those that bound the result are
//! kept, and rings are put together of them. Rings begin as those of the S2 library do: the edge that came last ends a ring.

use std::collections::HashMap;

use super::area::any_contains;
use super::line::{closest, meeting};
use super::shape::{Line, Polygon, Vector, angle, cross, dot, norm, sum, unit};

/// Angles below which points are one: less than a tenth of a micrometre.
const SAME: f64 = 1e-14;

/// Pairs of edges that one overlay may look at.
const MOST_PAIRS: usize = 1 << 22;

/// What is wanted of two areas.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Intersection,
    Union,
}

/// A result: rings around areas and holes, and where areas only touch.
#[derive(Default)]
pub(super) struct Overlaid {
    pub(super) rings: Vec<Line>,
    pub(super) touching: Vec<Line>,
    pub(super) points: Vec<Vector>,
}

/// Points by their numbers.
#[derive(Default)]
struct Points(Vec<Vector>);

impl Points {
    fn number(&mut self, point: Vector) -> usize {
        let known = self.0.iter().position(|known| angle(*known, point) < SAME);
        known.unwrap_or_else(|| {
            self.0.push(point);
            self.0.len() - 1
        })
    }

    fn middle(&self, (from, to): (usize, usize)) -> Vector {
        unit(sum(self.0[from], self.0[to], 1.0))
    }
}

type Edge = (Vector, Vector);

/// Whether a ring goes counter-clockwise around the smaller part of the globe.
fn is_counter_clockwise(ring: &Line) -> bool {
    let mut total = [0.0; 3];
    let mut middle = [0.0; 3];
    for pair in ring.windows(2) {
        let normal = cross(pair[0], pair[1]);
        if norm(normal) > 0.0 {
            total = sum(total, unit(normal), angle(pair[0], pair[1]));
        }
        middle = sum(middle, pair[0], 1.0);
    }
    dot(total, middle) > 0.0
}

fn reversed(ring: &Line) -> Line {
    // The last corner becomes the first.
    let mut ring = ring.clone();
    ring.pop();
    ring.reverse();
    ring.extend(ring.first().copied());
    ring
}

/// A ring, turned around where it goes clockwise.
pub(super) fn counter_clockwise(ring: &Line) -> Line {
    match is_counter_clockwise(ring) {
        true => ring.clone(),
        false => reversed(ring),
    }
}

/// The edges of areas, each with its area on the left.
fn bounds(polygons: &[Polygon]) -> Vec<Edge> {
    let mut edges = Vec::new();
    for polygon in polygons {
        for (at, ring) in polygon.iter().enumerate() {
            let ring = match is_counter_clockwise(ring) == (at == 0) {
                true => ring.clone(),
                false => reversed(ring),
            };
            edges.extend(ring.windows(2).map(|pair| (pair[0], pair[1])));
        }
    }
    edges
}

/// Where an edge must be cut for another.
fn cuts(edge: Edge, other: Edge) -> Vec<Vector> {
    let on = |point: &Vector| angle(closest(edge, *point), *point) < SAME;
    let mut found: Vec<Vector> = [other.0, other.1].into_iter().filter(on).collect();
    if found.is_empty() {
        found.extend(meeting(edge, other));
    }
    found
}

/// An edge's parts between the points where others meet it, in order.
pub(super) fn parts(edge: Edge, others: &[Edge]) -> Line {
    let mut points: Line = vec![edge.0];
    points.extend(others.iter().flat_map(|other| cuts(edge, *other)));
    points.push(edge.1);
    points.sort_by(|a, b| angle(edge.0, *a).total_cmp(&angle(edge.0, *b)));
    points.dedup_by(|a, b| angle(*a, *b) < SAME);
    points
}

fn cut(edges: &[Edge], others: &[Edge], points: &mut Points) -> Vec<(usize, usize)> {
    let mut result = Vec::new();
    for edge in edges {
        let numbers: Vec<usize> = parts(*edge, others)
            .into_iter()
            .map(|point| points.number(point))
            .collect();
        let pairs = numbers.windows(2).map(|pair| (pair[0], pair[1]));
        result.extend(pairs.filter(|(from, to)| from != to));
    }
    result
}

/// Puts two areas over each other; none where they have too many edges.
pub(super) fn overlay(a: &[Polygon], b: &[Polygon], wanted: Wanted) -> Option<Overlaid> {
    let (edges, others) = (bounds(a), bounds(b));
    if edges.len().saturating_mul(others.len()) > MOST_PAIRS {
        return None;
    }
    let mut points = Points::default();
    let first = cut(&edges, &others, &mut points);
    let second = cut(&others, &edges, &mut points);
    let has = |edges: &[(usize, usize)], edge: (usize, usize)| edges.contains(&edge);
    let mut kept = Vec::new();
    let mut shared = Vec::new();
    for (from, to) in &first {
        let middle = points.middle((*from, *to));
        if has(&second, (*to, *from)) {
            shared.push((*from, *to));
        } else if has(&second, (*from, *to))
            || any_contains(b, middle) == (wanted == Wanted::Intersection)
        {
            kept.push((*from, *to));
        }
    }
    for (from, to) in &second {
        let both = has(&first, (*from, *to)) || has(&first, (*to, *from));
        let middle = points.middle((*from, *to));
        if !both && any_contains(a, middle) == (wanted == Wanted::Intersection) {
            kept.push((*from, *to));
        }
    }
    let rings = rings(&kept, &points);
    let mut result = Overlaid {
        rings,
        ..Overlaid::default()
    };
    if wanted == Wanted::Intersection {
        let used: Vec<usize> = kept
            .iter()
            .chain(&shared)
            .flat_map(|(f, t)| [*f, *t])
            .collect();
        let ends =
            |edges: &[(usize, usize)], at: usize| edges.iter().any(|(f, t)| *f == at || *t == at);
        result.points = (0..points.0.len())
            .filter(|at| !used.contains(at) && ends(&first, *at) && ends(&second, *at))
            .map(|at| points.0[at])
            .collect();
        let shared = shared
            .iter()
            .map(|(from, to)| (points.0[*from], points.0[*to]));
        result.touching = joined(shared);
    }
    Some(result)
}

/// Rings of directed edges: at each point the ring takes the turn furthest to the left.
fn rings(edges: &[(usize, usize)], points: &Points) -> Vec<Line> {
    let mut leaving: HashMap<usize, Vec<usize>> = HashMap::new();
    for (at, (from, _)) in edges.iter().enumerate() {
        leaving.entry(*from).or_default().push(at);
    }
    let mut used = vec![false; edges.len()];
    let mut rings = Vec::new();
    for start in 0..edges.len() {
        let mut ring: Vec<usize> = Vec::new();
        let mut at = start;
        while !used[at] {
            used[at] = true;
            ring.push(at);
            let (from, to) = edges[at];
            let next = leaving.get(&to).and_then(|next| {
                let free = next.iter().copied().filter(|next| !used[*next]);
                free.max_by(|a, b| {
                    let turn = |edge: usize| turned(points, from, to, edges[edge].1);
                    turn(*a).total_cmp(&turn(*b))
                })
            });
            match next {
                Some(next) => at = next,
                None => break,
            }
        }
        let closes = ring
            .first()
            .zip(ring.last())
            .is_some_and(|(first, last)| edges[*first].0 == edges[*last].1);
        if ring.len() < 3 || !closes {
            continue;
        }
        // The edge that came last ends the ring.
        let last = (0..ring.len())
            .max_by_key(|place| ring[*place])
            .unwrap_or(0);
        let first = (last + 1) % ring.len();
        ring.rotate_left(first);
        let mut line: Line = ring.iter().map(|edge| points.0[edges[*edge].0]).collect();
        line.extend(line.first().copied());
        rings.push(line);
    }
    rings
}

/// By how much a way turns to the left at its second point.
fn turned(points: &Points, from: usize, at: usize, to: usize) -> f64 {
    let here = points.0[at];
    let (back, on) = (cross(here, points.0[from]), cross(here, points.0[to]));
    // From the way back, clockwise: the furthest is the way furthest to the left.
    let around = dot(cross(back, on), here).atan2(dot(back, on));
    -(-around).rem_euclid(2.0 * std::f64::consts::PI)
}

/// Edges as lines: those that begin where another ends go on with it.
pub(super) fn joined(edges: impl IntoIterator<Item = Edge>) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for (from, to) in edges {
        match lines.last_mut() {
            Some(line) if line.last().is_some_and(|end| angle(*end, from) < SAME) => line.push(to),
            _ => lines.push(vec![from, to]),
        }
    }
    lines
}

/// The areas of rings: outer rings, each with the holes within it.
pub(super) fn areas(rings: Vec<Line>) -> Vec<Polygon> {
    let (outer, holes): (Vec<Line>, Vec<Line>) = rings.into_iter().partition(is_counter_clockwise);
    let mut polygons: Vec<Polygon> = outer.into_iter().map(|ring| vec![ring]).collect();
    for hole in holes {
        let inside = |polygon: &&mut Polygon| {
            hole.first()
                .is_some_and(|point| any_contains(&[vec![polygon[0].clone()]], *point))
        };
        if let Some(polygon) = polygons.iter_mut().find(inside) {
            polygon.push(hole);
        }
    }
    polygons
}

/// All areas together: the two with the fewest corners first, again and again, as the S2 library does it.
pub(super) fn united(polygons: &[Polygon]) -> Option<Vec<Polygon>> {
    let corners = |polygon: &Polygon| polygon.iter().map(|ring| ring.len() - 1).sum::<usize>();
    let one = |polygon: &Polygon| (corners(polygon), vec![polygon.clone()]);
    let mut waiting: Vec<(usize, Vec<Polygon>)> = polygons.iter().map(one).collect();
    waiting.sort_by_key(|(size, _)| *size);
    while waiting.len() > 1 {
        let (size, first) = waiting.remove(0);
        let (other_size, second) = waiting.remove(0);
        let both = areas(overlay(&first, &second, Wanted::Union)?.rings);
        let size = size + other_size;
        let place = waiting.partition_point(|(other, _)| *other <= size);
        waiting.insert(place, (size, both));
    }
    waiting.pop().map(|(_, whole)| whole)
}

/// A ring's area on the unit sphere, by its angles' excess.
pub(super) fn ring_area(ring: &Line) -> f64 {
    let Some((first, rest)) = ring.split_first() else {
        return 0.0;
    };
    let triangles = rest.windows(2).map(|pair| {
        let (b, c) = (pair[0], pair[1]);
        let volume = dot(*first, cross(b, c));
        2.0 * volume.atan2(1.0 + dot(*first, b) + dot(b, c) + dot(c, *first))
    });
    triangles.sum::<f64>().abs()
}
