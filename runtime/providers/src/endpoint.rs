//! Which addresses a workspace's requests may go to: one origin, written down in its configuration or implied by its cloud.
//!
//! The `url` crate reads URLs as browsers do, so that what is checked here is what is asked there. What it would repair in
//! silence (backslashes, tabs, line breaks, user names) is refused before it sees it. Names are not resolved here: a
//! driver that resolves them asks [`Origin::admits_address`] about each address before it connects.

use std::fmt;
use std::net::IpAddr;

use url::{Host, Url};

use crate::address;

/// Where a workspace's requests go: scheme, host and port, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    url: Url,
}

/// What an origin may be beside `https`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allow {
    /// `http` to this machine: `localhost`, 127.0.0.0/8, `[::1]`.
    pub plain_loopback: bool,
}

/// Why an address is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is no URL.
    #[error("'{text}' is no address: {cause}")]
    NotUrl {
        /// The address, with what cannot be shown escaped.
        text: String,
        /// What is wrong.
        cause: String,
    },
    /// It has a character that URL parsers repair or drop.
    #[error("the address has {0}, which no address here may have")]
    Character(&'static str),
    /// It names a user.
    #[error("the address has a user name or password before its host")]
    UserInfo,
    /// It is neither `https` nor a permitted `http`.
    #[error("the address begins with '{0}:', and only 'https:' is allowed")]
    Scheme(String),
    /// `http` to this machine, which the configuration does not allow.
    #[error("plain 'http:' is allowed only to this machine, and only where the workspace says so")]
    Plain,
    /// The host cannot be one: it is empty or ends with a point.
    #[error("'{0}' cannot be the host of a workspace")]
    Host(String),
    /// There is more than an origin where only that may stand.
    #[error("'{0}' has a path, query or fragment, and only the server's address may stand there")]
    NotOrigin(String),
    /// Another server than the configured one.
    #[error("{found} is not {wanted}, the only server that this workspace may ask")]
    Elsewhere {
        /// The configured origin.
        wanted: String,
        /// The origin of the address.
        found: String,
    },
    /// A name that resolves to an address that a remote service cannot have.
    #[error("{origin} resolves to {address}, which is {kind}")]
    Address {
        /// The configured origin.
        origin: String,
        /// What it resolves to.
        address: IpAddr,
        /// What kind of address that is.
        kind: &'static str,
    },
}

impl Origin {
    /// Reads an origin from a configuration: `https://host[:port][/]`.
    pub fn parse(text: &str, allow: Allow) -> Result<Self, Refusal> {
        let url = read(text)?;
        match url.scheme() {
            "https" => {}
            "http" if allow.plain_loopback && is_loopback(&url) => {}
            "http" => return Err(Refusal::Plain),
            other => return Err(Refusal::Scheme(other.to_owned())),
        }
        let host = url.host_str().unwrap_or_default();
        if host.is_empty() || host.ends_with('.') {
            return Err(Refusal::Host(host.to_owned()));
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(Refusal::NotOrigin(shown(text)));
        }
        Ok(Origin { url })
    }

    /// The origin of a host that the table of clouds names.
    pub(crate) fn of_host(host: &str) -> Result<Self, Refusal> {
        Self::parse(&format!("https://{host}"), Allow::default())
    }

    /// The host in lower case, as DNS takes it; an IPv6 address in brackets.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or(443)
    }

    /// Whether it is this machine, by its name or number.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.url)
    }

    /// The URL of a path here. Segments are encoded; they cannot lead elsewhere.
    pub(crate) fn join(&self, segments: &[&str]) -> Url {
        let mut url = self.url.clone();
        // An http(s) URL can be a base, so there is a path to extend.
        if let Ok(mut path) = url.path_segments_mut() {
            path.clear().extend(segments);
        }
        url
    }

    /// Reads an address and checks it against this origin.
    pub fn check(&self, text: &str) -> Result<Url, Refusal> {
        let url = read(text)?;
        self.admits(&url)?;
        Ok(url)
    }

    /// Whether a request may go to `url`: scheme, host and port are those configured, and no user is named.
    pub fn admits(&self, url: &Url) -> Result<(), Refusal> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::UserInfo);
        }
        let same = url.scheme() == self.url.scheme()
            && url.host() == self.url.host()
            && url.port_or_known_default() == self.url.port_or_known_default();
        if same {
            return Ok(());
        }
        Err(Refusal::Elsewhere {
            wanted: self.to_string(),
            found: url.origin().ascii_serialization(),
        })
    }

    /// Where a redirect of a request to `from` leads, if it stays at this origin. `location` is the header as it came.
    pub fn redirect(&self, from: &Url, location: &str) -> Result<Url, Refusal> {
        suspicious(location)?;
        let url = from
            .join(location)
            .map_err(|cause| not_url(location, &cause))?;
        self.admits(&url)?;
        Ok(url)
    }

    /// Whether a connection to `address`, which the host's name resolved to, is to a remote service. Names that lead to this
    /// machine or its link are how a foreign zone reaches what is behind a firewall; private networks are allowed, as
    /// Azure's private endpoints are in them.
    pub fn admits_address(&self, address: IpAddr) -> Result<(), Refusal> {
        let Some(kind) = address::unfit(address) else {
            return Ok(());
        };
        if self.is_loopback() && address::is_loopback(address) || self.is_literally(address) {
            return Ok(());
        }
        Err(Refusal::Address {
            origin: self.to_string(),
            address,
            kind,
        })
    }

    fn is_literally(&self, address: IpAddr) -> bool {
        match (self.url.host(), address) {
            (Some(Host::Ipv4(own)), IpAddr::V4(other)) => own == other,
            (Some(Host::Ipv6(own)), IpAddr::V6(other)) => own == other,
            _ => false,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url.origin().ascii_serialization())
    }
}

/// A URL from text that means the same to every reader of URLs.
fn read(text: &str) -> Result<Url, Refusal> {
    suspicious(text)?;
    let url = Url::parse(text).map_err(|cause| not_url(text, &cause))?;
    // The parser takes any number of them.
    let slashes = text.split_once(':').map_or("", |(_, rest)| rest);
    if url.scheme().starts_with("http")
        && (!slashes.starts_with("//") || slashes.starts_with("///"))
    {
        return Err(not_url(text, &"two slashes stand before a host"));
    }
    let authority = authority(text);
    if authority.contains('@') {
        return Err(Refusal::UserInfo);
    }
    if authority.contains('%') {
        return Err(Refusal::Character("an encoded character in its host"));
    }
    Ok(url)
}

/// Refuses what URL parsers drop, repair or read in more than one way.
fn suspicious(text: &str) -> Result<(), Refusal> {
    let found = text.chars().find_map(|c| match c {
        '\\' => Some("a backslash"),
        '\r' | '\n' => Some("a line break"),
        c if c.is_control() => Some("a control character"),
        c if c.is_whitespace() => Some("a space"),
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{feff}' => {
            Some("an invisible character")
        }
        _ => None,
    });
    found.map_or(Ok(()), |what| Err(Refusal::Character(what)))
}

/// What stands between `//` and the path, as written.
fn authority(text: &str) -> &str {
    let rest = text.split_once(':').map_or("", |(_, rest)| rest);
    let rest = rest.trim_start_matches('/');
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn not_url(text: &str, cause: &dyn fmt::Display) -> Refusal {
    Refusal::NotUrl {
        text: shown(text),
        cause: cause.to_string(),
    }
}

fn shown(text: &str) -> String {
    text.chars()
        .take(200)
        .flat_map(char::escape_default)
        .collect()
}
