//! The storage as the console and the browser tests reach it: `spoor.storage`.
//!
//! The same code that the page runs, with nothing added but the way in.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Object, Reflect};
use serde::Serialize;
use wasm_bindgen::prelude::*;
use web_sys::{Blob, File};

use super::{Access, Cancel, Editing, News, SaveState, Store, StoreError};

/// The storage, for the console.
#[wasm_bindgen]
pub struct SpoorStorage(Store);

type Answer<T> = Result<T, JsError>;

impl Store {
    /// Lets the console and tests reach the storage as `spoor.storage`.
    pub fn expose(&self) {
        let global = js_sys::global();
        let spoor = Reflect::get(&global, &"spoor".into());
        let spoor = spoor.ok().filter(JsValue::is_object);
        let spoor = spoor.unwrap_or_else(|| Object::new().into());
        let _ = Reflect::set(
            &spoor,
            &"storage".into(),
            &SpoorStorage(self.clone()).into(),
        );
        let _ = Reflect::set(&global, &"spoor".into(), &spoor);
    }
}

#[wasm_bindgen]
impl SpoorStorage {
    /// The notebooks' entries.
    pub async fn notebooks(&self) -> Answer<JsValue> {
        json(&self.0.notebooks().await?)
    }

    /// The text of a notebook.
    pub async fn read(&self, id: String) -> Answer<String> {
        Ok(self.0.read(&id).await?.1)
    }

    /// Makes a notebook; its id.
    pub async fn create(&self, name: String, text: String) -> Answer<String> {
        Ok(self.0.create(&name, &text, None).await?.id)
    }

    /// Saves a notebook; its new version.
    pub async fn save(&self, id: String, base: u32, text: String) -> Answer<u32> {
        Ok(self.0.save(&id, base, &text).await?)
    }

    /// The versions of a notebook.
    pub async fn versions(&self, id: String) -> Answer<JsValue> {
        json(&self.0.versions(&id).await?)
    }

    /// Makes a former version the newest.
    pub async fn restore(&self, id: String, number: u32) -> Answer<u32> {
        Ok(self.0.restore(&id, number).await?)
    }

    /// Puts a text aside as a page that goes does.
    #[wasm_bindgen(js_name = keepDraft)]
    pub fn keep_draft(&self, id: String, base: u32, text: String) -> Answer<()> {
        self.0.keep_draft(&id, base, &text)?;
        Ok(())
    }

    /// Adds a data file.
    #[wasm_bindgen(js_name = addFile)]
    pub async fn add_file(&self, name: String, bytes: Blob) -> Answer<()> {
        let cancel = Cancel::default();
        self.0
            .add_file(&name, &bytes, false, |_| {}, &cancel)
            .await?;
        Ok(())
    }

    /// The names and sizes of the data files.
    pub async fn files(&self) -> Answer<JsValue> {
        let files = self.0.files().await?;
        let sizes: Vec<(String, f64)> = files.into_iter().map(|f| (f.name, f.bytes)).collect();
        json(&sizes)
    }

    /// A data file.
    pub async fn file(&self, name: String) -> Answer<File> {
        Ok(self.0.file(&name).await?)
    }

    /// Opens a notebook as the page's editor does.
    pub async fn open(&self, id: String) -> Answer<OpenNotebook> {
        Ok(OpenNotebook::new(&self.0, id).await?)
    }
}

/// A notebook that is open, for the console.
#[wasm_bindgen]
pub struct OpenNotebook {
    text: Rc<RefCell<String>>,
    editing: Editing,
}

impl OpenNotebook {
    async fn new(store: &Store, id: String) -> Result<Self, StoreError> {
        let text = Rc::new(RefCell::new(String::new()));
        let (current, shown) = (text.clone(), text.clone());
        let text_now = move || current.borrow().clone();
        let told = move |news| match news {
            News::Text(_, text) => {
                shown.replace(text);
                true
            }
            _ => false,
        };
        let shelf = Rc::new(store.clone());
        let (editing, opened) = Editing::open(store, shelf, &id, text_now, told).await?;
        text.replace(opened.text);
        Ok(Self { text, editing })
    }
}

#[wasm_bindgen]
impl OpenNotebook {
    /// The text as the page has it.
    pub fn text(&self) -> String {
        self.text.borrow().clone()
    }

    /// Replaces the text, as typing does.
    pub fn edit(&self, text: String) {
        self.text.replace(text);
        self.editing.edited();
    }

    /// `saved`, `unsaved`, `saving`, or what failed.
    pub fn state(&self) -> String {
        match self.editing.state() {
            SaveState::Saved => "saved".into(),
            SaveState::Unsaved => "unsaved".into(),
            SaveState::Saving => "saving".into(),
            SaveState::Failed(error) => error.to_string(),
        }
    }

    /// Whether this tab may edit.
    pub fn edits(&self) -> bool {
        self.editing.access() == Access::Edit
    }

    /// Edits here and no longer in the other tab.
    #[wasm_bindgen(js_name = takeOver)]
    pub async fn take_over(&self) -> Answer<()> {
        Ok(self.editing.clone().take_over().await?)
    }
}

fn json(value: &impl Serialize) -> Answer<JsValue> {
    let serializer = serde_wasm_bindgen::Serializer::json_compatible();
    Ok(value.serialize(&serializer)?)
}
