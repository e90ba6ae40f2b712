//! Python cells, with a guest that follows a script.

use expect_test::expect;
use serde_json::json;
use spoor_protocol::{Event, Outcome};

use super::Driver;

const PEOPLE: &str = "name,age\nada,36\ngrace,45\n";

#[test]
fn a_python_cell_is_told_published_and_answered() {
    let mut driver = Driver::new();
    driver.turn(|guest| {
        let task = guest.call(json!({ "op": "next" }));
        guest.say(&task.to_string());
        let second = guest.call(json!({ "op": "next" }));
        guest.say(&second.to_string());
        guest.call(json!({ "op": "publish", "msg_type": "stream", "content": { "name": "stdout", "text": "hi\n" } }));
        guest.call(json!({ "op": "publish", "msg_type": "execute_result", "content": { "data": { "text/plain": "6" }, "metadata": {} } }));
        guest.done(&["x"], &["y"])
    });
    expect![[r#"
        r1 status {"execution_state":"busy"}
        r1 execute_input {"code":"y + 2","execution_count":1}
        run python
          guest: {"op":"execute","code":"y + 2","cell_id":null,"silent":false,"store_history":true,"allow_stdin":true,"execution_count":1,"bind":[]}
          guest: {"ename":"RuntimeError","evalue":"this turn has its task already","traceback":["\u001b[0;31mRuntimeError\u001b[0m: this turn has its task already"],"ok":false,"message":"this turn has its task already"}
        r1 stream {"name":"stdout","text":"hi\n"}
        r1 execute_result {"data":{"text/plain":"6"},"metadata":{},"execution_count":1}
        r1 execute_reply {"payload":[],"user_expressions":{},"status":"ok","execution_count":1} {"spoor":{"language":"python","elapsed_ms":"…","stale":[]}}
        r1 status {"execution_state":"idle"}
        r1 ends
    "#]].assert_eq(&driver.run("y + 2"));
}

#[test]
fn a_guest_queries_and_gets_columns() {
    let mut driver = Driver::new();
    driver.file("People.csv", PEOPLE);
    driver.turn(|guest| {
        guest.call(json!({ "op": "next" }));
        let tables = guest.call(json!({ "op": "tables" }));
        guest.say(&tables.to_string());
        let answer = guest.call_with(
            json!({ "op": "kql", "query": "People", "as": null }),
            vec![],
        );
        guest.say(&format!(
            "{} and {} buffers",
            answer.header,
            answer.buffers.len()
        ));
        let put = answer.header["table"].clone();
        let put = guest.call_with(
            json!({ "op": "put_table", "name": "copy", "table": put }),
            answer.buffers,
        );
        guest.say(&put.header.to_string());
        let failed = guest.call(json!({ "op": "kql", "query": "Nobody" }));
        guest.say(&failed.to_string());
        let tables = guest.call(json!({ "op": "tables" }));
        guest.say(&tables.to_string());
        guest.done(&[], &[])
    });
    expect![[r#"
        r1 status {"execution_state":"busy"}
        r1 execute_input {"code":"kql('People')","execution_count":1}
        run python
          guest: {"ok":true,"tables":[{"name":"People","rows":null,"columns":null}]}
        read People
          guest: {"ok":true,"table":{"rows":2,"columns":[{"encoding":"dictionary","codes":0,"offsets":1,"data":2,"name":"name","type":"string"},{"encoding":"fixed","data":3,"validity":null,"name":"age","type":"long"}]},"render":null,"bundle":null,"more":0,"origin":null} and 4 buffers
          guest: {"ok":true}
          guest: {"ename":"KqlError","evalue":"no table is called `Nobody`","traceback":["\u001b[0;31merror: no table is called `Nobody`\u001b[0m"," --> 1:1","  |","1 | Nobody","\u001b[0;31m  | ^^^^^^\u001b[0m","  = hint: tables here: People, copy"],"ok":false,"message":"no table is called `Nobody`"}
          guest: {"ok":true,"tables":[{"name":"People","rows":2,"columns":[["name","string"],["age","long"]]},{"name":"copy","rows":2,"columns":[["name","string"],["age","long"]]}]}
        r1 execute_reply {"payload":[],"user_expressions":{},"status":"ok","execution_count":1} {"spoor":{"language":"python","elapsed_ms":"…","stale":[]}}
        r1 status {"execution_state":"idle"}
        r1 ends
    "#]].assert_eq(&driver.run("kql('People')"));
}

#[test]
fn kept_results_are_bound_once_and_again_after_a_rollback() {
    let mut driver = Driver::new();
    driver.file("People.csv", PEOPLE);
    driver.run("%%kql --as kept\nPeople");
    let mut bound = |outcome: Option<Outcome>| {
        driver.turn(move |guest| {
            let task = guest.call(json!({ "op": "next" }));
            guest.say(&task["bind"].to_string());
            outcome.clone().unwrap_or_else(|| guest.done(&[], &[]))
        });
        driver.run("kept")
    };
    assert!(
        bound(Some(Outcome::Trapped {
            message: "unreachable".into()
        }))
        .contains(r#"guest: ["kept"]"#)
    );
    assert!(bound(None).contains(r#"guest: ["kept"]"#));
    assert!(bound(None).contains("guest: []"));
}

#[test]
fn a_kept_result_is_read_only_by_the_cells_that_use_it() {
    let mut driver = Driver::new();
    driver.file("People.csv", PEOPLE);
    let keep = "%%kql --as kept\nPeople";
    driver.run_cell(Some("a"), keep);
    let mut fetching = |cell: &str, reads: &'static [&'static str]| {
        driver.turn(move |guest| {
            let task = guest.call(json!({ "op": "next" }));
            for name in task["bind"].as_array().unwrap() {
                guest.call(json!({ "op": "kql", "query": name }));
            }
            guest.done(reads, &[])
        });
        driver.run_cell(Some(cell), "python");
    };
    fetching("b", &[]);
    fetching("c", &["kept"]);
    let log = driver.run_cell(Some("a"), keep);
    assert!(log.contains(r#""stale":["c"]"#), "{log}");
}

#[test]
fn every_bad_end_says_what_happened_and_what_to_do() {
    let outcomes = [
        Outcome::Returned,
        Outcome::Trapped {
            message: "unreachable".into(),
        },
        Outcome::OutOfMemory { limit: 1 << 30 },
        Outcome::TimedOut { limit_ms: 1500 },
        Outcome::Unavailable {
            message: "the guest is not set up; run cargo xtask setup".into(),
        },
    ];
    let mut errors = String::new();
    for outcome in outcomes {
        let mut driver = Driver::new();
        driver.turn(move |_| outcome.clone());
        let log = driver.run("1 / 0");
        assert!(
            log.contains(r#"execute_reply {"payload":[],"user_expressions":{},"status":"error""#),
            "{log}"
        );
        errors += &log
            .lines()
            .filter(|l| l.contains(" error "))
            .map(|l| format!("{l}\n"))
            .collect::<String>();
    }
    expect![[r#"
        r1 error {"ename":"PythonError","evalue":"the Python guest ended its turn without an answer","traceback":["\u001b[0;31mPythonError\u001b[0m: the Python guest ended its turn without an answer","Its own words, if any, are above. Restart the session if this goes on."]}
        r1 error {"ename":"PythonCrashed","evalue":"Python crashed (unreachable)","traceback":["\u001b[0;31mPythonCrashed\u001b[0m: Python crashed (unreachable)","The session went back to the state before this cell: variables are as they were then.","The crash is in Python or one of its packages, not in the notebook's session; try the cell in smaller steps to find the call."]}
        r1 error {"ename":"MemoryError","evalue":"Python needed more than its 1024 MiB of memory","traceback":["\u001b[0;31mMemoryError\u001b[0m: Python needed more than its 1024 MiB of memory","The session went back to the state before this cell: variables are as they were then.","Filter and summarise in KQL before handing rows to Python, or work on them in parts."]}
        r1 error {"ename":"TimeoutError","evalue":"the cell ran for more than 1.5 s and did not stop when asked to","traceback":["\u001b[0;31mTimeoutError\u001b[0m: the cell ran for more than 1.5 s and did not stop when asked to","The session went back to the state before this cell: variables are as they were then.","Raise the cell's time limit, or do less in one cell."]}
        r1 error {"ename":"PythonUnavailable","evalue":"the guest is not set up; run cargo xtask setup","traceback":["\u001b[0;31mPythonUnavailable\u001b[0m: the guest is not set up; run cargo xtask setup","KQL cells run without Python."]}
    "#]].assert_eq(&errors);
}

#[test]
fn input_is_asked_through_the_front_end() {
    let mut driver = Driver::new();
    driver.turn(|guest| {
        guest.call(json!({ "op": "next" }));
        let request = spoor_protocol::Frame::new(json!({ "op": "input", "prompt": "host? " }))
            .encode()
            .unwrap();
        assert_eq!(guest.driver.send(Event::Upcall, vec![request]), None);
        let answer = guest
            .driver
            .send(
                Event::InputReply {
                    value: Some("dc01".into()),
                },
                vec![],
            )
            .unwrap();
        guest.say(
            &spoor_protocol::Frame::<serde_json::Value>::decode(&answer)
                .unwrap()
                .header
                .to_string(),
        );
        guest.done(&[], &[])
    });
    expect![[r#"
        r1 status {"execution_state":"busy"}
        r1 execute_input {"code":"input('host? ')","execution_count":1}
        run python
        r1 input_request {"prompt":"host? ","password":false}
          guest: {"ok":true,"value":"dc01"}
        r1 execute_reply {"payload":[],"user_expressions":{},"status":"ok","execution_count":1} {"spoor":{"language":"python","elapsed_ms":"…","stale":[]}}
        r1 status {"execution_state":"idle"}
        r1 ends
    "#]].assert_eq(&driver.run("input('host? ')"));
}

#[test]
fn without_a_front_end_input_fails_clearly() {
    let mut driver = Driver::with_options(&[("headless", true.into())]);
    driver.turn(|guest| {
        guest.call(json!({ "op": "next" }));
        let answer = guest.call(json!({ "op": "input", "prompt": "host? " }));
        guest.say(&answer["message"].to_string());
        guest.done(&[], &[])
    });
    let log = driver.run("input('host? ')");
    assert!(
        log.contains("there is no one to ask: input() needs a front end"),
        "{log}"
    );
}

#[test]
fn displays_are_updated_while_they_are_on_show() {
    let mut driver = Driver::new();
    let publish = |msg_type: &'static str| {
        move |guest: &mut super::Guest<'_>| {
            guest.call(json!({ "op": "next" }));
            let content =
                json!({ "data": {}, "metadata": {}, "transient": { "display_id": "bar" } });
            guest.call(json!({ "op": "publish", "msg_type": msg_type, "content": content }));
            guest.done(&[], &[])
        }
    };
    driver.turn(publish("display_data"));
    driver.run_cell(Some("a"), "show");
    driver.turn(publish("update_display_data"));
    assert!(
        driver
            .run_cell(Some("b"), "update")
            .contains("update_display_data")
    );
    driver.turn(|guest| guest.done(&[], &[]));
    driver.run_cell(Some("a"), "no longer shows");
    driver.turn(publish("update_display_data"));
    assert!(
        !driver
            .run_cell(Some("b"), "update")
            .contains("update_display_data")
    );
}

#[test]
fn a_guests_own_output_is_a_stream() {
    let mut driver = Driver::new();
    driver.turn(|guest| {
        guest.driver.send(
            Event::PythonOutput { fd: 2 },
            vec!["caf\u{e9}".as_bytes()[..4].to_vec()],
        );
        guest.driver.send(
            Event::PythonOutput { fd: 2 },
            vec!["\u{e9}\n".as_bytes()[1..].to_vec()],
        );
        guest.done(&[], &[])
    });
    expect![[r#"
        r1 status {"execution_state":"busy"}
        r1 execute_input {"code":"from C","execution_count":1}
        run python
        r1 stream {"name":"stderr","text":"caf"}
        r1 stream {"name":"stderr","text":"é\n"}
        r1 execute_reply {"payload":[],"user_expressions":{},"status":"ok","execution_count":1} {"spoor":{"language":"python","elapsed_ms":"…","stale":[]}}
        r1 status {"execution_state":"idle"}
        r1 ends
    "#]].assert_eq(&driver.run("from C"));
}

#[test]
fn an_interrupt_ends_the_query_that_a_guest_waits_for() {
    let mut driver = Driver::new();
    driver.file("People.csv", PEOPLE);
    driver.turn(|guest| {
        guest.call(json!({ "op": "next" }));
        let request = spoor_protocol::Frame::new(json!({ "op": "kql", "query": "People" }))
            .encode()
            .unwrap();
        let first = guest
            .driver
            .kernel
            .step(spoor_protocol::Frame::with(Event::Upcall, vec![request]));
        assert!(matches!(
            first.header.as_slice(),
            [spoor_protocol::Effect::Read { .. }]
        ));
        let answer = guest.driver.send(Event::Interrupt, vec![]).unwrap();
        let answer = spoor_protocol::Frame::<serde_json::Value>::decode(&answer)
            .unwrap()
            .header;
        guest.say(&answer["ename"].to_string());
        guest.done(&[], &[])
    });
    let log = driver.run("kql('People')");
    assert!(log.contains("KeyboardInterrupt"), "{log}");
}
