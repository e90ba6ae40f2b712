//! The bar to find and replace in all cells.

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::rc::Rc;

use spoor_model::find::{Finder, Match, Place, Query};
use spoor_model::{CellKey, Change, Kind, Mode};
use web_sys::{
    Element, Event, EventTarget, HtmlElement, HtmlInputElement, KeyboardEvent,
    ScrollIntoViewOptions, ScrollLogicalPosition,
};

use crate::dom::{button, el};
use crate::editor::Editor;
use crate::icon::{Icon, icon};
use crate::marks::{self, Marks, Text};
use crate::notebook::{Focus, Screen};
use crate::toast;

/// The bar.
pub struct FindBar {
    root: HtmlElement,
    field: HtmlInputElement,
    with: HtmlInputElement,
    replacing: HtmlElement,
    count: HtmlElement,
    flags: [HtmlInputElement; 4],
    finder: RefCell<Option<Finder>>,
    /// Where the search begins: the cell that was active when the bar was opened.
    origin: Cell<Option<CellKey>>,
    /// Counts the times that the marks were to be drawn anew, so that they are once.
    marking: Cell<u32>,
    /// The user has come to a match that is to be brought into sight.
    arrived: Cell<bool>,
}

/// Milliseconds after a change until the marks follow it.
const PAUSE: i32 = 50;

/// The ways to search, and what they are called.
const FLAGS: [(&str, &str); 4] = [
    ("Aa", "Match case"),
    ("Word", "Whole words"),
    (".*", "Regular expression"),
    ("Outputs", "Search outputs too"),
];

/// Opens the bar, with the line to replace by if that is wanted.
pub fn open(screen: &Rc<Screen>, replace: bool) {
    let bar = screen.find_bar();
    bar.root.set_hidden(false);
    bar.origin.set(Some(screen.state.borrow().active()));
    if replace {
        bar.replacing.set_hidden(false);
    }
    let _ = bar.field.focus();
    bar.field.select();
    bar.search(screen);
}

impl FindBar {
    /// The bar of a screen, closed.
    pub fn new(screen: &Rc<Screen>) -> Rc<Self> {
        let field = text_field("Find");
        let with = text_field("Replace with");
        let flags = FLAGS.map(|(_, title)| {
            el("input")
                .attr("type", "checkbox")
                .attr("aria-label", title)
                .cast::<HtmlInputElement>()
        });
        let count = el("span").class("count").attr("role", "status").build();
        let [previous, next, one, all, close] = [
            button("")
                .attr("aria-label", "Previous match")
                .child(icon(Icon::Up)),
            button("")
                .attr("aria-label", "Next match")
                .child(icon(Icon::Down)),
            button("Replace"),
            button("Replace all"),
            button("")
                .attr("aria-label", "Close")
                .child(icon(Icon::Close)),
        ]
        .map(|button| button.class("plain").build());
        let line = el("div")
            .class("line")
            .child(&field)
            .children(flags.iter().zip(FLAGS).map(|(flag, (label, title))| {
                el("label")
                    .class("toggle")
                    .attr("title", title)
                    .child(flag)
                    .child(el("span").text(label))
            }));
        let steps = el("div")
            .class("steps")
            .children([&count])
            .children([&previous, &next, &close]);
        let line = line.child(steps);
        let replacing = el("div")
            .class("line")
            .flag("hidden", true)
            .child(&with)
            .children([&one, &all])
            .build();
        let root = el("div")
            .attr("id", "find")
            .attr("role", "search")
            .attr("aria-label", "Find in the notebook")
            .flag("hidden", true)
            .child(line)
            .child(&replacing)
            .build();
        let bar = Rc::new(Self {
            root,
            field,
            with,
            replacing,
            count,
            flags,
            finder: RefCell::default(),
            origin: Cell::new(None),
            marking: Cell::new(0),
            arrived: Cell::new(false),
        });
        bar.on(screen, &bar.field, "input", |bar, screen, _| {
            bar.search(screen)
        });
        for flag in &bar.flags {
            bar.on(screen, flag, "change", |bar, screen, _| bar.search(screen));
        }
        bar.on(screen, &next, "click", |bar, screen, _| {
            bar.step(screen, true)
        });
        bar.on(screen, &previous, "click", |bar, screen, _| {
            bar.step(screen, false)
        });
        bar.on(screen, &one, "click", |bar, screen, _| bar.replace(screen));
        bar.on(screen, &all, "click", |bar, screen, _| {
            bar.replace_all(screen)
        });
        bar.on(screen, &close, "click", |bar, screen, _| bar.close(screen));
        bar.listen_to_keys(screen);
        bar
    }

    /// The element.
    pub fn root(&self) -> &HtmlElement {
        &self.root
    }

    fn on(
        self: &Rc<Self>,
        screen: &Rc<Screen>,
        target: &EventTarget,
        event: &str,
        mut heard: impl FnMut(&Rc<Self>, &Rc<Screen>, Event) + 'static,
    ) {
        let bar = Rc::downgrade(self);
        screen.on(target, event, move |screen, event| {
            if let Some(bar) = bar.upgrade() {
                heard(&bar, screen, event);
            }
        });
    }

    fn listen_to_keys(self: &Rc<Self>, screen: &Rc<Screen>) {
        let bar = Rc::downgrade(self);
        screen.on(
            &self.root,
            "keydown",
            move |screen, event: KeyboardEvent| {
                let Some(bar) = bar.upgrade() else {
                    return;
                };
                let at = |field: &EventTarget| event.target().as_ref() == Some(field);
                match event.key().as_str() {
                    "Escape" => bar.close(screen),
                    "Enter" if at(&bar.with) => bar.replace(screen),
                    "Enter" if at(&bar.field) => bar.step(screen, !event.shift_key()),
                    _ => return,
                }
                event.prevent_default();
                event.stop_propagation();
            },
        );
    }

    fn query(&self) -> Query {
        let [case, word, regex, outputs] = &self.flags;
        Query {
            text: self.field.value(),
            case_sensitive: case.checked(),
            whole_word: word.checked(),
            regex: regex.checked(),
            in_outputs: outputs.checked(),
        }
    }

    fn search(&self, screen: &Rc<Screen>) {
        self.mark_soon(screen);
        let query = self.query();
        if query.text.is_empty() {
            self.finder.take();
            return self.count.set_text_content(None);
        }
        let found = Finder::new(&query, screen.state.borrow().document());
        match found {
            Ok(finder) => {
                self.finder.replace(Some(finder));
                self.seek(screen);
            }
            Err(error) => {
                self.finder.take();
                self.count.set_text_content(Some(&error.to_string()));
            }
        }
    }

    /// Goes to the first match from where the search begins, so that typing on does not lead away.
    fn seek(&self, screen: &Rc<Screen>) {
        let found = {
            let state = screen.state.borrow();
            let mut finder = self.finder.borrow_mut();
            let finder = finder.as_mut();
            let origin = self.origin.get().unwrap_or(state.active());
            finder.and_then(|finder| finder.seek(state.document(), origin, 0).cloned())
        };
        self.arrive(screen, found);
    }

    fn step(&self, screen: &Rc<Screen>, forwards: bool) {
        let found = {
            let state = screen.state.borrow();
            let mut finder = self.finder.borrow_mut();
            finder.as_mut().and_then(|finder| {
                let found = if forwards {
                    finder.next(state.document())
                } else {
                    finder.previous(state.document())
                };
                found.cloned()
            })
        };
        self.arrive(screen, found);
    }

    /// Shows a match, and leaves the focus in the bar.
    fn arrive(&self, screen: &Rc<Screen>, found: Option<Match>) {
        self.tell(screen);
        if let Some(found) = found {
            self.arrived.set(true);
            screen.show_match(&found);
        }
        self.mark_soon(screen);
    }

    fn tell(&self, screen: &Rc<Screen>) {
        let finder = self.finder.borrow();
        let Some(finder) = finder.as_ref() else {
            return;
        };
        let text = match finder.position(screen.state.borrow().document()) {
            _ if finder.is_empty() => "no match".to_owned(),
            Some(position) => format!("{position} of {}", finder.len()),
            None => finder.len().to_string(),
        };
        self.count.set_text_content(Some(&text));
    }

    fn replace(&self, screen: &Rc<Screen>) {
        let with = self.with.value();
        let changes = self.replacing(screen, |finder, state| finder.replace(state, &with));
        screen.patch(changes, Focus::Keep);
        let found = self
            .finder
            .borrow()
            .as_ref()
            .and_then(|finder| finder.current().cloned());
        self.arrive(screen, found);
    }

    fn replace_all(&self, screen: &Rc<Screen>) {
        let with = self.with.value();
        let mut count = 0;
        let changes = self.replacing(screen, |finder, state| {
            let (replaced, changes) = finder.replace_all(state, &with);
            count = replaced;
            changes
        });
        screen.patch(changes, Focus::Keep);
        self.tell(screen);
        toast::show(&format!("Replaced {count}."), None);
    }

    fn replacing(
        &self,
        screen: &Rc<Screen>,
        work: impl FnOnce(&mut Finder, &mut spoor_model::NotebookState) -> Vec<Change>,
    ) -> Vec<Change> {
        let mut finder = self.finder.borrow_mut();
        let mut state = screen.state.borrow_mut();
        finder
            .as_mut()
            .map_or_else(Vec::new, |finder| work(finder, &mut state))
    }

    fn close(&self, screen: &Rc<Screen>) {
        self.root.set_hidden(true);
        self.finder.take();
        self.mark(screen);
        screen.follow();
    }

    /// Marks what is found once nothing has changed for a moment.
    fn mark_soon(&self, screen: &Rc<Screen>) {
        let turn = self.marking.get() + 1;
        self.marking.set(turn);
        screen.after(PAUSE, move |screen| {
            let bar = screen.find.borrow().clone();
            if let Some(bar) = bar.filter(|bar| bar.marking.get() == turn) {
                bar.mark(screen);
            }
        });
    }

    /// Marks what is found where it is read, from the cell on where the user is.
    fn mark(&self, screen: &Screen) {
        let finder = self.finder.borrow();
        for key in screen.editors.borrow().iter() {
            let editor = screen.view(*key).and_then(|view| view.editor());
            if let Some(editor) = editor {
                mark_editor(&editor, finder.as_ref(), *key);
            }
        }
        let (Some(finder), Some(mut marks)) = (finder.as_ref(), Marks::new()) else {
            return marks::clear();
        };
        let keys = screen.state.borrow().document().keys().to_vec();
        let here = finder.current().map(|found| found.key);
        let begin = keys.iter().position(|key| Some(*key) == here).unwrap_or(0);
        let (before, after) = keys.split_at(begin);
        let (mut now, arrived) = (None, self.arrived.take());
        for key in after.iter().chain(before) {
            if marks.is_full() {
                break;
            }
            now = now.or(mark_cell(screen, finder, *key, &mut marks));
        }
        marks.show();
        if let Some(now) = now.filter(|_| arrived) {
            let nearest = ScrollIntoViewOptions::new();
            nearest.set_block(ScrollLogicalPosition::Nearest);
            now.scroll_into_view_with_scroll_into_view_options(&nearest);
        }
    }

    /// Searches a cell again that has changed.
    pub fn update(&self, screen: &Screen, key: CellKey) {
        // A replacement has the finder in hand, and brings it up to date by itself.
        if let Ok(mut finder) = self.finder.try_borrow_mut()
            && let Some(finder) = finder.as_mut()
        {
            finder.update(screen.state.borrow().document(), key);
        }
    }

    /// Forgets a cell that is gone.
    pub fn remove(&self, key: CellKey) {
        if let Ok(mut finder) = self.finder.try_borrow_mut()
            && let Some(finder) = finder.as_mut()
        {
            finder.remove(key);
        }
    }
}

/// Marks what is found in a cell outside its editor. Gives what holds the match that the user is at, if it is there.
fn mark_cell(screen: &Screen, finder: &Finder, key: CellKey, marks: &mut Marks) -> Option<Element> {
    let found = finder.of(key);
    let view = screen.view(key).filter(|_| !found.is_empty())?;
    let now = |place| finder.current_in(key, place);
    let mut here = None;
    let source = ranges(found, Place::Source);
    if !source.is_empty() && !view.prose.hidden() {
        let text = Text::of(&view.prose);
        // What is read of Markdown has other places than its text: the nearest is shown.
        let read = finder.in_text(&text.whole);
        let now = now(Place::Source).map(|nth| nth.min(read.len().saturating_sub(1)));
        here = marks.add(&text, &read, now);
    } else if !source.is_empty() && view.editor().is_none() {
        here = marks.add(&Text::of(&view.input), &source, now(Place::Source));
    }
    let mut shown: Vec<usize> = found
        .iter()
        .filter_map(|found| found.place.output())
        .collect();
    shown.dedup();
    for nth in shown {
        let root = view.shown.borrow().get(nth).map(|shown| shown.root.clone());
        if let Some(root) = root {
            let text = Text::of(&root);
            let read = finder.in_text(&text.whole);
            let now = now(Place::Output(nth)).map(|nth| nth.min(read.len().saturating_sub(1)));
            here = here.or(marks.add(&text, &read, now));
        }
    }
    here
}

/// Marks what is found in an editor.
fn mark_editor(editor: &Editor, finder: Option<&Finder>, key: CellKey) {
    let found = finder.map_or(&[][..], |finder| finder.of(key));
    let sources = ranges(found, Place::Source);
    let now = finder.and_then(|finder| finder.current_in(key, Place::Source));
    let now = now.and_then(|nth| sources.get(nth));
    let flat = sources.iter().flat_map(|range| [range.start, range.end]);
    let flat: Vec<u32> = flat.map(unit).collect();
    editor.set_found(&flat, now.map(|range| unit(range.start)));
}

/// Where the matches are that are in one place of a cell.
fn ranges(found: &[Match], place: Place) -> Vec<Range<usize>> {
    let there = found.iter().filter(|found| found.place == place);
    there.map(|found| found.editor.clone()).collect()
}

fn unit(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

impl Screen {
    /// The find bar, which is made when it is first wanted.
    fn find_bar(self: &Rc<Self>) -> Rc<FindBar> {
        let made = self.find.borrow().clone();
        made.unwrap_or_else(|| {
            let bar = FindBar::new(self);
            let shell = &self.app.shell;
            let _ = shell
                .middle()
                .insert_adjacent_element("beforebegin", bar.root());
            self.find.replace(Some(bar.clone()));
            bar
        })
    }

    /// A cell's text or outputs have changed: an open search looks at it again.
    pub fn found_anew(&self, key: CellKey) {
        if let Some(bar) = &*self.find.borrow() {
            bar.update(self, key);
        }
    }

    /// A cell is gone.
    pub fn forget_found(&self, key: CellKey) {
        if let Some(bar) = &*self.find.borrow() {
            bar.remove(key);
        }
    }

    /// What is shown has changed: the marks of an open search follow.
    pub fn mark_found(self: &Rc<Self>) {
        let bar = self.find.borrow().clone();
        if let Some(bar) = bar.filter(|bar| !bar.root.hidden()) {
            bar.mark_soon(self);
        }
    }

    /// Shows where a match is: in the editor it is selected.
    fn show_match(self: &Rc<Self>, found: &Match) {
        let changes = self.state.borrow_mut().reveal(found.key);
        self.patch(changes, Focus::Keep);
        match found.place {
            Place::Source => self.show_in_source(found),
            Place::Output(nth) => {
                if let Some(view) = self.view(found.key)
                    && let Some(shown) = view.shown.borrow().get(nth)
                {
                    shown.root.scroll_into_view_with_bool(false);
                }
            }
        }
    }

    fn show_in_source(self: &Rc<Self>, found: &Match) {
        let is_read = {
            let state = self.state.borrow();
            let is_prose = state.document().kind(found.key) == Kind::Markdown;
            is_prose && state.is_rendered(found.key)
        };
        if let Some(view) = self.view(found.key) {
            view.reveal();
        }
        if is_read {
            // Text that is read stays so: a search is no edit.
            return self.change(|state| state.select(found.key, Mode::Command));
        }
        // Where the find bar is closed the user goes on editing at the match.
        self.change(|state| state.select(found.key, Mode::Edit));
        let (from, to) = (unit(found.editor.start), unit(found.editor.end));
        self.with_editor(found.key, move |_, editor| editor.select(from, to));
    }
}

fn text_field(label: &str) -> HtmlInputElement {
    let field = el("input")
        .attr("type", "text")
        .attr("placeholder", label)
        .attr("aria-label", label)
        .attr("autocomplete", "off")
        .attr("spellcheck", "false");
    field.cast()
}
