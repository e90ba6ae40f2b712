//! Drivers and guests that do what they should not.

use expect_test::expect;
use serde_json::json;
use spoor_protocol::{Effect, Event, Frame, Outcome};

use super::{Driver, step};
use crate::Kernel;

fn refusals(events: Vec<Event>) -> String {
    let mut kernel = Kernel::new();
    let effects = events
        .into_iter()
        .flat_map(|event| step(&mut kernel, event));
    let refused = effects.filter_map(|effect| match effect {
        Effect::Refuse { reason } => Some(reason + "\n"),
        _ => None,
    });
    refused.collect()
}

#[test]
fn events_out_of_turn_are_refused_with_a_reason() {
    let open = || Event::Open {
        options: Default::default(),
    };
    let events = vec![
        Event::Continue,
        open(),
        open(),
        Event::Continue,
        Event::Interrupt,
        Event::PythonDone {
            outcome: Outcome::Returned,
        },
        Event::InputReply { value: None },
        Event::PythonOutput { fd: 7 },
        Event::Data {
            name: "x".into(),
            last: true,
            error: None,
        },
    ];
    expect![[r#"
        the session is not open yet: Open comes first
        the session is open already
        there is no slice of work to go on with
        no turn of the Python guest is running
        no input was asked for
        file descriptor 7 is neither 1 nor 2
        there is no source 'x'
    "#]]
    .assert_eq(&refusals(events));
}

#[test]
fn every_upcall_is_answered_even_out_of_turn() {
    let mut driver = Driver::new();
    for bytes in [
        vec![],
        b"SPR1".to_vec(),
        Frame::new(json!({ "op": "next" })).encode().unwrap(),
    ] {
        assert!(driver.send(Event::Upcall, vec![bytes]).is_some());
    }
}

#[test]
fn a_guest_that_asks_for_nonsense_is_told_so() {
    let mut driver = Driver::new();
    driver.turn(|guest| {
        for request in [
            json!({ "op": "rm" }),
            json!([]),
            json!({ "op": "publish", "msg_type": "comm_open", "content": {} }),
            json!({ "op": "publish", "msg_type": "stream", "content": 7 }),
            json!({ "op": "publish", "msg_type": "update_display_data", "content": {} }),
            json!({ "op": "kql" }),
            json!({ "op": "kql", "query": "T", "as": "a b" }),
            json!({ "op": "put_table", "name": "1x" }),
            json!({ "op": "done", "content": 1 }),
        ] {
            let answer = guest.call(request);
            assert_eq!(answer["ok"], json!(false));
            guest.say(&answer["message"].to_string());
        }
        // A size that no buffer has.
        let column = json!({ "name": "a", "type": "long", "encoding": "fixed", "data": 9 });
        let table = json!({ "rows": u64::MAX, "columns": [column] });
        let answer = guest.call(json!({ "op": "put_table", "name": "x", "table": table }));
        assert_eq!(answer["ok"], json!(false));
        guest.done(&[], &[])
    });
    let log = driver.run("nonsense");
    let said: String = log
        .lines()
        .filter(|l| l.starts_with("  guest"))
        .map(|l| format!("{}\n", l.trim()))
        .collect();
    expect![[r#"
          guest: "there is no operation 'rm'"
          guest: "there is no operation ''"
          guest: "a cell cannot publish 'comm_open' messages"
          guest: "a message's content is an object"
          guest: "an update names no display_id"
          guest: "kql() takes the query as text"
          guest: "a result cannot be kept as 'a b': a name has letters, digits and _, and begins with no digit"
          guest: "a result cannot be kept as '1x': a name has letters, digits and _, and begins with no digit"
          guest: "the answer of a turn is an object"
    "#]].assert_eq(&said);
}
