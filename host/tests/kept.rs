//! What KQL and Python have of each other from cell to cell, by the command: kept results, and variables.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Place, expect, outputs, stderr};

/// Runs a notebook of these cells over a table `Logons`, into `n.out.ipynb`.
fn ran(cells: &[&str], arguments: &[&str]) -> Place {
    let place = Place::new();
    place.write("Logons.csv", "Host,Failed\na,3\nb,5\nc,4\n");
    place.notebook("n.ipynb", cells);
    let mut command = place.spoor();
    command.args(["run", "n.ipynb", "--allow-errors", "--data", "Logons.csv"]);
    let output = command.args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    place
}

/// The outputs' texts.
fn run(cells: &[&str], arguments: &[&str]) -> Vec<String> {
    outputs(&ran(cells, arguments).path("n.out.ipynb"))
}

/// A notebook that keeps `worst`, changes the frame, and queries the table.
fn changed(change: &str) -> Place {
    let cells = [
        "%%kql --as worst\nLogons | order by Failed desc",
        "len(worst)",
        change,
        "%%kql\nworst | summarize rows = count(), most = max(Failed)",
    ];
    ran(&cells, &[])
}

#[test]
fn a_kept_table_follows_its_frame() {
    for (change, told) in [
        ("worst = worst.head(1)", "1     5"),
        ("worst = worst[worst['Failed'] < 5]", "2     4"),
        ("worst['Failed'] = 9", "3     9"),
        ("worst.loc[0, 'Failed'] = 8", "3     8"),
        ("worst.drop(index=0, inplace=True)", "2     4"),
        ("worst = worst['Failed']", "3     5"),
        ("other = worst.head(1)", "3     5"),
        ("worst = worst.head(0)\nworst = worst", "0"),
    ] {
        let texts = outputs(&changed(change).path("n.out.ipynb"));
        assert!(texts[3].contains(told), "{change}\n{texts:?}");
    }
}

#[test]
fn a_table_whose_frame_is_gone_says_why() {
    for (change, told) in [
        ("del worst", "`worst` was deleted in Python"),
        ("worst = len(worst)", "no table any more but of type int"),
        ("worst.columns = ['a', 'a']", "cannot be a table"),
    ] {
        let notebook = std::fs::read_to_string(changed(change).path("n.out.ipynb")).unwrap();
        assert!(notebook.contains(told), "{change}\n{notebook}");
    }
}

#[test]
fn a_query_in_the_cell_that_changes_the_frame_sees_the_change() {
    let cells = [
        "%%kql --as worst\nLogons",
        "worst = worst.head(2)\nprint(kql('worst | count').iloc[0, 0])",
        "worst = worst.head(1)\ndel worst",
        "worst = kql('Logons')",
        "%%kql\nworst | count",
    ];
    let texts = run(&cells, &[]);
    assert_eq!(texts[1], "2\n");
    assert!(texts[4].contains('3'), "{}", texts[4]);
}

#[test]
fn parameters_reach_kql() {
    let cells = [
        "least = 1\nhosts = ['a']",
        "%%kql\nLogons | where Failed >= least and Host !in (hosts) | count",
        "%%kql host\nlet n = least;\nLogons | where Failed >= n | count",
    ];
    let texts = run(&cells, &["-p", "least=4"]);
    // At the top, where no cell is tagged `parameters`, the notebook's own value comes after.
    assert!(texts[2].contains('2'), "{texts:?}");
    let cells = ["%%kql\nLogons | where Host == host | project Failed"];
    let texts = run(&cells, &["-p", "host=b"]);
    assert!(texts.last().unwrap().contains('5'), "{texts:?}");
}

#[test]
fn a_name_that_nobody_has_is_still_a_mistake() {
    let place = Place::new();
    place.notebook("n.ipynb", &["%%kql\nprint nobody"]);
    let output = place.run(&["run", "n.ipynb"]);
    expect(&output, 1);
    assert!(stderr(&output).contains("`nobody`"), "{}", stderr(&output));
}
