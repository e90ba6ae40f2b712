//! What the user does with keys and the mouse outside the editors.

use std::rc::Rc;

use spoor_model::keys::{Meaning, Press};
use spoor_model::{CellKey, Command, Mode};
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, FocusEvent, KeyboardEvent, MouseEvent};

use super::{CellView, Focus, Screen};
use crate::{dom, scroller};

impl Screen {
    /// Listens on what holds the cells, once for all of them.
    pub(super) fn listen_to_user(self: &Rc<Self>) {
        let list = self.list.clone();
        self.on(&list, "click", Self::clicked);
        self.on(&list, "mousedown", Self::pressed_down);
        self.on(&list, "dblclick", Self::double_clicked);
        self.on(&list, "focusin", Self::focused);
        self.on(&dom::document(), "keydown", Self::key_down);
        self.on(&dom::window(), "beforeunload", |screen, event: Event| {
            // What is kept in the storage is saved as it changes, and put aside as the page goes.
            let lost = match screen.own() {
                Some(own) => !own.may_save(),
                None => true,
            };
            if lost && screen.state.borrow().is_dirty() {
                event.prevent_default();
            }
        });
    }

    /// A key outside the editors, which ask by themselves.
    fn key_down(self: &Rc<Self>, event: KeyboardEvent) {
        let Some(target) = event
            .target()
            .and_then(|target| target.dyn_into::<Element>().ok())
        else {
            return;
        };
        if event.default_prevented() || is_closest(&target, ".cm-editor, dialog") {
            return;
        }
        // Outside the editors Tab goes from place to place, whatever it means inside.
        if event.key() == "Tab" {
            return;
        }
        let modified = event.ctrl_key() || event.meta_key();
        if !leaves_keys(&target, &event) && (modified || self.is_in_notebook(&target)) {
            let mode = if self.awaits_editor() {
                Mode::Edit
            } else {
                Mode::Command
            };
            let is_taken = self.key(&event, mode);
            // The cell that is meant was the active one already: it had but not the focus.
            let mode = self.state.borrow().mode();
            if is_taken && mode == Mode::Command && dom::focus_is_nowhere() {
                self.follow();
            }
        }
    }

    /// Whether the active cell is being edited, and its editor is still on its way: keys are meant for that.
    fn awaits_editor(&self) -> bool {
        let state = self.state.borrow();
        let view = |key| self.views.borrow().get(&key).cloned();
        state.mode() == Mode::Edit
            && view(state.active()).is_some_and(|view| view.editor().is_none())
    }

    /// Whether the focus is in the notebook, or nowhere.
    fn is_in_notebook(&self, target: &Element) -> bool {
        self.list.contains(Some(target)) || target.tag_name() == "BODY" || target.id() == "main"
    }

    /// Carries out what a key means; whether it means something.
    pub(super) fn key(self: &Rc<Self>, event: &KeyboardEvent, mode: Mode) -> bool {
        let (key, code) = (event.key(), event.code());
        let press = Press {
            key: &key,
            code: &code,
            ctrl: event.ctrl_key(),
            meta: event.meta_key(),
            alt: event.alt_key(),
            shift: event.shift_key(),
        };
        let meaning = self
            .keys
            .borrow_mut()
            .press(mode, &press, event.time_stamp());
        match meaning {
            Meaning::Command(command) => {
                event.prevent_default();
                self.dispatch(command);
                true
            }
            Meaning::Pending => {
                event.prevent_default();
                true
            }
            Meaning::None => false,
        }
    }

    fn clicked(self: &Rc<Self>, event: MouseEvent) {
        let Some((target, view)) = self.hit(&event) else {
            return;
        };
        open_apart(&target);
        let act = target.closest("[data-act]").ok().flatten();
        if let Some(act) = act.and_then(|element| element.get_attribute("data-act")) {
            return self.act(&act, &view);
        }
        let selecting = dom::window().get_selection().ok().flatten();
        let is_reading = selecting.is_some_and(|selection| !selection.is_collapsed());
        if is_closest(&target, "pre.source") && !is_reading {
            self.edit_at(
                &view,
                f64::from(event.client_x()),
                f64::from(event.client_y()),
            );
        }
    }

    /// With Shift the selection is extended; without, the focus that follows selects.
    fn pressed_down(self: &Rc<Self>, event: MouseEvent) {
        let Some((target, view)) = self.hit(&event) else {
            return;
        };
        if event.shift_key() && !is_closest(&target, ".cm-editor, a, button, summary, .outputs") {
            event.prevent_default();
            let changes = self.state.borrow_mut().select_to(view.key);
            self.patch(changes, Focus::Follow);
        }
    }

    /// Markdown is edited by a double click.
    fn double_clicked(self: &Rc<Self>, event: MouseEvent) {
        let Some((target, view)) = self.hit(&event) else {
            return;
        };
        if is_closest(&target, ".prose") && !is_closest(&target, "a, button, summary") {
            let changes = self.state.borrow_mut().select(view.key, Mode::Edit);
            self.patch(changes, Focus::Follow);
        }
    }

    /// The cell that has the focus is the active one, and in edit mode if the focus is in its editor.
    fn focused(self: &Rc<Self>, event: FocusEvent) {
        let target = event
            .target()
            .and_then(|target| target.dyn_into::<Element>().ok());
        let Some((target, view)) =
            target.and_then(|target| Some((target.clone(), self.cell_of(&target)?)))
        else {
            return;
        };
        let mode = if is_closest(&target, ".cm-editor") {
            Mode::Edit
        } else {
            Mode::Command
        };
        let already = {
            let state = self.state.borrow();
            let selected = state.selection();
            // Focus that comes back to a selection of several does not end it.
            selected.active == view.key && state.mode() == mode
        };
        if !already {
            self.change(|state| state.select(view.key, mode));
        }
    }

    fn act(self: &Rc<Self>, act: &str, view: &CellView) {
        let key = view.key;
        let select = self.state.borrow_mut().select(key, Mode::Command);
        self.patch(select, Focus::Keep);
        match act {
            "run" => self.dispatch(Command::RunStay),
            "toggle-input" => self.dispatch(Command::ToggleInput),
            "toggle-outputs" => self.dispatch(Command::ToggleOutputs),
            "expand" => self.change(|state| state.set_heading_collapsed(key, false)),
            "fold" => self.change(|state| {
                let folded = state.document().heading_collapsed(key);
                state.set_heading_collapsed(key, !folded)
            }),
            "trust" => self.dispatch(Command::Trust),
            _ => {}
        }
        // What was clicked may be gone, as what says that a cell is stale is once it runs.
        if dom::focus_is_nowhere() {
            self.follow();
        }
    }

    fn hit(&self, event: &MouseEvent) -> Option<(Element, Rc<CellView>)> {
        let target: Element = event.target()?.dyn_into().ok()?;
        let view = self.cell_of(&target)?;
        Some((target, view))
    }

    /// The cell that an element is in.
    fn cell_of(&self, element: &Element) -> Option<Rc<CellView>> {
        let root = element.closest(".cell").ok().flatten()?;
        let key = root.get_attribute("data-key")?.parse().ok()?;
        self.view(CellKey(key))
    }
}

/// A link out of the notebook opens beside it, and knows nothing of it.
fn open_apart(target: &Element) {
    let link = target.closest("a[href]").ok().flatten();
    let Some(link) = link.filter(|link| {
        !link
            .get_attribute("href")
            .is_some_and(|href| href.starts_with('#'))
    }) else {
        return;
    };
    dom::set(&link, "target", "_blank");
    dom::set(&link, "rel", "noopener noreferrer");
}

/// Whether the element or one that it is in fits a selector of ours.
fn is_closest(element: &Element, selector: &str) -> bool {
    element.closest(selector).ok().flatten().is_some()
}

/// Whether the element has a use of its own for the key: text fields for all but Control's, buttons
/// and links for the keys that press them, what scrolls for those that scroll it.
fn leaves_keys(target: &Element, event: &KeyboardEvent) -> bool {
    if is_closest(target, "input, textarea, select, [contenteditable=true]") {
        return !(event.ctrl_key() || event.meta_key())
            || matches!(event.key().as_str(), "a" | "c" | "v" | "x" | "z" | "Enter");
    }
    let bare = !(event.ctrl_key() || event.meta_key() || event.shift_key() || event.alt_key());
    if bare && target.has_attribute(scroller::MARK) {
        return matches!(
            event.key().as_str(),
            "ArrowLeft"
                | "ArrowRight"
                | "ArrowUp"
                | "ArrowDown"
                | "PageUp"
                | "PageDown"
                | "Home"
                | "End"
                | " "
        );
    }
    let presses = matches!(event.key().as_str(), "Enter" | " ");
    presses && bare && is_closest(target, "a, button, summary")
}
