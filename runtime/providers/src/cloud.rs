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
    /// What the host of a Kusto cluster ends with.
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
    fn suffixes_are_whole_labels() {
        for name in Cloud::NAMES {
            let Some(services) = Cloud::from_name(name).and_then(Cloud::services) else {
                continue;
            };
            assert!(services.kusto.iter().all(|suffix| suffix.starts_with('.')));
            assert!(services.authority.starts_with("https://"));
            assert!(!services.log_analytics.is_empty());
        }
    }
}
