//! Which servers a sign-in was for, of those that no cloud lists. Kept where the accounts are, a line each; it holds no secret.

use web_sys::Storage;

use crate::realm::Realm;

const KEY: &str = "spoor.signin.servers";

/// Whether somebody signed in to the realm for this server.
pub(crate) fn has(realm: &Realm, keep: bool, server: &str) -> bool {
    let entry = entry(realm, server);
    lines(keep).contains(&entry)
}

/// Takes in that somebody did.
pub(crate) fn add(realm: &Realm, keep: bool, server: &str) {
    let mut lines = lines(keep);
    let entry = entry(realm, server);
    if !lines.contains(&entry) {
        lines.push(entry);
        write(keep, &lines);
    }
}

/// Forgets all servers of the realm.
pub(crate) fn forget(realm: &Realm, keep: bool) {
    let mut lines = lines(keep);
    let whole = lines.len();
    let start = entry(realm, "");
    lines.retain(|line| !line.starts_with(&start));
    if lines.len() < whole {
        write(keep, &lines);
    }
}

fn entry(realm: &Realm, server: &str) -> String {
    let (authority, client) = realm.key();
    // No address and no client's name has a tab.
    format!("{authority}\t{client}\t{server}")
}

fn lines(keep: bool) -> Vec<String> {
    let kept = storage(keep).and_then(|storage| storage.get_item(KEY).ok()?);
    kept.unwrap_or_default()
        .lines()
        .map(str::to_owned)
        .collect()
}

fn write(keep: bool, lines: &[String]) {
    let Some(storage) = storage(keep) else { return };
    // Where nothing can be kept no accounts are either.
    let _ = if lines.is_empty() {
        storage.remove_item(KEY)
    } else {
        storage.set_item(KEY, &lines.join("\n"))
    };
}

fn storage(keep: bool) -> Option<Storage> {
    let window = web_sys::window()?;
    let storage = if keep {
        window.local_storage()
    } else {
        window.session_storage()
    };
    storage.ok().flatten()
}
