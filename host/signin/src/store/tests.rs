use super::record::{Access, How, Record};
use super::*;
use crate::clock;
use crate::realm::Realm;
use crate::secret::{Kept, Secret};

fn record(user: &str, token: &str) -> Record {
    let realm = Realm {
        authority: "https://id.example".to_owned(),
        tenant: None,
        client_id: Some("spoor".to_owned()),
        server: None,
    };
    let mut record = Record::new(realm, user.to_owned(), How::Person, "hunt");
    record.refresh = Some(Kept(Secret::new(token.to_owned())));
    record
}

fn store() -> (tempfile::TempDir, Store) {
    let place = tempfile::tempdir().unwrap();
    let store = Store::open_in(&place.path().join("spoor/accounts"), KeyPlace::File).unwrap();
    (place, store)
}

#[test]
fn what_is_kept_is_read_by_another_and_is_not_in_the_file() {
    let (_place, store) = store();
    store
        .update(|vault| vault.put(record("anna", "canary-token")))
        .unwrap();
    let again = Store::open_in(&store.folder, KeyPlace::Best).unwrap();
    let vault = again.read().unwrap();
    let refresh = vault.accounts[0].refresh.as_ref().unwrap();
    assert_eq!(refresh.0.expose(), "canary-token");
    assert!(!format!("{vault:?} {store:?}").contains("canary"));
    for entry in std::fs::read_dir(&store.folder).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(6).any(|part| part == b"canary"));
    }
}

#[test]
fn who_signs_in_again_is_kept_once_and_is_the_newest() {
    let (_place, store) = store();
    for user in ["anna", "ben", "anna"] {
        store.update(|vault| vault.put(record(user, "t"))).unwrap();
    }
    let vault = store.read().unwrap();
    assert_eq!(vault.accounts.len(), 2);
    let realm = record("", "").realm;
    assert_eq!(vault.newest(&realm).unwrap().user, "anna");
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let (_place, store) = store();
    store
        .update(|vault| vault.put(record("anna", "t")))
        .unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&store.folder), 0o700);
    for entry in std::fs::read_dir(&store.folder).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(store.folder.join("accounts.key"), open).unwrap();
    let error = store.read().unwrap_err().to_string();
    assert!(
        error.contains("accounts.key") && error.contains("chmod 600"),
        "{error}"
    );
}

#[test]
fn damage_is_said_and_not_overwritten() {
    let (_place, store) = store();
    store
        .update(|vault| vault.put(record("anna", "t")))
        .unwrap();
    let path = store.file();
    let good = std::fs::read(&path).unwrap();
    let mut turned = good.clone();
    *turned.last_mut().unwrap() ^= 1;
    let mut moved = good.clone();
    moved.splice(..30, *b"spoor accounts 1, key in file ");
    for bad in [&b""[..], b"{}", &good[..40], &turned, &moved] {
        std::fs::write(&path, bad).unwrap();
        let error = store.read().unwrap_err().to_string();
        assert!(
            error.contains("accounts.sealed") && error.contains("spoor login"),
            "{error}"
        );
        assert!(store.update(|vault| vault.accounts.clear()).is_err());
        assert_eq!(std::fs::read(&path).unwrap(), bad);
    }
    std::fs::write(&path, &good).unwrap();
    std::fs::remove_file(store.folder.join("accounts.key")).unwrap();
    assert!(matches!(store.read(), Err(StoreError::KeyGone { .. })));
}

#[test]
fn many_at_once_lose_nothing() {
    let (_place, store) = store();
    std::thread::scope(|scope| {
        for user in 0..16 {
            let store = store.clone();
            scope.spawn(move || {
                store
                    .update(|vault| vault.put(record(&user.to_string(), "t")))
                    .unwrap()
            });
        }
    });
    assert_eq!(store.read().unwrap().accounts.len(), 16);
}

#[test]
fn tokens_are_renewed_ahead_of_their_end() {
    let access = |obtained, expires| Access {
        token: Kept(Secret::new("t".to_owned())),
        obtained,
        expires,
    };
    let hour = access(0, 3600);
    assert!(hour.is_fresh(3299) && !hour.is_fresh(3300));
    let minute = access(0, 60);
    assert!(
        minute.is_fresh(44) && !minute.is_fresh(45) && minute.is_alive(59) && !minute.is_alive(60)
    );
    // The clock was put back by an hour.
    assert!(!access(3600, 7200).is_fresh(0));
    assert!(access(clock::TOLERANCE, 7200).is_fresh(0));
}
