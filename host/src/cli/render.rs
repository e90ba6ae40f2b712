//! `spoor render`. Starts in milliseconds: nothing here touches WebAssembly.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use spoor_notebook::{Notebook, RenderOptions};

use super::places::{Places, is_stream};
use super::{Exit, Failure, say};
use crate::error::Error;
use crate::save::write_atomically;

/// The largest image that is embedded, in bytes.
const LARGEST_IMAGE: u64 = 32 << 20;

/// Make static HTML pages of notebooks
///
/// A page is one file: it needs no script and no network. Whatever comes from the notebook is
/// sanitised. Notebooks of nbformat 3 and 4 are read; images beside them are embedded.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Args {
    /// The notebooks; `-` reads one from standard input
    #[arg(required = true, value_name = "NOTEBOOK")]
    notebooks: Vec<PathBuf>,
    /// The page, or, for more than one notebook, the folder of the pages; `-` is standard output
    /// [default: NAME.html beside each notebook]
    #[arg(short, long, value_name = "OUT")]
    output: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  spoor render hunt.ipynb                     makes hunt.html
  spoor render hunts/*.ipynb -o pages/        makes a page of each
  spoor render hunt.ipynb -o - | gzip > hunt.html.gz";

pub fn run(args: Args) -> Result<Exit, Failure> {
    let into_folder = args
        .output
        .as_deref()
        .filter(|out| args.notebooks.len() > 1 || out.is_dir());
    if into_folder.is_some_and(is_stream) {
        return Err(Failure::new(
            Exit::Usage,
            "standard output takes one page; name one notebook",
        ));
    }
    let pages: Vec<PathBuf> = args
        .notebooks
        .iter()
        .map(|notebook| page_path(notebook, args.output.as_deref(), into_folder))
        .collect();
    keep_apart(&args.notebooks, &pages)?;
    if let Some(folder) = into_folder {
        fs::create_dir_all(folder).map_err(Error::file("cannot make", folder))?;
    }
    let mut exit = Exit::Done;
    for (notebook, page) in args.notebooks.iter().zip(&pages) {
        match one(notebook, page) {
            Ok(()) => {}
            Err(failure) if args.notebooks.len() == 1 => return Err(failure),
            // The others are still wanted.
            Err(failure) => {
                say::error(&failure.message);
                exit = failure.exit;
            }
        }
    }
    Ok(exit)
}

/// Where the page of a notebook goes.
fn page_path(notebook: &Path, output: Option<&Path>, into_folder: Option<&Path>) -> PathBuf {
    match (output, into_folder) {
        (_, Some(folder)) => folder.join(page_name(notebook)),
        (Some(out), None) => out.to_owned(),
        (None, None) if is_stream(notebook) => PathBuf::from("-"),
        (None, None) => notebook.with_file_name(page_name(notebook)),
    }
}

/// Refuses pages that would replace a notebook or each other.
fn keep_apart(notebooks: &[PathBuf], pages: &[PathBuf]) -> Result<(), Failure> {
    let mut places = Places::default();
    for notebook in notebooks {
        places.read(format!("the notebook {}", notebook.display()), notebook);
    }
    for (notebook, page) in notebooks.iter().zip(pages) {
        places.write(format!("the page of {}", notebook.display()), page)?;
    }
    Ok(())
}

fn one(path: &Path, out: &Path) -> Result<(), Failure> {
    let page = page(&read_notebook(path)?, path);
    if is_stream(out) {
        std::io::stdout().lock().write_all(page.as_bytes())?;
        return Ok(());
    }
    Ok(write_atomically(out, page.as_bytes())?)
}

fn page_name(notebook: &Path) -> PathBuf {
    Path::new(notebook.file_name().unwrap_or(notebook.as_os_str())).with_extension("html")
}

/// Reads a notebook file, or standard input for `-`.
pub fn read_notebook(path: &Path) -> Result<Notebook, Failure> {
    let read = || {
        if is_stream(path) {
            let mut bytes = Vec::new();
            std::io::stdin()
                .lock()
                .read_to_end(&mut bytes)
                .map(|_| bytes)
        } else {
            fs::read(path)
        }
    };
    let bytes = read().map_err(Error::file("cannot read", path))?;
    Notebook::from_slice(&bytes).map_err(|e| {
        Failure::new(
            Exit::Unreadable,
            format!("{} is not a notebook: {e}", path.display()),
        )
    })
}

/// The page of a notebook that came from `path`.
pub fn page(notebook: &Notebook, path: &Path) -> String {
    let title = path
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned());
    let folder = path
        .canonicalize()
        .ok()
        .and_then(|path| path.parent().map(Path::to_owned));
    let images = |image: &str| {
        folder
            .as_deref()
            .and_then(|folder| image_beside(folder, image))
    };
    spoor_notebook::render(
        notebook,
        &RenderOptions {
            title: title.as_deref(),
            images: Some(&images),
        },
    )
}

/// The bytes of an image in or below the notebook's folder. A notebook may come from a stranger:
/// it must not pull other files into a page that is then shared.
fn image_beside(folder: &Path, image: &str) -> Option<Vec<u8>> {
    let path = folder.join(image).canonicalize().ok()?;
    let meta = fs::metadata(&path).ok()?;
    let fits = path.starts_with(folder) && meta.is_file() && meta.len() <= LARGEST_IMAGE;
    if fits { fs::read(path).ok() } else { None }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn images_are_taken_from_the_notebooks_folder_alone() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().canonicalize().unwrap().join("hunt");
        fs::create_dir_all(folder.join("img")).unwrap();
        fs::write(folder.join("img/a.png"), "in").unwrap();
        fs::write(dir.path().join("b.png"), "out").unwrap();
        std::os::unix::fs::symlink(dir.path().join("b.png"), folder.join("link.png")).unwrap();
        assert_eq!(image_beside(&folder, "img/a.png").unwrap(), b"in");
        assert_eq!(image_beside(&folder, "img/../img/a.png").unwrap(), b"in");
        for outside in ["../b.png", "link.png", "/etc/passwd", "img", "no.png"] {
            assert_eq!(image_beside(&folder, outside), None, "{outside}");
        }
    }
}
