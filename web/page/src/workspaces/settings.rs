//! The dialog of workspaces: the configuration as text, with what is wrong with it, and the workspaces that it names.

use std::cell::RefCell;
use std::rc::Rc;

use spoor_messages::fetch::Known;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Event, HtmlButtonElement, HtmlElement, HtmlTextAreaElement};

use super::{Mistakes, realm};
use crate::app::App;
use crate::dialog;
use crate::dom::{self, button, el};
use crate::files::sentence;
use crate::signin::{self, Panel};

/// What stands in an empty field.
const EXAMPLE: &str = "[workspaces.sentinel]
kind = \"log-analytics\"
workspace-id = \"00000000-0000-0000-0000-000000000000\"
tenant = \"contoso.example\"
client-id = \"00000000-0000-0000-0000-000000000000\"";

const ABOUT: &str = "Cells name a workspace with %%kql --workspace NAME. The configuration is that of spoor.toml on a host; it holds no secret, and stays in this browser.";

/// What the dialog is made of.
struct Parts {
    app: Rc<App>,
    text: HtmlTextAreaElement,
    save: HtmlButtonElement,
    told: HtmlElement,
    list: HtmlElement,
    /// Where people sign in.
    realms: HtmlElement,
    panel: RefCell<Option<Panel>>,
}

/// Opens the dialog.
pub fn open(app: &Rc<App>) {
    let dialog = dialog::open("Workspaces", "workspaces");
    let text = el("textarea")
        .attr("id", "workspaces-text")
        .attr("spellcheck", "false")
        .attr("rows", "10")
        // What is kept comes later, and would replace what somebody has written by then.
        .flag("readonly", true)
        .attr("placeholder", EXAMPLE)
        .attr("aria-describedby", "workspaces-told");
    let parts = Rc::new(Parts {
        app: app.clone(),
        text: text.cast(),
        save: button("Save")
            .class("primary")
            .flag("disabled", true)
            .cast(),
        told: el("div")
            .attr("id", "workspaces-told")
            .attr("role", "status")
            .build(),
        list: el("ul")
            .class("workspace-list")
            .attr("aria-label", "Workspaces")
            .build(),
        realms: el("div").class("realms").build(),
        panel: RefCell::default(),
    });
    let saving = parts.clone();
    dom::on(&parts.save, "click", move |_: Event| {
        let parts = saving.clone();
        spawn_local(async move { parts.save().await });
    });
    let label = el("label")
        .attr("for", "workspaces-text")
        .text("Configuration (TOML)");
    let body = &dialog.body;
    dom::append(body, el("p").class("hint").text(ABOUT));
    dom::append(body, &parts.list);
    dom::append(body, &parts.realms);
    dom::append(body, label);
    dom::append(body, &parts.text);
    dom::append(body, &parts.told);
    dom::append(body, el("div").class("dialog-foot").child(&parts.save));
    let (filling, held) = (parts.clone(), parts.clone());
    spawn_local(async move {
        filling.fill().await;
        filling.text.set_read_only(false);
        filling.save.set_disabled(false);
    });
    // Nobody hears of accounts once the dialog is gone.
    dialog.on_close(move || drop(held.panel.take()));
}

impl Parts {
    /// Shows what is kept.
    async fn fill(&self) {
        let store = match self.app.store().await {
            Ok(store) => store,
            Err(error) => return self.tell(&[(0, error.to_string())]),
        };
        match super::kept(&store).await {
            Ok(text) => self.text.set_value(&text),
            Err(error) => return self.tell(&[(0, error.message)]),
        }
        match self.app.workspaces.all(&store).await {
            Ok(known) => self.show(&known),
            Err(error) => self.tell(&[(0, error.message)]),
        }
    }

    async fn save(&self) {
        let saved: Result<(), Mistakes> = match self.app.store().await {
            Ok(store) => {
                let text = self.text.value();
                self.app.workspaces.configure(&store, &text).await
            }
            Err(error) => Err(vec![(0, error.to_string())]),
        };
        dom::flag(self.text.unchecked_ref(), "aria-invalid", saved.is_err());
        match saved {
            Ok(()) => {
                self.show(&self.app.workspaces.known());
                if let Some(screen) = self.app.screen() {
                    screen.tell_workspaces();
                }
                self.told.set_text_content(Some("Saved."));
            }
            Err(mistakes) => self.tell(&mistakes),
        }
    }

    fn tell(&self, mistakes: &[(usize, String)]) {
        dom::clear(&self.told);
        let list = el("ul").class("mistakes").build();
        for (line, message) in mistakes {
            let text = match line {
                0 => message.clone(),
                line => format!("Line {line}: {message}"),
            };
            dom::append(&list, el("li").text(&text));
        }
        dom::append(&self.told, list);
    }

    fn show(&self, known: &[Known]) {
        dom::clear(&self.list);
        for one in known {
            let server = one.server.as_deref().unwrap_or("this session's own data");
            let about = format!("{} · {server}", one.title);
            let row = el("li")
                .attr("data-workspace", &one.name)
                .child(el("span").class("workspace-name").text(&one.name))
                .child(el("span").class("workspace-about").text(&about));
            dom::append(&self.list, row);
        }
        if known.is_empty() {
            dom::append(&self.list, el("li").class("none").text("No workspace yet."));
        }
        dom::clear(&self.realms);
        let (entries, errors) = realm::entries(known);
        for error in errors {
            let hint = error.hint.unwrap_or_default();
            let text = sentence(&format!("{}: {hint}", error.message));
            dom::append(&self.realms, el("p").class("hint").text(&text));
        }
        let panel = (!entries.is_empty()).then(|| signin::mount(&self.realms, entries));
        self.panel.replace(panel);
    }
}
