//! A notebook as one static HTML page: styles inlined, no script, nothing loaded.
//!
//! `spoor render` and `spoor run --html` call [`render`], the page [`render_markdown`], [`Fragments`]
//! and [`highlight`].
//! Everything that comes from the notebook passes [`sanitize`] or is escaped; a
//! Content-Security-Policy in the page is the second line.

mod allowed;
mod ansi;
mod bundle;
mod cell;
mod code;
mod columns;
mod css;
mod embed;
mod finish;
mod fragment;
mod image;
mod json_view;
mod languages;
mod markdown;
mod math;
mod outline;
mod page;
mod sanitize;
mod scan;
mod stream;
mod text;
mod visibility;

use serde_json::Value;

pub use code::{highlight, tokens};
pub use fragment::{Fragments, Rendered};

use crate::language::Language;
use crate::model::{CellKind, Notebook, Object};
use embed::Embedded;
use math::Mathematics;
use outline::Outline;

/// Gives an image's bytes by its path as the notebook writes it, percent-decoded; none if it is not
/// to be had. The caller keeps paths within the notebook's folder.
pub type ImageResolver<'a> = dyn Fn(&str) -> Option<Vec<u8>> + 'a;

/// What a page needs beside its notebook.
#[derive(Default)]
pub struct RenderOptions<'a> {
    /// The title of a notebook that has none: its file's name.
    pub title: Option<&'a str>,
    /// Finds images that lie beside the notebook, to be embedded.
    pub images: Option<&'a ImageResolver<'a>>,
}

/// The notebook's page: a whole HTML document. Never fails and never panics, whatever the notebook
/// holds.
pub fn render(notebook: &Notebook, options: &RenderOptions<'_>) -> String {
    let mut page = Page::new(notebook, options);
    let mut cells = String::new();
    for cell in &notebook.cells {
        cells += &cell::to_html(&mut page, cell);
        page.cell += 1;
    }
    page::document(notebook, &page, &cells)
}

/// Each Markdown cell's HTML with the cell's index, as [`render`] has it: sanitised, without images
/// that lie beside the notebook. For a page that shows the other cells by itself.
pub fn render_markdown(notebook: &Notebook) -> Vec<(usize, String)> {
    let options = RenderOptions::default();
    let mut page = Page::new(notebook, &options);
    let mut rendered = Vec::new();
    for (index, cell) in notebook.cells.iter().enumerate() {
        if cell.kind == CellKind::Markdown {
            page.cell = index;
            let html = page.markdown(&cell.source, cell.attachments.as_ref());
            rendered.push((index, html));
        }
    }
    for (_, html) in &mut rendered {
        *html = page.outline.settle(html);
    }
    rendered
}

/// A page in the making.
struct Page<'a> {
    options: &'a RenderOptions<'a>,
    notebook: &'a Notebook,
    /// The notebook's own language.
    language: Language,
    math: Mathematics,
    outline: Outline,
    /// The index of the cell being rendered.
    cell: usize,
    /// How many outputs have had a scope.
    scopes: usize,
    embedded: Embedded,
}

impl<'a> Page<'a> {
    fn new(notebook: &'a Notebook, options: &'a RenderOptions<'a>) -> Self {
        Self {
            options,
            notebook,
            language: notebook.language(),
            math: Mathematics::new(),
            outline: Outline::default(),
            cell: 0,
            scopes: 0,
            embedded: Embedded::default(),
        }
    }

    fn next_scope(&mut self) -> String {
        self.scopes += 1;
        format!("o{}", self.scopes)
    }

    /// Markdown, with the attachments of its cell.
    fn markdown(&mut self, source: &str, attachments: Option<&Object>) -> String {
        let (embedded, cell, options) = (&self.embedded, self.cell, self.options);
        let images = |source: &str| embedded.picture(source, cell, attachments, options);
        let surroundings = markdown::Surroundings {
            cell: self.cell,
            math: &mut self.math,
            outline: &mut self.outline,
            images: &images,
        };
        let finished = markdown::to_html(source, surroundings);
        if finished.is_painted {
            format!("<div class=\"paper\">{}</div>", finished.html)
        } else {
            finished.html
        }
    }

    /// A LaTeX output: the formula between its delimiters, or Markdown with formulas in it.
    fn latex(&mut self, source: &str) -> String {
        let trimmed = source.trim();
        let inner = |open: &str, close: &str| {
            let inner = trimmed.strip_prefix(open)?.strip_suffix(close)?;
            (!inner.contains('$')).then_some(inner)
        };
        match inner("$$", "$$")
            .or_else(|| inner("\\[", "\\]"))
            .or_else(|| inner("$", "$"))
        {
            Some(formula) => self
                .math
                .write(formula.trim_start_matches("\\displaystyle"), true),
            None if trimmed.starts_with("\\begin{") => self.math.write(trimmed, true),
            None => self.markdown(source, None),
        }
    }

    fn has_widget_state(&self, model: &str) -> bool {
        let state = || {
            self.notebook
                .metadata
                .get("widgets")?
                .as_object()?
                .values()
                .find_map(|set| set.get("state"))
        };
        state().is_some_and(|state: &Value| state.get(model).is_some())
    }
}
