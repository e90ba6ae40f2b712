//! Sessions: their cookies, how they begin and end.

use std::time::Duration;

use crate::browser::Browser;
use crate::place::{Place, With};

/// The value of the session's cookie.
fn session(browser: &Browser, place: &Place) -> String {
    let cookies = browser.cookies_of(&place.address);
    let pairs = cookies.split("; ").filter_map(|pair| pair.split_once('='));
    let mut own = pairs.filter(|(name, _)| name.starts_with("spoor-session-"));
    own.next()
        .map_or(String::new(), |(_, value)| value.to_owned())
}

fn name(place: &Place) -> String {
    let port = place.address.rsplit(':').next().unwrap();
    format!("spoor-session-{port}")
}

#[test]
fn cookies_are_no_script_s_and_no_other_site_s() {
    let place = Place::new();
    let (mut browser, callback) = place.about_to_return("anna");
    let answer = browser.ask("GET", &callback, &[], b"");
    let cookies: Vec<&str> = answer
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|cookie| cookie.to_str().unwrap())
        .collect();
    assert_eq!(cookies.len(), 2, "{cookies:?}");
    for cookie in &cookies {
        assert!(
            cookie.contains("; Path=/; HttpOnly; SameSite=Lax"),
            "{cookie}"
        );
    }
    // The attempt's is taken away.
    assert!(cookies[1].contains("signin") && cookies[1].contains("Max-Age=0"));
    // 256 bits in Base64.
    assert_eq!(session(&browser, &place).len(), 43);
}

#[test]
fn a_session_that_somebody_else_chose_is_nobody_s() {
    let place = Place::new();
    let fixed = format!("{}=chosen-by-somebody-else", name(&place));
    let mut victim = Browser::default();
    victim.keep(&place.address, &fixed);
    assert_eq!(victim.visit(&place.at("/"), "anna"), "the page");
    assert_ne!(session(&victim, &place), "chosen-by-somebody-else");
    let mut attacker = Browser::default();
    attacker.keep(&place.address, &fixed);
    assert_eq!(place.fetch(&mut attacker, "GET", "/api/me").status, 401);
}

#[test]
fn signing_in_again_gives_another_name_and_ends_the_one_before() {
    let place = Place::new();
    let mut browser = place.signed_in("anna");
    let mut before = browser.clone();
    assert_eq!(browser.visit(&place.at("/signin"), "anna"), "the page");
    assert_ne!(session(&browser, &place), session(&before, &place));
    assert_eq!(place.fetch(&mut browser, "GET", "/api/me").status, 200);
    assert_eq!(place.fetch(&mut before, "GET", "/api/me").status, 401);
}

#[test]
fn signing_out_ends_the_session_on_the_server() {
    let place = Place::new();
    let mut browser = place.signed_in("anna");
    let mut copy = browser.clone();
    // Nobody else's page does it, and no link.
    assert_eq!(
        browser.ask("GET", &place.at("/signout"), &[], b"").status,
        405
    );
    let answer = place.fetch(&mut browser, "POST", "/signout");
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(session(&browser, &place), "");
    assert_eq!(place.fetch(&mut copy, "GET", "/api/me").status, 401);
    assert_eq!(place.audit("sign-out")[0]["caller"], "anna");
}

#[test]
fn silence_ends_a_session_and_so_does_its_age() {
    for (access, requests) in [
        ("[sessions]\nidle-seconds = 2\n", 0),
        ("[sessions]\nlifetime-seconds = 2\n", 5),
    ] {
        let place = Place::with(With {
            access,
            ..With::default()
        });
        let mut browser = place.signed_in("anna");
        assert_eq!(place.fetch(&mut browser, "GET", "/api/me").status, 200);
        for _ in 0..requests {
            std::thread::sleep(Duration::from_millis(200));
            place.fetch(&mut browser, "GET", "/api/me");
        }
        std::thread::sleep(Duration::from_millis(2100 - 200 * requests));
        assert_eq!(
            place.fetch(&mut browser, "GET", "/api/me").status,
            401,
            "{access}"
        );
    }
}
