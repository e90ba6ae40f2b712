//! The versions of a notebook that are kept, and the way back to one.

use std::rc::Rc;

use spoor_model::gallery::copy_name;
use web_sys::{HtmlElement, MouseEvent};

use super::notebooks::{names, opener, when};
use super::{Inner, words};
use crate::dialog::{self, Dialog};
use crate::dom::{self, button, el};
use crate::storage::{Entry, StoreError, Version, bytes};
use crate::toast;

/// Shows the versions in a dialog.
pub fn show(inner: &Rc<Inner>, entry: Entry) {
    inner.run(|inner| async move {
        (inner.callbacks.settle)().await;
        let versions = inner.store.versions(&entry.id).await?;
        let dialog = dialog::open("Versions", "versions");
        let about = "Older versions thin out: the last of each ten minutes of a day stays, then of each hour, then of each day.";
        dom::append(&dialog.body, el("p").class("hint").text(about));
        let latest = versions.first().map(|version| version.number);
        let rows = versions.iter().map(|version| {
            row(&inner, &dialog, &entry, *version, Some(version.number) == latest)
        });
        dom::append(&dialog.body, el("ul").class("file-list").children(rows));
        Ok::<_, StoreError>(())
    });
}

fn row(
    inner: &Rc<Inner>,
    dialog: &Dialog,
    entry: &Entry,
    version: Version,
    latest: bool,
) -> HtmlElement {
    let time = js_sys::Date::new(&version.saved.into());
    let time = String::from(time.to_locale_string("default", &js_sys::Object::new()));
    let age = words::ago(js_sys::Date::now(), version.saved).unwrap_or_else(|| when(version.saved));
    let about = format!("{age} · {}", bytes(version.bytes));
    let row = el("li")
        .class("file")
        .child(el("span").class("file-name").text(&time))
        .child(el("span").class("file-meta").text(&about));
    if latest {
        return row
            .child(el("span").class("tag").text("as it is now"))
            .build();
    }
    let act = |text: &str, act: fn(&Rc<Inner>, Entry, Version)| {
        let (weak, dialog, entry) = (Rc::downgrade(inner), dialog.clone(), entry.clone());
        let label = format!("{text}: {time}");
        button(text)
            .attr("aria-label", &label)
            .on("click", move |_: MouseEvent| {
                if let Some(inner) = weak.upgrade() {
                    act(&inner, entry.clone(), version);
                }
                dialog.close();
            })
    };
    row.child(act("Restore", restore))
        .child(act("Open as a copy", open_copy))
        .build()
}

/// Brings a version back; what was until now is kept as a version itself. A tab that has the
/// notebook open follows.
fn restore(inner: &Rc<Inner>, entry: Entry, version: Version) {
    inner.run(|inner| async move {
        (inner.callbacks.settle)().await;
        inner.store.restore(&entry.id, version.number).await?;
        toast::show(
            "Restored; the version before is kept too",
            Some(opener(&inner, &entry.id)),
        );
        Ok::<_, StoreError>(())
    });
}

fn open_copy(inner: &Rc<Inner>, entry: Entry, version: Version) {
    inner.run(|inner| async move {
        let text = inner.store.read_version(&entry.id, version.number).await?;
        // As it is now: another notebook may have been put in its place since the list was shown.
        let entry = inner.store.entry(&entry.id).await?;
        let name = copy_name(&entry.name, &names(&inner).await?);
        let origin = entry.origin.as_deref();
        // What came from elsewhere may be just this version.
        let trusted = entry.trusted && origin.is_none();
        let copy = inner.store.create_as(&name, &text, origin, trusted).await?;
        (inner.callbacks.open)(&copy.id);
        Ok::<_, StoreError>(())
    });
}
