//! The folder's notebooks as a list: under the user's own, or wherever they are chosen from.

use std::rc::Rc;

use spoor_model::gallery::copy_name;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, HtmlElement, MouseEvent};

use super::{About, Client, Expected, Listed, address, split};
use crate::dom::{self, button, el};
use crate::files;
use crate::storage::{StoreError, bytes};

/// The list. Its elements are the parent's.
pub struct Panel {
    inner: Rc<Inner>,
}

struct Inner {
    client: Client,
    problem: HtmlElement,
    list: HtmlElement,
    /// The path of the notebook that is open.
    current: Box<dyn Fn() -> Option<String>>,
    /// Goes to the page's address that shows a notebook.
    open: Box<dyn Fn(&str)>,
}

/// Puts the list at the beginning of `parent`. `current` gives the path of the notebook that is open, if it is one of the
/// folder's; `open` goes to an address of the page.
pub fn mount(
    parent: &Element,
    client: &Client,
    current: impl Fn() -> Option<String> + 'static,
    open: impl Fn(&str) + 'static,
) -> Panel {
    let inner = Rc::new(Inner {
        client: client.clone(),
        problem: el("p").class("hint").attr("role", "status").build(),
        list: el("ul")
            .class("file-list")
            .attr("aria-label", "Notebooks on this computer")
            .build(),
        current: Box::new(current),
        open: Box::new(open),
    });
    let weak = Rc::downgrade(&inner);
    let new = button("New")
        .attr("title", "New notebook on this computer")
        .attr("aria-label", "New notebook on this computer")
        .on("click", move |_: MouseEvent| {
            if let Some(inner) = weak.upgrade() {
                spawn_local(async move { inner.told(inner.new_notebook().await) });
            }
        });
    let head = el("div")
        .class("files-head")
        .child(el("h2").text("On this computer"))
        .child(new);
    let section = el("section")
        .class("files served")
        .attr("aria-label", "On this computer")
        .child(head)
        .child(&inner.problem)
        .child(&inner.list)
        .build();
    let _ = parent.insert_adjacent_element("afterbegin", &section);
    let panel = Panel { inner };
    panel.refresh();
    panel.inner.clone().name_caller(section);
    panel
}

impl Panel {
    /// Reads the folder anew.
    pub fn refresh(&self) {
        let inner = self.inner.clone();
        spawn_local(async move { inner.told(inner.show().await) });
    }
}

impl Inner {
    /// Says below the list who is signed in, where the server has a door, with the way out.
    fn name_caller(self: Rc<Self>, below: HtmlElement) {
        spawn_local(async move {
            let Ok(About {
                caller: Some(name), ..
            }) = self.client.about().await
            else {
                return;
            };
            let leaving = self.clone();
            let leave = button("Sign out").on("click", move |_: MouseEvent| {
                let leaving = leaving.clone();
                spawn_local(async move {
                    match leaving.client.sign_out().await {
                        // The door asks whoever comes now to sign in.
                        Ok(()) => drop(dom::window().location().reload()),
                        Err(error) => leaving.told(Err(error)),
                    }
                });
            });
            let caller = el("p")
                .class("caller")
                .child(el("span").text(&format!("Signed in as {name}")))
                .child(leave);
            dom::append(&below, caller);
        });
    }

    async fn show(self: &Rc<Self>) -> Result<(), StoreError> {
        let all = self.client.notebooks().await?;
        dom::clear(&self.list);
        for one in &all {
            dom::append(&self.list, self.row(one));
        }
        if all.is_empty() {
            let none = "No notebook in the folder yet: begin one.";
            dom::append(&self.list, el("li").class("none").text(none));
        }
        Ok(())
    }

    fn row(self: &Rc<Self>, one: &Listed) -> HtmlElement {
        let path = one.path.clone();
        let shown = path.strip_suffix(".ipynb").unwrap_or(&path).to_owned();
        let weak = Rc::downgrade(self);
        let mut open = button(&shown)
            .class("file-name")
            .on("click", move |_: MouseEvent| {
                if let Some(inner) = weak.upgrade() {
                    (inner.open)(&address(&path));
                }
            });
        if (self.current)().as_ref() == Some(&one.path) {
            open = open.attr("aria-current", "true");
        }
        let written = one.modified.map(files::when);
        let about: Vec<String> = written.into_iter().chain([bytes(one.bytes)]).collect();
        el("li")
            .class("file")
            .attr("data-key", &one.path)
            .child(open)
            .child(el("span").class("file-meta").text(&about.join(" · ")))
            .build()
    }

    async fn new_notebook(&self) -> Result<(), StoreError> {
        let all = self.client.notebooks().await?;
        let names: Vec<&str> = all
            .iter()
            .map(|one| split(&one.path))
            .filter(|(folder, _)| folder.is_empty())
            .map(|(_, name)| name)
            .collect();
        let path = copy_name("Untitled.ipynb", &names);
        let text = files::empty_notebook();
        self.client.save(&path, Expected::Nothing, &text).await?;
        (self.open)(&address(&path));
        Ok(())
    }

    /// Shows why something failed, until something does not.
    fn told(&self, done: Result<(), StoreError>) {
        let text = match done {
            Ok(()) => String::new(),
            Err(error) => files::sentence(&error.to_string()),
        };
        self.problem.set_text_content(Some(&text));
    }
}
