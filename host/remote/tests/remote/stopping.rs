//! Queries that nobody waits for any more.

use std::thread;
use std::time::{Duration, Instant};

use spoor_remote::{Client, Options, Resolver, Until};

use super::asking::{CANARY, Came, Canaries, StopAt, ask_by, at, options, workspace};
use super::server::{Act, Server, answer, pieces, stalled};

const SOON: Duration = Duration::from_millis(150);

/// A tenth of a second, and as much again as the machine has other things to do.
const MOST: Duration = Duration::from_millis(200);

fn patient() -> Options {
    let mut options = options();
    options.timings.idle = Duration::from_secs(30);
    options.timings.whole = Duration::from_secs(30);
    options
}

fn stop(client: &Client, kind: &str, act: Act) -> (Server, Came) {
    let server = Server::new(vec![act]);
    let watch = StopAt(Instant::now() + SOON);
    let workspace = workspace(kind, &server, "");
    let came = ask_by(client, &workspace, &Canaries::default(), &watch);
    (server, came)
}

fn in_time(came: &Came) {
    assert!(came.took < SOON + MOST, "{:?}", came.took);
    assert!(came.error().contains("the query was stopped"));
}

#[test]
fn the_connection_closes_wherever_the_answer_is() {
    let client = Client::new(patient());
    let begun = "HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{";
    let drip = pieces(&" ".repeat(4_000), 1, Duration::from_millis(5));
    for act in [stalled(""), stalled(begun), drip] {
        let (server, came) = stop(&client, "log-analytics", act);
        in_time(&came);
        assert!(server.is_closed(1));
        assert_eq!((server.seen().len(), server.cancels().len()), (1, 0));
        assert_eq!(client.load("soc"), (0, 0));
    }
}

#[test]
fn kusto_is_told() {
    let client = Client::new(patient());
    let (server, came) = stop(&client, "kusto", stalled(""));
    in_time(&came);
    assert!(server.is_closed(1) && client.settle(Duration::from_secs(2)));
    let seen = server.seen();
    let running = seen[0].header("x-ms-client-request-id").unwrap();
    let cancels = server.cancels();
    assert_eq!(cancels.len(), 1);
    assert!(cancels[0].body.contains(running), "{}", cancels[0].body);
    assert!(cancels[0].head.starts_with("POST /v1/rest/mgmt "));
    let token = cancels[0].header("authorization");
    assert_eq!(token, Some(format!("Bearer {CANARY}").as_str()));
}

#[test]
fn waits_between_attempts_end() {
    let mut options = patient();
    options.policy.total = Duration::from_secs(100);
    let busy = answer(429, "Retry-After: 30\r\n", "");
    let (server, came) = stop(&Client::new(options), "log-analytics", busy);
    in_time(&came);
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn a_name_that_nobody_looks_up_is_not_waited_for() {
    let resolver = Resolver::new(|_| {
        thread::sleep(Duration::from_secs(2));
        Ok(Vec::new())
    });
    let client = Client::new(Options {
        resolver,
        ..patient()
    });
    let workspace = at("log-analytics", "https://logs.lab.example", "");
    let watch = StopAt(Instant::now() + SOON);
    in_time(&ask_by(&client, &workspace, &Canaries::default(), &watch));
}

#[test]
fn a_deadline_is_kept() {
    let server = Server::new(vec![stalled("")]);
    let watch = Until(Some(Instant::now() + SOON));
    let workspace = workspace("log-analytics", &server, "");
    let came = ask_by(
        &Client::new(patient()),
        &workspace,
        &Canaries::default(),
        &watch,
    );
    assert!(came.took < SOON + MOST, "{:?}", came.took);
    let error = came.error();
    assert!(
        error.contains("time is up; look at a shorter time"),
        "{error}"
    );
    assert!(server.is_closed(1));
}

#[test]
fn what_is_stopped_before_it_begins_asks_nobody() {
    let server = Server::new(vec![stalled("")]);
    let workspace = workspace("log-analytics", &server, "");
    let tokens = Canaries::default();
    let came = ask_by(
        &Client::new(patient()),
        &workspace,
        &tokens,
        &StopAt(Instant::now()),
    );
    assert!(came.error().contains("stopped"));
    assert!(server.seen().is_empty() && tokens.calls.lock().unwrap().is_empty());
}
