//! The plugins that the site offers, given to the session when a cell calls them.

use std::rc::Rc;

use spoor_model::plugins::Offers;
use spoor_registry::Version;

use super::{Plugins, Standing, standing};
use crate::app::fetch;
use crate::toast;

/// Where the site's registry is.
const FOLDER: &str = "plugins";

impl Plugins {
    /// Reads what the site offers. A site without plugins is as good as any.
    pub async fn read_offers(&self) {
        let Ok(index) = fetch::bytes(&format!("{FOLDER}/index.json")).await else {
            return;
        };
        match Offers::read(&index) {
            Ok(offers) => {
                self.offers.replace(offers);
                self.tell();
            }
            Err(why) => toast::show(&format!("The site's plugins cannot be used: {why}"), None),
        }
    }

    /// Those that the site offers and no file of the user's takes the place of: the name, the version, and whether the session
    /// has it.
    pub fn offered(&self) -> Vec<(String, Version, bool)> {
        let (offers, given) = (self.offers.borrow(), self.given.borrow());
        let all = offers.all().iter();
        all.filter(|(name, _)| !self.has_own(name))
            .map(|(name, version)| {
                let here = given.get(name) == Some(&Standing::Here);
                (name.clone(), version.clone(), here)
            })
            .collect()
    }

    /// Gives the session what a cell's text may call, before it reads the text.
    pub(super) fn mentioned(self: &Rc<Self>, source: &str) {
        let wanted: Vec<(String, Version)> = {
            let (offers, given) = (self.offers.borrow(), self.given.borrow());
            let wanted = offers.mentioned(source);
            let wanted =
                wanted.filter(|(name, _)| !given.contains_key(name) && !self.has_own(name));
            wanted.cloned().collect()
        };
        for (name, version) in wanted {
            self.give(name, &version);
        }
    }

    fn give(self: &Rc<Self>, name: String, version: &Version) {
        let Some(session) = self.session.borrow().clone() else {
            return;
        };
        self.given
            .borrow_mut()
            .insert(name.clone(), Standing::Allowed);
        let url = format!("{FOLDER}/{}", version.file);
        let plugins = Rc::downgrade(self);
        session.add_plugin(&url, &version.sha256, Vec::new(), move |reply| {
            let Some(plugins) = plugins.upgrade() else {
                return;
            };
            let stands = standing(&reply);
            if let Standing::Refused(why) = &stands {
                toast::show(&format!("{name} cannot be used: {why}"), None);
            }
            plugins.given.borrow_mut().insert(name, stands);
            plugins.tell();
        });
    }
}
