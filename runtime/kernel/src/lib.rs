//! The sans-IO notebook kernel and its WebAssembly entry.
