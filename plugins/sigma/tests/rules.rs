//! Every rule in `rules/` on its own examples: events that it has to match, and events that it must not. Rules with
//! `refused` have to be refused, with a message that holds what it says.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use spoor_plugin_sigma::compile::{How, compile};
use spoor_plugin_sigma::engine::{Engine, Known};
use spoor_plugin_sigma::event::Event;
use spoor_plugin_sigma::rule::{Rule, rules};
use spoor_plugin_sigma::skim::Layout;
use spoor_plugin_sigma::yaml::{Kind, Node, documents, number, read};

fn files() -> Vec<(String, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/rules");
    let mut found: Vec<(String, String)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name, std::fs::read_to_string(entry.path()).unwrap())
        })
        .collect();
    found.sort();
    found
}

fn how() -> How {
    How {
        built_in: true,
        by_source: true,
        ..How::default()
    }
}

/// A YAML node as JSON: examples are written in the rules' own language.
fn json_of(node: &Node) -> Value {
    match &node.kind {
        Kind::Null => Value::Null,
        Kind::Bool(value) => json!(value),
        Kind::Number(text) => match text.parse::<i64>() {
            Ok(whole) => json!(whole),
            Err(_) => json!(number(text).unwrap()),
        },
        Kind::Text(text) => json!(text),
        Kind::List(items) => items.iter().map(json_of).collect(),
        Kind::Map(entries) => {
            let entries = entries.iter().map(|e| (e.key.clone(), json_of(&e.value)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
    }
}

fn examples(document: &Node, which: &str) -> Vec<String> {
    let list = document.get("examples").unwrap().get(which).unwrap();
    list.items()
        .iter()
        .map(|node| json_of(node).to_string())
        .collect()
}

fn matched(engine: &Engine, json: &str) -> BTreeSet<String> {
    let event = Event::read(json, &engine.wanted, &mut Layout::default()).unwrap();
    let mut found = BTreeSet::new();
    engine.run(&event, &mut Known::default(), |rule, searches| {
        assert!(!rule.title.is_empty() && searches.len() <= 1_000);
        found.insert(rule.id.clone());
    });
    found
}

#[test]
fn rules_match_their_examples() {
    let mut wrong = Vec::new();
    let mut ran = 0;
    for (name, text) in files().iter().filter(|(name, _)| name != "refused.yml") {
        let engine = compile(rules(text), &how()).unwrap();
        for rule in &engine.refused {
            wrong.push(format!(
                "{name}: {} is refused: {:?}",
                rule.title, rule.problems
            ));
        }
        for document in documents(text) {
            let node = read(document).unwrap();
            let (id, title) = (node.get("id").unwrap(), node.get("title").unwrap());
            for (which, is_to_match) in [("matches", true), ("misses", false)] {
                for json in examples(&node, which) {
                    ran += 1;
                    if matched(&engine, &json).contains(id.text().unwrap()) != is_to_match {
                        wrong.push(format!("{name}: {:?} {which}: {json}", title.text()));
                    }
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(ran > 1_000, "{ran}");
}

#[test]
fn one_rule_matches_as_it_does_among_all() {
    let texts: Vec<String> = files().into_iter().map(|(_, text)| text).collect();
    let all = texts.join("\n---\n");
    let together = compile(rules(&all), &how()).unwrap();
    assert!(together.rules.len() > 300, "{}", together.rules.len());
    let alone: Vec<Engine> = rules(&all)
        .into_iter()
        .map(|rule| compile(vec![rule], &how()).unwrap())
        .collect();
    for document in documents(&all) {
        let node = read(document).unwrap();
        if node.get("examples").is_none() {
            continue;
        }
        // One of each is enough of these many.
        for json in examples(&node, "matches").iter().take(1) {
            let apart: BTreeSet<String> = alone
                .iter()
                .flat_map(|engine| matched(engine, json))
                .collect();
            assert_eq!(matched(&together, json), apart, "{json}");
        }
    }
}

#[test]
fn what_cannot_be_run_is_refused_with_its_reason() {
    let (_, text) = files()
        .into_iter()
        .find(|(name, _)| name == "refused.yml")
        .unwrap();
    let found: Vec<Rule> = rules(&text);
    assert_eq!(found.len(), documents(&text).len());
    for (rule, document) in found.iter().zip(documents(&text)) {
        let node = read(document).unwrap();
        let because = node.get("refused").unwrap().text().unwrap();
        let problems: Vec<String> = rule.problems.iter().map(ToString::to_string).collect();
        assert!(
            problems.iter().any(|problem| problem.contains(because)),
            "{}: {because:?} is not in {problems:?}",
            rule.title
        );
        let lines = document.before..document.before + document.text.lines().count() + 1;
        assert!(
            rule.problems
                .iter()
                .all(|problem| lines.contains(&problem.line)),
            "{}",
            rule.title
        );
    }
    let engine = compile(found, &how()).unwrap();
    assert!(engine.rules.is_empty());
}
