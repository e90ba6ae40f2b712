//! Servers have to show who they are.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::thread;

use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use spoor_remote::{Client, Options, Resolver, Until};

use super::asking::{Came, Canaries, TWO, ask_by, at, options};

/// A server of TLS; answers with its port, and with its certificate, which is for `localhost` and signs itself.
fn serve() -> (u16, tempfile::NamedTempFile) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let own = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let mut root = tempfile::NamedTempFile::new().unwrap();
    root.write_all(made.cert.pem().as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let connection = ServerConnection::new(config.clone()).unwrap();
            let mut stream = StreamOwned::new(connection, stream);
            let mut some = [0; 4096];
            if matches!(stream.read(&mut some), Ok(1..)) {
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", TWO.len());
                let _ = stream.write_all(format!("{head}{TWO}").as_bytes());
                let _ = stream.flush();
                // What the client still writes is read, so that nothing is lost by a reset.
                while matches!(stream.read(&mut some), Ok(1..)) {}
            }
        }
    });
    (port, root)
}

fn ask(host: &str, port: u16, roots: Option<&Path>) -> Came {
    let resolver = Resolver::new(|_| Ok(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]));
    let client = Client::new(Options {
        extra_roots: roots.map(Path::to_owned),
        resolver,
        ..options()
    });
    let workspace = at("log-analytics", &format!("https://{host}:{port}"), "");
    ask_by(&client, &workspace, &Canaries::default(), &Until(None))
}

#[test]
fn a_certificate_has_to_be_known_and_for_the_name() {
    let (port, root) = serve();
    assert_eq!(ask("localhost", port, Some(root.path())).rows(), 2);
    // Without it, the machine may know certificates or none.
    let unknown = ask("localhost", port, None).error();
    assert!(unknown.contains("certificate"), "{unknown}");
    let other = ask("127.0.0.1", port, Some(root.path())).error();
    assert!(
        other.contains("cannot show that it is the one asked"),
        "{other}"
    );
}

#[test]
fn a_file_without_certificates_is_told() {
    let empty = tempfile::NamedTempFile::new().unwrap();
    let error = ask("localhost", serve().0, Some(empty.path())).error();
    assert!(
        error.contains("no certificates to know a server by"),
        "{error}"
    );
    assert!(error.contains(": there is none"), "{error}");
}
