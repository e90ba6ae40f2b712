//! `spoor kernel`: what the page's build needs of kernel.wasm. Hidden from the help.

use std::path::PathBuf;

use super::{Exit, Failure, say};
use crate::kernel::{Divided, divide};

/// Prepare kernel.wasm for pages
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Divide the kernel into what recorded sessions run and the rest; does nothing if that is up to date
    Divide {
        /// kernel.wasm
        #[arg(long)]
        kernel: PathBuf,
        /// The folder to make
        #[arg(long)]
        out: PathBuf,
        /// Recordings, as `spoor run --record-session` makes them
        #[arg(required = true)]
        recordings: Vec<PathBuf>,
    },
}

pub fn run(args: Args) -> Result<Exit, Failure> {
    let Command::Divide {
        kernel,
        out,
        recordings,
    } = args.command;
    if let Divided::Now { functions, used } = divide(&kernel, &recordings, &out)? {
        say::line(format!(
            "{used} of the kernel's {functions} functions ran, and are loaded first"
        ));
    }
    Ok(Exit::Done)
}
