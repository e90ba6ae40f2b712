//! Running other programs: one line that says what starts, and an error that says what failed.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::paths::Paths;

/// Announces a step.
pub fn say(step: &str) {
    eprintln!("==> {step}");
}

/// Runs `command` with its output shown. Fails with the command line and the exit status.
pub fn run(command: &mut Command) -> Result<()> {
    let line = shown(command);
    let status = command
        .status()
        .with_context(|| format!("could not start `{line}`"))?;
    if !status.success() {
        bail!("`{line}` failed ({status})");
    }
    Ok(())
}

/// As [`run`], announced and timed.
pub fn step(what: &str, command: &mut Command) -> Result<()> {
    say(what);
    let begun = Instant::now();
    run(command)?;
    let seconds = begun.elapsed().as_secs_f64();
    if seconds > 2.0 {
        eprintln!("    done in {seconds:.0} s");
    }
    Ok(())
}

/// The command that runs a notebook over data into `executed`, with its page beside that.
pub fn hunt(paths: &Paths, notebook: &Path, data: &Path, executed: &Path) -> Command {
    let mut command = Command::new(paths.spoor());
    command
        .arg("run")
        .arg(notebook)
        .arg("--data")
        .arg(data)
        .arg("--output")
        .arg(executed)
        .arg("--html")
        .arg(executed.with_extension("html"));
    command
}

/// Runs `command` and gives its standard output. Standard error is shown.
pub fn output(command: &mut Command) -> Result<String> {
    let line = shown(command);
    let done = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("could not start `{line}`"))?;
    if !done.status.success() {
        bail!("`{line}` failed ({})", done.status);
    }
    String::from_utf8(done.stdout).with_context(|| format!("`{line}` did not print UTF-8"))
}

/// Whether `program args` runs and succeeds, quietly.
pub fn succeeds(program: &str, args: &[&str]) -> bool {
    Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Whether a program of this name is on the path.
pub fn on_path(program: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|dir| is_file(&dir.join(program))))
}

fn is_file(path: &Path) -> bool {
    path.is_file()
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}
