//! The `i64` that `call` returns: where the answer lies, and whether it is an error message.

const FAILED: u64 = 1 << 63;
const MAX_POINTER: u32 = i32::MAX as u32;

/// A pointer, a length and a status in one `i64`: bits 0 to 31 are the length, bits 32 to 62 the pointer, and bit 63 is
/// set when the bytes are an error message (UTF-8) instead of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packed {
    /// The bytes are an error message.
    pub failed: bool,
    /// Where the bytes begin in the guest's memory; below 2 GiB.
    pub pointer: u32,
    /// How many bytes there are.
    pub length: u32,
}

impl Packed {
    /// The number that `call` returns for it; `None` when the pointer is 2 GiB or more and has no room.
    pub const fn to_i64(self) -> Option<i64> {
        if self.pointer > MAX_POINTER {
            return None;
        }
        let status = if self.failed { FAILED } else { 0 };
        Some((status | (self.pointer as u64) << 32 | self.length as u64) as i64)
    }

    /// What a returned number says. Every number says something: whether the range lies in the guest's memory is for
    /// the caller to check.
    pub const fn from_i64(value: i64) -> Packed {
        let bits = value as u64;
        Packed {
            failed: bits & FAILED != 0,
            pointer: (bits >> 32) as u32 & MAX_POINTER,
            length: bits as u32,
        }
    }

    /// The range in a memory of `size` bytes; `None` when it does not lie in it.
    pub const fn range(self, size: usize) -> Option<core::ops::Range<usize>> {
        let end = self.pointer as u64 + self.length as u64;
        if end > size as u64 {
            return None;
        }
        Some(self.pointer as usize..end as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fields_have_their_bits() {
        let ok = Packed {
            failed: false,
            pointer: 0x0010_0010,
            length: 0x80,
        };
        assert_eq!(ok.to_i64(), Some(0x0010_0010_0000_0080));
        let failed = Packed { failed: true, ..ok };
        assert_eq!(failed.to_i64(), Some(0x8010_0010_0000_0080_u64 as i64));
        let high = Packed {
            pointer: 1 << 31,
            ..ok
        };
        assert_eq!(high.to_i64(), None);
    }

    #[test]
    fn a_range_ends_with_the_memory() {
        let packed = Packed::from_i64(0x7FFF_FFFF_FFFF_FFFF);
        assert_eq!(packed.range(usize::MAX), Some(0x7FFF_FFFF..0x1_7FFF_FFFE));
        assert_eq!(packed.range(1 << 16), None);
        assert_eq!(Packed::from_i64(0).range(0), Some(0..0));
        assert_eq!(Packed::from_i64(1).range(0), None);
    }

    proptest! {
        #[test]
        fn every_number_round_trips(value: i64) {
            prop_assert_eq!(Packed::from_i64(value).to_i64(), Some(value));
        }
    }
}
