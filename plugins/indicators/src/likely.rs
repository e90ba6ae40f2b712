//! Whether a name that could be a host's is meant as one: most names with dots in logs are files, types and fields.

use crate::host::{ends_of, may_be_name};

/// Suffixes of two-label names that are far more often files and fields of objects: `setup.sh`, `explorer.zip`,
/// `process.name`. Such a name is taken as a domain where it is part of a URL or an e-mail address, or defanged.
const FILES_AND_FIELDS: [&str; 26] = [
    "ac", "am", "app", "ax", "bar", "cab", "cat", "cc", "docs", "in", "is", "la", "md", "ml",
    "mov", "mo", "name", "pf", "pl", "pm", "ps", "pub", "py", "rs", "sh", "zip",
];

/// First labels of names that packages (`com.android.chrome`), types and objects of COM have (`wscript.shell`).
const PACKAGES: [&str; 13] = [
    "com",
    "org",
    "net",
    "java",
    "javax",
    "android",
    "kotlin",
    "system",
    "microsoft",
    "windows",
    "wscript",
    "adodb",
    "shell",
];

/// Whether a name that stands by itself, as `raw` between `before` and `after`, is likely meant as a host's.
pub fn is_likely(raw: &str, before: u8, after: &[u8]) -> bool {
    let next = after.first().copied().unwrap_or(0);
    // A variable's field, a call.
    if !may_be_name(raw) || before == b'$' || next == b'(' {
        return false;
    }
    let (first, top) = ends_of(raw);
    // An assembly's or a type's name (System.Net).
    if !in_one_case(top, raw) {
        return false;
    }
    let ends = |list: &[&str]| list.iter().any(|word| word.eq_ignore_ascii_case(top));
    let starts = |list: &[&str]| list.iter().any(|word| word.eq_ignore_ascii_case(first));
    let common = ends(&["com", "org", "net"]);
    // Two labels: the only dot is between the first and the last.
    let short = first.len() + 1 + top.len() == raw.len();
    // After a folder, a user or a file; but browsers keep things under the names of sites.
    if before == b'\\' && (short || !common) {
        return false;
    }
    if short && (next == b'=' || ends(&FILES_AND_FIELDS)) {
        return false;
    }
    common || !starts(&PACKAGES)
}

/// Whether the last label is in lower case, or the whole name in upper case.
fn in_one_case(top: &str, raw: &str) -> bool {
    let upper = |text: &str| text.bytes().any(|byte| byte.is_ascii_uppercase());
    let lower = |text: &str| text.bytes().any(|byte| byte.is_ascii_lowercase());
    !upper(top) || !lower(raw)
}
