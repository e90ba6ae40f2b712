//! Taking notebooks and data out: one file in several forms, a link, or a zip of everything.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

use js_sys::{Array, Uint8Array};
use spoor_model::convert::{encode_link, to_python};
use spoor_notebook::{Notebook, RenderOptions};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, BlobPropertyBag, HtmlElement, Url};
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, ZipWriter};

use crate::dom::{self, el};
use crate::storage::{Cancel, Store, StoreError, same_name};

/// A form of a notebook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Its file.
    Notebook,
    /// A static page, as `spoor render` makes it.
    Page,
    /// A Python script.
    Script,
}

/// Why nothing was taken out.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The notebook's file is damaged.
    #[error(
        "the notebook does not read ({0}): export its file (.ipynb) to see what is wrong with it"
    )]
    Notebook(#[from] spoor_notebook::NotebookError),
    /// The archive could not be made.
    #[error("the archive could not be made: {0}")]
    Archive(#[from] zip::result::ZipError),
    /// Reading a data file failed.
    #[error("the archive could not be made: {0}")]
    Bytes(#[from] io::Error),
    /// The notebook does not fit in a link.
    #[error(transparent)]
    Link(#[from] spoor_model::convert::LinkError),
    /// The clipboard is closed to the page.
    #[error(
        "the browser lets this page write nothing to the clipboard: allow it beside the address"
    )]
    Clipboard,
}

/// A notebook's text in a form, and the name of that file.
pub fn formed(name: &str, text: &str, form: Form) -> Result<(String, String), ExportError> {
    let stem = name.strip_suffix(".ipynb").unwrap_or(name);
    if form == Form::Notebook {
        return Ok((format!("{stem}.ipynb"), text.to_owned()));
    }
    let notebook = Notebook::from_slice(text.as_bytes())?;
    Ok(match form {
        Form::Script => (format!("{stem}.py"), to_python(&notebook)),
        _ => (format!("{stem}.html"), page(&notebook, stem)),
    })
}

fn page(notebook: &Notebook, stem: &str) -> String {
    let options = RenderOptions {
        title: Some(stem),
        images: None,
    };
    spoor_notebook::render(notebook, &options)
}

/// The link that opens a notebook without a server: in its fragment, which no server sees. Without
/// outputs if those do not fit.
pub fn link(text: &str) -> Result<String, ExportError> {
    let notebook = Notebook::from_slice(text.as_bytes())?;
    let fragment = encode_link(&notebook, true).or_else(|_| encode_link(&notebook, false))?;
    let location = dom::window().location();
    let origin = location.origin().unwrap_or_default();
    let path = location.pathname().unwrap_or_default();
    Ok(format!("{origin}{path}#nb={fragment}"))
}

/// Puts a text into the clipboard.
pub async fn copy(text: &str) -> Result<(), ExportError> {
    let navigator = dom::window().navigator();
    if js_sys::Reflect::has(&navigator, &"clipboard".into()) != Ok(true) {
        return Err(ExportError::Clipboard);
    }
    let written = navigator.clipboard().write_text(text);
    JsFuture::from(written)
        .await
        .map_err(|_| ExportError::Clipboard)?;
    Ok(())
}

/// Text as a Blob.
pub fn blob(text: &str, kind: &str) -> Result<Blob, StoreError> {
    let options = BlobPropertyBag::new();
    options.set_type(kind);
    Ok(Blob::new_with_str_sequence_and_options(
        &Array::of1(&text.into()),
        &options,
    )?)
}

/// Has the browser put bytes into its folder of downloads.
pub fn download(name: &str, bytes: &Blob) -> Result<(), StoreError> {
    let url = Url::create_object_url_with_blob(bytes)?;
    let anchor: HtmlElement = el("a").attr("href", &url).attr("download", name).build();
    anchor.click();
    // Time enough for the browser to begin.
    dom::after(60_000, move || {
        let _ = Url::revoke_object_url(&url);
    });
    Ok(())
}

/// Bytes of a data file that are compressed at a time.
const PART: f64 = 4e6;

/// Everything in one archive: `notebooks/` and `data/`. `progress` is told the bytes so far and in
/// all. The archive grows in Blobs, which browsers keep on disk, so that memory sets no limit.
pub async fn archive(
    store: &Store,
    progress: impl Fn(f64, f64),
    cancel: &Cancel,
) -> Result<Blob, ExportError> {
    let notebooks = store.notebooks().await?;
    let files = store.files().await?;
    let total = notebooks.iter().map(|one| one.bytes()).sum::<f64>()
        + files.iter().map(|one| one.bytes).sum::<f64>();
    let parts = Parts::default();
    let mut zip = ZipWriter::new_stream(parts.clone());
    let mut done = 0.0;
    for entry in &notebooks {
        let (_, text) = store.read(&entry.id).await?;
        zip.start_file(format!("notebooks/{}", entry.name), options(&entry.name))?;
        zip.write_all(text.as_bytes())?;
        done += entry.bytes();
        progress(done, total);
    }
    for file in &files {
        let bytes = store.file(&file.name).await?;
        zip.start_file(format!("data/{}", file.name), options(&file.name))?;
        done = write_parts(&mut zip, &bytes, done, |done| progress(done, total), cancel).await?;
    }
    zip.finish()?;
    Ok(parts.finish()?)
}

async fn write_parts(
    zip: &mut ZipWriter<StreamWriter<Parts>>,
    bytes: &Blob,
    mut done: f64,
    progress: impl Fn(f64),
    cancel: &Cancel,
) -> Result<f64, ExportError> {
    let mut at = 0.0;
    while at < bytes.size() {
        let end = (at + PART).min(bytes.size());
        zip.write_all(&read(bytes, at, end).await?)?;
        done += end - at;
        at = end;
        progress(done);
        // The page stays alive between two parts.
        dom::sleep(0).await;
        if cancel.is_cancelled() {
            return Err(StoreError::Cancelled.into());
        }
    }
    Ok(done)
}

/// A part of a Blob.
async fn read(bytes: &Blob, from: f64, to: f64) -> Result<Vec<u8>, StoreError> {
    let part = bytes.slice_with_f64_and_f64(from, to)?;
    let buffer = JsFuture::from(part.array_buffer()).await?;
    Ok(Uint8Array::new(&buffer).to_vec())
}

/// What is compressed already is stored as it is.
fn options(name: &str) -> SimpleFileOptions {
    let packed = ["gz", "gzip", "zst", "zstd", "zip", "parquet", "pq"];
    let extension = name.rsplit('.').next().unwrap_or_default();
    let method = match packed.iter().any(|known| same_name(known, extension)) {
        true => CompressionMethod::Stored,
        false => CompressionMethod::Deflated,
    };
    SimpleFileOptions::default()
        .compression_method(method)
        .large_file(true)
}

/// Where the archive goes: bytes that become a Blob now and then.
#[derive(Clone, Default)]
struct Parts(Rc<RefCell<Growing>>);

#[derive(Default)]
struct Growing {
    bytes: Vec<u8>,
    blobs: Array,
}

/// Bytes that are kept before they become a Blob.
const KEPT: usize = 8 << 20;

impl Write for Parts {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut growing = self.0.borrow_mut();
        growing.bytes.extend_from_slice(bytes);
        if growing.bytes.len() >= KEPT {
            growing
                .spill()
                .map_err(|error| io::Error::other(error.to_string()))?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Growing {
    fn spill(&mut self) -> Result<(), StoreError> {
        let bytes = Uint8Array::from(self.bytes.as_slice());
        let blob = Blob::new_with_u8_array_sequence(&Array::of1(&bytes))?;
        self.blobs.push(&blob);
        self.bytes.clear();
        Ok(())
    }
}

impl Parts {
    fn finish(&self) -> Result<Blob, StoreError> {
        let mut growing = self.0.borrow_mut();
        growing.spill()?;
        let options = BlobPropertyBag::new();
        options.set_type("application/zip");
        let blobs = growing.blobs.unchecked_ref();
        Ok(Blob::new_with_blob_sequence_and_options(blobs, &options)?)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const NOTEBOOK: &str = r#"{"cells":[{"cell_type":"markdown","id":"a","metadata":{},"source":"Hello"}],"metadata":{},"nbformat":4,"nbformat_minor":5}"#;

    #[test]
    fn a_notebook_takes_three_forms() {
        let (name, text) = formed("h.ipynb", NOTEBOOK, Form::Notebook).unwrap();
        assert_eq!((name.as_str(), text.as_str()), ("h.ipynb", NOTEBOOK));
        let (name, text) = formed("h.ipynb", NOTEBOOK, Form::Page).unwrap();
        assert!(name == "h.html" && text.contains("<p>Hello</p>"));
        let (name, text) = formed("h.ipynb", NOTEBOOK, Form::Script).unwrap();
        assert!(name == "h.py" && text.contains("# Hello"));
        assert!(formed("h.ipynb", "{", Form::Page).is_err());
        assert!(formed("h.ipynb", "{", Form::Notebook).is_ok());
    }
}
