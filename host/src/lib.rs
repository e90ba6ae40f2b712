//! The spoor command: the wasmtime driver, run, render, query and replay.
