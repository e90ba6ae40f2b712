//! In which realms the user wants to stay signed in. Off until they say so, and kept without any of what it is about.

use spoor_msal::Realm;
use web_sys::Storage;

use crate::dom;

const KEY: &str = "spoor.signin.keep";

/// Whether accounts of the realm are kept for other tabs.
pub fn keeps(realm: &Realm) -> bool {
    lines().contains(&line(realm))
}

/// Changes that, for sign-ins from now on.
pub fn set(realm: &Realm, keep: bool) {
    let Some(storage) = storage() else { return };
    let mut lines = lines();
    let line = line(realm);
    lines.retain(|one| *one != line);
    if keep {
        lines.push(line);
    }
    // A browser that keeps nothing keeps no accounts either.
    let _ = if lines.is_empty() {
        storage.remove_item(KEY)
    } else {
        storage.set_item(KEY, &lines.join("\n"))
    };
}

fn line(realm: &Realm) -> String {
    format!("{}\t{}", realm.authority, realm.client_id)
}

fn lines() -> Vec<String> {
    let kept = storage().and_then(|storage| storage.get_item(KEY).ok()?);
    kept.unwrap_or_default()
        .lines()
        .map(str::to_owned)
        .collect()
}

fn storage() -> Option<Storage> {
    dom::window().local_storage().ok().flatten()
}
