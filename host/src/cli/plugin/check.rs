//! `spoor plugin check`.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use super::super::{Exit, Failure, say};
use super::LimitArgs;
use crate::plugins::check::{Line, Mark, Plan, check};

/// Look a plugin over, as a reviewer does
///
/// Its file by every rule, its manifest, and each of its functions on inputs made from the manifest's types: no rows, many,
/// nulls, empty, long and odd text, extreme numbers, NaNs. The same input twice has to give the same bytes for the same
/// fuel.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Example:
  spoor plugin check entropy.wasm --runs 1000

Exit codes: 0 nothing failed, 1 something did.")]
pub struct Args {
    /// The plugin's file, or the name of one that was added or comes with spoor
    #[arg(value_name = "FILE")]
    plugin: PathBuf,
    /// Inputs of each function
    #[arg(long, value_name = "N", default_value_t = 200)]
    runs: u64,
    /// What the inputs are drawn from; the same number gives the same inputs
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// The folder of added plugins [default: ~/.local/share/spoor/plugins]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    #[command(flatten)]
    limits: LimitArgs,
}

pub fn run(args: &Args) -> Result<Exit, Failure> {
    let bytes = super::module(&args.plugin, args.dir.as_deref())?;
    let plan = Plan {
        runs: args.runs,
        seed: args.seed,
    };
    report(&bytes, &args.limits, plan)
}

/// Checks a module, and prints each line of the report as it is known.
pub(super) fn report(bytes: &[u8], limits: &LimitArgs, plan: Plan) -> Result<Exit, Failure> {
    let mut failed = 0_usize;
    let mut written = Ok(());
    let mut tell = |line: Line| {
        failed += usize::from(line.mark == Mark::Fail);
        if written.is_ok() {
            written = print(&line);
        }
    };
    check(&super::runner(), bytes, &limits.wish(), plan, &mut tell);
    written?;
    if failed == 0 {
        return Ok(Exit::Done);
    }
    let what = if failed == 1 { "check" } else { "checks" };
    Err(Failure::new(
        Exit::Failed,
        format!("{failed} {what} failed"),
    ))
}

fn print(line: &Line) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    let colour = match line.mark {
        _ if !stdout.is_terminal() || !say::colours(&stdout) => "",
        Mark::Pass => "\x1b[32m",
        Mark::Note => "\x1b[33m",
        Mark::Fail => "\x1b[1;31m",
    };
    let off = if colour.is_empty() { "" } else { "\x1b[0m" };
    let text = say::visible(&format!("{:<22} {}", line.what, line.found)).replace('\n', "\\n");
    writeln!(stdout, "{colour}{}{off}  {text}", line.mark)
}
