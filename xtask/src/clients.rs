//! Microsoft's clients against `spoor serve --api`: the scripts of `tests/api`, in an environment of their own.

use anyhow::Result;

use crate::bench::peers::Peers;
use crate::paths::Paths;
use crate::process::step;

/// What asks, and by which script.
const CLIENTS: [(&str, &str); 3] = [
    ("azure-kusto-data and azure-monitor-query", "clients.py"),
    ("MSTICPy's drivers", "msticpy_drivers.py"),
    ("Kqlmagic", "kqlmagic_cells.py"),
];

/// Serves some data and queries it with each client.
pub fn run(paths: &Paths) -> Result<()> {
    let peers = environment(paths)?;
    for (client, script) in CLIENTS {
        step(
            &format!("Querying the API with {client}"),
            peers
                .command("python3")
                .arg(paths.root.join("tests/api").join(script))
                .arg(paths.spoor()),
        )?;
    }
    Ok(())
}

/// Python with the clients, as `tests/api/requirements.txt` pins them.
pub fn environment(paths: &Paths) -> Result<Peers> {
    let lock = paths.root.join("tests/api/requirements.txt");
    Peers::ensure_at(paths, "api-clients", &lock)
}
