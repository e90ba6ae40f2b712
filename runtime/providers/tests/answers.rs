//! What answers come to: each `data/NAME.FORM.json` beside `data/NAME.FORM.txt`, which says what it is read as. After a change that is
//! meant, `UPDATE_EXPECT=1` writes the latter anew.
#![allow(clippy::unwrap_used)]

mod show;

use expect_test::expect_file;
use spoor_providers::config::Limits;
use spoor_providers::response::{
    Answer, Cause, Completeness, DecodeError, Decoder, Form, Outcome, Reason, Render, decode,
};

use show::show;
use spoor_table::Cell;

const CASES: [(&str, Form); 13] = [
    ("types.log-analytics", Form::LogAnalytics),
    ("partial.log-analytics", Form::LogAnalytics),
    ("permissions.log-analytics", Form::LogAnalytics),
    ("readable.log-analytics", Form::LogAnalytics),
    ("late.log-analytics", Form::LogAnalytics),
    ("progressive.kusto-v2", Form::KustoV2),
    ("errors.kusto-v2", Form::KustoV2),
    ("status.kusto-v2", Form::KustoV2),
    ("query.kusto-v1", Form::KustoV1),
    ("command.kusto-v1", Form::KustoV2),
    ("hunt.defender", Form::Defender),
    ("late.defender", Form::Defender),
    ("table.resource-graph", Form::ResourceGraph),
];

fn body(name: &str) -> Vec<u8> {
    let root = env!("CARGO_MANIFEST_DIR");
    std::fs::read(format!("{root}/tests/data/{name}.json")).unwrap()
}

fn read(form: Form, limits: Limits, status: u16, body: &[u8]) -> Result<Outcome, DecodeError> {
    let headers = &[];
    decode(
        form,
        limits,
        &Answer {
            status,
            headers,
            body,
        },
    )
}

fn good(form: Form, body: &str) -> Result<Outcome, DecodeError> {
    read(form, Limits::default(), 200, body.as_bytes())
}

fn in_parts(form: Form, body: &[u8], part: usize) -> Result<Outcome, DecodeError> {
    let mut decoder = Decoder::new(form, Limits::default(), &[]);
    for part in body.chunks(part) {
        decoder.push(part)?;
    }
    decoder.finish()
}

#[test]
fn answers_are_read_as_written_down() {
    let root = env!("CARGO_MANIFEST_DIR");
    for (name, form) in CASES {
        let told = show(&read(form, Limits::default(), 200, &body(name)).unwrap());
        expect_file![format!("{root}/tests/data/{name}.txt")].assert_eq(&told);
    }
}

#[test]
fn what_is_said_of_a_result_survives_being_written() {
    for (name, form) in CASES {
        let outcome = read(form, Limits::default(), 200, &body(name)).unwrap();
        let text = serde_json::to_string(&(&outcome.completeness, &outcome.render)).unwrap();
        assert_eq!(
            serde_json::from_str::<(Completeness, Option<Render>)>(&text).unwrap(),
            (outcome.completeness, outcome.render)
        );
    }
}

#[test]
fn parts_of_any_length_come_to_the_same() {
    for (name, form) in CASES {
        let body = body(name);
        let whole = show(&read(form, Limits::default(), 200, &body).unwrap());
        for part in [1, 2, 3, 7, 64, 1_000] {
            assert_eq!(
                show(&in_parts(form, &body, part).unwrap()),
                whole,
                "{name} in parts of {part}"
            );
        }
        let twice = [&[0xef, 0xbb, 0xbf, 0xef, 0xbb, 0xbf], body.as_slice()].concat();
        assert!(in_parts(form, &twice, 5).is_err(), "{name}");
        let marked = [&[0xef, 0xbb, 0xbf], body.as_slice()].concat();
        assert_eq!(
            show(&in_parts(form, &marked, 5).unwrap()),
            whole,
            "{name} behind a byte order mark"
        );
    }
}

#[test]
fn an_answer_that_is_cut_is_never_whole() {
    for (name, form) in CASES {
        let body = body(name);
        let body = body.trim_ascii_end();
        for end in (1..body.len()).step_by(7) {
            let told = read(form, Limits::default(), 200, &body[..end]).unwrap_err();
            assert!(
                matches!(told, DecodeError::Cut { .. }),
                "{name} up to {end}: {told}"
            );
        }
    }
}

#[test]
fn nothing_is_no_answer() {
    for form in [
        Form::LogAnalytics,
        Form::KustoV2,
        Form::Defender,
        Form::ResourceGraph,
    ] {
        // Only 200 says that all of a result is there.
        for status in [202, 204, 206] {
            let told = read(form, Limits::default(), status, &body("query.kusto-v1")).unwrap_err();
            assert!(
                matches!(told, DecodeError::Status(own) if own == status),
                "{told}"
            );
        }
        for body in ["", " \r\n"] {
            assert!(
                matches!(good(form, body), Err(DecodeError::Empty)),
                "{form:?}"
            );
        }
        let told = good(form, "<!DOCTYPE html><html>Sign in")
            .unwrap_err()
            .to_string();
        assert_eq!(
            told,
            "the answer is not JSON; it begins with '<!DOCTYPE html><html>Sign in': see whether a proxy or a sign-in page stands between"
        );
    }
    let empty = good(Form::LogAnalytics, r#"{"tables":[]}"#).unwrap();
    assert!(empty.tables.is_empty() && empty.completeness.is_complete());
}

#[test]
fn limits_cut_results_and_say_so() {
    let rows: Vec<String> = (0..20_000).map(|n| format!("[{n},\"text {n}\"]")).collect();
    let columns = r#"[{"name":"N","type":"long"},{"name":"S","type":"string"}]"#;
    let body = format!(
        r#"{{"tables":[{{"name":"T","columns":{columns},"rows":[{}]}}]}}"#,
        rows.join(",")
    );
    for limit in [1, 8_191, 8_192, 8_193, 19_999] {
        let limits = Limits {
            rows: limit,
            ..Limits::default()
        };
        let outcome = read(Form::LogAnalytics, limits, 200, body.as_bytes()).unwrap();
        assert_eq!(outcome.rows(), limit);
        let told = outcome.completeness.reasons()[0].to_string();
        assert_eq!(
            told,
            format!(
                "the result was cut: the result has more than {limit} rows, the limit of the workspace"
            )
        );
    }
    let enough = Limits {
        rows: 20_000,
        ..Limits::default()
    };
    assert!(
        read(Form::LogAnalytics, enough, 200, body.as_bytes())
            .unwrap()
            .completeness
            .is_complete()
    );

    let small = Limits {
        bytes: 10_000,
        ..Limits::default()
    };
    let told = read(Form::LogAnalytics, small, 200, body.as_bytes()).unwrap_err();
    assert!(
        matches!(told, DecodeError::TooLarge { limit: 10_000 }),
        "{told}"
    );
    let mut decoder = Decoder::new(Form::LogAnalytics, small, &[]);
    assert!(
        body.as_bytes()
            .chunks(1_000)
            .any(|part| decoder.push(part).is_err())
    );
}

/// Frames with a table of `rows` rows in fragments of `each`.
fn frames(rows: usize, each: usize, kind: &str) -> String {
    let row = |n: usize| format!("[{n},\"{}\"]", "x".repeat(100));
    let columns =
        r#"[{"ColumnName":"N","ColumnType":"long"},{"ColumnName":"S","ColumnType":"string"}]"#;
    let mut text = String::from(r#"[{"FrameType":"DataSetHeader","Version":"v2.0"},"#);
    text += &format!(
        r#"{{"FrameType":"TableHeader","TableId":1,"TableKind":"PrimaryResult","TableName":"T","Columns":{columns}}},"#
    );
    for start in (0..rows).step_by(each) {
        let rows: Vec<String> = (start..rows.min(start + each)).map(row).collect();
        text += &format!(
            r#"{{"FrameType":"TableFragment","TableId":1,"TableFragmentType":"{kind}","Rows":[{}]}},"#,
            rows.join(",")
        );
    }
    let last = if kind == "DataReplace" {
        rows - (rows - 1) / each * each
    } else {
        rows
    };
    text += &format!(r#"{{"FrameType":"TableCompletion","TableId":1,"RowCount":{last}}},"#);
    text + r#"{"FrameType":"DataSetCompletion","HasErrors":false,"Cancelled":false}]"#
}

#[test]
fn a_stream_of_frames_takes_no_more_than_its_limit() {
    let body = frames(5_000, 100, "DataAppend");
    let limits = Limits {
        bytes: 100_000,
        ..Limits::default()
    };
    assert!(body.len() > 4 * limits.bytes);
    let outcome = read(Form::KustoV2, limits, 200, body.as_bytes()).unwrap();
    let table = &outcome.tables[0].table;
    // A row has 100 bytes of text, 8 of a number and 4 of an offset.
    assert_eq!(table.rows(), 100_000 / 112);
    let told = outcome.completeness.reasons()[0].to_string();
    assert!(told.contains("more than 100000 bytes"), "{told}");
    assert_eq!(outcome.completeness.reasons().len(), 1);

    let passing = Limits {
        bytes: 30_000,
        ..Limits::default()
    };
    assert!(body.len() > 16 * passing.bytes);
    let told = read(Form::KustoV2, passing, 200, body.as_bytes()).unwrap_err();
    assert!(
        matches!(told, DecodeError::TooLarge { limit: 30_000 }),
        "{told}"
    );

    // Too long for one frame.
    let body = frames(60, 60, "DataAppend");
    let limits = Limits {
        bytes: 5_000,
        ..Limits::default()
    };
    assert!(body.len() < 16 * limits.bytes);
    let told = read(Form::KustoV2, limits, 200, body.as_bytes()).unwrap_err();
    assert!(
        matches!(told, DecodeError::TooLarge { limit: 5_000 }),
        "{told}"
    );
}

#[test]
fn rows_that_replace_others_take_their_place_in_the_limit() {
    let body = frames(1_000, 100, "DataReplace");
    let limits = Limits {
        rows: 100,
        bytes: 13_000,
        ..Limits::default()
    };
    let outcome = read(Form::KustoV2, limits, 200, body.as_bytes()).unwrap();
    assert!(
        outcome.completeness.is_complete(),
        "{:?}",
        outcome.completeness
    );
    assert_eq!(outcome.rows(), 100);
}

#[test]
fn rows_that_are_replaced_leave_the_cut_of_other_tables() {
    let header = |id: u8| {
        format!(
            r#"{{"FrameType":"TableHeader","TableId":{id},"TableKind":"PrimaryResult","TableName":"T{id}","Columns":[{{"ColumnName":"N","ColumnType":"long"}}]}}"#
        )
    };
    let rows = |id: u8, kind: &str, rows: &str| {
        format!(
            r#"{{"FrameType":"TableFragment","TableId":{id},"TableFragmentType":"{kind}","Rows":{rows}}}"#
        )
    };
    let body = format!(
        r#"[{},{},{},{},{},{{"FrameType":"TableCompletion","TableId":1,"RowCount":3}},{{"FrameType":"TableCompletion","TableId":2,"RowCount":1}},{{"FrameType":"DataSetCompletion"}}]"#,
        header(1),
        header(2),
        rows(2, "DataAppend", "[[1]]"),
        rows(1, "DataAppend", "[[1],[2],[3]]"),
        rows(2, "DataReplace", "[[2]]"),
    );
    let limits = Limits {
        rows: 3,
        ..Limits::default()
    };
    let outcome = read(Form::KustoV2, limits, 200, body.as_bytes()).unwrap();
    assert_eq!(outcome.rows(), 3);
    let told: Vec<String> = outcome
        .completeness
        .reasons()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("more than 3 rows"), "{told:?}");
}

#[test]
fn a_first_table_that_is_cut_leaves_those_behind_it() {
    let limits = Limits {
        rows: 1,
        ..Limits::default()
    };
    let outcome = read(Form::KustoV1, limits, 200, &body("query.kusto-v1")).unwrap();
    assert_eq!((outcome.tables.len(), outcome.rows()), (1, 1));
    assert_eq!(outcome.tables[0].name, "PrimaryResult");
    assert!(outcome.render.is_some() && outcome.statistics.is_some());
    let causes: Vec<Cause> = outcome
        .completeness
        .reasons()
        .iter()
        .map(|reason| reason.cause)
        .collect();
    assert_eq!(causes, [Cause::Service, Cause::Limit]);
}

#[test]
fn results_behind_the_first_keep_the_limit_of_rows() {
    let table = |columns: &str, rows: &str| {
        format!(r#"{{"TableName":"T","Columns":[{columns}],"Rows":{rows}}}"#)
    };
    let long = r#"{"ColumnName":"N","ColumnType":"long"}"#;
    let kinds = r#"{"ColumnName":"Kind","ColumnType":"string"}"#;
    let body = format!(
        r#"{{"Tables":[{},{},{}]}}"#,
        table(long, "[[1],[2]]"),
        table(long, "[[3],[4]]"),
        table(kinds, r#"[["QueryResult"],["QueryResult"]]"#)
    );
    let limits = Limits {
        rows: 3,
        ..Limits::default()
    };
    let outcome = read(Form::KustoV1, limits, 200, body.as_bytes()).unwrap();
    assert_eq!((outcome.tables.len(), outcome.rows()), (2, 3));
    let told = outcome.completeness.reasons()[0].to_string();
    assert!(told.contains("more than 3 rows"), "{told}");
}

#[test]
fn errors_between_rows_are_counted_over_all_tables() {
    let errors: Vec<String> = (0..80)
        .map(|n| format!(r#"{{"error":{{"code":"E{n}","message":"it broke"}}}}"#))
        .collect();
    let table = |at: usize, last: &str| {
        let rows = errors.join(",").replace("broke", &format!("broke in {at}"));
        format!(r#"{{"name":"T","columns":[{{"name":"N","type":"long"}}],"rows":[{rows}{last}]}}"#)
    };
    // More than one error may take, which is seen only if it is read.
    let huge = format!(",{{\"error\":[{}1]}}", "1,".repeat(1_000_000));
    let body = format!(r#"{{"tables":[{},{}]}}"#, table(1, ""), table(2, &huge));
    let outcome = good(Form::LogAnalytics, &body).unwrap();
    let reasons = outcome.completeness.reasons();
    assert_eq!(reasons.len(), 100);
    assert_eq!(reasons[99].fault.message, "it broke in 2");
}

#[test]
fn progress_is_told_as_frames_come() {
    let mut decoder = Decoder::new(Form::KustoV2, Limits::default(), &[]);
    let body = body("progressive.kusto-v2");
    let seen: Vec<_> = body
        .chunks(50)
        .map(|part| decoder.push(part).unwrap())
        .collect();
    assert!(
        seen.iter()
            .any(|progress| progress.percent == Some(40.5) && progress.rows == 1)
    );
    let last = seen.last().unwrap();
    assert_eq!(
        (last.bytes, last.rows, last.percent),
        (body.len(), 2, Some(100.0))
    );
}

#[test]
fn as_many_rows_as_defender_ever_gives_are_partial() {
    let rows = vec!["{\"N\":1}"; 100_000].join(",");
    let body = format!(r#"{{"schema":[{{"name":"N","type":"Int64"}}],"results":[{rows}]}}"#);
    let outcome = good(Form::Defender, &body).unwrap();
    let told = outcome.completeness.reasons()[0].to_string();
    assert!(told.starts_with("the service left rows out"), "{told}");
}

#[test]
fn blanks_before_an_answer_are_not_kept() {
    let limits = Limits {
        bytes: 1_000,
        ..Limits::default()
    };
    for (form, body) in [
        (Form::KustoV2, r#"[{"FrameType":"DataSetCompletion"}]"#),
        (Form::LogAnalytics, r#"{"tables":[]}"#),
    ] {
        let mut decoder = Decoder::new(form, limits, &[]);
        for _ in 0..2_000 {
            decoder.push(b"\n").unwrap();
        }
        decoder.push(body.as_bytes()).unwrap();
        assert!(decoder.finish().is_ok(), "{form:?}");
    }
}

#[test]
fn numbers_are_those_that_were_written() {
    // 17 digits, of which a parser that rounds twice gets some wrong.
    let texts: Vec<String> = (0..1_000_u64)
        .map(|n| {
            let digits = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1) >> 1;
            format!(
                "{}.{:016}e-{}",
                digits % 9 + 1,
                digits % 10_u64.pow(16),
                n % 30
            )
        })
        .collect();
    let rows: Vec<String> = texts
        .iter()
        .map(|text| format!("[{text},[{text}]]"))
        .collect();
    let body = format!(
        r#"{{"tables":[{{"columns":[{{"name":"R","type":"real"}},{{"name":"D","type":"dynamic"}}],"rows":[{}]}}]}}"#,
        rows.join(",")
    );
    let outcome = good(Form::LogAnalytics, &body).unwrap();
    let mut wanted = texts.iter().map(|text| text.parse::<f64>().unwrap());
    outcome.tables[0].table.for_each_row(|cells| {
        let wanted = wanted.next().unwrap();
        assert!(
            matches!(cells[0], Cell::Real(value) if value == wanted),
            "{wanted}"
        );
        let Cell::Dynamic(value) = cells[1] else {
            panic!("it is dynamic");
        };
        assert_eq!(
            value.to_json(),
            format!("[{}]", serde_json::Value::from(wanted))
        );
        true
    });
    assert_eq!(wanted.next(), None);
}

#[test]
fn decimals_that_are_rounded_are_told_of() {
    for (text, rounded) in [
        ("0.123456789012", false),
        ("0.1234567890120", false),
        ("1e-12", false),
        ("0.1234567890123", true),
        ("1e-13", true),
        ("1e-400", true),
    ] {
        for text in [text.to_owned(), format!("\"{text}\"")] {
            if text == "1e-400" {
                // As a number it is 0 before anyone can look at it.
                continue;
            }
            let logs = format!(
                r#"{{"tables":[{{"columns":[{{"name":"D","type":"decimal"}}],"rows":[[{text}],[{text}]]}}]}}"#
            );
            let hunt = format!(
                r#"{{"schema":[{{"name":"D","type":"SqlDecimal"}}],"results":[{{"D":{text}}}]}}"#
            );
            for (form, body) in [(Form::LogAnalytics, logs), (Form::Defender, hunt)] {
                let outcome = good(form, &body).unwrap();
                let reasons = outcome.completeness.reasons();
                assert_eq!(reasons.len(), usize::from(rounded), "{text}");
                let said = |reason: &Reason| reason.to_string().contains("12 digits");
                assert!(reasons.iter().all(said), "{reasons:?}");
            }
        }
    }
}

#[test]
fn frames_that_replace_nothing_cost_nothing() {
    let columns = vec![r#"{"ColumnName":"N","ColumnType":"long"}"#; 20_000].join(",");
    let frame =
        r#"{"FrameType":"TableFragment","TableId":1,"TableFragmentType":"DataReplace","Rows":[]},"#;
    let body = format!(
        r#"[{{"FrameType":"TableHeader","TableId":1,"TableKind":"PrimaryResult","TableName":"T","Columns":[{columns}]}},{}{{"FrameType":"DataSetCompletion"}}]"#,
        frame.repeat(10_000)
    );
    let begun = std::time::Instant::now();
    assert!(good(Form::KustoV2, &body).is_ok());
    // Each frame would make a batch of 20,000 columns.
    assert!(begun.elapsed().as_secs() < 20);
}

#[test]
fn many_sources_are_compared_in_time() {
    let readable: Vec<String> = (0..12_000)
        .map(|n| format!(r#"{{"resourceId":"{n}"}}"#))
        .collect();
    let sources: Vec<String> = (0..40_000).map(|n| format!("\"x{}\"", n % 5)).collect();
    let body = format!(
        r#"{{"tables":[],"permissions":{{"dataSources":[{}],"resources":[{{"dataSources":[{}]}}]}}}}"#,
        readable.join(","),
        sources.join(",")
    );
    let begun = std::time::Instant::now();
    let outcome = good(Form::LogAnalytics, &body).unwrap();
    assert!(begun.elapsed().as_secs() < 10);
    let told = outcome.completeness.reasons()[0].fault.message.clone();
    let wanted = [0, 1, 2, 3, 4].map(|n| format!("the workspace x{n}"));
    assert_eq!(told, wanted.join(", "));
}

#[test]
fn headers_say_what_is_missing_too() {
    let body = body("table.resource-graph");
    let headers = |value| [("X-Ms-Tenant-Subscription-Limit-Hit", value)];
    for (form, value, partial) in [
        (Form::ResourceGraph, "true", true),
        (Form::ResourceGraph, "false", false),
        (Form::LogAnalytics, "true", false),
    ] {
        let body = match form {
            Form::ResourceGraph => body.as_slice(),
            _ => br#"{"tables":[]}"#,
        };
        let headers = &headers(value);
        let mut decoder = Decoder::new(form, Limits::default(), headers);
        decoder.push(body).unwrap();
        let answer = Answer {
            status: 200,
            headers,
            body,
        };
        let whole = decode(form, Limits::default(), &answer).unwrap();
        for outcome in [whole, decoder.finish().unwrap()] {
            let said = |reason: &Reason| reason.to_string().contains("'subscriptions'");
            assert_eq!(outcome.completeness.reasons().iter().any(said), partial);
        }
    }
}

#[test]
fn pages_become_one_result() {
    let page = |rows: &str, rest: &str| {
        let columns = r#"[{"name":"n","type":"integer"}]"#;
        good(
            Form::ResourceGraph,
            &format!(r#"{{"data":{{"columns":{columns},"rows":{rows}}}{rest}}}"#),
        )
        .unwrap()
    };
    let mut all = page(
        "[[1],[2]]",
        r#","$skipToken":"p2","resultTruncated":"true""#,
    );
    assert_eq!(all.next.as_deref(), Some("p2"));
    // Until the next page comes.
    assert_eq!(all.completeness.reasons()[0].cause, Cause::Truncated);
    let limits = Limits {
        rows: 5,
        ..Limits::default()
    };
    for nowhere in [
        page("[[3]]", r#","$skipToken":"p2""#),
        page("[]", r#","$skipToken":"p3""#),
    ] {
        let told = all.clone().append(nowhere, limits).unwrap_err();
        assert!(told.to_string().contains("lead nowhere"), "{told}");
    }
    let mut whole = all.clone();
    whole.append(page("[[3]]", ""), limits).unwrap();
    assert!(whole.completeness.is_complete());
    assert_eq!((whole.rows(), whole.next.clone()), (3, None));
    let small = Limits {
        bytes: 10,
        ..Limits::default()
    };
    whole.append(page("[[4]]", ""), small).unwrap();
    let told = whole.completeness.reasons()[0].to_string();
    assert!(told.contains("more than 10 bytes"), "{told}");
    assert_eq!(whole.rows(), 3);

    all.append(page("[[3],[4]]", r#","$skipToken":"p3""#), limits)
        .unwrap();
    all.append(page("[[5],[6]]", r#","$skipToken":"p4""#), limits)
        .unwrap();
    assert_eq!((all.rows(), all.next.clone()), (5, None));
    let told = all.completeness.reasons();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].to_string().contains("more than 5 rows"));
    let other = good(
        Form::ResourceGraph,
        r#"{"data":{"columns":[{"name":"m","type":"string"}],"rows":[["x"]]}}"#,
    )
    .unwrap();
    assert!(all.append(other, limits).is_err());
}
