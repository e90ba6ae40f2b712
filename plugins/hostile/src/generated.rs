//! Cases that are too large to write down, or have to be signed or broken byte by byte.

use serde_json::json;
use spoor_gate::sign;
use spoor_plugin_abi::SIGNATURE_SECTION;

use crate::module::{
    good_answer, good_manifest, good_module, leb, module, with_manifest, with_section,
};
use crate::{Case, Outcome, case, refused};

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = broken();
    cases.extend(large());
    cases.extend(signed());
    cases.extend(manifests());
    cases
}

/// The module that means no harm.
fn good() -> Vec<u8> {
    good_module(&good_manifest())
}

/// The module of some more fields, with the good manifest.
fn with(fields: &str) -> Vec<u8> {
    with_manifest(
        module(fields, &[], &good_answer()).unwrap(),
        &good_manifest(),
    )
}

fn broken() -> Vec<Case> {
    let good = good();
    let mut noise = good.clone();
    noise[8..]
        .iter_mut()
        .enumerate()
        .for_each(|(at, byte)| *byte ^= (at * 37) as u8);
    let mut lying = good.clone();
    lying[9] = 0x7f;
    let mut overlong = b"\0asm\x01\0\0\0\x01".to_vec();
    overlong.extend([0xff; 12]);
    vec![
        case("good", Outcome::Answer, good.clone()),
        case("bytes-none", refused("malformed"), Vec::new()),
        case(
            "bytes-of-a-script",
            refused("malformed"),
            b"<script>alert(1)</script>".to_vec(),
        ),
        case("bytes-of-noise", refused("malformed"), noise),
        case(
            "bytes-cut-short",
            refused("malformed"),
            good[..good.len() / 2].to_vec(),
        ),
        case("section-of-a-lying-size", refused("malformed"), lying),
        case(
            "section-of-an-overlong-size",
            refused("malformed"),
            overlong,
        ),
        case(
            "component",
            refused("proposal"),
            b"\0asm\x0d\0\x01\0".to_vec(),
        ),
        case(
            "section-unknown",
            refused("malformed"),
            [&good[..], &[99, 0]].concat(),
        ),
        case("type-invalid", refused("malformed"), invalid()),
    ]
}

/// A body that leaves a float where an integer is declared.
fn invalid() -> Vec<u8> {
    with("(func (result i32) (f32.const 1))")
}

fn large() -> Vec<Case> {
    let nested =
        |depth: usize| format!("(func {} {})", "block ".repeat(depth), "end ".repeat(depth));
    let data = |bytes: usize| {
        format!(
            "(memory (export \"memory\") 4096) (data (i32.const 0) \"{}\")",
            "x".repeat(bytes)
        )
    };
    let answer = good_answer();
    let spread: String = answer.iter().map(|byte| format!("\\{byte:02x}")).collect();
    let grown = format!("{} (data (i32.const 1024) \"{spread}\")", data(8 << 20));
    vec![
        case(
            "module-large",
            refused("module-size"),
            vec![0; (16 << 20) + 1],
        ),
        case(
            "types-many",
            refused("types"),
            with(&"(type (func (param i32)))".repeat(20_000)),
        ),
        case(
            "type-of-many-parameters",
            refused("types"),
            with(&format!("(type (func (param {})))", "i32 ".repeat(900))),
        ),
        case(
            "type-of-many-results",
            refused("types"),
            with(&format!("(type (func (result {})))", "i32 ".repeat(900))),
        ),
        case(
            "functions-many",
            refused("functions"),
            with(&"(func)".repeat(60_000)),
        ),
        case(
            "function-large",
            refused("function-size"),
            with(&format!("(func {})", "nop ".repeat(1 << 20))),
        ),
        case(
            "locals-many",
            refused("locals"),
            with(&format!("(func (local {}))", "i64 ".repeat(20_000))),
        ),
        case("locals-declared-without-end", refused("locals"), locals()),
        case("blocks-deep", refused("nesting"), with(&nested(100_000))),
        case(
            "blocks-as-deep-as-allowed",
            Outcome::Answer,
            with(&nested(1_998)),
        ),
        case(
            "branch-table-large",
            refused("branch-table"),
            with(&format!(
                "(func (br_table {} (i32.const 0)))",
                "0 ".repeat(500_000)
            )),
        ),
        case(
            "globals-many",
            refused("globals"),
            with(&"(global i32 (i32.const 0))".repeat(2_000)),
        ),
        case(
            "exports-many",
            refused("export"),
            with(
                &(0..2_000)
                    .map(|n| format!("(func (export \"e{n}\"))"))
                    .collect::<String>(),
            ),
        ),
        case(
            "elements-many",
            refused("elements"),
            with(&format!(
                "(table 1 funcref){}",
                "(elem (i32.const 0) func)".repeat(20_000)
            )),
        ),
        case(
            "data-many",
            refused("data"),
            with(&"(data \"\")".repeat(60_000)),
        ),
        case("data-large", Outcome::Answer, with(&grown)),
    ]
}

/// A function whose few bytes declare four thousand million locals.
fn locals() -> Vec<u8> {
    let mut module = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0".to_vec();
    let mut body = vec![1];
    body.extend(leb(u32::MAX as usize));
    body.extend([0x7e, 0x0b]);
    let mut code = vec![1];
    code.extend(leb(body.len()));
    code.extend(body);
    module.push(10);
    module.extend(leb(code.len()));
    module.extend(code);
    module
}

fn signed() -> Vec<Case> {
    let signed = sign(&good(), &[7; 32]).unwrap();
    let mut changed = signed.clone();
    // A letter of the manifest.
    let at = changed
        .windows(10)
        .position(|bytes| bytes == b"Means harm")
        .unwrap();
    changed[at] = b'm';
    let mut forged = signed.clone();
    let last = forged.len() - 1;
    forged[last - 40] ^= 1;
    let mut other = signed.clone();
    let key = spoor_gate::public_key(&[8; 32]).0;
    let start = other.len() - 96;
    other[start..start + 32].copy_from_slice(&key);
    // The key of order one, for which the all-zero signature verifies unless the check is strict.
    let mut weak = [0; 96];
    weak[0] = 1;
    weak[32] = 1;
    vec![
        case("signature-good", Outcome::Answer, signed.clone()),
        case("signature-on-changed-bytes", refused("signature"), changed),
        case("signature-forged", refused("signature"), forged),
        case("signature-of-another-key", refused("signature"), other),
        case(
            "signature-of-a-weak-key",
            refused("signature"),
            with_section(good(), SIGNATURE_SECTION, &weak),
        ),
        case(
            "signature-of-no-bytes",
            refused("signature"),
            with_section(good(), SIGNATURE_SECTION, &[]),
        ),
        case(
            "signature-not-last",
            refused("signature"),
            with_section(signed.clone(), "more", b"code"),
        ),
        case(
            "signature-twice",
            refused("signature"),
            with_section(signed, SIGNATURE_SECTION, &[0; 96]),
        ),
    ]
}

fn manifests() -> Vec<Case> {
    let plain = || module("", &[], &good_answer()).unwrap();
    let with = |path: &str, value: serde_json::Value| {
        let mut manifest = good_manifest();
        match manifest.pointer_mut(path) {
            Some(place) => *place = value,
            None => manifest[&path[1..]] = value,
        }
        with_manifest(plain(), &manifest)
    };
    let text = |text: &str| with_section(plain(), "spoor.manifest", text.as_bytes());
    let twice = good_manifest()["functions"][0].clone();
    let deep = format!(
        "{{\"abi\":1,\"functions\":{}{}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    vec![
        case(
            "manifest-twice",
            refused("manifest"),
            with_manifest(good(), &good_manifest()),
        ),
        case("manifest-of-no-json", refused("manifest"), text("hello")),
        case(
            "manifest-of-invalid-utf-8",
            refused("manifest"),
            with_section(plain(), "spoor.manifest", &[0xff; 9]),
        ),
        case("manifest-nested", refused("manifest"), text(&deep)),
        case(
            "manifest-large",
            refused("manifest"),
            text(&" ".repeat(2 << 20)),
        ),
        case(
            "manifest-of-another-abi",
            refused("manifest"),
            with("/abi", json!(2)),
        ),
        case(
            "manifest-of-a-path",
            refused("manifest"),
            with("/name", json!("../../etc/passwd")),
        ),
        case(
            "manifest-of-the-network",
            refused("manifest"),
            with("/capabilities", json!(["network"])),
        ),
        case(
            "manifest-of-a-name-twice",
            refused("manifest"),
            with("/functions", json!([twice, twice])),
        ),
        case(
            "manifest-of-no-version",
            refused("manifest"),
            with("/version", json!("latest")),
        ),
        case(
            "manifest-of-an-operator",
            refused("manifest"),
            with("/functions/0/name", json!("f(x) | where")),
        ),
    ]
}
