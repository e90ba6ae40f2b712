//! Manifests that read, and manifests that are refused with the place.

#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use spoor_plugin_abi::{InputMode, Manifest, RowMode, Type};

fn example() -> Value {
    json!({
        "abi": 1,
        "name": "entropy",
        "version": "0.1.0",
        "licence": "Apache-2.0",
        "summary": "How random text looks",
        "capabilities": ["log"],
        "limits": {"fuel": 1_000_000},
        "functions": [{
            "name": "entropy",
            "summary": "Shannon entropy of each value",
            "input": "batches",
            "parameters": [
                {"name": "text", "kind": "column", "type": ["string", "guid"]},
                {"name": "weight", "kind": "column", "type": "real", "default": null},
                {"name": "least", "kind": "option", "type": "real", "default": 0.5, "docs": "the least"},
                {"name": "must", "kind": "option", "type": "int"},
            ],
            "output": {"rows": "same", "columns": [{"name": "Entropy", "type": "real"}]},
        }],
    })
}

#[test]
fn a_manifest_reads_and_writes() {
    let manifest = Manifest::parse(example().to_string().as_bytes()).unwrap();
    let function = manifest.function("entropy").unwrap();
    assert_eq!(function.input, InputMode::Batches);
    assert_eq!(function.output.rows, RowMode::Same);
    assert_eq!(function.output.columns[0].ty, Type::Real);
    assert_eq!(function.columns().count(), 2);
    assert!(function.parameters[0].types.contains(Type::Guid));
    assert_eq!(function.parameters[1].default, Some(Value::Null));
    assert_eq!(function.parameters[3].default, None);
    let again: Value = serde_json::from_str(&manifest.to_json().unwrap()).unwrap();
    assert_eq!(again, example());
}

#[test]
fn each_broken_rule_names_its_place() {
    let cases = [
        ("/abi", json!(2), "abi: is 2"),
        ("/name", json!("Entropy"), "name: 'Entropy' is no name"),
        ("/version", json!("1"), "version: '1' is no semver"),
        ("/summary", json!("a\nb"), "summary: has to be one line"),
        (
            "/summary",
            json!("a\u{202e}b"),
            "summary: has to be one line",
        ),
        (
            "/summary",
            json!("a".repeat(301)),
            "summary: has to be one line",
        ),
        ("/functions", json!([]), "functions: there are 0"),
        ("/capabilities", json!(["net"]), "unknown variant `net`"),
        (
            "/capabilities",
            json!(["log", "log"]),
            "capabilities[1]: 'log' is there twice",
        ),
        ("/limits", json!({"feul": 1}), "unknown field `feul`"),
        ("/limits", json!({"fuel": -1}), "invalid value"),
        (
            "/functions/0/name",
            json!("a b"),
            "functions[0].name: 'a b'",
        ),
        (
            "/functions/0/input",
            json!("none"),
            "functions[0].input: is 'none' with 2",
        ),
        (
            "/functions/0/parameters",
            json!([]),
            "functions[0].input: there is no column",
        ),
        (
            "/functions/0/parameters/0/type",
            json!([]),
            "parameters[0].type: there are 0",
        ),
        (
            "/functions/0/parameters/0/kind",
            json!("option"),
            "parameters[0].type: there are 2",
        ),
        (
            "/functions/0/parameters/1/default",
            json!(1),
            "parameters[1].default: a column's",
        ),
        (
            "/functions/0/parameters/2/default",
            json!("x"),
            "parameters[2].default: \"x\" is no real",
        ),
        (
            "/functions/0/parameters/3/name",
            json!("text"),
            "parameters[3].name: 'text' is there twice",
        ),
        (
            "/functions/0/parameters/3/kind",
            json!("column"),
            "parameters[3].kind: columns come before",
        ),
        (
            "/functions/0/output/columns",
            json!([]),
            "output.columns: there are 0",
        ),
        (
            "/functions/0/output/columns/0/name",
            json!("_row"),
            "columns[0].name: '_row' is the index",
        ),
        (
            "/functions/0/output/rows",
            json!("some"),
            "unknown variant `some`",
        ),
    ];
    for (pointer, value, expected) in cases {
        let mut manifest = example();
        *manifest.pointer_mut(pointer).unwrap() = value;
        let text = manifest.to_string();
        let error = Manifest::parse(text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(expected), "{pointer}: {error}");
    }
}

#[test]
fn no_bytes_panic() {
    let text = example().to_string();
    for cut in 0..text.len() {
        assert!(Manifest::parse(&text.as_bytes()[..cut]).is_err());
    }
    assert!(Manifest::parse(&vec![b' '; spoor_plugin_abi::MAX_MANIFEST + 1]).is_err());
    let deep = "[".repeat(100_000);
    assert!(Manifest::parse(deep.as_bytes()).is_err());
}
