//! The door itself: what its requests share.

use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::Method;
use axum::routing::{get, post};
use axum::{Router, middleware};
use spoor_signin::WebSignIn;

use crate::access::{Access, AccessError, Identity, Listening};
use crate::attempts::Attempts;
use crate::audit::Audit;
use crate::cookies::Cookies;
use crate::guard;
use crate::limits::Limits;
use crate::machines::Machines;
use crate::origin::Own;
use crate::reply::Refusal;
use crate::roles::Need;
use crate::sessions::Sessions;
use crate::signin;

/// What a request needs, by its method and its path, in which nothing is encoded any more.
pub type Needs = fn(&Method, &str) -> Result<Need, Refusal>;

/// Lets in those that an access file names.
pub struct Door {
    pub(crate) access: Access,
    pub(crate) own: Own,
    pub(crate) cookies: Cookies,
    pub(crate) machines: Machines,
    pub(crate) limits: Limits,
    pub(crate) sign_in: Option<Arc<WebSignIn>>,
    audit: Audit,
    sessions: Mutex<Sessions>,
    attempts: Mutex<Attempts>,
}

impl Door {
    /// Reads an access file, for a server that listens so. No authority is asked yet.
    ///
    /// # Errors
    /// When the file is wrong, a file that it names cannot be used, or others could read what the server sends.
    pub fn open(path: &Path, listening: Listening) -> Result<Arc<Self>, AccessError> {
        let access = Access::open(path)?;
        access.suits(listening)?;
        let own = access.origin.as_ref().map(Own::new);
        let own = own.ok_or_else(|| AccessError::Address(String::new()))?;
        let sign_in = access.registration()?.map(WebSignIn::new).transpose()?;
        let each_minute = NonZeroU32::new(access.limits.requests_per_minute)
            .ok_or(AccessError::Nothing("requests-per-minute"))?;
        Ok(Arc::new(Self {
            cookies: Cookies::new(access.is_secure(), own.port()),
            machines: Machines::new(&access.machines)?,
            limits: Limits::new(each_minute),
            sign_in: sign_in.map(Arc::new),
            audit: Audit::open(&access.audit.file)?,
            sessions: Mutex::new(Sessions::new(access.sessions)),
            attempts: Mutex::default(),
            own,
            access,
        }))
    }

    /// Puts routes behind the door, and those for signing in and out beside them. Whoever serves them adds a [`crate::Peer`] to
    /// each request; the routes find an `Arc<Caller>` among its extensions.
    pub fn guard(self: &Arc<Self>, routes: Router, needs: Needs) -> Router {
        let own = Router::new()
            .route(guard::SIGN_IN, get(signin::begin))
            .route(guard::CALLBACK, get(signin::callback))
            .route(guard::SIGN_OUT, post(signin::sign_out))
            .route(guard::ME, get(signin::me))
            .with_state(self.clone());
        let gate = guard::Gate {
            door: self.clone(),
            needs,
        };
        let guarded = middleware::from_fn_with_state(gate, guard::check);
        routes.merge(own).layer(guarded)
    }

    /// Where it is written down what callers do.
    pub fn audit(&self) -> &Audit {
        &self.audit
    }

    /// As whom a workspace is asked for callers; `None` for one that is not asked for any.
    pub fn identity(&self, workspace: &str) -> Option<Identity> {
        let upstream = self.access.workspaces.get(workspace)?;
        Some(upstream.identity)
    }

    /// The workspaces that are asked with their callers' own tokens.
    pub fn forwarded(&self) -> impl Iterator<Item = &str> {
        self.access.forwarded()
    }

    /// Whether people's tokens come from this authority, and of this directory where one is named.
    pub fn has_tokens_of(&self, authority: &str, tenant: Option<&str>) -> bool {
        let bare = |url: &str| url.trim_end_matches('/').to_owned();
        self.access.signer().is_some_and(|(own, own_tenant)| {
            bare(own) == bare(authority) && (tenant.is_none() || tenant == own_tenant)
        })
    }

    /// What browsers call the server.
    pub fn address(&self) -> &str {
        self.own.origin()
    }

    pub(crate) fn proxies(&self) -> Option<&[IpAddr]> {
        let proxy = self.access.proxy.as_ref();
        proxy.map(|proxy| proxy.addresses.as_slice())
    }

    pub(crate) fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn attempts(&self) -> MutexGuard<'_, Attempts> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Door").field(&self.own).finish()
    }
}
