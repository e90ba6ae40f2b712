//! What pages show. `tests/pages/*.case` hold a notebook's cells and what its page must and must not
//! hold; the hostile ones are tried with one judge: nothing in the page runs or loads.
//!
//! A case begins with `=== name`. Then come parts, each begun by a line `--- KIND`: `markdown`,
//! `code`, `raw` make cells; `html`, `svg`, `latex`, `md`, `stdout`, `stderr`, `json`, `error` and
//! `mime TYPE` give the cell before them an output; `tags` tags it; `metadata` is the notebook's;
//! `attachment NAME` attaches base64 of a PNG; `has` and `lacks` list texts, one a line.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;

use serde_json::{Value, json};
use spoor_notebook::{Bundle, Cell, Notebook, Object, Output, RenderOptions, render};

struct Case {
    name: String,
    notebook: Notebook,
    has: Vec<String>,
    lacks: Vec<String>,
}

fn cases(file: &str) -> Vec<Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/pages")
        .join(file);
    let text = std::fs::read_to_string(path).unwrap();
    text.split("\n=== ").skip(1).map(case).collect()
}

fn case(text: &str) -> Case {
    let (name, body) = text.split_once('\n').unwrap();
    let mut case = Case {
        name: name.to_owned(),
        notebook: Notebook::new(),
        has: vec![],
        lacks: vec![],
    };
    for part in format!("\n{body}").split("\n--- ").skip(1) {
        let (head, content) = part.split_once('\n').unwrap_or((part, ""));
        let (kind, argument) = head.split_once(' ').unwrap_or((head, ""));
        add(
            &mut case,
            kind,
            argument,
            &content.replace("\\e", "\u{1b}").replace("\\r", "\r"),
        );
    }
    case
}

fn add(case: &mut Case, kind: &str, argument: &str, content: &str) {
    let lines = || {
        content
            .lines()
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let cells = &mut case.notebook.cells;
    match kind {
        "markdown" => cells.push(Cell::markdown(content)),
        "code" => cells.push(Cell::code(content)),
        "raw" => {
            let mut cell = Cell::markdown(content);
            cell.kind = spoor_notebook::CellKind::Raw;
            cell.metadata
                .insert("raw_mimetype".to_owned(), Value::from(argument));
            cells.push(cell);
        }
        "tags" => {
            let tags: Vec<&str> = content.split_whitespace().collect();
            cells
                .last_mut()
                .unwrap()
                .metadata
                .insert("tags".to_owned(), Value::from(tags));
        }
        "cell-metadata" => {
            cells.last_mut().unwrap().metadata = serde_json::from_str(content).unwrap()
        }
        "attachment" => {
            let files = cells
                .last_mut()
                .unwrap()
                .attachments
                .get_or_insert_default();
            files.insert(argument.to_owned(), json!({"image/png": content.trim()}));
        }
        "metadata" => case.notebook.metadata = serde_json::from_str(content).unwrap(),
        "has" => case.has = lines(),
        "lacks" => case.lacks = lines(),
        _ => cells
            .last_mut()
            .unwrap()
            .outputs_mut()
            .unwrap()
            .push(output(kind, argument, content)),
    }
}

fn output(kind: &str, argument: &str, content: &str) -> Output {
    let mime = match kind {
        "html" => "text/html",
        "svg" => "image/svg+xml",
        "latex" => "text/latex",
        "md" => "text/markdown",
        "mime" => argument,
        "stdout" | "stderr" => {
            return Output::Stream {
                name: kind.to_owned(),
                text: content.to_owned(),
                extra: Object::new(),
            };
        }
        "error" => {
            let mut lines = content.lines();
            let (ename, evalue) = (
                lines.next().unwrap_or_default(),
                lines.next().unwrap_or_default(),
            );
            let traceback = lines.map(str::to_owned).collect();
            return Output::Error {
                ename: ename.into(),
                evalue: evalue.into(),
                traceback,
                extra: Object::new(),
            };
        }
        "bundle" => {
            let data = serde_json::from_str(content).unwrap();
            return Output::DisplayData(Bundle {
                data,
                ..Bundle::default()
            });
        }
        other => panic!("no part is called {other}"),
    };
    let value = if mime.ends_with("json") {
        serde_json::from_str(content).unwrap()
    } else {
        Value::from(content)
    };
    let data = Object::from_iter([(mime.to_owned(), value)]);
    Output::DisplayData(Bundle {
        data,
        ..Bundle::default()
    })
}

fn page(notebook: &Notebook) -> String {
    let png = [0x89, b'P', b'N', b'G', 13, 10, 26, 10];
    let images = |path: &str| (path == "beside me.png").then(|| png.to_vec());
    render(
        notebook,
        &RenderOptions {
            title: Some("untitled"),
            images: Some(&images),
        },
    )
}

/// The page without its head and style.
fn body(notebook: &Notebook) -> String {
    page(notebook)
        .split_once("<body")
        .unwrap()
        .1
        .replace(" rel=\"noopener noreferrer\"", "")
}

#[test]
fn pages_show_what_they_should() {
    for case in cases("shown.case") {
        let body = body(&case.notebook);
        assert!(
            !case.has.is_empty() || !case.lacks.is_empty(),
            "{} asks for nothing",
            case.name
        );
        for text in &case.has {
            assert!(
                body.contains(text.as_str()),
                "{}: lacks {text}\n{body}",
                case.name
            );
        }
        for text in &case.lacks {
            assert!(
                !body.contains(text.as_str()),
                "{}: has {text}\n{body}",
                case.name
            );
        }
    }
}

#[test]
fn hostile_notebooks_run_and_load_nothing() {
    for case in cases("hostile.case") {
        let page = page(&case.notebook);
        judge(&case.name, &page);
        let page = page.split_once("<body").unwrap().1;
        for text in &case.lacks {
            assert!(
                !page.contains(text.as_str()),
                "{}: has {text}\n{page}",
                case.name
            );
        }
        for text in &case.has {
            assert!(
                page.contains(text.as_str()),
                "{}: lacks {text}\n{page}",
                case.name
            );
        }
    }
}

/// Reads every tag of a page as a browser would, and fails for one that runs, loads or submits.
fn judge(name: &str, page: &str) {
    let fail = |what: &str, tag: &str| panic!("{name}: {what} in <{tag}>\n{page}");
    for (element, attributes, tag) in tags(page) {
        let forbidden = [
            "script",
            "iframe",
            "object",
            "embed",
            "base",
            "link",
            "form",
            "audio",
            "video",
            "foreignobject",
            "animate",
            "set",
        ];
        if forbidden.contains(&element.as_str()) {
            fail("a forbidden element", &tag);
        }
        for (attribute, value) in attributes {
            let plain: String = value
                .to_ascii_lowercase()
                .chars()
                .filter(|c| !c.is_whitespace() && !c.is_control())
                .collect();
            if attribute.starts_with("on") || attribute == "srcdoc" || attribute == "formaction" {
                fail("an event handler", &tag);
            }
            let leads_out = ["javascript:", "vbscript:", "data:text"]
                .iter()
                .any(|scheme| plain.starts_with(scheme));
            if leads_out && !matches!(attribute.as_str(), "alt" | "title") {
                fail("a URL that runs", &tag);
            }
            if attribute == "src" && !plain.starts_with("data:image/") {
                fail("an image that loads", &tag);
            }
            if attribute == "style"
                && ["url(", "expression", "fixed", "@import"]
                    .iter()
                    .any(|word| plain.contains(word) && !plain.contains("url(#"))
            {
                fail("a style that reaches out", &tag);
            }
            if element == "use" && attribute.ends_with("href") && !plain.starts_with('#') {
                fail("a use of another document", &tag);
            }
        }
    }
    for style in page
        .split("<style>")
        .skip(2)
        .filter_map(|rest| rest.split("</style>").next())
    {
        let plain = style.to_ascii_lowercase();
        assert!(
            !plain.contains("url(") && !plain.contains("@import") && !plain.contains("fixed"),
            "{name}: {style}"
        );
    }
}

type Tags = Vec<(String, Vec<(String, String)>, String)>;

/// The tags of HTML, outside style elements.
fn tags(page: &str) -> Tags {
    let mut found = Vec::new();
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let end = quoted_end(rest);
        let tag = &rest[..end];
        let name_end = tag.find(|c: char| c.is_whitespace()).unwrap_or(tag.len());
        let element = tag[..name_end].to_ascii_lowercase();
        found.push((
            element.clone(),
            attributes(&tag[name_end..]),
            tag.to_owned(),
        ));
        rest = &rest[end..];
        if element == "style" {
            rest = &rest[rest.find("</style").unwrap_or(rest.len())..];
        }
    }
    found
}

fn quoted_end(tag: &str) -> usize {
    let mut quote = None;
    for (at, c) in tag.char_indices() {
        match (quote, c) {
            (None, '>') => return at,
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
    }
    tag.len()
}

fn attributes(mut rest: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    while let Some((name, after)) = rest.split_once('=') {
        let quote = after.chars().next().unwrap_or(' ');
        let value = after
            .trim_start_matches(quote)
            .split(quote)
            .next()
            .unwrap_or_default();
        let name = name.split_whitespace().last().unwrap_or_default();
        found.push((
            name.to_ascii_lowercase(),
            value.replace("&amp;", "&").replace("&quot;", "\""),
        ));
        let skip = after.find(value).unwrap_or(0) + value.len() + 1;
        rest = after.get(skip..).unwrap_or_default();
    }
    found
}

#[test]
fn markdown_by_itself_is_as_on_the_page() {
    let mut notebook = Notebook::new();
    notebook.cells = vec![
        Cell::markdown("[a](#the-end)"),
        Cell::code("1"),
        Cell::markdown("## The End"),
    ];
    let cells = spoor_notebook::render_markdown(&notebook);
    assert_eq!(
        cells.iter().map(|(index, _)| *index).collect::<Vec<_>>(),
        [0, 2]
    );
    assert!(cells[0].1.contains("href=\"#The-End\""));
    let page = page(&notebook);
    assert!(cells.iter().all(|(_, html)| page.contains(html.trim())));
}

#[test]
fn a_policy_stands_behind_the_sanitiser() {
    let page = page(&Notebook::new());
    let policy = "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'";
    assert!(page.contains(policy));
    assert!(page.find(policy) < page.find("<style>"));
}

#[test]
fn a_small_notebook_makes_a_small_page() {
    let mut notebook = Notebook::new();
    notebook.cells = vec![Cell::markdown("# Title\n\nText."), Cell::code("print(1)")];
    assert!(page(&notebook).len() < 20_000);
}

#[test]
fn huge_outputs_are_folded_not_dropped() {
    let mut cell = Cell::code("x");
    let mut add = |kind: &str, text: &str| {
        cell.outputs_mut().unwrap().push(output(kind, "", text));
    };
    add("stdout", &"a line of plain text\n".repeat(5_000_000));
    add("stderr", &"a \u{1b}[31mred\u{1b}[0m line\n".repeat(100_000));
    add("html", &"<i>x</i> ".repeat(3_000_000));
    let notebook = Notebook {
        cells: vec![cell],
        ..Notebook::new()
    };
    let page = page(&notebook);
    assert_eq!(page.matches("a line of plain text").count(), 5_000_000);
    assert_eq!(
        page.matches("<span class=\"f1\">red</span>").count(),
        100_000
    );
    assert_eq!(page.matches("&lt;i&gt;x&lt;/i&gt;").count(), 3_000_000);
}

#[test]
fn an_image_in_many_places_is_embedded_a_few_times_and_then_named() {
    let base64 = "iVBO".repeat(1 << 18);
    let mut cell = Cell::markdown("![a plan](attachment:a.png)\n\n".repeat(1_000).as_str());
    cell.attachments = Some(Object::from_iter([(
        "a.png".to_owned(),
        json!({"image/png": base64}),
    )]));
    let notebook = Notebook {
        cells: vec![cell],
        ..Notebook::new()
    };
    let page = page(&notebook);
    assert!(page.len() < 16 << 20, "{} bytes", page.len());
    // Once, and the seven repeats for which eight megabytes have room.
    assert_eq!(page.matches("<img src=\"data:image/png").count(), 8);
    let note = "a plan (shown above, and too large to be here again: a.png)";
    assert_eq!(page.matches(note).count(), 992);
}

#[test]
fn a_file_beside_the_notebook_is_one_image_however_it_is_spelled() {
    let reads = std::cell::Cell::new(0);
    let images = |_: &str| {
        reads.set(reads.get() + 1);
        Some([&b"\x89PNG\r\n\x1a\n"[..], &[0; 3 << 20]].concat())
    };
    let source: String = (0..1_000)
        .map(|steps| format!("<img src=\"{}a.png\">", "./".repeat(steps % 50)))
        .collect();
    let notebook = Notebook {
        cells: vec![Cell::markdown(&source), Cell::markdown(&source)],
        ..Notebook::new()
    };
    let options = RenderOptions {
        title: None,
        images: Some(&images),
    };
    let page = render(&notebook, &options);
    assert_eq!(reads.get(), 2);
    assert_eq!(page.matches("<img src=\"data:image/png").count(), 2);
}

/// A pseudo-random source, so that a failure comes again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % (sides as u64)).unwrap()
    }

    fn pick<'t, T>(&mut self, from: &'t [T]) -> &'t T {
        &from[self.roll(from.len())]
    }

    fn text(&mut self) -> String {
        const PIECES: [&str; 40] = [
            "<",
            ">",
            "\"",
            "'",
            "&",
            "&lt;",
            "<b>",
            "</b>",
            "<svg>",
            "<math>",
            "<style>",
            "</style>",
            "<table>",
            "<td>",
            "<img src=x>",
            "<a href=#x>",
            "<!--",
            "-->",
            "#",
            "`",
            "```\n",
            "$",
            "$$",
            "\\frac{",
            "}",
            "[a](b)",
            "![",
            "|",
            "\n",
            "\n\n",
            "\r",
            "\u{8}",
            "\u{1b}[31m",
            "\u{1b}[2A",
            "\u{1b}]8;;",
            "é",
            "\u{f8f4}",
            "%%kql",
            "style=\"color:red\"",
            " ",
        ];
        (0..self.roll(12)).map(|_| *self.pick(&PIECES)).collect()
    }

    fn value(&mut self, depth: usize) -> Value {
        const KEYS: [&str; 14] = [
            "cell_type",
            "source",
            "metadata",
            "outputs",
            "output_type",
            "data",
            "text/html",
            "image/svg+xml",
            "text/plain",
            "tags",
            "spoor",
            "title",
            "name",
            "text",
        ];
        match self.roll(if depth == 0 { 4 } else { 6 }) {
            0 => Value::Null,
            1 => json!(self.roll(1000)),
            2 | 3 => Value::from(self.text()),
            4 => (0..self.roll(4)).map(|_| self.value(depth - 1)).collect(),
            _ => Value::Object(
                (0..self.roll(5))
                    .map(|_| ((*self.pick(&KEYS)).to_owned(), self.value(depth - 1)))
                    .collect(),
            ),
        }
    }

    /// An object near enough to what nbformat has there to be read.
    fn cell(&mut self) -> Value {
        let kinds = ["code", "markdown", "raw", "other"];
        let types = ["stream", "display_data", "execute_result", "error", "other"];
        let mimes = [
            "text/html",
            "image/svg+xml",
            "text/markdown",
            "text/latex",
            "text/plain",
            "application/json",
            "image/png",
        ];
        let outputs: Vec<Value> = (0..self.roll(3))
            .map(|_| {
                json!({"output_type": self.pick(&types), "name": "stdout", "text": self.text(), "ename": self.text(),
                    "traceback": [self.text()], "data": {*self.pick(&mimes): self.text()}, "metadata": {}})
            })
            .collect();
        let metadata =
            json!({"tags": self.value(2), "spoor": self.value(2), "jupyter": self.value(1)});
        json!({"cell_type": self.pick(&kinds), "source": self.text(), "metadata": metadata, "outputs": outputs,
            "attachments": {self.text(): {"image/png": self.text()}}})
    }
}

#[test]
fn any_json_is_read_or_refused_and_renders_harmlessly() {
    let mut dice = Dice(0x5eed_5eed);
    for round in 0..1_500 {
        let cells: Value = if dice.roll(4) == 0 {
            dice.value(5)
        } else {
            (0..dice.roll(4)).map(|_| dice.cell()).collect()
        };
        let metadata = json!({"spoor": {"title": dice.text(), "tags": dice.value(2)}, "title": dice.value(1), "kernelspec": dice.value(2)});
        let document = json!({"nbformat": 3 + dice.roll(2), "nbformat_minor": dice.value(0), "metadata": metadata, "cells": cells, "worksheets": [{"cells": cells}]});
        let Ok(notebook) = Notebook::from_slice(document.to_string().as_bytes()) else {
            continue;
        };
        judge(&format!("round {round}"), &page(&notebook));
        let again = Notebook::from_slice(&notebook.to_vec()).unwrap();
        assert_eq!(again.to_vec(), notebook.to_vec());
    }
}
