//! Who is asked for tokens, and when.

use spoor_providers::config::{Workspace, Workspaces};
use spoor_remote::{Client, Secret, TokenError, Tokens, Until};

use super::asking::{CANARY, Canaries, SECOND, TWO, ask, ask_by, options, workspace};
use super::server::{Server, answer};

#[test]
fn a_token_that_is_over_is_renewed_once() {
    let server = Server::new(vec![answer(401, "", ""), answer(200, "", TWO)]);
    let (client, tokens) = (Client::new(options()), Canaries::default());
    let soc = workspace("log-analytics", &server, "");
    assert_eq!(ask_by(&client, &soc, &tokens, &Until(None)).rows(), 2);
    assert_eq!(*tokens.calls.lock().unwrap(), [false, true]);
    let seen = server.seen();
    for (at, token) in [(0, CANARY), (1, SECOND)] {
        let header = seen[at].header("authorization");
        assert_eq!(header, Some(format!("Bearer {token}").as_str()));
    }

    let body = format!(r#"{{"error":{{"code":"No","message":"{SECOND} and {CANARY}"}}}}"#);
    let server = Server::new(vec![answer(401, "", &body)]);
    let soc = workspace("log-analytics", &server, "");
    let error = ask_by(&client, &soc, &tokens, &Until(None)).error();
    assert!(
        error.contains("[token] and [token] (No); sign in"),
        "{error}"
    );
    assert_eq!(server.seen().len(), 2);
}

/// Knows nobody.
struct Nobody;

impl Tokens for Nobody {
    fn token(
        &self,
        asked: &Workspace,
        _: bool,
        _: &dyn Fn() -> bool,
    ) -> Result<Secret, TokenError> {
        let workspace = asked.name.clone();
        Err(TokenError::SignedOut { workspace })
    }
}

#[test]
fn without_a_token_nothing_is_sent() {
    let server = Server::new(vec![answer(200, "", TWO)]);
    let soc = workspace("log-analytics", &server, "");
    let error = ask_by(&Client::new(options()), &soc, &Nobody, &Until(None)).error();
    assert!(
        error.contains(
            "nobody is signed in to the workspace 'soc'; run `spoor login --workspace soc`"
        ),
        "{error}"
    );
    assert!(server.seen().is_empty());
}

#[test]
fn a_server_that_takes_none_gets_none() {
    let server = Server::new(vec![answer(401, "", "")]);
    let text = format!(
        "[workspaces.soc]\nkind = 'spoor'\nendpoint = 'http://127.0.0.1:{}'\nplain-loopback = true",
        server.port
    );
    let workspaces = Workspaces::read(&text).unwrap();
    let soc = workspaces.get("soc").unwrap().clone();
    let came = ask_by(&Client::new(options()), &soc, &Nobody, &Until(None));
    assert!(came.error().contains("status 401"), "{}", came.error());
    let seen = server.seen();
    assert_eq!((seen.len(), seen[0].header("authorization")), (1, None));
}

#[test]
fn a_token_that_no_header_can_have_is_not_sent() {
    struct Broken;
    impl Tokens for Broken {
        fn token(
            &self,
            _: &Workspace,
            _: bool,
            _: &dyn Fn() -> bool,
        ) -> Result<Secret, TokenError> {
            Ok(Secret::new(format!("{CANARY}\r\nHost: elsewhere")))
        }
    }
    let server = Server::new(vec![answer(200, "", TWO)]);
    let soc = workspace("log-analytics", &server, "");
    let error = ask_by(&Client::new(options()), &soc, &Broken, &Until(None)).error();
    assert!(error.contains("its token has a character"), "{error}");
    assert!(server.seen().is_empty());
}

#[test]
fn the_session_itself_is_not_asked() {
    let workspaces = Workspaces::read("[workspaces.here]\nkind = 'local'").unwrap();
    let here = workspaces.get("here").unwrap().clone();
    let error = ask_by(&Client::new(options()), &here, &Nobody, &Until(None)).error();
    assert!(error.contains("not asked over a network"), "{error}");
}

#[test]
fn what_a_service_says_beside_the_rows_has_no_token() {
    let beside = format!(
        r#","statistics":{{"seen":["Bearer {CANARY}"]}},"render":{{"visualization":"piechart","title":"{CANARY}"}}}}"#
    );
    let body = format!("{}{beside}", TWO.strip_suffix('}').unwrap());
    let server = Server::new(vec![answer(200, "", &body)]);
    let outcome = ask(&workspace("log-analytics", &server, ""))
        .result
        .unwrap();
    assert_eq!(outcome.statistics.unwrap()["seen"][0], "Bearer [token]");
    let title = ("title".to_owned(), serde_json::Value::from("[token]"));
    assert_eq!(outcome.render.unwrap().properties, [title]);
}
