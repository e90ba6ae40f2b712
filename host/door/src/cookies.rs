//! Cookies: two, of which one is a session and the other an attempt to sign in.

use axum::http::HeaderMap;
use axum::http::header;

/// How the server's cookies are called, and what browsers are told of them.
#[derive(Clone, Debug)]
pub(crate) struct Cookies {
    session: String,
    attempt: String,
    secure: bool,
}

impl Cookies {
    /// Those of a server that browsers reach over TLS, or of one at a port of this machine: cookies are a host's, whatever the port.
    pub(crate) fn new(secure: bool, port: u16) -> Self {
        let name = |what: &str| match secure {
            // Browsers keep such a cookie to this very host, and refuse one that came without TLS.
            true => format!("__Host-spoor-{what}"),
            false => format!("spoor-{what}-{port}"),
        };
        Self {
            session: name("session"),
            attempt: name("signin"),
            secure,
        }
    }

    /// The session that a request says it is of.
    pub(crate) fn session<'r>(&self, headers: &'r HeaderMap) -> Option<&'r str> {
        one(headers, &self.session)
    }

    /// The attempt that a request says it is of.
    pub(crate) fn attempt<'r>(&self, headers: &'r HeaderMap) -> Option<&'r str> {
        one(headers, &self.attempt)
    }

    /// Sets the session. It ends with the browser, and by the server's clock.
    pub(crate) fn set_session(&self, id: &str) -> String {
        self.cookie(&self.session, id, "")
    }

    /// Sets the attempt, for so many seconds.
    pub(crate) fn set_attempt(&self, id: &str, seconds: u64) -> String {
        self.cookie(&self.attempt, id, &format!("; Max-Age={seconds}"))
    }

    pub(crate) fn clear_session(&self) -> String {
        self.cookie(&self.session, "", "; Max-Age=0")
    }

    pub(crate) fn clear_attempt(&self) -> String {
        self.cookie(&self.attempt, "", "; Max-Age=0")
    }

    /// `Lax`: the browser comes back from the authority, and by links, with it.
    fn cookie(&self, name: &str, value: &str, rest: &str) -> String {
        let secure = if self.secure { "; Secure" } else { "" };
        format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{rest}")
    }
}

/// The value of a cookie; of one that is there twice, none: somebody else may have set one of them.
fn one<'r>(headers: &'r HeaderMap, name: &str) -> Option<&'r str> {
    let lines = headers.get_all(header::COOKIE).iter();
    let lines = lines.filter_map(|value| value.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';'));
    let mut found = pairs
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(own, _)| *own == name);
    match (found.next(), found.next()) {
        (Some((_, value)), None) => Some(value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(lines: &[&'static str]) -> HeaderMap {
        let lines = lines
            .iter()
            .map(|line| (header::COOKIE, HeaderValue::from_static(line)));
        lines.collect()
    }

    #[test]
    fn over_tls_no_other_host_can_set_them() {
        let set = Cookies::new(true, 443).set_session("x");
        assert_eq!(
            set,
            "__Host-spoor-session=x; Path=/; HttpOnly; SameSite=Lax; Secure"
        );
        let set = Cookies::new(false, 8300).set_attempt("x", 600);
        assert_eq!(
            set,
            "spoor-signin-8300=x; Path=/; HttpOnly; SameSite=Lax; Max-Age=600"
        );
    }

    #[test]
    fn one_that_is_there_twice_is_nobody_s() {
        let cookies = Cookies::new(true, 443);
        let session = |lines: &[&'static str]| {
            let headers = headers(lines);
            cookies.session(&headers).map(str::to_owned)
        };
        assert_eq!(
            session(&["a=b; __Host-spoor-session=x"]).as_deref(),
            Some("x")
        );
        assert_eq!(
            session(&["__Host-spoor-session=x; __Host-spoor-session=y"]),
            None
        );
        assert_eq!(
            session(&["__Host-spoor-session=x", "__Host-spoor-session=y"]),
            None
        );
        assert_eq!(session(&["__host-spoor-session=x"]), None);
    }
}
