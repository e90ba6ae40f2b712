//! Who is signed in, realm by realm, with what can be done about it.

use std::cell::RefCell;
use std::future::Future;
use std::rc::{Rc, Weak};

use spoor_msal::{Account, Accounts, Extent, Realm, SignInError, Way};
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, Event, HtmlElement, HtmlInputElement, MouseEvent};

use super::keep;
use crate::dom::{self, El, button, el};
use crate::files::sentence;

const EVERYWHERE: &str = "Signs out here and ends the authority's session, in a window";

/// A realm, and the names of the workspaces whose people sign in to it.
#[derive(Clone)]
pub struct Entry {
    /// Where they sign in.
    pub realm: Realm,
    /// What the configuration calls the workspaces.
    pub workspaces: Vec<String>,
}

/// The sections of all realms. They hear nothing any more when it is dropped.
pub struct Panel {
    _sections: Rc<Sections>,
}

type Sections = RefCell<Vec<Rc<Section>>>;

/// Adds a section for each entry to `parent`, and loads MSAL so that a click finds it there: browsers open windows right after
/// clicks alone.
pub fn mount(parent: &Element, entries: Vec<Entry>) -> Panel {
    let sections: Rc<Sections> = Rc::default();
    for entry in entries {
        let section = Section::new(entry, &sections);
        dom::append(parent, &section.root);
        section.refresh();
        sections.borrow_mut().push(section);
    }
    Panel {
        _sections: sections,
    }
}

/// One realm's.
struct Section {
    entry: Entry,
    root: HtmlElement,
    list: HtmlElement,
    status: HtmlElement,
    tools: HtmlElement,
    /// All sections: realms share accounts.
    all: Weak<Sections>,
}

impl Section {
    fn new(entry: Entry, all: &Rc<Sections>) -> Rc<Self> {
        let names = entry.workspaces.join(", ");
        let list = el("ul")
            .class("accounts")
            .attr("aria-label", &format!("Signed in for {names}"))
            .build();
        let status = el("p").class("hint").attr("role", "status").build();
        let tools = el("div").class("account-tools").build();
        let root = el("section")
            .class("realm")
            .attr("aria-label", &names)
            .child(el("h3").text(&names))
            .child(el("p").class("hint").text(&entry.realm.authority))
            .child(&list)
            .child(&tools)
            .child(&status)
            .build();
        let section = Rc::new(Self {
            entry,
            root,
            list,
            status,
            tools,
            all: Rc::downgrade(all),
        });
        dom::append(&section.root, section.keep_row());
        section
    }

    /// Shows anew who is signed in.
    fn refresh(self: &Rc<Self>) {
        let section = self.clone();
        spawn_local(async move {
            match super::accounts(&section.entry.realm).await {
                Ok(accounts) => section.show(&accounts),
                Err(error) => section.say(&sentence(&error.to_string())),
            }
        });
    }

    fn refresh_all(&self) {
        if let Some(all) = self.all.upgrade() {
            all.borrow().iter().for_each(Section::refresh);
        }
    }

    fn say(&self, text: &str) {
        self.status.set_text_content(Some(text));
    }

    fn show(self: &Rc<Self>, accounts: &Accounts) {
        let current = accounts.current().map(|account| account.id);
        let all = accounts.accounts();
        dom::clear(&self.list);
        for account in &all {
            let chosen = all.len() == 1 || current.as_ref() == Some(&account.id);
            dom::append(&self.list, self.row(account, chosen, all.len() > 1));
        }
        if all.is_empty() {
            dom::append(
                &self.list,
                el("li").class("none").text("Nobody is signed in."),
            );
        }
        dom::clear(&self.tools);
        let (first, here) = if all.is_empty() {
            ("Sign in…", "Sign in on this page")
        } else {
            ("Add an account…", "Add one on this page")
        };
        self.tool(first, |section| section.sign_in(Way::Popup, None));
        self.tool(here, |section| section.sign_in(Way::Redirect, None));
        if all.len() > 1 {
            self.tool("Sign all out", |section| {
                section.sign_out(None, Extent::Here)
            });
        }
    }

    fn tool(self: &Rc<Self>, label: &str, act: impl Fn(&Rc<Self>) + 'static) {
        dom::append(&self.tools, self.clicked(button(label), act));
    }

    /// Has the section hear clicks at an element. It holds the element, which must not hold it.
    fn clicked(self: &Rc<Self>, element: El, act: impl Fn(&Rc<Self>) + 'static) -> El {
        let weak = Rc::downgrade(self);
        element.on("click", move |_: MouseEvent| {
            if let Some(section) = weak.upgrade() {
                act(&section);
            }
        })
    }

    /// An account, with the choice whether its tokens are used where there are several.
    fn row(self: &Rc<Self>, account: &Account, chosen: bool, several: bool) -> El {
        let details = [account.name.as_deref(), account.tenant.as_deref()];
        let details: Vec<&str> = details.into_iter().flatten().collect();
        let label = el("label");
        let label = if several {
            label.child(self.choice(account, chosen))
        } else {
            label
        };
        let name = account.username.clone();
        el("li")
            .class("account")
            .attr("data-account", &account.username)
            .child(label.child(el("span").text(&name)))
            .child(el("span").class("hint grow").text(&details.join(" · ")))
            .child(self.act(
                account,
                "Sign in again",
                "In a window",
                |section, account| {
                    section.sign_in(Way::Popup, Some(account.username));
                },
            ))
            .child(self.act(
                account,
                "Sign out",
                "This browser forgets the account",
                |section, account| {
                    section.sign_out(Some(account.id), Extent::Here);
                },
            ))
            .child(
                self.act(account, "Everywhere", EVERYWHERE, |section, account| {
                    section.sign_out(Some(account.id), Extent::Everywhere);
                }),
            )
    }

    fn choice(self: &Rc<Self>, account: &Account, chosen: bool) -> El {
        let (weak, id) = (Rc::downgrade(self), account.id.clone());
        let group = format!("account of {}", self.entry.workspaces.join(" "));
        el("input")
            .attr("type", "radio")
            .attr("name", &group)
            .flag("checked", chosen)
            .on("change", move |_: Event| {
                let Some(section) = weak.upgrade() else {
                    return;
                };
                let id = id.clone();
                spawn_local(async move {
                    if let Ok(accounts) = super::accounts(&section.entry.realm).await {
                        accounts.choose(&id);
                        section.refresh_all();
                    }
                });
            })
    }

    /// A button of an account's.
    fn act(
        self: &Rc<Self>,
        account: &Account,
        label: &str,
        title: &str,
        act: fn(&Rc<Self>, Account),
    ) -> El {
        let button = button(label)
            .class("plain")
            .attr("title", title)
            .attr("aria-label", &format!("{label}: {}", account.username));
        let account = account.clone();
        self.clicked(button, move |section| act(section, account.clone()))
    }

    fn sign_in(self: &Rc<Self>, way: Way, hint: Option<String>) {
        self.work(way == Way::Popup, move |accounts| async move {
            let account = accounts.sign_in(way, hint.as_deref()).await?;
            Ok(super::signed_in(&account.username, accounts.realm()))
        });
    }

    fn sign_out(self: &Rc<Self>, id: Option<String>, extent: Extent) {
        self.work(extent == Extent::Everywhere, move |accounts| async move {
            accounts.sign_out(id.as_deref(), extent).await?;
            Ok("Signed out.".to_owned())
        });
    }

    /// Does what takes its time, and says how it went. What opens a window can be given up.
    fn work<F>(self: &Rc<Self>, window: bool, work: impl FnOnce(Accounts) -> F + 'static)
    where
        F: Future<Output = Result<String, SignInError>> + 'static,
    {
        let section = self.clone();
        spawn_local(async move {
            let done = match super::accounts(&section.entry.realm).await {
                Ok(accounts) => {
                    section.wait(window, &accounts);
                    work(accounts).await
                }
                Err(error) => Err(error),
            };
            section.say(&done.unwrap_or_else(|error| sentence(&error.to_string())));
            section.refresh_all();
        });
    }

    fn wait(&self, window: bool, accounts: &Accounts) {
        if !window {
            return self.say("");
        }
        self.say("Go on in the window that has opened. If it is closed already: ");
        let accounts = accounts.clone();
        let cancel = button("Cancel").class("plain");
        let cancel = cancel.on("click", move |_: MouseEvent| accounts.cancel());
        dom::append(&self.status, &cancel);
    }

    fn keep_row(self: &Rc<Self>) -> HtmlElement {
        let weak = Rc::downgrade(self);
        let checkbox = el("input")
            .attr("type", "checkbox")
            .flag("checked", keep::keeps(&self.entry.realm))
            .on("change", move |event: Event| {
                let checked = dom::target::<HtmlInputElement>(&event);
                if let Some(section) = weak.upgrade() {
                    section.keep(checked.is_some_and(|checkbox| checkbox.checked()));
                }
            });
        el("label")
            .class("setting")
            .child(el("span").text("Keep me signed in, in all tabs"))
            .child(checkbox)
            .build()
    }

    /// Accounts do not move between the places where they are kept: those that were there are signed out here.
    fn keep(self: &Rc<Self>, keep: bool) {
        let section = self.clone();
        spawn_local(async move {
            let realm = &section.entry.realm;
            let gone = match super::accounts(realm).await {
                Ok(accounts) if !accounts.accounts().is_empty() => {
                    accounts.sign_out(None, Extent::Here).await.map(|()| true)
                }
                Ok(_) => Ok(false),
                Err(error) => Err(error),
            };
            keep::set(realm, keep);
            section.say(&match gone {
                Ok(true) => "Sign in again: that holds from the next sign-in on.".to_owned(),
                Ok(false) => String::new(),
                Err(error) => sentence(&error.to_string()),
            });
            section.refresh_all();
        });
    }
}
