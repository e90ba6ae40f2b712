//! Parts of a notebook's page, for a page that puts itself together: an output, a Markdown cell.
//! They are what [`super::render`] would have in their place.

use super::{Page, RenderOptions, bundle, cell};
use crate::model::{Notebook, Output};

/// Renders parts of one page, whose outputs must not share names.
#[derive(Debug, Default)]
pub struct Fragments {
    scopes: usize,
}

/// An output as HTML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// What can be shown without scripts: sanitised, its styles kept to itself.
    pub html: String,
    /// The document, as it came, of an output that runs scripts. It is hostile: only for a frame of
    /// an origin of its own.
    pub scripted: Option<String>,
}

impl Fragments {
    /// For a new page.
    pub fn new() -> Self {
        Self::default()
    }

    /// An output of a cell of the notebook, or one that a cell has just made.
    pub fn output(&mut self, notebook: &Notebook, output: &Output) -> Rendered {
        let options = RenderOptions::default();
        let mut page = Page::new(notebook, &options);
        page.scopes = self.scopes;
        let html = cell::output_html(&mut page, output);
        self.scopes = page.scopes;
        Rendered {
            html: page.outline.settle(&html),
            scripted: output.bundle().and_then(bundle::scripted),
        }
    }

    /// A Markdown cell, by its index, after its text has changed. Its headings know nothing of the
    /// other cells': [`super::render_markdown`] renders all of them.
    pub fn markdown(&self, notebook: &Notebook, index: usize) -> String {
        let Some(cell) = notebook.cells.get(index) else {
            return String::new();
        };
        let options = RenderOptions::default();
        let mut page = Page::new(notebook, &options);
        page.cell = index;
        let html = page.markdown(&cell.source, cell.attachments.as_ref());
        page.outline.settle(&html)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::model::Bundle;
    use serde_json::json;

    fn html(source: &str) -> Output {
        let mut bundle = Bundle::default();
        bundle.data.insert("text/html".into(), json!(source));
        Output::DisplayData(bundle)
    }

    #[test]
    fn outputs_keep_their_styles_to_themselves() {
        let notebook = Notebook::new();
        let mut fragments = Fragments::new();
        let styled = html("<style>p { margin: 0 }</style><p>a</p>");
        let first = fragments.output(&notebook, &styled);
        let second = fragments.output(&notebook, &styled);
        assert!(first.html.contains(".o1 p"), "{}", first.html);
        assert!(second.html.contains(".o2 p"), "{}", second.html);
        assert_eq!(first.scripted, None);
    }

    #[test]
    fn scripts_are_left_out_and_told() {
        let source = "<b>a</b><SCRIPT>run()</SCRIPT>";
        let rendered = Fragments::new().output(&Notebook::new(), &html(source));
        assert!(rendered.html.contains("<b>a</b>"));
        assert!(!rendered.html.contains("run()"));
        assert_eq!(rendered.scripted.as_deref(), Some(source));
    }

    #[test]
    fn javascript_is_a_script() {
        let mut bundle = Bundle::default();
        bundle
            .data
            .insert("application/javascript".into(), json!("run()"));
        let rendered = Fragments::new().output(&Notebook::new(), &Output::DisplayData(bundle));
        assert_eq!(rendered.scripted.as_deref(), Some("<script>run()</script>"));
        assert!(rendered.html.contains("JavaScript was left out"));
    }

    #[test]
    fn a_cell_that_is_not_there_is_empty() {
        assert_eq!(Fragments::new().markdown(&Notebook::new(), 3), "");
    }
}
