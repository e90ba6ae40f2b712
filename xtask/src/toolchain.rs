//! Which compiler builds WebAssembly here.
//!
//! On an ordinary machine rustup adds the two targets and the usual cargo builds them. Where
//! rustup cannot reach its server, Debian's `rustc-web` family does: a matched compiler, cargo and
//! source of the standard library, which is then built with `-Zbuild-std`. Debian 12's WASI C
//! library has no thread functions, which the standard library names; a stub that refuses to
//! start threads stands in for them, in this fallback alone.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::paths::Paths;
use crate::process::{on_path, output, run, say, succeeds};
use crate::setup::{apt_install, is_debian};

const TARGETS: [&str; 2] = ["wasm32-wasip1", "wasm32-unknown-unknown"];
const NO_THREADS: &str = include_str!("wasi_no_threads.c");
/// Where Debian keeps the WASI C library.
const DEBIAN_LIB: &str = "/usr/lib/wasm32-wasi";
/// Debian's packages for the fallback, in the order of what needs what.
const DEBIAN: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "lld-22"];
/// The C compiler and library that C code in crates (zstd) is built with.
const DEBIAN_C: [&str; 3] = ["clang-22", "llvm-22", "wasi-libc"];

/// A toolchain that builds for WebAssembly.
pub enum Toolchain {
    /// rustup's own, with the targets installed.
    Rustup,
    /// Debian's `/usr/bin/cargo` and `/usr/bin/rustc`, building the standard library too.
    Debian {
        /// The object that stands in for the C library's thread functions.
        no_threads: PathBuf,
    },
}

impl Toolchain {
    /// Finds a toolchain, or installs one, saying what it installs.
    pub fn ensure(paths: &Paths) -> Result<Self> {
        ensure_c_compiler()?;
        if rustup_has_targets() {
            return Ok(Self::Rustup);
        }
        if debian_is_there() {
            return Self::debian(paths);
        }
        if on_path("rustup") {
            say("Adding the WebAssembly targets with rustup");
            let added = Command::new("rustup")
                .args(["target", "add"])
                .args(TARGETS)
                .status();
            if added.is_ok_and(|status| status.success()) && rustup_has_targets() {
                return Ok(Self::Rustup);
            }
        }
        if !is_debian() {
            bail!(
                "no compiler for WebAssembly: run `rustup target add {}` where rustup reaches its server",
                TARGETS.join(" ")
            );
        }
        say("rustup cannot add the targets here: taking Debian's compiler instead");
        apt_install(&DEBIAN)?;
        Self::debian(paths)
    }

    fn debian(paths: &Paths) -> Result<Self> {
        let folder = paths.target.join("wasi-no-threads");
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("could not make {}", folder.display()))?;
        let (source, object) = (folder.join("stub.c"), folder.join("stub.o"));
        if std::fs::read_to_string(&source).is_ok_and(|text| text == NO_THREADS) && object.exists()
        {
            return Ok(Self::Debian { no_threads: object });
        }
        std::fs::write(&source, NO_THREADS).context("could not write the thread stub")?;
        run(Command::new(clang()?)
            .args([
                "--target=wasm32-wasip1",
                "-isystem",
                "/usr/include/wasm32-wasi",
                "-O1",
                "-c",
            ])
            .arg(&source)
            .arg("-o")
            .arg(&object))?;
        Ok(Self::Debian { no_threads: object })
    }

    /// `cargo build` for `target`, with the environment that it takes.
    pub fn cargo_build(&self, paths: &Paths, target: &str) -> Result<Command> {
        let mut command = match self {
            Self::Rustup => Command::new("cargo"),
            Self::Debian { .. } => Command::new("/usr/bin/cargo"),
        };
        // The variables of the cargo that runs this task would steer the other compiler.
        for name in [
            "CARGO",
            "RUSTC",
            "RUSTUP_TOOLCHAIN",
            "RUSTFLAGS",
            "CARGO_ENCODED_RUSTFLAGS",
        ] {
            command.env_remove(name);
        }
        command
            .current_dir(&paths.root)
            .env("CARGO_TARGET_DIR", &paths.target)
            .args(["build", "--target", target]);
        let suffix = target.replace('-', "_");
        command
            .env(format!("CC_{suffix}"), clang()?)
            .env(format!("AR_{suffix}"), llvm_ar()?);
        if target == "wasm32-wasip1" {
            command.env("CFLAGS_wasm32_wasip1", c_flags());
        }
        if let Self::Debian { no_threads } = self {
            command
                .env("RUSTC", "/usr/bin/rustc")
                .env("RUSTC_BOOTSTRAP", "1");
            command.arg("-Zbuild-std=std,panic_abort");
            command.env("SPOOR_WASI_LIB", DEBIAN_LIB).env(
                "SPOOR_WASI_OBJECTS",
                format!("{DEBIAN_LIB}/crt1-reactor.o:{}", no_threads.display()),
            );
        }
        Ok(command)
    }

    /// What to write beside figures: the compiler's version.
    pub fn version(&self) -> Result<String> {
        let rustc = if matches!(self, Self::Rustup) {
            "rustc"
        } else {
            "/usr/bin/rustc"
        };
        Ok(output(Command::new(rustc).arg("--version"))?
            .trim()
            .to_owned())
    }
}

fn c_flags() -> String {
    match std::env::var("WASI_SYSROOT") {
        Ok(root) => format!("--sysroot={root}"),
        Err(_) => "--sysroot=/usr -isystem /usr/include/wasm32-wasi".to_owned(),
    }
}

fn rustup_has_targets() -> bool {
    let Ok(done) = Command::new("rustup")
        .args(["target", "list", "--installed"])
        .output()
    else {
        return false;
    };
    let installed = String::from_utf8_lossy(&done.stdout);
    TARGETS
        .iter()
        .all(|target| installed.lines().any(|line| line.trim() == *target))
}

fn debian_is_there() -> bool {
    succeeds("/usr/bin/cargo", &["--version"])
        && succeeds("dpkg", &["-s", DEBIAN[0], DEBIAN[2], DEBIAN[3]])
}

fn ensure_c_compiler() -> Result<()> {
    let sysroot = std::env::var_os("WASI_SYSROOT").is_some()
        || Path::new("/usr/include/wasm32-wasi").is_dir();
    if clang().is_ok() && llvm_ar().is_ok() && sysroot {
        return Ok(());
    }
    if is_debian() {
        return apt_install(&DEBIAN_C);
    }
    bail!(
        "C code in crates is built for WebAssembly with clang: install clang, llvm and a WASI sysroot (set WASI_SYSROOT to it)"
    )
}

fn clang() -> Result<&'static str> {
    first_on_path(&["clang-22", "clang"])
}

fn llvm_ar() -> Result<&'static str> {
    first_on_path(&["llvm-ar-22", "llvm-ar"])
}

fn first_on_path(names: &[&'static str]) -> Result<&'static str> {
    names
        .iter()
        .copied()
        .find(|name| on_path(name))
        .with_context(|| format!("none of {} is installed", names.join(", ")))
}
