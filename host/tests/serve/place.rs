//! A server over folders of its own, and a client that says exactly what it is told to.

#![allow(clippy::expect_used)]

use std::collections::HashMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use spoor::remote::Workspaces;
use spoor::serve::{DataFile, Options, Query, Server};
use spoor_door::Door;

/// A page with a policy.
pub const PAGE: &str = r#"<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'self'">"#;
/// A page with another, to which authorities lead.
pub const SIGNIN: &str =
    r#"<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'self'">"#;
/// An empty notebook.
pub const NOTEBOOK: &str = r#"{"nbformat":4,"nbformat_minor":5,"metadata":{},"cells":[]}"#;

/// An answer, whole.
pub struct Answer {
    pub status: u16,
    pub headers: HashMap<String, String>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }
}

/// A server over folders of its own, for as long as this lives.
pub struct Place {
    dir: tempfile::TempDir,
    pub address: SocketAddr,
    pub token: String,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    serving: Option<JoinHandle<()>>,
}

/// A door, and what is behind it.
pub struct Behind {
    pub address: SocketAddr,
    pub door: Option<Arc<Door>>,
    pub workspaces: Option<Arc<Workspaces>>,
}

impl Place {
    pub fn new() -> Self {
        Self::with(None, Duration::from_secs(60))
    }

    pub fn with(query: Option<Arc<dyn Query>>, query_time: Duration) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let none = Behind {
            address: "127.0.0.1:0".parse().unwrap(),
            door: None,
            workspaces: None,
        };
        Self::behind(dir, none, query, query_time)
    }

    /// Behind a door.
    pub fn behind_door(dir: tempfile::TempDir, behind: Behind, query: Arc<dyn Query>) -> Self {
        Self::behind(dir, behind, Some(query), Duration::from_secs(60))
    }

    fn behind(
        dir: tempfile::TempDir,
        behind: Behind,
        query: Option<Arc<dyn Query>>,
        query_time: Duration,
    ) -> Self {
        let at = |name: &str| dir.path().join(name);
        for folder in ["site/pieces", "notebooks/deep", "data"] {
            fs::create_dir_all(at(folder)).unwrap();
        }
        fs::write(at("secret.ipynb"), NOTEBOOK).unwrap();
        fs::write(at("site/index.html"), PAGE).unwrap();
        fs::write(at("site/signin.html"), SIGNIN).unwrap();
        fs::write(at("site/page.js"), "0123456789").unwrap();
        fs::write(at("site/page.js.br"), "packed").unwrap();
        fs::write(at("site/service.js"), "1").unwrap();
        fs::write(at("site/pieces/a.gz"), "piece").unwrap();
        fs::write(at("notebooks/a.ipynb"), NOTEBOOK).unwrap();
        fs::write(at("notebooks/deep/b.ipynb"), NOTEBOOK).unwrap();
        fs::write(at("data/a b.csv"), "n\n1\n2\n").unwrap();
        let options = Options {
            address: behind.address,
            name: None,
            site: at("site"),
            notebooks: Some(at("notebooks")),
            data: vec![DataFile {
                table: "a_b".into(),
                format: "csv".into(),
                path: at("data/a b.csv"),
            }],
            query,
            query_time,
            workspaces: behind.workspaces,
            door: behind.door,
            tls: None,
        };
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let (tell, told) = std::sync::mpsc::channel();
        let serving = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                let server = Server::bind(options).await.unwrap();
                tell.send((server.url().to_owned(), server.address()))
                    .unwrap();
                server
                    .run(async move { drop(stopped.await) })
                    .await
                    .unwrap();
            });
            runtime.shutdown_background();
        });
        let (url, address): (String, SocketAddr) = told.recv().unwrap();
        let token = url.split_once("/?token=");
        let token = token.map_or(String::new(), |(_, token)| token.to_owned());
        Self {
            dir,
            address,
            token,
            stop: Some(stop),
            serving: Some(serving),
        }
    }

    pub fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    /// Sends a request with these header lines and no others but `Host` and `Connection`.
    pub fn raw(&self, request: &str, headers: &[&str], body: &[u8]) -> Answer {
        let mut stream = self.connect(request, headers, body);
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        parse(&bytes)
    }

    pub fn connect(&self, request: &str, headers: &[&str], body: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        let mut head = format!(
            "{request} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n",
            body.len()
        );
        if !headers.iter().any(|header| header.starts_with("Host:")) {
            head.push_str(&format!("Host: {}\r\n", self.address));
        }
        for header in headers {
            head.push_str(&format!("{header}\r\n"));
        }
        // At once, so that an answer to the head alone does not meet a body on its way.
        let request = [head.as_bytes(), b"\r\n", body].concat();
        stream.write_all(&request).unwrap();
        stream
    }

    /// As the browser that was let in sends it.
    pub fn send(&self, request: &str, headers: &[&str], body: &str) -> Answer {
        let cookie = self.cookie();
        let all: Vec<&str> = headers.iter().copied().chain([cookie.as_str()]).collect();
        self.raw(request, &all, body.as_bytes())
    }

    pub fn cookie(&self) -> String {
        format!(
            "Cookie: other=1; spoor-{}={}",
            self.address.port(),
            self.token
        )
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send(&format!("GET {path}"), &[], "")
    }

    pub fn kql(&self, body: &str) -> Answer {
        self.send("POST /api/kql", &["Content-Type: application/json"], body)
    }

    pub fn end(&mut self) {
        drop(self.stop.take());
        if let Some(serving) = self.serving.take() {
            serving.join().unwrap();
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(self.stop.take());
    }
}

fn parse(bytes: &[u8]) -> Answer {
    let end = bytes
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .expect("an answer");
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let status = lines
        .next()
        .unwrap()
        .split(' ')
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    let headers: HashMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let mut body = bytes[end + 4..].to_vec();
    if headers
        .get("transfer-encoding")
        .is_some_and(|value| value == "chunked")
    {
        body = joined(&body);
    }
    Answer {
        status,
        headers,
        body,
    }
}

/// The chunks of a body; those before the end, where it broke off.
fn joined(mut rest: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    while let Some(end) = rest.windows(2).position(|window| window == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        out.extend_from_slice(&rest[end + 2..end + 2 + size]);
        rest = &rest[end + 2 + size + 2..];
        if size == 0 {
            break;
        }
    }
    out
}

/// Waits for what is about to happen.
pub fn wait_for(holds: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < end, "not so after 20 s");
        std::thread::sleep(Duration::from_millis(5));
    }
}
