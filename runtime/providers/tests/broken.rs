//! Answers that break their protocol, contradict themselves, or would take more memory than anyone has.
#![allow(clippy::unwrap_used)]

use spoor_providers::config::Limits;
use spoor_providers::response::{Answer, Cause, DecodeError, Form, Outcome, decode};

fn good(form: Form, body: &str) -> Result<Outcome, DecodeError> {
    let body = body.as_bytes();
    decode(
        form,
        Limits::default(),
        &Answer {
            status: 200,
            headers: &[],
            body,
        },
    )
}

#[test]
fn frames_that_contradict_themselves() {
    let frame = |text: &str| {
        let head = r#"{"FrameType":"DataSetHeader","Version":"v2.0"}"#;
        good(Form::KustoV2, &format!("[{head},{text}]"))
    };
    let header = r#"{"FrameType":"TableHeader","TableId":1,"TableKind":"PrimaryResult","TableName":"T","Columns":[{"ColumnName":"N","ColumnType":"long"}]}"#;
    for (frames, word) in [
        (r#"{"FrameType":"TableFragment","TableId":9,"TableFragmentType":"DataAppend","Rows":[]}"#.to_owned(), "never began"),
        (format!(r#"{header},{{"FrameType":"TableFragment","TableId":1,"TableFragmentType":"DataMove","Rows":[]}}"#), "DataMove"),
        (format!("{header},{header}"), "begins twice"),
        (format!(r#"{header},{{"FrameType":"TableCompletion","TableId":1,"RowCount":0}},{{"FrameType":"TableFragment","TableId":1,"TableFragmentType":"DataAppend","Rows":[]}}"#), "behind its end"),
        (format!(r#"{header},{{"FrameType":"TableFragment","TableId":1,"TableFragmentType":"DataAppend","Rows":[[1,2]]}}"#), "row 1 has 2 values or more, where the table has 1 columns"),
        (format!(r#"{header},{{"FrameType":"TableFragment","TableId":1,"TableFragmentType":"DataAppend","Rows":[[]]}}"#), "row 1 has 0 values, where the table has 1 columns"),
        (format!(r#"{header},{{"FrameType":"TableFragment","TableId":1,"TableFragmentType":"DataAppend","Rows":[["x"]]}}"#), "column 'N' is long, but row 1 has 'x'"),
        (r#"{"FrameType":"DataTable","TableId":1,"TableKind":"PrimaryResult","Rows":[]}"#.to_owned(), "no columns"),
        (r#"{"FrameType":"DataTable","TableId":1,"TableKind":"PrimaryResult","Columns":[]}"#.to_owned(), "no rows"),
        (format!(r#"{header},{{"FrameType":"TableFragment","TableId":1,"TableFragmentType":"DataAppend"}}"#), "no rows"),
        (r#"{"Rows":[[1]],"FrameType":"DataTable","TableId":1,"TableKind":"PrimaryResult","Columns":[],"Rows":[]}"#.to_owned(), "rows twice"),
        (r#"{"FrameType":"DataTable","TableId":1,"TableKind":"PrimaryResult","Columns":[{"ColumnName":"N","ColumnType":"varchar"}]}"#.to_owned(), "varchar"),
        (r#"{"FrameType":"DataSetCompletion"},{"FrameType":"DataSetCompletion"}"#.to_owned(), "behind the last one"),
        (r#"{"FrameType":"DataSetHeader","Version":"v3.0"}"#.to_owned(), "v3.0"),
        (r#"{"error":{"code":"General_Failure","message":"it broke"}},{"FrameType":"DataSetCompletion","HasErrors":true}"#.to_owned(), "it broke"),
    ] {
        let told = frame(&frames).unwrap_err().to_string();
        assert!(told.contains(word), "{told}\nlacks {word}");
    }
    for (frames, words) in [
        (header.to_owned(), vec!["stops without saying"]),
        (
            format!(
                r#"{header},{{"FrameType":"DataSetCompletion","HasErrors":true,"Cancelled":false}}"#
            ),
            vec!["has no end", "not which"],
        ),
        (
            format!(
                r#"{header},{{"FrameType":"TableCompletion","TableId":1,"RowCount":7}},{{"FrameType":"DataSetCompletion"}}"#
            ),
            vec!["7 rows, and 0 came"],
        ),
        (
            format!(
                r#"{header},{{"FrameType":"TableCompletion","TableId":1,"RowCount":0,"OneApiErrors":[{{"error":{{"code":"X","message":"at its end"}}}}]}},{{"FrameType":"DataSetCompletion"}}"#
            ),
            vec!["at its end"],
        ),
        (
            r#"{"FrameType":"DataTable","TableId":1,"TableKind":"PrimaryResult","Columns":[{"ColumnName":"D","ColumnType":"decimal"}],"Rows":[["1e-13"]]},{"FrameType":"DataSetCompletion","HasErrors":true}"#.to_owned(),
            vec!["are rounded", "not which"],
        ),
        (
            format!(
                r#"{header},{{"FrameType":"TableCompletion","TableId":1,"error":{{}}}},{{"FrameType":"DataSetCompletion","OneApiErrors":"it broke","error":null}}"#
            ),
            vec!["and not which", "it broke"],
        ),
    ] {
        let outcome = frame(&frames).unwrap();
        let told: Vec<String> = outcome
            .completeness
            .reasons()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(told.len(), words.len(), "{told:?}");
        for (told, word) in told.iter().zip(words) {
            assert!(told.contains(word), "{told}\nlacks {word}");
        }
    }
}

#[test]
fn documents_that_break_their_protocol() {
    let table = |columns: &str, rows: &str| {
        format!(r#"{{"tables":[{{"columns":[{columns}],"rows":{rows}}}]}}"#)
    };
    let long = r#"{"name":"N","type":"long"}"#;
    for (form, body, word) in [
        (
            Form::LogAnalytics,
            table(long, "[[1.5]]"),
            "column 'N' is long, but row 1 has 1.5",
        ),
        (
            Form::LogAnalytics,
            table(long, "[[1],[\"abc\"]]"),
            "row 2 has 'abc'",
        ),
        (Form::LogAnalytics, table(long, "[[[1]]]"), "nested values"),
        (
            Form::LogAnalytics,
            table(long, "[[9223372036854775808]]"),
            "9223372036854775808",
        ),
        (
            Form::LogAnalytics,
            table(r#"{"name":"N","type":"int"}"#, "[[2147483648]]"),
            "2147483648",
        ),
        (
            Form::LogAnalytics,
            table(r#"{"name":"N","type":"guid"}"#, "[[\"x\"]]"),
            "'x'",
        ),
        (
            Form::LogAnalytics,
            table(r#"{"name":"N","type":"datetime"}"#, "[[5]]"),
            "datetime",
        ),
        (
            Form::LogAnalytics,
            table(r#"{"name":"N","type":"bool"}"#, "[[2]]"),
            "bool",
        ),
        (
            Form::LogAnalytics,
            table(r#"{"name":"N","type":"decimal"}"#, "[[\"1e40\"]]"),
            "1e40",
        ),
        (
            Form::LogAnalytics,
            table(r#"{"name":"N","type":"money"}"#, "[]"),
            "'money'",
        ),
        (
            Form::LogAnalytics,
            table(r#"{"name":"N"}"#, "[]"),
            "no type",
        ),
        (Form::LogAnalytics, table(long, "{}"), "array"),
        (Form::LogAnalytics, table(long, "[1]"), "row"),
        (
            Form::LogAnalytics,
            r#"{"tables":[{"name":"T"}]}"#.into(),
            "no columns",
        ),
        (
            Form::LogAnalytics,
            r#"{"tables":{}}"#.into(),
            "array of tables",
        ),
        (Form::LogAnalytics, "[]".into(), "object with tables"),
        (Form::LogAnalytics, r#"{"tables":[]} x"#.into(), "trailing"),
        (
            Form::LogAnalytics,
            r#"{"error":{"code":"E","message":"no table at all"}}"#.into(),
            "no table at all (E)",
        ),
        (
            Form::KustoV2,
            r#"{"error":{"code":"BadRequest","@message":"Semantic error"}}"#.into(),
            "Semantic error",
        ),
        (Form::LogAnalytics, "{}".into(), "no tables"),
        (Form::LogAnalytics, r#"{"tables":null}"#.into(), "no tables"),
        (
            Form::LogAnalytics,
            r#"{"tables":[],"tables":[]}"#.into(),
            "tables twice",
        ),
        (
            Form::LogAnalytics,
            r#"{"tables":[{"name":"T","columns":[]}]}"#.into(),
            "'T' has no rows",
        ),
        (
            Form::LogAnalytics,
            r#"{"tables":[{"rows":[],"columns":[],"rows":[]}]}"#.into(),
            "rows twice",
        ),
        (
            Form::LogAnalytics,
            r#"{"tables":[],"error":{}}"#.into(),
            "and not which",
        ),
        (
            Form::LogAnalytics,
            r#"{"tables":[],"error":{"message":"x"},"error":null}"#.into(),
            "'error' twice",
        ),
        (Form::KustoV1, "{}".into(), "no tables"),
        (Form::KustoV1, r#"{"error":[]}"#.into(), "and not which"),
        (
            Form::KustoV1,
            r#"{"Tables":[],"Exceptions":"it broke"}"#.into(),
            "it broke",
        ),
        (
            Form::Defender,
            r#"{"schema":[],"results":[],"error":{}}"#.into(),
            "and not which",
        ),
        (Form::Defender, r#"{"schema":[]}"#.into(), "no results"),
        (
            Form::ResourceGraph,
            r#"{"data":{"columns":[]}}"#.into(),
            "no rows",
        ),
        (
            Form::ResourceGraph,
            r#"{"data":{"columns":[],"rows":[]},"error":7}"#.into(),
            "and not which",
        ),
        (Form::Defender, r#"{"results":[]}"#.into(), "no schema"),
        (
            Form::Defender,
            r#"{"schema":[{"name":"N","type":"Int64"}],"results":[{"N":1,"n":2}]}"#.into(),
            "'n' twice",
        ),
        (
            Form::Defender,
            r#"{"schema":[{"name":"N","type":"Int64"}],"results":[[1]]}"#.into(),
            "row",
        ),
        (Form::ResourceGraph, r#"{"count":0}"#.into(), "no data"),
        (
            Form::ResourceGraph,
            r#"{"data":{"columns":[],"rows":[]},"data":{}}"#.into(),
            "twice",
        ),
        (
            Form::ResourceGraph,
            r#"{"data":[{"name":"vm"}]}"#.into(),
            "a table, which is an object",
        ),
        (
            Form::ResourceGraph,
            r#"{"data":{"rows":[]}}"#.into(),
            "no columns",
        ),
    ] {
        let told = good(form, &body).unwrap_err().to_string();
        assert!(told.contains(word), "{body}\n{told}\nlacks {word}");
    }
}

#[test]
fn documents_that_contradict_themselves_are_partial() {
    let table =
        r#"{"TableName":"T","Columns":[{"ColumnName":"N","ColumnType":"long"}],"Rows":[[1]]}"#;
    for (form, body, cause, word) in [
        (
            Form::KustoV1,
            format!(r#"{{"Tables":[{table},{table},{table}]}}"#),
            Cause::Broken,
            "only the first is shown",
        ),
        (
            Form::KustoV1,
            format!(r#"{{"Tables":[{table}],"Exceptions":{{"message":"it broke"}}}}"#),
            Cause::Service,
            "it broke",
        ),
        (
            Form::LogAnalytics,
            format!(r#"{{"tables":[{table}],"error":true}}"#),
            Cause::Service,
            "and not which",
        ),
        (
            Form::ResourceGraph,
            r#"{"count":2,"data":{"columns":[{"name":"N","type":"integer"}],"rows":[[1]]}}"#.into(),
            Cause::Broken,
            "2 rows, and 1 came",
        ),
    ] {
        let outcome = good(form, &body).unwrap();
        assert_eq!(outcome.rows(), 1);
        let [reason] = outcome.completeness.reasons() else {
            panic!("{body}\n{:?}", outcome.completeness);
        };
        assert_eq!(reason.cause, cause, "{body}");
        assert!(reason.to_string().contains(word), "{reason}");
    }
}

#[test]
fn nesting_and_width_have_limits() {
    let deep = "[".repeat(100_000);
    for (form, body) in [
        (
            Form::LogAnalytics,
            format!(r#"{{"tables":[{{"columns":[{{"name":"Y","type":"dynamic"}}],"rows":[[{deep}"#),
        ),
        (Form::KustoV2, format!(r#"[{{"a":{deep}"#)),
        (
            Form::Defender,
            format!(r#"{{"schema":[{{"name":"Y","type":"Object"}}],"results":[{{"Y":{deep}"#),
        ),
        (
            Form::ResourceGraph,
            format!(r#"{{"data":{{"columns":[{{"name":"Y","type":"object"}}],"rows":[[{deep}"#),
        ),
        (Form::LogAnalytics, deep.clone()),
    ] {
        assert!(good(form, &body).is_err());
    }
    let columns = vec![r#"{"name":"N","type":"long"}"#; 30_000].join(",");
    let told = good(
        Form::LogAnalytics,
        &format!(r#"{{"tables":[{{"columns":[{columns}],"rows":[]}}]}}"#),
    )
    .unwrap_err();
    assert!(told.to_string().contains("too many columns"), "{told}");
    let tables = vec![r#"{"columns":[],"rows":[]}"#; 2_000].join(",");
    let told = good(Form::LogAnalytics, &format!(r#"{{"tables":[{tables}]}}"#)).unwrap_err();
    assert!(told.to_string().contains("1000 tables"), "{told}");
    // Text that is nested too deep to be a value stays what it is.
    let text = serde_json::to_string(&"[".repeat(5_000)).unwrap();
    let body = format!(
        r#"{{"tables":[{{"columns":[{{"name":"Y","type":"dynamic"}}],"rows":[[{text}]]}}]}}"#
    );
    assert_eq!(good(Form::LogAnalytics, &body).unwrap().rows(), 1);
}

#[test]
fn values_that_take_many_times_their_text_are_refused() {
    let many = format!("[{}1]", "1,".repeat(3_000_000));
    let table = |rows: &str| {
        format!(r#"{{"tables":[{{"columns":[{{"name":"Y","type":"dynamic"}}],"rows":{rows}}}]}}"#)
    };
    let frame = |rest: &str| format!(r#"[{{"FrameType":"DataSetCompletion",{rest}}}]"#);
    for (form, body) in [
        (Form::LogAnalytics, table(&format!("[[{many}]]"))),
        (Form::LogAnalytics, table(&format!("[[\"{many}\"]]"))),
        (
            Form::LogAnalytics,
            table(&format!("[{{\"error\":{many}}}]")),
        ),
        (
            Form::LogAnalytics,
            format!(r#"{{"statistics":{many},"tables":[]}}"#),
        ),
        (Form::KustoV2, frame(&format!(r#""OneApiErrors":{many}"#))),
        (Form::KustoV2, frame(&format!(r#""error":{many}"#))),
        (Form::Defender, format!(r#"{{"error":{many}}}"#)),
        (Form::ResourceGraph, format!(r#"{{"$skipToken":{many}}}"#)),
    ] {
        let told = good(form, &body).unwrap_err().to_string();
        assert!(told.contains("more memory than it may"), "{told}");
    }
}
