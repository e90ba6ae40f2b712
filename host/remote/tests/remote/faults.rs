//! Services that do as they should not.

use std::time::Duration;

use spoor_remote::Progress;

use super::asking::{CANARY, TWO, ask, ask_logs, workspace};
use super::server::{Act, Server, answer, flood, pieces, raw, stalled};

/// What is told of an answer that is no result; it was asked for `times` times.
fn fails(acts: Vec<Act>, times: usize) -> String {
    let server = Server::new(acts);
    let error = ask_logs(&server).error();
    assert_eq!(server.seen().len(), times, "{error}");
    error
}

fn says(error: &str, parts: &[&str]) {
    for part in parts {
        assert!(error.contains(part), "'{part}' in: {error}");
    }
}

#[test]
fn busy_services_are_asked_again() {
    for status in [429, 503] {
        let busy = answer(status, "Retry-After: 1\r\n", "");
        let server = Server::new(vec![busy, answer(200, "", TWO)]);
        let came = ask_logs(&server);
        assert_eq!(came.rows(), 2);
        assert!(came.took >= Duration::from_secs(1));
        let waits = |told: &Progress| matches!(told, Progress::Retrying { attempts: 1, .. });
        assert!(came.progress.iter().any(waits));
        let ids = server.seen();
        let id = |at: usize| ids[at].header("x-ms-client-request-id");
        assert_ne!(id(0), id(1));
    }
}

#[test]
fn patience_ends() {
    let error = fails(vec![answer(503, "", "")], 3);
    says(&error, &["status 503", "try again later"]);
    // Nobody waits for an hour.
    let error = fails(vec![answer(429, "Retry-After: 3600\r\n", "")], 1);
    says(&error, &["status 429", "3600 seconds"]);
}

#[test]
fn errors_that_last_are_shown_at_once() {
    says(&fails(vec![answer(500, "", "")], 1), &["status 500"]);
    let error = fails(vec![answer(504, "", "{}")], 1);
    says(&error, &["status 504", "limits.timeout-seconds"]);
    let body = r#"{"error":{"code":"BadArgumentError","message":"The request had some invalid properties"}}"#;
    says(
        &fails(vec![answer(400, "", body)], 1),
        &["invalid properties"],
    );
}

#[test]
fn an_answer_without_a_result_is_an_error() {
    says(
        &fails(vec![answer(200, "", "")], 1),
        &["nothing", "run the query again"],
    );
    says(&fails(vec![answer(204, "", "")], 1), &["status 204"]);
    says(
        &fails(vec![answer(200, "", "<html>")], 1),
        &["not JSON", "proxy"],
    );
}

#[test]
fn silence_is_not_waited_for() {
    let error = fails(vec![stalled("")], 1);
    says(&error, &["no whole answer within 1.5s", "workspace 'soc'"]);
    let error = fails(vec![stalled("HTTP/1.1 200 OK\r\nContent-Le")], 1);
    says(&error, &["no whole answer"]);
    let error = fails(
        vec![stalled("HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{")],
        1,
    );
    says(&error, &["nothing more of the answer", "500ms"]);
}

#[test]
fn a_slow_drip_is_read_and_an_endless_one_is_not() {
    let slow = Server::new(vec![pieces(TWO, 10, Duration::from_millis(10))]);
    assert_eq!(ask_logs(&slow).rows(), 2);
    let endless = Server::new(vec![pieces(TWO, 1, Duration::from_millis(100))]);
    let error = ask_logs(&endless).error();
    says(&error, &["no whole answer within 1.5s"]);
    assert!(endless.is_closed(1));
}

#[test]
fn a_body_that_ends_early_is_no_result() {
    let half = &TWO[..TWO.len() / 2];
    let cut = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{half}",
        TWO.len()
    );
    says(
        &fails(vec![raw(cut)], 1),
        &["in the middle", "run the query again"],
    );
    // Its length is said to be shorter, or not at all.
    let short = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{TWO}",
        half.len()
    );
    says(&fails(vec![raw(short)], 1), &["in the middle"]);
    let open = format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{half}");
    says(&fails(vec![raw(open)], 1), &["in the middle"]);
    let chunk = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n{half}");
    says(&fails(vec![raw(chunk)], 1), &["in the middle"]);
}

#[test]
fn a_connection_that_ends_before_an_answer_is_made_again() {
    let server = Server::new(vec![raw(String::new()), answer(200, "", TWO)]);
    assert_eq!(ask_logs(&server).rows(), 2);
    says(
        &fails(vec![raw(String::new())], 3),
        &["ended before an answer"],
    );
}

#[test]
fn what_is_no_http_is_refused() {
    let error = fails(vec![raw("SSH-2.0-OpenSSH_9.9\r\n\r\n".to_owned())], 1);
    says(&error, &["no HTTP", "'endpoint'"]);
    let lies = format!("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 90\r\n\r\n{TWO}");
    says(&fails(vec![raw(lies)], 1), &["no HTTP"]);
}

#[test]
fn bodies_and_heads_have_limits() {
    for (kind, start) in [
        ("log-analytics", "{\"tables\":[\""),
        ("kusto", "[{\"a\":\""),
    ] {
        let server = Server::new(vec![flood(200, start)]);
        let limits = "limits.bytes = 100_000";
        let error = ask(&workspace(kind, &server, limits)).error();
        says(&error, &["longer than 100000 bytes", "fewer rows"]);
        assert!(server.is_closed(1));
    }
    let long = format!(
        "HTTP/1.1 200 OK\r\nX-Long: {}\r\n\r\n",
        "x".repeat(200 << 10)
    );
    says(&fails(vec![raw(long)], 1), &["message head is too large"]);
    let many = "X-Many: x\r\n".repeat(200);
    says(
        &fails(vec![answer(200, &many, TWO)], 1),
        &["message head is too large"],
    );
}

#[test]
fn a_refusal_that_never_ends_is_cut() {
    let server = Server::new(vec![flood(400, "")]);
    says(&ask_logs(&server).error(), &["status 400 and 'xxx"]);
    assert!(server.is_closed(1));
}

#[test]
fn what_a_server_sends_back_of_a_token_is_not_shown() {
    // `ask` looks for it.
    let whole = format!(r#"{{"error":{{"code":"Bad","message":"token {CANARY} is bad"}}}}"#);
    says(
        &fails(vec![answer(400, "", &whole)], 1),
        &["token [token] is bad"],
    );
    let cut = format!("{} {CANARY}", "x".repeat(180));
    says(&fails(vec![answer(403, "", &cut)], 1), &["[token]"]);
    let id = format!("x-ms-request-id: {CANARY}\r\n");
    says(
        &fails(vec![answer(400, &id, "")], 1),
        &["[request [token]]"],
    );
    says(&fails(vec![answer(200, "", CANARY)], 1), &["[token]"]);
    let place = format!("Location: /{CANARY}\\x\r\n");
    fails(vec![answer(307, &place, "")], 1);
    let partial = format!(
        r#"{},"error":{{"code":"PartialError","message":"{CANARY}"}}}}"#,
        &TWO[..TWO.len() - 1]
    );
    let server = Server::new(vec![answer(200, "", &partial)]);
    assert_eq!(ask_logs(&server).rows(), 2);
}
