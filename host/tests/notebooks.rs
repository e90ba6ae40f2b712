//! Notebooks and data that mean harm, are broken, or are larger than anyone would write; and what
//! must not be lost of those that are none of it. By the command, as people meet it.

#![allow(clippy::unwrap_used)]

mod common;

use std::fs;

use common::{Place, expect, outputs, stderr, stdout};
use serde_json::{Value, json};

fn read(place: &Place, name: &str) -> Value {
    serde_json::from_slice(&fs::read(place.path(name)).unwrap()).unwrap()
}

/// The notebook without what a run may change.
fn lasting(mut notebook: Value) -> Value {
    for cell in notebook["cells"].as_array_mut().unwrap() {
        // A text may stand whole or as its lines.
        if let Some(lines) = cell["source"].as_array() {
            let lines: Vec<&str> = lines.iter().map(|line| line.as_str().unwrap()).collect();
            cell["source"] = json!(lines.concat());
        }
        if cell["cell_type"] == "code" {
            cell["outputs"] = json!([]);
            cell["execution_count"] = json!(null);
        }
    }
    notebook
}

#[test]
fn a_run_keeps_all_that_it_does_not_know() {
    let place = Place::new();
    let notebook = json!({
        "nbformat": 4, "nbformat_minor": 5, "x-whole": {"of": ["a", "later", null]},
        "metadata": {
            "kernelspec": {"name": "xpython", "display_name": "Another", "language": "python", "x": 1},
            "language_info": {"name": "python", "codemirror_mode": {"name": "ipython", "version": 3}},
            "x-extension": {"deep": [{"nested": {"é": "\u{2028}\"\\"}}], "empty": {}, "none": null},
        },
        "cells": [
            {"cell_type": "raw", "id": "r", "metadata": {"raw_mimetype": "text/x", "x": [1]}, "source": "as\nis\n"},
            {"cell_type": "markdown", "id": "m", "metadata": {"x": true}, "source": "# T", "x-cell": 1,
             "attachments": {"a.png": {"image/png": "iVBORw0KGgo="}}},
            {"cell_type": "code", "id": "c1", "x-cell": {"k": []}, "execution_count": 7, "source": "1 + 1",
             "metadata": {"tags": ["a"], "collapsed": true, "jupyter": {"source_hidden": true}, "x": {"y": [0]}},
             "outputs": [{"output_type": "x-of-a-later-version", "payload": 1}]},
            {"cell_type": "code", "id": "c2", "execution_count": null, "metadata": {}, "source": "", "outputs": []},
        ],
    });
    place.write("n.ipynb", &notebook.to_string());
    expect(&place.run(&["run", "n.ipynb"]), 0);
    assert_eq!(outputs(&place.path("n.out.ipynb")), ["2", ""]);
    assert_eq!(lasting(read(&place, "n.out.ipynb")), lasting(notebook));
}

#[test]
fn numbers_in_metadata_are_written_as_they_were() {
    let place = Place::new();
    let numbers = [
        "0.30000000000000004",
        "2.2250738585072014e-308",
        "5e-324",
        "1.7976931348623157e+308",
        "0.1",
        "100.0",
        "1e-07",
        "9007199254740993",
        "12345678901234567890123",
        "-9223372036854775808",
        "18446744073709551615",
        "NaN",
        "-Infinity",
        "8.41",
        "123456789.12345679",
    ];
    let list = numbers.join(", ");
    let text = format!(
        r#"{{"nbformat": 4, "nbformat_minor": 5, "metadata": {{"x": [{list}]}}, "cells": []}}"#
    );
    place.write("n.ipynb", &text);
    expect(&place.run(&["run", "n.ipynb"]), 0);
    let written = fs::read_to_string(place.path("n.out.ipynb")).unwrap();
    let lines: Vec<&str> = written
        .lines()
        .map(|l| l.trim().trim_end_matches(','))
        .collect();
    let lost: Vec<&&str> = numbers.iter().filter(|n| !lines.contains(*n)).collect();
    assert!(lost.is_empty(), "{lost:?} are not in\n{written}");
}

#[test]
fn what_is_no_notebook_is_refused_and_nothing_is_written() {
    let bomb = |open: &str, close: &str| {
        let deep = open.repeat(300_000) + "1" + &close.repeat(300_000);
        format!(r#"{{"nbformat": 4, "metadata": {{"x": {deep}}}, "cells": []}}"#)
    };
    let cell = |cell: &str| format!(r#"{{"nbformat": 4, "metadata": {{}}, "cells": [{cell}]}}"#);
    let mut cases = vec![
        (bomb("[", "]"), "nested"),
        (bomb(r#"{"a":"#, "}"), "nested"),
        (cell("7"), "cells[0]"),
        (
            cell(r#"{"cell_type": "code", "metadata": 1}"#),
            "cells[0].metadata",
        ),
        (
            cell(r#"{"cell_type": "code", "outputs": [[]]}"#),
            "cells[0].outputs[0]",
        ),
        (
            r#"{"nbformat": 4, "metadata": [], "cells": []}"#.to_owned(),
            "metadata",
        ),
        (r#"{"nbformat": 9, "cells": []}"#.to_owned(), "nbformat 9"),
        ("[]".to_owned(), "expected an object"),
        ("\u{0}\u{1}".to_owned(), "not JSON"),
        (String::new(), "empty"),
    ];
    let whole = cell(
        r#"{"cell_type": "code", "id": "a", "metadata": {}, "source": "print(1)", "outputs": []}"#,
    );
    cases.extend(
        (1..whole.len())
            .step_by(9)
            .map(|end| (whole[..end].to_owned(), "is not a notebook")),
    );
    let place = Place::new();
    for (text, why) in cases {
        let begins: String = text.chars().take(60).collect();
        place.write("bad.ipynb", &text);
        for args in [
            ["run", "bad.ipynb", "-o", "o.ipynb"],
            ["render", "bad.ipynb", "-o", "o.html"],
        ] {
            let output = place.spoor_with_mute_kernel().args(args).output().unwrap();
            expect(&output, 3);
            assert!(
                stderr(&output).contains(why),
                "{begins}\n{}",
                stderr(&output)
            );
        }
        assert!(
            !place.path("o.ipynb").exists() && !place.path("o.html").exists(),
            "{begins}"
        );
    }
}

#[test]
fn a_hundred_megabytes_of_output_are_rendered() {
    let place = Place::new();
    let text = ("0123456789abcdef".repeat(62) + "<&>\n").repeat(100_000);
    assert!(text.len() > 99_000_000);
    let cell = json!({
        "cell_type": "code", "id": "a", "metadata": {}, "source": "x", "execution_count": 1,
        "outputs": [{"output_type": "stream", "name": "stdout", "text": text}],
    });
    let notebook = json!({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]});
    place.write("n.ipynb", &notebook.to_string());
    expect(&place.run(&["render", "n.ipynb", "-o", "n.html"]), 0);
    let page = fs::read_to_string(place.path("n.html")).unwrap();
    assert!(page.contains("abcdef&lt;&amp;&gt;") && !page.contains("<&>"));
}

#[test]
fn printing_is_kept_up_to_the_limit() {
    let place = Place::new();
    let code = "line = 'x' * 999\nfor _ in range(100):\n    print('\\n'.join([line] * 1000))";
    place.notebook("n.ipynb", &[code, "print('after')"]);
    expect(&place.run(&["run", "n.ipynb"]), 0);
    let shown = outputs(&place.path("n.out.ipynb"));
    let kept = shown[0].matches('x').count();
    assert!((60 << 20..64 << 20).contains(&kept), "{kept}");
    assert!(shown[0].contains("left out beyond its 64 MiB"));
    assert_eq!(shown[1], "after\n");
}

#[test]
fn no_markup_of_a_notebook_or_of_its_outputs_runs_on_the_page() {
    const SCRIPT: &str = "<script>alert(1)</script><img src=x onerror=alert(1)>\
                          <a href='javascript:alert(1)'>a</a><svg onload=alert(1)></svg>";
    let place = Place::new();
    let code = format!(
        "from IPython.display import display, HTML, SVG, Markdown, Javascript\nevil = '''{SCRIPT}'''\n\
         display(HTML(evil), Markdown(evil), SVG('<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"x()\"><script>x()</script></svg>'), \
         Javascript('alert(1)'))\n\
         display({{'text/html': evil, 'text/latex': evil}}, raw=True, metadata={{'text/html': {{'x': evil}}}})\nprint(evil)"
    );
    let raises = format!("raise ValueError('''{SCRIPT}''')");
    let kql = format!(
        "%%kql\nprint ['{}'] = \"{SCRIPT}\"",
        SCRIPT.replace('\'', "")
    );
    place.notebook("n.ipynb", &[&format!("# {SCRIPT}"), &code, &kql, &raises]);
    let mut notebook = read(&place, "n.ipynb");
    notebook["metadata"] = json!({
        "title": SCRIPT, "authors": [{"name": SCRIPT}], "spoor": {"title": SCRIPT, "description": SCRIPT, "tags": [SCRIPT]},
        "kernelspec": {"display_name": SCRIPT, "name": SCRIPT}, "language_info": {"name": SCRIPT},
    });
    notebook["cells"][0]["metadata"] = json!({"tags": [SCRIPT], "name": SCRIPT});
    place.write("n.ipynb", &notebook.to_string());
    expect(
        &place.run(&["run", "n.ipynb", "--allow-errors", "--html", "n.html"]),
        0,
    );
    let page = fs::read_to_string(place.path("n.html"))
        .unwrap()
        .to_lowercase();
    let ran = outputs(&place.path("n.out.ipynb"));
    assert!(
        ran[0].contains("<script>")
            && ran[1].contains("<script>")
            && ran[2].starts_with("ValueError"),
        "{ran:?}"
    );
    for tag in tags(&page) {
        let harmful = [
            "<script", "<iframe", "<object", "<embed", "<form", "<base", "<link",
        ];
        assert!(!harmful.iter().any(|name| tag.starts_with(name)), "{tag}");
        assert!(!tag.contains("javascript:"), "{tag}");
        let handler = |word: &str| word.starts_with("on") && word.contains('=');
        assert!(!unquoted(tag).split_whitespace().any(handler), "{tag}");
    }
    assert!(
        page.contains("&lt;script&gt;"),
        "what is shown as text is shown"
    );
}

/// The tags of a page, from `<` to `>`.
fn tags(page: &str) -> Vec<&str> {
    let mut tags = Vec::new();
    for (start, _) in page.match_indices('<') {
        let mut quote = None;
        let end = page[start..].find(|c: char| {
            match quote {
                None if c == '"' || c == '\'' => quote = Some(c),
                Some(open) if c == open => quote = None,
                _ => {}
            }
            quote.is_none() && c == '>'
        });
        tags.extend(end.map(|end| &page[start..=start + end]));
    }
    tags
}

/// A tag without what stands in quotation marks.
fn unquoted(tag: &str) -> String {
    let outside = tag.split(['"', '\'']).step_by(2);
    outside.collect::<Vec<_>>().join(" ")
}

#[test]
fn queries_and_values_that_nest_without_end_are_errors() {
    let place = Place::new();
    let deep = |open: &str, close: &str| open.repeat(100_000) + "1" + &close.repeat(100_000);
    for query in [
        format!("print x = {}", deep("(", ")")),
        format!("print x = {}", deep("-", "")),
        format!("print x = {}", deep("not(", ")")),
        format!("print x = dynamic({})", deep("[", "]")),
        format!("print x = {}1", "1 + ".repeat(100_000)),
        format!("T{}", " | where true".repeat(20_000)),
        format!("print x = parse_json(\"{}\").a", deep("[", "]")),
        format!("print x = {}", "[".repeat(100_000)),
    ] {
        place.write("q.kql", &query);
        let output = place.run(&["query", "@q.kql"]);
        let code = output.status.code();
        assert!(
            matches!(code, Some(0 | 1)) && !stderr(&output).contains("panicked"),
            "{code:?}: {}\n{}",
            &query[..30],
            stderr(&output).chars().take(400).collect::<String>()
        );
    }
}

#[test]
fn a_kernel_survives_a_query_that_nests_without_end() {
    let place = Place::new();
    let bomb = format!(
        "%%kql\nprint x = {}1{}",
        "(".repeat(50_000),
        ")".repeat(50_000)
    );
    let sum = format!("%%kql\nprint x = {}1", "1 + ".repeat(50_000));
    place.notebook(
        "n.ipynb",
        &["kept = 40", &bomb, &sum, "%%kql\nprint y = 2", "kept + 2"],
    );
    expect(&place.run(&["run", "n.ipynb", "--allow-errors"]), 0);
    let shown = outputs(&place.path("n.out.ipynb"));
    assert!(
        shown[3].contains('2') && shown[4] == "42",
        "{:?}",
        &shown[3..]
    );
}

#[test]
fn data_that_nests_without_end_is_an_error_or_a_table() {
    let place = Place::new();
    let deep = "[".repeat(200_000) + &"]".repeat(200_000);
    place.write("Deep.json", &format!("{{\"a\": {deep}}}"));
    place.write("Text.csv", &format!("a\n\"{deep}\"\n"));
    for query in [
        "Deep | count",
        "Text | extend b = parse_json(a) | project isnull(b)",
    ] {
        let output = place.run(&["query", query, "--data", "."]);
        assert!(
            matches!(output.status.code(), Some(0 | 1 | 3)),
            "{query}: {output:?}"
        );
    }
}

#[test]
fn parameters_without_a_cell_for_them_go_to_the_top() {
    let place = Place::new();
    place.notebook(
        "n.ipynb",
        &[
            "# Title",
            "print(days + 1, rate * 2, live, none, host, code)",
            "%%kql\nprint x = 1",
        ],
    );
    let output = place.run(&[
        "run",
        "n.ipynb",
        "-p",
        "days=30",
        "-p",
        "rate=0.5",
        "--parameter",
        "live=True",
        "-p",
        "none=None",
        "-p",
        "host=it's \"q\" \\ é\n",
        "-p",
        "code=__import__('os').abort()",
    ]);
    expect(&output, 0);
    assert!(
        stderr(&output).contains("no cell is tagged `parameters`"),
        "{}",
        stderr(&output)
    );
    assert_eq!(
        outputs(&place.path("n.out.ipynb"))[1],
        "31 1.0 True None it's \"q\" \\ é\n __import__('os').abort()\n"
    );
}

#[test]
fn a_crash_of_python_is_an_error_on_its_cell_and_leaves_the_state_before() {
    let place = Place::new();
    place.notebook(
        "n.ipynb",
        &[
            "kept = [1]",
            "kept.append(2)\nprint('said before', flush=True)\nimport os\nos.abort()",
            "kept",
            "%%kql\nprint x = 1",
        ],
    );
    let output = place.run(&["run", "n.ipynb", "--allow-errors"]);
    expect(&output, 0);
    let shown = outputs(&place.path("n.out.ipynb"));
    assert!(
        shown[1].starts_with("said before\n") && shown[1].contains("PythonCrashed"),
        "{}",
        shown[1]
    );
    assert_eq!(shown[2], "[1]");
    assert!(
        stdout(&output).contains("1 of them failed"),
        "{}",
        stdout(&output)
    );
    expect(&place.run(&["run", "n.ipynb"]), 1);
    assert_eq!(outputs(&place.path("n.out.ipynb"))[2], "");
}
