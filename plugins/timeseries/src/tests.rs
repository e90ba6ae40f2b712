//! Whole tables: what is found in them, and what they cannot break.

use spoor_plugin::Datetime;

use crate::anomalies::find;
use crate::grid::{LAST_TICK, SECOND};
use crate::series::{Combine, How};
use crate::testing::Noise;
use crate::{Measure, Point, Reading};

const HOUR: i64 = 3_600 * SECOND;
/// A Monday, 2024-01-01.
const START: i64 = 638_396_640_000_000_000;
const HOW: How = How {
    step: None,
    combine: Combine::Sum,
    fill: None,
};

fn at(hour: i64, value: f64) -> Reading<'static> {
    Reading {
        time: Datetime(START + hour * HOUR),
        value: Some(Measure(Some(value))),
        key: None,
    }
}

/// Four weeks of hours: work by day, noise.
fn weeks() -> Vec<Reading<'static>> {
    let mut random = Noise::new(3);
    let value = |hour: i64| {
        if (8..18).contains(&(hour % 24)) {
            500.0
        } else {
            100.0
        }
    };
    (0..28 * 24)
        .map(|hour| at(hour, value(hour) + 20.0 * random.next()))
        .collect()
}

fn changed(hour: usize, value: Option<f64>) -> Vec<Reading<'static>> {
    let mut rows = weeks();
    if let Some(row) = rows.get_mut(hour) {
        row.value = Some(Measure(value));
    }
    rows
}

fn points<'a>(rows: &[Reading<'a>], how: How) -> Vec<Point<'a>> {
    find(rows.iter().copied(), how, None, 5.0).unwrap_or_default()
}

/// The hours of anomalies, with their signs.
fn found(rows: &[Reading<'_>], how: How) -> Vec<(i64, i32)> {
    points(rows, how)
        .iter()
        .filter(|point| point.anomaly != 0)
        .map(|point| ((point.time.0 - START) / HOUR, point.anomaly))
        .collect()
}

#[test]
fn spikes_and_dips_are_found_where_they_are() {
    assert_eq!(found(&weeks(), HOW), []);
    // As high as by day, at night; and the other way round.
    assert_eq!(found(&changed(24 * 9 + 3, Some(500.0)), HOW), [(219, 1)]);
    assert_eq!(found(&changed(24 * 9 + 12, Some(100.0)), HOW), [(228, -1)]);
    assert_eq!(found(&changed(24 * 9 + 12, Some(1e300)), HOW), [(228, 1)]);
    assert_eq!(found(&changed(24 * 9 + 12, Some(f64::INFINITY)), HOW), []);
}

#[test]
fn the_order_of_rows_is_nothing() {
    let mut rows = changed(219, Some(500.0));
    let before = format!("{:?}", points(&rows, HOW));
    rows.reverse();
    assert_eq!(format!("{:?}", points(&rows, HOW)), before);
}

#[test]
fn gaps_are_shown_and_not_scored_unless_filled() {
    let mut rows = changed(228, None);
    rows.remove(229);
    let shown = points(&rows, HOW);
    let row = |at: usize| {
        shown
            .get(at)
            .map(|p| (p.value, p.score, p.rows, p.baseline.is_some()))
    };
    assert_eq!(row(228), Some((None, None, 1, true)));
    assert_eq!(row(229), Some((None, None, 0, true)));
    let filled = How {
        fill: Some(0.0),
        ..HOW
    };
    assert_eq!(found(&rows, filled), [(228, -1), (229, -1)]);
}

#[test]
fn values_of_one_step_are_combined() {
    let mut rows = weeks();
    rows.extend(weeks());
    let sums = points(&rows, HOW);
    assert!(sums.iter().all(|point| point.rows == 2));
    let mean = How {
        combine: Combine::Mean,
        ..HOW
    };
    let values = |points: &[Point<'_>]| points.iter().map(|p| p.value).collect::<Vec<_>>();
    assert_eq!(values(&points(&rows, mean)), values(&points(&weeks(), HOW)));
}

#[test]
fn rows_are_counted_without_values() {
    // Four an hour, but 40 in one and none in another.
    let mut rows = Vec::new();
    for hour in 0..400 {
        let count = [4, 4, 40, 0][usize::from(hour == 200) * 2 + usize::from(hour == 300) * 3];
        rows.extend((0..count).map(|_| Reading {
            value: None,
            ..at(hour, 0.0)
        }));
    }
    assert_eq!(found(&rows, HOW), [(200, 1), (300, -1)]);
}

#[test]
fn a_single_event_is_none_and_a_missing_one_is() {
    let series = |usual: f64, odd: f64| -> Vec<Reading<'static>> {
        let value = |hour: i64| if hour == 50 { odd } else { usual };
        (0..100).map(|hour| at(hour, value(hour))).collect()
    };
    assert_eq!(found(&series(0.0, 1.0), HOW), []);
    assert_eq!(found(&series(0.0, 6.0), HOW), [(50, 1)]);
    assert_eq!(found(&series(1.0, 0.0), HOW), [(50, -1)]);
    assert_eq!(found(&series(0.0, 0.5), HOW), [(50, 1)]);
}

#[test]
fn series_are_apart() {
    let mut rows = weeks();
    rows.iter_mut().for_each(|row| row.key = Some("b"));
    rows.extend(changed(219, Some(500.0)).iter().map(|row| Reading {
        key: Some("a"),
        ..*row
    }));
    rows.push(at(0, 7.0));
    let points = points(&rows, HOW);
    let keys: Vec<_> = points.iter().map(|point| point.series).collect();
    assert!(keys.is_sorted());
    assert_eq!(points.len(), 2 * 672 + 1);
    let odd: Vec<_> = points
        .iter()
        .filter(|p| p.anomaly != 0)
        .map(|p| p.series)
        .collect();
    assert_eq!(odd, [Some("a")]);
    assert_eq!(
        points.first().map(|p| (p.value, p.score)),
        Some((Some(7.0), None))
    );
}

#[test]
fn an_empty_key_is_none() {
    let keys = [None, Some(""), Some("a"), Some("")];
    let rows = keys.map(|key| Reading { key, ..at(0, 1.0) });
    let found = points(&rows, HOW);
    let series: Vec<_> = found
        .iter()
        .map(|point| (point.series, point.rows))
        .collect();
    assert_eq!(series, [(None, 3), (Some("a"), 1)]);
}

#[test]
fn a_constant_has_no_anomalies_and_what_leaves_it_is_one() {
    let mut rows: Vec<_> = (0..100).map(|hour| at(hour, 0.1)).collect();
    assert_eq!(found(&rows, HOW), []);
    rows.push(at(100, 0.2));
    rows.extend((101..120).map(|hour| at(hour, 0.1)));
    assert_eq!(found(&rows, HOW), [(100, 1)]);
}

#[test]
fn the_user_is_told_what_cannot_be() {
    let rows = weeks();
    let told = |how: How, period: Option<i64>, threshold: f64| {
        find(rows.iter().copied(), how, period, threshold)
            .err()
            .unwrap_or_default()
    };
    let step = |step| How {
        step: Some(step),
        ..HOW
    };
    assert!(told(HOW, None, 0.0).contains("threshold"));
    assert!(told(HOW, None, f64::NAN).contains("threshold"));
    assert!(told(step(0), None, 3.0).contains("step"));
    assert!(told(step(SECOND), None, 3.0).contains("too many steps"));
    assert!(told(HOW, Some(HOUR), 3.0).contains("two steps"));
    assert!(told(HOW, Some(-1), 3.0).contains("two steps"));
    assert_eq!(told(HOW, Some(0), 3.0), "");
    assert_eq!(told(HOW, Some(i64::MAX), 3.0), "");
    assert!(Combine::named("median").is_err());
}

#[test]
fn hostile_rows_break_nothing() {
    let times = [
        i64::MIN,
        -1,
        0,
        1,
        START,
        START + 1,
        LAST_TICK,
        LAST_TICK + 1,
        i64::MAX,
    ];
    let values = [
        f64::NAN,
        f64::MAX,
        f64::MIN,
        f64::MIN_POSITIVE,
        -0.0,
        1e308,
        f64::INFINITY,
    ];
    let mut random = Noise::new(9);
    for round in 0..300 {
        let mut pick = |of: usize| (random.uniform() * of as f64) as usize;
        let rows: Vec<Reading<'_>> = (0..round % 40)
            .map(|row| Reading {
                time: Datetime(match pick(3) {
                    0 => times[pick(times.len())],
                    _ => START + row * HOUR,
                }),
                value: Some(Measure(Some(values[pick(values.len())]))),
                key: [None, Some(""), Some("a")][pick(3)],
            })
            .collect();
        for step in [None, Some(1), Some(HOUR), Some(i64::MAX)] {
            for period in [None, Some(0), Some(i64::MAX), Some(24 * HOUR)] {
                let how = How { step, ..HOW };
                let _ = find(rows.iter().copied(), how, period, 3.5);
            }
        }
    }
}
