//! The server over real sockets: who is let in, what is reached, what is saved, what is streamed.

#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use spoor::serve::{DataFile, Options, Problem, Query, Server, Stop, Watch};

const PAGE: &str = r#"<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'self'">"#;
const NOTEBOOK: &str = r#"{"nbformat":4,"nbformat_minor":5,"metadata":{},"cells":[]}"#;

/// An answer, whole.
struct Answer {
    status: u16,
    headers: HashMap<String, String>,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }
}

/// A server over folders of its own, for as long as this lives.
struct Place {
    dir: tempfile::TempDir,
    address: SocketAddr,
    token: String,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    serving: Option<JoinHandle<()>>,
}

impl Place {
    fn new() -> Self {
        Self::with(None, Duration::from_secs(60))
    }

    fn with(query: Option<Arc<dyn Query>>, query_time: Duration) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for folder in ["site/pieces", "notebooks/deep", "data"] {
            fs::create_dir_all(at(folder)).unwrap();
        }
        fs::write(at("secret.ipynb"), NOTEBOOK).unwrap();
        fs::write(at("site/index.html"), PAGE).unwrap();
        fs::write(at("site/page.js"), "0123456789").unwrap();
        fs::write(at("site/page.js.br"), "packed").unwrap();
        fs::write(at("site/service.js"), "1").unwrap();
        fs::write(at("site/pieces/a.bin"), "piece").unwrap();
        fs::write(at("notebooks/a.ipynb"), NOTEBOOK).unwrap();
        fs::write(at("notebooks/deep/b.ipynb"), NOTEBOOK).unwrap();
        fs::write(at("data/a b.csv"), "n\n1\n2\n").unwrap();
        let options = Options {
            address: "127.0.0.1:0".parse().unwrap(),
            name: None,
            site: at("site"),
            notebooks: Some(at("notebooks")),
            data: vec![DataFile { table: "a_b".into(), format: "csv".into(), path: at("data/a b.csv") }],
            query,
            query_time,
        };
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let (tell, told) = std::sync::mpsc::channel();
        let serving = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async move {
                let server = Server::bind(options).await.unwrap();
                tell.send(server.url().to_owned()).unwrap();
                server.run(async move { drop(stopped.await) }).await.unwrap();
            });
            runtime.shutdown_background();
        });
        let url: String = told.recv().unwrap();
        let (origin, token) = url.strip_prefix("http://").unwrap().split_once("/?token=").unwrap();
        let (address, token) = (origin.parse().unwrap(), token.to_owned());
        Self { dir, address, token, stop: Some(stop), serving: Some(serving) }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    /// Sends a request with these header lines and no others but `Host` and `Connection`.
    fn raw(&self, request: &str, headers: &[&str], body: &[u8]) -> Answer {
        let mut stream = self.connect(request, headers, body);
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        parse(&bytes)
    }

    fn connect(&self, request: &str, headers: &[&str], body: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut head = format!("{request} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
        if !headers.iter().any(|header| header.starts_with("Host:")) {
            head.push_str(&format!("Host: {}\r\n", self.address));
        }
        for header in headers {
            head.push_str(&format!("{header}\r\n"));
        }
        stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        stream
    }

    /// As the browser that was let in sends it.
    fn send(&self, request: &str, headers: &[&str], body: &str) -> Answer {
        let cookie = self.cookie();
        let all: Vec<&str> = headers.iter().copied().chain([cookie.as_str()]).collect();
        self.raw(request, &all, body.as_bytes())
    }

    fn cookie(&self) -> String {
        format!("Cookie: other=1; spoor-{}={}", self.address.port(), self.token)
    }

    fn get(&self, path: &str) -> Answer {
        self.send(&format!("GET {path}"), &[], "")
    }

    fn kql(&self, body: &str) -> Answer {
        self.send("POST /api/kql", &["Content-Type: application/json"], body)
    }

    fn end(&mut self) {
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
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("an answer");
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers: HashMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let mut body = bytes[end + 4..].to_vec();
    if headers.get("transfer-encoding").is_some_and(|value| value == "chunked") {
        body = joined(&body);
    }
    Answer { status, headers, body }
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

#[test]
fn the_page_is_for_everyone_and_what_is_the_user_s_for_whoever_was_let_in() {
    let place = Place::new();
    assert_eq!(place.raw("GET /", &[], b"").status, 200);
    for private in ["GET /api/", "GET /api/notebooks", "GET /api/notebooks/a.ipynb", "GET /data/index.json", "GET /data/a%20b.csv", "PUT /api/notebooks/n.ipynb", "POST /api/kql", "GET /api/nothing"] {
        let refused = place.raw(private, &[], b"");
        assert_eq!(refused.status, 401, "{private}");
        assert!(refused.json()["hint"].as_str().unwrap().contains("printed"), "{private}");
    }
    let wrong = format!("Cookie: spoor-{}={}", place.address.port(), "0".repeat(48));
    assert_eq!(place.raw("GET /api/notebooks", &[&wrong], b"").status, 401);
    let bearer = format!("Authorization: Bearer {}", place.token);
    assert_eq!(place.raw("GET /api/notebooks", &[&bearer], b"").status, 200);
    assert_eq!(place.get("/api/").json()["notebooks"], true);
}

#[test]
fn the_secret_goes_from_the_address_into_a_cookie() {
    let place = Place::new();
    let entered = place.raw(&format!("GET //evil.example/?token={}&nb=a", place.token), &[], b"");
    assert_eq!((entered.status, entered.header("location")), (303, "/evil.example/?nb=a"));
    let cookie = entered.header("set-cookie").to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let pair = format!("Cookie: {}", cookie.split(';').next().unwrap());
    assert_eq!(place.raw("GET /api/notebooks", &[&pair], b"").status, 200);
    assert_eq!(place.raw("GET /?token=guess", &[], b"").status, 403);
}

#[test]
fn other_names_and_other_pages_are_refused() {
    let place = Place::new();
    let port = place.address.port();
    for host in [format!("evil.example:{port}"), "127.0.0.1".into(), format!("localhost.evil.example:{port}"), "127.0.0.1:1".into()] {
        for path in ["GET /", "GET /api/notebooks"] {
            assert_eq!(place.send(path, &[&format!("Host: {host}")], "").status, 421, "{host} {path}");
        }
    }
    assert_eq!(place.send("GET /api/notebooks", &[&format!("Host: localhost:{port}")], "").status, 200);
    for header in ["Origin: http://evil.example", "Origin: null", "Origin: http://localhost:1", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site"] {
        assert_eq!(place.send("GET /api/notebooks", &[header], "").status, 403, "{header}");
        assert_eq!(place.send("PUT /api/notebooks/x.ipynb", &[header, "If-None-Match: *"], NOTEBOOK).status, 403, "{header}");
    }
    let own = format!("Origin: http://{}", place.address);
    assert_eq!(place.send("GET /api/notebooks", &[&own, "Sec-Fetch-Site: same-origin"], "").status, 200);
    let absolute = format!("GET http://evil.example:{port}/api/notebooks");
    assert_eq!(place.send(&absolute, &[], "").status, 421);
}

#[test]
fn every_answer_is_isolated_and_strict() {
    let place = Place::new();
    for path in ["/", "/nothing", "/api/notebooks", "/data/index.json", "/?token=x"] {
        let answer = place.get(path);
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin", "{path}");
        assert_eq!(answer.header("cross-origin-embedder-policy"), "require-corp", "{path}");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin", "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(answer.header("content-security-policy"), "default-src 'none'; script-src 'self'; frame-ancestors 'none'", "{path}");
    }
    assert_eq!(place.get("/api/notebooks").header("cache-control"), "no-store");
    assert!(place.get("/pieces/a.bin").header("cache-control").contains("immutable"));
    assert_eq!(place.get("/service.js").status, 404);
    assert_eq!(place.send("POST /page.js", &[], "").status, 405);
}

#[test]
fn files_are_packed_validated_and_cut() {
    let place = Place::new();
    let whole = place.get("/page.js");
    assert_eq!((whole.text().as_str(), whole.header("accept-ranges")), ("0123456789", "bytes"));
    let packed = place.send("GET /page.js", &["Accept-Encoding: gzip, br"], "");
    assert_eq!((packed.text().as_str(), packed.header("content-encoding")), ("packed", "br"));
    assert_eq!(packed.header("content-type"), "text/javascript; charset=utf-8");
    let (etag, packed_etag) = (whole.header("etag"), packed.header("etag"));
    assert!(etag.starts_with('"') && etag != packed_etag, "{etag} {packed_etag}");
    let known = format!("If-None-Match: \"x\", {etag}");
    let again = place.send("GET /page.js", &[&known], "");
    assert_eq!((again.status, again.body.len()), (304, 0));
    let part = place.send("GET /page.js", &["Range: bytes=2-4", "Accept-Encoding: br"], "");
    assert_eq!((part.status, part.text().as_str(), part.header("content-range")), (206, "234", "bytes 2-4/10"));
    let outdated = place.send("GET /page.js", &["Range: bytes=2-4", "If-Range: \"old\""], "");
    assert_eq!((outdated.status, outdated.body.len()), (200, 10));
    let beyond = place.send("GET /page.js", &["Range: bytes=10-"], "");
    assert_eq!((beyond.status, beyond.header("content-range")), (416, "bytes */10"));
    let head = place.send("HEAD /page.js", &[], "");
    assert_eq!((head.status, head.header("content-length"), head.body.len()), (200, "10", 0));
    fs::write(place.path("site/page.js"), "0123456780").unwrap();
    assert_ne!(place.get("/page.js").header("etag"), etag);
}

#[test]
fn data_is_as_a_static_site_has_it() {
    let place = Place::new();
    let index = place.get("/data/index.json").json();
    let expected = serde_json::json!([{ "name": "a_b", "file": "a b.csv", "url": "data/a%20b.csv", "bytes": 6, "format": "csv" }]);
    assert_eq!(index, expected);
    assert_eq!(place.get("/data/a%20b.csv").text(), "n\n1\n2\n");
    let part = place.send("GET /data/a%20b.csv", &["Range: bytes=-2"], "");
    assert_eq!((part.status, part.text().as_str()), (206, "2\n"));
    for path in ["/data/../secret.ipynb", "/data/%2e%2e%2fsecret.ipynb", "/data/nothing.csv", "/data/index.html"] {
        assert_eq!(place.get(path).status, 404, "{path}");
    }
    // A link that takes the file's place leads nowhere.
    fs::remove_file(place.path("data/a b.csv")).unwrap();
    std::os::unix::fs::symlink(place.path("secret.ipynb"), place.path("data/a b.csv")).unwrap();
    assert_eq!(place.get("/data/a%20b.csv").status, 404);
}

#[test]
fn no_path_leads_out_of_a_folder() {
    use std::os::unix::fs::symlink;
    let place = Place::new();
    symlink(place.path("secret.ipynb"), place.path("notebooks/out.ipynb")).unwrap();
    symlink(place.path(""), place.path("notebooks/up")).unwrap();
    symlink("../../secret.ipynb", place.path("notebooks/deep/up.ipynb")).unwrap();
    symlink(place.path("secret.ipynb"), place.path("site/out.js")).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, place.path("notebooks/pipe.ipynb"), rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    fs::write(place.path("notebooks/text.txt"), "x").unwrap();
    fs::create_dir(place.path("notebooks/.hidden")).unwrap();
    fs::write(place.path("notebooks/.hidden/h.ipynb"), NOTEBOOK).unwrap();
    let list = place.get("/api/notebooks").json();
    let paths: Vec<&str> = list["notebooks"].as_array().unwrap().iter().map(|entry| entry["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["a.ipynb", "deep/b.ipynb"]);
    let secret = fs::read(place.path("secret.ipynb")).unwrap();
    for name in ["../secret.ipynb", "%2e%2e/secret.ipynb", "..%2fsecret.ipynb", "deep/../../secret.ipynb", "/etc/x.ipynb", "%2fetc%2fx.ipynb", "out.ipynb", "up/secret.ipynb", "deep/up.ipynb",
        "pipe.ipynb", "text.txt", ".hidden/h.ipynb", "a.ipynb%00.ipynb", "a.ipynb/x.ipynb", "deep", "a%0a.ipynb", &format!("{}.ipynb", "n".repeat(300))] {
        let read = place.get(&format!("/api/notebooks/{name}"));
        assert!(matches!(read.status, 400 | 404), "{name}: {}", read.status);
        let saved = place.send(&format!("PUT /api/notebooks/{name}"), &[&format!("If-Match: \"{}\"", "0".repeat(64))], NOTEBOOK);
        assert!(matches!(saved.status, 400 | 404 | 412), "{name}: {}", saved.status);
    }
    for name in ["up/new.ipynb", "../new.ipynb", "out.ipynb", "deep/up.ipynb"] {
        let made = place.send(&format!("PUT /api/notebooks/{name}"), &["If-None-Match: *"], NOTEBOOK);
        assert!(matches!(made.status, 400 | 404 | 409), "{name}: {}", made.status);
    }
    assert!(!place.path("new.ipynb").exists());
    assert_eq!(fs::read(place.path("secret.ipynb")).unwrap(), secret);
    for path in ["/out.js", "/../secret.ipynb", "/%2e%2e/secret.ipynb", "/pieces/../../secret.ipynb"] {
        assert_eq!(place.get(path).status, 404, "{path}");
    }
}

#[test]
fn a_save_names_what_it_replaces() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let read = place.get("/api/notebooks/a.ipynb");
    assert_eq!(read.text(), NOTEBOOK);
    let etag = read.header("etag").to_owned();
    assert_eq!(place.send("GET /api/notebooks/a.ipynb", &[&format!("If-None-Match: {etag}")], "").status, 304);
    assert_eq!(place.send("PUT /api/notebooks/a.ipynb", &[], NOTEBOOK).status, 428);
    fs::set_permissions(place.path("notebooks/a.ipynb"), fs::Permissions::from_mode(0o640)).unwrap();
    let changed = NOTEBOOK.replace("\"cells\"", "\"x\":1,\"cells\"");
    let saved = place.send("PUT /api/notebooks/a.ipynb", &[&format!("If-Match: {etag}")], &changed);
    assert_eq!(saved.status, 200);
    let version = saved.json()["version"].as_str().unwrap().to_owned();
    assert_eq!(saved.header("etag"), format!("\"{version}\""));
    assert_eq!(fs::read_to_string(place.path("notebooks/a.ipynb")).unwrap(), changed);
    assert_eq!(fs::metadata(place.path("notebooks/a.ipynb")).unwrap().permissions().mode() & 0o777, 0o640);
    let late = place.send("PUT /api/notebooks/a.ipynb", &[&format!("If-Match: {etag}")], NOTEBOOK);
    assert_eq!((late.status, late.json()["version"].as_str()), (412, Some(version.as_str())));
    assert_eq!(fs::read_to_string(place.path("notebooks/a.ipynb")).unwrap(), changed);
    fs::remove_file(place.path("notebooks/a.ipynb")).unwrap();
    let gone = place.send("PUT /api/notebooks/a.ipynb", &[&format!("If-Match: \"{version}\"")], NOTEBOOK);
    assert_eq!((gone.status, gone.json()["version"].is_null()), (412, true));
}

#[test]
fn a_new_notebook_replaces_none() {
    let place = Place::new();
    let made = place.send("PUT /api/notebooks/new/one%20more.ipynb", &["If-None-Match: *"], NOTEBOOK);
    assert_eq!(made.status, 201);
    assert_eq!(fs::read_to_string(place.path("notebooks/new/one more.ipynb")).unwrap(), NOTEBOOK);
    let taken = place.send("PUT /api/notebooks/a.ipynb", &["If-None-Match: *"], &NOTEBOOK.replace('5', "4"));
    assert_eq!(taken.status, 409);
    assert!(taken.json()["message"].as_str().unwrap().contains("name"));
    assert_eq!(fs::read_to_string(place.path("notebooks/a.ipynb")).unwrap(), NOTEBOOK);
    for body in ["", "{}", "[1]", "{\"nbformat\":4", "text"] {
        assert_eq!(place.send("PUT /api/notebooks/bad.ipynb", &["If-None-Match: *"], body).status, 422, "{body}");
    }
    assert!(!place.path("notebooks/bad.ipynb").exists());
    let left: Vec<_> = fs::read_dir(place.path("notebooks/new")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["one more.ipynb"]);
}

#[test]
fn of_saves_at_once_one_wins() {
    const SAVES: usize = 8;
    let place = Place::new();
    let etag = place.get("/api/notebooks/a.ipynb").header("etag").to_owned();
    let go = Barrier::new(SAVES);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let saves: Vec<_> = (0..SAVES)
            .map(|n| {
                let (place, go, etag) = (&place, &go, &etag);
                scope.spawn(move || {
                    let body = NOTEBOOK.replace("\"metadata\":{}", &format!("\"metadata\":{{\"n\":{n}}}"));
                    go.wait();
                    place.send("PUT /api/notebooks/a.ipynb", &[&format!("If-Match: {etag}")], &body).status
                })
            })
            .collect();
        saves.into_iter().map(|save| save.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 412).count(), SAVES - 1, "{statuses:?}");
}

#[test]
fn a_save_that_breaks_off_changes_nothing() {
    let mut place = Place::new();
    let etag = place.get("/api/notebooks/a.ipynb").header("etag").to_owned();
    let mut stream = TcpStream::connect(place.address).unwrap();
    let head = format!(
        "PUT /api/notebooks/a.ipynb HTTP/1.1\r\nHost: {}\r\n{}\r\nIf-Match: {etag}\r\nContent-Length: 1000000\r\n\r\n{NOTEBOOK}",
        place.address,
        place.cookie()
    );
    stream.write_all(head.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(100));
    place.end();
    drop(stream);
    assert_eq!(fs::read_to_string(place.path("notebooks/a.ipynb")).unwrap(), NOTEBOOK);
    assert_eq!(fs::read_dir(place.path("notebooks")).unwrap().count(), 2);
}

/// An engine that does as its query says.
#[derive(Default)]
struct Fake {
    running: AtomicUsize,
    gone: AtomicBool,
}

impl Query for Fake {
    fn run(&self, text: &str, watch: &Watch, out: &mut dyn Write) -> Result<(), Problem> {
        let failed = |message: &str| Problem { message: message.into(), ..Problem::default() };
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
            "wrong" => Err(Problem { message: "no such table".into(), place: Some((2, 5)), hint: Some("name another".into()) }),
            "much" => {
                for _ in 0..64 {
                    out.write_all(&[7; 1 << 16]).map_err(|_| failed("gone"))?;
                }
                Ok(())
            }
            "half" => {
                out.write_all(&[7; 1 << 20]).map_err(|_| failed("gone"))?;
                Err(failed("broke"))
            }
            "early" => {
                out.write_all(b"little").map_err(|_| failed("gone"))?;
                Err(failed("broke"))
            }
            _ => out.write_all(format!("{text} {declared}").as_bytes()).map_err(|_| failed("gone")),
        }
    }
}

#[test]
fn a_query_is_answered_or_told_why_not() {
    let place = Place::with(Some(Arc::new(Fake::default())), Duration::from_secs(60));
    let answer = place.kql(r#"{"query":"print 1"}"#);
    assert_eq!((answer.status, answer.text().as_str()), (200, "print 1 false"));
    assert_eq!(answer.header("content-type"), "application/vnd.apache.arrow.stream");
    assert_eq!(place.kql(r#"{"query":"print n","parameters":{"n":1}}"#).text(), "print n true");
    let wrong = place.kql(r#"{"query":"wrong"}"#);
    let expected = serde_json::json!({ "message": "no such table", "line": 2, "column": 5, "hint": "name another" });
    assert_eq!((wrong.status, wrong.json()), (400, expected));
    assert_eq!(place.kql(r#"{"query":"wrong","parameters":{"n":1}}"#).json()["line"], 1);
    assert_eq!(place.kql(r#"{"query":"early"}"#).json()["message"], "broke");
    for body in ["", "{}", r#"{"query":1}"#, r#"{"query":"x","parameters":{"a b":1}}"#] {
        assert!(matches!(place.kql(body).status, 400 | 422), "{body}");
    }
    assert_eq!(place.send("POST /api/kql", &[], r#"{"query":"x"}"#).status, 415);
}

#[test]
fn a_long_answer_comes_in_parts_and_a_failure_within_it_shows() {
    let place = Place::with(Some(Arc::new(Fake::default())), Duration::from_secs(60));
    assert_eq!(place.kql(r#"{"query":"much"}"#).body.len(), 4 << 20);
    let mut stream = place.connect("POST /api/kql", &["Content-Type: application/json", &place.cookie()], br#"{"query":"half"}"#);
    let mut bytes = Vec::new();
    // The end of a chunked answer is an empty chunk, which must not come.
    let _ = stream.read_to_end(&mut bytes);
    assert!(bytes.starts_with(b"HTTP/1.1 200") && !bytes.ends_with(b"0\r\n\r\n"));
}

#[test]
fn a_query_ends_with_its_time_and_with_its_client() {
    let engine = Arc::new(Fake::default());
    let place = Place::with(Some(engine.clone()), Duration::from_millis(300));
    assert_eq!(place.kql(r#"{"query":"wait"}"#).json()["message"], "time is up");
    let engine = Arc::new(Fake::default());
    let place = Place::with(Some(engine.clone()), Duration::from_secs(600));
    let stream = place.connect("POST /api/kql", &["Content-Type: application/json", &place.cookie()], br#"{"query":"wait"}"#);
    wait_for(|| engine.running.load(Ordering::SeqCst) == 1);
    drop(stream);
    wait_for(|| engine.gone.load(Ordering::SeqCst));
}

#[test]
fn two_queries_run_and_the_third_waits() {
    let engine = Arc::new(Fake::default());
    let place = Place::with(Some(engine.clone()), Duration::from_secs(600));
    let start = || place.connect("POST /api/kql", &["Content-Type: application/json", &place.cookie()], br#"{"query":"wait"}"#);
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
    let _stream = place.connect("POST /api/kql", &["Content-Type: application/json", &place.cookie()], br#"{"query":"wait"}"#);
    wait_for(|| engine.running.load(Ordering::SeqCst) == 1);
    let asked = Instant::now();
    place.end();
    assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
    assert!(TcpStream::connect(place.address).is_err());
}

#[test]
fn a_folder_without_a_page_is_no_site() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        address: "127.0.0.1:0".parse().unwrap(),
        name: None,
        site: dir.path().to_owned(),
        notebooks: None,
        data: Vec::new(),
        query: None,
        query_time: Duration::from_secs(1),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let error = runtime.block_on(Server::bind(options)).err().unwrap().to_string();
    assert!(error.contains("index.html"), "{error}");
}

fn wait_for(holds: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < end, "not so after 20 s");
        std::thread::sleep(Duration::from_millis(5));
    }
}
