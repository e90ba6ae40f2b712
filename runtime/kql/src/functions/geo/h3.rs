//! H3: hexagons of the globe by their hexadecimal names. The grid itself is the crate `h3o`'s.

use h3o::{CellIndex, LatLng, Resolution};
use spoor_table::Cell;
use spoor_table::dynamic::Builder;

use super::shape::{coordinates, write_position, write_ring, write_shape};
use crate::functions::udf::Out;

/// Resolutions between a cell and its children.
const DEEPEST: u8 = 5;

fn cell(cell: &Cell<'_>) -> Option<CellIndex> {
    match cell {
        Cell::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn resolution(cell: Option<&Cell<'_>>, default: Option<Resolution>) -> Option<Resolution> {
    match cell {
        Some(Cell::Long(level)) => Resolution::try_from(u8::try_from(*level).ok()?).ok(),
        _ => default,
    }
}

fn write_cells(out: &mut Out, cells: impl IntoIterator<Item = CellIndex>) {
    out.dynamic(|b| write_list(b, cells));
}

fn write_list(b: &mut Builder, cells: impl IntoIterator<Item = CellIndex>) {
    let mark = b.begin_array();
    for cell in cells {
        b.string(&cell.to_string());
        b.item(&mark);
    }
    b.end(mark);
}

pub(super) fn from_point(cells: &[Cell<'_>], out: &mut Out) {
    let level = match cells.get(2) {
        None => Some(Resolution::Six),
        level => resolution(level, None),
    };
    let found = coordinates(cells, 0)
        .and_then(|(lon, lat)| Some(LatLng::new(lat, lon).ok()?.to_cell(level?)));
    out.maybe(found, |out, cell| out.text(&cell.to_string()));
}

pub(super) fn central_point(cells: &[Cell<'_>], out: &mut Out) {
    out.maybe(cell(&cells[0]), |out, cell| {
        let middle = LatLng::from(cell);
        out.dynamic(|b| {
            write_shape(b, "Point", |b| {
                write_position(b, (middle.lng(), middle.lat()))
            })
        });
    });
}

pub(super) fn polygon(cells: &[Cell<'_>], out: &mut Out) {
    out.maybe(cell(&cells[0]), |out, cell| {
        let corners = cell.boundary().iter().map(|p| (p.lng(), p.lat())).collect();
        out.dynamic(|b| write_ring(b, corners));
    });
}

pub(super) fn level(cells: &[Cell<'_>], out: &mut Out) {
    let level = cell(&cells[0]).map(|cell| i64::from(u8::from(cell.resolution())));
    out.maybe(level, Out::long);
}

pub(super) fn parent(cells: &[Cell<'_>], out: &mut Out) {
    let found = cell(&cells[0]).and_then(|cell| {
        let above = resolution(cells.get(1), cell.resolution().pred())?;
        (above < cell.resolution()).then(|| cell.parent(above))?
    });
    out.maybe(found, |out, cell| out.text(&cell.to_string()));
}

pub(super) fn children(cells: &[Cell<'_>], out: &mut Out) {
    let found = cell(&cells[0]).and_then(|cell| {
        let below = resolution(cells.get(1), cell.resolution().succ())?;
        let steps = u8::from(below).checked_sub(u8::from(cell.resolution()));
        let fits = steps.is_some_and(|steps| (1..=DEEPEST).contains(&steps));
        fits.then_some((cell, below))
    });
    out.maybe(found, |out, (cell, below)| {
        write_cells(out, cell.children(below))
    });
}

pub(super) fn neighbors(cells: &[Cell<'_>], out: &mut Out) {
    out.maybe(cell(&cells[0]), |out, cell| {
        // By the numbers of their directions in Gray's code, as Kusto has them.
        let first = if cell.is_pentagon() { 2 } else { 1 };
        let mut around: Vec<(u8, CellIndex)> = (first..)
            .zip(cell.edges())
            .map(|(number, edge)| (gray(number), edge.destination()))
            .collect();
        around.sort_by_key(|(place, _)| *place);
        write_cells(out, around.into_iter().map(|(_, cell)| cell));
    });
}

pub(super) fn rings(cells: &[Cell<'_>], out: &mut Out) {
    let distance = match cells.get(1) {
        Some(Cell::Long(distance)) if (0..=142).contains(distance) => u32::try_from(*distance).ok(),
        _ => None,
    };
    out.maybe(cell(&cells[0]).zip(distance), |out, (cell, distance)| {
        out.dynamic(|b| {
            let disk = cell.grid_disk_distances::<Vec<_>>(distance);
            let mark = b.begin_array();
            for ring in 0..=distance {
                let cells = disk.iter().filter(|(_, far)| *far == ring);
                write_list(b, cells.map(|(cell, _)| *cell));
                b.item(&mark);
            }
            b.end(mark);
        });
    });
}

/// The place of a number below 8 in Gray's code.
fn gray(number: u8) -> u8 {
    number ^ (number >> 1) ^ (number >> 2)
}
