//! What the kernel says of a source that is not run.

use expect_test::expect;
use serde_json::{Value, json};
use spoor_protocol::{Effect, Event, Outcome};

use super::{Driver, step};

const SIGNINS: &str = "user,result\nada,ok\nbob,bad\n";

fn ask(code: &str, language: Option<&str>) -> Event {
    Event::Diagnose {
        id: "d".into(),
        code: code.into(),
        language: language.map(String::from),
    }
}

/// The content of the one reply, which nothing but the request's end follows.
fn answer(driver: &mut Driver, event: Event) -> Value {
    let effects = step(&mut driver.kernel, event);
    let [
        Effect::Publish {
            msg_type,
            parent,
            content,
            ..
        },
        Effect::Idle { parent: ended },
    ] = effects.as_slice()
    else {
        panic!("{effects:?}");
    };
    assert_eq!(
        (msg_type.as_str(), parent.as_str()),
        ("diagnose_reply", "d")
    );
    assert_eq!(ended, "d");
    Value::Object(content.clone())
}

fn messages(reply: &Value) -> Vec<&str> {
    let diagnostics = reply["diagnostics"].as_array().unwrap();
    diagnostics
        .iter()
        .map(|d| d["message"].as_str().unwrap())
        .collect()
}

#[test]
fn mistakes_have_places_in_code_points_and_fixes() {
    let mut driver = Driver::new();
    driver.file("Signins.csv", SIGNINS);
    driver.run("%%kql\nSignins | count");
    let code = "%%kql\n// \u{1f50d}\u{e9}\nSignins | where usr == 'ada'";
    let reply = answer(&mut driver, ask(code, None));
    assert_eq!(reply["status"], "ok");
    assert_eq!(reply["language"], "kql");
    assert_eq!(
        reply["diagnostics"],
        json!([{
            "start": 28,
            "end": 31,
            "severity": "error",
            "message": "no column or variable is called `usr`",
            "hint": "did you mean `user`?",
            "fixes": [{
                "title": "write `user`",
                "safe": false,
                "edits": [{ "start": 28, "end": 31, "text": "user" }],
            }],
        }])
    );
    let tokens = reply["tokens"].as_array().unwrap();
    assert_eq!(tokens.first().unwrap(), &json!([0, 5, "keyword"]));
    assert!(tokens.contains(&json!([12, 19, "table"])), "{tokens:?}");
}

#[test]
fn of_a_query_that_runs_elsewhere_only_what_cannot_be_read_is_told() {
    let mut driver = Driver::new();
    for (code, told) in [
        ("%%kql --workspace soc\nNowhere | where x == 1", vec![]),
        ("%%kql host\nNowhere | count", vec![]),
        ("%%kql --workspace adx\n.show tables", vec![]),
        (
            "%%kql\nNowhere | count",
            vec!["no table is called `Nowhere`"],
        ),
    ] {
        let reply = answer(&mut driver, ask(code, None));
        assert_eq!(messages(&reply), told, "{code}");
    }
    let reply = answer(
        &mut driver,
        ask("%%kql --workspace soc\nNowhere | where (x", None),
    );
    assert_eq!(messages(&reply).len(), 1, "{reply}");
}

#[test]
fn a_query_needs_no_line_of_its_own_where_the_page_knows_it() {
    let mut driver = Driver::new();
    driver.file("Signins.csv", SIGNINS);
    let bare = answer(&mut driver, ask("Sigmins | count", Some("kql")));
    assert_eq!(messages(&bare), ["no table is called `Sigmins`"]);
    let python = answer(&mut driver, ask("Sigmins | count", None));
    assert_eq!(python["language"], "python");
    assert_eq!(messages(&python), [""; 0]);
    let nothing = answer(&mut driver, ask("%%kql\n", None));
    assert_eq!(messages(&nothing), [""; 0]);
}

#[test]
fn columns_of_a_file_that_nobody_has_read_are_not_called_unknown_and_nothing_is_read() {
    let mut driver = Driver::new();
    driver.file("Signins.csv", SIGNINS);
    let code =
        "%%kql\nSignins | where anything > nosuch(1) | join (Gone) on x | project a | where b == 1";
    let before = answer(&mut driver, ask(code, None));
    assert_eq!(
        messages(&before),
        [
            "no function is called `nosuch`",
            "no table is called `Gone`",
        ]
    );
    driver.run("%%kql\nSignins | count");
    let code = "%%kql\nSignins | where anything == 1";
    let after = answer(&mut driver, ask(code, None));
    assert_eq!(
        messages(&after),
        ["no column or variable is called `anything`"]
    );
}

#[test]
fn it_is_answered_between_the_slices_of_a_cell() {
    let mut driver = Driver::new();
    let execute = Event::Execute {
        id: "q".into(),
        cell_id: None,
        code: "%%kql\nrange x from 1 to 30000000 step 1 | summarize count() by x % 7".into(),
        silent: false,
        allow_stdin: false,
    };
    let first = step(&mut driver.kernel, execute);
    assert_eq!(first.last(), Some(&Effect::Continue), "{first:?}");
    let reply = answer(&mut driver, ask("%%kql\nprint nosuch(1)", None));
    assert_eq!(messages(&reply), ["no function is called `nosuch`"]);
    // The slice that was announced is still to come.
    let second = step(&mut driver.kernel, Event::Continue);
    assert!(!second.is_empty(), "{second:?}");
    step(&mut driver.kernel, Event::Interrupt);
}

#[test]
fn a_wrong_option_of_the_cell_is_a_mistake_too() {
    let mut driver = Driver::new();
    let reply = answer(&mut driver, ask("%%kql --at x\nprint 1", None));
    assert_eq!(messages(&reply), ["%%kql has no option '--at'"]);
    assert_eq!(reply["diagnostics"][0]["start"], 6);
}

#[test]
fn completions_have_kinds_signatures_and_sentences() {
    let mut driver = Driver::new();
    let code = "print strle";
    driver.send(
        Event::Complete {
            id: "c".into(),
            code: format!("%%kql\n{code}"),
            cursor_pos: 6 + code.len(),
        },
        vec![],
    );
    let log = std::mem::take(&mut driver.log);
    for piece in [
        r#""type":"function""#,
        r#""signature":"strlen(text)""#,
        r#""documentation":"Counts the characters of a text.""#,
    ] {
        assert!(log.contains(piece), "{log}");
    }
}

#[test]
fn python_is_asked_once_it_is_here_and_has_nothing_to_do() {
    let mut driver = Driver::new();
    let code = "x = = 1";
    let asked = || ask(code, Some("python"));
    let nothing = answer(&mut driver, asked());
    assert_eq!(
        nothing["diagnostics"],
        json!([]),
        "nothing is loaded for it"
    );
    driver.turn(|guest| guest.done(&[], &[]));
    driver.run("1");
    driver.turn(|guest| {
        let task = guest.call(json!({ "op": "next" }));
        guest.say(&task.to_string());
        let found = json!([{ "start": 4, "end": 5, "severity": "error", "message": "invalid syntax", "fixes": [] }]);
        guest.call(json!({ "op": "done", "content": { "status": "ok", "diagnostics": found } }));
        Outcome::Returned
    });
    driver.send(asked(), vec![]);
    expect![[r#"
        run python
          guest: {"op":"diagnose","code":"x = = 1"}
        d diagnose_reply {"status":"ok","language":"python","diagnostics":[{"start":4,"end":5,"severity":"error","message":"invalid syntax","fixes":[]}],"tokens":[]}
        d ends
    "#]]
    .assert_eq(&std::mem::take(&mut driver.log));
    // While a cell runs, nobody waits for its end to hear it.
    step(
        &mut driver.kernel,
        Event::Execute {
            id: "r".into(),
            cell_id: None,
            code: "2".into(),
            silent: false,
            allow_stdin: false,
        },
    );
    assert_eq!(answer(&mut driver, asked())["diagnostics"], json!([]));
}
