//! The user's plugins, files of the storage whose names end in `.wasm`, as the session that runs has them.
//!
//! Adding the file is the user's word that the plugin may compute on the columns that queries give it. It gets no
//! capability by that: one that asks for any is refused with the reason.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Map, Value};
use spoor_model::CellKey;
use spoor_notebook::PluginPin;

use crate::notebook::Screen;
use crate::session::Session;
use crate::toast;

/// What the kernel said of a plugin.
#[derive(Clone, Debug, PartialEq)]
pub struct About {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The SHA-256 of its module.
    pub sha256: String,
    /// Whose signature it bears.
    pub publisher: Option<String>,
    /// What queries call by `evaluate`.
    pub functions: Vec<String>,
}

/// The files that a session was told of.
#[derive(Default)]
pub struct OwnPlugins {
    told: RefCell<BTreeMap<String, Told>>,
    /// Who is told when the kernel has said something of one.
    listener: RefCell<Option<Box<dyn Fn()>>>,
}

struct Told {
    url: String,
    /// What the kernel said, once it has.
    about: Option<Result<About, String>>,
}

impl OwnPlugins {
    /// Tells the session of files that are new and of files that are gone. `there` are files and where their bytes are.
    pub fn tell(self: &Rc<Self>, session: &Rc<Session>, there: &[(String, String)]) {
        self.forget(session, there);
        for (file, url) in there {
            if self
                .told
                .borrow()
                .get(file)
                .is_some_and(|told| told.url == *url)
            {
                continue;
            }
            let told = Told {
                url: url.clone(),
                about: None,
            };
            self.told.borrow_mut().insert(file.clone(), told);
            let (own, file) = (Rc::downgrade(self), file.clone());
            session.add_plugin(url, move |reply| {
                if let Some(own) = own.upgrade() {
                    own.hear(&file, &reply);
                }
            });
        }
    }

    /// Calls `heard` whenever the kernel has said something of a plugin.
    pub fn listen(&self, heard: impl Fn() + 'static) {
        self.listener.replace(Some(Box::new(heard)));
    }

    fn forget(&self, session: &Session, there: &[(String, String)]) {
        self.told.borrow_mut().retain(|file, told| {
            let stays = there
                .iter()
                .any(|(other, url)| other == file && told.url == *url);
            if let Some(Ok(about)) = told.about.as_ref().filter(|_| !stays) {
                session.remove_plugin(&about.name);
            }
            stays
        });
    }

    fn hear(&self, file: &str, reply: &Map<String, Value>) {
        let about = read(reply);
        match &about {
            Ok(about) => toast::show(&is_here(about), None),
            Err(why) => toast::show(&format!("{file} cannot be used: {why}"), None),
        }
        if let Some(told) = self.told.borrow_mut().get_mut(file) {
            told.about = Some(about);
        }
        if let Some(heard) = &*self.listener.borrow() {
            heard();
        }
    }

    /// A line on a file, for lists.
    pub fn line(&self, file: &str) -> String {
        match self
            .told
            .borrow()
            .get(file)
            .and_then(|told| told.about.as_ref())
        {
            None => "plugin".to_owned(),
            Some(Ok(about)) => {
                let signed = match &about.publisher {
                    Some(key) => format!("signed by {}…", key.get(..12).unwrap_or(key)),
                    None => "not signed".to_owned(),
                };
                let functions = about.functions.join(", ");
                format!(
                    "plugin {} {} · {functions} · {signed}",
                    about.name, about.version
                )
            }
            Some(Err(why)) => format!("not a plugin: {why}"),
        }
    }

    /// Those of a notebook's pins that are not here.
    pub fn missing(&self, pins: &BTreeMap<String, PluginPin>) -> Vec<String> {
        let told = self.told.borrow();
        let here = |pin: &PluginPin| {
            let abouts = told
                .values()
                .filter_map(|told| told.about.as_ref()?.as_ref().ok());
            abouts.into_iter().any(|about| about.sha256 == pin.sha256)
        };
        let missing = pins.iter().filter(|(_, pin)| !here(pin));
        missing
            .map(|(name, pin)| format!("{name} {}", pin.version))
            .collect()
    }
}

fn is_here(about: &About) -> String {
    let calls: Vec<String> = about
        .functions
        .iter()
        .map(|f| format!("evaluate {f}(…)"))
        .collect();
    format!(
        "The plugin {} {} is here: {}",
        about.name,
        about.version,
        calls.join(", ")
    )
}

fn read(reply: &Map<String, Value>) -> Result<About, String> {
    let text = |key: &str| reply.get(key).and_then(Value::as_str);
    if text("status") != Some("ok") {
        let why = text("evalue").unwrap_or("the kernel gave no answer");
        return Err(why.to_owned());
    }
    let functions = reply.get("functions").and_then(Value::as_array);
    let functions = functions.into_iter().flatten().filter_map(Value::as_str);
    let owned = |key: &str| text(key).unwrap_or_default().to_owned();
    Ok(About {
        name: owned("name"),
        version: owned("version"),
        sha256: owned("sha256"),
        publisher: text("publisher").map(str::to_owned),
        functions: functions.map(str::to_owned).collect(),
    })
}

impl Screen {
    /// Says that a cell called other modules than those that the notebook pins.
    pub(crate) fn tell_of_other_plugins(&self, called: &[(String, PluginPin)]) {
        let pins = self.state.borrow().document().notebook().plugin_pins();
        for (name, pin) in called {
            let Some(old) = pins.get(name).filter(|old| old.sha256 != pin.sha256) else {
                continue;
            };
            let text = format!(
                "The notebook was run with another {name} ({}); it pins this one now ({}).",
                old.version, pin.version
            );
            toast::show(&text, None);
        }
    }

    /// Says of a cell that failed which of the notebook's plugins are not here.
    pub(crate) fn tell_of_missing_plugins(&self, key: CellKey) {
        let state = self.state.borrow();
        let document = state.document();
        let source = document.source(key);
        if !source.contains("evaluate") && !source.contains("spoor.plugins") {
            return;
        }
        let missing = self.app.missing_plugins(&document.notebook().plugin_pins());
        if !missing.is_empty() {
            let names = missing.join(", ");
            toast::show(
                &format!(
                    "The notebook was run with {names}, which is not here. Add its file (.wasm) beside your data to call it."
                ),
                None,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn replies_read_whatever_they_are() {
        let object = |value: Value| value.as_object().cloned().unwrap_or_default();
        let said = json!({"status": "ok", "name": "a", "version": "1.0.0", "sha256": "ff", "publisher": null, "functions": ["f", 1]});
        let about = read(&object(said));
        assert_eq!(
            about.map(|about| (about.name, about.functions)),
            Ok(("a".into(), vec!["f".into()]))
        );
        assert_eq!(
            read(&object(json!({"status": "error", "evalue": "no"}))),
            Err("no".into())
        );
        assert!(read(&Map::new()).is_err());
    }
}
