//! `spoor plugin key` and `spoor plugin sign`.

use std::io::Write;
use std::path::PathBuf;

use super::super::{Exit, Failure, say};
use crate::plugins::keys::Secret;
use crate::save::write_atomically;

/// Make a publisher's key, or show its public half
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Example:
  spoor plugin key new ~/publisher.key")]
pub struct KeyArgs {
    #[command(subcommand)]
    command: KeyCommand,
}

#[derive(Debug, clap::Subcommand)]
enum KeyCommand {
    /// Make a key, in a new file that only you can read; its public half goes to standard output
    New {
        /// Where the secret key goes
        #[arg(value_name = "KEYFILE")]
        file: PathBuf,
    },
    /// Print the public half of a key: what others trust you by
    Show {
        /// The secret key
        #[arg(value_name = "KEYFILE")]
        file: PathBuf,
    },
}

/// Sign a plugin
///
/// The signature says who made the file, and that it is unchanged. Sign last: whatever changes the file afterwards breaks it.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Example:
  spoor plugin sign entropy.wasm --key ~/publisher.key -o entropy-signed.wasm")]
pub struct SignArgs {
    /// The plugin's file
    #[arg(value_name = "FILE")]
    plugin: PathBuf,
    /// The secret key, as `spoor plugin key new` made it
    #[arg(short, long, value_name = "KEYFILE")]
    key: PathBuf,
    /// Where the signed plugin goes [default: in the file's place]
    #[arg(short, long, value_name = "OUT")]
    output: Option<PathBuf>,
}

pub fn key(args: &KeyArgs) -> Result<Exit, Failure> {
    let secret = match &args.command {
        KeyCommand::New { file } => {
            let secret = Secret::new().map_err(super::refused)?;
            secret.save(file)?;
            say::line(format_args!(
                "the secret key is in {}: keep it to yourself, and keep a copy. This is its public half:",
                say::path(file)
            ));
            secret
        }
        KeyCommand::Show { file } => Secret::read(file)?,
    };
    writeln!(std::io::stdout(), "{}", secret.public())?;
    Ok(Exit::Done)
}

pub fn sign(args: &SignArgs) -> Result<Exit, Failure> {
    let bytes = super::read_module(&args.plugin)?;
    // What no host would admit is not worth a name.
    super::admit(&bytes, &args.plugin)?;
    let secret = Secret::read(&args.key)?;
    let signed = secret
        .sign_module(&bytes)
        .map_err(|e| Failure::new(Exit::Failed, format!("{}: {e}", say::path(&args.plugin))))?;
    let output = args.output.as_ref().unwrap_or(&args.plugin);
    let admitted = super::admit(&signed, output)?;
    write_atomically(output, &signed)?;
    say::line(format_args!(
        "signed {} with the key {}; its SHA-256 is {}",
        say::path(output),
        secret.public(),
        admitted.identity
    ));
    Ok(Exit::Done)
}
