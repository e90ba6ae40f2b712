//! Tokens that end, against a real authority that rotates refresh tokens and notices their reuse.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod support;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::json;
use sha2::{Digest, Sha256};
use spoor_signin::{Accounts, KeyPlace, Store, TokenError};
use support::{Authority, Place, workspace};

#[test]
fn a_token_that_ends_is_renewed_and_the_refresh_token_with_it() {
    let authority = Authority::start(&json!({ "ttl": { "AccessToken": 8 } }));
    let place = Place::new();
    let lab = authority.workspace("spoor", "hunt");
    place.sign_in(&lab);
    let accounts = place.accounts();
    let mut seen = Vec::new();
    for _ in 0..3 {
        let token = accounts.token(&lab, false).unwrap();
        assert_eq!(
            accounts.token(&lab, false).unwrap().expose(),
            token.expose()
        );
        assert!(!seen.contains(&token.expose().to_owned()));
        seen.push(token.expose().to_owned());
        std::thread::sleep(Duration::from_secs(8));
    }
    assert_eq!(authority.grants("refresh_token"), 2);
}

#[test]
fn a_token_is_renewed_when_that_is_asked_for() {
    let authority = Authority::start(&json!({}));
    let place = Place::new();
    let lab = authority.workspace("spoor", "hunt");
    place.sign_in(&lab);
    let accounts = place.accounts();
    let first = accounts.token(&lab, false).unwrap();
    let second = accounts.token(&lab, true).unwrap();
    assert_ne!(first.expose(), second.expose());
    // What is new is what everybody gets from now on.
    assert_eq!(
        place.accounts().token(&lab, false).unwrap().expose(),
        second.expose()
    );
}

#[test]
fn reuse_of_a_refresh_token_ends_the_account_and_says_so() {
    let authority = Authority::start(&json!({}));
    let (place, thief) = (Place::new(), Place::new());
    let lab = authority.workspace("spoor", "hunt");
    place.sign_in(&lab);
    drop(thief.store());
    for file in ["accounts.sealed", "accounts.key"] {
        std::fs::copy(place.accounts.join(file), thief.accounts.join(file)).unwrap();
    }
    place.accounts().token(&lab, true).unwrap();
    // The copy has the token that was used up; the authority takes everything back.
    for accounts in [thief.accounts(), place.accounts()] {
        let error = accounts.token(&lab, true).unwrap_err();
        assert!(
            matches!(&error, TokenError::SignedOut { why, .. } if why.starts_with("invalid_grant")),
            "{error}"
        );
        assert!(
            error
                .to_string()
                .contains("run `spoor login --workspace lab`"),
            "{error}"
        );
        assert!(accounts.list().unwrap()[0].signed_out.is_some());
    }
    // It stays so without asking again, until somebody signs in.
    let asked = authority.control(&json!({}))["refused"]
        .as_array()
        .unwrap()
        .len();
    assert!(matches!(
        place.accounts().token(&lab, false),
        Err(TokenError::SignedOut { .. })
    ));
    assert_eq!(
        authority.control(&json!({}))["refused"]
            .as_array()
            .unwrap()
            .len(),
        asked
    );
    place.sign_in(&lab);
    assert!(place.accounts().token(&lab, true).is_ok());
    assert_eq!(place.accounts().list().unwrap().len(), 1);
}

#[test]
fn a_scope_that_was_not_granted_ends_nothing() {
    let authority = Authority::start(&json!({}));
    let place = Place::new();
    let lab = authority.workspace("spoor", "hunt");
    place.sign_in(&lab);
    let error = place
        .accounts()
        .token(&authority.workspace("spoor", "other"), false)
        .unwrap_err();
    assert!(matches!(&error, TokenError::NotGranted { .. }), "{error}");
    assert!(place.accounts().token(&lab, true).is_ok());
}

#[test]
fn clocks_may_differ() {
    for offset in [-7200, 7200] {
        let authority = Authority::start(&json!({ "offset": offset }));
        let place = Place::new();
        let lab = authority.workspace("spoor", "hunt");
        place.sign_in(&lab);
        place.accounts().token(&lab, false).unwrap();
        assert_eq!(authority.grants("refresh_token"), 0, "{offset}");
        place.accounts().token(&lab, true).unwrap();
        place.accounts().token(&lab, false).unwrap();
        assert_eq!(authority.grants("refresh_token"), 1, "{offset}");
    }
}

#[test]
fn while_the_authority_is_away_a_good_token_is_given() {
    let authority = Authority::start(&json!({ "ttl": { "AccessToken": 20 } }));
    let place = Place::new();
    let lab = authority.workspace("spoor", "hunt");
    place.sign_in(&lab);
    drop(authority);
    let accounts = place.accounts();
    let token = accounts.token(&lab, false).unwrap();
    std::thread::sleep(Duration::from_secs(16));
    // It is due, and lives yet.
    assert_eq!(
        accounts.token(&lab, false).unwrap().expose(),
        token.expose()
    );
    std::thread::sleep(Duration::from_secs(5));
    let error = accounts.token(&lab, false).unwrap_err();
    assert!(
        matches!(error, TokenError::Fault { .. })
            && error.to_string().contains("cannot be reached"),
        "{error}"
    );
    assert!(accounts.list().unwrap()[0].signed_out.is_none());
}

const FOLDER: &str = "SPOOR_TEST_ACCOUNTS";
const ISSUER: &str = "SPOOR_TEST_ISSUER";

/// Another process: prints a hash of the token that it gets, as the token itself is for nobody's output.
#[test]
#[ignore = "run by two_processes_use_a_refresh_token_once"]
fn another_process() {
    let (Ok(folder), Ok(issuer)) = (std::env::var(FOLDER), std::env::var(ISSUER)) else {
        return;
    };
    let store = Store::open_in(Path::new(&folder), KeyPlace::File).unwrap();
    let token = Accounts::new(store)
        .token(&workspace(&issuer, "spoor", "hunt"), false)
        .unwrap();
    println!("\ngot {:x}", Sha256::digest(token.expose()));
}

#[test]
fn two_processes_use_a_refresh_token_once() {
    let authority = Authority::start(&json!({ "ttl": { "AccessToken": 40 } }));
    let place = Place::new();
    place.sign_in(&authority.workspace("spoor", "hunt"));
    std::thread::sleep(Duration::from_secs(31));
    let start = || {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "another_process", "--ignored", "--nocapture"])
            .env(FOLDER, &place.accounts)
            .env(ISSUER, &authority.issuer)
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap()
    };
    let running: Vec<_> = (0..4).map(|_| start()).collect();
    let mut got: Vec<String> = Vec::new();
    for process in running {
        let output = process.wait_with_output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        got.extend(
            text.lines()
                .find_map(|line| line.strip_prefix("got "))
                .map(str::to_owned),
        );
    }
    assert_eq!(got.len(), 4);
    got.dedup();
    assert_eq!(got.len(), 1, "they got different tokens");
    assert_eq!(authority.grants("refresh_token"), 1);
}
