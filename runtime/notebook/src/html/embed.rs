//! Which images a page embeds. Each is embedded where it first stands. A page without scripts cannot refer to an image twice,
//! so later places hold it again, up to a limit for the whole page; beyond that they name it.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use super::text::percent_decoded;
use super::{RenderOptions, image};
use crate::model::Object;

/// Bytes of `data:` URLs that a page spends on images that it has embedded before.
const REPEATS: usize = 8 << 20;

/// What is to stand where Markdown or HTML wants an image.
pub(crate) enum Picture {
    /// The image, by its `data:` URL.
    Embedded(String),
    /// The image is on the page already, and too large to be there once more.
    Above,
    /// The image is not to be had.
    Missing,
}

/// What tells images of a page apart.
#[derive(PartialEq, Eq, Hash)]
enum Source {
    /// An attachment: its cell, and its name there.
    Attachment(usize, String),
    /// A file beside the notebook.
    File(String),
}

/// The images that a page has embedded.
#[derive(Default)]
pub(crate) struct Embedded {
    sizes: RefCell<HashMap<Source, usize>>,
    /// Bytes that repeats have taken.
    repeats: Cell<usize>,
}

impl Embedded {
    /// The image that a cell's text calls `source`: one of the cell's attachments, a file beside the notebook, or a
    /// `data:` URL, which costs no more than it does in the notebook.
    pub(crate) fn picture(
        &self,
        source: &str,
        cell: usize,
        attachments: Option<&Object>,
        options: &RenderOptions<'_>,
    ) -> Picture {
        if source.starts_with("data:image/") {
            return Picture::Embedded(source.to_owned());
        }
        if let Some(name) = source.strip_prefix("attachment:") {
            let Some((name, file)) = attachments.and_then(|files| attachment(files, name)) else {
                return Picture::Missing;
            };
            let key = Source::Attachment(cell, name.to_owned());
            return self.once(key, || image::from_attachment(file));
        }
        let is_elsewhere = source.is_empty() || source.starts_with("//") || source.contains("://");
        let Some(resolve) = options.images.filter(|_| !is_elsewhere) else {
            return Picture::Missing;
        };
        let path = percent_decoded(source.split(['?', '#']).next().unwrap_or(source));
        self.once(Source::File(plain_path(&path)), || {
            image::data_url(&resolve(&path)?)
        })
    }

    /// An image that is made unless it has been embedded, and the page has no room for it again.
    fn once(&self, source: Source, make: impl FnOnce() -> Option<String>) -> Picture {
        let known = self.sizes.borrow().get(&source).copied();
        if let Some(size) = known {
            let total = self.repeats.get().saturating_add(size);
            if total > REPEATS {
                return Picture::Above;
            }
            self.repeats.set(total);
        }
        let Some(url) = make() else {
            return Picture::Missing;
        };
        self.sizes.borrow_mut().insert(source, url.len());
        Picture::Embedded(url)
    }
}

/// An attachment by its name as Markdown writes it, and its name in the cell.
fn attachment<'f>(files: &'f Object, name: &str) -> Option<(&'f str, &'f Object)> {
    let decoded = percent_decoded(name);
    let (name, file) = files
        .get_key_value(name)
        .or_else(|| files.get_key_value(decoded.as_str()))?;
    Some((name, file.as_object()?))
}

/// A path without the steps that lead nowhere, so that one file has one name.
fn plain_path(path: &str) -> String {
    let mut steps: Vec<&str> = Vec::new();
    for step in path.split('/') {
        match step {
            "" | "." => {}
            ".." if steps.last().is_some_and(|last| *last != "..") => {
                steps.pop();
            }
            step => steps.push(step),
        }
    }
    steps.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_file_has_one_name() {
        for path in ["a/b.png", "./a//b.png", "a/./c/../b.png", "/a/b.png"] {
            assert_eq!(plain_path(path), "a/b.png");
        }
        assert_eq!(plain_path("../../a.png"), "../../a.png");
    }
}
