//! What is encoded here is what the decoders of remote queries read: the same tables, and the same words about them.
#![allow(clippy::unwrap_used)]

use spoor_providers::config::Limits as Room;
use spoor_providers::response::{Answer as Body, Cause, Form, Outcome, decode, decode_schema};
use spoor_store::kusto::{Identity, manage, v1, v2};
use spoor_store::log_analytics::{self, Prefer};
use spoor_store::pieces::Limits;
use spoor_store::{Answer, Render, TableSchema};
use spoor_table::{Column, Dynamic, KustoType, Table, Value, format};

const ROOM: Limits = Limits {
    rows: 1_000_000,
    bytes: 1 << 30,
};

fn columns() -> Vec<Column> {
    let named = |ty: &KustoType| Column::new(format!("a \"{ty}\""), *ty);
    KustoType::ALL.iter().map(named).collect()
}

/// In the order of [`KustoType::ALL`].
fn rows() -> Vec<Vec<Value>> {
    let json = |text: &str| Value::Dynamic(Dynamic::parse(text).unwrap());
    let guid = Value::Guid("00112233-4455-6677-8899-aabbccddeeff".into());
    let row = |real: f64, dynamic: &str, text: &str, ticks: i64| {
        vec![
            Value::Bool(real > 0.0),
            Value::DateTime(ticks.unsigned_abs() as i64),
            Value::Decimal(i128::from(ticks)),
            json(dynamic),
            guid.clone(),
            Value::Int(ticks as i32),
            Value::Long(ticks),
            Value::Real(real),
            Value::String(text.into()),
            Value::TimeSpan(ticks),
        ]
    };
    let nulls = KustoType::ALL.iter().map(|ty| Value::null(*ty)).collect();
    vec![
        row(
            1.5,
            r#"{"a":[1,2.5,null,true,"x"]}"#,
            "plain",
            638_000_000_000_000_001,
        ),
        row(
            f64::NEG_INFINITY,
            "\"5\"",
            "q\"\\\n\u{1}é🦊",
            -864_000_000_001,
        ),
        row(f64::INFINITY, "\"a word\"", "null", 10_000_000),
        row(0.1 + 0.2, "[]", "{}", i64::MAX / 3),
        row(-0.0, "\"\"", " ", 0),
        row(1e300, "12", "", 5),
        row(1e-300, "true", "NaN", -1),
        nulls,
    ]
}

fn table() -> Table {
    Table::from_values(columns(), &rows()).unwrap()
}

fn render() -> Render {
    Render {
        kind: "timechart".into(),
        properties: vec![("title".into(), "How \"many\"".into())],
    }
}

fn answer(table: Table) -> Answer {
    Answer {
        table,
        render: Some(render()),
    }
}

fn form(progressive: bool, limits: Limits) -> v2::Form {
    v2::Form {
        progressive,
        limits,
        identity: identity(),
        seconds: 0.25,
        when: "2024-01-01T00:00:00Z".into(),
    }
}

fn identity() -> Identity {
    Identity {
        client_request_id: "KPC.execute;1".into(),
        activity_id: "00000000-0000-0000-0000-000000000001".into(),
    }
}

fn everything() -> Prefer {
    Prefer {
        render: true,
        statistics: true,
        wait: None,
        unthinned: false,
    }
}

/// The answer in each protocol, as its decoder reads it.
fn outcomes(table: Table, limits: Limits) -> Vec<(Form, Outcome)> {
    let when = "2024-01-01T00:00:00Z".to_owned();
    let own = || answer(table.clone());
    let texts = [
        (
            Form::LogAnalytics,
            log_analytics::answer(own(), everything(), limits, 0.25).whole(),
        ),
        (
            Form::KustoV2,
            v2::answer(own(), form(false, limits)).whole(),
        ),
        (Form::KustoV2, v2::answer(own(), form(true, limits)).whole()),
        (
            Form::KustoV1,
            v1::answer(own(), limits, identity(), 0.25, when).whole(),
        ),
    ];
    texts
        .into_iter()
        .map(|(form, text)| (form, read(form, &text)))
        .collect()
}

fn read(form: Form, text: &str) -> Outcome {
    serde_json::from_str::<serde_json::Value>(text).unwrap();
    decode(form, Room::default(), &body(text)).unwrap()
}

fn body(text: &str) -> Body<'_> {
    Body {
        status: 200,
        headers: &[],
        body: text.as_bytes(),
    }
}

#[test]
fn every_type_comes_back_the_same() {
    for (form, outcome) in outcomes(table(), ROOM) {
        let read = &outcome.tables[0];
        assert_eq!(read.name, "PrimaryResult", "{form:?}");
        assert_eq!(read.table.columns(), columns(), "{form:?}");
        assert_eq!(
            format::json(&read.table),
            format::json(&table()),
            "{form:?}"
        );
        for (row, wanted) in rows().iter().enumerate() {
            for (column, wanted) in wanted.iter().enumerate() {
                assert_eq!(&read.table.value(row, column), wanted, "{form:?}");
            }
        }
        assert!(
            outcome.completeness.is_complete(),
            "{form:?} {:?}",
            outcome.completeness
        );
    }
}

#[test]
fn not_a_number_comes_back() {
    let columns = vec![Column::new("x", KustoType::Real)];
    let table = Table::from_values(columns, &[vec![Value::Real(f64::NAN)]]).unwrap();
    for (form, outcome) in outcomes(table, ROOM) {
        let Value::Real(read) = outcome.tables[0].table.value(0, 0) else {
            panic!("{form:?}");
        };
        assert!(read.is_nan(), "{form:?}");
    }
}

#[test]
fn how_to_draw_it_and_what_it_took_come_along() {
    for (form, outcome) in outcomes(table(), ROOM) {
        let read = outcome.render.unwrap();
        assert_eq!(read.visualization, "timechart", "{form:?}");
        let title = ("title".to_owned(), "How \"many\"".into());
        assert!(read.properties.contains(&title), "{form:?}");
        assert!(
            outcome.statistics.is_some() || form == Form::KustoV1,
            "{form:?}"
        );
    }
}

#[test]
fn what_is_cut_is_said_to_be() {
    let rows: Vec<Vec<Value>> = (0..25_000).map(|n| vec![Value::Long(n)]).collect();
    let table = Table::from_values(vec![Column::new("n", KustoType::Long)], &rows).unwrap();
    for (form, outcome) in outcomes(table.clone(), ROOM) {
        assert_eq!(outcome.rows(), 25_000, "{form:?}");
        assert!(outcome.completeness.is_complete(), "{form:?}");
    }
    for rows in [0, 1, 20_000] {
        let limits = Limits { rows, ..ROOM };
        for (form, outcome) in outcomes(table.clone(), limits) {
            assert_eq!(outcome.rows(), rows, "{form:?}");
            let reasons = outcome.completeness.reasons();
            let cut = reasons
                .iter()
                .all(|reason| reason.cause == Cause::Truncated);
            assert!(!reasons.is_empty() && cut, "{form:?} {reasons:?}");
        }
    }
}

#[test]
fn no_rows_are_a_result_too() {
    for (form, outcome) in outcomes(Table::empty(columns()), ROOM) {
        assert_eq!(outcome.rows(), 0, "{form:?}");
        assert_eq!(outcome.tables[0].table.columns(), columns(), "{form:?}");
        assert!(outcome.completeness.is_complete(), "{form:?}");
    }
}

#[test]
fn schemas_are_read_by_those_who_ask_for_them() {
    let tables = [TableSchema {
        name: "Logs".into(),
        columns: columns(),
    }];
    let metadata = log_analytics::metadata("spoor", &tables).to_string();
    let command = manage::Command::read(".show database schema as json").unwrap();
    let told = manage::answer(&command, "spoor", "1", &tables).unwrap();
    let command = v1::command(told, ROOM).whole();
    for (form, text) in [
        (Form::LogAnalyticsSchema, metadata),
        (Form::KustoSchema, command),
    ] {
        let read = decode_schema(form, Room::default(), &body(&text)).unwrap();
        assert_eq!(read.len(), 1, "{form:?}");
        assert_eq!(
            (&read[0].name, &read[0].columns),
            (&tables[0].name, &tables[0].columns)
        );
    }
}
