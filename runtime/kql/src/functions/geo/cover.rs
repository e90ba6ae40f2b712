//! The S2 cells that a shape lies in: from the faces down, whatever touches the shape, up to a level.

use spoor_table::Cell;

use super::area::any_contains;
use super::line::{edges, meet, ring_edges};
use super::s2::{LEAVES, Square};
use super::shape::{Polygon, Vector, lines, polygons};
use crate::functions::udf::Out;

/// Cells of one shape; more are too small a level for it.
const MOST_CELLS: usize = 65_536;
/// Pairs of a cell and an edge that one row may take.
const MOST_PAIRS: usize = 1 << 21;

/// A shape to cover.
struct Shape {
    edges: Vec<(Vector, Vector)>,
    /// What lies within, of an area.
    areas: Vec<Polygon>,
}

impl Shape {
    /// Whether a cell has points of the shape.
    fn touches(&self, cell: Square) -> bool {
        let corners = cell.corners();
        let sides: Vec<_> = (0..4)
            .map(|at| (corners[at], corners[(at + 1) % 4]))
            .collect();
        self.edges.iter().any(|(start, _)| cell.holds(*start))
            || meet(&sides, &self.edges)
            || any_contains(&self.areas, corners[0])
    }

    /// The cells of a level that have points of the shape; none where there are too many.
    fn cells(&self, level: u32) -> Option<Vec<Square>> {
        let mut cells: Vec<Square> = (0..6).map(Square::face).collect();
        for step in 0..=level {
            if cells.len().saturating_mul(self.edges.len()) > MOST_PAIRS {
                return None;
            }
            cells.retain(|cell| self.touches(*cell));
            if cells.len() > MOST_CELLS {
                return None;
            }
            if step < level {
                cells = cells.into_iter().flat_map(Square::quarters).collect();
            }
        }
        Some(cells)
    }
}

fn write(cells: &[Cell<'_>], out: &mut Out, shape: Option<Shape>) {
    let level = match cells.get(1) {
        None => Some(11),
        Some(Cell::Long(level)) => u32::try_from(*level).ok().filter(|level| *level <= LEAVES),
        _ => None,
    };
    let found = shape
        .zip(level)
        .and_then(|(shape, level)| shape.cells(level));
    out.maybe(found, |out, cells| {
        out.dynamic(|b| {
            let mark = b.begin_array();
            for cell in &cells {
                b.string(&cell.token());
                b.item(&mark);
            }
            b.end(mark);
        });
    });
}

pub(super) fn of_polygon(cells: &[Cell<'_>], out: &mut Out) {
    let shape = polygons(&cells[0]).zip(ring_edges(&cells[0]));
    write(
        cells,
        out,
        shape.map(|(areas, edges)| Shape { edges, areas }),
    );
}

pub(super) fn of_line(cells: &[Cell<'_>], out: &mut Out) {
    let shape = lines(&cells[0]).map(|lines| {
        // The last point begins no edge.
        let ends = lines
            .iter()
            .filter_map(|line| line.last().map(|end| (*end, *end)));
        Shape {
            edges: edges(&lines).chain(ends).collect(),
            areas: Vec::new(),
        }
    });
    write(cells, out, shape);
}
