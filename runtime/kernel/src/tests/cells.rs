//! Cells, their results, their data and their marks.

use expect_test::expect;
use spoor_protocol::Event;

use super::Driver;

const PEOPLE: &str = "name,age\nada,36\ngrace,45\n";

#[test]
fn a_kql_cell_reads_its_table_and_shows_its_rows() {
    let mut driver = Driver::with_options(&[("headless", true.into())]);
    driver.file("People.csv", PEOPLE);
    let log = driver.run("%%kql --as adults\nPeople");
    expect![[r#"
        r1 status {"execution_state":"busy"}
        r1 execute_input {"code":"%%kql --as adults\nPeople","execution_count":1}
        read People
        r1 execute_result {"execution_count":1,"data":{"text/html":"<table class=\"spoor-table\">\n<thead><tr><th title=\"string\">name</th><th title=\"long\">age</th></tr></thead>\n<tbody>\n<tr><td style=\"text-align: left\">ada</td><td style=\"text-align: right\">36</td></tr>\n<tr><td style=\"text-align: left\">grace</td><td style=\"text-align: right\">45</td></tr>\n</tbody>\n</table>\n<p>2 rows, 2 columns</p>\n","text/plain":"name   age\n─────  ───\nada     36\ngrace   45\n"},"metadata":{}}
        r1 execute_reply {"payload":[],"user_expressions":{},"status":"ok","execution_count":1} {"spoor":{"language":"kql","elapsed_ms":"…","rows":2,"kept":"adults","stale":[]}}
        r1 status {"execution_state":"idle"}
        r1 ends
    "#]].assert_eq(&log);
}

#[test]
fn mistakes_point_into_the_cell() {
    let mut driver = Driver::new();
    let log = driver.run("\n%%kql\nPeople | take 5");
    expect![[r#"
        r1 status {"execution_state":"busy"}
        r1 execute_input {"code":"\n%%kql\nPeople | take 5","execution_count":1}
        r1 error {"ename":"KqlError","evalue":"no table is called `People`","traceback":["\u001b[0;31merror: no table is called `People`\u001b[0m"," --> 3:1","  |","3 | People | take 5","\u001b[0;31m  | ^^^^^^\u001b[0m","  = hint: no tables are loaded"]}
        r1 execute_reply {"payload":[],"user_expressions":{},"status":"error","ename":"KqlError","evalue":"no table is called `People`","traceback":["\u001b[0;31merror: no table is called `People`\u001b[0m"," --> 3:1","  |","3 | People | take 5","\u001b[0;31m  | ^^^^^^\u001b[0m","  = hint: no tables are loaded"],"execution_count":1} {"spoor":{"language":"kql","elapsed_ms":"…","stale":[]}}
        r1 status {"execution_state":"idle"}
        r1 ends
    "#]].assert_eq(&log);
    let log = driver.run("%%kql --ass x\nT");
    expect![[r#"
        r2 status {"execution_state":"busy"}
        r2 execute_input {"code":"%%kql --ass x\nT","execution_count":2}
        r2 error {"ename":"KqlError","evalue":"%%kql has no option '--ass'","traceback":["\u001b[0;31merror: %%kql has no option '--ass'\u001b[0m"," --> 1:7","  |","1 | %%kql --ass x","\u001b[0;31m  |       ^^^^^\u001b[0m","  = hint: did you mean `--as`?"]}
        r2 execute_reply {"payload":[],"user_expressions":{},"status":"error","ename":"KqlError","evalue":"%%kql has no option '--ass'","traceback":["\u001b[0;31merror: %%kql has no option '--ass'\u001b[0m"," --> 1:7","  |","1 | %%kql --ass x","\u001b[0;31m  |       ^^^^^\u001b[0m","  = hint: did you mean `--as`?"],"execution_count":2} {"spoor":{"language":"kql","elapsed_ms":"…","stale":[]}}
        r2 status {"execution_state":"idle"}
        r2 ends
    "#]].assert_eq(&log);
}

#[test]
fn a_file_that_cannot_be_read_fails_only_those_who_need_it() {
    let mut driver = Driver::new();
    driver.file("People.csv", PEOPLE);
    driver.file("Broken.jsonl", "{\"a\": 1}\n{\"a\": \n");
    driver.file("Gone.csv", "x\n1\n");
    driver.files.remove("Gone");
    let log = driver.run("%%kql\nBroken");
    let error = log.lines().find(|l| l.contains(" error ")).unwrap();
    expect![[r#"r1 error {"ename":"DataError","evalue":"the table 'Broken' could not be read. Broken.jsonl, line 3 (in the object that begins on line 2): the JSON ends in the middle of a value; the file is probably cut short, so remove its last line or fetch it again","traceback":["\u001b[0;31mDataError\u001b[0m: the table 'Broken' could not be read. Broken.jsonl, line 3 (in the object that begins on line 2): the JSON ends in the middle of a value; the file is probably cut short, so remove its last line or fetch it again"]}"#]].assert_eq(error);
    let log = driver.run("%%kql\nGone");
    let error = log.lines().find(|l| l.contains(" error ")).unwrap();
    expect![[r#"r2 error {"ename":"DataError","evalue":"the table 'Gone' could not be read. Gone.csv: no such file","traceback":["\u001b[0;31mDataError\u001b[0m: the table 'Gone' could not be read. Gone.csv: no such file"]}"#]].assert_eq(error);
    assert!(driver.run("%%kql\nPeople").contains("execute_result"));
}

#[test]
fn blank_and_comment_cells_do_nothing() {
    let mut driver = Driver::new();
    expect![[r#"
        r1 status {"execution_state":"busy"}
        r1 execute_reply {"payload":[],"user_expressions":{},"status":"ok","execution_count":0} {"spoor":{"language":"python","elapsed_ms":"…","stale":[]}}
        r1 status {"execution_state":"idle"}
        r1 ends
    "#]].assert_eq(&driver.run(" \n"));
    expect![[r#"
        r2 status {"execution_state":"busy"}
        r2 execute_input {"code":"%%kql\n// nothing yet\n","execution_count":1}
        r2 execute_reply {"payload":[],"user_expressions":{},"status":"ok","execution_count":1} {"spoor":{"language":"kql","elapsed_ms":"…","stale":[]}}
        r2 status {"execution_state":"idle"}
        r2 ends
    "#]].assert_eq(&driver.run("%%kql\n// nothing yet\n"));
    let log = driver.run("%%kql --as x\n// nothing yet\n");
    assert!(
        log.contains("there is no query whose result could be kept as 'x'"),
        "{log}"
    );
}

#[test]
fn an_interrupt_ends_a_query_between_its_slices() {
    let mut driver = Driver::new();
    driver.file("People.csv", PEOPLE);
    let begin = Event::Execute {
        id: "q".into(),
        cell_id: None,
        code: "%%kql\nPeople".into(),
        silent: false,
        allow_stdin: false,
    };
    super::step(&mut driver.kernel, begin);
    driver.send(Event::Interrupt, vec![]);
    assert!(
        driver.log.contains("KeyboardInterrupt") && driver.log.contains("q ends"),
        "{}",
        driver.log
    );
    // The bytes that were on their way are kept for the next who needs them.
    for part in driver.read("People") {
        driver.kernel.step(part);
    }
    let log = driver.run("%%kql\nPeople");
    assert!(
        log.contains("execute_result") && !log.contains("read People"),
        "{log}"
    );
}

#[test]
fn a_restart_forgets_all_but_the_sources() {
    let mut driver = Driver::new();
    driver.file("People.csv", PEOPLE);
    driver.run("%%kql --as kept\nPeople");
    driver.send(Event::Restart, vec![]);
    expect![[r#"
        reset python
    "#]]
    .assert_eq(&std::mem::take(&mut driver.log));
    let log = driver.run("%%kql\nkept");
    assert!(
        log.contains("\"execution_count\":1") && log.contains("KqlError"),
        "{log}"
    );
    let log = driver.run("%%kql\nPeople");
    assert!(
        log.contains("execute_result") && !log.contains("read People"),
        "{log}"
    );
}

#[test]
fn a_kept_result_run_again_makes_its_readers_stale() {
    let mut driver = Driver::new();
    driver.file("People.csv", PEOPLE);
    driver.run_cell(Some("a"), "%%kql --as kept\nPeople");
    let log = driver.run_cell(Some("b"), "%%kql\nkept");
    assert!(log.contains(r#""stale":[]"#), "{log}");
    let log = driver.run_cell(Some("a"), "%%kql --as kept\nPeople");
    assert!(log.contains(r#""stale":["b"]"#), "{log}");
}

#[test]
fn data_that_is_replaced_or_taken_away_makes_its_readers_stale() {
    let mut driver = Driver::new();
    driver.file("People.csv", PEOPLE);
    driver.run_cell(Some("a"), "%%kql\nPeople");
    driver.file("Others.csv", PEOPLE);
    assert_eq!(std::mem::take(&mut driver.log), "");
    driver.file("People.csv", PEOPLE);
    let log = std::mem::take(&mut driver.log);
    assert!(log.contains(r#"spoor_stale {"stale":["a"]}"#), "{log}");
    let log = driver.run_cell(Some("a"), "%%kql\nPeople");
    assert!(log.contains(r#""stale":[]"#), "{log}");
    let name = "People".into();
    driver.send(Event::RemoveSource { name }, vec![]);
    let log = std::mem::take(&mut driver.log);
    assert!(log.contains(r#"spoor_stale {"stale":["a"]}"#), "{log}");
}

#[test]
fn a_result_cannot_take_the_name_of_a_source() {
    let mut driver = Driver::new();
    driver.file("People.csv", PEOPLE);
    let log = driver.run("%%kql --as People\nPeople");
    assert!(
        log.contains("'People' is the name of a data source"),
        "{log}"
    );
}

#[test]
fn the_same_events_give_the_same_effects() {
    let run = || {
        let mut driver = Driver::new();
        driver.file("People.csv", PEOPLE);
        driver.run("%%kql --as kept\nPeople")
            + &driver.run("%%kql\nkept")
            + &driver.run("%%kql\nnone")
    };
    assert_eq!(run(), run());
}

#[test]
fn kql_completes_and_tells_whether_it_is_whole() {
    let mut driver = Driver::new();
    driver.file("People.csv", PEOPLE);
    driver.send(
        Event::Complete {
            id: "c".into(),
            code: "%%kql\nPeo".into(),
            cursor_pos: 9,
        },
        vec![],
    );
    expect![[r#"
        c status {"execution_state":"busy"}
        c complete_reply {"matches":["People"],"cursor_start":6,"cursor_end":9,"metadata":{"_jupyter_types_experimental":[{"start":6,"end":9,"text":"People","type":"table","signature":"not read yet","documentation":""}]},"status":"ok"}
        c status {"execution_state":"idle"}
        c ends
    "#]].assert_eq(&std::mem::take(&mut driver.log));
    for (code, want) in [
        ("%%kql\nT | take 5", "complete"),
        ("%%kql\nT |", "incomplete"),
        ("%%kql\nT | take take", "invalid"),
    ] {
        driver.send(
            Event::IsComplete {
                id: "w".into(),
                code: code.into(),
            },
            vec![],
        );
        let log = std::mem::take(&mut driver.log);
        assert!(
            log.contains(&format!("{{\"status\":\"{want}\"")),
            "{code}: {log}"
        );
    }
}
