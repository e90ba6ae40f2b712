//! Queries across workspaces: what of a query other workspaces run, and what is left to run here.
//!
//! `workspace("NAME").Table`, with the operators behind it that look at nothing else, is a part that goes to that workspace. What
//! stands in its stead is a table that has the part's answer. Everything keeps its place, so that places in errors stay true. It
//! works on tokens: a query that does not parse is the parser's to tell of.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::ast::Span;
use crate::diagnostic::Diagnostic;
use crate::highlight::operator_length;
use crate::lexer::{Kind, Token, lex};
use crate::text::string_value;

/// The most parts of a query.
const MOST: usize = 100;

/// The operators that look at the rows before them alone, as far as their expressions do.
const LOCAL: &[&str] = &[
    "where",
    "filter",
    "extend",
    "project",
    "project-away",
    "project-keep",
    "project-rename",
    "project-reorder",
    "summarize",
    "distinct",
    "count",
    "take",
    "limit",
    "top",
    "sort",
    "order",
    "serialize",
    "sample",
    "sample-distinct",
    "mv-expand",
    "parse",
    "parse-where",
    "parse-kv",
    "make-series",
    "top-nested",
    "top-hitters",
];

/// The words that bring other tables into an expression.
const ELSEWHERE: &[&str] = &[
    "workspace",
    "toscalar",
    "materialize",
    "table",
    "database",
    "cluster",
];

/// The words that a tabular expression in parentheses follows at once; after any other it is an argument, which a comma ends.
const BEFORE_TABLE: &[&str] = &[
    "in",
    "in~",
    "!in",
    "!in~",
    "has_any",
    "has_all",
    "union",
    "join",
    "lookup",
    "toscalar",
    "materialize",
];

/// A query, split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Across {
    /// What others run.
    pub parts: Vec<Part>,
    /// The query that is left, over tables with the parts' answers. As long as the whole.
    pub rest: String,
}

/// What a workspace runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The workspace.
    pub workspace: String,
    /// The query there, with spaces for what is not of it. As long as the whole.
    pub query: String,
    /// The table of the rest that has its answer.
    pub table: String,
    /// From the workspace's name to the end of what goes there.
    pub place: Range<usize>,
}

/// Splits a query; none where it names no workspace. `is_here` tells which tables are of this side, and `is_local` which workspaces
/// are: of these the tables' names are left.
///
/// # Errors
/// Where it is a workspace without a name, or without a table.
pub fn across(
    text: &str,
    is_here: &dyn Fn(&str) -> bool,
    is_local: &dyn Fn(&str) -> bool,
) -> Result<Option<Across>, Diagnostic> {
    let (mut tokens, _) = lex(text);
    tokens.retain(|token| token.kind != Kind::Comment);
    let split = Split::new(text, &tokens, is_here);
    let mut found = Across {
        parts: Vec::new(),
        rest: text.to_owned(),
    };
    let (mut at, mut is_split) = (0, false);
    while at < tokens.len() {
        let Some(reference) = split.reference(at)? else {
            at += 1;
            continue;
        };
        at = reference.next;
        is_split = true;
        let table = split.span(at - reference.name).start;
        if is_local(&reference.workspace) {
            fill(&mut found.rest, reference.start..table, "");
            continue;
        }
        let (end, mut carried) = split.reach(&reference);
        let start = table;
        if found.parts.len() == MOST {
            let message = format!("a query reads at most {MOST} tables of workspaces");
            return Err(Diagnostic::error(start..end, message));
        }
        let table = split.name(&reference, &found.parts);
        let place = reference.start..end;
        fill(&mut found.rest, place.clone(), &format!("['{table}']"));
        carried.push(start..end);
        found.parts.push(Part {
            workspace: reference.workspace,
            query: only(text, &carried),
            table,
            place,
        });
    }
    Ok(is_split.then_some(found))
}

/// `workspace("NAME").Table`.
struct Reference {
    workspace: String,
    table: String,
    /// Its first byte.
    start: usize,
    /// Its first token, how many the table's name has, and the token behind it.
    first: usize,
    name: usize,
    next: usize,
}

struct Split<'t> {
    text: &'t str,
    tokens: &'t [Token],
    is_here: &'t dyn Fn(&str) -> bool,
    /// The statements `let` that hold for the whole query, from the word to the `;`.
    lets: BTreeMap<&'t str, Range<usize>>,
    /// Names that mean something within a function alone.
    bound: BTreeSet<&'t str>,
}

impl<'t> Split<'t> {
    fn new(text: &'t str, tokens: &'t [Token], is_here: &'t dyn Fn(&str) -> bool) -> Self {
        let mut split = Self {
            text,
            tokens,
            is_here,
            lets: BTreeMap::new(),
            bound: BTreeSet::new(),
        };
        let mut depth = 0_i32;
        for at in 0..tokens.len() {
            depth += split.nesting(at);
            if split.word(at) == "let" && split.is(at + 2, "=") {
                let name = split.piece(at + 1);
                match depth {
                    0 => drop(split.lets.insert(name, at..split.end_of(at, &[";"]) + 1)),
                    _ => drop(split.bound.insert(name)),
                }
            }
            if split.is(at + 1, ":") {
                split.bound.insert(split.word(at));
            }
        }
        split
    }

    /// The reference that begins at a token.
    fn reference(&self, at: usize) -> Result<Option<Reference>, Diagnostic> {
        let is_call = self.word(at) == "workspace" && self.is(at + 1, "(");
        if !is_call || at > 0 && self.is(at - 1, ".") || self.lets.contains_key("workspace") {
            return Ok(None);
        }
        let start = self.span(at).start;
        let place = start..self.span((at + 3).min(self.tokens.len() - 1)).end;
        let names = self.string(at + 2).filter(|_| self.is(at + 3, ")"));
        let workspace = names.ok_or_else(|| {
            Diagnostic::error(
                place.clone(),
                "workspace() takes a workspace's name in quotes",
            )
            .hint("as it is in the configuration: workspace(\"sentinel\").SigninLogs")
        })?;
        let tables = self.table(at + 5).filter(|_| self.is(at + 4, "."));
        let (table, name) = tables.ok_or_else(|| {
            let table = format!("workspace(\"{workspace}\").SigninLogs");
            Diagnostic::error(place, "a table of the workspace follows").hint(table)
        })?;
        Ok(Some(Reference {
            workspace,
            table,
            start,
            first: at,
            name,
            next: at + 5 + name,
        }))
    }

    /// The table's name that begins at a token, and of how many it is.
    fn table(&self, at: usize) -> Option<(String, usize)> {
        if self.is(at, "[") {
            return Some((self.string(at + 1)?, 3)).filter(|_| self.is(at + 2, "]"));
        }
        if self.word(at) == "table" && self.is(at + 1, "(") {
            return Some((self.string(at + 2)?, 4)).filter(|_| self.is(at + 3, ")"));
        }
        let name = self.word(at);
        (!name.is_empty() && !self.is(at + 1, "(")).then(|| (name.to_owned(), 1))
    }

    /// Where the part of a reference ends, and the statements that it needs.
    fn reach(&self, reference: &Reference) -> (usize, Vec<Range<usize>>) {
        let mut at = reference.next;
        let mut end = self.span(at - 1).end;
        let mut carried = BTreeSet::new();
        // The order that the rows come in is no more than that once they are a table here.
        let mut before_order = None;
        while self.begins_pipe(reference.first) && self.is(at, "|") {
            let operator = self.operator(at + 1);
            let next = self.end_of(at + 1, &["|", ";"]);
            let Some(needed) = self
                .needed(at + 1..next)
                .filter(|_| LOCAL.contains(&operator))
            else {
                break;
            };
            match operator {
                "sort" | "order" | "serialize" => before_order = before_order.or(Some(end)),
                "summarize" | "count" | "distinct" | "make-series" | "top-nested" => {
                    before_order = None;
                }
                _ => {}
            }
            carried.extend(needed);
            (at, end) = (next, self.span(next - 1).end);
        }
        if self.is(at, "|") && self.operator(at + 1) != "render" {
            end = before_order.unwrap_or(end);
        }
        let spans = carried.into_iter().filter_map(|name| self.lets.get(name));
        let spans =
            spans.map(|tokens| self.span(tokens.start).start..self.span(tokens.end - 1).end);
        (end, spans.collect())
    }

    /// Whether the operators behind a token's expression are its own: those behind `union a, b` are the union's.
    fn begins_pipe(&self, at: usize) -> bool {
        let Some(before) = at.checked_sub(1) else {
            return true;
        };
        if self.is(before, "(") {
            let is_called = before
                .checked_sub(1)
                .filter(|word| self.span(*word).end == self.span(before).start);
            return is_called
                .map(|word| self.word(word))
                .is_none_or(|word| word.is_empty() || BEFORE_TABLE.contains(&word));
        }
        ["{", ";", "="].iter().any(|sign| self.is(before, sign))
    }

    /// The statements `let` that tokens need; none where they need what only this side has.
    fn needed(&self, tokens: Range<usize>) -> Option<BTreeSet<&'t str>> {
        let mut needed = BTreeSet::new();
        for at in tokens {
            let word = self.word(at);
            if word.is_empty() || at > 0 && self.is(at - 1, ".") {
                continue;
            }
            if (self.is_here)(word) || self.bound.contains(word) || ELSEWHERE.contains(&word) {
                return None;
            }
            let Some(statement) = self.lets.get(word).filter(|_| !needed.contains(word)) else {
                continue;
            };
            // One that holds a table would find another there; one that stands below is none yet.
            let value = statement.start + 3..statement.end;
            if at < statement.end || value.clone().any(|at| self.is(at, "|")) {
                return None;
            }
            needed.extend(self.needed(value)?);
            needed.insert(word);
        }
        Some(needed)
    }

    /// The token before which an expression ends: one of `signs`, or the bracket around it.
    fn end_of(&self, from: usize, signs: &[&str]) -> usize {
        let mut depth = 0_i32;
        for at in from..self.tokens.len() {
            let nesting = self.nesting(at);
            let is_sign = signs.iter().any(|sign| self.is(at, sign));
            if depth == 0 && (nesting < 0 || is_sign) || self.kind(at) == Kind::End {
                return at;
            }
            depth += nesting;
        }
        self.tokens.len() - 1
    }

    /// A name for a part's table that no other has.
    fn name(&self, reference: &Reference, parts: &[Part]) -> String {
        let plain = format!("{}.{}", reference.workspace, reference.table);
        let plain = plain.replace(['\'', '"', '\\'], "_");
        let is_free =
            |name: &String| !(self.is_here)(name) && parts.iter().all(|part| part.table != *name);
        let others = (2..=MOST + 1).map(|number| format!("{plain} {number}"));
        let mut all = std::iter::once(plain.clone()).chain(others);
        all.find(is_free).unwrap_or(plain)
    }

    fn operator(&self, at: usize) -> &'t str {
        let last = at + operator_length(self.text, self.tokens, at).max(1) - 1;
        let place = self.span(at).start..self.span(last).end;
        self.text.get(place).unwrap_or_default()
    }

    fn nesting(&self, at: usize) -> i32 {
        match self.piece(at) {
            _ if self.kind(at) != Kind::Punctuation => 0,
            "(" | "[" | "{" => 1,
            ")" | "]" | "}" => -1,
            _ => 0,
        }
    }

    fn kind(&self, at: usize) -> Kind {
        self.tokens.get(at).map_or(Kind::End, |token| token.kind)
    }

    fn span(&self, at: usize) -> Span {
        let end = Span::new(self.text.len(), self.text.len());
        self.tokens.get(at).map_or(end, |token| token.span)
    }

    fn piece(&self, at: usize) -> &'t str {
        self.text.get(self.span(at).range()).unwrap_or_default()
    }

    /// The word at a token; empty where it is none.
    fn word(&self, at: usize) -> &'t str {
        match self.kind(at) {
            Kind::Word => self.piece(at),
            _ => "",
        }
    }

    fn string(&self, at: usize) -> Option<String> {
        (self.kind(at) == Kind::String).then(|| string_value(self.piece(at)))
    }

    fn is(&self, at: usize, sign: &str) -> bool {
        self.kind(at) == Kind::Punctuation && self.piece(at) == sign
    }
}

/// Puts `text` at the beginning of a place, and spaces behind it.
fn fill(whole: &mut String, place: Range<usize>, text: &str) {
    let blanks = blank(&whole[place.clone()]);
    let rest = blanks.get(text.len()..).unwrap_or_default();
    whole.replace_range(place, &format!("{text}{rest}"));
}

/// A text with spaces for all but some places of it.
fn only(text: &str, places: &[Range<usize>]) -> String {
    let mut kept = blank(text);
    for place in places {
        kept.replace_range(place.clone(), &text[place.clone()]);
    }
    kept
}

fn blank(text: &str) -> String {
    let space = |byte| if byte == b'\n' { '\n' } else { ' ' };
    text.bytes().map(space).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use expect_test::{Expect, expect};

    use super::*;

    /// Each part's workspace, table and query, then the rest, with single spaces.
    fn check(text: &str, want: Expect) {
        let is_here = |name: &str| matches!(name, "hits" | "beacons");
        let told = match across(text, &is_here, &|workspace| workspace == "local") {
            Ok(None) => "nothing".to_owned(),
            Ok(Some(found)) => {
                let squeezed = |query: &str| {
                    assert_eq!(query.len(), text.len());
                    query.split_whitespace().collect::<Vec<_>>().join(" ")
                };
                let part = |part: &Part| {
                    let query = squeezed(&part.query);
                    format!("{} as {}: {query}\n", part.workspace, part.table)
                };
                let parts: String = found.parts.iter().map(part).collect();
                format!("{parts}here: {}", squeezed(&found.rest))
            }
            Err(problem) => format!("{:?}: {}", &text[problem.span], problem.message),
        };
        want.assert_eq(&told);
    }

    #[test]
    fn a_table_takes_the_operators_behind_it_along() {
        check("SigninLogs | count", expect!["nothing"]);
        check(
            "workspace('local').hits | count",
            expect!["here: hits | count"],
        );
        check(
            "union workspace('a').T, workspace('a').T",
            expect![[r#"
                a as a.T: T
                a as a.T 2: T
                here: union ['a.T'] , ['a.T 2']"#]],
        );
        check(
            "workspace(\"a\").SigninLogs\n| where Result != '0' // failures\n| summarize n = count() by User\n| render barchart",
            expect![[r#"
                a as a.SigninLogs: SigninLogs | where Result != '0' // failures | summarize n = count() by User
                here: ['a.SigninLogs'] | render barchart"#]],
        );
        check(
            "workspace('a').table('T') | where x in (hits) | count",
            expect![[r#"
                a as a.T: table('T')
                here: ['a.T'] | where x in (hits) | count"#]],
        );
        check(
            "workspace('a')['b c'] | count",
            expect![[r#""workspace('a')": a table of the workspace follows"#]],
        );
        check(
            "workspace('a').['b c'] | evaluate beacons(x)",
            expect![[r#"
                a as a.b c: ['b c']
                here: ['a.b c'] | evaluate beacons(x)"#]],
        );
    }

    #[test]
    fn operators_behind_a_union_or_an_argument_are_not_the_tables() {
        check(
            "union workspace('a').T, workspace('b').T, (workspace('b').U | take 5) | where x > 1",
            expect![[r#"
                a as a.T: T
                b as b.T: T
                b as b.U: U | take 5
                here: union ['a.T'] , ['b.T'] , (['b.U'] ) | where x > 1"#]],
        );
        check(
            "let f = (d: timespan) { workspace('a').T | where At > ago(d) | count }; f(1d)",
            expect![[r#"
                a as a.T: T
                here: let f = (d: timespan) { ['a.T'] | where At > ago(d) | count }; f(1d)"#]],
        );
        check(
            "hits | join kind=inner (workspace('a').T | where b == 2 | project c) on c",
            expect![[r#"
                a as a.T: T | where b == 2 | project c
                here: hits | join kind=inner (['a.T'] ) on c"#]],
        );
    }

    #[test]
    fn what_the_operators_need_goes_along() {
        check(
            "let since = ago(2 * span); let span = 1d; let names = dynamic(['x']); let t = hits | project n;\nworkspace('a').T | where n in (names) | where At > since | where n in (t)",
            expect![[r#"
                a as a.T: let names = dynamic(['x']); T | where n in (names)
                here: let since = ago(2 * span); let span = 1d; let names = dynamic(['x']); let t = hits | project n; ['a.T'] | where At > since | where n in (t)"#]],
        );
    }

    #[test]
    fn an_order_that_is_built_upon_is_made_here() {
        check(
            "workspace('a').T | where x | sort by y | extend z = prev(y) | where z in (hits)",
            expect![[r#"
                a as a.T: T | where x
                here: ['a.T'] | sort by y | extend z = prev(y) | where z in (hits)"#]],
        );
        check(
            "workspace('a').T | sort by y | render table",
            expect![[r#"
                a as a.T: T | sort by y
                here: ['a.T'] | render table"#]],
        );
    }

    #[test]
    fn mistakes_are_told_in_their_place() {
        check(
            "workspace(x).T",
            expect![[r#""workspace(x)": workspace() takes a workspace's name in quotes"#]],
        );
        check(
            "workspace('a') | count",
            expect![[r#""workspace('a')": a table of the workspace follows"#]],
        );
        check(
            "workspace(",
            expect![[r#""workspace(": workspace() takes a workspace's name in quotes"#]],
        );
        check("print workspace = 1", expect!["nothing"]);
    }
}
