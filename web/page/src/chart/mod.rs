//! A chart that a reader explores, on a canvas.
//!
//! [`mount`] builds it into an element and gives back what keeps it alive. What is under the
//! pointer, what a zoom shows and where everything stands is `spoor-chart`'s [`Figure`]; here are
//! the elements around it and the events that reach it. Two canvases lie upon each other, so that
//! what follows the pointer is drawn without drawing the chart again.

mod controls;
mod keys;
mod paint;
mod pointer;
mod save;
mod table;
mod theme;

pub use keys::KEYS;

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use spoor_chart::{Chart, Figure, Hit, Palette, Size};
use wasm_bindgen::prelude::*;
use web_sys::{Element, HtmlCanvasElement, HtmlElement, ResizeObserver};

use crate::dom::{self, El, el};

/// What is shown where the plot has no size yet.
const FIRST: (f64, f64) = (760.0, 320.0);

/// A mounted chart. Dropping it takes the chart off the page.
pub struct ChartView {
    shared: Rc<RefCell<Inner>>,
    resized: ResizeObserver,
    _on_resize: Closure<dyn FnMut()>,
    _theme: theme::Watch,
}

impl ChartView {
    /// The chart's outermost element.
    pub fn element(&self) -> HtmlElement {
        self.shared.borrow().parts.root.clone()
    }
}

impl Drop for ChartView {
    fn drop(&mut self) {
        self.resized.disconnect();
        self.shared.borrow().parts.root.remove();
    }
}

/// The elements of a chart.
struct Parts {
    root: HtmlElement,
    /// What has the focus and hears the pointer.
    plot: HtmlElement,
    base: HtmlCanvasElement,
    above: HtmlCanvasElement,
    tip: HtmlElement,
    live: HtmlElement,
    legend: HtmlElement,
    reset: HtmlElement,
    table: HtmlElement,
}

/// A chart on the page: what is shown, and where.
struct Inner {
    figure: Figure,
    parts: Parts,
    palette: Palette,
    /// Where a drag began, in logical pixels from the plot's left edge.
    drag: Option<f64>,
    /// Whether the next frame draws the chart, and whether it draws what follows the pointer.
    stale: (bool, bool),
}

type Shared = Weak<RefCell<Inner>>;

/// Builds `chart` into `parent`.
pub fn mount(parent: &Element, chart: Chart) -> ChartView {
    let height = Size::natural(&chart).height;
    let parts = parts(&chart, height);
    dom::append(parent, &parts.root);
    let palette = theme::palette(&parts.plot);
    let inner = Inner {
        figure: Figure::new(chart, FIRST),
        parts,
        palette,
        drag: None,
        stale: (false, false),
    };
    let shared = Rc::new(RefCell::new(inner));
    let weak = Rc::downgrade(&shared);
    controls::build(&shared);
    pointer::listen(&shared.borrow().parts.plot, &weak);
    keys::listen(&shared.borrow().parts.plot, &weak);
    let on_resize = {
        let weak = weak.clone();
        Closure::<dyn FnMut()>::new(move || update(&weak, Inner::resize))
    };
    // A browser without the observer is older than any that runs WebAssembly of today.
    let resized = ResizeObserver::new(on_resize.as_ref().unchecked_ref()).unwrap_throw();
    resized.observe(&shared.borrow().parts.plot);
    let theme = theme::Watch::new(&weak);
    update(&weak, Inner::resize);
    ChartView {
        shared,
        resized,
        _on_resize: on_resize,
        _theme: theme,
    }
}

/// Changes a chart that is still there, then draws in the next frame what the change made stale.
fn update(shared: &Shared, change: impl FnOnce(&mut Inner)) {
    let Some(strong) = shared.upgrade() else {
        return;
    };
    // An event in the midst of a change (a button that loses the focus as it is hidden) is not one
    // of the reader's.
    let Ok(mut inner) = strong.try_borrow_mut() else {
        return;
    };
    let waiting = inner.stale != (false, false);
    change(&mut inner);
    if waiting || inner.stale == (false, false) {
        return;
    }
    let shared = shared.clone();
    dom::next_frame(move || {
        if let Some(strong) = shared.upgrade()
            && let Ok(mut inner) = strong.try_borrow_mut()
        {
            inner.draw();
        }
    });
}

fn parts(chart: &Chart, height: u32) -> Parts {
    let root = el("figure").class("chart");
    let canvas = |class| el("canvas").class(class).attr("aria-hidden", "true");
    let (base, above) = (canvas("chart-base"), canvas("chart-above"));
    let tip = el("div")
        .class("chart-tip")
        .flag("hidden", true)
        .attr("aria-hidden", "true");
    let live = el("p").class("chart-live").attr("role", "status");
    let legend = el("div")
        .class("chart-legend")
        .attr("role", "group")
        .attr("aria-label", "Series shown");
    let table = el("div").class("chart-table").flag("hidden", true);
    let plot = el("div")
        .class("chart-plot")
        .attr("tabindex", "0")
        .attr("role", "application")
        .attr("aria-roledescription", "chart")
        .attr("aria-label", &chart.describe())
        .attr("aria-description", keys::HELP)
        .children([&base, &above])
        .child(&tip);
    let _ = plot.style().set_property("height", &format!("{height}px"));
    let tools = el("div").class("chart-tools");
    let reset = dom::button("Reset zoom")
        .class("chart-reset")
        .flag("hidden", true);
    let tools = tools.child(&legend).child(&reset);
    let root = match &chart.title {
        Some(title) => root.child(el("figcaption").text(title)),
        None => root,
    };
    let root = root.child(&tools).child(&plot).child(&table).child(&live);
    let root = match &chart.note {
        Some(note) => root.child(el("p").class("chart-note").text(note)),
        None => root,
    };
    Parts {
        root: root.build(),
        plot: plot.build(),
        base: base.cast(),
        above: above.cast(),
        tip: tip.build(),
        live: live.build(),
        legend: legend.build(),
        reset: reset.build(),
        table: table.build(),
    }
}

impl Inner {
    /// Lays the chart out anew for the size that the plot has, and draws it.
    fn resize(&mut self) {
        let size = (
            f64::from(self.parts.plot.client_width()),
            f64::from(self.parts.plot.client_height()),
        );
        // Hidden elements have no size; they get one when they are shown.
        if size.0 < 1.0 || size.1 < 1.0 {
            return;
        }
        self.figure.resize(size);
        self.changed();
    }

    /// What is shown has changed: a zoom, a series, a size, a theme.
    fn changed(&mut self) {
        self.stale = (true, true);
        self.hide_tip();
        let zoomed = self.figure.view().zoom.is_some();
        dom::flag(&self.parts.reset, "hidden", !zoomed);
    }

    /// Shows what the pointer or a key has found.
    fn show(&mut self, hit: Option<&Hit>) {
        self.stale.1 = true;
        let Some(hit) = hit else {
            return self.hide_tip();
        };
        dom::clear(&self.parts.tip);
        for line in &hit.lines {
            dom::append(&self.parts.tip, el("div").text(line));
        }
        dom::flag(&self.parts.tip, "hidden", false);
        paint::place(&self.parts.tip, &self.parts.plot, hit.at);
    }

    fn hide_tip(&self) {
        dom::flag(&self.parts.tip, "hidden", true);
    }

    /// Points at nothing any more.
    fn leave(&mut self) {
        self.figure.leave();
        self.show(None);
    }

    /// Shows the whole range again; gives whether anything changed.
    fn reset(&mut self) -> bool {
        let changed = self.figure.reset();
        if changed {
            self.changed();
            self.say("Shows everything.");
        }
        changed
    }

    /// Tells a screen reader.
    fn say(&self, text: &str) {
        self.parts.live.set_text_content(Some(text));
    }

    /// Tells a screen reader which range a zoom has left.
    fn say_zoom(&self) {
        let Some((from, to)) = self.figure.view().zoom else {
            return;
        };
        let at = |x| self.figure.chart().x.text(x);
        self.say(&format!("Shows {} to {}.", at(from), at(to)));
    }
}

/// A button of the chart's tools.
fn tool(label: &str, shared: &Shared, pressed: impl Fn(&mut Inner) + 'static) -> El {
    let shared = shared.clone();
    dom::button(label).on("click", move |_: web_sys::MouseEvent| {
        update(&shared, &pressed)
    })
}
