//! `spoor login`.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use spoor_providers::config::Workspace;
use spoor_remote::Settings;
use spoor_signin::{Account, Secret, SignIn, SignInError, Store, StoreError};

use super::workspaces::{Configuration, chosen};
use super::{Exit, Failure, places, say};
use crate::error::Error;

/// Sign in to a workspace
///
/// In this machine's browser, or in one of the other ways. Tokens are kept encrypted, below ~/.local/share/spoor/accounts, with the
/// key in the system's keyring where there is one. No notebook, plugin or query ever sees them.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Args {
    /// The workspace [default: the configuration's]
    #[arg(short, long, value_name = "NAME")]
    workspace: Option<String>,
    #[command(flatten)]
    configuration: Configuration,
    /// Show a code to enter in a browser of any machine
    #[arg(long, group = "way")]
    device: bool,
    /// Sign in as the workspace's application, with the secret in this file; - reads it from standard input
    #[arg(long, value_name = "FILE", group = "way")]
    client_secret_file: Option<PathBuf>,
    /// Sign in as this machine, which Azure gave an identity, or as the identity with this client id
    #[arg(long, value_name = "CLIENT-ID", num_args = 0..=1, require_equals = true, default_missing_value = "", group = "way")]
    managed_identity: Option<String>,
    /// Use the Azure CLI's own sign-in
    #[arg(long, group = "way")]
    azure_cli: bool,
}

const EXAMPLES: &str = "\
Examples:
  In this machine's browser:
    spoor login --workspace sentinel

  Over SSH, where there is no browser:
    spoor login --device

  In a pipeline, with a secret that is nobody's argument and in no environment:
    spoor login --client-secret-file /run/secrets/spoor

  On a machine of Azure's, and with what `az login` did:
    spoor login --managed-identity
    spoor login --azure-cli

Exit codes: 0 signed in, 1 nobody was signed in, 2 the command line is wrong, 3 an input cannot be read,
5 the accounts cannot be kept.";

pub fn run(args: &Args) -> Result<Exit, Failure> {
    let settings = args.configuration.read()?;
    let workspace = chosen(&settings, args.workspace.as_deref())?;
    let store = Store::open().map_err(unkept)?;
    let signing = SignIn::new(&store, workspace).map_err(refused)?;
    announce(&settings, workspace);
    let account = sign_in(args, &signing).map_err(|failed| failed.into_failure())?;
    say::line(format_args!(
        "signed in as {} ({})",
        account.name, account.id
    ));
    Ok(Exit::Done)
}

/// Who will ask for a password is said before anybody does: a stranger's folder may have brought its own `spoor.toml`.
fn announce(settings: &Settings, workspace: &Workspace) {
    let remote = workspace.remote.as_ref();
    let authority = remote
        .and_then(|remote| remote.authority.as_deref())
        .unwrap_or_default();
    let server = remote.map(|remote| remote.origin.to_string());
    let server = server.unwrap_or_default();
    let file = settings
        .path
        .as_deref()
        .unwrap_or(Path::new("the configuration"));
    say::line(format_args!(
        "signing in to workspace '{}' at {authority}, for {server}, as {} says",
        workspace.name,
        say::path(file)
    ));
}

/// Either the sign-in or what it needs could not be had.
enum Failed {
    SignIn(SignInError),
    Input(Failure),
}

impl From<SignInError> for Failed {
    fn from(error: SignInError) -> Self {
        Failed::SignIn(error)
    }
}

impl Failed {
    fn into_failure(self) -> Failure {
        match self {
            Failed::SignIn(error) => refused(error),
            Failed::Input(failure) => failure,
        }
    }
}

fn sign_in(args: &Args, signing: &SignIn) -> Result<Account, Failed> {
    if let Some(path) = &args.client_secret_file {
        let secret = secret(path).map_err(Failed::Input)?;
        return Ok(signing.client_credentials(secret)?);
    }
    if let Some(identity) = &args.managed_identity {
        let identity = Some(identity.as_str()).filter(|identity| !identity.is_empty());
        return Ok(signing.managed_identity(identity)?);
    }
    if args.azure_cli {
        return Ok(signing.azure_cli()?);
    }
    if args.device {
        return Ok(signing.device(|prompt| {
            say::line(format_args!(
                "open {} in any browser, and enter the code {} within {} minutes",
                prompt.address,
                prompt.code,
                prompt.seconds.div_ceil(60)
            ));
        })?);
    }
    Ok(signing.browser(open)?)
}

/// Opens an address in the user's browser. Where that cannot be done, the person can do it.
fn open(address: &str) -> io::Result<()> {
    let mut command = if cfg!(target_os = "macos") {
        Command::new("open")
    } else if cfg!(windows) {
        let mut command = Command::new("rundll32");
        command.arg("url.dll,FileProtocolHandler");
        command
    } else {
        Command::new("xdg-open")
    };
    command
        .arg(address)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    match command.spawn() {
        Ok(mut child) => {
            // Some openers are the browser itself and stay; they are waited for by nobody but the system.
            std::thread::spawn(move || child.wait());
            say::line(
                "a page to sign in was opened in your browser; if none is there, open this address:",
            );
        }
        Err(_) => say::line("open this address in a browser of this machine:"),
    }
    say::line(format_args!("  {address}"));
    Ok(())
}

fn secret(path: &Path) -> Result<Secret, Failure> {
    let read = if places::is_stream(path) {
        Secret::read(io::stdin().lock())
    } else {
        File::open(path).and_then(Secret::read)
    };
    read.map_err(|error| Error::file("cannot read the secret in", path)(error).into())
}

fn refused(error: SignInError) -> Failure {
    let exit = match &error {
        SignInError::Store(_) => Exit::Unable,
        SignInError::NoAuthority(_) | SignInError::NoClient(_) => Exit::Usage,
        _ => Exit::Failed,
    };
    Failure::new(exit, error.to_string())
}

/// The accounts cannot be read or written.
pub fn unkept(error: StoreError) -> Failure {
    Failure::new(Exit::Unable, error.to_string())
}
