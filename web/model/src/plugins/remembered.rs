//! What the user said of plugins, publishers and registries: JSON that a browser keeps.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use spoor_plugin_abi::Capability;
use spoor_registry::{Decision, Identity, Known, Label, PublicKey, Trust};

/// What the user said. What does not read is as if nothing had been said.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Remembered {
    /// Modules that may run, by SHA-256, and the names of the capabilities that each has.
    approved: BTreeMap<String, BTreeSet<String>>,
    /// Publishers whose modules may run, by key. None of these gets a capability by that.
    publishers: BTreeSet<String>,
    /// What is known of registries, by address.
    registries: BTreeMap<String, Known>,
}

impl Remembered {
    /// What was kept; nothing where that does not read.
    pub fn from_json(json: &str) -> Self {
        serde_json::from_str(json).unwrap_or_default()
    }

    /// For keeping.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Whether a module may run.
    pub fn decide(&self, module: &Label) -> Decision {
        let granted = |names: &BTreeSet<String>| {
            let all = Capability::ALL.into_iter();
            all.filter(|one| names.contains(one.name())).collect()
        };
        let approved = self.approved.iter();
        let approved = approved
            .filter_map(|(sha256, names)| Some((sha256.parse::<Identity>().ok()?, granted(names))));
        // One that asks for a capability is asked about, whoever signed it.
        let asks = !module.manifest.capabilities.is_empty();
        let publishers = self.publishers.iter().filter(|_| !asks);
        let publishers =
            publishers.filter_map(|key| Some((key.parse::<PublicKey>().ok()?, BTreeSet::new())));
        let trust = Trust {
            approved: approved.collect(),
            publishers: publishers.collect(),
            ..Trust::default()
        };
        trust.decide(module)
    }

    /// Takes in that the user lets a module run, with what it asks for.
    pub fn approve(&mut self, module: &Label) {
        let names = module.manifest.capabilities.iter();
        let names = names.map(|one| one.name().to_owned()).collect();
        self.approved.insert(module.identity.to_string(), names);
    }

    /// Takes in that the user trusts a publisher.
    pub fn trust(&mut self, publisher: &PublicKey) {
        self.publishers.insert(publisher.to_string());
    }

    /// Takes back what was said of a module and of who signed it: it asks again.
    pub fn forget(&mut self, module: &Label) {
        self.approved.remove(&module.identity.to_string());
        if let Some(key) = module.publisher {
            self.publishers.remove(&key.to_string());
        }
    }

    /// What is known of the registry at an address.
    pub fn registry(&self, address: &str) -> Option<&Known> {
        self.registries.get(address)
    }

    /// Takes in what is known of the registry at an address.
    pub fn know(&mut self, address: &str, known: Known) {
        self.registries.insert(address.to_owned(), known);
    }

    /// The addresses of the registries that are known.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        self.registries.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use spoor_registry::{Ask, Grounds, public_key};

    use super::super::words::tests::label;
    use super::*;

    #[test]
    fn what_was_said_holds_and_can_be_taken_back() {
        let mut said = Remembered::default();
        let plain = label(&[], None);
        assert_eq!(said.decide(&plain), Decision::Ask(Ask::Unsigned));
        said.approve(&plain);
        let again = Remembered::from_json(&said.to_json());
        assert!(matches!(again.decide(&plain), Decision::Run { .. }));
        said.forget(&plain);
        assert_eq!(said.decide(&plain), Decision::Ask(Ask::Unsigned));
        assert_eq!(
            Remembered::from_json("{\"approved\":3}"),
            Remembered::default()
        );
    }

    #[test]
    fn a_publisher_is_trusted_with_computing_and_nothing_more() {
        let key = public_key(&[1; 32]);
        let (plain, asking) = (label(&[], Some(key)), label(&["time"], Some(key)));
        let mut said = Remembered::default();
        said.trust(&key);
        let grounds = Grounds::Publisher(key);
        let granted = BTreeSet::new();
        assert_eq!(said.decide(&plain), Decision::Run { grounds, granted });
        assert_eq!(
            said.decide(&asking),
            Decision::Ask(Ask::UnknownPublisher(key))
        );
        said.approve(&asking);
        let Decision::Run { granted, .. } = said.decide(&asking) else {
            panic!("it was approved");
        };
        assert_eq!(granted.len(), 1);
    }
}
