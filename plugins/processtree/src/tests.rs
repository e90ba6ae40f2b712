//! Whole tables: the trees that come of them.

use spoor_plugin::{At, Datetime};

use crate::{Created, Id, Placed, event, show};

const SECOND: i64 = 10_000_000;

/// Rows from lines of `seconds host id program parent parent's-program`; `-` is null.
fn rows(lines: &str) -> Vec<Created<'_>> {
    lines
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| {
            let word = |at: usize| line.split_whitespace().nth(at).filter(|word| *word != "-");
            Created {
                time: Datetime(
                    (word(0).and_then(|t| t.parse::<f64>().ok()).unwrap_or(0.0) * SECOND as f64)
                        as i64,
                ),
                host: word(1),
                process_id: Id::of_text(word(2).unwrap_or("")),
                process_name: word(3),
                parent_id: word(4).map(Id::of_text),
                parent_name: word(5),
                parent_time: None,
            }
        })
        .collect()
}

fn trees(rows: &[Created<'_>]) -> Vec<At<Placed>> {
    let rows = rows.iter().cloned().enumerate();
    let events = event::read(rows.map(|(at, row)| (at as u32, row)));
    show::trees(&events, SECOND, 0.02).unwrap_or_default()
}

/// Lines of `tree: path`, with `*` before what has an inferred parent.
fn paths(lines: &str) -> Vec<String> {
    let line = |at: &At<Placed>| {
        let mark = if at.value.parent_inferred { "*" } else { "" };
        format!("{}: {mark}{}", at.value.tree, at.value.path)
    };
    trees(&rows(lines)).iter().map(line).collect()
}

#[test]
fn parents_are_found() {
    for (what, lines, expected) in [
        ("nothing", "", &[][..]),
        (
            "rows in any order, hex and decimal ids, folders and cases",
            r"3 h 0x1e whoami.exe 20 C:\W\CMD.EXE
              1 h 10 explorer.exe - -
              2 h 20 C:\W\cmd.exe 0xa explorer.exe",
            &[
                "0: explorer.exe",
                "0: explorer.exe > cmd.exe",
                "0: explorer.exe > cmd.exe > whoami.exe",
            ],
        ),
        (
            "an id used again: each child has the holder of its time",
            "1 h 10 a - -
             2 h 11 x 10 -
             9 h 10 b - -
             10 h 12 y 10 -",
            &["0: a", "0: a > x", "1: b", "1: b > y"],
        ),
        (
            "an id that was another's before, and is another's later",
            "5 h 11 calc 10 powershell
             8 h 10 ftp - -
             1 h 10 setup - -",
            &["0: setup", "1: *powershell > calc", "2: ftp"],
        ),
        (
            "hosts are apart, and in the order of their names",
            "1 b 10 a - -
             2 a 11 x 10 -",
            &["0: *10 > x", "1: a"],
        ),
        (
            "children of one missing parent are in one tree",
            "1 h 11 x 10 svc
             2 h 12 y 10 svc
             3 h 13 z 99 svc",
            &["0: *svc > x", "0: *svc > y", "1: *svc > z"],
        ),
        (
            "but not where another had its id in between",
            "1 h 11 x 10 -
             4 h 10 new - -
             6 h 12 y 10 old",
            &["0: *10 > x", "1: new", "2: *old > y"],
        ),
        (
            "a parent may seem to be a little later",
            "1.5 h 10 a - -
             1 h 11 x 10 a
             1 h 12 y 10 -
             0.1 h 13 z 10 a",
            &["0: *a > z", "1: a", "1: a > x", "1: a > y"],
        ),
        (
            "the next holder of an id within the slack is passed over by its name",
            "1 h 10 a - -
             5 h 10 b - -
             5.5 h 11 x 10 a",
            &["0: a", "0: a > x", "1: b"],
        ),
        (
            "a process is not its own parent, nor its child's child",
            "1 h 10 a 10 a
             2 h 20 b 21 c
             2 h 21 c 20 b",
            &["0: *a > a", "1: *c > b", "1: c > b > c"],
        ),
        (
            "rows that come twice, no id, id 0, no name",
            "1 h 4 System 0 -
             1 h 4 System 0 -
             2 h - x 4 -
             3 h 5 - 4 -",
            &["0: System", "0: System > ?"],
        ),
    ] {
        assert_eq!(paths(lines), expected, "{what}");
    }
}

#[test]
fn the_time_of_a_parent_tells_which_it_is() {
    let mut rows = rows(
        "1 h 10 a - -
        5 h 10 a - -
        9 h 11 x 10 a
        9 h 12 y 10 a
        9 h 13 z 10 a",
    );
    for (row, time) in rows.iter_mut().skip(2).zip([1, 5, 3]) {
        row.parent_time = Some(Datetime(time * SECOND));
    }
    let found: Vec<_> = trees(&rows)
        .iter()
        .map(|at| (at.value.row, at.value.parent_row))
        .collect();
    assert_eq!(
        found,
        [(0, None), (2, Some(0)), (1, None), (3, Some(1)), (4, None)]
    );
}

#[test]
fn processes_are_counted_and_outlined() {
    let found = trees(&rows(
        "1 h 10 a 9 root
         2 h 11 b 10 a
         3 h 12 c 11 b
         4 h 13 d 10 a",
    ));
    let figures: Vec<_> = found
        .iter()
        .map(|At { value: v, .. }| {
            (
                v.outline.as_str(),
                v.depth,
                v.children,
                v.descendants,
                v.tree_size,
            )
        })
        .collect();
    assert_eq!(
        figures,
        [
            ("(root) └ a", 1, 2, 3, 4),
            ("│ └ b", 2, 1, 1, 4),
            ("│ │ └ c", 3, 0, 0, 4),
            ("│ └ d", 2, 0, 0, 4),
        ]
    );
}

#[test]
fn a_rare_parent_is_marked() {
    let mut lines = String::from("1 h 1 services.exe - -\n1 h 2 winword.exe - -\n");
    for at in 0..80 {
        lines += &format!("{at} h {} svchost.exe 1 services.exe\n", 100 + at);
    }
    lines += "90 h 900 svchost.exe 2 winword.exe\n90 h 901 odd.exe 2 winword.exe\n";
    let rare: Vec<_> = trees(&rows(&lines))
        .into_iter()
        .filter(|at| at.value.rare_pair)
        .map(|at| at.value.path)
        .collect();
    assert_eq!(rare, ["winword.exe > svchost.exe"]);
}

#[test]
fn a_chain_of_any_length_is_one_tree() {
    let row = |at: i64| Created {
        time: Datetime(at),
        host: None,
        process_id: Id::Number(at + 1),
        process_name: Some("p"),
        parent_id: Some(Id::Number(at)),
        parent_name: None,
        parent_time: None,
    };
    let rows: Vec<_> = (0..100_000).map(row).collect();
    let found = trees(&rows);
    let last = found
        .last()
        .map(|at| (at.value.depth, at.value.path.as_str()));
    let path = format!("p > …{}", " > p".repeat(30));
    assert_eq!(last, Some((99_999, path.as_str())));
    let first = found.first().map(|at| at.value.descendants);
    assert_eq!(first, Some(99_999));
}

#[test]
fn hostile_rows_break_nothing() {
    let times = [i64::MIN, -1, 0, 1, 2, SECOND, i64::MAX];
    let names = [None, Some(""), Some("a"), Some("\\/"), Some("…"), Some("b")];
    let mut state = 7u64;
    let mut pick = |of: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) as usize % of
    };
    for round in 0..2_000 {
        let rows: Vec<Created<'_>> = (0..round % 30)
            .map(|_| Created {
                time: Datetime(times[pick(times.len())]),
                host: names[pick(3)],
                process_id: Id::Number(pick(6) as i64 - 1),
                process_name: names[pick(names.len())],
                parent_id: [
                    None,
                    Some(Id::Number(pick(6) as i64 - 1)),
                    Some(Id::Text("x".into())),
                ][pick(3)]
                .clone(),
                parent_name: names[pick(names.len())],
                parent_time: [None, Some(Datetime(times[pick(times.len())]))][pick(2)],
            })
            .collect();
        let found = trees(&rows);
        let sizes: i64 = found
            .iter()
            .filter(|at| at.value.depth == i32::from(at.value.parent_inferred))
            .map(|at| at.value.descendants + 1)
            .sum();
        assert_eq!(sizes, found.len() as i64, "{rows:?}");
    }
}
