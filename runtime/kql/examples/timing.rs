//! Times queries over a million generated rows: `cargo run --release -p spoor-kql --example timing [ROWS]`.
//! Medians of five in milliseconds, one thread; for people who work on the engine.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::sync::Arc;
use std::time::Instant;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use arrow::record_batch::RecordBatch;
use spoor_kql::{Engine, EngineOptions};
use spoor_table::{Column, KustoType, Table, pandas, ticks};

const QUERIES: &[&str] = &[
    "Events | count",
    "Events | summarize count(), sum(bytes) by user",
    "Events | summarize count(), avg(bytes) by bin(TimeGenerated, 1h)",
    "Events | where command has 'powershell' | count",
    "Events | where command contains 'EncodedCommand' | count",
    "Events | where command matches regex @'\\\\temp\\\\[a-z]+\\d+' | count",
    "Events | where user == 'user17' and bytes > 5000 | count",
    "Events | where user in~ ('USER1', 'user2', 'user3') | count",
    "Events | summarize dcount(user), make_set(host) by bin(TimeGenerated, 1d)",
    "Events | summarize arg_max(TimeGenerated, *) by user",
    "Events | summarize dcount(command) by host",
    "Events | extend file = extract(@'([^\\\\]+)$', 1, command) | summarize count() by file | top 5 by count_",
    "Events | join kind=inner (Events | summarize n = count() by user | take 50) on user | count",
    "Events | sort by bytes desc | take 10",
    "Events | extend d = parse_json(json) | summarize count() by tostring(d.level)",
    "Events | summarize percentiles(bytes, 50, 95) by host",
];

fn main() {
    let rows = std::env::args()
        .nth(1)
        .and_then(|n| n.parse().ok())
        .unwrap_or(1_000_000);
    let mut engine = Engine::new(EngineOptions {
        memory_bytes: 4 << 30,
        threads: 1,
        ..EngineOptions::default()
    })
    .unwrap();
    let table = events(rows);
    println!("{rows} rows, {} MB", table.memory() >> 20);
    time("pandas::export", || {
        pandas::export(&table).1.len();
    });
    engine.register("Events", table);
    for query in QUERIES {
        time(query, || {
            engine.run(query, 0).unwrap();
        });
    }
}

fn time(name: &str, mut run: impl FnMut()) {
    let mut times: Vec<f64> = (0..5)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    println!("{:9.1} ms  {name}", times[2]);
}

fn events(rows: i64) -> Table {
    use KustoType::{DateTime, Dynamic, Long, String};
    let columns = [
        ("TimeGenerated", DateTime),
        ("user", String),
        ("host", String),
        ("command", String),
        ("bytes", Long),
        ("json", String),
        ("bag", Dynamic),
    ];
    let mut table = Table::empty(columns.map(|(name, ty)| Column::new(name, ty)).to_vec());
    let mix = |n: i64| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64 as i64) >> 17) & 0xff_ffff;
    let texts = |f: &dyn Fn(i64) -> std::string::String| -> ArrayRef {
        Arc::new((0..rows).map(|n| Some(f(n))).collect::<StringArray>())
    };
    let commands = [
        "C:\\Windows\\System32\\svchost.exe -k netsvcs -p",
        "powershell.exe -NoP -EncodedCommand JABzAD0A",
        "cmd.exe /c whoami",
    ];
    let json = texts(&|n| {
        format!(
            "{{\"level\":\"{}\",\"id\":{n},\"tags\":[\"a\",\"b\"]}}",
            ["info", "warn", "error"][(mix(n) % 3) as usize]
        )
    });
    let bag: arrow::array::BinaryArray = arrow::array::AsArray::as_string::<i32>(&json)
        .iter()
        .map(|text| {
            Some(
                spoor_table::Dynamic::parse(text.unwrap())
                    .unwrap()
                    .as_bytes()
                    .to_vec(),
            )
        })
        .collect();
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(
            (0..rows)
                .map(|n| ticks::UNIX_EPOCH + n * ticks::SECOND)
                .collect::<Int64Array>(),
        ),
        texts(&|n| format!("user{}", mix(n) % 1000)),
        texts(&|n| format!("host{}.contoso.com", mix(n) % 50)),
        texts(&|n| {
            format!(
                "{} c:\\temp\\file{}",
                commands[(mix(n) % 3) as usize],
                mix(n) % 5000
            )
        }),
        Arc::new((0..rows).map(|n| mix(n) % 10_000).collect::<Int64Array>()),
        json,
        Arc::new(bag),
    ];
    table
        .push(RecordBatch::try_new(table.schema().clone(), arrays).unwrap())
        .unwrap();
    table
}
