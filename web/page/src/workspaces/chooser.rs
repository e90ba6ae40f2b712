//! The choice of the workspace that a notebook's queries go to where they name none: `metadata.spoor.workspace`.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use spoor_notebook::{name_workspace, workspace_in};
use spoor_protocol::Event;
use wasm_bindgen_futures::spawn_local;
use web_sys::{HtmlElement, HtmlSelectElement};

use crate::dom::{self, el};
use crate::notebook::Screen;
use crate::toast;

/// What the notebook's own data is called.
const HERE: &str = "This notebook's data";

/// The list in the bar of tools; there only where there is something to choose.
pub struct Chooser {
    select: HtmlSelectElement,
    /// What was offered last.
    offered: RefCell<Vec<(String, String)>>,
    /// Whether the session was told anything.
    is_told: Cell<bool>,
}

impl Default for Chooser {
    /// A list of nothing.
    fn default() -> Self {
        let select = el("select")
            .attr("id", "workspace")
            .attr("aria-label", "Queries go to")
            .attr("title", "Where queries go that name no workspace")
            .flag("hidden", true);
        Self {
            select: select.cast(),
            offered: RefCell::default(),
            is_told: Cell::default(),
        }
    }
}

impl Chooser {
    /// The element.
    pub fn root(&self) -> &HtmlElement {
        &self.select
    }

    /// Has the screen heed what is chosen.
    pub fn wire(&self, screen: &Rc<Screen>) {
        let select = self.select.clone();
        screen.on(&self.select, "change", move |screen, _: web_sys::Event| {
            let name = select.value();
            screen.choose_workspace(Some(name.as_str()).filter(|name| !name.is_empty()));
        });
    }

    /// Offers these workspaces, of which `current` is chosen, whether it is known or not.
    fn show(&self, names: Vec<String>, current: Option<&str>) {
        let named = names.into_iter().map(|name| (name.clone(), name));
        let mut offered: Vec<(String, String)> = named.collect();
        if let Some(current) = current
            && !offered.iter().any(|(name, _)| name == current)
        {
            offered.push((
                current.to_owned(),
                format!("{current} (not configured here)"),
            ));
        }
        let is_hidden = offered.is_empty();
        offered.insert(0, (String::new(), HERE.to_owned()));
        if *self.offered.borrow() != offered {
            dom::clear(&self.select);
            for (name, label) in &offered {
                dom::append(&self.select, el("option").attr("value", name).text(label));
            }
            self.offered.replace(offered);
        }
        self.select.set_value(current.unwrap_or_default());
        self.select.set_hidden(is_hidden);
    }
}

impl Screen {
    /// Tells the session where queries go, and offers what there is, from the configuration that the browser keeps.
    pub fn follow_workspaces(self: &Rc<Self>) {
        self.tell_workspaces();
        let screen = self.clone();
        spawn_local(async move {
            // Without a storage there is no configuration.
            if let Ok(store) = screen.app.store().await
                && screen.app.workspaces.all(&store).await.is_ok()
            {
                screen.tell_workspaces();
            }
        });
    }

    /// Tells the session and the bar what is known by now.
    pub(crate) fn tell_workspaces(&self) {
        let known = self.app.workspaces.known();
        let current = self.workspace();
        let names = self.app.workspaces.names();
        let asked = current.clone().filter(|name| names.contains(name));
        self.chooser().show(names, current.as_deref());
        let own_data = known.iter().filter(|one| one.server.is_none());
        let local: Vec<String> = own_data.map(|one| one.name.clone()).collect();
        // A kernel that need not know has not to load what this takes.
        if current.is_some() || !local.is_empty() || self.chooser().is_told.get() {
            self.chooser().is_told.set(true);
            let current = current.clone();
            self.session.request(Event::Workspaces { current, local });
        }
        if let Some(name) = asked {
            self.app.workspaces.tell_tables(&self.session, &name);
        }
    }

    /// The workspace that the notebook names.
    fn workspace(&self) -> Option<String> {
        let state = self.state.borrow();
        workspace_in(state.document().metadata()).map(ToOwned::to_owned)
    }

    /// Has queries go to a workspace from now on, or none.
    fn choose_workspace(self: &Rc<Self>, name: Option<&str>) {
        let mut metadata = self.state.borrow().document().metadata().clone();
        name_workspace(&mut metadata, name);
        let spoor = metadata.get("spoor").cloned();
        self.change(|state| state.set_metadata("spoor", spoor));
        self.tell_workspaces();
        let told = match name {
            Some(name) => format!(
                "Queries go to {name}, unless they read a result of this session or name another workspace."
            ),
            None => "Queries read this notebook's data.".to_owned(),
        };
        toast::show(&told, None);
    }
}
