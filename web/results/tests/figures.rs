//! What is made of a view's rows: figures, exports, timelines, trees of processes.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Page, filtered, table};
use spoor_messages::results::*;
use spoor_table::KustoType::*;
use spoor_table::{Table, format};

fn stats(page: &mut Page, view: View, column: u32) -> Stats {
    let ask = Ask::Stats {
        result: 1,
        view,
        column,
    };
    match page.ask(ask) {
        Answer::Stats(stats) => stats,
        other => panic!("{other:?}"),
    }
}

#[test]
fn figures_of_numbers_text_and_instants() {
    let table = table(
        &[("n", Long), ("s", String), ("t", DateTime), ("r", Real)],
        &[
            &["1", "b", "2024-01-01", "0.5"],
            &["3", "a", "2024-01-03", "1.5"],
            &["3", "a", "-", "-"],
            &["-", "", "2024-01-01", "0.5"],
        ],
    );
    let mut page = Page::with(&table);
    let numbers = stats(&mut page, View::default(), 0);
    assert_eq!((numbers.rows, numbers.empty, numbers.distinct), (4, 1, 2));
    assert_eq!(numbers.min.as_deref(), Some("1"));
    assert_eq!(numbers.max.as_deref(), Some("3"));
    assert_eq!(numbers.mean.as_deref(), Some("2.3333333333333335"));
    assert_eq!(numbers.top, [("3".to_owned(), 2), ("1".to_owned(), 1)]);
    let histogram = numbers.histogram.unwrap();
    assert_eq!(histogram.counts, [1, 0, 2]);
    assert_eq!(histogram.bounds, ["1", "2", "3", "4"]);

    let texts = stats(&mut page, View::default(), 1);
    assert_eq!((texts.empty, texts.distinct), (1, 2));
    assert_eq!(
        (texts.min.as_deref(), texts.mean.as_deref()),
        (Some("a"), None)
    );
    assert_eq!(texts.top[0], ("a".to_owned(), 2));
    assert!(texts.histogram.is_none());

    let instants = stats(&mut page, View::default(), 2);
    assert_eq!(
        instants.mean.as_deref(),
        Some("2024-01-01T16:00:00.0000000Z")
    );
    let histogram = instants.histogram.unwrap();
    assert_eq!(histogram.counts.len(), 40);
    assert_eq!((histogram.counts[0], histogram.counts[39]), (2, 1));

    let reals = stats(&mut page, View::default(), 3).histogram.unwrap();
    assert_eq!((reals.counts[0], reals.counts[39]), (2, 1));
    let some = stats(&mut page, filtered(0, Test::Equals("3".into())), 1);
    assert_eq!((some.rows, some.distinct), (2, 1));
}

fn kinds() -> Table {
    table(
        &[
            ("the \"s\"", String),
            ("t", DateTime),
            ("span", TimeSpan),
            ("d", Dynamic),
            ("r", Real),
            ("i", Int),
            ("l", Long),
            ("m", Decimal),
            ("g", Guid),
            ("b", Bool),
        ],
        &[
            &[
                "a,\"b\"\n\\",
                "2024-01-01",
                "-1.00:00:01",
                r#"{"k":[1,"é\n",-2.5,null]}"#,
                "-inf",
                "-7",
                "-9223372036854775808",
                "-1.25",
                "74be27de-1e4e-49d9-b579-fe0b331d3642",
                "true",
            ],
            &["", "-", "-", "-", "-", "-", "-", "-", "-", "-"],
        ],
    )
}

#[test]
fn exports_are_those_of_the_command_line() {
    let table = kinds();
    let mut page = Page::with(&table);
    let all = Selection::default();
    assert_eq!(
        page.export(ExportFormat::Csv, all.clone()),
        format::csv(&table)
    );
    assert_eq!(
        page.export(ExportFormat::Json, all.clone()),
        format::json(&table)
    );
    assert_eq!(
        page.export(ExportFormat::Markdown, all),
        format::markdown(&table, usize::MAX)
    );
    let part = Selection {
        rows: Some((0, 1)),
        columns: Some(vec![9, 5]),
    };
    assert_eq!(page.export(ExportFormat::Csv, part), "b,i\ntrue,-7\n");
}

#[test]
fn a_datatable_is_kql_without_a_mistake() {
    let text = Page::with(&kinds()).export(ExportFormat::Datatable, Selection::default());
    let mistakes = spoor_kql_syntax::parse(&text).diagnostics;
    assert!(mistakes.is_empty(), "{text}\n{mistakes:?}");
    assert!(
        text.starts_with("datatable ([\"the \\\"s\\\"\"]:string, t:datetime,"),
        "{text}"
    );
}

fn timeline(page: &mut Page, spec: TimelineSpec) -> Timeline {
    let ask = Ask::Timeline {
        result: 1,
        view: View::default(),
        spec,
    };
    match page.ask(ask) {
        Answer::Timeline(timeline) => timeline,
        other => panic!("{other:?}"),
    }
}

#[test]
fn events_are_put_on_lanes_and_levels() {
    let table = table(
        &[
            ("TimeGenerated", DateTime),
            ("Activity", String),
            ("Computer", String),
        ],
        &[
            &["2024-01-01T10:00:00Z", "first", "b"],
            &["2024-01-01T10:00:01Z", "close", "b"],
            &["2024-01-01T12:00:00Z", "last", "b"],
            &["2024-01-01T11:00:00Z", "middle", "a"],
            &["-", "never", "a"],
        ],
    );
    let mut page = Page::with(&table);
    let spec = TimelineSpec {
        time: 0,
        label: Some(1),
        lane: Some(2),
        range: None,
    };
    let shown = timeline(&mut page, spec.clone());
    let lanes: Vec<(&str, u32, u32)> = shown
        .lanes
        .iter()
        .map(|lane| (lane.name.as_str(), lane.count, lane.levels))
        .collect();
    assert_eq!(lanes, [("b", 3, 2), ("a", 1, 1)]);
    let events: Vec<(&str, u32, u32, f64)> = shown
        .events
        .iter()
        .map(|event| (event.label.as_str(), event.lane, event.level, event.at))
        .collect();
    assert_eq!(events[0], ("first", 0, 0, 0.0));
    assert_eq!((events[1].0, events[1].2), ("close", 1));
    assert_eq!(events[2], ("middle", 1, 0, 0.5));
    assert_eq!(events[3], ("last", 0, 0, 1.0));
    assert_eq!((shown.total, shown.timeless), (4, 1));
    let marks: Vec<&str> = shown.axis.iter().map(|mark| mark.1.as_str()).collect();
    assert_eq!(marks.first(), Some(&"10:00"));
    assert!(marks.len() >= 3 && marks.len() <= 9, "{marks:?}");

    // A part of it.
    let range = Some((shown.range.0, shown.range.0 + 10_000_000));
    let part = timeline(&mut page, TimelineSpec { range, ..spec });
    assert_eq!(part.total, 2);
    let instant = TimelineSpec {
        time: 1,
        label: None,
        lane: None,
        range: None,
    };
    let wrong = page.ask(Ask::Timeline {
        result: 1,
        view: View::default(),
        spec: instant,
    });
    assert!(matches!(wrong, Answer::Failed { message } if message.contains("'Activity'")));
}

#[test]
fn many_events_are_counted() {
    let texts: Vec<std::string::String> = (0..5000)
        .map(|n| format!("2024-01-01T{:02}:{:02}:00Z", n / 60 % 24, n % 60))
        .collect();
    let hosts: Vec<std::string::String> = (0..5000).map(|n| format!("host {}", n % 30)).collect();
    let rows: Vec<[&str; 2]> = texts
        .iter()
        .zip(&hosts)
        .map(|(t, h)| [t.as_str(), h.as_str()])
        .collect();
    let rows: Vec<&[&str]> = rows.iter().map(|row| &row[..]).collect();
    let mut page = Page::with(&table(&[("t", DateTime), ("h", String)], &rows));
    let spec = TimelineSpec {
        time: 0,
        label: None,
        lane: Some(1),
        range: None,
    };
    let shown = timeline(&mut page, spec);
    assert!(shown.events.is_empty());
    assert_eq!((shown.lanes.len(), shown.total), (20, 5000));
    assert_eq!(shown.lanes[19].name, "(others)");
    let counted: u32 = shown.lanes.iter().flat_map(|lane| &lane.bins).sum();
    assert_eq!(counted, 5000);
}

fn tree(table: &Table) -> Processes {
    let mut page = Page::with(table);
    let ask = Ask::Processes {
        result: 1,
        view: View::default(),
    };
    match page.ask(ask) {
        Answer::Processes(found) => found,
        other => panic!("{other:?}"),
    }
}

/// The tree as an outline.
fn outline(table: &Table) -> std::string::String {
    let nodes = tree(table).nodes;
    let lines = nodes.iter().map(|node| {
        let mark = if node.row.is_some() { "" } else { "?" };
        format!("{}{mark}{}", "  ".repeat(node.depth as usize), node.name)
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn an_id_that_is_used_again_is_another_process() {
    let table = table(
        &[
            ("TimeGenerated", DateTime),
            ("Computer", String),
            ("NewProcessId", String),
            ("ProcessId", String),
            ("NewProcessName", String),
            ("ParentProcessName", String),
            ("CommandLine", String),
        ],
        &[
            &[
                "2024-01-01T10:00:00Z",
                "A",
                "0x10",
                "0x4",
                "C:\\w\\services.exe",
                "C:\\w\\wininit.exe",
                "",
            ],
            &[
                "2024-01-01T10:01:00Z",
                "A",
                "0x20",
                "0x10",
                "C:\\w\\cmd.exe",
                "",
                "cmd /c",
            ],
            &[
                "2024-01-01T10:02:00Z",
                "A",
                "0x30",
                "0x20",
                "C:\\w\\whoami.exe",
                "",
                "",
            ],
            &[
                "2024-01-01T11:00:00Z",
                "A",
                "0x20",
                "0x10",
                "C:\\w\\notepad.exe",
                "",
                "",
            ],
            &[
                "2024-01-01T11:01:00Z",
                "A",
                "0x40",
                "32",
                "C:\\w\\child.exe",
                "",
                "",
            ],
            &[
                "2024-01-01T10:03:00Z",
                "B",
                "0x50",
                "0x20",
                "C:\\w\\other.exe",
                "C:\\w\\x.exe",
                "",
            ],
            &["2024-01-01T10:04:00Z", "A", "", "", "", "", ""],
        ],
    );
    assert_eq!(
        outline(&table),
        "?wininit.exe\n  services.exe\n    cmd.exe\n      whoami.exe\n    notepad.exe\n      child.exe\n?x.exe\n  other.exe"
    );
    let found = tree(&table);
    assert_eq!(
        (found.source.as_str(), found.others, found.total),
        ("SecurityEvent", 1, 8)
    );
    assert_eq!(found.nodes[2].command, "cmd /c");
}

#[test]
fn defender_and_sysmon_have_their_own_columns() {
    let defender = table(
        &[
            ("Timestamp", DateTime),
            ("DeviceName", String),
            ("ProcessId", Long),
            ("InitiatingProcessId", Long),
            ("FileName", String),
            ("InitiatingProcessFileName", String),
        ],
        &[
            &[
                "2024-01-01T10:00:01Z",
                "d",
                "2",
                "1",
                "cmd.exe",
                "explorer.exe",
            ],
            &["2024-01-01T10:00:02Z", "d", "3", "2", "net.exe", "cmd.exe"],
        ],
    );
    assert_eq!(outline(&defender), "?explorer.exe\n  cmd.exe\n    net.exe");
    let sysmon = table(
        &[
            ("ProcessGuid", Guid),
            ("ParentProcessGuid", String),
            ("ProcessId", Long),
            ("ParentProcessId", Long),
            ("Image", String),
        ],
        &[
            &[
                "74be27de1e4e49d9b579fe0b331d3642",
                "{74BE27DE-1E4E-49D9-B579-FE0B331D3643}",
                "5",
                "4",
                "/bin/ls",
            ],
            &["74be27de1e4e49d9b579fe0b331d3643", "", "4", "1", "/bin/sh"],
        ],
    );
    assert_eq!(outline(&sysmon), "sh\n  ls");
}

#[test]
fn cycles_and_self_parents_end() {
    let ring = table(
        &[("pid", Long), ("ppid", Long), ("name", String)],
        &[
            &["1", "3", "a"],
            &["2", "1", "b"],
            &["3", "2", "c"],
            &["9", "9", "self"],
        ],
    );
    let found = tree(&ring);
    assert_eq!(found.nodes.len(), found.total as usize);
    for row in 0..4 {
        assert_eq!(
            found
                .nodes
                .iter()
                .filter(|node| node.row == Some(row))
                .count(),
            1
        );
    }
    // A chain as deep as there are rows.
    let ids: Vec<std::string::String> = (1..=20_001).map(|n: u32| n.to_string()).collect();
    let rows: Vec<[&str; 2]> = ids
        .windows(2)
        .map(|pair| [pair[1].as_str(), pair[0].as_str()])
        .collect();
    let rows: Vec<&[&str]> = rows.iter().map(|row| &row[..]).collect();
    let found = tree(&table(&[("pid", Long), ("ppid", Long)], &rows));
    assert_eq!((found.total, found.nodes.len()), (20_001, 5_000));
    assert_eq!(found.nodes[4_999].depth, 4_999);
}
