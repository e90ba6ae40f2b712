//! What the parts of a shown result share: the worker, the view, and who is told when it changes.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use js_sys::Uint8Array;
use spoor_messages::results::{Answer, Ask, ColumnInfo, Filter, Sort, Test, View};
use web_sys::HtmlElement;

use super::client::{ResultInfo, ResultsClient};
use crate::dom::el;
use crate::words::{counted, grouped};

/// Who wants to know that the view has changed; `false` when it no longer does.
type Changed = Box<dyn Fn() -> bool>;

pub(super) struct Context {
    client: ResultsClient,
    pub info: ResultInfo,
    /// The view that is shown.
    view: RefCell<View>,
    /// The view that is asked for; the same when nothing is.
    wanted: RefCell<View>,
    rows: Cell<u32>,
    changed: RefCell<Vec<Changed>>,
    /// What is shown in the table's place. Its listeners hold it weakly.
    other: RefCell<Option<Rc<dyn Any>>>,
    /// One line below the table, read out when it changes.
    pub status: HtmlElement,
}

impl Context {
    pub(super) fn new(info: ResultInfo) -> Rc<Self> {
        let status = el("p")
            .class("result-status")
            .attr("role", "status")
            .build();
        let context = Rc::new(Self {
            client: info.client(),
            view: RefCell::default(),
            wanted: RefCell::default(),
            rows: Cell::new(info.info.rows),
            info,
            changed: RefCell::default(),
            other: RefCell::default(),
            status,
        });
        context.tell();
        context
    }

    /// The result's rows are no longer needed.
    pub(super) fn close(&self) {
        self.info.hold.close();
    }

    pub(super) fn columns(&self) -> &[ColumnInfo] {
        &self.info.info.columns
    }

    pub(super) fn view(&self) -> View {
        self.view.borrow().clone()
    }

    /// Rows of the view.
    pub(super) fn rows(&self) -> u32 {
        self.rows.get()
    }

    /// Keeps what is shown in the table's place, and lets go of what was before.
    pub(super) fn show_other(&self, other: Option<Rc<dyn Any>>) {
        *self.other.borrow_mut() = other;
    }

    /// Calls `then` whenever the view has changed, until it gives `false`.
    pub(super) fn on_change(&self, then: impl Fn() -> bool + 'static) {
        self.changed.borrow_mut().push(Box::new(then));
    }

    /// Asks the worker.
    pub(super) fn ask(
        &self,
        ask: Ask,
        then: impl FnOnce(Answer, Option<Uint8Array>) + 'static,
    ) -> u32 {
        self.client.ask(ask, then)
    }

    /// Says something below the table.
    pub(super) fn say(&self, text: &str) {
        self.status.set_text_content(Some(text));
    }

    /// Says how many rows there are.
    fn tell(&self) {
        let rows = u64::from(self.rows.get());
        let all = u64::from(self.info.info.rows);
        let mut text = counted(rows, "row");
        if rows != all {
            text = format!("{} of {}", grouped(rows), counted(all, "row"));
        }
        if all < self.info.rows_in_all {
            let whole = counted(self.info.rows_in_all, "row");
            text.push_str(&format!(
                "; the page has the first {} of {whole}: narrow the query to see the others",
                grouped(all)
            ));
        }
        self.say(&text);
    }

    /// Changes the view. The table shows the old one until the worker has found the new.
    pub(super) fn change(self: &Rc<Self>, change: impl FnOnce(&mut View)) {
        let mut view = self.wanted.borrow().clone();
        change(&mut view);
        if view == *self.wanted.borrow() {
            return;
        }
        *self.wanted.borrow_mut() = view.clone();
        self.say("Working …");
        let weak = Rc::downgrade(self);
        let ask = Ask::View {
            result: self.info.id,
            view: view.clone(),
        };
        self.client
            .ask(ask, move |answer, _| arrived(&weak, view, answer));
    }

    /// Sorts by a column: by it alone, or by it after those that are sorted by already. A column that is sorted by
    /// is turned around, and then is no longer.
    pub(super) fn sort(self: &Rc<Self>, column: u32, also: bool) {
        self.change(|view| {
            let known = view.sorts.iter().position(|sort| sort.column == column);
            let next = match known.and_then(|at| view.sorts.get(at)) {
                None => Some(true),
                Some(Sort {
                    ascending: true, ..
                }) => Some(false),
                Some(_) => None,
            };
            if !also {
                view.sorts.retain(|sort| sort.column == column);
            }
            let at = view.sorts.iter().position(|sort| sort.column == column);
            match (at, next) {
                (Some(at), None) => {
                    view.sorts.remove(at);
                }
                (Some(at), Some(ascending)) => view.sorts[at].ascending = ascending,
                (None, Some(ascending)) => view.sorts.push(Sort { column, ascending }),
                (None, None) => {}
            }
        });
    }

    /// Puts the filters of a column in place of those that it has.
    pub(super) fn filter(self: &Rc<Self>, column: u32, test: Option<Test>) {
        self.change(|view| {
            view.filters.retain(|filter| filter.column != column);
            view.filters
                .extend(test.map(|test| Filter { column, test }));
        });
    }
}

fn arrived(context: &Weak<Context>, view: View, answer: Answer) {
    let Some(context) = context.upgrade() else {
        return;
    };
    match answer {
        Answer::Viewed { rows } => {
            *context.view.borrow_mut() = view;
            context.rows.set(rows);
            context.tell();
            let mut heard = context.changed.take();
            heard.retain(|changed| changed());
            // What was added meanwhile knows the view as it is.
            heard.append(&mut context.changed.borrow_mut());
            *context.changed.borrow_mut() = heard;
        }
        // What is shown stays, and the next change begins with it.
        Answer::Failed { message } => {
            let shown = context.view.borrow().clone();
            *context.wanted.borrow_mut() = shown;
            context.say(&message);
        }
        _ => {}
    }
}
