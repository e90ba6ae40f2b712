//! The data files as the kernel's tables: each by an address that a worker can read.

use std::cell::RefCell;
use std::collections::HashMap;

use spoor_messages::Source;
use web_sys::Url;

use crate::storage::{DataFile, Store, StoreError};

/// Whether a file of this name is a plugin, and no table.
pub fn is_plugin(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with(".wasm")
}

/// The addresses of data files, for as long as the page lives or the file does.
pub struct Sources {
    store: Store,
    urls: RefCell<HashMap<String, Address>>,
}

struct Address {
    /// When the file was added: another of the same name has another time.
    added: f64,
    url: String,
}

impl Drop for Address {
    fn drop(&mut self) {
        let _ = Url::revoke_object_url(&self.url);
    }
}

impl Sources {
    /// The files of a storage.
    pub fn new(store: &Store) -> Self {
        Self {
            store: store.clone(),
            urls: RefCell::default(),
        }
    }

    /// The tables that there are now.
    pub async fn list(&self) -> Result<Vec<Source>, StoreError> {
        let files = self.store.files().await?;
        self.forget_gone(&files);
        let mut sources = Vec::new();
        for file in files.iter().filter(|file| !is_plugin(&file.name)) {
            let url = self.address(file).await?;
            sources.push(Source::of_file(&file.name, &url, file.bytes));
        }
        Ok(sources)
    }

    /// The plugins that there are now: the files' names and where their bytes are.
    pub async fn plugins(&self) -> Result<Vec<(String, String)>, StoreError> {
        let files = self.store.files().await?;
        self.forget_gone(&files);
        let mut plugins = Vec::new();
        for file in files.iter().filter(|file| is_plugin(&file.name)) {
            plugins.push((file.name.clone(), self.address(file).await?));
        }
        Ok(plugins)
    }

    fn forget_gone(&self, files: &[DataFile]) {
        let there = |name: &String| files.iter().any(|file| file.name == *name);
        self.urls.borrow_mut().retain(|name, _| there(name));
    }

    async fn address(&self, file: &DataFile) -> Result<String, StoreError> {
        let known = self
            .urls
            .borrow()
            .get(&file.name)
            .and_then(|address| (address.added == file.added).then(|| address.url.clone()));
        if let Some(url) = known {
            return Ok(url);
        }
        let bytes = self.store.file(&file.name).await?;
        let url = Url::create_object_url_with_blob(&bytes)?;
        let address = Address {
            added: file.added,
            url: url.clone(),
        };
        self.urls.borrow_mut().insert(file.name.clone(), address);
        Ok(url)
    }
}
