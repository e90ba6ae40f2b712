//! What a session is promised whatever a cell does: interrupts, limits, rollback, isolation.

#![allow(clippy::unwrap_used, clippy::panic)]

mod python;

use std::thread;
use std::time::{Duration, Instant};

use spoor::python::{Limits, Mount};
use spoor_protocol::Outcome;

use python::{Session, TURN};

/// Runs `code` and interrupts it until it ends; gives the error's name.
fn interrupted(session: &mut Session, code: &str) -> String {
    let interrupter = session.guest.interrupter();
    let (ended, end) = std::sync::mpsc::channel::<()>();
    let nagging = thread::spawn(move || {
        let wait = Duration::from_millis(300);
        while end.recv_timeout(wait) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            interrupter.interrupt();
        }
    });
    let (messages, reply) = session.run(code);
    drop(ended);
    nagging.join().unwrap();
    let error = messages.iter().find(|m| m["msg_type"] == "error");
    assert!(error.is_some(), "{code}: {messages:?}");
    reply["content"]["ename"].as_str().unwrap().to_owned()
}

#[test]
fn an_interrupt_ends_a_loop_and_keeps_the_session() {
    let mut session = Session::new();
    session.run("kept = 41");
    assert_eq!(
        interrupted(&mut session, "n = 0\nwhile True: n += 1"),
        "KeyboardInterrupt"
    );
    assert_eq!(
        interrupted(&mut session, "import time; time.sleep(3600)"),
        "KeyboardInterrupt"
    );
    assert_eq!(
        interrupted(&mut session, "import asyncio; await asyncio.sleep(3600)"),
        "KeyboardInterrupt"
    );
    assert_eq!(
        interrupted(&mut session, "while True: print('line')"),
        "KeyboardInterrupt"
    );
    assert_eq!(session.printed("print(kept + 1, n > 1000)"), "42 True\n");
}

#[test]
fn an_interrupt_without_a_turn_is_forgotten() {
    let mut session = Session::new();
    session.guest.interrupter().interrupt();
    thread::sleep(Duration::from_millis(30));
    assert_eq!(
        session.printed("print(sum(range(1000000)))"),
        "499999500000\n"
    );
}

#[test]
fn a_trap_rolls_back_to_the_state_before() {
    let mut session = Session::new();
    session.run("kept = list(range(1000)); word = 'good'");
    for crash in [
        "import os; word = 'bad'; kept.clear(); os.abort()",
        "import os; word = 'bad'; os._exit(3)",
    ] {
        let (outcome, _, reply) = session.try_run(crash);
        assert!(matches!(outcome, Outcome::Trapped { .. }), "{outcome:?}");
        assert!(reply.is_null());
        assert_eq!(session.printed("print(word, len(kept))"), "good 1000\n");
    }
    // Good turns after a rollback are kept in their turn.
    session.run("word = 'better'");
    session.try_run("import os; word = 'worse'; os.abort()");
    assert_eq!(session.printed("print(word)"), "better\n");
}

#[test]
fn memory_that_a_bad_turn_took_is_given_back() {
    let mut session = Session::new();
    session.run("big = bytearray(50_000_000); big[-1] = 7");
    session.try_run("more = bytearray(90_000_000); big[-1] = 8\nimport os; os.abort()");
    assert_eq!(
        session.printed("print(big[-1], len(big), 'more' in globals())"),
        "7 50000000 False\n"
    );
}

#[test]
fn open_files_outlive_a_rollback() {
    let mut session = Session::new();
    session.run("f = open('/tmp/notes', 'w+'); f.write('one'); f.flush()");
    session.try_run("import os; os.abort()");
    assert_eq!(session.printed("f.seek(0); print(f.read())"), "one\n");
}

#[test]
fn too_much_memory_is_pythons_own_error() {
    let limits = Limits {
        memory_bytes: 300 << 20,
        ..Limits::default()
    };
    let mut session = Session::with(limits, &[]);
    session.run("kept = 1");
    let (messages, reply) = session.run("x = bytearray(400_000_000)");
    assert_eq!(reply["content"]["ename"], "MemoryError", "{messages:?}");
    let (_, reply) = session.run("import numpy; numpy.ones(10**8)");
    assert!(
        reply["content"]["ename"]
            .as_str()
            .unwrap()
            .contains("MemoryError")
    );
    assert_eq!(session.printed("print(kept)"), "1\n");
}

#[test]
fn a_turn_over_its_time_is_interrupted_and_then_stopped() {
    let limits = Limits {
        turn_time: Some(Duration::from_millis(300)),
        ..Limits::default()
    };
    let mut session = Session::with(limits, &[]);
    session.run("kept = 1");
    let (_, reply) = session.run("kept = 2\nwhile True: pass");
    assert_eq!(reply["content"]["ename"], "KeyboardInterrupt");
    assert!(
        session.tray.output.contains("time limit"),
        "{}",
        session.tray.output
    );
    // What heeds its interrupt keeps its state; what does not is rolled back.
    assert_eq!(session.printed("print(kept)"), "2\n");
    let stubborn =
        "kept = 3\nwhile True:\n  try:\n    while True: pass\n  except BaseException: pass";
    let (outcome, ..) = session.try_run(stubborn);
    assert_eq!(outcome, Outcome::TimedOut { limit_ms: 300 });
    let (outcome, ..) = session.try_run("kept = 4; sum(range(10**13))");
    assert_eq!(outcome, Outcome::TimedOut { limit_ms: 300 });
    assert_eq!(session.printed("print(kept)"), "2\n");
}

/// A door behind which everything takes a while.
struct Slow<'a>(&'a mut python::Tray, Duration);

impl spoor::python::Door for Slow<'_> {
    fn call(&mut self, request: &[u8]) -> Result<Vec<u8>, spoor::Error> {
        thread::sleep(self.1);
        self.0.call(request)
    }

    fn output(&mut self, fd: u8, bytes: &[u8]) {
        thread::sleep(self.1);
        self.0.output(fd, bytes);
    }
}

#[test]
fn a_loop_that_only_asks_is_stopped_too() {
    let limits = Limits {
        turn_time: Some(Duration::from_millis(300)),
        ..Limits::default()
    };
    let mut session = Session::with(limits, &[]);
    // Before the turn: on a slow machine its time may be over before a first line of its own has run.
    session.run("import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); kept = 1");
    session.tray.queue(
        "kept = 2\n\
         while True:\n  try: kql('print 1')\n  except BaseException: pass",
    );
    let began = Instant::now();
    let mut slow = Slow(&mut session.tray, Duration::from_millis(100));
    let outcome = session.guest.turn(TURN, &mut slow);
    assert_eq!(outcome, Outcome::TimedOut { limit_ms: 300 });
    assert!(
        began.elapsed() < Duration::from_secs(20),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(session.printed("print(kept)"), "1\n");
}

/// The sleep that the sandbox puts its own in the place of: one call into WASI.
const NATIVE: &str = "import time; native = time.sleep.__closure__[0].cell_contents";

#[test]
fn a_sleep_in_wasi_heeds_an_interrupt_and_the_time_limit() {
    let limits = Limits {
        turn_time: Some(Duration::from_secs(4)),
        ..Limits::default()
    };
    let mut session = Session::with(limits, &[]);
    session.run(NATIVE);
    session.run("kept = 1");
    let began = Instant::now();
    assert_eq!(
        interrupted(&mut session, "native(3600)"),
        "KeyboardInterrupt"
    );
    assert!(
        began.elapsed() < Duration::from_secs(4),
        "{:?}",
        began.elapsed()
    );
    let (_, reply) = session.run("kept = 2; native(3600)");
    assert_eq!(reply["content"]["ename"], "KeyboardInterrupt");
    assert_eq!(session.printed("print(kept)"), "2\n");
    let (outcome, ..) =
        session.try_run("import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\nkept = 3\nwhile True: native(3600)");
    assert_eq!(outcome, Outcome::TimedOut { limit_ms: 4000 });
    assert_eq!(session.printed("print(kept)"), "2\n");
}

#[test]
fn sleeps_last_as_long_as_they_say() {
    let mut session = Session::new();
    session.run(NATIVE);
    session.run(
        "import select\ndef took(f, *args):\n  began = time.monotonic(); f(*args); return time.monotonic() - began",
    );
    let slept =
        session.printed("print(all(s <= took(native, s) < s + 5 for s in (0, 0.001, 0.05, 0.3)))");
    assert_eq!(slept, "True\n");
    assert_eq!(
        session.printed("print(0.1 <= took(select.select, [], [], [], 0.1) < 5)"),
        "True\n"
    );
    // A file is ready at once, whatever the timer says.
    let polled = session.printed(
        "f = open('/tmp/x', 'w+'); p = select.poll(); p.register(f, select.POLLIN | select.POLLOUT)\n\
         began = time.monotonic(); n = len(p.poll(600_000)); print(n, time.monotonic() - began < 60)",
    );
    assert_eq!(polled, "1 True\n");
}

#[test]
fn a_guest_that_writes_faster_than_it_is_read_waits() {
    let mut session = Session::new();
    session.tray.queue(
        "import os, time\nbegan = time.monotonic()\nfor _ in range(200): os.write(1, b'x')\n\
         print(time.monotonic() - began >= 1)",
    );
    let mut slow = Slow(&mut session.tray, Duration::from_millis(10));
    let outcome = session.guest.turn(TURN, &mut slow);
    assert_eq!(outcome, Outcome::Returned);
    assert_eq!(session.tray.output, "x".repeat(200));
    let asked = &session.tray.asked;
    let mut said = asked.iter().map(|frame| &frame.header["content"]["text"]);
    assert!(said.any(|text| text == "True\n"));
}

#[test]
fn a_call_that_is_too_large_is_refused_with_its_size() {
    let mut session = Session::new();
    let said = session.printed(
        "import _host\nfrom spoor import frames\n\
         answer = frames.decode(_host.call(bytes(513 << 20)))[0]\nprint(answer['ok'], answer['evalue'])",
    );
    assert!(
        said.starts_with("False ") && said.contains("513 MiB"),
        "{said}"
    );
    assert!(
        said.contains("limit is 512 MiB") && said.contains("fewer rows"),
        "{said}"
    );
}

#[test]
fn an_output_that_is_too_large_is_named_on_the_cell() {
    let mut session = Session::new();
    for (code, what) in [
        (
            "print('x' * (70 << 20)); print('on')",
            "text of 70 MiB was left out",
        ),
        (
            "from IPython.display import HTML; display(HTML('x' * (70 << 20))); print('on')",
            "an output of 70 MiB was left out",
        ),
        (
            "from spoor import door; door.publish('comm_open', {}); print('on')",
            "left out",
        ),
    ] {
        if code.contains("comm_open") {
            session.tray.refuses = Some("a cell cannot publish 'comm_open' messages");
        }
        let (messages, reply) = session.run(code);
        assert_eq!(reply["content"]["status"], "ok", "{code}");
        let of = |name: &str| -> String {
            let texts = messages.iter().filter(|m| m["content"]["name"] == name);
            texts
                .filter_map(|m| m["content"]["text"].as_str())
                .collect()
        };
        assert!(of("stderr").contains(what), "{code}: {}", of("stderr"));
        assert!(of("stdout").ends_with("on\n"), "{code}");
    }
    let (messages, reply) = session.run("raise ValueError('x' * (70 << 20))");
    assert_eq!(reply["content"]["ename"], "ValueError");
    let error = messages.iter().find(|m| m["msg_type"] == "error").unwrap();
    assert!(
        error["content"]["evalue"]
            .as_str()
            .unwrap()
            .ends_with(" more characters)")
    );
}

#[test]
fn what_a_guest_writes_to_its_files_has_an_end() {
    let limits = Limits {
        written_bytes: 8 << 20,
        ..Limits::default()
    };
    let mut session = Session::with(limits, &[]);
    session.run("import os\nwith open('/tmp/a', 'wb') as f: f.write(bytes(6 << 20))");
    session.run(
        "def refused(f, *args):\n  try: f(*args)\n  except OSError as e: return os.strerror(e.errno) == 'No space left on device'\n\
         def write(name, size):\n  with open(name, 'wb', buffering=0) as f: f.write(bytes(size))\n\
         def truncate(size):\n  with open('/tmp/c', 'wb') as f: f.truncate(size)\n\
         def folders():\n  for i in range(10_000): os.mkdir(f'/tmp/d{i}')",
    );
    assert_eq!(
        session.printed("print(refused(write, '/tmp/b', 6 << 20))"),
        "True\n"
    );
    assert_eq!(
        session.printed("print(refused(truncate, 1 << 40))"),
        "True\n"
    );
    assert!(
        session.tray.output.contains("8 MiB is all"),
        "{}",
        session.tray.output
    );
    // There is room for as much as is left, and reading needs none.
    assert_eq!(
        session.printed("print(refused(write, '/tmp/b', 1 << 20))"),
        "None\n"
    );
    assert_eq!(
        session.printed("print(len(open('/tmp/a', 'rb').read()))"),
        "6291456\n"
    );
    assert_eq!(
        session.printed("print(refused(folders), len(os.listdir('/tmp')) < 300)"),
        "True True\n"
    );
    assert_eq!(
        session.printed("os.remove('/tmp/a'); print(refused(write, '/tmp/a', 1 << 20))"),
        "True\n"
    );
    assert_eq!(
        session.printed("print('printing needs none')"),
        "printing needs none\n"
    );
    let mut session = Session::with(limits, &[]);
    session.run("def sparse():\n  with open('/tmp/e', 'wb', buffering=0) as f:\n    f.seek(1 << 30); f.write(b'x'); f.seek(0); f.write(b'x')");
    let (_, reply) = session.run("sparse()");
    assert_eq!(reply["content"]["ename"], "OSError");
}

#[test]
fn sessions_share_nothing_and_start_alike() {
    let mut one = Session::new();
    let mut two = Session::new();
    one.run("x = 1; open('/tmp/x', 'w').write('mine'); import pandas; pandas.x = 1");
    let draw = "import random, numpy; print(random.random(), numpy.random.random())";
    assert_ne!(one.printed(draw), two.printed(draw));
    let look = "import os, pandas; print('x' in globals(), os.path.exists('/tmp/x'), hasattr(pandas, 'x'))";
    assert_eq!(two.printed(look), "False False False\n");
}

#[test]
fn mounts_are_seen_where_they_are_said_to_be() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("a.csv"), "n\n1\n2\n").unwrap();
    let data = Mount {
        host: dir.path().into(),
        guest: "/data".into(),
        read_only: true,
    };
    let mut session = Session::with(Limits::default(), &[data]);
    assert_eq!(
        session.printed("import pandas as pd; print(pd.read_csv('/data/a.csv').n.sum())"),
        "3\n"
    );
    let (_, reply) = session.run("open('/data/b', 'w')");
    assert_eq!(reply["content"]["status"], "error");
    assert_eq!(
        session.printed("import os; print(os.listdir('/data'), os.getcwd())"),
        "['a.csv'] /tmp\n"
    );
    assert!(!dir.path().join("b").exists());
}

#[test]
fn nothing_of_the_host_is_in_reach() {
    let mut session = Session::new();
    for path in [
        "/etc/passwd",
        "/root",
        "/tmp/../etc/passwd",
        "../../etc/passwd",
        "/usr/local/lib/../../../etc/passwd",
    ] {
        let (_, reply) = session.run(&format!("open({path:?})"));
        assert_eq!(reply["content"]["status"], "error", "{path}");
    }
    let (_, reply) = session.run("open('/usr/local/lib/x', 'w')");
    assert_eq!(reply["content"]["status"], "error");
    let environment = session.printed("import os; print(sorted(os.environ))");
    assert_eq!(
        environment,
        "['HOME', 'IPYTHONDIR', 'MPLBACKEND', 'MPLCONFIGDIR', 'PYTHONTZPATH', 'TMPDIR']\n"
    );
}

#[test]
fn output_comes_as_it_is_written() {
    let mut session = Session::new();
    let began = Instant::now();
    let mut seen = Vec::new();
    struct Watch<'a>(&'a mut python::Tray, &'a mut Vec<Duration>, Instant);
    impl spoor::python::Door for Watch<'_> {
        fn call(&mut self, request: &[u8]) -> Result<Vec<u8>, spoor::Error> {
            if request.windows(6).any(|w| w == b"stream") {
                self.1.push(self.2.elapsed());
            }
            self.0.call(request)
        }
        fn output(&mut self, _fd: u8, _bytes: &[u8]) {}
    }
    session
        .tray
        .queue("import time\nprint('a')\ntime.sleep(0.3)\nprint('b')");
    let outcome = session
        .guest
        .turn(TURN, &mut Watch(&mut session.tray, &mut seen, began));
    assert_eq!(outcome, Outcome::Returned);
    // The first line came before the sleep was over, not with the second.
    assert!(
        seen.len() == 2 && seen[1] - seen[0] >= Duration::from_millis(250),
        "{seen:?}"
    );
}
