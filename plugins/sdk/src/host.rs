//! What a plugin may ask the host for, each with the capability of its name: list it in `plugin!`, and the user grants
//! it. Called natively, as tests do, they print nothing and answer 0.

#[cfg(target_family = "wasm")]
mod imports {
    #[link(wasm_import_module = "spoor_abi_1")]
    unsafe extern "C" {
        pub fn log(pointer: *const u8, length: u32);
        pub safe fn progress(permille: i32);
        pub safe fn time() -> i64;
    }
}

/// Writes a line to the cell that called.
#[cfg(target_family = "wasm")]
pub fn log(line: &str) {
    // SAFETY: the range is the line's.
    unsafe { imports::log(line.as_ptr(), line.len() as u32) }
}

/// Says how much of this call is done: 0 to 1000.
#[cfg(target_family = "wasm")]
pub fn progress(permille: i32) {
    imports::progress(permille);
}

/// The time, in nanoseconds since the Unix epoch.
#[cfg(target_family = "wasm")]
pub fn time() -> i64 {
    imports::time()
}

/// Writes a line to the cell that called.
#[cfg(not(target_family = "wasm"))]
pub fn log(_line: &str) {}

/// Says how much of this call is done: 0 to 1000.
#[cfg(not(target_family = "wasm"))]
pub fn progress(_permille: i32) {}

/// The time, in nanoseconds since the Unix epoch.
#[cfg(not(target_family = "wasm"))]
pub fn time() -> i64 {
    0
}
