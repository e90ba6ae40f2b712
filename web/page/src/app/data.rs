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
    /// What the site offers, which a file of the user's takes the place of.
    site: RefCell<Vec<Source>>,
    /// The files that the session knows.
    told: RefCell<HashMap<String, Source>>,
    listening: RefCell<Option<Listening>>,
}

/// What has changed since the session was last told.
#[derive(Default)]
struct News {
    /// Tables whose files are gone.
    gone: Vec<String>,
    /// Files that are new, or have other bytes.
    new: Vec<Source>,
}

impl OwnData {
    /// The files of the storage.
    pub fn new(store: &Store) -> Rc<Self> {
        Rc::new(Self {
            sources: Sources::new(store),
            store: store.clone(),
            site: RefCell::default(),
            told: RefCell::default(),
            listening: RefCell::default(),
        })
    }

    /// The tables that a session is to begin with: the site's, and the user's in the place of those.
    pub async fn beside(&self, site: &[Source]) -> Vec<Source> {
        self.site.replace(site.to_vec());
        let own = self.news().await.new;
        let mut all = site.to_vec();
        all.retain(|source| own.iter().all(|file| file.name != source.name));
        all.extend(own);
        all
    }

    async fn news(&self) -> News {
        let Ok(all) = self.sources.list().await else {
            return News::default();
        };
        let mut told = self.told.borrow_mut();
        let mut news = News::default();
        told.retain(|file, source| {
            let there = all.iter().any(|other| other.file == *file);
            if !there {
                news.gone.push(source.name.clone());
            }
            there
        });
        for source in all {
            let before = told.insert(source.file.clone(), source.clone());
            if before.is_none_or(|before| before.url != source.url) {
                news.new.push(source);
            }
        }
        news
    }

    /// Tells the session of files that are added and deleted from now on.
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
    let news = own.news().await;
    let Some(session) = session.upgrade() else {
        return;
    };
    for table in news.gone {
        let site = own.site.borrow();
        match site.iter().find(|source| source.name == table) {
            Some(source) => session.add_source(source.clone()),
            None => session.remove_source(&table),
        }
    }
    for source in news.new {
        session.add_source(source);
    }
}
