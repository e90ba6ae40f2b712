//! A result's rows as trees of processes, with the keys of a tree: up and down, right to open, left to close. Enter, and
//! a click on what is chosen already, shows a process' whole row.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::rc::{Rc, Weak};

use spoor_messages::results::{Answer, Ask, Process, Processes};
use wasm_bindgen::prelude::*;
use web_sys::{Element, HtmlElement, KeyboardEvent, MouseEvent};

use super::actions;
use super::context::Context;
use crate::dom::{self, el};
use crate::help::Keys;
use crate::words::{counted, grouped};

/// What its keys do.
pub const KEYS: Keys = &[
    ("Go up or down", &["Up", "Down"]),
    ("Open a process, then go into it", &["Right"]),
    ("Close a process, then go out of it", &["Left"]),
    ("Open or close a process", &["Space"]),
    ("Show its row", &["Enter"]),
    ("Go to the first or last", &["Home", "End"]),
];

/// Nodes up to which all of a tree is open at first; beyond, its roots alone.
const OPEN: usize = 400;

struct View {
    context: Weak<Context>,
    tree: HtmlElement,
    about: HtmlElement,
    nodes: RefCell<Vec<Process>>,
    closed: RefCell<HashSet<usize>>,
    active: Cell<usize>,
    /// Whether the active one was chosen, by key or click.
    chosen: Cell<bool>,
    asked: Cell<u32>,
}

/// Shows the trees in `parent`, for as long as what is given back is kept.
pub(super) fn mount(context: &Rc<Context>, parent: &HtmlElement) -> Rc<dyn Any> {
    let view = Rc::new(View {
        context: Rc::downgrade(context),
        tree: el("div")
            .class("tree")
            .attr("role", "tree")
            .attr("aria-label", "Processes")
            .build(),
        about: el("p")
            .class("tree-about")
            .attr("aria-live", "polite")
            .build(),
        nodes: RefCell::default(),
        closed: RefCell::default(),
        active: Cell::new(0),
        chosen: Cell::new(false),
        asked: Cell::new(0),
    });
    dom::append(parent, &view.about);
    dom::append(parent, &view.tree);
    let weak = Rc::downgrade(&view);
    dom::on(&view.tree, "keydown", move |event: KeyboardEvent| {
        if let Some(view) = weak.upgrade() {
            view.key(&event);
        }
    });
    let weak = Rc::downgrade(&view);
    dom::on(&view.tree, "click", move |event: MouseEvent| {
        if let Some(view) = weak.upgrade() {
            view.click(&event);
        }
    });
    let weak = Rc::downgrade(&view);
    context.on_change(move || {
        let view = weak.upgrade();
        view.iter().for_each(View::ask);
        view.is_some()
    });
    view.ask();
    view
}

impl View {
    fn ask(self: &Rc<Self>) {
        let Some(context) = self.context.upgrade() else {
            return;
        };
        let number = self.asked.get() + 1;
        self.asked.set(number);
        dom::set(&self.tree, "aria-busy", "true");
        let ask = Ask::Processes {
            result: context.info.id,
            view: context.view(),
        };
        let weak = Rc::downgrade(self);
        context.ask(ask, move |answer, _| {
            if let Some(view) = weak.upgrade().filter(|view| view.asked.get() == number) {
                view.take(answer);
            }
        });
    }

    fn take(&self, answer: Answer) {
        dom::set(&self.tree, "aria-busy", "false");
        match answer {
            Answer::Processes(found) => self.put(found),
            Answer::Failed { message } => self.about.set_text_content(Some(&message)),
            _ => {}
        }
    }

    fn put(&self, found: Processes) {
        let mut text = match found.total {
            1 => "1 process".to_owned(),
            total => format!("{} processes", grouped(total.into())),
        };
        if (found.nodes.len() as u32) < found.total {
            let shown = grouped(found.nodes.len() as u64);
            text.push_str(&format!(" (the first {shown} shown: filter to see others)"));
        }
        if found.others > 0 {
            text.push_str(&format!(
                ", {} without one",
                counted(found.others.into(), "row")
            ));
        }
        self.about.set_text_content(Some(&format!(
            "{}: {text}. Enter shows a row.",
            found.source
        )));
        let mut closed = HashSet::new();
        if found.nodes.len() > OPEN {
            closed.extend((0..found.nodes.len()).filter(|at| found.nodes[*at].depth > 0));
        }
        *self.closed.borrow_mut() = closed;
        *self.nodes.borrow_mut() = found.nodes;
        self.active.set(0);
        self.chosen.set(false);
        self.draw();
    }

    /// The nodes whose parents are all open.
    fn visible(&self) -> Vec<usize> {
        let (nodes, closed) = (self.nodes.borrow(), self.closed.borrow());
        let mut hidden_below = u32::MAX;
        let mut visible = Vec::new();
        for (at, node) in nodes.iter().enumerate() {
            if node.depth > hidden_below {
                continue;
            }
            visible.push(at);
            hidden_below = if closed.contains(&at) {
                node.depth
            } else {
                u32::MAX
            };
        }
        visible
    }

    fn draw(&self) {
        let (nodes, closed) = (self.nodes.borrow(), self.closed.borrow());
        let focused = self
            .tree
            .contains(dom::document().active_element().as_deref());
        dom::clear(&self.tree);
        for at in self.visible() {
            if let Some(node) = nodes.get(at) {
                let active = at == self.active.get();
                dom::append(&self.tree, item(at, node, !closed.contains(&at), active));
            }
        }
        drop((nodes, closed));
        if focused {
            self.focus();
        }
    }

    fn element(&self, at: usize) -> Option<HtmlElement> {
        let selector = format!("[data-node=\"{at}\"]");
        self.tree.query_selector(&selector).ok()??.dyn_into().ok()
    }

    fn focus(&self) {
        if let Some(item) = self.element(self.active.get()) {
            let _ = item.focus();
        }
    }

    fn go(&self, at: usize) {
        self.chosen.set(true);
        if let Some(old) = self.element(self.active.replace(at)) {
            old.set_tab_index(-1);
            dom::set(&old, "aria-selected", "false");
        }
        if let Some(new) = self.element(at) {
            new.set_tab_index(0);
            dom::set(&new, "aria-selected", "true");
        }
        self.focus();
    }

    fn set_open(&self, at: usize, open: bool) {
        if open {
            self.closed.borrow_mut().remove(&at);
        } else {
            self.closed.borrow_mut().insert(at);
        }
        self.draw();
    }

    fn key(&self, event: &KeyboardEvent) {
        let visible = self.visible();
        let now = self.active.get();
        let Some(place) = visible.iter().position(|at| *at == now) else {
            return;
        };
        let (children, depth) = self
            .nodes
            .borrow()
            .get(now)
            .map_or((0, 0), |n| (n.children, n.depth));
        let open = children > 0 && !self.closed.borrow().contains(&now);
        let next = match event.key().as_str() {
            "ArrowDown" => visible.get(place + 1).copied(),
            "ArrowUp" => place
                .checked_sub(1)
                .and_then(|place| visible.get(place).copied()),
            "Home" => visible.first().copied(),
            "End" => visible.last().copied(),
            "ArrowRight" if open => visible.get(place + 1).copied(),
            "ArrowLeft" if !open => self.parent(now, depth),
            "Enter" => {
                self.show_row(now);
                None
            }
            "ArrowRight" | "ArrowLeft" | " " => {
                if children > 0 {
                    self.set_open(now, !open);
                }
                None
            }
            _ => return,
        };
        event.prevent_default();
        event.stop_propagation();
        if let Some(next) = next {
            self.go(next);
        }
    }

    fn parent(&self, at: usize, depth: u32) -> Option<usize> {
        let nodes = self.nodes.borrow();
        (0..at)
            .rev()
            .find(|before| nodes.get(*before).is_some_and(|node| node.depth < depth))
    }

    fn click(&self, event: &MouseEvent) {
        let target = event
            .target()
            .and_then(|target| target.dyn_into::<Element>().ok());
        let item = target
            .as_ref()
            .and_then(|target| target.closest("[role=treeitem]").ok().flatten());
        let at = item.and_then(|item| item.get_attribute("data-node")?.parse::<usize>().ok());
        let Some(at) = at else {
            return;
        };
        let again = self.chosen.get() && self.active.get() == at;
        self.go(at);
        if target.is_some_and(|target| target.class_name() == "tree-twist") {
            let closed = self.closed.borrow().contains(&at);
            self.set_open(at, closed);
        } else if again {
            self.show_row(at);
        }
    }

    /// Shows the row that tells of a process, if one does.
    fn show_row(&self, at: usize) {
        let nodes = self.nodes.borrow();
        let (Some(node), Some(context)) = (nodes.get(at), self.context.upgrade()) else {
            return;
        };
        match node.row {
            Some(row) => actions::show_row(&context, row, named(node)),
            None => context.say("No row is about this process: others name it as their parent."),
        }
    }
}

fn named(node: &Process) -> &str {
    match node.name.is_empty() {
        true => "(unknown)",
        false => &node.name,
    }
}

fn item(at: usize, node: &Process, open: bool, active: bool) -> HtmlElement {
    let twist = match (node.children, open) {
        (0, _) => "",
        (_, true) => "▾",
        (_, false) => "▸",
    };
    let item = el("div")
        .class("tree-item")
        .attr("role", "treeitem")
        .attr("data-node", &at.to_string())
        .attr("aria-level", &(node.depth + 1).to_string())
        .attr("aria-selected", if active { "true" } else { "false" })
        .attr("tabindex", if active { "0" } else { "-1" })
        .flag("data-missing", node.row.is_none())
        .child(
            el("span")
                .class("tree-twist")
                .attr("aria-hidden", "true")
                .text(twist),
        )
        .child(el("strong").text(named(node)))
        .child(el("span").class("tree-id").text(&node.id))
        .child(
            el("span")
                .class("tree-command")
                .attr("title", &node.command)
                .text(&node.command),
        )
        .child(el("span").class("tree-host").text(&node.host))
        .child(el("time").text(&node.time));
    let _ = item
        .style()
        .set_property("--depth", &node.depth.to_string());
    match node.children {
        0 => item.build(),
        _ => item
            .attr("aria-expanded", if open { "true" } else { "false" })
            .build(),
    }
}
