//! The data files: `index.json` as a static site has it, and the files with ranges.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::extract::{OriginalUri, Path as UrlPath};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::files::{self, Sent};
use super::{App, Shared, site};
use crate::error::Error;
use spoor_door::Refusal;

/// What JavaScript's `encodeURIComponent` leaves alone.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// A file that is a table to queries.
#[derive(Debug, Clone)]
pub struct DataFile {
    /// The table's name.
    pub table: String,
    /// The format, as the kernel's protocol names it.
    pub format: String,
    /// Where the file is.
    pub path: PathBuf,
}

/// The files, each in its folder as that was when the server started.
pub struct DataFiles {
    /// By the name that a page sees.
    files: BTreeMap<String, (DataFile, Arc<Dir>)>,
}

impl DataFiles {
    /// Opens the files' folders.
    pub fn open(files: Vec<DataFile>) -> Result<Self, Error> {
        let mut folders: BTreeMap<PathBuf, Arc<Dir>> = BTreeMap::new();
        let mut found = BTreeMap::new();
        for mut file in files {
            let real = file.path.canonicalize();
            file.path = real.map_err(Error::file("cannot read the data", &file.path))?;
            let parent = file.path.parent().unwrap_or(Path::new("/")).to_owned();
            let folder = match folders.get(&parent) {
                Some(folder) => folder.clone(),
                None => {
                    let folder = Dir::open_ambient_dir(&parent, ambient_authority());
                    let folder =
                        Arc::new(folder.map_err(Error::file("cannot list the folder", &parent))?);
                    folders.insert(parent, folder.clone());
                    folder
                }
            };
            let mut name = own_name(&file).to_string_lossy().into_owned();
            // Files of one name lie in several folders. Their tables' names differ.
            while found.contains_key(&name) {
                name = format!("{}-{name}", file.table);
            }
            found.insert(name, (file, folder));
        }
        Ok(Self { files: found })
    }

    /// The sources as `data/index.json` of a static site names them.
    fn index(&self) -> Value {
        let sources = self.files.iter().filter_map(|(name, (file, folder))| {
            let (_, meta) = files::open(folder, own_name(file)).ok().flatten()?;
            let url = format!("data/{}", utf8_percent_encode(name, PLAIN));
            Some(json!({ "name": file.table, "file": name, "url": url, "bytes": meta.len(), "format": file.format }))
        });
        sources.collect()
    }

    fn find(&self, name: &str) -> std::io::Result<Option<Sent>> {
        let Some((file, folder)) = self.files.get(name) else {
            return Ok(None);
        };
        let opened = files::open(folder, own_name(file))?;
        Ok(opened.map(|(opened, meta)| Sent {
            file: opened,
            len: meta.len(),
            etag: format!("\"{}\"", files::stamp(&meta)),
            kind: "application/octet-stream",
            encoding: None,
            keep: "private, no-cache",
        }))
    }
}

fn own_name(file: &DataFile) -> &Path {
    Path::new(file.path.file_name().unwrap_or_default())
}

/// The routes below `/data`. Without data of its own the server offers what the site has.
pub fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/index.json", get(index))
        .route("/{*name}", get(file))
}

async fn index(
    state: App,
    method: Method,
    headers: HeaderMap,
    uri: OriginalUri,
) -> Result<Response, Refusal> {
    if state.data.files.is_empty() {
        return site::serve(state, method, headers, uri).await;
    }
    let index = tokio::task::spawn_blocking(move || state.data.index()).await;
    Ok(Json(index.map_err(|e| Refusal::broken(&e))?).into_response())
}

async fn file(
    state: App,
    UrlPath(name): UrlPath<String>,
    method: Method,
    headers: HeaderMap,
    uri: OriginalUri,
) -> Result<Response, Refusal> {
    if state.data.files.is_empty() {
        return site::serve(state, method, headers, uri).await;
    }
    let found = tokio::task::spawn_blocking(move || state.data.find(&name)).await;
    let found = found.map_err(|e| Refusal::broken(&e))?;
    let found = found.map_err(|e| {
        Refusal::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("the data cannot be read: {e}"),
        )
    })?;
    let sent = found.ok_or_else(|| Refusal::not_found("such data"))?;
    files::send(&method, &headers, sent).await
}
