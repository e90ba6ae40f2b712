//! The greatest common divisor, as a plugin of Spoor.

use spoor_plugin::{Input, Output, function, plugin};

/// Two numbers.
#[derive(Input)]
pub struct Pair {
    /// One.
    pub a: i64,
    /// The other.
    pub b: i64,
}

/// What they have in common.
#[derive(Output)]
pub struct Divisor {
    /// The greatest number that divides both.
    pub gcd: i64,
}

/// The greatest common divisor of two numbers.
///
/// By Euclid.
#[function]
pub fn gcd(row: Pair) -> Divisor {
    let (mut a, mut b) = (row.a, row.b);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    Divisor { gcd: a }
}

plugin! {
    name: "gcd",
    functions: [gcd],
}
