//! Requests go to their origin or nowhere.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use spoor_remote::{Client, Options, Resolver, Until};

use super::asking::{Came, Canaries, TWO, ask_by, ask_logs, at, options};
use super::server::{Server, answer};

fn location(status: u16, place: &str) -> super::server::Act {
    answer(status, &format!("Location: {place}\r\n"), "")
}

#[test]
fn redirects_lead_nowhere_else() {
    let other = Server::new(vec![answer(200, "", TWO)]);
    for place in [
        format!("http://127.0.0.1:{}/v1", other.port),
        format!("http://localhost:{}/v1", other.port),
        format!("//127.0.0.1:{}/v1", other.port),
        "https://login.lab.example/".to_owned(),
        "file:///etc/passwd".to_owned(),
    ] {
        let server = Server::new(vec![location(307, &place)]);
        let error = ask_logs(&server).error();
        assert!(error.contains("sends the request elsewhere"), "{error}");
        assert_eq!(server.seen().len(), 1);
    }
    assert!(other.seen().is_empty());
}

#[test]
fn redirects_within_the_origin_keep_the_method() {
    let server = Server::new(vec![location(308, "/moved?a=b"), answer(200, "", TWO)]);
    assert_eq!(ask_logs(&server).rows(), 2);
    let seen = server.seen();
    assert!(seen[1].head.starts_with("POST /moved?a=b HTTP/1.1"));
    assert_eq!(seen[0].body, seen[1].body);
    assert_eq!(
        seen[0].header("authorization"),
        seen[1].header("authorization")
    );
    // These would make a GET of it.
    for status in [301, 302, 303] {
        let server = Server::new(vec![location(status, "/moved")]);
        let error = ask_logs(&server).error();
        assert!(
            error.contains("sends the request elsewhere: check"),
            "{error}"
        );
        assert_eq!(server.seen().len(), 1);
    }
    let endless = Server::new(vec![location(307, "/again")]);
    let error = ask_logs(&endless).error();
    assert!(error.contains("on more than 3 times"), "{error}");
    assert_eq!(endless.seen().len(), 4);
}

/// Asks a host whose name has these addresses; and how often it was looked up.
fn resolved(endpoint: &str, addresses: &[&str]) -> (Came, usize) {
    let addresses: Vec<IpAddr> = addresses.iter().map(|text| text.parse().unwrap()).collect();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let resolver = Resolver::new(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        Ok(addresses.clone())
    });
    let mut options = Options {
        resolver,
        ..options()
    };
    options.policy.attempts = 1;
    let workspace = at("log-analytics", endpoint, "");
    let came = ask_by(
        &Client::new(options),
        &workspace,
        &Canaries::default(),
        &Until(None),
    );
    (came, count.load(Ordering::SeqCst))
}

#[test]
fn names_do_not_lead_to_this_machine_or_its_link() {
    let server = Server::new(vec![answer(200, "", TWO)]);
    let endpoint = format!("https://logs.lab.example:{}", server.port);
    for address in [
        "127.0.0.1",
        "::1",
        "169.254.169.254",
        "fe80::1",
        "::ffff:127.0.0.1",
        "0.0.0.0",
    ] {
        let (came, count) = resolved(&endpoint, &[address]);
        let error = came.error();
        assert!(error.contains("resolves to"), "{error}");
        assert!(
            error.contains("check the workspace's 'endpoint'"),
            "{error}"
        );
        assert_eq!(count, 1);
    }
    // One good address does not make the others better.
    let (came, _) = resolved(&endpoint, &["192.0.2.1", "127.0.0.1"]);
    assert!(
        came.error()
            .contains("resolves to 127.0.0.1, which is this machine")
    );
    assert!(server.seen().is_empty());
}

#[test]
fn a_name_is_looked_up_once_and_its_address_used() {
    let server = Server::new(vec![answer(200, "", TWO)]);
    let endpoint = format!("http://localhost:{}", server.port);
    let (came, count) = resolved(&endpoint, &["127.0.0.1"]);
    assert_eq!((came.rows(), count), (2, 1));
    let host = format!("localhost:{}", server.port);
    assert_eq!(server.seen()[0].header("host"), Some(host.as_str()));
    let (came, _) = resolved(&endpoint, &[]);
    assert!(came.error().contains("localhost cannot be looked up"));
}

#[test]
fn an_address_that_takes_no_connection_is_passed_over() {
    let server = Server::new(vec![answer(200, "", TWO)]);
    let endpoint = format!("http://localhost:{}", server.port);
    let (came, _) = resolved(&endpoint, &["::1", "127.0.0.1"]);
    assert_eq!(came.rows(), 2);
}

#[test]
fn no_server_is_an_error_after_some_attempts() {
    // A port that machines leave alone, and the system gives to nobody who asks for any.
    let workspace = at("log-analytics", "http://127.0.0.1:1", "");
    let came = super::asking::ask(&workspace);
    assert!(
        came.error().contains("there is no connection"),
        "{}",
        came.error()
    );
    assert_eq!(came.progress.len(), 1 + 3 + 2);
}
