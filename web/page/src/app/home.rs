//! The first screen: the gallery, with the user's files beside it.

use std::rc::Rc;

use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlElement;

use super::{Fetched, Shell};
use crate::dom::{self, el};
use crate::files::{self, Files};
use crate::gallery::{self, Gallery};
use crate::plugins::Plugins;
use crate::server::{self, Client};
use crate::storage::Store;

/// The screen.
pub struct Home {
    /// Where files are listed.
    side: HtmlElement,
}

impl Home {
    /// Lists the notebooks of the folder of `spoor serve` too.
    pub fn show_served(&self, client: &Client) {
        self.side.set_hidden(false);
        let open = |address: &str| {
            let _ = dom::window().location().set_href(address);
        };
        std::mem::forget(server::mount(&self.side, client, || None, open));
    }
}

/// Shows both, for as long as the page lives.
pub async fn show(shell: &Shell, plugins: &Rc<Plugins>) -> Fetched<Home> {
    let store = Store::open().await;
    let main = shell.main();
    dom::clear(&main);
    let home = el("div").class("home").build();
    dom::append(&main, &home);
    let store = store.map_err(|error| shell.say(&error.to_string())).ok();
    let open = |id: &str| super::go_to(id);
    let callbacks = gallery::Callbacks {
        open: Box::new(open),
    };
    let gallery: Gallery = gallery::mount(&home, store.as_ref(), callbacks);
    std::mem::forget(gallery);
    let side = el("aside")
        .class("home-files")
        .attr("aria-label", "Your files")
        .flag("hidden", store.is_none())
        .build();
    dom::append(&home, &side);
    if let Some(store) = store {
        store.expose();
        let callbacks = files::Callbacks {
            open: Box::new(open),
            current: Box::new(|| None),
            settle: Box::new(|| Box::pin(async {})),
            describe: Box::new(|_| Box::pin(async { Err(NO_KERNEL.to_owned()) })),
            plugins: plugins.clone(),
            waiting: Box::new(|| ""),
            insert: None,
            reveal: Box::new(|| {}),
        };
        let files: Files = files::mount(&side, &store, callbacks);
        std::mem::forget(files);
        let plugins = plugins.clone();
        spawn_local(async move {
            futures::future::join(plugins.follow(&store), plugins.read_offers()).await;
        });
    }
    Ok(Home { side })
}

const NO_KERNEL: &str =
    "What is in a table is shown beside an open notebook, whose kernel reads it.";
