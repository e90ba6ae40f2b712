//! A folder of notebooks: listed, read and saved, and nothing outside it.
//!
//! A notebook's version is the SHA-256 of its bytes. A save names the version that it began from, and is refused
//! where another is there by now. Every write is of a whole file or of none.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Path as UrlPath, State};
use axum::http::StatusCode;
use axum::http::header::{self, HeaderMap};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use cap_tempfile::TempFile;
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::noted::{Asking, Noted, may_read};
use super::{App, Shared, files};
use crate::error::Error;
use spoor_door::Refusal;

/// The largest notebook, in bytes. Jupyter's own limit for what it saves is of that order.
const LARGEST: usize = 256 << 20;

/// How deep folders are searched. Deeper ones are most likely a mistake.
const DEEPEST: usize = 16;

/// How many notebooks a list has at most.
const LONGEST: usize = 10_000;

/// A folder of notebooks.
pub struct Notebooks {
    dir: Dir,
    /// Held while a version is compared and the file replaced, so that two saves cannot both win.
    saving: Mutex<()>,
}

/// What a save expects to find.
#[derive(Debug, PartialEq, Eq)]
enum Expected {
    /// No file of that name.
    Nothing,
    /// A file of this version.
    Version(String),
}

/// Why a notebook was not read or saved.
#[derive(Debug)]
enum Trouble {
    /// The path cannot be a notebook of the folder.
    Name(&'static str),
    /// There is no such notebook.
    Missing,
    /// There is another version, or none where one is expected.
    Conflict(Option<String>),
    /// There is a notebook of that name.
    Taken,
    /// The bytes are no notebook.
    Content(String),
    /// The system refuses.
    System(io::Error),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        if files::is_absence(&error) {
            Self::Missing
        } else {
            Self::System(error)
        }
    }
}

impl Notebooks {
    /// Opens the folder.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let dir = Dir::open_ambient_dir(path, ambient_authority());
        let dir = dir.map_err(Error::file("cannot open the notebooks", path))?;
        Ok(Self {
            dir,
            saving: Mutex::new(()),
        })
    }

    /// Every notebook in the folder and below, by path. Hidden ones, and what links lead to, are left out.
    fn list(&self) -> io::Result<Vec<Value>> {
        let mut found = Vec::new();
        list(&self.dir, Path::new(""), 0, &mut found)?;
        found.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(found.into_iter().map(|(_, entry)| entry).collect())
    }

    /// A notebook's bytes and version.
    fn read(&self, path: &Path) -> Result<(Vec<u8>, String), Trouble> {
        let (file, meta) = files::open(&self.dir, path)?.ok_or(Trouble::Missing)?;
        if meta.len() > LARGEST as u64 {
            return Err(Trouble::Content(format!(
                "the notebook is larger than {} MB",
                LARGEST >> 20
            )));
        }
        let mut bytes = Vec::new();
        file.take(LARGEST as u64).read_to_end(&mut bytes)?;
        let version = version(&bytes);
        Ok((bytes, version))
    }

    /// Puts a notebook in the place of the expected one. The new version.
    fn save(&self, path: &Path, bytes: &[u8], expected: &Expected) -> Result<String, Trouble> {
        is_notebook(bytes)?;
        let _saving = self.saving.lock().unwrap_or_else(PoisonError::into_inner);
        let there = match self.read(path) {
            Ok((_, version)) => Some(version),
            Err(Trouble::Missing) => None,
            Err(trouble) => return Err(trouble),
        };
        match (expected, &there) {
            (Expected::Nothing, None) => {}
            (Expected::Nothing, Some(_)) => return Err(Trouble::Taken),
            (Expected::Version(wanted), Some(version)) if wanted == version => {}
            (Expected::Version(_), _) => return Err(Trouble::Conflict(there)),
        }
        self.replace(path, bytes, there.is_none())?;
        Ok(version(bytes))
    }

    fn replace(&self, path: &Path, bytes: &[u8], new: bool) -> Result<(), Trouble> {
        let name = path
            .file_name()
            .ok_or(Trouble::Name("the path has no name"))?;
        let dir = self.folder(path, new)?;
        // A folder that cannot be written to is there all the same.
        let mut temp = TempFile::new(&dir).map_err(Trouble::System)?;
        temp.write_all(bytes)?;
        if let Ok(replaced) = dir.symlink_metadata(name) {
            if replaced.is_symlink() {
                // Replacing it would leave what it leads to as it is, which is where others look.
                return Err(Trouble::Name(
                    "the notebook is a link; save under another name",
                ));
            }
            temp.as_file().set_permissions(replaced.permissions())?;
        }
        temp.as_file().sync_all()?;
        if new {
            // Links do not replace: whoever made a file of that name meanwhile keeps it.
            return linked(temp, &dir, name.as_ref());
        }
        temp.replace(name)?;
        settle(&dir);
        Ok(())
    }

    /// The folder that the notebook is in; made, where the notebook is new.
    fn folder(&self, path: &Path, make: bool) -> Result<Dir, Trouble> {
        let parent = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        let Some(parent) = parent else {
            return Ok(self.dir.try_clone()?);
        };
        match self.dir.open_dir(parent) {
            Err(error) if make && error.kind() == io::ErrorKind::NotFound => {
                self.dir.create_dir_all(parent).map_err(Trouble::System)?;
                Ok(self.dir.open_dir(parent)?)
            }
            opened => Ok(opened?),
        }
    }
}

/// Gives a finished temporary file a name that nothing has yet.
fn linked(temp: TempFile<'_>, dir: &Dir, name: &Path) -> Result<(), Trouble> {
    // The temporary file may be one without a name, which cannot be linked by it.
    let part = format!(".spoor-{}-{:x}.tmp", std::process::id(), unique());
    temp.replace(&part)?;
    let linked = dir.hard_link(&part, dir, name);
    let removed = dir.remove_file(&part);
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(Trouble::Taken),
        other => other.map_err(Trouble::System)?,
    }
    removed?;
    settle(dir);
    Ok(())
}

fn unique() -> u64 {
    static COUNT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
}

/// The new name must outlive a power cut too; some file systems cannot promise it.
fn settle(dir: &Dir) {
    let _ = dir.open(".").and_then(|folder| folder.sync_all());
}

fn list(dir: &Dir, at: &Path, depth: usize, found: &mut Vec<(PathBuf, Value)>) -> io::Result<()> {
    for entry in dir.entries()? {
        let entry = entry?;
        let name = entry.file_name();
        let (path, kind) = (at.join(&name), entry.file_type()?);
        if name.to_string_lossy().starts_with('.') || found.len() >= LONGEST {
            continue;
        }
        if kind.is_dir() && depth < DEEPEST {
            // A folder that others may not read is none of ours.
            if let Ok(below) = entry.open_dir() {
                list(&below, &path, depth + 1, found)?;
            }
        } else if kind.is_file() && has_extension(&path) && path.to_str().is_some() {
            let meta = entry.metadata()?;
            let modified = meta
                .modified()
                .ok()
                .and_then(|time| time.into_std().duration_since(UNIX_EPOCH).ok());
            let entry = json!({ "path": path.to_str(), "bytes": meta.len(), "modified": modified.map(|time| time.as_millis() as u64) });
            found.push((path, entry));
        }
    }
    Ok(())
}

fn version(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

/// A path of a notebook in the folder. What it leads to on disk is the folder's own affair: it follows no link out.
fn notebook_path(name: &str) -> Result<PathBuf, Trouble> {
    let path = PathBuf::from(name);
    let plain = |part: Component<'_>| matches!(part, Component::Normal(name) if !name.to_string_lossy().starts_with('.'));
    let controls = name.chars().any(char::is_control);
    if name.is_empty()
        || controls
        || name.split('/').any(str::is_empty)
        || !path.components().all(plain)
    {
        return Err(Trouble::Name(
            "the path of a notebook is names with / between them, none of which begins with a dot",
        ));
    }
    if !has_extension(&path) {
        return Err(Trouble::Name("the name of a notebook ends with .ipynb"));
    }
    Ok(path)
}

fn has_extension(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "ipynb")
}

/// Refuses what would leave a file that nothing can open.
fn is_notebook(bytes: &[u8]) -> Result<(), Trouble> {
    let read = serde_json::from_slice::<BTreeMap<String, IgnoredAny>>(bytes);
    let fields =
        read.map_err(|error| Trouble::Content(format!("what was sent is no notebook: {error}")))?;
    if !fields.contains_key("nbformat") {
        let why = "what was sent is no notebook: it does not say its nbformat";
        return Err(Trouble::Content(why.into()));
    }
    Ok(())
}

/// The routes below `/api`.
pub fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/notebooks", get(all))
        .route("/notebooks/{*path}", get(read).put(save))
        .layer(DefaultBodyLimit::max(LARGEST))
}

async fn all(State(shared): App, asking: Asking) -> Result<Json<Value>, Refusal> {
    let mut list = blocking(shared, |notebooks| Ok(notebooks.list()?)).await?;
    let caller = asking.as_ref().map(|Extension(caller)| caller.as_ref());
    list.retain(|entry| may_read(caller, entry["path"].as_str().unwrap_or_default()));
    Ok(Json(json!({ "notebooks": list })))
}

async fn read(
    State(shared): App,
    UrlPath(name): UrlPath<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let (bytes, version) = blocking(shared, move |notebooks| {
        notebooks.read(&notebook_path(&name)?)
    })
    .await?;
    let known = tags(&headers, header::IF_NONE_MATCH).is_some_and(|tags| tags == version);
    let etag = [(header::ETAG, quoted(&version))];
    if known {
        return Ok((StatusCode::NOT_MODIFIED, etag).into_response());
    }
    Ok((etag, [(header::CONTENT_TYPE, "application/json")], bytes).into_response())
}

async fn save(
    State(shared): App,
    UrlPath(name): UrlPath<String>,
    asking: Asking,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let expected = expected(&headers)?;
    let body = body.map_err(|e| Refusal::new(e.status(), e.body_text()))?;
    let created = expected == Expected::Nothing;
    let noted = Noted::of(&shared, asking);
    let path = name.clone();
    let saved = blocking(shared, move |notebooks| {
        notebooks.save(&notebook_path(&name)?, &body, &expected)
    })
    .await;
    if let Some(noted) = noted {
        noted.save(&path, saved.as_deref().ok());
    }
    let version = saved?;
    let status = if created {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok((
        status,
        [(header::ETAG, quoted(&version))],
        Json(json!({ "version": version })),
    )
        .into_response())
}

/// What a save says of the file that it replaces; it must say something.
fn expected(headers: &HeaderMap) -> Result<Expected, Refusal> {
    if let Some(version) = tags(headers, header::IF_MATCH) {
        return Ok(Expected::Version(version));
    }
    if tags(headers, header::IF_NONE_MATCH).as_deref() == Some("*") {
        return Ok(Expected::Nothing);
    }
    Err(Refusal::new(
        StatusCode::PRECONDITION_REQUIRED,
        "a save says what it replaces",
    )
    .hint("send If-Match with the version that was read, or If-None-Match: * for a new notebook"))
}

/// The header's validator without its quotes.
fn tags(headers: &HeaderMap, name: header::HeaderName) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    Some(
        value
            .trim()
            .trim_start_matches("W/")
            .trim_matches('"')
            .to_owned(),
    )
}

fn quoted(version: &str) -> String {
    format!("\"{version}\"")
}

/// Does what waits for the disk on a thread that may.
async fn blocking<T: Send + 'static>(
    shared: Arc<Shared>,
    work: impl FnOnce(&Notebooks) -> Result<T, Trouble> + Send + 'static,
) -> Result<T, Refusal> {
    let done = tokio::task::spawn_blocking(move || {
        let notebooks = shared.notebooks.as_ref();
        notebooks.map(work)
    });
    match done.await.map_err(|e| Refusal::broken(&e))? {
        Some(done) => done.map_err(refusal),
        None => Err(Refusal::not_found("folder of notebooks")
            .hint("start spoor serve with --notebooks DIR")),
    }
}

fn refusal(trouble: Trouble) -> Refusal {
    match trouble {
        Trouble::Name(why) => Refusal::new(StatusCode::BAD_REQUEST, why),
        Trouble::Missing => Refusal::not_found("such notebook"),
        Trouble::Conflict(current) => {
            let what = if current.is_some() {
                "changed"
            } else {
                "removed"
            };
            Refusal::new(
                StatusCode::PRECONDITION_FAILED,
                format!("the notebook was {what} meanwhile; nothing was saved"),
            )
            .hint("read it again, or save under another name")
            .with("version", current)
        }
        Trouble::Taken => Refusal::new(
            StatusCode::CONFLICT,
            "there is a notebook of that name already",
        )
        .hint("choose another name"),
        Trouble::Content(why) => Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, why),
        Trouble::System(error) => Refusal::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("the system refuses: {error}"),
        ),
    }
}
