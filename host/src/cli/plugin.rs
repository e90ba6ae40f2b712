//! `spoor plugin`: plugins made, looked over, run, signed and kept.

mod check;
mod info;
mod keys;
mod project;
mod registry;
mod run;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use spoor_gate::Trap;
use spoor_plugin_abi::{Capability, MAX_MODULE};

use super::run::seconds;
use super::{Exit, Failure, say};
use crate::aot::Cache;
use crate::assets::Assets;
use crate::error::Error;
use crate::plugins::registry::{Installed, Shipped};
use crate::plugins::{self, Runner, Wish};

/// Make, check, run, sign and keep plugins
///
/// A plugin is one WebAssembly file that computes and does nothing else: rows in, rows out. It cannot read files, reach
/// the network, hang or fill the memory, whoever wrote it.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  What is this, and is it sound?
    spoor plugin info entropy.wasm
    spoor plugin check entropy.wasm

  Its function over a file's rows:
    spoor plugin run entropy.wasm entropy --data Processes.csv --column text=CommandLine

  Make one of your own, and hand it on:
    spoor plugin new my-plugin
    spoor plugin build my-plugin
    spoor plugin key new ~/publisher.key
    spoor plugin sign my-plugin/my-plugin.wasm --key ~/publisher.key
    spoor plugin publish my-plugin/my-plugin.wasm --to registry/ --key ~/publisher.key

Exit codes: 0 done, 1 the plugin was refused or failed, or a check did, 2 the command line is wrong,
3 an input cannot be read, 4 a call passed its time limit, 5 a result cannot be written.";

#[derive(Debug, clap::Subcommand)]
enum Command {
    Info(info::Args),
    Check(check::Args),
    Run(run::Args),
    New(project::NewArgs),
    Build(project::BuildArgs),
    Test(project::TestArgs),
    Key(keys::KeyArgs),
    Sign(keys::SignArgs),
    Publish(registry::PublishArgs),
    Add(registry::AddArgs),
    List(registry::ListArgs),
    Remove(registry::RemoveArgs),
}

pub fn run(args: Args) -> Result<Exit, Failure> {
    match args.command {
        Command::Info(args) => info::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Run(args) => run::run(args),
        Command::New(args) => project::new(&args),
        Command::Build(args) => project::build(&args),
        Command::Test(args) => project::test(&args),
        Command::Key(args) => keys::key(&args),
        Command::Sign(args) => keys::sign(&args),
        Command::Publish(args) => registry::publish(&args),
        Command::Add(args) => registry::add(&args),
        Command::List(args) => registry::list(&args),
        Command::Remove(args) => registry::remove(&args),
    }
}

/// What a call may use.
#[derive(Debug, Clone, clap::Args)]
struct LimitArgs {
    /// Fuel of a call, in instructions [default: the plugin's wish, 2000000000 and 50000 for each row at most]
    #[arg(long, value_name = "UNITS")]
    fuel: Option<u64>,
    /// Memory of a call, as 512M [default: the plugin's wish, 256M at most]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    memory: Option<u64>,
    /// Size of a call's answer, as 100M [default: the plugin's wish, 64M at most]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    answer: Option<u64>,
    /// Time of a call [default: the plugin's wish, 30 at most]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,
}

impl LimitArgs {
    fn wish(&self) -> Wish {
        Wish {
            fuel: self.fuel,
            memory: self.memory,
            output: self.answer,
            wall: self.timeout,
        }
    }
}

/// Bytes, with a K, M or G for powers of 1,024.
fn size(text: &str) -> Result<u64, String> {
    let text = text.trim().trim_end_matches("iB").trim_end_matches('B');
    let (digits, unit) = match text.char_indices().next_back() {
        Some((at, 'K' | 'k')) => (&text[..at], 1 << 10),
        Some((at, 'M' | 'm')) => (&text[..at], 1 << 20),
        Some((at, 'G' | 'g')) => (&text[..at], 1 << 30),
        _ => (text, 1),
    };
    let number: u64 = digits
        .trim()
        .parse()
        .map_err(|_| "expected a size, as 65536, 64K, 512M or 1G".to_owned())?;
    number
        .checked_mul(unit)
        .ok_or_else(|| "that is more than can be counted".to_owned())
}

pub(super) fn capability(text: &str) -> Result<Capability, String> {
    Capability::ALL
        .into_iter()
        .find(|capability| capability.name() == text)
        .ok_or_else(|| "expected log, progress or time".to_owned())
}

pub(super) fn runner() -> Runner {
    Runner::new(Cache::of_user())
}

/// The module that a person names: a file, a plugin that was added, or one that comes with Spoor.
pub(super) fn module(name: &Path, folder: Option<&Path>) -> Result<Vec<u8>, Failure> {
    let is_plain = name.components().count() == 1 && name.extension().is_none();
    if !name.exists() && is_plain {
        let installed = Installed::open(folder_of(folder)?)?;
        if let Some(name) = name.to_str() {
            let is_added = installed.plugins().contains_key(name);
            if let Some(shipped) =
                shipped()?.filter(|shipped| !is_added && shipped.version(name).is_some())
            {
                return Ok(shipped.module(name)?);
            }
            return installed.module(name).map_err(|error| {
                let place = say::path(Path::new(name));
                Failure::new(
                    Exit::Unreadable,
                    format!("there is no file {place}, and {error}"),
                )
            });
        }
    }
    read_module(name)
}

/// The plugins that come with Spoor; none where its assets are not there.
pub(super) fn shipped() -> Result<Option<Shipped>, Failure> {
    match Assets::find() {
        Ok(assets) => Ok(Shipped::find(&assets)?),
        Err(_) => Ok(None),
    }
}

/// A file's bytes; of one that is too large to be admitted, no more than shows it.
fn read_module(path: &Path) -> Result<Vec<u8>, Failure> {
    let file = File::open(path).map_err(Error::file("cannot read the plugin", path))?;
    let mut bytes = Vec::new();
    file.take(MAX_MODULE as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(Error::file("cannot read the plugin", path))?;
    Ok(bytes)
}

fn folder_of(given: Option<&Path>) -> Result<PathBuf, Failure> {
    match given {
        Some(folder) => Ok(folder.to_owned()),
        None => Ok(Installed::folder_of_user()?),
    }
}

/// Admits, and names the file in the refusal.
pub(super) fn admit<'a>(bytes: &'a [u8], path: &Path) -> Result<spoor_gate::Admitted<'a>, Failure> {
    spoor_gate::admit(bytes, &spoor_gate::Policy::default())
        .map_err(|refusal| of(path)(refusal.into()))
}

/// What a plugin's failure is to the command line, with the option that helps.
fn of(path: &Path) -> impl Fn(plugins::Failure) -> Failure {
    let path = say::path(path);
    move |failure| {
        use plugins::Failure as F;
        let (exit, hint) = match &failure {
            F::Trap(trapped) => match trapped.trap {
                Trap::Fuel => (Exit::Failed, " (--fuel UNITS)"),
                Trap::Deadline => (Exit::TimedOut, " (--timeout SECONDS)"),
                _ => (Exit::Failed, ""),
            },
            F::NotGranted { .. } => (
                Exit::Usage,
                ". If it may have that, say so with --grant, once for each",
            ),
            F::NoFunction { .. } | F::Argument(_) => (Exit::Usage, ""),
            F::Cancelled => (Exit::Interrupted, ""),
            F::Engine(_) => (Exit::Unable, ""),
            F::Refused(_) | F::Answer(_) | F::Said(_) => (Exit::Failed, ""),
        };
        Failure::new(exit, format!("{path}: {failure}{hint}"))
    }
}

/// An error of what was read is a refusal here: the file is there, and not what it should be.
fn refused(error: Error) -> Failure {
    match error {
        Error::Data(message) => Failure::new(Exit::Failed, message),
        other => other.into(),
    }
}

fn all(capabilities: &[Capability]) -> BTreeSet<Capability> {
    capabilities.iter().copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        assert_eq!(size("65536"), Ok(65_536));
        assert_eq!(size("512M"), Ok(512 << 20));
        assert_eq!(size("1 GiB"), Ok(1 << 30));
        for wrong in ["", "M", "-1", "1T", "99999999999999999G", "é"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }
}
