//! What a cell is to its reader: nbformat's type, with KQL told apart from Python.
//!
//! A KQL cell is a code cell whose first line that is not blank begins with the word `%%kql`, as the
//! kernel has it. So the file stays an ordinary notebook, and changing a cell's language changes its text.

use spoor_notebook::{Cell, CellKind};

const MAGIC: &str = "%%kql";

/// Who can run a query in the kernel's stead.
const PROVIDERS: [&str; 1] = ["host"];

/// What a cell is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A code cell in the notebook's own language: Python.
    Code,
    /// A code cell that begins with `%%kql`.
    Kql,
    /// Markdown.
    Markdown,
    /// Text for some other converter.
    Raw,
    /// A type that nbformat does not have: shown as text, kept as it is.
    Other,
}

impl Kind {
    /// The kind of a cell.
    pub fn of(cell: &Cell) -> Self {
        match &cell.kind {
            CellKind::Code { .. } if is_kql(&cell.source) => Self::Kql,
            CellKind::Code { .. } => Self::Code,
            CellKind::Markdown => Self::Markdown,
            CellKind::Raw => Self::Raw,
            CellKind::Other(_) => Self::Other,
        }
    }

    /// Whether it can be executed: Python or KQL.
    pub fn is_code(self) -> bool {
        matches!(self, Self::Code | Self::Kql)
    }

    /// The name to show.
    pub fn label(self) -> &'static str {
        match self {
            Self::Code => "Python",
            Self::Kql => "KQL",
            Self::Markdown => "Markdown",
            Self::Raw => "Raw",
            Self::Other => "Other",
        }
    }
}

/// Whether code is KQL by its first line.
pub fn is_kql(source: &str) -> bool {
    let Some(rest) = source.trim_start().strip_prefix(MAGIC) else {
        return false;
    };
    rest.chars().next().is_none_or(char::is_whitespace)
}

/// The text of a KQL cell in two: the line of `%%kql` with its options, and the query. `None` if it
/// is not KQL. A query that begins on the magic's own line stays with the query.
pub fn split_kql(source: &str) -> Option<(&str, &str)> {
    if !is_kql(source) {
        return None;
    }
    let mut at = source.len() - source.trim_start().len() + MAGIC.len();
    at += options(&source[at..]);
    let rest = &source[at..];
    let blanks = rest.len() - rest.trim_start_matches([' ', '\t', '\r']).len();
    let line_ends = rest[blanks..].starts_with('\n');
    at += blanks + usize::from(line_ends);
    Some(source.split_at(at))
}

/// The length of the options that `rest` begins with: `--as NAME`, `--as=NAME`, and the word of [`PROVIDERS`] that the
/// kernel takes for one, which has nothing but options beside it on its line.
fn options(rest: &str) -> usize {
    let line = rest.split('\n').next().unwrap_or_default();
    let mut end = flags(line, 0);
    if let Some((name, after)) = word(line, end)
        && PROVIDERS.contains(&name)
        && word(line, flags(line, after)).is_none()
    {
        end = flags(line, after);
    }
    end
}

/// Where the options end that `line` has from `at` on.
fn flags(line: &str, at: usize) -> usize {
    let mut end = at;
    while let Some((option, after)) = word(line, end)
        && option.starts_with('-')
    {
        end = after;
        if option == "--as"
            && let Some((_, after)) = word(line, end)
        {
            end = after;
        }
    }
    end
}

/// The first word of `line` from `at` on, and where it ends.
fn word(line: &str, at: usize) -> Option<(&str, usize)> {
    let rest = &line[at..];
    let start = at + (rest.len() - rest.trim_start().len());
    let found = line[start..].split(char::is_whitespace).next()?;
    (!found.is_empty()).then_some((found, start + found.len()))
}

/// The name by which a KQL cell keeps its result: `%%kql --as NAME`.
pub fn kept_name(source: &str) -> Option<&str> {
    let (header, _) = split_kql(source)?;
    let mut words = header.split_whitespace().skip(1);
    while let Some(option) = words.next() {
        if option == "--as" {
            return words.next();
        }
        if let Some(name) = option.strip_prefix("--as=") {
            return Some(name);
        }
    }
    None
}

/// The text of a cell that changes its kind: the `%%kql` line comes or goes, all else stays.
pub fn recast(source: &str, to: Kind) -> String {
    match (split_kql(source), to) {
        (None, Kind::Kql) => format!("{MAGIC}\n{source}"),
        (Some(_), Kind::Kql) | (None, _) => source.to_owned(),
        (Some((_, query)), _) => query.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kql_is_told_by_its_first_line() {
        for kql in [
            "%%kql",
            "%%kql\nT",
            "\n \n%%kql --as x\nT",
            "%%kql T | count",
        ] {
            assert!(is_kql(kql), "{kql:?}");
        }
        for other in [
            "",
            "x",
            "%%kqlx\nT",
            "x\n%%kql\nT",
            "# %%kql",
            "%kql T",
            "%%",
        ] {
            assert!(!is_kql(other), "{other:?}");
        }
    }

    #[test]
    fn the_magic_line_comes_off_whole() {
        let parts = |source| split_kql(source);
        assert_eq!(parts("%%kql\nT"), Some(("%%kql\n", "T")));
        assert_eq!(
            parts("%%kql --as x  \r\nT"),
            Some(("%%kql --as x  \r\n", "T"))
        );
        assert_eq!(
            parts("%%kql --as=x T | take 1"),
            Some(("%%kql --as=x ", "T | take 1"))
        );
        assert_eq!(parts("\n%%kql"), Some(("\n%%kql", "")));
        assert_eq!(parts("%%kql\n\n  T"), Some(("%%kql\n", "\n  T")));
        for header in [
            "%%kql host\n",
            "%%kql host --as x\n",
            "%%kql --as x host \n",
        ] {
            let source = format!("{header}T");
            assert_eq!(split_kql(&source), Some((header, "T")));
        }
        assert_eq!(
            parts("%%kql host | take 1"),
            Some(("%%kql ", "host | take 1"))
        );
        assert_eq!(parts("T"), None);
    }

    #[test]
    fn a_kept_result_has_a_name() {
        assert_eq!(kept_name("%%kql --as hits\nT"), Some("hits"));
        assert_eq!(kept_name("%%kql --as=hits T"), Some("hits"));
        assert_eq!(kept_name("%%kql host --as hits\nT"), Some("hits"));
        assert_eq!(kept_name("%%kql --as\nT"), None);
        assert_eq!(kept_name("%%kql\nT --as x"), None);
    }

    #[test]
    fn changing_the_kind_changes_one_line() {
        assert_eq!(recast("T | count", Kind::Kql), "%%kql\nT | count");
        assert_eq!(recast("%%kql\nT", Kind::Kql), "%%kql\nT");
        assert_eq!(recast("%%kql --as x\nT", Kind::Code), "T");
        assert_eq!(recast("", Kind::Kql), "%%kql\n");
        assert_eq!(
            recast(&recast("é\n\nb", Kind::Kql), Kind::Markdown),
            "é\n\nb"
        );
    }
}
