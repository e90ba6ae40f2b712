//! What the words of the language are for, in a sentence or two each: tabular operators, statements, operators between operands,
//! and the functions that the binder itself understands. The other functions carry their own. Completion and hover read it; every
//! example is bound by a test, over the tables Logins and Hosts.

mod operators;
#[cfg(test)]
mod reference;
mod words;

use spoor_kql_syntax::ast::{BinaryOp, ListOp};

use super::kustos::PLUGINS;
use crate::functions;
use operators::OPERATORS;
use words::{BETWEEN_OPERANDS, OWN_FUNCTIONS};

/// Kinds of charts that `render` knows.
pub(super) const CHARTS: &[&str] = &[
    "anomalychart",
    "areachart",
    "barchart",
    "card",
    "columnchart",
    "ladderchart",
    "linechart",
    "piechart",
    "pivotchart",
    "scatterchart",
    "stackedareachart",
    "table",
    "timechart",
    "timepivot",
    "treemap",
];

/// What a word is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// How it is written; several forms are several lines.
    pub signature: String,
    /// A sentence or two.
    pub summary: String,
    /// A query or a part of one; may be empty.
    pub example: String,
}

impl Described {
    fn new(signature: &str, summary: &str, example: &str) -> Self {
        Self {
            signature: signature.to_owned(),
            summary: summary.to_owned(),
            example: example.to_owned(),
        }
    }
}

/// Name, form, what it does, an example.
pub(super) type Entry = (&'static str, &'static str, &'static str, &'static str);

/// The names of the functions that the binder understands by itself.
pub(super) fn own_functions() -> impl Iterator<Item = &'static str> {
    OWN_FUNCTIONS.iter().map(|(name, ..)| *name)
}

/// What a tabular operator or a statement does, if it is built.
pub(super) fn operator(name: &str) -> Option<Described> {
    entry(OPERATORS, name)
}

/// What a function does.
pub(super) fn function(name: &str) -> Option<Described> {
    let listed = || {
        functions::scalar(name)
            .map(|f| f.docs)
            .or_else(|| functions::several(name).map(|f| f.docs))
            .or_else(|| functions::aggregate(name).map(|f| f.docs))
            .map(|docs| Described::new(docs.signature, docs.summary, ""))
    };
    entry(OWN_FUNCTIONS, name)
        .or_else(|| entry(PLUGINS, name))
        .or_else(listed)
}

/// What an operator between operands does.
pub(super) fn between_operands(name: &str) -> Option<Described> {
    let name = match name {
        "<>" => "!=",
        "matches" | "regex" => "matches regex",
        name => name,
    };
    let found = |name: &str| BETWEEN_OPERANDS.iter().find(|(known, ..)| *known == name);
    if let Some((_, signature, summary)) = found(name) {
        return Some(Described::new(signature, summary, ""));
    }
    let positive = name
        .strip_prefix('!')
        .or_else(|| name.strip_prefix("not"))?;
    let (_, signature, _) = found(positive)?;
    let signature = signature.replace(&format!(" {positive} "), &format!(" {name} "));
    let summary = format!("The opposite of `{positive}`: true where that is false.");
    Some(Described::new(&signature, &summary, ""))
}

/// The operators between operands that are words, for completion.
pub(super) fn operator_words() -> impl Iterator<Item = &'static str> {
    let binary = BinaryOp::ALL.iter().map(|op| op.text());
    let list = ListOp::ALL.iter().map(|op| op.text());
    binary
        .chain(list)
        .chain(["between", "!between"])
        .filter(|text| text.contains(|c: char| c.is_ascii_alphabetic()))
        // Those that are not built are not offered.
        .filter(|text| between_operands(text).is_some())
}

fn entry(entries: &[Entry], name: &str) -> Option<Described> {
    let found = entries.iter().find(|(known, ..)| *known == name);
    found.map(|(_, signature, summary, example)| Described::new(signature, summary, example))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use spoor_table::{Column, KustoType, Table};

    use super::*;
    use crate::{Engine, EngineOptions};

    fn engine() -> Engine {
        let mut engine = Engine::new(EngineOptions::default()).unwrap();
        let entropy = serde_json::json!({
            "name": "entropy", "summary": "Entropy.", "input": "batches",
            "parameters": [{"name": "text", "kind": "column", "type": "string"}],
            "output": {"rows": "same", "columns": [{"name": "entropy", "type": "real"}]},
        });
        engine.add_function(crate::PluginFunction {
            plugin: "entropy".into(),
            module: String::new(),
            function: serde_json::from_value::<spoor_plugin_abi::Function>(entropy)
                .unwrap()
                .into(),
        });
        let logins = [
            ("When", KustoType::DateTime),
            ("User", KustoType::String),
            ("Result", KustoType::Long),
            ("Details", KustoType::Dynamic),
        ];
        let hosts = [("User", KustoType::String), ("Host", KustoType::String)];
        for (name, columns) in [("Logins", &logins[..]), ("Hosts", &hosts[..])] {
            let columns = columns.iter().map(|(name, ty)| Column::new(*name, *ty));
            engine.register(name, Table::empty(columns.collect::<Vec<_>>()));
        }
        engine
    }

    fn is_sentence(described: &Described) -> bool {
        described.summary.ends_with('.') && described.summary.len() > 8
    }

    #[test]
    fn every_function_has_a_signature_and_a_sentence() {
        for name in functions::names().chain(own_functions()) {
            let described = function(name).unwrap();
            assert!(described.signature.starts_with(name), "{name}");
            assert!(described.signature.contains('('), "{name}");
            assert!(is_sentence(&described), "{name}");
        }
    }

    #[test]
    fn every_operator_between_operands_has_a_signature_and_a_sentence() {
        let binary = BinaryOp::ALL.iter().map(|op| op.text());
        let all = binary
            .chain(ListOp::ALL.iter().map(|op| op.text()))
            .chain(["between", "!between"]);
        // `:` belongs to `search`.
        for name in all.filter(|name| *name != ":") {
            let Some(described) = between_operands(name) else {
                let found = engine().check(&format!("Logins | where User {name} \"x\""), 0);
                let refused = found
                    .iter()
                    .any(|d| d.message.ends_with("is not supported"));
                assert!(refused, "{name}: {found:?}");
                continue;
            };
            assert!(described.signature.contains(name), "{name}");
            assert!(is_sentence(&described), "{name}");
        }
    }

    /// What an operator without a sentence looks like when it is used: it is refused, or it needs its sentence.
    #[test]
    fn every_tabular_operator_that_is_built_has_a_sentence() {
        let engine = engine();
        let uses = [("assert-schema", "(a: long)")];
        for name in spoor_kql_syntax::OPERATORS {
            if let Some(described) = operator(name) {
                assert!(described.signature.starts_with(name), "{name}");
                assert!(is_sentence(&described), "{name}");
                continue;
            }
            let arguments = uses.iter().find(|(known, _)| known == name);
            let query = format!("Logins | {name} {}", arguments.map_or("x", |(_, a)| a));
            let found = engine.check(&query, 0);
            let refused = found
                .iter()
                .any(|d| d.message.ends_with("is not supported yet"));
            assert!(refused, "{query}: {found:?}");
        }
    }

    #[test]
    fn every_example_is_a_query() {
        let engine = engine();
        for (name, _, _, example) in OPERATORS.iter().chain(OWN_FUNCTIONS).chain(PLUGINS) {
            let mut found = engine.check(example, 0);
            found.retain(|diagnostic| diagnostic.is_error());
            assert_eq!(found, [], "{name}: {example}");
            assert!(example.contains(name), "{name}");
        }
    }
}
