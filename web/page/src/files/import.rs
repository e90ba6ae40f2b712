//! Taking in notebooks and data: from files, folders, addresses and links.
//!
//! What comes from elsewhere is read before it is kept, is not trusted, and never takes the place
//! of something that is there: it gets a free name.

use gloo_net::http::{Request, Response};
use js_sys::{Array, Reflect, Uint8Array};
use serde_json::Value;
use spoor_model::convert::decode_link;
use spoor_model::gallery::{copy_name, notebook_name};
use spoor_names::is_data;
use spoor_notebook::Notebook;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, File, ReadableStreamDefaultReader};

use super::links::{self, Target};
use crate::storage::{Cancel, Entry, Store, StoreError, bytes};

/// The largest notebook that is taken in, in bytes.
const MOST_BYTES: f64 = 200e6;

/// Why something was not taken in.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It is not a notebook.
    #[error("{name} is not a notebook: {reason}")]
    NotNotebook {
        /// What was read.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// It is too large.
    #[error("{name} has {}, more than the {} that a notebook may have: clear its outputs first", bytes(*size), bytes(MOST_BYTES))]
    Large {
        /// What was read.
        name: String,
        /// Its bytes.
        size: f64,
    },
    /// The link leads nowhere.
    #[error(transparent)]
    Link(#[from] links::LinkError),
    /// The fragment of the page's address does not hold a notebook.
    #[error(transparent)]
    Fragment(#[from] spoor_model::convert::LinkError),
    /// The server did not let the page read it.
    #[error(
        "{host} could not be read. Either it does not answer, or it does not let other sites' pages read its files (CORS). Download the notebook there, and drop the file here"
    )]
    Unreachable {
        /// The server.
        host: String,
    },
    /// The server refused.
    #[error("{host} answered {status}: {advice}")]
    Refused {
        /// The server.
        host: String,
        /// HTTP's status.
        status: u16,
        /// What to do.
        advice: &'static str,
    },
    /// A link to add data from leads to something else.
    #[error(
        "“{0}” is not named like data that Spoor reads (CSV, JSON, Parquet, Arrow; gzip, zstd, zip). If it is some, download it, and add the file"
    )]
    NotData(String),
    /// A gist without a notebook.
    #[error("the gist has no notebook in it: its files are {0}")]
    NoNotebook(String),
}

/// A notebook that was read but not kept yet.
#[derive(Debug, Clone)]
pub struct Found {
    /// What it is called.
    pub name: String,
    /// Its file, of nbformat 4.
    pub text: String,
    /// Where it came from.
    pub origin: String,
}

/// Reads what may be a notebook.
pub fn read(name: &str, origin: &str, text: &[u8]) -> Result<Found, ImportError> {
    let notebook = Notebook::from_slice(text).map_err(|error| ImportError::NotNotebook {
        name: name.to_owned(),
        reason: error.to_string(),
    })?;
    Ok(found(name, origin, &notebook))
}

fn found(name: &str, origin: &str, notebook: &Notebook) -> Found {
    Found {
        name: proper_name(name),
        text: String::from_utf8_lossy(&notebook.to_vec()).into_owned(),
        origin: origin.to_owned(),
    }
}

/// A name that the user's files can have, as near to `name` as can be.
pub fn proper_name(name: &str) -> String {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    notebook_name(name).unwrap_or_else(|_| {
        let letters = |c: char| {
            if c.is_alphanumeric() || "-_ .()".contains(c) {
                c
            } else {
                '-'
            }
        };
        let plain: String = name.chars().map(letters).take(80).collect();
        let plain = plain.trim_matches(['.', ' ', '-']);
        notebook_name(plain).unwrap_or_else(|_| "notebook.ipynb".to_owned())
    })
}

/// Keeps a notebook under its name, or the nearest that is free.
pub async fn keep(store: &Store, found: &Found) -> Result<Entry, ImportError> {
    // Another tab may take the name in between.
    for _ in 0..3 {
        let names: Vec<String> = store
            .notebooks()
            .await?
            .into_iter()
            .map(|one| one.name)
            .collect();
        let name = copy_name(&found.name, &names);
        match store.create(&name, &found.text, Some(&found.origin)).await {
            Err(StoreError::NameTaken(_)) => {}
            other => return Ok(other?),
        }
    }
    Err(StoreError::NameTaken(found.name.clone()).into())
}

/// Reads a notebook's file.
pub async fn from_file(file: &File) -> Result<Found, ImportError> {
    let name = file.name();
    let text = text_of(&name, file).await?;
    read(&name, &name, text.as_bytes())
}

async fn text_of(name: &str, blob: &Blob) -> Result<String, ImportError> {
    if blob.size() > MOST_BYTES {
        return Err(ImportError::Large {
            name: name.to_owned(),
            size: blob.size(),
        });
    }
    let text = JsFuture::from(blob.text())
        .await
        .map_err(StoreError::from)?;
    Ok(text.as_string().unwrap_or_default())
}

/// Reads the notebook in the fragment of a link that “Copy link” made: what follows `#nb=`.
pub fn from_fragment(fragment: &str) -> Result<Found, ImportError> {
    let notebook = decode_link(fragment)?;
    let name = notebook
        .title()
        .unwrap_or_else(|| "Notebook from a link".to_owned());
    Ok(found(&name, "a link", &notebook))
}

/// Reads the notebook that a web address leads to, or that a link of Spoor's holds.
pub async fn from_link(link: &str) -> Result<Found, ImportError> {
    if let Some((_, fragment)) = link.split_once("#nb=") {
        return from_fragment(fragment.trim());
    }
    let target = links::target(link)?;
    if target.gist {
        return from_gist(&target, link.trim()).await;
    }
    let text = fetch(&target.url, &target.name).await?;
    read(&target.name, link.trim(), text.as_bytes())
}

/// Takes the first notebook of a gist.
async fn from_gist(target: &Target, link: &str) -> Result<Found, ImportError> {
    let text = fetch(&target.url, "the gist").await?;
    let gist: Value = serde_json::from_str(&text).unwrap_or_default();
    let files = gist["files"].as_object().cloned().unwrap_or_default();
    let notebook = files.iter().find(|(name, _)| name.ends_with(".ipynb"));
    let Some((name, file)) = notebook else {
        let names: Vec<String> = files.keys().cloned().collect();
        return Err(ImportError::NoNotebook(names.join(", ")));
    };
    let whole = file["truncated"] != Value::Bool(true);
    let text = match (file["content"].as_str(), file["raw_url"].as_str()) {
        (Some(text), _) if whole => text.to_owned(),
        (_, Some(url)) => fetch(url, name).await?,
        _ => String::new(),
    };
    read(name, link, text.as_bytes())
}

/// The data file that a web address leads to, by its name.
pub fn data_at(link: &str) -> Option<Target> {
    links::target(link)
        .ok()
        .filter(|target| !target.gist && is_data(&target.name))
}

/// The file that a web address leads to, which is said to be data.
pub fn any_data_at(link: &str) -> Result<Target, ImportError> {
    let target = links::target(link)?;
    if target.gist || !is_data(&target.name) {
        return Err(ImportError::NotData(target.name));
    }
    Ok(target)
}

/// The bytes of a file; `progress` is told how many have come, and of how many where the server says (0 where not).
pub async fn blob(
    target: &Target,
    progress: impl Fn(f64, f64),
    cancel: &Cancel,
) -> Result<Blob, ImportError> {
    let (response, host) = answer(&target.url).await?;
    let broken = || ImportError::Unreachable { host: host.clone() };
    let total = length(&response);
    let body = web_sys::Response::from(response).body();
    let reader = body.ok_or_else(broken)?.get_reader();
    let reader: ReadableStreamDefaultReader = reader.unchecked_into();
    let (parts, mut done) = (Array::new(), 0.0);
    loop {
        if cancel.is_cancelled() {
            let _ = reader.cancel();
            return Err(StoreError::Cancelled.into());
        }
        let read = JsFuture::from(reader.read()).await.map_err(|_| broken())?;
        let Some(part) = part(&read) else {
            break;
        };
        done += f64::from(part.length());
        parts.push(&part);
        progress(done, total);
    }
    Ok(Blob::new_with_u8_array_sequence(&parts).map_err(StoreError::from)?)
}

/// The bytes of one answer of a stream's reader; none at its end.
fn part(read: &JsValue) -> Option<Uint8Array> {
    let of = |name: &str| Reflect::get(read, &name.into()).ok();
    let is_over = of("done").is_none_or(|done| done.is_truthy());
    of("value")
        .filter(|_| !is_over)
        .and_then(|value| value.dyn_into().ok())
}

/// What a server answers, without cookies and without saying where the request comes from; and the server.
async fn answer(url: &str) -> Result<(Response, String), ImportError> {
    let host = host_of(url);
    let unreachable = |_| ImportError::Unreachable { host: host.clone() };
    let request = Request::get(url)
        .credentials(web_sys::RequestCredentials::Omit)
        .referrer_policy(web_sys::ReferrerPolicy::NoReferrer);
    let response = request.send().await.map_err(unreachable)?;
    refuse(&host, &response)?;
    Ok((response, host))
}

/// How many bytes an answer says that it has; 0 where it does not say.
fn length(response: &Response) -> f64 {
    let length = response.headers().get("content-length");
    length.and_then(|length| length.parse().ok()).unwrap_or(0.0)
}

async fn fetch(url: &str, name: &str) -> Result<String, ImportError> {
    let (response, host) = answer(url).await?;
    let size = length(&response);
    if size > MOST_BYTES {
        let name = name.to_owned();
        return Err(ImportError::Large { name, size });
    }
    let blob = web_sys::Response::from(response).blob();
    let blob = blob.map_err(StoreError::from)?;
    let blob = JsFuture::from(blob)
        .await
        .map_err(|_| ImportError::Unreachable { host })?;
    text_of(name, blob.unchecked_ref()).await
}

fn refuse(host: &str, response: &Response) -> Result<(), ImportError> {
    if response.ok() {
        return Ok(());
    }
    let status = response.status();
    let advice = match status {
        401 | 403 => {
            "the file is not public; download it where you are signed in, and drop it here"
        }
        404 | 410 => {
            "nothing is at this address; open it in the browser to see whether it is right"
        }
        429 => "it has had too many requests from here; wait a minute",
        _ => "try again later, or download the file and drop it here",
    };
    let host = host.to_owned();
    Err(ImportError::Refused {
        host,
        status,
        advice,
    })
}

fn host_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_from_elsewhere_are_made_proper() {
        for (given, name) in [
            ("hunt.ipynb", "hunt.ipynb"),
            ("a/b/hunt.ipynb", "hunt.ipynb"),
            ("Sign-ins: week 3", "Sign-ins- week 3.ipynb"),
            ("..", "notebook.ipynb"),
            ("", "notebook.ipynb"),
            ("con", "notebook.ipynb"),
        ] {
            assert_eq!(proper_name(given), name, "{given}");
        }
    }

    #[test]
    fn what_is_not_a_notebook_is_told_by_name() {
        let error = read("a.ipynb", "a.ipynb", b"<html>")
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("a.ipynb is not a notebook"), "{error}");
    }

    #[test]
    fn old_notebooks_are_brought_up_to_date() {
        let old = br#"{"nbformat":3,"nbformat_minor":0,"metadata":{},"worksheets":[{"cells":[{"cell_type":"markdown","source":"hi","metadata":{}}]}]}"#;
        let found = read("old.ipynb", "old.ipynb", old).unwrap();
        assert!(found.text.contains("\"nbformat\": 4"), "{}", found.text);
    }
}
