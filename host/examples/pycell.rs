//! Tries the Python guest without a kernel: makes its files, and runs cells from a file.
//!
//! ```text
//! pycell build WHEELS OUT      make the guest's files from the wheels in a folder
//! pycell run ASSETS FILE       run the cells of FILE, divided by lines `# %%`, and show
//!                              what they publish and how long each takes
//! ```
//!
//! For people who work on the guest; sessions use the `spoor` command.

use std::collections::VecDeque;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use spoor::aot::Cache;
use spoor::python::snapshot::{Inputs, build};
use spoor::python::{Door, Interpreter, Limits, PythonAssets, PythonGuest};
use spoor_protocol::Frame;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        ["build", wheels, out] => make(Path::new(wheels), Path::new(out)),
        ["run", assets, file] => run(Path::new(assets), Path::new(file)),
        _ => bail!("pycell build WHEELS OUT, or pycell run ASSETS FILE"),
    }
}

fn make(wheels: &Path, out: &Path) -> Result<()> {
    let guest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime/python");
    let inputs = Inputs {
        wheels: wheels.into(),
        lock: guest.join("wheels.lock"),
        package: guest.join("spoor"),
        out: out.into(),
    };
    let began = Instant::now();
    let made = build(&inputs, &Cache::of_user(), &|step| {
        eprintln!("[{:6.1?}] {step}", began.elapsed())
    })?;
    eprintln!(
        "[{:6.1?}] {}",
        began.elapsed(),
        serde_json::to_string(&made.manifest().image)?
    );
    Ok(())
}

fn run(assets: &Path, file: &Path) -> Result<()> {
    let text = std::fs::read_to_string(file)?;
    let began = Instant::now();
    let interpreter = Interpreter::load(&PythonAssets::open(assets)?, &Cache::of_user(), &|p| {
        eprintln!("{p}")
    })?;
    let loaded = began.elapsed();
    let mut guest = PythonGuest::start(&interpreter, Limits::default(), &[])?;
    eprintln!(
        "loaded in {loaded:?}, started in {:?}",
        began.elapsed() - loaded
    );
    let mut door = Tray::default();
    for (number, cell) in text
        .split("# %%\n")
        .filter(|cell| !cell.trim().is_empty())
        .enumerate()
    {
        println!(
            "[{}] {}",
            number + 1,
            cell.lines().next().unwrap_or_default()
        );
        door.requests.push_back(request(cell, number + 1)?);
        let began = Instant::now();
        let outcome = guest.turn("__import__('spoor.guest').guest.turn()", &mut door);
        println!("    {outcome:?} in {:?}", began.elapsed());
    }
    eprintln!("all in {:?}", began.elapsed());
    Ok(())
}

/// A cell's text, or a whole request as JSON.
fn request(cell: &str, count: usize) -> Result<Value> {
    if cell.starts_with('{') {
        return serde_json::from_str(cell).context("a cell that begins with { is a request");
    }
    Ok(json!({
        "op": "execute", "code": cell.trim_end_matches('\n'), "cell_id": format!("c{count}"), "silent": false,
        "store_history": true, "allow_stdin": false, "execution_count": count, "bind": []
    }))
}

/// The kernel's side: hands out requests and shows what comes back.
#[derive(Default)]
struct Tray {
    requests: VecDeque<Value>,
}

impl Door for Tray {
    fn call(&mut self, request: &[u8]) -> Result<Vec<u8>, spoor::Error> {
        let frame =
            Frame::<Value>::decode(request).map_err(|e| spoor::Error::Kernel(e.to_string()))?;
        let answer = match frame.header["op"].as_str() {
            Some("next") => self
                .requests
                .pop_front()
                .unwrap_or_else(|| json!({"op": "nothing"})),
            Some("done") => {
                println!("    done {}", short(&frame.header));
                json!({"ok": true})
            }
            Some("publish") => {
                println!(
                    "    {} {}",
                    frame.header["msg_type"],
                    short(&frame.header["content"])
                );
                for line in frame.header["content"]["traceback"]
                    .as_array()
                    .into_iter()
                    .flatten()
                {
                    println!("{}", line.as_str().unwrap_or_default());
                }
                json!({"ok": true})
            }
            _ => {
                json!({"ok": false, "ename": "Error", "evalue": "there is no kernel", "traceback": []})
            }
        };
        Frame::new(answer)
            .encode()
            .map_err(|e| spoor::Error::Kernel(e.to_string()))
    }

    fn output(&mut self, fd: u8, bytes: &[u8]) {
        println!("    fd {fd}: {}", String::from_utf8_lossy(bytes));
    }
}

fn short(value: &Value) -> String {
    value.to_string().chars().take(400).collect()
}
