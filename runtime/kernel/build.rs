//! How kernel.wasm is linked where the compiler brings no WASI C library of its own.
//!
//! `SPOOR_WASI_LIB` names the folder of the C library and `SPOOR_WASI_OBJECTS` the objects to
//! link beside it, apart by `:`. They are given here, and not as flags of the compiler, so that
//! they concern this crate alone and its dependencies need not be built again for them.

fn main() {
    println!("cargo::rerun-if-env-changed=SPOOR_WASI_LIB");
    println!("cargo::rerun-if-env-changed=SPOOR_WASI_OBJECTS");
    let Ok(folder) = std::env::var("SPOOR_WASI_LIB") else {
        return;
    };
    println!("cargo::rustc-link-search=native={folder}");
    let objects = std::env::var("SPOOR_WASI_OBJECTS").unwrap_or_default();
    for object in objects.split(':').filter(|object| !object.is_empty()) {
        println!("cargo::rustc-link-arg-cdylib={object}");
    }
    // The reactor's start-up object defines `_initialize`, which a driver calls once.
    println!("cargo::rustc-link-arg-cdylib=--export=_initialize");
}
