//! Whether a module may run: what the notebook pins, what the user trusts, and when the user has to be asked.
//!
//! Trust decides whether a plugin runs and which of its capabilities it gets. It never lifts a limit: a trusted plugin is
//! metered and its answers are distrusted like any other's.

use std::collections::{BTreeMap, BTreeSet};

use spoor_plugin_abi::{Capability, Manifest};

use crate::identity::Identity;
use crate::keys::PublicKey;
use crate::label::Label;

/// What is known of plugins and publishers when one asks to run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    /// The notebook's pins: a plugin's name and the one module that may bear it.
    pub pins: BTreeMap<String, Identity>,
    /// Modules that the user has said yes to, with the capabilities granted to each.
    pub approved: BTreeMap<Identity, BTreeSet<Capability>>,
    /// Publishers that the user has said yes to, with the capabilities granted to what they sign.
    pub publishers: BTreeMap<PublicKey, BTreeSet<Capability>>,
    /// Modules that must not run.
    pub blocked: BTreeSet<Identity>,
    /// Publishers whose modules must not run.
    pub blocked_publishers: BTreeSet<PublicKey>,
}

/// What is to be done with a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Run it.
    Run {
        /// Why it may.
        grounds: Grounds,
        /// The capabilities that it asks for and has been granted.
        granted: BTreeSet<Capability>,
    },
    /// Ask the user.
    Ask(Ask),
    /// Do not run it.
    Stop(Stop),
}

/// Why a module may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grounds {
    /// The user said yes to this very module.
    Approved,
    /// The user trusts its publisher.
    Publisher(PublicKey),
    /// The notebook pins it. A notebook is not its user: no capability is granted.
    Pinned,
}

/// What the user is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// It is signed by a publisher whom the user does not know.
    UnknownPublisher(PublicKey),
    /// It is not signed.
    Unsigned,
}

/// Why a module must not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The notebook pins another module of this name.
    OtherThanPinned(Identity),
    /// The module is blocked.
    Blocked,
    /// Its publisher is blocked.
    BlockedPublisher(PublicKey),
}

impl Trust {
    /// Decides on a module. What stops it comes first, then what the user said, then the pin.
    pub fn decide(&self, module: &Label) -> Decision {
        if let Some(stop) = self.stop(module) {
            return Decision::Stop(stop);
        }
        let run = |grounds, granted: &BTreeSet<Capability>| Decision::Run {
            grounds,
            granted: asked(&module.manifest)
                .intersection(granted)
                .copied()
                .collect(),
        };
        if let Some(granted) = self.approved.get(&module.identity) {
            return run(Grounds::Approved, granted);
        }
        if let Some((key, granted)) = module
            .publisher
            .and_then(|key| self.publishers.get_key_value(&key))
        {
            return run(Grounds::Publisher(*key), granted);
        }
        if self.pins.get(&module.manifest.name) == Some(&module.identity) {
            return run(Grounds::Pinned, &BTreeSet::new());
        }
        Decision::Ask(
            module
                .publisher
                .map_or(Ask::Unsigned, Ask::UnknownPublisher),
        )
    }

    fn stop(&self, module: &Label) -> Option<Stop> {
        if self.blocked.contains(&module.identity) {
            return Some(Stop::Blocked);
        }
        if let Some(key) = module
            .publisher
            .filter(|key| self.blocked_publishers.contains(key))
        {
            return Some(Stop::BlockedPublisher(key));
        }
        let pin = self.pins.get(&module.manifest.name)?;
        (*pin != module.identity).then_some(Stop::OtherThanPinned(*pin))
    }
}

fn asked(manifest: &Manifest) -> BTreeSet<Capability> {
    manifest.capabilities.iter().copied().collect()
}
