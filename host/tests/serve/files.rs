//! The page's files, data, and paths that would lead out of their folders.

use std::fs;

use crate::place::{NOTEBOOK, Place};

#[test]
fn files_are_packed_validated_and_cut() {
    let place = Place::new();
    let whole = place.get("/page.js");
    assert_eq!(
        (whole.text().as_str(), whole.header("accept-ranges")),
        ("0123456789", "bytes")
    );
    let packed = place.send("GET /page.js", &["Accept-Encoding: gzip, br"], "");
    assert_eq!(
        (packed.text().as_str(), packed.header("content-encoding")),
        ("packed", "br")
    );
    assert_eq!(
        packed.header("content-type"),
        "text/javascript; charset=utf-8"
    );
    let piece = place.send("GET /pieces/a.gz", &["Accept-Encoding: gzip"], "");
    assert_eq!(
        (piece.text().as_str(), piece.header("content-encoding")),
        ("piece", "gzip")
    );
    assert_eq!(place.get("/pieces/a.gz").header("content-encoding"), "");
    let (etag, packed_etag) = (whole.header("etag"), packed.header("etag"));
    assert!(
        etag.starts_with('"') && etag != packed_etag,
        "{etag} {packed_etag}"
    );
    let known = format!("If-None-Match: \"x\", {etag}");
    let again = place.send("GET /page.js", &[&known], "");
    assert_eq!((again.status, again.body.len()), (304, 0));
    let part = place.send(
        "GET /page.js",
        &["Range: bytes=2-4", "Accept-Encoding: br"],
        "",
    );
    assert_eq!(
        (
            part.status,
            part.text().as_str(),
            part.header("content-range")
        ),
        (206, "234", "bytes 2-4/10")
    );
    let outdated = place.send(
        "GET /page.js",
        &["Range: bytes=2-4", "If-Range: \"old\""],
        "",
    );
    assert_eq!((outdated.status, outdated.body.len()), (200, 10));
    let beyond = place.send("GET /page.js", &["Range: bytes=10-"], "");
    assert_eq!(
        (beyond.status, beyond.header("content-range")),
        (416, "bytes */10")
    );
    let head = place.send("HEAD /page.js", &[], "");
    assert_eq!(
        (head.status, head.header("content-length"), head.body.len()),
        (200, "10", 0)
    );
    fs::write(place.path("site/page.js"), "0123456780").unwrap();
    assert_ne!(place.get("/page.js").header("etag"), etag);
}

#[test]
fn data_is_as_a_static_site_has_it() {
    let place = Place::new();
    let index = place.get("/data/index.json").json();
    let expected = serde_json::json!([{ "name": "a_b", "file": "a b.csv", "url": "data/a%20b.csv", "bytes": 6, "format": "csv" }]);
    assert_eq!(index, expected);
    assert_eq!(place.get("/data/a%20b.csv").text(), "n\n1\n2\n");
    let part = place.send("GET /data/a%20b.csv", &["Range: bytes=-2"], "");
    assert_eq!((part.status, part.text().as_str()), (206, "2\n"));
    for path in [
        "/data/../secret.ipynb",
        "/data/%2e%2e%2fsecret.ipynb",
        "/data/nothing.csv",
        "/data/index.html",
    ] {
        assert_eq!(place.get(path).status, 404, "{path}");
    }
    // A link that takes the file's place leads nowhere.
    fs::remove_file(place.path("data/a b.csv")).unwrap();
    std::os::unix::fs::symlink(place.path("secret.ipynb"), place.path("data/a b.csv")).unwrap();
    assert_eq!(place.get("/data/a%20b.csv").status, 404);
}

#[test]
fn no_path_leads_out_of_a_folder() {
    use std::os::unix::fs::symlink;
    let place = Place::new();
    symlink(
        place.path("secret.ipynb"),
        place.path("notebooks/out.ipynb"),
    )
    .unwrap();
    symlink(place.path(""), place.path("notebooks/up")).unwrap();
    symlink("../../secret.ipynb", place.path("notebooks/deep/up.ipynb")).unwrap();
    symlink(place.path("secret.ipynb"), place.path("site/out.js")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        place.path("notebooks/pipe.ipynb"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    fs::write(place.path("notebooks/text.txt"), "x").unwrap();
    fs::create_dir(place.path("notebooks/.hidden")).unwrap();
    fs::write(place.path("notebooks/.hidden/h.ipynb"), NOTEBOOK).unwrap();
    let list = place.get("/api/notebooks").json();
    let paths: Vec<&str> = list["notebooks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["path"].as_str().unwrap())
        .collect();
    assert_eq!(paths, ["a.ipynb", "deep/b.ipynb"]);
    let long = format!("{}.ipynb", "n".repeat(300));
    let secret = fs::read(place.path("secret.ipynb")).unwrap();
    for name in [
        "../secret.ipynb",
        "%2e%2e/secret.ipynb",
        "..%2fsecret.ipynb",
        "deep/../../secret.ipynb",
        "/etc/x.ipynb",
        "%2fetc%2fx.ipynb",
        "out.ipynb",
        "up/secret.ipynb",
        "deep/up.ipynb",
        "pipe.ipynb",
        "text.txt",
        ".hidden/h.ipynb",
        "a.ipynb%00.ipynb",
        "a.ipynb/x.ipynb",
        "deep",
        "a%0a.ipynb",
        long.as_str(),
    ] {
        let read = place.get(&format!("/api/notebooks/{name}"));
        assert!(matches!(read.status, 400 | 404), "{name}: {}", read.status);
        let saved = place.send(
            &format!("PUT /api/notebooks/{name}"),
            &[&format!("If-Match: \"{}\"", "0".repeat(64))],
            NOTEBOOK,
        );
        assert!(
            matches!(saved.status, 400 | 404 | 412),
            "{name}: {}",
            saved.status
        );
    }
    for name in ["up/new.ipynb", "../new.ipynb", "out.ipynb", "deep/up.ipynb"] {
        let made = place.send(
            &format!("PUT /api/notebooks/{name}"),
            &["If-None-Match: *"],
            NOTEBOOK,
        );
        assert!(
            matches!(made.status, 400 | 404 | 409),
            "{name}: {}",
            made.status
        );
    }
    assert!(!place.path("new.ipynb").exists());
    assert_eq!(fs::read(place.path("secret.ipynb")).unwrap(), secret);
    for path in [
        "/out.js",
        "/../secret.ipynb",
        "/%2e%2e/secret.ipynb",
        "/pieces/../../secret.ipynb",
    ] {
        assert_eq!(place.get(path).status, 404, "{path}");
    }
}
