//! “Open a notebook”: the user's own and the gallery's in one list that can be searched.

use std::rc::Rc;

use wasm_bindgen_futures::spawn_local;

use super::{address_of, leave_for};
use crate::dom::{El, el};
use crate::gallery;
use crate::notebook::Screen;
use crate::picker::{self, Choice, Row};
use crate::server::address;

const CHOICE: Choice = Choice {
    title: "Notebooks",
    label: "Notebook",
    placeholder: "Which notebook?",
};

/// A notebook that can be opened.
struct Listed {
    name: String,
    about: &'static str,
    /// What it can be found by beside its name.
    words: String,
    address: String,
}

/// Shows the list, and opens what is chosen from it.
pub fn open(screen: &Rc<Screen>) {
    let screen = screen.clone();
    spawn_local(async move {
        let all = listed(&screen).await;
        let leaving = Rc::downgrade(&screen);
        let search = move |typed: &str| fitting(&all, typed).map(row).collect();
        picker::open(&CHOICE, search, move |address: String| {
            if let Some(screen) = leaving.upgrade() {
                leave_for(&screen, &address);
            }
        });
    });
}

/// The user's notebooks, the last saved first, those of the folder of `spoor serve`, then the gallery's. What cannot be read is not listed.
async fn listed(screen: &Screen) -> Vec<Listed> {
    let own = async {
        let store = screen.app.store().await.ok()?;
        store.notebooks().await.ok()
    };
    let client = screen.app.server.borrow().clone();
    let served = async { client?.notebooks().await.ok() };
    let (own, served, gallery) = futures::future::join3(own, served, gallery::index()).await;
    let served = served.unwrap_or_default().into_iter().map(|one| Listed {
        name: stem(&one.path).to_owned(),
        about: "on this computer",
        words: String::new(),
        address: address(&one.path),
    });
    let own = own.unwrap_or_default().into_iter().map(|entry| Listed {
        name: stem(&entry.name).to_owned(),
        about: "yours",
        words: String::new(),
        address: address_of(&entry.id),
    });
    let gallery = gallery.unwrap_or_default().into_iter().map(|entry| Listed {
        words: format!("{} {}", entry.description, entry.tags.join(" ")),
        address: format!("./{}", gallery::address(&entry.file)),
        name: entry.title,
        about: "gallery",
    });
    own.chain(served).chain(gallery).collect()
}

/// Those that have every word that was typed; those with it in their names come first.
fn fitting<'a>(all: &'a [Listed], typed: &str) -> impl Iterator<Item = &'a Listed> + use<'a> {
    let words: Vec<String> = typed.split_whitespace().map(str::to_lowercase).collect();
    let has = |text: &str| {
        let text = text.to_lowercase();
        words.iter().all(|word| text.contains(word))
    };
    let (named, rest): (Vec<&Listed>, Vec<&Listed>) = all.iter().partition(|one| has(&one.name));
    let about = |one: &&Listed| has(&format!("{} {}", one.name, one.words));
    let rest: Vec<&Listed> = rest.into_iter().filter(about).collect();
    named.into_iter().chain(rest)
}

fn row(one: &Listed) -> Row<String> {
    let parts: Vec<El> = vec![
        el("span").class("grow").text(&one.name),
        el("span").class("file-meta").text(one.about),
    ];
    Row {
        parts,
        value: one.address.clone(),
    }
}

fn stem(name: &str) -> &str {
    name.strip_suffix(".ipynb").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_before_descriptions() {
        let one = |name: &str, words: &str| Listed {
            name: name.into(),
            about: "yours",
            words: words.into(),
            address: String::new(),
        };
        let all = [
            one("Beacons", "command and control over DNS"),
            one("DNS tunnels", ""),
            one("Sign-ins", ""),
        ];
        let names = |typed: &str| -> Vec<String> {
            fitting(&all, typed).map(|one| one.name.clone()).collect()
        };
        assert_eq!(names("dns"), ["DNS tunnels", "Beacons"]);
        assert_eq!(names("control beac"), ["Beacons"]);
        assert_eq!(names(""), ["Beacons", "DNS tunnels", "Sign-ins"]);
        assert!(names("kerberos").is_empty());
    }
}
