//! Which parts of a cell its tags and metadata leave out or fold: those of Jupyter Book, nbconvert,
//! JupyterLab, the classic notebook's extensions, and Colab's forms.

use serde_json::Value;

use crate::model::Cell;

/// How a part of a cell is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    /// As it is.
    Open,
    /// Behind a line to click.
    Folded,
    /// Not at all.
    Removed,
}

/// Whether the whole cell is left out.
pub(crate) fn is_removed(cell: &Cell) -> bool {
    has_tag(cell, "remove-cell")
}

/// How the code is shown.
pub(crate) fn source(cell: &Cell) -> Shown {
    if has_tag(cell, "remove-input") {
        return Shown::Removed;
    }
    let is_form = cell.metadata.get("cellView").and_then(Value::as_str) == Some("form");
    let is_folded = is_form
        || has_tag(cell, "hide-input")
        || has_tag(cell, "hide-cell")
        || has_flag(cell, &["hide_input"])
        || has_flag(cell, &["hideCode"])
        || has_flag(cell, &["jupyter", "source_hidden"]);
    if is_folded {
        Shown::Folded
    } else {
        Shown::Open
    }
}

/// How the outputs are shown.
pub(crate) fn outputs(cell: &Cell) -> Shown {
    if has_tag(cell, "remove-output") {
        return Shown::Removed;
    }
    let is_folded = has_tag(cell, "hide-output")
        || has_tag(cell, "hide-cell")
        || has_flag(cell, &["collapsed"])
        || has_flag(cell, &["hide_output"])
        || has_flag(cell, &["hideOutput"])
        || has_flag(cell, &["jupyter", "outputs_hidden"]);
    if is_folded {
        Shown::Folded
    } else {
        Shown::Open
    }
}

/// Whether tall outputs scroll in a box of their own.
pub(crate) fn is_scrolled(cell: &Cell) -> bool {
    has_flag(cell, &["scrolled"])
}

fn has_tag(cell: &Cell, tag: &str) -> bool {
    cell.has_tag(tag) || cell.has_tag(&tag.replace('-', "_"))
}

fn has_flag(cell: &Cell, path: &[&str]) -> bool {
    let mut keys = path.iter();
    let first = keys.next().and_then(|key| cell.metadata.get(*key));
    let value = keys.fold(first, |value, key| value?.get(*key));
    value.and_then(Value::as_bool) == Some(true)
}
