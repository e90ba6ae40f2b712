//! What is written down, and what is not.

use serde_json::json;

use crate::place::{Place, QUERY, TOKEN, With};

#[test]
fn who_did_what_is_written_down() {
    let place = Place::new();
    let mut browser = place.signed_in("ben");
    place.fetch(&mut browser, "POST", "/api/kql");
    place.fetch(&mut browser, "PUT", "/api/notebooks/hunts/phishing/a.ipynb");
    place.fetch(&mut browser, "POST", "/signout");
    place.call("wrong", "GET", "/api/me", b"");
    let signed_in = &place.audit("sign-in")[0];
    assert_eq!(
        (
            &signed_in["caller"],
            &signed_in["name"],
            &signed_in["address"],
            &signed_in["outcome"]
        ),
        (
            &json!("ben"),
            &json!("ben@contoso.example"),
            &json!("127.0.0.1"),
            &json!("done")
        )
    );
    let query = &place.audit("query")[0];
    assert_eq!(
        (
            &query["caller"],
            &query["workspace"],
            &query["rows"],
            &query["milliseconds"]
        ),
        (&json!("ben"), &json!("host"), &json!(3), &json!(5))
    );
    assert_eq!(query["query"].as_str().unwrap().len(), 64);
    let denied = place.audit("request");
    assert_eq!(denied.len(), 2, "{denied:?}");
    assert_eq!(
        (
            &denied[0]["caller"],
            &denied[0]["method"],
            &denied[0]["path"],
            &denied[0]["outcome"]
        ),
        (
            &json!("ben"),
            &json!("PUT"),
            &json!("/api/notebooks/hunts/phishing/a.ipynb"),
            &json!("denied")
        )
    );
    assert!(denied[0]["why"].as_str().unwrap().contains("'contributor'"));
    assert_eq!(
        (&denied[1]["caller"], &denied[1]["outcome"]),
        (&json!(null), &json!("denied"))
    );
    let time = query["time"].as_str().unwrap();
    assert!(time.ends_with('Z') && time.starts_with("20"), "{time}");
}

#[test]
fn no_secret_is_written_down_or_told() {
    let place = Place::with(With {
        secret: true,
        ..With::default()
    });
    let (mut browser, callback) = place.about_to_return("anna");
    let code = callback.split("code=").nth(1).unwrap();
    let code = code.split('&').next().unwrap().to_owned();
    browser.ask("GET", &callback, &[], b"");
    let cookies = browser.cookies_of(&place.address);
    let session = cookies.split_once('=').unwrap().1.to_owned();
    let mut told = String::new();
    let mut tell = |answer: crate::browser::Answer| told.push_str(&answer.body);
    tell(place.fetch(&mut browser, "POST", "/api/kql"));
    tell(place.fetch(&mut browser, "GET", "/api/me"));
    // Each refused, with something that is nobody's to read.
    tell(place.call(TOKEN, "PUT", "/api/notebooks/a.ipynb", QUERY.as_bytes()));
    tell(place.call(&format!("{TOKEN}x"), "GET", "/api/me", b""));
    tell(browser.ask("GET", &callback, &[], b""));
    tell(browser.ask(
        "POST",
        &place.at("/api/kql?token=query-canary"),
        &[],
        QUERY.as_bytes(),
    ));
    place.authority.control(&json!({ "inject": [{ "error": "invalid_client", "error_description": "door-secret-canary is wrong" }] }));
    let (mut other, callback) = place.about_to_return("ben");
    tell(other.ask("GET", &callback, &[], b""));
    let mut secrets = place.authority.given();
    assert!(secrets.len() >= 2);
    secrets.extend([code, session, TOKEN.into(), QUERY.into(), "canary".into()]);
    let audit = place.audit_text();
    assert!(audit.lines().count() >= 6, "{audit}");
    for secret in secrets {
        assert!(!audit.contains(&secret), "{secret} in {audit}");
        assert!(!told.contains(&secret), "{secret} in {told}");
    }
}

#[cfg(unix)]
#[test]
fn the_log_is_its_user_s_alone() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let mode = std::fs::metadata(place.audit_path())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}
