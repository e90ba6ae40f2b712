//! Why an answer is not believed.

use std::fmt;

/// A rule for answers. Its [name](AnswerRule::name) is stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AnswerRule {
    /// It has too many bytes.
    Size,
    /// It does not lie in the guest's memory.
    Range,
    /// It is not a frame, or has no table.
    Frame,
    /// Its JSON is not that of an answer.
    Header,
    /// A table is not an Arrow IPC stream that its bytes bear out.
    Stream,
    /// A table is compressed, dictionary-encoded or nested.
    Encoding,
    /// A table's columns are not those declared.
    Schema,
    /// A table has the wrong number of rows, or `_row` names none of the input.
    Rows,
    /// A string is too long.
    String,
}

impl AnswerRule {
    /// The rule's stable name.
    pub const fn name(self) -> &'static str {
        match self {
            AnswerRule::Size => "size",
            AnswerRule::Range => "range",
            AnswerRule::Frame => "frame",
            AnswerRule::Header => "header",
            AnswerRule::Stream => "stream",
            AnswerRule::Encoding => "encoding",
            AnswerRule::Schema => "schema",
            AnswerRule::Rows => "rows",
            AnswerRule::String => "string",
        }
    }

    /// What is to be done about it, in one sentence.
    pub const fn remedy(self) -> &'static str {
        match self {
            AnswerRule::Size => "give it fewer rows, or raise the call's output limit",
            AnswerRule::Range => {
                "the plugin's author packs pointer and length as plugins/ABI.md has them"
            }
            AnswerRule::Frame => "the plugin's author writes the frame as plugins/ABI.md has it",
            AnswerRule::Header => "the plugin's author writes {} or charts of the answer's tables",
            AnswerRule::Stream => {
                "the plugin's author writes each table with an Arrow IPC stream writer"
            }
            AnswerRule::Encoding => {
                "the plugin's author writes plain columns: no compression, dictionaries or nesting"
            }
            AnswerRule::Schema => {
                "the plugin's author answers with the columns that the manifest declares"
            }
            AnswerRule::Rows => {
                "the plugin's author answers with the rows that the manifest declares"
            }
            AnswerRule::String => "the plugin's author cuts long strings",
        }
    }
}

/// An answer that is not believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The rule that is broken.
    pub rule: AnswerRule,
    /// The table, from 0; `None` where it is not a table's.
    pub table: Option<usize>,
    /// Where, in bytes from the answer's start.
    pub offset: u64,
    /// What is wrong, with the figures.
    pub words: String,
}

impl Fault {
    pub(super) fn new(rule: AnswerRule, offset: usize, words: impl Into<String>) -> Self {
        Fault {
            rule,
            table: None,
            offset: offset as u64,
            words: words.into(),
        }
    }

    /// The fault of a table, whose bytes begin at `start`.
    pub(super) fn within(self, table: usize, start: u64) -> Self {
        Fault {
            table: Some(table),
            offset: self.offset + start,
            ..self
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the plugin's answer is refused by the rule '{}' at byte {}",
            self.rule.name(),
            self.offset
        )?;
        if let Some(table) = self.table {
            write!(f, " (table {table})")?;
        }
        write!(f, ": {}. To mend it: {}", self.words, self.rule.remedy())
    }
}

impl std::error::Error for Fault {}

/// The first line of what a library says, cut short: it may quote the guest.
pub(super) fn brief(error: &impl fmt::Display) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    line.chars()
        .take(200)
        .flat_map(char::escape_debug)
        .collect()
}
