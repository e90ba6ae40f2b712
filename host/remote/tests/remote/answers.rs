//! Services that do as they should.

use std::time::Duration;

use spoor_remote::{Client, Progress, Until};

use super::asking::{CANARY, Canaries, TWO, ask, ask_logs, options, workspace};
use super::server::{Server, answer, pieces};

const PROGRESSIVE: &str =
    include_str!("../../../../runtime/providers/tests/data/progressive.kusto-v2.json");

const PARTIAL: &str =
    include_str!("../../../../runtime/providers/tests/data/partial.log-analytics.json");

fn page(rows: &str, next: Option<&str>) -> String {
    let next = next.map_or(String::new(), |next| format!(r#","$skipToken":"{next}""#));
    format!(
        r#"{{"totalRecords":3,"data":{{"columns":[{{"name":"name","type":"string"}}],"rows":{rows}}},"resultTruncated":"false"{next}}}"#
    )
}

#[test]
fn log_analytics_answers() {
    let server = Server::new(vec![answer(200, "", TWO)]);
    let came = ask_logs(&server);
    assert_eq!(came.rows(), 2);
    assert!(came.result.unwrap().completeness.is_complete());
    let seen = &server.seen()[0];
    assert!(
        seen.head
            .starts_with("POST /v1/workspaces/0f0e0d0c-0b0a-0908-0706-050403020100/query HTTP/1.1")
    );
    let header = |name| seen.header(name).unwrap_or_default().to_owned();
    assert_eq!(header("authorization"), format!("Bearer {CANARY}"));
    assert_eq!(header("host"), format!("127.0.0.1:{}", server.port));
    assert_eq!(header("accept-encoding"), "identity");
    assert!(header("x-ms-client-request-id").starts_with("Spoor;"));
    assert_eq!(
        (seen.header("cookie"), seen.header("referer")),
        (None, None)
    );
    assert!(seen.body.contains("SecurityEvent | take 2"));
}

#[test]
fn kusto_answers_frame_by_frame() {
    for size in [7, 100] {
        let server = Server::new(vec![pieces(PROGRESSIVE, size, Duration::ZERO)]);
        let came = ask(&workspace("kusto", &server, ""));
        assert_eq!(came.rows(), 2);
        let reads = |told: &Progress| matches!(told, Progress::Reading { .. });
        assert!(came.progress.iter().any(reads));
        assert!(server.seen()[0].head.starts_with("POST /v2/rest/query "));
        assert_eq!(server.cancels().len(), 0);
    }
}

#[test]
fn resource_graph_answers_in_pages() {
    let server = Server::new(vec![
        answer(200, "", &page(r#"[["a"],["b"]]"#, Some("second"))),
        answer(503, "", ""),
        answer(200, "", &page(r#"[["c"]]"#, None)),
    ]);
    let came = ask(&workspace("resource-graph", &server, ""));
    assert_eq!(came.rows(), 3);
    assert!(came.progress.contains(&Progress::Asking { page: 2 }));
    let outcome = came.result.unwrap();
    assert!(outcome.completeness.is_complete() && outcome.next.is_none());
    let seen = server.seen();
    assert!(!seen[0].body.contains("skipToken"));
    assert!(seen[1].body.contains("second") && seen[2].body.contains("second"));
    assert!(seen[2].head.contains("?api-version="));
}

#[test]
fn pages_that_lead_to_themselves_end() {
    let server = Server::new(vec![answer(200, "", &page(r#"[["a"]]"#, Some("again")))]);
    let error = ask(&workspace("resource-graph", &server, "")).error();
    assert!(error.contains("lead nowhere"), "{error}");
    assert_eq!(server.seen().len(), 2);
}

#[test]
fn a_partial_result_says_so() {
    let server = Server::new(vec![answer(200, "", PARTIAL)]);
    let came = ask_logs(&server);
    assert_eq!(came.rows(), 2);
    assert!(!came.result.unwrap().completeness.is_complete());
}

#[test]
fn a_schema_is_told_where_there_is_one() {
    let body =
        r#"{"tables":[{"name":"Heartbeat","columns":[{"name":"Computer","type":"string"}]}]}"#;
    let server = Server::new(vec![answer(200, "", body)]);
    let client = Client::new(options());
    let schema = |kind| {
        let workspace = workspace(kind, &server, "");
        client.schema(&workspace, &Canaries::default(), &Until(None), &mut |_| {})
    };
    let tables = schema("log-analytics").unwrap();
    assert_eq!(tables[0].name, "Heartbeat");
    assert_eq!(tables[0].columns.len(), 1);
    assert!(server.seen()[0].head.starts_with("GET /v1/workspaces/"));
    assert!(schema("resource-graph").unwrap().is_empty());
    assert_eq!(server.seen().len(), 1);
}
