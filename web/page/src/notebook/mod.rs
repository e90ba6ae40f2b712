//! The notebook on the screen: the model's state, and the elements that are kept in step with it.
//!
//! Every change comes from the model as a list of [`Change`]s, and only what they name is drawn.
//! No borrow of the state is held while the document is touched, for that can call back.

mod actions;
mod cell;
mod diagnose;
mod edit;
mod events;
mod hear;
mod live;
mod opening;
mod patch;
mod streams;
mod tools;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use spoor_messages::ImageName;
use spoor_model::run::Queue;
use spoor_model::{CellKey, Change, Command, Document, Kind, NotebookState};
use spoor_notebook::Fragments;
use wasm_bindgen::convert::FromWasmAbi;
use web_sys::{EventTarget, HtmlElement};

pub use cell::CellView;
pub use patch::Focus;

use crate::app::{self, App, Aside, Beside, Own, Place};
use crate::dom::{self, el};
use crate::find::FindBar;
use crate::outline::OutlinePanel;
use crate::scroller;
use crate::session::Session;
use crate::storage::Entry;
use crate::table::ResultsClient;
use crate::workspaces::Chooser;
use spoor_model::keys::Keys;
use tools::Tools;

/// A notebook on the screen.
pub struct Screen {
    /// What every screen can use.
    pub app: Rc<App>,
    /// The kernel's.
    pub session: Rc<Session>,
    /// The notebook.
    pub state: RefCell<NotebookState>,
    /// What runs and what waits.
    pub queue: RefCell<Queue>,
    /// The name of the notebook's file.
    pub name: RefCell<String>,
    list: HtmlElement,
    views: RefCell<HashMap<CellKey, Rc<CellView>>>,
    /// The HTML of Markdown cells that are yet to be drawn.
    prose: RefCell<HashMap<CellKey, String>>,
    /// Cells with an editor, the one used last at the end.
    pub(crate) editors: RefCell<Vec<CellKey>>,
    fragments: RefCell<Fragments>,
    keys: RefCell<Keys>,
    tools: Tools,
    outline: OutlinePanel,
    /// The find bar, once it was wanted.
    pub(crate) find: RefCell<Option<Rc<FindBar>>>,
    /// Where the notebook is kept, if it is the user's own.
    own: RefCell<Option<Rc<Own>>>,
    /// The draft that is kept where it is nobody's own.
    aside: RefCell<Option<Rc<Aside>>>,
    /// The user's files.
    beside: RefCell<Option<Rc<Beside>>>,
    /// Whether what was to be run has ended.
    finished: Cell<bool>,
    /// Whether the time of the running cell is being shown.
    ticking: Cell<bool>,
    /// The worker that holds results, once there is one.
    results: RefCell<Option<ResultsClient>>,
    /// Counts what is typed.
    typed: Cell<u32>,
    /// Outputs that wait to be drawn: streams that grow.
    growing: streams::Growing,
}

impl Screen {
    /// Shows a notebook, with the outputs that its file has. `name` is the file's.
    pub fn mount(app: Rc<App>, session: Rc<Session>, document: Document, name: &str) -> Rc<Self> {
        let list = el("div").class("cells").build();
        let main = app.shell.main();
        dom::clear(&main);
        dom::append(&main, &list);
        scroller::follow(&list);
        let screen = Rc::new(Self {
            state: RefCell::new(NotebookState::new(document)),
            queue: RefCell::new(Queue::new()),
            name: RefCell::new(name.to_owned()),
            list,
            views: RefCell::default(),
            prose: RefCell::default(),
            editors: RefCell::default(),
            fragments: RefCell::new(Fragments::new()),
            keys: RefCell::new(Keys::new(is_mac())),
            tools: Tools::new(),
            outline: OutlinePanel::empty(),
            find: RefCell::default(),
            own: RefCell::default(),
            aside: RefCell::default(),
            beside: RefCell::default(),
            finished: Cell::new(false),
            ticking: Cell::new(false),
            results: RefCell::default(),
            typed: Cell::new(0),
            growing: streams::Growing::default(),
            app,
            session,
        });
        screen.furnish();
        screen.open();
        screen.listen_to_user();
        screen.listen_to_session();
        screen.follow_workspaces();
        crate::probe::watch(&screen);
        screen
    }

    /// Keeps what changes from now on in the user's own notebook, whose file has what there was at
    /// this revision.
    pub fn keep(self: &Rc<Self>, own: Rc<Own>, revision: u64) {
        self.own.replace(Some(own.clone()));
        if let Some(aside) = self.aside.take() {
            aside.end(self);
        }
        own.attach(self, revision);
        self.with_beside(Beside::refresh);
    }

    /// Keeps what changes in a draft, until the notebook is the user's own.
    pub fn put_aside(&self, aside: &Rc<Aside>) {
        self.aside.replace(Some(aside.clone()));
    }

    /// Where the notebook is kept, if it is the user's own.
    pub fn own(&self) -> Option<Rc<Own>> {
        self.own.borrow().clone()
    }

    /// The choice of where its queries go.
    pub(crate) fn chooser(&self) -> &Chooser {
        &self.tools.chooser
    }

    /// What the browser's storage has of it, if it is kept there.
    pub fn entry(&self) -> Option<Entry> {
        self.own()?.entry()
    }

    /// Where the notebook came from, if from elsewhere.
    pub fn origin(&self) -> Option<String> {
        match (self.own(), &self.app.route.notebook) {
            (Some(own), _) => own.served().or_else(|| own.entry()?.origin),
            (None, Some(Place::Url(url))) => Some(url.clone()),
            (None, Some(Place::Link(_))) => Some("a link".to_owned()),
            (None, _) => None,
        }
    }

    /// Saves what is not saved, if the notebook is the user's own.
    pub async fn settle(&self) {
        if let Some(own) = self.own() {
            own.settle().await;
        }
    }

    /// Gives the notebook's file another name.
    pub fn take_name(&self, name: &str) {
        self.name.replace(name.to_owned());
        self.app.shell.set_title(name);
    }

    /// Does something with the files beside the notebook.
    pub fn with_beside(&self, work: impl FnOnce(&Beside)) {
        let beside = self.beside.borrow().clone();
        if let Some(beside) = beside {
            work(&beside);
        }
    }

    /// Puts bars and panels around the cells.
    fn furnish(self: &Rc<Self>) {
        let shell = &self.app.shell;
        shell.set_tools(self.tools.root());
        let _ = shell
            .middle()
            .insert_adjacent_element("afterbegin", self.outline.root());
        for menu in app::menus(self) {
            shell.set_menu(&menu);
        }
        shell.set_title(&self.name.borrow());
        shell.set_kernel(&self.kernel_name());
        self.tools.wire(self);
        self.outline.wire(self);
        self.outline.show(self.app.preferences.get().outline);
    }

    /// Loads Python if a cell is in it, with pandas if one speaks of frames.
    fn prepare_python(&self) {
        let state = self.state.borrow();
        let document = state.document();
        let mut sources = document
            .keys()
            .iter()
            .filter(|key| document.kind(**key) == Kind::Code)
            .map(|key| document.source(*key));
        if sources.clone().all(|source| source.trim().is_empty()) {
            return;
        }
        let image = if sources.any(mentions_frames) {
            ImageName::Pandas
        } else {
            ImageName::Bare
        };
        self.session.prepare_python(image);
    }

    /// The name to show for the kernel.
    fn kernel_name(&self) -> String {
        let state = self.state.borrow();
        let spec = state.document().metadata().get("kernelspec");
        let name = spec.and_then(|spec| spec.get("name")?.as_str());
        match name {
            // Whatever kernel a notebook names, the one that runs it here is Spoor's.
            Some("spoor" | "python3") | None => "Spoor".to_owned(),
            Some(other) => format!("Spoor, for {other}"),
        }
    }

    /// Carries out a command, and follows with the focus.
    pub fn dispatch(self: &Rc<Self>, command: Command) {
        if self.clears_running(command) {
            // The worker goes on to add to the outputs that it knows.
            return crate::toast::show(
                "A running cell's outputs stay until it has ended: interrupt it first.",
                None,
            );
        }
        if !self.asks_first(command) {
            self.do_now(command);
        }
    }

    fn do_now(self: &Rc<Self>, command: Command) {
        self.draw_rest();
        let changes = self.state.borrow_mut().apply(command);
        self.offer_undo(command, &changes);
        self.patch(changes, Focus::Follow);
    }

    fn clears_running(&self, command: Command) -> bool {
        let Some(running) = self.queue.borrow().running_key() else {
            return false;
        };
        match command {
            Command::ClearAllOutputs => true,
            Command::ClearOutputs => self.state.borrow().selected().contains(&running),
            _ => false,
        }
    }

    /// Makes a change of the model's, without moving the focus.
    pub fn change(self: &Rc<Self>, work: impl FnOnce(&mut NotebookState) -> Vec<Change>) {
        let changes = work(&mut self.state.borrow_mut());
        self.patch(changes, Focus::Keep);
    }

    /// The elements of a cell.
    pub fn view(&self, key: CellKey) -> Option<Rc<CellView>> {
        self.views.borrow().get(&key).cloned()
    }

    /// The elements of the active cell.
    pub fn active_view(&self) -> Option<Rc<CellView>> {
        let key = self.state.borrow().active();
        self.view(key)
    }

    /// Whether what was to be run has ended.
    pub fn is_finished(&self) -> bool {
        self.finished.get()
    }

    /// Calls `heard` with the screen for each event, as long as both live.
    pub fn on<E>(
        self: &Rc<Self>,
        target: &EventTarget,
        event: &str,
        mut heard: impl FnMut(&Rc<Self>, E) + 'static,
    ) where
        E: FromWasmAbi + 'static,
    {
        let weak = Rc::downgrade(self);
        dom::on(target, event, move |event: E| {
            if let Some(screen) = weak.upgrade() {
                heard(&screen, event);
            }
        });
    }

    /// Calls `then` with the screen after `ms` milliseconds, if it is still there.
    pub fn after(self: &Rc<Self>, ms: i32, then: impl FnOnce(&Rc<Self>) + 'static) {
        let weak = Rc::downgrade(self);
        dom::after(ms, move || {
            if let Some(screen) = weak.upgrade() {
                then(&screen);
            }
        });
    }
}

/// Results of KQL are frames to Python, and so is what these packages work on.
fn mentions_frames(source: &str) -> bool {
    const WORDS: [&str; 10] = [
        "kql",
        "pandas",
        "numpy",
        "spoor",
        "matplotlib",
        "seaborn",
        "scipy",
        "sklearn",
        "statsmodels",
        "msticpy",
    ];
    let source = source.to_lowercase();
    WORDS.iter().any(|word| source.contains(word))
}

/// Whether shortcuts go with Command.
pub fn is_mac() -> bool {
    let platform = dom::window().navigator().platform().unwrap_or_default();
    platform.starts_with("Mac") || platform.starts_with("iP")
}
