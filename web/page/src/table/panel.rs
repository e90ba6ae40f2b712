//! A column's panel: its order, its width, its filter and its figures.

use std::rc::Rc;

use spoor_messages::results::{Answer, Ask, Histogram, Stats, Test};
use web_sys::{Event, HtmlElement, HtmlInputElement, HtmlSelectElement, KeyboardEvent};

use super::context::Context;
use super::grid::{Grid, with};
use crate::dom::{self, el};
use crate::words::grouped;

/// Pixels by which the buttons make a column wider or narrower.
const STEP: f64 = 40.0;

/// Characters of a frequent value that are shown.
const SHOWN: usize = 200;

/// The conditions to choose from, by their names in messages; `1` and `2` say how many values they take.
const TESTS: [(&str, &str, u8); 11] = [
    ("contains", "contains", 1),
    ("not_contains", "does not contain", 1),
    ("equals", "equals", 1),
    ("not_equals", "does not equal", 1),
    ("greater", "is greater than", 1),
    ("at_least", "is at least", 1),
    ("less", "is less than", 1),
    ("at_most", "is at most", 1),
    ("between", "is between", 2),
    ("empty", "is empty", 0),
    ("not_empty", "is not empty", 0),
];

/// Opens the panel of a column below its header, in place of any other.
pub(super) fn open(grid: &Rc<Grid>, column: u32) {
    let context = &grid.context;
    let (Some(about), Some(head)) = (
        context.columns().get(column as usize),
        grid.header.cell(column),
    ) else {
        return;
    };
    let Some(body) = grid.element().parent_element() else {
        return;
    };
    close(grid);
    let panel = el("div")
        .class("panel")
        .attr("role", "dialog")
        .attr("aria-label", &format!("Column {}", about.name))
        .attr("tabindex", "-1");
    let weak = Rc::downgrade(grid);
    let shut = dom::button("×")
        .class("panel-close")
        .attr("aria-label", "Close")
        .on("click", {
            let weak = weak.clone();
            move |_: Event| with(&weak, leave)
        });
    let figures = el("div")
        .class("panel-figures")
        .attr("aria-live", "polite")
        .build();
    let panel = panel
        .child(
            el("p")
                .class("panel-title")
                .text(&about.name)
                .child(el("small").text(&format!(" {}", about.ty))),
        )
        .child(shut)
        .child(order(grid, column))
        .child(filter(context, column))
        .child(&figures)
        .on("keydown", move |event: KeyboardEvent| {
            // The notebook's own keys are not for a panel.
            event.stop_propagation();
            if event.key() == "Escape" {
                with(&weak, leave);
            }
        })
        .build();
    let left = head.offset_left() - grid.element().scroll_left();
    let most = (grid.element().client_width() - 330).max(0);
    let _ = panel
        .style()
        .set_property("left", &format!("{}px", left.clamp(0, most)));
    dom::append(&body, &panel);
    let first = panel
        .query_selector("select, button:not(.panel-close)")
        .ok()
        .flatten();
    let _ = match first.and_then(|first| wasm_bindgen::JsCast::dyn_into::<HtmlElement>(first).ok())
    {
        Some(first) => first.focus(),
        None => panel.focus(),
    };
    ask_figures(context, column, &figures);
    let (weak, shown) = (Rc::downgrade(context), figures);
    context.on_change(move || {
        // Of a panel that was closed nobody hears any more.
        let open = weak.upgrade().filter(|_| shown.is_connected());
        if let Some(context) = &open {
            ask_figures(context, column, &shown);
        }
        open.is_some()
    });
}

fn close(grid: &Grid) {
    let body = grid.element().parent_element();
    let open = body.and_then(|body| body.query_selector(":scope > .panel").ok().flatten());
    if let Some(open) = open {
        open.remove();
    }
}

fn leave(grid: &Rc<Grid>) {
    close(grid);
    grid.focus();
}

/// The buttons that order rows and make the column wider or narrower.
fn order(grid: &Rc<Grid>, column: u32) -> HtmlElement {
    let sort = |label: &str, ascending: bool| {
        let weak = Rc::downgrade(grid);
        dom::button(label).on("click", move |_: Event| {
            with(&weak, |grid| {
                let sort = spoor_messages::results::Sort { column, ascending };
                grid.context.change(|view| view.sorts = vec![sort]);
            });
        })
    };
    let width = |label: &str, name: &str, by: f64| {
        let weak = Rc::downgrade(grid);
        dom::button(label)
            .attr("aria-label", name)
            .on("click", move |_: Event| {
                with(&weak, |grid| {
                    grid.header
                        .set_width(column, grid.header.width(column) + by);
                    grid.widths_changed();
                });
            })
    };
    el("div")
        .class("buttons")
        .child(sort("↑ Ascending", true))
        .child(sort("↓ Descending", false))
        .child(width("−", "Narrower", -STEP))
        .child(width("+", "Wider", STEP))
        .build()
}

/// The form of the column's filter, with what it is now.
fn filter(context: &Rc<Context>, column: u32) -> HtmlElement {
    let options = TESTS
        .iter()
        .map(|(name, label, _)| el("option").attr("value", name).text(label));
    let choice = el("select")
        .attr("aria-label", "Condition")
        .children(options);
    let field = |label: &str| {
        el("input")
            .attr("type", "text")
            .attr("aria-label", label)
            .attr("spellcheck", "false")
    };
    let (value, other) = (field("Value"), field("and"));
    let select: HtmlSelectElement = choice.cast();
    let inputs: [HtmlInputElement; 2] = [value.cast(), other.cast()];
    let view = context.view();
    let now = view.filters.iter().find(|filter| filter.column == column);
    fill(&select, &inputs, now.map(|filter| &filter.test));
    let fits = {
        let (select, inputs) = (select.clone(), inputs.clone());
        move || {
            let values = TESTS
                .iter()
                .find(|test| test.0 == select.value())
                .map_or(1, |test| test.2);
            inputs[0].set_hidden(values < 1);
            inputs[1].set_hidden(values < 2);
        }
    };
    fits();
    let weak = Rc::downgrade(context);
    let clears = weak.clone();
    let clear = dom::button("Clear").on("click", move |_: Event| {
        if let Some(context) = clears.upgrade() {
            context.filter(column, None);
        }
    });
    el("form")
        .child(choice.on("change", move |_: Event| fits()))
        .child(value)
        .child(other)
        .child(
            el("div")
                .class("buttons")
                .child(el("button").attr("type", "submit").text("Filter"))
                .child(clear),
        )
        .on("submit", move |event: Event| {
            event.prevent_default();
            if let Some(context) = weak.upgrade() {
                let test = test(&select.value(), inputs[0].value(), inputs[1].value());
                context.filter(column, Some(test));
            }
        })
        .build()
}

fn test(name: &str, value: String, other: String) -> Test {
    match name {
        "not_contains" => Test::NotContains(value),
        "equals" => Test::Equals(value),
        "not_equals" => Test::NotEquals(value),
        "greater" => Test::Greater(value),
        "at_least" => Test::AtLeast(value),
        "less" => Test::Less(value),
        "at_most" => Test::AtMost(value),
        "between" => Test::Between(value, other),
        "empty" => Test::Empty,
        "not_empty" => Test::NotEmpty,
        _ => Test::Contains(value),
    }
}

fn fill(select: &HtmlSelectElement, inputs: &[HtmlInputElement; 2], test: Option<&Test>) {
    let (name, value, other) = match test {
        Some(Test::Contains(value)) => ("contains", value.as_str(), ""),
        Some(Test::NotContains(value)) => ("not_contains", value.as_str(), ""),
        Some(Test::Equals(value)) => ("equals", value.as_str(), ""),
        Some(Test::NotEquals(value)) => ("not_equals", value.as_str(), ""),
        Some(Test::Greater(value)) => ("greater", value.as_str(), ""),
        Some(Test::AtLeast(value)) => ("at_least", value.as_str(), ""),
        Some(Test::Less(value)) => ("less", value.as_str(), ""),
        Some(Test::AtMost(value)) => ("at_most", value.as_str(), ""),
        Some(Test::Between(low, high)) => ("between", low.as_str(), high.as_str()),
        Some(Test::Empty) => ("empty", "", ""),
        Some(Test::NotEmpty) => ("not_empty", "", ""),
        Some(Test::OneOf(values)) => ("equals", values.first().map_or("", String::as_str), ""),
        None => ("contains", "", ""),
    };
    select.set_value(name);
    inputs[0].set_value(value);
    inputs[1].set_value(other);
}

/// Asks for the column's figures over the rows that are shown, and shows them when they are there.
fn ask_figures(context: &Rc<Context>, column: u32, into: &HtmlElement) {
    into.set_text_content(Some("Counting …"));
    let ask = Ask::Stats {
        result: context.info.id,
        view: context.view(),
        column,
    };
    let (weak, into) = (Rc::downgrade(context), into.clone());
    context.ask(ask, move |answer, _| {
        let Some(context) = weak.upgrade() else {
            return;
        };
        dom::clear(&into);
        match answer {
            Answer::Stats(stats) => show(&context, &into, &stats),
            Answer::Failed { message } => into.set_text_content(Some(&message)),
            _ => {}
        }
    });
}

fn show(context: &Rc<Context>, into: &HtmlElement, stats: &Stats) {
    let mut figures = el("dl");
    let counts = [
        ("Rows", Some(grouped(stats.rows.into()))),
        ("Empty", Some(grouped(stats.empty.into()))),
        ("Distinct", Some(grouped(stats.distinct.into()))),
        ("Minimum", stats.min.clone()),
        ("Maximum", stats.max.clone()),
        ("Mean", stats.mean.clone()),
    ];
    for (name, figure) in counts {
        if let Some(figure) = figure {
            figures = figures
                .child(el("dt").text(name))
                .child(el("dd").attr("title", &figure).text(&figure));
        }
    }
    dom::append(into, figures);
    if let Some(histogram) = stats.histogram.as_ref().filter(|_| stats.distinct > 1) {
        dom::append(into, bars(histogram));
    }
    if !stats.top.is_empty() {
        dom::append(into, el("p").class("panel-part").text("Most frequent"));
        dom::append(into, top(context, stats));
    }
}

/// The histogram, with its counts in words for those who do not see it.
fn bars(histogram: &Histogram) -> HtmlElement {
    let most = histogram.counts.iter().copied().max().unwrap_or(0).max(1);
    let bounds = &histogram.bounds;
    let bars = histogram
        .counts
        .iter()
        .zip(bounds.iter().zip(bounds.iter().skip(1)))
        .map(|(count, (from, to))| {
            let bar = el("span").attr(
                "title",
                &format!("{from} to {to}: {}", grouped((*count).into())),
            );
            let height = f64::from(*count) / f64::from(most) * 100.0;
            let _ = bar.style().set_property("height", &format!("{height:.1}%"));
            bar
        });
    let (first, last) = (bounds.first(), bounds.last());
    let (first, last) = (
        first.map_or("", String::as_str),
        last.map_or("", String::as_str),
    );
    let label = format!(
        "Histogram from {first} to {last}; the fullest bin has {}",
        grouped(most.into())
    );
    el("div")
        .class("bars")
        .attr("role", "img")
        .attr("aria-label", &label)
        .children(bars)
        .build()
}

/// The most frequent values; each is a button that filters by it.
fn top(context: &Rc<Context>, stats: &Stats) -> HtmlElement {
    let column = stats.column;
    let items = stats.top.iter().map(|(value, count)| {
        let weak = Rc::downgrade(context);
        let wanted = value.clone();
        let shown: String = value.chars().take(SHOWN).collect();
        let button = dom::button("")
            .attr("title", &format!("Show only rows with {shown}"))
            .child(el("span").text(&shown))
            .child(el("small").text(&grouped((*count).into())))
            .on("click", move |_: Event| {
                if let Some(context) = weak.upgrade() {
                    context.filter(column, Some(Test::OneOf(vec![wanted.clone()])));
                }
            });
        el("li").child(button)
    });
    el("ol").class("top").children(items).build()
}
