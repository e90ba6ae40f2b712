//! Behind a door: what each role may do of what the server has, and what is written down of it. Signing in is tested with the door itself, with
//! a real authority; here machines ask.

use std::io::Write;
use std::sync::Arc;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use spoor::serve::{Problem, Query, Watch};
use spoor_door::{Door, Listening};

use crate::place::{Answer, Behind, NOTEBOOK, Place};

/// What browsers call the server, whatever its port.
const HOST: &str = "Host: hunt.localhost";

/// Answers "three" with three rows and nothing else.
pub struct Three;

impl Query for Three {
    fn run(&self, text: &str, _: &Watch, out: &mut dyn Write) -> Result<u64, Problem> {
        let failed = |message: &str| Problem {
            message: message.into(),
            ..Problem::default()
        };
        if text != "three" {
            return Err(failed("no such table"));
        }
        out.write_all(b"rows").map_err(|_| failed("gone"))?;
        Ok(3)
    }
}

/// A server with a machine for each role, whose token is the role's name.
fn place() -> Place {
    let dir = tempfile::tempdir().unwrap();
    let mut access =
        "address = \"https://hunt.localhost\"\n[audit]\nfile = \"audit.jsonl\"\n[proxy]\naddresses = [\"127.0.0.1\"]\n".to_owned();
    for (role, scopes) in [
        ("reader", "folders = [\"deep\"]"),
        ("responder", "workspaces = [\"host\"]"),
        ("contributor", "folders = [\"*\"]\nworkspaces = [\"*\"]"),
    ] {
        let hash = Sha256::digest(format!("canary-{role}"));
        access.push_str(&format!(
            "[[machines]]\nname = \"{role}s\"\nrole = \"{role}\"\nsha256 = \"{hash:x}\"\n{scopes}\n"
        ));
    }
    let path = dir.path().join("access.toml");
    std::fs::write(&path, access).unwrap();
    let listening = Listening {
        address: "127.0.0.1:1".parse().unwrap(),
        tls: false,
    };
    let door = Door::open(&path, listening).unwrap();
    let behind = Behind {
        address: "127.0.0.1:0".parse().unwrap(),
        door: Some(door),
        workspaces: None,
    };
    Place::behind_door(dir, behind, Arc::new(Three))
}

fn ask(place: &Place, role: &str, request: &str, headers: &[&str], body: &str) -> Answer {
    let token = format!("Authorization: Bearer canary-{role}");
    let mut all = vec![HOST, token.as_str()];
    all.extend(headers);
    place.raw(request, &all, body.as_bytes())
}

fn kql(place: &Place, role: &str, query: &str) -> Answer {
    let body = json!({ "query": query }).to_string();
    let json = ["Content-Type: application/json"];
    ask(place, role, "POST /api/kql", &json, &body)
}

#[test]
fn each_route_demands_its_role() {
    let place = place();
    let new = "If-None-Match: *";
    for (role, request, status) in [
        ("reader", "GET /", 200),
        ("reader", "GET /page.js", 200),
        ("reader", "GET /api/", 200),
        ("reader", "GET /api/notebooks/deep/b.ipynb", 200),
        ("reader", "GET /api/notebooks/a.ipynb", 403),
        ("reader", "GET /data/a%20b.csv", 403),
        ("reader", "PUT /api/notebooks/deep/b.ipynb", 403),
        ("responder", "GET /data/a%20b.csv", 200),
        ("responder", "GET /api/notebooks/deep/b.ipynb", 403),
        ("contributor", "PUT /api/notebooks/deep/new.ipynb", 201),
        ("contributor", "GET /api/notebooks/a.ipynb", 200),
        ("contributor", "GET /api/notebooks/../secret.ipynb", 400),
        ("contributor", "GET /api/notebooks/%2e%2e/secret.ipynb", 400),
        (
            "contributor",
            "GET /api/notebooks/deep%2f..%2f..%2fsecret.ipynb",
            400,
        ),
        ("contributor", "GET /data/..%2fsecret.ipynb", 400),
        ("nobody", "GET /", 401),
        ("nobody", "GET /page.js", 401),
    ] {
        let headers = if request.starts_with("PUT") {
            &[new][..]
        } else {
            &[]
        };
        let answer = ask(&place, role, request, headers, NOTEBOOK);
        assert_eq!(answer.status, status, "{role} {request}: {}", answer.text());
    }
    let denied = ask(
        &place,
        "reader",
        "PUT /api/notebooks/deep/b.ipynb",
        &[new],
        NOTEBOOK,
    )
    .json();
    assert_eq!(denied["role"], "contributor");
    assert_eq!(denied["scope"], json!({ "folder": "deep" }));
    assert!(
        denied["message"]
            .as_str()
            .unwrap()
            .contains("'contributor'"),
        "{denied}"
    );
}

#[test]
fn a_list_has_what_its_caller_may_read() {
    let place = place();
    let list = |role: &str| {
        let list = ask(&place, role, "GET /api/notebooks", &[], "").json();
        let list = list["notebooks"].as_array().unwrap().clone();
        list.iter()
            .map(|entry| entry["path"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(list("reader"), ["deep/b.ipynb"]);
    assert_eq!(list("responder"), [""; 0]);
    assert_eq!(list("contributor"), ["a.ipynb", "deep/b.ipynb"]);
}

#[test]
fn queries_and_saves_are_written_down() {
    let place = place();
    assert_eq!(kql(&place, "responder", "three").status, 200);
    assert_eq!(kql(&place, "responder", "query-canary").status, 400);
    let denied = kql(&place, "reader", "three");
    assert_eq!(
        (denied.status, &denied.json()["role"]),
        (403, &json!("responder"))
    );
    assert_eq!(denied.json()["scope"], json!({ "workspace": "host" }));
    let new = ["If-None-Match: *"];
    for status in [201, 409] {
        let saved = ask(
            &place,
            "contributor",
            "PUT /api/notebooks/n.ipynb",
            &new,
            NOTEBOOK,
        );
        assert_eq!(saved.status, status);
    }
    let text = std::fs::read_to_string(place.path("audit.jsonl")).unwrap();
    assert!(!text.contains("canary"), "{text}");
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let of = |action: &str| {
        let lines = lines.iter().filter(|line| line["action"] == action);
        lines.collect::<Vec<_>>()
    };
    let queries = of("query");
    assert_eq!(queries.len(), 2, "{text}");
    let hash = format!("{:x}", Sha256::digest("three"));
    assert_eq!(
        (
            &queries[0]["caller"],
            &queries[0]["workspace"],
            &queries[0]["query"],
            &queries[0]["rows"],
            &queries[0]["outcome"]
        ),
        (
            &json!("responders"),
            &json!("host"),
            &json!(hash),
            &json!(3),
            &json!("done")
        )
    );
    assert!(queries[0]["milliseconds"].is_u64());
    assert_eq!(
        (&queries[1]["rows"], &queries[1]["outcome"]),
        (&json!(null), &json!("failed"))
    );
    let saves = of("save");
    assert_eq!(
        (&saves[0]["notebook"], &saves[0]["outcome"]),
        (&json!("n.ipynb"), &json!("done"))
    );
    assert_eq!(saves[0]["version"].as_str().unwrap().len(), 64);
    assert_eq!(saves[1]["outcome"], "failed");
    let why = of("request")[0]["why"].as_str().unwrap();
    assert!(why.contains("'responder'"), "{why}");
}

#[test]
fn answers_keep_what_the_page_needs_and_are_for_one_caller() {
    let place = place();
    let page = ask(&place, "reader", "GET /", &[], "");
    let policy = page.header("content-security-policy");
    assert!(policy.contains("script-src 'self'") && policy.contains("frame-ancestors 'none'"));
    assert_eq!(page.header("x-spoor-api"), "api/");
    assert_eq!(page.header("x-frame-options"), "DENY");
    assert!(
        page.header("strict-transport-security")
            .starts_with("max-age=")
    );
    let piece = ask(&place, "reader", "GET /pieces/a.gz", &[], "");
    assert_eq!(
        piece.header("cache-control"),
        "private, max-age=31536000, immutable"
    );
    assert!(
        piece.header("vary").contains("Cookie, Authorization"),
        "{:?}",
        piece.headers
    );
    let elsewhere = place.raw(
        "GET /",
        &["Host: evil.example", "X-Forwarded-Host: hunt.localhost"],
        b"",
    );
    assert_eq!(elsewhere.status, 421);
}

#[test]
fn the_printed_secret_is_no_way_in() {
    let place = place();
    assert_eq!(place.token, "");
    let entered = place.raw("GET /?token=", &[HOST], b"");
    assert_eq!((entered.status, entered.header("set-cookie")), (401, ""));
}
