//! A notebook as a file that the browser downloads.

use js_sys::{Array, Uint8Array};
use spoor_model::{Command, Document, convert};
use spoor_notebook::RenderOptions;
use web_sys::{Blob, BlobPropertyBag, HtmlAnchorElement, Url};

use crate::dom::{self, el};

/// Downloads the notebook in the format that the command names. `name` is its file's.
pub fn export(document: &Document, name: &str, command: Command) -> Option<()> {
    let stem = name.strip_suffix(".ipynb").unwrap_or(name);
    let notebook = document.notebook();
    let (bytes, extension, mime) = match command {
        Command::ExportHtml => {
            let options = RenderOptions {
                title: Some(stem),
                ..RenderOptions::default()
            };
            let html = spoor_notebook::render(notebook, &options);
            (html.into_bytes(), "html", "text/html")
        }
        Command::ExportPython => {
            let script = convert::to_python(notebook);
            (script.into_bytes(), "py", "text/x-python")
        }
        _ => (document.to_json(), "ipynb", "application/x-ipynb+json"),
    };
    download(&bytes, &format!("{stem}.{extension}"), mime)
}

/// Has the browser download bytes as a file.
fn download(bytes: &[u8], name: &str, mime: &str) -> Option<()> {
    let parts = Array::of1(&Uint8Array::from(bytes));
    let options = BlobPropertyBag::new();
    options.set_type(mime);
    let blob = Blob::new_with_u8_array_sequence_and_options(&parts, &options).ok()?;
    let url = Url::create_object_url_with_blob(&blob).ok()?;
    let link: HtmlAnchorElement = el("a").cast();
    link.set_href(&url);
    link.set_download(name);
    link.click();
    // The download has begun by then.
    dom::after(60_000, move || {
        let _ = Url::revoke_object_url(&url);
    });
    Some(())
}
