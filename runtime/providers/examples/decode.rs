//! How long a large answer of Log Analytics takes to become a table, and that of Kusto and of Defender with the same rows:
//! `cargo run --release -p spoor-providers --example decode [ROWS]`.
//!
//! For the benchmark beside others `decode write ROWS PATH` writes Log Analytics' answer, which is always the same, and
//! `decode time ROWS PATH` prints the seconds of one decoding of it.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::fmt::Write as _;
use std::time::Instant;

use spoor_providers::config::Limits;
use spoor_providers::response::{Answer, Form, decode};

const COLUMNS: [(&str, &str); 11] = [
    ("TimeGenerated", "datetime"),
    ("Account", "string"),
    ("IPAddress", "string"),
    ("ResultType", "int"),
    ("BytesSent", "long"),
    ("Score", "real"),
    ("IsInteractive", "bool"),
    ("CorrelationId", "guid"),
    ("Duration", "timespan"),
    ("LocationDetails", "dynamic"),
    ("Cost", "decimal"),
];

fn values(n: usize) -> [String; 11] {
    [
        format!(
            "\"2026-03-{:02}T{:02}:{:02}:{:02}.{:07}Z\"",
            n % 28 + 1,
            n % 24,
            n % 60,
            n % 60,
            n % 10_000_000
        ),
        format!("\"user{}@contoso.example\"", n % 5_000),
        format!("\"10.{}.{}.{}\"", n % 200, n % 250, n % 251),
        (n % 60_000).to_string(),
        (n * 977).to_string(),
        format!("{}.{}", n % 100, n % 1_000),
        (n.is_multiple_of(2)).to_string(),
        format!("\"{:08x}-1e4e-49d9-b579-{:012x}\"", n, n * 31),
        format!("\"00:{:02}:{:02}.5000000\"", n % 60, n % 60),
        format!(
            r#""{{\"city\":\"City {}\",\"geo\":{{\"lat\":{}.5,\"lon\":-3.25}}}}""#,
            n % 300,
            n % 90
        ),
        format!("\"{}.{:04}\"", n % 1_000, n % 10_000),
    ]
}

fn rows(count: usize) -> String {
    let mut text = String::with_capacity(count * 280);
    for n in 0..count {
        let comma = if n == 0 { "" } else { "," };
        let _ = write!(text, "{comma}[{}]", values(n).join(","));
    }
    text
}

fn objects(count: usize) -> String {
    let mut text = String::with_capacity(count * 400);
    for n in 0..count {
        let fields: Vec<String> = COLUMNS
            .iter()
            .zip(values(n))
            .map(|((name, _), value)| format!("\"{name}\":{value}"))
            .collect();
        let comma = if n == 0 { "" } else { "," };
        let _ = write!(text, "{comma}{{{}}}", fields.join(","));
    }
    text
}

fn columns(name: &str, ty: &str) -> String {
    let all: Vec<String> = COLUMNS
        .iter()
        .map(|(column, kind)| format!(r#"{{"{name}":"{column}","{ty}":"{kind}"}}"#))
        .collect();
    all.join(",")
}

fn log_analytics(count: usize) -> String {
    format!(
        r#"{{"tables":[{{"name":"PrimaryResult","columns":[{}],"rows":[{}]}}]}}"#,
        columns("name", "type"),
        rows(count)
    )
}

fn defender(count: usize) -> String {
    format!(
        r#"{{"schema":[{}],"results":[{}]}}"#,
        columns("name", "type"),
        objects(count)
    )
}

fn kusto(count: usize) -> String {
    format!(
        r#"[{{"FrameType":"DataSetHeader","Version":"v2.0"}},{{"FrameType":"DataTable","TableId":1,"TableKind":"PrimaryResult","TableName":"T","Columns":[{}],"Rows":[{}]}},{{"FrameType":"DataSetCompletion"}}]"#,
        columns("ColumnName", "ColumnType"),
        rows(count)
    )
}

/// The answers of three services with the same rows.
fn bodies(count: usize) -> [(Form, String); 3] {
    [
        (Form::LogAnalytics, log_analytics(count)),
        (Form::KustoV2, kusto(count)),
        (Form::Defender, defender(count)),
    ]
}

/// The seconds of one answer, from bytes to a table.
fn seconds(form: Form, body: &[u8], count: usize) -> f64 {
    let limits = Limits {
        bytes: 1 << 30,
        ..Limits::default()
    };
    let answer = Answer {
        status: 200,
        headers: &[],
        body,
    };
    let begun = Instant::now();
    let outcome = decode(form, limits, &answer).unwrap();
    let took = begun.elapsed().as_secs_f64();
    assert_eq!(outcome.rows(), count);
    took
}

fn show(count: usize) {
    for (form, body) in bodies(count) {
        let mut times: Vec<f64> = (0..5)
            .map(|_| seconds(form, body.as_bytes(), count))
            .collect();
        times.sort_by(f64::total_cmp);
        let megabytes = body.len() as f64 / 1e6;
        println!(
            "{form:?}: {count} rows, {megabytes:.0} MB in {:.3} s, {:.0} MB/s",
            times[2],
            megabytes / times[2]
        );
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let count = |text: &str| text.parse().unwrap();
    match arguments[..] {
        ["write", rows, path] => std::fs::write(path, log_analytics(count(rows))).unwrap(),
        ["time", rows, path] => {
            let body = std::fs::read(path).unwrap();
            println!("{}", seconds(Form::LogAnalytics, &body, count(rows)));
        }
        [rows] => show(count(rows)),
        _ => show(500_000),
    }
}
