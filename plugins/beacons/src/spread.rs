//! The interval statistics that RITA scores a pair by (Active Countermeasures, `analysis/beacons.go`): dispersion by the
//! median absolute deviation, symmetry by Bowley's skewness. Both are of quartiles, so that a few long silences do not
//! spoil them. RITA's own score for times is the mean of the two.

/// Order statistics of some numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The first quartile.
    pub lower: f64,
    /// The median.
    pub median: f64,
    /// The third quartile.
    pub upper: f64,
    /// The median of what lies between the numbers and their median.
    pub deviation: f64,
}

impl Spread {
    /// Sorts the numbers; `None` of fewer than three.
    pub fn of(numbers: &mut [f64]) -> Option<Self> {
        if numbers.len() < 3 {
            return None;
        }
        numbers.sort_unstable_by(f64::total_cmp);
        let median = quantile(numbers, 0.5)?;
        let (lower, upper) = (quantile(numbers, 0.25)?, quantile(numbers, 0.75)?);
        let mut away: Vec<f64> = numbers.iter().map(|one| (one - median).abs()).collect();
        away.sort_unstable_by(f64::total_cmp);
        Some(Spread {
            lower,
            median,
            upper,
            deviation: quantile(&away, 0.5)?,
        })
    }

    /// 1 - MAD / median, 0 to 1; 1 where all are 0.
    pub fn regularity(&self) -> f64 {
        if self.deviation == 0.0 {
            return 1.0;
        }
        let share = self.deviation / self.median;
        if share.is_finite() {
            (1.0 - share.abs()).clamp(0.0, 1.0)
        } else {
            0.0
        }
    }

    /// 1 - |Bowley's skewness|, 0 to 1. As with RITA, 1 where the median is one of the quartiles: the measure says nothing
    /// there.
    pub fn symmetry(&self) -> f64 {
        if self.median == self.lower || self.median == self.upper {
            return 1.0;
        }
        let skewness = (self.lower + self.upper - 2.0 * self.median) / (self.upper - self.lower);
        (1.0 - skewness.abs()).clamp(0.0, 1.0)
    }
}

/// A quantile of sorted numbers, between two of them where it falls there; `None` of none.
pub fn quantile(sorted: &[f64], at: f64) -> Option<f64> {
    let place = at.clamp(0.0, 1.0) * sorted.len().checked_sub(1)? as f64;
    let below = *sorted.get(place as usize)?;
    let above = *sorted.get(place as usize + 1).unwrap_or(&below);
    Some(below + (above - below) * place.fract())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_numbers() {
        assert_eq!(quantile(&[], 0.5), None);
        assert_eq!(quantile(&[3.0], 0.9), Some(3.0));
        assert_eq!(quantile(&[1.0, 2.0, 4.0], 0.75), Some(3.0));
    }

    #[test]
    fn like_gaps_are_regular_and_symmetric() {
        let spread = Spread::of(&mut [60.0; 9]).unwrap();
        assert_eq!((spread.regularity(), spread.symmetry()), (1.0, 1.0));
    }

    #[test]
    fn one_long_silence_does_not_matter() {
        let spread = Spread::of(&mut [60.0, 61.0, 59.0, 60.0, 30_000.0]).unwrap();
        assert!(spread.regularity() > 0.98);
    }

    #[test]
    fn doubling_gaps_are_neither() {
        let mut gaps: Vec<f64> = (0..12).map(|power| f64::from(1 << power)).collect();
        let spread = Spread::of(&mut gaps).unwrap();
        assert!(spread.regularity() < 0.1, "{spread:?}");
        assert!(spread.symmetry() < 0.4, "{spread:?}");
    }

    #[test]
    fn what_has_no_median_is_not_regular() {
        assert_eq!(Spread::of(&mut [1.0, 2.0]), None);
        let spread = Spread::of(&mut [-1.0, 0.0, 1.0]).unwrap();
        assert_eq!(spread.regularity(), 0.0);
    }
}
