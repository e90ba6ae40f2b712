//! Which language a cell is in.

use serde_json::Value;

use crate::model::{Cell, Notebook};

/// A cell's language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Language {
    /// Python.
    Python,
    /// The Kusto Query Language.
    Kql,
    /// Another one, by its lower-case name (`r`, `bash`, `sql`, `csharp` ...).
    Other(String),
}

impl Language {
    /// From a name as kernels, magics and Markdown fences write it.
    pub fn from_name(name: &str) -> Self {
        let name = name.trim().to_ascii_lowercase();
        match name.as_str() {
            "python" | "python3" | "python2" | "ipython" | "ipython3" | "py" | "py3"
            | "pyspark" => Self::Python,
            "kql" | "kusto" | "csl" => Self::Kql,
            _ => Self::Other(name),
        }
    }

    /// The name to show: `Python`, `KQL`, `R`, `SQL` ...
    pub fn label(&self) -> &str {
        match self {
            Self::Python => "Python",
            Self::Kql => "KQL",
            Self::Other(name) => match name.as_str() {
                "r" => "R",
                "sql" => "SQL",
                "c#" | "csharp" => "C#",
                "f#" | "fsharp" => "F#",
                "html" => "HTML",
                "javascript" | "js" => "JavaScript",
                "pwsh" | "powershell" => "PowerShell",
                "bash" | "sh" | "shell" => "Shell",
                other => other,
            },
        }
    }
}

impl Cell {
    /// The language of a code cell in a notebook whose own language is `default`: the cell magic on
    /// its first line that is not blank (`%%kql`, `%%bash` ...), else what editors note in the
    /// cell's metadata, else the default.
    pub fn language(&self, default: &Language) -> Language {
        magic_language(&self.source)
            .or_else(|| noted_language(self))
            .unwrap_or_else(|| default.clone())
    }
}

impl Notebook {
    /// The language of the notebook's kernel: from `language_info`, else `kernelspec`, else Python.
    pub fn language(&self) -> Language {
        let name = |section: &str, key: &str| self.metadata.get(section)?.get(key)?.as_str();
        let kernel_is_kql = name("kernelspec", "name")
            .is_some_and(|name| Language::from_name(name) == Language::Kql);
        if kernel_is_kql {
            return Language::Kql;
        }
        name("language_info", "name")
            .or_else(|| name("kernelspec", "language"))
            .map_or(Language::Python, Language::from_name)
    }
}

/// The first word of a cell magic: `%%kql --as x` gives `kql`.
pub(crate) fn cell_magic(source: &str) -> Option<&str> {
    let line = source.lines().find(|line| !line.trim().is_empty())?;
    let word = line
        .trim_start()
        .strip_prefix("%%")?
        .split_whitespace()
        .next()?;
    Some(word)
}

fn magic_language(source: &str) -> Option<Language> {
    let name = match cell_magic(source)? {
        "script" => source.split_whitespace().nth(1)?,
        "sh" | "bash" | "!" => "bash",
        "js" | "javascript" => "javascript",
        "svg" | "html" | "HTML" => "html",
        "latex" | "markdown" | "perl" | "ruby" | "sql" | "bigquery" | "R" | "kql" | "kusto"
        | "pwsh" | "powershell" | "cmd" | "csharp" | "fsharp" | "julia" | "spark" | "pyspark"
        | "python" | "python3" => cell_magic(source)?,
        _ => return None,
    };
    Some(Language::from_name(name))
}

/// Visual Studio Code, .NET Interactive and Azure Data Studio note a cell's language in metadata.
fn noted_language(cell: &Cell) -> Option<Language> {
    let noted = [
        ("vscode", "languageId"),
        ("polyglot_notebook", "kernelName"),
        ("dotnet_interactive", "language"),
    ];
    let nested = noted
        .iter()
        .find_map(|(section, key)| cell.metadata.get(*section)?.get(*key)?.as_str());
    let name = nested.or_else(|| cell.metadata.get("language").and_then(Value::as_str))?;
    Some(Language::from_name(name)).filter(|_| !name.is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_first_line_decides() {
        let of = |source: &str| Cell::code(source).language(&Language::Python);
        assert_eq!(of("\n\n%%kql --as x\nT | take 1"), Language::Kql);
        assert_eq!(of("%%time\nx = 1"), Language::Python);
        assert_eq!(of("%%bash\nls"), Language::Other("bash".to_owned()));
        assert_eq!(of("# %%kql"), Language::Python);
        assert_eq!(of(""), Language::Python);
        assert_eq!(of("%%"), Language::Python);
    }

    #[test]
    fn kernels_and_editors_name_it() {
        let mut notebook = Notebook::new();
        assert_eq!(notebook.language(), Language::Python);
        let metadata = r#"{"kernelspec": {"language": "R", "name": "ir"}}"#;
        notebook.metadata = serde_json::from_str(metadata).unwrap();
        assert_eq!(notebook.language(), Language::Other("r".to_owned()));
        let mut cell = Cell::code("T | count");
        cell.metadata =
            serde_json::from_str(r#"{"polyglot_notebook": {"kernelName": "kql"}}"#).unwrap();
        assert_eq!(cell.language(&Language::Python), Language::Kql);
    }
}
