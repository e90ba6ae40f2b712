//! What comes back from the authority, or from somebody who would pass for it, or for somebody else's browser.

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::place::{Place, With};

/// What a browser is told that comes back with an ID token changed so.
fn told(place: &Place, mend: Value) -> (u16, String) {
    let (mut browser, callback) = place.about_to_return("anna");
    place.authority.control(&json!({ "mend": mend }));
    let answer = browser.ask("GET", &callback, &[], b"");
    let me = place.fetch(&mut browser, "GET", "/api/me").status;
    assert_eq!(me == 200, answer.status == 303, "{}", answer.body);
    (answer.status, answer.body)
}

#[test]
fn an_id_token_has_to_hold() {
    let place = Place::new();
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    // As the authority would sign it, so that the others are refused for what they say.
    assert_eq!(told(&place, json!({ "claims": {} })).0, 303);
    for (what, mend, why) in [
        (
            "nonce",
            json!({ "claims": { "nonce": "another" } }),
            "another sign-in",
        ),
        (
            "no nonce",
            json!({ "claims": { "nonce": null } }),
            "another sign-in",
        ),
        (
            "expired",
            json!({ "claims": { "exp": now - 90, "iat": now - 3600 } }),
            "expired",
        ),
        (
            "audience",
            json!({ "claims": { "aud": "robot" } }),
            "audience",
        ),
        (
            "audiences",
            json!({ "claims": { "aud": ["door", "robot"], "azp": "door" } }),
            "audience",
        ),
        (
            "azp",
            json!({ "claims": { "azp": "robot" } }),
            "authorized party",
        ),
        (
            "issuer",
            json!({ "claims": { "iss": "https://evil.example" } }),
            "issuer",
        ),
        ("alg none", json!({ "alg": "none" }), "does not hold"),
        ("alg HS256", json!({ "alg": "HS256" }), "does not hold"),
        ("another key", json!({ "key": "other" }), "ignature"),
    ] {
        let (status, body) = told(&place, mend);
        assert_eq!(status, 502, "{what}: {body}");
        assert!(
            body.to_lowercase().contains(&why.to_lowercase()),
            "{what}: {body}"
        );
    }
    // Half a minute is a difference between two clocks.
    let late = json!({ "claims": { "exp": now - 20 } });
    assert_eq!(told(&place, late).0, 303);
}

#[test]
fn a_browser_comes_back_once() {
    let place = Place::new();
    let (mut browser, callback) = place.about_to_return("anna");
    let thief = browser.clone();
    assert_eq!(browser.ask("GET", &callback, &[], b"").status, 303);
    // The same address with the same cookies, as a replay has them.
    let mut thief = thief;
    let replay = thief.ask("GET", &callback, &[], b"");
    assert_eq!(replay.status, 403, "{}", replay.body);
    assert_eq!(place.fetch(&mut thief, "GET", "/api/me").status, 401);
}

#[test]
fn a_sign_in_is_the_browser_s_that_began_it() {
    let place = Place::new();
    let (_, callback) = place.about_to_return("anna");
    // Somebody's link to a sign-in of their own, opened by somebody who has begun none, or another.
    let mut victim = Browser::default();
    assert_eq!(victim.ask("GET", &callback, &[], b"").status, 403);
    let (mut victim, own) = place.about_to_return("ben");
    let denied = victim.ask("GET", &callback, &[], b"");
    assert_eq!(denied.status, 403, "{}", denied.body);
    assert!(denied.body.contains("did not begin"), "{}", denied.body);
    // It has not cost the victim their own.
    assert_eq!(victim.ask("GET", &own, &[], b"").status, 303);
}

#[test]
fn what_a_browser_brings_back_is_looked_at() {
    let place = Place::new();
    let (mut browser, callback) = place.about_to_return("anna");
    let state = callback.split("state=").nth(1).unwrap();
    let state = state.split('&').next().unwrap();
    let at = |rest: &str| place.at(&format!("/signin/callback?{rest}"));
    assert_eq!(
        browser
            .ask("GET", &at("code=x&state=wrong"), &[], b"")
            .status,
        403
    );
    let twice = format!("code=x&state={state}&state={state}");
    assert_eq!(browser.ask("GET", &at(&twice), &[], b"").status, 403);
    let other = format!("code=x&state={state}&iss=https%3A%2F%2Fevil.example");
    let answer = browser.ask("GET", &at(&other), &[], b"");
    assert_eq!(answer.status, 502);
    assert!(answer.body.contains("another authority"), "{}", answer.body);
    // The attempt has ended with it.
    assert_eq!(browser.ask("GET", &callback, &[], b"").status, 403);
}

#[test]
fn a_refusal_of_the_authority_is_told() {
    let place = Place::new();
    let mut browser = Browser::default();
    let page = browser.refuse(&place.at("/signin"));
    assert!(page.contains("access_denied"), "{page}");
    let (mut browser, callback) = place.about_to_return("anna");
    place
        .authority
        .control(&json!({ "inject": [{ "error": "invalid_grant", "error_description": "no" }] }));
    let answer = browser.ask("GET", &callback, &[], b"");
    assert_eq!(answer.status, 403);
    assert!(answer.body.contains("invalid_grant"), "{}", answer.body);
}

#[test]
fn an_authority_that_is_away_is_named() {
    let place = Place::with(With::default());
    let issuer = place.authority.issuer.clone();
    let Place {
        authority, address, ..
    } = &place;
    let mut browser = Browser::default();
    // Its process has ended before it was first asked.
    authority.stop();
    let answer = browser.ask("GET", &format!("{address}/signin"), &[], b"");
    assert_eq!(answer.status, 502);
    assert!(answer.body.contains(&issuer), "{}", answer.body);
}
