//! The routes over an engine that does as the query says: who may ask, what is refused in which words, and when a query ends.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use serde_json::{Value as Json, json};
use spoor_protocol::Mistake;
use spoor_store::pieces::Limits;
use spoor_store::{
    Answer, Asked, Engine, Fault, Options, Origins, Problem, Stop, Store, TableSchema, Tokens,
};
use spoor_table::{Column, KustoType, Table, Value};
use tower::ServiceExt;

/// The SHA-256 of `secret`.
const SECRET: &str = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";

/// The origin of the pages that may ask.
const PAGE: &str = "https://hunts.example";

/// Counts what runs.
#[derive(Default)]
struct Fake(Arc<AtomicUsize>);

impl Engine for Fake {
    fn run(&self, asked: &Asked<'_>, stop: &dyn Fn() -> Option<Stop>) -> Result<Answer, Problem> {
        match asked.text {
            "wrong" => Err(Problem {
                mistakes: vec![Mistake {
                    start: 0,
                    end: 5,
                    message: "no".into(),
                    hint: None,
                }],
                ..Problem::new(Fault::Semantic, "there is no table `wrong`")
            }),
            "panic" => panic!("as the query says"),
            "endless" => {
                self.0.fetch_add(1, Ordering::SeqCst);
                let stopped = loop {
                    std::thread::sleep(Duration::from_millis(5));
                    if let Some(stop) = stop() {
                        break stop;
                    }
                };
                self.0.fetch_sub(1, Ordering::SeqCst);
                Err(Problem::new(Fault::Stopped(stopped), "stopped"))
            }
            _ => Ok(Answer {
                table: numbers(asked.between),
                render: None,
            }),
        }
    }

    fn schema(&self, _: &dyn Fn() -> Option<Stop>) -> Result<Vec<TableSchema>, Problem> {
        Ok(vec![TableSchema {
            name: "Logs".into(),
            columns: vec![Column::new("n", KustoType::Long)],
        }])
    }
}

/// Three numbers; the first says whether there is a time span.
fn numbers(between: Option<(i64, i64)>) -> Table {
    let rows: Vec<Vec<Value>> = [i64::from(between.is_some()), 2, 3]
        .map(|n| vec![Value::Long(n)])
        .into();
    Table::from_values(vec![Column::new("n", KustoType::Long)], &rows).unwrap()
}

fn store(tokens: bool, time: Duration) -> (Router, Arc<AtomicUsize>) {
    let fake = Fake::default();
    let count = fake.0.clone();
    let options = Options {
        name: "hunts".into(),
        version: "1.2.3".into(),
        origins: Origins::read(&[PAGE.to_owned()]).unwrap(),
        tokens: tokens.then(|| Tokens::read(&format!("ana {SECRET}")).unwrap()),
        limits: Limits {
            rows: 2,
            bytes: 1_000,
        },
        time,
        at_once: 2,
        is_encrypted: tokens,
    };
    (Store::new(Arc::new(fake), options).routes(), count)
}

fn open() -> Router {
    store(false, Duration::from_secs(60)).0
}

fn post(path: &str, body: &Json) -> Request<Body> {
    let request = Request::post(path).header("host", "127.0.0.1:8301");
    request.body(Body::from(body.to_string())).unwrap()
}

fn kusto(csl: &str, options: Json) -> Json {
    json!({ "db": "hunts", "csl": csl, "properties": json!({ "Options": options }).to_string() })
}

async fn ask(routes: &Router, request: Request<Body>) -> (StatusCode, Json) {
    let response = routes.clone().oneshot(request).await.unwrap();
    let status = response.status();
    (status, json_of(response).await)
}

async fn json_of(response: Response<Body>) -> Json {
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20)
        .await
        .unwrap();
    serde_json::from_slice(&bytes).unwrap_or_default()
}

#[tokio::test]
async fn every_answer_is_data_and_no_page() {
    let preflight = |page: &str| {
        let request = Request::options("/v2/rest/query").header("host", "127.0.0.1");
        let request = request.header("origin", page);
        let request = request.header("access-control-request-method", "POST");
        request.body(Body::empty()).unwrap()
    };
    let query = || post("/v2/rest/query", &kusto("T", json!({})));
    for (tokens, year) in [(true, Some("max-age=31536000")), (false, None)] {
        let routes = store(tokens, Duration::from_secs(60)).0;
        for request in [query(), post("/nowhere", &json!({})), preflight(PAGE)] {
            let response = routes.clone().oneshot(request).await.unwrap();
            let header = |name: &str| response.headers().get(name).map(|v| v.to_str().unwrap());
            let policy = "default-src 'none'; frame-ancestors 'none'";
            assert_eq!(header("content-security-policy"), Some(policy));
            assert_eq!(header("x-content-type-options"), Some("nosniff"));
            assert_eq!(header("referrer-policy"), Some("no-referrer"));
            assert_eq!(header("x-frame-options"), Some("DENY"));
            assert_eq!(header("cache-control"), Some("no-store"));
            // Where there is TLS, which here goes with the tokens.
            assert_eq!(header("strict-transport-security"), year);
        }
    }
}

#[tokio::test]
async fn queries_of_both_services() {
    let routes = open();
    let asked = json!({ "query": "T", "timespan": "P1D", "workspaces": null });
    let (status, body) = ask(&routes, post("/v1/workspaces/HUNTS/query", &asked)).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(body["tables"][0]["rows"], json!([[1], [2]]));
    assert_eq!(body["error"]["code"], "PartialError");
    let address = "/v1/workspaces/hunts/query?query=print+%22a%26b%22&timespan=P1D";
    let asked = Request::get(address)
        .header("host", "localhost")
        .body(Body::empty());
    let (status, again) = ask(&routes, asked.unwrap()).await;
    assert_eq!(
        (status, &again["tables"]),
        (StatusCode::OK, &body["tables"])
    );
    let plenty = json!({ "notruncation": true });
    let (status, body) = ask(&routes, post("/v2/rest/query", &kusto("T", plenty))).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(body[2]["Rows"], json!([[0], [2], [3]]));
    let few = json!({ "truncationmaxrecords": 1 });
    let (_, body) = ask(&routes, post("/v1/rest/query", &kusto("T", few))).await;
    assert_eq!(body["Tables"][0]["Rows"][0], json!([0]));
    assert!(body["Tables"][0]["Rows"][1]["Exceptions"].is_array());
}

#[tokio::test]
async fn several_queries_in_one_request() {
    let one = |id: &str, query: &str| json!({ "id": id, "workspace": "hunts", "body": { "query": query }, "headers": {}, "path": "/query", "method": "POST" });
    let asked = json!({ "requests": [one("a", "T"), one("b", "wrong")] });
    let (status, body) = ask(&open(), post("/v1/$batch", &asked)).await;
    assert_eq!(status, StatusCode::OK);
    let responses = body["responses"].as_array().unwrap();
    assert_eq!(responses.len(), 2);
    assert_eq!(
        (&responses[0]["id"], &responses[0]["status"]),
        (&json!("a"), &json!(200))
    );
    assert_eq!(responses[0]["body"]["tables"][0]["rows"][1], json!([2]));
    assert_eq!(responses[1]["status"], 400);
    assert_eq!(responses[1]["body"]["error"]["code"], "BadArgumentError");
    let (_, none) = ask(&open(), post("/v1/$batch", &json!({ "requests": [] }))).await;
    assert_eq!(none, json!({ "responses": [] }));
}

#[tokio::test]
async fn who_wants_it_unthinned_gets_kusto_s_version_1() {
    let mut asked = post("/v1/workspaces/hunts/query", &json!({ "query": "T" }));
    let prefer = "ai.response-thinning=false, wait=60";
    asked
        .headers_mut()
        .insert("prefer", prefer.parse().unwrap());
    let (status, body) = ask(&open(), asked).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        body["Tables"][0]["Rows"].as_array().map(Vec::len),
        Some(3),
        "two rows, and what was left out: {body}"
    );
    assert_eq!(body["Tables"][3]["Rows"][0][2], "PrimaryResult");
}

#[tokio::test]
async fn errors_are_in_each_service_s_words() {
    let routes = open();
    let query = json!({ "query": "wrong" });
    let (status, body) = ask(&routes, post("/v1/workspaces/hunts/query", &query)).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(body["error"]["innererror"]["innererror"]["line"], 1);
    let (status, body) = ask(&routes, post("/v2/rest/query", &kusto("wrong", json!({})))).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let told = body["error"]["@message"].as_str().unwrap();
    assert!(
        told.starts_with("Semantic error:") && told.contains("[line:position=1:1]"),
        "{told}"
    );
    assert_eq!(
        body["error"]["@type"],
        "Kusto.Data.Exceptions.SemanticException"
    );
    assert!(body["error"]["@context"]["activityId"].is_string());
    let (status, body) = ask(&routes, post("/v1/workspaces/other/query", &query)).await;
    assert_eq!(
        (status, &body["error"]["code"]),
        (StatusCode::NOT_FOUND, &json!("WorkspaceNotFoundError"))
    );
    let other = json!({ "db": "other", "csl": "T" });
    let (status, body) = ask(&routes, post("/v2/rest/query", &other)).await;
    assert_eq!(
        (status, &body["error"]["code"]),
        (StatusCode::BAD_REQUEST, &json!("BadRequest_EntityNotFound"))
    );
    let (status, _) = ask(&routes, post("/v3/rest/query", &other)).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let long = json!({ "db": "hunts", "csl": "x".repeat(5 << 20) });
    let (status, _) = ask(&routes, post("/v2/rest/query", &long)).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    let mut set = kusto("T", json!({}));
    set["properties"] = json!({ "Parameters": { "n": "1" } });
    let (status, _) = ask(&routes, post("/v2/rest/query", &set)).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_panic_is_an_error_and_takes_no_place() {
    let routes = open();
    for _ in 0..3 {
        let (status, body) = ask(&routes, post("/v2/rest/query", &kusto("panic", json!({})))).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(body["error"]["code"], "General_InternalServerError");
    }
    let query = json!({ "query": "panic" });
    let (status, body) = ask(&routes, post("/v1/workspaces/hunts/query", &query)).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(body["error"]["code"], "InternalServerError");
    let (status, _) = ask(&routes, post("/v2/rest/query", &kusto("T", json!({})))).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn commands_that_clients_send() {
    let routes = open();
    for (command, at, wanted) in [
        (".show databases", 0, json!("hunts")),
        (".show databases", 3, json!(1)),
        (".show tables", 0, json!("Logs")),
        (".show version", 3, json!("1.2.3")),
        (".show table Logs cslschema", 1, json!("n:long")),
    ] {
        let asked = json!({ "db": "NetDefaultDB", "csl": command });
        let (status, body) = ask(&routes, post("/v1/rest/mgmt", &asked)).await;
        assert_eq!(status, StatusCode::OK, "{command} {body}");
        assert_eq!(body["Tables"][0]["Rows"][0][at], wanted, "{command}");
    }
    let drop = json!({ "db": "hunts", "csl": ".drop table Logs" });
    let (status, _) = ask(&routes, post("/v1/rest/mgmt", &drop)).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn only_who_has_a_token_may_ask() {
    let (routes, _) = store(true, Duration::from_secs(60));
    let body = kusto("T", json!({ "notruncation": true }));
    let with = |token: &str| {
        let mut request = post("/v2/rest/query", &body);
        let headers = request.headers_mut();
        headers.insert("authorization", token.parse().unwrap());
        headers.insert("x-ms-client-request-id", "me;1".parse().unwrap());
        request
    };
    let response = routes.clone().oneshot(with("Bearer other")).await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert!(response.headers().contains_key("www-authenticate"));
    assert_eq!(response.headers()["x-ms-client-request-id"], "me;1");
    assert_eq!(response.headers()["x-ms-activity-id"].len(), 36);
    assert_eq!(ask(&routes, with("Bearer secret")).await.0, StatusCode::OK);
    assert_eq!(
        ask(&routes, with("Basic secret")).await.0,
        StatusCode::UNAUTHORIZED
    );
    let metadata = Request::get("/v1/rest/auth/metadata")
        .body(Body::empty())
        .unwrap();
    let (status, told) = ask(&routes, metadata).await;
    assert_eq!(status, StatusCode::OK);
    assert!(told["AzureAD"]["LoginEndpoint"].is_string());
}

#[tokio::test]
async fn pages_that_were_named_ask_as_browsers_do() {
    let (routes, _) = store(true, Duration::from_secs(60));
    for (origin, may) in [(PAGE, true), ("https://evil.example", false)] {
        let ask_first = Request::options("/v2/rest/query")
            .header("host", "logs.example")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header(
                "access-control-request-headers",
                "authorization,content-type,x-ms-app",
            )
            .body(Body::empty())
            .unwrap();
        let answer = routes.clone().oneshot(ask_first).await.unwrap();
        let allowed = answer.headers().get("access-control-allow-origin");
        assert_eq!(allowed.is_some_and(|allowed| allowed == origin), may);
        assert_eq!(
            answer.headers().get("access-control-allow-credentials"),
            None
        );

        let mut request = post("/v2/rest/query", &kusto("T", json!({})));
        let headers = request.headers_mut();
        headers.insert("origin", origin.parse().unwrap());
        headers.insert("sec-fetch-site", "cross-site".parse().unwrap());
        headers.insert("authorization", "Bearer secret".parse().unwrap());
        let answer = routes.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status().is_success(), may, "{origin}");
        let vary = answer.headers().get_all("vary").iter();
        assert!(
            vary.map(|value| value.to_str().unwrap())
                .any(|value| value.contains("origin"))
        );
    }
    // A page needs a token as anybody does.
    let mut request = post("/v2/rest/query", &kusto("T", json!({})));
    request
        .headers_mut()
        .insert("origin", PAGE.parse().unwrap());
    assert_eq!(ask(&routes, request).await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_cloud_s_endpoints_are_told_before_there_is_a_token() {
    let (guarded, _) = store(true, Duration::from_secs(60));
    for (routes, host, origin) in [
        (&guarded, "hunts.example:8301", "https://hunts.example:8301"),
        (&guarded, "user@hunts.example", "https://hunts.example"),
        (&open(), "[::1]:8301", "http://[::1]:8301"),
    ] {
        let asked = Request::get("/metadata/endpoints?api-version=latest").header("host", host);
        let (status, told) = ask(routes, asked.body(Body::empty()).unwrap()).await;
        assert_eq!(status, StatusCode::OK, "{host}");
        assert_eq!(told["logAnalyticsResourceId"], origin);
        assert_eq!(told["resourceManager"], format!("{origin}/"));
    }
    for host in ["", "a b", "hunts.example/path"] {
        let asked = Request::get("/metadata/endpoints").header("host", host);
        let (status, _) = ask(&guarded, asked.body(Body::empty()).unwrap()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{host}");
    }
}

#[tokio::test]
async fn pages_of_browsers_are_refused() {
    let (guarded, _) = store(true, Duration::from_secs(60));
    for (routes, name, value) in [
        (open(), "origin", "http://127.0.0.1:8301"),
        (open(), "sec-fetch-site", "same-origin"),
        (guarded, "origin", "https://evil.example"),
    ] {
        let mut request = post("/v2/rest/query", &kusto("T", json!({})));
        request.headers_mut().insert(name, value.parse().unwrap());
        assert_eq!(
            ask(&routes, request).await.0,
            StatusCode::FORBIDDEN,
            "{name}"
        );
    }
    let mut request = post("/v2/rest/query", &kusto("T", json!({})));
    request
        .headers_mut()
        .insert("host", "evil.example".parse().unwrap());
    assert_eq!(
        ask(&open(), request).await.0,
        StatusCode::MISDIRECTED_REQUEST
    );
}

#[tokio::test]
async fn a_query_ends_when_its_time_is_up() {
    let (routes, count) = store(false, Duration::from_secs(60));
    let short = json!({ "servertimeout": "00:00:00.05" });
    let (status, body) = ask(&routes, post("/v2/rest/query", &kusto("endless", short))).await;
    assert_eq!(status, StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(body["error"]["@permanent"], false);
    let (routes, _) = store(false, Duration::from_millis(50));
    let query = json!({ "query": "endless" });
    let (status, body) = ask(&routes, post("/v1/workspaces/hunts/query", &query)).await;
    assert_eq!(
        (status, &body["error"]["code"]),
        (StatusCode::GATEWAY_TIMEOUT, &json!("GatewayTimeout"))
    );
    assert_eq!(count.load(Ordering::SeqCst), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_ends_when_nobody_waits_or_somebody_cancels() {
    let (routes, count) = store(false, Duration::from_secs(60));
    let mut request = post("/v2/rest/query", &kusto("endless", json!({})));
    request
        .headers_mut()
        .insert("x-ms-client-request-id", "me;2".parse().unwrap());
    let waiting = tokio::spawn(routes.clone().oneshot(request));
    until(&count, 1).await;
    let cancel = json!({ "db": "hunts", "csl": ".cancel query \"me;2\"" });
    assert_eq!(
        ask(&routes, post("/v1/rest/mgmt", &cancel)).await.0,
        StatusCode::OK
    );
    let answered = waiting.await.unwrap().unwrap();
    assert_eq!(json_of(answered).await["error"]["code"], "QueryCancelled");
    assert_eq!(
        ask(&routes, post("/v1/rest/mgmt", &cancel)).await.0,
        StatusCode::BAD_REQUEST
    );

    let leaving = routes
        .clone()
        .oneshot(post("/v2/rest/query", &kusto("endless", json!({}))));
    let waiting = tokio::spawn(leaving);
    until(&count, 1).await;
    waiting.abort();
    until(&count, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_waits_for_its_turn_is_cancelled_there() {
    let (routes, count) = store(false, Duration::from_secs(60));
    let endless = |name: &str| {
        let mut request = post("/v2/rest/query", &kusto("endless", json!({})));
        let headers = request.headers_mut();
        headers.insert("x-ms-client-request-id", name.parse().unwrap());
        tokio::spawn(routes.clone().oneshot(request))
    };
    let running = [endless("a"), endless("b")];
    until(&count, 2).await;
    let waiting = endless("c");
    let cancel = json!({ "db": "hunts", "csl": ".cancel query \"c\"" });
    let begun = Instant::now();
    while ask(&routes, post("/v1/rest/mgmt", &cancel)).await.0 != StatusCode::OK {
        assert!(begun.elapsed() < Duration::from_secs(10), "it never waited");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let answered = tokio::time::timeout(Duration::from_secs(10), waiting).await;
    let answered = answered.unwrap().unwrap().unwrap();
    assert_eq!(json_of(answered).await["error"]["code"], "QueryCancelled");
    // Those that run go on.
    assert_eq!(count.load(Ordering::SeqCst), 2);
    running.iter().for_each(tokio::task::JoinHandle::abort);
    until(&count, 0).await;
}

async fn until(count: &AtomicUsize, wanted: usize) {
    let begun = Instant::now();
    while count.load(Ordering::SeqCst) != wanted {
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "it never came to {wanted}"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
