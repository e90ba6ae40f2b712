//! Notebooks are saved whole, and never over another's work.

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::sync::Barrier;
use std::time::Duration;

use crate::place::{NOTEBOOK, Place};

#[test]
fn a_save_names_what_it_replaces() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let read = place.get("/api/notebooks/a.ipynb");
    assert_eq!(read.text(), NOTEBOOK);
    let etag = read.header("etag").to_owned();
    assert_eq!(
        place
            .send(
                "GET /api/notebooks/a.ipynb",
                &[&format!("If-None-Match: {etag}")],
                ""
            )
            .status,
        304
    );
    assert_eq!(
        place
            .send("PUT /api/notebooks/a.ipynb", &[], NOTEBOOK)
            .status,
        428
    );
    fs::set_permissions(
        place.path("notebooks/a.ipynb"),
        fs::Permissions::from_mode(0o640),
    )
    .unwrap();
    let changed = NOTEBOOK.replace("\"cells\"", "\"x\":1,\"cells\"");
    let saved = place.send(
        "PUT /api/notebooks/a.ipynb",
        &[&format!("If-Match: {etag}")],
        &changed,
    );
    assert_eq!(saved.status, 200);
    let version = saved.json()["version"].as_str().unwrap().to_owned();
    assert_eq!(saved.header("etag"), format!("\"{version}\""));
    assert_eq!(
        fs::read_to_string(place.path("notebooks/a.ipynb")).unwrap(),
        changed
    );
    assert_eq!(
        fs::metadata(place.path("notebooks/a.ipynb"))
            .unwrap()
            .permissions()
            .mode()
            & 0o777,
        0o640
    );
    let late = place.send(
        "PUT /api/notebooks/a.ipynb",
        &[&format!("If-Match: {etag}")],
        NOTEBOOK,
    );
    assert_eq!(
        (late.status, late.json()["version"].as_str()),
        (412, Some(version.as_str()))
    );
    assert_eq!(
        fs::read_to_string(place.path("notebooks/a.ipynb")).unwrap(),
        changed
    );
    fs::remove_file(place.path("notebooks/a.ipynb")).unwrap();
    let gone = place.send(
        "PUT /api/notebooks/a.ipynb",
        &[&format!("If-Match: \"{version}\"")],
        NOTEBOOK,
    );
    assert_eq!((gone.status, gone.json()["version"].is_null()), (412, true));
}

#[test]
fn a_new_notebook_replaces_none() {
    let place = Place::new();
    let made = place.send(
        "PUT /api/notebooks/new/one%20more.ipynb",
        &["If-None-Match: *"],
        NOTEBOOK,
    );
    assert_eq!(made.status, 201);
    assert_eq!(
        fs::read_to_string(place.path("notebooks/new/one more.ipynb")).unwrap(),
        NOTEBOOK
    );
    let taken = place.send(
        "PUT /api/notebooks/a.ipynb",
        &["If-None-Match: *"],
        &NOTEBOOK.replace('5', "4"),
    );
    assert_eq!(taken.status, 409);
    assert!(taken.json()["message"].as_str().unwrap().contains("name"));
    assert_eq!(
        fs::read_to_string(place.path("notebooks/a.ipynb")).unwrap(),
        NOTEBOOK
    );
    for body in ["", "{}", "[1]", "{\"nbformat\":4", "text"] {
        assert_eq!(
            place
                .send("PUT /api/notebooks/bad.ipynb", &["If-None-Match: *"], body)
                .status,
            422,
            "{body}"
        );
    }
    assert!(!place.path("notebooks/bad.ipynb").exists());
    let left: Vec<_> = fs::read_dir(place.path("notebooks/new"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["one more.ipynb"]);
}

#[test]
fn of_saves_at_once_one_wins() {
    const SAVES: usize = 8;
    let place = Place::new();
    let etag = place
        .get("/api/notebooks/a.ipynb")
        .header("etag")
        .to_owned();
    let go = Barrier::new(SAVES);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let saves: Vec<_> = (0..SAVES)
            .map(|n| {
                let (place, go, etag) = (&place, &go, &etag);
                scope.spawn(move || {
                    let body =
                        NOTEBOOK.replace("\"metadata\":{}", &format!("\"metadata\":{{\"n\":{n}}}"));
                    go.wait();
                    place
                        .send(
                            "PUT /api/notebooks/a.ipynb",
                            &[&format!("If-Match: {etag}")],
                            &body,
                        )
                        .status
                })
            })
            .collect();
        saves.into_iter().map(|save| save.join().unwrap()).collect()
    });
    assert_eq!(
        statuses.iter().filter(|status| **status == 200).count(),
        1,
        "{statuses:?}"
    );
    assert_eq!(
        statuses.iter().filter(|status| **status == 412).count(),
        SAVES - 1,
        "{statuses:?}"
    );
}

#[test]
fn a_save_that_breaks_off_changes_nothing() {
    let mut place = Place::new();
    let etag = place
        .get("/api/notebooks/a.ipynb")
        .header("etag")
        .to_owned();
    let mut stream = TcpStream::connect(place.address).unwrap();
    let head = format!(
        "PUT /api/notebooks/a.ipynb HTTP/1.1\r\nHost: {}\r\n{}\r\nIf-Match: {etag}\r\nContent-Length: 1000000\r\n\r\n{NOTEBOOK}",
        place.address,
        place.cookie()
    );
    stream.write_all(head.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(100));
    place.end();
    drop(stream);
    assert_eq!(
        fs::read_to_string(place.path("notebooks/a.ipynb")).unwrap(),
        NOTEBOOK
    );
    assert_eq!(fs::read_dir(place.path("notebooks")).unwrap().count(), 2);
}
