//! The clouds: where each service of each cloud is reached, who signs people in there, and for which resource a token is
//! asked. One table; nobody else writes a host down.
//!
//! Sources: Azure's documentation of its national clouds (Log Analytics, Microsoft Graph, Resource Manager), and the
//! list of well-known endpoints that Microsoft's own Kusto clients trust.

use serde::{Deserialize, Serialize};

/// Which cloud a workspace is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cloud {
    /// Azure's public cloud.
    #[default]
    Public,
    /// Azure for the US Government.
    UsGovernment,
    /// Azure in China, operated by 21Vianet.
    China,
    /// Anything else: private clouds, other authorities, servers of one's own. The workspace names its hosts itself.
    Custom,
}

/// What a cloud implies. Hosts are without scheme; suffixes begin with a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Services {
    /// Who signs people in.
    pub authority: &'static str,
    /// Hosts of the Log Analytics API; the first is what a workspace without an endpoint uses, and whose tokens all take.
    pub log_analytics: &'static [&'static str],
    /// Hosts of Microsoft Graph; `None` where Defender's hunting is not offered.
    pub graph: Option<&'static [&'static str]>,
    /// The host of Azure Resource Manager.
    pub management: &'static str,
    /// What the host of a Kusto cluster ends with. Hosts that show other services as clusters (`adx.monitor.azure.com` and its like)
    /// are not among them: their clusters are paths, which no endpoint here has.
    pub kusto: &'static [&'static str],
}

const PUBLIC: Services = Services {
    authority: "https://login.microsoftonline.com",
    log_analytics: &["api.loganalytics.io", "api.loganalytics.azure.com"],
    graph: Some(&["graph.microsoft.com"]),
    management: "management.azure.com",
    kusto: &[
        ".kusto.windows.net",
        ".kustomfa.windows.net",
        ".kusto.azuresynapse.net",
        ".kusto.fabric.microsoft.com",
        ".kusto.data.microsoft.com",
    ],
};

const US_GOVERNMENT: Services = Services {
    authority: "https://login.microsoftonline.us",
    log_analytics: &["api.loganalytics.us"],
    // The second is the Department of Defense's.
    graph: Some(&["graph.microsoft.us", "dod-graph.microsoft.us"]),
    management: "management.usgovcloudapi.net",
    kusto: &[".kusto.usgovcloudapi.net", ".kustomfa.usgovcloudapi.net"],
};

const CHINA: Services = Services {
    authority: "https://login.partner.microsoftonline.cn",
    log_analytics: &["api.loganalytics.azure.cn"],
    // Graph itself is there, at microsoftgraph.chinacloudapi.cn; its documentation says that `runHuntingQuery` is not.
    graph: None,
    management: "management.chinacloudapi.cn",
    kusto: &[
        ".kusto.chinacloudapi.cn",
        ".kustomfa.chinacloudapi.cn",
        ".kusto.azuresynapse.azure.cn",
    ],
};

impl Cloud {
    /// The names, as a configuration writes them.
    pub const NAMES: [&'static str; 4] = ["public", "us-government", "china", "custom"];

    /// The cloud of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "public" => Cloud::Public,
            "us-government" => Cloud::UsGovernment,
            "china" => Cloud::China,
            "custom" => Cloud::Custom,
            _ => return None,
        })
    }

    /// The name, as a configuration writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Cloud::Public => Self::NAMES[0],
            Cloud::UsGovernment => Self::NAMES[1],
            Cloud::China => Self::NAMES[2],
            Cloud::Custom => Self::NAMES[3],
        }
    }

    /// What the cloud implies; nothing for [`Cloud::Custom`].
    pub const fn services(self) -> Option<&'static Services> {
        match self {
            Cloud::Public => Some(&PUBLIC),
            Cloud::UsGovernment => Some(&US_GOVERNMENT),
            Cloud::China => Some(&CHINA),
            Cloud::Custom => None,
        }
    }
}

/// The scope to ask a token for, of a resource that is an origin: all that its application was granted.
pub(crate) fn scope(origin: &str) -> String {
    format!("{}/.default", origin.trim_end_matches('/'))
}

/// Hosts that sign people in to Microsoft's clouds, under all of their names, and the domains of such hosts.
const AUTHORITIES: [&str; 8] = [
    "microsoftonline.com",
    "microsoftonline.us",
    "microsoftonline.cn",
    "microsoftonline.de",
    "login.microsoft.com",
    "login.windows.net",
    "sts.windows.net",
    "login.chinacloudapi.cn",
];

/// Whether a host gives the tokens of one of Microsoft's clouds.
pub fn is_authority(host: &str) -> bool {
    AUTHORITIES.iter().any(|own| {
        let rest = host.strip_suffix(own);
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

/// Whether a host is of a service of one of the clouds.
pub(crate) fn is_known(host: &str) -> bool {
    all()
        .any(|services| services.hosts().any(|own| own == host) || services.cluster(host).is_some())
}

/// Whether the service at `host` takes tokens for `resource`, another host: both are servers of one service that has several, or the
/// resource is the one that all of the cloud's clusters share.
pub(crate) fn shares(host: &str, resource: &str) -> bool {
    all().any(|services| {
        let logs = services.log_analytics;
        let shared = |suffix: &str| resource.strip_suffix(suffix) == Some("kusto");
        logs.contains(&host) && logs.contains(&resource)
            || services.cluster(host).is_some_and(shared)
    })
}

fn all() -> impl Iterator<Item = &'static Services> {
    Cloud::NAMES
        .into_iter()
        .filter_map(|name| Cloud::from_name(name)?.services())
}

impl Services {
    fn hosts(&self) -> impl Iterator<Item = &'static str> {
        let graph = self.graph.unwrap_or_default();
        self.log_analytics
            .iter()
            .chain(graph)
            .copied()
            .chain([self.management])
    }

    /// The suffix with which the host of a cluster ends.
    pub(crate) fn cluster(&self, host: &str) -> Option<&'static str> {
        let mut suffixes = self.kusto.iter().copied();
        suffixes.find(|suffix| host.ends_with(suffix))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways() {
        for name in Cloud::NAMES {
            assert_eq!(Cloud::from_name(name).map(Cloud::name), Some(name));
        }
        assert_eq!(Cloud::from_name("Public"), None);
        assert!(Cloud::Custom.services().is_none());
    }

    #[test]
    fn hosts_are_known_by_whole_labels() {
        for host in [
            "graph.microsoft.us",
            "management.azure.com",
            "a.kusto.windows.net",
        ] {
            assert!(is_known(host), "{host}");
        }
        for host in [
            "evilkusto.windows.net",
            "kusto.windows.net.evil.example",
            "kusto.windows.net",
        ] {
            assert!(!is_known(host), "{host}");
        }
        assert!(is_authority("login.microsoftonline.com") && is_authority("sts.windows.net"));
        assert!(!is_authority("evilmicrosoftonline.com"));
        assert!(!is_authority("microsoftonline.com.evil.example"));
        assert!(shares("api.loganalytics.azure.com", "api.loganalytics.io"));
        assert!(shares("a.kusto.windows.net", "kusto.kusto.windows.net"));
        assert!(!shares("a.kusto.windows.net", "b.kusto.windows.net"));
        assert!(!shares("a.kusto.windows.net", "graph.microsoft.com"));
    }
}
