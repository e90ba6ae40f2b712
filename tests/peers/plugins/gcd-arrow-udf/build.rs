//! Where the compiler brings no WASI C library of its own, `SPOOR_WASI_LIB` names the folder of one and `SPOOR_WASI_OBJECTS` what
//! to link, as for the kernel; but arrow-udf's modules are no reactors, so without the start-up object of those.

fn main() {
    println!("cargo::rerun-if-env-changed=SPOOR_WASI_LIB");
    println!("cargo::rerun-if-env-changed=SPOOR_WASI_OBJECTS");
    let Ok(folder) = std::env::var("SPOOR_WASI_LIB") else {
        return;
    };
    println!("cargo::rustc-link-search=native={folder}");
    let objects = std::env::var("SPOOR_WASI_OBJECTS").unwrap_or_default();
    let objects = objects.split(':').filter(|object| !object.is_empty());
    for object in objects.filter(|object| !object.ends_with("crt1-reactor.o")) {
        println!("cargo::rustc-link-arg-cdylib={object}");
    }
}
