//! The browser's locks (Web Locks), which end with the tab that holds them however it ends.

use js_sys::{Function, Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};

use super::error::StoreError;
use crate::dom;

#[wasm_bindgen]
extern "C" {
    /// web-sys holds the locks back as unstable.
    type LockManager;

    #[wasm_bindgen(method, catch)]
    fn request(
        this: &LockManager,
        name: &str,
        options: &Object,
        granted: &Function,
    ) -> Result<Promise, JsValue>;
}

/// How a lock is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// Only if nobody has it.
    IfFree,
    /// Wait until nobody has it.
    Wait,
    /// Take it from whoever has it.
    Steal,
}

/// A lock that is held; dropping it gives it back.
pub struct Held {
    release: Function,
    ended: Option<Promise>,
}

impl Held {
    /// Calls `lost` if another tab takes the lock.
    pub fn when_lost(&mut self, lost: impl FnOnce() + 'static) {
        if let Some(ended) = self.ended.take() {
            spawn_local(async move {
                if JsFuture::from(ended).await.is_err() {
                    lost();
                }
            });
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.release.call0(&JsValue::UNDEFINED);
    }
}

/// Asks for a lock. None if it is not free; a lock that guards nothing where the browser has no
/// locks (pages that do not come over HTTPS).
pub async fn request(name: &str, ask: Ask) -> Result<Option<Held>, StoreError> {
    let (granted, grant) = promise();
    let (released, release) = promise();
    let Some(manager) = manager() else {
        return Ok(Some(Held {
            release,
            ended: None,
        }));
    };
    let options = Object::new();
    let option = match ask {
        Ask::IfFree => Some("ifAvailable"),
        Ask::Steal => Some("steal"),
        Ask::Wait => None,
    };
    if let Some(option) = option {
        let _ = Reflect::set(&options, &option.into(), &JsValue::TRUE);
    }
    let callback = Closure::once_into_js(move |lock: JsValue| -> JsValue {
        let there = !lock.is_null();
        let _ = grant.call1(&JsValue::UNDEFINED, &there.into());
        if there {
            released.into()
        } else {
            JsValue::UNDEFINED
        }
    });
    let ended = manager.request(name, &options, callback.unchecked_ref())?;
    let held = JsFuture::from(Promise::race(&js_sys::Array::of2(&granted, &ended))).await?;
    Ok((held == JsValue::TRUE).then_some(Held {
        release,
        ended: Some(ended),
    }))
}

fn manager() -> Option<LockManager> {
    let navigator = dom::window().navigator();
    let locks = Reflect::get(&navigator, &"locks".into()).ok()?;
    (!locks.is_undefined()).then(|| locks.unchecked_into())
}

/// A promise and what resolves it.
fn promise() -> (Promise, Function) {
    let mut resolver = None;
    let promise = Promise::new(&mut |resolve, _| resolver = Some(resolve));
    // The constructor has called it.
    (promise, resolver.unwrap_or_default())
}
