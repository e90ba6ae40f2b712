//! Which columns a rule's field may be: its own name, what a mapping says, and what SecurityEvent (4688 and others) and
//! Defender's tables call it.

use std::collections::BTreeMap;

use serde_json::Value;
use spoor_plugin::abi::Type;
use spoor_plugin::value::FromOption;

/// Columns for fields, as the caller gives them: `{"Image": "FolderPath", "User": ["Account", "AccountName"]}`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping(BTreeMap<String, Vec<String>>);

impl FromOption for Mapping {
    const TYPE: Type = Type::Dynamic;

    fn from_json(value: &Value) -> Option<Self> {
        let columns = |value: &Value| match value {
            Value::Array(names) => names.iter().map(text).collect(),
            name => text(name).map(|name| vec![name]),
        };
        let entries = value.as_object()?.iter();
        let entries = entries.map(|(field, value)| Some((field.clone(), columns(value)?)));
        entries.collect::<Option<_>>().map(Mapping)
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// A field's columns: the first of them that has a value is the field.
pub fn columns(field: &str, category: &str, mapping: &Mapping, built_in: bool) -> Vec<String> {
    let mut names = mapping.0.get(field).cloned().unwrap_or_default();
    let is_process = matches!(category, "process_creation" | "");
    let tables: &[Names] = match (built_in, is_process) {
        (false, _) => &[],
        (true, true) => &[PROCESS, ANY],
        (true, false) => &[OTHER, ANY],
    };
    let known = tables
        .iter()
        .find_map(|table| table.iter().find(|(name, _)| *name == field));
    match known {
        Some((_, columns)) => names.extend(columns.iter().map(|name| (*name).to_owned())),
        None => names.push(field.to_owned()),
    }
    names
}

/// Fields, and their columns in the order in which they are looked at.
type Names = &'static [(&'static str, &'static [&'static str])];

/// Of events in which a process begins.
#[rustfmt::skip]
const PROCESS: Names = &[
    ("Image", &["Image", "NewProcessName", "FolderPath"]),
    ("CommandLine", &["CommandLine", "ProcessCommandLine"]),
    ("ParentImage", &["ParentImage", "ParentProcessName", "InitiatingProcessFolderPath"]),
    ("ParentCommandLine", &["ParentCommandLine", "InitiatingProcessCommandLine"]),
    ("OriginalFileName", &["OriginalFileName", "ProcessVersionInfoOriginalFileName"]),
    ("Product", &["Product", "ProcessVersionInfoProductName"]),
    ("Company", &["Company", "ProcessVersionInfoCompanyName"]),
    ("Description", &["Description", "ProcessVersionInfoFileDescription"]),
    ("FileVersion", &["FileVersion", "ProcessVersionInfoProductVersion"]),
    ("CurrentDirectory", &["CurrentDirectory"]),
    ("User", &["User", "Account", "AccountName", "SubjectUserName"]),
    ("ParentUser", &["ParentUser", "InitiatingProcessAccountName"]),
    ("IntegrityLevel", &["IntegrityLevel", "ProcessIntegrityLevel", "MandatoryLabel"]),
    // In 4688 `ProcessId` is the parent's.
    ("ProcessId", &["NewProcessId", "ProcessId"]),
    ("ParentProcessId", &["ParentProcessId", "InitiatingProcessId"]),
    ("LogonId", &["LogonId", "SubjectLogonId"]),
    ("md5", &["md5", "MD5"]),
    ("sha1", &["sha1", "SHA1"]),
    ("sha256", &["sha256", "SHA256"]),
];

/// Of events in which a process does something.
#[rustfmt::skip]
const OTHER: Names = &[
    ("Image", &["Image", "InitiatingProcessFolderPath", "ProcessName", "Application"]),
    ("CommandLine", &["CommandLine", "InitiatingProcessCommandLine"]),
    ("ParentImage", &["ParentImage", "InitiatingProcessParentFileName"]),
    ("User", &["User", "InitiatingProcessAccountName", "Account", "SubjectUserName"]),
    ("ProcessId", &["ProcessId", "InitiatingProcessId"]),
    ("ImageLoaded", &["ImageLoaded", "FolderPath"]),
    ("TargetFilename", &["TargetFilename", "FolderPath"]),
    ("TargetObject", &["TargetObject", "RegistryKey", "ObjectName"]),
    ("Details", &["Details", "RegistryValueData", "NewValue"]),
    ("DestinationIp", &["DestinationIp", "RemoteIP", "DestAddress"]),
    ("DestinationPort", &["DestinationPort", "RemotePort", "DestPort"]),
    ("DestinationHostname", &["DestinationHostname", "RemoteUrl"]),
    ("SourceIp", &["SourceIp", "LocalIP", "SourceAddress"]),
    ("SourcePort", &["SourcePort", "LocalPort"]),
    ("md5", &["md5", "MD5"]),
    ("sha1", &["sha1", "SHA1"]),
    ("sha256", &["sha256", "SHA256"]),
];

/// Of all events.
#[rustfmt::skip]
const ANY: Names = &[
    ("EventID", &["EventID", "EventId", "EventCode", "event_id"]),
    ("Channel", &["Channel", "EventLog"]),
    ("Provider_Name", &["Provider_Name", "ProviderName", "SourceName", "EventSourceName", "Source"]),
    ("Computer", &["Computer", "ComputerName", "DeviceName", "Hostname"]),
    ("ComputerName", &["ComputerName", "Computer", "DeviceName", "Hostname"]),
];
