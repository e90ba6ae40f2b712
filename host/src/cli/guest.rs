//! `spoor guest`: what set-up needs of the Python guest. Hidden from the help.

use std::path::PathBuf;

use super::{Exit, Failure, say};
use crate::aot::Cache;
use crate::python::snapshot::{self, Inputs};

/// Build the Python guest's files
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make the guest's code and memory image from its wheels; does nothing if they are up to date
    Build {
        /// The folder of the wheels that the lock names
        #[arg(long)]
        wheels: PathBuf,
        /// The folder with the package `spoor` and the lock file `wheels.lock`
        #[arg(long)]
        package: PathBuf,
        /// The folder to make
        #[arg(long)]
        out: PathBuf,
    },
}

pub fn run(args: Args) -> Result<Exit, Failure> {
    let Command::Build {
        wheels,
        package,
        out,
    } = args.command;
    let inputs = Inputs {
        wheels,
        lock: package.join("wheels.lock"),
        package: package.join("spoor"),
        out,
    };
    snapshot::build(&inputs, &Cache::of_user(), &|line| say::line(line))?;
    Ok(Exit::Done)
}
