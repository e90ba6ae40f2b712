//! Ordinary work in the shape of a plugin, for `overhead.rs`. Built by hand with rustc; no dependencies.
#![no_std]
#![allow(missing_docs)]

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

#[unsafe(no_mangle)]
pub extern "C" fn spoor_abi_1() {}

#[unsafe(no_mangle)]
pub extern "C" fn alloc(_: i32) -> i32 {
    0
}

#[unsafe(no_mangle)]
pub extern "C" fn call(kind: i32, rounds: i32) -> i64 {
    let mut text = [0u8; 16384];
    let words = "Lateral movement: π≈3.14, naïve café, 日本語 powershell -enc SQBFAFgA; ".as_bytes();
    for (at, byte) in text.iter_mut().enumerate() {
        *byte = words[at % words.len()];
    }
    let mut sum = 0i64;
    match kind {
        0 => (0..rounds).for_each(|_| sum ^= sha256(core::hint::black_box(&text)) as i64),
        1 => (0..rounds).for_each(|_| sum += characters(core::hint::black_box(&text)) as i64),
        2 => (0..rounds).for_each(|_| sum += core::hint::black_box(&text).iter().filter(|b| **b == b'e').count() as i64),
        3 => (0..rounds).for_each(|_| sum ^= fnv(core::hint::black_box(&text)) as i64),
        4 => (0..rounds).for_each(|n| sum += sort(core::hint::black_box(&text), n)),
        5 => sum = fib(rounds) as i64,
        6 => (0..rounds).for_each(|_| sum += floats(core::hint::black_box(&text)) as i64),
        _ => (0..rounds).for_each(|_| sum += dispatch(core::hint::black_box(&text))),
    }
    sum
}

const K: [u32; 64] = {
    // Not SHA-256's constants: only the work has to be its.
    let mut k = [0x428a2f98u32; 64];
    let mut at = 1;
    while at < 64 {
        k[at] = k[at - 1].wrapping_mul(0x9e3779b1).rotate_left(7);
        at += 1;
    }
    k
};

fn sha256(text: &[u8]) -> u32 {
    let mut state = [1u32, 2, 3, 4, 5, 6, 7, 8];
    for block in text.chunks_exact(64) {
        let mut w = [0u32; 64];
        for (word, bytes) in w.iter_mut().zip(block.chunks_exact(4)) {
            *word = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
        for at in 16..64 {
            let s0 = w[at - 15].rotate_right(7) ^ w[at - 15].rotate_right(18) ^ (w[at - 15] >> 3);
            let s1 = w[at - 2].rotate_right(17) ^ w[at - 2].rotate_right(19) ^ (w[at - 2] >> 10);
            w[at] = w[at - 16].wrapping_add(s0).wrapping_add(w[at - 7]).wrapping_add(s1);
        }
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = state;
        for at in 0..64 {
            let s1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
            let t1 = h.wrapping_add(s1).wrapping_add((e & f) ^ (!e & g)).wrapping_add(K[at]).wrapping_add(w[at]);
            let s0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
            let t2 = s0.wrapping_add((a & b) ^ (a & c) ^ (b & c));
            (h, g, f, e, d, c, b, a) = (g, f, e, d.wrapping_add(t1), c, b, a, t1.wrapping_add(t2));
        }
        for (word, add) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
            *word = word.wrapping_add(add);
        }
    }
    state[0]
}

fn characters(text: &[u8]) -> usize {
    match core::str::from_utf8(&text[..text.len() - 8]) {
        Ok(text) => text.chars().filter(|c| c.is_alphabetic()).count(),
        Err(error) => error.valid_up_to(),
    }
}

fn fnv(text: &[u8]) -> u64 {
    text.iter().fold(0xcbf29ce484222325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100000001b3))
}

fn sort(text: &[u8], salt: i32) -> i64 {
    let mut keys = [0u32; 4096];
    for (key, bytes) in keys.iter_mut().zip(text.chunks_exact(4)) {
        *key = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]).wrapping_mul(0x9e3779b1 ^ salt as u32);
    }
    keys.sort_unstable();
    i64::from(keys[7])
}

#[inline(never)]
fn fib(n: i32) -> i32 {
    if n < 2 { n } else { fib(n - 1) + fib(n - 2) }
}

fn floats(text: &[u8]) -> f64 {
    let mut sum = 0.0;
    let mut squares = 0.0;
    for (at, byte) in text.iter().enumerate() {
        let x = f64::from(*byte) * 0.5 - 3.25;
        sum += x;
        squares += x * x / (1.0 + at as f64);
    }
    squares - sum * sum / text.len() as f64
}

/// A state machine: a branch a byte.
fn dispatch(text: &[u8]) -> i64 {
    let (mut words, mut digits, mut state) = (0i64, 0i64, 0u8);
    for byte in text {
        state = match (state, byte) {
            (0, b'a'..=b'z' | b'A'..=b'Z') => {
                words += 1;
                1
            }
            (1, b'a'..=b'z' | b'A'..=b'Z') => 1,
            (_, b'0'..=b'9') => {
                digits += 1;
                2
            }
            (2, b'.' | b',') => 2,
            (_, b'-' | b'_') => 3,
            (3, b';') => 4,
            _ => 0,
        };
    }
    words * 1000 + digits
}
