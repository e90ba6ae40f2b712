//! Answers that are no results: what is said of them.
#![allow(clippy::unwrap_used)]

use spoor_providers::config::{Config, Limits, Workspace};
use spoor_providers::response::{
    Answer, DecodeError, Form, ServiceError, TableSchema, decode, decode_schema, failure,
};
use spoor_providers::retry::Failure;

fn workspace(kind: &str) -> Workspace {
    let rest = match kind {
        "log-analytics" => "workspace-id = '0f0e0d0c-0b0a-0908-0706-050403020100'",
        "kusto" => "endpoint = 'https://help.kusto.windows.net'\ndatabase = 'Samples'",
        _ => "",
    };
    let config: Config =
        toml::from_str(&format!("[workspaces.soc]\nkind = '{kind}'\n{rest}")).unwrap();
    config.check().unwrap().list()[0].clone()
}

fn fail(kind: &str, status: u16, headers: &[(&str, &str)], body: &str) -> ServiceError {
    let body = body.as_bytes();
    failure(
        &workspace(kind),
        &Answer {
            status,
            headers,
            body,
        },
    )
}

#[test]
fn the_querys_mistake_with_its_place() {
    let body = r#"{"error":{"message":"The request had some invalid properties","code":"BadArgumentError",
        "correlationId":"611dc354","innererror":{"code":"SyntaxError","message":"A recognition error occurred in the query.",
        "innererror":{"code":"SYN0002","message":"Query could not be parsed at 'whre' on line [2,3]","line":2,"pos":3,"token":"whre"}}}}"#;
    let error = fail("log-analytics", 400, &[("x-ms-request-id", "r-1")], body);
    assert_eq!(error.fault.code, "BadArgumentError");
    assert_eq!(
        error.to_string(),
        "Query could not be parsed at 'whre' on line [2,3] (SYN0002) [activity 611dc354] [request r-1]"
    );
    let codes: Vec<&str> = error
        .fault
        .inner
        .iter()
        .map(|inner| inner.code.as_str())
        .collect();
    assert_eq!(codes, ["SyntaxError", "SYN0002"]);
    assert_eq!(error.hint, None);
    let shown = error.to_fetch_error("T é\n| whre x");
    assert_eq!((shown.mistakes[0].start, shown.mistakes[0].end), (6, 10));

    let body = r#"{"error":{"code":"BadArgumentError","message":"The request had some invalid properties","innererror":{
        "code":"SemanticError","message":"A semantic error occurred.","innererror":{"code":"SEM0100",
        "message":"'take' operator: Failed to resolve table or column expression named 'Appquests'"}}}}"#;
    let error = fail("log-analytics", 400, &[], body);
    assert!(
        error.to_string().ends_with("named 'Appquests' (SEM0100)"),
        "{error}"
    );
    assert!(error.to_fetch_error("x").mistakes.is_empty());
}

#[test]
fn kustos_own_message_says_more() {
    let body = r#"{"error":{"code":"General_BadRequest","message":"Request is invalid and cannot be executed.",
        "@type":"Kusto.Data.Exceptions.KustoBadRequestException",
        "@message":"Request is invalid and cannot be processed: Syntax error: SYN0002: A recognition error occurred. [line:position=1:4]. Query: 'T ||'",
        "@context":{"activityId":"9dcc4522-7b51-41db-a7ae-7c1bfe0696b2"},"@permanent":true}}"#;
    let error = fail("kusto", 400, &[("X-MS-Activity-Id", "other")], body);
    assert_eq!(
        error.fault.activity_id.as_deref(),
        Some("9dcc4522-7b51-41db-a7ae-7c1bfe0696b2")
    );
    assert_eq!(error.fault.permanent, Some(true));
    let place = error.fault.place.unwrap();
    assert_eq!((place.line, place.position), (1, 4));

    let error = fail(
        "kusto",
        400,
        &[],
        r#"{"error":{"code":"BadRequest_DatabaseNotExist","message":"not found"}}"#,
    );
    assert_eq!(
        error.hint.as_deref(),
        Some("check 'endpoint' and 'database', which is 'Samples'")
    );
    // Servers in between answer without any body.
    let error = fail(
        "kusto",
        502,
        &[("x-ms-activity-id", "a-1")],
        "<html>Bad Gateway</html>",
    );
    assert_eq!(
        error.to_string(),
        "Azure Data Explorer answered with status 502 and '<html>Bad Gateway</html>' [activity a-1]"
    );
}

#[test]
fn graphs_errors_have_their_identifiers_within() {
    let body = r#"{"error":{"code":"BadRequest","message":"'summarize' operator: Failed to resolve scalar expression named 'X'. Fix semantic errors in your query.",
        "innerError":{"date":"2026-02-26T09:31:49","request-id":"6ae93e30","client-request-id":"c43d412b"}}}"#;
    let error = fail("defender", 400, &[("request-id", "6ae93e30")], body);
    assert!(
        error.to_string().contains("named 'X'. Fix semantic errors"),
        "{error}"
    );
    assert_eq!(error.fault.activity_id.as_deref(), Some("6ae93e30"));
    assert!(error.fault.inner.is_empty());
}

#[test]
fn hints_say_what_to_do() {
    for (kind, status, headers, word) in [
        (
            "log-analytics",
            401,
            &[][..],
            "sign in to the workspace 'soc' again",
        ),
        ("log-analytics", 403, &[], "Log Analytics Reader"),
        ("kusto", 403, &[], "viewer"),
        ("defender", 403, &[], "ThreatHunting.Read.All"),
        ("resource-graph", 403, &[], "Reader on the subscriptions"),
        (
            "log-analytics",
            404,
            &[],
            "'workspace-id', which is 0f0e0d0c",
        ),
        ("kusto", 404, &[], "'database', which is 'Samples'"),
        (
            "defender",
            429,
            &[("Retry-After", "17")],
            "wait for 17 seconds",
        ),
        (
            "defender",
            429,
            &[("Retry-After", "Tue, 15 Nov 1994 08:12:41 GMT")],
            "wait for the time Tue",
        ),
        ("defender", 429, &[], "wait and try again"),
        (
            "resource-graph",
            429,
            &[("x-ms-user-quota-resets-after", "00:00:05")],
            "wait for the time 00:00:05",
        ),
        ("log-analytics", 504, &[], "limits.timeout-seconds"),
        ("resource-graph", 503, &[], "try again later"),
        (
            "kusto",
            307,
            &[("location", "https://evil.example/")],
            "endpoint",
        ),
        ("kusto", 413, &[], "fewer rows"),
    ] {
        let error = fail(kind, status, headers, "");
        let hint = error.hint.unwrap();
        assert!(hint.contains(word), "{hint}\nlacks {word}");
    }
    // A query that took too long takes too long again; elsewhere 504 is a gateway's.
    let overrun = fail("log-analytics", 504, &[("retry-after", "1")], "");
    let failure = Failure::of(&overrun);
    assert_eq!(
        failure,
        Failure::Status {
            status: 504,
            retry_after: Some("1"),
            permanent: Some(true)
        }
    );
    assert_eq!(fail("kusto", 504, &[], "").fault.permanent, None);
}

#[test]
fn headers_that_are_no_identifiers_are_none() {
    for value in ["a\r\nb", "\u{1b}[31mred", "", "é", &"x".repeat(300)] {
        assert_eq!(
            fail("kusto", 500, &[("x-ms-activity-id", value)], "{}")
                .fault
                .activity_id,
            None,
            "{value:?}"
        );
    }
}

#[test]
fn strange_bodies_of_errors_say_what_they_can() {
    let silent = "Log Analytics answered with status 500 and no reason";
    let long = "é".repeat(1_000);
    for (body, wanted) in [
        ("", silent),
        ("null", silent),
        ("[]", silent),
        ("{}", silent),
        (r#""text""#, "text"),
        (
            r#"{"error":null}"#,
            r#"Log Analytics answered with status 500 and '{"error":null}'"#,
        ),
        (r#"{"error":{"code":5,"message":[]}}"#, "5"),
        (r#"{"error":"plain"}"#, "plain"),
        (
            r#"{"error":"invalid_token","error_description":"it has expired"}"#,
            "it has expired (invalid_token)",
        ),
        (
            r#"{"message":"An error has occurred."}"#,
            "An error has occurred.",
        ),
        (
            r#"{"error":{"code":"A\u0007","message":"one\r\ntwo\u001b[31m","activityId":"\u001b"}}"#,
            "one\ntwo\\u{1b}[31m (A\\u{7})",
        ),
        (
            "upstream\r\n\u{1b}[31m",
            "Log Analytics answered with status 500 and 'upstream\\r\\n\\u{1b}[31m'",
        ),
        (
            &long,
            &format!(
                "Log Analytics answered with status 500 and '{}'",
                "é".repeat(200)
            ),
        ),
    ] {
        let error = fail("log-analytics", 500, &[], body);
        assert_eq!(error.to_string(), wanted, "{body}");
    }
    let deep = format!(
        "{}{}",
        r#"{"innererror":"#.repeat(60) + r#"{"message":"deepest"}"#,
        "}".repeat(60)
    );
    let error = fail("log-analytics", 400, &[], &format!(r#"{{"error":{deep}}}"#));
    assert_eq!(error.fault.message, "deepest");
    let huge = format!(
        r#"{{"error":{{"code":"X","message":"{}"}}}}"#,
        "é".repeat(100_000)
    );
    assert_eq!(
        fail("kusto", 400, &[], &huge).fault.message.chars().count(),
        4_000
    );
}

#[test]
fn an_error_behind_a_good_status_gets_its_hint_too() {
    let workspace = workspace("kusto");
    let body = br#"{"error":{"code":"BadRequest_DatabaseNotExist","message":"no such database"}}"#;
    let answer = Answer {
        status: 200,
        headers: &[("x-ms-activity-id", "a-1"), ("x-ms-request-id", "r-1")],
        body,
    };
    let error = decode(Form::KustoV2, Limits::default(), &answer).unwrap_err();
    let error = ServiceError::of_decoding(&workspace, answer.headers, &error).unwrap();
    assert_eq!(
        error.to_string(),
        "no such database (BadRequest_DatabaseNotExist) [activity a-1] [request r-1]"
    );
    assert!(error.hint.unwrap().contains("'Samples'"));
}

fn read_schema(form: Form, body: &str) -> Result<Vec<TableSchema>, DecodeError> {
    let answer = Answer {
        status: 200,
        headers: &[],
        body: body.as_bytes(),
    };
    decode_schema(form, Limits::default(), &answer)
}

#[test]
fn schemas_that_are_not_whole_are_none() {
    let columns = vec![r#"{"name":"N"}"#; 10_001].join(",");
    let table = format!(r#"{{"name":"T","columns":[{columns}]}}"#);
    let tables = vec![table; 100].join(",");
    let error = r#"{"Tables":[{"Columns":[{"ColumnName":"S","DataType":"String"}],"Rows":[["{\"Databases\":{}}"],{"Exceptions":["it broke"]}]}]}"#;
    for (form, body, word) in [
        (
            Form::LogAnalyticsSchema,
            format!(r#"{{"tables":[{tables}]}}"#),
            "1000000 columns",
        ),
        (Form::KustoSchema, error.to_owned(), "it broke"),
    ] {
        let told = read_schema(form, &body).unwrap_err().to_string();
        assert!(told.contains(word), "{told}");
    }
}

fn schema(form: Form, body: &str) -> Vec<String> {
    let tables = read_schema(form, body).unwrap();
    let shown = |table: TableSchema| {
        let columns: Vec<String> = table
            .columns
            .iter()
            .map(|c| format!("{}: {}", c.name, c.ty))
            .collect();
        format!("{}({})", table.name, columns.join(", "))
    };
    tables.into_iter().map(shown).collect()
}

#[test]
fn schemas() {
    let body = r#"{"tables":[{"id":"t/B","name":"B","labels":["x"],"columns":[{"name":"TimeGenerated","type":"datetime"},{"name":"Odd","type":"new"}]},
        {"name":"A","timespanColumn":"T","columns":null}],"tableGroups":[]}"#;
    assert_eq!(
        schema(Form::LogAnalyticsSchema, body),
        ["A()", "B(TimeGenerated: datetime, Odd: dynamic)"]
    );

    let inner = r#"{"Plugins":[],"Databases":{"Samples":{"Name":"Samples","Tables":{"StormEvents":{"Name":"StormEvents","OrderedColumns":[
        {"Name":"StartTime","Type":"System.DateTime","CslType":"datetime"},{"Name":"State","Type":"System.String","CslType":"string"}]}},
        "ExternalTables":null,"MaterializedViews":{"Daily":{"OrderedColumns":[{"Name":"N","Type":"System.Int64","CslType":"long"}]}}}}}"#;
    let rows = serde_json::json!([[inner]]);
    let body = format!(
        r#"{{"Tables":[{{"TableName":"T","Columns":[{{"ColumnName":"DatabaseSchema","DataType":"String"}}],"Rows":{rows}}}]}}"#
    );
    assert_eq!(
        schema(Form::KustoSchema, &body),
        [
            "Daily(N: long)",
            "StormEvents(StartTime: datetime, State: string)"
        ]
    );
}
