//! The user's plugins: files of the storage whose names end in `.wasm`.

use std::rc::Rc;

use spoor_model::plugins::line;
use spoor_registry::{Decision, Label};
use wasm_bindgen_futures::spawn_local;

use super::{MAX_MODULE, Plugins, Standing, ask, standing};
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
}

/// What stands in a file's row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// What is known of it.
    pub about: String,
    /// Whether it waits for its user's yes.
    pub waits: bool,
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
            Some(sources) => sources.plugins().await.unwrap_or_default(),
            None => Vec::new(),
        };
        self.sources.replace(sources);
        self.forget(&there);
        for (name, url) in there {
            let known = self.files.borrow().get(&name).map(|file| file.url.clone());
            if known.as_ref() == Some(&url) {
                continue;
            }
            let file = OwnFile {
                label: read(&url).await,
                url,
                standing: Standing::Waits,
            };
            self.files.borrow_mut().insert(name.clone(), file);
            self.consider(&name);
            if asks && !dom::document().hidden() {
                self.ask_about(&name).await;
            }
        }
        self.tell();
    }

    /// Takes away what is gone, and gives what stood behind it.
    fn forget(self: &Rc<Self>, there: &[(String, String)]) {
        let mut gone = Vec::new();
        self.files.borrow_mut().retain(|name, file| {
            let stays = there
                .iter()
                .any(|(other, url)| other == name && *url == file.url);
            if !stays && matches!(file.standing, Standing::Here | Standing::Allowed) {
                gone.extend(
                    file.label
                        .as_ref()
                        .ok()
                        .map(|label| label.manifest.name.clone()),
                );
            }
            stays
        });
        if let Some(session) = &*self.session.borrow() {
            for name in &gone {
                session.remove_plugin(name);
            }
        }
        // The site's of that name is given again when it is called again.
        self.given
            .borrow_mut()
            .retain(|name, _| !gone.contains(name));
        if !gone.is_empty() {
            self.consider_all();
        }
    }

    /// Whether a file of the user's has the plugin of this name, and it may run.
    pub(super) fn has_own(&self, plugin: &str) -> bool {
        self.bearer(plugin).is_some()
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

    /// Decides anew on each file.
    pub(super) fn consider_all(self: &Rc<Self>) {
        let names: Vec<String> = self.files.borrow().keys().cloned().collect();
        for name in names {
            self.consider(&name);
        }
    }

    /// Gives the session a file that may run, if it has not got it.
    fn consider(self: &Rc<Self>, name: &str) {
        let (label, before) = match self.files.borrow().get(name) {
            Some(file) => (file.label.clone(), file.standing.clone()),
            None => return,
        };
        let stands = match label {
            Err(why) => Standing::Refused(why),
            Ok(label) => match self.said.borrow().decide(&label) {
                Decision::Run { granted, .. } => match self.bearer(&label.manifest.name) {
                    Some(other) if other != name => Standing::Doubled(other),
                    _ => {
                        let granted = granted.iter().map(|one| one.name().to_owned()).collect();
                        if before != Standing::Here {
                            self.add(name, &label, granted);
                        }
                        before_or_allowed(&before)
                    }
                },
                _ => Standing::Waits,
            },
        };
        if let Some(file) = self.files.borrow_mut().get_mut(name) {
            file.standing = stands;
        }
    }

    fn add(self: &Rc<Self>, name: &str, label: &Label, granted: Vec<String>) {
        let (session, url) = (
            self.session.borrow().clone(),
            self.files.borrow().get(name).map(|file| file.url.clone()),
        );
        let (Some(session), Some(url)) = (session, url) else {
            return;
        };
        let (plugins, name) = (Rc::downgrade(self), name.to_owned());
        let asked = url.clone();
        session.add_plugin(&url, &label.identity.to_string(), granted, move |reply| {
            let Some(plugins) = plugins.upgrade() else {
                return;
            };
            let stands = standing(&reply);
            if let Standing::Refused(why) = &stands {
                toast::show(&format!("{name} cannot be used: {why}"), None);
            }
            let mut files = plugins.files.borrow_mut();
            // The answer is on the file that was there when it was asked.
            if let Some(file) = files.get_mut(&name).filter(|file| file.url == asked) {
                file.standing = stands;
            }
            drop(files);
            plugins.tell();
        });
    }

    /// Asks whether a file may run, if it waits for that.
    pub async fn let_run(self: &Rc<Self>, name: &str) {
        let _turn = self.turn.lock().await;
        self.ask_about(name).await;
        self.tell();
    }

    /// Asks of a file that waits for it, and says what became of it.
    async fn ask_about(self: &Rc<Self>, name: &str) {
        let Some((label, waits)) = self.files.borrow().get(name).map(|file| {
            let waits = file.standing == Standing::Waits;
            (file.label.clone(), waits)
        }) else {
            return;
        };
        let label = match label {
            Ok(label) => label,
            Err(why) => return toast::show(&format!("{name} cannot be used: {why}"), None),
        };
        if waits {
            if !self.asked(&label).await {
                return;
            }
            self.consider_all();
        }
        if self.bearer(&label.manifest.name).as_deref() == Some(name) {
            toast::show(&is_here(&label), None);
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

    /// Takes back that a file may run.
    pub fn stop(self: &Rc<Self>, name: &str) {
        let label = match self.files.borrow_mut().get_mut(name) {
            Some(OwnFile {
                label: Ok(label),
                standing,
                ..
            }) => {
                *standing = Standing::Waits;
                label.clone()
            }
            _ => return,
        };
        self.say(|said| said.forget(&label));
        if let Some(session) = &*self.session.borrow() {
            session.remove_plugin(&label.manifest.name);
        }
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
            allowed: matches!(file.standing, Standing::Here | Standing::Allowed),
        }
    }
}

fn before_or_allowed(before: &Standing) -> Standing {
    match before {
        Standing::Here => Standing::Here,
        _ => Standing::Allowed,
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

async fn read(url: &str) -> Result<Label, String> {
    let bytes = fetch::bytes(url).await?;
    if bytes.len() > MAX_MODULE {
        return Err(format!("it has more than {} MiB", MAX_MODULE >> 20));
    }
    Label::read(&bytes).map_err(|error| error.to_string())
}
