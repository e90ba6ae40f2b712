//! Workspaces that the server asks for its callers: a store with tokens of its own, asked as the server or as whoever signed in.

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use spoor::remote::Workspaces;
use spoor::serve::Api;
use spoor_door::{Door, Listening};
use spoor_providers::config::Workspace;
use spoor_remote::{Secret, Settings, TokenError, Tokens};
use spoor_store::pieces::Limits;
use spoor_store::{Answer, Asked, Engine, Options, Problem, Stop, Store, TableSchema};
use spoor_table::{Column, KustoType, Table, Value, ipc};

use crate::access::Three;
use crate::authority::Authority;
use crate::browser::{self, Browser};
use crate::place::{Behind, Place};

/// What the server itself is known by at the store.
const SERVER: &str = "canary-of-the-server";

/// Has two rows, whatever is asked, or one more than the store gives, for a query that says `many`.
#[derive(Default)]
struct Rows(Mutex<Vec<String>>);

impl Engine for Rows {
    fn run(&self, asked: &Asked<'_>, _: &dyn Fn() -> Option<Stop>) -> Result<Answer, Problem> {
        self.0.lock().unwrap().push(asked.text.to_owned());
        let count = if asked.text.contains("many") { 101 } else { 2 };
        let rows: Vec<_> = (1..=count).map(|n| vec![Value::Long(n)]).collect();
        let columns = [Column::new("n", KustoType::Long)];
        Ok(Answer {
            table: Table::from_values(columns, &rows).unwrap(),
            render: None,
        })
    }

    fn schema(&self, _: &dyn Fn() -> Option<Stop>) -> Result<Vec<TableSchema>, Problem> {
        Ok(vec![TableSchema {
            name: "T".into(),
            columns: vec![Column::new("n", KustoType::Long)],
        }])
    }
}

/// The server's own account.
struct Own;

impl Tokens for Own {
    fn token(&self, _: &Workspace, _: bool, _: &dyn Fn() -> bool) -> Result<Secret, TokenError> {
        Ok(Secret::new(SERVER))
    }
}

/// A store that answers whoever brings one of these tokens.
fn store(runtime: &tokio::runtime::Runtime, api: Api, tokens: &[&str]) -> Arc<Rows> {
    let line = |token: &&str| format!("somebody {:x}\n", Sha256::digest(token));
    let tokens: String = tokens.iter().map(line).collect();
    let options = Options {
        name: "spoor".into(),
        version: "1".into(),
        tokens: Some(spoor_store::Tokens::read(&tokens).unwrap()),
        limits: Limits {
            rows: 100,
            bytes: 1 << 20,
        },
        time: Duration::from_secs(20),
        at_once: 2,
        origins: spoor_store::Origins::default(),
        is_encrypted: false,
    };
    let rows = Arc::new(Rows::default());
    let routes = Store::new(rows.clone(), options).routes();
    runtime.spawn(async move { api.run(routes, std::future::pending()).await.unwrap() });
    rows
}

/// A port that is free by now.
fn free() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

fn place(authority: &Authority, endpoint: &str) -> Place {
    let dir = tempfile::tempdir().unwrap();
    let address = free();
    let access = format!(
        "address = \"http://{address}\"\n[authority]\nissuer = \"{}\"\nclient-id = \"door\"\n[audit]\nfile = \"audit.jsonl\"\n\
         [[roles]]\nrole = \"responder\"\nclaim = \"groups\"\nvalues = [\"soc\"]\nworkspaces = [\"own\", \"shared\"]\n\
         [[machines]]\nname = \"nightly\"\nrole = \"responder\"\nworkspaces = [\"*\"]\nsha256 = \"{:x}\"\n\
         [workspaces.own]\nidentity = \"user\"\n[workspaces.shared]\nidentity = \"server\"\n",
        authority.issuer,
        Sha256::digest("canary-nightly"),
    );
    let workspace = |name: &str| {
        format!(
            "[workspaces.{name}]\nkind = \"kusto\"\ncloud = \"custom\"\nendpoint = \"{endpoint}\"\nplain-loopback = true\n\
             authority = \"{}\"\nclient-id = \"door\"\nscope = \"hunt\"\ndatabase = \"spoor\"\n",
            authority.issuer
        )
    };
    let config: String = ["own", "shared", "unlisted"].map(workspace).concat();
    let config = format!("{config}[workspaces.shared.limits]\nrows = 100\n");
    let at = |name: &str| dir.path().join(name);
    std::fs::write(at("access.toml"), access).unwrap();
    std::fs::write(at("spoor.toml"), config).unwrap();
    let settings = Settings::find(Some(&at("spoor.toml"))).unwrap();
    let listening = Listening {
        address,
        tls: false,
    };
    let behind = Behind {
        address,
        door: Some(Door::open(&at("access.toml"), listening).unwrap()),
        workspaces: Some(Arc::new(Workspaces::new(
            settings,
            Box::new(Own),
            Box::new(|_, _| {}),
        ))),
    };
    Place::behind_door(dir, behind, Arc::new(Three))
}

/// Asks a workspace as a page does.
fn ask(place: &Place, browser: &mut Browser, name: &str) -> browser::Answer {
    let own = format!("http://{}", place.address);
    let url = format!("{own}/api/workspaces/{name}/query");
    let body = json!({ "query": "query-canary | count" }).to_string();
    let headers = [
        ("Origin", own.as_str()),
        ("Content-Type", "application/json"),
    ];
    browser.ask("POST", &url, &headers, body.as_bytes())
}

#[test]
fn a_workspace_is_asked_as_the_server_or_as_whoever_signed_in() {
    let authority = Authority::start(&json!({ "groups": { "anna": ["soc"], "ben": ["soc"] } }));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let api = Api::bind("127.0.0.1:0".parse().unwrap(), None);
    let api = runtime.block_on(api).unwrap();
    let place = place(&authority, api.url());
    let mut anna = Browser::default();
    anna.visit(&format!("http://{}/", place.address), "anna");
    let given = authority.given();
    // The store knows the server, and every token that anna was given; ben signs in later.
    let known: Vec<&str> = given.iter().map(String::as_str).chain([SERVER]).collect();
    let rows = store(&runtime, api, &known);
    let mut ben = Browser::default();
    ben.visit(&format!("http://{}/", place.address), "ben");

    for (who, name, status) in [
        ("anna", "own", 200),
        ("ben", "own", 400),
        ("ben", "shared", 200),
    ] {
        let browser = if who == "anna" { &mut anna } else { &mut ben };
        let answer = ask(&place, browser, name);
        assert_eq!(answer.status, status, "{who} {name}: {}", answer.body);
    }
    let refused = ask(&place, &mut ben, "own").body;
    assert!(refused.contains("token of your sign-in"), "{refused}");
    assert_eq!(rows.0.lock().unwrap().len(), 2);
    // A workspace that the roles do not name, and one that the access file does not.
    let denied = ask(&place, &mut anna, "unlisted");
    let told: Json = serde_json::from_str(&denied.body).unwrap();
    assert_eq!(
        (denied.status, &told["role"], &told["scope"]),
        (
            403,
            &json!("responder"),
            &json!({ "workspace": "unlisted" })
        )
    );
    offered(&place, &mut ben);
    tables(&place, &mut anna, &mut ben);
    machine(&place);
    partial(&place);

    let text = std::fs::read_to_string(place.path("audit.jsonl")).unwrap();
    let lines: Vec<Json> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|line: &Json| line["action"] == "query")
        .collect();
    let told: Vec<_> = lines
        .iter()
        .map(|line| {
            json!([
                line["caller"],
                line["workspace"],
                line["rows"],
                line["outcome"]
            ])
        })
        .collect();
    assert_eq!(
        told,
        [
            json!(["anna", "own", 2, "done"]),
            json!(["ben", "own", null, "failed"]),
            json!(["ben", "shared", 2, "done"]),
            json!(["ben", "own", null, "failed"]),
            json!(["nightly", "shared", 2, "done"]),
            json!(["nightly", "shared", null, "failed"]),
            json!(["nightly", "shared", 100, "done"]),
            json!(["nightly", "shared", 2, "done"]),
        ]
    );
    for secret in authority
        .given()
        .iter()
        .map(String::as_str)
        .chain(["canary"])
    {
        assert!(!text.contains(secret), "{secret} in {text}");
        assert!(!refused.contains(secret), "{secret} in {refused}");
    }
}

/// What the page is told of workspaces and of who is here.
fn offered(place: &Place, ben: &mut Browser) {
    let answer = ben.ask("GET", &format!("http://{}/api/", place.address), &[], b"");
    let about: Json = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(about["caller"], "ben@contoso.example");
    assert_eq!(about["workspaces"], json!(["own", "shared"]));
}

/// The tables are told to whoever may ask for rows, with the same token, and to nobody else.
fn tables(place: &Place, anna: &mut Browser, ben: &mut Browser) {
    let url = |name| format!("http://{}/api/workspaces/{name}/tables", place.address);
    let expected = json!({ "tables": [["T", [["n", "long"]]]] });
    let told = |browser: &mut Browser, name| {
        let answer = browser.ask("GET", &url(name), &[], b"");
        (answer.status, serde_json::from_str(&answer.body).unwrap())
    };
    assert_eq!(told(anna, "own"), (200, expected.clone()));
    assert_eq!(told(ben, "shared"), (200, expected));
    let (status, refused): (u16, Json) = told(ben, "own");
    let message = refused["message"].as_str().unwrap();
    assert_eq!(status, 502);
    assert!(message.contains("token of your sign-in"), "{message}");
    let (status, denied): (u16, Json) = told(ben, "unlisted");
    assert_eq!((status, &denied["role"]), (403, &json!("responder")));
}

/// A result that is not whole is refused, or comes with its reasons.
fn partial(place: &Place) {
    let own = format!("Host: {}", place.address);
    let headers = [
        own.as_str(),
        "Authorization: Bearer canary-nightly",
        "Content-Type: application/json",
    ];
    let ask = |body: &[u8]| place.raw("POST /api/workspaces/shared/query", &headers, body);
    let refused = ask(br#"{"query":"many"}"#);
    assert_eq!(refused.status, 400);
    let given = ask(br#"{"query":"many","allowPartial":true}"#);
    assert_eq!(given.status, 200);
    assert_eq!(ipc::from_stream(&given.body).unwrap().rows(), 100);
    let told: Json = serde_json::from_str(given.header("spoor-told")).unwrap();
    assert!(
        told["partial"][0].as_str().unwrap().contains("100"),
        "{told}"
    );
    assert_eq!(ask(br#"{"query":"T"}"#).header("spoor-told"), "{}");
}

/// A machine has no token to send on.
fn machine(place: &Place) {
    let own = format!("Host: {}", place.address);
    let headers = [
        own.as_str(),
        "Authorization: Bearer canary-nightly",
        "Content-Type: application/json",
    ];
    let ask = |name: &str| {
        let request = format!("POST /api/workspaces/{name}/query");
        place.raw(&request, &headers, br#"{"query":"T"}"#)
    };
    let shared = ask("shared");
    assert_eq!(shared.status, 200);
    assert_eq!(ipc::from_stream(&shared.body).unwrap().rows(), 2);
    let own = ask("own");
    assert_eq!(own.status, 403);
    assert!(
        own.json()["message"]
            .as_str()
            .unwrap()
            .contains("a machine has none")
    );
    assert_eq!(ask("unlisted").status, 404);
    assert_eq!(ask("unlisted%2f..%2fown").status, 400);
}
