//! One cell as HTML: its code or text, and its outputs.

use std::borrow::Cow;

use super::text::{counted, escaped};
use super::visibility::{self, Shown};
use super::{Page, bundle, code, stream};
use crate::language::{Language, cell_magic};
use crate::model::{Cell, CellKind, Output};

/// Longer sources are folded.
const LONGEST_SOURCE: usize = 60_000;
/// Tracebacks with more lines are folded: the line above them says what happened.
const LONGEST_TRACEBACK: usize = 30;

/// The cell as HTML; empty if its tags leave it out, or there is nothing in it.
pub(crate) fn to_html(page: &mut Page<'_>, cell: &Cell) -> String {
    let is_blank = cell.source.trim().is_empty() && cell.outputs().is_empty();
    if visibility::is_removed(cell) || is_blank {
        return String::new();
    }
    match &cell.kind {
        CellKind::Code {
            execution_count,
            outputs,
        } => code_cell(page, cell, *execution_count, outputs),
        CellKind::Markdown => {
            let html = page.markdown(&cell.source, cell.attachments.as_ref());
            format!("<section class=\"cell md\">{html}</section>\n")
        }
        CellKind::Raw => raw_cell(page, cell),
        CellKind::Other(name) => {
            let note = format!(
                "A cell of the type {}, which this page does not know:",
                escaped(name)
            );
            format!(
                "<section class=\"cell\"><p class=\"note\">{note}</p>{}</section>\n",
                pre(&cell.source)
            )
        }
    }
}

fn pre(text: &str) -> String {
    format!("<pre class=\"text\">{}</pre>", escaped(text))
}

/// A raw cell is text for a converter; that to HTML and Markdown is here.
fn raw_cell(page: &mut Page<'_>, cell: &Cell) -> String {
    let key = |name: &str| cell.metadata.get(name).and_then(serde_json::Value::as_str);
    let format = key("raw_mimetype")
        .or_else(|| key("format"))
        .unwrap_or_default();
    match format {
        "text/html" | "text/markdown" => {
            let html = page.markdown(&cell.source, cell.attachments.as_ref());
            format!("<section class=\"cell md\">{html}</section>\n")
        }
        _ => format!(
            "<section class=\"cell raw\">{}</section>\n",
            pre(&cell.source)
        ),
    }
}

fn code_cell(page: &mut Page<'_>, cell: &Cell, count: Option<i64>, outputs: &[Output]) -> String {
    let failed = outputs
        .iter()
        .any(|output| matches!(output, Output::Error { .. }));
    let class = if failed {
        "cell code failed"
    } else {
        "cell code"
    };
    let mut out = format!("<section class=\"{class}\">");
    let source = source(page, cell);
    match visibility::source(cell) {
        Shown::Open if cell.source.len() <= LONGEST_SOURCE => out += &with_count(&source, count),
        Shown::Removed => {}
        _ => {
            let lines = counted(cell.source.lines().count(), "line");
            let fold = format!(
                "<details class=\"fold\"><summary>Code, {lines}</summary>{source}</details>"
            );
            out += &with_count(&fold, count);
        }
    }
    let shown = visibility::outputs(cell);
    if !outputs.is_empty() && shown != Shown::Removed {
        out += &outputs_html(page, cell, outputs, shown);
    }
    out.push_str("</section>\n");
    out
}

fn with_count(source: &str, count: Option<i64>) -> String {
    let label = count.map_or_else(|| "[ ]".to_owned(), |count| format!("[{count}]"));
    let title = count.map_or_else(
        || "Not executed".to_owned(),
        |count| format!("Execution {count}"),
    );
    format!(
        "<div class=\"in\"><span class=\"count\" title=\"{title}\">{label}</span>{source}</div>"
    )
}

fn source(page: &Page<'_>, cell: &Cell) -> String {
    let language = cell.language(&page.language);
    let (badge, code) = badge(&cell.source, &language, &page.language);
    let code = code::highlight(code.trim_matches('\n'), &language);
    let badge = badge
        .map(|badge| format!("<span class=\"badge\">{}</span>", escaped(&badge)))
        .unwrap_or_default();
    if code.is_empty() {
        return format!("<div class=\"src\">{badge}</div>");
    }
    format!("<div class=\"src\">{badge}<pre><code>{code}</code></pre></div>")
}

/// What a badge says of the cell's language, and the code below it: `%%kql --as x` is said by the
/// badge and left out of the code.
fn badge<'c>(
    source: &'c str,
    language: &Language,
    default: &Language,
) -> (Option<String>, &'c str) {
    let magic = cell_magic(source).map(Language::from_name);
    if *language == Language::Kql && magic == Some(Language::Kql) {
        let start = source.trim_start();
        let (first, code) = start.split_once('\n').unwrap_or((start, ""));
        let options: Vec<&str> = first.split_whitespace().skip(1).collect();
        let words = match options.as_slice() {
            [] => "KQL".to_owned(),
            ["--as", name] => format!("KQL → {name}"),
            more => format!("KQL {}", more.join(" ")),
        };
        return (Some(words), code);
    }
    let differs = language != default || *language == Language::Kql;
    (differs.then(|| language.label().to_owned()), source)
}

fn outputs_html(page: &mut Page<'_>, cell: &Cell, outputs: &[Output], shown: Shown) -> String {
    let scrolled = if visibility::is_scrolled(cell) {
        " scrolled"
    } else {
        ""
    };
    let body: String = coalesced(outputs)
        .iter()
        .map(|output| output_html(page, output))
        .collect();
    let out = format!("<div class=\"out{scrolled}\">{body}</div>");
    if shown == Shown::Open {
        return out;
    }
    let what = counted(outputs.len(), "output");
    format!("<details class=\"fold outputs\"><summary>{what}</summary>{out}</details>")
}

/// The outputs, with text to the same stream in a row made one: some tools save it in pieces, and a
/// progress bar writes over the piece before. Text that is blank goes.
fn coalesced(outputs: &[Output]) -> Vec<Cow<'_, Output>> {
    let mut all: Vec<Cow<'_, Output>> = Vec::new();
    for output in outputs {
        if let Output::Stream {
            name, text: more, ..
        } = output
            && let Some(last) = all.last_mut()
            && matches!(&**last, Output::Stream { name: same, .. } if same == name)
        {
            if let Output::Stream { text, .. } = last.to_mut() {
                text.push_str(more);
            }
            continue;
        }
        all.push(Cow::Borrowed(output));
    }
    all.retain(
        |output| !matches!(&**output, Output::Stream { text, .. } if text.trim().is_empty()),
    );
    all
}

pub(super) fn output_html(page: &mut Page<'_>, output: &Output) -> String {
    match output {
        Output::Stream { name, text, .. } if name == "stderr" => stream::to_html(text, "text err"),
        Output::Stream { text, .. } => stream::to_html(text, "text"),
        Output::DisplayData(data) | Output::ExecuteResult { bundle: data, .. } => {
            format!(
                "<div class=\"result\">{}</div>",
                bundle::to_html(page, data)
            )
        }
        Output::Error {
            ename,
            evalue,
            traceback,
            ..
        } => error(ename, evalue, traceback),
        Output::Other(object) => {
            let name = object
                .get("output_type")
                .and_then(serde_json::Value::as_str)
                .unwrap_or_default();
            let text = serde_json::to_string_pretty(object).unwrap_or_default();
            let note = format!(
                "An output of the type {}, which this page does not know:",
                escaped(name)
            );
            format!(
                "<p class=\"note\">{note}</p>{}",
                stream::to_html(&text, "text")
            )
        }
    }
}

/// The error in a line, and the traceback below it; a long one behind a line to click.
fn error(ename: &str, evalue: &str, traceback: &[String]) -> String {
    let summary = evalue.lines().next().unwrap_or_default();
    let joined = if traceback.is_empty() {
        evalue.to_owned()
    } else {
        traceback.join("\n")
    };
    let lines = joined.lines().count();
    let is_told = traceback.is_empty() && lines < 2;
    let body = if is_told {
        String::new()
    } else {
        stream::to_html(&joined, "text")
    };
    let body = if lines > LONGEST_TRACEBACK {
        format!(
            "<details class=\"fold\"><summary>Traceback, {lines} lines</summary>{body}</details>"
        )
    } else {
        body
    };
    format!(
        "<div class=\"error\"><p><b>{}</b> {}</p>{body}</div>",
        escaped(ename),
        escaped(summary)
    )
}
