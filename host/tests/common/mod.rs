//! What the tests of the command share: running the real binary in a folder of its own.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A folder to run in, gone at the end.
pub struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// Writes a notebook of these cells; those that begin with `# ` are Markdown.
    pub fn notebook(&self, name: &str, cells: &[&str]) -> PathBuf {
        let cells: Vec<_> = cells
            .iter()
            .enumerate()
            .map(|(i, source)| cell(i, source))
            .collect();
        let notebook =
            serde_json::json!({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells});
        self.write(name, &notebook.to_string())
    }

    /// The command, in this folder, with Spoor's own assets.
    pub fn spoor(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_spoor"));
        command
            .current_dir(self.dir.path())
            .stdin(Stdio::null())
            .env_remove("NO_COLOR");
        command
    }

    /// The command with a kernel that answers every event with nothing, and a cache of its own.
    /// For what does not depend on the kernel.
    pub fn spoor_with_mute_kernel(&self) -> Command {
        let kernel = self.path("assets/kernel.wasm");
        if !kernel.exists() {
            fs::create_dir_all(kernel.parent().unwrap()).unwrap();
            fs::write(kernel, wat::parse_str(MUTE_KERNEL).unwrap()).unwrap();
        }
        let mut command = self.spoor();
        command
            .env("SPOOR_ASSETS", self.path("assets"))
            .env("XDG_CACHE_HOME", self.path("cache"))
            .env("XDG_CONFIG_HOME", self.path("config"))
            .env("XDG_DATA_HOME", self.path("share"));
        command
    }

    pub fn run(&self, args: &[&str]) -> Output {
        self.spoor().args(args).output().unwrap()
    }
}

fn cell(index: usize, source: &str) -> serde_json::Value {
    let id = format!("c{index}");
    if source.starts_with("# ") {
        return serde_json::json!({"cell_type": "markdown", "id": id, "metadata": {}, "source": source});
    }
    serde_json::json!({
        "cell_type": "code", "id": id, "metadata": {}, "source": source, "outputs": [], "execution_count": null
    })
}

const MUTE_KERNEL: &str = r#"(module
    (memory (export "memory") 1)
    (data (i32.const 16) "SPR1\02\00\00\00\00\00\00\00[]")
    (func (export "spoor_kernel_protocol") (result i32) (i32.const 1))
    (func (export "alloc") (param i32) (result i32) (i32.const 1024))
    (func (export "dealloc") (param i32 i32))
    (func (export "step") (param i32 i32) (result i64) (i64.const 0x000000100000000e)))"#;

pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Fails with all that was said unless the exit code is `code`.
#[track_caller]
pub fn expect(output: &Output, code: i32) {
    let (out, err) = (stdout(output), stderr(output));
    assert_eq!(
        output.status.code(),
        Some(code),
        "\n--- stdout\n{out}\n--- stderr\n{err}"
    );
}

/// The cells' outputs in a written notebook, as text: streams, plain text of results, errors.
pub fn outputs(path: &Path) -> Vec<String> {
    let notebook: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let cells = notebook["cells"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|cell| cell["cell_type"] == "code");
    cells
        .map(|cell| {
            cell["outputs"]
                .as_array()
                .unwrap()
                .iter()
                .map(shown)
                .collect()
        })
        .collect()
}

fn shown(output: &serde_json::Value) -> String {
    let joined = |value: &serde_json::Value| match value {
        serde_json::Value::Array(lines) => lines.iter().filter_map(|line| line.as_str()).collect(),
        other => other.as_str().unwrap_or_default().to_owned(),
    };
    match output["output_type"].as_str().unwrap() {
        "stream" => joined(&output["text"]),
        "error" => format!(
            "{}: {}",
            joined(&output["ename"]),
            joined(&output["evalue"])
        ),
        _ => joined(&output["data"]["text/plain"]),
    }
}
