//! Regular expressions, compiled once each. Kusto's syntax is RE2's, which the `regex` crate follows.

use std::cell::RefCell;
use std::collections::HashMap;

use regex::{Regex, RegexBuilder};

use crate::typed::{FunctionError, Typed};
use spoor_table::Value;

/// Compiled expressions are dropped all at once beyond this many.
const KEPT: usize = 256;
/// Memory that one compiled expression may take.
const SIZE_LIMIT: usize = 16 << 20;

thread_local! {
    static COMPILED: RefCell<HashMap<String, Option<Regex>>> = RefCell::new(HashMap::new());
}

/// The compiled expression; `None` if it is not one. Cloning a compiled expression is cheap.
pub(super) fn get(pattern: &str) -> Option<Regex> {
    COMPILED.with_borrow_mut(|compiled| {
        if let Some(regex) = compiled.get(pattern) {
            return regex.clone();
        }
        if compiled.len() >= KEPT {
            compiled.clear();
        }
        let regex = compile(pattern).ok();
        compiled.insert(pattern.to_owned(), regex.clone());
        regex
    })
}

fn compile(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).size_limit(SIZE_LIMIT).build()
}

/// Refuses a constant that is no regular expression.
pub(super) fn check(pattern: &Typed, at: usize) -> Result<(), FunctionError> {
    let Some(Value::String(text)) = &pattern.constant else {
        return Ok(());
    };
    compile(text).map(|_| ()).map_err(|error| {
        let reason = error.to_string();
        let last = reason.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        FunctionError::new(format!("this is not a regular expression: {last}"))
            .at(at)
            .hint("the syntax is RE2's: no look-around and no back-references; write backslashes in @\"...\"")
    })
}
