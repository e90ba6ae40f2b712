//! Files that cannot be read: told once, with file, line and cause, to those who need them.

use serde_json::Value;
use spoor_protocol::{DataFormat, Effect, Event, Frame, SourceSpec};

use super::{Driver, step};

const PEOPLE: &str = "name,age\nada,36\ngrace,45\n";

/// A file's path and bytes, and what its error must say after the path.
type Broken = (&'static str, &'static [u8], &'static str);

const BROKEN: [Broken; 9] = [
    (
        "Ragged.csv",
        b"a,b\n1,2\n3\n",
        ", line 3: 1 fields where the header has 2;",
    ),
    (
        "Quote.csv",
        b"a,b\n1,\"2\n3,4\n",
        ", line 2: a quotation mark in this row is never closed",
    ),
    (
        "Latin.csv",
        b"a\ncaf\xe9\n",
        ", line 2: the text is not valid UTF-8;",
    ),
    ("Empty.csv", b"  \n", ": the file is empty;"),
    (
        "Lines.jsonl",
        b"{\"a\": 1}\n{\"a\": oops}\n",
        ", line 2, column 7: not valid JSON:",
    ),
    (
        "Cut.json",
        b"[{\"a\": 1},\n {\"a\": ",
        ", line 2: the JSON ends in the middle of a value;",
    ),
    (
        "Numbers.json",
        b"[1, 2]",
        ", line 1, column 2: a row must be a JSON object, and this is a number;",
    ),
    (
        "Columns.parquet",
        b"PAR1 no footer PAR1",
        ": not a readable Parquet file:",
    ),
    (
        "Packed.csv.gz",
        b"\x1f\x8b\x08\0\0\0\0\0\0\x03 not deflate",
        ": the gzip data does not decompress",
    ),
];

/// A driver with all broken files and one good one.
fn driver() -> Driver {
    let mut driver = Driver::new();
    driver.file("People.csv", PEOPLE);
    for (path, bytes, _) in BROKEN {
        driver.file(path, "");
        driver.files.insert(table_of(path), bytes.to_vec());
    }
    std::mem::take(&mut driver.log);
    driver
}

fn table_of(path: &str) -> String {
    path.split('.').next().unwrap().to_string()
}

/// The `error` messages of a log, as their content.
fn errors(log: &str) -> Vec<Value> {
    let of_line = |line: &str| line.split_once(" error ").map(|(_, json)| json.to_owned());
    let errors = log.lines().filter_map(of_line);
    errors
        .map(|json| serde_json::from_str(&json).unwrap())
        .collect()
}

#[test]
fn the_error_names_file_line_and_cause_once() {
    let mut driver = driver();
    for (path, _, cause) in BROKEN {
        let table = table_of(path);
        let log = driver.run(&format!("%%kql\n{table} | count"));
        let errors = errors(&log);
        let [error] = &errors[..] else {
            panic!("{path}: {log}");
        };
        let value = error["evalue"].as_str().unwrap();
        let begins = format!("the table '{table}' could not be read. {path}");
        let rest = value.strip_prefix(&begins);
        let rest = rest.unwrap_or_else(|| panic!("{path}: {value}"));
        assert!(rest.starts_with(cause), "{path}: {value}");
        assert_eq!(value.matches(path).count(), 1, "{value}");
        // What people read has it on one line, and once.
        let traceback = error["traceback"].as_array().unwrap();
        let shown = traceback.iter().filter_map(Value::as_str);
        assert_eq!(shown.filter(|line| line.contains(path)).count(), 1);
        assert!(!log.contains("execute_result"), "{log}");
    }
}

#[test]
fn other_tables_load_before_and_after() {
    let mut driver = driver();
    let people = "%%kql\nPeople | summarize s = sum(age)";
    for (path, ..) in BROKEN {
        let table = table_of(path);
        let log = driver.run(&format!(
            "%%kql\nPeople | join kind=inner {table} on $left.name == $right.a"
        ));
        assert_eq!(errors(&log).len(), 1, "{log}");
        assert!(errors(&log)[0]["evalue"].as_str().unwrap().contains(path));
        let log = driver.run(people);
        assert!(log.contains("81") && errors(&log).is_empty(), "{log}");
    }
}

#[test]
fn a_file_that_is_mended_is_read_again() {
    let mut driver = driver();
    assert_eq!(errors(&driver.run("%%kql\nRagged")).len(), 1);
    driver
        .files
        .insert("Ragged".into(), b"a,b\n1,2\n3,4\n".to_vec());
    let log = driver.run("%%kql\nRagged | summarize s = sum(b)");
    assert!(
        log.contains("read Ragged") && log.contains(r#""rows":1"#),
        "{log}"
    );
    assert!(errors(&log).is_empty(), "{log}");
}

#[test]
fn an_error_in_the_middle_of_a_file_ends_the_reading() {
    let mut driver = Driver::new();
    let source = SourceSpec {
        name: "Share".into(),
        label: "//nas/Share.csv".into(),
        bytes: Some(1 << 40),
        format: DataFormat::Csv,
    };
    step(&mut driver.kernel, Event::AddSource { source });
    let execute = Event::Execute {
        id: "q".into(),
        cell_id: None,
        code: "%%kql\nShare".into(),
        silent: false,
        allow_stdin: false,
    };
    step(&mut driver.kernel, execute);
    let part = |last: bool, error: Option<String>| {
        let name = "Share".into();
        Frame::with(Event::Data { name, last, error }, vec![b"a\n1\n".to_vec()])
    };
    assert_eq!(driver.kernel.step(part(false, None)).header, []);
    let lost = Some("the connection was lost".to_string());
    let effects = driver.kernel.step(part(false, lost)).header;
    assert!(matches!(effects.last(), Some(Effect::Idle { .. })));
    let said = format!("{effects:?}");
    assert!(said.contains("//nas/Share.csv: the connection was lost"));
    // What still comes of it fits nothing.
    let late = driver.kernel.step(part(true, None)).header;
    assert!(matches!(late.as_slice(), [Effect::Refuse { .. }]));
}
