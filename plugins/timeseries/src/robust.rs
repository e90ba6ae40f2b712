//! Statistics that a few wild values do not move. Values that are not finite must not reach them.

/// What makes the median absolute deviation of normal values their standard deviation.
const MAD_TO_SIGMA: f64 = 1.4826;

/// The middle value, or the mean of the middle two; `None` of nothing. Reorders `values`.
pub fn median(values: &mut [f64]) -> Option<f64> {
    let middle = values.len() / 2;
    if values.is_empty() {
        return None;
    }
    let even = values.len().is_multiple_of(2);
    let (below, &mut upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let lower = below.iter().copied().max_by(f64::total_cmp);
    match lower {
        // Halved first, so that the sum cannot overflow.
        Some(lower) if even => Some(lower / 2.0 + upper / 2.0),
        _ => Some(upper),
    }
}

/// The value that a share `of` (0 to 1) of the values does not pass; 0 of nothing. Reorders `values`.
fn quantile(values: &mut [f64], of: f64) -> f64 {
    let Some(last) = values.len().checked_sub(1) else {
        return 0.0;
    };
    let at = ((last as f64 * of) as usize).min(last);
    *values.select_nth_unstable_by(at, f64::total_cmp).1
}

/// How far values lie from 0, as a standard deviation that outliers do not move.
///
/// The larger of the median absolute deviation and the 90th percentile of deviations, each as a normal distribution has
/// it, so that heavy tails count. Where more than nine in ten values are (within `dust`) 0, the 99th percentile, so that what
/// happens in one step of fifty is not called rare; where that is 0 too, the mean deviation. 0 when all are.
pub fn scale(values: &[f64], dust: f64) -> f64 {
    let mut sizes: Vec<f64> = values.iter().map(|value| value.abs()).collect();
    let mad = median(&mut sizes).unwrap_or(0.0) * MAD_TO_SIGMA;
    let mean = || sizes_mean(values);
    let wide = quantile(&mut sizes, 0.9) / 1.645;
    let first = [mad.max(wide), quantile(&mut sizes, 0.99) / 2.576]
        .into_iter()
        .find(|sigma| *sigma > dust);
    first
        .or_else(|| Some(mean()).filter(|sigma| *sigma > dust * 1e-3))
        .unwrap_or(0.0)
}

fn sizes_mean(values: &[f64]) -> f64 {
    let count = values.len().max(1) as f64;
    values.iter().map(|value| value.abs() / count).sum::<f64>() * 1.2533
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        for (values, expected) in [
            (vec![], None),
            (vec![3.0], Some(3.0)),
            (vec![3.0, 1.0], Some(2.0)),
            (vec![9.0, 1.0, 2.0], Some(2.0)),
            (vec![4.0, 1.0, 3.0, 2.0], Some(2.5)),
            (vec![f64::MAX, f64::MAX], Some(f64::MAX)),
        ] {
            assert_eq!(median(&mut values.clone()), expected, "{values:?}");
        }
    }

    #[test]
    fn outliers_do_not_widen_the_scale() {
        let mut values: Vec<f64> = (-50..=50).map(f64::from).collect();
        let before = scale(&values, 0.0);
        values.extend([1e6; 5]);
        assert!(scale(&values, 0.0) < before * 1.1);
    }

    #[test]
    fn rare_values_among_zeros_have_a_scale() {
        let mut values = vec![0.0; 1000];
        assert_eq!(scale(&values, 1e-9), 0.0);
        values.push(5.0);
        assert!(5.0 / scale(&values, 1e-9) > 100.0);
        values.extend([1.0; 50]);
        assert!(1.0 / scale(&values, 1e-9) < 3.0);
    }
}
