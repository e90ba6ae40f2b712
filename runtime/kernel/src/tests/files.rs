//! Files that cannot be read: told once, with file, line and cause, to those who need them.

use serde_json::{Value, json};
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

/// Asks what a table holds and gives the reply's content.
fn describe(driver: &mut Driver, table: &str, rows: usize) -> Value {
    let (id, table) = ("d".into(), table.into());
    driver.send(Event::Describe { id, table, rows }, vec![]);
    let log = std::mem::take(&mut driver.log);
    let reply = log
        .lines()
        .find_map(|line| line.strip_prefix("d describe_reply "));
    let reply = reply.unwrap_or_else(|| panic!("no reply: {log}"));
    serde_json::from_str(reply).unwrap()
}

#[test]
fn a_table_is_described_as_it_prints_and_no_cell_is_counted() {
    let mut driver = Driver::new();
    let long = "é".repeat(300);
    driver.file(
        "Hosts.csv",
        &format!("name,seen,note\na,2024-01-02T03:04:05Z,\nb,,{long}\nc,,x\n"),
    );
    let reply = describe(&mut driver, "Hosts", 2);
    assert_eq!(reply["status"], "ok");
    assert_eq!(reply["rows"], 3);
    let columns = [("name", "string"), ("seen", "datetime"), ("note", "string")];
    let columns = columns.map(|(name, kind)| json!({ "name": name, "type": kind }));
    assert_eq!(reply["columns"], json!(columns));
    let first = json!([
        ["a", "2024-01-02T03:04:05.0000000Z", ""],
        ["b", "", format!("{}…", "é".repeat(200))],
    ]);
    assert_eq!(reply["first"], first);
    let log = driver.run("%%kql\nHosts | count");
    assert!(log.contains("\"execution_count\":1"), "{log}");
}

#[test]
fn what_cannot_be_described_says_why() {
    let mut driver = driver();
    let reply = describe(&mut driver, "Ragged", 5);
    assert_eq!(reply["status"], "error");
    let cause = reply["evalue"].as_str().unwrap();
    assert!(cause.contains("Ragged.csv, line 3"), "{cause}");
    let reply = describe(&mut driver, "Nowhere", 5);
    assert_eq!(
        reply["evalue"],
        "there is no table 'Nowhere' in this session"
    );
}

#[test]
fn a_source_that_is_taken_away_is_no_table_any_more() {
    let mut driver = Driver::new();
    driver.file("People.csv", PEOPLE);
    assert_eq!(describe(&mut driver, "People", 0)["rows"], 2);
    let name = String::from("People");
    driver.send(Event::RemoveSource { name: name.clone() }, vec![]);
    assert_eq!(driver.log, "");
    let log = driver.run("%%kql\nPeople | count");
    assert!(!errors(&log).is_empty(), "{log}");
    driver.send(Event::RemoveSource { name }, vec![]);
    assert_eq!(
        std::mem::take(&mut driver.log),
        "refuse: there is no source 'People'\n"
    );
    driver.file("People.csv", "name\nlin\n");
    assert_eq!(
        describe(&mut driver, "People", 9)["first"],
        json!([["lin"]])
    );
}
