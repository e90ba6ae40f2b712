//! The Azure CLI's own sign-in. `az` is run without a shell, and what it prints is read for the token and otherwise dropped.

use std::io::{self, Read};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use super::managed_identity::seconds;
use crate::clock;
use crate::error::AzureCliError;
use crate::secret::{Kept, Secret};
use crate::store::record::Access;

/// What `az` may take: it starts slowly, and may have to renew its own token.
const PATIENCE: Duration = Duration::from_secs(60);

/// The most bytes that are read of it.
const MOST_BYTES: u64 = 1 << 20;

/// The program. On Windows it is a script, which must be named whole to be found.
const PROGRAM: &str = if cfg!(windows) { "az.cmd" } else { "az" };

/// Asks `az` for a token of `scope`, of the directory `tenant`.
pub(crate) fn token(scope: &str, tenant: Option<&str>) -> Result<Access, AzureCliError> {
    run(Command::new(PROGRAM), scope, tenant)
}

fn run(mut az: Command, scope: &str, tenant: Option<&str>) -> Result<Access, AzureCliError> {
    az.args([
        "account",
        "get-access-token",
        "--scope",
        scope,
        "-o",
        "json",
    ]);
    if let Some(tenant) = tenant {
        az.arg(format!("--tenant={tenant}"));
    }
    let printed = printed(&mut az)?;
    let answer: Answer = serde_json::from_slice(&printed).map_err(|_| AzureCliError::Answer)?;
    let expires = seconds(&answer.expires_on).ok_or(AzureCliError::Answer)?;
    Ok(Access {
        token: Kept(Secret::new(answer.access_token)),
        obtained: clock::now(),
        expires,
    })
}

/// What `az` prints. `expiresOn` beside it is the local time without a zone; versions before 2.54 have nothing else.
#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "accessToken")]
    access_token: String,
    expires_on: Value,
}

/// Runs a command to its end, or ends it when its time is over.
fn printed(command: &mut Command) -> Result<Zeroizing<Vec<u8>>, AzureCliError> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = command.spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => AzureCliError::Missing,
        _ => AzureCliError::Run(error),
    })?;
    let output = child.stdout.take();
    // Read beside the wait: a full pipe would keep it from ending.
    let reading = std::thread::spawn(move || {
        let mut bytes = Zeroizing::new(Vec::new());
        let read = output.map(|output| output.take(MOST_BYTES).read_to_end(&mut bytes));
        read.transpose().map(|_| bytes)
    });
    let until = Instant::now() + PATIENCE;
    let status = loop {
        match child.try_wait().map_err(AzureCliError::Run)? {
            Some(status) => break status,
            None if Instant::now() < until => std::thread::sleep(Duration::from_millis(20)),
            None => {
                // It may have ended by itself since.
                let _ = child.kill();
                let _ = child.wait();
                return Err(AzureCliError::TimedOut(PATIENCE.as_secs()));
            }
        }
    };
    if !status.success() {
        return Err(AzureCliError::Failed(status));
    }
    let read = reading.join().map_err(|_| AzureCliError::Answer)?;
    read.map_err(AzureCliError::Run)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A program in place of `az`.
    fn az(script: &str) -> (tempfile::TempDir, Command) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("az");
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        (folder, Command::new(path))
    }

    #[test]
    fn its_token_is_taken() {
        let script = r#"echo "warning: canary" >&2
            [ "$*" = "account get-access-token --scope https://x.example/.default -o json --tenant=t" ] || exit 3
            echo '{"accessToken": "canary", "expiresOn": "2026-01-01 00:00:00", "expires_on": 1893456000}'"#;
        let (_folder, az) = az(script);
        let access = run(az, "https://x.example/.default", Some("t")).unwrap();
        assert_eq!(
            (access.token.0.expose(), access.expires),
            ("canary", 1_893_456_000)
        );
    }

    #[test]
    fn what_it_prints_is_not_told() {
        for (script, wanted) in [
            ("echo canary >&2; exit 1", "az login"),
            ("echo canary", "printed no token"),
            ("echo '{\"accessToken\": \"canary\"}'", "printed no token"),
        ] {
            let (_folder, az) = az(script);
            let error = run(az, "x", None).unwrap_err();
            assert!(error.to_string().contains(wanted), "{error}");
            assert!(!format!("{error:?} {error}").contains("canary"));
        }
        let missing = run(Command::new("/nowhere/az"), "x", None).unwrap_err();
        assert!(matches!(missing, AzureCliError::Missing));
    }
}
