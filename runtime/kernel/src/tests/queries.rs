//! Queries through the real engine: charts, slices, names between cells.

use expect_test::expect;
use serde_json::json;
use spoor_protocol::{Effect, Event};

use super::{Driver, step};

const SIGNINS: &str = "At,user,result\n\
    2024-03-01T10:00:00Z,ada,ok\n\
    2024-03-01T10:20:00Z,ada,bad\n\
    2024-03-01T11:00:00Z,grace,ok\n";

#[test]
fn render_gives_a_picture_and_its_specification() {
    let mut driver = Driver::with_options(&[("headless", true.into())]);
    driver.file("Signins.csv", SIGNINS);
    let log = driver.run(
        "%%kql\nSignins\n| summarize Count = count() by bin(At, 1h), result\n| render timechart with (title = 'By hour')",
    );
    let result = log.lines().find(|l| l.contains("execute_result"));
    let result = result.unwrap_or_else(|| panic!("{log}"));
    assert!(
        result.contains(r#""image/svg+xml":"<svg""#) && !result.contains("text/html"),
        "{result}"
    );
    let chart = result
        .split("chart+json\":")
        .nth(1)
        .unwrap()
        .split(",\"text/plain")
        .next()
        .unwrap();
    expect![[r#"{"version":1,"kind":"timechart","title":"By hour","x":{"title":"At","type":"datetime"},"y":{"title":"Count","type":"number"},"series":[{"name":"ok","points":[[1709287200000.0,1.0],[1709290800000.0,1.0]]},{"name":"bad","points":[[1709287200000.0,1.0]]}],"legend":true}"#]].assert_eq(chart);
}

#[test]
fn a_result_of_many_rows_is_cut_and_says_so_until_all_are_asked_for() {
    let mut driver = Driver::with_options(&[("headless", true.into())]);
    let rows = "range n from 1 to 500001 step 1";
    let log = driver.run(&format!("%%kql --as many\n{rows}"));
    let note = "only the first 500000 rows are here; begin the query with `set notruncation;` for all of them";
    assert!(
        log.contains(&format!("Partial result of this query: {note}")),
        "{log}"
    );
    assert!(log.contains(r#""rows":500000"#), "{log}");
    let log = driver.run("%%kql\nmany | count");
    assert!(
        log.contains(&format!("Partial result made of many, not whole: {note}")),
        "{log}"
    );
    let log = driver.run(&format!("%%kql\nset notruncation;\n{rows}"));
    assert!(
        log.contains(r#""rows":500001"#) && !log.contains("Partial"),
        "{log}"
    );
}

#[test]
fn a_chart_that_cannot_be_drawn_is_a_table_with_a_note() {
    let mut driver = Driver::with_options(&[("headless", true.into())]);
    driver.file("Signins.csv", SIGNINS);
    let log = driver.run("%%kql\nSignins | project user, result | render timechart");
    assert!(
        log.contains("text/html") && log.contains("render timechart needs a datetime column"),
        "{log}"
    );
}

#[test]
fn long_work_comes_in_slices_and_heeds_an_interrupt() {
    let mut driver = Driver::new();
    let rows: String = (0..300_000).map(|n| format!("{}\n", n % 3000)).collect();
    driver.file("Keys.csv", &format!("k\n{rows}"));
    driver.run("%%kql\nKeys | count");
    // Thirty million pairs.
    let code = "%%kql\nKeys | join kind=inner Keys on k | count".into();
    let execute = Event::Execute {
        id: "q".into(),
        cell_id: None,
        code,
        silent: false,
        allow_stdin: false,
    };
    let first = step(&mut driver.kernel, execute);
    assert_eq!(first.last(), Some(&Effect::Continue), "{first:?}");
    let second = step(&mut driver.kernel, Event::Continue);
    assert_eq!(second, [Effect::Continue]);
    let end = step(&mut driver.kernel, Event::Interrupt);
    assert!(matches!(end.last(), Some(Effect::Idle { .. })));
    // The Continue that was on its way finds nothing to do.
    assert_eq!(step(&mut driver.kernel, Event::Continue), []);
}

#[test]
fn kept_results_are_tables_of_later_cells_and_of_python() {
    let mut driver = Driver::new();
    driver.file("Signins.csv", SIGNINS);
    driver.run("%%kql\nbad << Signins | where result == 'bad'");
    assert!(driver.run("%%kql\nbad | count").contains(r#""rows":1"#));
    driver.turn(|guest| {
        guest.call(json!({ "op": "next" }));
        let answer =
            guest.call(json!({ "op": "kql", "query": "bad | project user", "as": "users" }));
        guest.say(&answer["table"]["rows"].to_string());
        guest.done(&[], &[])
    });
    assert!(driver.run("kql('bad')").contains("guest: 1"));
    assert!(driver.run("%%kql\nusers").contains(r#""rows":1"#));
}

#[test]
fn columns_complete_once_the_file_is_read_and_names_explain_themselves() {
    let mut driver = Driver::new();
    driver.file("Signins.csv", SIGNINS);
    let complete = |code: &str| Event::Complete {
        id: "c".into(),
        code: code.into(),
        cursor_pos: code.chars().count(),
    };
    driver.send(complete("%%kql\nSignins | where us"), vec![]);
    let log = std::mem::take(&mut driver.log);
    assert!(
        log.contains(r#""matches":["user"]"#) && log.contains(r#""cursor_start":22"#),
        "{log}"
    );
    let code = "%%kql\nSignins | where user == 'ada'";
    driver.send(
        Event::Inspect {
            id: "i".into(),
            code: code.into(),
            cursor_pos: 23,
            detail_level: 0,
        },
        vec![],
    );
    let log = std::mem::take(&mut driver.log);
    assert!(
        log.contains(r#""found":true"#) && log.contains("user: string"),
        "{log}"
    );
}

#[test]
fn a_query_that_fails_as_it_runs_is_an_error_of_the_cell() {
    let mut driver = Driver::with_options(&[("memory_bytes", (1u64 << 20).into())]);
    let log = driver
        .run("%%kql\nrange x from 1 to 100000 step 1 | summarize count() by tostring(x) | count");
    assert!(log.contains(" error {"), "{log}");
    assert!(driver.run("%%kql\nprint 1").contains("execute_result"));
}

#[test]
fn a_misspelt_table_is_recognised_before_its_file_is_read() {
    let mut driver = Driver::new();
    driver.file("Signins.csv", SIGNINS);
    let log = driver.run("%%kql\nSigmins | take 1");
    assert!(
        log.contains("did you mean `Signins`?") && !log.contains("read Signins"),
        "{log}"
    );
}
