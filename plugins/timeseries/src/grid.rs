//! Steps of time: the length that timestamps keep, and the step that a timestamp falls into.

/// Ticks of 100 ns in a second.
pub const SECOND: i64 = 10_000_000;
/// The last tick of Kusto's `datetime`, the end of the year 9999.
pub const LAST_TICK: i64 = 3_155_378_975_999_999_999;
/// Lengths that people count by: 1, 5, 10, 15 and 30 seconds and minutes, 1, 6 and 12 hours, a day and a week.
const NATURAL: [i64; 15] = [
    SECOND,
    5 * SECOND,
    10 * SECOND,
    15 * SECOND,
    30 * SECOND,
    60 * SECOND,
    300 * SECOND,
    600 * SECOND,
    900 * SECOND,
    1_800 * SECOND,
    3_600 * SECOND,
    6 * 3_600 * SECOND,
    12 * 3_600 * SECOND,
    24 * 3_600 * SECOND,
    WEEK,
];
/// The most steps that rows are put into when nothing says how long a step is, and the least that are allowed.
const STEPS_BY_ITSELF: std::ops::RangeInclusive<i64> = 8..=2_000;
/// How many rows a step is to have then, in the mean.
const ROWS_BY_ITSELF: i64 = 4;
/// Ticks in a week.
const WEEK: i64 = 7 * 24 * 3_600 * SECOND;

/// Steps of equal length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// A tick at which a step begins.
    pub origin: i64,
    /// Ticks in a step, at least 1.
    pub step: i64,
    /// Whether timestamps belong to the nearest step's begin: they are readings that came early or late. Otherwise they
    /// belong to the step that they lie in, as with `bin`.
    nearest: bool,
}

impl Grid {
    /// Steps of a given length, where `bin` has them.
    pub fn of_step(step: i64) -> Self {
        Grid {
            origin: 0,
            step: step.max(1),
            nearest: false,
        }
    }

    /// The steps that fit `times`, which are in order, without duplicates, and from 0 to [`LAST_TICK`], and come of this many
    /// rows. `counted` says that rows are events to be counted, and not readings.
    pub fn find(times: &[i64], rows: usize, counted: bool) -> Self {
        let (Some(first), Some(last)) = (times.first(), times.last()) else {
            return Grid::of_step(SECOND);
        };
        let span = last - first;
        let pairs = times.iter().zip(times.iter().skip(1));
        let mut gaps: Vec<i64> = pairs.map(|(a, b)| b - a).collect();
        let found = match counted {
            // Many events have one timestamp: it is a step's already.
            true if rows / 4 >= times.len() => {
                exact(&gaps, span, *first).filter(|grid| span / grid.step <= *STEPS_BY_ITSELF.end())
            }
            true => None,
            false => exact(&gaps, span, *first).or_else(|| jittered(&mut gaps, *first)),
        };
        found.unwrap_or_else(|| Grid::of_step(natural(span, rows)))
    }

    /// Which step a timestamp falls into; the first at the origin is 0.
    pub fn index(&self, time: i64) -> i64 {
        let from = time.saturating_sub(self.origin);
        let early = if self.nearest { self.step / 2 } else { 0 };
        from.saturating_add(early).div_euclid(self.step)
    }

    /// When a step begins.
    pub fn time(&self, index: i64) -> i64 {
        let from = index.saturating_mul(self.step);
        from.saturating_add(self.origin).clamp(0, LAST_TICK)
    }
}

/// The shortest natural length, or number of weeks, that makes no more steps of a span than its rows are enough for.
fn natural(span: i64, rows: usize) -> i64 {
    let (least, most) = STEPS_BY_ITSELF.into_inner();
    let steps = (rows as i64 / ROWS_BY_ITSELF).clamp(least, most);
    let fits = |step: &&i64| span / **step <= steps;
    let weeks = || (span / steps / WEEK).saturating_add(1).saturating_mul(WEEK);
    NATURAL.iter().find(fits).copied().unwrap_or_else(weeks)
}

/// The greatest step that all gaps are multiples of, where at least a quarter of such steps have a timestamp.
fn exact(gaps: &[i64], span: i64, origin: i64) -> Option<Grid> {
    let step = gaps.iter().copied().reduce(greatest_common_divisor)?;
    let steps = span / step.max(1);
    (steps / 4 <= gaps.len() as i64).then_some(Grid {
        origin,
        step,
        nearest: false,
    })
}

/// The median gap, where four in five gaps are within a tenth of it, or of a multiple. Rounded to a natural length that is
/// within a fiftieth.
fn jittered(gaps: &mut [i64], origin: i64) -> Option<Grid> {
    let middle = gaps.len() / 2;
    if gaps.len() < 4 {
        return None;
    }
    let (_, &mut median, _) = gaps.select_nth_unstable(middle);
    let regular = |gap: &&i64| {
        let off = **gap % median;
        off.min(median - off) * 10 <= median && **gap * 2 > median
    };
    if gaps.iter().filter(regular).count() * 5 < gaps.len() * 4 {
        return None;
    }
    let close = |length: &&i64| (**length).abs_diff(median) <= length.unsigned_abs() / 50;
    Some(Grid {
        origin,
        step: NATURAL.iter().find(close).copied().unwrap_or(median),
        nearest: true,
    })
}

fn greatest_common_divisor(mut a: i64, mut b: i64) -> i64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600 * SECOND;

    #[test]
    fn steps_are_found() {
        let hours = |at: &[i64]| -> Vec<i64> { at.iter().map(|at| at * HOUR + 7).collect() };
        let jitter: Vec<i64> = (0..50)
            .map(|at| at * 60 * SECOND + at * at % 7 * SECOND / 10)
            .collect();
        let events: Vec<i64> = (0..300).map(|at| at * at * 977 * SECOND).collect();
        for (times, rows, counted, step) in [
            (hours(&[0, 1, 2, 3]), 4, false, HOUR),
            (hours(&[0, 2, 4, 5, 8]), 5, false, HOUR),
            (hours(&[0, 24, 48]), 3, false, 24 * HOUR),
            (hours(&[0, 1, 2, 3]), 40, true, HOUR),
            (jitter.clone(), 50, false, 60 * SECOND),
            (jitter.clone(), 50, true, 300 * SECOND),
            (jitter, 50_000, true, 5 * SECOND),
            (events.clone(), 300, false, 2 * WEEK),
            (events, 30_000, true, 24 * HOUR),
            (vec![5], 1, false, SECOND),
            (vec![], 0, false, SECOND),
            (vec![0, LAST_TICK], 2, false, LAST_TICK),
            (
                vec![0, LAST_TICK],
                2,
                true,
                (LAST_TICK / 8 / WEEK + 1) * WEEK,
            ),
        ] {
            let found = Grid::find(&times, rows, counted);
            assert_eq!(found.step, step, "{} times, {rows} rows", times.len());
        }
    }

    #[test]
    fn late_readings_keep_their_step() {
        let times: Vec<i64> = (0..50)
            .map(|at| at * 60 * SECOND + [0, -SECOND, SECOND][at as usize % 3] + HOUR)
            .collect();
        let grid = Grid::find(&times, times.len(), false);
        let steps: Vec<i64> = times.iter().map(|time| grid.index(*time)).collect();
        assert_eq!(steps, (0..50).collect::<Vec<_>>());
    }

    #[test]
    fn no_time_overflows() {
        for time in [i64::MIN, -1, 0, LAST_TICK, i64::MAX] {
            for step in [i64::MIN, 0, 1, i64::MAX] {
                let grid = Grid::of_step(step);
                grid.time(grid.index(time));
            }
        }
    }
}
