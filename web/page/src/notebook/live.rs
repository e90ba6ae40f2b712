//! What takes the place of a result's saved picture: its rows as a table that can be sorted and
//! searched, and its chart on a canvas.
//!
//! Rows come beside the kernel's message and are handed to the results' worker. They are shown where
//! the output is, whichever of the two is there first. Neither is saved: the file keeps the text, the
//! HTML and the chart's specification.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, Uint8Array};
use serde_json::{Map, Value};
use spoor_model::CellKey;
use spoor_notebook::Output;
use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlDetailsElement};

use super::{CellView, Screen};
use crate::dom::{self, el};
use crate::table::{self, ResultInfo, ResultsClient, TableView};
use crate::{chart, output::Shown};

impl Screen {
    /// Takes the rows that came with a result.
    pub(super) fn take_rows(
        self: &Rc<Self>,
        key: CellKey,
        metadata: &Map<String, Value>,
        buffers: &Array,
    ) {
        let result = metadata.get("spoor").and_then(|spoor| spoor.get("result"));
        let Some(result) = result else {
            return;
        };
        let nth = result.get("buffer").and_then(Value::as_u64).unwrap_or(0);
        let nth = u32::try_from(nth).unwrap_or(u32::MAX);
        let Ok(stream) = buffers.get(nth).dyn_into::<Uint8Array>() else {
            return;
        };
        let rows = result.get("rows").and_then(Value::as_u64).unwrap_or(0);
        let (Some(client), Some(view)) = (self.results(), self.view(key)) else {
            return;
        };
        let number = view.results.get() + 1;
        view.results.set(number);
        let weak = Rc::downgrade(self);
        client.open(&stream, rows, move |opened| {
            let Some(screen) = weak.upgrade() else {
                return;
            };
            let view = screen.view(key);
            let view = view.filter(|view| view.results.get() == number);
            match (opened, view) {
                (Ok(info), Some(view)) => {
                    view.rows.replace(Some(info));
                    view.keeping_focus(|| screen.enliven(&view, 0));
                }
                // The cell is gone, or has run again meanwhile.
                (Ok(_), None) => {}
                // The saved picture of the result stands.
                (Err(message), _) => screen.app.shell.say(&format!(
                    "The table of a result cannot be shown: {message}. Its first rows are there as text."
                )),
            }
        });
    }

    /// The worker that holds results, started when it is first wanted, and anew once it has failed.
    fn results(&self) -> Option<ResultsClient> {
        let mut slot = self.results.borrow_mut();
        if slot.as_ref().is_none_or(ResultsClient::has_failed) {
            match ResultsClient::start() {
                Ok(client) => *slot = Some(client),
                Err(thrown) => self.app.shell.say(&format!(
                    "Tables cannot be shown: their worker did not start ({thrown:?}). Reload the page."
                )),
            }
        }
        slot.clone()
    }

    /// Puts charts and tables in place of the saved pictures, in a cell's outputs from `from` on.
    pub(super) fn enliven(self: &Rc<Self>, view: &Rc<CellView>, from: usize) {
        let charts: Vec<Option<spoor_chart::Chart>> = {
            let state = self.state.borrow();
            let outputs = state.document().outputs(view.key);
            outputs.iter().map(chart_of).collect()
        };
        let last = {
            let state = self.state.borrow();
            let outputs = state.document().outputs(view.key);
            outputs
                .iter()
                .rposition(|output| matches!(output, Output::ExecuteResult { .. }))
        };
        let shown = view.shown.borrow();
        for (nth, chart) in charts.into_iter().enumerate().skip(from) {
            let (Some(chart), Some(shown)) = (chart, shown.get(nth)) else {
                continue;
            };
            show_chart(shown, chart);
        }
        let result = last
            .filter(|nth| *nth >= from)
            .and_then(|nth| shown.get(nth));
        if let Some(result) = result
            && let Some(info) = view.rows.borrow_mut().take()
        {
            show_rows(result, info);
        }
    }
}

/// The chart of an output, if it has one that reads.
fn chart_of(output: &Output) -> Option<spoor_chart::Chart> {
    let specification = output.bundle()?.data.get(spoor_chart::MIME)?;
    serde_json::from_value(specification.clone()).ok()
}

fn show_chart(shown: &Shown, chart: spoor_chart::Chart) {
    if shown.is_live() {
        return;
    }
    let place = el("div").class("live").build();
    shown.enliven(&place);
    let mounted = chart::mount(&place, chart);
    shown.keep(Box::new(mounted));
}

/// Rows under a chart.
enum Rows {
    /// Not looked at yet.
    Closed(ResultInfo),
    /// A table, which is kept for as long as the output is shown.
    Shown(#[expect(dead_code, reason = "kept, not read")] TableView),
}

/// Rows in place of the picture; under a chart they are there to be opened.
fn show_rows(shown: &Shown, info: ResultInfo) {
    let place = el("div").class("live").build();
    if !shown.is_live() {
        shown.enliven(&place);
        let mounted = table::mount(&place, info);
        return shown.keep(Box::new(mounted));
    }
    let details = el("details")
        .class("live rows")
        .child(el("summary").text("Rows"))
        .child(&place)
        .build();
    dom::append(&shown.root, &details);
    let rows = Rc::new(RefCell::new(Rows::Closed(info)));
    let opened: HtmlDetailsElement = details.clone().unchecked_into();
    // Held weakly, so that the rows are freed with the output.
    let weak = Rc::downgrade(&rows);
    shown.keep(Box::new(rows));
    dom::on(&details, "toggle", move |_: Event| {
        let Some(rows) = weak.upgrade().filter(|_| opened.open()) else {
            return;
        };
        let mounted = match &*rows.borrow() {
            Rows::Closed(info) => table::mount(&place, info.clone()),
            Rows::Shown(_) => return,
        };
        rows.replace(Rows::Shown(mounted));
    });
}
