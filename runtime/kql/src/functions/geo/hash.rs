//! Geohashes: cells of the map that a text of base 32 names, each letter halving longitude and latitude five times in turn.

use spoor_table::Cell;

use super::shape::{coordinates, write_position, write_ring, write_shape};
use crate::functions::udf::Out;

const DIGITS: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";

/// Letters of a geohash in Kusto.
const MOST: usize = 18;

/// A cell by its edges.
#[derive(Clone, Copy)]
struct Bounds {
    west: f64,
    east: f64,
    south: f64,
    north: f64,
}

/// The hash of a point.
fn hash(longitude: f64, latitude: f64, length: usize) -> String {
    let (mut lon, mut lat) = ((-180.0, 180.0), (-90.0, 90.0));
    let mut text = String::with_capacity(length);
    let mut is_lon = true;
    for _ in 0..length {
        let mut digit = 0usize;
        for _ in 0..5 {
            let (range, value) = match is_lon {
                true => (&mut lon, longitude),
                false => (&mut lat, latitude),
            };
            let middle: f64 = (range.0 + range.1) / 2.0;
            digit *= 2;
            if value >= middle {
                digit += 1;
                range.0 = middle;
            } else {
                range.1 = middle;
            }
            is_lon = !is_lon;
        }
        text.push(char::from(DIGITS.get(digit).copied().unwrap_or(b'0')));
    }
    text
}

fn bounds(hash: &str) -> Option<Bounds> {
    if hash.is_empty() || hash.len() > MOST {
        return None;
    }
    let (mut lon, mut lat) = ((-180.0, 180.0), (-90.0, 90.0));
    let mut is_lon = true;
    for letter in hash.bytes() {
        let letter = letter.to_ascii_lowercase();
        let digit = DIGITS.iter().position(|digit| *digit == letter)?;
        for bit in (0..5).rev() {
            let range: &mut (f64, f64) = if is_lon { &mut lon } else { &mut lat };
            let middle = (range.0 + range.1) / 2.0;
            match digit >> bit & 1 {
                1 => range.0 = middle,
                _ => range.1 = middle,
            }
            is_lon = !is_lon;
        }
    }
    Some(Bounds {
        west: lon.0,
        east: lon.1,
        south: lat.0,
        north: lat.1,
    })
}

fn cell_bounds<'a>(cell: &Cell<'a>) -> Option<(&'a str, Bounds)> {
    match cell {
        Cell::String(hash) => Some((hash, bounds(hash)?)),
        _ => None,
    }
}

pub(super) fn from_point(cells: &[Cell<'_>], out: &mut Out) {
    let length = match cells.get(2) {
        Some(Cell::Long(length)) => usize::try_from(*length).ok(),
        None => Some(5),
        _ => None,
    };
    let length = length.filter(|length| (1..=MOST).contains(length));
    out.maybe(
        coordinates(cells, 0).zip(length),
        |out, ((lon, lat), length)| out.text(&hash(lon, lat, length)),
    );
}

pub(super) fn central_point(cells: &[Cell<'_>], out: &mut Out) {
    out.maybe(cell_bounds(&cells[0]), |out, (_, b)| {
        let middle = ((b.west + b.east) / 2.0, (b.south + b.north) / 2.0);
        out.dynamic(|b| write_shape(b, "Point", |b| write_position(b, middle)));
    });
}

pub(super) fn polygon(cells: &[Cell<'_>], out: &mut Out) {
    out.maybe(cell_bounds(&cells[0]), |out, (_, b)| {
        let corners = vec![
            (b.west, b.south),
            (b.east, b.south),
            (b.east, b.north),
            (b.west, b.north),
        ];
        out.dynamic(|b| write_ring(b, corners));
    });
}

/// The cells around, in Kusto's order: from the west by the south.
pub(super) fn neighbors(cells: &[Cell<'_>], out: &mut Out) {
    const AROUND: [(f64, f64); 8] = [
        (-1.0, 0.0),
        (-1.0, -1.0),
        (0.0, -1.0),
        (1.0, -1.0),
        (1.0, 1.0),
        (1.0, 0.0),
        (0.0, 1.0),
        (-1.0, 1.0),
    ];
    out.maybe(cell_bounds(&cells[0]), |out, (own, b)| {
        let (width, height) = (b.east - b.west, b.north - b.south);
        let middle = ((b.west + b.east) / 2.0, (b.south + b.north) / 2.0);
        out.dynamic(|builder| {
            let mark = builder.begin_array();
            for (x, y) in AROUND {
                let lat = middle.1 + y * height;
                if lat.abs() > 90.0 {
                    continue;
                }
                let lon = (middle.0 + x * width + 540.0).rem_euclid(360.0) - 180.0;
                builder.string(&hash(lon, lat, own.len()));
                builder.item(&mark);
            }
            builder.end(mark);
        });
    });
}
