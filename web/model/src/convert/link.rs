//! A notebook in a URL's fragment: its file, deflated, in base64 for URLs.
//!
//! The fragment is not sent to any server. What is in a link comes from a stranger: its length is
//! bounded before it is decoded, and the notebook's while it is inflated.

use std::io::{Read, Write};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use spoor_notebook::{Notebook, NotebookError};

/// The longest fragment, in characters: half of what browsers take in an address.
pub const MAX_LINK: usize = 1 << 20;

/// The largest notebook that a link may unfold to, in bytes.
pub const MAX_NOTEBOOK: usize = 16 << 20;

/// Why there is no link, or no notebook in one.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The notebook does not fit.
    #[error(
        "the notebook would make a link of {0} characters, and browsers take about {MAX_LINK}: \
         clear its outputs, or send it as a file"
    )]
    TooLong(usize),
    /// The link is longer than any that Spoor makes.
    #[error(
        "the link is {0} characters long, and Spoor makes none over {MAX_LINK}: ask for the file"
    )]
    LinkTooLong(usize),
    /// It was cut off or changed on the way.
    #[error("the link was cut off or changed on its way: ask for it again, or for the file")]
    Broken,
    /// It unfolds to more than a notebook's size.
    #[error("the link unfolds to over {} MiB, more than a notebook in a link may have", MAX_NOTEBOOK >> 20)]
    Bomb,
    /// What it holds is not a notebook.
    #[error("the link holds no notebook: {0}")]
    Notebook(#[from] NotebookError),
}

/// A notebook as the text of a fragment, with its outputs or without.
///
/// # Errors
/// [`LinkError::TooLong`] where it does not fit.
pub fn encode_link(notebook: &Notebook, outputs: bool) -> Result<String, LinkError> {
    let file = if outputs {
        notebook.to_vec()
    } else {
        without_outputs(notebook).to_vec()
    };
    let mut deflater = DeflateEncoder::new(Vec::new(), Compression::best());
    // Writing to memory does not fail.
    let deflated = deflater
        .write_all(&file)
        .and_then(|()| deflater.finish())
        .map_err(|_| LinkError::Broken)?;
    let length = deflated.len().div_ceil(3) * 4;
    if length > MAX_LINK || file.len() > MAX_NOTEBOOK {
        return Err(LinkError::TooLong(length));
    }
    Ok(URL_SAFE_NO_PAD.encode(deflated))
}

/// The notebook of a fragment.
///
/// # Errors
/// Where the text is not a link of Spoor's, or holds no notebook.
pub fn decode_link(fragment: &str) -> Result<Notebook, LinkError> {
    if fragment.len() > MAX_LINK {
        return Err(LinkError::LinkTooLong(fragment.len()));
    }
    let deflated = URL_SAFE_NO_PAD
        .decode(fragment.trim())
        .map_err(|_| LinkError::Broken)?;
    let mut file = Vec::new();
    let most = MAX_NOTEBOOK as u64 + 1;
    let inflater = DeflateDecoder::new(deflated.as_slice());
    inflater
        .take(most)
        .read_to_end(&mut file)
        .map_err(|_| LinkError::Broken)?;
    if file.len() > MAX_NOTEBOOK {
        return Err(LinkError::Bomb);
    }
    Ok(Notebook::from_slice(&file)?)
}

fn without_outputs(notebook: &Notebook) -> Notebook {
    let mut notebook = notebook.clone();
    for cell in &mut notebook.cells {
        cell.set_execution_count(None);
        if let Some(outputs) = cell.outputs_mut() {
            outputs.clear();
        }
    }
    notebook
}

#[cfg(test)]
mod tests;
