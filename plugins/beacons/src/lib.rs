//! Beacons: an implant that asks for orders does so at intervals, and the intervals give it away.
//!
//! Connections are taken by pair of source and destination. For each pair the plugin says which period fits best, how
//! much of the traffic keeps to it beyond what chance would give, and the interval statistics that RITA scores pairs by.
//! [`period`] has the method, [`spread`] the statistics. It judges timing alone: what is good about a regular pair
//! (updates, time servers, monitoring) is for the hunter to say.

mod pairs;
pub mod period;
pub mod spread;

use spoor_plugin::{Datetime, Input, Output, Rows, Timespan, function, plugin};

use crate::pairs::Pair;
use crate::period::{Beat, Limits};
use crate::spread::Spread;

/// A connection.
#[derive(Input)]
pub struct Connection<'a> {
    /// When it began.
    pub timestamp: Datetime,
    /// Who made it: an address, a host, a process on a host.
    pub source: &'a str,
    /// Who it was made to: an address, a domain, an address and a port.
    pub destination: &'a str,
    /// What was sent, in bytes.
    #[input(optional)]
    pub bytes: Option<i64>,
}

/// How regular a pair's connections are.
#[derive(Clone, Debug, Output, PartialEq)]
pub struct Beacon<'a> {
    /// Who connected.
    pub source: &'a str,
    /// To whom.
    pub destination: &'a str,
    /// 0 to 1: how surely and how much of the traffic comes back after the period, beyond chance. 0 where no period
    /// was found.
    pub score: f64,
    /// How long after a contact the next one comes. Null where no period was found.
    pub period: Option<Timespan>,
    /// How far gaps stray from the period, as a share of it, to either side: half of what lies between their 5th and 95th
    /// percentile. Only gaps within `tolerance` of the period are among them, so that it is about that at
    /// most: near it, jitter may be larger. Null where no period was found.
    pub jitter: Option<f64>,
    /// The share of contacts, 0 to 1, that another one follows after the period. Null where no period was found.
    pub support: Option<f64>,
    /// Connections.
    pub count: i64,
    /// Contacts: connections within `burst` of each other are one.
    pub contacts: i64,
    /// The first connection.
    pub first: Datetime,
    /// The last connection.
    pub last: Datetime,
    /// The share, 0 to 1, of the whole table's time between the pair's first and last connection.
    pub coverage: f64,
    /// RITA's dispersion of the gaps: 1 - MAD / median, 0 to 1, 1 where all gaps are alike. Null with fewer than 3 gaps.
    pub regularity: Option<f64>,
    /// RITA's symmetry of the gaps: 1 - |Bowley's skewness|, 0 to 1. Null with fewer than 3 gaps.
    pub symmetry: Option<f64>,
    /// The median of the bytes. Null with fewer than 3 known values.
    pub bytes_median: Option<f64>,
    /// The dispersion of the bytes: 1 - MAD / median, 0 to 1, 1 where all are alike. Null with fewer than 3 known values.
    pub bytes_regularity: Option<f64>,
}

/// Finds pairs whose connections come at intervals, as an implant's do.
///
/// One row for each pair of source and destination with at least `least` connections, the most regular first. A period is
/// looked for among the gaps between contacts and between contacts a few apart, so that other traffic in between and missed
/// beats do little harm. The score is how many contacts are followed by one a period later, counted as a lower confidence
/// bound and less what chance would give at the pair's own density. Rows without a time, a source or a destination are left out; empty text is
/// none.
#[function]
pub fn beacons<'a>(
    rows: Rows<'a, Connection<'a>>,
    /// Pairs with fewer connections are left out; at least 4.
    #[option(default = 8)]
    least: i64,
    /// How far a gap may stray from the period, as a share of it: 0.01 to 0.45.
    #[option(default = 0.35)]
    tolerance: f64,
    /// Connections that come sooner than this after a contact belong to it. Periods of less than about three times this
    /// are not found.
    #[option(default = 10000000)]
    burst: Timespan,
    /// Pairs with a lower score are left out: 0 to 1.
    #[option(default = 0.0)]
    least_score: f64,
) -> Result<Vec<Beacon<'a>>, String> {
    let limits = Limits::new(tolerance, burst.0)?;
    if least < 4 {
        return Err(format!("least is {least}: three gaps need 4 connections"));
    }
    if !(0.0..=1.0).contains(&least_score) {
        return Err(format!("least_score is {least_score}: give 0 to 1"));
    }
    let pairs = pairs::of(rows.iter().map(|(_, row)| row));
    let span = pairs::span(&pairs);
    let mut beacons: Vec<_> = pairs
        .into_iter()
        .filter(|pair| pair.times.len() as i64 >= least)
        .map(|pair| beacon(pair, span, &limits))
        .filter(|beacon| beacon.score >= least_score)
        .collect();
    beacons.sort_by(|one, other| {
        let by_score = other.score.total_cmp(&one.score);
        by_score
            .then(other.count.cmp(&one.count))
            .then(one.source.cmp(other.source))
            .then(one.destination.cmp(other.destination))
    });
    Ok(beacons)
}

fn beacon<'a>(pair: Pair<'a>, span: f64, limits: &Limits) -> Beacon<'a> {
    let (first, last) = pair.ends();
    let contacts = period::contacts(&pair.times, limits.burst);
    let beat = period::find(&contacts, limits);
    let mut gaps: Vec<f64> = contacts.windows(2).map(gap).collect();
    let gaps = Spread::of(&mut gaps);
    let mut bytes: Vec<f64> = pair.bytes.iter().map(|bytes| *bytes as f64).collect();
    let bytes = Spread::of(&mut bytes);
    Beacon {
        source: pair.source,
        destination: pair.destination,
        score: beat.as_ref().map_or(0.0, |beat| beat.score),
        period: beat.as_ref().map(|beat| Timespan(beat.period as i64)),
        jitter: beat.as_ref().map(|beat| beat.jitter),
        support: beat.as_ref().map(|beat: &Beat| beat.support),
        count: pair.times.len() as i64,
        contacts: contacts.len() as i64,
        first: Datetime(first),
        last: Datetime(last),
        coverage: if span > 0.0 {
            (pairs::apart(first, last) / span).clamp(0.0, 1.0)
        } else {
            1.0
        },
        regularity: gaps.map(|gaps| gaps.regularity()),
        symmetry: gaps.map(|gaps| gaps.symmetry()),
        bytes_median: bytes.map(|bytes| bytes.median),
        bytes_regularity: bytes.map(|bytes| bytes.regularity()),
    }
}

/// What lies between two contacts.
fn gap(two: &[f64]) -> f64 {
    match two {
        [one, other] => other - one,
        _ => 0.0,
    }
}

plugin! {
    name: "beacons",
    functions: [beacons],
}
