//! What is sent for each kind of workspace.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use spoor_providers::config::{Config, Workspace};
use spoor_providers::request::{Method, Query, Request, RequestError, cancel, query, schema};
use spoor_providers::response::Form;

const GUID: &str = "0f0e0d0c-0b0a-0908-0706-050403020100";
const ID: &str = "spoor;4b1c";

fn workspace(body: &str) -> Workspace {
    let config: Config = toml::from_str(&format!("[workspaces.w]\n{body}")).unwrap();
    config.check().unwrap().list()[0].clone()
}

fn sentinel() -> Workspace {
    workspace(&format!("kind = 'log-analytics'\nworkspace-id = '{GUID}'"))
}

fn cluster() -> Workspace {
    workspace(
        "kind = 'kusto'\nendpoint = 'https://help.kusto.windows.net'\ndatabase = 'Samples'\n\
         [workspaces.w.limits]\ntimeout-seconds = 90\nrows = 7\nbytes = 1000",
    )
}

fn asked(text: &str) -> Query<'_> {
    Query {
        text,
        id: ID,
        ..Query::default()
    }
}

fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    let found = request.headers.iter().find(|(own, _)| *own == name);
    found.map(|(_, value)| value.as_str())
}

fn body(request: &Request) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

#[test]
fn log_analytics() {
    let timespan = Some("P1D");
    let request = query(
        &sentinel(),
        &Query {
            timespan,
            ..asked("T | take 1")
        },
    )
    .unwrap();
    assert_eq!(
        request.url.as_str(),
        format!("https://api.loganalytics.io/v1/workspaces/{GUID}/query")
    );
    assert_eq!(
        body(&request),
        json!({ "query": "T | take 1", "timespan": "P1D" })
    );
    assert_eq!(
        header(&request, "prefer"),
        Some("wait=180, include-statistics=true, include-render=true, include-permissions=true")
    );
    assert_eq!(header(&request, "x-ms-client-request-id"), Some(ID));
    assert_eq!(
        (request.method, request.form, request.timeout.as_secs()),
        (Method::Post, Form::LogAnalytics, 210)
    );
    assert_eq!(
        body(&query(&sentinel(), &asked("T")).unwrap()),
        json!({ "query": "T" })
    );
    assert_eq!(cancel(&sentinel(), ID, ID).unwrap(), None);

    let request = schema(&sentinel(), ID).unwrap().unwrap();
    assert_eq!(
        request.url.path(),
        format!("/v1/workspaces/{GUID}/metadata")
    );
    assert_eq!((request.method, request.body.len()), (Method::Get, 0));
}

#[test]
fn kusto() {
    let request = query(&cluster(), &asked("StormEvents | count")).unwrap();
    assert_eq!(
        request.url.as_str(),
        "https://help.kusto.windows.net/v2/rest/query"
    );
    assert_eq!(
        body(&request),
        json!({ "db": "Samples", "csl": "StormEvents | count", "properties": { "Options": {
            "servertimeout": "00:01:30", "request_readonly": true, "results_progressive_enabled": true,
            "truncationmaxrecords": 7, "truncationmaxsize": 1000,
        } } })
    );
    assert_eq!(
        (request.form, request.timeout.as_secs()),
        (Form::KustoV2, 120)
    );

    let request = cancel(&cluster(), ID, "spoor;other").unwrap().unwrap();
    assert_eq!(request.url.path(), "/v1/rest/mgmt");
    assert_eq!(body(&request)["csl"], r#".cancel query "spoor;4b1c""#);
    assert_eq!(
        body(&request)["properties"]["Options"]["request_readonly"],
        false
    );
    assert_eq!(
        header(&request, "x-ms-client-request-id"),
        Some("spoor;other")
    );

    let request = schema(&cluster(), ID).unwrap().unwrap();
    assert_eq!(body(&request)["csl"], ".show database schema as json");
    assert_eq!(request.form, Form::KustoSchema);
}

#[test]
fn only_show_of_all_commands() {
    let request = query(&cluster(), &asked("  .show tables | take 5")).unwrap();
    assert_eq!(
        (request.url.path(), request.form),
        ("/v1/rest/mgmt", Form::KustoV1)
    );
    assert_eq!(
        body(&request)["properties"]["Options"]["request_readonly"],
        true
    );
    for text in [
        ".drop table T",
        "\n.set-or-append T <| x",
        ".showx",
        ".cancel query 'x'",
        ".",
    ] {
        let told = query(&cluster(), &asked(text)).unwrap_err();
        assert!(
            matches!(told, RequestError::Command { .. }),
            "{text}: {told}"
        );
    }
}

#[test]
fn spoor_speaks_as_kusto_does() {
    let server =
        workspace("kind = 'spoor'\nendpoint = 'http://localhost:8400'\nplain-loopback = true");
    let request = query(&server, &asked("T")).unwrap();
    assert_eq!(request.url.as_str(), "http://localhost:8400/v2/rest/query");
    assert_eq!(body(&request)["db"], "");
}

#[test]
fn defender() {
    let timespan = Some("2026-01-01/P7D");
    let defender = workspace("kind = 'defender'\ncloud = 'us-government'");
    let request = query(
        &defender,
        &Query {
            timespan,
            ..asked("DeviceEvents")
        },
    )
    .unwrap();
    assert_eq!(
        request.url.as_str(),
        "https://graph.microsoft.us/v1.0/security/runHuntingQuery"
    );
    assert_eq!(
        body(&request),
        json!({ "Query": "DeviceEvents", "Timespan": "2026-01-01/P7D" })
    );
    assert_eq!(header(&request, "client-request-id"), Some(ID));
    assert_eq!(
        header(&request, "content-type"),
        Some("application/json; charset=utf-8")
    );
    assert_eq!(schema(&defender, ID).unwrap(), None);
}

#[test]
fn resource_graph() {
    let graph = workspace(&format!(
        "kind = 'resource-graph'\nsubscriptions = ['{GUID}']"
    ));
    let page = Some("token");
    let request = query(
        &graph,
        &Query {
            page,
            ..asked("Resources")
        },
    )
    .unwrap();
    assert_eq!(
        request.url.as_str(),
        "https://management.azure.com/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01"
    );
    let options = json!({ "resultFormat": "table", "$top": 1000, "$skipToken": "token" });
    assert_eq!(
        body(&request),
        json!({ "query": "Resources", "subscriptions": [GUID], "options": options })
    );
    let all = workspace("kind = 'resource-graph'\n[workspaces.w.limits]\nrows = 10");
    let body = body(&query(&all, &asked("Resources")).unwrap());
    assert_eq!(
        body,
        json!({ "query": "Resources", "options": { "resultFormat": "table", "$top": 10 } })
    );
}

#[test]
fn no_request_identifies_anyone() {
    for workspace in [
        sentinel(),
        cluster(),
        workspace("kind = 'defender'\ntenant = 'contoso.example'"),
        workspace("kind = 'resource-graph'"),
    ] {
        let request = query(&workspace, &asked("T")).unwrap();
        assert_eq!(header(&request, "authorization"), None);
        assert!(
            request
                .headers
                .iter()
                .all(|(name, _)| *name == name.to_ascii_lowercase())
        );
        assert!(
            workspace
                .remote
                .unwrap()
                .origin
                .admits(&request.url)
                .is_ok()
        );
    }
}

#[test]
fn what_cannot_be_sent() {
    let sentinel = sentinel();
    let long = "x".repeat(2 << 20);
    for (text, timespan, page, word) in [
        (" \n", None, None, "empty"),
        (long.as_str(), None, None, "1024 KiB"),
        ("T", Some("yesterday"), None, "'yesterday' is no time span"),
        ("T", Some("P1D\r\nX: y"), None, "no time span"),
        ("T", None, Some("2"), "Log Analytics gives no pages"),
    ] {
        let told = query(
            &sentinel,
            &Query {
                text,
                timespan,
                page,
                id: ID,
            },
        )
        .unwrap_err()
        .to_string();
        assert!(told.contains(word), "{told}");
    }
    let timespan = Some("P1D");
    let told = query(
        &cluster(),
        &Query {
            timespan,
            ..asked("T")
        },
    )
    .unwrap_err()
    .to_string();
    assert!(told.contains("write it in the query"), "{told}");
    for id in ["", "a b", "a\r\nb", "a\"", "é", &"x".repeat(201)] {
        let told = query(
            &sentinel,
            &Query {
                text: "T",
                id,
                ..Query::default()
            },
        )
        .unwrap_err();
        assert!(matches!(told, RequestError::Id(_)), "{told}");
        assert!(cancel(&cluster(), id, ID).is_err() && schema(&cluster(), id).is_err());
    }
    let told = query(&workspace("kind = 'local'"), &asked("T")).unwrap_err();
    assert_eq!(told, RequestError::Local("w".into()));
}
