//! The beta distribution. Its cumulative function is the regularised incomplete beta function, by the continued fraction of Lentz.

use spoor_table::{Cell, KustoType};

use super::args::{P, fixed};
use super::function_table;
use super::math::log_gamma;
use super::udf::{Body, Out};

use KustoType::Real;

/// Steps of a continued fraction, and of halving.
const STEPS: usize = 500;

function_table! {
    "beta_cdf", "beta_cdf(x, alpha, beta)", "How likely a number of the beta distribution is at most x; NaN outside of 0 to 1.", |c, a| fixed(c, a, "beta_cdf", &[P::Real; 3], Real, Body::Strict(|c, o| o.real(cdf(of(c)))));
    "beta_inv", "beta_inv(probability, alpha, beta)", "The number below which the beta distribution lies with a probability; null where that is none.", |c, a| fixed(c, a, "beta_inv", &[P::Real; 3], Real, Body::Strict(inverse));
    "beta_pdf", "beta_pdf(x, alpha, beta)", "The density of the beta distribution; NaN outside of 0 to 1.", |c, a| fixed(c, a, "beta_pdf", &[P::Real; 3], Real, Body::Strict(|c, o| o.real(density(of(c)))));
}

fn of(cells: &[Cell<'_>]) -> [f64; 3] {
    let real = |at: usize| match cells.get(at) {
        Some(Cell::Real(value)) => *value,
        _ => f64::NAN,
    };
    [real(0), real(1), real(2)]
}

/// The logarithm of what the density is divided by.
fn log_beta(a: f64, b: f64) -> f64 {
    log_gamma(a) + log_gamma(b) - log_gamma(a + b)
}

fn density([x, a, b]: [f64; 3]) -> f64 {
    if !(0.0..=1.0).contains(&x) || a <= 0.0 || b <= 0.0 {
        return f64::NAN;
    }
    ((a - 1.0) * x.ln() + (b - 1.0) * (1.0 - x).ln() - log_beta(a, b)).exp()
}

fn cdf([x, a, b]: [f64; 3]) -> f64 {
    if !(0.0..=1.0).contains(&x) {
        return f64::NAN;
    }
    // Kusto gives 1 for a distribution that there is not.
    if a <= 0.0 || b <= 0.0 {
        return 1.0;
    }
    if x == 0.0 || x == 1.0 {
        return x;
    }
    let front = (a * x.ln() + b * (1.0 - x).ln() - log_beta(a, b)).exp();
    match x < (a + 1.0) / (a + b + 2.0) {
        true => front * fraction(x, a, b) / a,
        false => 1.0 - front * fraction(1.0 - x, b, a) / b,
    }
}

fn fraction(x: f64, a: f64, b: f64) -> f64 {
    let tiny = |value: f64| if value.abs() < 1e-300 { 1e-300 } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / tiny(1.0 - (a + b) * x / (a + 1.0));
    let mut result = d;
    for step in 1..STEPS {
        let m = step as f64;
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / tiny(1.0 + even * d);
        c = tiny(1.0 + even / c);
        result *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / tiny(1.0 + odd * d);
        c = tiny(1.0 + odd / c);
        let by = d * c;
        result *= by;
        if (by - 1.0).abs() < 1e-16 {
            break;
        }
    }
    result
}

fn inverse(cells: &[Cell<'_>], out: &mut Out) {
    let [p, a, b] = of(cells);
    if !(0.0..=1.0).contains(&p) {
        return out.null();
    }
    if a <= 0.0 || b <= 0.0 {
        return out.real(f64::NAN);
    }
    let (mut low, mut high) = (0.0f64, 1.0f64);
    for _ in 0..STEPS {
        let middle = (low + high) / 2.0;
        if middle <= low || middle >= high {
            break;
        }
        match cdf([middle, a, b]) < p {
            true => low = middle,
            false => high = middle,
        }
    }
    out.real((low + high) / 2.0);
}
