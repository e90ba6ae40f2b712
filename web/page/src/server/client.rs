//! The interface of `spoor serve`, as a page asks it.

use std::rc::Rc;

use gloo_net::http::{Request, RequestBuilder, Response};
use serde::Deserialize;
use web_sys::AbortSignal;

use crate::storage::StoreError;
use crate::workspaces::Table;

/// How long an answer may take, in milliseconds: a notebook may be large, and a disk slow.
const PATIENCE: u32 = 60_000;

/// The way to the server.
#[derive(Debug, Clone)]
pub struct Client {
    api: Rc<str>,
    has_door: bool,
}

/// A notebook of the folder.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Listed {
    /// Its path in the folder.
    pub path: String,
    /// Its length in bytes.
    pub bytes: f64,
    /// When it was last written, in milliseconds since 1970, where the system knows.
    pub modified: Option<f64>,
}

/// What a save expects to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected<'a> {
    /// No file of that name.
    Nothing,
    /// A file of this version.
    Version(&'a str),
}

/// What the server has for somebody.
#[derive(Debug, Default, Deserialize)]
pub struct About {
    /// The workspaces that it asks for whoever asks.
    #[serde(default)]
    pub workspaces: Vec<String>,
    /// Who is signed in at its door, if it has one.
    pub caller: Option<String>,
}

#[derive(Deserialize)]
struct List {
    notebooks: Vec<Listed>,
}

#[derive(Deserialize)]
struct Tables {
    tables: Vec<Table>,
}

#[derive(Deserialize)]
struct Saved {
    version: String,
}

/// What the server says where it refuses.
#[derive(Debug, Default, Deserialize)]
struct Said {
    #[serde(default)]
    message: String,
    hint: Option<String>,
}

impl Client {
    /// Of the interface at `api`, which ends with `/`. `has_door` says whether people sign in there.
    pub fn new(api: &str, has_door: bool) -> Self {
        Self {
            api: api.into(),
            has_door,
        }
    }

    /// Where queries go.
    pub fn kql(&self) -> String {
        format!("{}kql", self.api)
    }

    /// Where queries of a workspace go.
    pub fn workspace(&self, name: &str) -> String {
        let name: String = js_sys::encode_uri_component(name).into();
        format!("{}workspaces/{name}/query", self.api)
    }

    /// The tables of a workspace that the server asks.
    pub async fn tables(&self, name: &str) -> Result<Vec<Table>, StoreError> {
        let name: String = js_sys::encode_uri_component(name).into();
        let url = format!("{}workspaces/{name}/tables", self.api);
        let told: Tables = read(&send(Request::get(&url), None).await?).await?;
        Ok(told.tables)
    }

    /// What the server has for whoever is signed in; nothing where nobody signs in.
    pub async fn about(&self) -> Result<About, StoreError> {
        if !self.has_door {
            return Ok(About::default());
        }
        read(&send(Request::get(&self.api), None).await?).await
    }

    /// Ends the session of whoever is signed in at the server's door.
    pub async fn sign_out(&self) -> Result<(), StoreError> {
        let url = format!("{}../signout", self.api);
        send(Request::post(&url), None).await.map(drop)
    }

    /// The notebooks of the folder, by path.
    pub async fn notebooks(&self) -> Result<Vec<Listed>, StoreError> {
        let response = send(Request::get(&format!("{}notebooks", self.api)), None).await?;
        let list: List = read(&response).await?;
        Ok(list.notebooks)
    }

    /// A notebook's text and its version.
    pub async fn read(&self, path: &str) -> Result<(String, String), StoreError> {
        let response = send(Request::get(&self.url(path)), None).await?;
        let version = response.headers().get("etag").unwrap_or_default();
        let version = version
            .trim_start_matches("W/")
            .trim_matches('"')
            .to_owned();
        let text = response.text().await.map_err(|_| silent())?;
        Ok((text, version))
    }

    /// Saves a notebook in the place of what is expected there. Its new version.
    pub async fn save(
        &self,
        path: &str,
        expected: Expected<'_>,
        text: &str,
    ) -> Result<String, StoreError> {
        let request = Request::put(&self.url(path)).header("Content-Type", "application/json");
        let request = match expected {
            Expected::Nothing => request.header("If-None-Match", "*"),
            Expected::Version(version) => request.header("If-Match", &format!("\"{version}\"")),
        };
        let saved: Saved = read(&send(request, Some(text)).await?).await?;
        Ok(saved.version)
    }

    fn url(&self, path: &str) -> String {
        let parts: Vec<String> = path
            .split('/')
            .map(|part| js_sys::encode_uri_component(part).into())
            .collect();
        format!("{}notebooks/{}", self.api, parts.join("/"))
    }
}

async fn send(request: RequestBuilder, body: Option<&str>) -> Result<Response, StoreError> {
    let request = request.abort_signal(Some(&AbortSignal::timeout_with_u32(PATIENCE)));
    let request = match body {
        Some(body) => request.body(body),
        None => request.build(),
    };
    let request = request.map_err(|error| StoreError::Refused(error.to_string()))?;
    let response = request.send().await.map_err(|_| silent())?;
    if response.ok() {
        return Ok(response);
    }
    let status = response.status();
    let said = response.text().await.unwrap_or_default();
    Err(refusal(
        status,
        serde_json::from_str(&said).unwrap_or_default(),
    ))
}

async fn read<T: for<'de> Deserialize<'de>>(response: &Response) -> Result<T, StoreError> {
    let text = response.text().await.map_err(|_| silent())?;
    serde_json::from_str(&text).map_err(|error| {
        StoreError::Refused(format!(
            "what `spoor serve` answered does not read ({error}): reload the page"
        ))
    })
}

fn silent() -> StoreError {
    StoreError::Away(
        "`spoor serve` does not answer: if it has ended, start it again and open the address that it prints".into(),
    )
}

fn refusal(status: u16, said: Said) -> StoreError {
    match status {
        401 | 403 => StoreError::Away(
            "`spoor serve` does not let this browser in: open the address that it printed when it started last".into(),
        ),
        412 => StoreError::Elsewhere,
        404 => StoreError::Refused(told(said, "the computer has no such notebook (any more)")),
        500.. => StoreError::Away(told(said, &format!("`spoor serve` answered with status {status}"))),
        _ => StoreError::Refused(told(said, &format!("`spoor serve` answered with status {status}"))),
    }
}

/// What the server said, with its hint; `else_so` if it said nothing.
fn told(said: Said, else_so: &str) -> String {
    match (said.message.is_empty(), said.hint) {
        (true, _) => else_so.to_owned(),
        (false, Some(hint)) => format!("{}: {hint}", said.message),
        (false, None) => said.message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, body: &str) -> StoreError {
        refusal(status, serde_json::from_str(body).unwrap_or_default())
    }

    #[test]
    fn what_may_pass_is_tried_again_and_a_conflict_is_not() {
        let locked = of(401, r#"{"message":"this browser has not been let in"}"#);
        assert!(locked.may_pass() && locked.to_string().contains("printed"));
        assert!(of(503, "<html>").may_pass());
        assert!(silent().may_pass());
        let changed = of(412, r#"{"message":"changed","version":"ab"}"#);
        assert_eq!(changed, StoreError::Elsewhere);
        assert!(!changed.may_pass());
    }

    #[test]
    fn a_refusal_is_told_in_the_servers_words() {
        let taken = of(
            409,
            r#"{"message":"there is one","hint":"choose another name"}"#,
        );
        assert_eq!(
            taken,
            StoreError::Refused("there is one: choose another name".into())
        );
        assert_eq!(
            of(418, "").to_string(),
            "`spoor serve` answered with status 418"
        );
    }
}
