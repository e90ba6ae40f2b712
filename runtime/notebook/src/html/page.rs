//! The document around the cells: head, card, outline, footer.

use std::borrow::Cow;
use std::fmt::Write;

use super::Page;
use super::text::escaped;
use crate::model::{Card, Notebook};

/// The style of what is in the page, then the page's own, which may differ from it.
const STYLE: &str = concat!(include_str!("content.css"), include_str!("style.css"));

/// Nothing is loaded, run, framed or submitted: images come as `data:`, styles are inline.
const POLICY: &str = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// The whole document.
pub(crate) fn document(notebook: &Notebook, page: &Page<'_>, cells: &str) -> String {
    let title = notebook
        .title()
        .or_else(|| page.options.title.map(str::to_owned));
    let title = escaped(title.as_deref().unwrap_or("Notebook"));
    let outline = page.outline.to_html();
    let mut out = String::with_capacity(cells.len() + STYLE.len() + 2048);
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"generator\" content=\"Spoor\">\n\
         <title>{title}</title>\n<style>\n{}</style>\n</head>\n",
        minified(STYLE)
    );
    let class = if outline.is_empty() {
        "plain"
    } else {
        "outlined"
    };
    let _ = writeln!(out, "<body class=\"{class}\">");
    if !outline.is_empty() {
        let _ = writeln!(
            out,
            "<nav class=\"outline\" aria-label=\"Outline\">{outline}</nav>"
        );
    }
    out.push_str("<main>\n");
    let card_of = notebook.card();
    let (title_id, cells) = without_title(cells, &card_of, page);
    out += &card(&card_of, title_id);
    if !outline.is_empty() {
        let _ = writeln!(
            out,
            "<details class=\"contents\"><summary>Contents</summary>{outline}</details>"
        );
    }
    out += &page.outline.settle(&cells);
    out += &footer(notebook);
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

/// The style sheet without its comments and indentation.
fn minified(css: &str) -> String {
    let mut out = String::with_capacity(css.len());
    for line in css.lines().map(str::trim) {
        if !line.is_empty() && !line.starts_with("/*") {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

/// The cells without their first heading and its id, where the card has the same words for title.
fn without_title<'c>(
    cells: &'c str,
    card: &Card,
    page: &Page<'_>,
) -> (Option<&'c str>, Cow<'c, str>) {
    let is_same = card.title.is_some() && page.outline.first_title() == card.title.as_deref();
    let found = || {
        let start = cells.find("<h1 id=\"").filter(|_| is_same)?;
        let end = start + cells[start..].find("</h1>")? + "</h1>".len();
        let id = cells[start..end].split('"').nth(1)?;
        Some((id, [&cells[..start], &cells[end..]].concat()))
    };
    match found() {
        Some((id, rest)) => (Some(id), Cow::Owned(rest)),
        None => (None, Cow::Borrowed(cells)),
    }
}

/// What the notebook says of itself; empty if it says nothing. `id` is the title's, escaped.
fn card(card: &Card, id: Option<&str>) -> String {
    if card.is_empty() {
        return String::new();
    }
    let mut out = String::from("<header class=\"card\">");
    if let Some(title) = &card.title {
        let id = id.map(|id| format!(" id=\"{id}\"")).unwrap_or_default();
        let _ = write!(out, "<h1{id}>{}</h1>", escaped(title));
    }
    if let Some(description) = &card.description {
        let _ = write!(out, "<p class=\"lead\">{}</p>", escaped(description));
    }
    let by: Vec<String> = [&card.author, &card.revised]
        .into_iter()
        .flatten()
        .map(|text| escaped(text))
        .collect();
    if !by.is_empty() {
        let _ = write!(out, "<p class=\"by\">{}</p>", by.join(" · "));
    }
    out.push_str(&facts(card));
    out.push_str("</header>\n");
    out
}

fn facts(card: &Card) -> String {
    let lists = [
        ("Needs", &card.data_types, true),
        ("From", &card.data_sources, false),
        ("Tags", &card.tags, false),
    ];
    let mut out = String::new();
    for (name, values, is_code) in lists.iter().filter(|(_, values, _)| !values.is_empty()) {
        let tag = if *is_code { "code" } else { "span" };
        let values: Vec<String> = values
            .iter()
            .map(|value| format!("<{tag}>{}</{tag}>", escaped(value)))
            .collect();
        let _ = write!(out, "<dt>{name}</dt><dd>{}</dd>", values.join(" "));
    }
    if out.is_empty() {
        out
    } else {
        format!("<dl>{out}</dl>")
    }
}

fn footer(notebook: &Notebook) -> String {
    let language = notebook.language();
    let kernel = notebook
        .metadata
        .get("kernelspec")
        .and_then(|spec| spec.get("display_name"))
        .and_then(|name| name.as_str());
    let kernel = escaped(kernel.unwrap_or(language.label()));
    format!("<footer>{kernel} notebook, rendered by Spoor</footer>\n")
}
