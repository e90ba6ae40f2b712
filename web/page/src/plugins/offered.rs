//! The plugins that the site offers, given to the session when a cell names what they have.

use std::rc::Rc;

use spoor_model::plugins::Offers;
use spoor_notebook::may_call;
use spoor_plugin_abi::Manifest;
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
        all.filter(|(name, version)| !self.is_shadowed(name, version))
            .map(|(name, version)| {
                let here = given.get(name) == Some(&Standing::Here);
                (name.clone(), version.clone(), here)
            })
            .collect()
    }

    /// The functions of the site's whose names may be typed next, and what each does; see [`Offers::completing`].
    pub fn completing(&self, before: &str) -> (usize, Vec<(String, String)>) {
        let offers = self.offers.borrow();
        let (typed, found) = offers.completing(before);
        let owned = |(name, about): (&str, &str)| (name.to_owned(), about.to_owned());
        (typed, found.into_iter().map(owned).collect())
    }

    /// Gives the session what a cell's text may call, before it reads the text. With `runs` what failed before is tried again.
    pub(super) fn mentioned(self: &Rc<Self>, source: &str, runs: bool) {
        if !self.calls.get() {
            if !may_call(source) {
                return;
            }
            self.calls.set(true);
            // What other cells name may be what this one calls.
            let texts = self.texts.borrow().as_ref().map(|texts| texts());
            for text in texts.into_iter().flatten() {
                self.named(&text, false);
            }
        }
        self.named(source, runs);
    }

    fn named(self: &Rc<Self>, source: &str, runs: bool) {
        if runs {
            self.try_again(source);
        }
        let wanted: Vec<(String, Version)> = {
            let (offers, given) = (self.offers.borrow(), self.given.borrow());
            let missing = |name: &String| match given.get(name) {
                None => true,
                Some(Standing::Refused(_)) => runs,
                Some(_) => false,
            };
            let wanted = offers
                .named(source)
                .filter(|(name, version)| missing(name) && !self.is_shadowed(name, version));
            wanted.cloned().collect()
        };
        for (name, version) in wanted {
            self.give(name, &version);
        }
    }

    /// Takes those away that are not to be seen beside a file of the user's.
    pub(super) fn withdraw_shadowed(&self) {
        let shadowed: Vec<String> = {
            let (offers, given) = (self.offers.borrow(), self.given.borrow());
            let all = offers.all().iter();
            let shadowed = all.filter(|(name, version)| {
                given.contains_key(name) && self.is_shadowed(name, version)
            });
            shadowed.map(|(name, _)| name.clone()).collect()
        };
        for name in shadowed {
            self.withdraw(&name);
        }
    }

    /// Whether the session has one of the site's in the place of the user's: trying that again would take the site's away.
    pub(super) fn serves(&self, own: &Manifest) -> bool {
        let (offers, given) = (self.offers.borrow(), self.given.borrow());
        let mut here = offers.all().iter().filter(|(name, _)| {
            matches!(given.get(name), Some(Standing::Here | Standing::Allowed))
        });
        here.any(|(name, version)| is_alike(own, name, version))
    }

    /// Whether a file of the user's that may run has this plugin, or a function of the name of one of its functions.
    fn is_shadowed(&self, name: &str, version: &Version) -> bool {
        let allowed = self.allowed();
        allowed.iter().any(|own| is_alike(own, name, version))
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
            // It may have been taken away meanwhile.
            if let Some(given) = plugins.given.borrow_mut().get_mut(&name) {
                *given = stands;
            }
            plugins.tell_of_arrival();
        });
    }
}

/// Whether the user's plugin has the name of the site's, or a function of the name of one of its functions.
fn is_alike(own: &Manifest, name: &str, version: &Version) -> bool {
    let mut functions = version.functions.iter();
    own.name == name || functions.any(|function| own.function(&function.name).is_some())
}
