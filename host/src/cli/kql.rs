//! `spoor kql`: queries in files, checked and laid out.

mod check;
mod schema;

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use spoor_kql_syntax::{Diagnostic, format, line_column, parse, render};

use super::query::text_of_file;
use super::{Exit, Failure, say};
use crate::error::Error;
use crate::save::write_atomically;

/// Check and lay out queries in files
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Check(check::Args),
    /// Lay out queries; only space changes
    ///
    /// Files are replaced; standard input goes to standard output. What does not parse is left
    /// alone and reported.
    Format {
        /// Files with a query each; `-` is standard input
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Change nothing; name the files that would change, and exit with 1 if there are any
        #[arg(long)]
        check: bool,
    },
}

pub fn run(args: Args) -> Result<Exit, Failure> {
    match args.command {
        Command::Check(args) => check::run(&args),
        Command::Format { files, check } => lay_out(&files, check),
    }
}

fn lay_out(files: &[PathBuf], check: bool) -> Result<Exit, Failure> {
    let mut exit = Exit::Done;
    for file in files {
        let text = read(file)?;
        let Some(laid_out) = format(&text) else {
            report(file, &text, &parse(&text).diagnostics);
            exit = Exit::Failed;
            continue;
        };
        if check && laid_out != text {
            say::line(format_args!("{} would change", say::path(file)));
            exit = Exit::Failed;
        } else if !check {
            let replaced = write(file, &text, &laid_out)?;
            if replaced {
                say::line(format_args!("laid out {}", say::path(file)));
            }
        }
    }
    Ok(exit)
}

/// Puts a text in a file's place if it is another, or on standard output; whether the file is another now.
fn write(file: &Path, before: &str, text: &str) -> Result<bool, Failure> {
    if is_standard(file) {
        std::io::stdout().write_all(text.as_bytes())?;
        return Ok(false);
    }
    let changed = text != before;
    if changed {
        write_atomically(file, text.as_bytes())?;
    }
    Ok(changed)
}

/// Each diagnostic as `FILE:LINE:COLUMN`, and with its line of the query.
fn report(file: &Path, text: &str, diagnostics: &[Diagnostic]) {
    for diagnostic in diagnostics {
        let (line, column) = line_column(text, diagnostic.span.start);
        let shown = render(text, std::slice::from_ref(diagnostic));
        say::line(format_args!(
            "{}:{line}:{column}\n{}\n",
            say::path(file),
            shown.trim_end()
        ));
    }
}

fn read(file: &Path) -> Result<String, Failure> {
    if !is_standard(file) {
        return text_of_file(file);
    }
    let mut text = String::new();
    let read = std::io::stdin().lock().read_to_string(&mut text);
    read.map_err(Error::file("cannot read", "standard input"))?;
    Ok(text)
}

fn is_standard(file: &Path) -> bool {
    file.as_os_str() == "-"
}
