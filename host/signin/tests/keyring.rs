//! The system's keyring: where there is none, the key is in a file; where there is one, it is not.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::path::Path;
use std::process::Command;

use serde_json::json;
use spoor_signin::{Accounts, KeyPlace, Secret, SignIn, Store};
use support::{Authority, Place, workspace};

const FOLDER: &str = "SPOOR_TEST_ACCOUNTS";
const ISSUER: &str = "SPOOR_TEST_ISSUER";

/// Signs in where the environment says, with whatever keyring it has.
#[test]
#[ignore = "run by the tests below"]
fn another_process() {
    let (Ok(folder), Ok(issuer)) = (std::env::var(FOLDER), std::env::var(ISSUER)) else {
        return;
    };
    let lab = workspace(&issuer, "robot", "hunt");
    let open = || Store::open_in(Path::new(&folder), KeyPlace::Best).unwrap();
    let secret = Secret::new("robot-secret".to_owned());
    let store = open();
    SignIn::new(&store, &lab)
        .unwrap()
        .client_credentials(secret)
        .unwrap();
    assert!(Accounts::new(open()).token(&lab, false).is_ok());
}

fn sign_in(place: &Place, mut command: Command) {
    let authority = Authority::start(&json!({}));
    let output = command
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "another_process", "--ignored", "--nocapture"])
        .env(FOLDER, &place.accounts)
        .env(ISSUER, &authority.issuer)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn header(place: &Place) -> String {
    let bytes = std::fs::read(place.accounts.join("accounts.sealed")).unwrap();
    String::from_utf8_lossy(&bytes[..32])
        .lines()
        .next()
        .unwrap()
        .to_owned()
}

#[test]
fn without_a_keyring_the_key_is_in_a_file() {
    let place = Place::new();
    let mut command = Command::new("env");
    command.args(["-u", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR=/nowhere"]);
    sign_in(&place, command);
    assert_eq!(header(&place), "spoor accounts 1, key in file");
    assert!(place.accounts.join("accounts.key").is_file());
}

/// A keyring that is new, unlocked, and gone afterwards.
#[test]
#[ignore = "needs dbus-run-session and gnome-keyring-daemon"]
fn with_a_keyring_the_key_is_in_it() {
    let (place, home) = (Place::new(), tempfile::tempdir().unwrap());
    let script = "echo pass | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1; exec \"$@\"";
    let mut command = Command::new("dbus-run-session");
    command.args(["--", "sh", "-c", script, "sh"]);
    command
        .env("HOME", home.path())
        .env("XDG_DATA_HOME", home.path().join("data"));
    command.env("XDG_RUNTIME_DIR", home.path());
    sign_in(&place, command);
    assert_eq!(header(&place), "spoor accounts 1, key in keyring");
    assert!(!place.accounts.join("accounts.key").exists());
}
