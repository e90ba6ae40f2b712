//! What counting its own instructions costs a plugin: the same call through the module as it was built and as it meters
//! itself, for each plugin that ships, over the demo's telemetry.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::super::Row;
use super::{module, number};
use crate::demo;
use crate::paths::Paths;
use crate::process::output;

/// What a plugin is measured on: rows of the demo's telemetry whose columns are named as its parameters.
struct Load {
    plugin: &'static str,
    function: &'static str,
    rows: &'static str,
    options: &'static [&'static str],
}

const LOADS: [Load; 9] = [
    Load {
        plugin: "beacons",
        function: "beacons",
        rows: "DeviceNetworkEvents | project timestamp = TimeGenerated,
               source = strcat(DeviceName, ' ', InitiatingProcessFileName), destination = RemoteUrl",
        options: &[],
    },
    Load {
        plugin: "commandlines",
        function: "rare_commands",
        rows: "DeviceProcessEvents | project command_line = ProcessCommandLine, host = DeviceName",
        options: &[],
    },
    Load {
        plugin: "decode",
        function: "decode",
        rows: "DeviceProcessEvents | project text = ProcessCommandLine",
        options: &[],
    },
    Load {
        plugin: "dga",
        function: "dga",
        rows: "DnsEvents | take 65536 | project domain = Name",
        options: &[],
    },
    Load {
        plugin: "indicators",
        function: "indicators",
        rows: "DeviceProcessEvents
               | project text = strcat(ProcessCommandLine, ' ', InitiatingProcessCommandLine, ' ', SHA256)",
        options: &[],
    },
    Load {
        plugin: "processtree",
        function: "process_tree",
        rows: "DeviceProcessEvents
               | project ['time'] = ProcessCreationTime, process_id = ProcessId, process_name = FileName,
                         parent_id = InitiatingProcessId, parent_name = InitiatingProcessFileName, host = DeviceName",
        options: &[],
    },
    Load {
        plugin: "sigma",
        function: "sigma",
        rows: "DeviceProcessEvents | take 8192 | project row = pack_all()",
        options: &["partial=true"],
    },
    Load {
        plugin: "signins",
        function: "impossible_travel",
        rows: "SigninLogs | project timestamp = TimeGenerated, user = UserPrincipalName,
               latitude = todouble(LocationDetails.geoCoordinates.latitude),
               longitude = todouble(LocationDetails.geoCoordinates.longitude)",
        options: &[],
    },
    Load {
        plugin: "timeseries",
        function: "timeseries_anomalies",
        rows: "CommonSecurityLog | project ['time'] = TimeGenerated, value = SentBytes, key = SourceIP",
        options: &["step=1h", "period=1d"],
    },
];

/// The overhead of each.
pub fn row(paths: &Paths, runs: u32, modules: &[PathBuf]) -> Result<Row> {
    let data = demo::data(paths)?;
    let mut shown = Vec::new();
    let mut most: f64 = 0.0;
    for load in &LOADS {
        let overhead = overhead(paths, runs, module(modules, load.plugin)?, &data, load)?;
        shown.push(format!("{} {:.0}%", load.plugin, overhead * 100.0));
        most = most.max(overhead);
    }
    let word = if most < 0.25 { "met" } else { "missed" };
    Ok(Row {
        what: "what metering adds to a call of each plugin that ships".into(),
        ours: shown.join(", "),
        peer: "the module as it was built, in the same engine".into(),
        verdict: format!("under 25%: {word} (at most {:.0}%)", most * 100.0),
    })
}

fn overhead(paths: &Paths, runs: u32, module: &Path, data: &Path, load: &Load) -> Result<f64> {
    let file = paths.target.join("bench/metering.arrow");
    let mut query = Command::new(paths.spoor());
    query.args(["query", load.rows, "--data"]).arg(data);
    output(query.arg("--output").arg(&file))?;
    let mut command = Command::new(paths.bin().join("time_metering"));
    // In turn within the program, and more often: a call is short.
    command.arg(module).arg(load.function).arg(&file);
    command.arg((runs * 2 + 1).to_string()).args(load.options);
    if load.plugin == "sigma" {
        let rules = paths
            .root
            .join("plugins/sigma/tests/rules/windows_programs.yml");
        let rules = fs::read_to_string(rules).context("the rules are not there")?;
        command.arg(format!("rules={rules}"));
    }
    let printed = output(&mut command)?;
    let times: Vec<f64> = printed.lines().map(number).collect::<Result<_>>()?;
    let [raw, metered, rows] = times[..] else {
        bail!("time_metering printed `{printed}`");
    };
    eprintln!(
        "    {}: {rows} rows, {raw:.1} ms raw, {metered:.1} ms metered",
        load.function
    );
    Ok(metered / raw - 1.0)
}
