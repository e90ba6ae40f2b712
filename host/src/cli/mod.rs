//! The command line: what a person types, and what they are told.
//!
//! `main` calls [`main`]. Each command has a module; the work is elsewhere in the crate.

#![allow(clippy::print_stdout)]

mod accounts;
mod across;
mod api;
mod guest;
mod kernel;
mod kql;
mod local;
mod login;
mod logout;
mod places;
mod plugin;
mod plugins;
mod query;
mod render;
mod replay;
mod run;
mod say;
mod serve;
mod signals;
mod workspaces;

use std::io;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use spoor_protocol::PROTOCOL_VERSION;

use crate::error::Error;

/// Notebooks for hunting threats, without a server.
#[derive(Debug, Parser)]
#[command(name = "spoor", version, long_version = long_version(), propagate_version = false)]
#[command(about, long_about = LONG_ABOUT, after_long_help = AFTER_HELP)]
#[command(subcommand_required = true, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const LONG_ABOUT: &str = "\
Notebooks for hunting threats, without a server.

Runs notebooks of KQL and Python (real CPython with pandas, in a WebAssembly sandbox), renders them \
as pages, queries data files with KQL, and serves the notebook's page to this machine's browser.";

const AFTER_HELP: &str = "\
Exit codes:
  0    done
  1    a cell failed, a query was refused, a replay differed
  2    the command line is wrong
  3    an input cannot be read
  4    a time limit was passed
  5    spoor cannot work: a part of it is missing, or a result cannot be written
  130  interrupted

Examples:
  spoor run hunt.ipynb --data logs/ --html hunt.html
  spoor query 'SigninLogs | summarize count() by ResultType' --data SigninLogs.parquet
  spoor render hunt.ipynb -o hunt.html";

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Args),
    Render(render::Args),
    Query(query::Args),
    Kql(kql::Args),
    Plugin(plugin::Args),
    Serve(serve::Args),
    Login(login::Args),
    Accounts(accounts::Args),
    Logout(logout::Args),
    Replay(replay::Args),
    #[command(hide = true)]
    Guest(guest::Args),
    #[command(hide = true)]
    Kernel(kernel::Args),
}

fn long_version() -> &'static str {
    static TEXT: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    TEXT.get_or_init(|| {
        format!(
            "{}\nkernel protocol {PROTOCOL_VERSION}",
            env!("CARGO_PKG_VERSION")
        )
    })
}

/// How the process ends. The numbers are part of the command line's interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exit {
    Done = 0,
    Failed = 1,
    Usage = 2,
    Unreadable = 3,
    TimedOut = 4,
    Unable = 5,
    Interrupted = 130,
}

/// What went wrong, for people and for scripts.
#[derive(Debug)]
struct Failure {
    exit: Exit,
    message: String,
}

impl Failure {
    fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let exit = match &error {
            Error::Data(_) | Error::Recording(_) => Exit::Unreadable,
            Error::File { what, .. }
                if what.starts_with("cannot read") || what.starts_with("cannot list") =>
            {
                Exit::Unreadable
            }
            _ => Exit::Unable,
        };
        Self {
            exit,
            message: error.to_string(),
        }
    }
}

/// Writing to standard output failed. A reader that has gone away, as `head` does, is no error.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::new(Exit::Done, ""),
            _ => Self::new(
                Exit::Unable,
                format!("cannot write to standard output: {error}"),
            ),
        }
    }
}

/// Reads the command line and does what it says.
pub fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Run(args) => run::run(args),
        Command::Render(args) => render::run(args),
        Command::Query(args) => query::run(args),
        Command::Kql(args) => kql::run(args),
        Command::Plugin(args) => plugin::run(args),
        Command::Serve(args) => serve::run(args),
        Command::Login(args) => login::run(&args),
        Command::Accounts(args) => accounts::run(&args),
        Command::Logout(args) => logout::run(&args),
        Command::Replay(args) => replay::run(args),
        Command::Guest(args) => guest::run(args),
        Command::Kernel(args) => kernel::run(args),
    };
    let exit = done.unwrap_or_else(|failure| {
        if !failure.message.is_empty() {
            say::error(&failure.message);
        }
        failure.exit
    });
    ExitCode::from(exit as u8)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
