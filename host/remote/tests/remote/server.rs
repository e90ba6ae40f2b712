//! A server of HTTP that does as it is told, down to the bytes, and remembers what it was asked.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// What came.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Method, target and headers, as they came.
    pub head: String,
    /// The body.
    pub body: String,
}

impl Seen {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .find(|(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }
}

/// What the server does about a request.
pub type Act = Arc<dyn Fn(&mut Peer) + Send + Sync>;

/// The other end of a connection.
pub struct Peer {
    stream: TcpStream,
    closed: Arc<AtomicUsize>,
}

impl Peer {
    /// Writes, and says whether anybody still reads.
    pub fn write(&mut self, bytes: &[u8]) -> bool {
        self.stream
            .write_all(bytes)
            .and_then(|()| self.stream.flush())
            .is_ok()
    }

    /// Says nothing until the client closes.
    pub fn stall(&mut self) {
        let mut byte = [0];
        while matches!(self.stream.read(&mut byte), Ok(1..)) {}
        self.closed.fetch_add(1, Ordering::SeqCst);
    }

    /// That the client closed while it was written to.
    pub fn note_closed(&self) {
        self.closed.fetch_add(1, Ordering::SeqCst);
    }
}

/// A server. It answers as long as the process lives.
pub struct Server {
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
    seen: Arc<Mutex<Vec<Seen>>>,
    cancels: Arc<Mutex<Vec<Seen>>>,
    closed: Arc<AtomicUsize>,
}

impl Server {
    /// Does the first act at the first request, and so on, and the last one at all that follow. What ends queries is answered aside.
    pub fn new(acts: Vec<Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Server {
            port: listener.local_addr().unwrap().port(),
            seen: Arc::default(),
            cancels: Arc::default(),
            closed: Arc::default(),
        };
        let (seen, cancels, closed) = (
            server.seen.clone(),
            server.cancels.clone(),
            server.closed.clone(),
        );
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (seen, cancels, closed, acts) =
                    (seen.clone(), cancels.clone(), closed.clone(), acts.clone());
                thread::spawn(move || serve(stream, &seen, &cancels, closed, &acts));
            }
        });
        server
    }

    /// Requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Requests so far that end queries.
    pub fn cancels(&self) -> Vec<Seen> {
        self.cancels.lock().unwrap().clone()
    }

    /// Waits until so many connections were closed by the client before they were answered.
    pub fn is_closed(&self, times: usize) -> bool {
        until(|| self.closed.load(Ordering::SeqCst) >= times)
    }

    /// Waits for a request.
    pub fn is_asked(&self) -> bool {
        until(|| !self.seen.lock().unwrap().is_empty())
    }
}

/// Waits for two seconds at most.
pub fn until(so: impl Fn() -> bool) -> bool {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(2) {
        if so() {
            return true;
        }
        thread::sleep(Duration::from_millis(5));
    }
    so()
}

fn serve(
    mut stream: TcpStream,
    seen: &Mutex<Vec<Seen>>,
    cancels: &Mutex<Vec<Seen>>,
    closed: Arc<AtomicUsize>,
    acts: &[Act],
) {
    let Some(request) = request(&mut stream) else {
        return;
    };
    if request.body.contains(".cancel query") {
        cancels.lock().unwrap().push(request);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
        return;
    }
    let at = {
        let mut seen = seen.lock().unwrap();
        seen.push(request);
        (seen.len() - 1).min(acts.len() - 1)
    };
    acts[at](&mut Peer { stream, closed });
}

fn request(stream: &mut TcpStream) -> Option<Seen> {
    let (mut bytes, mut byte) = (Vec::new(), [0]);
    while !bytes.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        bytes.push(byte[0]);
    }
    let mut seen = Seen {
        head: String::from_utf8(bytes).unwrap(),
        body: String::new(),
    };
    let length = seen
        .header("content-length")
        .map_or(0, |text| text.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    seen.body = String::from_utf8(body).unwrap();
    Some(seen)
}

/// Answers with a status, headers and a body.
pub fn answer(status: u16, headers: &str, body: &str) -> Act {
    let head = format!(
        "HTTP/1.1 {status} So\r\nContent-Length: {}\r\n{headers}\r\n",
        body.len()
    );
    raw(format!("{head}{body}"))
}

/// Answers with these bytes, and closes.
pub fn raw(text: String) -> Act {
    Arc::new(move |peer| {
        peer.write(text.as_bytes());
    })
}

/// Answers in chunks of so many bytes, with a pause before each.
pub fn pieces(body: &str, size: usize, pause: Duration) -> Act {
    let body = body.to_owned();
    Arc::new(move |peer| {
        peer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        for piece in body.as_bytes().chunks(size) {
            thread::sleep(pause);
            let mut chunk = format!("{:x}\r\n", piece.len()).into_bytes();
            chunk.extend_from_slice(piece);
            chunk.extend_from_slice(b"\r\n");
            if !peer.write(&chunk) {
                return peer.note_closed();
            }
        }
        peer.write(b"0\r\n\r\n");
    })
}

/// Answers with the beginning of something, and then with nothing.
pub fn stalled(start: &str) -> Act {
    let start = start.to_owned();
    Arc::new(move |peer| {
        peer.write(start.as_bytes());
        peer.stall();
    })
}

/// Begins an answer and never ends it.
pub fn flood(status: u16, start: &str) -> Act {
    let start = format!("HTTP/1.1 {status} So\r\n\r\n{start}");
    Arc::new(move |peer| {
        peer.write(start.as_bytes());
        while peer.write(&[b'x'; 4096]) {}
        peer.note_closed();
    })
}
