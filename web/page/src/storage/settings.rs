//! Small values by name, as JSON: preferences, what was open.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Changed, SETTINGS, Store, StoreError};

impl Store {
    /// The value kept under a name, if it is there.
    pub async fn setting<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, StoreError> {
        self.database().read(&[SETTINGS])?.get(SETTINGS, name).await
    }

    /// Keeps a value under a name.
    pub async fn keep_setting(&self, name: &str, value: &impl Serialize) -> Result<(), StoreError> {
        let transaction = self.database().write(&[SETTINGS])?;
        transaction.put(SETTINGS, name, value)?;
        transaction.commit().await?;
        self.tell(&Changed::Settings);
        Ok(())
    }
}
