//! What the page says of plugins.

use spoor_plugin_abi::Capability;
use spoor_registry::{Label, PublicKey, Untrusted};

/// What a user is asked before a module runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// The dialog's title.
    pub title: String,
    /// What the plugin says that it does.
    pub summary: String,
    /// What there is to know of it: names and values.
    pub facts: Vec<(&'static str, String)>,
    /// The answers: to let it run, and where it is signed and asks for nothing, to trust who signed it.
    pub answers: Vec<&'static str>,
}

/// How many functions a question names.
const MOST_FUNCTIONS: usize = 8;

/// A line on a plugin, for lists: what it is, what queries call, and who vouches for it.
pub fn line(module: &Label) -> String {
    let manifest = &module.manifest;
    let functions: Vec<&str> = manifest.functions.iter().map(|f| f.name.as_str()).collect();
    let signed = match module.publisher {
        Some(key) => format!("signed by {}", short(&key)),
        None => "not signed".to_owned(),
    };
    format!(
        "plugin {} {} · {} · {signed}",
        manifest.name,
        manifest.version,
        functions.join(", ")
    )
}

/// The beginning of a key, enough to tell it from others at a glance.
fn short(key: &PublicKey) -> String {
    let digits = key.to_string();
    format!("{}…", digits.get(..12).unwrap_or(&digits))
}

/// What to ask of a module.
pub fn question(module: &Label) -> Question {
    let manifest = &module.manifest;
    let functions = manifest.functions.iter();
    let mut functions: Vec<String> = functions
        .take(MOST_FUNCTIONS)
        .map(|function| format!("{} — {}", function.name, function.summary))
        .collect();
    let more = manifest.functions.len().saturating_sub(MOST_FUNCTIONS);
    if more > 0 {
        functions.push(format!("and {more} more"));
    }
    let asks: Vec<&str> = manifest.capabilities.iter().map(allows).collect();
    let signed = match module.publisher {
        // Trust in a publisher is not what lets a module have what it asks for.
        Some(key) if asks.is_empty() => format!("{key}, whom you have not trusted here"),
        Some(key) => key.to_string(),
        None => "nobody".to_owned(),
    };
    // What is known of it comes before what its author says.
    let mut facts = vec![
        ("Signed by", signed),
        ("SHA-256", module.identity.to_string()),
        ("Licence", manifest.licence.clone()),
        ("Functions", functions.join("\n")),
    ];
    if !asks.is_empty() {
        facts.insert(0, ("It asks to", asks.join(", ")));
    }
    let mut answers = vec!["Let it run"];
    if module.publisher.is_some() && asks.is_empty() {
        answers.push("Trust this publisher");
    }
    Question {
        title: format!("Let {} {} run?", manifest.name, manifest.version),
        summary: manifest.summary.clone(),
        facts,
        answers,
    }
}

fn allows(capability: &Capability) -> &'static str {
    match capability {
        Capability::Log => "write lines into your cells",
        Capability::Progress => "say how far it is",
        Capability::Time => "know the time",
    }
}

/// Why a registry's index is not believed; the key that the user may say is right, where one may.
pub fn untrusted(address: &str, why: Untrusted) -> (String, Option<PublicKey>) {
    match why {
        Untrusted::Unknown { signed } | Untrusted::NotTheGiven { signed } => (
            format!(
                "{address} is signed by the key {signed}, which is not known here. Is that the key that its owner made known?"
            ),
            Some(signed),
        ),
        Untrusted::Changed { signed, before } => (
            format!(
                "{address} is signed by the key {signed}, and was signed by {before} before. Has its owner made that change known?"
            ),
            Some(signed),
        ),
        Untrusted::Older { serial, seen } => (
            format!(
                "{address} shows an index older than one seen before ({serial} after {seen}): somebody may be hiding what was published since. Try again later, or ask its owner."
            ),
            None,
        ),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::expect_used)]

    use serde_json::json;
    use spoor_plugin_abi::Manifest;
    use spoor_registry::{Identity, public_key};

    use super::*;

    /// A plugin of one function `f` that asks for these capabilities.
    pub fn label(capabilities: &[&str], publisher: Option<PublicKey>) -> Label {
        let manifest = json!({
            "abi": 1, "name": "x", "version": "1.0.0", "licence": "MIT", "summary": "Counts", "capabilities": capabilities,
            "functions": [{"name": "f", "summary": "Counts rows", "input": "none",
                "output": {"rows": "free", "columns": [{"name": "V", "type": "long"}]}}],
        });
        let manifest = Manifest::parse(manifest.to_string().as_bytes()).expect("a manifest");
        Label {
            identity: Identity::of(capabilities.concat().as_bytes()),
            size: 1,
            manifest,
            publisher,
        }
    }

    #[test]
    fn a_question_says_who_what_and_for_what() {
        let key = public_key(&[1; 32]);
        let plain = question(&label(&[], None));
        assert_eq!(plain.title, "Let x 1.0.0 run?");
        assert_eq!(plain.answers, ["Let it run"]);
        assert!(plain.facts.contains(&("Signed by", "nobody".into())));
        let signed = question(&label(&[], Some(key)));
        assert_eq!(signed.answers, ["Let it run", "Trust this publisher"]);
        let asking = question(&label(&["time"], Some(key)));
        assert_eq!(asking.answers, ["Let it run"]);
        assert!(
            asking
                .facts
                .contains(&("It asks to", "know the time".into()))
        );
    }

    #[test]
    fn a_line_says_what_to_call() {
        let line = line(&label(&[], None));
        assert_eq!(line, "plugin x 1.0.0 · f · not signed");
    }

    #[test]
    fn no_key_makes_an_old_index_new() {
        let older = Untrusted::Older { serial: 1, seen: 2 };
        assert_eq!(untrusted("https://a", older).1, None);
        let signed = public_key(&[1; 32]);
        let (text, key) = untrusted("https://a", Untrusted::Unknown { signed });
        assert_eq!(key, Some(signed));
        assert!(text.contains(&signed.to_string()));
    }
}
