//! The greatest common divisor, as a function of arrow-udf.

use arrow_udf::function;

#[function("gcd(int64, int64) -> int64")]
fn gcd(mut a: i64, mut b: i64) -> i64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
