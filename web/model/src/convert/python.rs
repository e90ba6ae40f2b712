//! A notebook as a Python script in the percent format: each cell under a `# %%` line.
//!
//! Markdown and raw cells become comments under `# %% [markdown]` and `# %% [raw]`. A KQL cell
//! becomes a call, `hits = kql(r"""...""")` with the name that it keeps its result by, so that the
//! script runs where the package `spoor` is. Python goes in as it is; lines of IPython's own (`%magic`,
//! `!command`) become comments, and so do whole cells in other languages (`%%bash`).

use spoor_notebook::{Cell, CellKind, Notebook};

use crate::document::{Kind, kept_name, split_kql};

/// The script.
pub fn to_python(notebook: &Notebook) -> String {
    let mut script = String::new();
    if let Some(title) = notebook.title() {
        script += &comment(&title);
        script += "\n\n";
    }
    if notebook
        .cells
        .iter()
        .any(|cell| Kind::of(cell) == Kind::Kql)
    {
        script += "from spoor import kql\n\n";
    }
    let cells: Vec<String> = notebook.cells.iter().map(cell).collect();
    script + &cells.join("\n\n") + "\n"
}

fn cell(cell: &Cell) -> String {
    let source = cell.source.trim_end();
    match Kind::of(cell) {
        Kind::Markdown => format!("# %% [markdown]\n{}", comment(source)),
        Kind::Kql => format!("# %%\n{}", kql_call(source)),
        Kind::Code => format!("# %%\n{}", python(source)),
        Kind::Raw => format!("# %% [raw]\n{}", comment(source)),
        Kind::Other => match &cell.kind {
            CellKind::Other(name) => format!("# %% [{}]\n{}", one_line(name), comment(source)),
            _ => comment(source),
        },
    }
}

/// Each line after a `#`.
fn comment(text: &str) -> String {
    let lines = split_lines(text).map(|line| match line.trim_end() {
        "" => "#".to_owned(),
        line => format!("# {line}"),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Lines as Python ends them, which a comment must not run past.
fn split_lines(text: &str) -> impl Iterator<Item = &str> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.split('\n')
        .flat_map(|line| line.split(['\r', '\u{c}']))
}

fn one_line(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

fn kql_call(source: &str) -> String {
    let query = split_kql(source).map_or(source, |(_, query)| query);
    let literal = literal(query.trim_matches(['\n', '\r']));
    match kept_name(source).filter(|name| is_name(name)) {
        Some(name) => format!("{name} = kql({literal})"),
        None => format!("kql({literal})"),
    }
}

fn is_name(name: &str) -> bool {
    let letter = |c: char| c.is_alphabetic() || c == '_';
    name.starts_with(letter) && name.chars().all(|c| letter(c) || c.is_numeric())
}

/// A Python literal of the text: raw where that can hold it, since queries are full of backslashes.
fn literal(text: &str) -> String {
    let raw = !text.contains("\"\"\"") && !text.ends_with(['"', '\\']) && !text.contains('\r');
    if raw {
        return format!("r\"\"\"\n{text}\n\"\"\"");
    }
    let escaped = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\r', "\\r");
    format!("\"\"\"\n{escaped}\n\"\"\"")
}

/// Python, with what only IPython knows as comments.
fn python(source: &str) -> String {
    if let Some(magic) = source.trim_start().strip_prefix("%%") {
        return match magic.split_whitespace().next() {
            // The rest of these cells is Python.
            Some("time" | "timeit" | "capture" | "prun") => {
                let (first, rest) = source.trim_start().split_once('\n').unwrap_or((source, ""));
                format!("{}\n{}", comment(first), python(rest))
            }
            _ => comment(source),
        };
    }
    let mut strings = Strings::default();
    let lines = source.split('\n').map(|line| {
        let code = !strings.inside();
        strings.pass(line);
        if code && is_magic(line) {
            as_comment(line)
        } else {
            line.to_owned()
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn is_magic(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with(['%', '!', '?'])
        || (line.ends_with('?') && !line.starts_with('#') && !line.contains(['"', '\'', '#']))
}

/// A comment at the line's indentation, after `pass`, so that a block of magics alone is a block.
fn as_comment(line: &str) -> String {
    let text = line.trim_start();
    let indent = &line[..line.len() - text.len()];
    let pass = if indent.is_empty() { "" } else { "pass  " };
    format!("{indent}{pass}# {text}")
}

/// Whether a line begins inside a string of three quotes.
#[derive(Default)]
struct Strings {
    open: Option<&'static str>,
}

impl Strings {
    fn inside(&self) -> bool {
        self.open.is_some()
    }

    fn pass(&mut self, line: &str) {
        let mut rest = line;
        while !rest.is_empty() {
            rest = match self.open {
                Some(quotes) => self.to_end(rest, quotes),
                None => self.to_start(rest),
            };
        }
    }

    /// Goes past the end of the open string, or of the line.
    fn to_end<'l>(&mut self, rest: &'l str, quotes: &str) -> &'l str {
        if let Some(after) = rest.strip_prefix(quotes) {
            self.open = None;
            return after;
        }
        let escaped = usize::from(rest.starts_with('\\'));
        skip(rest, 1 + escaped)
    }

    /// Goes past one character, one short string, or into a long one.
    fn to_start<'l>(&mut self, rest: &'l str) -> &'l str {
        for quotes in ["\"\"\"", "'''"] {
            if let Some(after) = rest.strip_prefix(quotes) {
                self.open = Some(quotes);
                return after;
            }
        }
        match rest.chars().next() {
            Some('#') | None => "",
            Some(quote @ ('"' | '\'')) => past_short(&rest[1..], quote),
            Some(_) => skip(rest, 1),
        }
    }
}

fn past_short(mut rest: &str, quote: char) -> &str {
    while let Some(char) = rest.chars().next() {
        rest = skip(rest, if char == '\\' { 2 } else { 1 });
        if char == quote {
            return rest;
        }
    }
    rest
}

fn skip(text: &str, chars: usize) -> &str {
    let mut rest = text.chars();
    for _ in 0..chars {
        rest.next();
    }
    rest.as_str()
}

#[cfg(test)]
mod tests;
