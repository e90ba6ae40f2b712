//! How much room the browser gives, and asking it not to clear what is kept.

use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{StorageEstimate, StorageManager};

use super::{Store, StoreError};
use crate::dom;

/// What the storage holds and may hold, in bytes, as the browser estimates it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Space {
    /// Bytes that are taken.
    pub used: f64,
    /// The most bytes.
    pub quota: f64,
}

impl Space {
    /// Whether so many bytes fit and leave room for notebooks. Browsers promise more than the disk
    /// may have: a write can fail all the same.
    fn room_for(self, bytes: f64) -> Result<(), StoreError> {
        let free = (self.free() - KEPT_FREE).max(0.0);
        match bytes <= free {
            true => Ok(()),
            false => Err(StoreError::Quota {
                needed: Some(bytes),
                free: Some(free),
            }),
        }
    }

    /// Bytes that are left.
    pub fn free(self) -> f64 {
        (self.quota - self.used).max(0.0)
    }
}

/// Room that is left for notebooks when a large file is added.
const KEPT_FREE: f64 = 16e6;

impl Store {
    /// How much room there is; none where the browser does not say.
    pub async fn estimate(&self) -> Option<Space> {
        let promise = manager()?.estimate().ok()?;
        let estimate: StorageEstimate = JsFuture::from(promise).await.ok()?.unchecked_into();
        Some(Space {
            used: estimate.get_usage()?,
            quota: estimate.get_quota()?,
        })
    }

    /// Asks the browser not to clear the storage when the disk is full. Whether it agreed. Asked
    /// once there is something of the user's own: some browsers show a question.
    pub async fn persist(&self) -> bool {
        let Some(Ok(promise)) = manager().map(|manager| manager.persist()) else {
            return false;
        };
        JsFuture::from(promise).await == Ok(JsValue::TRUE)
    }

    /// Asks for [`Store::persist`] without waiting for the answer.
    pub(super) fn ask_to_persist(&self) {
        let store = self.clone();
        wasm_bindgen_futures::spawn_local(async move {
            // A refusal changes nothing: the user exports what must last.
            let _ = store.persist().await;
        });
    }

    /// Refuses what would not fit, before anything is written.
    pub(super) async fn room_for(&self, bytes: f64) -> Result<(), StoreError> {
        match self.estimate().await {
            Some(space) => space.room_for(bytes),
            None => Ok(()),
        }
    }
}

/// Missing where the page does not come over HTTPS or from this computer.
pub(super) fn manager() -> Option<StorageManager> {
    let navigator = dom::window().navigator();
    let there = js_sys::Reflect::has(&navigator, &"storage".into()) == Ok(true);
    there.then(|| navigator.storage())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused_with_what_is_left() {
        let space = Space {
            used: 60e6,
            quota: 100e6,
        };
        assert_eq!(space.room_for(24e6), Ok(()));
        let refused = StoreError::Quota {
            needed: Some(25e6),
            free: Some(24e6),
        };
        assert_eq!(space.room_for(25e6), Err(refused));
    }
}
