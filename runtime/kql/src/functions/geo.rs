//! Points, lines, areas and grids on the globe, which Kusto takes for a sphere.

mod area;
mod buffer;
mod combine;
mod cover;
mod finer;
mod h3;
mod hash;
mod line;
mod overlay;
mod s2;
mod shape;
mod wkt;

use spoor_table::{Cell, KustoType};

use super::args::{P, fixed, optional};
use super::function_table;
use super::udf::{Body, Out};

use KustoType::{Bool, Dynamic, Int, Real, String as Text};

/// A longitude, a latitude, a shape.
const AT: [P; 3] = [P::Real, P::Real, P::Dynamic];

function_table! {
    "geo_distance_2points", "geo_distance_2points(longitude1, latitude1, longitude2, latitude2)", "The shortest way between two points on the globe, in metres.", |c, a| fixed(c, a, "geo_distance_2points", &[P::Real; 4], Real, Body::Strict(|c, o| o.maybe(distance(c), Out::real)));
    "geo_point_in_circle", "geo_point_in_circle(longitude, latitude, center_longitude, center_latitude, radius)", "Tells whether a point is within some metres of another.", |c, a| fixed(c, a, "geo_point_in_circle", &[P::Real; 5], Bool, Body::Strict(in_circle));
    "geo_azimuth", "geo_azimuth(longitude1, latitude1, longitude2, latitude2)", "The direction from one point to another, in radians clockwise from north.", |c, a| fixed(c, a, "geo_azimuth", &[P::Real; 4], Real, Body::Strict(|c, o| o.maybe(azimuth(c), Out::real)));
    "geo_angle", "geo_angle(longitude1, latitude1, longitude2, latitude2, longitude3, latitude3)", "The angle at the second point from the first to the third, in radians, clockwise.", |c, a| fixed(c, a, "geo_angle", &[P::Real, P::Real, P::Real, P::Real, P::Real, P::Real], Real, Body::Strict(line::turn));
    "geo_point_in_polygon", "geo_point_in_polygon(longitude, latitude, polygon)", "Tells whether a point is in a polygon.", |c, a| fixed(c, a, "geo_point_in_polygon", &AT, Bool, Body::Strict(area::has_point));
    "geo_distance_point_to_line", "geo_distance_point_to_line(longitude, latitude, line)", "The shortest way from a point to a line, in metres.", |c, a| fixed(c, a, "geo_distance_point_to_line", &AT, Real, Body::Strict(line::distance));
    "geo_distance_point_to_polygon", "geo_distance_point_to_polygon(longitude, latitude, polygon)", "The shortest way from a point to a polygon, in metres; 0 from within.", |c, a| fixed(c, a, "geo_distance_point_to_polygon", &AT, Real, Body::Strict(area::distance));
    "geo_closest_point_on_line", "geo_closest_point_on_line(longitude, latitude, line)", "The point of a line that is next to a point.", |c, a| fixed(c, a, "geo_closest_point_on_line", &AT, Dynamic, Body::Strict(line::closest_point));
    "geo_closest_point_on_polygon", "geo_closest_point_on_polygon(longitude, latitude, polygon)", "The point of a polygon that is next to a point.", |c, a| fixed(c, a, "geo_closest_point_on_polygon", &AT, Dynamic, Body::Strict(area::closest_point));
    "geo_line_length", "geo_line_length(line)", "How long a line is, in metres.", |c, a| fixed(c, a, "geo_line_length", &[P::Dynamic], Real, Body::Strict(line::length));
    "geo_line_centroid", "geo_line_centroid(line)", "The middle of a line.", |c, a| fixed(c, a, "geo_line_centroid", &[P::Dynamic], Dynamic, Body::Strict(line::centroid));
    "geo_line_interpolate_point", "geo_line_interpolate_point(line, fraction)", "The point at a share of a line, from 0 to 1.", |c, a| fixed(c, a, "geo_line_interpolate_point", &[P::Dynamic, P::Real], Dynamic, Body::Strict(line::interpolated));
    "geo_line_locate_point", "geo_line_locate_point(line, longitude, latitude)", "The share of a line up to where it is next to a point.", |c, a| fixed(c, a, "geo_line_locate_point", &[P::Dynamic, P::Real, P::Real], Real, Body::Strict(line::located));
    "geo_intersects_2lines", "geo_intersects_2lines(line1, line2)", "Tells whether two lines meet.", |c, a| fixed(c, a, "geo_intersects_2lines", &[P::Dynamic, P::Dynamic], Bool, Body::Strict(line::lines_meet));
    "geo_intersection_2lines", "geo_intersection_2lines(line1, line2)", "Where two lines meet.", |c, a| fixed(c, a, "geo_intersection_2lines", &[P::Dynamic, P::Dynamic], Dynamic, Body::Strict(line::crossings));
    "geo_intersects_2polygons", "geo_intersects_2polygons(polygon1, polygon2)", "Tells whether two polygons have points in common.", |c, a| fixed(c, a, "geo_intersects_2polygons", &[P::Dynamic, P::Dynamic], Bool, Body::Strict(area::polygons_meet));
    "geo_intersects_line_with_polygon", "geo_intersects_line_with_polygon(line, polygon)", "Tells whether a line and a polygon have points in common.", |c, a| fixed(c, a, "geo_intersects_line_with_polygon", &[P::Dynamic, P::Dynamic], Bool, Body::Strict(area::meets_line));
    "geo_polygon_centroid", "geo_polygon_centroid(polygon)", "The middle of a polygon.", |c, a| fixed(c, a, "geo_polygon_centroid", &[P::Dynamic], Dynamic, Body::Strict(area::centroid));
    "geo_polygon_area", "geo_polygon_area(polygon)", "How large a polygon is, in square metres.", |c, a| fixed(c, a, "geo_polygon_area", &[P::Dynamic], Real, Body::Strict(combine::area));
    "geo_intersection_2polygons", "geo_intersection_2polygons(polygon1, polygon2)", "What two polygons have in common.", |c, a| fixed(c, a, "geo_intersection_2polygons", &[P::Dynamic, P::Dynamic], Dynamic, Body::Strict(combine::of_polygons));
    "geo_intersection_line_with_polygon", "geo_intersection_line_with_polygon(line, polygon)", "The parts of a line that lie in a polygon.", |c, a| fixed(c, a, "geo_intersection_line_with_polygon", &[P::Dynamic, P::Dynamic], Dynamic, Body::Strict(combine::line_in_polygon));
    "geo_union_polygons_array", "geo_union_polygons_array(polygons)", "All polygons of an array together.", |c, a| fixed(c, a, "geo_union_polygons_array", &[P::Dynamic], Dynamic, Body::Strict(combine::union_of_polygons));
    "geo_union_lines_array", "geo_union_lines_array(lines)", "All lines of an array together.", |c, a| fixed(c, a, "geo_union_lines_array", &[P::Dynamic], Dynamic, Body::Strict(combine::union_of_lines));
    "geo_point_buffer", "geo_point_buffer(longitude, latitude, radius, tolerance)", "The circle of some metres around a point.", |c, a| optional(c, a, "geo_point_buffer", 3, &[P::Real; 4], Dynamic, Body::Strict(buffer::of_point));
    "geo_line_buffer", "geo_line_buffer(line, radius, tolerance)", "What is within some metres of a line.", |c, a| optional(c, a, "geo_line_buffer", 2, &[P::Dynamic, P::Real, P::Real], Dynamic, Body::Strict(buffer::of_line));
    "geo_polygon_buffer", "geo_polygon_buffer(polygon, radius, tolerance)", "A polygon and what is within some metres of it.", |c, a| optional(c, a, "geo_polygon_buffer", 2, &[P::Dynamic, P::Real, P::Real], Dynamic, Body::Strict(buffer::of_polygon));
    "geo_line_densify", "geo_line_densify(line, tolerance)", "The line with so many points that its edges on the map are at most some metres from the shortest ways.", |c, a| optional(c, a, "geo_line_densify", 1, &[P::Dynamic, P::Real], Dynamic, Body::Strict(finer::densify_line));
    "geo_polygon_densify", "geo_polygon_densify(polygon, tolerance)", "The polygon with so many points that its edges on the map are at most some metres from the shortest ways.", |c, a| optional(c, a, "geo_polygon_densify", 1, &[P::Dynamic, P::Real], Dynamic, Body::Strict(finer::densify_polygon));
    "geo_line_simplify", "geo_line_simplify(line, tolerance)", "The line without the points that it hardly needs, to some metres.", |c, a| optional(c, a, "geo_line_simplify", 1, &[P::Dynamic, P::Real], Dynamic, Body::Strict(finer::simplify_line));
    "geo_polygon_simplify", "geo_polygon_simplify(polygon, tolerance)", "The polygon without the points that it hardly needs, to some metres.", |c, a| optional(c, a, "geo_polygon_simplify", 1, &[P::Dynamic, P::Real], Dynamic, Body::Strict(finer::simplify_polygon));
    "geo_simplify_polygons_array", "geo_simplify_polygons_array(polygons, tolerance)", "All polygons of an array together, without the points that they hardly need, to some metres.", |c, a| optional(c, a, "geo_simplify_polygons_array", 1, &[P::Dynamic, P::Real], Dynamic, Body::Strict(finer::simplify_polygons));
    "geo_from_wkt", "geo_from_wkt(text)", "Reads a shape in well-known text as GeoJSON.", |c, a| fixed(c, a, "geo_from_wkt", &[P::Text], Dynamic, Body::Strict(wkt::from_wkt));
    "geo_point_to_geohash", "geo_point_to_geohash(longitude, latitude, accuracy)", "The geohash in which a point lies.", |c, a| optional(c, a, "geo_point_to_geohash", 2, &[P::Real, P::Real, P::Long], Text, Body::Strict(hash::from_point));
    "geo_geohash_to_central_point", "geo_geohash_to_central_point(geohash)", "The point in the middle of a geohash.", |c, a| fixed(c, a, "geo_geohash_to_central_point", &[P::Text], Dynamic, Body::Strict(hash::central_point));
    "geo_geohash_to_polygon", "geo_geohash_to_polygon(geohash)", "The outline of a geohash.", |c, a| fixed(c, a, "geo_geohash_to_polygon", &[P::Text], Dynamic, Body::Strict(hash::polygon));
    "geo_geohash_neighbors", "geo_geohash_neighbors(geohash)", "The cells around a geohash.", |c, a| fixed(c, a, "geo_geohash_neighbors", &[P::Text], Dynamic, Body::Strict(hash::neighbors));
    "geo_point_to_h3cell", "geo_point_to_h3cell(longitude, latitude, resolution)", "The H3 cell in which a point lies.", |c, a| optional(c, a, "geo_point_to_h3cell", 2, &[P::Real, P::Real, P::Long], Text, Body::Strict(h3::from_point));
    "geo_h3cell_to_central_point", "geo_h3cell_to_central_point(h3cell)", "The point in the middle of an H3 cell.", |c, a| fixed(c, a, "geo_h3cell_to_central_point", &[P::Text], Dynamic, Body::Strict(h3::central_point));
    "geo_h3cell_to_polygon", "geo_h3cell_to_polygon(h3cell)", "The outline of an H3 cell.", |c, a| fixed(c, a, "geo_h3cell_to_polygon", &[P::Text], Dynamic, Body::Strict(h3::polygon));
    "geo_h3cell_neighbors", "geo_h3cell_neighbors(h3cell)", "The cells around an H3 cell.", |c, a| fixed(c, a, "geo_h3cell_neighbors", &[P::Text], Dynamic, Body::Strict(h3::neighbors));
    "geo_point_to_s2cell", "geo_point_to_s2cell(longitude, latitude, level)", "The S2 cell in which a point lies.", |c, a| optional(c, a, "geo_point_to_s2cell", 2, &[P::Real, P::Real, P::Long], Text, Body::Strict(s2::from_point));
    "geo_s2cell_to_central_point", "geo_s2cell_to_central_point(s2cell)", "The point in the middle of an S2 cell.", |c, a| fixed(c, a, "geo_s2cell_to_central_point", &[P::Text], Dynamic, Body::Strict(s2::central_point));
    "geo_s2cell_to_polygon", "geo_s2cell_to_polygon(s2cell)", "The outline of an S2 cell.", |c, a| fixed(c, a, "geo_s2cell_to_polygon", &[P::Text], Dynamic, Body::Strict(s2::polygon));
    "geo_s2cell_neighbors", "geo_s2cell_neighbors(s2cell)", "The cells around an S2 cell.", |c, a| fixed(c, a, "geo_s2cell_neighbors", &[P::Text], Dynamic, Body::Strict(s2::neighbors));
    "geo_polygon_to_s2cells", "geo_polygon_to_s2cells(polygon, level)", "The S2 cells that cover a polygon, for joins with those of points.", |c, a| optional(c, a, "geo_polygon_to_s2cells", 1, &[P::Dynamic, P::Long], Dynamic, Body::Strict(cover::of_polygon));
    "geo_line_to_s2cells", "geo_line_to_s2cells(line, level)", "The S2 cells that a line goes through, for joins with those of points.", |c, a| optional(c, a, "geo_line_to_s2cells", 1, &[P::Dynamic, P::Long], Dynamic, Body::Strict(cover::of_line));
    "geo_h3cell_level", "geo_h3cell_level(h3cell)", "The resolution of an H3 cell.", |c, a| fixed(c, a, "geo_h3cell_level", &[P::Text], Int, Body::Strict(h3::level));
    "geo_h3cell_parent", "geo_h3cell_parent(h3cell, resolution)", "The larger cell that an H3 cell is part of.", |c, a| optional(c, a, "geo_h3cell_parent", 1, &[P::Text, P::Long], Text, Body::Strict(h3::parent));
    "geo_h3cell_children", "geo_h3cell_children(h3cell, resolution)", "The smaller cells that an H3 cell has.", |c, a| optional(c, a, "geo_h3cell_children", 1, &[P::Text, P::Long], Dynamic, Body::Strict(h3::children));
    "geo_h3cell_rings", "geo_h3cell_rings(h3cell, distance)", "The cells around an H3 cell, ring by ring.", |c, a| fixed(c, a, "geo_h3cell_rings", &[P::Text, P::Long], Dynamic, Body::Strict(h3::rings));
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
