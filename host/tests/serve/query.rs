//! Queries: answered in parts, or told why not; ended with their time and their client.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use spoor::serve::{Problem, Query, Stop, Watch};

use crate::place::{Place, wait_for};

/// An engine that does as its query says.
#[derive(Default)]
struct Fake {
    running: AtomicUsize,
    gone: AtomicBool,
}

impl Query for Fake {
    fn run(&self, text: &str, watch: &Watch, out: &mut dyn Write) -> Result<u64, Problem> {
        let failed = |message: &str| Problem {
            message: message.into(),
            ..Problem::default()
        };
        let (text, declared) = match text.split_once('\n') {
            Some((first, rest)) if first.starts_with("let ") => (rest, true),
            _ => (text, false),
        };
        match text {
            "wait" => {
                self.running.fetch_add(1, Ordering::SeqCst);
                loop {
                    match watch.stop() {
                        Some(Stop::Gone) => {
                            self.gone.store(true, Ordering::SeqCst);
                            return Err(failed("gone"));
                        }
                        Some(Stop::TimeUp) => return Err(failed("time is up")),
                        None => std::thread::sleep(Duration::from_millis(5)),
                    }
                }
            }
            "wrong" => Err(Problem {
                message: "no such table".into(),
                place: Some((2, 5)),
                hint: Some("name another".into()),
                ..Problem::default()
            }),
            "much" => {
                for _ in 0..64 {
                    out.write_all(&[7; 1 << 16]).map_err(|_| failed("gone"))?;
                }
                Ok(0)
            }
            "flood" => {
                // More than the ways between server and client hold.
                for _ in 0..1024 {
                    out.write_all(&[7; 1 << 16]).map_err(|_| failed("gone"))?;
                }
                Ok(0)
            }
            "half" => {
                out.write_all(&[7; 1 << 20]).map_err(|_| failed("gone"))?;
                Err(failed("broke"))
            }
            "early" => {
                out.write_all(b"little").map_err(|_| failed("gone"))?;
                Err(failed("broke"))
            }
            _ => out
                .write_all(format!("{text} {declared}").as_bytes())
                .map(|()| 1)
                .map_err(|_| failed("gone")),
        }
    }
}

#[test]
fn a_query_is_answered_or_told_why_not() {
    let place = Place::with(Some(Arc::new(Fake::default())), Duration::from_secs(60));
    let answer = place.kql(r#"{"query":"print 1"}"#);
    assert_eq!(
        (answer.status, answer.text().as_str()),
        (200, "print 1 false")
    );
    assert_eq!(
        answer.header("content-type"),
        "application/vnd.apache.arrow.stream"
    );
    assert_eq!(
        place
            .kql(r#"{"query":"print n","parameters":{"n":1}}"#)
            .text(),
        "print n true"
    );
    let wrong = place.kql(r#"{"query":"wrong"}"#);
    let expected = serde_json::json!({ "message": "no such table", "line": 2, "column": 5, "hint": "name another" });
    assert_eq!((wrong.status, wrong.json()), (400, expected));
    assert_eq!(
        place
            .kql(r#"{"query":"wrong","parameters":{"n":1}}"#)
            .json()["line"],
        1
    );
    assert_eq!(place.kql(r#"{"query":"early"}"#).json()["message"], "broke");
    for body in [
        "",
        "{}",
        r#"{"query":1}"#,
        r#"{"query":"x","parameters":{"a b":1}}"#,
    ] {
        assert!(matches!(place.kql(body).status, 400 | 422), "{body}");
    }
    assert_eq!(
        place.send("POST /api/kql", &[], r#"{"query":"x"}"#).status,
        415
    );
}

#[test]
fn a_long_answer_comes_in_parts_and_a_failure_within_it_shows() {
    let place = Place::with(Some(Arc::new(Fake::default())), Duration::from_secs(60));
    assert_eq!(place.kql(r#"{"query":"much"}"#).body.len(), 4 << 20);
    let mut stream = place.connect(
        "POST /api/kql",
        &["Content-Type: application/json", &place.cookie()],
        br#"{"query":"half"}"#,
    );
    let mut bytes = Vec::new();
    // The end of a chunked answer is an empty chunk, which must not come.
    let _ = stream.read_to_end(&mut bytes);
    assert!(bytes.starts_with(b"HTTP/1.1 200") && !bytes.ends_with(b"0\r\n\r\n"));
}

#[test]
fn an_answer_that_is_not_taken_in_time_does_not_pass_for_a_whole_one() {
    let place = Place::with(Some(Arc::new(Fake::default())), Duration::from_millis(300));
    let mut stream = place.connect(
        "POST /api/kql",
        &["Content-Type: application/json", &place.cookie()],
        br#"{"query":"flood"}"#,
    );
    std::thread::sleep(Duration::from_secs(1));
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    assert!(bytes.starts_with(b"HTTP/1.1 200") && bytes.len() < 64 << 20);
    assert!(!bytes.ends_with(b"0\r\n\r\n"));
}

#[test]
fn a_query_ends_with_its_time_and_with_its_client() {
    let engine = Arc::new(Fake::default());
    let place = Place::with(Some(engine.clone()), Duration::from_millis(300));
    assert_eq!(
        place.kql(r#"{"query":"wait"}"#).json()["message"],
        "time is up"
    );
    let engine = Arc::new(Fake::default());
    let place = Place::with(Some(engine.clone()), Duration::from_secs(600));
    let stream = place.connect(
        "POST /api/kql",
        &["Content-Type: application/json", &place.cookie()],
        br#"{"query":"wait"}"#,
    );
    wait_for(|| engine.running.load(Ordering::SeqCst) == 1);
    drop(stream);
    wait_for(|| engine.gone.load(Ordering::SeqCst));
}

#[test]
fn two_queries_run_and_the_third_waits() {
    let engine = Arc::new(Fake::default());
    let place = Place::with(Some(engine.clone()), Duration::from_secs(600));
    let start = || {
        place.connect(
            "POST /api/kql",
            &["Content-Type: application/json", &place.cookie()],
            br#"{"query":"wait"}"#,
        )
    };
    let (first, _second, _third) = (start(), start(), start());
    wait_for(|| engine.running.load(Ordering::SeqCst) == 2);
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(engine.running.load(Ordering::SeqCst), 2);
    drop(first);
    wait_for(|| engine.running.load(Ordering::SeqCst) == 3);
}

#[test]
fn it_stops_when_asked_even_while_a_query_runs() {
    let engine = Arc::new(Fake::default());
    let mut place = Place::with(Some(engine.clone()), Duration::from_secs(600));
    let _stream = place.connect(
        "POST /api/kql",
        &["Content-Type: application/json", &place.cookie()],
        br#"{"query":"wait"}"#,
    );
    wait_for(|| engine.running.load(Ordering::SeqCst) == 1);
    let asked = Instant::now();
    place.end();
    assert!(
        asked.elapsed() < Duration::from_secs(10),
        "{:?}",
        asked.elapsed()
    );
    assert!(TcpStream::connect(place.address).is_err());
}
