//! What can go wrong, said so that a person can act on it. None of it holds a token: what servers say is shortened and searched for
//! tokens first ([`crate::told`]).

use std::path::PathBuf;

pub use crate::http::HttpError;

/// Why the kept accounts cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no folder for them.
    #[error(
        "there is no folder for accounts: set HOME or XDG_DATA_HOME to an absolute path of your own"
    )]
    NoFolder,
    /// A file or folder could not be read or written.
    #[error("{what} {}: {source}", path.display())]
    File {
        /// What was being done: "cannot read".
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Others could read what is kept.
    #[error(
        "{} can be read by others (mode {mode:o}); look who has been there, then run `chmod {wanted:o}` on it",
        path.display()
    )]
    Open {
        /// The file or folder.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
        /// The permissions it should have.
        wanted: u32,
    },
    /// The file is not what was written.
    #[error(
        "{} cannot be read: {why}. Remove it and sign in again with `spoor login`",
        path.display()
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The key that the file was encrypted with is gone.
    #[error(
        "the key of {} is gone from {place}. Remove the file and sign in again with `spoor login`",
        path.display()
    )]
    KeyGone {
        /// The encrypted file.
        path: PathBuf,
        /// Where the key was.
        place: String,
    },
    /// The system's keyring does not answer.
    #[error(
        "the system's keyring, which has the key of the accounts, does not answer: {0}. Unlock it and try again"
    )]
    Keyring(String),
    /// The system has no random numbers.
    #[error("the system gives no random numbers: {0}")]
    Random(String),
}

impl StoreError {
    pub(crate) fn file(
        what: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| StoreError::File { what, path, source }
    }
}

/// What went wrong between here and an authority.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// No answer came.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// It refused, in OAuth's terms.
    #[error("{authority} refused: {code}{}", described(description))]
    Refused {
        /// Who refused.
        authority: String,
        /// OAuth's code, as `invalid_grant`.
        code: String,
        /// What the authority says of it.
        description: String,
    },
    /// It answered something else than it should.
    #[error(
        "{authority} is no OpenID Connect authority as configured: {why}. Check `authority` and `tenant` of the workspace"
    )]
    Authority {
        /// The authority.
        authority: String,
        /// What is wrong.
        why: String,
    },
    /// It answered nothing that can be used.
    #[error(
        "{authority} gave no usable answer: {why}. Try again; if it comes back, tell who runs it"
    )]
    Answer {
        /// Who answered.
        authority: String,
        /// What is wrong.
        why: String,
    },
}

fn described(description: &str) -> String {
    if description.is_empty() {
        String::new()
    } else {
        format!(" ({description})")
    }
}

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// What would be kept cannot be.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The authority.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The workspace takes requests without a token.
    #[error("workspace '{0}' has no authority to sign in to, and needs no sign-in")]
    NoAuthority(String),
    /// No application is configured, and this authority has none that everybody may use.
    #[error("workspace '{0}' names no application to sign in to: set its 'client-id'")]
    NoClient(String),
    /// The authority does not offer this way.
    #[error("{authority} offers no {way}; try {instead}")]
    NotOffered {
        /// The authority.
        authority: String,
        /// What is missing.
        way: &'static str,
        /// What may work.
        instead: &'static str,
    },
    /// Only Microsoft's authorities give tokens in this way.
    #[error(
        "{way} signs in to Microsoft's clouds only, and workspace '{workspace}' has another authority; sign in with `spoor login --workspace {workspace}`"
    )]
    OnlyMicrosoft {
        /// The way.
        way: &'static str,
        /// The workspace.
        workspace: String,
    },
    /// The person said no, or somebody did for them.
    #[error("the sign-in was denied{}; run the command again to start over", described(.0))]
    Denied(String),
    /// The code was not used in time.
    #[error("the code was not entered in time; run the command again for a new one")]
    Expired,
    /// The browser did not come back in time.
    #[error(
        "the browser did not come back within {0} seconds; try again, or use `spoor login --device`"
    )]
    TimedOut(u64),
    /// The page for the browser to come back to cannot be.
    #[error("this machine's browser cannot come back to spoor: {0}; use `spoor login --device`")]
    Loopback(std::io::Error),
    /// The caller could not show the person what to do.
    #[error("cannot open the sign-in page: {0}; use `spoor login --device`")]
    Show(std::io::Error),
    /// The Azure CLI gave no token.
    #[error(transparent)]
    AzureCli(#[from] AzureCliError),
    /// No managed identity answered.
    #[error(transparent)]
    ManagedIdentity(#[from] ManagedIdentityError),
}

/// Why a server cannot have people signed in.
#[derive(Debug, thiserror::Error)]
pub enum WebSignInError {
    /// The address to come back to is none.
    #[error("{0} is no address that a browser could come back to: write https://HOST")]
    Redirect(String),
    /// Everybody with an account of any directory would be let in.
    #[error(
        "{0} signs in the people of every directory: name yours as `tenant`, so that nobody else's are let in"
    )]
    NoTenant(String),
}

/// Why the Azure CLI gave no token. What it printed is not among it.
#[derive(Debug, thiserror::Error)]
pub enum AzureCliError {
    /// It is not there.
    #[error("the Azure CLI is not on the PATH: install it, or sign in with `spoor login`")]
    Missing,
    /// It could not be run.
    #[error("the Azure CLI could not be run: {0}")]
    Run(std::io::Error),
    /// It did not come to an end.
    #[error("the Azure CLI gave no token within {0} seconds: run `az login`, and try again")]
    TimedOut(u64),
    /// It failed.
    #[error("the Azure CLI gave no token (it ended with {0}): run `az login`, and try again")]
    Failed(std::process::ExitStatus),
    /// It printed something else.
    #[error("the Azure CLI printed no token: bring it up to date, and try again")]
    Answer,
}

/// Why a managed identity gave no token.
#[derive(Debug, thiserror::Error)]
pub enum ManagedIdentityError {
    /// The variables of App Service are not what they should be.
    #[error("IDENTITY_ENDPOINT is not an address of this machine: {0}")]
    Endpoint(String),
    /// Nothing answers there.
    #[error(
        "no managed identity answers ({0}): this machine has none, or it is not one of Azure's; sign in with `spoor login`"
    )]
    Nothing(HttpError),
    /// It refused.
    #[error("the managed identity gave no token: {0}; check that one is assigned to this machine")]
    Refused(String),
}

/// Why there is no token for a workspace.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// What is kept cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The workspace takes requests without a token.
    #[error("workspace '{0}' has no authority that could give a token, and needs none")]
    NoAuthority(String),
    /// Nobody has signed in for it.
    #[error("nobody is signed in to workspace '{0}': run `spoor login --workspace {0}`")]
    NoAccount(String),
    /// The sign-in has ended.
    #[error(
        "{account} is signed out of workspace '{workspace}' ({why}): run `spoor login --workspace {workspace}`"
    )]
    SignedOut {
        /// The workspace.
        workspace: String,
        /// Who was signed in.
        account: String,
        /// Why that ended.
        why: String,
    },
    /// The account is good, and not for this scope.
    #[error(
        "{account} was not given access to workspace '{workspace}' ({why}): run `spoor login --workspace {workspace}`, or ask who runs the workspace"
    )]
    NotGranted {
        /// The workspace.
        workspace: String,
        /// Who is signed in.
        account: String,
        /// What the authority says.
        why: String,
    },
    /// The token could not be renewed for now.
    #[error("the token for workspace '{workspace}' could not be renewed: {fault}")]
    Fault {
        /// The workspace.
        workspace: String,
        /// What went wrong.
        fault: Fault,
    },
    /// The Azure CLI gave none.
    #[error(transparent)]
    AzureCli(#[from] AzureCliError),
    /// The managed identity gave none.
    #[error(transparent)]
    ManagedIdentity(#[from] ManagedIdentityError),
}
