//! The label of a domain that someone registered.
//!
//! The whole Public Suffix List is ten thousand rules and changes by the week. What matters here is not to take `co` of
//! `x.co.uk` for the name, nor a dynamic DNS provider's name for its customer's: a short table for the first, a short
//! list for the second.

/// Labels that registries sell names below, under many two-letter domains; under the others hardly anyone's own.
const ANYWHERE: &[&str] = &[
    "ac", "co", "com", "edu", "gob", "gouv", "gov", "mil", "net", "org",
];

/// Labels that registries under these two-letter domains sell names below. Under others they may be a company's, as
/// `web.de` and `id.me` are. As the Public Suffix List has it.
const SOMEWHERE: &[(&str, &str)] = &[
    ("asso", "ci dz fr gp ht km mc ml nc re"),
    (
        "biz",
        "az bb cy et fj id in ki ls mv mw my ni nr pk pl pr ss tj tr tt vn zm",
    ),
    ("ed", "ao ci cr jp"),
    ("firm", "ht in nf ro ve"),
    ("gen", "in nz tr"),
    ("go", "ci cr id it jp ke kr th tj tz ug"),
    ("gv", "ao at"),
    ("id", "au cv ir lv ly us vn"),
    ("in", "ni rs th ua us"),
    ("ind", "br gt in kw tn"),
    (
        "info",
        "az bb bj bo ec eg et fj gu ht hu in ke ki la ls ml mv nf ni nr pl pr ro sd tn tr tt tz ve vn zm",
    ),
    ("lg", "jp ua"),
    ("ltd", "cy gi lk uk"),
    ("me", "eg in it ke kr so ss tz uk us"),
    ("mi", "it th us"),
    ("muni", "il"),
    ("ne", "jp ke kr tz ug us"),
    ("nhs", "uk"),
    ("nic", "in tj za"),
    ("nom", "ag co es fr io km mg nc ni pa pe pl ro tm ve za"),
    ("or", "at bi ci cr id it jp ke kr mu th tz ug us"),
    ("plc", "ly uk"),
    ("police", "uk"),
    ("re", "it kr"),
    ("sch", "ae id ir jo lk ly ng qa sa ss uk zm"),
    ("school", "ge nz za"),
    ("tm", "cy dz fr hu km mc no pl ro se za"),
    ("web", "bo do gu id lk nf ni pk tj tr ve za"),
];

/// Two-letter domains that sell names below second-level labels alone, whichever these are.
const NOWHERE_ELSE: &[&str] = &["bd", "ck", "er", "fk", "jm", "kh", "mm", "np", "pg"];

/// Providers that let anyone pick a name below theirs, as malware does. Those that draw names by lot for their customers,
/// content networks above all, are not here on purpose: each of their names looks generated.
const SHARED: &[&str] = &[
    "000webhostapp.com",
    "access.ly",
    "azurewebsites.net",
    "blogspot.com",
    "bounceme.net",
    "changeip.com",
    "chickenkiller.com",
    "cloudapp.net",
    "ddns.net",
    "ddns.us",
    "ddnsking.com",
    "dns-dynamic.net",
    "dns.army",
    "dnsdynamic.org",
    "duckdns.org",
    "dynamic-dns.net",
    "dynamicdns.biz",
    "dyndns.org",
    "dynserv.com",
    "dynu.net",
    "dynv6.net",
    "eu.org",
    "freeddns.org",
    "freedynamicdns.net",
    "github.io",
    "gotdns.ch",
    "herokuapp.com",
    "hopto.me",
    "hopto.org",
    "kozow.com",
    "mooo.com",
    "myddns.rocks",
    "myftp.biz",
    "myftp.org",
    "myvnc.com",
    "netlify.app",
    "no-ip.biz",
    "no-ip.info",
    "no-ip.org",
    "noip.me",
    "ooguy.com",
    "pages.dev",
    "publicvm.com",
    "redirectme.net",
    "servebeer.com",
    "serveblog.net",
    "serveftp.com",
    "servegame.com",
    "servehttp.com",
    "serveirc.com",
    "servequake.com",
    "strangled.net",
    "sytes.net",
    "us.to",
    "vercel.app",
    "viewdns.net",
    "webhop.me",
    "workers.dev",
    "yolasite.com",
    "zapto.org",
];

/// The longest name that DNS has, in bytes; longer text is none.
const LONGEST: usize = 253;

/// The registered label of a domain or of a URL's host, in lower case. `None` where there is none: addresses, names of one
/// label, labels with anything but letters, digits and `-`, labels in other scripts (`xn--`).
pub fn registered(text: &str) -> Option<String> {
    let host = host(text)?.to_ascii_lowercase();
    let labels: Vec<&str> = host.rsplit('.').collect();
    if labels.iter().any(|label| label.is_empty()) || is_number(labels.first()?) {
        return None;
    }
    let label = *labels.get(suffix(&labels))?;
    let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let fits = label.len() <= 63 && label.bytes().all(known) && !label.starts_with("xn--");
    fits.then(|| label.to_owned())
}

/// The host in a URL, or all of what is none, without a port and the last dot.
fn host(text: &str) -> Option<&str> {
    let text = text.trim();
    let text = text.split_once("://").map_or(text, |(_, rest)| rest);
    let text = text.split(['/', '?', '#', '\\']).next()?;
    let text = text.rsplit('@').next()?;
    let text = match text.rsplit_once(':') {
        Some((host, port)) if is_number(port) => host,
        _ => text,
    };
    let text = text.strip_suffix('.').unwrap_or(text);
    (text.len() <= LONGEST).then_some(text)
}

/// How many of the labels, from the last one on, are no one's own.
fn suffix(labels: &[&str]) -> usize {
    let (Some(last), Some(second)) = (labels.first(), labels.get(1)) else {
        return labels.len();
    };
    let by_registry = last.len() == 2 && is_registrys(second, last);
    let name = || second.bytes().chain([b'.']).chain(last.bytes());
    let by_provider = SHARED.binary_search_by(|shared| shared.bytes().cmp(name()));
    // The provider itself, and a registry's own site, have no label below.
    match (by_registry || by_provider.is_ok()) && labels.len() > 2 {
        true => 2,
        false => 1,
    }
}

/// Whether a registry sells names below a second-level label of a country's domain.
fn is_registrys(second: &str, country: &str) -> bool {
    let somewhere = SOMEWHERE.binary_search_by_key(&second, |(label, _)| label);
    let there = somewhere.ok().and_then(|at| SOMEWHERE.get(at));
    ANYWHERE.contains(&second)
        || NOWHERE_ELSE.contains(&country)
        || there.is_some_and(|(_, countries)| countries.split(' ').any(|one| one == country))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registered_label_is_found() {
        let cases = [
            ("example.com", Some("example")),
            ("WWW.Example.COM.", Some("example")),
            ("a.b.example.co.uk", Some("example")),
            ("example.com.br", Some("example")),
            ("co.uk", Some("co")),
            ("www.web.de", Some("web")),
            ("example.web.za", Some("example")),
            ("qxzkvwpt.id.me", Some("id")),
            ("example.id.au", Some("example")),
            ("login.in.gr", Some("in")),
            ("example.in.th", Some("example")),
            ("api.me.sh", Some("me")),
            ("example.me.uk", Some("example")),
            ("www.info.cz", Some("info")),
            ("example.info.pl", Some("example")),
            ("mail.go.com", Some("go")),
            ("www.go.de", Some("go")),
            ("www.example.go.jp", Some("example")),
            ("shop.re.de", Some("re")),
            ("example.re.kr", Some("example")),
            ("www.tm.de", Some("tm")),
            ("www.example.school.nz", Some("example")),
            ("www.example.any.np", Some("example")),
            ("com.example", Some("com")),
            ("bad.duckdns.org", Some("bad")),
            ("x.bad.duckdns.org", Some("bad")),
            ("duckdns.org", Some("duckdns")),
            (
                "https://user:pw@www.example.org:8443/a.b?c=d.e",
                Some("example"),
            ),
            ("example.org:443", Some("example")),
            (" example.org ", Some("example")),
            ("d111111abcdef8.cloudfront.net", Some("cloudfront")),
            ("_ldap._tcp.dc._msdcs.corp.local", Some("corp")),
            ("10.0.0.1", None),
            ("10.0.0.1:80", None),
            ("fe80::1", None),
            ("[fe80::1]:80", None),
            ("localhost", None),
            ("", None),
            (".", None),
            ("..", None),
            ("a..com", None),
            ("xn--bcher-kva.example", None),
            ("b\u{fc}cher.example", None),
            ("under_score.com", None),
            ("://", None),
            ("@", None),
            (":", None),
            ("\0.\0", None),
        ];
        for (text, label) in cases {
            assert_eq!(registered(text).as_deref(), label, "{text:?}");
        }
    }

    #[test]
    fn what_is_too_long_is_none() {
        assert_eq!(registered(&format!("{}.com", "a".repeat(64))), None);
        assert_eq!(registered(&"a.".repeat(1_000_000)), None);
    }

    #[test]
    fn the_lists_are_sound() {
        assert!(SHARED.iter().all(|shared| shared.matches('.').count() == 1));
        assert!(SHARED.is_sorted() && SOMEWHERE.is_sorted());
        let countries = SOMEWHERE.iter().flat_map(|(_, all)| all.split(' '));
        assert!(
            countries
                .chain(NOWHERE_ELSE.iter().copied())
                .all(|one| one.len() == 2)
        );
    }
}
