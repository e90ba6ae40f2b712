//! `spoor serve`: the page, a folder of notebooks, data, and KQL on all cores, for one person's browser, or for many people behind a
//! door.
//!
//! `cli/serve.rs` calls [`Server::bind`] and [`Server::run`]. One person's browser is let in by the secret of `guard`; where there is an access
//! file `spoor-door` lets people and machines in, and `needs` says which role each request needs. The rest has a module
//! for each kind of thing that is served. Nothing here knows of engines: queries go through [`Query`]. `spoor serve --api` serves
//! [`Api`] in the page's stead, whose routes are the crate `spoor-store`'s.

mod api;
mod connections;
mod crowd;
mod data;
mod files;
mod guard;
mod needs;
mod notebooks;
mod noted;
mod peers;
mod query;
mod site;
mod tables;
mod upstream;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::routing::get;
use axum::serve::ListenerExt;
use axum::{Extension, Json, Router, middleware};
use serde_json::{Value, json};
use spoor_door::Door;
use spoor_store::tls::{ServerConfig, Tls};
use tokio::net::TcpListener;

pub use api::Api;
pub use data::DataFile;

pub use crate::native::{Problem, Query, Stop, Watch};

use crate::error::Error;
use crate::remote::Workspaces;
use connections::Patience;
use noted::Asking;

/// How long what still runs may take to end once the server is asked to stop.
const GRACE: Duration = Duration::from_secs(3);

/// What to serve, and where.
pub struct Options {
    /// The address to listen at; port 0 takes a free one.
    pub address: SocketAddr,
    /// A name by which browsers may call this machine, beside its addresses and `localhost`.
    pub name: Option<String>,
    /// The folder of the page, as `cargo xtask site` makes it.
    pub site: PathBuf,
    /// The folder of notebooks, if there is one.
    pub notebooks: Option<PathBuf>,
    /// The data files.
    pub data: Vec<DataFile>,
    /// What runs queries over them.
    pub query: Option<Arc<dyn Query>>,
    /// How long a query may take.
    pub query_time: Duration,
    /// The workspaces of the configuration. Those that the access file names are asked for callers.
    pub workspaces: Option<Arc<Workspaces>>,
    /// Who may ask; without it, whoever has the secret of the printed address.
    pub door: Option<Arc<Door>>,
    /// The certificate, if there is TLS.
    pub tls: Option<Arc<ServerConfig>>,
}

/// How callers are let in.
enum Entrance {
    /// One browser, by a secret.
    Secret(guard::Guard),
    /// Those whom an access file names.
    Door(Arc<Door>),
}

/// What the requests share.
struct Shared {
    entrance: Entrance,
    site: site::Site,
    notebooks: Option<notebooks::Notebooks>,
    data: data::DataFiles,
    query: Option<query::Queries>,
    upstream: Option<upstream::Upstream>,
}

type App = State<Arc<Shared>>;

/// A server that has its port, and waits to be run.
pub struct Server {
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    shared: Arc<Shared>,
    address: SocketAddr,
    url: String,
}

impl Server {
    /// Opens the folders and the port.
    ///
    /// # Errors
    /// When a folder or data file cannot be opened, or the port is taken.
    pub async fn bind(options: Options) -> Result<Self, Error> {
        let site = site::Site::open(&options.site)?;
        let notebooks = options.notebooks.as_deref();
        let notebooks = notebooks.map(notebooks::Notebooks::open).transpose()?;
        let data = data::DataFiles::open(options.data)?;
        let taken = Error::file("cannot listen at", options.address.to_string());
        let listener = TcpListener::bind(options.address).await.map_err(taken)?;
        let unknown = Error::file("cannot tell the address of", options.address.to_string());
        let address = listener.local_addr().map_err(unknown)?;
        let (entrance, url) = match options.door {
            Some(door) => {
                let url = door.address().to_owned();
                (Entrance::Door(door), url)
            }
            None => {
                let guard = guard::Guard::new(address.port(), options.name)?;
                let url = guard.entrance(address);
                (Entrance::Secret(guard), url)
            }
        };
        let query_time = options.query_time;
        let query = options
            .query
            .map(|query| query::Queries::new(query, query_time));
        let upstream = options
            .workspaces
            .map(|workspaces| upstream::Upstream::new(workspaces, query_time));
        let shared = Arc::new(Shared {
            entrance,
            site,
            notebooks,
            data,
            query,
            upstream,
        });
        Ok(Self {
            listener,
            tls: options.tls,
            shared,
            address,
            url,
        })
    }

    /// The address to open in a browser. Without a door it lets whoever has it in.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` is ready, and then until what runs has ended or a short grace is over.
    ///
    /// # Errors
    /// When the system takes the port away.
    pub async fn run(self, stop: impl Future<Output = ()> + Send + 'static) -> Result<(), Error> {
        let lost = Error::file("cannot serve at", &self.url);
        serve_over(self.listener, self.tls, app(self.shared), stop)
            .await
            .map_err(lost)
    }
}

/// Serves over TLS, if there is a certificate: see [`connections::serve`].
async fn serve_over(
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    routes: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let patience = Patience::default();
    match tls {
        Some(config) => {
            let listener = Tls::new(listener, config)?;
            connections::serve(listener, routes, patience, stop, GRACE).await
        }
        None => {
            // A small answer waits for nothing. A connection that refuses is slower, and no worse.
            let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
            connections::serve(listener, routes, patience, stop, GRACE).await
        }
    }
}

fn app(shared: Arc<Shared>) -> Router {
    let checked = middleware::from_fn_with_state(shared.clone(), guard::check);
    let dressed = middleware::from_fn_with_state(shared.clone(), guard::dress);
    let api = notebooks::routes()
        .merge(query::routes())
        .merge(upstream::routes())
        .merge(tables::routes());
    let routes = Router::new()
        .route("/api/", get(about))
        .nest("/api", api)
        .nest("/data", data::routes())
        .fallback(site::serve)
        .with_state(shared.clone());
    match &shared.entrance {
        Entrance::Secret(_) => routes.layer(checked).layer(dressed),
        // What the door adds to answers leaves alone what is there.
        Entrance::Door(door) => door
            .guard(routes.layer(dressed), needs::needs)
            .layer(middleware::from_fn(peers::tell)),
    }
}

/// What this server has, for a page that asks whether it is served by Spoor.
async fn about(State(shared): App, asking: Asking) -> Json<Value> {
    let caller = asking.as_ref().map(|Extension(caller)| caller.as_ref());
    Json(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "notebooks": shared.notebooks.is_some(),
        "kql": shared.query.is_some(),
        "workspaces": upstream::offered(&shared, caller),
        "caller": caller.map(|caller| &caller.name),
    }))
}
