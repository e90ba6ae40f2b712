//! Notebooks: the nbformat model, a cell's outputs as Jupyter messages make them, parameters in
//! papermill's manner, and the static HTML page.
//!
//! Called by the host's `run` and `render` and by the page. Does no I/O: bytes come in and
//! go out, and what a page needs beside the notebook (images on disk) it asks of its caller.

mod assemble;
mod error;
mod html;
mod ids;
mod json;
mod language;
mod model;
mod parameters;
mod plugins;
mod read;
mod recorded;
mod terminal;
mod upgrade;
mod workspace;
mod write;

pub use assemble::{Change, OutputArea};
pub use error::NotebookError;
pub use html::{
    Fragments, ImageResolver, RenderOptions, Rendered, highlight, render, render_markdown, tokens,
};
pub use language::Language;
pub use model::{Bundle, Card, Cell, CellKind, NBFORMAT_MINOR, Notebook, Object, Output};
pub use parameters::{Injected, ParameterError, Parameters};
pub use plugins::{PluginPin, may_call, names};
pub use recorded::recorded_in;
pub use workspace::{name_workspace, workspace_in};
