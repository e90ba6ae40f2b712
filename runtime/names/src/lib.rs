//! What a data file's name says: its format, and what its table is called.
//!
//! Used wherever files become tables, by the readers, the host and the page, so that a notebook finds
//! the same tables everywhere. Looks at names; reads nothing.

mod clash;

pub use clash::table_names;

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

/// Extensions, beside those that announce a format, of files that tables are made from.
const ALSO: [&str; 6] = ["log", "gz", "gzip", "zst", "zstd", "zip"];

/// Whether a file of this name, found in a folder, is taken for data.
pub fn is_data(path: &str) -> bool {
    let (_, last) = file_name(path).rsplit_once('.').unwrap_or_default();
    Format::of_path(path).is_some() || ALSO.contains(&last.to_ascii_lowercase().as_str())
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
/// digits and `_` made one `_`, and `_` in front of a leading digit. Letters of every script stay; a query may write
/// such a name as it is or as `['новый']`.
///
/// `logs/2020-10-09 sysmon.json.gz` becomes `_2020_10_09_sysmon`.
pub fn table_name(path: &str) -> String {
    named(stem(file_name(path)))
}

/// The name that someone may take for a file's table and that is not it, the file's own without its extensions, and what to
/// tell them: `my-file` for `my-file.csv`, whose table is `my_file`. `None` where the table is called so.
pub fn other_name(path: &str, table: &str) -> Option<(String, String)> {
    let file = file_name(path);
    let own = stem(file);
    (own != table).then(|| {
        (
            own.to_owned(),
            format!("the file {file} is the table `{table}`"),
        )
    })
}

/// A file's name without the known extensions.
fn stem(file: &str) -> &str {
    let mut stem = file;
    while let Some((rest, extension)) = stem.rsplit_once('.') {
        if rest.is_empty() || !KNOWN.contains(&extension.to_ascii_lowercase().as_str()) {
            break;
        }
        stem = rest;
    }
    stem
}

/// Text as a name of KQL's.
fn named(text: &str) -> String {
    let words: Vec<&str> = text
        .split(|c: char| !is_name_part(c))
        .filter(|word| !word.is_empty())
        .collect();
    let name = words.join("_");
    match name.chars().next() {
        None => "Table1".to_owned(),
        Some(first) if first.is_alphabetic() || first == '_' => name,
        Some(_) => format!("_{name}"),
    }
}

fn is_name_part(c: char) -> bool {
    // An accent of its own is part of its letter: macOS names files so.
    c.is_alphanumeric() || c == '_' || ('\u{300}'..='\u{36f}').contains(&c)
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
            ("новый.csv", "новый"),
            ("café.csv", "café"),
            ("cafe\u{301} au lait.csv", "cafe\u{301}_au_lait"),
            ("日志2024.csv", "日志2024"),
            ("２０２４.csv", "_２０２４"),
        ] {
            assert_eq!(table_name(path), name, "{path}");
        }
    }

    #[test]
    fn a_file_s_own_name_leads_to_its_table() {
        let told = "the file my-file.csv.gz is the table `my_file`";
        let name = other_name("logs/my-file.csv.gz", "my_file");
        assert_eq!(name, Some(("my-file".into(), told.into())));
        assert_eq!(other_name("logs/SigninLogs.parquet", "SigninLogs"), None);
        assert!(other_name("a/t.csv", "a_t").is_some_and(|(name, _)| name == "t"));
    }

    #[test]
    fn extensions_announce_formats() {
        assert_eq!(Format::of_path("x/a.NDJSON.gz"), Some(Format::Json));
        assert_eq!(Format::of_path("a.parquet"), Some(Format::Parquet));
        assert_eq!(Format::of_path("json/a.log"), None);
    }

    #[test]
    fn data_is_told_from_other_files() {
        for data in ["a.csv", "zeek.LOG", "a/b.json.gz", "c.zip", "x.tsv.zst"] {
            assert!(is_data(data), "{data}");
        }
        for other in ["README.md", "log", "a.ipynb", "gz", "notes.txt", ""] {
            assert!(!is_data(other), "{other}");
        }
    }
}
