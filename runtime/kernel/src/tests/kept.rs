//! Kept results and Python's values: what goes with them from cell to cell.

use serde_json::{Value, json};
use spoor_protocol::{Event, Frame, Outcome, Told};
use spoor_table::{Column, KustoType, Table, Value as Scalar, ipc};

use super::Driver;

/// Has Python end a cell with these variables, as literals of KQL's.
fn variables(driver: &mut Driver, values: Value) {
    driver.turn(move |guest| {
        guest.call(json!({ "op": "next" }));
        let content = json!({ "status": "ok" });
        let names = json!({ "reads": [], "writes": ["days"] });
        guest.call(
            json!({ "op": "done", "content": content, "names": names, "values": values.clone() }),
        );
        Outcome::Returned
    });
    driver.run_cell(Some("p"), "days = 3");
}

/// What a diagnosis of the source says is wrong.
fn mistakes(driver: &mut Driver, code: &str) -> String {
    let event = Event::Diagnose {
        id: "d".into(),
        code: code.into(),
        language: None,
    };
    driver.send(event, vec![]);
    std::mem::take(&mut driver.log)
}

#[test]
fn a_query_uses_variables_by_name() {
    let mut driver = Driver::new();
    driver.file("Logs.csv", "n,days\n1,10\n2,20\n");
    let query = "%%kql\nprint x = days * 2, y = \"a\" in (names)";
    assert!(
        driver
            .run(query)
            .contains("no column or variable is called `days`")
    );
    assert!(mistakes(&mut driver, query).contains("called `days`"));
    let values = json!({ "days": "3", "names": "dynamic([\"a\", \"b\"])", "bad": "1; print 2" });
    variables(&mut driver, values);
    let log = driver.run_cell(Some("q"), query);
    assert!(log.contains("6  True"), "{log}");
    assert!(!mistakes(&mut driver, query).contains("called `days`"));
    // Columns and the query's own names come first.
    let log = driver.run("%%kql\nLogs | summarize sum(days)");
    assert!(log.contains("30"), "{log}");
    let log = driver.run("%%kql\nlet days = 8; print x = days + 1000");
    assert!(log.contains("1008"), "{log}");
    // What is no literal is no value.
    assert!(driver.run("%%kql\nprint bad").contains("called `bad`"));
}

#[test]
fn a_cell_is_stale_when_the_variable_that_it_used_is_set_again() {
    let mut driver = Driver::new();
    driver.file("Logs.csv", "n,days\n1,10\n");
    variables(&mut driver, json!({ "days": "3" }));
    driver.run_cell(Some("used"), "%%kql\nprint days");
    driver.run_cell(Some("column"), "%%kql\nLogs | project days");
    driver.run_cell(Some("own"), "%%kql\nlet days = 1; print days");
    variables(&mut driver, json!({ "days": "4" }));
    let log = driver.run_cell(Some("last"), "%%kql\nprint 1");
    assert!(log.contains(r#""stale":["used"]"#), "{log}");
}

#[test]
fn a_provider_gets_the_variables_that_the_query_asks_for() {
    let mut driver = Driver::new();
    variables(&mut driver, json!({ "days": "3", "host": "\"w\"" }));
    let log = driver.run("%%kql host\nlet window = days;\nT | where host == \"x\"");
    assert!(log.contains(r"let window = 3;\nT | where host =="), "{log}");
    let log = driver.run("%%kql host\nlet days = 5; let again = days; T");
    assert!(log.contains("let days = 5; let again = days; T"), "{log}");
}

#[test]
fn a_rolled_back_turn_leaves_the_variables() {
    let mut driver = Driver::new();
    variables(&mut driver, json!({ "days": "3" }));
    driver.turn(|guest| {
        guest.call(json!({ "op": "next" }));
        guest.call(json!({ "op": "done", "content": {}, "values": { "days": "4" } }));
        Outcome::Trapped {
            message: "unreachable".into(),
        }
    });
    driver.run("days = 4; crash()");
    assert!(driver.run("%%kql\nprint x = days + 1000").contains("1003"));
}

#[test]
fn a_table_that_python_takes_away_says_so() {
    let mut driver = Driver::new();
    driver.run("%%kql --as hits\nprint n = 1");
    driver.turn(|guest| {
        guest.call(json!({ "op": "next" }));
        guest.call(
            json!({ "op": "drop_table", "name": "hits", "why": "`hits` was deleted in Python" }),
        );
        guest.done(&[], &["hits"])
    });
    driver.run("del hits");
    let log = driver.run("%%kql\nhits | count");
    assert!(log.contains("no table is called `hits`"), "{log}");
    assert!(log.contains("hint: `hits` was deleted in Python"), "{log}");
    driver.run("%%kql --as hits\nprint n = 1");
    assert!(driver.run("%%kql\nhits | count").contains("execute_result"));
}

/// A driver with a result of a workspace, kept as `hits`, that is not whole.
fn partial() -> Driver {
    let mut driver = Driver::new();
    let table = Table::from_values(
        vec![Column::new("n", KustoType::Long)],
        &[vec![Scalar::Long(7)]],
    );
    let fetched = Event::Fetched {
        fetch: 1,
        table: 0,
        last: true,
        error: None,
        told: Box::new(Told {
            partial: vec!["cut at <500> rows".into()],
            ..Told::default()
        }),
    };
    let execute = Event::Execute {
        id: "f".into(),
        cell_id: None,
        code: "%%kql --workspace soc --as hits\nSignins".into(),
        silent: false,
        allow_stdin: false,
    };
    driver.kernel.step(Frame::new(execute));
    let bytes = ipc::to_stream(&table.unwrap()).unwrap();
    driver.carry_on(Frame::with(fetched, vec![bytes]));
    std::mem::take(&mut driver.log);
    driver
}

#[test]
fn a_query_that_may_tell_less_than_kusto_says_so() {
    let mut driver = Driver::new();
    driver.run("%%kql --as ASimDnsActivityLogs\nprint DnsQuery = 'a.example', EventType = 'Query'");
    let log = driver.run("%%kql --as names\n_Im_Dns() | project DnsQuery");
    let notice = "Partial result of this query: `_Im_Dns` reads ASimDnsActivityLogs alone";
    assert!(log.contains(notice), "{log}");
    let log = driver.run("%%kql\nnames | count");
    assert!(log.contains("made of names, not whole: `_Im_Dns`"), "{log}");
}

#[test]
fn a_kept_result_that_is_not_whole_says_so_wherever_it_is_read() {
    let mut driver = partial();
    let notice = "Partial result made of hits, not whole: workspace 'soc': cut at <500> rows";
    let log = driver.run("%%kql --as few\nhits | take 1");
    assert!(log.contains(notice), "{log}");
    assert!(
        log.contains(r#""partial":["workspace 'soc': cut at <500> rows"]"#),
        "{log}"
    );
    // And what is made of it.
    let log = driver.run("%%kql\nfew | count");
    assert!(
        log.contains("Partial result made of few, not whole: workspace"),
        "{log}"
    );
    driver.turn(|guest| {
        guest.call(json!({ "op": "next" }));
        let answer = guest.call_with(json!({ "op": "kql", "query": "hits" }), vec![]);
        guest.say(&answer.header["origin"].to_string());
        let put = json!({ "op": "put_table", "name": "mine", "table": answer.header["table"], "lacks": ["of Python"] });
        guest.call_with(put, answer.buffers);
        guest.done(&[], &[])
    });
    let log = driver.run("mine");
    assert!(
        log.contains(r#"{"partial":["workspace 'soc': cut at <500> rows"]}"#),
        "{log}"
    );
    assert!(
        driver
            .run("%%kql\nmine")
            .contains("made of mine, not whole: of Python")
    );
    // Whole again, it says nothing.
    driver.run("%%kql --as hits\nprint n = 1");
    assert!(!driver.run("%%kql\nhits").contains("Partial"));
}
