//! How much may be asked.

use crate::browser::Browser;
use crate::place::{Place, TOKEN, With};

#[test]
fn so_many_requests_a_minute_and_no_more() {
    let place = Place::with(With {
        access: "[limits]\nrequests-per-minute = 20\n",
        ..With::default()
    });
    let statuses: Vec<u16> = (0..25)
        .map(|_| place.call(TOKEN, "GET", "/api/me", b"").status)
        .collect();
    assert!(
        statuses[..20].iter().all(|status| *status == 200),
        "{statuses:?}"
    );
    assert_eq!(statuses.last(), Some(&429));
    let refused = place.call(TOKEN, "GET", "/api/me", b"");
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=3).contains(&wait), "{wait}");
    assert!(refused.body.contains("hint"), "{}", refused.body);
    // Others have a count of their own; whoever guesses tokens has one for where they are.
    assert_eq!(
        Browser::default()
            .ask("GET", &place.at("/api/me"), &[], b"")
            .status,
        401
    );
    let guesses: Vec<u16> = (0..25)
        .map(|at| {
            place
                .call(&format!("guess-{at}"), "GET", "/api/me", b"")
                .status
        })
        .collect();
    assert_eq!((guesses[0], guesses[24]), (401, 429));
    // And another address cannot be claimed.
    let claim = [("X-Forwarded-For", "198.51.100.7")];
    let answer = Browser::default().ask("GET", &place.at("/api/me"), &claim, b"");
    assert_eq!(answer.status, 429);
    // It is as long as was said.
    std::thread::sleep(std::time::Duration::from_secs(wait));
    assert_eq!(place.call(TOKEN, "GET", "/api/me", b"").status, 200);
}

#[test]
fn a_body_is_so_long_and_no_longer() {
    let place = Place::with(With {
        access: "[limits]\nbody-bytes = 1000\n",
        ..With::default()
    });
    let send = |bytes: usize| place.call(TOKEN, "POST", "/api/kql", &vec![b'x'; bytes]);
    let whole = send(1000);
    assert_eq!((whole.status, whole.body.as_str()), (200, "1000"));
    let long = send(1001);
    assert_eq!(long.status, 413);
    assert!(long.body.contains("body-bytes"), "{}", long.body);
    assert_eq!(place.audit("request")[0]["outcome"], "denied");
}

#[test]
fn a_body_that_does_not_say_how_long_it_is_is_counted() {
    use std::io::{Read, Write};
    let place = Place::with(With {
        access: "[limits]\nbody-bytes = 1000\n",
        ..With::default()
    });
    let host = place.address.strip_prefix("http://").unwrap();
    let mut stream = std::net::TcpStream::connect(host).unwrap();
    let part = format!("3e8\r\n{}\r\n", "x".repeat(1000));
    let request = format!(
        "POST /api/kql HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n\
         Transfer-Encoding: chunked\r\n\r\n{part}{part}0\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}
