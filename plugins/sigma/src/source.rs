//! Log sources: which rules are about an event. Sigma's names (`category: process_creation`) as Windows' event logs and
//! Defender's tables have them.

use crate::event::Event;
use crate::skim::Wanted;
use crate::yaml::Node;

/// A rule's `logsource`, in lower case; empty where it does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    /// Its `product`.
    pub product: String,
    /// Its `category`.
    pub category: String,
    /// Its `service`.
    pub service: String,
}

impl Source {
    /// Reads a rule's.
    pub fn of(node: Option<&Node>) -> Self {
        let part = |key: &str| {
            let text = node.and_then(|node| node.get(key)).and_then(Node::text);
            text.unwrap_or_default().to_lowercase()
        };
        Source {
            product: part("product"),
            category: part("category"),
            service: part("service"),
        }
    }

    /// As one reads it: `windows/process_creation`.
    pub fn label(&self) -> String {
        let parts = [&self.product, &self.category, &self.service];
        let said: Vec<&str> = parts
            .into_iter()
            .filter(|part| !part.is_empty())
            .map(String::as_str)
            .collect();
        said.join("/")
    }

    /// Whether an event may be of this source. What an event does not say is taken as fitting.
    pub fn may_have(&self, facts: &Facts) -> bool {
        let is_windows = facts.id.is_some() || facts.channel.is_some();
        if is_windows && !matches!(self.product.as_str(), "" | "windows") {
            return false;
        }
        let category = CATEGORIES.iter().find(|known| known.0 == self.category);
        let service = SERVICES.iter().find(|known| known.0 == self.service);
        if is_windows && self.product.is_empty() {
            // A proxy's or a database's rule.
            let is_known = category.is_some() || self.category.is_empty();
            if !is_known || (service.is_none() && !self.service.is_empty()) {
                return false;
            }
        }
        category.is_none_or(|(_, logs, actions)| facts.fit(logs, actions))
            && service.is_none_or(|(_, channels)| facts.of_channel(channels))
    }
}

/// What an event says of where it is from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The event's number in its log.
    id: Option<u32>,
    /// Its channel or provider, in lower case.
    channel: Option<String>,
    /// What Defender calls what happened.
    action: Option<String>,
}

/// The columns that say it, the first that is there.
const IDS: [&str; 4] = ["EventID", "EventId", "EventCode", "event_id"];
const CHANNELS: [&str; 7] = [
    "Channel",
    "channel",
    "EventLog",
    "Provider_Name",
    "ProviderName",
    "SourceName",
    "EventSourceName",
];
const ACTIONS: [&str; 1] = ["ActionType"];

/// All columns that say where an event is from.
pub fn columns() -> impl Iterator<Item = &'static str> {
    IDS.into_iter().chain(CHANNELS).chain(ACTIONS)
}

/// The numbers of these columns.
#[derive(Clone, Debug, Default)]
pub struct Tells {
    ids: Vec<usize>,
    channels: Vec<usize>,
    actions: Vec<usize>,
}

impl Tells {
    /// As `wanted` has them.
    pub fn new(wanted: &Wanted) -> Self {
        let slots = |names: &[&str]| names.iter().filter_map(|name| wanted.slot(name)).collect();
        Tells {
            ids: slots(&IDS),
            channels: slots(&CHANNELS),
            actions: slots(&ACTIONS),
        }
    }
}

impl Facts {
    /// Reads an event's.
    pub fn of(event: &Event<'_>, tells: &Tells) -> Self {
        let first = |slots: &[usize]| {
            let mut found = slots.iter().filter_map(|slot| event.at(*slot)?.text());
            found.find(|text| !text.is_empty())
        };
        Facts {
            id: first(&tells.ids).and_then(|text| text.trim().parse().ok()),
            channel: first(&tells.channels).map(|text| text.to_lowercase()),
            action: first(&tells.actions).map(|text| text.into_owned()),
        }
    }

    fn fit(&self, logs: &[(&[&str], &[u32])], actions: &[&str]) -> bool {
        if self.id.is_none() && self.channel.is_none() {
            let action = self.action.as_deref();
            return actions.is_empty() || action.is_none_or(|action| actions.contains(&action));
        }
        logs.iter().any(|(channels, ids)| {
            self.of_channel(channels) && self.id.is_none_or(|id| ids.contains(&id))
        })
    }

    fn of_channel(&self, channels: &[&str]) -> bool {
        let channel = self.channel.as_deref();
        channel.is_none_or(|own| channels.contains(&own))
    }
}

const SYSMON: &[&str] = &[
    "microsoft-windows-sysmon/operational",
    "microsoft-windows-sysmon",
];
const SECURITY: &[&str] = &["security", "microsoft-windows-security-auditing"];
const POWERSHELL: &[&str] = &[
    "microsoft-windows-powershell/operational",
    "microsoft-windows-powershell",
    "powershellcore/operational",
    "powershellcore",
];
const CLASSIC: &[&str] = &["windows powershell", "powershell"];

/// A category, the logs and event numbers that have it, and Defender's `ActionType`s.
type Category = (
    &'static str,
    &'static [(&'static [&'static str], &'static [u32])],
    &'static [&'static str],
);

#[rustfmt::skip]
const CATEGORIES: &[Category] = &[
    ("process_creation", &[(SYSMON, &[1]), (SECURITY, &[4688])], &["ProcessCreated"]),
    ("file_change", &[(SYSMON, &[2])], &["FileModified"]),
    ("network_connection", &[(SYSMON, &[3]), (SECURITY, &[5156, 5158])], &["ConnectionSuccess", "ConnectionFailed",
        "ConnectionRequest", "ConnectionAttempt", "ConnectionFound", "InboundConnectionAccepted"]),
    ("sysmon_status", &[(SYSMON, &[4, 16])], &[]),
    ("process_termination", &[(SYSMON, &[5]), (SECURITY, &[4689])], &[]),
    ("driver_load", &[(SYSMON, &[6])], &["DriverLoad"]),
    ("image_load", &[(SYSMON, &[7])], &["ImageLoaded"]),
    ("create_remote_thread", &[(SYSMON, &[8])], &["CreateRemoteThreadApiCall"]),
    ("raw_access_thread", &[(SYSMON, &[9])], &[]),
    ("process_access", &[(SYSMON, &[10])], &["OpenProcessApiCall"]),
    ("file_event", &[(SYSMON, &[11])], &["FileCreated", "FileModified"]),
    ("file_rename", &[], &["FileRenamed"]),
    ("file_access", &[(SECURITY, &[4663])], &[]),
    ("registry_add", &[(SYSMON, &[12])], &["RegistryKeyCreated"]),
    ("registry_delete", &[(SYSMON, &[12])], &["RegistryKeyDeleted", "RegistryValueDeleted"]),
    ("registry_set", &[(SYSMON, &[13]), (SECURITY, &[4657])], &["RegistryValueSet"]),
    ("registry_rename", &[(SYSMON, &[14])], &["RegistryKeyRenamed"]),
    ("registry_event", &[(SYSMON, &[12, 13, 14]), (SECURITY, &[4657])], &["RegistryKeyCreated", "RegistryKeyDeleted",
        "RegistryKeyRenamed", "RegistryValueDeleted", "RegistryValueSet"]),
    ("create_stream_hash", &[(SYSMON, &[15])], &[]),
    ("pipe_created", &[(SYSMON, &[17, 18])], &["NamedPipeEvent"]),
    ("wmi_event", &[(SYSMON, &[19, 20, 21])], &["WmiBindEventFilterToConsumer"]),
    ("dns_query", &[(SYSMON, &[22])], &["DnsQueryResponse"]),
    ("file_delete", &[(SYSMON, &[23, 26])], &["FileDeleted"]),
    ("clipboard_capture", &[(SYSMON, &[24])], &[]),
    ("process_tampering", &[(SYSMON, &[25])], &["ProcessTampering"]),
    ("file_block", &[(SYSMON, &[27, 28])], &[]),
    ("file_executable_detected", &[(SYSMON, &[29])], &[]),
    ("sysmon_error", &[(SYSMON, &[255])], &[]),
    ("ps_module", &[(POWERSHELL, &[4103])], &[]),
    ("ps_script", &[(POWERSHELL, &[4104])], &[]),
    ("ps_classic_start", &[(CLASSIC, &[400])], &[]),
    ("ps_classic_provider_start", &[(CLASSIC, &[600])], &[]),
    ("ps_classic_script", &[(CLASSIC, &[800])], &[]),
];

#[rustfmt::skip]
const SERVICES: &[(&str, &[&str])] = &[
    ("security", SECURITY),
    ("sysmon", SYSMON),
    ("powershell", POWERSHELL),
    ("powershell-classic", CLASSIC),
    ("system", &["system", "service control manager", "microsoft-windows-eventlog", "microsoft-windows-kernel-general"]),
    ("application", &["application"]),
    ("taskscheduler", &["microsoft-windows-taskscheduler/operational", "microsoft-windows-taskscheduler"]),
    ("wmi", &["microsoft-windows-wmi-activity/operational", "microsoft-windows-wmi-activity"]),
    ("windefend", &["microsoft-windows-windows defender/operational", "microsoft-windows-windows defender"]),
    ("dns-client", &["microsoft-windows-dns client events/operational", "microsoft-windows-dns-client"]),
    ("dns-server", &["dns server", "microsoft-windows-dns-server/audit"]),
    ("driver-framework", &["microsoft-windows-driverframeworks-usermode/operational"]),
    ("firewall-as", &["microsoft-windows-windows firewall with advanced security/firewall"]),
    ("bits-client", &["microsoft-windows-bits-client/operational", "microsoft-windows-bits-client"]),
    ("ntlm", &["microsoft-windows-ntlm/operational", "microsoft-windows-ntlm"]),
    ("codeintegrity-operational", &["microsoft-windows-codeintegrity/operational"]),
    ("terminalservices-localsessionmanager", &["microsoft-windows-terminalservices-localsessionmanager/operational"]),
    ("smbclient-security", &["microsoft-windows-smbclient/security"]),
    ("applocker", &["microsoft-windows-applocker/exe and dll", "microsoft-windows-applocker/msi and script",
        "microsoft-windows-applocker/packaged app-deployment", "microsoft-windows-applocker/packaged app-execution"]),
    ("msexchange-management", &["msexchange management"]),
    ("printservice-admin", &["microsoft-windows-printservice/admin"]),
    ("printservice-operational", &["microsoft-windows-printservice/operational"]),
];
