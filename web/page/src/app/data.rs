//! The user's own data files as tables of the session that runs.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::{Rc, Weak};

use spoor_messages::Source;
use wasm_bindgen_futures::spawn_local;

use crate::files::Sources;
use crate::session::Session;
use crate::storage::{Changed, Listening, Store};

/// The files, and what the session was told of them.
pub struct OwnData {
    store: Store,
    sources: Sources,
    /// The address by which the session knows each file.
    told: RefCell<HashMap<String, String>>,
    listening: RefCell<Option<Listening>>,
}

impl OwnData {
    /// The files of the storage; none where the browser gives no storage, which is told where files
    /// are shown.
    pub async fn open() -> Option<Rc<Self>> {
        let store = Store::open().await.ok()?;
        Some(Rc::new(Self {
            sources: Sources::new(&store),
            store,
            told: RefCell::default(),
            listening: RefCell::default(),
        }))
    }

    /// The files that the session was not told of yet.
    pub async fn news(&self) -> Vec<Source> {
        let mut all = self.sources.list().await.unwrap_or_default();
        let mut told = self.told.borrow_mut();
        all.retain(|source| {
            let before = told.insert(source.file.clone(), source.url.clone());
            before.as_ref() != Some(&source.url)
        });
        all
    }

    /// Tells the session of files that are added from now on.
    pub fn follow(self: &Rc<Self>, session: &Rc<Session>) {
        let (own, session) = (Rc::downgrade(self), Rc::downgrade(session));
        let listening = self.store.listen(move |changed| {
            if matches!(changed, Changed::Files) {
                let (own, session) = (own.clone(), session.clone());
                spawn_local(async move { tell(&own, &session).await });
            }
        });
        *self.listening.borrow_mut() = Some(listening);
    }
}

async fn tell(own: &Weak<OwnData>, session: &Weak<Session>) {
    let Some(own) = own.upgrade() else {
        return;
    };
    for source in own.news().await {
        if let Some(session) = session.upgrade() {
            session.add_source(source);
        }
    }
}
