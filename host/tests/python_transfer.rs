//! Results of KQL in pandas: `kql("...")` through the real kernel into the real guest.
//!
//! `python/transfer.cases` holds the cases, each begun by a line `=== title`. A KQL query follows,
//! whose result the cell calls `frame`; if it fails, `error` is the exception's name instead. Then
//! come lines `>>> Python`, each with the text that the cell's result shows as, on one line however
//! IPython breaks it.

#![allow(clippy::unwrap_used, clippy::panic)]

mod live;

use std::fs;
use std::path::Path;

use spoor::session::Options;

use live::Notebook;

/// Makes `frame` of the query, afresh.
fn fetch(query: &str) -> String {
    format!(
        "import pandas as pd\nglobals().pop('frame', None)\ntry:\n    frame = kql(r'''{query}''')\n\
         except spoor.KqlError as failed:\n    error = type(failed).__name__"
    )
}

fn on_one_line(shown: &str) -> String {
    let lines: Vec<&str> = shown.lines().map(str::trim_start).collect();
    lines.join(" ")
}

#[test]
fn types_values_and_nulls_arrive_in_pandas() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/transfer.cases");
    let text = fs::read_to_string(path).unwrap();
    let mut notebook = Notebook::open(Options::default());
    let mut failures = Vec::new();
    let mut checks = 0;
    for case in text.split("\n=== ").skip(1) {
        let (title, body) = case.split_once('\n').unwrap();
        let mut parts = body.split("\n>>> ");
        let said = notebook.cell(&fetch(parts.next().unwrap()));
        if !said.is_empty() {
            failures.push(format!("{title}\n{said}"));
        }
        for part in parts {
            checks += 1;
            let (code, expected) = part.split_once('\n').unwrap_or_else(|| panic!("{title}"));
            let shown = on_one_line(&notebook.cell(code));
            if shown != expected.trim_end() {
                let expected = expected.trim_end();
                failures.push(format!(
                    "{title}\n>>> {code}\n{shown}\ninstead of\n{expected}"
                ));
            }
        }
    }
    assert!(checks > 20, "{checks} checks");
    assert!(
        failures.is_empty(),
        "{} of {checks} checks fail\n\n{}",
        failures.len(),
        failures.join("\n\n")
    );
}

const ROWS: &str = r#"
range n from 0 to 99999 step 1
| extend b = n % 2 == 0, i = toint(n % 7), r = n / 8.0, few = strcat("host-", n % 500, "é"), many = strcat("naïve ", n),
         d = datetime(2024-01-01) + n * 1s, t = n * 1ms, c = todecimal(n), j = bag_pack("n", n, "l", pack_array(n, "x"))
| extend m = iff(n % 3 == 0, long(null), n), e = iff(n % 5 == 0, datetime(null), d), k = iff(n % 7 == 0, dynamic(null), j)
| order by n asc
"#;

#[test]
fn a_hundred_thousand_rows_cross_and_come_back() {
    let mut notebook = Notebook::open(Options::default());
    assert_eq!(notebook.cell(&fetch(ROWS)), "");
    for (code, expected) in [
        ("frame.shape", "(100000, 13)"),
        (
            "[str(t) for t in frame.dtypes]",
            "['int64', 'bool', 'int32', 'float64', 'str', 'str', 'datetime64[ns, UTC]', 'timedelta64[ns]', \
             'object', 'object', 'Int64', 'datetime64[ns, UTC]', 'object']",
        ),
        ("bool((frame.n == range(100000)).all())", "True"),
        (
            "int(frame.b.sum()), int(frame.i.sum()), float(frame.r.sum())",
            "(50000, 299995, 624993750.0)",
        ),
        (
            "frame.few.nunique(), frame.few[99999], frame.many.nunique(), frame.many[99999]",
            "(500, 'host-499é', 100000, 'naïve 99999')",
        ),
        (
            "frame.d[99999]",
            "Timestamp('2024-01-02 03:46:39+0000', tz='UTC')",
        ),
        ("frame.t.sum()", "Timedelta('57 days 20:52:30')"),
        ("str(sum(frame.c))", "'4999950000'"),
        ("frame.j[99999]", "{'n': 99999, 'l': [99999, 'x']}"),
        (
            "frame.isna().sum().loc[['m', 'e', 'k']].tolist()",
            "[33334, 20000, 14286]",
        ),
        ("int(frame.m.sum())", "3333266667"),
        (
            "back = kql('back', back=frame)\n[name for name in frame if not frame[name].equals(back[name])]",
            "[]",
        ),
        (
            "kql('back | summarize n = count(), s = sum(m), latest = max(e)', back=frame).iloc[0].tolist()",
            "[np.int64(100000), np.int64(3333266667), Timestamp('2024-01-02 03:46:39+0000', tz='UTC')]",
        ),
    ] {
        assert_eq!(on_one_line(&notebook.cell(code)), expected, "{code}");
    }
}
