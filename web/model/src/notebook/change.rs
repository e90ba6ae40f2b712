//! What an operation did, in the order in which to patch the page.

use crate::command::Command;
use crate::document::{CellKey, Kind};
use crate::notebook::Mode;

/// One thing that is no longer as it was. Indices hold once the changes before have been made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A cell is there that was not.
    CellInserted {
        /// The cell.
        key: CellKey,
        /// Its index.
        index: usize,
    },
    /// A cell is gone.
    CellRemoved {
        /// The cell.
        key: CellKey,
    },
    /// A cell is elsewhere.
    CellMoved {
        /// The cell.
        key: CellKey,
        /// Its index among the others, once it has been taken out of its old place.
        index: usize,
    },
    /// A cell's text was changed by something other than its editor.
    SourceSet {
        /// The cell.
        key: CellKey,
    },
    /// A cell is of another kind: draw it anew, outputs and all.
    KindChanged {
        /// The cell.
        key: CellKey,
        /// What it is now.
        kind: Kind,
    },
    /// A cell's outputs changed.
    OutputsSet {
        /// The cell.
        key: CellKey,
        /// The first output that changed; those before are as they were.
        from: usize,
    },
    /// A cell's execution count changed.
    CountSet {
        /// The cell.
        key: CellKey,
    },
    /// A Markdown cell shows its text to read, or its source.
    RenderedChanged {
        /// The cell.
        key: CellKey,
        /// Whether it is shown to read.
        rendered: bool,
    },
    /// A cell's input or outputs were hidden or shown, or its heading's section was.
    CollapsedChanged {
        /// The cell.
        key: CellKey,
    },
    /// A cell came under a collapsed heading, or out of it.
    HiddenChanged {
        /// The cell.
        key: CellKey,
        /// Whether it is out of sight.
        hidden: bool,
    },
    /// A Markdown cell's headings changed: so does the outline.
    HeadingsChanged {
        /// The cell.
        key: CellKey,
    },
    /// Other cells are selected, or another is active.
    SelectionChanged,
    /// The mode changed.
    ModeChanged(Mode),
    /// The notebook's metadata changed, or its trust.
    MetadataChanged,
    /// There is something to save, or no longer.
    DirtyChanged(bool),
    /// A cell is queued, runs, or has run: see `Queue::state`.
    RunStateChanged {
        /// The cell.
        key: CellKey,
    },
    /// A cell's result may no longer be what it would give.
    StaleChanged {
        /// The cell.
        key: CellKey,
        /// Whether it is stale.
        stale: bool,
    },
    /// Something to do that is not the notebook's own.
    Effect(Effect),
}

/// What the page is to do for a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Queue these code cells, in this order.
    Run(Vec<CellKey>),
    /// Restart the kernel, then queue these.
    RestartThenRun(Vec<CellKey>),
    /// Queue the cells that `Queue::stale` names.
    RunStale,
    /// Ask the cell's editor for its cursor and call `NotebookState::split`.
    SplitAtCursor(CellKey),
    /// Carry out a command that is the page's own: saving, finding, completing, settings ...
    Page(Command),
}
