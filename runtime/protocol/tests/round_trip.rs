//! Every event and every effect comes out of a frame as it went in.

#![allow(clippy::unwrap_used)]

mod samples;

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use spoor_protocol::{DataFormat, Effects, Event, Frame, Outcome, SourceSpec};

#[track_caller]
fn travels<T: Serialize + DeserializeOwned + PartialEq + Debug + Clone>(header: T) {
    for buffers in [vec![], vec![vec![]], samples::buffers()] {
        let frame = Frame::with(header.clone(), buffers);
        let bytes = frame.encode().unwrap();
        assert_eq!(Frame::<T>::decode(&bytes).unwrap(), frame);
        // What is equal is also written alike: a recording is compared byte for byte.
        assert_eq!(
            Frame::<T>::decode(&bytes).unwrap().encode().unwrap(),
            bytes,
            "{header:?}"
        );
    }
}

#[test]
fn every_event_survives_the_trip() {
    samples::all_events().into_iter().for_each(travels);
}

#[test]
fn every_effect_survives_the_trip_alone_and_among_others() {
    for effect in samples::all_effects() {
        travels(effect.clone());
        travels::<Effects>(vec![effect]);
    }
    travels::<Effects>(samples::all_effects());
    travels::<Effects>(vec![]);
}

#[test]
fn no_two_kinds_are_written_alike() {
    let names = |values: Vec<Value>, tag: &str| {
        let mut names: Vec<String> = values.iter().map(|v| v[tag].to_string()).collect();
        names.sort();
        names.dedup();
        names
    };
    let json = |events: Vec<Event>| events.iter().map(|e| json!(e)).collect::<Vec<_>>();
    assert_eq!(names(json(samples::events()), "event").len(), 23);
    let effects = samples::effects().iter().map(|e| json!(e)).collect();
    assert_eq!(names(effects, "effect").len(), 11);
    let outcomes = samples::outcomes().iter().map(|o| json!(o)).collect();
    assert_eq!(names(outcomes, "kind").len(), 6);
    for (format, name) in
        samples::formats()
            .iter()
            .zip(["csv", "json", "json_lines", "parquet", "arrow", "auto"])
    {
        assert_eq!(json!(format), name);
    }
    for (channel, name) in samples::channels().iter().zip(["iopub", "shell", "stdin"]) {
        assert_eq!(json!(channel), name);
    }
}

#[test]
fn buffers_begin_where_arrow_and_numpy_can_read_them_in_place() {
    // Headers of every length below the alignment.
    for length in 0..16 {
        let buffers = samples::buffers();
        let bytes = Frame::with("x".repeat(length), buffers.clone())
            .encode()
            .unwrap();
        let mut at = bytes.len();
        for buffer in buffers.iter().rev().filter(|buffer| !buffer.is_empty()) {
            at -= buffer.len();
            while bytes.get(at..at + buffer.len()) != Some(buffer) {
                at -= 1;
            }
            assert_eq!(at % 8, 0, "a header of {length} bytes");
        }
    }
}

#[test]
fn what_a_driver_may_leave_out_has_its_default() {
    let read = |text: &str| serde_json::from_str::<Event>(text).unwrap();
    assert_eq!(
        read(r#"{"event":"open"}"#),
        Event::Open {
            options: Default::default()
        }
    );
    assert_eq!(
        read(r#"{"event":"execute","id":"1","code":"x"}"#),
        Event::Execute {
            id: "1".into(),
            cell_id: None,
            code: "x".into(),
            silent: false,
            allow_stdin: false,
        }
    );
    assert_eq!(
        read(r#"{"event":"inspect","id":"1","code":"x","cursor_pos":1}"#),
        Event::Inspect {
            id: "1".into(),
            code: "x".into(),
            cursor_pos: 1,
            detail_level: 0,
        }
    );
    assert_eq!(
        read(r#"{"event":"add_source","source":{"name":"T","label":"T.csv","format":"csv"}}"#),
        Event::AddSource {
            source: SourceSpec {
                name: "T".into(),
                label: "T.csv".into(),
                bytes: None,
                format: DataFormat::Csv,
            }
        }
    );
    assert_eq!(
        read(r#"{"event":"python_done","outcome":{"kind":"returned"},"of a later version":[1]}"#),
        Event::PythonDone {
            outcome: Outcome::Returned
        }
    );
}

#[test]
fn a_header_of_another_kind_is_refused() {
    for header in [
        json!(null),
        json!([]),
        json!({}),
        json!("continue"),
        json!({ "event": "explode" }),
        json!({ "event": 3 }),
        json!({ "event": "Continue" }),
        json!({ "event": "data", "name": "x" }),
        json!({ "event": "data", "name": "x", "last": "yes" }),
        json!({ "event": "fetched", "fetch": 1 }),
        json!({ "event": "fetched", "fetch": -1, "last": true }),
        json!({ "event": "fetched", "fetch": 1, "last": true, "error": "no" }),
        json!({ "event": "execute", "id": 1, "code": "x" }),
        json!({ "event": "complete", "id": "1", "code": "x", "cursor_pos": -1 }),
        json!({ "event": "complete", "id": "1", "code": "x", "cursor_pos": 1.5 }),
        json!({ "event": "inspect", "id": "1", "code": "x", "cursor_pos": 0, "detail_level": 256 }),
        json!({ "event": "python_output", "fd": 256 }),
        json!({ "event": "python_done", "outcome": { "kind": "trapped" } }),
        json!({ "event": "python_done", "outcome": { "kind": "out_of_memory", "limit": -1 } }),
        json!({ "event": "add_source", "source": { "name": "T", "label": "T", "format": "xls" } }),
        json!([{ "effect": "idle" }]),
    ] {
        let bytes = Frame::new(header.clone()).encode().unwrap();
        assert!(Frame::<Event>::decode(&bytes).is_err(), "{header}");
        assert!(Frame::<Effects>::decode(&bytes).is_err() || header == json!([]));
    }
}
