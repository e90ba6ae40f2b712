//! The listener that the browser comes back to: on 127.0.0.1, at a port of the system's choice, for one answer.
//!
//! Other programs of this machine can ask it too. Only a request with the sign-in's own `state` is taken; everything else is told
//! that there is nothing, and the wait goes on.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use url::Url;

/// The most bytes of a request. Entra's codes have some two thousand.
const MOST_BYTES: u64 = 64 << 10;

/// What a connection may take to say its request. Browsers open some in advance and say nothing on them.
const SLOWEST: Duration = Duration::from_secs(10);

/// How long the wait sleeps between two looks.
const NAP: Duration = Duration::from_millis(20);

/// The most connections that are heard at a time.
const MOST_CONNECTIONS: usize = 32;

/// A listener.
pub(super) struct Loopback {
    listener: TcpListener,
    port: u16,
}

/// What the authority has the browser say (RFC 6749, 4.1.2).
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) code: Option<String>,
    pub(super) error: Option<String>,
    pub(super) description: Option<String>,
    pub(super) issuer: Option<String>,
}

impl Loopback {
    pub(super) fn bind() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        Ok(Loopback { listener, port })
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Waits for the answer with this `state`; `None` if it does not come in time. Nothing listens afterwards.
    pub(super) fn wait(self, state: &str, patience: Duration) -> io::Result<Option<Answer>> {
        let until = Instant::now() + patience;
        let (sender, receiver) = mpsc::channel();
        let mut hearing = Vec::new();
        while Instant::now() < until {
            if let Ok(answer) = receiver.try_recv() {
                return Ok(Some(answer));
            }
            hearing.retain(|thread: &std::thread::JoinHandle<()>| !thread.is_finished());
            match self.listener.accept() {
                Ok((stream, _)) if hearing.len() < MOST_CONNECTIONS => {
                    let (sender, state) = (sender.clone(), state.to_owned());
                    hearing.push(std::thread::spawn(move || {
                        if let Some(answer) = hear(stream, &state) {
                            // Nobody waits any more if another answer was first.
                            let _ = sender.send(answer);
                        }
                    }));
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::thread::sleep(NAP),
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }
}

/// Hears one request and answers it. Gives what it said if it is the one that is waited for.
fn hear(mut stream: TcpStream, state: &str) -> Option<Answer> {
    stream.set_nonblocking(false).ok()?;
    stream.set_read_timeout(Some(SLOWEST)).ok()?;
    stream.set_write_timeout(Some(SLOWEST)).ok()?;
    let target = target(&stream)?;
    let answer = answer(&target, state);
    let page = match &answer {
        Some(Answer { error: None, .. }) => page("200 OK", "Signed in. You may close this page."),
        Some(_) => page(
            "200 OK",
            "Nobody was signed in; spoor says why. You may close this page.",
        ),
        None => page("404 Not Found", "There is nothing here."),
    };
    let _ = stream
        .write_all(page.as_bytes())
        .and_then(|()| stream.flush());
    answer
}

/// The target of a GET request, once its head has been read: a browser that is answered sooner shows an error.
fn target(stream: &TcpStream) -> Option<String> {
    let mut lines = BufReader::new(stream.take(MOST_BYTES)).lines();
    let first = lines.next()?.ok()?;
    while !lines.next()?.ok()?.is_empty() {}
    let target = first.strip_prefix("GET ")?.split(' ').next()?;
    target.starts_with('/').then(|| target.to_owned())
}

/// What a target says, if it has the state.
fn answer(target: &str, state: &str) -> Option<Answer> {
    let url = Url::parse("http://127.0.0.1").ok()?.join(target).ok()?;
    if url.path() != "/" {
        return None;
    }
    let field = |name: &str| {
        let mut pairs = url.query_pairs();
        pairs
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    (field("state").as_deref() == Some(state)).then(|| Answer {
        code: field("code"),
        error: field("error"),
        description: field("error_description"),
        issuer: field("iss"),
    })
}

fn page(status: &str, text: &str) -> String {
    let body =
        format!("<!doctype html><meta charset=\"utf-8\"><title>Spoor</title><p>{text}</p>\n");
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\
         Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\n\
         Content-Security-Policy: default-src 'none'\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(port: u16, request: &str) -> String {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        answer
    }

    #[test]
    fn only_the_answer_with_the_state_is_taken() {
        let loopback = Loopback::bind().unwrap();
        let port = loopback.port();
        let silent = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        let asking = std::thread::spawn(move || {
            for other in [
                "/?code=evil&state=no",
                "/?code=evil",
                "/favicon.ico",
                "/x?code=evil&state=yes",
            ] {
                let told = ask(port, &format!("GET {other} HTTP/1.1\r\nHost: x\r\n\r\n"));
                assert!(told.starts_with("HTTP/1.1 404"), "{told}");
            }
            assert_eq!(ask(port, "POST /?code=evil&state=yes HTTP/1.1\r\n\r\n"), "");
            ask(
                port,
                "GET /?code=a%2Bb&state=yes&iss=https%3A%2F%2Fid.example HTTP/1.1\r\nHost: x\r\n\r\n",
            )
        });
        let answer = loopback
            .wait("yes", Duration::from_secs(20))
            .unwrap()
            .unwrap();
        assert_eq!(answer.code.as_deref(), Some("a+b"));
        assert_eq!(answer.issuer.as_deref(), Some("https://id.example"));
        let page = asking.join().unwrap();
        assert!(page.starts_with("HTTP/1.1 200") && page.contains("You may close this page"));
        drop(silent);
        assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err());
    }

    #[test]
    fn the_wait_ends() {
        let loopback = Loopback::bind().unwrap();
        assert!(
            loopback
                .wait("yes", Duration::from_millis(60))
                .unwrap()
                .is_none()
        );
    }
}
