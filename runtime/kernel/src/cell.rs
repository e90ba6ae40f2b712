//! What a code cell is: Python or KQL, and of a KQL cell its options.
//!
//! A cell whose first line that is not blank begins with `%%kql` is KQL; all else is Python.
//! `%%kql host` has the query run by the provider `host`, `%%kql --workspace NAME` by that workspace of the driver's
//! configuration; after `host` the query begins on a line of its own.
//! What is not query (the magic, its options, `name <<`, `>> name`) is blanked out rather than
//! cut, so that every place in the query is the same place in the cell.

use std::ops::Range;

use spoor_kql_syntax::{Diagnostic, TokenKind, did_you_mean, highlight};
use spoor_protocol::Provider;

use crate::workspaces::Wanted;

const MAGIC: &str = "%%kql";

/// The word for the provider of that name.
const HOST: &str = "host";

/// The options that take a value.
const OPTIONS: [&str; 3] = ["--as", "--workspace", "--timespan"];

/// A cell's source, read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    /// Nothing but space.
    Blank,
    /// Python, with whatever IPython adds to it.
    Python,
    /// KQL.
    Kql(KqlCell),
}

/// A KQL cell.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct KqlCell {
    /// The cell's source, as long as it was, with spaces for what is not query.
    pub query: String,
    /// The name to keep the result by.
    pub keep: Option<String>,
    /// Who is to run it.
    pub wanted: Wanted,
}

impl KqlCell {
    /// Whether there is nothing but space and comments.
    pub(crate) fn is_empty(&self) -> bool {
        highlight(&self.query)
            .iter()
            .all(|(_, kind)| *kind == TokenKind::Comment)
    }
}

impl Cell {
    /// The language's name in messages' metadata.
    pub(crate) fn language(&self) -> &'static str {
        if matches!(self, Cell::Kql(_)) {
            "kql"
        } else {
            "python"
        }
    }
}

/// Whether a source is KQL, whatever its options say.
pub(crate) fn is_kql(source: &str) -> bool {
    let rest = source.trim_start().strip_prefix(MAGIC);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
}

/// A query that stands alone, without a line `%%kql`.
pub(crate) fn bare(query: &str) -> KqlCell {
    KqlCell {
        query: query.to_string(),
        keep: None,
        wanted: Wanted::default(),
    }
}

/// Where the magic stands in a source that is KQL.
pub(crate) fn magic(source: &str) -> Range<usize> {
    let start = source.len() - source.trim_start().len();
    start..start + MAGIC.len()
}

/// Reads a cell's source. Fails on an option that does not exist or a name that cannot be one.
pub(crate) fn read(source: &str) -> Result<Cell, Diagnostic> {
    if source.trim().is_empty() {
        return Ok(Cell::Blank);
    }
    if !is_kql(source) {
        return Ok(Cell::Python);
    }
    let mut text = Masked {
        text: source.to_string(),
        keep: None,
        wanted: Wanted::default(),
    };
    let magic = magic(source);
    text.blank(magic.clone());
    text.options(magic.end)?;
    text.assignment()?;
    text.redirection()?;
    Ok(Cell::Kql(KqlCell {
        query: text.text,
        keep: text.keep,
        wanted: text.wanted,
    }))
}

struct Masked {
    text: String,
    keep: Option<String>,
    wanted: Wanted,
}

impl Masked {
    /// Has the query run by `provider`, and by no other.
    fn run_by(&mut self, provider: Provider, span: Range<usize>) -> Result<(), Diagnostic> {
        if let Some(first) = &self.wanted.provider {
            let message = format!("the query is to be run by two, {first} and {provider}");
            return Err(Diagnostic::error(span, message).hint("name one of them"));
        }
        self.wanted.provider = Some(provider);
        Ok(())
    }

    fn blank(&mut self, range: Range<usize>) {
        let blanks = self.text[range.clone()]
            .bytes()
            .map(|b| if b == b'\n' { '\n' } else { ' ' });
        let blanks: String = blanks.collect();
        self.text.replace_range(range, &blanks);
    }

    fn keep(&mut self, name: String, span: Range<usize>) -> Result<(), Diagnostic> {
        check_name(&name).map_err(|message| Diagnostic::error(span.clone(), message))?;
        if let Some(first) = &self.keep {
            let message = format!("the result is to be kept by two names, '{first}' and '{name}'");
            return Err(Diagnostic::error(span, message).hint("keep it by one of them"));
        }
        self.keep = Some(name);
        Ok(())
    }

    /// The options after `%%kql`, up to the end of its line or the first word that is none.
    fn options(&mut self, mut at: usize) -> Result<(), Diagnostic> {
        while let Some(span) = self.word(at) {
            let word = self.text[span.clone()].to_string();
            if !word.starts_with('-') {
                if word != HOST || !self.only_options(span.end) {
                    return Ok(());
                }
                self.run_by(Provider::Host, span.clone())?;
                self.blank(span.clone());
                at = span.end;
                continue;
            }
            let name = word.split('=').next().unwrap_or_default();
            if !OPTIONS.contains(&name) {
                return Err(unknown_option(name, span));
            }
            let value = self.value(&span, name)?;
            at = value.end;
            self.option(name, value.clone())?;
            self.blank(span.start..value.end);
        }
        Ok(())
    }

    /// Takes an option and its value.
    fn option(&mut self, name: &str, value: Range<usize>) -> Result<(), Diagnostic> {
        let text = self.text[value.clone()]
            .trim_matches(['"', '\''])
            .to_string();
        match name {
            "--as" => self.keep(text, value),
            "--workspace" => self.run_by(Provider::Workspace(text), value),
            _ => {
                self.wanted.timespan = Some((text, value));
                Ok(())
            }
        }
    }

    /// The value of the option that stands at `word`: behind its `=`, or the next word. What is in quotes may hold spaces.
    fn value(&self, word: &Range<usize>, name: &str) -> Result<Range<usize>, Diagnostic> {
        let behind = word.start + name.len() + 1;
        let start = match self.text[word.clone()].contains('=') {
            true => behind,
            false => self.word(word.end).map_or(word.end, |next| next.start),
        };
        let line = self.text[start..].split('\n').next().unwrap_or_default();
        let quote = line.chars().next().filter(|c| matches!(c, '"' | '\''));
        let length = match quote {
            Some(quote) => line[1..].find(quote).map(|at| at + 2),
            None => line.split(char::is_whitespace).next().map(str::len),
        };
        match length {
            Some(length) if length > quote.map_or(0, |_| 2) => Ok(start..start + length),
            _ => Err(valueless(name, word.clone())),
        }
    }

    /// Whether nothing but options is left of the line: what begins there otherwise is a table of that name.
    fn only_options(&self, at: usize) -> bool {
        let line = self.text[at..].split('\n').next().unwrap_or_default();
        let mut words = line.split_whitespace();
        while let Some(word) = words.next() {
            if OPTIONS.contains(&word) {
                words.next();
            } else if !word.starts_with('-') {
                return false;
            }
        }
        true
    }

    /// The next word of the line that `at` is on.
    fn word(&self, at: usize) -> Option<Range<usize>> {
        let line = self.text[at..].split('\n').next().unwrap_or_default();
        let start = at + line.find(|c: char| !c.is_whitespace())?;
        let rest = self.text[start..at + line.len()]
            .split(char::is_whitespace)
            .next()?;
        Some(start..start + rest.len())
    }

    /// `name << query`, as Kqlmagic has it.
    fn assignment(&mut self) -> Result<(), Diagnostic> {
        let start = self.text.len() - self.text.trim_start().len();
        let name = leading_name(&self.text[start..]);
        let after = &self.text[start + name.len()..];
        let gap = after.len() - after.trim_start().len();
        if name.is_empty() || !after.trim_start().starts_with("<<") {
            return Ok(());
        }
        let end = start + name.len();
        self.keep(name.to_string(), start..end)?;
        self.blank(start..end + gap + 2);
        Ok(())
    }

    /// `query >> name` at the end.
    fn redirection(&mut self) -> Result<(), Diagnostic> {
        let Some(arrow) = self.last_arrow() else {
            return Ok(());
        };
        let tail = &self.text[arrow + 2..];
        let name = tail.trim();
        let start = arrow + 2 + (tail.len() - tail.trim_start().len());
        if name.is_empty() {
            return Err(nameless(arrow..arrow + 2));
        }
        self.keep(name.to_string(), start..start + name.len())?;
        self.blank(arrow..self.text.len());
        Ok(())
    }

    /// The last `>>` outside strings and comments. KQL has no such operator.
    fn last_arrow(&self) -> Option<usize> {
        let inside: Vec<_> = highlight(&self.text)
            .into_iter()
            .filter(|(_, kind)| {
                matches!(
                    kind,
                    TokenKind::String | TokenKind::Comment | TokenKind::Literal
                )
            })
            .map(|(span, _)| span)
            .collect();
        let arrows = self.text.rmatch_indices(">>").map(|(at, _)| at);
        arrows
            .into_iter()
            .find(|at| !inside.iter().any(|span| span.contains(at)))
    }
}

fn leading_name(text: &str) -> &str {
    let end = text
        .find(|c: char| !(c.is_alphanumeric() || c == '_'))
        .unwrap_or(text.len());
    &text[..end]
}

fn nameless(span: Range<usize>) -> Diagnostic {
    Diagnostic::error(span, "a name to keep the result by is missing")
        .hint("for example: %%kql --as suspects")
}

fn valueless(name: &str, span: Range<usize>) -> Diagnostic {
    let (what, example) = match name {
        "--as" => return nameless(span),
        "--workspace" => ("the workspace", "%%kql --workspace sentinel"),
        _ => ("the time span", "%%kql --workspace sentinel --timespan P1D"),
    };
    Diagnostic::error(span, format!("{name} lacks {what}")).hint(format!("for example: {example}"))
}

fn unknown_option(word: &str, span: Range<usize>) -> Diagnostic {
    let hint = did_you_mean(word, OPTIONS).unwrap_or_else(|| {
        "it has --as NAME, which keeps the result as a table and as a pandas frame, --workspace NAME, which has a workspace run \
         the query, and --timespan SPAN beside that"
            .into()
    });
    Diagnostic::error(span, format!("%%kql has no option '{word}'")).hint(hint)
}

/// Whether a result can be kept by `name`: it becomes a Python variable and a KQL table.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    const KEYWORDS: [&str; 35] = [
        "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class",
        "continue", "def", "del", "elif", "else", "except", "finally", "for", "from", "global",
        "if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return",
        "try", "while", "with", "yield",
    ];
    let first = name.chars().next();
    let named = first.is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    if !named || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(format!(
            "a result cannot be kept as '{name}': a name has letters, digits and _, and begins with no digit"
        ));
    }
    if KEYWORDS.contains(&name) {
        return Err(format!(
            "a result cannot be kept as '{name}', which is a word of Python's own"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use expect_test::{Expect, expect};

    fn check(source: &str, want: Expect) {
        let got = match read(source) {
            Ok(Cell::Kql(cell)) => {
                assert_eq!(cell.query.len(), source.len());
                let by = cell
                    .wanted
                    .provider
                    .map(|provider| format!("{provider} runs"));
                let over = cell.wanted.timespan.map(|(span, _)| format!("over {span}"));
                let by: String = [by, over]
                    .into_iter()
                    .flatten()
                    .map(|one| one + ", ")
                    .collect();
                format!("{by}keep {:?}: {:?}", cell.keep, cell.query.trim())
            }
            Ok(other) => format!("{other:?}"),
            Err(d) => format!(
                "{:?}: {} ({})",
                &source[d.span],
                d.message,
                d.hint.unwrap_or_default()
            ),
        };
        want.assert_eq(&got);
    }

    #[test]
    fn the_language_is_that_of_the_first_line() {
        check(" \n\t\n", expect!["Blank"]);
        check("x = 1\n%%kql\nT", expect!["Python"]);
        check("%%kqlx\nT", expect!["Python"]);
        check(
            "\n\n%%kql\nT | take 5",
            expect![[r#"keep None: "T | take 5""#]],
        );
        check("%%kql T | take 5", expect![[r#"keep None: "T | take 5""#]]);
        check("%%kql", expect![[r#"keep None: """#]]);
    }

    #[test]
    fn a_result_is_kept_by_option_or_arrow() {
        check("%%kql --as hits\nT", expect![[r#"keep Some("hits"): "T""#]]);
        check("%%kql --as=hits T", expect![[r#"keep Some("hits"): "T""#]]);
        check(
            "%%kql\nhits << T | take 1",
            expect![[r#"keep Some("hits"): "T | take 1""#]],
        );
        check(
            "%%kql\nT\n| take 1 >> hits\n",
            expect![[r#"keep Some("hits"): "T\n| take 1""#]],
        );
        check(
            "%%kql\nT | where a == 'x >> y'",
            expect![[r#"keep None: "T | where a == 'x >> y'""#]],
        );
        check("%%kql\nT // >> y", expect![[r#"keep None: "T // >> y""#]]);
    }

    #[test]
    fn a_provider_runs_what_begins_on_the_next_line() {
        let runs = "%%kql host\nT | take 5";
        check(runs, expect![[r#"host runs, keep None: "T | take 5""#]]);
        for kept in [
            "%%kql host --as hits\nT",
            "%%kql --as=hits host \nT",
            "%%kql --as hits host\r\nT",
            "%%kql host\nhits << T",
            "%%kql host\nT >> hits",
        ] {
            check(kept, expect![[r#"host runs, keep Some("hits"): "T""#]]);
        }
        // A table of that name.
        check(
            "%%kql host | take 5",
            expect![[r#"keep None: "host | take 5""#]],
        );
        check("%%kql\nhost", expect![[r#"keep None: "host""#]]);
        check("%%kql hosts\n", expect![[r#"keep None: "hosts""#]]);
        check(
            "%%kql host --as 9\nT",
            expect![[
                r#""9": a result cannot be kept as '9': a name has letters, digits and _, and begins with no digit ()"#
            ]],
        );
    }

    #[test]
    fn a_workspace_runs_what_names_it() {
        let runs = "%%kql --workspace soc\nT | take 5";
        check(
            runs,
            expect![[r#"workspace 'soc' runs, keep None: "T | take 5""#]],
        );
        check(
            "%%kql --as hits --workspace=\"SOC west\" --timespan P1D T",
            expect![[r#"workspace 'SOC west' runs, over P1D, keep Some("hits"): "T""#]],
        );
        check(
            "%%kql --workspace\nT",
            expect![[
                r#""--workspace": --workspace lacks the workspace (for example: %%kql --workspace sentinel)"#
            ]],
        );
        check(
            "%%kql --workspace 'soc\nT",
            expect![[
                r#""--workspace": --workspace lacks the workspace (for example: %%kql --workspace sentinel)"#
            ]],
        );
        check(
            "%%kql --timespan P1D\nT",
            expect![[r#"over P1D, keep None: "T""#]],
        );
        check(
            "%%kql host --workspace soc\nT",
            expect![[
                r#""soc": the query is to be run by two, host and workspace 'soc' (name one of them)"#
            ]],
        );
    }

    #[test]
    fn mistakes_are_named() {
        check(
            "%%kql --at x\nT",
            expect![[r#""--at": %%kql has no option '--at' (did you mean `--as`?)"#]],
        );
        check(
            "%%kql --as\nT",
            expect![[
                r#""--as": a name to keep the result by is missing (for example: %%kql --as suspects)"#
            ]],
        );
        check(
            "%%kql --as 9a\nT",
            expect![[
                r#""9a": a result cannot be kept as '9a': a name has letters, digits and _, and begins with no digit ()"#
            ]],
        );
        check(
            "%%kql --as class\nT",
            expect![[
                r#""class": a result cannot be kept as 'class', which is a word of Python's own ()"#
            ]],
        );
        check(
            "%%kql --as a\nT >> b",
            expect![[
                r#""b": the result is to be kept by two names, 'a' and 'b' (keep it by one of them)"#
            ]],
        );
        check(
            "%%kql\nT >>",
            expect![[
                r#"">>": a name to keep the result by is missing (for example: %%kql --as suspects)"#
            ]],
        );
    }
}
