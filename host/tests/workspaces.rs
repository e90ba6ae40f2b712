//! A hunt that asks a workspace which lets in nobody without a token: what it answers, and where the token is not.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

#[path = "../signin/tests/support/authority.rs"]
#[allow(dead_code)]
mod authority;

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::json;
use sha2::{Digest, Sha256};

use authority::Authority;
use common::{Place, expect, outputs, stderr, stdout};

/// `spoor serve --api`. It ends with the value.
struct Store(Child);

impl Store {
    /// Over the folder `data` at a port, for whoever brings one of the tokens.
    fn start(place: &Place, port: u16, tokens: &[String]) -> Self {
        let line = |token: &String| format!("hunter {:x}\n", Sha256::digest(token));
        let tokens: String = tokens.iter().map(line).collect();
        place.write("tokens", &tokens);
        let mut command = spoor(place);
        command
            .args(["serve", "--api", "--port", &port.to_string()])
            .args(["--data", "data", "--api-tokens", "tokens"])
            .stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        lines.read_line(&mut line).unwrap();
        assert!(line.starts_with("The API is at"), "{line}");
        Self(child)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The command, with accounts of this place's own.
fn spoor(place: &Place) -> Command {
    let mut command = place.spoor();
    command
        .env("XDG_DATA_HOME", place.path("share"))
        .env_remove("SPOOR_CONFIG");
    command
}

fn configuration(authority: &Authority, port: u16) -> String {
    format!(
        "[workspaces.soc]\nkind = \"kusto\"\ncloud = \"custom\"\nendpoint = \"http://127.0.0.1:{port}\"\nplain-loopback = true\n\
         authority = \"{}\"\nclient-id = \"robot\"\nscope = \"hunt\"\ndatabase = \"spoor\"\n",
        authority.issuer
    )
}

/// The files of a folder and below in which a text stands, but for the accounts themselves.
fn files_with(folder: &Path, text: &[u8], found: &mut Vec<String>) -> usize {
    let mut read = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read += files_with(&path, text, found);
            continue;
        }
        read += 1;
        let bytes = fs::read(&path).unwrap();
        if bytes.windows(text.len()).any(|piece| piece == text) {
            found.push(path.display().to_string());
        }
    }
    read
}

#[test]
fn a_hunt_is_let_in_and_nothing_that_it_leaves_has_the_token() {
    let place = Place::new();
    let authority = Authority::start(&json!({}));
    place.write("data/Logs.csv", "Account,Tries\nana,3\nben,12\n");
    place.write("secret", "robot-secret");
    // A sign-in is for one server, which is not there yet.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
    let port = free.unwrap().port();
    place.write("spoor.toml", &configuration(&authority, port));
    let login = [
        "login",
        "--workspace",
        "soc",
        "--client-secret-file",
        "secret",
    ];
    let login = spoor(&place).args(login).output().unwrap();
    expect(&login, 0);
    let tokens = authority.given();
    assert!(!tokens.is_empty());
    let _store = Store::start(&place, port, &tokens);

    place.notebook(
        "hunt.ipynb",
        &[
            "%%kql --as logs\nworkspace('soc').Logs | where Tries > 5",
            "kql('Logs | summarize sum(Tries)', workspace='soc').iloc[0, 0] + len(logs)",
            "import gc, os\nprint(dict(os.environ))\n[text for text in gc.get_objects() if isinstance(text, str)]",
            "%%kql --workspace soc\nLogs | where Treis > 1",
        ],
    );
    let run = spoor(&place)
        .args(["run", "hunt.ipynb", "-o", "out.ipynb", "--html", "out.html"])
        .args(["--record", "out.recorded", "--record-session", "session"])
        .args(["--allow-errors", "--log-output"])
        .output()
        .unwrap();
    expect(&run, 0);
    let told = outputs(&place.path("out.ipynb"));
    assert!(told[0].contains("ben"), "{told:?}");
    assert!(told[1].contains("16"), "{told:?}");
    assert!(told[3].contains("Treis"), "{told:?}");

    // Of the files the recorded session has all that the kernel and, through it, Python were handed.
    for token in authority.given() {
        for output in [&login, &run] {
            assert!(!stdout(output).contains(&token) && !stderr(output).contains(&token));
        }
        let mut found = Vec::new();
        let read = files_with(&place.path(""), token.as_bytes(), &mut found);
        assert!(
            read > 8 && found.is_empty(),
            "{token} in {found:?} of {read}"
        );
    }
    let mut found = Vec::new();
    files_with(&place.path(""), b"summarize sum(Tries)", &mut found);
    assert!(
        found.iter().any(|file| file.ends_with("/session")),
        "{found:?}"
    );
}
