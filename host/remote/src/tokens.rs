//! Who gives tokens, and why there is none.

use spoor_providers::config::Workspace;

use spoor_providers::secret::Secret;

/// Gives tokens for workspaces. It may ask people, files or servers; it keeps what it holds to itself.
pub trait Tokens: Send + Sync {
    /// A token for the workspace's scope. `force_refresh` says that the last one was refused, so that a kept one is no use. `watch`
    /// says, once it does, that nobody waits any more; it is asked some ten times a second.
    ///
    /// # Errors
    /// Why there is none, and what to do.
    fn token(
        &self,
        workspace: &Workspace,
        force_refresh: bool,
        watch: &dyn Fn() -> bool,
    ) -> Result<Secret, TokenError>;
}

/// Why there is no token. What it says is shown to people: no part of a token may stand in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Nobody is signed in.
    #[error("nobody is signed in to the workspace '{workspace}'")]
    SignedOut {
        /// The workspace's name.
        workspace: String,
    },
    /// Nobody waits for it any more.
    #[error("signing in was stopped")]
    Stopped,
    /// It went wrong.
    #[error("there is no token for the workspace '{workspace}': {cause}")]
    Failed {
        /// The workspace's name.
        workspace: String,
        /// What went wrong, in words.
        cause: String,
    },
}

impl TokenError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            TokenError::SignedOut { workspace } => {
                Some(format!("run `spoor login --workspace {workspace}`"))
            }
            // The cause says itself what to do.
            TokenError::Failed { .. } | TokenError::Stopped => None,
        }
    }
}
