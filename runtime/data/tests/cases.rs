//! Runs the files under `cases/`: an input, and the table or the error that comes of it. A case is a line
//! `--- name of the file`, the file, a line `-->`, and what is expected: `name: type` of each column on one line, then
//! the rows as CSV; or `error: ` and the message. `SPOOR_BLESS=1` rewrites the expectations.
//!
//! In the input `\e` at a line's end joins it to the next line with nothing between (for a missing last newline), and
//! `\u{feff}` is a byte-order mark.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use spoor_data::{Limits, Loader, Progress, read};
use spoor_table::{Table, format};

struct Case {
    name: String,
    input: String,
    expected: String,
}

fn parse(text: &str) -> (String, Vec<Case>) {
    let mut parts = text.split("\n--- ");
    let preamble = parts.next().unwrap_or_default().to_owned();
    let cases = parts.map(|part| {
        let (name, body) = part.split_once('\n').expect("a case has a name");
        let (input, expected) = body.split_once("\n-->\n").unwrap_or((body, ""));
        Case {
            name: name.to_owned(),
            input: input.to_owned(),
            expected: expected.trim_end().to_owned(),
        }
    });
    (preamble, cases.collect())
}

fn bytes(case: &Case) -> Vec<u8> {
    format!("{}\n", case.input)
        .replace("\\e\n", "")
        .replace("\\u{feff}", "\u{feff}")
        .into_bytes()
}

fn describe(result: &Result<Table, spoor_data::DataError>) -> String {
    match result {
        Err(error) => format!("error: {error}"),
        Ok(table) => {
            let columns = table
                .columns()
                .iter()
                .map(|c| format!("{}: {}", c.name, c.ty));
            let mut text = columns.collect::<Vec<_>>().join(", ");
            let csv = format::csv(table);
            for row in csv.replace("\r\n", "\n").lines().skip(1) {
                write!(text, "\n{row}").unwrap();
            }
            text
        }
    }
}

/// The same in slices that are as short as can be.
fn sliced(name: &str, bytes: Vec<u8>) -> Result<Table, spoor_data::DataError> {
    let mut loader = Loader::new(name, None, bytes, Limits::default());
    loop {
        if let Progress::Done(table) = loader.step(Duration::ZERO)? {
            return Ok(table);
        }
    }
}

#[test]
fn cases() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let bless = std::env::var_os("SPOOR_BLESS").is_some();
    let mut wrong = String::new();
    let mut count = 0;
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    for path in paths {
        let (mut blessed, cases) = parse(&std::fs::read_to_string(&path).unwrap());
        for case in &cases {
            count += 1;
            let file = case.name.split(" # ").next().unwrap_or_default();
            let found = describe(&read(file, None, bytes(case), Limits::default()));
            assert_eq!(
                found,
                describe(&sliced(file, bytes(case))),
                "sliced: {}",
                case.name
            );
            if found != case.expected {
                writeln!(
                    wrong,
                    "{}\n  expected:\n{}\n  found:\n{found}\n",
                    case.name, case.expected
                )
                .unwrap();
            }
            write!(
                blessed,
                "\n--- {}\n{}\n-->\n{found}\n",
                case.name, case.input
            )
            .unwrap();
        }
        if bless {
            std::fs::write(path, blessed).unwrap();
        }
    }
    assert!(count > 0, "no cases were found");
    assert!(bless || wrong.is_empty(), "{wrong}");
}
