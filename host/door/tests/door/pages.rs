//! Pages of others: what they cause, and what they show.

use crate::browser::Browser;
use crate::place::{Place, QUERY, TOKEN};

#[test]
fn pages_of_others_change_nothing() {
    let place = Place::new();
    let mut browser = place.signed_in("anna");
    let own = place.address.clone();
    let port = own.rsplit(':').next().unwrap();
    let near = format!("http://localhost:{port}");
    let cases: &[(&[(&str, &str)], u16)] = &[
        (&[("Origin", &own)], 200),
        (&[("Sec-Fetch-Site", "same-origin")], 200),
        (&[], 403),
        (&[("Origin", "https://evil.example")], 403),
        (&[("Origin", "null")], 403),
        (&[("Origin", &near)], 403),
        (&[("Sec-Fetch-Site", "same-site")], 403),
        (&[("Sec-Fetch-Site", "cross-site")], 403),
        (&[("Sec-Fetch-Site", "none")], 403),
        // What the page says of itself counts for nothing.
        (
            &[
                ("Origin", "https://evil.example"),
                ("Referer", &own),
                ("X-Forwarded-Host", "evil.example"),
            ],
            403,
        ),
        // As a form sends it, without asking first.
        (
            &[
                ("Origin", "https://evil.example"),
                ("Content-Type", "text/plain"),
            ],
            403,
        ),
    ];
    for (method, path) in [("POST", "/api/kql"), ("PUT", "/api/notebooks/a.ipynb")] {
        for (headers, status) in cases {
            let answer = browser.ask(method, &place.at(path), headers, QUERY.as_bytes());
            assert_eq!(
                answer.status, *status,
                "{method} {path} {headers:?}: {}",
                answer.body
            );
        }
    }
    // Nor do they sign anybody out, or read.
    let evil = [("Origin", "https://evil.example")];
    assert_eq!(
        browser
            .ask("POST", &place.at("/signout"), &evil, b"")
            .status,
        403
    );
    let embedded = [
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Mode", "no-cors"),
    ];
    assert_eq!(
        browser
            .ask("GET", &place.at("/api/me"), &embedded, b"")
            .status,
        403
    );
    assert_eq!(place.fetch(&mut browser, "GET", "/api/me").status, 200);
}

#[test]
fn a_program_s_token_needs_no_page_and_is_no_page_s() {
    let place = Place::new();
    assert_eq!(place.call(TOKEN, "POST", "/api/kql", b"T").status, 200);
    let token = format!("Bearer {TOKEN}");
    let headers = [
        ("Authorization", token.as_str()),
        ("Origin", "https://evil.example"),
    ];
    let answer = Browser::default().ask("POST", &place.at("/api/kql"), &headers, b"T");
    assert_eq!(answer.status, 403);
}

#[test]
fn no_other_origin_is_told_that_it_may() {
    let place = Place::new();
    let mut browser = place.signed_in("anna");
    let asks = [
        ("Origin", "https://evil.example"),
        ("Access-Control-Request-Method", "PUT"),
    ];
    let answer = browser.ask("OPTIONS", &place.at("/api/notebooks/a.ipynb"), &asks, b"");
    assert_eq!(answer.status, 403);
    assert!(
        !answer
            .headers
            .keys()
            .any(|name| name.as_str().starts_with("access-control"))
    );
}

#[test]
fn no_page_frames_what_is_answered() {
    let place = Place::new();
    let mut browser = place.signed_in("anna");
    for path in [
        "/",
        "/api/me",
        "/signin",
        "/signin/callback",
        "/api/kql",
        "/pieces/one",
        "/../x",
    ] {
        let answer = browser.ask("GET", &place.at(path), &[], b"");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
        let policy = answer.header("content-security-policy");
        assert!(
            policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(
            answer.header("cross-origin-resource-policy"),
            "same-origin",
            "{path}"
        );
    }
}

#[test]
fn signing_in_leads_to_this_server_alone() {
    let place = Place::new();
    for (to, end) in [
        ("/notebook?a=b", "/notebook?a=b"),
        ("//evil.example", "/"),
        ("/%5Cevil.example", "/"),
        ("https://evil.example/", "/"),
        ("/%0d%0aSet-Cookie:%20a=b", "/"),
        ("/signin", "/"),
    ] {
        let mut browser = Browser::stopping_at(place.at("/signin/callback"));
        let callback = browser.visit(&place.at(&format!("/signin?to={to}")), "anna");
        let answer = browser.ask("GET", &callback, &[], b"");
        assert_eq!(
            (answer.status, answer.header("location")),
            (303, end),
            "{to}"
        );
    }
}
