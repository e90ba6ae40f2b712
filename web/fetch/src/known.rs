//! What the page is told of a configuration.

use spoor_messages::fetch::{FromFetcher, Known, SignIn};
use spoor_providers::cloud;
use spoor_providers::config::{Remote, Service, TextError, Workspace, Workspaces};
use spoor_providers::endpoint::{Allow, Origin};

/// Who signs people in where a directory is not named: that of the person's work account.
const ANY_DIRECTORY: &str = "organizations";

/// The message for a configuration that holds.
pub(crate) fn known(workspaces: &Workspaces) -> FromFetcher {
    FromFetcher::Known {
        workspaces: workspaces.list().iter().map(workspace).collect(),
        mistakes: Vec::new(),
    }
}

/// The message for one that does not.
pub(crate) fn mistaken(error: TextError) -> FromFetcher {
    let mistakes = match error {
        TextError::NotToml { line, message } => vec![(line, message)],
        TextError::Mistakes(notes) => notes
            .into_iter()
            .map(|note| (note.line, note.mistake.to_string()))
            .collect(),
    };
    FromFetcher::Known {
        workspaces: Vec::new(),
        mistakes,
    }
}

/// What the page is told of a workspace.
pub(crate) fn workspace(workspace: &Workspace) -> Known {
    let remote = workspace.remote.as_ref();
    Known {
        name: workspace.name.clone(),
        title: workspace.service.title().to_owned(),
        server: remote.map(|remote| remote.origin.to_string()),
        sign_in: remote.and_then(|remote| sign_in(workspace, remote)),
    }
}

fn sign_in(workspace: &Workspace, remote: &Remote) -> Option<SignIn> {
    let authority = remote.authority.as_deref()?;
    let is_entra = is_entra(authority);
    Some(SignIn {
        authority: match (is_entra, &remote.tenant) {
            (true, tenant) => {
                let tenant = tenant.as_deref().unwrap_or(ANY_DIRECTORY);
                format!("{authority}/{tenant}")
            }
            (false, _) => authority.to_owned(),
        },
        client_id: remote.client_id.clone(),
        scopes: remote
            .scope
            .as_deref()?
            .split_whitespace()
            .map(str::to_owned)
            .collect(),
        server: is_own(workspace).then(|| remote.origin.to_string()),
        is_entra,
    })
}

/// Whether the server is the configuration's word alone: clouds' own servers are listed, and so are their scopes.
fn is_own(workspace: &Workspace) -> bool {
    workspace.cloud.services().is_none() || matches!(workspace.service, Service::Spoor { .. })
}

fn is_entra(authority: &str) -> bool {
    let end = authority.match_indices('/').nth(2);
    let host = end.map_or(authority, |(end, _)| &authority[..end]);
    Origin::parse(host, Allow::default()).is_ok_and(|origin| cloud::is_authority(origin.host()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const TEXT: &str = r#"
[workspaces.sentinel]
kind = "log-analytics"
workspace-id = "00000000-0000-0000-0000-000000000000"
client-id = "11111111-1111-1111-1111-111111111111"
[workspaces.lab]
kind = "spoor"
endpoint = "https://logs.lab.example"
"#;

    #[test]
    fn the_page_learns_where_requests_go_and_who_signs_in() {
        let told = known(&Workspaces::read(TEXT).unwrap());
        let FromFetcher::Known {
            workspaces,
            mistakes,
        } = told
        else {
            panic!("{told:?}");
        };
        assert!(mistakes.is_empty());
        let [lab, sentinel] = workspaces.as_slice() else {
            panic!("{workspaces:?}");
        };
        assert_eq!(lab.server.as_deref(), Some("https://logs.lab.example"));
        assert_eq!(lab.sign_in, None);
        let sign_in = sentinel.sign_in.as_ref().unwrap();
        assert!(sign_in.is_entra);
        assert_eq!(sign_in.server, None);
        assert_eq!(
            sign_in.authority,
            "https://login.microsoftonline.com/organizations"
        );
        assert_eq!(sign_in.scopes, ["https://api.loganalytics.io/.default"]);
    }

    #[test]
    fn mistakes_come_with_their_lines() {
        let text = "[workspaces.a]\nkind = 'kusto'\n";
        let FromFetcher::Known { mistakes, .. } = mistaken(Workspaces::read(text).unwrap_err())
        else {
            panic!();
        };
        assert!(mistakes.iter().any(|(line, _)| *line == 1), "{mistakes:?}");
        let FromFetcher::Known { mistakes, .. } =
            mistaken(Workspaces::read("a = 1\nb = = 2").unwrap_err())
        else {
            panic!();
        };
        assert_eq!(mistakes[0].0, 2);
    }
}
