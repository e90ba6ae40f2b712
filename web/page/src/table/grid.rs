//! The table's rows: only those in view are elements, and the elements are used again.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use spoor_messages::results::{Answer, Ask, Row};
use wasm_bindgen::prelude::*;
use web_sys::{
    Element, Event, HtmlElement, KeyboardEvent, MouseEvent, PointerEvent, ResizeObserver,
};

use super::cache::Cache;
use super::context::Context;
use super::header::Header;
use super::scroll::Scroll;
use super::selection::{At, Move, Selection};
use super::{actions, panel};
use crate::dom::{self, el};
use crate::help::Keys;

/// What its keys do.
pub const KEYS: Keys = &[
    (
        "Go from value to value, and into the header",
        &["Up", "Down", "Left", "Right"],
    ),
    ("Go to the first or last row", &["Ctrl+Up", "Ctrl+Down"]),
    ("Go to the first or last column", &["Home", "End"]),
    ("Go a screen up or down", &["Page Up", "Page Down"]),
    ("Select from here on", &["Shift+Up", "Shift+Down"]),
    ("Select all", &["Ctrl+A"]),
    ("Copy what is selected", &["Ctrl+C"]),
    (
        "Show the whole value; sort by the column, in the header",
        &["Enter"],
    ),
    ("Open the column's filter and figures", &["Alt+Down"]),
];

/// A row's height in pixels, as the style sheet has it.
const ROW: f64 = 26.0;
/// Rows beyond those in view that are elements too.
const OVER: u32 = 6;

thread_local! {
    static GRIDS: Cell<u32> = const { Cell::new(0) };
}

/// A table.
pub(super) struct Grid {
    pub context: Rc<Context>,
    scroller: HtmlElement,
    body: HtmlElement,
    pub header: Header,
    lines: RefCell<Vec<Line>>,
    scroll: RefCell<Scroll>,
    cache: RefCell<Cache>,
    selection: RefCell<Selection>,
    /// Cells' ids begin with it.
    name: String,
    /// Rows are on their way.
    asked: Cell<bool>,
    /// Counts views: rows of an older one are not shown.
    epoch: Cell<u32>,
    drawing: Cell<bool>,
    observer: RefCell<Option<ResizeObserver>>,
}

/// A row's element and its cells.
struct Line {
    element: HtmlElement,
    cells: Vec<HtmlElement>,
    /// The row that it shows, and whether its values are there.
    shows: Option<(u32, bool)>,
}

impl Grid {
    pub(super) fn new(context: &Rc<Context>) -> Rc<Self> {
        let number = GRIDS.get();
        GRIDS.set(number + 1);
        let columns = context.columns().len() as u32;
        let scroller = el("div")
            .class("grid")
            .attr("role", "grid")
            .attr("tabindex", "0")
            .attr("aria-label", "Rows")
            .attr("aria-multiselectable", "true")
            .attr("aria-colcount", &columns.to_string())
            .build();
        let body = el("div")
            .class("grid-body")
            .attr("role", "rowgroup")
            .build();
        let name = format!("grid-{number}");
        let header = Header::new(context, &name);
        dom::append(&scroller, &header.element);
        dom::append(&scroller, &body);
        let grid = Rc::new(Self {
            context: context.clone(),
            scroller,
            body,
            header,
            lines: RefCell::default(),
            scroll: RefCell::new(Scroll::new(ROW)),
            cache: RefCell::default(),
            selection: RefCell::new(Selection::new(context.rows(), columns)),
            name,
            asked: Cell::new(false),
            epoch: Cell::new(0),
            drawing: Cell::new(false),
            observer: RefCell::new(None),
        });
        grid.listen();
        grid
    }

    pub(super) fn element(&self) -> &HtmlElement {
        &self.scroller
    }

    /// The table is in the document: it has a size now.
    pub(super) fn attached(self: &Rc<Self>) {
        self.header.apply_widths(&self.scroller);
        self.changed();
        let weak = Rc::downgrade(self);
        let resized = Closure::<dyn FnMut()>::new(move || with(&weak, |grid| grid.measure()));
        if let Ok(observer) = ResizeObserver::new(resized.into_js_value().unchecked_ref()) {
            observer.observe(&self.scroller);
            *self.observer.borrow_mut() = Some(observer);
        }
    }

    fn listen(self: &Rc<Self>) {
        let weak = Rc::downgrade(self);
        self.context.on_change({
            let weak = weak.clone();
            move || {
                with(&weak, |grid| grid.changed());
                true
            }
        });
        self.hear("scroll", |grid, _: Event| {
            let bar = f64::from(grid.scroller.scroll_top());
            grid.scroll.borrow_mut().scrolled(bar);
            grid.draw_soon();
        });
        self.hear("keydown", |grid, event: KeyboardEvent| grid.key(&event));
        self.hear("pointerdown", |grid, event: PointerEvent| {
            if event.button() == 0 {
                grid.point(&event, event.shift_key());
            }
        });
        self.hear("pointermove", |grid, event: PointerEvent| {
            // Touch scrolls; a mouse with its button down selects.
            if event.buttons() == 1 && event.pointer_type() == "mouse" && !grid.header.is_dragging()
            {
                grid.point(&event, true);
            }
        });
        self.hear("dblclick", |grid, _: MouseEvent| grid.show_value());
        self.header.listen(&weak);
    }

    fn hear<E>(self: &Rc<Self>, event: &str, heard: impl Fn(&Rc<Grid>, E) + 'static)
    where
        E: wasm_bindgen::convert::FromWasmAbi + 'static,
    {
        let weak = Rc::downgrade(self);
        dom::on(&self.scroller, event, move |event: E| {
            with(&weak, |grid| heard(grid, event));
        });
    }

    /// The view has other rows.
    fn changed(self: &Rc<Self>) {
        let rows = self.context.rows();
        self.epoch.set(self.epoch.get() + 1);
        self.asked.set(false);
        *self.cache.borrow_mut() = Cache::default();
        self.selection.borrow_mut().resize(rows);
        for line in self.lines.borrow_mut().iter_mut() {
            line.shows = None;
        }
        dom::set(
            &self.scroller,
            "aria-rowcount",
            &(u64::from(rows) + 1).to_string(),
        );
        self.header.show_view(&self.context.view());
        self.measure();
    }

    fn measure(self: &Rc<Self>) {
        // As tall as its rows and the scrollbar, if there is one; the style sheet says what is too tall.
        let rows = self.context.rows().clamp(1, 100);
        let bar = self.scroller.offset_height() - self.scroller.client_height();
        let tall = f64::from(rows + 1) * ROW + f64::from(bar.max(0));
        let _ = self
            .scroller
            .style()
            .set_property("height", &format!("{tall}px"));
        let header = self.header.element.offset_height();
        let viewport = f64::from((self.scroller.client_height() - header).max(0));
        let height = {
            let mut scroll = self.scroll.borrow_mut();
            scroll.resize(self.context.rows(), viewport);
            scroll.height()
        };
        let _ = self
            .body
            .style()
            .set_property("height", &format!("{height}px"));
        self.draw_soon();
    }

    /// Draws before the next paint, once however often it is asked for.
    pub(super) fn draw_soon(self: &Rc<Self>) {
        if !self.drawing.replace(true) {
            let weak = Rc::downgrade(self);
            dom::next_frame(move || {
                with(&weak, |grid| {
                    grid.drawing.set(false);
                    grid.draw();
                });
            });
        }
    }

    fn draw(self: &Rc<Self>) {
        let scroll = *self.scroll.borrow();
        let shown = scroll.shown(OVER);
        self.grow(shown.len());
        let mut lines = self.lines.borrow_mut();
        let (cache, selection) = (self.cache.borrow(), self.selection.borrow());
        let count = lines.len().max(1) as u32;
        for line in lines.iter_mut() {
            if !line.shows.is_some_and(|(row, _)| shown.contains(&row)) {
                line.element.set_hidden(true);
                line.shows = None;
            }
        }
        for row in shown.clone() {
            let Some(line) = lines.get_mut((row % count) as usize) else {
                continue;
            };
            line.show(row, cache.row(row), &self.name);
            let place = format!("translateY({}px)", scroll.place(row));
            let _ = line.element.style().set_property("transform", &place);
            line.mark(row, &selection);
        }
        drop((lines, cache));
        self.header.mark(&selection);
        self.mark_active(&selection, &shown);
        drop(selection);
        self.fetch(shown);
    }

    /// Makes as many elements as are in view.
    fn grow(&self, wanted: usize) {
        let mut lines = self.lines.borrow_mut();
        if lines.len() >= wanted {
            return;
        }
        // A row's element follows from how many there are.
        for line in lines.iter_mut() {
            line.shows = None;
        }
        while lines.len() < wanted {
            let line = Line::new(
                self.context
                    .columns()
                    .iter()
                    .map(|column| column.ty.as_str()),
            );
            dom::append(&self.body, &line.element);
            lines.push(line);
        }
    }

    fn mark_active(&self, selection: &Selection, shown: &std::ops::Range<u32>) {
        let At { row, column } = selection.active;
        match row {
            Some(row) if !shown.contains(&row) => {
                let _ = self.scroller.remove_attribute("aria-activedescendant");
            }
            Some(row) => {
                let id = format!("{}-{row}-{column}", self.name);
                dom::set(&self.scroller, "aria-activedescendant", &id);
            }
            None => {
                let id = self.header.id(column);
                dom::set(&self.scroller, "aria-activedescendant", &id);
            }
        }
    }

    /// Asks for rows in view that are not there: one block at a time, so that scrolling past leaves no queue behind.
    fn fetch(self: &Rc<Self>, shown: std::ops::Range<u32>) {
        let missing = self.cache.borrow_mut().missing(shown);
        dom::set(
            &self.scroller,
            "aria-busy",
            if missing.is_some() { "true" } else { "false" },
        );
        let Some((from, to)) = missing.filter(|_| !self.asked.get()) else {
            return;
        };
        self.asked.set(true);
        let ask = Ask::Rows {
            result: self.context.info.id,
            view: self.context.view(),
            from,
            to,
        };
        let (weak, epoch) = (Rc::downgrade(self), self.epoch.get());
        self.context.ask(ask, move |answer, _| {
            with(&weak, |grid| {
                if grid.epoch.get() == epoch {
                    grid.asked.set(false);
                    grid.take(answer);
                }
            });
        });
    }

    fn take(self: &Rc<Self>, answer: Answer) {
        match answer {
            Answer::Rows(rows) => {
                self.cache.borrow_mut().keep(rows);
                self.draw_soon();
            }
            Answer::Failed { message } => self.context.say(&message),
            _ => {}
        }
    }

    /// The cell under the pointer becomes the active one.
    fn point(self: &Rc<Self>, event: &PointerEvent, extend: bool) {
        let target = event
            .target()
            .and_then(|target| target.dyn_into::<Element>().ok());
        let cell = target.and_then(|target| target.closest("[role=gridcell]").ok().flatten());
        let Some(at) = cell.and_then(|cell| place(&cell)) else {
            return;
        };
        self.selection.borrow_mut().put(at, extend);
        self.draw_soon();
    }

    fn key(self: &Rc<Self>, event: &KeyboardEvent) {
        let control = event.ctrl_key() || event.meta_key();
        let page = self.scroll.borrow().page();
        let to = match event.key().as_str() {
            "ArrowDown" if event.alt_key() => return self.act(event, Self::open_panel),
            "ArrowUp" if control => Move::First,
            "ArrowDown" if control => Move::Last,
            "ArrowUp" => Move::Up,
            "ArrowDown" => Move::Down,
            "ArrowLeft" => Move::Left,
            "ArrowRight" => Move::Right,
            "PageUp" => Move::PageUp(page),
            "PageDown" => Move::PageDown(page),
            "Home" if control => Move::First,
            "End" if control => Move::Last,
            "Home" => Move::RowStart,
            "End" => Move::RowEnd,
            "a" if control => return self.act(event, |grid| grid.selection.borrow_mut().all()),
            "c" if control => return self.act(event, actions::copy_selection),
            // With Control or Alt it runs the cell.
            "Enter" if !control && !event.alt_key() => {
                let also = event.shift_key();
                return self.act(event, |grid| grid.enter(also));
            }
            _ => return,
        };
        self.act(event, |grid| {
            grid.selection.borrow_mut().go(to, event.shift_key());
            grid.reveal();
        });
    }

    /// Does what a key stands for, and nothing else.
    fn act(self: &Rc<Self>, event: &KeyboardEvent, act: impl FnOnce(&Rc<Self>)) {
        event.prevent_default();
        event.stop_propagation();
        act(self);
        self.draw_soon();
    }

    /// Enter: in the header it sorts, in a row it shows the whole value.
    fn enter(self: &Rc<Self>, also: bool) {
        let At { row, column } = self.selection.borrow().active;
        match row {
            Some(_) => self.show_value(),
            None => self.context.sort(column, also),
        }
    }

    fn open_panel(self: &Rc<Self>) {
        let column = self.selection.borrow().active.column;
        panel::open(self, column);
    }

    /// Scrolls to the active cell.
    fn reveal(&self) {
        let At { row, column } = self.selection.borrow().active;
        if let Some(row) = row {
            let bar = self.scroll.borrow_mut().reveal(row);
            if let Some(bar) = bar {
                self.scroller.set_scroll_top(bar as i32);
            }
        }
        let (left, right) = self.header.extent(column);
        let (from, width) = (self.scroller.scroll_left(), self.scroller.client_width());
        if left < from {
            self.scroller.set_scroll_left(left);
        } else if right > from + width {
            self.scroller.set_scroll_left(right - width);
        }
    }

    /// The selected part of the view.
    pub(super) fn span(&self) -> Option<((u32, u32), (u32, u32))> {
        self.selection.borrow().span()
    }

    /// The id of the row and the column of the selected cell, where it is but one.
    pub(super) fn only_cell(&self) -> Option<(u32, u32)> {
        let (rows, columns) = self.span()?;
        let one = rows.1 - rows.0 == 1 && columns.1 - columns.0 == 1;
        let id = self.cache.borrow().row(rows.0).map(|row| row.id);
        id.filter(|_| one).map(|id| (id, columns.0))
    }

    /// Shows the active cell's value whole.
    fn show_value(self: &Rc<Self>) {
        let At { row, column } = self.selection.borrow().active;
        let id = row.and_then(|row| self.cache.borrow().row(row).map(|row| row.id));
        if let Some(id) = id {
            actions::show_value(&self.context, id, column);
        }
    }

    /// The table has the keyboard again.
    pub(super) fn focus(&self) {
        let _ = self.scroller.focus();
    }

    /// The columns' widths have changed.
    pub(super) fn widths_changed(&self) {
        self.header.apply_widths(&self.scroller);
    }
}

impl Drop for Grid {
    fn drop(&mut self) {
        if let Some(observer) = self.observer.borrow_mut().take() {
            observer.disconnect();
        }
    }
}

/// Calls `act` with the table if it is still there.
pub(super) fn with(grid: &Weak<Grid>, act: impl FnOnce(&Rc<Grid>)) {
    if let Some(grid) = grid.upgrade() {
        act(&grid);
    }
}

fn place(cell: &Element) -> Option<At> {
    let number = |element: &Element, name: &str| element.get_attribute(name)?.parse::<u32>().ok();
    let column = number(cell, "aria-colindex")?.checked_sub(1)?;
    let row = number(&cell.parent_element()?, "aria-rowindex")?.checked_sub(2)?;
    Some(At {
        row: Some(row),
        column,
    })
}

impl Line {
    fn new<'a>(types: impl Iterator<Item = &'a str>) -> Self {
        let element = el("div").class("grid-row").attr("role", "row").build();
        let cells = types.enumerate().map(|(column, ty)| {
            let class = match ty {
                "int" | "long" | "real" | "decimal" | "timespan" => "number",
                _ => "",
            };
            let cell = el("div")
                .class(class)
                .attr("role", "gridcell")
                .attr("aria-colindex", &(column + 1).to_string())
                .build();
            dom::append(&element, &cell);
            cell
        });
        Self {
            cells: cells.collect(),
            element: element.clone(),
            shows: None,
        }
    }

    /// Shows a row, or room for it while its values are on their way.
    fn show(&mut self, row: u32, values: Option<&Row>, name: &str) {
        let now = Some((row, values.is_some()));
        if self.shows == now {
            return;
        }
        if self.shows.is_none_or(|(shown, _)| shown != row) {
            self.element.set_hidden(false);
            dom::set(
                &self.element,
                "aria-rowindex",
                &(u64::from(row) + 2).to_string(),
            );
            for (column, cell) in self.cells.iter().enumerate() {
                cell.set_id(&format!("{name}-{row}-{column}"));
            }
        }
        self.shows = now;
        dom::flag(&self.element, "data-waiting", values.is_none());
        for (column, cell) in self.cells.iter().enumerate() {
            let text = values.and_then(|values| values.cells.get(column));
            cell.set_text_content(text.and_then(Option::as_deref));
            dom::flag(cell, "data-null", matches!(text, Some(None)));
        }
    }

    fn mark(&self, row: u32, selection: &Selection) {
        for (column, cell) in self.cells.iter().enumerate() {
            let column = column as u32;
            let active = selection.active
                == At {
                    row: Some(row),
                    column,
                };
            let selected = selection.has(row, column);
            dom::set(
                cell,
                "aria-selected",
                if selected { "true" } else { "false" },
            );
            dom::flag(cell, "data-active", active);
        }
    }
}
