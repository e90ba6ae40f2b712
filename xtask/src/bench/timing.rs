//! Timing whole commands in turn.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// The median of some measurements.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

/// Runs two commands in turn, once each uncounted and then `runs` times each. Gives the medians
/// in seconds.
pub fn paired(
    runs: u32,
    ours: &dyn Fn() -> Command,
    theirs: &dyn Fn() -> Command,
) -> Result<(f64, f64)> {
    timed(ours())?;
    timed(theirs())?;
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        a.push(timed(ours())?.as_secs_f64());
        b.push(timed(theirs())?.as_secs_f64());
    }
    Ok((median(a), median(b)))
}

/// Something that measures one figure or several.
pub type Measure<'a> = &'a dyn Fn() -> Result<Vec<f64>>;

/// Has each of these measure in turn, once uncounted and then `runs` times. Gives the median of each figure.
pub fn in_turn(runs: u32, measures: &[Measure<'_>]) -> Result<Vec<f64>> {
    let mut figures: Vec<Vec<f64>> = Vec::new();
    for run in 0..=runs {
        let mut round = Vec::new();
        for measure in measures {
            round.extend(measure()?);
        }
        figures.resize(round.len(), Vec::new());
        if run > 0 {
            for (all, figure) in figures.iter_mut().zip(round) {
                all.push(figure);
            }
        }
    }
    Ok(figures.into_iter().map(median).collect())
}

/// How long a command takes.
pub fn timed(mut command: Command) -> Result<Duration> {
    let begun = Instant::now();
    let done = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("could not start {:?}", command.get_program()))?;
    let elapsed = begun.elapsed();
    if !done.status.success() {
        bail!(
            "{command:?} failed ({}): {}",
            done.status,
            String::from_utf8_lossy(&done.stderr)
        );
    }
    Ok(elapsed)
}

/// Seconds as people read them.
pub fn seconds(value: f64) -> String {
    if value < 1e-3 {
        format!("{:.1} µs", value * 1e6)
    } else if value < 1.0 {
        format!("{:.1} ms", value * 1e3)
    } else {
        format!("{value:.2} s")
    }
}

/// `at least WANTED times faster: met (12.3 times)`, or by how much it is missed.
pub fn at_least(wanted: f64, ours: f64, theirs: f64) -> String {
    let ratio = theirs / ours;
    let word = if ratio >= wanted { "met" } else { "missed" };
    format!("at least {wanted} times faster: {word} ({ratio:.1} times)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
    }

    #[test]
    fn measures_take_turns_and_their_first_is_not_counted() {
        let turn = std::cell::Cell::new(0.0);
        let next = || {
            turn.set(turn.get() + 1.0);
            Ok(vec![turn.get(), 0.0])
        };
        // The second to the fourth round are 3 to 8.
        assert_eq!(
            in_turn(3, &[&next, &next]).ok(),
            Some(vec![5.0, 0.0, 6.0, 0.0])
        );
    }

    #[test]
    fn a_verdict_says_by_how_much() {
        assert_eq!(
            at_least(5.0, 1.0, 12.0),
            "at least 5 times faster: met (12.0 times)"
        );
        assert_eq!(
            at_least(5.0, 1.0, 3.0),
            "at least 5 times faster: missed (3.0 times)"
        );
    }
}
