use super::*;

fn script(cells: Vec<Cell>) -> String {
    let mut notebook = Notebook::new();
    notebook.cells = cells;
    to_python(&notebook)
}

fn code(source: &str) -> String {
    let text = script(vec![Cell::code(source)]);
    let text = text.strip_prefix("# %%\n").unwrap_or(&text);
    text.strip_suffix('\n').unwrap_or(text).to_owned()
}

#[test]
fn a_notebook_reads_as_a_script() {
    let text = script(vec![
        Cell::markdown("# Hunt\n\nWhy."),
        Cell::code("%%kql --as hits\nT\n| where Path has @\"C:\\Temp\""),
        Cell::code("hits.head()\n"),
    ]);
    let expected = r##"# Hunt

from spoor import kql

# %% [markdown]
# # Hunt
#
# Why.

# %%
hits = kql(r"""
T
| where Path has @"C:\Temp"
""")

# %%
hits.head()
"##;
    assert_eq!(text, expected);
}

#[test]
fn queries_that_a_raw_string_cannot_hold_are_escaped() {
    assert_eq!(
        code("%%kql\nprint \"\"\"a\\b\"\"\""),
        "from spoor import kql\n\n# %%\nkql(\"\"\"\nprint \\\"\\\"\\\"a\\\\b\\\"\\\"\\\"\n\"\"\")"
    );
    assert!(code("%%kql\nprint 'a\\").contains("kql(r\"\"\"\nprint 'a\\\n\"\"\")"));
    assert!(code("%%kql --as not-a-name\nT").contains("\nkql(r\"\"\"\nT\n\"\"\")"));
}

#[test]
fn what_is_ipythons_alone_becomes_a_comment() {
    assert_eq!(
        code("%matplotlib inline\nx = 1"),
        "# %matplotlib inline\nx = 1"
    );
    assert_eq!(code("if x:\n    !ls\ndf?"), "if x:\n    pass  # !ls\n# df?");
    assert_eq!(code("files = !ls *.csv"), "# files = !ls *.csv");
    assert_eq!(code("%%bash\nls"), "# \\%%bash\n# ls");
    assert_eq!(
        code("%%time\nx = 1\n%pip list"),
        "# \\%%time\nx = 1\n# %pip list"
    );
}

#[test]
fn python_stays_as_it_is() {
    for source in [
        "x = (a\n     %b)",
        "s = \"\"\"\n%not magic\n!nor this\n\"\"\"",
        "s = '''it's \\''' \n%text'''",
        "x = a % b  # why?",
        "if a != b: pass",
        "y = [\n  1,\n  !x\n]",
        "text = 'a\\'('\nz = 1",
        "print('what?')",
        "a = \"(\"\nb = 2",
    ] {
        assert_eq!(code(source), source);
    }
    assert_eq!(
        code("a = \"(\"\n%time b"),
        "a = \"(\"\n# %time b",
        "a bracket in a string opens nothing"
    );
}

#[test]
fn text_cannot_break_out_of_its_comment() {
    let text = script(vec![Cell::markdown("a\rimport os\u{c}b\n%% c\n\u{2028}d")]);
    assert_eq!(
        text,
        "# %% [markdown]\n# a\n# import os\n# b\n# \\%% c\n# \u{2028}d\n"
    );
    let mut odd = Cell::markdown("x");
    odd.kind = CellKind::Other("a\nimport os".into());
    assert_eq!(script(vec![odd]), "# %% [aimport os]\n# x\n");
    let mut raw = Cell::markdown("r");
    raw.kind = CellKind::Raw;
    assert_eq!(script(vec![raw]), "# %% [raw]\n# r\n");
}
