//! One notebook of the gallery.

use std::rc::Rc;

use spoor_model::gallery::Entry;
use web_sys::{HtmlElement, MouseEvent};

use super::{Inner, address, save};
use crate::dom::{button, el};

/// Its card: what it says of itself, and what can be done with it.
pub fn card(inner: &Rc<Inner>, entry: &Entry) -> HtmlElement {
    let href = address(&entry.file);
    let title = el("h2").child(el("a").attr("href", &href).text(&entry.title));
    let facts = el("dl")
        .children(fact("Needs", &entry.data_types, true))
        .children(fact("Data from", &entry.data_sources, false));
    let tags = entry.tags.iter().map(|tag| el("li").class("tag").text(tag));
    let by = [Some(entry.author.as_str()), entry.revised.as_deref()];
    let by: Vec<&str> = by
        .into_iter()
        .flatten()
        .filter(|text| !text.is_empty())
        .collect();
    let article = el("article")
        .attr("aria-label", &entry.title)
        .child(title)
        .child(el("p").text(&entry.description))
        .child(facts)
        .child(
            el("ul")
                .class("tags")
                .attr("aria-label", "Tags")
                .children(tags),
        )
        .child(el("p").class("by").text(&by.join(" · ")))
        .child(actions(inner, entry, &href));
    el("li").class("card").child(article).build()
}

fn fact(name: &str, values: &[String], code: bool) -> Vec<HtmlElement> {
    if values.is_empty() {
        return Vec::new();
    }
    let tag = if code { "code" } else { "span" };
    let values = values.iter().map(|value| el(tag).text(value));
    vec![
        el("dt").text(name).build(),
        el("dd").children(values).build(),
    ]
}

fn actions(inner: &Rc<Inner>, entry: &Entry, href: &str) -> HtmlElement {
    let label = |act: &str| format!("{act}: {}", entry.title);
    let open = el("a")
        .class("act main")
        .attr("href", href)
        .attr("aria-label", &label("Open"));
    let (weak, copied) = (Rc::downgrade(inner), entry.clone());
    let save = button("Save a copy")
        .attr("aria-label", &label("Save a copy"))
        .flag("disabled", inner.store.is_none())
        .on("click", move |_: MouseEvent| {
            if let Some(inner) = weak.upgrade() {
                save::copy(&inner, &copied);
            }
        });
    el("div")
        .class("acts")
        .child(open.text("Open"))
        .child(save)
        .build()
}
