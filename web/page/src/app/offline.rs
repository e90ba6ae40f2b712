//! Keeping the site for use offline, once the page has nothing better to do.

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;

use crate::toast;

#[wasm_bindgen(raw_module = "spoor:lazy")]
extern "C" {
    #[wasm_bindgen(js_name = keepForOffline)]
    fn keep_for_offline(service: &str, tell: &Function) -> Promise;
}

/// Keeps the site by the script `service`. What comes of it is told in the page; that it cannot be
/// kept is not, for the page works without.
pub fn keep(service: &str) {
    let tell = Closure::<dyn FnMut(String, JsValue)>::new(tell).into_js_value();
    let kept = keep_for_offline(service, tell.unchecked_ref());
    wasm_bindgen_futures::spawn_local(async move {
        let _ = wasm_bindgen_futures::JsFuture::from(kept).await;
    });
}

fn tell(text: String, reload: JsValue) {
    let Ok(reload) = reload.dyn_into::<Function>() else {
        return toast::show(&text, None);
    };
    let reload = Box::new(move || {
        let _ = reload.call0(&JsValue::NULL);
    });
    toast::ask(&text, ("Reload", reload));
}
