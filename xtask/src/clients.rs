//! Microsoft's clients against `spoor serve --api`: `tests/api/clients.py`, in an environment of its own.

use anyhow::Result;

use crate::bench::peers::Peers;
use crate::paths::Paths;
use crate::process::step;

/// Serves some data and queries it with azure-kusto-data and azure-monitor-query.
pub fn run(paths: &Paths) -> Result<()> {
    let folder = paths.root.join("tests/api");
    let peers = Peers::ensure_at(paths, "api-clients", &folder.join("requirements.txt"))?;
    step(
        "Querying the API with Microsoft's clients",
        peers
            .command("python3")
            .arg(folder.join("clients.py"))
            .arg(paths.spoor()),
    )
}
