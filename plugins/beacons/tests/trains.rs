//! Trains of contacts with a known answer.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use spoor_plugin_beacons::period::{Beat, Limits, contacts, find};

const SECOND: f64 = 10_000_000.0;

/// Marsaglia's xorshift64, as numbers from 0 to 1.
struct Draw(u64);

impl Draw {
    fn new(seed: u64) -> Self {
        let mut draw = Draw(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        for _ in 0..8 {
            draw.one();
        }
        draw
    }

    fn one(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Seconds between events that come `each` seconds on average, by chance.
    fn gap(&mut self, each: f64) -> f64 {
        -(1.0 - self.one()).ln() * each
    }
}

/// Seconds at which an implant calls that sleeps for `period`, give or take `jitter` of it.
fn beacon(draw: &mut Draw, count: usize, period: f64, jitter: f64) -> Vec<f64> {
    let mut now = 0.0;
    let mut next = || {
        now += period * (1.0 + jitter * (2.0 * draw.one() - 1.0));
        now
    };
    (0..count).map(|_| next()).collect()
}

/// Seconds at which something happens by chance.
fn chance(draw: &mut Draw, count: usize, each: f64) -> Vec<f64> {
    let mut now = 0.0;
    let mut next = || {
        now += draw.gap(each);
        now
    };
    (0..count).map(|_| next()).collect()
}

/// Seconds at which someone browses: now and then a page, each with a dozen requests.
fn browsing(draw: &mut Draw, pages: usize) -> Vec<f64> {
    let mut now = 0.0;
    let mut times = Vec::new();
    for _ in 0..pages {
        now += if draw.one() < 0.2 {
            draw.gap(3600.0)
        } else {
            draw.gap(40.0)
        };
        let mut request = now;
        for _ in 0..(draw.one() * 12.0) as usize + 1 {
            times.push(request);
            request += draw.gap(1.5);
        }
    }
    times
}

fn best(mut seconds: Vec<f64>) -> Option<Beat> {
    seconds.sort_by(f64::total_cmp);
    let ticks: Vec<i64> = seconds.iter().map(|one| (one * SECOND) as i64).collect();
    let limits = Limits::new(0.35, SECOND as i64).unwrap();
    find(&contacts(&ticks, limits.burst), &limits)
}

fn assert_found(what: &str, found: Option<Beat>, period: f64, least: f64) {
    let found = found.unwrap_or_else(|| panic!("{what}: nothing found"));
    let off = (found.period / SECOND - period).abs() / period;
    assert!(off < 0.06, "{what}: {} s", found.period / SECOND);
    assert!(found.score >= least, "{what}: {found:?}");
}

#[test]
fn clockwork_is_found_at_any_period() {
    for period in [5.0, 60.0, 300.0, 3600.0, 86_400.0] {
        let found = best(beacon(&mut Draw::new(1), 60, period, 0.0));
        assert_found("clockwork", found, period, 0.85);
        assert!(found.unwrap().jitter < 0.001);
    }
}

#[test]
fn jitter_is_allowed_for_and_told() {
    for (jitter, least) in [(0.05, 0.85), (0.1, 0.8), (0.2, 0.7), (0.3, 0.6)] {
        for seed in 0..20 {
            let found = best(beacon(&mut Draw::new(seed), 200, 60.0, jitter));
            assert_found("jitter", found, 60.0, least);
            let told = found.unwrap().jitter;
            assert!(
                (told - jitter * 0.9).abs() < 0.3 * jitter,
                "{told} of {jitter}"
            );
        }
    }
}

#[test]
fn other_traffic_in_between_does_little_harm() {
    for (noise, least_found) in [(50, 20), (100, 17)] {
        let found = (0..20).filter(|seed| {
            let mut draw = Draw::new(*seed);
            let mut times = beacon(&mut draw, 200, 60.0, 0.05);
            times.extend(chance(&mut draw, noise, 12_000.0 / noise as f64));
            best(times)
                .is_some_and(|beat| (beat.period / SECOND - 60.0).abs() < 3.6 && beat.score > 0.25)
        });
        let found = found.count();
        println!("200 beats and {noise} others: found in {found} of 20");
        assert!(found >= least_found);
    }
}

#[test]
fn missed_beats_and_nights_cost_little() {
    for seed in 0..20 {
        let mut draw = Draw::new(seed);
        let times = beacon(&mut draw, 300, 60.0, 0.1);
        let kept = times.into_iter().filter(|_| draw.one() > 0.1);
        let times = kept.map(|time| {
            if time > 9_000.0 {
                time + 40_000.0
            } else {
                time
            }
        });
        assert_found("missed", best(times.collect()), 60.0, 0.65);
    }
}

#[test]
fn several_connections_a_beat_are_one_contact() {
    let times = beacon(&mut Draw::new(3), 100, 60.0, 0.1);
    let times = times
        .iter()
        .flat_map(|time| [*time, time + 0.2, time + 0.7]);
    assert_found("three each", best(times.collect()), 60.0, 0.8);
}

#[test]
fn chance_scores_low() {
    let mut scores: Vec<f64> = (0..300)
        .map(|seed| {
            let mut draw = Draw::new(seed);
            let count = 8 + (draw.one() * 300.0) as usize;
            best(chance(&mut draw, count, 60.0)).map_or(0.0, |beat| beat.score)
        })
        .collect();
    scores.sort_by(f64::total_cmp);
    println!(
        "chance: median {:.3}, 95% {:.3}, 99% {:.3}, most {:.3}",
        scores[150], scores[285], scores[297], scores[299]
    );
    assert!(scores[285] < 0.1 && scores[299] < 0.3);
}

#[test]
fn browsing_scores_low() {
    let mut scores: Vec<f64> = (0..300)
        .map(|seed| {
            let mut draw = Draw::new(seed);
            let pages = 3 + (draw.one() * 100.0) as usize;
            best(browsing(&mut draw, pages)).map_or(0.0, |beat| beat.score)
        })
        .collect();
    scores.sort_by(f64::total_cmp);
    println!(
        "browsing: median {:.3}, 95% {:.3}, 99% {:.3}, most {:.3}",
        scores[150], scores[285], scores[297], scores[299]
    );
    assert!(scores[285] < 0.15 && scores[299] < 0.3);
}

#[test]
fn few_contacts_are_not_sure() {
    let eight = best(beacon(&mut Draw::new(1), 8, 60.0, 0.0)).unwrap().score;
    let many = best(beacon(&mut Draw::new(1), 80, 60.0, 0.0))
        .unwrap()
        .score;
    assert!(eight < 0.6 && many > 0.9, "{eight} {many}");
}

#[test]
fn hostile_times_are_only_numbers() {
    let limits = Limits::new(0.45, 0).unwrap();
    let trains: [&[i64]; 6] = [
        &[],
        &[0],
        &[5; 100],
        &[i64::MIN, i64::MAX],
        &[i64::MIN, -1, 0, 1, i64::MAX - 1, i64::MAX],
        &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, i64::MAX],
    ];
    for train in trains {
        let found = find(&contacts(train, limits.burst), &limits);
        assert!(found.is_none_or(|beat| (0.0..=1.0).contains(&beat.score)));
    }
    assert!(Limits::new(f64::NAN, 0).is_err());
    assert!(Limits::new(0.5, 0).is_err());
    assert!(Limits::new(0.3, -1).is_err());
}
