//! How kernel.wasm is linked: as a WASI reactor, whose start-up object defines `_initialize`.
//!
//! The compiler brings that object for programs only, and not for libraries. It lies beside the
//! target's standard library; where the compiler brings no WASI C library of its own,
//! `SPOOR_WASI_LIB` names the folder of one and `SPOOR_WASI_OBJECTS` the objects to link, apart
//! by `:`. They are given here, and not as flags of the compiler, so that they concern this crate
//! alone and its dependencies need not be built again for them.

use std::path::PathBuf;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-env-changed=SPOOR_WASI_LIB");
    println!("cargo::rerun-if-env-changed=SPOOR_WASI_OBJECTS");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("wasi") {
        return;
    }
    if let Ok(folder) = std::env::var("SPOOR_WASI_LIB") {
        println!("cargo::rustc-link-search=native={folder}");
        let objects = std::env::var("SPOOR_WASI_OBJECTS").unwrap_or_default();
        for object in objects.split(':').filter(|object| !object.is_empty()) {
            println!("cargo::rustc-link-arg-cdylib={object}");
        }
    } else {
        match compilers_own() {
            Some(object) => println!("cargo::rustc-link-arg-cdylib={}", object.display()),
            None => println!(
                "cargo::error=the compiler has no crt1-reactor.o for WASI: set SPOOR_WASI_LIB and SPOOR_WASI_OBJECTS"
            ),
        }
    }
    println!("cargo::rustc-link-arg-cdylib=--export=_initialize");
}

/// The reactor's start-up object, where the compiler brings the C library.
fn compilers_own() -> Option<PathBuf> {
    let asked = Command::new(std::env::var_os("RUSTC")?)
        .args(["--print", "target-libdir", "--target"])
        .arg(std::env::var_os("TARGET")?)
        .output()
        .ok()?;
    let folder = String::from_utf8(asked.stdout).ok()?;
    let object = PathBuf::from(folder.trim()).join("self-contained/crt1-reactor.o");
    object.exists().then_some(object)
}
