//! A result's rows as events on lanes. Events are buttons, walked through with the arrow keys; where they are too many,
//! bins of them are, and a bin opens into its part of time.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use spoor_messages::results::{Answer, Ask, Lane, Timeline, TimelineSpec};
use wasm_bindgen::prelude::*;
use web_sys::{Element, Event, HtmlElement, HtmlSelectElement, KeyboardEvent};

use super::actions;
use super::context::Context;
use crate::dom::{self, el};
use crate::help::Keys;
use crate::words::counted;

/// What its keys do.
pub const KEYS: Keys = &[
    ("Go from event to event", &["Left", "Right"]),
    ("Go to the first or last event", &["Home", "End"]),
    ("Show the event's row, or a part of time", &["Enter"]),
];

struct View {
    context: Weak<Context>,
    spec: RefCell<TimelineSpec>,
    shown: RefCell<Option<Timeline>>,
    chart: HtmlElement,
    detail: HtmlElement,
    /// Counts questions: an older one's answer is not shown.
    asked: Cell<u32>,
}

/// Shows the timeline in `parent`, for as long as what is given back is kept; none without a datetime column.
pub(super) fn mount(context: &Rc<Context>, parent: &HtmlElement) -> Option<Rc<dyn Any>> {
    let spec = context.info.info.timeline.clone()?;
    let view = Rc::new(View {
        context: Rc::downgrade(context),
        spec: RefCell::new(spec),
        shown: RefCell::new(None),
        chart: el("div")
            .class("timeline")
            .attr("role", "group")
            .attr("aria-label", "Timeline")
            .build(),
        detail: el("p")
            .class("timeline-detail")
            .attr("aria-live", "polite")
            .build(),
        asked: Cell::new(0),
    });
    dom::append(parent, controls(context, &view));
    dom::append(parent, &view.chart);
    dom::append(parent, &view.detail);
    listen(&view);
    let weak = Rc::downgrade(&view);
    context.on_change(move || {
        let view = weak.upgrade();
        view.iter().for_each(View::ask);
        view.is_some()
    });
    view.ask();
    Some(view)
}

/// The choice of columns, and of the part of time.
fn controls(context: &Rc<Context>, view: &Rc<View>) -> HtmlElement {
    let spec = view.spec.borrow().clone();
    let columns = context.columns();
    let times = columns
        .iter()
        .enumerate()
        .filter(|(_, column)| column.ty == "datetime");
    let times: Vec<(u32, &str)> = times.map(|(at, c)| (at as u32, c.name.as_str())).collect();
    let all: Vec<(u32, &str)> = columns
        .iter()
        .enumerate()
        .map(|(at, c)| (at as u32, c.name.as_str()))
        .collect();
    let zoom = |label: &str, name: &str, by: f64| {
        let weak = Rc::downgrade(view);
        dom::button(label)
            .attr("aria-label", name)
            .on("click", move |_: Event| {
                if let Some(view) = weak.upgrade() {
                    view.zoom(by);
                }
            })
    };
    let weak = Rc::downgrade(view);
    el("div")
        .class("result-bar")
        .child(choice(
            view,
            "Time",
            &times,
            Some(spec.time),
            false,
            |spec, column| {
                if let Some(column) = column {
                    spec.time = column;
                    spec.range = None;
                }
            },
        ))
        .child(choice(
            view,
            "Label",
            &all,
            spec.label,
            true,
            |spec, column| spec.label = column,
        ))
        .child(choice(
            view,
            "Lanes",
            &all,
            spec.lane,
            true,
            |spec, column| spec.lane = column,
        ))
        .child(zoom("+", "Closer", 0.5))
        .child(zoom("−", "Further away", 2.0))
        .child(dom::button("All times").on("click", move |_: Event| {
            if let Some(view) = weak.upgrade() {
                view.change(|spec| spec.range = None);
            }
        }))
        .build()
}

fn choice(
    view: &Rc<View>,
    label: &str,
    columns: &[(u32, &str)],
    chosen: Option<u32>,
    none: bool,
    apply: impl Fn(&mut TimelineSpec, Option<u32>) + 'static,
) -> HtmlElement {
    let empty = none.then(|| el("option").attr("value", "").text("(none)"));
    let options = columns.iter().map(|(at, name)| {
        el("option")
            .attr("value", &at.to_string())
            .flag("selected", chosen == Some(*at))
            .text(name)
    });
    let select = el("select").children(empty).children(options);
    let element: HtmlSelectElement = select.cast();
    let weak = Rc::downgrade(view);
    let select = select.on("change", move |_: Event| {
        if let Some(view) = weak.upgrade() {
            view.change(|spec| apply(spec, element.value().parse().ok()));
        }
    });
    el("label").text(label).child(select).build()
}

fn listen(view: &Rc<View>) {
    let weak = Rc::downgrade(view);
    dom::on(&view.chart, "click", move |event: Event| {
        let target = event
            .target()
            .and_then(|target| target.dyn_into::<Element>().ok());
        if let (Some(view), Some(target)) = (weak.upgrade(), target) {
            view.open(&target);
        }
    });
    let weak = Rc::downgrade(view);
    dom::on(&view.chart, "keydown", move |event: KeyboardEvent| {
        let by = match event.key().as_str() {
            "ArrowRight" | "ArrowDown" => 1,
            "ArrowLeft" | "ArrowUp" => -1,
            "Home" => i32::MIN,
            "End" => i32::MAX,
            _ => return,
        };
        event.prevent_default();
        event.stop_propagation();
        if let Some(view) = weak.upgrade() {
            view.walk(by);
        }
    });
    let weak = Rc::downgrade(view);
    dom::on(&view.chart, "focusin", move |event: Event| {
        let target = event
            .target()
            .and_then(|target| target.dyn_into::<Element>().ok());
        let text = target.and_then(|target| target.get_attribute("title"));
        if let (Some(view), Some(text)) = (weak.upgrade(), text) {
            view.detail.set_text_content(Some(&text));
        }
    });
}

impl View {
    fn change(self: &Rc<Self>, change: impl FnOnce(&mut TimelineSpec)) {
        change(&mut self.spec.borrow_mut());
        self.ask();
    }

    fn ask(self: &Rc<Self>) {
        let Some(context) = self.context.upgrade() else {
            return;
        };
        let number = self.asked.get() + 1;
        self.asked.set(number);
        dom::set(&self.chart, "aria-busy", "true");
        let ask = Ask::Timeline {
            result: context.info.id,
            view: context.view(),
            spec: self.spec.borrow().clone(),
        };
        let weak = Rc::downgrade(self);
        context.ask(ask, move |answer, _| {
            if let Some(view) = weak.upgrade().filter(|view| view.asked.get() == number) {
                view.take(answer);
            }
        });
    }

    fn take(&self, answer: Answer) {
        dom::set(&self.chart, "aria-busy", "false");
        match answer {
            Answer::Timeline(timeline) => {
                self.draw(&timeline);
                *self.shown.borrow_mut() = Some(timeline);
            }
            Answer::Failed { message } => self.detail.set_text_content(Some(&message)),
            _ => {}
        }
    }

    fn draw(&self, timeline: &Timeline) {
        dom::clear(&self.chart);
        let mut said = counted(timeline.total.into(), "event");
        if timeline.timeless > 0 {
            said.push_str(&format!(
                ", {} without a time",
                counted(timeline.timeless.into(), "row")
            ));
        }
        self.detail.set_text_content(Some(&said));
        let marks = timeline.axis.iter().map(|(at, text)| {
            let mark = el("span").text(text);
            let _ = mark.style().set_property("left", &percent(*at));
            mark
        });
        let axis = el("div")
            .class("timeline-axis")
            .attr("aria-hidden", "true")
            .children(marks);
        dom::append(
            &self.chart,
            el("div")
                .class("timeline-lane")
                .child(el("span"))
                .child(axis),
        );
        for (number, lane) in timeline.lanes.iter().enumerate() {
            let track = el("div").class("timeline-track");
            let _ = track
                .style()
                .set_property("--levels", &lane.levels.to_string());
            let track = match lane.bins.is_empty() {
                true => track.children(events(timeline, number as u32)),
                false => track.children(bins(timeline, lane)),
            };
            let name = if lane.name.is_empty() {
                "(empty)"
            } else {
                &lane.name
            };
            let title = format!("{name}: {}", counted(lane.count.into(), "event"));
            let row = el("div")
                .class("timeline-lane")
                .attr("role", "group")
                .attr("aria-label", &title)
                .child(
                    el("span")
                        .class("timeline-name")
                        .attr("title", &title)
                        .text(name),
                )
                .child(track);
            dom::append(&self.chart, row);
        }
        if let Some(first) = self.buttons().first() {
            first.set_tab_index(0);
        }
    }

    fn buttons(&self) -> Vec<HtmlElement> {
        let Ok(found) = self.chart.query_selector_all("button") else {
            return Vec::new();
        };
        (0..found.length())
            .filter_map(|at| found.get(at)?.dyn_into().ok())
            .collect()
    }

    /// Goes to another event: one further, or the first or the last.
    fn walk(&self, by: i32) {
        let buttons = self.buttons();
        let now = dom::document().active_element();
        let at = buttons
            .iter()
            .position(|button| now.as_ref().is_some_and(|now| *now == **button));
        let last = buttons.len() as i32 - 1;
        let next = (at.unwrap_or(0) as i32)
            .saturating_add(by)
            .clamp(0, last.max(0));
        if let Some(button) = at.and_then(|at| buttons.get(at)) {
            button.set_tab_index(-1);
        }
        if let Some(button) = buttons.get(next as usize) {
            button.set_tab_index(0);
            let _ = button.focus();
        }
    }

    /// Opens what was chosen: an event's row, or a bin's part of time.
    fn open(self: &Rc<Self>, target: &Element) {
        let number = |name: &str| target.get_attribute(name)?.parse::<i64>().ok();
        if let (Some(row), Some(context)) = (number("data-row"), self.context.upgrade()) {
            let title = target.get_attribute("title").unwrap_or_default();
            actions::show_row(&context, row as u32, &title);
        } else if let (Some(from), Some(to)) = (number("data-from"), number("data-to")) {
            self.change(|spec| spec.range = Some((from, to)));
        }
    }

    /// Shows a part of time around the middle of what is shown, `by` times as long.
    fn zoom(self: &Rc<Self>, by: f64) {
        let Some((from, to)) = self.shown.borrow().as_ref().map(|timeline| timeline.range) else {
            return;
        };
        let middle = from.midpoint(to);
        let half = ((to.saturating_sub(from)) as f64 / 2.0 * by).max(1.0) as i64;
        let range = (
            middle.saturating_sub(half).max(0),
            middle.saturating_add(half),
        );
        self.change(|spec| spec.range = Some(range));
    }
}

fn events(timeline: &Timeline, lane: u32) -> Vec<HtmlElement> {
    let events = timeline
        .events
        .iter()
        .filter(|event| event.lane == lane)
        .map(|event| {
            let title = format!("{} {}", event.time, event.label);
            let button = dom::button("")
                .class("event")
                .attr("tabindex", "-1")
                .attr("title", &title)
                .attr("aria-label", &title)
                .attr("data-row", &event.row.to_string());
            let style = button.style();
            let _ = style.set_property("left", &percent(event.at));
            let _ = style.set_property("--level", &event.level.to_string());
            button.build()
        });
    events.collect()
}

fn bins(timeline: &Timeline, lane: &Lane) -> Vec<HtmlElement> {
    let most = timeline
        .lanes
        .iter()
        .flat_map(|lane| &lane.bins)
        .copied()
        .max()
        .unwrap_or(0)
        .max(1);
    let (from, to) = timeline.range;
    let width = from.abs_diff(to) / lane.bins.len().max(1) as u64 + 1;
    let full = lane
        .bins
        .iter()
        .enumerate()
        .filter(|(_, count)| **count > 0);
    let bins = full.map(|(at, count)| {
        let begin = from.saturating_add_unsigned(width.saturating_mul(at as u64));
        let end = begin.saturating_add_unsigned(width - 1);
        let title = format!(
            "{} here: open this part of time",
            counted((*count).into(), "event")
        );
        let button = dom::button("")
            .class("bin")
            .attr("tabindex", "-1")
            .attr("title", &title)
            .attr("aria-label", &title)
            .attr("data-from", &begin.to_string())
            .attr("data-to", &end.to_string());
        let style = button.style();
        let _ = style.set_property("left", &percent(at as f64 / lane.bins.len() as f64));
        let _ = style.set_property("width", &percent(1.0 / lane.bins.len() as f64));
        let height = (f64::from(*count) / f64::from(most)).sqrt();
        let _ = style.set_property("--full", &format!("{height:.3}"));
        button.build()
    });
    bins.collect()
}

fn percent(part: f64) -> String {
    format!("{:.3}%", part * 100.0)
}
