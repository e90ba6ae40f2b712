//! The files of a folder that was dropped: read by the browser's older interface, which all have.

use std::pin::Pin;

use js_sys::{Array, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{DataTransfer, File, FileSystemDirectoryEntry, FileSystemEntry, FileSystemFileEntry};

/// A file that was given.
pub struct Given {
    /// It.
    pub file: File,
    /// Whether it was found in a folder, and not named itself.
    pub in_folder: bool,
}

/// The most files that are taken from folders at a time.
const MOST: usize = 2000;

/// What was dropped. Called in the event itself: the browser forgets it after.
pub fn dropped(transfer: &DataTransfer) -> Vec<FileSystemEntry> {
    let items = transfer.items();
    let item = |at| {
        items
            .get(at)
            .and_then(|item| item.webkit_get_as_entry().ok().flatten())
    };
    (0..items.length()).filter_map(item).collect()
}

/// The files of what was dropped, with those in folders and below; hidden ones aside.
pub async fn files(entries: Vec<FileSystemEntry>) -> Vec<Given> {
    let mut given = Vec::new();
    for entry in entries {
        collect(entry, false, &mut given).await;
    }
    given
}

fn collect<'a>(
    entry: FileSystemEntry,
    in_folder: bool,
    given: &'a mut Vec<Given>,
) -> Pin<Box<dyn Future<Output = ()> + 'a>> {
    Box::pin(async move {
        if given.len() >= MOST || (in_folder && entry.name().starts_with('.')) {
            return;
        }
        if entry.is_file() {
            // What cannot be read is not there: a file that was deleted since.
            if let Ok(file) = file(entry.unchecked_ref()).await {
                given.push(Given { file, in_folder });
            }
            return;
        }
        let folder: &FileSystemDirectoryEntry = entry.unchecked_ref();
        for entry in listing(folder).await.unwrap_or_default() {
            collect(entry, true, given).await;
        }
    })
}

async fn file(entry: &FileSystemFileEntry) -> Result<File, JsValue> {
    let promise = Promise::new(&mut |resolve, reject| {
        entry.file_with_callback_and_callback(&resolve, &reject);
    });
    Ok(JsFuture::from(promise).await?.unchecked_into())
}

/// A folder's entries, which come a hundred at a time.
async fn listing(folder: &FileSystemDirectoryEntry) -> Result<Vec<FileSystemEntry>, JsValue> {
    let reader = folder.create_reader();
    let mut all = Vec::new();
    loop {
        let promise = Promise::new(&mut |resolve, reject| {
            if let Err(error) = reader.read_entries_with_callback_and_callback(&resolve, &reject) {
                let _ = reject.call1(&JsValue::UNDEFINED, &error);
            }
        });
        let some: Array = JsFuture::from(promise).await?.unchecked_into();
        if some.length() == 0 {
            return Ok(all);
        }
        all.extend(some.iter().map(JsCast::unchecked_into));
    }
}
