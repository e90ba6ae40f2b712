//! What stands around a screen: the bar at the top with the notebook's name and the kernel's state,
//! the bar at the bottom with what is loading, and messages.

use std::collections::BTreeMap;
use std::rc::Rc;

use web_sys::HtmlElement;

use crate::dom::{self, button, el};
use crate::icon::{Icon, icon};
use crate::session::{Health, Load};

/// The parts of the page that are not the screen's.
pub struct Shell {
    top: HtmlElement,
    main: HtmlElement,
    middle: HtmlElement,
    messages: HtmlElement,
    live: HtmlElement,
    title: HtmlElement,
    saved: HtmlElement,
    kernel: HtmlElement,
    kernel_name: HtmlElement,
    kernel_state: HtmlElement,
    status: HtmlElement,
    mode: HtmlElement,
    progress: HtmlElement,
    memory: HtmlElement,
}

impl Shell {
    /// Takes over what `index.html` has.
    pub fn new() -> Rc<Self> {
        let title = el("span").class("title").build();
        let saved = el("span").class("saved").build();
        let kernel_name = el("span").class("kernel-name").build();
        let kernel_state = el("span").class("kernel-state").build();
        let kernel = el("span")
            .attr("id", "kernel")
            .attr("data-state", "none")
            .flag("hidden", true)
            .child(&kernel_name)
            .child(&kernel_state)
            .build();
        let mode = el("span").class("mode").build();
        let progress = el("span").attr("id", "progress").build();
        let memory = el("span").class("memory").build();
        let status = el("footer")
            .attr("id", "status")
            .flag("hidden", true)
            .child(&mode)
            .child(el("span").class("grow"))
            .child(&progress)
            .child(&memory)
            .build();
        let part = |id: &str| dom::by_id(id).unwrap_or_else(|| el("div").attr("id", id).build());
        let top = part("top");
        let bar = part("bar");
        for child in [&title, &saved, &el("span").class("grow").build(), &kernel] {
            dom::append(&bar, child);
        }
        if let Some(body) = dom::document().body() {
            dom::append(&body, &status);
        }
        Rc::new(Self {
            top,
            main: part("main"),
            middle: part("middle"),
            messages: part("messages"),
            live: part("live"),
            title,
            saved,
            kernel,
            kernel_name,
            kernel_state,
            status,
            mode,
            progress,
            memory,
        })
    }

    /// Where a screen is shown.
    pub fn main(&self) -> HtmlElement {
        self.main.clone()
    }

    /// What is beside the screen: the outline is put into it.
    pub fn middle(&self) -> HtmlElement {
        self.middle.clone()
    }

    /// Puts tools under the bar.
    pub fn set_tools(&self, tools: &HtmlElement) {
        dom::append(&self.top, tools);
        self.status.set_hidden(false);
    }

    /// Puts a menu before the notebook's name.
    pub fn set_menu(&self, menu: &HtmlElement) {
        let _ = self.title.insert_adjacent_element("beforebegin", menu);
    }

    /// Names the notebook.
    pub fn set_title(&self, name: &str) {
        self.title.set_text_content(Some(name));
        self.title.set_title(name);
        dom::document().set_title(&format!("{name} – Spoor"));
    }

    /// Whether there is something to save.
    pub fn set_dirty(&self, dirty: bool) {
        let text = if dirty { "edited" } else { "" };
        self.saved.set_text_content(Some(text));
    }

    /// Says how far saving is.
    pub fn set_saved(&self, text: &str) {
        dom::flag(&self.saved, "data-all", text == "saved");
        self.saved.set_text_content(Some(text));
    }

    /// Where messages about the screen go.
    pub fn messages(&self) -> HtmlElement {
        self.messages.clone()
    }

    /// Names the kernel.
    pub fn set_kernel(&self, name: &str) {
        self.kernel_name.set_text_content(Some(name));
        self.kernel.set_hidden(false);
    }

    /// Shows the kernel's state.
    pub fn set_health(&self, health: Health) {
        dom::set(&self.kernel, "data-state", health.name());
        self.kernel_state.set_text_content(Some(health.label()));
    }

    /// Shows the mode, and what there is to say beside it.
    pub fn set_mode(&self, text: &str) {
        self.mode.set_text_content(Some(text));
    }

    /// Shows what is on its way.
    pub fn set_progress(&self, loads: &BTreeMap<String, Load>) {
        let parts = loads.iter().filter(|(_, load)| load.loaded < load.total);
        let parts: Vec<String> = parts.map(|(name, load)| told(name, load)).collect();
        self.progress.set_text_content(Some(&parts.join(" · ")));
    }

    /// Shows what the engines hold, in bytes.
    pub fn set_memory(&self, kernel: f64, python: f64) {
        let mb = |bytes: f64| format!("{:.0} MB", bytes / 1e6);
        self.memory
            .set_text_content(Some(&format!("memory {}", mb(kernel + python))));
        self.memory
            .set_title(&format!("Kernel {}, Python {}", mb(kernel), mb(python)));
    }

    /// Says what went wrong, until it is dismissed.
    pub fn say(&self, text: &str) {
        let message = el("p")
            .class("message")
            .attr("role", "alert")
            .child(el("span").text(text))
            .build();
        let gone = message.clone();
        let close = button("")
            .class("plain")
            .attr("aria-label", "Dismiss")
            .child(icon(Icon::Close))
            .on("click", move |_: web_sys::Event| gone.remove());
        dom::append(&message, &close);
        dom::append(&self.messages, &message);
    }

    /// Says in a screen's place why there is none.
    pub fn fail(&self, text: &str) {
        let home = el("a").class("act").attr("href", "./");
        let failed = el("div")
            .class("failed")
            .child(el("h1").text("This notebook cannot be opened"))
            .child(el("p").attr("role", "alert").text(text))
            .child(home.text("All notebooks"));
        dom::clear(&self.main);
        dom::append(&self.main, failed);
    }

    /// Tells those who listen.
    pub fn announce(&self, text: &str) {
        self.live.set_text_content(Some(text));
    }
}

/// `python: 3.1 of 12.4 MB left`.
fn told(name: &str, load: &Load) -> String {
    let left = (load.total - load.loaded) / 1e6;
    format!("{name}: {left:.1} of {:.1} MB left", load.total / 1e6)
}
