//! The plugins in the panel: the user's files, and what the site offers.

use std::rc::Rc;

use spoor_registry::Version;
use wasm_bindgen_futures::spawn_local;
use web_sys::{HtmlElement, MouseEvent};

use super::{Inner, Item, add, data, fill, menu};
use crate::dom::{self, button, el};
use crate::plugins::{self, Plugins};
use crate::storage::{DataFile, bytes};

/// What can be done to have more of them.
pub fn add_items(inner: &Rc<Inner>) -> Vec<Item> {
    let (choosing, looking) = (Rc::downgrade(inner), Rc::downgrade(inner));
    vec![
        (
            "A file…",
            Rc::new(move || {
                if let Some(inner) = choosing.upgrade() {
                    add::choose(&inner, add::Choice::Any);
                }
            }),
        ),
        (
            "From a registry…",
            Rc::new(move || {
                if let Some(inner) = looking.upgrade() {
                    plugins::add_from(&inner.callbacks.plugins, &inner.store);
                }
            }),
        ),
    ]
}

/// Lists them: the user's first.
pub fn list(inner: &Rc<Inner>, list: &HtmlElement, files: &[DataFile]) {
    let own = files.iter().map(|file| own_row(inner, file));
    let offered = inner.callbacks.plugins.offered();
    let offered = offered
        .iter()
        .map(|(name, version, here)| offered_row(name, version, *here));
    fill(list, own.chain(offered), "No plugins yet.");
}

/// A file's row: what it is, what it offers, and whether it may run.
fn own_row(inner: &Rc<Inner>, file: &DataFile) -> HtmlElement {
    let row = inner.callbacks.plugins.row(&file.name);
    let about = format!("{} · {}", row.about, bytes(file.bytes));
    let mut items = data::file_items(inner, file);
    if row.allowed || row.failed {
        let stop = acting(inner, &file.name, |plugins, name| plugins.stop(&name));
        items.insert(0, ("Do not let it run", stop));
    }
    if row.failed {
        let again = acting(inner, &file.name, |plugins, name| plugins.again(&name));
        items.insert(0, ("Try again", again));
    }
    let more = menu("⋯", &format!("{}: more", file.name), items);
    let mut tools = Vec::new();
    if row.waits {
        let (weak, name) = (Rc::downgrade(inner), file.name.clone());
        let run = button("Let it run…").attr("aria-label", &format!("Let {} run", file.name));
        let run = run.on("click", move |_: MouseEvent| {
            if let Some(inner) = weak.upgrade() {
                let (plugins, name) = (inner.callbacks.plugins.clone(), name.clone());
                spawn_local(async move { plugins.let_run(&name).await });
            }
        });
        tools.push(run.build());
    }
    tools.push(more);
    el("li")
        .class("file")
        .attr("data-key", &format!("data:{}", file.name))
        .child(el("span").class("file-name mono").text(&file.name))
        .child(el("span").class("file-tools").children(tools))
        .child(el("span").class("file-meta").text(&about))
        .build()
}

fn acting(
    inner: &Rc<Inner>,
    name: &str,
    act: impl Fn(&Rc<Plugins>, String) + 'static,
) -> Rc<dyn Fn()> {
    let (weak, name) = (Rc::downgrade(inner), name.to_owned());
    Rc::new(move || {
        if let Some(inner) = weak.upgrade() {
            act(&inner.callbacks.plugins, name.clone());
        }
    })
}

/// A row of the site's, which opens to what its functions do.
fn offered_row(name: &str, version: &Version, here: bool) -> HtmlElement {
    let help = el("div")
        .class("preview")
        .children(version.functions.iter().map(|function| {
            let docs = function.docs.as_deref().unwrap_or_default();
            let paragraphs = docs.split("\n\n").filter(|text| !text.trim().is_empty());
            let paragraphs = [function.summary.as_str()].into_iter().chain(paragraphs);
            el("div")
                .child(el("p").child(el("code").text(&format!("evaluate {}(…)", function.name))))
                .children(paragraphs.map(|text| el("p").class("hint").text(text)))
        }));
    let help = help.build();
    help.set_hidden(true);
    let open = button(name)
        .class("file-name mono")
        .attr("aria-expanded", "false")
        .build();
    let (shown, opener) = (help.clone(), open.clone());
    dom::on(&open, "click", move |_: MouseEvent| {
        let opening = shown.hidden();
        shown.set_hidden(!opening);
        let expanded = if opening { "true" } else { "false" };
        dom::set(&opener, "aria-expanded", expanded);
    });
    let state = if here { "in use" } else { "of this site" };
    let about = format!("{} · {} · {state}", version.version, version.summary);
    el("li")
        .class("file")
        .attr("data-key", &format!("plugin:{name}"))
        .child(&open)
        .child(el("span").class("file-meta").text(&about))
        .child(&help)
        .build()
}
