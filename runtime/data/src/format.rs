//! Which format bytes are in, and what a file's table is called. Looks at names and at the first bytes; parses
//! nothing.

/// A format of table data. Compression is not part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Separated values with a header line. The separator (comma, semicolon, tab or bar) is found from the header.
    Csv,
    /// JSON: objects one a line or one after another, an array of objects, or one object.
    Json,
    /// Apache Parquet.
    Parquet,
    /// Arrow IPC, file or stream.
    Arrow,
}

impl Format {
    /// The format's name in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Format::Csv => "CSV",
            Format::Json => "JSON",
            Format::Parquet => "Parquet",
            Format::Arrow => "Arrow IPC",
        }
    }

    /// The format that a file's extension announces, compression aside; `None` where it says nothing.
    pub fn of_path(path: &str) -> Option<Format> {
        extensions(path).into_iter().find_map(|extension| {
            Some(match extension.as_str() {
                "csv" | "tsv" => Format::Csv,
                "json" | "jsonl" | "ndjson" | "jsonlines" => Format::Json,
                "parquet" | "pq" => Format::Parquet,
                "arrow" | "arrows" | "ipc" | "feather" => Format::Arrow,
                _ => return None,
            })
        })
    }
}

/// Extensions that are no part of a table's name.
const KNOWN: [&str; 22] = [
    "csv",
    "tsv",
    "json",
    "jsonl",
    "ndjson",
    "jsonlines",
    "parquet",
    "pq",
    "arrow",
    "arrows",
    "ipc",
    "feather",
    "log",
    "txt",
    "gz",
    "gzip",
    "zst",
    "zstd",
    "zip",
    "snappy",
    "zz",
    "tab",
];

/// The KQL name of a file's table: its stem without the known extensions, every run of other characters than letters,
/// digits and `_` made one `_`, and `_` in front of a leading digit.
///
/// `logs/2020-10-09 sysmon.json.gz` becomes `_2020_10_09_sysmon`.
pub fn table_name(path: &str) -> String {
    let file = file_name(path);
    let mut stem = file;
    while let Some((rest, extension)) = stem.rsplit_once('.') {
        if rest.is_empty() || !KNOWN.contains(&extension.to_ascii_lowercase().as_str()) {
            break;
        }
        stem = rest;
    }
    let words: Vec<&str> = stem
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty())
        .collect();
    let name = words.join("_");
    match name.chars().next() {
        None => "Table1".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("_{name}"),
        Some(_) => name,
    }
}

fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// The file's extensions, last first, in lower case.
fn extensions(path: &str) -> Vec<String> {
    let (_, extensions) = file_name(path).split_once('.').unwrap_or_default();
    extensions
        .rsplit('.')
        .map(str::to_ascii_lowercase)
        .collect()
}

/// How bytes are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    Gzip,
    Zstd,
    Zip,
}

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

/// Finds the format from the bytes; the hint decides between the text formats alone.
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
        [b'E', b'l', b'f', b'F', b'i', b'l', b'e', 0, ..] => known(
            "a Windows event log (EVTX)",
            "convert it to JSON lines, with evtx_dump -o jsonl for one",
        ),
        [b'S', b'Q', b'L', b'i', b't', b'e', b' ', ..] => {
            known("a SQLite database", "export the table as CSV")
        }
        [b'%', b'P', b'D', b'F', ..] => known("a PDF document", "load the data it was made from"),
        [b'O', b'R', b'C', ..] => known("an ORC file", "convert it to Parquet"),
        [b'O', b'b', b'j', 1, ..] => known("an Avro file", "convert it to Parquet or JSON"),
        [0xd4, 0xc3, 0xb2, 0xa1, ..]
        | [0xa1, 0xb2, 0xc3, 0xd4, ..]
        | [0x0a, 0x0d, 0x0d, 0x0a, ..] => known(
            "a packet capture",
            "run Zeek over it and load its JSON logs",
        ),
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
    fn names_of_tables() {
        for (path, name) in [
            ("SigninLogs.parquet", "SigninLogs"),
            ("a/b/combined_zeek.log", "combined_zeek"),
            ("C:\\logs\\proc.json.gz", "proc"),
            ("2020-10-09 sysmon.jsonl.zst", "_2020_10_09_sysmon"),
            ("v1.2.csv", "v1_2"),
            (".json", "json"),
            ("…", "Table1"),
        ] {
            assert_eq!(table_name(path), name, "{path}");
        }
    }

    #[test]
    fn extensions_announce_formats() {
        assert_eq!(Format::of_path("x/a.NDJSON.gz"), Some(Format::Json));
        assert_eq!(Format::of_path("a.parquet"), Some(Format::Parquet));
        assert_eq!(Format::of_path("json/a.log"), None);
    }

    #[test]
    fn contents_are_found() {
        assert_eq!(content(b" [1]", None), Content::Table(Format::Json));
        assert_eq!(content(b"a,b\n1,2", None), Content::Table(Format::Csv));
        assert_eq!(
            content(b"PAR1....", Some(Format::Csv)),
            Content::Table(Format::Parquet)
        );
        assert_eq!(content(b"a\0b", None), Content::Unknown);
        assert!(matches!(
            content(b"SQLite format 3\0", None),
            Content::Known { .. }
        ));
    }
}
