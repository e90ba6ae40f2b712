//! `spoor replay`.

use std::io::Write;
use std::path::PathBuf;

use super::{Exit, Failure, say};
use crate::aot::Cache;
use crate::assets::Assets;
use crate::kernel::Code;
use crate::replay;

/// Check a recorded session against the kernel
///
/// Feeds the events of a recording (spoor run --record-session FILE) to kernel.wasm, with the clock
/// readings and random bytes of then, and compares its effects byte for byte. Reports the first
/// difference. Runs no Python and reads no file but the recording.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The recording
    file: PathBuf,
}

pub fn run(args: Args) -> Result<Exit, Failure> {
    let assets = Assets::find()?;
    let code = Code::load(&assets.kernel(), &Cache::of_user(), &|progress| {
        say::line(progress)
    })?;
    let replayed = replay::replay(&code, &args.file)?;
    let mut out = std::io::stdout();
    if replayed.header.kernel != code.sha256() {
        say::warning(format_args!(
            "it was recorded with another kernel.wasm ({}, spoor {}): differences are to be expected",
            replayed
                .header
                .kernel
                .get(..12)
                .unwrap_or(&replayed.header.kernel),
            replayed.header.spoor
        ));
    }
    if replayed.broken_off {
        say::warning(
            "the recording breaks off, as that of a killed session does; what is there was replayed",
        );
    }
    match replayed.difference {
        None => {
            writeln!(
                out,
                "{} events replayed; all effects are the same, byte for byte",
                replayed.events
            )?;
            Ok(Exit::Done)
        }
        Some(difference) => {
            let (number, event) = (difference.number, &difference.event);
            writeln!(
                out,
                "event {number} ({}) comes out otherwise:\n{}",
                say::visible(event),
                say::visible(&difference.what)
            )?;
            Ok(Exit::Failed)
        }
    }
}
