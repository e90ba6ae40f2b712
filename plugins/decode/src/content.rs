//! What bytes are: text, a known kind of file, or neither.

/// What bytes turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// UTF-8 without control characters but for tabs and line ends.
    Text(String),
    /// UTF-16, little end first.
    Utf16(String),
    /// A compressed stream that can be told by its first bytes.
    Packed(Packing),
    /// A file of a known kind: its name.
    File(&'static str),
    /// None of these.
    Data,
}

/// How bytes are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// RFC 1952.
    Gzip,
    /// RFC 1950.
    Zlib,
    /// RFC 1951, without a header: .NET's `DeflateStream`.
    Deflate,
}

impl Packing {
    /// Its name in a chain.
    pub const fn name(self) -> &'static str {
        match self {
            Packing::Gzip => "gzip",
            Packing::Zlib => "zlib",
            Packing::Deflate => "deflate",
        }
    }
}

/// First bytes of files that are worth a word, long enough that chance does not make them.
const FILES: [(&[u8], &str); 18] = [
    (b"\x7FELF", "elf"),
    (b"PK\x03\x04", "zip"),
    (b"7z\xBC\xAF\x27\x1C", "7z"),
    (b"Rar!\x1A\x07", "rar"),
    (b"%PDF-", "pdf"),
    (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "ole"),
    (b"MSCF\0\0\0\0", "cab"),
    (b"\xCA\xFE\xBA\xBE\0\0\0", "class"),
    (b"\xCF\xFA\xED\xFE", "macho"),
    (b"\xFE\xED\xFA\xCF", "macho"),
    (b"\0asm\x01\0\0\0", "wasm"),
    (b"\x89PNG\r\n\x1A\n", "png"),
    (b"\xFF\xD8\xFF", "jpeg"),
    (b"GIF8", "gif"),
    (b"\xFD7zXZ\0", "xz"),
    (b"BZh91AY&SY", "bzip2"),
    (b"\x28\xB5\x2F\xFD", "zstd"),
    (b"SQLite format 3\0", "sqlite"),
];

/// Says what bytes are.
pub fn content(bytes: &[u8]) -> Content {
    if bytes.starts_with(b"\x1F\x8B\x08") {
        return Content::Packed(Packing::Gzip);
    }
    if is_windows_program(bytes) {
        return Content::File("exe");
    }
    if let Some((_, name)) = FILES.iter().find(|(first, _)| bytes.starts_with(first)) {
        return Content::File(name);
    }
    if let Some(text) = utf16(bytes) {
        return Content::Utf16(text);
    }
    if let Some(text) = utf8(bytes) {
        return Content::Text(text.to_owned());
    }
    match bytes {
        // Compression method 8, and a check that 31 divides.
        [0x78, flags, ..] if (0x7800 | u16::from(*flags)).is_multiple_of(31) => {
            Content::Packed(Packing::Zlib)
        }
        _ => Content::Data,
    }
}

/// `MZ`, and where it is said to be, `PE` (the offset is at 60).
fn is_windows_program(bytes: &[u8]) -> bool {
    let header = bytes.get(60..).and_then(|rest| rest.first_chunk::<4>());
    let Some(header) = header.filter(|_| bytes.starts_with(b"MZ")) else {
        return false;
    };
    let at = u32::from_le_bytes(*header) as usize;
    // Command lines are cut: the header may be past the end.
    at < 4_096 && bytes.get(at..at + 2).is_none_or(|found| found == b"PE")
}

/// The bytes as text, where they are likely meant as such.
pub fn utf8(bytes: &[u8]) -> Option<&str> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        // Cut in the middle of a character.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(bytes.get(..error.valid_up_to())?).ok()?
        }
        Err(_) => return None,
    };
    is_text(text).then_some(text)
}

/// The bytes as UTF-16, little end first: with a byte order mark, or mostly of characters below 256 as any script and
/// command is.
pub fn utf16(bytes: &[u8]) -> Option<String> {
    let (marked, bytes) = match bytes.strip_prefix(b"\xFF\xFE") {
        Some(rest) => (true, rest),
        None => (false, bytes),
    };
    let pairs = bytes.len() / 2;
    let low = bytes
        .chunks_exact(2)
        .filter(|pair| matches!(pair, [low, 0] if *low != 0))
        .count();
    if pairs < 4 || !marked && low * 10 < pairs * 9 {
        return None;
    }
    let text = any_utf16(bytes)?;
    is_text(&text).then_some(text)
}

/// The bytes as UTF-16 of any script; a last odd byte is left out.
pub fn any_utf16(bytes: &[u8]) -> Option<String> {
    let units = bytes.chunks_exact(2).filter_map(|pair| match pair {
        [low, high] => Some(u16::from_le_bytes([*low, *high])),
        _ => None,
    });
    char::decode_utf16(units)
        .collect::<Result<String, _>>()
        .ok()
}

/// Whether characters look as if someone had written them: none is a control character but tabs and line ends, and of
/// those outside ASCII and the letters of scripts there are few.
pub fn is_text(text: &str) -> bool {
    let (mut all, mut odd) = (0_usize, 0_usize);
    for letter in text.chars() {
        all += 1;
        match letter {
            '\t' | '\n' | '\r' | ' '..='~' => {}
            letter if letter.is_control() || letter == '\u{FFFD}' => return false,
            letter if letter.is_alphabetic() => {}
            _ => odd += 1,
        }
    }
    all > 0 && odd * 5 <= all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_told_apart() {
        let text = |text: &str| Content::Text(text.to_owned());
        let wide: Vec<u8> = "whoami /all"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let mut program = vec![0; 70];
        program[..2].copy_from_slice(b"MZ");
        program[60] = 64;
        program[64..66].copy_from_slice(b"PE");
        for (bytes, content_of) in [
            (b"hello\r\n".as_slice(), text("hello\r\n")),
            (
                "жу\u{440}нал \u{2014} привет".as_bytes(),
                text("жу\u{440}нал \u{2014} привет"),
            ),
            (b"caf\xC3", text("caf")),
            (&wide, Content::Utf16("whoami /all".into())),
            (b"\x1F\x8B\x08\0", Content::Packed(Packing::Gzip)),
            (b"\x78\x9C\x01\xFF", Content::Packed(Packing::Zlib)),
            (b"PK\x03\x04\x14", Content::File("zip")),
            (&program, Content::File("exe")),
            (b"MZ and more", text("MZ and more")),
            (b"", Content::Data),
            (b"\0\0\0\0", Content::Data),
            (b"ab\x01cd", Content::Data),
            (b"\xFF\xFF\xFF\xFF", Content::Data),
        ] {
            assert_eq!(content(bytes), content_of, "{bytes:?}");
        }
    }
}
