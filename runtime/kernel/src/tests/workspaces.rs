//! Where a query goes: to the current workspace, to several, or nowhere; and what is offered for it.

use serde_json::json;
use spoor_protocol::{Event, FetchError};
use spoor_table::{Column, KustoType, Table, Value, ipc};

use super::Driver;

/// A driver whose workspaces answer every query with two rows, and of which one is current.
fn driver(current: Option<&str>) -> Driver {
    let mut driver = Driver::new();
    driver.provider = Some(Box::new(|_| {
        let columns = vec![
            Column::new("User", KustoType::String),
            Column::new("n", KustoType::Long),
        ];
        let row = |user: &str, n| vec![Value::String(user.into()), Value::Long(n)];
        Ok(
            ipc::to_stream(&Table::from_values(columns, &[row("ann", 3), row("bo", 4)]).unwrap())
                .unwrap(),
        )
    }));
    let workspaces = Event::Workspaces {
        local: vec!["files".into()],
        current: current.map(String::from),
    };
    driver.send(workspaces, vec![]);
    let columns = vec![
        ("User".into(), "string".into()),
        ("n".into(), "long".into()),
    ];
    let schema = Event::Schema {
        workspace: "soc".into(),
        tables: vec![("SigninLogs".into(), columns)],
    };
    driver.send(schema, vec![]);
    driver
}

/// The queries that workspaces were asked, without the spaces.
fn asked(log: &str) -> Vec<String> {
    let fetches = log.lines().filter(|line| line.starts_with("fetch "));
    let squeezed = |line: &str| {
        let line = line.replace("\\n", " ");
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    fetches.map(squeezed).collect()
}

#[test]
fn a_query_goes_to_the_current_workspace_unless_it_reads_a_result() {
    let mut driver = driver(Some("soc"));
    let log = driver.run("%%kql --as hits\nSigninLogs | take 2");
    assert_eq!(
        asked(&log),
        [r#"fetch 1 of workspace 'soc': " SigninLogs | take 2""#]
    );
    assert!(log.contains(r#""workspace":"soc""#), "{log}");
    let log = driver.run("%%kql\nhits | summarize sum(n)");
    assert!(asked(&log).is_empty() && log.contains("7"), "{log}");
    let log = driver.run("%%kql\nSigninLogs | join (hits) on User");
    assert!(log.contains(r#"workspace(\"soc\").NAME"#), "{log}");
    // A search is not about results, even though it reads every table.
    assert_eq!(asked(&driver.run("%%kql\nsearch 'ann'")).len(), 1);
    assert!(asked(&driver.run("%%kql --workspace local\nprint 1")).is_empty());
    assert!(asked(&driver.run("%%kql --workspace files\nprint 1")).is_empty());
    let log = driver.run("%%kql --timespan P1D\nSigninLogs");
    assert!(log.contains("of workspace 'soc' over P1D"), "{log}");
    driver.turn(|guest| {
        let reply = guest.call(json!({ "op": "kql", "query": "SigninLogs | count" }));
        guest.say(&reply["origin"].to_string());
        guest.done(&[], &[])
    });
    assert!(
        driver
            .run("kql('...')")
            .contains(r#"guest: {"workspace":"soc"}"#)
    );
}

#[test]
fn without_a_current_workspace_a_time_span_is_refused_in_its_place() {
    let log = driver(None).run("%%kql --timespan P1D\nprint 1");
    assert!(
        log.contains("--timespan is of queries that a workspace runs"),
        "{log}"
    );
    assert!(log.contains("--> 1:18"), "{log}");
}

#[test]
fn tables_of_several_workspaces_meet_here() {
    let mut driver = driver(None);
    let log = driver.run(
        "%%kql --timespan P1D\nworkspace('soc').SigninLogs | where n > 1\n| join kind=inner (workspace('lab').Seen | project User) on User\n| summarize total = sum(n)",
    );
    assert_eq!(
        asked(&log),
        [
            r#"fetch 1 of workspace 'soc' over P1D: " SigninLogs | where n > 1 ""#,
            r#"fetch 2 of workspace 'lab' over P1D: " Seen | project User ""#,
        ]
    );
    assert!(log.contains("total") && log.contains("7"), "{log}");
    assert!(log.contains(r#""workspaces":["soc","lab"]"#), "{log}");
    // Their answers are no tables of the session.
    assert!(
        driver
            .run("%%kql\n['soc.SigninLogs']")
            .contains(r#""status":"error""#)
    );
    // With one that is current too.
    let mut current = self::driver(Some("soc"));
    let log = current.run("%%kql\nworkspace('lab').Seen | count");
    assert_eq!(
        asked(&log),
        [r#"fetch 1 of workspace 'lab': " Seen | count""#]
    );
}

#[test]
fn a_part_that_fails_fails_the_cell_in_its_place() {
    let mut driver = driver(None);
    driver.provider = Some(Box::new(|query| {
        let at = query.find("nope").unwrap();
        let mistake = spoor_protocol::Mistake {
            start: at,
            end: at + 4,
            message: "there is no column `nope`".into(),
            hint: None,
        };
        Err(FetchError {
            mistakes: vec![mistake],
            ..FetchError::new("there is no column `nope`")
        })
    }));
    let log = driver.run("%%kql\nprint 1\n| join (workspace('soc').T\n  | where nope) on x");
    assert!(
        log.contains("--> 4:11") && log.contains("| where nope"),
        "{log}"
    );
}

#[test]
fn a_workspace_s_tables_are_offered_where_a_query_of_it_is_written() {
    let mut driver = driver(Some("soc"));
    let mut offered = |code: &str| {
        let complete = Event::Complete {
            id: "c".into(),
            code: code.into(),
            cursor_pos: code.chars().count(),
        };
        driver.send(complete, vec![]);
        std::mem::take(&mut driver.log)
    };
    assert!(offered("%%kql\nSign").contains("SigninLogs"));
    assert!(offered("%%kql\nSigninLogs | where Us").contains(r#""User""#));
    assert!(!offered("%%kql --workspace lab\nSign").contains("SigninLogs"));
    assert!(offered("%%kql\nworkspace('soc').Sig").contains(r#""matches":["SigninLogs"]"#));
    assert!(
        offered("%%kql --workspace local\nworkspace(\"soc\").SigninLogs | where Us")
            .contains(r#""User""#)
    );
}

#[test]
fn what_workspaces_run_is_not_called_wrong() {
    let mut driver = driver(None);
    let mut told = |code: &str| {
        let diagnose = Event::Diagnose {
            id: "d".into(),
            code: code.into(),
            language: None,
        };
        driver.send(diagnose, vec![]);
        std::mem::take(&mut driver.log)
    };
    let fine = r#""diagnostics":[]"#;
    let across = "%%kql\nworkspace('soc').Unheard | where a == 1 | join (print b = 1) on b";
    assert!(told(across).contains(fine), "{}", told(across));
    let wrong = told("%%kql\nworkspace('soc').Unheard | join (Nowhere) on b");
    assert!(
        wrong.contains("Nowhere") && !wrong.contains("`Unheard`"),
        "{wrong}"
    );
    assert!(told("%%kql\nworkspace(x).T").contains("takes a workspace's name in quotes"));
}
