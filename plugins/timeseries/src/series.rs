//! Rows as series on a grid: one value a step, from the first that has a row to the last.

use std::collections::HashMap;

use spoor_plugin::Datetime;

use crate::Reading;
use crate::grid::{Grid, LAST_TICK};

/// What an answer may take, in bytes: less than what a call may answer.
const MOST_BYTES: u64 = 40 << 20;
/// What a row of the answer takes, in bytes, without the series' name.
const ROW_BYTES: u64 = 96;

/// What becomes of several values in one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Combine {
    /// They are added up.
    Sum,
    /// Their mean is taken.
    Mean,
    /// The largest is taken.
    Max,
    /// The smallest is taken.
    Min,
}

impl Combine {
    /// The way that has this name, as the user writes it.
    pub fn named(name: &str) -> Result<Self, String> {
        match name.to_ascii_lowercase().as_str() {
            "sum" => Ok(Combine::Sum),
            "mean" | "avg" => Ok(Combine::Mean),
            "max" => Ok(Combine::Max),
            "min" => Ok(Combine::Min),
            _ => Err(format!(
                "combine is '{name}': give \"sum\", \"mean\", \"max\" or \"min\""
            )),
        }
    }
}

/// A series on a grid.
#[derive(Clone, Debug)]
pub struct Series<'a> {
    /// Its key; `None` where rows have none.
    pub key: Option<&'a str>,
    /// The number of its first step.
    pub first: i64,
    /// A value a step; NaN where there is none.
    pub values: Vec<f64>,
    /// How many rows there were in each step.
    pub rows: Vec<u32>,
}

/// How rows become series.
#[derive(Clone, Copy, Debug)]
pub struct How {
    /// Ticks in a step; `None` to find it.
    pub step: Option<i64>,
    /// What becomes of several values in one step.
    pub combine: Combine,
    /// The value of steps without one; `None` leaves them without, or takes 0 where rows are counted.
    pub fill: Option<f64>,
}

type Keyed<'a> = Vec<(Option<&'a str>, Vec<(i64, f64)>)>;

/// The series of readings, in the order of their keys, and their grid. Rows whose time is null or no `datetime` are left out. Fails
/// where there would be more steps than an answer may have.
pub fn collect<'a>(
    readings: impl Iterator<Item = Reading<'a>>,
    how: How,
) -> Result<(Grid, Vec<Series<'a>>), String> {
    let (keyed, counted) = read(readings);
    let grid = match how.step {
        Some(step) => Grid::of_step(step),
        None => {
            let rows = keyed.iter().map(|(_, readings)| readings.len()).sum();
            Grid::find(&times(&keyed), rows, counted)
        }
    };
    let fill = how.fill.or(counted.then_some(0.0));
    let combine = if counted { Combine::Sum } else { how.combine };
    let whole = fill.and_then(|_| extent(keyed.iter().flat_map(|(_, readings)| readings), grid));
    let mut bytes = 0;
    let mut series = Vec::new();
    for (key, readings) in &keyed {
        let Some((first, last)) = whole.or_else(|| extent(readings.iter(), grid)) else {
            continue;
        };
        let steps = last.abs_diff(first).saturating_add(1);
        let row = ROW_BYTES + key.map_or(0, |key| key.len() as u64);
        bytes = steps.saturating_mul(row).saturating_add(bytes);
        if bytes > MOST_BYTES {
            return Err(too_many(grid, *key, first, last));
        }
        series.push(on_grid(*key, readings, grid, (first, steps), combine, fill));
    }
    Ok((grid, series))
}

/// The rows by key, of which an empty one is none, and whether they are to be counted since they have no column of values.
fn read<'a>(readings: impl Iterator<Item = Reading<'a>>) -> (Keyed<'a>, bool) {
    let mut keyed = Keyed::new();
    let mut places: HashMap<Option<&str>, usize> = HashMap::new();
    let mut counted = true;
    for row in readings {
        let Datetime(time) = row.time;
        if !(0..=LAST_TICK).contains(&time) {
            continue;
        }
        counted &= row.value.is_none();
        let value = row.value.map_or(1.0, |value| value.0.unwrap_or(f64::NAN));
        let key = row.key.filter(|key| !key.is_empty());
        let place = *places.entry(key).or_insert(keyed.len());
        match keyed.get_mut(place) {
            Some((_, readings)) => readings.push((time, value)),
            None => keyed.push((key, vec![(time, value)])),
        }
    }
    keyed.sort_unstable_by_key(|(key, _)| *key);
    (keyed, counted)
}

fn times(keyed: &Keyed<'_>) -> Vec<i64> {
    let mut times: Vec<i64> = keyed
        .iter()
        .flat_map(|(_, readings)| readings)
        .map(|(time, _)| *time)
        .collect();
    times.sort_unstable();
    times.dedup();
    times
}

fn extent<'r>(readings: impl Iterator<Item = &'r (i64, f64)>, grid: Grid) -> Option<(i64, i64)> {
    let steps = readings.map(|(time, _)| grid.index(*time));
    steps.fold(None, |extent, step| match extent {
        Some((first, last)) => Some((step.min(first), step.max(last))),
        None => Some((step, step)),
    })
}

fn too_many(grid: Grid, key: Option<&str>, first: i64, last: i64) -> String {
    let name = key.map_or(String::new(), |key| {
        format!(" of '{}'", key.chars().take(60).collect::<String>())
    });
    format!(
        "there are too many steps: up to the series{name}, which has {} of {} s. Give a longer step, fewer series, or \
         leave out rows whose time is far from the others'",
        last.abs_diff(first).saturating_add(1),
        grid.step as f64 / crate::grid::SECOND as f64,
    )
}

fn on_grid<'a>(
    key: Option<&'a str>,
    readings: &[(i64, f64)],
    grid: Grid,
    (first, steps): (i64, u64),
    combine: Combine,
    fill: Option<f64>,
) -> Series<'a> {
    let steps = steps as usize;
    let (mut values, mut rows, mut known) =
        (vec![f64::NAN; steps], vec![0; steps], vec![0u32; steps]);
    for (time, value) in readings {
        let at = grid.index(*time).abs_diff(first) as usize;
        let cells = values
            .get_mut(at)
            .zip(rows.get_mut(at))
            .zip(known.get_mut(at));
        let Some(((held, rows), known)) = cells else {
            continue;
        };
        *rows += 1;
        if value.is_finite() {
            *held = if *known == 0 {
                *value
            } else {
                combined(*held, *value, combine)
            };
            *known += 1;
        }
    }
    for (value, known) in values.iter_mut().zip(known) {
        if known > 0 && combine == Combine::Mean {
            *value /= f64::from(known);
        }
        // A sum may have passed what a number holds.
        if known == 0 || !value.is_finite() {
            *value = fill.unwrap_or(f64::NAN);
        }
    }
    Series {
        key,
        first,
        values,
        rows,
    }
}

fn combined(held: f64, value: f64, combine: Combine) -> f64 {
    match combine {
        Combine::Sum | Combine::Mean => held + value,
        Combine::Max => held.max(value),
        Combine::Min => held.min(value),
    }
}
