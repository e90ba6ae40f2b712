//! What stands between a browser and the server, and keeps answers.

use crate::browser::Browser;
use crate::place::Place;

/// Headers by which an answer is made another's, where they are believed.
const CLAIMS: [(&str, &str); 7] = [
    ("X-Forwarded-Host", "evil.example"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-For", "127.0.0.1"),
    ("Forwarded", "host=evil.example;proto=https"),
    ("X-Original-URL", "/api/notebooks/secret.ipynb"),
    ("X-Rewrite-URL", "/api/notebooks/secret.ipynb"),
    ("X-HTTP-Method-Override", "PUT"),
];

#[test]
fn answers_are_for_one_caller() {
    let place = Place::new();
    let mut browser = place.signed_in("anna");
    for (path, keep) in [
        ("/", "no-store"),
        ("/api/me", "no-store"),
        ("/api/notebooks/a.ipynb", "no-store"),
        ("/signin", "no-store"),
        ("/signin/callback?state=x", "no-store"),
        ("/pieces/one", "private, max-age=31536000, immutable"),
    ] {
        let answer = browser.ask("GET", &place.at(path), &[], b"");
        assert_eq!(answer.header("cache-control"), keep, "{path}");
        assert_eq!(answer.header("vary"), "Cookie, Authorization", "{path}");
    }
    // Nor is what somebody is told who is not let in.
    let answer = Browser::default().ask("GET", &place.at("/pieces/one"), &[], b"");
    assert_eq!(
        (answer.status, answer.header("cache-control")),
        (401, "no-store")
    );
}

#[test]
fn what_is_said_of_a_proxy_counts_for_nothing() {
    let place = Place::new();
    let mut browser = Browser::default();
    let mut headers = CLAIMS.to_vec();
    headers.push(("Accept", "text/html"));
    let visit = browser.ask("GET", &place.at("/"), &headers, b"");
    assert_eq!(
        (visit.status, visit.header("location")),
        (303, "/signin?to=%2F")
    );
    let begun = browser.ask("GET", &place.at("/signin"), &headers, b"");
    let location = begun.header("location");
    assert!(location.starts_with(&place.authority.issuer), "{location}");
    let own: String = url::form_urlencoded::byte_serialize(place.address.as_bytes()).collect();
    assert!(
        location.contains(&format!("redirect_uri={own}%2Fsignin%2Fcallback")),
        "{location}"
    );
    assert!(!location.contains("evil"), "{location}");
    let mut guest = place.signed_in("cleo");
    let page = guest.ask("GET", &place.at("/"), &CLAIMS, b"");
    assert_eq!((page.status, page.body.as_str()), (200, "the page"));
}

#[test]
fn a_server_answers_to_its_own_name() {
    let place = Place::new();
    let mut browser = place.signed_in("anna");
    for host in ["evil.example", "localhost", "127.0.0.1", "127.0.0.1:1"] {
        for path in ["/", "/api/me", "/signin"] {
            let answer = browser.ask("GET", &place.at(path), &[("Host", host)], b"");
            assert_eq!(answer.status, 421, "{host} {path}");
            assert_eq!(answer.header("location"), "");
        }
    }
}
