//! Journeys from sign-in to sign-in.
//!
//! Distances are great circles on a sphere (the haversine formula), good to half a percent: far better than where an address
//! is said to be.

use std::collections::HashMap;

use spoor_plugin::{At, Datetime, Timespan};

use crate::users::Users;
use crate::{Somewhere, Travel};

/// The earth's mean radius in kilometres (IUGG).
const RADIUS: f64 = 6371.009;

/// Ticks of 100 ns in a second and an hour.
const SECOND: i64 = 10_000_000;
const HOUR: f64 = 3600.0 * SECOND as f64;

/// Degrees of latitude to the side of a cell: 0.5 are 56 km.
const CELL: f64 = 0.5;

/// A place on the earth, in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    latitude: f64,
    longitude: f64,
}

/// A sign-in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stop {
    /// When, in ticks.
    pub time: i64,
    /// The input's row.
    pub row: u32,
    /// Where.
    pub place: Place,
}

impl Place {
    /// A place; `None` where the degrees are none. 0, 0 is what is written for an unknown one.
    pub fn new(latitude: f64, longitude: f64) -> Option<Self> {
        let known = latitude != 0.0 || longitude != 0.0;
        let there = latitude.abs() <= 90.0 && longitude.abs() <= 180.0;
        (known && there).then_some(Place {
            latitude,
            longitude,
        })
    }

    /// Kilometres to another place.
    pub fn distance(&self, to: &Place) -> f64 {
        let half = |one: f64, other: f64| ((other - one).to_radians() / 2.0).sin().powi(2);
        let (here, there) = (self.latitude.to_radians(), to.latitude.to_radians());
        let chord = half(self.latitude, to.latitude)
            + here.cos() * there.cos() * half(self.longitude, to.longitude);
        2.0 * RADIUS * chord.clamp(0.0, 1.0).sqrt().asin()
    }

    fn cell(&self) -> (i32, i32) {
        // Cells are as wide as high where most people live.
        let wide = CELL / 0.75;
        (
            (self.latitude / CELL).floor() as i32,
            (self.longitude / wide).floor() as i32,
        )
    }
}

/// The stops of each user. Rows without a user or a place are left out.
pub fn by_user<'a>(signins: impl Iterator<Item = (u32, Somewhere<'a>)>) -> Vec<Vec<Stop>> {
    let mut users = Users::default();
    let mut stops: Vec<Vec<Stop>> = Vec::new();
    for (row, signin) in signins {
        let place = Place::new(signin.latitude, signin.longitude);
        let Some((place, user)) = place.zip(users.number(signin.user)) else {
            continue;
        };
        let stop = Stop {
            time: signin.timestamp.0,
            row,
            place,
        };
        match stops.get_mut(user) {
            Some(stops) => stops.push(stop),
            None => stops.push(vec![stop]),
        }
    }
    stops
}

/// A user's journeys that are too fast and far enough.
pub fn journeys(mut stops: Vec<Stop>, speed: f64, distance: f64) -> Vec<At<Travel>> {
    stops.sort_by_key(|stop| (stop.time, stop.row));
    let mut cells: HashMap<(i32, i32), i64> = HashMap::new();
    for stop in &stops {
        *cells.entry(stop.place.cell()).or_default() += 1;
    }
    let count = |place: &Place| cells.get(&place.cell()).copied().unwrap_or(0);
    let pairs = stops.iter().zip(stops.iter().skip(1));
    pairs
        .filter_map(|(from, to)| {
            let far = from.place.distance(&to.place);
            let took = to.time.saturating_sub(from.time);
            let fast = far / (took.max(SECOND) as f64 / HOUR);
            let value = Travel {
                previous_time: Datetime(from.time),
                previous_latitude: from.place.latitude,
                previous_longitude: from.place.longitude,
                distance: far,
                took: Timespan(took),
                speed: fast,
                here_count: count(&to.place),
                there_count: count(&from.place),
                user_count: stops.len() as i64,
            };
            (far >= distance && fast > speed).then_some(At { row: to.row, value })
        })
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const LONDON: (f64, f64) = (51.5074, -0.1278);
    const PARIS: (f64, f64) = (48.8566, 2.3522);
    const SYDNEY: (f64, f64) = (-33.8688, 151.2093);

    fn place(of: (f64, f64)) -> Place {
        Place::new(of.0, of.1).unwrap()
    }

    fn stop(hour: f64, row: u32, of: (f64, f64)) -> Stop {
        Stop {
            time: (hour * HOUR) as i64,
            row,
            place: place(of),
        }
    }

    #[test]
    fn distances_are_those_of_the_map() {
        assert!((place(LONDON).distance(&place(PARIS)) - 343.5).abs() < 2.0);
        assert!((place(LONDON).distance(&place(SYDNEY)) - 16_994.0).abs() < 40.0);
        assert!((place((1.0, 180.0)).distance(&place((1.0, -180.0)))).abs() < 0.001);
        let around = place((90.0, 0.0)).distance(&place((-90.0, 0.0)));
        assert!((around - 20_015.0).abs() < 1.0);
    }

    #[test]
    fn places_that_are_none_are_left_out() {
        for (latitude, longitude) in [
            (0.0, 0.0),
            (91.0, 0.0),
            (0.0, 181.0),
            (f64::NAN, 1.0),
            (1.0, f64::INFINITY),
        ] {
            assert_eq!(Place::new(latitude, longitude), None);
        }
    }

    #[test]
    fn fast_and_far_is_found_in_any_order_of_rows() {
        let stops = vec![
            stop(30.0, 0, LONDON),
            stop(1.0, 1, SYDNEY),
            stop(0.0, 2, LONDON),
            stop(31.0, 3, PARIS),
        ];
        let found = journeys(stops, 900.0, 500.0);
        let rows: Vec<u32> = found.iter().map(|at| at.row).collect();
        // Back in 29 hours is 586 km/h; Paris is too near.
        assert_eq!(rows, [1]);
        let travel = &found[0].value;
        assert!((travel.speed - travel.distance).abs() < 1.0);
        assert_eq!(
            (travel.here_count, travel.there_count, travel.user_count),
            (1, 2, 4)
        );
    }

    #[test]
    fn users_are_folded_and_missing_ones_left_out() {
        let users = ["", "Ann", "", "bob", "ANN"];
        let signins = users.map(|user| Somewhere {
            timestamp: Datetime(0),
            user,
            latitude: LONDON.0,
            longitude: LONDON.1,
        });
        let found = by_user((0..).zip(signins));
        let rows: Vec<Vec<u32>> = found
            .iter()
            .map(|stops| stops.iter().map(|stop| stop.row).collect())
            .collect();
        assert_eq!(rows, [vec![1, 4], vec![3]]);
    }

    #[test]
    fn no_time_at_all_is_a_second() {
        let found = journeys(
            vec![stop(0.0, 0, LONDON), stop(0.0, 1, SYDNEY)],
            900.0,
            500.0,
        );
        assert!(found[0].value.speed.is_finite());
    }

    #[test]
    fn hostile_times_do_no_harm() {
        let mut stops = vec![stop(0.0, 0, LONDON), stop(0.0, 1, SYDNEY)];
        stops[0].time = i64::MIN;
        stops[1].time = i64::MAX;
        assert!(journeys(stops, 0.0, 0.0).len() == 1);
        assert!(journeys(Vec::new(), 0.0, 0.0).is_empty());
    }
}
