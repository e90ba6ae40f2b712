//! Plugins: what becomes of a module, of calls of it, and of what comes back.

use serde_json::json;
use spoor_hostile::{good_answer, good_manifest, good_module};
use spoor_protocol::{Effect, Event, Frame, PluginOutcome, PluginWish};

use super::{Driver, step};

const CELL: &str = "%%kql\nprint 1 | evaluate f() | summarize total = sum(Value)";

fn add(module: Vec<u8>, sha256: Option<&str>) -> Frame<Event> {
    let event = Event::AddPlugin {
        id: "p".into(),
        sha256: sha256.map(Into::into),
        granted: Vec::new(),
        limits: PluginWish {
            fuel: Some(1_000),
            ..PluginWish::default()
        },
    };
    Frame::with(event, vec![module])
}

/// A driver with the good plugin, whose calls end so.
fn with_plugin(outcome: PluginOutcome, bytes: &[u8]) -> Driver {
    let mut driver = Driver::new();
    driver.plugin = Some((outcome, bytes.to_vec()));
    let Frame { header, buffers } = add(good_module(&good_manifest()), None);
    driver.send(header, buffers);
    driver
}

fn answering() -> Driver {
    with_plugin(PluginOutcome::Answered { fuel: 5 }, &good_answer())
}

#[test]
fn a_plugin_is_admitted_called_and_named_in_the_reply() {
    let mut driver = answering();
    let log = std::mem::take(&mut driver.log);
    assert!(
        log.starts_with("load hostile with []\np plugin_reply "),
        "{log}"
    );
    assert!(
        log.contains(r#""functions":["f"]"#) && log.contains(r#""status":"ok""#),
        "{log}"
    );
    assert!(log.ends_with("p ends\n"), "{log}");
    let log = driver.run(CELL);
    assert!(log.contains("call 1 with 1000 units"), "{log}");
    assert!(log.contains("total") && log.contains('6'), "{log}");
    assert!(
        log.contains(r#""plugins":{"hostile":{"version":"1.0.0","sha256":"#),
        "{log}"
    );
    assert!(!driver.run("%%kql\nprint 1").contains("plugins"));
    // Python's queries call it too.
    driver.turn(|guest| {
        guest.call(json!({ "op": "next" }));
        let listed = guest.call(json!({ "op": "plugins" }));
        guest.say(listed["functions"][0]["function"]["name"].as_str().unwrap());
        let answer = guest.call(json!({ "op": "kql", "query": "print 1 | evaluate f() | count" }));
        assert_eq!(answer["ok"], true, "{answer}");
        guest.done(&[], &[])
    });
    let log = driver.run("x");
    assert!(
        log.contains("guest: f") && log.contains(r#""plugins":{"hostile""#),
        "{log}"
    );
}

#[test]
fn tables_and_charts_beside_the_declared_one_are_shown_under_the_result() {
    let good = good_answer();
    let frame = spoor_plugin_abi::Frame::decode(&good).unwrap();
    let table = frame.tables().next().unwrap();
    let header = br#"{"charts":[{"kind":"card","table":2,"properties":{"title":"Sum"}}]}"#;
    let bytes = spoor_plugin_abi::encode_frame(header, &[table, table, table]).unwrap();
    let log = with_plugin(PluginOutcome::Answered { fuel: 5 }, &bytes).run(CELL);
    let parts: Vec<&str> = log.split("display_data").collect();
    assert_eq!(parts.len(), 3, "{log}");
    assert!(parts[0].contains("execute_result"), "{log}");
    assert!(
        parts[1].contains("text/html") && parts[2].contains("image/svg+xml"),
        "{log}"
    );
}

#[test]
fn what_is_no_plugin_is_refused_with_its_rule() {
    let refused = |frame: Frame<Event>| {
        let mut driver = Driver::new();
        driver.send(frame.header, frame.buffers);
        assert!(!driver.log.contains("load"), "{}", driver.log);
        assert!(
            driver
                .run(CELL)
                .contains("no plugin has a function called `f`")
        );
        std::mem::take(&mut driver.log);
        driver.send(
            Event::RemovePlugin {
                name: "hostile".into(),
            },
            vec![],
        );
        driver.log
    };
    assert!(refused(add(b"text".to_vec(), None)).contains("there is no plugin 'hostile'"));
    let told = |frame: Frame<Event>| {
        let mut driver = Driver::new();
        driver.send(frame.header, frame.buffers);
        driver.log
    };
    assert!(told(add(b"text".to_vec(), None)).contains("rule 'malformed' at byte 0"));
    assert!(told(Frame::new(add(Vec::new(), None).header)).contains("malformed"));
    let other = "00".repeat(32);
    assert!(
        told(add(good_module(&good_manifest()), Some(&other)))
            .contains("not the one that is pinned")
    );
    assert!(
        told(add(good_module(&good_manifest()), Some("odd")))
            .contains("not the one that is pinned")
    );
}

#[test]
fn two_plugins_may_not_have_functions_of_one_name() {
    let mut driver = answering();
    let mut manifest = good_manifest();
    manifest["name"] = "twin".into();
    driver.log.clear();
    let Frame { header, buffers } = add(good_module(&manifest), None);
    driver.send(header.clone(), buffers.clone());
    assert!(driver.log.contains("remove one of them"), "{}", driver.log);
    driver.send(
        Event::RemovePlugin {
            name: "hostile".into(),
        },
        vec![],
    );
    driver.log.clear();
    driver.send(header, buffers);
    assert!(driver.log.contains(r#""name":"twin""#), "{}", driver.log);
}

#[test]
fn no_plugin_takes_the_name_of_one_of_kustos() {
    let mut driver = Driver::new();
    let mut manifest = good_manifest();
    manifest["functions"][0]["name"] = "pivot".into();
    let Frame { header, buffers } = add(good_module(&manifest), None);
    driver.send(header, buffers);
    assert!(driver.log.contains("a plugin of Kusto's"), "{}", driver.log);
}

#[test]
fn nothing_that_comes_back_is_believed_before_it_is_read() {
    let told = |outcome, bytes: &[u8]| with_plugin(outcome, bytes).run(CELL);
    let answered = || PluginOutcome::Answered { fuel: 1 };
    let cut = &good_answer()[..40];
    for bytes in [&b"rubbish"[..], b"", cut] {
        let log = told(answered(), bytes);
        assert!(
            log.contains("f (hostile): the plugin's answer is refused"),
            "{log}"
        );
    }
    let log = told(PluginOutcome::Said, "no \u{202e}host\u{7}".as_bytes());
    assert!(
        log.contains("the plugin says: no \u{fffd}host\u{fffd}"),
        "{log}"
    );
    let trapped = |trap: &str| PluginOutcome::Trapped {
        trap: trap.into(),
        memory: 65_536,
        words: None,
    };
    assert!(told(trapped("fuel"), b"").contains("it used the 1000 units that a call may"));
    assert!(told(trapped("unheard-of"), b"").contains("the engine stopped the plugin"));
    let failed = PluginOutcome::Failed {
        message: "no engine".into(),
    };
    assert!(told(failed, b"").contains("cannot be run: no engine"));
}

#[test]
fn an_interrupt_ends_a_call_and_what_comes_late_is_passed_over() {
    let mut driver = answering();
    driver.plugin = None;
    let execute = Event::Execute {
        id: "e".into(),
        cell_id: None,
        code: CELL.into(),
        silent: false,
        allow_stdin: false,
    };
    let mut effects = step(&mut driver.kernel, execute);
    for _ in 0..20 {
        if effects
            .iter()
            .any(|effect| matches!(effect, Effect::CallPlugin { .. }))
        {
            break;
        }
        effects = step(&mut driver.kernel, Event::Continue);
    }
    let called = |call: u64| {
        let outcome = PluginOutcome::Answered { fuel: 1 };
        Frame::with(Event::PluginCalled { call, outcome }, vec![good_answer()])
    };
    let unknown = driver.kernel.step(called(7)).header;
    assert!(
        matches!(unknown.as_slice(), [Effect::Refuse { .. }]),
        "{unknown:?}"
    );
    let ended = step(&mut driver.kernel, Event::Interrupt);
    let text = serde_json::to_string(&ended).unwrap();
    assert!(text.contains("KeyboardInterrupt"), "{text}");
    assert_eq!(driver.kernel.step(called(1)).header, []);
    driver.plugin = Some((PluginOutcome::Answered { fuel: 5 }, good_answer()));
    assert!(driver.run(CELL).contains("call 2"));
}

#[test]
fn a_frame_that_python_hands_over_is_dropped_again() {
    let mut driver = answering();
    driver.turn(|guest| {
        guest.call(json!({ "op": "next" }));
        let missing = guest.call(json!({ "op": "drop_table", "name": "none" }));
        assert_eq!(missing["ok"], false);
        let kept = guest.call(json!({ "op": "kql", "query": "print 1", "as": "kept" }));
        assert_eq!(kept["ok"], true);
        assert_eq!(
            guest.call(json!({ "op": "drop_table", "name": "kept" }))["ok"],
            true
        );
        let tables = guest.call(json!({ "op": "tables" }))["tables"].to_string();
        guest.say(&tables);
        guest.done(&[], &[])
    });
    assert!(driver.run("x").contains("guest: []"));
}
