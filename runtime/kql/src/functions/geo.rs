//! Distances on the globe, which Kusto takes for a sphere.

use spoor_table::{Cell, KustoType};

use super::args::{P, fixed};
use super::function_table;
use super::udf::{Body, Out};

use KustoType::{Bool, Real};

function_table! {
    "geo_distance_2points", "geo_distance_2points(longitude1, latitude1, longitude2, latitude2)", "The shortest way between two points on the globe, in metres.", |c, a| fixed(c, a, "geo_distance_2points", &[P::Real; 4], Real, Body::Strict(|c, o| o.maybe(distance(c), Out::real)));
    "geo_point_in_circle", "geo_point_in_circle(longitude, latitude, center_longitude, center_latitude, radius)", "Tells whether a point is within some metres of another.", |c, a| fixed(c, a, "geo_point_in_circle", &[P::Real; 5], Bool, Body::Strict(in_circle));
    "geo_azimuth", "geo_azimuth(longitude1, latitude1, longitude2, latitude2)", "The direction from one point to another, in radians clockwise from north.", |c, a| fixed(c, a, "geo_azimuth", &[P::Real; 4], Real, Body::Strict(|c, o| o.maybe(azimuth(c), Out::real)));
}

/// The radius of the sphere, in metres.
const RADIUS: f64 = 6_371_010.0;

/// A point's longitude and latitude in radians, if it is on the globe.
fn point(cells: &[Cell<'_>], at: usize) -> Option<(f64, f64)> {
    match (cells.get(at)?, cells.get(at + 1)?) {
        (Cell::Real(lon), Cell::Real(lat)) if lon.abs() <= 180.0 && lat.abs() <= 90.0 => {
            Some((lon.to_radians(), lat.to_radians()))
        }
        _ => None,
    }
}

/// By the haversine formula.
fn distance(cells: &[Cell<'_>]) -> Option<f64> {
    let ((lon1, lat1), (lon2, lat2)) = (point(cells, 0)?, point(cells, 2)?);
    let half = |a: f64| (a / 2.0).sin().powi(2);
    let h = half(lat2 - lat1) + lat1.cos() * lat2.cos() * half(lon2 - lon1);
    Some(2.0 * RADIUS * h.sqrt().min(1.0).asin())
}

fn in_circle(cells: &[Cell<'_>], out: &mut Out) {
    let radius = match cells.get(4) {
        Some(Cell::Real(radius)) if *radius >= 0.0 => Some(*radius),
        _ => None,
    };
    out.maybe(distance(cells).zip(radius), |out, (distance, radius)| {
        out.bool(distance <= radius)
    });
}

fn azimuth(cells: &[Cell<'_>]) -> Option<f64> {
    let ((lon1, lat1), (lon2, lat2)) = (point(cells, 0)?, point(cells, 2)?);
    let turn = lon2 - lon1;
    let y = turn.sin() * lat2.cos();
    let x = lat1.cos() * lat2.sin() - lat1.sin() * lat2.cos() * turn.cos();
    // Between a point and itself there is no direction.
    (x != 0.0 || y != 0.0).then(|| y.atan2(x).rem_euclid(2.0 * std::f64::consts::PI))
}
