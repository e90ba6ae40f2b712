//! Ids for new cells (nbformat 4.5), from a seed of the caller's.

/// SplitMix64: small, and every seed gives another sequence.
#[derive(Debug, Clone)]
pub(crate) struct Ids {
    state: u64,
}

impl Ids {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Eight hexadecimal digits that `taken` does not know.
    pub(crate) fn next(&mut self, taken: impl Fn(&str) -> bool) -> String {
        loop {
            let id = format!("{:08x}", self.number() >> 32);
            if !taken(&id) {
                return id;
            }
        }
    }

    fn number(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
