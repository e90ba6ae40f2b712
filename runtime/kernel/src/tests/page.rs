//! Results for the page: rows as Arrow beside the message, and only where they were asked for.

use serde_json::{Value, json};
use spoor_protocol::{Effect, Effects, Event, Frame};
use spoor_table::{Table, ipc};

use super::{Driver, step};

const PEOPLE: &str = "name,age\nada,36\ngrace,45\n";

fn execute(code: &str) -> Event {
    Event::Execute {
        id: "p".into(),
        cell_id: None,
        code: code.into(),
        silent: false,
        allow_stdin: false,
    }
}

/// Runs a cell that reads no file and gives the frame that ends it, after how many slices.
fn run(driver: &mut Driver, code: &str) -> (Frame<Effects>, usize) {
    let mut frame = driver.kernel.step(Frame::new(execute(code)));
    let mut slices = 1;
    while frame.header.last() == Some(&Effect::Continue) {
        frame = driver.kernel.step(Frame::new(Event::Continue));
        slices += 1;
    }
    (frame, slices)
}

/// The content, the metadata and the table of the result in a frame of effects.
fn result(frame: &Frame<Effects>) -> (Value, Value, Option<Table>) {
    let found = frame.header.iter().find_map(|effect| match effect {
        Effect::Publish {
            msg_type,
            content,
            metadata,
            buffers,
            ..
        } if msg_type == "execute_result" => Some((content, metadata, buffers)),
        _ => None,
    });
    let (content, metadata, buffers) = found.unwrap();
    let stream = buffers.first().map(|index| frame.buffer(*index).unwrap());
    (
        Value::Object(content.clone()),
        Value::Object(metadata.clone()),
        stream.map(|bytes| ipc::from_stream(bytes).unwrap()),
    )
}

fn arrow() -> Driver {
    Driver::with_options(&[("results", "arrow".into())])
}

#[test]
fn the_page_gets_the_rows_with_kustos_types() {
    let mut driver = arrow();
    let (frame, _) = run(
        &mut driver,
        "%%kql\nprint at = datetime(2024-03-01), span = 5m, n = 7",
    );
    let (content, metadata, table) = result(&frame);
    let columns = json!([
        { "name": "at", "type": "datetime" },
        { "name": "span", "type": "timespan" },
        { "name": "n", "type": "long" },
    ]);
    assert_eq!(
        metadata["spoor"]["result"],
        json!({ "buffer": 0, "rows": 1, "shown": 1, "truncated": false, "columns": columns })
    );
    let table = table.unwrap();
    let types: Vec<&str> = table.columns().iter().map(|c| c.ty.name()).collect();
    assert_eq!(types, ["datetime", "timespan", "long"]);
    // What is saved does not know of it.
    assert!(content["data"].get("text/html").is_some());
    assert!(!content.to_string().contains("buffer"));
}

#[test]
fn without_the_option_a_message_has_no_buffers() {
    for options in [&[][..], &[("headless", true.into())]] {
        let mut driver = Driver::with_options(options);
        let (frame, _) = run(&mut driver, "%%kql\nprint 1");
        let (_, metadata, table) = result(&frame);
        assert_eq!(metadata, json!({}));
        assert!(table.is_none() && frame.buffers.is_empty());
    }
}

#[test]
fn a_chart_comes_with_its_rows() {
    let mut driver = arrow();
    let code = "%%kql\nrange x from 1 to 3 step 1 | extend y = x * x | render columnchart";
    let (frame, _) = run(&mut driver, code);
    let (content, _, table) = result(&frame);
    assert!(content["data"].get("image/svg+xml").is_some());
    assert_eq!(table.unwrap().rows(), 3);
}

#[test]
fn a_kept_result_goes_to_the_page_and_stays() {
    let mut driver = arrow();
    driver.file("People.csv", PEOPLE);
    let log = driver.run("%%kql --as adults\nPeople");
    assert!(
        log.contains(r#""rows":2,"shown":2,"truncated":false"#),
        "{log}"
    );
    let (frame, _) = run(&mut driver, "%%kql\nadults | count");
    assert_eq!(result(&frame).2.unwrap().rows(), 1);
}

#[test]
fn many_rows_are_written_in_slices() {
    let mut driver = arrow();
    let code = "%%kql\nset notruncation; range x from 1 to 2000000 step 1 | extend s = strcat('row ', x), y = x % 7";
    let (frame, slices) = run(&mut driver, code);
    assert!(slices > 1, "{slices}");
    let (_, metadata, table) = result(&frame);
    assert_eq!(metadata["spoor"]["result"]["rows"], 2_000_000);
    assert_eq!(table.unwrap().rows(), 2_000_000);
}

#[test]
fn an_interrupt_ends_a_result_that_is_on_its_way() {
    let mut driver = arrow();
    let code = "%%kql\nrange x from 1 to 2000000 step 1 | extend s = strcat('row ', x)";
    let begun = step(&mut driver.kernel, execute(code));
    assert_eq!(begun.last(), Some(&Effect::Continue));
    let end = step(&mut driver.kernel, Event::Interrupt);
    assert!(matches!(end.last(), Some(Effect::Idle { .. })), "{end:?}");
    assert_eq!(step(&mut driver.kernel, Event::Continue), []);
}
