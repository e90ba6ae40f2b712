//! `spoor serve` itself: the address that it prints, native queries over `--data`, Ctrl-C.

#![allow(clippy::unwrap_used)]

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::Duration;

use common::Place;
use sha2::{Digest, Sha256};
use spoor_table::{Value, ipc};

/// The command while it runs. Ended with the test, however that ends.
struct Serving {
    child: Child,
    address: String,
    token: String,
}

impl Serving {
    fn start(place: &Place) -> Self {
        let (child, url) = Self::spawn(place, &["--port", "0"]);
        let (address, token) = url.split_once("/?token=").unwrap();
        let (address, token) = (address.to_owned(), token.to_owned());
        Self {
            child,
            address,
            token,
        }
    }

    /// Behind a door, for the machine whose token it is.
    fn start_behind_door(place: &Place) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port().to_string();
        drop(listener);
        let token = "token-canary";
        place.write(
            "access.toml",
            &format!(
                "address = \"http://127.0.0.1:{port}\"\naudit.file = \"audit.jsonl\"\n[[machines]]\nname = \"nightly\"\n\
                 sha256 = \"{:x}\"\nrole = \"responder\"\nworkspaces = [\"host\"]\n",
                Sha256::digest(token)
            ),
        );
        let (child, address) = Self::spawn(place, &["--port", &port, "--access", "access.toml"]);
        Self {
            child,
            address,
            token: token.to_owned(),
        }
    }

    /// The command, and the address that it prints.
    fn spawn(place: &Place, args: &[&str]) -> (Child, String) {
        place.write("site/index.html", "<p>the page");
        place.write("data/Logons.csv", "Account,Count\nana,3\nbo,10\n");
        let mut child = place
            .spoor()
            .args(["serve", "--site", "site", "--data", "data"])
            .args(args)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("Spoor is at http://").unwrap();
        (child, url.to_owned())
    }

    /// The status and the body of the answer to a query. The body's chunks are joined.
    fn kql(&self, query: &str) -> (String, Vec<u8>) {
        let body = serde_json::json!({ "query": query }).to_string();
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        let head = format!(
            "POST /api/kql HTTP/1.0\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            self.address,
            self.token,
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
        let status = String::from_utf8_lossy(&bytes[9..12]).into_owned();
        (status, bytes[end + 4..].to_vec())
    }

    fn interrupt(&mut self) -> std::process::ExitStatus {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        self.child.wait().unwrap()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn queries_run_natively_over_the_data() {
    let place = Place::new();
    let mut serving = Serving::start(&place);
    for _ in 0..2 {
        let (status, body) = serving.kql("Logons | summarize Total = sum(Count)");
        assert_eq!(status, "200");
        let table = ipc::from_stream(&body).unwrap();
        assert_eq!((table.rows(), table.value(0, 0)), (1, Value::Long(13)));
    }
    // A file that has changed is read again.
    place.write("data/Logons.csv", "Account,Count\nana,30\nbo,100\n");
    let (_, body) = serving.kql("Logons | summarize Total = sum(Count)");
    assert_eq!(
        ipc::from_stream(&body).unwrap().value(0, 0),
        Value::Long(130)
    );
    let (status, body) = serving.kql("Logons\n| where Nobody == 1");
    let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(status, "400");
    assert_eq!(problem["line"], 2);
    assert_eq!(problem["column"], 9);
    assert!(
        problem["message"].as_str().unwrap().contains("Nobody"),
        "{problem}"
    );
    assert!(serving.interrupt().success());
}

#[test]
fn behind_a_door_whoever_is_named_asks_and_it_is_written_down() {
    let place = Place::new();
    let mut serving = Serving::start_behind_door(&place);
    let (status, body) = serving.kql("Logons | where Count > 1");
    assert_eq!(status, "200", "{}", String::from_utf8_lossy(&body));
    assert_eq!(ipc::from_stream(&body).unwrap().rows(), 2);
    let named = std::mem::replace(&mut serving.token, "token-canary-of-nobody".into());
    assert_eq!(serving.kql("Logons").0, "401");
    serving.token = named;
    assert_eq!(serving.kql("Canaries").0, "400");
    let audit = std::fs::read_to_string(place.path("audit.jsonl")).unwrap();
    let lines: Vec<serde_json::Value> = audit
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let told: Vec<_> = lines
        .iter()
        .map(|line| {
            (
                line["action"].as_str().unwrap(),
                line["outcome"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("query", "done"),
            ("request", "denied"),
            ("query", "failed")
        ]
    );
    assert_eq!(
        (&lines[0]["caller"], &lines[0]["rows"]),
        (&"nightly".into(), &2.into())
    );
    assert!(
        !audit.contains("canary") && !audit.contains("Canaries"),
        "{audit}"
    );
    assert!(serving.interrupt().success());
}

#[test]
fn a_taken_port_is_named_with_what_to_do() {
    let place = Place::new();
    let serving = Serving::start(&place);
    let port = serving.address.rsplit(':').next().unwrap();
    let second = place
        .spoor()
        .args(["serve", "--site", "site", "--port", port])
        .output()
        .unwrap();
    let said = common::stderr(&second);
    assert_eq!(second.status.code(), Some(5), "{said}");
    assert!(said.contains(port) && said.contains("--port"), "{said}");
}
