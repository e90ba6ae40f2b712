//! Drawing what the model says has changed.

use std::rc::Rc;

use spoor_model::{CellKey, Change, Effect, Kind, Mode};

use super::{CellView, Screen};
use crate::dom;
use crate::output::Shown;

/// Whether the focus goes where the selection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Focus {
    /// It follows: the user did something in the notebook.
    Follow,
    /// It stays: the kernel did, or the user is elsewhere.
    Keep,
}

/// What is drawn once, however many changes ask for it.
#[derive(Default)]
struct Pending {
    selection: bool,
    labels: bool,
    outline: bool,
    trust: bool,
    refocus: bool,
}

impl Screen {
    /// Has the user's own notebook saved, if something of it has changed, or a draft of one from elsewhere.
    fn keep_changes(self: &Rc<Self>) {
        let revision = self.state.borrow().revision();
        let (own, aside) = (self.own.borrow().clone(), self.aside.borrow().clone());
        if let Some(own) = own {
            own.changed(revision);
        } else if let Some(aside) = aside {
            aside.changed(self);
        }
    }

    /// Draws what has changed, then does what is to be done.
    pub fn patch(self: &Rc<Self>, mut changes: Vec<Change>, focus: Focus) {
        let stale = self.queue.borrow_mut().follow(&changes);
        changes.extend(stale);
        let mut pending = Pending::default();
        let mut effects = Vec::new();
        for change in changes {
            match change {
                Change::Effect(effect) => effects.push(effect),
                change => self.draw(change, &mut pending),
            }
        }
        self.keep_changes();
        if pending.labels {
            self.draw_labels();
        }
        if pending.selection || pending.labels {
            self.draw_selection();
        }
        if pending.outline {
            self.draw_outline();
        }
        if pending.trust {
            self.draw_trust();
        }
        if pending.refocus && focus == Focus::Follow {
            self.follow();
        }
        for effect in effects {
            self.carry_out(effect);
        }
        self.mark_found();
    }

    fn draw(self: &Rc<Self>, change: Change, pending: &mut Pending) {
        match change {
            Change::CellInserted { key, index } => {
                let view = self.insert(key, index);
                self.draw_prose(&view);
                self.draw_outputs(&view, 0);
                (pending.labels, pending.outline, pending.refocus) = (true, true, true);
                self.found_anew(key);
            }
            Change::CellRemoved { key } => {
                self.remove(key);
                (pending.labels, pending.outline, pending.refocus) = (true, true, true);
            }
            Change::CellMoved { key, index } => {
                if let Some(view) = self.view(key) {
                    view.root.remove();
                    self.put(&view, index);
                }
                (pending.labels, pending.outline, pending.refocus) = (true, true, true);
            }
            Change::SourceSet { key } => {
                self.with_view(key, |view| {
                    self.draw_source(view);
                    self.draw_prose(view);
                });
                self.found_anew(key);
            }
            Change::KindChanged { key, .. } => {
                self.redraw(key);
                (pending.labels, pending.refocus) = (true, true);
            }
            Change::OutputsSet { key, from } => {
                self.with_view(key, |view| {
                    self.draw_outputs(view, from);
                    self.draw_folds(view);
                });
                self.found_anew(key);
            }
            Change::CountSet { key }
            | Change::RunStateChanged { key }
            | Change::StaleChanged { key, .. } => {
                self.with_view(key, |view| self.draw_run(view));
            }
            Change::RenderedChanged { key, rendered } => self.with_view(key, |view| {
                if rendered {
                    self.draw_prose(view);
                }
                self.draw_folds(view);
            }),
            Change::CollapsedChanged { key } => self.with_view(key, |view| self.draw_folds(view)),
            Change::HiddenChanged { key, hidden } => {
                self.with_view(key, |view| view.root.set_hidden(hidden));
            }
            Change::HeadingsChanged { key } => {
                pending.outline = true;
                self.with_view(key, |view| self.draw_folds(view));
            }
            Change::SelectionChanged => (pending.selection, pending.refocus) = (true, true),
            Change::ModeChanged(_) => (pending.selection, pending.refocus) = (true, true),
            Change::MetadataChanged => pending.trust = true,
            Change::DirtyChanged(dirty) => {
                if self.own.borrow().is_none() {
                    self.app.shell.set_dirty(dirty);
                }
            }
            // Carried out when everything has been drawn.
            Change::Effect(Effect::Page(_)) | Change::Effect(_) => {}
        }
    }

    fn with_view(&self, key: CellKey, work: impl FnOnce(&Rc<CellView>)) {
        if let Some(view) = self.view(key) {
            work(&view);
        }
    }

    /// A new cell's elements, with its text, in their place.
    pub(super) fn insert(&self, key: CellKey, index: usize) -> Rc<CellView> {
        let kind = self.state.borrow().document().kind(key);
        let view = CellView::new(key, kind);
        self.draw_source(&view);
        self.draw_folds(&view);
        self.draw_run(&view);
        self.put(&view, index);
        self.views.borrow_mut().insert(key, view.clone());
        view
    }

    /// Shows a cell's text.
    pub(super) fn draw_source(&self, view: &CellView) {
        let numbers = self.has_numbers(view);
        view.draw_source(self.state.borrow().document(), numbers);
    }

    /// Whether a cell's lines are numbered.
    pub(super) fn has_numbers(&self, view: &CellView) -> bool {
        let general = || self.app.preferences.get().line_numbers;
        view.line_numbers.get().unwrap_or_else(general)
    }

    fn put(&self, view: &CellView, index: usize) {
        let before = self
            .list
            .children()
            .item(u32::try_from(index).unwrap_or(u32::MAX));
        let before: Option<&web_sys::Node> = before.as_ref().map(AsRef::as_ref);
        let _ = self.list.insert_before(&view.root, before);
    }

    fn remove(&self, key: CellKey) {
        self.editors.borrow_mut().retain(|other| *other != key);
        let view = self.views.borrow_mut().remove(&key);
        if let Some(view) = view {
            view.root.remove();
            view.drop_editor();
        }
        self.forget_found(key);
    }

    /// Draws a cell that has become another kind.
    fn redraw(self: &Rc<Self>, key: CellKey) {
        let Some(old) = self.view(key) else {
            return;
        };
        let Some(index) = self.state.borrow().document().index_of(key) else {
            return;
        };
        let kind = self.state.borrow().document().kind(key);
        if old.kind().is_code() && kind.is_code() {
            // Typing `%%kql` must not take the editor from under the typist's hands.
            old.set_kind(kind);
            return self.draw_source(&old);
        }
        old.root.remove();
        old.drop_editor();
        self.editors.borrow_mut().retain(|other| *other != key);
        let view = self.insert(key, index);
        self.draw_prose(&view);
        self.draw_outputs(&view, 0);
    }

    pub(super) fn draw_prose(&self, view: &CellView) {
        if view.kind() != Kind::Markdown {
            return;
        }
        let html = {
            let state = self.state.borrow();
            let document = state.document();
            let Some(index) = document.index_of(view.key) else {
                return;
            };
            self.fragments.borrow().markdown(document.notebook(), index)
        };
        view.draw_prose(&html);
    }

    /// Draws a cell's outputs from `from` on.
    pub(super) fn draw_outputs(self: &Rc<Self>, view: &Rc<CellView>, from: usize) {
        let (rendered, trusted) = {
            let state = self.state.borrow();
            let document = state.document();
            let outputs = document.outputs(view.key).get(from..).unwrap_or_default();
            let mut fragments = self.fragments.borrow_mut();
            let rendered: Vec<_> = outputs
                .iter()
                .map(|output| fragments.output(document.notebook(), output))
                .collect();
            (rendered, document.outputs_trusted(view.key))
        };
        view.keeping_focus(|| {
            let mut shown = view.shown.borrow_mut();
            let kept = from.min(shown.len());
            for old in shown.drain(kept..) {
                old.root.remove();
            }
            for rendered in rendered {
                let new = Shown::new(&rendered, trusted, self.app.preferences.is_dark());
                dom::append(&view.outputs, &new.root);
                shown.push(new);
            }
            drop(shown);
            self.enliven(view, kept);
        });
    }

    fn draw_folds(&self, view: &CellView) {
        let state = self.state.borrow();
        let is_heading = state.outline().level(view.key).is_some();
        view.draw_folds(state.document(), state.is_rendered(view.key), is_heading);
    }

    /// Draws how a cell runs or has run.
    pub(super) fn draw_run(&self, view: &CellView) {
        view.draw_run(
            self.state.borrow().document(),
            &self.queue.borrow(),
            dom::now(),
        );
    }

    fn draw_labels(&self) {
        let keys = self.state.borrow().document().keys().to_vec();
        for (index, key) in keys.iter().enumerate() {
            self.with_view(*key, |view| view.draw_label(index, keys.len()));
        }
    }

    /// Marks what is selected, and shows the mode.
    pub(super) fn draw_selection(&self) {
        let (selected, active, mode) = {
            let state = self.state.borrow();
            (state.selected().to_vec(), state.active(), state.mode())
        };
        for view in self.views.borrow().values() {
            let is_active = view.key == active;
            view.draw_selected(selected.contains(&view.key), is_active, mode == Mode::Edit);
        }
        let state = self.state.borrow();
        let document = state.document();
        let number = document.index_of(active).map_or(0, |index| index + 1);
        let several = state.selected().len();
        let word = match mode {
            Mode::Command => "Command",
            Mode::Edit => "Edit",
        };
        let kind = document.kind(active);
        let of = document.len();
        let place = match several {
            2.. => format!("{several} of {of} cells selected"),
            _ => format!("cell {number} of {of}"),
        };
        self.app.shell.set_mode(&format!("{word} · {place}"));
        self.tools.set_kind(kind);
        self.outline.mark(state.outline(), document, active);
    }

    pub(super) fn draw_outline(&self) {
        let state = self.state.borrow();
        self.outline.draw(state.outline(), state.document());
    }

    /// Lets scripted outputs run where they may.
    fn draw_trust(self: &Rc<Self>) {
        let views: Vec<Rc<CellView>> = self.views.borrow().values().cloned().collect();
        let dark = self.app.preferences.is_dark();
        for view in views {
            let trusted = self.state.borrow().document().outputs_trusted(view.key);
            for shown in view.shown.borrow().iter() {
                shown.set_trusted(trusted, dark);
            }
        }
    }

    /// Takes the focus to the active cell or its editor, and brings it into sight.
    pub fn follow(self: &Rc<Self>) {
        let Some(view) = self.active_view() else {
            return;
        };
        let mode = self.state.borrow().mode();
        match mode {
            Mode::Edit => self.edit(&view),
            Mode::Command => {
                view.focus();
                view.reveal();
            }
        }
    }
}
