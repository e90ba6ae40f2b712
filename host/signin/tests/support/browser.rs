//! A person at a browser: follows redirects, keeps cookies, and fills in and submits the forms that come.

use std::collections::HashMap;

use url::Url;

/// Cookies by name. The authority is the only server that is visited with them.
#[derive(Default)]
pub struct Browser {
    cookies: HashMap<String, String>,
}

impl Browser {
    /// Opens an address and does what the pages want, as `user`. Gives the last page's text.
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
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .build()
            .new_agent();
        let (mut url, mut body) = (url.clone(), body);
        for _ in 0..20 {
            let pairs: Vec<String> = self
                .cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            let cookies = pairs.join("; ");
            let sent = match body.take() {
                Some(body) => agent
                    .post(url.as_str())
                    .header("Cookie", &cookies)
                    .header("Content-Type", "application/x-www-form-urlencoded")
                    .send(body),
                None => agent.get(url.as_str()).header("Cookie", &cookies).call(),
            };
            let mut answer = sent.unwrap();
            for cookie in answer.headers().get_all("set-cookie") {
                self.keep(cookie.to_str().unwrap());
            }
            let Some(location) = answer.headers().get("location") else {
                return (url, answer.body_mut().read_to_string().unwrap());
            };
            url = url.join(location.to_str().unwrap()).unwrap();
        }
        panic!("there is no end to the redirects at {}", url.path());
    }

    fn keep(&mut self, cookie: &str) {
        let pair = cookie.split(';').next().unwrap();
        let (name, value) = pair.split_once('=').unwrap();
        if value.is_empty() {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }
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
