//! A driver and a guest that have lost their minds: events in any order, with anything in them.
//!
//! The kernel must not panic, must answer every request and every upcall exactly once, and must
//! work as ever when the storm is over. All is drawn from a seed, so a failure comes back.

mod events;
mod ledger;

use serde_json::{Value, json};
use spoor_protocol::{
    DataFormat, Effect, Effects, Event, Frame, Outcome, PluginOutcome, SourceSpec,
};

use crate::Kernel;
use events::{PEOPLE, Random, any_event, people};
use ledger::Ledger;

/// Seeds, and events for each: twenty thousand in all.
const SEEDS: u64 = 4;
const STEPS: usize = 5_000;

/// A kernel and what it owes.
struct Storm {
    kernel: Kernel,
    ledger: Ledger,
}

impl Storm {
    /// An open session that has been asked for everything too early.
    fn begin(random: &mut Random) -> Self {
        let mut storm = Self {
            kernel: Kernel::new(),
            ledger: Ledger::default(),
        };
        for _ in 0..50 {
            let event = any_event(random, &storm.ledger);
            if !matches!(event.header, Event::Open { .. }) {
                let effects = storm.kernel.step(event).header;
                assert!(
                    matches!(effects.as_slice(), [Effect::Refuse { .. }]),
                    "{effects:?}"
                );
            }
        }
        let options = Default::default();
        assert_eq!(storm.step(Frame::new(Event::Open { options })).header, []);
        storm
    }

    fn step(&mut self, event: Frame<Event>) -> Frame<Effects> {
        self.ledger.asked(&event.header);
        let effects = self.kernel.step(event);
        self.ledger.answered(&effects);
        effects
    }

    /// Serves the kernel as a driver should until nothing is open.
    fn calm_down(&mut self) {
        for _ in 0..10 * STEPS {
            let event = if let Some(name) = self.ledger.reading.first().cloned() {
                data(&name, PEOPLE.as_bytes())
            } else if let Some(fetch) = self.ledger.fetching {
                let fetched = Event::Fetched {
                    fetch,
                    table: 0,
                    last: true,
                    error: None,
                    told: Box::default(),
                };
                Frame::with(fetched, vec![people()])
            } else if let Some(call) = self.ledger.calling.first().copied() {
                let outcome = PluginOutcome::Said;
                Frame::with(Event::PluginCalled { call, outcome }, vec![b"no".to_vec()])
            } else if self.ledger.owed > 0 {
                Frame::new(Event::Continue)
            } else if self.ledger.running {
                let outcome = Outcome::Returned;
                Frame::new(Event::PythonDone { outcome })
            } else {
                break;
            };
            self.step(event);
        }
        self.ledger.settle();
    }

    /// Runs a cell over a new file and gives its result as text.
    fn ordinary_cell(&mut self) -> String {
        let source = SourceSpec {
            name: "After".into(),
            label: "After.csv".into(),
            bytes: None,
            format: DataFormat::Auto,
        };
        self.step(Frame::new(Event::AddSource { source }));
        let code = "%%kql\nAfter | where n > 1 | summarize total = sum(n)";
        let mut next = Some(Frame::new(Event::Execute {
            id: "after".into(),
            cell_id: Some("after".into()),
            code: code.into(),
            silent: false,
            allow_stdin: false,
        }));
        let mut result = String::new();
        while let Some(event) = next.take() {
            for effect in self.step(event).header {
                match effect {
                    Effect::Read { name } => next = Some(data(&name, b"n\n1\n20\n22\n")),
                    Effect::Continue => next = Some(Frame::new(Event::Continue)),
                    Effect::Publish { content, .. } => {
                        let text = Value::Object(content);
                        if let Some(text) = text.pointer("/data/text~1plain") {
                            result = text.as_str().unwrap_or_default().to_owned();
                        }
                    }
                    _ => {}
                }
            }
        }
        result
    }
}

fn data(name: &str, bytes: &[u8]) -> Frame<Event> {
    let name = name.to_owned();
    let event = Event::Data {
        name,
        last: true,
        error: None,
    };
    Frame::with(event, vec![bytes.to_vec()])
}

#[test]
fn no_order_of_events_breaks_the_kernel() {
    for seed in 1..=SEEDS {
        let mut random = Random(seed);
        let mut storm = Storm::begin(&mut random);
        for _ in 0..STEPS {
            let event = any_event(&mut random, &storm.ledger);
            storm.step(event);
        }
        let requests = storm.ledger.requests();
        assert!(requests > STEPS / 10, "seed {seed}: {requests} requests");
        storm.calm_down();
        let shown = storm.ordinary_cell();
        assert!(
            shown.contains("total") && shown.contains("42"),
            "seed {seed}: {shown}"
        );
        storm.ledger.settle();
    }
}

/// What a kernel says to these events, each answered in full before the next. How often it pauses
/// and how long a cell takes are the machine's business and left out.
fn transcript(kernel: &mut Kernel, event: Frame<Event>, ledger: &mut Ledger) -> Vec<u8> {
    let mut effects = Vec::new();
    let mut buffers = Vec::new();
    let mut next = Some(event);
    while let Some(event) = next.take() {
        ledger.asked(&event.header);
        let said = kernel.step(event);
        ledger.answered(&said);
        buffers.extend(said.buffers);
        effects.extend(said.header.into_iter().filter(|e| *e != Effect::Continue));
        next = (ledger.owed > 0).then(|| Frame::new(Event::Continue));
    }
    for effect in &mut effects {
        if let Effect::Publish { metadata, .. } = effect
            && let Some(spoor) = metadata.get_mut("spoor").and_then(Value::as_object_mut)
            && let Some(elapsed) = spoor.get_mut("elapsed_ms")
        {
            *elapsed = json!(0);
        }
    }
    Frame::with(effects, buffers).encode().unwrap()
}

#[test]
fn a_second_kernel_says_the_same_to_the_same_events() {
    let mut random = Random(2026);
    let (mut first, mut ledger) = (Kernel::new(), Ledger::default());
    let open = Frame::new(Event::Open {
        options: Default::default(),
    });
    let mut recorded = vec![(
        open.encode().unwrap(),
        transcript(&mut first, open, &mut ledger),
    )];
    for _ in 0..STEPS {
        let event = any_event(&mut random, &ledger);
        recorded.push((
            event.encode().unwrap(),
            transcript(&mut first, event, &mut ledger),
        ));
    }
    let (mut second, mut ledger) = (Kernel::new(), Ledger::default());
    let mut said = 0;
    for (number, (event, expected)) in recorded.into_iter().enumerate() {
        let event = Frame::<Event>::decode(&event).unwrap();
        let shown = format!("event {number}: {:?}", event.header);
        let got = transcript(&mut second, event, &mut ledger);
        said += got.len();
        assert!(
            got == expected,
            "{shown}\nfirst\n{}\nsecond\n{}",
            String::from_utf8_lossy(&expected),
            String::from_utf8_lossy(&got)
        );
    }
    assert!(said > 1 << 20, "{said} bytes are too few to mean much");
}
