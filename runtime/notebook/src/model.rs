//! A notebook in memory: nbformat 4's own terms, with whatever else a file holds kept beside them.
//!
//! Read by [`Notebook::from_slice`], written by [`Notebook::to_vec`]. Keys that nbformat does not
//! name live in `extra`, and cells and outputs of unknown types are kept whole, so that nothing of
//! another tool's is lost.

use serde_json::{Map, Value};

use crate::error::NotebookError;
use crate::{json, read, upgrade, write};

/// A JSON object, in the order of its file.
pub type Object = Map<String, Value>;

/// The newest minor version of nbformat 4 that Spoor knows; notebooks that it makes are of it.
pub const NBFORMAT_MINOR: u32 = 5;

/// A notebook (nbformat 4).
#[derive(Debug, Clone, PartialEq)]
pub struct Notebook {
    /// `nbformat_minor`: a file keeps its own until [`Notebook::upgrade`].
    pub nbformat_minor: u32,
    /// The notebook's metadata.
    pub metadata: Object,
    /// The cells, from the top.
    pub cells: Vec<Cell>,
    /// Keys of the document that nbformat does not name.
    pub extra: Object,
}

/// A cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// The cell's id; nbformat 4.5 demands one, older files have none.
    pub id: Option<String>,
    /// The cell's type, and what only that type has.
    pub kind: CellKind,
    /// The cell's metadata.
    pub metadata: Object,
    /// The cell's text, lines joined.
    pub source: String,
    /// Attached files by name, each a MIME bundle.
    pub attachments: Option<Object>,
    /// Keys that nbformat does not name.
    pub extra: Object,
}

/// nbformat's `cell_type`.
#[derive(Debug, Clone, PartialEq)]
pub enum CellKind {
    /// Code and its outputs.
    Code {
        /// The count of its last execution, if it was executed.
        execution_count: Option<i64>,
        /// Its outputs, in the order in which they came.
        outputs: Vec<Output>,
    },
    /// Markdown.
    Markdown,
    /// Text for some other converter.
    Raw,
    /// A type that nbformat does not have; its other keys are in [`Cell::extra`].
    Other(String),
}

/// One output of a code cell (nbformat's `output_type`).
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Text written to standard output or error.
    Stream {
        /// `stdout` or `stderr`.
        name: String,
        /// What was written.
        text: String,
        /// Keys that nbformat does not name.
        extra: Object,
    },
    /// Something displayed.
    DisplayData(Bundle),
    /// The value of a cell's last expression.
    ExecuteResult {
        /// The execution that it came from.
        execution_count: Option<i64>,
        /// The value in several formats.
        bundle: Bundle,
    },
    /// An exception.
    Error {
        /// The exception's class.
        ename: String,
        /// Its message.
        evalue: String,
        /// The traceback, with ANSI colours.
        traceback: Vec<String>,
        /// Keys that nbformat does not name.
        extra: Object,
    },
    /// An output of a type that nbformat does not have, as it came.
    Other(Object),
}

/// One thing in several formats (a MIME bundle).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bundle {
    /// Content by MIME type: text, base64 for images, any JSON value for JSON types.
    pub data: Object,
    /// Metadata, by MIME type or of the whole.
    pub metadata: Object,
    /// Keys that nbformat does not name.
    pub extra: Object,
    /// Jupyter's `transient.display_id`: by it `update_display_data` finds the output. Lives as long
    /// as the session; it is not saved.
    pub display_id: Option<String>,
}

/// What a gallery says about a notebook: `metadata.spoor`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Card {
    /// The notebook's title.
    pub title: Option<String>,
    /// One or two sentences on what it finds.
    pub description: Option<String>,
    /// Who wrote it.
    pub author: Option<String>,
    /// Free words to find it by.
    pub tags: Vec<String>,
    /// The tables or kinds of data that it needs.
    pub data_types: Vec<String>,
    /// Where such data comes from.
    pub data_sources: Vec<String>,
    /// The date of its last revision, as written.
    pub revised: Option<String>,
}

impl Notebook {
    /// An empty notebook of the newest version.
    pub fn new() -> Self {
        Self {
            nbformat_minor: NBFORMAT_MINOR,
            metadata: Object::new(),
            cells: Vec::new(),
            extra: Object::new(),
        }
    }

    /// Reads a notebook of nbformat 4, or of nbformat 3, which is upgraded.
    ///
    /// # Errors
    /// With line and column where the bytes are not JSON or nest over 127 deep, with a path such as
    /// `cells[3].source` where a value is of the wrong type.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, NotebookError> {
        read::notebook(upgrade::to_version_4(json::parse(bytes)?)?)
    }

    /// The notebook's file, byte for byte as Jupyter writes it: keys sorted, one space of
    /// indentation, text as lists of lines. Cells of a 4.5 notebook that lack an id, or repeat one,
    /// get one made from what they hold.
    pub fn to_vec(&self) -> Vec<u8> {
        write::notebook(self)
    }

    /// Raises the notebook to the newest minor version, and gives each cell an id of its own.
    /// Calling it again changes nothing.
    pub fn upgrade(&mut self) {
        self.nbformat_minor = self.nbformat_minor.max(NBFORMAT_MINOR);
        let ids = crate::ids::of(&self.cells);
        for (cell, id) in self.cells.iter_mut().zip(ids) {
            cell.id = Some(id);
        }
    }

    /// `metadata.spoor`, as far as it is there and of the right types.
    pub fn card(&self) -> Card {
        let spoor = self.metadata.get("spoor").and_then(Value::as_object);
        spoor.map(Card::from_object).unwrap_or_default()
    }

    /// The title: the card's, else `metadata.title`, else the first level-one heading of Markdown.
    pub fn title(&self) -> Option<String> {
        let written = self
            .metadata
            .get("title")
            .and_then(Value::as_str)
            .map(str::trim);
        self.card()
            .title
            .or_else(|| written.filter(|title| !title.is_empty()).map(str::to_owned))
            .or_else(|| self.cells.iter().find_map(first_heading))
    }
}

impl Default for Notebook {
    fn default() -> Self {
        Self::new()
    }
}

/// The text of a cell's first `# ` line outside fences.
fn first_heading(cell: &Cell) -> Option<String> {
    if cell.kind != CellKind::Markdown {
        return None;
    }
    let mut fenced = false;
    for line in cell.source.lines() {
        if line.starts_with("```") || line.starts_with("~~~") {
            fenced = !fenced;
        } else if let Some(title) = line.strip_prefix("# ").filter(|_| !fenced) {
            let plain = title
                .trim()
                .trim_end_matches('#')
                .replace(['*', '`', '_'], "");
            return Some(plain.trim().to_owned()).filter(|title| !title.is_empty());
        }
    }
    None
}

impl Card {
    fn from_object(spoor: &Object) -> Self {
        let text = |key: &str| {
            let value = spoor.get(key).and_then(Value::as_str).map(str::trim);
            value.filter(|value| !value.is_empty()).map(str::to_owned)
        };
        let list = |key: &str| strings(spoor.get(key));
        Self {
            title: text("title"),
            description: text("description"),
            author: text("author"),
            tags: list("tags"),
            data_types: list("data_types"),
            data_sources: list("data_sources"),
            revised: text("revised"),
        }
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A list of strings, or one string, as a list.
fn strings(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(many)) => many
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    }
}

impl Cell {
    /// A code cell without outputs.
    pub fn code(source: impl Into<String>) -> Self {
        Self::new(
            CellKind::Code {
                execution_count: None,
                outputs: Vec::new(),
            },
            source,
        )
    }

    /// A Markdown cell.
    pub fn markdown(source: impl Into<String>) -> Self {
        Self::new(CellKind::Markdown, source)
    }

    fn new(kind: CellKind, source: impl Into<String>) -> Self {
        Self {
            id: None,
            kind,
            metadata: Object::new(),
            source: source.into(),
            attachments: None,
            extra: Object::new(),
        }
    }

    /// Whether `metadata.tags` has the tag.
    pub fn has_tag(&self, tag: &str) -> bool {
        let tags = self.metadata.get("tags").and_then(Value::as_array);
        tags.is_some_and(|tags| tags.iter().any(|other| other.as_str() == Some(tag)))
    }

    /// The outputs of a code cell; none for other cells.
    pub fn outputs(&self) -> &[Output] {
        match &self.kind {
            CellKind::Code { outputs, .. } => outputs,
            _ => &[],
        }
    }

    /// The outputs of a code cell, to change.
    pub fn outputs_mut(&mut self) -> Option<&mut Vec<Output>> {
        match &mut self.kind {
            CellKind::Code { outputs, .. } => Some(outputs),
            _ => None,
        }
    }

    /// The count of a code cell's last execution.
    pub fn execution_count(&self) -> Option<i64> {
        match &self.kind {
            CellKind::Code {
                execution_count, ..
            } => *execution_count,
            _ => None,
        }
    }

    /// Sets the execution count of a code cell.
    pub fn set_execution_count(&mut self, count: Option<i64>) {
        if let CellKind::Code {
            execution_count, ..
        } = &mut self.kind
        {
            *execution_count = count;
        }
    }

    /// Whether it is a code cell.
    pub fn is_code(&self) -> bool {
        matches!(self.kind, CellKind::Code { .. })
    }
}

impl Output {
    /// Reads one output, as nbformat 4 has it.
    ///
    /// # Errors
    /// With a path such as `output.text` where a value is of the wrong type.
    pub fn from_value(value: Value) -> Result<Self, NotebookError> {
        read::output(value, &read::Path::ROOT.key("output"))
    }

    /// The MIME bundle of an output that has one.
    pub fn bundle(&self) -> Option<&Bundle> {
        match self {
            Self::DisplayData(bundle) | Self::ExecuteResult { bundle, .. } => Some(bundle),
            _ => None,
        }
    }

    /// The MIME bundle of an output that has one, to change.
    pub fn bundle_mut(&mut self) -> Option<&mut Bundle> {
        match self {
            Self::DisplayData(bundle) | Self::ExecuteResult { bundle, .. } => Some(bundle),
            _ => None,
        }
    }
}
