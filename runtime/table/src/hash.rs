//! A quick hash of bytes, for dictionaries and sets of values. Not for keys that an adversary chooses in a service:
//! it is seeded by nothing.

use std::hash::Hasher;

/// The hash of some bytes: the same in every run.
pub fn of(bytes: &[u8]) -> u64 {
    let mut hasher = Fold::default();
    hasher.write(bytes);
    hasher.finish()
}

/// A hasher that takes in eight bytes at a time.
#[derive(Default)]
pub struct Fold(u64);

impl Hasher for Fold {
    fn write(&mut self, bytes: &[u8]) {
        let (chunks, rest) = bytes.as_chunks::<8>();
        for chunk in chunks {
            self.fold(u64::from_le_bytes(*chunk));
        }
        self.fold(last_word(rest) ^ ((bytes.len() as u64) << 56));
    }

    fn write_u64(&mut self, value: u64) {
        self.fold(value);
    }

    fn write_u32(&mut self, value: u32) {
        self.fold(u64::from(value));
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}

impl Fold {
    fn fold(&mut self, word: u64) {
        let product =
            u128::from(self.0 ^ word ^ 0x9e37_79b9_7f4a_7c15) * 0xa076_1d64_78bd_642f_u128;
        self.0 = (product as u64) ^ ((product >> 64) as u64);
    }
}

/// Up to seven bytes as the low ones of a word.
fn last_word(bytes: &[u8]) -> u64 {
    let at = |place: usize| u64::from(bytes[place]) << (place * 8);
    match (
        bytes.len(),
        bytes.first_chunk::<4>(),
        bytes.last_chunk::<4>(),
    ) {
        // Bytes that are in both are the same in both.
        (count, Some(first), Some(last)) => {
            let last = u64::from(u32::from_le_bytes(*last)) << ((count - 4) * 8);
            u64::from(u32::from_le_bytes(*first)) | last
        }
        (0, ..) => 0,
        (count, ..) => at(0) | at(count / 2) | at(count - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_has_all_bytes_in_order() {
        let bytes = [1, 2, 3, 4, 5, 6, 7];
        for count in 0..=7 {
            let mut word = [0; 8];
            word[..count].copy_from_slice(&bytes[..count]);
            assert_eq!(last_word(&bytes[..count]), u64::from_le_bytes(word));
        }
    }
}
