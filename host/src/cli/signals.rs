//! Which signals a command takes for itself.

use std::fs;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// The signals by which someone asks a command to end. Without the terminal's hang-up for a command that was started to
/// ignore it: `nohup` does so, to keep a command going when its terminal closes.
pub fn that_end() -> Vec<i32> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mut signals = vec![SIGINT, SIGTERM];
    if !ignores(&status, SIGHUP) {
        signals.push(SIGHUP);
    }
    signals
}

/// Whether a process ignores a signal, from Linux's `/proc/self/status`: `SigIgn` has a bit for each, from 1.
fn ignores(status: &str, signal: i32) -> bool {
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hang_up_that_is_ignored_stays_so() {
        let status = "Name:\tspoor\nSigIgn:\t0000000000001001\nSigCgt:\t0000000000000001\n";
        assert!(ignores(status, SIGHUP));
        assert!(!ignores(status, SIGINT));
        assert!(!ignores("SigIgn:\t0000000000001000\n", SIGHUP));
        assert!(!ignores("nonsense", SIGHUP));
    }
}
