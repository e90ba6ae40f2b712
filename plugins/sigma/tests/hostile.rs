//! Rules and rows that are made to break what reads them.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use spoor_plugin_sigma::compile::{How, compile};
use spoor_plugin_sigma::engine::{Engine, Known};
use spoor_plugin_sigma::event::Event;
use spoor_plugin_sigma::rule::rules;
use spoor_plugin_sigma::skim::Layout;

fn engine(text: &str) -> Engine {
    compile(rules(text), &How::default()).unwrap()
}

fn refusal(text: &str) -> String {
    let engine = engine(text);
    assert!(engine.rules.is_empty(), "{text:.200}");
    engine
        .refused
        .first()
        .unwrap()
        .problems
        .first()
        .unwrap()
        .to_string()
}

fn count(engine: &Engine, json: &str) -> usize {
    let event = Event::read(json, &engine.wanted, &mut Layout::default()).unwrap();
    let mut count = 0;
    engine.run(&event, &mut Known::default(), |_, _| count += 1);
    count
}

fn rule(search: &str) -> String {
    format!("title: x\ndetection:\n    selection:\n{search}\n    condition: selection\n")
}

#[test]
fn a_billion_laughs_are_refused() {
    let mut text = String::from("a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha, ha]\n");
    for level in 1..12 {
        let before = level - 1;
        let ten = vec![format!("*a{before}"); 10].join(", ");
        text += &format!("a{level}: &a{level} [{ten}]\n");
    }
    assert!(refusal(&text).contains("aliases written out"));
    let maps = "a: &a {x: y}\nb: &b {p: *a, q: *a, r: *a}\n";
    let many: String = (0..20_000).map(|at| format!("k{at}: *b\n")).collect();
    assert!(refusal(&format!("{maps}{many}")).contains("aliases written out"));
}

#[test]
fn aliases_that_are_few_are_taken() {
    let text =
        "title: x\nx: &known ['a', 'b']\ndetection:\n    s:\n        F: *known\n    condition: s\n";
    assert_eq!(count(&engine(text), r#"{"F": "B"}"#), 1);
}

#[test]
fn an_alias_of_what_it_is_in_is_refused() {
    assert!(!refusal("a: &a [*a]\n").is_empty());
    assert!(!refusal("a: *nothing\n").is_empty());
}

#[test]
fn deep_nesting_is_refused() {
    for text in [
        "[".repeat(100_000),
        "{a: ".repeat(100_000),
        "- ".repeat(50_000),
        (0..2_000)
            .map(|at| format!("{}a:\n", " ".repeat(at)))
            .collect(),
    ] {
        assert!(!refusal(&text).is_empty());
    }
}

#[test]
fn a_broken_document_does_not_take_the_next_with_it() {
    let good = rule("        F: x");
    let text = format!("title: \"open\n---\n{good}\n---\n\t- : [\n---\n{good}");
    let engine = engine(&text);
    assert_eq!((engine.rules.len(), engine.refused.len()), (2, 2));
    let line = engine.rules.first().unwrap().rule.line;
    assert_eq!(text.lines().nth(line - 1), Some("title: x"));
}

#[test]
fn many_values_are_one_search() {
    let values: String = (0..20_000)
        .map(|at| format!("            - 'v{at}x'\n"))
        .collect();
    let engine = engine(&rule(&format!("        F|contains:\n{values}")));
    assert_eq!(count(&engine, r#"{"F": "so v19999x"}"#), 1);
    assert_eq!(count(&engine, r#"{"F": "so v20000x"}"#), 0);
}

#[test]
fn too_much_text_is_refused() {
    let long = "a".repeat(3 << 20);
    let found = compile(rules(&rule(&format!("        F: {long}"))), &How::default());
    assert!(found.unwrap_err().contains("fewer at a time"));
}

#[test]
fn patterns_that_explode_elsewhere_end_here() {
    let a = "a".repeat(20_000);
    let json = format!(r#"{{"F": "{a}"}}"#);
    let stars = "a*".repeat(500);
    for search in [
        format!("        F: '{stars}b'"),
        format!("        F: '*{stars}?b'"),
        "        F|re: '(a+)+$b'".into(),
        "        F|re: '(a|a)*b'".into(),
        "        F|re: '(.*)(.*)(.*)(.*)b'".into(),
    ] {
        assert_eq!(count(&engine(&rule(&search)), &json), 0, "{search:.100}");
    }
}

#[test]
fn rows_are_read_however_they_are_written() {
    let engine = engine(&rule("        F: x\n        G.H|gt: 1"));
    let rows = [
        r#"{"A":"","F":"x","G":{"H":2}}"#,
        r#"{ "A" : "" , "F" : "x" , "G" : { "H" : 2 } }"#,
        "{\"A\":\t\"\",\n\"F\":\t\"x\"\n,\"G\":\t{\"H\":2}\t}",
        r#"{"A":null,"F":"x","G":{"H":[1,2]}}"#,
        r#"{"A":{"F":["]}\""]},"F":"x","G.H":2}"#,
        r#"{"F":"\u0078","G":{"H":2},"A":"\\"}"#,
        r#"{"\u0046":"x","G":{"H":2}}"#,
    ];
    let mut layout = Layout::default();
    for json in rows.iter().chain(&rows).flat_map(|row| [row, row]) {
        let event = Event::read(json, &engine.wanted, &mut layout).unwrap();
        let mut count = 0;
        engine.run(&event, &mut Known::default(), |_, _| count += 1);
        assert_eq!(count, 1, "{json}");
    }
}

#[test]
fn rows_that_are_no_events_are_told() {
    let engine = engine(&rule("        F: x"));
    let deep = format!("{{\"F\": {}1{}}}", "[".repeat(1_000), "]".repeat(1_000));
    for json in [
        "",
        "x",
        "[]",
        "3",
        "{",
        r#"{"F": }"#,
        r#"{"F": 1} x"#,
        &deep,
    ] {
        let told = Event::read(json, &engine.wanted, &mut Layout::default()).unwrap_err();
        assert!(told.contains("pack_all"), "{told}");
    }
}

#[test]
fn numbers_at_the_ends_of_their_range_are_taken() {
    let engine = engine(&rule(
        "        F|gt: 1e308\n        G|lt: -0x7fffffffffffffff",
    ));
    assert!(engine.rules.is_empty());
    let engine = self::engine(&rule("        F|gte: 18446744073709551615"));
    assert_eq!(count(&engine, r#"{"F": 18446744073709551615}"#), 1);
    assert_eq!(
        count(
            &engine,
            r#"{"F": 1e400}"#.replace("1e400", "1e300").as_str()
        ),
        1
    );
}

proptest! {
    /// Rows with columns that come and go, empty or not, after each other.
    #[test]
    fn any_rows_after_each_other_are_read(
        rows in prop::collection::vec(prop::collection::vec(0..4_u8, 9), 1..9),
        gone in 0..12_usize,
    ) {
        let engine = engine(&rule("        F: a"));
        let mut layout = Layout::default();
        for (at, row) in rows.iter().enumerate() {
            let columns = ["A", "B", "C", "D", "F", "G", "H", "I", "J"].iter().zip(row).enumerate();
            let parts: Vec<String> = columns
                .filter(|(nth, _)| at % 2 == 0 || *nth != gone)
                .map(|(_, (name, what))| match what {
                    0 => format!("\"{name}\":\"\""),
                    1 => format!("\"{name}\":null"),
                    2 => format!("\"{name}\": \"\""),
                    _ => format!("\"{name}\":\"a\""),
                })
                .collect();
            let json = format!("{{{}}}", parts.join(","));
            let is_match = json.contains("\"F\":\"a\"");
            let event = Event::read(&json, &engine.wanted, &mut layout).unwrap();
            let mut count = 0;
            engine.run(&event, &mut Known::default(), |_, _| count += 1);
            prop_assert_eq!(count == 1, is_match);
        }
    }

    /// What is skipped is skipped to the same place that a parser comes to.
    #[test]
    fn any_row_is_read(
        names in prop::collection::vec("[a-cF]{1,3}|\\PC{0,3}", 0..6),
        texts in prop::collection::vec("[ab\"\\\\{},:\\[\\]]{0,20}", 6),
    ) {
        let engine = engine(&rule("        F: a"));
        let pairs = names.iter().zip(&texts);
        let object: serde_json::Map<String, serde_json::Value> =
            pairs.map(|(name, text)| (name.clone(), text.as_str().into())).collect();
        let is_match = object.get("F").is_some_and(|text| text == "a");
        let json = serde_json::Value::Object(object).to_string();
        let mut layout = Layout::default();
        for _ in 0..2 {
            let event = Event::read(&json, &engine.wanted, &mut layout).unwrap();
            let mut count = 0;
            engine.run(&event, &mut Known::default(), |_, _| count += 1);
            prop_assert_eq!(count == 1, is_match);
        }
    }

    #[test]
    fn any_text_is_read(text in "[ \\-\\[\\]{}a-c:|*&!'\"#\n?%>~]{0,200}") {
        for rule in rules(&text) {
            prop_assert!(rule.condition.is_some() || !rule.problems.is_empty());
        }
    }

    #[test]
    fn any_condition_is_read(condition in "([ab()*_]|and|or|not|of|them|1|all| ){0,40}") {
        let text = format!("title: x\ndetection:\n  a: [x]\n  b_: [y]\n  condition: \"{condition}\"\n");
        let engine = engine(&text);
        prop_assert_eq!(engine.rules.len() + engine.refused.len(), 1);
        count(&engine, r#"{"F": "x"}"#);
    }

    #[test]
    fn any_key_and_value_is_read(
        key in "[A-F]{0,2}(\\|(contains|re|all|base64offset|wide|windash|cidr|gt|fieldref|cased|neq|i|x)){0,3}",
        value in "[ -&(-~é–]{0,20}",
        text in "\\PC{0,20}",
    ) {
        let text = serde_json::json!({"A": text, "B": [text]}).to_string();
        let engine = engine(&rule(&format!("        '{key}': '{value}'")));
        count(&engine, &text);
    }

    /// A pattern against what it means, letter by letter.
    #[test]
    fn wildcards_mean_what_they_say(pattern in "[ab*?]{0,8}", text in "[ab]{0,10}") {
        fn means(pattern: &[u8], text: &[u8]) -> bool {
            match (pattern.split_first(), text.split_first()) {
                (None, _) => text.is_empty(),
                (Some((b'*', rest)), None) => means(rest, text),
                (Some((b'*', rest)), Some((_, after))) => means(rest, text) || means(pattern, after),
                (Some((b'?', rest)), Some((_, after))) => means(rest, after),
                (Some((letter, rest)), Some((first, after))) => letter == first && means(rest, after),
                (Some(_), None) => false,
            }
        }
        let parsed = spoor_plugin_sigma::pattern::Pattern::parse(&pattern);
        prop_assert_eq!(parsed.matches(&text), means(pattern.as_bytes(), text.as_bytes()));
    }
}
