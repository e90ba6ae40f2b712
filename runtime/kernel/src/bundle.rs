//! A query's result as Jupyter shows it: text, HTML, a chart.

use serde_json::{Map, Value, json};
use spoor_chart::{Chart, Size, svg};
use spoor_kql_syntax::ast;
use spoor_protocol::{Provider, Told};
use spoor_table::{Table, format};

/// Rows in the HTML table and in the text grid.
const HTML_ROWS: usize = 100;
const TEXT_ROWS: usize = 20;
/// Characters in a line of the text grid.
const TEXT_WIDTH: usize = 160;

/// A query's result.
pub(crate) struct Answer {
    pub table: Table,
    pub render: Option<Render>,
    /// What plugins that it called answer beside its rows: further tables, and charts.
    pub more: Vec<Answer>,
    /// Where it comes from, if not from this kernel's data alone.
    pub origin: Option<Box<Origin>>,
}

impl Answer {
    /// A table and nothing else.
    pub(crate) fn of(table: Table) -> Self {
        Self {
            table,
            render: None,
            more: Vec::new(),
            origin: None,
        }
    }
}

/// Where a result comes from, and what is said of it there.
pub(crate) struct Origin {
    pub from: From,
    pub told: Told,
}

/// Who made a result.
pub(crate) enum From {
    /// Providers, one or several that ran parts of the query.
    Providers(Vec<Provider>),
    /// The kernel, of these kept results, which are not whole; of none where the query itself may have told less.
    Kept(Vec<String>),
}

/// Providers, for people.
fn listed(providers: &[Provider]) -> String {
    let all: Vec<String> = providers.iter().map(ToString::to_string).collect();
    all.join(", ")
}

/// The most reasons that a partial result is shown with.
const REASONS: usize = 5;

impl Origin {
    /// As messages' metadata and the guest have it.
    pub(crate) fn value(&self) -> Map<String, Value> {
        let mut about = Map::new();
        if let From::Providers(providers) = &self.from {
            let names = providers.iter().filter_map(|provider| match provider {
                Provider::Workspace(name) => Some(name.as_str()),
                Provider::Host => None,
            });
            let names: Vec<&str> = names.collect();
            match names.as_slice() {
                [] => {}
                [name] => drop(about.insert("workspace".into(), (*name).into())),
                names => drop(about.insert("workspaces".into(), names.into())),
            }
        }
        if !self.told.partial.is_empty() {
            about.insert("partial".into(), self.told.partial.clone().into());
        }
        if let Some(recorded) = &self.told.recorded {
            about.insert("recorded".into(), recorded.clone().into());
        }
        if let Some(statistics) = &self.told.statistics {
            about.insert("statistics".into(), statistics.clone());
        }
        about
    }

    /// What a table of this result lacks, with whose fault it is; nothing where it is whole.
    pub(crate) fn lacks(&self) -> Vec<String> {
        let partial = self.told.partial.iter();
        match &self.from {
            From::Providers(providers) if providers.len() == 1 => partial
                .map(|why| format!("{}: {why}", listed(providers)))
                .collect(),
            // Each says by itself whose it is.
            From::Providers(_) | From::Kept(_) => partial.cloned().collect(),
        }
    }

    /// What a reader has to know before the rows: that some are missing, and that they are not of today. None where there is
    /// nothing of the kind.
    pub(crate) fn notice(&self) -> Option<Map<String, Value>> {
        let mut lines = Vec::new();
        let partial = &self.told.partial;
        if !partial.is_empty() {
            let more = partial.len().saturating_sub(REASONS);
            let mut reasons = partial[..partial.len() - more].join("; ");
            if more > 0 {
                reasons.push_str(&format!("; and {more} more"));
            }
            let told = match &self.from {
                From::Providers(providers) => format!("of {}: {reasons}", listed(providers)),
                From::Kept(tables) if tables.is_empty() => format!("of this query: {reasons}"),
                From::Kept(tables) => {
                    format!("made of {}, not whole: {reasons}", tables.join(" and "))
                }
            };
            lines.push(("Partial result", told));
        }
        if let (Some(recorded), From::Providers(providers)) = (&self.told.recorded, &self.from) {
            let told = format!("from {} on {recorded}", listed(providers));
            lines.push(("Recorded", told));
        }
        if lines.is_empty() {
            return None;
        }
        let marked = |(what, told): &(&str, String)| {
            format!(
                "<p class=\"spoor-note\"><strong>{what}</strong> {}</p>\n",
                escaped(told)
            )
        };
        let html: String = lines.iter().map(marked).collect();
        let lines: Vec<String> = lines
            .iter()
            .map(|(what, told)| format!("{what} {told}"))
            .collect();
        let data = [("text/html", html), ("text/plain", lines.join("\n"))];
        Some(
            data.map(|(mime, text)| (mime.into(), text.into()))
                .into_iter()
                .collect(),
        )
    }
}

/// What the query's `render` asks for; a list is several properties of one name.
pub(crate) struct Render {
    pub kind: String,
    pub properties: Vec<(String, String)>,
}

impl Render {
    /// Reads the syntax of `render` in the query `text`.
    pub(crate) fn read(render: &ast::Render, text: &str) -> Self {
        let value = |expr: &ast::Expr| match &expr.kind {
            ast::ExprKind::Literal(ast::Literal::String(value)) => value.clone(),
            ast::ExprKind::Name(name) => name.clone(),
            _ => text.get(expr.span.range()).unwrap_or_default().to_string(),
        };
        let properties = render
            .properties
            .iter()
            .map(|p| (p.name.text.clone(), value(&p.value)));
        Self {
            kind: render.kind.text.clone(),
            properties: properties.collect(),
        }
    }

    /// As the guest sees it.
    pub(crate) fn value(&self) -> Value {
        json!({ "kind": self.kind, "properties": self.properties })
    }
}

/// The MIME bundle of a result.
///
/// With a chart there is no `text/html`: front ends would show it in the chart's stead.
pub(crate) fn bundle(result: &Answer) -> Map<String, Value> {
    let (chart, note) = chart(result);
    let mut text = format::grid(
        &result.table,
        format::GridOptions {
            rows: TEXT_ROWS,
            width: TEXT_WIDTH,
        },
    );
    let mut data = Map::new();
    match chart {
        Some((chart, picture)) => {
            data.insert("image/svg+xml".into(), picture.into());
            data.insert(spoor_chart::MIME.into(), chart);
        }
        None => {
            let mut html = format::html(&result.table, HTML_ROWS);
            if let Some(note) = &note {
                html.push_str(&paragraph(note));
            }
            data.insert("text/html".into(), html.into());
        }
    }
    if let Some(note) = note {
        text.push_str(&format!("\n{note}"));
    }
    data.insert("text/plain".into(), text.into());
    data
}

/// The chart and its picture, or why there is none though the query asks for one.
fn chart(result: &Answer) -> (Option<(Value, String)>, Option<String>) {
    let Some(render) = result
        .render
        .as_ref()
        .filter(|r| !r.kind.eq_ignore_ascii_case("table"))
    else {
        return (None, None);
    };
    let drawn = Chart::from_table(&result.table, &render.kind, &render.properties)
        .and_then(|chart| Ok((svg(&chart, Size::natural(&chart))?, chart)));
    match drawn {
        Ok((picture, chart)) => match serde_json::to_value(&chart) {
            Ok(value) => (Some((value, picture)), None),
            Err(error) => (None, Some(error.to_string())),
        },
        Err(error) => (None, Some(error.to_string())),
    }
}

fn paragraph(note: &str) -> String {
    format!("<p class=\"spoor-note\">{}</p>\n", escaped(note))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
