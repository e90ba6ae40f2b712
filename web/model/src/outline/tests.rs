use super::*;
use spoor_notebook::{Cell, Notebook};

fn found(source: &str) -> Vec<String> {
    let show = |heading: Heading| format!("{}:{} {}", heading.line, heading.level, heading.text);
    headings(source).into_iter().map(show).collect()
}

#[test]
fn headings_of_both_kinds() {
    assert_eq!(
        found("# A\n\n## B ##\ntext\n###### C"),
        ["0:1 A", "2:2 B", "4:6 C"]
    );
    assert_eq!(
        found("A\n===\n\nB\n-\n\ntwo\nlines\n---"),
        ["0:1 A", "3:2 B", "6:2 two lines"]
    );
    assert_eq!(found("   # indented\n#\ttab"), ["0:1 indented", "1:1 tab"]);
}

#[test]
fn what_only_looks_like_a_heading() {
    for source in [
        "#no space",
        "####### seven",
        "```\n# code\n```",
        "~~~~\n```\n# code\n~~~\n~~~~",
        "```kql\nT\n===\n```",
        "    # indented code",
        "\t# indented code",
        "- item\n---",
        "> quote\n---",
        "---",
        "text\n\n---",
        "| a |\n| - |",
        "#",
        "\\# escaped",
    ] {
        assert_eq!(found(source), [""; 0], "{source:?}");
    }
}

#[test]
fn fences_end_where_they_end() {
    assert_eq!(found("```\n# a\n```\n# b"), ["3:1 b"]);
    assert_eq!(found("```` x\n```\n# a\n````\n# b"), ["4:1 b"]);
    assert_eq!(
        found("``` a`b\n# c"),
        ["1:1 c"],
        "a backtick in its words makes it no fence"
    );
    assert_eq!(found("# a\n```\n# open to the end"), ["0:1 a"]);
}

#[test]
fn the_text_is_without_marks() {
    let text = |source: &str| headings(source).remove(0).text;
    assert_eq!(
        text("# *The* **alert** `T` in_a_name _so_"),
        "The alert T in_a_name so"
    );
    assert_eq!(
        text("# [words](https://x.y/z) and ![picture](a.png)!"),
        "words and picture!"
    );
    assert_eq!(text("# a [not] link \\*star\\*"), "a [not] link *star*");
    assert_eq!(text("# C#"), "C#");
    assert_eq!(text("# Überfall 😀 #"), "Überfall 😀");
}

#[test]
fn a_title_of_any_length_is_read_at_once() {
    let brackets = format!("# é{}", "[".repeat(2_000_000));
    assert_eq!(headings(&brackets)[0].text.chars().count(), LONGEST_TITLE);
}

fn document(cells: &[&str]) -> Document {
    let mut notebook = Notebook::new();
    notebook.cells = cells
        .iter()
        .map(|source| match source.strip_prefix("py ") {
            Some(code) => Cell::code(code),
            None => Cell::markdown(*source),
        })
        .collect();
    Document::from_notebook(notebook, 1)
}

#[test]
fn the_outline_follows_one_cell_at_a_time() {
    let mut document = document(&["# A\n\n## B", "py # no", "## C"]);
    let mut outline = Outline::new(&document);
    let shown = |outline: &Outline, document: &Document| -> Vec<String> {
        let entries = outline.entries(document);
        entries
            .map(|entry| format!("{}.{} {}", entry.key.0, entry.nth, entry.heading.text))
            .collect()
    };
    assert_eq!(shown(&outline, &document), ["0.0 A", "0.1 B", "2.0 C"]);
    let key = document.keys()[2];
    assert!(!outline.update(&document, key));
    if let Some(cell) = document.cell_mut(key) {
        cell.source = "### D".into();
    }
    assert!(outline.update(&document, key));
    document.move_to(key, 0);
    assert_eq!(shown(&outline, &document), ["2.0 D", "0.0 A", "0.1 B"]);
    assert_eq!(outline.level(document.keys()[1]), Some(1));
    assert_eq!(outline.level(document.keys()[2]), None);
}

#[test]
fn a_collapsed_heading_hides_down_to_the_next_as_high() {
    let mut document = document(&["## a", "py 1", "### b", "# c", "py 2", "## d", "py 3"]);
    let outline = Outline::new(&document);
    let keys = document.keys().to_vec();
    let hidden = |document: &Document| -> Vec<usize> {
        let hidden = outline.hidden(document);
        (0..keys.len())
            .filter(|at| hidden.contains(&keys[*at]))
            .collect()
    };
    assert_eq!(hidden(&document), [0; 0]);
    document.set_heading_collapsed(keys[0], true);
    assert_eq!(hidden(&document), [1, 2]);
    document.set_heading_collapsed(keys[5], true);
    assert_eq!(hidden(&document), [1, 2, 6]);
    document.set_heading_collapsed(keys[3], true);
    assert_eq!(hidden(&document), [1, 2, 4, 5, 6]);
    document.set_heading_collapsed(keys[1], true);
    assert_eq!(hidden(&document), [1, 2, 4, 5, 6], "code has no section");
    assert_eq!(outline.above(&document, keys[6]), [keys[5], keys[3]]);
    assert_eq!(outline.parent(&document, keys[0]), None);
}

#[test]
fn a_cell_becomes_a_heading() {
    assert_eq!(as_heading("text\nmore", 2), "## text\nmore");
    assert_eq!(as_heading("#### text", 1), "# text");
    assert_eq!(as_heading("", 3), "### ");
    assert_eq!(as_heading("  #tag", 1), "# tag");
}
