//! Tags that are techniques of MITRE ATT&CK, and what those are called.

/// The techniques of the notebooks that ship, by their ids. <https://attack.mitre.org/techniques/enterprise/>
const NAMES: &[(&str, &str)] = &[
    ("T1003.001", "LSASS Memory"),
    ("T1021.002", "SMB/Windows Admin Shares"),
    ("T1048", "Exfiltration Over Alternative Protocol"),
    ("T1059.001", "PowerShell"),
    ("T1071.001", "Web Protocols"),
    ("T1078", "Valid Accounts"),
    ("T1110.003", "Password Spraying"),
    ("T1552.001", "Credentials In Files"),
    ("T1566.001", "Spearphishing Attachment"),
    ("T1568.002", "Domain Generation Algorithms"),
];

/// Whether a tag is a technique's id: `T1059`, or `T1059.001`.
pub fn is_technique(tag: &str) -> bool {
    let digits =
        |text: &str, length| text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
    let Some(id) = tag.strip_prefix('T') else {
        return false;
    };
    match id.split_once('.') {
        Some((technique, part)) => digits(technique, 4) && digits(part, 3),
        None => digits(id, 4),
    }
}

/// What a technique is called, where it is one of those that the shipped notebooks have.
pub fn technique_name(id: &str) -> Option<&'static str> {
    let mut names = NAMES.iter();
    names.find(|(of, _)| *of == id).map(|(_, name)| *name)
}
