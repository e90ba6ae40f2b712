//! The page as a whole: what the address asks for, what stands around it, and what is preferred.

mod beside;
mod data;
mod describe;
mod draft;
mod export;
pub mod fetch;
mod file;
mod home;
mod menus;
mod offline;
mod open;
mod own;
mod preferences;
mod route;
mod save;
mod shell;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

use futures::lock::Mutex;
use spoor_messages::{Source, WORKSPACE};
use spoor_model::{Command, Document};
use wasm_bindgen_futures::spawn_local;

pub use beside::Beside;
pub use draft::Aside;
pub use export::export;
pub use fetch::Fetched;
pub use file::carry_out;
pub use menus::menus;
pub use own::Own;
pub use preferences::{Preferences, system_is_dark};
pub use route::{Place, Route};
pub use save::save_as;
pub use shell::Shell;

use crate::dom;
use crate::notebook::Screen;
use crate::plugins::Plugins;
use crate::server::Client;
use crate::session::Session;
use crate::signin;
use crate::storage::{Store, StoreError};
use crate::workspaces::Workspaces;

/// What every screen can use.
pub struct App {
    /// What stands around the screen.
    pub shell: Rc<Shell>,
    /// What the user prefers.
    pub preferences: Preferences,
    /// What the address asks for.
    pub route: Route,
    /// The script that keeps the site for use offline, until it was asked to.
    service: RefCell<Option<String>>,
    /// The storage, once it is open.
    store: Mutex<Option<Store>>,
    /// The way to `spoor serve`, where it serves the page.
    pub server: RefCell<Option<Client>>,
    /// The tables that the site offers.
    pub offered: RefCell<Vec<Source>>,
    /// The user's data files, which the session knows.
    data: RefCell<Option<Rc<data::OwnData>>>,
    /// What is known of plugins.
    pub plugins: Rc<Plugins>,
    /// The user's workspaces.
    pub workspaces: Rc<Workspaces>,
    /// The notebook on the screen. What listens to it holds it weakly.
    screen: RefCell<Option<Rc<Screen>>>,
}

impl App {
    /// Keeps the site for use offline, if it can be and was not asked to yet.
    pub fn keep_for_offline(&self) {
        if let Some(service) = self.service.take() {
            offline::keep(&service);
        }
    }

    /// Takes in that `spoor serve` serves the page.
    fn found(&self, client: &Client) {
        self.server.replace(Some(client.clone()));
        if let Some(screen) = self.screen() {
            screen.with_beside(|beside| beside.serve(client));
        }
    }

    /// What the server runs queries with: its own data, and the workspaces that it asks for whoever is here.
    async fn providers(&self, client: &Client) -> BTreeMap<String, String> {
        // Without an answer the rest still works, and a cell says what does not.
        let workspaces = client.about().await.unwrap_or_default().workspaces;
        let url = |name: &String| (format!("{WORKSPACE}{name}"), client.workspace(name));
        let mut providers: BTreeMap<_, _> = workspaces.iter().map(url).collect();
        providers.insert("host".to_owned(), client.kql());
        self.workspaces.serve(client, workspaces);
        if let Some(screen) = self.screen() {
            screen.tell_workspaces();
        }
        providers
    }

    /// The notebook on the screen.
    pub fn screen(&self) -> Option<Rc<Screen>> {
        self.screen.borrow().clone()
    }

    /// The storage, which is opened when it is first wanted.
    ///
    /// # Errors
    /// Where the browser has no storage for the page.
    pub async fn store(&self) -> Result<Store, StoreError> {
        // Who asks meanwhile waits: drafts are taken up once.
        let mut open = self.store.lock().await;
        if let Some(store) = &*open {
            return Ok(store.clone());
        }
        let store = Store::open().await?;
        Ok(open.insert(store).clone())
    }
}

/// Shows what the address asks for.
pub fn start() {
    let app = Rc::new(App {
        shell: Shell::new(),
        preferences: Preferences::load(),
        route: Route::read(),
        service: RefCell::default(),
        store: Mutex::default(),
        server: RefCell::default(),
        offered: RefCell::default(),
        data: RefCell::default(),
        plugins: Plugins::new(),
        workspaces: Rc::default(),
        screen: RefCell::default(),
    });
    app.preferences.apply();
    signin::resume();
    spawn_local(async move {
        let opened = match &app.route.notebook {
            Some(place) => open(&app, place).await,
            None => home(&app).await,
        };
        if let Err(message) = opened {
            app.shell.fail(&message);
        }
    });
}

/// Shows the first screen, and then keeps the site for use offline.
async fn home(app: &App) -> Result<(), String> {
    let home = home::show(&app.shell, &app.plugins).await?;
    match fetch::site().await {
        // The server is as near as the page, and has no service worker.
        Ok((_, Some(client))) => home.show_served(&client),
        Ok((site, None)) => {
            *app.service.borrow_mut() = site.service;
            app.keep_for_offline();
        }
        Err(_) => {}
    }
    Ok(())
}

/// Reads a notebook and shows it. The worker loads the kernel beside it.
async fn open(app: &Rc<App>, place: &Place) -> Result<(), String> {
    let session = Session::start();
    let (document, name, own) = match place {
        Place::Own(id) => {
            let (own, document) = own::open(app, id).await?;
            (document, own.name(), Some(own))
        }
        Place::Served(path) => {
            let (own, document) = own::open_served(app, path).await?;
            (document, own.name(), Some(own))
        }
        place => {
            let (document, name) = read(place).await?;
            (document, name, None)
        }
    };
    if let Some(url) = recorded_beside(place, &document) {
        session.use_recorded(url);
    }
    let screen = Screen::mount(app.clone(), session.clone(), document, &name);
    app.screen.replace(Some(screen.clone()));
    let loads_for = app.clone();
    spawn_local(async move { load_engines(&loads_for, &session).await });
    if let Some(own) = own {
        let revision = screen.state.borrow().revision();
        screen.keep(own, revision);
    }
    draft::follow(&screen, place);
    if app.route.run {
        screen.dispatch(Command::RunAll);
    }
    Ok(())
}

/// The notebook at a place, and its file's name.
async fn read(place: &Place) -> Result<(Document, String), String> {
    let seed = seed();
    match place {
        Place::Own(id) | Place::Served(id) => Err(format!("{id} is not on the site")),
        Place::Url(url) => {
            let bytes = fetch::bytes(url).await?;
            let document = Document::from_json(&bytes, seed)
                .map_err(|error| format!("{url} is not a notebook that Spoor can read: {error}"))?;
            Ok((document, route::file_name(url)))
        }
        Place::Link(link) => {
            let notebook = spoor_model::convert::decode_link(link);
            let notebook =
                notebook.map_err(|error| format!("This address does not open: {error}."))?;
            Ok((
                Document::from_notebook(notebook, seed),
                "shared.ipynb".into(),
            ))
        }
    }
}

/// The folder of a notebook's recorded answers, where it came from a URL.
fn recorded_beside(place: &Place, document: &Document) -> Option<String> {
    let Place::Url(url) = place else {
        return None;
    };
    let folder = spoor_notebook::recorded_in(document.metadata())?;
    let page = dom::window().location().href().ok()?;
    let notebook = web_sys::Url::new_with_base(url, &page).ok()?;
    let folder = web_sys::Url::new_with_base(folder, &notebook.href()).ok()?;
    Some(folder.href())
}

/// Where a document's ids begin.
fn seed() -> u64 {
    (js_sys::Math::random() * 2f64.powi(53)) as u64
}

/// Gives the session what it may call, and has the editors know of it.
fn attach_plugins(app: &Rc<App>, session: &Rc<Session>) {
    let (texts, arrived) = (Rc::downgrade(app), Rc::downgrade(app));
    let screen = |app: &Weak<App>| app.upgrade()?.screen.borrow().clone();
    app.plugins.attach(
        session,
        move || screen(&texts).map_or_else(Vec::new, |screen| screen.code()),
        move || {
            if let Some(screen) = screen(&arrived) {
                screen.diagnose_all();
            }
        },
    );
}

/// The storage, with the user's plugins read: what a cell calls is theirs before it is the site's.
async fn storage(app: &App) -> Result<Store, StoreError> {
    let store = app.store().await?;
    app.plugins.follow(&store).await;
    Ok(store)
}

/// Opens the kernel's session with what the site has.
async fn load_engines(app: &Rc<App>, session: &Rc<Session>) {
    let (mut sources, site, store, ()) = futures::future::join4(
        fetch::sources(),
        fetch::site(),
        storage(app),
        app.plugins.read_offers(),
    )
    .await;
    app.offered.replace(sources.clone());
    let screen = app.screen.borrow().clone();
    if let Some(screen) = screen {
        screen.with_beside(|beside| beside.offer(&sources));
    }
    match site {
        Ok((site, server)) => {
            // Where the browser keeps nothing there are no files of the user's.
            if let Ok(store) = store {
                let own = data::OwnData::new(&store);
                sources = own.beside(&sources).await;
                own.follow(session);
                app.data.replace(Some(own));
            }
            match &server {
                Some(client) => app.found(client),
                None => *app.service.borrow_mut() = site.service.clone(),
            }
            let providers = match server {
                Some(client) => app.providers(&client).await,
                None => BTreeMap::new(),
            };
            attach_plugins(app, session);
            session.open(site, sources, providers, app.route.verify);
        }
        Err(message) => session.fail("site", &message),
    }
}

/// The page's address that shows a notebook of the user's own.
fn address_of(id: &str) -> String {
    format!("./?file={id}")
}

/// Opens a notebook of the user's own.
fn go_to(id: &str) {
    let _ = dom::window().location().set_href(&address_of(id));
}

/// Leaves a screen for another address, once what is on it is saved.
fn leave_for(screen: &Rc<Screen>, address: &str) {
    let (screen, address) = (screen.clone(), address.to_owned());
    spawn_local(async move {
        screen.settle().await;
        let _ = dom::window().location().set_href(&address);
    });
}

/// Goes to the list of notebooks.
pub fn go_home() {
    let _ = dom::window().location().set_href("./");
}
