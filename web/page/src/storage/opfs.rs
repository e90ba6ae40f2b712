//! A folder of the origin's private file system (OPFS).

use js_sys::{AsyncIterator, IteratorNext, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, File, FileSystemDirectoryHandle, FileSystemFileHandle, FileSystemGetDirectoryOptions,
    FileSystemGetFileOptions, FileSystemWritableFileStream,
};

use super::error::StoreError;
use super::space::manager;

#[wasm_bindgen]
extern "C" {
    /// The file's handle with the call that web-sys holds back as unstable.
    #[wasm_bindgen(extends = FileSystemFileHandle)]
    type WritableHandle;

    #[wasm_bindgen(method, catch, js_name = createWritable)]
    fn create_writable(this: &WritableHandle) -> Result<Promise, JsValue>;
}

/// A folder whose files a page can write.
pub struct Folder(FileSystemDirectoryHandle);

impl Folder {
    /// The folder of this name, made if need be. None where the browser has no such folders, or
    /// lets workers alone write in them.
    pub async fn open(name: &str) -> Option<Self> {
        let handle =
            js_sys::Reflect::get(&js_sys::global(), &"FileSystemFileHandle".into()).ok()?;
        let prototype = js_sys::Reflect::get(&handle, &"prototype".into()).ok()?;
        if js_sys::Reflect::has(&prototype, &"createWritable".into()) != Ok(true) {
            return None;
        }
        let root = JsFuture::from(manager()?.get_directory()).await.ok()?;
        let root: FileSystemDirectoryHandle = root.unchecked_into();
        let options = FileSystemGetDirectoryOptions::new();
        options.set_create(true);
        let folder = root.get_directory_handle_with_options(name, &options);
        Some(Self(JsFuture::from(folder).await.ok()?.unchecked_into()))
    }

    /// Begins to write a file. It has the bytes only after [`Writing::finish`].
    pub async fn write(&self, name: &str) -> Result<Writing, StoreError> {
        let options = FileSystemGetFileOptions::new();
        options.set_create(true);
        let handle = JsFuture::from(self.0.get_file_handle_with_options(name, &options)).await?;
        let handle: WritableHandle = handle.unchecked_into();
        let stream = JsFuture::from(handle.create_writable()?).await?;
        Ok(Writing(Some(stream.unchecked_into())))
    }

    /// A file.
    pub async fn file(&self, name: &str) -> Result<File, StoreError> {
        let handle = JsFuture::from(self.0.get_file_handle(name)).await?;
        let handle: FileSystemFileHandle = handle.unchecked_into();
        Ok(JsFuture::from(handle.get_file()).await?.unchecked_into())
    }

    /// Deletes a file, if it is there.
    pub async fn remove(&self, name: &str) -> Result<(), StoreError> {
        match JsFuture::from(self.0.remove_entry(name)).await {
            Err(error) if !is(&error, "NotFoundError") => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// The names of the files.
    pub async fn names(&self) -> Result<Vec<String>, StoreError> {
        let names: AsyncIterator = self.0.keys();
        let mut all = Vec::new();
        loop {
            let next: IteratorNext = JsFuture::from(names.next()?).await?.unchecked_into();
            if next.done() {
                return Ok(all);
            }
            all.extend(next.value().as_string());
        }
    }
}

/// A file being written. Dropping it leaves the file without the bytes.
pub struct Writing(Option<FileSystemWritableFileStream>);

impl Writing {
    /// Adds bytes at the end.
    pub async fn add(&self, bytes: &Blob) -> Result<(), StoreError> {
        if let Some(stream) = &self.0 {
            // Not the blob itself: where the storage is full, Chromium may say of one that it cannot be read.
            let bytes = JsFuture::from(bytes.array_buffer()).await?;
            let written = stream.write_with_buffer_source(bytes.unchecked_ref())?;
            JsFuture::from(written).await.map_err(not_written)?;
        }
        Ok(())
    }

    /// Puts the bytes in the file's place; resolves when they are there.
    pub async fn finish(mut self) -> Result<(), StoreError> {
        if let Some(stream) = self.0.take() {
            JsFuture::from(stream.close()).await.map_err(not_written)?;
        }
        Ok(())
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        if let Some(stream) = self.0.take() {
            // What it answers matters to nobody, but must not be reported as unhandled.
            let aborted = stream.abort();
            wasm_bindgen_futures::spawn_local(async move {
                let _ = JsFuture::from(aborted).await;
            });
        }
    }
}

/// Why bytes were not written. Nobody aborts a stream that is being written, so an `AbortError` is the browser's own: where
/// there is no room, Chromium closes its end of the pipe, and which of the two it then tells of is a matter of luck.
fn not_written(error: JsValue) -> StoreError {
    match is(&error, "AbortError") {
        true => StoreError::Quota {
            needed: None,
            free: None,
        },
        false => error.into(),
    }
}

fn is(error: &JsValue, name: &str) -> bool {
    let exception = error.dyn_ref::<web_sys::DomException>();
    exception.is_some_and(|exception| exception.name() == name)
}
