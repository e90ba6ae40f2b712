#![allow(clippy::unwrap_used)]
use serde_json::{Value, json};
use spoor_notebook::{Cell, Notebook};

use super::*;
use crate::document::Kind;

struct Session {
    queue: Queue,
    document: Document,
    keys: Vec<CellKey>,
}

impl Session {
    fn new(cells: usize) -> Self {
        let mut notebook = Notebook::new();
        for n in 0..cells {
            let mut cell = Cell::code("x");
            cell.id = Some(format!("id{n}"));
            notebook.cells.push(cell);
        }
        let document = Document::from_notebook(notebook, 1);
        Self {
            queue: Queue::new(),
            keys: document.keys().to_vec(),
            document,
        }
    }

    fn request(&mut self, cells: &[usize]) -> Vec<Change> {
        let keys: Vec<CellKey> = cells.iter().map(|at| self.keys[*at]).collect();
        self.queue.request(&keys)
    }

    /// Starts the next cell and ends it so, with these cells stale; gives its index.
    fn run(&mut self, status: &str, stale: &[&str]) -> usize {
        let (start, _) = self.queue.start(0.0).unwrap();
        self.reply(
            &start.request,
            json!({ "status": status, "ename": "KqlError" }),
            stale,
        );
        self.keys.iter().position(|key| *key == start.key).unwrap()
    }

    fn reply(&mut self, request: &str, content: Value, stale: &[&str]) -> Vec<Change> {
        let metadata = json!({ "spoor": { "language": "kql", "elapsed_ms": 4, "rows": 12, "kept": "hits", "stale": stale } });
        let reply = Reply::read(content.as_object().unwrap(), metadata.as_object().unwrap());
        self.queue.reply(&self.document, request, &reply, 1.0)
    }

    /// One letter a cell: idle, queued, running, done, failed, interrupted; upper case if stale.
    fn shown(&self) -> String {
        let letter = |key: &CellKey| {
            let letter = match self.queue.state(*key) {
                CellState::Idle => 'i',
                CellState::Queued => 'q',
                CellState::Running => 'r',
                CellState::Done => 'd',
                CellState::Failed => 'f',
                CellState::Interrupted => 'x',
            };
            if self.queue.is_stale(*key) {
                letter.to_ascii_uppercase()
            } else {
                letter
            }
        };
        self.keys.iter().map(letter).collect()
    }
}

#[test]
fn cells_run_one_after_the_other_in_the_order_asked_for() {
    let mut s = Session::new(3);
    assert_eq!(s.request(&[2, 0]).len(), 2);
    assert_eq!(
        s.request(&[0, 1]).len(),
        1,
        "one that waits keeps its place"
    );
    assert_eq!(s.shown(), "qqq");
    let (start, changes) = s.queue.start(0.0).unwrap();
    assert_eq!(start.key, s.keys[2]);
    assert_eq!(changes, [Change::RunStateChanged { key: s.keys[2] }]);
    assert_eq!(s.shown(), "qqr");
    assert!(s.queue.start(0.0).is_none(), "one at a time");
    s.reply(&start.request, json!({ "status": "ok" }), &[]);
    assert_eq!(s.shown(), "qqd");
    assert_eq!([s.run("ok", &[]), s.run("ok", &[])], [0, 1]);
    assert!(s.queue.is_empty() && s.queue.start(0.0).is_none());
}

#[test]
fn an_error_stops_what_waits() {
    let mut s = Session::new(3);
    s.request(&[0, 1, 2]);
    let (start, _) = s.queue.start(0.0).unwrap();
    let changes = s.reply(
        &start.request,
        json!({ "status": "error", "ename": "ValueError" }),
        &[],
    );
    let told = [0, 1, 2].map(|at| Change::RunStateChanged { key: s.keys[at] });
    assert_eq!(changes, told);
    assert_eq!(s.shown(), "fii");
    s.request(&[1]);
    assert_eq!(s.run("ok", &[]), 1);
    assert_eq!(s.shown(), "fdi");
}

#[test]
fn an_interrupt_is_told_from_an_error() {
    let mut s = Session::new(2);
    s.request(&[0, 1]);
    let (start, _) = s.queue.start(0.0).unwrap();
    s.reply(
        &start.request,
        json!({ "status": "error", "ename": "KeyboardInterrupt" }),
        &[],
    );
    assert_eq!(s.shown(), "xi");
}

#[test]
fn replies_to_other_requests_change_nothing() {
    let mut s = Session::new(2);
    s.request(&[0]);
    let (start, _) = s.queue.start(0.0).unwrap();
    assert_eq!(s.reply("cell-99", json!({ "status": "ok" }), &["id1"]), []);
    assert_eq!(s.shown(), "ri");
    assert_eq!(s.queue.key_of(&start.request), Some(s.keys[0]));
    s.reply(&start.request, json!({ "status": "ok" }), &[]);
    assert_eq!(
        s.reply(&start.request, json!({ "status": "error" }), &[]),
        [],
        "it has ended"
    );
    assert_eq!(s.shown(), "di");
}

#[test]
fn a_cell_that_runs_can_be_asked_for_again() {
    let mut s = Session::new(1);
    s.request(&[0]);
    let (first, _) = s.queue.start(0.0).unwrap();
    s.request(&[0]);
    assert_eq!((s.shown().as_str(), s.queue.waiting()), ("r", 1));
    s.reply(&first.request, json!({ "status": "ok" }), &[]);
    assert_eq!(s.shown(), "q");
    let (second, _) = s.queue.start(0.0).unwrap();
    assert_ne!(first.request, second.request);
}

#[test]
fn the_kernel_says_what_is_stale() {
    let mut s = Session::new(3);
    s.request(&[0, 1, 2]);
    s.run("ok", &[]);
    s.run("ok", &[]);
    s.run("ok", &[]);
    s.request(&[0]);
    let (start, _) = s.queue.start(0.0).unwrap();
    let changes = s.reply(
        &start.request,
        json!({ "status": "ok" }),
        &["id1", "id2", "gone"],
    );
    assert!(changes.contains(&Change::StaleChanged {
        key: s.keys[1],
        stale: true
    }));
    assert_eq!(s.shown(), "dDD");
    assert_eq!(s.queue.stale(&s.document), [s.keys[1], s.keys[2]]);
    s.request(&[1]);
    s.run("ok", &["id2"]);
    assert_eq!(s.shown(), "ddD");
}

#[test]
fn a_cell_edited_after_it_ran_is_stale_until_it_runs() {
    let mut s = Session::new(2);
    s.request(&[0]);
    s.run("ok", &[]);
    let stale = |stale| {
        [Change::StaleChanged {
            key: CellKey(0),
            stale,
        }]
    };
    assert_eq!(s.queue.edited(s.keys[0]), stale(true));
    assert_eq!(s.queue.edited(s.keys[0]), [], "it is told once");
    assert_eq!(s.queue.edited(s.keys[1]), [], "it never ran");
    assert_eq!(s.shown(), "Di");
    assert!(s.queue.is_edited(s.keys[0]) && !s.queue.is_edited(s.keys[1]));
    s.request(&[1]);
    s.run("ok", &[]);
    assert_eq!(s.shown(), "Dd", "the kernel does not know what is typed");
    s.request(&[0]);
    let (_, changes) = s.queue.start(0.0).unwrap();
    assert_eq!(changes[..1], stale(false));
    assert_eq!(
        s.queue.edited(s.keys[0]),
        stale(true),
        "typed while it runs"
    );
}

#[test]
fn times_and_rows_are_kept() {
    let mut s = Session::new(1);
    let key = s.keys[0];
    assert_eq!(s.queue.elapsed(key, 5.0), None);
    s.request(&[0]);
    let (start, _) = s.queue.start(100.0).unwrap();
    assert_eq!(s.queue.elapsed(key, 350.0), Some(250.0));
    assert_eq!(s.queue.progress(key), None);
    s.queue.got_on("43% done");
    assert_eq!(s.queue.progress(key), Some("43% done"));
    s.queue.finish(&start.request, Outcome::Ok, 400.0);
    assert_eq!(s.queue.elapsed(key, 9999.0), Some(300.0));
    assert_eq!(s.queue.progress(key), None);
    s.request(&[0]);
    s.run("ok", &[]);
    let record = s.queue.record(key).unwrap();
    assert_eq!(
        (record.rows, record.kept.as_deref()),
        (Some(12), Some("hits"))
    );
    s.request(&[0]);
    s.queue.start(500.0);
    assert_eq!(s.queue.record(key).unwrap().rows, None);
}

#[test]
fn a_restart_interrupts_and_forgets() {
    let mut s = Session::new(4);
    assert!(!s.queue.has_run());
    s.request(&[0, 1, 2, 3]);
    s.run("ok", &[]);
    s.run("ok", &["id0"]);
    s.queue.edited(s.keys[1]);
    s.queue.start(0.0);
    assert_eq!(s.shown(), "DDrq");
    let changes = s.queue.restarted(7.0);
    assert_eq!(s.shown(), "iixi");
    for key in [0, 1] {
        let key = s.keys[key];
        assert!(
            changes.contains(&Change::StaleChanged { key, stale: false }),
            "{changes:?}"
        );
    }
    assert!(s.queue.is_empty());
    assert_eq!(s.queue.elapsed(s.keys[2], 99.0), Some(7.0));
    assert!(!s.queue.has_run(), "there is nothing left to forget");
    s.request(&[0]);
    s.queue.start(8.0);
    assert!(s.queue.has_run());
}

#[test]
fn a_deleted_cell_does_not_run() {
    let mut s = Session::new(3);
    s.request(&[0, 1, 2]);
    let (start, _) = s.queue.start(0.0).unwrap();
    let removed = [1, 0].map(|at| Change::CellRemoved { key: s.keys[at] });
    assert_eq!(s.queue.follow(&removed), []);
    s.reply(&start.request, json!({ "status": "ok" }), &[]);
    assert_eq!(s.run("ok", &[]), 2);
    assert!(s.queue.is_empty());
}

#[test]
fn a_reply_of_another_shape_is_read_as_far_as_it_goes() {
    let read = |content: Value, metadata: Value| {
        Reply::read(content.as_object().unwrap(), metadata.as_object().unwrap())
    };
    let odd = read(
        json!({ "status": 3 }),
        json!({ "spoor": { "rows": "x", "stale": [1, "a"] } }),
    );
    assert_eq!((odd.outcome, odd.rows), (Outcome::Error, None));
    assert_eq!(odd.stale, Some(vec!["a".to_owned()]));
    let bare = read(json!({ "status": "ok" }), json!({ "spoor": 1 }));
    assert_eq!((bare.outcome, bare.stale), (Outcome::Ok, None));
    assert_eq!(
        read(json!({ "status": "aborted" }), json!({})).outcome,
        Outcome::Interrupted
    );
}

#[test]
fn the_queue_follows_what_is_done_to_cells() {
    let mut s = Session::new(3);
    s.request(&[0, 1, 2]);
    s.run("ok", &[]);
    let key = s.keys[0];
    let told = s.queue.follow(&[
        Change::SourceSet { key },
        Change::KindChanged {
            key: s.keys[1],
            kind: Kind::Markdown,
        },
        Change::KindChanged {
            key: s.keys[2],
            kind: Kind::Kql,
        },
    ]);
    assert_eq!(told, [Change::StaleChanged { key, stale: true }]);
    assert_eq!(s.shown(), "Diq", "a cell that became text does not run");
}
