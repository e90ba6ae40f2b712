//! A chart's data as a table, for those who read figures rather than pictures.

use spoor_chart::Rows;
use web_sys::MouseEvent;

use super::{Inner, Shared, update};
use crate::dom::{self, El, button as plain_button, el};

/// The most rows of the table; the query's result has them all.
const ROWS: usize = 1_000;

/// The button that changes between picture and table.
pub(super) fn button(shared: &Shared) -> El {
    let shared = shared.clone();
    let button = plain_button("Show as table").attr("aria-pressed", "false");
    let own = button.clone();
    button.on("click", move |_: MouseEvent| {
        update(&shared, |inner| {
            let shown = inner.toggle_table();
            let pressed = if shown { "true" } else { "false" };
            dom::set(&own, "aria-pressed", pressed);
        });
    })
}

impl Inner {
    /// Changes between picture and table; gives whether the table is shown now.
    fn toggle_table(&mut self) -> bool {
        let show = self.parts.table.has_attribute("hidden");
        if show {
            let chart = self.figure.chart();
            let table = build(&chart.rows(ROWS), &chart.describe());
            dom::clear(&self.parts.table);
            dom::append(&self.parts.table, &table);
        }
        dom::flag(&self.parts.table, "hidden", !show);
        dom::flag(&self.parts.plot, "hidden", show);
        if !show {
            self.resize();
        }
        show
    }
}

fn build(rows: &Rows, about: &str) -> El {
    let heads = rows
        .header
        .iter()
        .map(|name| el("th").attr("scope", "col").text(name));
    let head = el("thead").child(el("tr").children(heads));
    let body = el("tbody").children(rows.rows.iter().map(|row| line(row)));
    let table = el("table")
        .child(el("caption").text(about))
        .child(head)
        .child(body);
    // What scrolls has to be reachable by keyboard, and so named.
    let scroll = el("div")
        .class("chart-scroll")
        .attr("tabindex", "0")
        .attr("role", "region")
        .attr("aria-label", "Table of the chart's data")
        .child(table);
    if rows.left_out == 0 {
        return scroll;
    }
    let more = format!("{} more rows are in the query's result.", rows.left_out);
    el("div").child(scroll).child(el("p").text(&more))
}

fn line(row: &[String]) -> El {
    let cells = row.iter().enumerate().map(|(i, text)| {
        if i == 0 {
            el("th").attr("scope", "row").text(text)
        } else {
            el("td").text(text)
        }
    });
    el("tr").children(cells)
}
