//! The user's plugins: files of the storage whose names end in `.wasm`.

use std::rc::Rc;

use spoor_model::plugins::line;
use spoor_notebook::names;
use spoor_plugin_abi::{MAX_MODULE, Manifest};
use spoor_registry::{Decision, Label};
use wasm_bindgen_futures::spawn_local;

use super::{Plugins, Standing, ask, standing};
use crate::app::fetch;
use crate::dom;
use crate::files::Sources;
use crate::storage::{Changed, Store};
use crate::toast;

/// A file of the user's.
pub(super) struct OwnFile {
    /// Where its bytes are, another for other bytes.
    url: String,
    /// What it says of itself.
    pub label: Result<Label, String>,
    pub standing: Standing,
    /// Whether the session was given it.
    is_given: bool,
    /// Whether its user has yet to hear that it can be called.
    is_new: bool,
}

/// What stands in a file's row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// What is known of it.
    pub about: String,
    /// Whether it waits for its user's yes.
    pub waits: bool,
    /// Whether the session did not take it.
    pub failed: bool,
    /// Whether its user has let it run.
    pub allowed: bool,
}

impl Plugins {
    /// Reads the files of a storage, and those that are added and deleted from now on.
    pub async fn follow(self: &Rc<Self>, store: &Store) {
        self.sources.replace(Some(Sources::new(store)));
        let weak = Rc::downgrade(self);
        let listening = store.listen(move |changed| {
            if let Some(plugins) = weak.upgrade().filter(|_| matches!(changed, Changed::Files)) {
                spawn_local(async move { plugins.refresh(true).await });
            }
        });
        self.listening.replace(Some(listening));
        self.refresh(false).await;
    }

    /// Reads what there is now. With `asks` the user is asked of what is new.
    async fn refresh(self: &Rc<Self>, asks: bool) {
        let _turn = self.turn.lock().await;
        self.recall();
        let sources = self.sources.take();
        let there = match &sources {
            Some(sources) => sources.plugins().await.ok(),
            None => None,
        };
        self.sources.replace(sources);
        // A storage that cannot be read has lost nothing yet.
        let Some(there) = there else {
            return;
        };
        let fresh = self.fresh(&there, asks).await;
        // Not before the new ones are read: where one takes another's place, its plugin is there all the time.
        self.forget(&there);
        let names: Vec<String> = fresh.iter().map(|(name, _)| name.clone()).collect();
        self.files.borrow_mut().extend(fresh);
        for name in &names {
            self.consider(name);
        }
        self.tell();
        for name in names.iter().filter(|_| asks) {
            if !dom::document().hidden() {
                self.ask_about(name).await;
            }
        }
        self.tell();
    }

    /// The files that are not known yet, or not with these bytes.
    async fn fresh(&self, there: &[(String, String)], is_new: bool) -> Vec<(String, OwnFile)> {
        let mut fresh = Vec::new();
        for (name, url) in there {
            let known = self.files.borrow().get(name).map(|file| file.url.clone());
            if known.as_ref() == Some(url) {
                continue;
            }
            let label = match read(url).await {
                Ok(bytes) => Label::read(&bytes).map_err(|error| error.to_string()),
                Err(why) => Err(format!("it could not be read: {why}")),
            };
            let file = OwnFile {
                label,
                url: url.clone(),
                standing: Standing::Waits,
                is_given: false,
                is_new,
            };
            fresh.push((name.clone(), file));
        }
        fresh
    }

    /// Takes away what is gone, and gives what stood behind it.
    fn forget(self: &Rc<Self>, there: &[(String, String)]) {
        let mut gone = Vec::new();
        self.files.borrow_mut().retain(|name, file| {
            let stays = there
                .iter()
                .any(|(other, url)| other == name && *url == file.url);
            if !stays && !matches!(file.standing, Standing::Waits | Standing::Doubled(_)) {
                gone.extend(
                    file.label
                        .as_ref()
                        .ok()
                        .map(|label| label.manifest.name.clone()),
                );
            }
            stays
        });
        for plugin in &gone {
            if self.bearer(plugin).is_none() {
                self.withdraw(plugin);
            }
        }
        if !gone.is_empty() {
            self.consider_all();
        }
    }

    /// What the files say of themselves that may run.
    pub(super) fn allowed(&self) -> Vec<Manifest> {
        let files = self.files.borrow();
        let allowed = files
            .values()
            .filter(|file| matches!(file.standing, Standing::Here | Standing::Allowed));
        let labels = allowed.filter_map(|file| file.label.as_ref().ok());
        labels.map(|label| label.manifest.clone()).collect()
    }

    /// The file that has the plugin of this name and may run.
    fn bearer(&self, plugin: &str) -> Option<String> {
        let files = self.files.borrow();
        let mut bearing = files.iter().filter(|(_, file)| {
            let label = file.label.as_ref();
            matches!(file.standing, Standing::Here | Standing::Allowed)
                && label.is_ok_and(|label| label.manifest.name == plugin)
        });
        bearing.next().map(|(name, _)| name.clone())
    }

    /// Decides anew on each file: twice, as one that may not run any more leaves its plugin's name to another.
    pub(super) fn consider_all(self: &Rc<Self>) {
        let names: Vec<String> = self.files.borrow().keys().cloned().collect();
        for name in names.iter().chain(&names) {
            self.consider(name);
        }
    }

    /// Gives the session a file that may run, if it has not got it, and takes one away that may not any more.
    fn consider(self: &Rc<Self>, name: &str) {
        let (label, before) = match self.files.borrow().get(name) {
            Some(file) => (file.label.clone(), file.standing.clone()),
            None => return,
        };
        let label = match label {
            Ok(label) => label,
            Err(why) => return self.set(name, Standing::Refused(why)),
        };
        let was_allowed = matches!(before, Standing::Here | Standing::Allowed);
        let was_refused = matches!(before, Standing::Refused(_)) && self.is_given(name);
        let Decision::Run { granted, .. } = self.said.borrow().decide(&label) else {
            self.set(name, Standing::Waits);
            if was_allowed {
                self.withdraw(&label.manifest.name);
            }
            return;
        };
        // What the kernel would not have it has to be asked for again.
        if was_refused {
            return;
        }
        match self.bearer(&label.manifest.name) {
            Some(other) if other != name => self.set(name, Standing::Doubled(other)),
            // One that was given to a session is given once.
            _ if was_allowed && self.session.borrow().is_some() && self.is_given(name) => {}
            _ => {
                self.set(name, Standing::Allowed);
                self.withdraw_shadowed();
                self.add(
                    name,
                    &label,
                    granted.iter().map(|one| one.name().to_owned()).collect(),
                );
            }
        }
    }

    fn set(&self, name: &str, standing: Standing) {
        if let Some(file) = self.files.borrow_mut().get_mut(name) {
            file.standing = standing;
        }
    }

    fn is_given(&self, name: &str) -> bool {
        self.files
            .borrow()
            .get(name)
            .is_some_and(|file| file.is_given)
    }

    /// Has the session take the files that it did not take and that a cell names, once more.
    pub(super) fn try_again(self: &Rc<Self>, source: &str) {
        let refused: Vec<String> = {
            let files = self.files.borrow();
            let refused = files.iter().filter(|(_, file)| {
                let functions = file.label.as_ref().map(|label| &label.manifest.functions);
                matches!(file.standing, Standing::Refused(_))
                    && functions.is_ok_and(|all| all.iter().any(|f| names(source, &f.name)))
                    && !file
                        .label
                        .as_ref()
                        .is_ok_and(|label| self.serves(&label.manifest))
            });
            refused.map(|(name, _)| name.clone()).collect()
        };
        for name in refused {
            self.again(&name);
        }
    }

    /// Has the session take a file that it did not take, once more.
    pub fn again(self: &Rc<Self>, name: &str) {
        if let Some(file) = self.files.borrow_mut().get_mut(name) {
            file.is_given = false;
        }
        self.consider(name);
        self.tell();
    }

    fn add(self: &Rc<Self>, name: &str, label: &Label, granted: Vec<String>) {
        let Some(session) = self.session.borrow().clone() else {
            return;
        };
        let url = match self.files.borrow_mut().get_mut(name) {
            Some(file) => {
                file.is_given = true;
                file.url.clone()
            }
            None => return,
        };
        let (plugins, name, label) = (Rc::downgrade(self), name.to_owned(), label.clone());
        let asked = url.clone();
        session.add_plugin(&url, &label.identity.to_string(), granted, move |reply| {
            if let Some(plugins) = plugins.upgrade() {
                plugins.answered(&name, &asked, &label, standing(&reply));
            }
        });
    }

    /// Takes in what the kernel says of the file that had its bytes at `url`.
    fn answered(self: &Rc<Self>, name: &str, url: &str, label: &Label, stands: Standing) {
        let mut files = self.files.borrow_mut();
        // It may be gone or stopped meanwhile, and the answer with it.
        let file = files.get_mut(name);
        let Some(file) = file.filter(|file| file.url == url && file.standing == Standing::Allowed)
        else {
            return;
        };
        let is_new = std::mem::take(&mut file.is_new);
        file.standing = stands.clone();
        drop(files);
        match stands {
            Standing::Refused(why) => {
                toast::show(&format!("{name} cannot be used: {why}"), None);
                // Another file may have the plugin too.
                self.consider_all();
            }
            _ if is_new => toast::show(&is_here(label), None),
            _ => {}
        }
        self.tell_of_arrival();
    }

    /// Asks whether a file may run, if it waits for that.
    pub async fn let_run(self: &Rc<Self>, name: &str) {
        let _turn = self.turn.lock().await;
        self.ask_about(name).await;
        self.tell();
    }

    /// Asks of a file that waits for it.
    async fn ask_about(self: &Rc<Self>, name: &str) {
        let label = match self.files.borrow().get(name) {
            Some(file) => (file.label.clone(), file.standing == Standing::Waits),
            None => return,
        };
        match label {
            (Err(why), _) => toast::show(&format!("{name} cannot be used: {why}"), None),
            (Ok(label), true) if self.asked(&label).await => {
                if let Some(file) = self.files.borrow_mut().get_mut(name) {
                    file.is_new = true;
                }
                self.consider_all();
            }
            _ => {}
        }
    }

    /// Asks whether a module may run, unless that is known; whether it may.
    pub(super) async fn asked(&self, label: &Label) -> bool {
        if matches!(self.said.borrow().decide(label), Decision::Run { .. }) {
            return true;
        }
        match (ask::may_run(label).await, label.publisher) {
            (ask::Answer::No, _) => return false,
            (ask::Answer::Publisher, Some(key)) => self.say(|said| said.trust(&key)),
            _ => self.say(|said| said.approve(label)),
        }
        true
    }

    /// Takes back that a file may run, and with it what its publisher's other files had of that.
    pub fn stop(self: &Rc<Self>, name: &str) {
        let label = match self.files.borrow().get(name) {
            Some(OwnFile {
                label: Ok(label), ..
            }) => label.clone(),
            _ => return,
        };
        self.say(|said| said.forget(&label));
        self.consider_all();
        self.tell();
    }

    /// The files that have the plugin of this name, and what each says of itself.
    pub(super) fn own(&self, plugin: &str) -> Vec<(String, Label)> {
        let files = self.files.borrow();
        let labels = files
            .iter()
            .filter_map(|(name, file)| Some((name.clone(), file.label.clone().ok()?)));
        labels
            .filter(|(_, label)| label.manifest.name == plugin)
            .collect()
    }

    /// What stands in a file's row.
    pub fn row(&self, name: &str) -> Row {
        let files = self.files.borrow();
        let Some(file) = files.get(name) else {
            return Row {
                about: "plugin".into(),
                ..Row::default()
            };
        };
        let about = match &file.label {
            Ok(label) => line(label),
            Err(why) => format!("not a plugin: {why}"),
        };
        let more = match &file.standing {
            Standing::Waits => " · waits until you let it run".to_owned(),
            Standing::Doubled(other) => format!(" · not in use: {other} has this plugin too"),
            Standing::Refused(why) if file.label.is_ok() => format!(" · cannot be used: {why}"),
            _ => String::new(),
        };
        Row {
            about: about + &more,
            waits: file.standing == Standing::Waits,
            failed: file.label.is_ok() && matches!(file.standing, Standing::Refused(_)),
            allowed: matches!(file.standing, Standing::Here | Standing::Allowed),
        }
    }
}

fn is_here(label: &Label) -> String {
    let (manifest, calls) = (&label.manifest, label.manifest.functions.iter());
    let calls: Vec<String> = calls.map(|f| format!("evaluate {}(…)", f.name)).collect();
    format!(
        "The plugin {} {} is here: {}",
        manifest.name,
        manifest.version,
        calls.join(", ")
    )
}

/// The bytes of a file, at a URL that says nothing to its user.
async fn read(url: &str) -> Result<Vec<u8>, String> {
    let bytes = fetch::bytes_of(url, MAX_MODULE).await;
    bytes.map_err(|error| error.replace(url, "it"))
}
