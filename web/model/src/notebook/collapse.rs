//! Hiding and showing: inputs, outputs, the sections under headings; what is read and what is source.

use super::{Change, NotebookState, Selection};
use crate::command::Command;
use crate::document::{CellKey, Kind};

impl NotebookState {
    pub(super) fn dispatch_view(&mut self, command: Command, changes: &mut Vec<Change>) -> bool {
        match command {
            Command::ToggleInput => {
                let hidden = !self.document.input_hidden(self.active());
                self.hide_inputs(self.selected().to_vec(), hidden, changes);
            }
            Command::ToggleOutputs => {
                let hidden = !self.document.outputs_hidden(self.active());
                self.hide_outputs(self.selected().to_vec(), hidden, changes);
            }
            Command::HideAllInputs => self.hide_inputs(self.code(), true, changes),
            Command::ShowAllInputs => {
                self.hide_inputs(self.document.keys().to_vec(), false, changes);
            }
            Command::HideAllOutputs => self.hide_outputs(self.code(), true, changes),
            Command::ShowAllOutputs => self.hide_outputs(self.code(), false, changes),
            Command::RenderAllMarkdown => self.render_all(changes),
            Command::CollapseHeading => self.collapse_or_go(changes),
            Command::ExpandHeading => self.expand_or_go(changes),
            Command::CollapseAllHeadings => self.collapse_all(true, changes),
            Command::ExpandAllHeadings => self.collapse_all(false, changes),
            _ => return false,
        }
        true
    }

    /// Hides or shows the section under a heading, as a click on its arrow does.
    pub fn set_heading_collapsed(&mut self, key: CellKey, collapsed: bool) -> Vec<Change> {
        self.operation(|state, changes| state.collapse(key, collapsed, changes))
    }

    /// Shows a cell, by expanding every heading that hides it, and selects it: for links, search
    /// and the outline.
    pub fn reveal(&mut self, key: CellKey) -> Vec<Change> {
        self.operation(|state, changes| {
            if state.document.index_of(key).is_none() {
                return;
            }
            state.expand_above(key, changes);
            state.hide(changes);
            state.selection = Selection::of(key);
        })
    }

    /// Expands every heading that hides a cell.
    pub(super) fn expand_above(&mut self, key: CellKey, changes: &mut Vec<Change>) {
        for heading in self.outline.above(&self.document, key) {
            self.collapse(heading, false, changes);
        }
    }

    fn code(&self) -> Vec<CellKey> {
        let keys = self.document.keys().iter().copied();
        keys.filter(|key| self.document.kind(*key).is_code())
            .collect()
    }

    fn hide_inputs(&mut self, keys: Vec<CellKey>, hidden: bool, changes: &mut Vec<Change>) {
        for key in keys {
            if self.document.input_hidden(key) != hidden {
                self.document.set_input_hidden(key, hidden);
                self.touch();
                changes.push(Change::CollapsedChanged { key });
            }
        }
    }

    fn hide_outputs(&mut self, keys: Vec<CellKey>, hidden: bool, changes: &mut Vec<Change>) {
        for key in keys {
            if self.document.outputs_hidden(key) != hidden && self.document.kind(key).is_code() {
                self.document.set_outputs_hidden(key, hidden);
                self.touch();
                changes.push(Change::CollapsedChanged { key });
            }
        }
    }

    fn collapse(&mut self, key: CellKey, collapsed: bool, changes: &mut Vec<Change>) {
        let is_heading = self.outline.level(key).is_some();
        if self.document.heading_collapsed(key) != collapsed && (is_heading || !collapsed) {
            self.document.set_heading_collapsed(key, collapsed);
            self.touch();
            changes.push(Change::CollapsedChanged { key });
        }
    }

    fn collapse_all(&mut self, collapsed: bool, changes: &mut Vec<Change>) {
        for key in self.document.keys().to_vec() {
            self.collapse(key, collapsed, changes);
        }
    }

    /// JupyterLab's Left: collapses the heading, or goes to the heading that the cell is under.
    fn collapse_or_go(&mut self, changes: &mut Vec<Change>) {
        let key = self.active();
        if self.outline.level(key).is_some() && !self.document.heading_collapsed(key) {
            return self.collapse(key, true, changes);
        }
        if let Some(parent) = self.outline.parent(&self.document, key) {
            self.selection = Selection::of(parent);
        }
    }

    /// JupyterLab's Right: expands the heading, or goes to the next one.
    fn expand_or_go(&mut self, changes: &mut Vec<Change>) {
        let key = self.active();
        if self.outline.level(key).is_some() && self.document.heading_collapsed(key) {
            return self.collapse(key, false, changes);
        }
        let mut next = self.below(key);
        while let Some(below) = next {
            if self.outline.level(below).is_some() {
                self.selection = Selection::of(below);
                return;
            }
            next = self.below(below);
        }
    }

    fn render_all(&mut self, changes: &mut Vec<Change>) {
        for key in self.document.keys().to_vec() {
            if self.document.kind(key) == Kind::Markdown {
                self.set_rendered(key, true, changes);
            }
        }
    }
}
