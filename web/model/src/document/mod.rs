//! The notebook's file, cell by cell, each under a key that outlives moves and edits.
//!
//! Built over [`spoor_notebook::Notebook`], so that whatever a file holds is still there when it is
//! written. Changed only by this crate: the page goes through `NotebookState`.

mod ids;
mod kind;

use std::collections::HashSet;

use serde_json::{Value, json};
use spoor_notebook::{Cell, CellKind, Notebook, NotebookError, Object, Output, PluginPin};

use ids::Ids;
pub use kind::{Kind, is_kql, kept_name, recast, split_kql};

const COLLAPSED: &str = "collapsed";
const JUPYTER: &str = "jupyter";
const HEADING_COLLAPSED: &str = "jp-MarkdownHeadingCollapsed";

/// A cell's name within this page. It never names another cell; one that undo brings back has its
/// old key again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CellKey(pub u32);

/// A notebook's cells and metadata.
#[derive(Debug, Clone)]
pub struct Document {
    notebook: Notebook,
    /// In step with `notebook.cells`.
    keys: Vec<CellKey>,
    next: u32,
    ids: Ids,
    trusted: bool,
    /// Cells whose outputs were made in this page.
    fresh: HashSet<CellKey>,
}

impl Document {
    /// A notebook of one empty code cell, for Spoor's kernel. `seed` is for the ids of new cells.
    pub fn new(seed: u64) -> Self {
        let mut notebook = Notebook::new();
        let kernelspec = json!({ "display_name": "Spoor (KQL and Python)", "language": "python", "name": "spoor" });
        let info =
            json!({ "name": "python", "file_extension": ".py", "mimetype": "text/x-python" });
        notebook.metadata.insert("kernelspec".into(), kernelspec);
        notebook.metadata.insert("language_info".into(), info);
        let mut document = Self::from_notebook(notebook, seed);
        document.trusted = true;
        document.insert(0, Cell::code(""));
        document
    }

    /// Reads a notebook's file. It is not trusted until the user says so.
    ///
    /// # Errors
    /// As [`Notebook::from_slice`].
    pub fn from_json(bytes: &[u8], seed: u64) -> Result<Self, NotebookError> {
        Ok(Self::from_notebook(Notebook::from_slice(bytes)?, seed))
    }

    /// Takes a notebook. Cells without an id, or with another's, get one.
    pub fn from_notebook(mut notebook: Notebook, seed: u64) -> Self {
        notebook.upgrade();
        let next = u32::try_from(notebook.cells.len()).unwrap_or(u32::MAX);
        Self {
            notebook,
            keys: (0..next).map(CellKey).collect(),
            next,
            ids: Ids::new(seed),
            trusted: false,
            fresh: HashSet::new(),
        }
    }

    /// The notebook's file, as Jupyter would write it.
    pub fn to_json(&self) -> Vec<u8> {
        self.notebook.to_vec()
    }

    /// The notebook, for rendering and export.
    pub fn notebook(&self) -> &Notebook {
        &self.notebook
    }

    /// The notebook's metadata.
    pub fn metadata(&self) -> &Object {
        &self.notebook.metadata
    }

    /// Pins plugins that cells have called; whether that changed anything.
    pub(crate) fn pin_plugins(&mut self, pins: &[(String, PluginPin)]) -> bool {
        let there = self.notebook.plugin_pins();
        let new = pins
            .iter()
            .filter(|(name, pin)| there.get(name) != Some(pin));
        let new: Vec<_> = new.cloned().collect();
        for (name, pin) in &new {
            self.notebook.pin_plugin(name, pin);
        }
        !new.is_empty()
    }

    /// Whether the user trusts what the file's outputs may do.
    pub fn is_trusted(&self) -> bool {
        self.trusted
    }

    /// The same, trusted or not.
    pub fn with_trust(mut self, trusted: bool) -> Self {
        self.trusted = trusted;
        self
    }

    /// Whether everything that a file of it would hold is trusted: the notebook is, or every output in
    /// it was made in this page.
    pub fn is_all_trusted(&self) -> bool {
        let mut foreign = self.keys.iter().filter(|key| !self.fresh.contains(key));
        self.trusted || foreign.all(|key| self.outputs(*key).is_empty())
    }

    /// Whether this cell's outputs may run scripts (in their sandbox): the notebook is trusted, or
    /// the outputs were made in this page.
    pub fn outputs_trusted(&self, key: CellKey) -> bool {
        self.trusted || self.fresh.contains(&key)
    }

    /// How many cells there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are no cells.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The cells' keys, from the top.
    pub fn keys(&self) -> &[CellKey] {
        &self.keys
    }

    /// Where a cell is.
    pub fn index_of(&self, key: CellKey) -> Option<usize> {
        self.keys.iter().position(|other| *other == key)
    }

    /// The cell at an index.
    pub fn key_at(&self, index: usize) -> Option<CellKey> {
        self.keys.get(index).copied()
    }

    /// The cell with this nbformat id.
    pub fn key_of_id(&self, id: &str) -> Option<CellKey> {
        let mut cells = self.notebook.cells.iter();
        let index = cells.position(|cell| cell.id.as_deref() == Some(id))?;
        self.key_at(index)
    }

    /// A cell, with all that its file says of it.
    pub fn cell(&self, key: CellKey) -> Option<&Cell> {
        self.notebook.cells.get(self.index_of(key)?)
    }

    /// A cell's nbformat id; empty if there is no such cell.
    pub fn id(&self, key: CellKey) -> &str {
        let id = self.cell(key).and_then(|cell| cell.id.as_deref());
        id.unwrap_or_default()
    }

    /// What a cell is.
    pub fn kind(&self, key: CellKey) -> Kind {
        self.cell(key).map_or(Kind::Other, Kind::of)
    }

    /// Whether a cell is KQL.
    pub fn is_kql(&self, key: CellKey) -> bool {
        self.kind(key) == Kind::Kql
    }

    /// A cell's text; empty if there is no such cell.
    pub fn source(&self, key: CellKey) -> &str {
        self.cell(key).map_or("", |cell| &cell.source)
    }

    /// A code cell's outputs; none for other cells.
    pub fn outputs(&self, key: CellKey) -> &[Output] {
        self.cell(key).map_or(&[], Cell::outputs)
    }

    /// The count of a code cell's last execution.
    pub fn execution_count(&self, key: CellKey) -> Option<i64> {
        self.cell(key)?.execution_count()
    }

    /// Whether a cell's text is hidden: `metadata.jupyter.source_hidden`.
    pub fn input_hidden(&self, key: CellKey) -> bool {
        self.jupyter_flag(key, "source_hidden").unwrap_or(false)
    }

    /// Whether a cell's outputs are hidden: `metadata.jupyter.outputs_hidden`, else
    /// `metadata.collapsed`.
    pub fn outputs_hidden(&self, key: CellKey) -> bool {
        self.jupyter_flag(key, "outputs_hidden")
            .or_else(|| self.flag(key, COLLAPSED))
            .unwrap_or(false)
    }

    /// Whether the section under a Markdown cell's heading is hidden:
    /// `metadata.jp-MarkdownHeadingCollapsed`.
    pub fn heading_collapsed(&self, key: CellKey) -> bool {
        self.flag(key, HEADING_COLLAPSED).unwrap_or(false)
    }

    /// Whether the file forbids deleting a cell: `metadata.deletable: false`.
    pub fn is_locked(&self, key: CellKey) -> bool {
        self.flag(key, "deletable") == Some(false)
    }

    /// Whether the file forbids editing a cell: `metadata.editable: false`.
    pub fn is_read_only(&self, key: CellKey) -> bool {
        self.flag(key, "editable") == Some(false)
    }

    fn flag(&self, key: CellKey, name: &str) -> Option<bool> {
        self.cell(key)?.metadata.get(name)?.as_bool()
    }

    fn jupyter_flag(&self, key: CellKey, name: &str) -> Option<bool> {
        self.cell(key)?.metadata.get(JUPYTER)?.get(name)?.as_bool()
    }
}

/// Changes. Each leaves ids and keys unique.
impl Document {
    pub(crate) fn set_trusted(&mut self, trusted: bool) {
        self.trusted = trusted;
    }

    pub(crate) fn metadata_mut(&mut self) -> &mut Object {
        &mut self.notebook.metadata
    }

    pub(crate) fn cell_mut(&mut self, key: CellKey) -> Option<&mut Cell> {
        let index = self.index_of(key)?;
        self.notebook.cells.get_mut(index)
    }

    /// Inserts a new cell before the one at `index`.
    pub(crate) fn insert(&mut self, index: usize, cell: Cell) -> CellKey {
        let key = self.new_key();
        self.insert_as(key, index, cell);
        key
    }

    /// A key for a cell to come.
    pub(crate) fn new_key(&mut self) -> CellKey {
        let key = CellKey(self.next);
        self.next = self.next.saturating_add(1);
        key
    }

    /// Inserts a cell under a key that it had before.
    pub(crate) fn insert_as(&mut self, key: CellKey, index: usize, mut cell: Cell) {
        let cells = &self.notebook.cells;
        let taken = |id: &str| cells.iter().any(|cell| cell.id.as_deref() == Some(id));
        if cell.id.as_deref().is_none_or(taken) {
            cell.id = Some(self.ids.next(taken));
        }
        let index = index.min(self.keys.len());
        self.keys.insert(index, key);
        self.notebook.cells.insert(index, cell);
    }

    /// Takes a cell out; gives where it was.
    pub(crate) fn remove(&mut self, key: CellKey) -> Option<(usize, Cell)> {
        let index = self.index_of(key)?;
        self.keys.remove(index);
        Some((index, self.notebook.cells.remove(index)))
    }

    /// Moves a cell so that its index is `to`; gives its old index.
    pub(crate) fn move_to(&mut self, key: CellKey, to: usize) -> Option<usize> {
        let (from, cell) = self.remove(key)?;
        let to = to.min(self.keys.len());
        self.keys.insert(to, key);
        self.notebook.cells.insert(to, cell);
        Some(from)
    }

    /// Replaces a code cell's outputs from `from` on.
    pub(crate) fn set_outputs(&mut self, key: CellKey, from: usize, new: Vec<Output>) -> bool {
        let Some(outputs) = self.cell_mut(key).and_then(Cell::outputs_mut) else {
            return false;
        };
        outputs.truncate(from);
        outputs.extend(new);
        if from == 0 {
            self.fresh.insert(key);
        }
        true
    }

    pub(crate) fn set_input_hidden(&mut self, key: CellKey, hidden: bool) {
        self.set_jupyter_flag(key, "source_hidden", hidden);
    }

    pub(crate) fn set_outputs_hidden(&mut self, key: CellKey, hidden: bool) {
        self.set_jupyter_flag(key, "outputs_hidden", hidden);
        if let Some(cell) = self.cell_mut(key)
            && matches!(cell.kind, CellKind::Code { .. })
        {
            set_flag(&mut cell.metadata, COLLAPSED, hidden);
        }
    }

    pub(crate) fn set_heading_collapsed(&mut self, key: CellKey, collapsed: bool) {
        if let Some(cell) = self.cell_mut(key) {
            set_flag(&mut cell.metadata, HEADING_COLLAPSED, collapsed);
        }
    }

    fn set_jupyter_flag(&mut self, key: CellKey, name: &str, on: bool) {
        let Some(cell) = self.cell_mut(key) else {
            return;
        };
        let section = cell.metadata.entry(JUPYTER).or_insert_with(|| json!({}));
        let Value::Object(section) = section else {
            return;
        };
        set_flag(section, name, on);
        if section.is_empty() {
            cell.metadata.shift_remove(JUPYTER);
        }
    }
}

/// Writes a flag as Jupyter does: absent when it is off.
fn set_flag(object: &mut Object, name: &str, on: bool) {
    if on {
        object.insert(name.to_owned(), Value::Bool(true));
    } else {
        object.shift_remove(name);
    }
}

#[cfg(test)]
mod tests;
