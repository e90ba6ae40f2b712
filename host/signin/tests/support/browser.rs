//! A person at a browser: follows redirects, keeps cookies, and fills in and submits the forms that come.

use std::collections::BTreeMap;

use ureq::http::{HeaderMap, Request};
use url::Url;

/// Cookies by the server that set them, and their names.
#[derive(Default, Clone)]
pub struct Browser {
    cookies: BTreeMap<(String, String), String>,
    /// The beginning of addresses that a redirect is not followed to.
    stop: Option<String>,
}

/// A server's answer, redirects not followed.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    /// A header's text; empty if it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

impl Browser {
    /// One that does not follow redirects to addresses with this beginning.
    pub fn stopping_at(stop: String) -> Self {
        Self {
            stop: Some(stop),
            ..Self::default()
        }
    }

    /// Opens an address and does what the pages want, as `user`. Gives the last page's text; where it stops, the address.
    pub fn visit(&mut self, address: &str, user: &str) -> String {
        self.go(address, user, None)
    }

    /// Opens the address for a device code, and enters the code.
    pub fn enter(&mut self, address: &str, code: &str, user: &str) -> String {
        self.go(address, user, Some(code))
    }

    /// Opens an address, and says no at the first question.
    pub fn refuse(&mut self, address: &str) -> String {
        let (at, _) = self.get(&Url::parse(address).unwrap(), None);
        let abort = at.join(&format!("{}/abort", at.path())).unwrap();
        self.get(&abort, None).1
    }

    /// One request with the cookies of its server, whose answer's cookies are kept.
    pub fn ask(
        &mut self,
        method: &str,
        address: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .allow_non_standard_methods(true)
            .build()
            .new_agent();
        let server = server(&Url::parse(address).unwrap());
        let mut request = Request::builder().method(method).uri(address);
        let cookies = self.cookies_of(&server);
        if !cookies.is_empty() {
            request = request.header("Cookie", cookies);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let sent = if body.is_empty() && matches!(method, "GET" | "HEAD") {
            agent.run(request.body(()).unwrap())
        } else {
            agent.run(request.body(body).unwrap())
        };
        let mut answer = sent.unwrap();
        for cookie in answer.headers().get_all("set-cookie") {
            self.keep(&server, cookie.to_str().unwrap());
        }
        Answer {
            status: answer.status().as_u16(),
            body: answer.body_mut().read_to_string().unwrap_or_default(),
            headers: answer.headers().clone(),
        }
    }

    /// The cookies for a server, as a request has them.
    pub fn cookies_of(&self, server: &str) -> String {
        let own = self.cookies.iter().filter(|((of, _), _)| of == server);
        let pairs: Vec<String> = own
            .map(|((_, name), value)| format!("{name}={value}"))
            .collect();
        pairs.join("; ")
    }

    /// Puts a cookie there, as somebody else's page might have.
    pub fn keep(&mut self, server: &str, cookie: &str) {
        let pair = cookie.split(';').next().unwrap();
        let (name, value) = pair.split_once('=').unwrap();
        let key = (server.to_owned(), name.to_owned());
        if value.is_empty() {
            self.cookies.remove(&key);
        } else {
            self.cookies.insert(key, value.to_owned());
        }
    }

    fn go(&mut self, address: &str, user: &str, code: Option<&str>) -> String {
        let (mut at, mut page) = self.get(&Url::parse(address).unwrap(), None);
        for _ in 0..10 {
            let Some((action, mut fields)) = form(&page) else {
                return page;
            };
            for (name, value) in &mut fields {
                match name.as_str() {
                    "login" => *value = user.to_owned(),
                    "password" => *value = "any".to_owned(),
                    "user_code" if value.is_empty() => *value = code.unwrap_or_default().to_owned(),
                    _ => {}
                }
            }
            let body = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs(fields)
                .finish();
            (at, page) = self.get(&at.join(&action).unwrap(), Some(body));
        }
        panic!("there is no end to the forms: {page}");
    }

    /// One request and its redirects.
    fn get(&mut self, url: &Url, body: Option<String>) -> (Url, String) {
        let (mut url, mut body) = (url.clone(), body);
        for _ in 0..20 {
            let html = ("Accept", "text/html");
            let form = ("Content-Type", "application/x-www-form-urlencoded");
            let answer = match body.take() {
                Some(body) => self.ask("POST", url.as_str(), &[html, form], body.as_bytes()),
                None => self.ask("GET", url.as_str(), &[html], b""),
            };
            let location = answer.header("location");
            if location.is_empty() {
                return (url, answer.body);
            }
            url = url.join(location).unwrap();
            let stop = self.stop.as_deref();
            if stop.is_some_and(|stop| url.as_str().starts_with(stop)) {
                return (url.clone(), url.into());
            }
        }
        panic!("there is no end to the redirects at {}", url.path());
    }
}

fn server(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// Where the first form of a page goes, and its fields.
fn form(page: &str) -> Option<(String, Vec<(String, String)>)> {
    let (_, rest) = page.split_once("<form")?;
    let (form, _) = rest.split_once("</form>")?;
    let action = attribute(form, "action")?;
    let fields = form.split("<input").skip(1).filter_map(|input| {
        let input = input.split('>').next()?;
        Some((
            attribute(input, "name")?,
            attribute(input, "value").unwrap_or_default(),
        ))
    });
    Some((action, fields.collect()))
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!("{name}=\""))?;
    Some(rest.split('"').next()?.replace("&amp;", "&"))
}
