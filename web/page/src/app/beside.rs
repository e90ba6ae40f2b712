//! The user's files beside an open notebook: a panel where there is room for both, and over the
//! notebook where there is not.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use spoor_messages::Source;
use spoor_model::settings::FILES_WIDTH;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Event, HtmlElement, KeyboardEvent, MediaQueryList, MouseEvent, PointerEvent};

use super::{App, describe};
use crate::dom::{self, button, el};
use crate::files::{self, Callbacks, Files};
use crate::icon::{Icon, icon};
use crate::notebook::{Focus, Screen};
use crate::server::{self, Client};

/// Where there is no room for both.
const NARROW: &str = "(max-width: 60rem)";
/// How far a key moves the panel's edge, in pixels.
const STEP: u16 = 16;

/// The panel.
pub struct Beside {
    app: Rc<App>,
    screen: Weak<Screen>,
    root: HtmlElement,
    body: HtmlElement,
    narrow: Option<MediaQueryList>,
    files: RefCell<Option<Files>>,
    /// The notebooks of the folder of `spoor serve`.
    served: RefCell<Option<server::Panel>>,
    /// What had the focus before it went into the panel.
    back: RefCell<Option<HtmlElement>>,
}

impl Beside {
    /// Puts the panel beside a screen. What is in it comes when the storage is open.
    pub fn mount(screen: &Rc<Screen>) -> Rc<Self> {
        let app = screen.app.clone();
        let body = el("div").class("beside-body").build();
        let root = el("aside")
            .attr("id", "files")
            .attr("aria-label", "Files")
            .attr("tabindex", "-1")
            .build();
        let panel = Rc::new(Self {
            screen: Rc::downgrade(screen),
            narrow: dom::window().match_media(NARROW).ok().flatten(),
            files: RefCell::default(),
            served: RefCell::default(),
            back: RefCell::default(),
            app,
            root,
            body,
        });
        panel.furnish();
        panel.show(panel.app.preferences.get().files && !panel.is_narrow());
        if let Some(client) = &*panel.app.server.borrow() {
            panel.serve(client);
        }
        let filling = panel.clone();
        spawn_local(async move { filling.fill().await });
        panel
    }

    /// What is done with the files, once the storage is open. None in a browser that has none for the page.
    pub fn with_files(&self, work: impl FnOnce(&Files)) {
        match &*self.files.borrow() {
            Some(files) => work(files),
            None => self.app.shell.say(NO_STORAGE),
        }
    }

    /// Shows anew what is there: another notebook is open.
    pub fn refresh(&self) {
        if let Some(files) = &*self.files.borrow() {
            files.refresh();
        }
        if let Some(served) = &*self.served.borrow() {
            served.refresh();
        }
    }

    /// Lists the notebooks of the folder of `spoor serve` too.
    pub fn serve(&self, client: &Client) {
        let mut served = self.served.borrow_mut();
        if served.is_none() {
            let (screen, leaving) = (self.screen.clone(), self.screen.clone());
            let current = move || screen.upgrade()?.own()?.served();
            let open = move |address: &str| {
                if let Some(screen) = leaving.upgrade() {
                    super::leave_for(&screen, address);
                }
            };
            *served = Some(server::mount(&self.body, client, current, open));
        }
    }

    /// Lists the tables that the site offers.
    pub fn offer(&self, sources: &[Source]) {
        if let Some(files) = &*self.files.borrow() {
            files.offer(sources);
        }
    }

    /// Opens the panel with the focus in it, or closes it.
    pub fn toggle(&self) {
        if self.is_open() {
            self.close();
        } else {
            self.open();
            self.enter();
        }
    }

    fn is_open(&self) -> bool {
        self.root.has_attribute("data-open")
    }

    fn is_narrow(&self) -> bool {
        self.narrow.as_ref().is_some_and(MediaQueryList::matches)
    }

    fn show(&self, open: bool) {
        dom::flag(&self.root, "data-open", open);
    }

    fn open(&self) {
        self.show(true);
        self.remember(true);
    }

    /// Over the notebook it is open for the moment; beside it, until it is closed.
    fn remember(&self, open: bool) {
        if !self.is_narrow() {
            self.app
                .preferences
                .change(|settings| settings.files = open);
        }
    }

    fn enter(&self) {
        let active = dom::document().active_element();
        self.back
            .replace(active.and_then(|active| active.dyn_into().ok()));
        let first = self.root.query_selector(".files-head button");
        let first = first.ok().flatten();
        let first = first.and_then(|first| first.dyn_into::<HtmlElement>().ok());
        let _ = first.unwrap_or_else(|| self.root.clone()).focus();
    }

    fn close(&self) {
        let inside = self.has_focus();
        self.show(false);
        self.remember(false);
        if inside {
            self.leave();
        }
    }

    fn has_focus(&self) -> bool {
        let active = dom::document().active_element();
        active.is_some_and(|active| self.root.contains(Some(&active)))
    }

    /// Gives the focus back to what had it, or to the notebook.
    fn leave(&self) {
        let back = self.back.take();
        let back = back.filter(|back| back.is_connected() && back.tag_name() != "BODY");
        match (back, self.screen.upgrade()) {
            (Some(back), _) => {
                let _ = back.focus();
            }
            (None, Some(screen)) => screen.patch(Vec::new(), Focus::Follow),
            (None, None) => {}
        }
    }
}

/// What stands in the panel.
impl Beside {
    fn furnish(self: &Rc<Self>) {
        let close = self.listening(
            button("")
                .class("plain")
                .attr("aria-label", "Close the files")
                .attr("title", "Close")
                .child(icon(Icon::Close)),
            "click",
            |panel, _: MouseEvent| panel.close(),
        );
        let head = el("div")
            .class("beside-head")
            .child(
                el("span")
                    .class("grow")
                    .attr("aria-hidden", "true")
                    .text("Files"),
            )
            .child(close);
        dom::append(&self.root, self.grip());
        dom::append(&self.root, head);
        dom::append(&self.root, &self.body);
        dom::append(&self.app.shell.middle(), &self.root);
        let weak = Rc::downgrade(self);
        dom::on(&self.root, "keydown", move |event: KeyboardEvent| {
            if let Some(panel) = weak.upgrade().filter(|_| event.key() == "Escape") {
                panel.escape(&event);
            }
        });
        let weak = Rc::downgrade(self);
        if let Some(query) = &self.narrow {
            dom::on(query, "change", move |_: Event| {
                if let Some(panel) = weak.upgrade() {
                    panel.show(panel.app.preferences.get().files && !panel.is_narrow());
                }
            });
        }
    }

    fn escape(&self, event: &KeyboardEvent) {
        if event.default_prevented() {
            return;
        }
        event.prevent_default();
        if self.is_narrow() {
            self.close();
        } else {
            self.leave();
        }
    }

    /// The edge, by which the panel is made wider.
    fn grip(self: &Rc<Self>) -> HtmlElement {
        let (least, most) = (*FILES_WIDTH.start(), *FILES_WIDTH.end());
        let grip = el("div")
            .class("grip")
            .attr("role", "separator")
            .attr("tabindex", "0")
            .attr("aria-orientation", "vertical")
            .attr("aria-label", "Width of the files")
            .attr("aria-valuemin", &least.to_string())
            .attr("aria-valuemax", &most.to_string())
            .attr("aria-valuenow", &self.width().to_string());
        let grip = self.listening(grip, "pointerdown", |panel, event: PointerEvent| {
            if let Some(grip) = dom::target::<HtmlElement>(&event) {
                event.prevent_default();
                let _ = grip.set_pointer_capture(event.pointer_id());
                dom::flag(&panel.root, "data-moving", true);
            }
        });
        let grip = self.listening(grip, "pointermove", |panel, event: PointerEvent| {
            if panel.root.has_attribute("data-moving") {
                let right = panel.root.get_bounding_client_rect().right();
                panel.widen((right - f64::from(event.client_x())) as u16);
            }
        });
        let grip = self.listening(grip, "lostpointercapture", |panel, _: PointerEvent| {
            dom::flag(&panel.root, "data-moving", false);
        });
        let grip = self.listening(grip, "keydown", |panel, event: KeyboardEvent| {
            let width = panel.width();
            match event.key().as_str() {
                "ArrowLeft" => panel.widen(width + STEP),
                "ArrowRight" => panel.widen(width - STEP),
                _ => return,
            }
            event.prevent_default();
        });
        grip.build()
    }

    fn width(&self) -> u16 {
        self.app.preferences.get().files_width
    }

    fn widen(&self, width: u16) {
        let width = width.clamp(*FILES_WIDTH.start(), *FILES_WIDTH.end());
        self.app
            .preferences
            .change(|settings| settings.files_width = width);
        if let Ok(Some(grip)) = self.root.query_selector(".grip") {
            dom::set(&grip, "aria-valuenow", &width.to_string());
        }
    }

    /// Has the panel hear an element's events.
    fn listening<E>(
        self: &Rc<Self>,
        element: dom::El,
        event: &str,
        mut heard: impl FnMut(&Self, E) + 'static,
    ) -> dom::El
    where
        E: wasm_bindgen::convert::FromWasmAbi + 'static,
    {
        let weak = Rc::downgrade(self);
        element.on(event, move |event: E| {
            if let Some(panel) = weak.upgrade() {
                heard(&panel, event);
            }
        })
    }

    async fn fill(self: &Rc<Self>) {
        let store = match self.app.store().await {
            Ok(store) => store,
            Err(error) => {
                let reason = files::sentence(&error.to_string());
                return dom::append(&self.body, el("p").class("hint").text(&reason));
            }
        };
        store.expose();
        let mounted = files::mount(&self.body, &store, self.callbacks());
        mounted.offer(&self.app.offered.borrow());
        self.files.replace(Some(mounted));
    }

    fn callbacks(self: &Rc<Self>) -> Callbacks {
        let (current, settling, describing, waiting, inserting) = (
            self.screen.clone(),
            self.screen.clone(),
            self.screen.clone(),
            self.screen.clone(),
            self.screen.clone(),
        );
        let (opening, revealing) = (self.screen.clone(), Rc::downgrade(self));
        Callbacks {
            open: Box::new(move |id| {
                if let Some(screen) = opening.upgrade() {
                    super::leave_for(&screen, &super::address_of(id));
                }
            }),
            current: Box::new(move || Some(current.upgrade()?.entry()?.id)),
            settle: Box::new(move || {
                let screen = settling.upgrade();
                Box::pin(async move {
                    if let Some(screen) = screen {
                        screen.settle().await;
                    }
                })
            }),
            describe: Box::new(move |table| match describing.upgrade() {
                Some(screen) => describe::describe(&screen.session, table),
                None => Box::pin(async { Err("The notebook is closed.".to_owned()) }),
            }),
            plugins: self.app.plugins.clone(),
            waiting: Box::new(move || {
                let screen = waiting.upgrade();
                screen.map_or("", |screen| describe::waiting(&screen.session))
            }),
            insert: Some(Box::new(move |text| {
                inserting
                    .upgrade()
                    .is_some_and(|screen| screen.write_at_cursor(text))
            })),
            reveal: Box::new(move || {
                // Until it is closed, or the page is read anew: the user has not asked for it.
                if let Some(panel) = revealing.upgrade() {
                    panel.show(true);
                }
            }),
        }
    }
}

const NO_STORAGE: &str = "The storage is not open: either the page has just begun, or the browser keeps nothing for it, as in some private windows. Try again in a moment, or in an ordinary window.";
