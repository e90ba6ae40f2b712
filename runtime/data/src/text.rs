//! Brings text under UTF-8 without a byte-order mark before it is parsed.

use crate::error::Problem;

/// Strips UTF-8's mark and decodes UTF-16 that announces itself with one, as Windows tools write it.
pub(crate) fn decode(mut bytes: Vec<u8>) -> Result<Vec<u8>, Problem> {
    match bytes.as_slice() {
        [0xef, 0xbb, 0xbf, ..] => {
            bytes.drain(..3);
            Ok(bytes)
        }
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        _ => Ok(bytes),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Vec<u8>, Problem> {
    let (pairs, odd) = bytes.as_chunks::<2>();
    if !odd.is_empty() {
        return Err(Problem::Encoding);
    }
    let chars = || char::decode_utf16(pairs.iter().map(|pair| unit(*pair)));
    // Measured first: a string that grows by doubling could need twice its size and its old self.
    let length = chars().try_fold(0, |sum, c| c.map(|c| sum + c.len_utf8()));
    let mut text = String::with_capacity(length.map_err(|_| Problem::Encoding)?);
    text.extend(chars().flatten());
    Ok(text.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_go() {
        let little: Vec<u8> = "\u{feff}é1"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let big: Vec<u8> = "\u{feff}é1"
            .encode_utf16()
            .flat_map(u16::to_be_bytes)
            .collect();
        for bytes in ["é1".into(), "\u{feff}é1".as_bytes().to_vec(), little, big] {
            assert_eq!(decode(bytes), Ok("é1".as_bytes().to_vec()));
        }
        assert_eq!(decode(vec![0xff, 0xfe, 0x41]), Err(Problem::Encoding));
    }
}
