//! Which role each request needs where there is a door (`--access`). One table, so that it can be read at once; what is not in it
//! needs most.

use axum::http::Method;
use spoor_door::{Need, Place, Refusal, Role};

/// The workspace of the server's own data, as cells and the access file call it.
pub const HOST: &str = "host";

/// The role that a request with this method and path needs, and where.
pub fn needs(method: &Method, path: &str) -> Result<Need, Refusal> {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    let host = || Place::Workspace(HOST.to_owned());
    let need = match path {
        "/api/kql" => Need::new(Role::Responder, host()),
        // The list has those alone that the caller may read.
        "/api" | "/api/" | "/api/notebooks" if reads => Need::new(Role::Reader, Place::Anywhere),
        _ if workspace(path).is_some() => {
            let name = workspace(path).unwrap_or_default();
            Need::new(Role::Responder, Place::Workspace(name.to_owned()))
        }
        _ => match (path.strip_prefix("/api/notebooks/"), reads) {
            (Some(notebook), true) => Need::new(Role::Reader, Place::of_notebook(notebook)),
            (Some(notebook), false) => Need::new(Role::Contributor, Place::of_notebook(notebook)),
            (None, true) if path.starts_with("/data/") => Need::new(Role::Reader, host()),
            (None, true) if !path.starts_with("/api/") => Need::new(Role::Reader, Place::Anywhere),
            (None, _) => Need::new(Role::Contributor, Place::Anywhere),
        },
    };
    Ok(need)
}

/// The workspace that a path asks: for an answer, or for its tables.
fn workspace(path: &str) -> Option<&str> {
    let (name, what) = path.strip_prefix("/api/workspaces/")?.rsplit_once('/')?;
    matches!(what, "query" | "tables").then_some(name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn each_request_needs_its_role() {
        let folder = |path: &str| Place::Folder(path.to_owned());
        let host = || Place::Workspace("host".to_owned());
        for (method, path, role, place) in [
            (Method::GET, "/", Role::Reader, Place::Anywhere),
            (Method::GET, "/pieces/a.gz", Role::Reader, Place::Anywhere),
            (Method::GET, "/api/", Role::Reader, Place::Anywhere),
            (Method::GET, "/api/notebooks", Role::Reader, Place::Anywhere),
            (
                Method::HEAD,
                "/api/notebooks/a/b.ipynb",
                Role::Reader,
                folder("a"),
            ),
            (
                Method::PUT,
                "/api/notebooks/a/b.ipynb",
                Role::Contributor,
                folder("a"),
            ),
            (
                Method::DELETE,
                "/api/notebooks/b.ipynb",
                Role::Contributor,
                folder(""),
            ),
            (Method::POST, "/api/kql", Role::Responder, host()),
            (Method::GET, "/api/kql", Role::Responder, host()),
            (
                Method::POST,
                "/api/workspaces/soc/query",
                Role::Responder,
                Place::Workspace("soc".to_owned()),
            ),
            (
                Method::GET,
                "/api/workspaces/soc/tables",
                Role::Responder,
                Place::Workspace("soc".to_owned()),
            ),
            (
                Method::GET,
                "/api/workspaces/soc/rows",
                Role::Contributor,
                Place::Anywhere,
            ),
            (Method::GET, "/data/index.json", Role::Reader, host()),
            (
                Method::POST,
                "/data/index.json",
                Role::Contributor,
                Place::Anywhere,
            ),
            (
                Method::GET,
                "/api/anything",
                Role::Contributor,
                Place::Anywhere,
            ),
            (Method::POST, "/", Role::Contributor, Place::Anywhere),
        ] {
            let need = needs(&method, path).unwrap();
            assert_eq!(need, Need::new(role, place), "{method} {path}");
        }
    }
}
