//! Operators that look for text in text: `has`, `contains`, `startswith`, `=~`, `matches regex` and their kin.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray};
use datafusion::common::Result;
use spoor_kql_syntax::ast::BinaryOp;
use spoor_table::{Cell, KustoType};

use super::terms::{Needle, Place};
use super::{equal_fold, not};
use crate::functions::Bound;
use crate::functions::args::{P, accept};
use crate::functions::regexes;
use crate::functions::udf::{Batch, BatchFn, Body, call};
use crate::typed::{BindContext, FunctionError, Typed};

/// Binds a text operator: a positive one, and `not` around it for its opposite.
pub(super) fn bind(ctx: &BindContext, op: BinaryOp, left: Typed, right: Typed) -> Bound {
    let (name, negated, run) = kernel(op)?;
    // `!~` and `=~` are often put to numbers inside dynamic values, so anything dynamic is taken as its text.
    let args = [
        accept(ctx, &left, P::Text, 0)?,
        accept(ctx, &right, P::Text, 1)?,
    ];
    if name == "matches_regex" {
        regexes::check(&args[1], 1)?;
    }
    let found = call(name, &args, KustoType::Bool, Body::Batch(run));
    Ok(if negated { not(found) } else { found })
}

fn kernel(op: BinaryOp) -> std::result::Result<(&'static str, bool, BatchFn), FunctionError> {
    use BinaryOp as Op;
    Ok(match op {
        Op::EqualTilde => ("equal_tilde", false, equal_tilde),
        Op::NotEqualTilde => ("equal_tilde", true, equal_tilde),
        Op::Has => ("has", false, |b| find(b, Place::Term, true)),
        Op::NotHas => ("has", true, |b| find(b, Place::Term, true)),
        Op::HasCs => ("has_cs", false, |b| find(b, Place::Term, false)),
        Op::NotHasCs => ("has_cs", true, |b| find(b, Place::Term, false)),
        Op::HasPrefix => ("hasprefix", false, |b| find(b, Place::Prefix, true)),
        Op::NotHasPrefix => ("hasprefix", true, |b| find(b, Place::Prefix, true)),
        Op::HasPrefixCs => ("hasprefix_cs", false, |b| find(b, Place::Prefix, false)),
        Op::NotHasPrefixCs => ("hasprefix_cs", true, |b| find(b, Place::Prefix, false)),
        Op::HasSuffix => ("hassuffix", false, |b| find(b, Place::Suffix, true)),
        Op::NotHasSuffix => ("hassuffix", true, |b| find(b, Place::Suffix, true)),
        Op::HasSuffixCs => ("hassuffix_cs", false, |b| find(b, Place::Suffix, false)),
        Op::NotHasSuffixCs => ("hassuffix_cs", true, |b| find(b, Place::Suffix, false)),
        Op::Contains => ("contains", false, |b| find(b, Place::Anywhere, true)),
        Op::NotContains => ("contains", true, |b| find(b, Place::Anywhere, true)),
        Op::ContainsCs => ("contains_cs", false, |b| find(b, Place::Anywhere, false)),
        Op::NotContainsCs => ("contains_cs", true, |b| find(b, Place::Anywhere, false)),
        Op::StartsWith => ("startswith", false, |b| find(b, Place::Start, true)),
        Op::NotStartsWith => ("startswith", true, |b| find(b, Place::Start, true)),
        Op::StartsWithCs => ("startswith_cs", false, |b| find(b, Place::Start, false)),
        Op::NotStartsWithCs => ("startswith_cs", true, |b| find(b, Place::Start, false)),
        Op::EndsWith => ("endswith", false, |b| find(b, Place::End, true)),
        Op::NotEndsWith => ("endswith", true, |b| find(b, Place::End, true)),
        Op::EndsWithCs => ("endswith_cs", false, |b| find(b, Place::End, false)),
        Op::NotEndsWithCs => ("endswith_cs", true, |b| find(b, Place::End, false)),
        Op::MatchesRegex => ("matches_regex", false, matches_regex),
        Op::Search => ("has", false, |b| find(b, Place::Term, true)),
        op => {
            return Err(FunctionError::new(format!(
                "the operator '{}' is not supported",
                op.text()
            ))
            .hint("use contains, has, startswith or matches regex"));
        }
    })
}

/// Answers for each row whether the left text passes a test made from the right one; the test of a constant is made
/// once.
fn each<T>(
    batch: &Batch<'_>,
    prepare: impl Fn(&str) -> T,
    test: impl Fn(&T, &str) -> bool,
) -> Result<ArrayRef> {
    let texts = batch.array(0)?;
    let texts = texts.as_string::<i32>();
    if let Some(pattern) = batch.constant_text(1) {
        let prepared = prepare(&pattern);
        let values = texts
            .iter()
            .map(|text| Some(test(&prepared, text.unwrap_or_default())));
        return Ok(Arc::new(values.collect::<BooleanArray>()));
    }
    let patterns = batch.reader(1)?;
    let values = texts
        .iter()
        .enumerate()
        .map(|(row, text)| match patterns.cell(row) {
            Cell::String(pattern) => Some(test(&prepare(pattern), text.unwrap_or_default())),
            _ => Some(false),
        });
    Ok(Arc::new(values.collect::<BooleanArray>()))
}

fn find(batch: &Batch<'_>, place: Place, ignore_case: bool) -> Result<ArrayRef> {
    each(
        batch,
        |pattern| Needle::new(pattern, place, ignore_case),
        Needle::is_in,
    )
}

fn equal_tilde(batch: &Batch<'_>) -> Result<ArrayRef> {
    each(batch, str::to_owned, |pattern, text| {
        equal_fold(pattern, text)
    })
}

fn matches_regex(batch: &Batch<'_>) -> Result<ArrayRef> {
    each(batch, regexes::get, |regex, text| {
        regex.as_ref().is_some_and(|r| r.is_match(text))
    })
}

/// A character with its case folded away: its upper case, where that is one character.
pub(in crate::functions) fn fold_char(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    let mut upper = c.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(upper), None) => {
            let mut lower = upper.to_lowercase();
            match (lower.next(), lower.next()) {
                // A letter whose lower case is ASCII (the Kelvin sign) is another letter.
                (Some(lower), None) if !lower.is_ascii() => lower,
                _ => upper,
            }
        }
        _ => c,
    }
}

/// A text with its case folded away.
pub(in crate::functions) fn split_fold(text: &str) -> String {
    text.chars().map(fold_char).collect()
}
