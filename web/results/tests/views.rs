//! Rows, orders, filters and searches of a result.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Page, filtered, sorted, table};
use spoor_messages::results::*;
use spoor_table::{Column, KustoType, Table, Value};

#[test]
fn rows_are_text_and_long_ones_are_cut() {
    let long = "x".repeat(1000);
    let table = table(
        &[("s", KustoType::String), ("n", KustoType::Long)],
        &[&["a", "1"], &[&long, "-"]],
    );
    let mut page = Page::with(&table);
    let ask = Ask::Rows {
        result: 1,
        view: View::default(),
        from: 0,
        to: 9,
    };
    let Answer::Rows(rows) = page.ask(ask) else {
        panic!("no rows");
    };
    assert_eq!((rows.from, rows.total, rows.rows.len()), (0, 2, 2));
    assert_eq!(rows.rows[0].cells, [Some("a".into()), Some("1".into())]);
    assert_eq!(rows.rows[1].cells[1], None);
    assert_eq!(rows.rows[1].cut, [0]);
    let value = Ask::Value {
        result: 1,
        row: 1,
        column: 0,
    };
    let whole = Answer::Value {
        text: long,
        null: false,
    };
    assert_eq!(page.ask(value), whole);
}

#[test]
fn every_type_sorts_as_kusto_sorts_it() {
    use KustoType::*;
    let cases: [(KustoType, &[&str]); 9] = [
        (Bool, &["-", "false", "true"]),
        (Int, &["-", "-2147483648", "-1", "0", "7"]),
        (
            Long,
            &[
                "-",
                "-9223372036854775808",
                "-1",
                "0",
                "9223372036854775807",
            ],
        ),
        (Real, &["-", "nan", "-inf", "-1.5", "0", "2", "+inf"]),
        (Decimal, &["-", "-2.5", "0.1", "0.2", "1e20"]),
        (
            DateTime,
            &[
                "-",
                "0001-01-01",
                "2024-01-01",
                "2024-01-01T00:00:00.0000001Z",
            ],
        ),
        (TimeSpan, &["-", "-1d", "-1tick", "0s", "1h"]),
        (
            String,
            &[
                "",
                "A",
                "B",
                "a",
                "abcdefg",
                "abcdefgh",
                "abcdefghi",
                "abd",
                "é",
            ],
        ),
        (
            Guid,
            &[
                "-",
                "00000000-0000-0000-0000-000000000001",
                "74be27de-1e4e-49d9-b579-fe0b331d3642",
                "74be27de-1e4e-49d9-b579-fe0b331d3643",
            ],
        ),
    ];
    for (ty, values) in cases {
        // A fixed shuffle, so that nothing is in order before.
        let mut shuffled: Vec<&str> = values.to_vec();
        shuffled.reverse();
        let len = shuffled.len();
        shuffled.rotate_left(len / 2);
        let rows: Vec<[&str; 1]> = shuffled.iter().map(|value| [*value]).collect();
        let rows: Vec<&[&str]> = rows.iter().map(|row| &row[..]).collect();
        let mut page = Page::with(&table(&[("v", ty)], &rows));
        let ordered: Vec<&[&str]> = values.iter().map(std::slice::from_ref).collect();
        let mut wanted = Page::with(&table(&[("v", ty)], &ordered)).column(&View::default(), 0);
        assert_eq!(page.column(&sorted(0, true), 0), wanted, "{ty}");
        wanted.reverse();
        assert_eq!(page.column(&sorted(0, false), 0), wanted, "{ty}");
    }
}

/// More rows than one run, one stride and the ranks of texts hold, in several batches.
fn large() -> (Table, Vec<(i64, String)>) {
    let mut seed = 7_u64;
    let mut next = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        seed >> 33
    };
    let values: Vec<(i64, String)> = (0..150_000)
        .map(|_| {
            (
                next() as i64 % 50,
                format!("a common beginning {:05}", next() % 90_000),
            )
        })
        .collect();
    let columns = vec![
        Column::new("n", KustoType::Long),
        Column::new("s", KustoType::String),
    ];
    let mut table = Table::empty(columns);
    for part in values.chunks(40_000) {
        let rows: Vec<Vec<Value>> = part
            .iter()
            .map(|(n, s)| vec![Value::Long(*n), Value::String(s.clone())])
            .collect();
        let part = Table::from_values(table.shared_columns(), &rows).unwrap();
        part.batches()
            .iter()
            .for_each(|batch| table.push(batch.clone()).unwrap());
    }
    (table, values)
}

#[test]
fn many_rows_sort_by_several_columns_and_equal_ones_stay_in_order() {
    let (table, values) = large();
    let mut page = Page::with(&table);
    let view = View {
        sorts: vec![
            Sort {
                column: 0,
                ascending: false,
            },
            Sort {
                column: 1,
                ascending: true,
            },
        ],
        search: "BEGINNING 0".into(),
        ..View::default()
    };
    let mut wanted: Vec<usize> = (0..values.len())
        .filter(|at| values[*at].1.contains("beginning 0"))
        .collect();
    wanted.sort_by(|a, b| {
        let (a, b) = (&values[*a], &values[*b]);
        b.0.cmp(&a.0).then(a.1.cmp(&b.1))
    });
    let viewed = page.ask(Ask::View {
        result: 1,
        view: view.clone(),
    });
    assert_eq!(
        viewed,
        Answer::Viewed {
            rows: wanted.len() as u32
        }
    );
    let mut found = Vec::new();
    for from in (0..wanted.len() as u32).step_by(2000) {
        let ask = Ask::Rows {
            result: 1,
            view: view.clone(),
            from,
            to: from + 2000,
        };
        let Answer::Rows(rows) = page.ask(ask) else {
            panic!("no rows");
        };
        found.extend(rows.rows.iter().map(|row| row.id as usize));
    }
    assert_eq!(found, wanted);
}

#[test]
fn a_newer_view_takes_the_place_of_an_older_one() {
    let (table, _) = large();
    let mut page = Page::with(&table);
    let (first, answered) = page.send(Ask::View {
        result: 1,
        view: sorted(1, true),
    });
    assert!(answered.is_empty());
    assert!(page.results.work(&mut || true).is_empty());
    // Another question waits its turn, and stays.
    let (stats, _) = page.send(Ask::Stats {
        result: 1,
        view: View::default(),
        column: 0,
    });
    let (second, answered) = page.send(Ask::View {
        result: 1,
        view: sorted(0, true),
    });
    assert_eq!(answered.len(), 1);
    assert_eq!(answered[0].reply.request, first);
    assert_eq!(answered[0].reply.answer, Answer::Cancelled);
    let mut done = Vec::new();
    while page.results.is_busy() {
        // Known rows are there at once whatever else goes on.
        let rows = Ask::Rows {
            result: 1,
            view: View::default(),
            from: 0,
            to: 1,
        };
        assert_eq!(page.send(rows).1.len(), 1);
        done.extend(
            page.results
                .work(&mut || true)
                .into_iter()
                .map(|a| a.reply.request),
        );
    }
    done.sort_unstable();
    assert_eq!(done, [stats, second]);
}

#[test]
fn closing_and_cancelling_answer_what_waits() {
    let (table, _) = large();
    let mut page = Page::with(&table);
    let (waiting, _) = page.send(Ask::View {
        result: 1,
        view: sorted(1, true),
    });
    let (_, answered) = page.send(Ask::Cancel { target: waiting });
    let answers: Vec<&Answer> = answered.iter().map(|a| &a.reply.answer).collect();
    assert_eq!(answers, [&Answer::Cancelled, &Answer::Closed]);
    assert_eq!(page.ask(Ask::Close { result: 1 }), Answer::Closed);
    let gone = page.ask(Ask::View {
        result: 1,
        view: View::default(),
    });
    assert!(matches!(gone, Answer::Failed { message } if message.contains("no longer open")));
}

#[test]
fn filters_go_by_the_columns_types() {
    use KustoType::*;
    let table = table(
        &[("s", String), ("n", Int), ("t", DateTime), ("d", Dynamic)],
        &[
            &["cmd.exe", "10", "2024-01-01", r#"{"a":1}"#],
            &["PowerShell.exe", "9", "2024-01-02", r#""text""#],
            &["", "-", "-", "-"],
            &["naïve", "-5", "2024-01-03T12:00:00Z", "[]"],
        ],
    );
    let mut page = Page::with(&table);
    let text = |text: &str| text.to_owned();
    for (column, test, wanted) in [
        (0, Test::Contains(text("EXE")), &["10", "9"][..]),
        (0, Test::Contains(text("NAÏ")), &["-5"]),
        (0, Test::NotContains(text("exe")), &["null", "-5"]),
        (0, Test::Equals(text("cmd.exe")), &["10"]),
        (0, Test::NotEquals(text("cmd.exe")), &["9", "null", "-5"]),
        (0, Test::Empty, &["null"]),
        (0, Test::NotEmpty, &["10", "9", "-5"]),
        (
            0,
            Test::OneOf(vec![text("cmd.exe"), text("")]),
            &["10", "null"],
        ),
        (1, Test::Contains(text("1")), &["10"]),
        (1, Test::Equals(text("9")), &["9"]),
        (1, Test::NotEquals(text("9")), &["10", "null", "-5"]),
        (1, Test::Greater(text("9")), &["10"]),
        (1, Test::AtLeast(text("9")), &["10", "9"]),
        (1, Test::Less(text("9999999999")), &["10", "9", "-5"]),
        (1, Test::AtMost(text("-5")), &["-5"]),
        (1, Test::Between(text("-5"), text("9")), &["9", "-5"]),
        (1, Test::Empty, &["null"]),
        (2, Test::Greater(text("2024-01-02")), &["-5"]),
        (2, Test::Contains(text("2024-01-0")), &["10", "9", "-5"]),
        (3, Test::Equals(text("text")), &["9"]),
        (3, Test::Contains(text("\"A\"")), &["10"]),
    ] {
        let view = filtered(column, test);
        assert_eq!(page.column(&view, 1), wanted, "{view:?}");
    }
    let wrong = page.ask(Ask::View {
        result: 1,
        view: filtered(2, Test::Less(text("yesterday"))),
    });
    let Answer::Failed { message } = wrong else {
        panic!("{wrong:?}");
    };
    assert_eq!(
        message,
        "'yesterday' is no datetime, which the column 't' holds; write it as 2024-01-31 or 2024-01-31T12:30:00Z"
    );
}

#[test]
fn cut_streams_and_wild_requests_are_answered() {
    let (table, _) = large();
    let bytes = spoor_table::ipc::to_stream(&table.slice(0, 100)).unwrap();
    let mut page = Page::empty();
    for len in (0..bytes.len()).step_by(7) {
        let cut = bytes[..len].to_vec();
        match page.open(cut) {
            // Where a batch ends, a shorter stream ends too.
            Answer::Opened(info) => assert_eq!(info.rows, 0),
            Answer::Failed { message } => assert!(message.contains("do not read"), "{message}"),
            other => panic!("{other:?}"),
        }
    }
    assert!(matches!(
        page.open(b"no stream at all".to_vec()),
        Answer::Failed { .. }
    ));
    assert!(matches!(page.open(bytes), Answer::Opened(_)));
    let rows = Ask::Rows {
        result: 1,
        view: View::default(),
        from: u32::MAX,
        to: 3,
    };
    assert!(matches!(page.ask(rows), Answer::Rows(rows) if rows.rows.is_empty()));
    for ask in [
        Ask::Stats {
            result: 1,
            view: View::default(),
            column: 9,
        },
        Ask::View {
            result: 1,
            view: sorted(9, true),
        },
        Ask::Value {
            result: 2,
            row: 0,
            column: 0,
        },
        Ask::Processes {
            result: 1,
            view: View::default(),
        },
    ] {
        assert!(matches!(page.ask(ask), Answer::Failed { .. }));
    }
}
