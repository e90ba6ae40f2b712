//! What callers are told, and what options do.

#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::*;

const GOOD: &str = "title: Good\nid: one\nlevel: high\ntags: [attack.t1059]\nlogsource: {product: windows, category: process_creation}\ndetection:\n  image: {Image: 'a'}\n  line: {CommandLine|contains: 'b'}\n  condition: 1 of them\n";
const BAD: &str =
    "title: Bad\ndetection:\n  s: {F|expand: '%x%'}\n  t: {F|what: y}\n  condition: s and u\n";

fn matched(text: &str, how: How, json: &str) -> Vec<(String, Vec<String>)> {
    let engine = prepare(text, how, false).unwrap();
    let event = Event::read(json, &engine.wanted, &mut Layout::default()).unwrap();
    let mut found = Vec::new();
    engine.run(&event, &mut Known::default(), |rule, searches| {
        let searches = searches.iter().map(|name| (*name).to_owned()).collect();
        found.push((rule.title.clone(), searches));
    });
    found
}

#[test]
fn the_searches_that_matched_are_told() {
    let found = matched(
        GOOD,
        How::default(),
        r#"{"Image": "x", "CommandLine": "abc"}"#,
    );
    assert_eq!(found, [("Good".to_owned(), vec!["line".to_owned()])]);
}

#[test]
fn a_rule_that_cannot_be_run_ends_the_call() {
    let both = format!("{GOOD}---\n{BAD}---\n: [");
    let told = prepare(&both, How::default(), false).unwrap_err();
    assert!(
        told.starts_with("2 of 3 rules cannot be run. `Bad`: line 13, column 7: `expand`"),
        "{told}"
    );
    assert!(told.contains("the rule on line 16: line 18"), "{told}");
    let engine = prepare(&both, How::default(), true).unwrap();
    assert_eq!((engine.rules.len(), engine.refused.len()), (1, 2));
    let told = prepare("# nothing\n---\n", How::default(), true).unwrap_err();
    assert!(told.contains("has no rules"), "{told}");
}

#[test]
fn every_problem_of_a_rule_is_told() {
    let found = about(rules(BAD).pop().unwrap(), None);
    let problem = found.problem.unwrap();
    assert!(!found.runs);
    for part in [
        "line 3, column 7: `expand`",
        "line 4, column 7: the modifier `what`",
        "`u`",
    ] {
        assert!(problem.contains(part), "{problem}");
    }
}

#[test]
fn a_mapping_comes_before_what_is_built_in() {
    let json = r#"{"Image": "x", "Path": "A", "FolderPath": "a"}"#;
    assert!(matched(GOOD, How::default(), json).is_empty());
    let how = |value| How {
        mapping: Mapping::from_json(&value).unwrap(),
        ..How::default()
    };
    assert_eq!(matched(GOOD, how(json!({"Image": "Path"})), json).len(), 1);
    assert_eq!(
        matched(GOOD, how(json!({"Image": ["None", "Path"]})), json).len(),
        1
    );
    assert!(matched(GOOD, how(json!({"Image": "Image"})), json).is_empty());
    for wrong in [
        json!([]),
        json!({"Image": 3}),
        json!({"Image": ["a", 3]}),
        json!("x"),
    ] {
        assert_eq!(Mapping::from_json(&wrong), None);
    }
}

#[test]
fn names_of_other_tables_and_log_sources_can_be_left_out() {
    let how = |built_in, by_source| How {
        built_in,
        by_source,
        ..How::default()
    };
    let defender = r#"{"FolderPath": "a"}"#;
    assert_eq!(matched(GOOD, how(true, true), defender).len(), 1);
    assert!(matched(GOOD, how(false, true), defender).is_empty());
    let other = r#"{"Image": "a", "EventID": 7}"#;
    assert!(matched(GOOD, how(true, true), other).is_empty());
    assert_eq!(matched(GOOD, how(true, false), other).len(), 1);
}

#[test]
fn fields_that_a_table_has_not_are_told() {
    let rule = rules(GOOD).pop().unwrap();
    let has = |names: serde_json::Value| Columns::from_json(&names).unwrap();
    let told = |names, aliases| missing(&rule, &has(names), &Mapping::default(), aliases).0;
    assert_eq!(told(json!(["Image"]), true), r#"["CommandLine"]"#);
    assert_eq!(
        told(json!(["FolderPath", "ProcessCommandLine"]), true),
        "[]"
    );
    assert_eq!(
        told(json!(["FolderPath", "CommandLine"]), false),
        r#"["Image"]"#
    );
}
