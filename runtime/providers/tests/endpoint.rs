//! Addresses that look like the configured server and are another, and those that are it under another spelling.
#![allow(clippy::unwrap_used)]

use std::net::IpAddr;

use spoor_providers::endpoint::{Allow, Origin, Refusal};
use url::Url;

fn origin(text: &str) -> Origin {
    Origin::parse(
        text,
        Allow {
            plain_loopback: true,
        },
    )
    .unwrap()
}

#[test]
fn other_spellings_of_the_server_are_the_server() {
    let server = origin("https://api.loganalytics.io");
    for text in [
        "https://api.loganalytics.io",
        "https://api.loganalytics.io/v1/workspaces/x/query?a=b#c",
        "https://API.LogAnalytics.IO:443/",
        "HTTPS://api.loganalytics.io/",
        "https://api.loganalytics.io/@evil.example",
        "https://api.loganalytics.io/%0d%0aHost:%20evil.example",
    ] {
        assert!(server.check(text).is_ok(), "{text}");
    }
    // Full-width letters and points are the same name in IDNA.
    assert!(server.check("https://ａｐｉ。loganalytics。io/").is_ok());
    assert!(
        origin("https://bücher.example")
            .check("https://xn--bcher-kva.example/")
            .is_ok()
    );
}

#[test]
fn two_slashes_stand_before_a_host() {
    let server = origin("https://api.loganalytics.io");
    for slashes in ["", "/", "///"] {
        let text = format!("https:{slashes}api.loganalytics.io/");
        let told = server.check(&text).unwrap_err();
        assert!(matches!(told, Refusal::NotUrl { .. }), "{text}: {told}");
        assert!(Origin::parse(&text, Allow::default()).is_err());
    }
}

#[test]
fn other_servers_are_refused() {
    let server = origin("https://api.loganalytics.io");
    for text in [
        "https://evil.example/",
        "https://api.loganalytics.io.evil.example/",
        "https://xapi.loganalytics.io/",
        "https://loganalytics.io/",
        "https://api.loganalytics.io./",
        "https://api.loganalytics.io:8443/",
        "http://api.loganalytics.io/",
        "http://api.loganalytics.io:443/",
        "wss://api.loganalytics.io/",
        "ftp://api.loganalytics.io/",
        "file:///etc/passwd",
        "file://api.loganalytics.io/",
        "data:text/plain,x",
        "javascript:alert(1)",
        "blob:https://api.loganalytics.io/x",
        "https://аpi.loganalytics.io/",
        "https://api-loganalytics.io/",
    ] {
        let told = server.check(text).unwrap_err();
        assert!(matches!(told, Refusal::Elsewhere { .. }), "{text}: {told}");
    }
}

#[test]
fn tricks_are_refused_before_they_are_repaired() {
    let server = origin("https://api.loganalytics.io");
    for text in [
        "https://user@api.loganalytics.io/",
        "https://user:pass@api.loganalytics.io/",
        "https://@api.loganalytics.io/",
        "https://api.loganalytics.io@evil.example/",
        "https://api.loganalytics.io:443@evil.example/",
        "https://evil.example\\@api.loganalytics.io/",
        "https:\\\\api.loganalytics.io\\",
        "https://api.loganalytics.io\\.evil.example/",
        "https://api.logana\tlytics.io/",
        "https://api.logana\nlytics.io/",
        "https://api.loganalytics.io/\r\nHost: evil.example",
        " https://api.loganalytics.io/",
        "https://api.loganalytics.io/ ",
        "https://api.loganalytics.io/a b",
        "https://api.loganalytics.io/\0",
        "https://api.loganalytics.io\u{ad}/",
        "https://api.loganalytics.io/\u{202e}",
        "https://%61pi.loganalytics.io/",
        "https://api.loganalytics.io%2f.evil.example/",
        "https://api.loganalytics.io%00.evil.example/",
        "https://api.loganalytics.io:99999/",
        "https://api.loganalytics.io:x/",
        "https://[::1/",
        "https:///",
        "//api.loganalytics.io/",
        "/v1/query",
        "",
    ] {
        let told = server.check(text).unwrap_err();
        assert!(!matches!(told, Refusal::Elsewhere { .. }), "{text}: {told}");
    }
    // One slash or three are read as two, by browsers too: it is the host that counts.
    assert!(server.check("https:/evil.example/").is_err());
    assert!(server.check("https:///evil.example/").is_err());
}

#[test]
fn numbers_of_hosts_are_one_number_in_every_spelling() {
    let server = origin("http://127.0.0.1:8080");
    for text in [
        "http://127.0.0.1:8080/",
        "http://2130706433:8080/",
        "http://0x7f000001:8080/",
        "http://0177.0.0.1:8080/",
        "http://127.1:8080/",
        "http://0x7f.1:8080/",
        "http://127.0.0.1.:8080/",
    ] {
        assert!(server.check(text).is_ok(), "{text}");
        // They are no names: a server that is configured by its name is not reached by a number.
        assert!(
            origin("http://localhost:8080").check(text).is_err(),
            "{text}"
        );
        assert!(
            origin("https://graph.microsoft.com").check(text).is_err(),
            "{text}"
        );
    }
    for text in [
        "http://127.0.0.2:8080/",
        "http://[::1]:8080/",
        "http://[::ffff:127.0.0.1]:8080/",
        "http://[::ffff:7f00:1]:8080/",
        "http://localhost:8080/",
        "http://127.0.0.1/",
        "https://127.0.0.1:8080/",
        "http://169.254.169.254:8080/",
        "http://0.0.0.0:8080/",
    ] {
        assert!(server.check(text).is_err(), "{text}");
    }
    assert!(
        origin("http://[::1]")
            .check("http://[0:0:0:0:0:0:0:1]:80/")
            .is_ok()
    );
}

#[test]
fn origins_are_origins() {
    for text in [
        "http://api.example",
        "http://127.0.0.1.evil.example",
        "http://[::ffff:127.0.0.1]",
        "ftp://api.example",
        "https://api.example./",
        "https://api.example/path",
        "https://api.example/?query",
        "https://api.example/#fragment",
        "https://user@api.example",
        "api.example",
    ] {
        assert!(
            Origin::parse(
                text,
                Allow {
                    plain_loopback: true
                }
            )
            .is_err(),
            "{text}"
        );
    }
    for text in [
        "http://localhost",
        "http://127.9.9.9:1",
        "http://[::1]:8080",
    ] {
        assert!(
            Origin::parse(
                text,
                Allow {
                    plain_loopback: true
                }
            )
            .is_ok(),
            "{text}"
        );
        let told = Origin::parse(text, Allow::default()).unwrap_err();
        assert_eq!(told, Refusal::Plain);
    }
}

#[test]
fn redirects_stay_at_their_origin() {
    let server = origin("https://api.loganalytics.io");
    let from = Url::parse("https://api.loganalytics.io/v1/workspaces/x/query").unwrap();
    for (location, wanted) in [
        ("/v2/x", "https://api.loganalytics.io/v2/x"),
        ("other", "https://api.loganalytics.io/v1/workspaces/x/other"),
        (
            "https://API.loganalytics.io:443/y",
            "https://api.loganalytics.io/y",
        ),
    ] {
        assert_eq!(server.redirect(&from, location).unwrap().as_str(), wanted);
    }
    for location in [
        "//evil.example/x",
        "https://evil.example/",
        "http://api.loganalytics.io/",
        "https://api.loganalytics.io:444/",
        "https://api.loganalytics.io@evil.example/",
        "https://user@api.loganalytics.io/",
        "/\\evil.example",
        "\\\\evil.example",
        "/x\r\nSet-Cookie: a=b",
        "/\t/evil.example",
        "data:,x",
    ] {
        assert!(server.redirect(&from, location).is_err(), "{location}");
    }
}

#[test]
fn names_that_lead_to_this_machine_or_its_link_are_refused() {
    let address = |text: &str| text.parse::<IpAddr>().unwrap();
    let server = origin("https://api.loganalytics.io");
    for text in [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",
        "169.254.169.254",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "168.63.129.16",
        "fd00:ec2::254",
        "2002:a9fe:a9fe::1",
        "2002:7f00:1::",
        "::ffff:0:169.254.169.254",
        "64:ff9b:1::a9fe:a9fe",
        "64:ff9b:1:a9fe:a9:fe00::",
    ] {
        assert!(server.admits_address(address(text)).is_err(), "{text}");
    }
    for text in [
        "20.37.71.1",
        "10.1.2.3",
        "192.168.1.4",
        "2603:1030::1",
        "fd00::5",
        "::ffff:20.37.71.1",
    ] {
        assert!(server.admits_address(address(text)).is_ok(), "{text}");
    }
    assert!(
        origin("http://localhost")
            .admits_address(address("::1"))
            .is_ok()
    );
    assert!(
        origin("http://localhost")
            .admits_address(address("169.254.169.254"))
            .is_err()
    );
    assert!(
        origin("https://169.254.1.1")
            .admits_address(address("169.254.1.1"))
            .is_ok()
    );
    assert!(
        origin("https://169.254.1.1")
            .admits_address(address("169.254.169.254"))
            .is_err()
    );
}
