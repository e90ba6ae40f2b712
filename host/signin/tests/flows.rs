//! Signing in, against a real authority.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::io;
use std::sync::mpsc;

use serde_json::json;
use spoor_signin::{How, Revoked, Secret, SignIn, SignInError, TokenError};
use support::browser::Browser;
use support::{Authority, Place, workspace};

#[test]
fn a_person_signs_in_in_a_browser() {
    let authority = Authority::start(&json!({}));
    let place = Place::new();
    let lab = authority.workspace("spoor", "hunt");
    let account = place.sign_in(&lab);
    assert_eq!(
        (account.name.as_str(), account.how),
        ("anna@contoso.example", How::Person)
    );
    let accounts = place.accounts();
    let token = accounts.token(&lab, false).unwrap();
    assert!(
        authority
            .given()
            .iter()
            .any(|given| given == token.expose())
    );
    assert_eq!(accounts.list().unwrap(), [account]);
    // Nothing was renewed: the first token is good.
    assert_eq!(authority.grants("refresh_token"), 0);
}

#[test]
fn people_whose_names_are_long_are_told_apart() {
    let authority = Authority::start(&json!({}));
    let place = Place::new();
    let (store, lab) = (place.store(), authority.workspace("spoor", "hunt"));
    for last in ["a", "b"] {
        let long = format!("{}{last}", "x".repeat(60));
        let account = SignIn::new(&store, &lab).unwrap().device(|prompt| {
            Browser::default().enter(&prompt.address, &prompt.code, &long);
        });
        assert_eq!(account.unwrap().name, format!("{long}@contoso.example"));
    }
    assert_eq!(place.accounts().list().unwrap().len(), 2);
}

#[test]
fn the_browser_is_sent_with_what_binds_the_code_to_this_process() {
    let authority = Authority::start(&json!({}));
    let place = Place::new();
    let (store, lab) = (place.store(), authority.workspace("spoor", "hunt"));
    let error = SignIn::new(&store, &lab).unwrap().browser(|address| {
        let url = url::Url::parse(address).unwrap();
        let field = |name: &str| {
            let found = url.query_pairs().find(|(key, _)| key == name);
            found
                .map(|(_, value)| value.into_owned())
                .unwrap_or_default()
        };
        assert_eq!(
            (
                field("response_type").as_str(),
                field("code_challenge_method").as_str()
            ),
            ("code", "S256")
        );
        assert!(field("redirect_uri").starts_with("http://127.0.0.1:"));
        for unguessable in ["state", "nonce", "code_challenge"] {
            assert!(field(unguessable).len() >= 20, "{unguessable}");
        }
        Err(io::Error::other("no browser"))
    });
    assert!(error.unwrap_err().to_string().contains("--device"));
}

#[test]
fn a_person_says_no_in_the_browser() {
    let authority = Authority::start(&json!({}));
    let place = Place::new();
    let (store, lab) = (place.store(), authority.workspace("spoor", "hunt"));
    let error = SignIn::new(&store, &lab).unwrap().browser(|address| {
        let address = address.to_owned();
        std::thread::spawn(move || Browser::default().refuse(&address));
        Ok(())
    });
    assert!(matches!(error.unwrap_err(), SignInError::Denied(_)));
    assert_eq!(place.accounts().list().unwrap(), []);
}

#[test]
fn a_person_enters_a_code_and_the_wait_is_as_long_as_it_is_told() {
    let authority = Authority::start(&json!({}));
    authority.control(
        &json!({ "inject": [{ "error": "authorization_pending" }, { "error": "slow_down" }] }),
    );
    let place = Place::new();
    let (store, lab) = (place.store(), authority.workspace("spoor", "hunt"));
    let begun = std::time::Instant::now();
    let account = SignIn::new(&store, &lab).unwrap().device(|prompt| {
        assert!(prompt.address.starts_with(&authority.issuer) && prompt.seconds > 60);
        let page = Browser::default().enter(&prompt.address, &prompt.code, "ben");
        assert!(page.contains("Sign-in Success"), "{page}");
    });
    assert_eq!(account.unwrap().name, "ben@contoso.example");
    // A second for each question, and five more once it was told to slow down.
    assert!(begun.elapsed().as_secs() >= 6, "{:?}", begun.elapsed());
    assert!(place.accounts().token(&lab, true).is_ok());
}

#[test]
fn a_code_can_be_refused_and_end() {
    let authority = Authority::start(&json!({ "ttl": { "DeviceCode": 2 } }));
    let place = Place::new();
    let (store, lab) = (place.store(), authority.workspace("spoor", "hunt"));
    let signing = SignIn::new(&store, &lab).unwrap();
    assert!(matches!(
        signing.device(|_| {}).unwrap_err(),
        SignInError::Expired
    ));
    authority.control(
        &json!({ "inject": [{ "error": "access_denied", "error_description": "not you" }] }),
    );
    let error = signing.device(|_| {}).unwrap_err();
    assert!(
        matches!(&error, SignInError::Denied(why) if why == "not you"),
        "{error}"
    );
    assert_eq!(place.accounts().list().unwrap(), []);
}

#[test]
fn an_application_signs_in_with_its_secret() {
    let authority = Authority::start(&json!({ "ttl": { "ClientCredentials": 2 } }));
    let place = Place::new();
    let (store, lab) = (place.store(), authority.workspace("robot", "hunt"));
    let signing = SignIn::new(&store, &lab).unwrap();
    let secret = |text: &str| Secret::new(text.to_owned());
    let error = signing
        .client_credentials(secret("wrong-canary"))
        .unwrap_err();
    assert!(
        error.to_string().contains("invalid_client") && !format!("{error:?}").contains("canary"),
        "{error}"
    );
    let account = signing.client_credentials(secret("robot-secret")).unwrap();
    assert_eq!(
        (account.name.as_str(), account.how),
        ("robot", How::ClientSecret)
    );
    let accounts = place.accounts();
    let first = accounts.token(&lab, false).unwrap();
    std::thread::sleep(std::time::Duration::from_secs(3));
    // The secret was kept, and renews what has ended.
    assert_ne!(
        accounts.token(&lab, false).unwrap().expose(),
        first.expose()
    );
    assert!(!place.has(&["robot-secret".to_owned()]));
}

#[test]
fn signing_out_takes_the_tokens_back() {
    let authority = Authority::start(&json!({}));
    let place = Place::new();
    let lab = authority.workspace("spoor", "hunt");
    let account = place.sign_in(&lab);
    let accounts = place.accounts();
    let out = accounts.logout(&account.id).unwrap().unwrap();
    assert_eq!((out.account, out.revoked), (account.clone(), Revoked::Yes));
    assert_eq!(accounts.list().unwrap(), []);
    assert_eq!(accounts.logout(&account.id).unwrap(), None);
    let error = accounts.token(&lab, false).unwrap_err();
    assert!(matches!(error, TokenError::NoAccount(_)));
    assert!(
        error.to_string().contains("`spoor login --workspace lab`"),
        "{error}"
    );
}

#[test]
fn signing_out_works_without_the_authority() {
    let authority = Authority::start(&json!({}));
    let place = Place::new();
    let account = place.sign_in(&authority.workspace("spoor", "hunt"));
    drop(authority);
    let out = place.accounts().logout(&account.id).unwrap().unwrap();
    assert!(
        matches!(&out.revoked, Revoked::Failed(why) if why.contains("cannot be reached")),
        "{:?}",
        out.revoked
    );
    assert_eq!(place.accounts().list().unwrap(), []);
}

#[test]
fn authorities_that_are_none_are_told_apart() {
    let authority = Authority::start(&json!({}));
    let place = Place::new();
    let store = place.store();
    let signing = |issuer: &str| {
        SignIn::new(&store, &workspace(issuer, "spoor", "hunt"))
            .unwrap()
            .device(|_| {})
            .unwrap_err()
    };
    // The same server under another name is another issuer.
    let other = authority.issuer.replace("127.0.0.1", "localhost");
    let error = signing(&other).to_string();
    assert!(
        error.contains("says that it is http://127.0.0.1"),
        "{error}"
    );
    let error = signing(&format!("{}/nothing", authority.issuer)).to_string();
    assert!(error.contains("answers 404"), "{error}");
    // Ways that give tokens of Azure's give none to others.
    let lab = authority.workspace("spoor", "hunt");
    for error in [
        SignIn::new(&store, &lab).unwrap().azure_cli().unwrap_err(),
        SignIn::new(&store, &lab)
            .unwrap()
            .managed_identity(None)
            .unwrap_err(),
    ] {
        assert!(matches!(error, SignInError::OnlyMicrosoft { .. }));
    }
}

#[test]
fn no_token_is_shown_or_left_lying() {
    let authority = Authority::start(&json!({}));
    let place = Place::new();
    let lab = authority.workspace("spoor", "hunt");
    let account = place.sign_in(&lab);
    let accounts = place.accounts();
    let token = accounts.token(&lab, true).unwrap();
    // An authority that repeats what it was sent.
    let refresh: Vec<String> = authority.given();
    authority.control(
        &json!({ "inject": [{ "error": "server_error", "error_description": refresh.join(" ") }] }),
    );
    let error = accounts.token(&lab, true).unwrap_err();
    authority
        .control(&json!({ "inject": [{ "access_token": refresh[0], "expires_in": refresh[1] }] }));
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn({
        let (accounts, lab) = (accounts.clone(), lab.clone());
        move || sender.send(format!("{:?}", accounts.token(&lab, true)))
    });
    let shown = format!(
        "{account:?} {accounts:?} {token:?} {error:?} {error} {}",
        receiver.recv().unwrap()
    );
    for given in authority.given() {
        assert!(!shown.contains(&given), "a token is shown in: {shown}");
    }
    assert!(!place.has(&authority.given()));
}
