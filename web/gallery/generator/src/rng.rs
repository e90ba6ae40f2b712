//! The generator's randomness: xoshiro256** (Blackman and Vigna, 2018), seeded by splitmix64 from a seed and a label.
//!
//! Own code because the files must stay byte for byte the same for a seed, whatever a library's next version does. Only
//! integer arithmetic and exact floating-point operations are used, so every platform gives the same numbers.

/// A stream of random numbers.
pub(crate) struct Rng([u64; 4]);

impl Rng {
    /// The stream for a seed and a label. Streams of different labels do not depend on one another, so that adding events
    /// to one table leaves the others as they were.
    pub(crate) fn of(seed: u64, label: &str, numbers: &[u64]) -> Rng {
        let mut state = seed;
        let bytes = label.bytes().map(u64::from);
        for part in bytes.chain(numbers.iter().copied()) {
            state = splitmix(&mut (state ^ part.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        }
        Rng(std::array::from_fn(|_| splitmix(&mut state)))
    }

    fn next(&mut self) -> u64 {
        let [a, b, c, d] = &mut self.0;
        let result = b.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let shifted = *b << 17;
        *c ^= *a;
        *d ^= *b;
        *b ^= *c;
        *a ^= *d;
        *c ^= shifted;
        *d = d.rotate_left(45);
        result
    }

    /// From 0 to below `n`.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(n)) >> 64) as u64
    }

    /// From `low` to below `high`.
    pub(crate) fn range(&mut self, low: i64, high: i64) -> i64 {
        low + self.below(high.saturating_sub(low).max(1) as u64) as i64
    }

    /// From 0 to below 1.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True with probability `p`.
    pub(crate) fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// About normal: twelve uniform numbers, summed.
    pub(crate) fn normal(&mut self, mean: f64, deviation: f64) -> f64 {
        let sum: f64 = (0..12).map(|_| self.unit()).sum();
        mean + (sum - 6.0) * deviation
    }

    /// A whole number about `mean`, a fifth of it as its deviation, never negative.
    pub(crate) fn about(&mut self, mean: f64) -> u64 {
        self.normal(mean, mean / 5.0).max(0.0) as u64
    }

    /// One of the items, each as likely. The slice must not be empty.
    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u64) as usize]
    }

    /// One of the items, the first most likely: the nth in proportion to 1/n. The slice must not be empty.
    pub(crate) fn favour<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        let total: f64 = (1..=items.len()).map(|n| 1.0 / n as f64).sum();
        let mut left = self.unit() * total;
        for (at, item) in items.iter().enumerate() {
            left -= 1.0 / (at + 1) as f64;
            if left < 0.0 {
                return item;
            }
        }
        &items[0]
    }

    /// Lower-case hexadecimal digits.
    pub(crate) fn hex(&mut self, digits: usize) -> String {
        (0..digits)
            .map(|_| char::from(b"0123456789abcdef"[self.below(16) as usize]))
            .collect()
    }

    /// A random guid (version 4).
    pub(crate) fn guid(&mut self) -> String {
        let [a, b, c, d, e] = [8, 4, 3, 3, 12].map(|digits| self.hex(digits));
        let variant = char::from(b"89ab"[self.below(4) as usize]);
        format!("{a}-{b}-4{c}-{variant}{d}-{e}")
    }
}

fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_what_they_were() {
        let mut rng = Rng::of(1, "test", &[2]);
        let numbers: Vec<u64> = (0..4).map(|_| rng.below(1000)).collect();
        let mut again = Rng::of(1, "test", &[2]);
        assert_eq!(
            numbers,
            (0..4).map(|_| again.below(1000)).collect::<Vec<_>>()
        );
        let mut other = Rng::of(1, "test", &[3]);
        assert_ne!(
            numbers,
            (0..4).map(|_| other.below(1000)).collect::<Vec<_>>()
        );
    }
}
