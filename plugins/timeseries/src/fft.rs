//! The autocorrelation of a series, by way of its power spectrum (Wiener-Khinchin): `n log n`.

use std::f64::consts::TAU;

/// Autocorrelations at lags 0 to `values.len() / 2`, the first 1: sums over the pairs there are, divided by how many.
/// `None` where the values do not vary.
pub fn autocorrelation(values: &[f64]) -> Option<Vec<f64>> {
    let count = values.len();
    // Room for the lags that are asked for, without what wraps around.
    let size = (count + count / 2 + 1).next_power_of_two();
    let mut re: Vec<f64> = values.to_vec();
    re.resize(size, 0.0);
    let mut im = vec![0.0; size];
    let turns: Vec<(f64, f64)> = (0..size / 2)
        .map(|at| (-TAU * at as f64 / size as f64).sin_cos())
        .collect();
    transform(&mut re, &mut im, &turns);
    for (re, im) in re.iter_mut().zip(&mut im) {
        *re = *re * *re + *im * *im;
        *im = 0.0;
    }
    // The power spectrum is even, so that its transform is its inverse transform, but for a factor.
    transform(&mut re, &mut im, &turns);
    let variance = re.first().copied()? / count as f64;
    if variance.is_nan() || variance <= f64::MIN_POSITIVE {
        return None;
    }
    let lags = re.iter().take(count / 2 + 1).enumerate();
    Some(
        lags.map(|(lag, sum)| sum / (count - lag) as f64 / variance)
            .collect(),
    )
}

/// The discrete Fourier transform in place (Cooley and Tukey, radix 2). The length is a power of two.
fn transform(re: &mut [f64], im: &mut [f64], turns: &[(f64, f64)]) {
    let size = re.len();
    if size < 2 {
        return;
    }
    let bits = size.trailing_zeros();
    for at in 0..size {
        let other = at.reverse_bits() >> (usize::BITS - bits);
        if other > at {
            re.swap(at, other);
            im.swap(at, other);
        }
    }
    let mut width = 2;
    while width <= size {
        let blocks = re.chunks_exact_mut(width).zip(im.chunks_exact_mut(width));
        for (re, im) in blocks {
            butterflies(re, im, turns, size / width);
        }
        width *= 2;
    }
}

fn butterflies(re: &mut [f64], im: &mut [f64], turns: &[(f64, f64)], step: usize) {
    let (re_low, re_high) = re.split_at_mut(re.len() / 2);
    let (im_low, im_high) = im.split_at_mut(im.len() / 2);
    let low = re_low.iter_mut().zip(im_low);
    let high = re_high.iter_mut().zip(im_high);
    for (((a, b), (c, d)), (sin, cos)) in low.zip(high).zip(turns.iter().step_by(step)) {
        let (e, f) = (*c * cos - *d * sin, *c * sin + *d * cos);
        (*c, *d) = (*a - e, *b - f);
        (*a, *b) = (*a + e, *b + f);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_what_the_sums_say() {
        let values: Vec<f64> = (0..37).map(|at| f64::from(at * at % 11) - 5.0).collect();
        let by_sum = |lag: usize| {
            let pairs = values.iter().zip(values.iter().skip(lag));
            pairs.map(|(a, b)| a * b).sum::<f64>() / (values.len() - lag) as f64
        };
        let found = autocorrelation(&values).unwrap_or_default();
        assert_eq!(found.len(), 19);
        for (lag, found) in found.iter().enumerate() {
            assert!((found - by_sum(lag) / by_sum(0)).abs() < 1e-12, "{lag}");
        }
    }

    #[test]
    fn nothing_of_what_does_not_vary() {
        for values in [vec![], vec![0.0], vec![0.0; 9]] {
            assert_eq!(autocorrelation(&values), None);
        }
    }
}
