//! Parameters in papermill's manner: `name=value` becomes an assignment in a cell after the one
//! tagged `parameters`. `spoor run -p` calls this; the notebook is changed in memory alone.

use serde_json::Value;

use crate::language::Language;
use crate::model::{Cell, CellKind, Notebook};

const PARAMETERS: &str = "parameters";
const INJECTED: &str = "injected-parameters";

/// Python's keywords: no parameter can have one for its name.
const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue",
    "def", "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import",
    "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while",
    "with", "yield",
];

/// Names and the Python literals that they are to have, in the order given; of a name given twice
/// the last value holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parameters {
    values: Vec<(String, String)>,
}

/// What [`Parameters::inject`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Injected {
    /// The index of the cell with the values.
    pub cell: usize,
    /// Whether the notebook has a cell tagged `parameters`; without one the values come first.
    pub has_parameters_cell: bool,
    /// Names that the notebook's `parameters` cell does not assign: misspelt, perhaps.
    pub unknown: Vec<String>,
}

/// Why parameters were refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    /// An argument is not of the form `name=value`.
    #[error("parameter `{0}`: expected name=value")]
    NoEquals(String),
    /// A name cannot be a variable's.
    #[error("parameter `{0}`: not a name that a Python variable can have")]
    Name(String),
    /// The notebook's kernel speaks another language.
    #[error("parameters need a Python notebook, and this one's kernel speaks {0}")]
    Language(String),
}

impl Parameters {
    /// From `name=value` arguments. Values are typed as papermill types them: `True`, `False` and
    /// `None`, whole numbers, numbers, and all else as text.
    ///
    /// # Errors
    /// Where an argument has no `=`, or a name is not a Python identifier.
    pub fn from_args<S: AsRef<str>>(
        args: impl IntoIterator<Item = S>,
    ) -> Result<Self, ParameterError> {
        let mut values: Vec<(String, String)> = Vec::new();
        for arg in args {
            let arg = arg.as_ref();
            let (name, value) = arg
                .split_once('=')
                .ok_or_else(|| ParameterError::NoEquals(arg.to_owned()))?;
            let name = name.trim();
            if !is_identifier(name) {
                return Err(ParameterError::Name(name.to_owned()));
            }
            values.retain(|(other, _)| other != name);
            values.push((name.to_owned(), literal(value)));
        }
        Ok(Self { values })
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Names and Python literals.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Puts the values into the notebook: in place of the cell of an earlier injection, else after
    /// the `parameters` cell, else at the top. KQL cells are left alone.
    ///
    /// # Errors
    /// Where the notebook's kernel does not speak Python.
    pub fn inject(&self, notebook: &mut Notebook) -> Result<Injected, ParameterError> {
        let language = notebook.language();
        if !matches!(language, Language::Python | Language::Kql) {
            return Err(ParameterError::Language(language.label().to_owned()));
        }
        let declared = tagged(notebook, PARAMETERS, &language);
        let earlier = tagged(notebook, INJECTED, &language);
        let unknown =
            declared.map_or_else(Vec::new, |cell| self.unknown(&notebook.cells[cell].source));
        let mut cell = self.cell();
        let index = match (earlier, declared) {
            (Some(index), _) => {
                cell.id = notebook.cells[index].id.take();
                notebook.cells[index] = cell;
                index
            }
            (None, place) => {
                let index = place.map_or(0, |index| index + 1);
                notebook.cells.insert(index, cell);
                index
            }
        };
        Ok(Injected {
            cell: index,
            has_parameters_cell: declared.is_some(),
            unknown,
        })
    }

    fn cell(&self) -> Cell {
        let lines: Vec<String> = self
            .iter()
            .map(|(name, value)| format!("\n{name} = {value}"))
            .collect();
        let mut cell = Cell::code(format!("# Parameters{}", lines.concat()));
        cell.metadata
            .insert("tags".to_owned(), Value::from(vec![INJECTED]));
        cell
    }

    fn unknown(&self, declaration: &str) -> Vec<String> {
        let assigned: Vec<&str> = declaration.lines().flat_map(assigned_names).collect();
        self.iter()
            .map(|(name, _)| name)
            .filter(|name| !assigned.contains(name))
            .map(str::to_owned)
            .collect()
    }
}

/// The first Python code cell with the tag.
fn tagged(notebook: &Notebook, tag: &str, default: &Language) -> Option<usize> {
    let is_python = |cell: &Cell| {
        matches!(cell.kind, CellKind::Code { .. }) && cell.language(default) != Language::Kql
    };
    notebook
        .cells
        .iter()
        .position(|cell| cell.has_tag(tag) && is_python(cell))
}

/// The names that a line such as `days: int = 7; user = ''` assigns.
fn assigned_names(line: &str) -> impl Iterator<Item = &str> {
    let (first, rest) = line.split_once(';').unwrap_or((line, ""));
    let rest = rest.split(';').map(str::trim_start);
    std::iter::once(first).chain(rest).filter_map(assigned_name)
}

fn assigned_name(statement: &str) -> Option<&str> {
    let (target, value) = statement.split_once('=')?;
    let name = target.split(':').next().unwrap_or(target).trim_end();
    (is_identifier(name) && !value.starts_with('=')).then_some(name)
}

fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && chars.all(|c| c.is_alphanumeric() || c == '_')
        && !KEYWORDS.contains(&name)
}

fn literal(value: &str) -> String {
    match value {
        "True" | "False" | "None" => value.to_owned(),
        _ => integer(value)
            .or_else(|| float(value))
            .unwrap_or_else(|| quoted(value)),
    }
}

/// What Python's `int()` takes, as it prints it.
fn integer(value: &str) -> Option<String> {
    let value = value.trim();
    let (sign, digits) = match value.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", value.strip_prefix('+').unwrap_or(value)),
    };
    let digits = without_underscores(digits)?;
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let digits = digits.trim_start_matches('0');
    Some(if digits.is_empty() {
        "0".to_owned()
    } else {
        format!("{sign}{digits}")
    })
}

/// What Python's `float()` takes, as a literal or a call that gives it.
fn float(value: &str) -> Option<String> {
    let number: f64 = without_underscores(value.trim())?.parse().ok()?;
    Some(if number.is_nan() {
        "float('nan')".to_owned()
    } else if number.is_infinite() {
        format!("float('{}inf')", if number < 0.0 { "-" } else { "" })
    } else {
        format!("{number:?}")
    })
}

/// Python allows single underscores between digits.
fn without_underscores(digits: &str) -> Option<String> {
    let parts: Vec<&str> = digits.split('_').collect();
    let is_between = |part: &&str| {
        part.starts_with(|c: char| c.is_ascii_digit())
            && part.ends_with(|c: char| c.is_ascii_digit())
    };
    (parts.len() == 1 || parts.iter().all(is_between)).then(|| parts.concat())
}

fn quoted(value: &str) -> String {
    let mut out = String::from('"');
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn values_are_typed_as_papermill_types_them() {
        let of = |value: &str| {
            Parameters::from_args([format!("x={value}")])
                .unwrap()
                .values[0]
                .1
                .clone()
        };
        for (value, expected) in [
            ("True", "True"),
            ("true", "\"true\""),
            ("None", "None"),
            ("7", "7"),
            ("-007", "-7"),
            ("1_000", "1000"),
            ("1__0", "\"1__0\""),
            (
                "123456789012345678901234567890",
                "123456789012345678901234567890",
            ),
            ("0.5", "0.5"),
            ("1e5", "100000.0"),
            ("nan", "float('nan')"),
            ("-inf", "float('-inf')"),
            ("", "\"\""),
            ("a=b", "\"a=b\""),
            ("C:\\new \"x\"\n", "\"C:\\\\new \\\"x\\\"\\n\""),
            ("été", "\"été\""),
            ("\u{1}", "\"\\u0001\""),
        ] {
            assert_eq!(of(value), expected, "{value}");
        }
    }

    #[test]
    fn names_are_checked() {
        assert_eq!(
            Parameters::from_args(["x"]),
            Err(ParameterError::NoEquals("x".to_owned()))
        );
        for name in ["1x", "", "x y", "class", "x;import os"] {
            assert_eq!(
                Parameters::from_args([format!("{name}=1")]),
                Err(ParameterError::Name(name.to_owned()))
            );
        }
    }

    fn notebook() -> Notebook {
        let mut notebook = Notebook::new();
        let mut parameters = Cell::code("days = 7\nhost: str = 'a'\n# host == 1");
        parameters
            .metadata
            .insert("tags".to_owned(), Value::from(vec!["parameters"]));
        let mut kql = Cell::code("%%kql\nT");
        kql.metadata = parameters.metadata.clone();
        notebook.cells = vec![
            Cell::markdown("# T"),
            kql,
            parameters,
            Cell::code("print(days)"),
        ];
        notebook
    }

    #[test]
    fn injects_after_the_parameters_cell_and_replaces_itself() {
        let mut notebook = notebook();
        let first = Parameters::from_args(["days=1", "hosts=b", "days=2"]).unwrap();
        let done = first.inject(&mut notebook).unwrap();
        assert_eq!(
            done,
            Injected {
                cell: 3,
                has_parameters_cell: true,
                unknown: vec!["hosts".to_owned()]
            }
        );
        assert_eq!(
            notebook.cells[3].source,
            "# Parameters\nhosts = \"b\"\ndays = 2"
        );
        assert!(notebook.cells[3].has_tag("injected-parameters"));
        let done = Parameters::from_args(["host=c"])
            .unwrap()
            .inject(&mut notebook)
            .unwrap();
        assert_eq!(
            (done.cell, notebook.cells.len(), done.unknown.len()),
            (3, 5, 0)
        );
        assert_eq!(notebook.cells[3].source, "# Parameters\nhost = \"c\"");
    }

    #[test]
    fn without_a_parameters_cell_values_come_first() {
        let mut notebook = Notebook::new();
        notebook.cells = vec![Cell::code("x")];
        let done = Parameters::from_args(["x=1"])
            .unwrap()
            .inject(&mut notebook)
            .unwrap();
        assert_eq!((done.cell, done.has_parameters_cell), (0, false));
        notebook.metadata = serde_json::from_str(r#"{"language_info": {"name": "R"}}"#).unwrap();
        let refused = Parameters::default().inject(&mut notebook);
        assert_eq!(refused, Err(ParameterError::Language("R".to_owned())));
    }

    #[test]
    fn statements_of_one_line_assign_each_their_name() {
        let names = |line: &'static str| assigned_names(line).collect::<Vec<_>>();
        assert_eq!(
            names("days: int = 7; user='ana';print(1)"),
            ["days", "user"]
        );
        assert!(names("    inner = 1").is_empty());
        assert!(names("days == 7").is_empty());
    }
}
