//! The page as a whole: what the address asks for, what stands around it, and what is preferred.

mod data;
mod export;
mod fetch;
mod home;
mod offline;
mod own;
mod preferences;
mod route;
mod shell;

use std::cell::RefCell;
use std::rc::Rc;

use spoor_model::{Command, Document};
use wasm_bindgen_futures::spawn_local;

pub use export::export;
pub use fetch::Fetched;
pub use own::Own;
pub use preferences::{Preferences, system_is_dark};
pub use route::{Place, Route};
pub use shell::Shell;

use crate::dom;
use crate::notebook::Screen;
use crate::session::Session;

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
    /// The user's data files, which the session knows.
    data: RefCell<Option<Rc<data::OwnData>>>,
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
}

/// Shows what the address asks for.
pub fn start() {
    let app = Rc::new(App {
        shell: Shell::new(),
        preferences: Preferences::load(),
        route: Route::read(),
        service: RefCell::default(),
        data: RefCell::default(),
        screen: RefCell::default(),
    });
    app.preferences.apply();
    spawn_local(async move {
        let opened = match &app.route.notebook {
            Some(place) => open(&app, place).await,
            None => home::show(&app.shell).await,
        };
        if app.route.notebook.is_none() && opened.is_ok() {
            *app.service.borrow_mut() = fetch::site().await.ok().and_then(|site| site.service);
            app.keep_for_offline();
        }
        if let Err(message) = opened {
            app.shell.fail(&message);
        }
    });
}

/// Reads a notebook and shows it. The engines begin to load at once, beside it.
async fn open(app: &Rc<App>, place: &Place) -> Result<(), String> {
    let session = Session::start();
    let (loading, loads_for) = (session.clone(), app.clone());
    spawn_local(async move { load_engines(&loads_for, &loading).await });
    let (document, name, own) = match place {
        Place::Own(id) => {
            let (own, entry, document) = own::open(app, id).await?;
            (document, entry.name, Some(own))
        }
        place => {
            let (document, name) = read(place).await?;
            (document, name, None)
        }
    };
    let screen = Screen::mount(app.clone(), session, document, &name);
    app.screen.replace(Some(screen.clone()));
    if let Some(own) = own {
        screen.keep(own);
    }
    if app.route.run {
        screen.dispatch(Command::RunAll);
    }
    Ok(())
}

/// The notebook at a place, and its file's name.
async fn read(place: &Place) -> Result<(Document, String), String> {
    let seed = seed();
    match place {
        Place::Own(id) => Err(format!("{id} is in the storage, not on the site")),
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

/// Where a document's ids begin.
fn seed() -> u64 {
    (js_sys::Math::random() * 2f64.powi(53)) as u64
}

/// Opens the kernel's session with what the site has.
async fn load_engines(app: &App, session: &Rc<Session>) {
    let own = async {
        let own = data::OwnData::open().await?;
        let files = own.news().await;
        Some((own, files))
    };
    let (mut sources, site, own) =
        futures::future::join3(fetch::sources(), fetch::site(), own).await;
    match site {
        Ok(site) => {
            if let Some((own, files)) = own {
                // A file of the user's takes the place of one of the site's.
                sources.retain(|source| files.iter().all(|file| file.name != source.name));
                sources.extend(files);
                own.follow(session);
                app.data.replace(Some(own));
            }
            *app.service.borrow_mut() = site.service.clone();
            session.open(site, sources, app.route.verify);
        }
        Err(message) => session.fail("site", &message),
    }
}

/// Whether the page can carry out a command: the rest are not offered.
pub fn supports(command: Command) -> bool {
    let missing = [
        Command::SaveCopy,
        Command::New,
        Command::Open,
        Command::Rename,
        Command::Import,
        Command::ExportAll,
    ];
    !missing.contains(&command)
}

/// Opens a notebook of the user's own.
pub fn go_to(id: &str) {
    let _ = dom::window().location().set_href(&format!("./?file={id}"));
}

/// Goes to the list of notebooks.
pub fn go_home() {
    let _ = dom::window().location().set_href("./");
}
