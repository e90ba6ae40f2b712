//! S2: cells of the globe by their tokens. The sphere is seen from the faces of a cube, and each face is halved along both sides again
//! and again. Source: the S2 library's description of cell ids.

use spoor_table::Cell;

use super::shape::{
    Vector, coordinates, degrees, unit, vector, write_position, write_ring, write_shape,
};
use crate::functions::udf::Out;

/// The level of the smallest cells.
pub(super) const LEAVES: u32 = 30;
/// Smallest cells along a side of a face.
const SIDE: i64 = 1 << LEAVES;

/// Where on the curve the four parts of a cell lie, for each of its orientations.
const IJ_TO_POSITION: [[u64; 4]; 4] = [[0, 1, 3, 2], [0, 3, 1, 2], [2, 3, 1, 0], [2, 1, 3, 0]];
const POSITION_TO_IJ: [[i64; 4]; 4] = [[0, 1, 3, 2], [0, 2, 3, 1], [3, 2, 0, 1], [3, 1, 0, 2]];
/// How each part's orientation differs from the whole's.
const TURNS: [usize; 4] = [1, 0, 0, 3];

fn face_of(v: Vector) -> usize {
    let size = [v[0].abs(), v[1].abs(), v[2].abs()];
    let axis = match size {
        [x, y, z] if x >= y && x >= z => 0,
        [_, y, z] if y >= z => 1,
        _ => 2,
    };
    if v[axis] < 0.0 { axis + 3 } else { axis }
}

/// A point of a face's plane, whose sides go from -1 to 1.
fn to_face(face: usize, [x, y, z]: Vector) -> (f64, f64) {
    match face {
        0 => (y / x, z / x),
        1 => (-x / y, z / y),
        2 => (-x / z, -y / z),
        3 => (z / x, y / x),
        4 => (z / y, -x / y),
        _ => (-y / z, -x / z),
    }
}

fn from_face(face: usize, u: f64, v: f64) -> Vector {
    match face {
        0 => [1.0, u, v],
        1 => [-u, 1.0, v],
        2 => [-u, -v, 1.0],
        3 => [-1.0, -v, -u],
        4 => [v, -1.0, -u],
        _ => [v, u, -1.0],
    }
}

/// From the plane to a measure in which cells have about the same size, and back.
fn evened(u: f64) -> f64 {
    match u >= 0.0 {
        true => 0.5 * (1.0 + 3.0 * u).sqrt(),
        false => 1.0 - 0.5 * (1.0 - 3.0 * u).sqrt(),
    }
}

fn flattened(s: f64) -> f64 {
    match s >= 0.5 {
        true => (4.0 * s * s - 1.0) / 3.0,
        false => (1.0 - 4.0 * (1.0 - s) * (1.0 - s)) / 3.0,
    }
}

fn leaf(s: f64) -> i64 {
    ((s * SIDE as f64).floor() as i64).clamp(0, SIDE - 1)
}

/// A cell: its face, its first leaf along both sides, and its level.
#[derive(Clone, Copy)]
pub(super) struct Square {
    face: usize,
    i: i64,
    j: i64,
    level: u32,
}

impl Square {
    fn at(face: usize, i: i64, j: i64, level: u32) -> Self {
        let size = SIDE >> level;
        Square {
            face,
            i: i & -size,
            j: j & -size,
            level,
        }
    }

    fn of(point: Vector, level: u32) -> Self {
        let face = face_of(point);
        let (u, v) = to_face(face, point);
        Square::at(face, leaf(evened(u)), leaf(evened(v)), level)
    }

    fn size(self) -> i64 {
        SIDE >> self.level
    }

    fn id(self) -> u64 {
        let mut turn = self.face & 1;
        let mut position = 0u64;
        for bit in (0..LEAVES).rev() {
            let ij = ((self.i >> bit & 1) << 1 | (self.j >> bit & 1)) as usize;
            let part = IJ_TO_POSITION[turn & 3][ij & 3];
            position = position << 2 | part;
            turn ^= TURNS[part as usize & 3];
        }
        let id = (self.face as u64) << 61 | position << 1 | 1;
        // The lowest bit that is set says how large the cell is.
        let lowest = 1u64 << (2 * (LEAVES - self.level));
        id & !(lowest | (lowest - 1)) & !(lowest - 1) | lowest
    }

    fn from_id(id: u64) -> Option<Self> {
        let face = (id >> 61) as usize;
        let zeros = id.trailing_zeros();
        if face > 5 || id == 0 || zeros > 60 || !zeros.is_multiple_of(2) {
            return None;
        }
        let level = LEAVES - zeros / 2;
        let (mut i, mut j, mut turn) = (0i64, 0i64, face & 1);
        for step in 0..level {
            let part = (id >> (59 - 2 * step) & 3) as usize;
            let ij = POSITION_TO_IJ[turn & 3][part];
            i = i << 1 | ij >> 1;
            j = j << 1 | ij & 1;
            turn ^= TURNS[part];
        }
        let left = LEAVES - level;
        Some(Square {
            face,
            i: i << left,
            j: j << left,
            level,
        })
    }

    /// The whole of a face.
    pub(super) fn face(face: usize) -> Self {
        Square::at(face, 0, 0, 0)
    }

    /// The four cells that it is made of; of a smallest cell, itself alone.
    pub(super) fn quarters(self) -> Vec<Square> {
        if self.level >= LEAVES {
            return vec![self];
        }
        let half = self.size() / 2;
        [(0, 0), (half, 0), (half, half), (0, half)]
            .map(|(i, j)| Square::at(self.face, self.i + i, self.j + j, self.level + 1))
            .to_vec()
    }

    /// Whether a point lies in it.
    pub(super) fn holds(self, point: Vector) -> bool {
        let other = Square::of(point, self.level);
        (other.face, other.i, other.j) == (self.face, self.i, self.j)
    }

    /// Its corners, around.
    pub(super) fn corners(self) -> [Vector; 4] {
        [(0, 0), (2, 0), (2, 2), (0, 2)].map(|(right, up)| self.vector(right, up))
    }

    pub(super) fn token(self) -> String {
        let text = format!("{:016x}", self.id());
        text.trim_end_matches('0').to_owned()
    }

    /// The cell of this one's level at a leaf that may be beyond the face.
    fn beside(self, i: i64, j: i64) -> Self {
        if (0..SIDE).contains(&i) && (0..SIDE).contains(&j) {
            return Square::at(self.face, i, j, self.level);
        }
        let (i, j) = (i.clamp(-1, SIDE), j.clamp(-1, SIDE));
        let scaled = |at: i64| {
            let limit = 1.0 + f64::EPSILON;
            ((2 * (at - SIDE / 2) + 1) as f64 / SIDE as f64).clamp(-limit, limit)
        };
        let point = from_face(self.face, scaled(i), scaled(j));
        let face = face_of(point);
        let (u, v) = to_face(face, point);
        // Near an edge the plane itself is even enough.
        Square::at(
            face,
            leaf(0.5 * (u + 1.0)),
            leaf(0.5 * (v + 1.0)),
            self.level,
        )
    }

    /// The point so many halves of a side from the first corner.
    fn point(self, right: i64, up: i64) -> (f64, f64) {
        degrees(self.vector(right, up))
    }

    fn vector(self, right: i64, up: i64) -> Vector {
        let half = |from: i64, halves: i64| {
            flattened((from as f64 + halves as f64 * self.size() as f64 / 2.0) / SIDE as f64)
        };
        unit(from_face(self.face, half(self.i, right), half(self.j, up)))
    }
}

fn square(cell: &Cell<'_>) -> Option<Square> {
    let Cell::String(token) = cell else {
        return None;
    };
    if token.is_empty() || token.len() > 16 || !token.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let id = u64::from_str_radix(&format!("{token:0<16}"), 16).ok()?;
    Square::from_id(id)
}

pub(super) fn from_point(cells: &[Cell<'_>], out: &mut Out) {
    let level = match cells.get(2) {
        None => Some(11),
        Some(Cell::Long(level)) => u32::try_from(*level).ok(),
        _ => None,
    };
    let level = level.filter(|level| *level <= LEAVES);
    out.maybe(
        coordinates(cells, 0).zip(level),
        |out, ((lon, lat), level)| out.text(&Square::of(vector(lon, lat), level).token()),
    );
}

pub(super) fn central_point(cells: &[Cell<'_>], out: &mut Out) {
    out.maybe(square(&cells[0]), |out, cell| {
        out.dynamic(|b| write_shape(b, "Point", |b| write_position(b, cell.point(1, 1))));
    });
}

pub(super) fn polygon(cells: &[Cell<'_>], out: &mut Out) {
    out.maybe(square(&cells[0]), |out, cell| {
        let corners = [(0, 0), (2, 0), (2, 2), (0, 2)];
        let corners = corners.iter().map(|(right, up)| cell.point(*right, *up));
        out.dynamic(|b| write_ring(b, corners.collect()));
    });
}

/// The cells around, diagonal ones too, in the order of the S2 library.
pub(super) fn neighbors(cells: &[Cell<'_>], out: &mut Out) {
    const AROUND: [(i64, i64); 8] = [
        (-1, -1),
        (1, -1),
        (0, -1),
        (0, 1),
        (-1, 0),
        (1, 0),
        (-1, 1),
        (1, 1),
    ];
    out.maybe(square(&cells[0]), |out, cell| {
        let mut tokens: Vec<String> = Vec::new();
        for (x, y) in AROUND {
            let beside = cell.beside(cell.i + x * cell.size(), cell.j + y * cell.size());
            let token = beside.token();
            // Beyond the corner of a face there is no cell of its own.
            if !tokens.contains(&token) {
                tokens.push(token);
            }
        }
        out.dynamic(|b| {
            let mark = b.begin_array();
            for token in &tokens {
                b.string(token);
                b.item(&mark);
            }
            b.end(mark);
        });
    });
}
