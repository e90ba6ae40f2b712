//! Regular expressions, compiled once each. Kusto's syntax is RE2's, which the `regex` crate follows.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Deref;
use std::rc::Rc;

use regex::{CaptureLocations, Regex, RegexBuilder};

use crate::typed::{FunctionError, Typed};
use spoor_table::Value;

/// What is kept of expressions that take memory up to a limit: beyond so many they are dropped all at once.
struct Tier {
    bytes: usize,
    kept: usize,
}

/// Nearly all are small. The few that are not must not fill the memory together.
const TIERS: [Tier; 2] = [
    Tier {
        bytes: 256 << 10,
        kept: 256,
    },
    Tier {
        bytes: 16 << 20,
        kept: 4,
    },
];

/// A compiled expression with room for what its groups match, so that no row needs memory for it.
pub(super) struct Compiled {
    regex: Regex,
    groups: RefCell<CaptureLocations>,
}

impl Compiled {
    fn new(regex: Regex) -> Compiled {
        let groups = RefCell::new(regex.capture_locations());
        Compiled { regex, groups }
    }

    /// What a group of the first match holds; none if there is no match, or the group has no part in it.
    pub(super) fn group<'t>(&self, text: &'t str, group: usize) -> Option<&'t str> {
        if group == 0 {
            return self.regex.find(text).map(|found| found.as_str());
        }
        let mut groups = self.groups.borrow_mut();
        self.regex.captures_read(&mut groups, text)?;
        let (start, end) = groups.get(group)?;
        text.get(start..end)
    }
}

impl Deref for Compiled {
    type Target = Regex;

    fn deref(&self) -> &Regex {
        &self.regex
    }
}

/// What is kept, by pattern.
type Kept = HashMap<String, Option<Rc<Compiled>>>;

/// What a thread has compiled.
#[derive(Default)]
struct Cache {
    tiers: [Kept; TIERS.len()],
    /// The pattern that was asked for last: nearly always that of the row before.
    last: Option<(String, Option<Rc<Compiled>>)>,
}

thread_local! {
    static COMPILED: RefCell<Cache> = RefCell::default();
}

/// The compiled expression; `None` if it is not one. A clone of a `Regex` would have its own scratch memory to fill, so
/// one is shared.
pub(super) fn get(pattern: &str) -> Option<Rc<Compiled>> {
    COMPILED.with_borrow_mut(|cache| {
        if let Some((last, regex)) = &cache.last
            && last == pattern
        {
            return regex.clone();
        }
        let regex = cache.look_up(pattern);
        cache.last = Some((pattern.to_owned(), regex.clone()));
        regex
    })
}

impl Cache {
    fn look_up(&mut self, pattern: &str) -> Option<Rc<Compiled>> {
        let compiled = &mut self.tiers;
        if let Some(regex) = compiled.iter().find_map(|tier| tier.get(pattern)) {
            return regex.clone();
        }
        let (at, regex) = compile_small(pattern);
        let regex = regex.map(|regex| Rc::new(Compiled::new(regex)));
        for (kept, tier) in compiled.iter_mut().zip(TIERS).skip(at).take(1) {
            if kept.len() >= tier.kept {
                kept.clear();
            }
            kept.insert(pattern.to_owned(), regex.clone());
        }
        regex
    }
}

/// The compiled expression and the first tier that it fits; `None` if it is not one, or too large for all.
fn compile_small(pattern: &str) -> (usize, Option<Regex>) {
    for (at, tier) in TIERS.iter().enumerate() {
        match compile(pattern, tier.bytes) {
            Err(regex::Error::CompiledTooBig(_)) => {}
            regex => return (at, regex.ok()),
        }
    }
    (0, None)
}

fn compile(pattern: &str, bytes: usize) -> Result<Regex, regex::Error> {
    RegexBuilder::new(&from_re2(pattern))
        .size_limit(bytes)
        .build()
}

/// A pattern in RE2's syntax as one in the `regex` crate's, where `[`, `&&`, `--` and `~~` in a class, and `{` anywhere, are
/// not plain characters as they are in RE2. Classes such as `\d` hold all of Unicode, as Kusto's do.
fn from_re2(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut rest = pattern.chars().peekable();
    let mut class = false;
    while let Some(c) = rest.next() {
        match (c, class) {
            ('\\', _) => {
                let escaped = rest.next();
                push_escape(&mut out, escaped);
                // The braces of \p{Greek} and \x{2014} are the escape's own.
                if matches!(escaped, Some('p' | 'P' | 'x')) && rest.peek() == Some(&'{') {
                    out.extend(rest.by_ref().take_while(|c| *c != '}'));
                    out.push('}');
                }
            }
            ('[', false) => {
                class = true;
                out.push('[');
                if rest.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
                // A bracket that comes first is a plain one.
                if rest.next_if_eq(&']').is_some() {
                    out.push_str("\\]");
                }
            }
            ('[', true) if rest.peek() == Some(&':') => {
                // A named class: up to its own bracket.
                out.push('[');
                for inner in rest.by_ref() {
                    out.push(inner);
                    if inner == ']' {
                        break;
                    }
                }
            }
            (']', true) => {
                class = false;
                out.push(']');
            }
            ('[' | '&' | '~', true) => {
                out.push('\\');
                out.push(c);
            }
            ('-', true) if rest.peek() == Some(&'-') => out.push_str("\\-"),
            ('{', false) if !repeats(&rest.clone().take(16).collect::<String>()) => {
                out.push_str("\\{")
            }
            (c, _) => out.push(c),
        }
    }
    out
}

/// Writes what stands behind a backslash.
fn push_escape(out: &mut String, escaped: Option<char>) {
    match escaped {
        Some('0') => out.push_str("\\x00"),
        Some('Z') => out.push_str("\\z"),
        other => {
            out.push('\\');
            out.extend(other);
        }
    }
}

/// Whether what follows a `{` makes it a repetition: digits, or digits, a comma and perhaps digits.
fn repeats(rest: &str) -> bool {
    let Some((inside, _)) = rest.split_once('}') else {
        return false;
    };
    let (least, most) = inside.split_once(',').unwrap_or((inside, "0"));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    !least.is_empty() && digits(least) && digits(most)
}

/// Refuses a constant that is no regular expression.
pub(super) fn check(pattern: &Typed, at: usize) -> Result<(), FunctionError> {
    let Some(Value::String(text)) = &pattern.constant else {
        return Ok(());
    };
    let most = TIERS.map(|tier| tier.bytes).into_iter().max().unwrap_or(0);
    compile(text, most).map(|_| ()).map_err(|error| {
        let reason = error.to_string();
        let last = reason.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        FunctionError::new(format!("this is not a regular expression: {last}"))
            .at(at)
            .hint("the syntax is RE2's: no look-around and no back-references; write backslashes in @\"...\"")
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn found(pattern: &str, text: &str) -> bool {
        get(pattern).is_some_and(|regex| regex.is_match(text))
    }

    #[test]
    fn patterns_read_as_re2_reads_them() {
        assert!(found(r"[[]\w+]", "[abc]"));
        assert!(found(r"\w+{.*}", "a{b}"));
        assert!(found(r"a{2,3}", "aa") && !found(r"^a{2}$", "a"));
        assert!(found(r"^\d$", "２") && found(r"^[\w-]+$", "a-b"));
        assert!(found(r"^\p{Greek}$", "λ") && found(r"^\x{41}$", "A"));
        assert!(found(r"[a&&b]", "&") && found(r"[^]]", "x"));
        assert!(found(r"^[[:alpha:]]+$", "abc") && found(r"\bcat\b", "a cat."));
        assert!(get(r"(a)\1").is_none() && get("(?=a)").is_none() && get("(").is_none());
    }

    #[test]
    fn groups_are_of_the_first_match() {
        let regex = get(r"(\w)(\d)?").unwrap();
        for (text, group, expected) in [
            ("a1 b2", 0, Some("a1")),
            ("a1 b2", 1, Some("a")),
            ("a1 b2", 2, Some("1")),
            ("é", 1, Some("é")),
            ("a", 2, None),
            ("a", 3, None),
            ("-", 1, None),
        ] {
            assert_eq!(regex.group(text, group), expected, "{text} {group}");
        }
    }
}
