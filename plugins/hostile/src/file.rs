//! The cases that are files: `cases/*.wat`, the fields of a module after lines of `;; key: value`.
//!
//! `expect` (needed): `refused RULE`, `trap KIND`, `fault RULE`, `error TEXT` or `answer`. `without`: fields of the ABI
//! not to add (`memory`, `spoor_abi_1`, `alloc`, `call`, `data`, `manifest`). `capabilities`: what the manifest asks for.
//! `fuel`: units. `{good}` in the text is the packed place of a good answer in memory.

use std::path::Path;

use serde_json::json;

use crate::{Case, FUEL, Outcome, module};

pub(crate) fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let entries = std::fs::read_dir(&folder).expect("the corpus has a folder cases");
    entries
        .map(|entry| entry.expect("the folder cases can be listed").path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "wat"))
        .map(|path| read(&path))
        .collect()
}

fn read(path: &Path) -> Case {
    let name = path.file_stem().unwrap().to_string_lossy().into_owned();
    let text = std::fs::read_to_string(path).expect("a case is UTF-8");
    let value = |key: &str| {
        let mark = format!(";; {key}: ");
        text.lines()
            .find_map(|line| line.strip_prefix(&mark))
            .map(str::trim)
    };
    let list =
        |key: &str| -> Vec<&str> { value(key).map_or(vec![], |v| v.split_whitespace().collect()) };
    let without = list("without");
    let mut bytes = module::module(&text, &without, &module::good_answer())
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    if !without.contains(&"manifest") {
        let mut manifest = module::good_manifest();
        manifest["capabilities"] = json!(list("capabilities"));
        bytes = module::with_manifest(bytes, &manifest);
    }
    Case {
        bytes,
        outcome: outcome(value("expect").unwrap_or_else(|| panic!("{name} expects nothing"))),
        fuel: value("fuel").map_or(FUEL, |fuel| fuel.parse().expect("fuel is a number")),
        function: "f".into(),
        rows: 0,
        name,
    }
}

fn outcome(text: &str) -> Outcome {
    let (kind, rest) = text.split_once(' ').unwrap_or((text, ""));
    match kind {
        "refused" => Outcome::Refused(rest.into()),
        "trap" => Outcome::Trap(rest.into()),
        "fault" => Outcome::Fault(rest.into()),
        "error" => Outcome::Error(rest.into()),
        "answer" => Outcome::Answer,
        other => panic!("'{other}' is no outcome"),
    }
}
