//! At least one message of every kind, for the tests of frames.
//!
//! `samples!` makes the list and, out of the same lines, a match without a wildcard. A variant
//! or a field that is added to the protocol does not compile here until it has a sample.

#![allow(dead_code)]

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use spoor_protocol::{
    Channel, DataFormat, Effect, Event, FetchError, Mistake, Outcome, PluginLimits, PluginOutcome,
    PluginWish, Provider, SourceSpec, Told,
};

macro_rules! samples {
    ($(#[$doc:meta])* $name:ident: $kind:ident,
     $($variant:ident $({ $($field:ident: $value:expr),* $(,)? })+)+) => {
        $(#[$doc])*
        pub fn $name() -> Vec<$kind> {
            fn has_a_sample(value: &$kind) {
                match value {
                    $($kind::$variant { .. } => {})+
                }
            }
            let all = vec![$($($kind::$variant { $($field: $value),* },)+)+];
            all.iter().for_each(has_a_sample);
            all
        }
    };
}

samples! {
    /// What a driver tells the kernel.
    events: Event,
    Open { options: BTreeMap::new() } { options: options() }
    AddSource { source: source(DataFormat::Auto, None) } { source: source(DataFormat::Csv, Some(u64::MAX)) }
    RemoveSource { name: "Logs".into() } { name: String::new() }
    Data { name: "Logs".into(), last: false, error: None }
        { name: String::new(), last: true, error: Some("permission denied \u{2014} \"why\"\n".into()) }
    Fetched { fetch: 1, table: 0, last: true, error: None, told: Box::default() }
        { fetch: u64::MAX, table: usize::MAX, last: false, error: Some(FetchError::new(TEXT)), told: told().into() }
        { fetch: 0, table: 1, last: true, error: Some(fetch_error()), told: Box::default() }
    AddPlugin { id: "p".into(), sha256: None, granted: Vec::new(), limits: PluginWish::default() }
        {
            id: "p".into(), sha256: Some(TEXT.into()), granted: vec!["log".into(), String::new()],
            limits: PluginWish { fuel: Some(u64::MAX), memory: Some(0), output: Some(1), wall_ms: Some(2) },
        }
    RemovePlugin { name: TEXT.into() }
    PluginCalled { call: u64::MAX, outcome: PluginOutcome::Said }
    Workspaces { current: None, local: Vec::new() } { current: Some(TEXT.into()), local: vec![TEXT.into(), String::new()] }
    Schema { workspace: TEXT.into(), tables: vec![("Logs".into(), vec![("At".into(), "datetime".into())]), (TEXT.into(), Vec::new())] }
    Execute { id: "1".into(), cell_id: None, code: String::new(), silent: false, allow_stdin: false }
        { id: "a-b".into(), cell_id: Some("c\u{0}1".into()), code: TEXT.into(), silent: true, allow_stdin: true }
    Complete { id: "2".into(), code: TEXT.into(), cursor_pos: usize::MAX }
    Inspect { id: "3".into(), code: TEXT.into(), cursor_pos: 0, detail_level: 0 }
        { id: "3".into(), code: TEXT.into(), cursor_pos: 7, detail_level: 255 }
    Diagnose { id: "5".into(), code: TEXT.into(), language: None }
        { id: "5".into(), code: String::new(), language: Some("kql".into()) }
    Describe { id: "6".into(), table: "Logs".into(), rows: 0 }
        { id: "6".into(), table: TEXT.into(), rows: usize::MAX }
    IsComplete { id: "4".into(), code: TEXT.into() }
    Interrupt {}
    Restart {}
    Upcall {}
    PythonOutput { fd: 1 } { fd: 2 } { fd: 255 }
    PythonDone { outcome: Outcome::Returned }
    InputReply { value: None } { value: Some(TEXT.into()) }
    Continue {}
}

samples! {
    /// How a turn of the guest can end.
    outcomes: Outcome,
    Returned {}
    Trapped { message: TEXT.into() }
    OutOfMemory { limit: 0 } { limit: u64::MAX }
    TimedOut { limit_ms: 1 } { limit_ms: u64::MAX }
    Unavailable { message: String::new() }
    Stopped {}
}

samples! {
    /// How a call of a plugin can end.
    plugin_outcomes: PluginOutcome,
    Answered { fuel: u64::MAX }
    Said {}
    Misplaced { message: TEXT.into() }
    Trapped { trap: "fuel".into(), memory: u64::MAX, words: None } { trap: String::new(), memory: 0, words: Some(TEXT.into()) }
    Failed { message: String::new() }
}

samples! {
    /// How a source is to be read.
    formats: DataFormat,
    Csv {}
    Json {}
    JsonLines {}
    Parquet {}
    Arrow {}
    Auto {}
}

samples! {
    /// Jupyter's channels.
    channels: Channel,
    Iopub {}
    Shell {}
    Stdin {}
}

samples! {
    /// What the kernel asks of a driver.
    effects: Effect,
    Publish {
            channel: Channel::Iopub, msg_type: "status".into(), parent: "1".into(),
            content: Map::new(), metadata: Map::new(), buffers: Vec::new(),
        }
        {
            channel: Channel::Shell, msg_type: "execute_reply".into(), parent: TEXT.into(),
            content: content(), metadata: content(), buffers: vec![0, 2, usize::MAX],
        }
    RunPython { source: "__import__('x').y()".into() }
    ResetPython {}
    UpcallReply { buffer: 0 } { buffer: usize::MAX }
    Read { name: "Caf\u{e9} 1".into() }
    Fetch { fetch: u64::MAX, provider: Provider::Host, query: TEXT.into(), timespan: None }
        { fetch: 1, provider: Provider::Workspace(TEXT.into()), query: String::new(), timespan: Some("P1D".into()) }
    LoadPlugin { plugin: "00".into(), name: TEXT.into(), imports: vec!["log".into()], buffer: 0 }
    CallPlugin {
            call: 1, plugin: TEXT.into(), buffer: usize::MAX,
            limits: PluginLimits { fuel: u64::MAX, memory: 1, output: 0, wall_ms: 2 },
        }
    Continue {}
    Refuse { reason: TEXT.into() }
    Idle { parent: "1".into() }
}

/// Every event, with every outcome and every format in its place.
pub fn all_events() -> Vec<Event> {
    let done = outcomes()
        .into_iter()
        .map(|outcome| Event::PythonDone { outcome });
    let added = formats().into_iter().map(|format| Event::AddSource {
        source: source(format, Some(1)),
    });
    let called = plugin_outcomes()
        .into_iter()
        .map(|outcome| Event::PluginCalled { call: 1, outcome });
    let all = events().into_iter().chain(done).chain(added);
    all.chain(called).collect()
}

/// Every effect, with every channel in its place.
pub fn all_effects() -> Vec<Effect> {
    let published = channels().into_iter().map(|channel| Effect::Publish {
        channel,
        msg_type: "stream".into(),
        parent: "1".into(),
        content: content(),
        metadata: Map::new(),
        buffers: vec![1],
    });
    effects().into_iter().chain(published).collect()
}

/// Text with what JSON must escape, and beyond the basic plane.
pub const TEXT: &str = "\u{0}\u{7f}\"\\/\r\n\t</script> \u{2028} \u{e9}\u{20ac}\u{1f50d}";

/// Buffers of every alignment, empty ones among them.
pub fn buffers() -> Vec<Vec<u8>> {
    [0, 1, 7, 8, 9, 0, 4096, 3]
        .into_iter()
        .enumerate()
        .map(|(at, len)| vec![at as u8 ^ 0xa5; len])
        .collect()
}

fn source(format: DataFormat, bytes: Option<u64>) -> SourceSpec {
    SourceSpec {
        name: "Logons 2".into(),
        label: "logs/Logons 2.csv.gz".into(),
        bytes,
        format,
    }
}

fn told() -> Told {
    Told {
        partial: vec![TEXT.into(), String::new()],
        render: Some((TEXT.into(), vec![("title".into(), TEXT.into())])),
        statistics: Some(json!({ "query": { "executionTime": 0.5 } })),
        recorded: Some("2024-03-01T00:00:00Z".into()),
    }
}

fn fetch_error() -> FetchError {
    let mistake = |hint: Option<&str>| Mistake {
        start: 0,
        end: usize::MAX,
        message: TEXT.into(),
        hint: hint.map(String::from),
    };
    FetchError {
        mistakes: vec![mistake(None), mistake(Some(TEXT))],
        ..FetchError::new("no").hint(TEXT)
    }
}

fn options() -> BTreeMap<String, Value> {
    let options = [
        ("trusted", json!(true)),
        ("memory_bytes", json!(u64::MAX)),
        ("least", json!(i64::MIN)),
        ("share", json!(0.25)),
        ("of a later version", json!({ TEXT: [null, [], {}] })),
    ];
    options.map(|(name, value)| (name.to_owned(), value)).into()
}

fn content() -> Map<String, Value> {
    let content = json!({
        "z": 1, "a": -1.5, "big": u64::MAX, "small": i64::MIN, "none": null, "text": TEXT,
        "list": [[], {}, [true, false, null]], "deep": { "b": { "a": { "c": [1, 2.5, "3"] } } },
        "buffers": "a key of the effect's own", "effect": "another", "": "",
    });
    match content {
        Value::Object(content) => content,
        _ => Map::new(),
    }
}
