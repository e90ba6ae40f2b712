//! Which format bytes are in. Looks at the first bytes; parses nothing.

pub use spoor_names::Format;

/// How bytes are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    Gzip,
    Zstd,
    Zip,
}

/// What is in every Office document, which is a zip archive (ECMA-376, part 2).
pub(crate) const OFFICE_MEMBER: &str = "[Content_Types].xml";

/// An Office document and what to do about it.
pub(crate) const OFFICE: (&str, &str) = (
    "an Office document, such as an Excel workbook (XLSX)",
    "save the sheet as CSV (UTF-8)",
);

const EVTX: (&str, &str) = (
    "a Windows event log (EVTX)",
    "convert it to JSON lines, with evtx_dump -o jsonl for one",
);

/// Files that are no tables and are known by their names alone, where the bytes say nothing.
pub(crate) fn by_name(path: &str) -> Option<Content> {
    let (_, extension) = path.rsplit_once('.')?;
    let (what, advice) = match extension.to_ascii_lowercase().as_str() {
        "xlsx" | "xlsm" | "xlsb" | "xls" | "ods" => {
            ("a spreadsheet", "save the sheet as CSV (UTF-8)")
        }
        "evtx" | "evt" => EVTX,
        "xml" | "html" | "htm" => XML,
        "pcap" | "pcapng" | "cap" => PCAP,
        _ => return None,
    };
    Some(Content::Known { what, advice })
}

const XML: (&str, &str) = ("XML or HTML", "convert it to JSON lines or CSV");

const PCAP: (&str, &str) = (
    "a packet capture",
    "run Zeek over it and load its JSON logs",
);

/// The compression that the first bytes announce.
pub(crate) fn compression(bytes: &[u8]) -> Option<Compression> {
    match bytes {
        [0x1f, 0x8b, ..] => Some(Compression::Gzip),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Compression::Zstd),
        // A skippable frame may come first.
        [b, 0x2a, 0x4d, 0x18, ..] if b & 0xf0 == 0x50 => Some(Compression::Zstd),
        // "PK" and a local header, or the end record of an empty archive.
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Some(Compression::Zip),
        _ => None,
    }
}

/// What uncompressed bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    Table(Format),
    Known {
        what: &'static str,
        advice: &'static str,
    },
    Unknown,
}

/// Finds the format from the bytes; the hint decides between the text formats alone, where the bytes leave a choice.
pub(crate) fn content(bytes: &[u8], hint: Option<Format>) -> Content {
    if let Some(content) = binary(bytes) {
        return content;
    }
    if let Some(hint @ (Format::Parquet | Format::Arrow)) = hint {
        return Content::Table(hint);
    }
    let head = bytes.get(..4096).unwrap_or(bytes);
    if head.contains(&0) {
        return Content::Unknown;
    }
    // No header of separated values begins so, whatever the file is called.
    if head.trim_ascii_start().starts_with(b"{\"") {
        return Content::Table(Format::Json);
    }
    // A tag; syslog's priority, `<34>`, is none.
    if let [b'<', b'?' | b'!' | b'a'..=b'z' | b'A'..=b'Z', ..] = head.trim_ascii_start() {
        return Content::Known {
            what: XML.0,
            advice: XML.1,
        };
    }
    if let Some(hint) = hint {
        return Content::Table(hint);
    }
    match head.iter().find(|b| !b.is_ascii_whitespace()) {
        Some(b'{' | b'[') => Content::Table(Format::Json),
        _ => Content::Table(Format::Csv),
    }
}

/// Formats that begin with a signature.
fn binary(bytes: &[u8]) -> Option<Content> {
    let known = |what, advice| Some(Content::Known { what, advice });
    match bytes {
        [b'P', b'A', b'R', b'1', ..] => Some(Content::Table(Format::Parquet)),
        [b'A', b'R', b'R', b'O', b'W', b'1', ..] => Some(Content::Table(Format::Arrow)),
        // An encapsulated message, which every Arrow stream begins with: the marker and a length below 16 MB.
        [0xff, 0xff, 0xff, 0xff, _, _, _, 0, ..] => Some(Content::Table(Format::Arrow)),
        [b'E', b'l', b'f', b'F', b'i', b'l', b'e', ..] => known(EVTX.0, EVTX.1),
        // OLE2, the files of Office before 2007.
        [0xd0, 0xcf, 0x11, 0xe0, ..] => known(OFFICE.0, OFFICE.1),
        [b'7', b'z', 0xbc, 0xaf, ..] | [b'R', b'a', b'r', b'!', ..] => {
            known("a 7-Zip or RAR archive", "unpack it and load its files")
        }
        [b'S', b'Q', b'L', b'i', b't', b'e', b' ', ..] => {
            known("a SQLite database", "export the table as CSV")
        }
        [b'%', b'P', b'D', b'F', ..] => known("a PDF document", "load the data it was made from"),
        [b'O', b'R', b'C', ..] => known("an ORC file", "convert it to Parquet"),
        [b'O', b'b', b'j', 1, ..] => known("an Avro file", "convert it to Parquet or JSON"),
        [0xd4, 0xc3, 0xb2, 0xa1, ..]
        | [0xa1, 0xb2, 0xc3, 0xd4, ..]
        | [0x0a, 0x0d, 0x0d, 0x0a, ..] => known(PCAP.0, PCAP.1),
        [b'B', b'Z', b'h', ..] => {
            known("bzip2 data", "unpack it, or compress it with gzip or zstd")
        }
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => {
            known("xz data", "unpack it, or compress it with gzip or zstd")
        }
        _ if bytes.get(257..262) == Some(b"ustar") => {
            known("a tar archive", "unpack it and load its files")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_are_found() {
        assert_eq!(content(b" [1]", None), Content::Table(Format::Json));
        assert_eq!(content(b"a,b\n1,2", None), Content::Table(Format::Csv));
        assert_eq!(
            content(b"PAR1....", Some(Format::Csv)),
            Content::Table(Format::Parquet)
        );
        assert_eq!(
            content(b" {\"a\": 1}\n", Some(Format::Csv)),
            Content::Table(Format::Json)
        );
        assert_eq!(
            content(b"{a},b\n1,2", Some(Format::Csv)),
            Content::Table(Format::Csv)
        );
        assert_eq!(content(b"a\0b", None), Content::Unknown);
        assert_eq!(content(b"<34>Oct 11 su", None), Content::Table(Format::Csv));
        assert!(matches!(
            content(b"SQLite format 3\0", None),
            Content::Known { .. }
        ));
    }
}
