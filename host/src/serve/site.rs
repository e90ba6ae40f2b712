//! The page's folder: files by path, precompressed where that lies beside them and the browser takes it.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use axum::extract::{OriginalUri, State};
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use percent_encoding::percent_decode_str;
use sha2::{Digest, Sha256};

use super::App;
use super::files::{self, Sent};
use crate::error::Error;
use spoor_door::Refusal;

/// The page's own file.
const INDEX: &str = "index.html";

/// The service worker of static hosts. Here the server is as near as the page, and a page that outlives
/// it would stand in the way of whatever uses the port next.
const SERVICE: &str = "service.js";

/// What a page without a policy of its own may do.
const STRICT: &str = "default-src 'none'; base-uri 'none'; form-action 'none'";

/// The page in which an output's scripts run, which the page itself frames.
pub const FRAME: &str = "/frame.html";

/// The page to which authorities send people back after a sign-in.
pub const SIGNIN: &str = "/signin.html";

/// A folder that is served as it is.
pub struct Site {
    dir: Dir,
    policy: HeaderValue,
    frame_policy: HeaderValue,
    signin_policy: HeaderValue,
    /// Digests by path, with the stamp of the file that they are of.
    digests: Mutex<HashMap<PathBuf, (String, String)>>,
}

impl Site {
    /// Opens the folder. It must hold the page.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let dir = Dir::open_ambient_dir(path, ambient_authority());
        let dir = dir.map_err(Error::file("cannot open the site", path))?;
        let page = dir.read_to_string(INDEX);
        let page = page.map_err(Error::file("cannot read the page", path.join(INDEX)))?;
        let beside = |path: &str| dir.read_to_string(path.trim_start_matches('/'));
        let frame = beside(FRAME).unwrap_or_default();
        let signin = beside(SIGNIN).unwrap_or_default();
        Ok(Self {
            policy: as_header(&page, "'none'"),
            frame_policy: as_header(&frame, "'self'"),
            signin_policy: as_header(&signin, "'none'"),
            dir,
            digests: Mutex::default(),
        })
    }

    /// The page's Content Security Policy as a header, or that of another page of the site: the frame for scripted outputs,
    /// the end of a sign-in.
    pub fn policy(&self, path: &str) -> &HeaderValue {
        match path {
            FRAME => &self.frame_policy,
            SIGNIN => &self.signin_policy,
            _ => &self.policy,
        }
    }

    /// The file at `path`. A client that takes brotli gets the file beside it, where there is one; one that
    /// takes gzip is told of pieces that they are packed so, and need not unpack them itself.
    fn find(&self, path: &Path, brotli: bool, gzip: bool) -> std::io::Result<Option<Sent>> {
        let Some((file, meta)) = files::open(&self.dir, path)? else {
            return Ok(None);
        };
        let mut beside = path.as_os_str().to_owned();
        beside.push(".br");
        let beside = if brotli {
            files::open(&self.dir, Path::new(&beside))?
        } else {
            None
        };
        let encoding = if beside.is_some() {
            Some("br")
        } else {
            (gzip && is_packed(path)).then_some("gzip")
        };
        let digest = self.digest(path, &file, &files::stamp(&meta))?;
        let etag = format!(
            "\"{digest}{}\"",
            encoding.map_or(String::new(), |name| format!("-{name}"))
        );
        let (file, len) = beside.map_or((file, meta.len()), |(file, meta)| (file, meta.len()));
        let keep = if path.starts_with("pieces") {
            "public, max-age=31536000, immutable"
        } else {
            "no-cache"
        };
        Ok(Some(Sent {
            file,
            len,
            etag,
            kind: files::kind(path),
            encoding,
            keep,
        }))
    }

    /// The file's SHA-256, read once for each state of the file.
    fn digest(&self, path: &Path, mut file: &File, stamp: &str) -> std::io::Result<String> {
        let known = self
            .digests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(path)
            .cloned();
        if let Some((_, digest)) = known.filter(|(known, _)| known == stamp) {
            return Ok(digest);
        }
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; 1 << 18];
        loop {
            let read = file.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            hasher.update(&buffer[..read]);
        }
        file.rewind()?;
        let digest = format!("{:x}", hasher.finalize());
        let mut digests = self.digests.lock().unwrap_or_else(PoisonError::into_inner);
        digests.insert(path.to_owned(), (stamp.to_owned(), digest.clone()));
        Ok(digest)
    }
}

/// A page's own policy, and which pages may frame it.
fn as_header(page: &str, ancestors: &str) -> HeaderValue {
    let policy = policy_of(page).unwrap_or(STRICT);
    let policy = format!("{policy}; frame-ancestors {ancestors}");
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static(STRICT))
}

/// The policy that the page's `<meta>` states.
fn policy_of(page: &str) -> Option<&str> {
    let (_, rest) = page.split_once("http-equiv=\"Content-Security-Policy\" content=\"")?;
    Some(rest.split_once('"')?.0)
}

/// Answers with a file of the site.
pub async fn serve(
    State(shared): App,
    method: Method,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
) -> Result<Response, Refusal> {
    if method != Method::GET && method != Method::HEAD {
        return Err(Refusal::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "files can only be read",
        ));
    }
    let Some(path) = path_of(uri.path()) else {
        return Err(Refusal::not_found("such file"));
    };
    let whole = !headers.contains_key(header::RANGE);
    let (brotli, gzip) = (takes(&headers, "br"), takes(&headers, "gzip"));
    let found = tokio::task::spawn_blocking(move || {
        shared.site.find(&path, whole && brotli, whole && gzip)
    });
    let found = found.await.map_err(|e| Refusal::broken(&e))?;
    let found = found.map_err(|e| {
        Refusal::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("the file cannot be read: {e}"),
        )
    })?;
    let found = found.ok_or_else(|| Refusal::not_found("such file"))?;
    files::send(&method, &headers, found).await
}

/// Whether a file is one of the pieces that `web/site.mjs` packs.
fn is_packed(path: &Path) -> bool {
    path.starts_with("pieces") && path.extension().is_some_and(|extension| extension == "gz")
}

/// The path below the site that a URL's path names. Where links in the site lead is the folder's affair.
fn path_of(url: &str) -> Option<PathBuf> {
    let name = percent_decode_str(url).decode_utf8().ok()?;
    let name = name.strip_prefix('/')?;
    let name = if name.is_empty() || name.ends_with('/') {
        format!("{name}{INDEX}")
    } else {
        name.to_owned()
    };
    let visible = name
        .split('/')
        .all(|part| !part.is_empty() && !part.starts_with('.'));
    (visible && name != SERVICE && !name.contains('\0')).then(|| PathBuf::from(name))
}

/// Whether the client takes this coding, and does not merely name it to refuse it.
fn takes(headers: &HeaderMap, wanted: &str) -> bool {
    let lists = headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let refused = weight
            .trim()
            .strip_prefix("q=")
            .is_some_and(|q| q.trim_matches(['0', '.']).is_empty());
        name.trim().eq_ignore_ascii_case(wanted) && !refused
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn paths_stay_below_the_site() {
        assert_eq!(path_of("/").unwrap(), Path::new("index.html"));
        assert_eq!(path_of("/a%20b/c.js").unwrap(), Path::new("a b/c.js"));
        for path in [
            "/../x",
            "/a/%2e%2e/%2e%2e/x",
            "//etc/passwd",
            "/.git/config",
            "/a//b",
            "/x%00",
            "/%ff",
            "x",
            "/service.js",
        ] {
            assert_eq!(path_of(path), None, "{path}");
        }
    }

    #[test]
    fn codings_are_taken_or_refused() {
        let takes = |value: &'static str| {
            let headers = [(header::ACCEPT_ENCODING, HeaderValue::from_static(value))];
            super::takes(&HeaderMap::from_iter(headers), "br")
        };
        assert!(takes("gzip, deflate, br") && takes("br;q=0.5") && takes("BR"));
        assert!(!takes("gzip") && !takes("br;q=0") && !takes("br; q=0.0") && !takes("brotli"));
    }

    #[test]
    fn pages_have_policies_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let page = |name: &str, policy: &str| {
            let text = format!(r#"<meta http-equiv="Content-Security-Policy" content="{policy}">"#);
            std::fs::write(folder.path().join(name), text).unwrap();
        };
        page("index.html", "img-src data:");
        page("frame.html", "font-src data:");
        page("signin.html", "script-src 'self'");
        let site = Site::open(folder.path()).unwrap();
        for (path, policy) in [
            ("/", "img-src data:; frame-ancestors 'none'"),
            ("/index.html", "img-src data:; frame-ancestors 'none'"),
            (FRAME, "font-src data:; frame-ancestors 'self'"),
            (SIGNIN, "script-src 'self'; frame-ancestors 'none'"),
        ] {
            assert_eq!(site.policy(path), policy, "{path}");
        }
    }

    #[test]
    fn the_page_states_its_policy() {
        let page = r#"<meta http-equiv="Content-Security-Policy" content="default-src 'none'">"#;
        assert_eq!(policy_of(page), Some("default-src 'none'"));
        assert_eq!(policy_of("<p>"), None);
    }
}
