//! Compressed streams: gzip, zlib, and deflate without a header.

use std::io::Read;

use flate2::bufread::{DeflateDecoder, GzDecoder, ZlibDecoder};

use crate::content::{Content, Packing, content};

/// Decompresses up to `limit` bytes; with whether there was more, or the stream was cut off. `None` where it is no
/// such stream.
pub fn inflate(bytes: &[u8], packing: Packing, limit: usize) -> Option<(Vec<u8>, bool)> {
    let mut out = Vec::new();
    let most = limit as u64;
    let done = match packing {
        Packing::Gzip => GzDecoder::new(bytes).take(most).read_to_end(&mut out),
        Packing::Zlib => ZlibDecoder::new(bytes).take(most).read_to_end(&mut out),
        Packing::Deflate => return deflated(bytes, most),
    };
    // What came before an error is kept: command lines are cut in the logs.
    let cut = done.is_err() || out.len() == limit;
    (!out.is_empty()).then_some((out, cut))
}

/// Whether bytes can begin a deflate stream (RFC 1951) of text. Said of one in a hundred random ones, so that hashes are
/// not decompressed: that costs a hundred times what they do.
pub fn may_be_deflated(bytes: &[u8]) -> bool {
    let Some(first) = bytes.first_chunk::<16>() else {
        return false;
    };
    let bits = u128::from_le_bytes(*first) >> 1;
    match bits & 3 {
        // Stored: the length and its complement, after the byte.
        0 => matches!(first, [_, a, b, c, d, ..] if *a == !*c && *b == !*d),
        1 => is_fixed_text(bits >> 2),
        2 => is_complete(bits >> 2),
        _ => false,
    }
}

/// Whether the fixed codes begin with three characters of text, as far as they are before a match.
fn is_fixed_text(mut bits: u128) -> bool {
    for place in 0..3 {
        let code = (bits as u8).reverse_bits();
        // Up to 0x2F: lengths and the end, of seven bits. Then the bytes up to 143, of eight.
        if code < 0x30 {
            return place > 0;
        }
        let byte = code - 0x30;
        if !matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~') {
            return false;
        }
        bits >>= 8;
    }
    true
}

/// Whether the dynamic codes begin as they have to: no more codes than there are, and lengths of the first code that fill
/// it (section 3.2.7).
fn is_complete(bits: u128) -> bool {
    let (literals, distances) = (bits & 31, bits >> 5 & 31);
    let lengths = (bits >> 10 & 15) + 4;
    if literals > 29 || distances > 29 {
        return false;
    }
    let filled: u32 = (0..lengths)
        .map(|place| match bits >> (14 + 3 * place) & 7 {
            0 => 0,
            length => 128 >> length,
        })
        .sum();
    filled == 128
}

/// A stream without a header has no mark of its own: it has to give text, and, where it ends, to end with the bytes.
fn deflated(bytes: &[u8], most: u64) -> Option<(Vec<u8>, bool)> {
    const LEAST: usize = 16;
    let mut out = Vec::new();
    let mut stream = DeflateDecoder::new(bytes).take(most);
    let done = stream.read_to_end(&mut out);
    let used = stream.into_inner().total_in();
    let ended = done.is_ok() && used + 8 >= bytes.len() as u64;
    let full = out.len() as u64 == most;
    let text = !matches!(content(&out), Content::Data | Content::Packed(_));
    // Of what is cut off, more has to be there.
    let least = if ended { LEAST } else { 4 * LEAST };
    let likely = text && out.len() >= least && (ended || full || done.is_err());
    likely.then_some((out, full || done.is_err()))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::DeflateEncoder;

    use super::*;

    #[test]
    fn what_is_deflated_may_be() {
        let long = "a line of text, and then another one\n".repeat(9);
        let varied: String = (0..400).map(|n| format!("{n} {}", n * n)).collect();
        for text in ["short text, fixed codes", &long, &varied] {
            for level in 0..=9 {
                let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(level));
                assert!(encoder.write_all(text.as_bytes()).is_ok());
                let bytes = encoder.finish().unwrap_or_default();
                assert!(may_be_deflated(&bytes), "{level} {text}");
                assert_eq!(
                    inflate(&bytes, Packing::Deflate, 1 << 20).map(|(out, _)| out),
                    Some(text.as_bytes().to_vec())
                );
            }
        }
    }

    #[test]
    fn few_random_bytes_may_be_deflated() {
        let mut state = 1_u64;
        let mut random = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        };
        let taken = (0..10_000)
            .filter(|_| may_be_deflated(&std::array::from_fn::<u8, 32, _>(|_| random())))
            .count();
        assert!(taken < 500, "{taken}");
    }
}
