//! Who is let in, and what every answer says.

use std::time::Duration;

use spoor::serve::{Options, Server};

use crate::place::{NOTEBOOK, Place};

#[test]
fn the_page_is_for_everyone_and_what_is_the_user_s_for_whoever_was_let_in() {
    let place = Place::new();
    assert_eq!(place.raw("GET /", &[], b"").status, 200);
    for private in [
        "GET /api/",
        "GET /api/notebooks",
        "GET /api/notebooks/a.ipynb",
        "GET /data/index.json",
        "GET /data/a%20b.csv",
        "PUT /api/notebooks/n.ipynb",
        "POST /api/kql",
        "GET /api/nothing",
    ] {
        let refused = place.raw(private, &[], b"");
        assert_eq!(refused.status, 401, "{private}");
        assert!(
            refused.json()["hint"].as_str().unwrap().contains("printed"),
            "{private}"
        );
    }
    let wrong = format!("Cookie: spoor-{}={}", place.address.port(), "0".repeat(48));
    assert_eq!(place.raw("GET /api/notebooks", &[&wrong], b"").status, 401);
    let bearer = format!("Authorization: Bearer {}", place.token);
    assert_eq!(place.raw("GET /api/notebooks", &[&bearer], b"").status, 200);
    assert_eq!(place.get("/api/").json()["notebooks"], true);
    // A page learns of the interface from any answer, let in or not.
    let page = place.raw("GET /", &[], b"");
    assert_eq!(page.header("x-spoor-api"), "api/");
}

#[test]
fn the_secret_goes_from_the_address_into_a_cookie() {
    let place = Place::new();
    let entered = place.raw(
        &format!("GET //evil.example/?token={}&nb=a", place.token),
        &[],
        b"",
    );
    assert_eq!(
        (entered.status, entered.header("location")),
        (303, "/evil.example/?nb=a")
    );
    let cookie = entered.header("set-cookie").to_owned();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"),
        "{cookie}"
    );
    let pair = format!("Cookie: {}", cookie.split(';').next().unwrap());
    assert_eq!(place.raw("GET /api/notebooks", &[&pair], b"").status, 200);
    assert_eq!(place.raw("GET /?token=guess", &[], b"").status, 403);
}

#[test]
fn other_names_and_other_pages_are_refused() {
    let place = Place::new();
    let port = place.address.port();
    for host in [
        format!("evil.example:{port}"),
        "127.0.0.1".into(),
        format!("localhost.evil.example:{port}"),
        "127.0.0.1:1".into(),
    ] {
        for path in ["GET /", "GET /api/notebooks"] {
            assert_eq!(
                place.send(path, &[&format!("Host: {host}")], "").status,
                421,
                "{host} {path}"
            );
        }
    }
    assert_eq!(
        place
            .send(
                "GET /api/notebooks",
                &[&format!("Host: localhost:{port}")],
                ""
            )
            .status,
        200
    );
    for header in [
        "Origin: http://evil.example",
        "Origin: null",
        "Origin: http://localhost:1",
        "Sec-Fetch-Site: cross-site",
        "Sec-Fetch-Site: same-site",
    ] {
        assert_eq!(
            place.send("GET /api/notebooks", &[header], "").status,
            403,
            "{header}"
        );
        assert_eq!(
            place
                .send(
                    "PUT /api/notebooks/x.ipynb",
                    &[header, "If-None-Match: *"],
                    NOTEBOOK
                )
                .status,
            403,
            "{header}"
        );
    }
    let own = format!("Origin: http://{}", place.address);
    assert_eq!(
        place
            .send(
                "GET /api/notebooks",
                &[&own, "Sec-Fetch-Site: same-origin"],
                ""
            )
            .status,
        200
    );
    let absolute = format!("GET http://evil.example:{port}/api/notebooks");
    assert_eq!(place.send(&absolute, &[], "").status, 421);
}

#[test]
fn every_answer_is_isolated_and_strict() {
    let place = Place::new();
    for path in [
        "/",
        "/nothing",
        "/api/notebooks",
        "/data/index.json",
        "/?token=x",
    ] {
        let answer = place.get(path);
        assert_eq!(
            answer.header("cross-origin-opener-policy"),
            "same-origin",
            "{path}"
        );
        assert_eq!(
            answer.header("cross-origin-embedder-policy"),
            "require-corp",
            "{path}"
        );
        assert_eq!(
            answer.header("cross-origin-resource-policy"),
            "same-origin",
            "{path}"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(
            answer.header("content-security-policy"),
            "default-src 'none'; script-src 'self'; frame-ancestors 'none'",
            "{path}"
        );
    }
    // Authorities lead to this one, in windows that the page has opened.
    let signin = place.get("/signin.html?state=x");
    assert_eq!(signin.status, 200);
    assert_eq!(signin.header("cross-origin-opener-policy"), "");
    assert_eq!(signin.header("x-frame-options"), "DENY");
    assert_eq!(
        signin.header("content-security-policy"),
        "default-src 'none'; style-src 'self'; frame-ancestors 'none'"
    );
    assert_eq!(
        place.get("/api/notebooks").header("cache-control"),
        "no-store"
    );
    assert!(
        place
            .get("/pieces/a.gz")
            .header("cache-control")
            .contains("immutable")
    );
    assert_eq!(place.get("/service.js").status, 404);
    assert_eq!(place.send("POST /page.js", &[], "").status, 405);
}

#[test]
fn a_folder_without_a_page_is_no_site() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        address: "127.0.0.1:0".parse().unwrap(),
        name: None,
        site: dir.path().to_owned(),
        notebooks: None,
        data: Vec::new(),
        query: None,
        query_time: Duration::from_secs(1),
        workspaces: None,
        door: None,
        tls: None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let error = runtime
        .block_on(Server::bind(options))
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("index.html"), "{error}");
}
