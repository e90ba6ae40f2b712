//! What commands do that is not the notebook's own: running, the kernel, files, panels.

use std::rc::Rc;

use spoor_model::{CellKey, Change, Command, Effect, Kind, Mode};
use spoor_protocol::Event;

use super::{Focus, Screen};
use crate::app;
use crate::dom;
use crate::files::ask_yes;
use crate::words::counted;
use crate::{find, help, palette, settings, toast, workspaces};

/// Milliseconds for the cells whose lines are numbered before the page is painted.
const SLICE: f64 = 15.0;

impl Screen {
    pub(super) fn carry_out(self: &Rc<Self>, effect: Effect) {
        match effect {
            Effect::Run(keys) => self.run(&keys),
            Effect::RestartThenRun(keys) => {
                self.restart();
                self.run(&keys);
            }
            Effect::RunStale => {
                let stale = self.queue.borrow().stale(self.state.borrow().document());
                if stale.is_empty() {
                    toast::show("No cell has changed since it ran.", None);
                }
                self.run(&stale);
            }
            Effect::SplitAtCursor(key) => self.split(key),
            Effect::Page(command) => self.command(command),
        }
    }

    fn command(self: &Rc<Self>, command: Command) {
        match command {
            Command::Interrupt => self.interrupt(),
            Command::Restart => self.restart(),
            Command::Complete => self.with_active_editor(|editor| {
                editor.complete();
            }),
            Command::Tooltip => self.with_active_editor(|editor| {
                editor.inspect();
            }),
            Command::FormatKql => self.format_kql(),
            Command::Find => find::open(self, false),
            Command::FindReplace => find::open(self, true),
            Command::ToggleLineNumbers => self.toggle_line_numbers(),
            Command::ToggleAllLineNumbers => {
                self.prefer(|settings| settings.line_numbers = !settings.line_numbers);
            }
            Command::ToggleOutline => {
                self.prefer(|settings| settings.outline = !settings.outline);
            }
            Command::ToggleTheme => {
                let dark = app::system_is_dark();
                self.prefer(|settings| settings.theme = settings.theme.toggled(dark));
            }
            Command::Palette => palette::open(self),
            Command::Help => help::open(),
            Command::Settings => settings::open(self),
            Command::Workspaces => workspaces::open_settings(&self.app),
            Command::Trust => self.trust(),
            Command::CopyLink => self.copy_link(),
            Command::Gallery => app::go_home(),
            Command::ExportNotebook | Command::ExportHtml | Command::ExportPython => {
                self.export(command);
            }
            other => {
                app::carry_out(self, other);
            }
        }
    }

    fn export(&self, command: Command) {
        let state = self.state.borrow();
        if app::export(state.document(), &self.name.borrow(), command).is_none() {
            self.app.shell.say("The browser refused to make the file.");
        }
    }

    fn interrupt(self: &Rc<Self>) {
        let changes = self.queue.borrow_mut().clear();
        self.patch(changes, Focus::Keep);
        // Who asks again for what was not heeded wants the code to end.
        match self.session.stuck() {
            Some(_) => self.session.roll_back(),
            None => self.session.request(Event::Interrupt),
        }
    }

    /// Asks before a command makes the kernel forget what was run; whether it does.
    pub(super) fn asks_first(self: &Rc<Self>, command: Command) -> bool {
        let act = match command {
            Command::Restart => "Restart",
            Command::RestartRunAll => "Restart and run all",
            Command::RestartClear => "Restart and clear",
            _ => return false,
        };
        if !self.queue.borrow().has_run() {
            return false;
        }
        let screen = self.clone();
        wasm_bindgen_futures::spawn_local(async move {
            let text = "It forgets all variables. The notebook and the data stay.";
            if ask_yes("Restart the kernel?", text, act).await {
                screen.do_now(command);
            }
        });
        true
    }

    /// What runs ends first: a restart waits its turn.
    fn restart(self: &Rc<Self>) {
        if self.session.stuck().is_some() {
            self.session.roll_back();
        }
        self.session.request(Event::Interrupt);
        self.session.request(Event::Restart);
        let changes = self.queue.borrow_mut().restarted(dom::now());
        for view in self.views.borrow().values() {
            view.stop_asking();
        }
        self.patch(changes, Focus::Keep);
        toast::show(
            "The kernel was restarted: it has forgotten everything but the data.",
            None,
        );
    }

    fn with_active_editor(self: &Rc<Self>, work: impl FnOnce(&crate::editor::Editor)) {
        if let Some(editor) = self.active_view().and_then(|view| view.editor()) {
            work(&editor);
        }
    }

    fn split(self: &Rc<Self>, key: CellKey) {
        let Some(editor) = self.view(key).and_then(|view| view.editor()) else {
            return;
        };
        let cuts: Vec<usize> = editor.cuts().into_iter().map(|at| at as usize).collect();
        let changes = self.state.borrow_mut().split(key, &cuts);
        self.patch(changes, Focus::Follow);
    }

    /// Lays out the active cell's query.
    fn format_kql(self: &Rc<Self>) {
        let key = self.state.borrow().active();
        let formatted = {
            let state = self.state.borrow();
            let document = state.document();
            if document.kind(key) != Kind::Kql || document.is_read_only(key) {
                return;
            }
            let source = document.source(key);
            let Some((header, query)) = spoor_model::document::split_kql(source) else {
                return;
            };
            spoor_kql_syntax::format(query).map(|query| format!("{header}{query}"))
        };
        match formatted {
            Some(text) => {
                let text = text.trim_end().to_owned();
                self.change(|state| state.replace_sources(vec![(key, text)]));
            }
            None => toast::show("The query has errors: it was left as it is.", None),
        }
    }

    fn toggle_line_numbers(self: &Rc<Self>) {
        let Some(view) = self.active_view() else {
            return;
        };
        let shown = !self.has_numbers(&view);
        view.line_numbers.set(Some(shown));
        match view.editor() {
            Some(editor) => editor.set_line_numbers(shown),
            None => self.draw_source(&view),
        }
    }

    /// Numbers the lines of the cells that are read, or takes the numbers away: a slice at a time, for
    /// there may be many.
    fn number_lines(self: &Rc<Self>) {
        let until = dom::now() + SLICE;
        let keys = self.state.borrow().document().keys().to_vec();
        for key in keys {
            let Some(view) = self.view(key) else {
                continue;
            };
            if view.editor().is_some() || view.numbered.get() == self.has_numbers(&view) {
                continue;
            }
            self.draw_source(&view);
            if dom::now() >= until {
                return self.after(0, Self::number_lines);
            }
        }
    }

    /// Changes the settings, and makes them hold in this notebook.
    pub fn prefer(self: &Rc<Self>, change: impl FnOnce(&mut spoor_model::settings::Settings)) {
        self.app.preferences.change(change);
        let settings = self.app.preferences.get();
        self.outline.show(settings.outline);
        for view in self.views.borrow().values() {
            if let Some(editor) = view.editor() {
                let numbers = view.line_numbers.get().unwrap_or(settings.line_numbers);
                editor.set_line_numbers(numbers);
                editor.set_wrap(settings.wrap_lines || !view.kind().is_code());
            }
        }
        self.number_lines();
    }

    fn trust(self: &Rc<Self>) {
        self.change(|state| state.set_trusted(true));
        self.app.shell.announce("The notebook is trusted.");
        if let Some(own) = self.own() {
            own.trust();
        }
    }

    /// Writes a text where the cursor of the cell that is edited is; whether there is one.
    pub fn write_at_cursor(self: &Rc<Self>, text: &str) -> bool {
        let editing = {
            let state = self.state.borrow();
            let active = state.active();
            state.mode() == Mode::Edit && !state.document().is_read_only(active)
        };
        let editor = self.active_view().and_then(|view| view.editor());
        let Some(editor) = editor.filter(|_| editing) else {
            return false;
        };
        let at = editor.cursor();
        editor.replace_range(at, at, text);
        editor.set_cursor(at + text.encode_utf16().count() as u32);
        editor.focus();
        true
    }

    fn copy_link(self: &Rc<Self>) {
        let encoded = {
            let state = self.state.borrow();
            spoor_model::convert::encode_link(state.document().notebook(), true)
        };
        let fragment = match encoded {
            Ok(fragment) => fragment,
            Err(error) => return toast::show(&format!("No link was made: {error}."), None),
        };
        let location = dom::window().location();
        let origin = location.origin().unwrap_or_default();
        let path = location.pathname().unwrap_or_default();
        let link = format!("{origin}{path}#nb={fragment}");
        let copied = dom::window().navigator().clipboard().write_text(&link);
        wasm_bindgen_futures::spawn_local(async move {
            match wasm_bindgen_futures::JsFuture::from(copied).await {
                Ok(_) => toast::show("The link was copied.", None),
                Err(_) => toast::show("The browser did not let the link be copied.", None),
            }
        });
    }

    /// After cells were deleted, a way back.
    pub(super) fn offer_undo(self: &Rc<Self>, command: Command, changes: &[Change]) {
        if !matches!(command, Command::Delete | Command::Cut) {
            return;
        }
        let removed = changes
            .iter()
            .filter(|change| matches!(change, Change::CellRemoved { .. }));
        let removed = removed.count();
        if removed == 0 {
            return;
        }
        let weak = Rc::downgrade(self);
        let undo = move || {
            if let Some(screen) = weak.upgrade() {
                screen.dispatch(Command::Undo);
            }
        };
        let verb = if command == Command::Cut {
            "cut"
        } else {
            "deleted"
        };
        let text = format!("{} {verb}.", counted(removed as u64, "cell"));
        toast::show(&text, Some(("Undo", Box::new(undo))));
    }
}
