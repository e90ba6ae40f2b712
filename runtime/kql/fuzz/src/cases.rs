//! The cases: Markdown files with blocks ```` ```table NAME ```` and ```` ```kql ````.

use std::path::Path;

/// A query of the cases.
#[derive(Debug, PartialEq)]
pub struct Case {
    /// Its text.
    pub query: String,
    /// The number of its file, in the order of their names.
    pub file: usize,
}

/// The queries of all files, and for each file its tables: names, and the queries that give their rows.
///
/// # Panics
/// Where the cases are not there.
pub fn cases() -> (Vec<Case>, Vec<Vec<(String, String)>>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/cases");
    let entries = std::fs::read_dir(folder).expect("the cases");
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    let (mut queries, mut tables) = (Vec::new(), Vec::new());
    for (file, path) in paths.iter().enumerate() {
        let mut own = Vec::new();
        for (kind, body) in blocks(&std::fs::read_to_string(path).expect("a file of cases")) {
            match kind.strip_prefix("table ") {
                Some(name) => own.push((name.trim().to_owned(), body)),
                None if kind == "kql" => queries.push(Case { query: body, file }),
                None => {}
            }
        }
        tables.push(own);
    }
    (queries, tables)
}

/// What each block's first line says after its fence, and what is in it.
fn blocks(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(kind) = line.strip_prefix("```") {
            let body: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            found.push((kind.trim().to_owned(), body.join("\n")));
        }
    }
    found
}
