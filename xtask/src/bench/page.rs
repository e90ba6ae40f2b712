//! The page's figures in Chromium: cold and warm visits, an open notebook, sizes, and its peers.
//!
//! All are measured in one run (`figures.rs`); here they become rows with their bars.

use anyhow::Result;
use serde_json::Value;

use super::Row;
use super::figures::{self, Figures};
use super::timing::{at_least, median, seconds};
use crate::paths::Paths;

/// Seconds to the first paint.
const PAINT: f64 = 0.5;
/// Bytes to the first paint.
const PAINT_BYTES: f64 = 300e3;
/// Seconds until a saved output is read.
const READABLE: f64 = 0.7;
/// Seconds from a key to its paint.
const KEY: f64 = 0.016;
/// Frames a second while a table scrolls, with what a display's clock may be off.
const FRAMES: f64 = 59.0;
/// Bytes of kernel.wasm as it is sent.
const KERNEL: f64 = 6e6;

/// What has a figure cold and warm: its name in the JSON, what it is, and its bars in seconds.
const VISITS: [(&str, &str, Option<f64>, Option<f64>); 4] = [
    (
        "saved",
        "page load to a saved output of a hunt",
        Some(READABLE),
        Some(READABLE),
    ),
    (
        "kql",
        "page load to the first KQL result",
        Some(1.5),
        Some(0.5),
    ),
    (
        "python",
        "page load to the first Python result",
        None,
        Some(0.7),
    ),
    (
        "pandas",
        "page load to the first frame of pandas",
        None,
        None,
    ),
];

/// The servers of the visits, by their names in the JSON.
const SERVERS: [(&str, &str); 2] = [
    ("plain", "`python3 -m http.server`"),
    ("serve", "`spoor serve`"),
];

/// All of the page's rows.
pub fn figures(paths: &Paths, runs: u32) -> Result<Vec<Row>> {
    let measured = figures::measure(paths, runs)?;
    let mut rows = Vec::new();
    for (key, server) in SERVERS {
        rows.push(first_paint(&measured, key, server)?);
        for visit in VISITS {
            rows.push(visits(&measured, key, server, visit)?);
        }
        rows.push(import_pandas(&measured, key, server)?);
    }
    rows.extend(peers(&measured)?);
    rows.extend(open_notebook(&measured)?);
    rows.extend(sizes(&measured));
    Ok(rows)
}

fn first_paint(measured: &Figures, key: &str, server: &str) -> Result<Row> {
    let time = |visit: &str| measured.seconds(&format!("/visits/{key}/{visit}/paint"));
    let (cold, warm) = (time("saved_cold")?, time("saved_warm")?);
    let bytes = measured.median(&format!("/visits/{key}/saved_cold/paint_bytes"))?;
    let readable = measured.median(&format!("/visits/{key}/saved_cold/seen_bytes"))?;
    Ok(Row {
        what: format!("first paint in Chromium, from {server}"),
        ours: format!(
            "cold {} after {}, warm {}; {} until a saved output is read",
            seconds(cold),
            kilobytes(bytes),
            seconds(warm),
            kilobytes(readable)
        ),
        peer: "-".into(),
        verdict: format!(
            "under {}: {}; at most 300 KB: {}",
            seconds(PAINT),
            word(cold.max(warm) < PAINT),
            word(bytes <= PAINT_BYTES)
        ),
    })
}

fn visits(
    measured: &Figures,
    key: &str,
    server: &str,
    (name, what, cold_bar, warm_bar): (&str, &str, Option<f64>, Option<f64>),
) -> Result<Row> {
    let time = |state: &str| measured.seconds(&format!("/visits/{key}/{name}_{state}/seen"));
    let mut figures = vec![("cold", time("cold")?, cold_bar)];
    // Of a visit that is there cold alone.
    if let Ok(warm) = time("warm") {
        figures.push(("warm", warm, warm_bar));
    }
    let told = |(state, time, _): &(&str, f64, _)| format!("{state} {}", seconds(*time));
    let verdicts: Vec<String> = figures
        .iter()
        .filter_map(|(state, time, bar)| Some((state, time, (*bar)?)))
        .map(|(state, time, bar)| format!("{state} under {}: {}", seconds(bar), word(*time < bar)))
        .collect();
    Ok(Row {
        what: format!("{what}, from {server}"),
        ours: figures.iter().map(told).collect::<Vec<_>>().join(", "),
        peer: "-".into(),
        verdict: if verdicts.is_empty() {
            "no bar set".into()
        } else {
            verdicts.join("; ")
        },
    })
}

fn import_pandas(measured: &Figures, key: &str, server: &str) -> Result<Row> {
    let time = measured.seconds(&format!("/visits/{key}/import_pandas/seen"))?;
    Ok(Row {
        what: format!(
            "the first `import pandas` of a session that began without it, from {server}"
        ),
        ours: seconds(time),
        peer: "-".into(),
        verdict: under(1.5, time),
    })
}

/// Cold visits of Spoor, Pyodide and JupyterLite in turn, all from one server.
fn peers(measured: &Figures) -> Result<Vec<Row>> {
    let figure = |name: &str| -> Result<(f64, String)> {
        let time = measured.seconds(&format!("/peers/{name}/seen"))?;
        let sent = measured.median(&format!("/peers/{name}/sent"))? / 1e6;
        Ok((time, format!("{} ({sent:.1} MB sent)", seconds(time))))
    };
    let version = |pointer: &str| {
        measured
            .0
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let lite = format!("JupyterLite {}", version("/jupyterlite_version"));
    let mut rows = Vec::new();
    let python = figure("spoor_python")?;
    let pyodide = figure("pyodide_python")?;
    rows.push(Row {
        what: "page load to the first Python result in Chromium, cold".into(),
        ours: python.1.clone(),
        peer: format!(
            "pyodide {} {}",
            version("/peers/pyodide_version"),
            pyodide.1
        ),
        verdict: at_least(3.0, python.0, pyodide.0),
    });
    for (what, ours, theirs) in [
        (
            "page load to the first Python result, cold",
            "spoor_python",
            "lite_python",
        ),
        (
            "page load to a saved output of a hunt, cold",
            "spoor_saved",
            "lite_saved",
        ),
    ] {
        let ours = figure(ours)?;
        let (peer, verdict) = match figure(theirs) {
            Ok((time, told)) => (told, format!("no bar set ({:.1} times)", time / ours.0)),
            Err(_) => ("showed none".into(), "no bar set".into()),
        };
        rows.push(Row {
            what: what.into(),
            ours: ours.1,
            peer: format!("{lite} {peer}"),
            verdict,
        });
    }
    Ok(rows)
}

/// What an open notebook costs its reader.
fn open_notebook(measured: &Figures) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for language in ["python", "kql"] {
        let all = |of: &str| measured.all(&format!("/notebook/typing/{language}/{of}"));
        let (paint, work) = (all("paint")?, all("work")?);
        let (middle, high) = (median(paint.clone()) / 1e3, percentile(paint, 0.95) / 1e3);
        let (work, most) = (median(work.clone()) / 1e3, percentile(work, 0.95) / 1e3);
        rows.push(Row {
            what: format!("a key to its paint in a notebook of 500 cells, in a cell of {language}"),
            ours: format!(
                "median {}, 95th percentile {}; without the wait for the display's next frame {} and {}",
                seconds(middle), seconds(high), seconds(work), seconds(most)
            ),
            peer: "-".into(),
            verdict: format!("median under {}: {}, 95th percentile: {}", seconds(KEY), word(middle < KEY), word(high < KEY)),
        });
    }
    let rate = measured.median("/notebook/scrolling/rate")?;
    let longest = measured.seconds("/notebook/scrolling/longest")?;
    let late = measured.median("/notebook/scrolling/late")? * 100.0;
    rows.push(Row {
        what: "scrolling a table of a million rows by the wheel for 5 s".into(),
        ours: format!("{rate:.1} frames a second, the longest {}; rows were still to come in {late:.0}% of them", seconds(longest)),
        peer: "-".into(),
        verdict: format!("60 frames a second: {}", word(rate >= FRAMES)),
    });
    let apart = measured.seconds("/notebook/cells/apart")?;
    let together = measured.seconds("/notebook/cells/together")?;
    let saved = measured.seconds("/notebook/autosave/own")?
        - measured.seconds("/notebook/autosave/plain")?;
    rows.push(Row {
        what: "a cell `x = 1` in a session with pandas".into(),
        ours: format!(
            "{}; {} right behind another, whose state is kept first; autosave of 500 cells then takes the page's thread {}",
            seconds(apart), seconds(together), seconds(saved.max(0.0))
        ),
        peer: "-".into(),
        verdict: "no bar set".into(),
    });
    Ok(rows)
}

/// The sizes of what the page has of WebAssembly. Only what is built for publication is compressed.
fn sizes(measured: &Figures) -> Vec<Row> {
    let row = |(name, files): (&str, &[&str])| {
        let size = |of: &str| {
            let sizes = files
                .iter()
                .map(|file| measured.0["sizes"][file][of].as_f64());
            sizes.sum::<Option<f64>>()
        };
        let raw = size("raw").unwrap_or(f64::NAN) / 1e6;
        let brotli = size("brotli");
        let sent = brotli.map_or("not compressed".into(), |bytes| {
            format!("{:.2} MB brotli", bytes / 1e6)
        });
        let verdict = match brotli {
            _ if files.len() == 1 => "no bar set".into(),
            Some(bytes) => format!("at most 6 MB brotli: {}", word(bytes <= KERNEL)),
            None => "at most 6 MB brotli: not measured".into(),
        };
        Row {
            what: format!("size of {name}"),
            ours: format!("{raw:.1} MB raw, {sent}"),
            peer: "-".into(),
            verdict,
        }
    };
    let kernel = ["kernel/kernel0.wasm", "kernel/kernel1.wasm"];
    [
        ("page.wasm", &["page.wasm"][..]),
        ("results.wasm", &["results.wasm"]),
        ("driver.wasm", &["driver.wasm"]),
        ("what a page loads first of kernel.wasm", &kernel[..1]),
        ("both parts of kernel.wasm", &kernel),
    ]
    .map(row)
    .into()
}

/// The value below which a share of them lies.
fn percentile(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    let at = (last as f64 * share).ceil() as usize;
    values.get(at).copied().unwrap_or(f64::NAN)
}

fn word(met: bool) -> &'static str {
    if met { "met" } else { "missed" }
}

fn under(bar: f64, time: f64) -> String {
    format!("under {}: {}", seconds(bar), word(time < bar))
}

fn kilobytes(bytes: f64) -> String {
    format!("{:.0} KB", bytes / 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_values() {
        assert_eq!(percentile((1..=100).map(f64::from).collect(), 0.95), 96.0);
        assert_eq!(percentile(vec![4.0], 0.95), 4.0);
    }
}
