//! Queries that a provider runs: `%%kql host`.

use spoor_protocol::{Effect, Event, FetchError, Frame, Mistake, Told};
use spoor_table::{Column, KustoType, Table, Value, ipc};

use super::{Driver, step};

/// When it was, as ticks of Kusto's.
const WHEN: i64 = 638_448_480_000_000_000;

fn signins() -> Vec<u8> {
    let columns = vec![
        Column::new("At", KustoType::DateTime),
        Column::new("n", KustoType::Long),
    ];
    let rows = [7, 35].map(|n| vec![Value::DateTime(WHEN + n), Value::Long(n)]);
    ipc::to_stream(&Table::from_values(columns, &rows).unwrap()).unwrap()
}

/// A driver whose host answers every query with the same table.
fn served() -> Driver {
    let mut driver = Driver::new();
    driver.provider = Some(Box::new(|_| Ok(signins())));
    driver
}

fn execute(code: &str) -> Event {
    Event::Execute {
        id: "f".into(),
        cell_id: None,
        code: code.into(),
        silent: false,
        allow_stdin: false,
    }
}

fn fetched(fetch: u64, last: bool, bytes: Vec<u8>) -> Frame<Event> {
    part(fetch, 0, last, bytes, Told::default())
}

fn part(fetch: u64, table: usize, last: bool, bytes: Vec<u8>, told: Told) -> Frame<Event> {
    let fetched = Event::Fetched {
        fetch,
        table,
        last,
        error: None,
        told: told.into(),
    };
    Frame::with(fetched, vec![bytes])
}

#[test]
fn a_provider_is_asked_once_and_its_table_is_a_result_like_any() {
    let mut driver = served();
    let log = driver.run("%%kql host --as hits\nSignins | take 2");
    let asked = format!(
        "fetch 1 of host: {:?}",
        format!("{}\nSignins | take 2", " ".repeat(20))
    );
    assert!(log.contains(&asked), "{log}");
    assert!(!log.contains("read Signins"), "{log}");
    assert!(log.contains("2024-03-01T"), "{log}");
    assert!(
        log.contains(r#""language":"kql""#) && log.contains(r#""rows":2"#),
        "{log}"
    );
    assert!(log.contains(r#""kept":"hits""#), "{log}");
    // The result is a table here, with Kusto's types.
    let log = driver.run("%%kql\nhits | where At > datetime(2024-02-01) | summarize sum(n)");
    assert!(log.contains("42"), "{log}");
    driver.turn(|guest| {
        let task = guest.call(serde_json::json!({ "op": "next" }));
        guest.say(&task["bind"].to_string());
        guest.done(&[], &[])
    });
    assert!(driver.run("hits").contains(r#"guest: ["hits"]"#));
    assert!(driver.run("%%kql host\nT").contains("fetch 2 of host"));
}

#[test]
fn render_is_drawn_here() {
    let log = served().run("%%kql host\nSignins | render timechart");
    assert!(
        log.contains(r#""image/svg+xml":"<svg""#) && !log.contains("text/html"),
        "{log}"
    );
}

#[test]
fn a_driver_without_the_provider_says_so_on_the_cell() {
    let log = Driver::new().run("%%kql host\nT");
    assert!(
        log.contains("there is no host here") && log.contains("hint: start one"),
        "{log}"
    );
    assert!(log.contains(r#""status":"error""#), "{log}");
}

#[test]
fn mistakes_stand_where_they_are_in_the_cell() {
    let mut driver = Driver::new();
    driver.run("%%kql --as kept\nprint n = 1");
    driver.provider = Some(Box::new(|query| {
        let at = query.find("kept").unwrap();
        let start = query[..at].chars().count();
        let mistake = Mistake {
            start,
            end: start + 4,
            message: "there is no table `kept`".into(),
            hint: Some("did you mean `Kept`?".into()),
        };
        Err(FetchError {
            mistakes: vec![mistake],
            ..FetchError::new("there is no table `kept`")
        })
    }));
    let log = driver.run("%%kql host\n// \u{e9}\u{1f50d}\nkept | take 1");
    assert!(log.contains("--> 3:1") && log.contains("^^^^"), "{log}");
    assert!(log.contains("hint: did you mean `Kept`?"), "{log}");
    assert!(log.contains("'kept' is a result of this session"), "{log}");
}

#[test]
fn an_interrupt_ends_it_and_late_answers_are_passed_over() {
    let mut driver = Driver::new();
    let kernel = &mut driver.kernel;
    let asked = step(kernel, execute("%%kql host\nT"));
    assert!(matches!(asked.last(), Some(Effect::Fetch { fetch: 1, .. })));
    let early = kernel.step(fetched(2, true, signins())).header;
    assert!(
        matches!(early.as_slice(), [Effect::Refuse { .. }]),
        "{early:?}"
    );
    assert_eq!(kernel.step(fetched(1, false, vec![1])).header, []);
    let end = step(kernel, Event::Interrupt);
    assert!(matches!(end.last(), Some(Effect::Idle { .. })), "{end:?}");
    assert_eq!(kernel.step(fetched(1, true, signins())).header, []);
}

#[test]
fn an_answer_that_is_no_table_fails_the_cell_alone() {
    let mut driver = Driver::new();
    driver.provider = Some(Box::new(|_| Ok(b"<html>".to_vec())));
    let log = driver.run("%%kql host\nT");
    assert!(log.contains(r#""ename":"KqlError""#), "{log}");
    assert!(driver.run("%%kql\nprint 1").contains("execute_result"));
}

/// What the kernel says to an answer of a workspace, from the asking on.
fn workspace(code: &str, parts: &[Frame<Event>]) -> String {
    let mut driver = Driver::new();
    let asked = step(&mut driver.kernel, execute(code));
    asked.iter().for_each(|effect| driver.note(effect));
    for part in parts {
        driver.carry_on(part.clone());
    }
    std::mem::take(&mut driver.log)
}

#[test]
fn a_workspace_is_asked_by_its_name_and_over_its_time() {
    let code = "%%kql --workspace 'SOC west' --timespan P1D\nSignins";
    let log = workspace(code, &[fetched(1, true, signins())]);
    let asked = "fetch 1 of workspace 'SOC west' over P1D: ";
    assert!(log.contains(asked), "{log}");
    // Where it comes from is kept with the result; there is nothing to warn of.
    assert!(
        log.contains(r#""metadata":{"spoor":{"workspace":"SOC west"}}"#),
        "{log}"
    );
    assert!(!log.contains("display_data"), "{log}");
}

#[test]
fn a_result_that_is_not_whole_says_so_before_its_rows() {
    let told = Told {
        partial: vec!["the service cut it at <500> rows".into()],
        recorded: Some("2024-03-01T00:00:00Z".into()),
        ..Told::default()
    };
    let log = workspace(
        "%%kql --workspace soc\nSignins",
        &[part(1, 0, true, signins(), told)],
    );
    let (notice, result) = (log.find("display_data"), log.find("execute_result"));
    assert!(notice.is_some() && notice < result, "{log}");
    assert!(
        log.contains("<strong>Partial result</strong> of workspace 'soc': the service cut it at &lt;500&gt; rows"),
        "{log}"
    );
    assert!(
        log.contains("Recorded from workspace 'soc' on 2024-03-01"),
        "{log}"
    );
    // On the output, which is saved, and on the reply.
    let marks = log.matches(r#""partial":["the service cut it at <500> rows"]"#);
    assert_eq!(marks.count(), 3, "{log}");
}

#[test]
fn further_tables_are_shown_behind_the_first_and_a_service_s_render_is_heeded() {
    let told = Told {
        render: Some(("columnchart".into(), Vec::new())),
        ..Told::default()
    };
    let parts = [
        part(1, 0, false, signins(), Told::default()),
        part(1, 1, true, signins(), told),
    ];
    let log = workspace("%%kql --workspace soc\nSignins; Signins", &parts);
    assert!(log.contains(r#""image/svg+xml":"<svg""#), "{log}");
    assert_eq!(log.matches("display_data").count(), 1, "{log}");
}

#[test]
fn python_asks_a_workspace_and_is_told_what_is_missing() {
    let mut driver = Driver::new();
    driver.provider = Some(Box::new(|_| Ok(signins())));
    driver.turn(|guest| {
        let reply = guest.call(serde_json::json!({
            "op": "kql", "query": "Signins", "workspace": "soc", "timespan": "P1D"
        }));
        guest.say(&format!("{} of {}", reply["ok"], reply["origin"]));
        guest.done(&[], &[])
    });
    let log = driver.run("kql('Signins', workspace='soc')");
    assert!(log.contains("fetch 1 of workspace 'soc' over P1D"), "{log}");
    assert!(log.contains(r#"true of {"workspace":"soc"}"#), "{log}");
}
