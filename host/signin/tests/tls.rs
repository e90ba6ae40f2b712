//! An authority over TLS: one whose certificate the system trusts, and one whose it does not.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::process::Command;

use serde_json::json;
use spoor_signin::{Secret, SignIn};
use support::{Authority, Place, workspace};

const ISSUER: &str = "SPOOR_TEST_ISSUER";

/// Signs in at an authority that the environment names. A process of its own, as the system's certificates are the environment's too.
#[test]
#[ignore = "run by certificates_are_checked"]
fn another_process() {
    let Ok(issuer) = std::env::var(ISSUER) else {
        return;
    };
    let place = Place::new();
    let (store, lab) = (place.store(), workspace(&issuer, "robot", "hunt"));
    let secret = Secret::new("robot-secret".to_owned());
    let signed_in = SignIn::new(&store, &lab)
        .unwrap()
        .client_credentials(secret);
    assert_eq!(signed_in.unwrap().name, "robot");
    assert!(place.accounts().token(&lab, true).is_ok());
}

#[test]
fn certificates_are_checked() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (key, cert) = (made.signing_key.serialize_pem(), made.cert.pem());
    let authority = Authority::start(&json!({ "tls": { "key": key, "cert": cert } }));
    let folder = tempfile::tempdir().unwrap();
    let trusted = folder.path().join("trusted.pem");
    std::fs::write(&trusted, cert).unwrap();
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let untrusted = folder.path().join("untrusted.pem");
    std::fs::write(&untrusted, other.cert.pem()).unwrap();
    for (certificates, good) in [(trusted, true), (untrusted, false)] {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "another_process", "--ignored", "--nocapture"])
            .env(ISSUER, &authority.issuer)
            .env("SSL_CERT_FILE", certificates)
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.success(), good, "{told}");
        assert_eq!(told.contains("certificate"), !good, "{told}");
    }
}
