//! A MIME bundle as HTML: the best of its formats that a page without scripts can show, and a note
//! of what was left out.

use serde_json::Value;

use super::finish::Finisher;
use super::text::{counted, escaped, size};
use super::{Page, css, image, json_view, sanitize, stream};
use crate::model::Bundle;

/// Formats that a static page shows, the best first.
const STATIC: [&str; 11] = [
    "text/html",
    "image/svg+xml",
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "image/bmp",
    "text/markdown",
    "text/latex",
    "application/json",
    "application/geo+json",
];

/// Formats that need a script, and what people call them.
const SCRIPTED: [(&str, &str); 9] = [
    (
        "application/vnd.jupyter.widget-view+json",
        "An interactive widget",
    ),
    (
        "application/vnd.plotly.v1+json",
        "An interactive Plotly chart",
    ),
    (
        "application/vnd.vegalite.",
        "An interactive Vega-Lite chart",
    ),
    ("application/vnd.vega.", "An interactive Vega chart"),
    ("application/vnd.bokehjs_load.", "Bokeh's loader script"),
    ("application/vnd.bokehjs_exec.", "An interactive Bokeh plot"),
    ("application/vnd.holoviews_", "A HoloViews script"),
    ("application/javascript", "JavaScript"),
    ("text/javascript", "JavaScript"),
];

const WIDGET: &str = "application/vnd.jupyter.widget-view+json";
const CHART: &str = "application/vnd.spoor.chart+json";

/// Part of the style that pandas gives every frame, for alignment that this page sees to itself.
const PANDAS_STYLE: &str = ".dataframe tbody tr th:only-of-type";

/// HTML longer than this is folded.
const FOLD_OVER: usize = 200_000;

/// Formats that are a script.
const JAVASCRIPT: [&str; 2] = ["application/javascript", "text/javascript"];

/// The document of an output that runs scripts, as it came.
pub(crate) fn scripted(bundle: &Bundle) -> Option<String> {
    let html = bundle.data.get("text/html").and_then(text);
    if let Some(html) = html {
        let mut tags = html.split('<').skip(1);
        let runs = tags.any(|rest| begins(rest, "script"));
        return runs.then(|| html.to_owned());
    }
    let script = JAVASCRIPT.iter().find_map(|mime| bundle.data.get(*mime));
    Some(format!("<script>{}</script>", script.and_then(text)?))
}

/// The bundle as HTML.
pub(crate) fn to_html(page: &mut Page<'_>, bundle: &Bundle) -> String {
    if let Some(chart) = chart(page, bundle) {
        return chart;
    }
    let mut notes = Vec::new();
    let best = STATIC.iter().find_map(|mime| {
        let value = bundle.data.get(*mime)?;
        static_format(page, bundle, mime, value, &mut notes)
    });
    if best.is_none() {
        notes.extend(scripted_note(page, bundle));
    }
    let body = best.or_else(|| plain(bundle)).unwrap_or_default();
    if body.is_empty() && notes.is_empty() {
        notes.extend(unknown_note(bundle));
    }
    let notes: String = notes
        .iter()
        .map(|note| format!("<p class=\"note\">{note}</p>"))
        .collect();
    format!("{notes}{body}")
}

/// A chart of ours: its picture, and the rows that it was drawn from behind a line to click.
fn chart(page: &mut Page<'_>, bundle: &Bundle) -> Option<String> {
    bundle.data.get(CHART)?;
    let svg = text(bundle.data.get("image/svg+xml")?)?;
    let picture = html(page, svg, true, &mut Vec::new())?;
    let table = bundle.data.get("text/html").and_then(text);
    let table = table.and_then(|table| html(page, table, false, &mut Vec::new()));
    let rows = table
        .or_else(|| plain(bundle))
        .map(|rows| fold("Rows", &rows));
    Some(picture + &rows.unwrap_or_default())
}

fn static_format(
    page: &mut Page<'_>,
    bundle: &Bundle,
    mime: &str,
    value: &Value,
    notes: &mut Vec<String>,
) -> Option<String> {
    match mime {
        "text/html" => html(page, text(value)?, false, notes),
        "image/svg+xml" => html(page, text(value)?, true, notes),
        "text/markdown" => Some(format!(
            "<div class=\"md\">{}</div>",
            page.markdown(text(value)?, None)
        )),
        "text/latex" => Some(format!(
            "<div class=\"md\">{}</div>",
            page.latex(text(value)?)
        )),
        "application/json" | "application/geo+json" => Some(json_view::to_html(value)),
        _ => picture(bundle, mime, text(value)?),
    }
}

fn text(value: &Value) -> Option<&str> {
    value.as_str()
}

fn picture(bundle: &Bundle, mime: &str, base64: &str) -> Option<String> {
    let url = image::from_base64(mime, base64)?;
    let metadata = bundle
        .metadata
        .get(mime)
        .and_then(Value::as_object)
        .unwrap_or(&bundle.metadata);
    let mut sizes = String::new();
    for name in ["width", "height"] {
        if let Some(pixels) = metadata
            .get(name)
            .and_then(Value::as_f64)
            .filter(|pixels| (1.0..1e5).contains(pixels))
        {
            sizes += &format!(" {name}=\"{}\"", pixels.round());
        }
    }
    let alt = bundle
        .data
        .get("text/plain")
        .and_then(Value::as_str)
        .unwrap_or("output");
    let alt = alt.trim_start_matches('<').trim_end_matches('>');
    Some(format!(
        "<div class=\"paper\"><img src=\"{url}\" alt=\"{}\"{sizes}></div>",
        escaped(alt)
    ))
}

/// HTML or SVG, sanitised, in a scope of its own. None if nothing of it shows.
fn html(
    page: &mut Page<'_>,
    source: &str,
    is_picture: bool,
    notes: &mut Vec<String>,
) -> Option<String> {
    let scope = page.next_scope();
    let Some(clean) = sanitize::clean(source) else {
        let words = format!(
            "HTML source, {}: too long or too deep to be shown as HTML here",
            size(source.len())
        );
        return Some(fold(
            &words,
            &format!("<pre class=\"text\">{}</pre>", escaped(source)),
        ));
    };
    notes.extend(left_out(source));
    if !shows(&clean) {
        return None;
    }
    let styles = css::stylesheet(&style_elements(source), &scope);
    let images = |source: &str| page.embedded.picture(source, page.cell, None, page.options);
    let finisher = Finisher {
        scope: Some(&scope),
        outline: &mut page.outline,
        images: &images,
    };
    let finished = finisher.finish(&clean);
    let is_painted = is_picture
        || finished.is_painted
        || styles.contains("background")
        || styles.contains("color:");
    let style = if styles.is_empty() {
        String::new()
    } else {
        format!("<style>{styles}</style>")
    };
    let paper = if is_painted { " paper" } else { "" };
    let body = format!(
        "{style}<div class=\"html {scope}{paper}\">{}</div>",
        finished.html
    );
    if is_picture || source.len() <= FOLD_OVER {
        return Some(body);
    }
    let rows = finished.html.matches("<tr").count();
    let what = if rows > 1 {
        format!("A table of {}", counted(rows, "row"))
    } else {
        "HTML".to_owned()
    };
    Some(fold(
        &format!("{what}, {}", size(finished.html.len())),
        &body,
    ))
}

fn fold(summary: &str, body: &str) -> String {
    format!("<details class=\"fold\"><summary>{summary}</summary>{body}</details>")
}

/// Whether sanitised HTML has anything to see.
fn shows(clean: &str) -> bool {
    let elements = [
        "<img",
        "<svg",
        "<table",
        "<hr",
        "<input",
        "<math",
        "<meter",
        "<progress",
    ];
    elements.iter().any(|element| clean.contains(element))
        || !super::text::text_of(clean).trim().is_empty()
}

/// The content of all style elements. Read roughly, for it is parsed as CSS afterwards.
fn style_elements(html: &str) -> String {
    let mut styles = String::new();
    let mut ends = 0;
    for (at, _) in html.match_indices('<') {
        if at < ends || !begins(&html[at + 1..], "style") {
            continue;
        }
        let Some(start) = html[at..].find('>').map(|end| at + end + 1) else {
            break;
        };
        let end = html[start..]
            .match_indices("</")
            .find(|(end, _)| begins(&html[start + end + 2..], "style"));
        ends = end.map_or(html.len(), |(end, _)| start + end);
        let style = &html[start..ends];
        if !style.contains(PANDAS_STYLE) {
            styles.push_str(style);
            styles.push('\n');
        }
    }
    styles
}

/// Whether `html` begins with this element's name, in whatever case.
fn begins(html: &str, name: &str) -> bool {
    html.as_bytes()
        .get(..name.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()))
}

/// What sanitising takes out of an output that its reader would miss.
fn left_out(html: &str) -> Option<String> {
    let kinds = [
        ("script", "script"),
        ("iframe", "embedded frame"),
        ("object", "embedded object"),
        ("video", "video"),
        ("audio", "sound"),
        ("canvas", "canvas"),
    ];
    let mut counts = kinds.map(|_| 0);
    let mut links = String::new();
    for rest in html.split('<').skip(1) {
        let Some(kind) = kinds.iter().position(|(tag, _)| begins(rest, tag)) else {
            continue;
        };
        counts[kind] += 1;
        if let Some(url) = web_source(rest).filter(|_| begins(rest, "iframe")) {
            links += &format!(
                " <a href=\"{0}\" rel=\"noopener noreferrer\">{0}</a>",
                escaped(&url)
            );
        }
    }
    let found = kinds.iter().zip(counts).filter(|(_, count)| *count > 0);
    let found: Vec<String> = found
        .map(|((_, name), count)| counted(count, name))
        .collect();
    (!found.is_empty()).then(|| format!("Left out of this output: {}.{links}", found.join(", ")))
}

/// Where a tag's `src` leads, if to the web.
fn web_source(tag: &str) -> Option<String> {
    let tag = tag.split('>').next().unwrap_or(tag);
    let source = tag.split_once("src=")?.1.trim_start_matches(['"', '\'']);
    let url = source
        .split(['"', '\'', ' ', '\n'])
        .next()
        .unwrap_or_default();
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    is_web.then(|| super::text::unescaped(url))
}

fn scripted_note(page: &Page<'_>, bundle: &Bundle) -> Option<String> {
    let (mime, name) = bundle.data.keys().find_map(|mime| {
        let known = SCRIPTED.iter().find(|(start, _)| mime.starts_with(start))?;
        Some((mime, known.1))
    })?;
    if mime == WIDGET {
        return Some(widget_note(page, bundle));
    }
    let bytes = bundle.data.get(mime).map_or(0, length);
    Some(format!(
        "{name} was left out ({}): this page runs no scripts.",
        size(bytes)
    ))
}

fn widget_note(page: &Page<'_>, bundle: &Bundle) -> String {
    let id = bundle
        .data
        .get(WIDGET)
        .and_then(|view| view.get("model_id"))
        .and_then(Value::as_str);
    match id.map(|id| page.has_widget_state(id)) {
        Some(true) => "An interactive widget was left out: this page runs no scripts. Its text form follows.".to_owned(),
        _ => "An interactive widget was left out: the notebook was saved without the widget's state, so only its \
              text form is left."
            .to_owned(),
    }
}

fn plain(bundle: &Bundle) -> Option<String> {
    let text = bundle.data.get("text/plain").and_then(Value::as_str)?;
    let is_stand_in = text.starts_with("<IPython.") && text.ends_with('>');
    (!is_stand_in && !text.is_empty()).then(|| stream::to_html(text, "text"))
}

fn unknown_note(bundle: &Bundle) -> Option<String> {
    let others: Vec<String> = bundle
        .data
        .iter()
        .map(|(mime, value)| format!("{} ({})", escaped(mime), size(length(value))))
        .collect();
    (!others.is_empty()).then(|| {
        format!(
            "An output in a format that this page cannot show: {}.",
            others.join(", ")
        )
    })
}

fn length(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(list) => list.iter().map(|item| length(item) + 2).sum(),
        Value::Object(map) => map
            .iter()
            .map(|(key, item)| key.len() + length(item) + 4)
            .sum(),
        _ => 4,
    }
}
