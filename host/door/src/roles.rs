//! Roles, and where they hold.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Everything of its kind.
const ALL: &str = "*";

/// What somebody may do. Each may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Opens and renders.
    Reader,
    /// Runs queries and notebooks.
    Responder,
    /// Saves, adds plugins and configures.
    Contributor,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Role::Reader => "reader",
            Role::Responder => "responder",
            Role::Contributor => "contributor",
        })
    }
}

/// A role, and where it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Grant {
    /// The role.
    pub role: Role,
    /// Folders of notebooks, each with all below it; `*` is all of them.
    pub folders: Vec<String>,
    /// Workspaces by name, `host` for the server's own data; `*` is all of them.
    pub workspaces: Vec<String>,
}

/// Where a role is needed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// Wherever the caller has it.
    Anywhere,
    /// In a folder of notebooks, `/` between its parts; empty for the topmost.
    Folder(String),
    /// In a workspace.
    Workspace(String),
}

impl Place {
    /// The folder of the notebook with this path.
    pub fn of_notebook(path: &str) -> Self {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        Self::Folder(folder.to_owned())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Anywhere => f.write_str("this server"),
            Place::Folder(folder) if folder.is_empty() => f.write_str("the topmost folder"),
            Place::Folder(folder) => write!(f, "the folder '{folder}'"),
            Place::Workspace(name) => write!(f, "the workspace '{name}'"),
        }
    }
}

/// What a request needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// The role.
    pub role: Role,
    /// Where.
    pub place: Place,
}

impl Need {
    /// A role in a place.
    pub fn new(role: Role, place: Place) -> Self {
        Self { role, place }
    }
}

impl Grant {
    /// Whether it is enough.
    pub fn meets(&self, need: &Need) -> bool {
        self.role >= need.role && self.covers(&need.place)
    }

    fn covers(&self, place: &Place) -> bool {
        match place {
            Place::Anywhere => true,
            Place::Folder(folder) => self
                .folders
                .iter()
                .any(|own| own == ALL || is_below(folder, own)),
            Place::Workspace(name) => self.workspaces.iter().any(|own| own == ALL || own == name),
        }
    }
}

/// Whether a folder is another or below it. A part counts whole: `hunts-of-others` is not below `hunts`.
fn is_below(folder: &str, own: &str) -> bool {
    folder
        .strip_prefix(own)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(role: Role, folders: &[&str], workspaces: &[&str]) -> Grant {
        let owned = |list: &[&str]| list.iter().map(|&one| one.to_owned()).collect();
        Grant {
            role,
            folders: owned(folders),
            workspaces: owned(workspaces),
        }
    }

    #[test]
    fn roles_hold_where_they_are_given() {
        let own = grant(Role::Responder, &["hunts/apt"], &["host"]);
        let folder = |path: &str| Place::Folder(path.to_owned());
        let workspace = |name: &str| Place::Workspace(name.to_owned());
        for (role, place, good) in [
            (Role::Reader, folder("hunts/apt"), true),
            (Role::Reader, folder("hunts/apt/2026"), true),
            (Role::Responder, folder("hunts/apt"), true),
            (Role::Contributor, folder("hunts/apt"), false),
            (Role::Reader, folder("hunts/apt-of-others"), false),
            (Role::Reader, folder("hunts"), false),
            (Role::Reader, folder(""), false),
            (Role::Responder, workspace("host"), true),
            (Role::Responder, workspace("host2"), false),
            (Role::Responder, workspace("*"), false),
            (Role::Responder, Place::Anywhere, true),
            (Role::Contributor, Place::Anywhere, false),
        ] {
            let need = Need::new(role, place);
            assert_eq!(own.meets(&need), good, "{need:?}");
        }
        let all = grant(Role::Reader, &["*"], &[]);
        assert!(all.meets(&Need::new(Role::Reader, folder(""))));
        assert!(!all.meets(&Need::new(Role::Reader, workspace("host"))));
    }

    #[test]
    fn a_notebook_is_in_its_folder() {
        assert_eq!(Place::of_notebook("a.ipynb"), Place::Folder(String::new()));
        assert_eq!(
            Place::of_notebook("a/b/c.ipynb"),
            Place::Folder("a/b".into())
        );
    }
}
