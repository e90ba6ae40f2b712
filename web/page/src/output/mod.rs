//! One output of a cell on the page.
//!
//! What `spoor-notebook` makes of it is sanitised HTML and stands in the page. An output that runs
//! scripts is held back until the reader trusts the notebook, and then runs in a frame (`frame`).

mod frame;

use std::any::Any;
use std::cell::RefCell;

use spoor_notebook::Rendered;
use web_sys::HtmlElement;

use crate::dom::{self, button, el};
use crate::scroller;

/// An output that is shown.
pub struct Shown {
    /// Its element.
    pub root: HtmlElement,
    still: HtmlElement,
    scripted: Option<String>,
    frame: RefCell<Option<HtmlElement>>,
    /// What stands in place of the saved picture, and keeps it going.
    live: RefCell<Vec<Box<dyn Any>>>,
}

impl Shown {
    /// Shows an output; with its scripts if it is trusted and has some.
    pub fn new(rendered: &Rendered, trusted: bool, dark: bool) -> Self {
        let still = el("div").class("still").build();
        // From spoor-notebook, which has sanitised it.
        still.set_inner_html(&rendered.html);
        let root = el("div").class("output").child(&still).build();
        scroller::watch(&root);
        if rendered.scripted.is_some() {
            let offer = button("Show scripted output")
                .class("offer")
                .attr("data-act", "trust")
                .attr("title", "Trust this notebook: its scripts run in a frame that reaches neither the page nor the network");
            dom::append(&root, &offer);
        }
        let shown = Self {
            root,
            still,
            scripted: rendered.scripted.clone(),
            frame: RefCell::default(),
            live: RefCell::default(),
        };
        shown.set_trusted(trusted, dark);
        shown
    }

    /// Whether something else stands in place of the saved picture.
    pub fn is_live(&self) -> bool {
        !self.live.borrow().is_empty()
    }

    /// Puts an element in place of the saved picture.
    pub fn enliven(&self, element: &HtmlElement) {
        self.still.set_hidden(true);
        dom::append(&self.root, element);
    }

    /// Keeps what the element needs, for as long as the output is shown.
    pub fn keep(&self, what: Box<dyn Any>) {
        self.live.borrow_mut().push(what);
    }

    /// Runs the output's scripts, or takes what they made away.
    pub fn set_trusted(&self, trusted: bool, dark: bool) {
        let Some(document) = &self.scripted else {
            return;
        };
        dom::flag(&self.root, "data-trusted", trusted);
        self.still.set_hidden(trusted);
        let mut frame = self.frame.borrow_mut();
        if trusted && frame.is_none() {
            let new = frame::with(document, dark);
            dom::append(&self.root, &new);
            *frame = Some(new);
        } else if !trusted && let Some(old) = frame.take() {
            old.remove();
        }
    }
}
