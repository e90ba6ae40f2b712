//! The access file: who may ask a server, and for what. `docs/serve.md` describes it.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use spoor_signin::{Registration, Secret, StoreError, WebSignInError};
use url::{Host, Url};

use crate::roles::{Grant, Role};

/// Why an access file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// It cannot be read.
    #[error("cannot read the access file {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not what such a file is.
    #[error("the access file {} is wrong: {why}. docs/serve.md describes it", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// The line and what is wrong there.
        why: String,
    },
    /// The server's address is none that browsers can call it by.
    #[error(
        "address = {0:?} cannot be the server's: write `https://NAME`, as browsers call it, without a path; `http://` is for this machine alone"
    )]
    Address(String),
    /// A hash is none.
    #[error(
        "the sha256 of the machine '{0}' is not 64 hexadecimal digits: `printf %s TOKEN | sha256sum` gives them"
    )]
    Hash(String),
    /// Two machines have one name.
    #[error(
        "two machines are called '{0}': give each its own name, as the audit log tells them apart by it"
    )]
    Twice(String),
    /// Nobody could do anything.
    #[error("the access file lets nobody in: add [authority] with [[roles]], or [[machines]]")]
    Nobody,
    /// One token would go to several servers, each of which could use it at the others.
    #[error(
        "the workspaces {0} are asked as \"user\", and people sign in for one server's tokens alone: leave one of them so, and ask the others as \"server\""
    )]
    Forwarded(String),
    /// A limit of nothing.
    #[error("{0} has to be more than nothing")]
    Nothing(&'static str),
    /// The client's secret.
    #[error("the client secret cannot be used: {0}")]
    Secret(#[from] StoreError),
    /// The authority.
    #[error(transparent)]
    Authority(#[from] WebSignInError),
    /// The audit log.
    #[error("the audit log {} cannot be written: {source}", path.display())]
    Audit {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Others could read what is sent.
    #[error(
        "{address} is reached from other machines, and without TLS they could read what is sent: give --tls-cert and --tls-key, \
         or put a proxy that has TLS in front and name it in [proxy] of the access file"
    )]
    Plain {
        /// Where the server listens.
        address: SocketAddr,
    },
    /// The address says one thing and the server does another.
    #[error(
        "the server has {has}, and browsers are told {told}: the `address` of the access file begins with {wanted}"
    )]
    Scheme {
        /// What the server has.
        has: &'static str,
        /// What the file says.
        told: String,
        /// What it should say.
        wanted: &'static str,
    },
}

/// How a server listens.
#[derive(Clone, Copy, Debug)]
pub struct Listening {
    /// Where.
    pub address: SocketAddr,
    /// Whether it has a certificate.
    pub tls: bool,
}

/// An access file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Access {
    /// What browsers call the server: scheme, name and port.
    #[serde(rename = "address")]
    address_text: String,
    #[serde(skip)]
    pub(crate) origin: Option<Url>,
    pub(crate) authority: Option<Authority>,
    #[serde(default)]
    pub(crate) roles: Vec<Rule>,
    #[serde(default)]
    pub(crate) machines: Vec<Machine>,
    #[serde(default)]
    pub(crate) sessions: SessionSettings,
    #[serde(default)]
    pub(crate) limits: LimitSettings,
    #[serde(default)]
    pub(crate) workspaces: BTreeMap<String, Upstream>,
    pub(crate) audit: AuditSettings,
    pub(crate) proxy: Option<Proxy>,
}

/// Who signs people in.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Authority {
    issuer: String,
    tenant: Option<String>,
    client_id: String,
    client_secret_file: Option<PathBuf>,
    #[serde(default = "scopes")]
    scopes: Vec<String>,
}

/// A role of those whose claim has one of the values.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Rule {
    role: Role,
    claim: String,
    values: Vec<String>,
    #[serde(default)]
    folders: Vec<String>,
    #[serde(default)]
    workspaces: Vec<String>,
}

/// A machine.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Machine {
    pub(crate) name: String,
    pub(crate) sha256: String,
    role: Role,
    #[serde(default)]
    folders: Vec<String>,
    #[serde(default)]
    workspaces: Vec<String>,
}

/// A workspace that the server asks for its callers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Upstream {
    pub(crate) identity: Identity,
}

/// As whom the server asks a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Identity {
    /// As the account that was signed in with `spoor login` on the server, whoever the caller is.
    Server,
    /// As the caller, whose access token is sent on.
    User,
}

/// How long sessions last, and how many there may be.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct SessionSettings {
    pub(crate) idle_seconds: u64,
    pub(crate) lifetime_seconds: u64,
    /// Of all people together.
    pub(crate) at_once: usize,
    /// Of one person.
    pub(crate) each: usize,
}

/// How much may be asked.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct LimitSettings {
    pub(crate) requests_per_minute: u32,
    pub(crate) body_bytes: usize,
}

/// Where it is written down who asked what.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct AuditSettings {
    pub(crate) file: PathBuf,
}

/// A proxy in front, which has TLS.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Proxy {
    pub(crate) addresses: Vec<IpAddr>,
}

fn scopes() -> Vec<String> {
    vec!["profile".to_owned()]
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self {
            idle_seconds: 3600,
            lifetime_seconds: 12 * 3600,
            at_once: 10_000,
            each: 8,
        }
    }
}

impl SessionSettings {
    pub(crate) fn idle(&self) -> Duration {
        Duration::from_secs(self.idle_seconds)
    }

    pub(crate) fn lifetime(&self) -> Duration {
        Duration::from_secs(self.lifetime_seconds)
    }
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            requests_per_minute: 1200,
            body_bytes: 64 << 20,
        }
    }
}

impl Access {
    /// Reads an access file.
    ///
    /// # Errors
    /// When it cannot be read, or is wrong: the line and what to do.
    pub fn open(path: &Path) -> Result<Self, AccessError> {
        let text = std::fs::read_to_string(path).map_err(|source| AccessError::Read {
            path: path.to_owned(),
            source,
        })?;
        let mut access: Self = toml::from_str(&text).map_err(|error| AccessError::Wrong {
            path: path.to_owned(),
            why: told(&text, &error),
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        access.audit.file = folder.join(&access.audit.file);
        if let Some(secret) = access
            .authority
            .as_mut()
            .and_then(|authority| authority.client_secret_file.as_mut())
        {
            *secret = folder.join(&*secret);
        }
        access.check()?;
        Ok(access)
    }

    fn check(&mut self) -> Result<(), AccessError> {
        let origin = origin(&self.address_text)
            .ok_or_else(|| AccessError::Address(self.address_text.clone()))?;
        self.origin = Some(origin);
        let people = self.authority.is_some() && !self.roles.is_empty();
        if !people && self.machines.is_empty() {
            return Err(AccessError::Nobody);
        }
        let forwarded: Vec<&str> = self.forwarded().collect();
        if forwarded.len() > 1 {
            return Err(AccessError::Forwarded(forwarded.join(", ")));
        }
        let sessions = &self.sessions;
        for (good, what) in [
            (sessions.idle_seconds > 0, "idle-seconds"),
            (sessions.lifetime_seconds > 0, "lifetime-seconds"),
            (sessions.at_once > 0, "at-once"),
            (sessions.each > 0, "each"),
            (self.limits.requests_per_minute > 0, "requests-per-minute"),
            (self.limits.body_bytes > 0, "body-bytes"),
        ] {
            if !good {
                return Err(AccessError::Nothing(what));
            }
        }
        Ok(())
    }

    /// Whether a server that listens so keeps what is sent from others.
    ///
    /// # Errors
    /// When it does not, or browsers would call it otherwise.
    pub fn suits(&self, listening: Listening) -> Result<(), AccessError> {
        let Listening { address, tls } = listening;
        let secure = self.is_secure();
        let beyond = !address.ip().is_loopback();
        if beyond && !tls && self.proxy.is_none() {
            return Err(AccessError::Plain { address });
        }
        let needs_tls = tls || beyond || self.proxy.is_some();
        if secure == needs_tls {
            return Ok(());
        }
        let (has, wanted) = match needs_tls {
            true => ("TLS", "https://"),
            false => ("no TLS", "http://"),
        };
        Err(AccessError::Scheme {
            has,
            told: self.address_text.clone(),
            wanted,
        })
    }

    /// Whether browsers reach it over TLS.
    pub(crate) fn is_secure(&self) -> bool {
        self.origin
            .as_ref()
            .is_some_and(|url| url.scheme() == "https")
    }

    /// The registration at the authority, if people can sign in.
    pub(crate) fn registration(&self) -> Result<Option<Registration>, AccessError> {
        let (Some(authority), Some(origin)) = (&self.authority, &self.origin) else {
            return Ok(None);
        };
        let secret = authority.client_secret_file.as_deref();
        let secret = secret.map(Secret::open).transpose()?;
        Ok(Some(Registration {
            authority: authority.issuer.clone(),
            tenant: authority.tenant.clone(),
            client_id: authority.client_id.clone(),
            secret,
            redirect: format!("{}/signin/callback", origin.origin().ascii_serialization()),
            scopes: authority.scopes.clone(),
        }))
    }

    /// Whether any workspace is asked with its callers' own tokens. Only then they are kept.
    pub(crate) fn sends_tokens_on(&self) -> bool {
        self.forwarded().next().is_some()
    }

    /// Who signs people in, and the directory, if people can sign in.
    pub(crate) fn signer(&self) -> Option<(&str, Option<&str>)> {
        let authority = self.authority.as_ref()?;
        Some((&authority.issuer, authority.tenant.as_deref()))
    }

    /// The workspaces that are asked with their callers' own tokens.
    pub(crate) fn forwarded(&self) -> impl Iterator<Item = &str> {
        let own = self.workspaces.iter();
        own.filter(|(_, workspace)| workspace.identity == Identity::User)
            .map(|(name, _)| name.as_str())
    }

    /// What somebody with these claims may do.
    pub(crate) fn grants(&self, claims: &Value) -> Vec<Grant> {
        let rules = self.roles.iter().filter(|rule| rule.is_for(claims));
        rules
            .map(|rule| Grant {
                role: rule.role,
                folders: rule.folders.clone(),
                workspaces: rule.workspaces.clone(),
            })
            .collect()
    }
}

impl Rule {
    /// A claim is a text or a list of texts; anything else is nobody's.
    fn is_for(&self, claims: &Value) -> bool {
        let is_one = |value: &Value| {
            value
                .as_str()
                .is_some_and(|text| self.values.iter().any(|own| own == text))
        };
        match &claims[&self.claim] {
            Value::Array(values) => values.iter().any(is_one),
            value => is_one(value),
        }
    }
}

impl Machine {
    pub(crate) fn grant(&self) -> Grant {
        Grant {
            role: self.role,
            folders: self.folders.clone(),
            workspaces: self.workspaces.clone(),
        }
    }
}

/// Scheme, name and port that browsers can be told: https, or this machine.
fn origin(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let local = match url.host()? {
        Host::Domain(name) => name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    };
    let good = url.scheme() == "https" || (url.scheme() == "http" && local);
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let nobody = url.username().is_empty() && url.password().is_none();
    (good && bare && nobody).then_some(url)
}

/// A mistake with its line, without the text beside it: that may hold a secret which stands in the wrong place.
fn told(text: &str, error: &toml::de::Error) -> String {
    let line = error.span().and_then(|span| text.get(..span.start));
    let line = line.map_or(1, |before| before.matches('\n').count() + 1);
    format!("line {line}: {}", error.message())
}

#[cfg(test)]
mod tests;
