//! Events of every kind, drawn at random: sensible ones, ones out of turn, and rubbish.

use serde_json::{Value, json};
use spoor_hostile::{good_answer, good_manifest, good_module};
use spoor_protocol::{
    DataFormat, Event, FetchError, Frame, Mistake, Outcome, PluginOutcome, PluginWish, SourceSpec,
    Told,
};
use spoor_table::{Column, KustoType, Table, Value as Kusto, ipc};

use super::ledger::Ledger;

pub(super) const PEOPLE: &str = "name,age\nada,36\ngrace,45\n";

const CODES: [&str; 35] = [
    "%%kql\nprint 1 | evaluate f() | extend More = Value + 1",
    "%%kql --as kept\nunion (print 1 | evaluate f()), (People | evaluate f())",
    "%%kql\nPeople",
    "%%kql --as kept\nPeople | where age > 40",
    "%%kql host\nPeople | render barchart",
    "%%kql host --as kept\nkept",
    "%%kql --workspace soc --timespan P1D --as seen\nPeople",
    "%%kql\nkept | count",
    "%%kql\nPeople | summarize n = count() by name | order by name asc >> other",
    "%%kql\nPeople | join kind=inner Broken on name | take 1",
    "%%kql\nBroken | take 3",
    "%%kql\nGone",
    "%%kql\nunion People, kept, other",
    "%%kql\nprint a = 1, b = 'x', c = 2d, d = datetime(2024-01-01), e = dynamic({\"k\": [1]}), f = real(null)",
    "%%kql\nrange x from 1 to 40 step 1 | summarize count() by bin(x, 10) | order by x asc | render columnchart",
    "%%kql\nPeople | render timechart",
    "%%kql\nlet t = 3; People | where age > t | extend z = age / 0",
    "%%kql\nprint 1 | nonsense",
    "%%kql\nPeople | where naem == 'ada'",
    "%%kql\nprint toint('x'), strcat('\u{e9}', \"\u{1f50d}\"), 9223372036854775807 + 1",
    "%%kql\n(((((((((((",
    "%%kql\n// nothing",
    "%%kql",
    "%%kql --as\nPeople",
    "%%kql --as 9\nPeople",
    "%%kql --as kept --as other\nPeople",
    "%%kql\n['a b'] | count",
    "%%kqlx",
    "%kql People",
    "x = 1",
    "kql('People')",
    "input()",
    " \n\t",
    "",
    "\u{0}\u{feff}%%kql\nPeople",
];

const NAMES: [&str; 9] = [
    "People",
    "Broken",
    "Gone",
    "a b",
    "kept",
    "",
    "let",
    "P.q",
    "\u{e9}\"'`]",
];

const TYPES: [&str; 11] = [
    "bool", "int", "long", "real", "string", "datetime", "timespan", "guid", "decimal", "dynamic",
    "x",
];

/// Numbers that only depend on the seed (splitmix64).
pub(super) struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick<'a, T: ?Sized>(&mut self, items: &[&'a T]) -> &'a T {
        items[self.below(items.len())]
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        (0..self.below(most)).map(|_| self.next() as u8).collect()
    }

    /// A cell's source; one in four is cut or made of two.
    fn code(&mut self) -> String {
        let code = self.pick(&CODES);
        if !self.one_in(4) {
            return code.to_owned();
        }
        let kept = self.below(code.len() + 1);
        let head: String = code.chars().take(kept).collect();
        if self.one_in(2) {
            head
        } else {
            head + self.pick(&CODES)
        }
    }
}

/// Any event at all. The ledger is looked at so that some of them fit.
pub(super) fn any_event(random: &mut Random, ledger: &Ledger) -> Frame<Event> {
    let id = || format!("r{}", ledger.requests());
    let header = match random.below(108) {
        0..18 => Event::Execute {
            id: id(),
            cell_id: (!random.one_in(4)).then(|| format!("c{}", random.below(5))),
            code: random.code(),
            silent: random.one_in(5),
            allow_stdin: random.one_in(2),
        },
        18..22 => Event::Complete {
            id: id(),
            code: random.code(),
            cursor_pos: cursor(random),
        },
        22..25 => Event::Inspect {
            id: id(),
            code: random.code(),
            cursor_pos: cursor(random),
            detail_level: random.next() as u8,
        },
        25..26 => Event::IsComplete {
            id: id(),
            code: random.code(),
        },
        26..27 => Event::Describe {
            id: id(),
            table: random.pick(&NAMES).to_owned(),
            rows: cursor(random),
        },
        27..29 => Event::Diagnose {
            id: id(),
            code: random.code(),
            language: random.one_in(2).then(|| "kql".to_owned()),
        },
        29..42 => return upcall(random),
        42..55 => Event::PythonDone {
            outcome: outcome(random),
        },
        55..64 => Event::Continue,
        64..68 => return fetched(random, ledger),
        68..82 => return read(random, ledger),
        82..86 => {
            let fd = random.below(4) as u8;
            return Frame::with(Event::PythonOutput { fd }, vec![random.bytes(20)]);
        }
        86..89 => Event::InputReply {
            value: random.one_in(2).then(|| random.code()),
        },
        89..93 => Event::Interrupt,
        93..95 => Event::AddSource {
            source: source(random),
        },
        95..96 => Event::RemoveSource {
            name: random.pick(&NAMES).to_owned(),
        },
        96..97 => Event::Restart,
        97..98 => Event::Open {
            options: Default::default(),
        },
        // Buffers that nobody asked for, and none where there should be.
        98..99 => return Frame::with(Event::Continue, vec![random.bytes(9), random.bytes(9)]),
        99..100 => Event::Upcall,
        100..102 => return add_plugin(random, id()),
        102..103 => Event::RemovePlugin {
            name: "hostile".into(),
        },
        _ => return plugin_called(random, ledger),
    };
    Frame::new(header)
}

/// A plugin that is one, mostly.
fn add_plugin(random: &mut Random, id: String) -> Frame<Event> {
    let mut module = good_module(&good_manifest());
    if random.one_in(3) {
        let at = random.below(module.len());
        module[at] = random.next() as u8;
    }
    let event = Event::AddPlugin {
        id,
        sha256: random.one_in(6).then(|| "00".repeat(32)),
        granted: Vec::new(),
        limits: PluginWish::default(),
    };
    Frame::with(event, vec![module])
}

/// What came of a call: mostly of one that was made, seldom an answer that is one.
fn plugin_called(random: &mut Random, ledger: &Ledger) -> Frame<Event> {
    let call = match ledger.calling.first() {
        Some(call) if !random.one_in(6) => *call,
        _ => random.below(9) as u64,
    };
    let outcome = match random.below(6) {
        0 => PluginOutcome::Said,
        1 => PluginOutcome::Failed {
            message: "no".into(),
        },
        2 => PluginOutcome::Trapped {
            trap: "fuel".into(),
            memory: random.next(),
            words: Some(random.code()),
        },
        _ => PluginOutcome::Answered {
            fuel: random.next(),
        },
    };
    let bytes = match random.below(3) {
        0 => random.bytes(200),
        _ => good_answer(),
    };
    Frame::with(Event::PluginCalled { call, outcome }, vec![bytes])
}

fn cursor(random: &mut Random) -> usize {
    if random.one_in(8) {
        usize::MAX
    } else {
        random.below(60)
    }
}

fn outcome(random: &mut Random) -> Outcome {
    let message = String::from("unreachable");
    match random.below(12) {
        0 => Outcome::Trapped { message },
        1 => Outcome::OutOfMemory { limit: u64::MAX },
        2 => Outcome::TimedOut { limit_ms: u64::MAX },
        3 => Outcome::Unavailable { message },
        4 => Outcome::Stopped,
        _ => Outcome::Returned,
    }
}

fn source(random: &mut Random) -> SourceSpec {
    let formats = [
        DataFormat::Csv,
        DataFormat::Json,
        DataFormat::JsonLines,
        DataFormat::Parquet,
        DataFormat::Arrow,
        DataFormat::Auto,
    ];
    let name = random.pick(&NAMES).to_owned();
    SourceSpec {
        label: format!("{name}.csv"),
        name,
        bytes: random.one_in(3).then_some(u64::MAX / 2),
        format: formats[random.below(formats.len())],
    }
}

/// Bytes of a source: mostly of one that is wanted, mostly all of them, not always in its format.
fn read(random: &mut Random, ledger: &Ledger) -> Frame<Event> {
    let wanted = ledger
        .reading
        .iter()
        .nth(random.below(ledger.reading.len()));
    let name = match wanted {
        Some(name) if !random.one_in(6) => name.clone(),
        _ => random.pick(&NAMES).to_owned(),
    };
    let bytes = match random.below(10) {
        0 => random.bytes(300),
        1 => Vec::new(),
        2 => b"{\"name\": \"ada\"}\n{\"name\": ".to_vec(),
        3 => [b"PAR1".to_vec(), random.bytes(80), b"PAR1".to_vec()].concat(),
        4 => [b"ARROW1\0\0".to_vec(), random.bytes(80), b"ARROW1".to_vec()].concat(),
        5 => [&[0x1f, 0x8b, 8, 0][..], &random.bytes(80)].concat(),
        6 => [b"PK\x03\x04".to_vec(), random.bytes(80)].concat(),
        _ => PEOPLE.as_bytes().to_vec(),
    };
    let event = Event::Data {
        name,
        last: !random.one_in(4),
        error: random.one_in(10).then(|| "permission denied".into()),
    };
    Frame::with(event, vec![bytes])
}

/// What a provider answered: mostly to what was asked of it, not always a table or the end of one.
fn fetched(random: &mut Random, ledger: &Ledger) -> Frame<Event> {
    let fetch = match ledger.fetching {
        Some(number) if !random.one_in(6) => number,
        _ => random.below(9) as u64,
    };
    let bytes = match random.below(4) {
        0 => random.bytes(300),
        1 => Vec::new(),
        _ => people(),
    };
    let mistake = |random: &mut Random| Mistake {
        start: cursor(random),
        end: cursor(random),
        message: "no such table".into(),
        hint: random.one_in(2).then(|| "name another".into()),
    };
    let error = random.one_in(4).then(|| FetchError {
        mistakes: (0..random.below(30)).map(|_| mistake(random)).collect(),
        ..FetchError::new("it does not know kept")
    });
    let last = !random.one_in(4);
    let fetched = Event::Fetched {
        fetch,
        table: if random.one_in(9) {
            random.below(200)
        } else {
            0
        },
        last,
        error,
        told: told(random).into(),
    };
    Frame::with(fetched, vec![bytes])
}

fn told(random: &mut Random) -> Told {
    let render = ("piechart".into(), vec![("title".into(), "Ages".into())]);
    Told {
        partial: vec!["rows are <missing>".into(); random.below(9)],
        render: random.one_in(3).then_some(render),
        statistics: random.one_in(3).then(|| serde_json::json!({ "cpu": 1 })),
        recorded: random.one_in(3).then(|| "2024-03-01T00:00:00Z".into()),
    }
}

/// A table as a provider sends it.
pub(super) fn people() -> Vec<u8> {
    let columns = vec![
        Column::new("name", KustoType::String),
        Column::new("age", KustoType::Long),
    ];
    let row = vec![Kusto::String("ada".into()), Kusto::Long(36)];
    let table = Table::from_values(columns, &[row]).unwrap();
    ipc::to_stream(&table).unwrap()
}

fn upcall(random: &mut Random) -> Frame<Event> {
    let mut bytes = match random.below(6) {
        0 => random.bytes(40),
        _ => {
            let header = operation(random);
            let buffers = (0..random.below(5)).map(|_| random.bytes(40)).collect();
            Frame::with(header, buffers).encode().unwrap()
        }
    };
    if random.one_in(5) && !bytes.is_empty() {
        let at = random.below(bytes.len());
        bytes[at] = random.next() as u8;
    }
    Frame::with(Event::Upcall, vec![bytes])
}

fn operation(random: &mut Random) -> Value {
    let messages = [
        "stream",
        "display_data",
        "execute_result",
        "update_display_data",
        "clear_output",
        "error",
        "comm_open",
    ];
    match random.below(10) {
        0 | 1 => json!({ "op": "next" }),
        2 => {
            let content = json!({ "transient": { "display_id": random.pick(&NAMES) }, "data": {} });
            json!({ "op": "publish", "msg_type": random.pick(&messages), "content": content })
        }
        3 => json!({ "op": "publish", "msg_type": random.pick(&messages), "content": [] }),
        4 | 5 => {
            let query = random.code().replace("%%kql", "");
            let keep = random.one_in(3).then(|| random.pick(&NAMES));
            json!({ "op": "kql", "query": query, "as": keep })
        }
        6 => json!({ "op": "put_table", "name": random.pick(&NAMES), "table": table(random) }),
        7 => {
            let names = json!({ "reads": ["People", 7], "writes": "x" });
            json!({ "op": "done", "content": { "status": "ok" }, "names": names })
        }
        8 => json!({ "op": "input", "prompt": random.code(), "password": 1 }),
        _ => json!({ "op": random.pick(&["tables", "rm", "", "done"]) }),
    }
}

/// A table whose figures may all be lies.
fn table(random: &mut Random) -> Value {
    let rows = match random.below(6) {
        0 => json!(u64::MAX),
        1 => json!(-1),
        2 => json!(1_u64 << 40),
        _ => json!(random.below(5)),
    };
    let index = |random: &mut Random| match random.below(8) {
        0 => json!(u64::MAX),
        1 => json!(null),
        2 => json!("0"),
        _ => json!(random.below(5)),
    };
    let columns: Vec<Value> = (0..random.below(4))
        .map(|at| {
            json!({
                "name": if random.one_in(6) { "same".into() } else { format!("c{at}") },
                "type": random.pick(&TYPES),
                "encoding": random.pick(&["fixed", "utf8", "dictionary", "x"]),
                "unit": random.pick(&["ns", "us", "fortnight"]),
                "data": index(random),
                "validity": index(random),
                "offsets": index(random),
                "codes": index(random),
            })
        })
        .collect();
    json!({ "rows": rows, "columns": columns })
}
