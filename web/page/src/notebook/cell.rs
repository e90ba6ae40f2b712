//! One cell on the page: its gutter, its text as it is read or in an editor, its outputs, and the
//! line below that says how it ran.

use std::cell::{Cell as Slot, RefCell};
use std::rc::Rc;

use spoor_model::run::{CellState, Queue};
use spoor_model::text::numbered_lines;
use spoor_model::{CellKey, Document, Kind};
use spoor_notebook::{Language, highlight};
use wasm_bindgen::JsCast;
use web_sys::{HtmlButtonElement, HtmlElement, ScrollIntoViewOptions, ScrollLogicalPosition};

use crate::dom::{self, button, el};
use crate::editor::{self, Editor};
use crate::icon::{Icon, icon};
use crate::output::Shown;
use crate::scroller;
use crate::table::ResultInfo;
use crate::words::{counted, duration};

/// A cell's elements.
pub struct CellView {
    /// The cell.
    pub key: CellKey,
    /// The cell's element, which has the focus in command mode.
    pub root: HtmlElement,
    /// Holds the text, read or edited.
    pub input: HtmlElement,
    /// Markdown to read.
    pub prose: HtmlElement,
    /// Holds the outputs.
    pub outputs: HtmlElement,
    /// The outputs that are shown, in order.
    pub shown: RefCell<Vec<Shown>>,
    /// The rows of the last result, until they have a place.
    pub rows: RefCell<Option<ResultInfo>>,
    /// Counts the results whose rows came, so that an older one's are told from the last one's.
    pub results: Slot<u32>,
    /// Whether line numbers are shown in this cell, where they differ from the setting.
    pub line_numbers: Slot<Option<bool>>,
    /// Whether the text that is read has line numbers.
    pub numbered: Slot<bool>,
    kind: Slot<Kind>,
    badge: HtmlElement,
    gutter: HtmlButtonElement,
    count: HtmlElement,
    /// Its place in the notebook, from one.
    number: Slot<usize>,
    foot: HtmlElement,
    folds: HtmlElement,
    editor: RefCell<Option<Editor>>,
}

impl CellView {
    /// The elements of a cell, without what they show.
    pub fn new(key: CellKey, kind: Kind) -> Rc<Self> {
        let count = el("span").class("count").build();
        let gutter: HtmlButtonElement = button("")
            .class("gutter")
            .attr("tabindex", "-1")
            .attr("data-act", if kind.is_code() { "run" } else { "fold" })
            .flag("hidden", !kind.is_code())
            .child(&count)
            .child(icon(if kind.is_code() {
                Icon::Run
            } else {
                Icon::Fold
            }))
            .cast();
        let badge = el("span").class("badge").text(kind.label()).build();
        let [input, prose, foot, folds, outputs] =
            ["input", "prose md", "foot", "folded", "outputs"]
                .map(|class| el("div").class(class).build());
        let body = el("div")
            .class("body")
            .children([&badge, &input, &prose, &foot, &folds, &outputs]);
        let root = el("section")
            .class("cell")
            .attr("role", "group")
            .attr("tabindex", "-1")
            .attr("data-key", &key.0.to_string())
            .attr("data-kind", editor::language_name(kind))
            .child(&gutter)
            .child(body)
            .build();
        Rc::new(Self {
            key,
            kind: Slot::new(kind),
            badge,
            root,
            input,
            prose,
            outputs,
            shown: RefCell::default(),
            rows: RefCell::default(),
            results: Slot::new(0),
            line_numbers: Slot::new(None),
            numbered: Slot::new(false),
            gutter,
            count,
            number: Slot::new(0),
            foot,
            folds,
            editor: RefCell::default(),
        })
    }

    /// The cell runs anew: rows of an earlier run that are still on their way belong to no result.
    pub fn forget_rows(&self) {
        self.results.set(self.results.get() + 1);
        self.rows.take();
    }

    /// What it is drawn as.
    pub fn kind(&self) -> Kind {
        self.kind.get()
    }

    /// Draws a code cell as one of another language.
    pub fn set_kind(&self, kind: Kind) {
        self.kind.set(kind);
        self.badge.set_text_content(Some(kind.label()));
        dom::set(&self.root, "data-kind", editor::language_name(kind));
        if let Some(editor) = self.editor() {
            editor.set_language(editor::language_name(kind));
        }
    }

    /// Shows the text, in the editor if there is one; with line numbers, which an editor has of its own.
    pub fn draw_source(&self, document: &Document, numbers: bool) {
        let source = document.source(self.key);
        if let Some(editor) = self.editor() {
            return editor.set_doc(source);
        }
        let language = match self.kind() {
            Kind::Code | Kind::Kql => document.cell(self.key).map_or(Language::Python, |cell| {
                cell.language(&document.notebook().language())
            }),
            _ => Language::Other("text".into()),
        };
        let code = el("code").build();
        let html = highlight(source, &language);
        let pre = el("pre").class("source").child(&code).build();
        self.numbered.set(numbers);
        if numbers {
            code.set_inner_html(&numbered_lines(&html));
            let digits = code.child_element_count().to_string().len();
            let _ = pre.style().set_property("--digits", &digits.to_string());
            dom::flag(&pre, "data-numbered", true);
        } else {
            code.set_inner_html(&html);
        }
        dom::clear(&self.input);
        dom::append(&self.input, &pre);
        scroller::watch(&pre);
    }

    /// Shows Markdown to read: HTML from `spoor-notebook`, which has sanitised it.
    pub fn draw_prose(&self, html: &str) {
        self.prose.set_inner_html(html);
        scroller::watch(&self.prose);
    }

    /// Shows the count, the state and how long the last run took, at `now` milliseconds.
    pub fn draw_run(&self, document: &Document, queue: &Queue, now: f64) {
        if !self.kind().is_code() {
            return;
        }
        let state = queue.state(self.key);
        let count = document.execution_count(self.key);
        let waits = matches!(state, CellState::Running | CellState::Queued);
        let label = match count {
            _ if waits => "[*]".to_owned(),
            Some(count) => format!("[{count}]"),
            None => "[ ]".to_owned(),
        };
        self.count.set_text_content(Some(&label));
        self.label_gutter();
        dom::set(&self.root, "data-state", state_name(state));
        dom::flag(&self.root, "data-stale", queue.is_stale(self.key));
        self.draw_foot(foot(self.key, queue, now), stale(self.key, queue));
    }

    /// Shows how the cell ran; where its result is stale, with a button that runs it.
    fn draw_foot(&self, text: String, stale: Option<&str>) {
        let Some(stale) = stale else {
            return self.foot.set_text_content(Some(&text));
        };
        let text = if text.is_empty() {
            text
        } else {
            format!("{text} · ")
        };
        let label = format!("{stale}: run it again");
        if self
            .foot
            .text_content()
            .is_some_and(|shown| shown == format!("{text}{label}"))
        {
            return;
        }
        self.foot.set_text_content(Some(&text));
        let again = button(&label).class("again").attr("data-act", "run");
        dom::append(&self.foot, again);
    }

    /// Hides and shows what the file and the reader have folded, and what a Markdown cell is read by.
    pub fn draw_folds(&self, document: &Document, rendered: bool, is_heading: bool) {
        if !self.kind().is_code() {
            self.gutter.set_hidden(!is_heading);
            let folded = document.heading_collapsed(self.key);
            dom::set(
                &self.gutter,
                "aria-expanded",
                if folded { "false" } else { "true" },
            );
        }
        let reads = self.kind() == Kind::Markdown && rendered;
        let input_hidden = document.input_hidden(self.key);
        let outputs_hidden = document.outputs_hidden(self.key);
        let has_outputs = !document.outputs(self.key).is_empty();
        self.prose.set_hidden(!reads);
        self.input.set_hidden(reads || input_hidden);
        self.outputs.set_hidden(outputs_hidden);
        dom::flag(
            &self.root,
            "data-collapsed",
            document.heading_collapsed(self.key),
        );
        dom::clear(&self.folds);
        if input_hidden && !reads {
            let lines = document.source(self.key).lines().count() as u64;
            self.fold(
                "toggle-input",
                &format!("{} of code", counted(lines, "line")),
            );
        }
        if outputs_hidden && has_outputs {
            let outputs = document.outputs(self.key).len() as u64;
            self.fold(
                "toggle-outputs",
                &format!("{} hidden", counted(outputs, "output")),
            );
        }
        if document.heading_collapsed(self.key) {
            self.fold("expand", "Section hidden");
        }
    }

    fn fold(&self, act: &str, text: &str) {
        let show = button(text).class("fold-button").attr("data-act", act);
        let _ = show.insert_adjacent_element("afterbegin", &icon(Icon::Fold));
        dom::append(&self.folds, &show);
    }

    /// Says what the cell is, to those who listen.
    pub fn draw_label(&self, index: usize, of: usize) {
        let number = index + 1;
        let what = self.kind().label();
        dom::set(
            &self.root,
            "aria-label",
            &format!("{what} cell {number} of {of}"),
        );
        self.number.set(number);
        self.label_gutter();
    }

    /// Names the gutter's button by what it does, and by the count that it shows.
    fn label_gutter(&self) {
        let number = self.number.get();
        let label = if self.kind().is_code() {
            let count = self.count.text_content().unwrap_or_default();
            format!("Run cell {number} {count}")
        } else {
            format!("Section of cell {number}")
        };
        dom::set(&self.gutter, "aria-label", &label);
    }

    /// Marks the cell as selected, and as the active one.
    pub fn draw_selected(&self, selected: bool, active: bool, editing: bool) {
        dom::flag(&self.root, "data-selected", selected);
        dom::flag(&self.root, "data-editing", active && editing);
        dom::set(&self.root, "tabindex", if active { "0" } else { "-1" });
        self.gutter.set_tab_index(if active { 0 } else { -1 });
        match active {
            true => dom::set(&self.root, "aria-current", "true"),
            false => drop(self.root.remove_attribute("aria-current")),
        }
    }

    /// Brings the cell into sight, if it is not.
    pub fn reveal(&self) {
        let options = ScrollIntoViewOptions::new();
        options.set_block(ScrollLogicalPosition::Nearest);
        self.root
            .scroll_into_view_with_scroll_into_view_options(&options);
    }

    /// Takes the focus, without a jump.
    pub fn focus(&self) {
        let options = web_sys::FocusOptions::new();
        options.set_prevent_scroll(true);
        let _ = self.root.focus_with_options(&options);
    }

    /// Changes the outputs. Where that takes away what has the focus, the cell has it instead.
    pub fn keeping_focus(&self, change: impl FnOnce()) {
        let held = dom::document().active_element();
        let held = held.filter(|held| self.outputs.contains(Some(held)));
        change();
        let is_gone = |held: web_sys::Element| {
            !held.is_connected() || held.closest("[hidden]").ok().flatten().is_some()
        };
        if held.is_some_and(is_gone) {
            self.focus();
        }
    }

    /// The editor, if there is one.
    pub fn editor(&self) -> Option<Editor> {
        self.editor.borrow().clone()
    }

    /// Puts an editor in place of the text that is read.
    pub fn set_editor(&self, editor: Editor) {
        self.editor.replace(Some(editor));
    }

    /// Takes the editor away; the text is to be drawn again.
    pub fn drop_editor(&self) {
        if let Some(editor) = self.editor.take() {
            editor.destroy();
        }
    }

    /// Asks for a line of text, as `input()` does; `answer` gets it.
    pub fn ask(&self, prompt: &str, password: bool, answer: impl FnOnce(String) + 'static) {
        let field = el("input")
            .attr("type", if password { "password" } else { "text" })
            .attr("autocomplete", "off")
            .attr(
                "aria-label",
                if prompt.trim().is_empty() {
                    "Input"
                } else {
                    prompt
                },
            )
            .build();
        let form = el("form")
            .class("ask")
            .child(el("span").attr("aria-hidden", "true").text(prompt))
            .child(&field)
            .child(el("button").class("main").text("Answer"))
            .build();
        let typed: web_sys::HtmlInputElement = field.clone().unchecked_into();
        let asked = form.clone();
        let mut answer = Some(answer);
        dom::on(&form, "submit", move |event: web_sys::Event| {
            event.prevent_default();
            asked.remove();
            if let Some(answer) = answer.take() {
                answer(typed.value());
            }
        });
        let _ = self.outputs.insert_adjacent_element("afterend", &form);
        let _ = field.focus();
    }

    /// Takes a question away that will not be answered any more.
    pub fn stop_asking(&self) {
        if let Ok(Some(form)) = self.root.query_selector("form.ask") {
            form.remove();
        }
    }
}

fn state_name(state: CellState) -> &'static str {
    match state {
        CellState::Idle => "idle",
        CellState::Queued => "queued",
        CellState::Running => "running",
        CellState::Done => "done",
        CellState::Failed => "failed",
        CellState::Interrupted => "interrupted",
    }
}

/// Why a cell's result is stale, if it is.
fn stale(key: CellKey, queue: &Queue) -> Option<&'static str> {
    match queue.is_stale(key) {
        true if queue.is_edited(key) => Some("edited since it ran"),
        true => Some("an input changed since it ran"),
        false => None,
    }
}

/// `1.2 s · 37 rows · kept as hits`.
fn foot(key: CellKey, queue: &Queue, now: f64) -> String {
    let mut parts = Vec::new();
    match queue.state(key) {
        CellState::Queued => parts.push("waiting".to_owned()),
        CellState::Interrupted => parts.push("interrupted".to_owned()),
        _ => {}
    }
    if let Some(elapsed) = queue.elapsed(key, now) {
        parts.push(duration(elapsed));
    }
    if let Some(progress) = queue.progress(key) {
        parts.push(progress.to_owned());
    }
    if let Some(rows) = queue.record(key).and_then(|record| record.rows) {
        parts.push(counted(rows, "row"));
    }
    if let Some(name) = queue.record(key).and_then(|record| record.kept.as_deref()) {
        parts.push(format!("kept as {name}"));
    }
    parts.join(" · ")
}
