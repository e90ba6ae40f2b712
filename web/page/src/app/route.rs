//! What the address asks for: `?nb=URL` names a notebook, `?file=ID` one of the user's own, `?server=PATH` one of the folder of `spoor serve`, `&run` runs it when it is there, `&verify`
//! has the worker hash what it loads. A fragment `#nb=` holds a notebook itself.

use web_sys::UrlSearchParams;

use crate::dom;

/// Where a notebook is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// At a URL, relative to the page's.
    Url(String),
    /// In the address itself, as `spoor_model::convert::encode_link` wrote it.
    Link(String),
    /// In the browser's storage, under this id.
    Own(String),
    /// In the folder of the server, by this path.
    Served(String),
}

/// What the address asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Route {
    /// The notebook; none asks for the list of them.
    pub notebook: Option<Place>,
    /// Whether to run it.
    pub run: bool,
    /// Whether to hash what is loaded.
    pub verify: bool,
}

impl Route {
    /// Reads the page's address.
    pub fn read() -> Self {
        let location = dom::window().location();
        let hash = location.hash().unwrap_or_default();
        let link = hash.strip_prefix("#nb=").map(str::to_owned);
        let search = location.search().unwrap_or_default();
        let Ok(query) = UrlSearchParams::new_with_str(&search) else {
            return Self::default();
        };
        Self {
            notebook: link.map(Place::Link).or_else(|| {
                let url = query.get("nb").filter(|url| !url.is_empty());
                let own = query.get("file").filter(|id| !id.is_empty());
                let served = query.get("server").filter(|path| !path.is_empty());
                let kept = own.map(Place::Own).or(served.map(Place::Served));
                url.map(Place::Url).or(kept)
            }),
            run: query.has("run"),
            verify: query.has("verify"),
        }
    }
}

/// The name of the file that a URL leads to.
pub fn file_name(url: &str) -> String {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let name = path.rsplit('/').next().unwrap_or(path);
    let decoded = js_sys::decode_uri_component(name).map(String::from);
    decoded.unwrap_or_else(|_| name.to_owned())
}
