//! What there is to point at, and which of it is nearest to a pointer.

use std::f64::consts::{FRAC_PI_2, TAU};

use super::sheet::{Area, Point};

/// How far a pointer may be from what it finds, in logical pixels.
const REACH: f64 = 40.0;

/// The outline of a mark.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Shape {
    /// A point of a line or a cloud.
    Dot,
    /// A bar, a span, a rectangle of a treemap.
    Box(Area),
    /// A pie's sector; angles clockwise from the top, in radians.
    Sector { radius: f64, from: f64, to: f64 },
}

/// A mark that can be pointed at: one point of one series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Target {
    pub series: usize,
    pub point: usize,
    /// Where a tooltip belongs; of a sector, the centre of its circle.
    pub at: Point,
    pub shape: Shape,
}

/// What "nearest" means for a kind of chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Seek {
    /// The nearest along x, then along y: lines and columns.
    #[default]
    X,
    /// The nearest along y, then along x: bars.
    Y,
    /// The nearest as the crow flies, within reach: clouds, lanes, treemaps, pies.
    Free,
}

impl Target {
    /// The distances along x and y; 0 within the shape.
    fn away(&self, at: Point) -> (f64, f64) {
        match self.shape {
            Shape::Dot => ((at.0 - self.at.0).abs(), (at.1 - self.at.1).abs()),
            Shape::Box(area) => (
                outside(at.0, area.left, area.right),
                outside(at.1, area.top, area.bottom),
            ),
            Shape::Sector { radius, from, to } => {
                let (dx, dy) = (at.0 - self.at.0, at.1 - self.at.1);
                let angle = (dy.atan2(dx) + FRAC_PI_2).rem_euclid(TAU);
                let inside = dx.hypot(dy) <= radius && (from..to).contains(&angle);
                if inside {
                    (0.0, 0.0)
                } else {
                    (f64::INFINITY, 0.0)
                }
            }
        }
    }

    /// Where a tooltip's arrow points.
    pub(crate) fn tip(&self) -> Point {
        match self.shape {
            Shape::Sector { radius, from, to } => {
                let angle = (from + to) / 2.0 - FRAC_PI_2;
                (
                    self.at.0 + radius * 0.78 * angle.cos(),
                    self.at.1 + radius * 0.78 * angle.sin(),
                )
            }
            Shape::Dot | Shape::Box(_) => self.at,
        }
    }
}

fn outside(value: f64, low: f64, high: f64) -> f64 {
    let (low, high) = (low.min(high), low.max(high));
    (low - value).max(value - high).max(0.0)
}

/// The index of the target nearest to `at`.
pub(crate) fn nearest(targets: &[Target], at: Point, seek: Seek) -> Option<usize> {
    let rank = |target: &Target| -> (f64, f64) {
        let (dx, dy) = target.away(at);
        match seek {
            // Whole pixels, so that lines with points at one x are told apart by height.
            Seek::X => (dx.round(), dy),
            Seek::Y => (dy.round(), dx),
            Seek::Free => (dx.hypot(dy), 0.0),
        }
    };
    let mut best: Option<(usize, (f64, f64))> = None;
    for (i, target) in targets.iter().enumerate() {
        let found = rank(target);
        if best.is_none_or(|(_, least)| found < least) {
            best = Some((i, found));
        }
    }
    let (index, (away, _)) = best?;
    let reach = if seek == Seek::Free { REACH } else { f64::MAX };
    (away <= reach).then_some(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dot(series: usize, x: f64, y: f64) -> Target {
        Target {
            series,
            point: 0,
            at: (x, y),
            shape: Shape::Dot,
        }
    }

    #[test]
    fn lines_go_by_x_first_and_clouds_by_distance() {
        let dots = [dot(0, 10.0, 90.0), dot(1, 10.2, 10.0), dot(2, 30.0, 52.0)];
        assert_eq!(nearest(&dots, (15.0, 50.0), Seek::X), Some(0));
        assert_eq!(nearest(&dots, (15.0, 20.0), Seek::X), Some(1));
        assert_eq!(nearest(&dots, (15.0, 50.0), Seek::Free), Some(2));
        assert_eq!(nearest(&dots, (300.0, 50.0), Seek::Free), None);
        assert_eq!(nearest(&[], (0.0, 0.0), Seek::X), None);
    }

    #[test]
    fn sectors_are_found_by_angle() {
        let half = |series, from, to| Target {
            series,
            point: 0,
            at: (50.0, 50.0),
            shape: Shape::Sector {
                radius: 40.0,
                from,
                to,
            },
        };
        let pie = [half(0, 0.0, TAU / 2.0), half(1, TAU / 2.0, TAU)];
        assert_eq!(nearest(&pie, (60.0, 50.0), Seek::Free), Some(0));
        assert_eq!(nearest(&pie, (40.0, 50.0), Seek::Free), Some(1));
        assert_eq!(nearest(&pie, (95.0, 50.0), Seek::Free), None);
    }
}
