//! A query's result as Jupyter shows it: text, HTML, a chart.

use serde_json::{Map, Value, json};
use spoor_chart::{Chart, Size, svg};
use spoor_kql_syntax::ast;
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
                html.push_str(&format!("<p class=\"spoor-note\">{}</p>\n", escaped(note)));
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

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
