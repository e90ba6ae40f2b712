//! A module around what a case says: the ABI's exports, a manifest, and a good answer to give.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use arrow_ipc::writer::StreamWriter;
use serde_json::{Value, json};
use spoor_plugin_abi::{MANIFEST_SECTION, encode_frame};

/// Where the answer lies in the memory of a case's module.
pub(crate) const ANSWER: u32 = 1_024;

/// The manifest that a case has where it says nothing else: one function `f`, of no input, with a column `Value`.
pub fn good_manifest() -> Value {
    json!({
        "abi": 1, "name": "hostile", "version": "1.0.0", "licence": "Apache-2.0", "summary": "Means harm",
        "functions": [{
            "name": "f", "summary": "Means harm", "input": "none",
            "output": {"rows": "free", "columns": [{"name": "Value", "type": "long"}]},
        }],
    })
}

/// A module that means no harm, of this manifest.
pub fn good_module(manifest: &Value) -> Vec<u8> {
    answering(&good_answer(), manifest)
}

/// The frame of an answer that the good manifest allows: `Value` of 1, 2, 3.
pub fn good_answer() -> Vec<u8> {
    encode_frame(b"{}", &[&stream(&good_batch())]).unwrap()
}

pub(crate) fn good_batch() -> RecordBatch {
    let values: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3]));
    RecordBatch::try_from_iter([("Value", values)]).unwrap()
}

pub(crate) fn stream(batch: &RecordBatch) -> Vec<u8> {
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(batch).unwrap();
    writer.finish().unwrap();
    writer.into_inner().unwrap()
}

/// The module with a custom section appended.
pub fn with_section(mut module: Vec<u8>, name: &str, content: &[u8]) -> Vec<u8> {
    let mut body = leb(name.len());
    body.extend_from_slice(name.as_bytes());
    body.extend_from_slice(content);
    module.push(0);
    module.extend(leb(body.len()));
    module.extend(body);
    module
}

pub(crate) fn with_manifest(module: Vec<u8>, manifest: &Value) -> Vec<u8> {
    with_section(module, MANIFEST_SECTION, manifest.to_string().as_bytes())
}

/// The module of a case's own fields and those of the ABI that it neither has nor wants to be `without`.
pub(crate) fn module(fields: &str, without: &[&str], answer: &[u8]) -> Result<Vec<u8>, wat::Error> {
    let packed = u64::from(ANSWER) << 32 | answer.len() as u64;
    let pages = (ANSWER as usize + answer.len()).div_ceil(65_536).max(1) + 1;
    let mut text = format!("(module {}", fields.replace("{good}", &packed.to_string()));
    let mut add = |name: &str, field: String| {
        let mark = if name == "data" {
            "(data".into()
        } else {
            format!("(export \"{name}\"")
        };
        if !without.contains(&name) && !fields.contains(&mark) {
            text.push_str(&field);
        }
    };
    add("memory", format!("(memory (export \"memory\") {pages})"));
    add("spoor_abi_1", "(func (export \"spoor_abi_1\"))".into());
    add(
        "alloc",
        "(func (export \"alloc\") (param i32) (result i32) (i32.const 512))".into(),
    );
    add(
        "call",
        format!("(func (export \"call\") (param i32 i32) (result i64) (i64.const {packed}))"),
    );
    let data: String = answer.iter().map(|byte| format!("\\{byte:02x}")).collect();
    add("data", format!("(data (i32.const {ANSWER}) \"{data}\")"));
    text.push(')');
    wat::parse_str(&text)
}

/// A module of the good manifest that answers with these bytes.
pub(crate) fn answering(answer: &[u8], manifest: &Value) -> Vec<u8> {
    with_manifest(module("", &[], answer).unwrap(), manifest)
}

pub(crate) fn leb(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let byte = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            bytes.push(byte);
            return bytes;
        }
        bytes.push(byte | 0x80);
    }
}
