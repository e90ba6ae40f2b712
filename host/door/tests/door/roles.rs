//! What people and machines may do, and what they are told where they may not.

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::place::{Place, TOKEN, With};

fn body(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_person_signs_in_and_is_who_the_authority_says() {
    for secret in [false, true] {
        let place = Place::with(With {
            secret,
            ..With::default()
        });
        let mut browser = place.signed_in("ben");
        let me = body(&place.fetch(&mut browser, "GET", "/api/me").body);
        assert_eq!(
            (&me["subject"], &me["name"], &me["kind"]),
            (
                &json!("ben"),
                &json!("ben@contoso.example"),
                &json!("person")
            )
        );
        assert_eq!(
            me["roles"],
            json!([{ "role": "responder", "folders": ["hunts/phishing"], "workspaces": ["host"] }])
        );
        assert!(me["seconds"].as_u64().unwrap() > 40_000, "{me}");
    }
}

#[test]
fn each_role_may_so_much_and_is_told_what_is_missing() {
    let place = Place::new();
    // Who, what, and what is missing.
    let cases = [
        ("anna", "PUT", "/api/notebooks/any/where.ipynb", None),
        ("anna", "POST", "/api/kql", None),
        ("ben", "POST", "/api/kql", None),
        (
            "ben",
            "GET",
            "/api/notebooks/hunts/phishing/2026/a.ipynb",
            None,
        ),
        (
            "ben",
            "GET",
            "/api/notebooks/hunts/other/a.ipynb",
            Some(json!({ "role": "reader", "scope": { "folder": "hunts/other" } })),
        ),
        (
            "ben",
            "PUT",
            "/api/notebooks/hunts/phishing/a.ipynb",
            Some(json!({ "role": "contributor", "scope": { "folder": "hunts/phishing" } })),
        ),
        ("cleo", "GET", "/api/notebooks/hunts/a.ipynb", None),
        (
            "cleo",
            "POST",
            "/api/kql",
            Some(json!({ "role": "responder", "scope": { "workspace": "host" } })),
        ),
        (
            "cleo",
            "GET",
            "/api/notebooks/top.ipynb",
            Some(json!({ "role": "reader", "scope": { "folder": "" } })),
        ),
    ];
    for user in ["anna", "ben", "cleo"] {
        let mut browser = place.signed_in(user);
        for (_, method, path, missing) in cases.iter().filter(|(who, ..)| *who == user) {
            let answer = place.fetch(&mut browser, method, path);
            let Some(missing) = missing else {
                assert_eq!(
                    answer.status, 200,
                    "{user} {method} {path}: {}",
                    answer.body
                );
                continue;
            };
            let told = body(&answer.body);
            assert_eq!(answer.status, 403, "{user} {method} {path}");
            assert_eq!(
                json!({ "role": told["role"], "scope": told["scope"] }),
                *missing
            );
            let message = told["message"].as_str().unwrap();
            let role = missing["role"].as_str().unwrap();
            assert!(message.contains(&format!("'{role}'")), "{message}");
            assert!(
                message.contains(&format!("{user}@contoso.example")),
                "{message}"
            );
            assert!(told["hint"].as_str().unwrap().contains("/api/me"));
        }
    }
}

#[test]
fn a_path_written_otherwise_is_the_same_path() {
    let place = Place::new();
    let mut browser = place.signed_in("ben");
    for (path, status) in [
        ("/api/notebooks/hunts%2Fphishing%2Fa.ipynb", 200),
        ("/api/notebooks/hunts%2Fother%2Fa.ipynb", 403),
        ("/api/notebooks/%68unts/other/a.ipynb", 403),
        ("/api/notebooks/hunts/phishing/%2e%2e/other/a.ipynb", 400),
        ("/api/notebooks/hunts/phishing/..%2fother%2fa.ipynb", 400),
        ("/api/notebooks/hunts/phishing%5c..%5cother/a.ipynb", 400),
        ("/api/notebooks/hunts/phishing/%00.ipynb", 400),
        ("/%2e%2e/%2e%2e/etc/passwd", 400),
        ("/api/notebooks/hunts/phishing%252f..%252f/a.ipynb", 403),
    ] {
        let answer = browser.ask("GET", &place.at(path), &[], b"");
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
    }
}

#[test]
fn somebody_without_a_role_is_not_let_in() {
    let place = Place::new();
    let mut browser = Browser::default();
    let page = body(&browser.visit(&place.at("/"), "dora"));
    assert_eq!(page["role"], "reader");
    assert!(
        page["message"].as_str().unwrap().contains("no role"),
        "{page}"
    );
    assert_eq!(place.fetch(&mut browser, "GET", "/api/me").status, 401);
    let denied = &place.audit("sign-in")[0];
    assert_eq!(
        (&denied["caller"], &denied["outcome"]),
        (&json!("dora"), &json!("denied"))
    );
}

#[test]
fn somebody_without_a_role_does_not_go_on_as_another() {
    let place = Place::new();
    let mut before = place.signed_in("anna");
    let mut browser = Browser::default();
    browser.keep(&place.address, &before.cookies_of(&place.address));
    let page = body(&browser.visit(&place.at("/signin"), "dora"));
    assert!(
        page["message"].as_str().unwrap().contains("no role"),
        "{page}"
    );
    assert_eq!(place.fetch(&mut before, "GET", "/api/me").status, 401);
}

#[test]
fn a_machine_brings_its_token() {
    let place = Place::new();
    let me = body(&place.call(TOKEN, "GET", "/api/me", b"").body);
    assert_eq!(
        (&me["kind"], &me["name"]),
        (&json!("machine"), &json!("nightly"))
    );
    assert_eq!(place.call(TOKEN, "POST", "/api/kql", b"T").status, 200);
    let denied = place.call(TOKEN, "PUT", "/api/notebooks/a.ipynb", b"{}");
    assert_eq!(
        (denied.status, &body(&denied.body)["role"]),
        (403, &json!("contributor"))
    );
    assert_eq!(place.call(TOKEN, "POST", "/signout", b"").status, 400);
    for wrong in ["", "token-canary-nightl", "token-canary-nightlyx"] {
        let answer = place.call(wrong, "GET", "/api/me", b"");
        assert_eq!(
            (answer.status, answer.header("www-authenticate")),
            (401, "Bearer realm=\"spoor\"")
        );
    }
}

#[test]
fn a_wrong_token_is_not_made_good_by_a_cookie() {
    let place = Place::new();
    let mut browser = place.signed_in("anna");
    let headers = [("Authorization", "Bearer wrong")];
    let answer = browser.ask("GET", &place.at("/api/me"), &headers, b"");
    assert_eq!(answer.status, 401);
    let headers = [("Authorization", "Basic YTpi")];
    assert_eq!(
        browser
            .ask("GET", &place.at("/api/me"), &headers, b"")
            .status,
        401
    );
}

#[test]
fn nobody_gets_nothing() {
    let place = Place::new();
    let mut browser = Browser::default();
    for (method, path) in [
        ("GET", "/api/me"),
        ("GET", "/api/notebooks/a.ipynb"),
        ("POST", "/api/kql"),
        ("GET", "/pieces/one"),
        ("POST", "/signout"),
        ("GET", "/data/index.json"),
    ] {
        let answer = place.fetch(&mut browser, method, path);
        assert_eq!(answer.status, 401, "{method} {path}: {}", answer.body);
    }
    let visit = browser.ask("GET", &place.at("/?a=b&c"), &[("Accept", "text/html")], b"");
    assert_eq!(
        (visit.status, visit.header("location")),
        (303, "/signin?to=%2F%3Fa%3Db%26c")
    );
}
