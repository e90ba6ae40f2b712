//! IndexedDB as futures: a database, and transactions that are durable and all or nothing.
//!
//! Thin on purpose: no crate at hand asks for the durability `strict`, which has the browser write
//! to the disk before it says that a save is done. A transaction stays open only from one of its
//! requests to the next: between them nothing else is awaited.

use js_sys::{Array, Object, Promise, Reflect};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Event, IdbDatabase, IdbFactory, IdbObjectStore, IdbOpenDbRequest, IdbRequest, IdbTransaction,
};

use super::error::{StoreError, text_of};
use crate::dom;

#[wasm_bindgen]
extern "C" {
    /// The database with the call that web-sys holds back as unstable.
    #[wasm_bindgen(extends = IdbDatabase)]
    type DurableDatabase;

    /// A transaction with the call that web-sys gives up, which browsers do not.
    #[wasm_bindgen(extends = IdbTransaction)]
    type EndedTransaction;

    #[wasm_bindgen(method, catch, js_name = commit)]
    fn end(this: &EndedTransaction) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch, js_name = transaction)]
    fn begin(
        this: &DurableDatabase,
        stores: &Array,
        mode: &str,
        options: &Object,
    ) -> Result<EndedTransaction, JsValue>;
}

/// An open database.
pub struct Database(DurableDatabase);

impl Database {
    /// Opens the database, making the stores that are not there. Raise `version` with each store.
    pub async fn open(
        name: &str,
        version: u32,
        stores: &'static [&str],
    ) -> Result<Self, StoreError> {
        let unavailable = |error: JsValue| StoreError::Unavailable(text_of(&error));
        let request = factory()?
            .open_with_u32(name, version)
            .map_err(unavailable)?;
        let asked = request.clone();
        dom::on(&request, "upgradeneeded", move |_: Event| {
            upgrade(&asked, stores)
        });
        let database = answer(&request).await;
        let database: IdbDatabase = database.map_err(unavailable)?.unchecked_into();
        let open = database.clone();
        // A newer page in another tab must not wait for this one.
        dom::on(&database, "versionchange", move |_: Event| open.close());
        Ok(Self(database.unchecked_into()))
    }

    /// Begins to read the stores.
    pub fn read(&self, stores: &[&str]) -> Result<Transaction, StoreError> {
        self.transaction(stores, "readonly")
    }

    /// Begins to change the stores. Nothing is kept before [`Transaction::commit`].
    pub fn write(&self, stores: &[&str]) -> Result<Transaction, StoreError> {
        self.transaction(stores, "readwrite")
    }

    fn transaction(&self, stores: &[&str], mode: &str) -> Result<Transaction, StoreError> {
        let names: Array = stores.iter().map(|name| JsValue::from_str(name)).collect();
        let options = Object::new();
        // Browsers that do not know the option are durable anyway.
        let _ = Reflect::set(&options, &"durability".into(), &"strict".into());
        let transaction = self.0.begin(&names, mode, &options)?;
        let ended = Promise::new(&mut |resolve, _| {
            transaction.set_oncomplete(Some(&resolve));
            transaction.set_onabort(Some(&resolve));
        });
        Ok(Transaction {
            inner: transaction,
            ended,
            committed: false,
        })
    }
}

/// Several requests that happen together or not at all. Dropping it undoes them.
pub struct Transaction {
    inner: EndedTransaction,
    ended: Promise,
    committed: bool,
}

impl Transaction {
    /// The value under a key.
    pub async fn get<T: DeserializeOwned>(
        &self,
        store: &str,
        key: &str,
    ) -> Result<Option<T>, StoreError> {
        let value = self.get_value(store, key).await?;
        if value.is_undefined() {
            return Ok(None);
        }
        decode(value).map(Some)
    }

    /// The value under a key as it is; undefined where there is none.
    pub async fn get_value(&self, store: &str, key: &str) -> Result<JsValue, StoreError> {
        let request = self.store(store)?.get(&key.into())?;
        self.answer(&request).await
    }

    /// All values of a store.
    pub async fn all<T: DeserializeOwned>(&self, store: &str) -> Result<Vec<T>, StoreError> {
        let request = self.store(store)?.get_all()?;
        let values: Array = self.answer(&request).await?.unchecked_into();
        values.iter().map(decode).collect()
    }

    /// Puts a value under a key.
    pub fn put(&self, store: &str, key: &str, value: &impl Serialize) -> Result<(), StoreError> {
        let serializer = serde_wasm_bindgen::Serializer::json_compatible();
        let value = value
            .serialize(&serializer)
            .map_err(|error| StoreError::Failed(error.to_string()))?;
        self.put_value(store, key, &value)
    }

    /// Puts a value under a key as it is: text, or a `Blob`.
    pub fn put_value(&self, store: &str, key: &str, value: &JsValue) -> Result<(), StoreError> {
        self.store(store)?.put_with_key(value, &key.into())?;
        Ok(())
    }

    /// Takes away what is under a key.
    pub fn delete(&self, store: &str, key: &str) -> Result<(), StoreError> {
        self.store(store)?.delete(&key.into())?;
        Ok(())
    }

    /// Ends it; resolves when everything is on the disk.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        self.send();
        let event: Event = JsFuture::from(self.ended.clone()).await?.unchecked_into();
        match (event.type_().as_str(), self.inner.error()) {
            ("complete", _) => Ok(()),
            (_, Some(error)) => Err(JsValue::from(error).into()),
            (_, None) => Err(StoreError::Closed),
        }
    }

    /// Ends it without waiting, for a page that is about to go.
    pub fn send(&mut self) {
        self.committed = true;
        // It fails where the browser has ended it already, which `ended` tells.
        let _ = self.inner.end();
    }

    /// What a request answers. One that ended with its transaction says no more than that: why is the transaction's to say.
    async fn answer(&self, request: &IdbRequest) -> Result<JsValue, StoreError> {
        let answered = answer(request).await;
        answered.map_err(|error| self.inner.error().map_or(error, JsValue::from).into())
    }

    fn store(&self, name: &str) -> Result<IdbObjectStore, StoreError> {
        Ok(self.inner.object_store(name)?)
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if !self.committed {
            let _ = self.inner.abort();
        }
    }
}

fn factory() -> Result<IdbFactory, StoreError> {
    let none = || StoreError::Unavailable("it has no IndexedDB".into());
    let found = dom::window().indexed_db();
    found.ok().flatten().ok_or_else(none)
}

fn upgrade(request: &IdbOpenDbRequest, stores: &[&str]) {
    let Ok(database) = request.result().map(JsValue::unchecked_into::<IdbDatabase>) else {
        return;
    };
    let there = database.object_store_names();
    for store in stores.iter().filter(|store| !there.contains(store)) {
        // Where it fails the upgrade does, and with it opening.
        let _ = database.create_object_store(store);
    }
}

/// What a request answers.
async fn answer(request: &IdbRequest) -> Result<JsValue, JsValue> {
    let settled = Promise::new(&mut |resolve, _| {
        request.set_onsuccess(Some(&resolve));
        request.set_onerror(Some(&resolve));
    });
    JsFuture::from(settled).await?;
    match request.error()? {
        Some(error) => Err(error.into()),
        None => request.result(),
    }
}

fn decode<T: DeserializeOwned>(value: JsValue) -> Result<T, StoreError> {
    serde_wasm_bindgen::from_value(value)
        .map_err(|error| StoreError::Failed(format!("a record does not read: {error}")))
}
