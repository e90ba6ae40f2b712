//! Draws one chart of each kind into a folder, to be looked at:
//! `cargo run -p spoor-chart --example specimens -- FOLDER`.

use std::error::Error;
use std::path::Path;

use spoor_chart::{Chart, Size, svg};
use spoor_table::{Column, KustoType, Table, Value, parse, ticks};

/// A file's name, the data, the kind of chart, its properties.
type Specimen<'a> = (&'a str, &'a Table, &'a str, Vec<(String, String)>);

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("which folder?")?;
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder)?;
    let over_time = over_time()?;
    let counts = counts()?;
    let title = |text: &str| ("title".to_string(), text.to_string());
    let events = events()?;
    let charts: [Specimen; 18] = [
        (
            "time",
            &over_time,
            "timechart",
            vec![title("Sign-ins by result")],
        ),
        ("line", &over_time, "linechart", vec![]),
        ("area", &over_time, "areachart", vec![]),
        (
            "stackedarea",
            &over_time,
            "stackedareachart",
            vec![title("Stacked")],
        ),
        (
            "column-time",
            &over_time,
            "columnchart",
            vec![("kind".into(), "stacked".into())],
        ),
        (
            "share",
            &over_time,
            "columnchart",
            vec![("kind".into(), "stacked100".into())],
        ),
        (
            "bar",
            &counts,
            "barchart",
            vec![title("Processes started by services.exe & friends")],
        ),
        (
            "bar-log",
            &counts,
            "barchart",
            vec![("yaxis".into(), "log".into())],
        ),
        ("column", &counts, "columnchart", vec![]),
        ("pie", &counts, "piechart", vec![title("Share of starts")]),
        (
            "scatter",
            &over_time,
            "scatterchart",
            vec![("ymax".into(), "60".into())],
        ),
        ("card", &counts, "card", vec![]),
        ("treemap", &over_time, "treemap", vec![]),
        ("treemap-flat", &counts, "treemap", vec![title("Starts")]),
        ("ladder", &events, "ladderchart", vec![title("Sessions")]),
        ("timepivot", &events, "timepivot", vec![]),
        (
            "panels",
            &over_time,
            "timechart",
            vec![("ysplit".into(), "panels".into())],
        ),
        (
            "axes",
            &over_time,
            "timechart",
            vec![("ysplit".into(), "axes".into())],
        ),
    ];
    for (name, table, kind, properties) in charts {
        let chart = Chart::from_table(table, kind, &properties)?;
        std::fs::write(
            folder.join(format!("{name}.svg")),
            svg(&chart, Size::natural(&chart))?,
        )?;
    }
    Ok(())
}

fn over_time() -> Result<Table, Box<dyn Error>> {
    let start = parse::datetime("2024-03-01T18:00:00Z").ok_or("a datetime")?;
    let columns = [
        Column::new("Result", KustoType::String),
        Column::new("TimeGenerated", KustoType::DateTime),
        Column::new("count_", KustoType::Long),
    ];
    let mut rows = Vec::new();
    for hour in 0..60i64 {
        for (k, name) in ["Success", "Bad password", "Blocked by policy"]
            .iter()
            .enumerate()
        {
            let wave = ((hour as f64) / (5.0 + k as f64)).sin() * 20.0 + 30.0;
            let spike = if hour == 41 && k == 1 { 60.0 } else { 0.0 };
            let count = (wave / (k as f64 + 1.0) + spike) as i64;
            let at = Value::DateTime(start + hour * ticks::HOUR);
            rows.push(vec![Value::String((*name).into()), at, Value::Long(count)]);
        }
    }
    Ok(Table::from_values(columns, &rows)?)
}

fn counts() -> Result<Table, Box<dyn Error>> {
    let columns = [
        Column::new("Process", KustoType::String),
        Column::new("Starts", KustoType::Long),
    ];
    let names = [
        r"C:\Windows\System32\svchost.exe",
        r"C:\Windows\System32\conhost.exe",
        r"C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE",
        r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe",
        r"C:\Windows\explorer.exe",
        "wmiprvse.exe",
        "dllhost.exe",
    ];
    let count = |i: usize| Value::Long(12_400 / (i as i64 * i as i64 * 2 + 1));
    let rows: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(i, name)| vec![Value::String((*name).into()), count(i)])
        .collect();
    Ok(Table::from_values(columns, &rows)?)
}

fn events() -> Result<Table, Box<dyn Error>> {
    let start = parse::datetime("2024-03-01T08:00:00Z").ok_or("a datetime")?;
    let columns = [
        Column::new("Host", KustoType::String),
        Column::new("User", KustoType::String),
        Column::new("Start", KustoType::DateTime),
        Column::new("End", KustoType::DateTime),
    ];
    let mut rows = Vec::new();
    for i in 0..24i64 {
        let from = start + (i * 37 % 400) * ticks::MINUTE;
        let to = from + (i * i % 90) * ticks::MINUTE;
        rows.push(vec![
            Value::String(["WS-01", "WS-02", "DC-01"][(i % 3) as usize].into()),
            Value::String(["anna", "ben"][(i % 2) as usize].into()),
            Value::DateTime(from),
            Value::DateTime(to),
        ]);
    }
    Ok(Table::from_values(columns, &rows)?)
}
