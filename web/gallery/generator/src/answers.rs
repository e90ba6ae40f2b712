//! Counts in the week's events what `ANSWERS.md` says of them, so that neither can change without the other. A figure
//! that is counted here is put into the words of the answer key and looked for there.

mod perimeter;

use std::collections::{BTreeSet, HashMap};
use std::sync::OnceLock;

use crate::secrets::LEAKS;
use crate::story::{C2_NAME, DROP_NAME, FOOTHOLD, SPRAY_ADDRESSES, SPRAY_AGENT};
use crate::tables::{DeviceProcessEvents, SecurityEvent, SigninLogs, Text, Time};
use crate::time::{DAY, HOUR, MINUTE, Micros, SECOND, START, at};
use crate::week::Week;

const ANSWERS: &str = include_str!("../ANSWERS.md");
const DESK: &str = "WS-GDN-043";

fn week() -> &'static Week {
    static WEEK: OnceLock<Week> = OnceLock::new();
    WEEK.get_or_init(|| crate::week_of(crate::Options::default().seed))
}

#[track_caller]
fn told(words: &str) {
    assert!(ANSWERS.contains(words), "ANSWERS.md does not say: {words}");
}

/// `09:14:22`.
fn clock(time: Time) -> String {
    let of_day = (time.0 - START).rem_euclid(DAY);
    let (hour, minute, second) = (of_day / HOUR, of_day / MINUTE % 60, of_day / SECOND % 60);
    format!("{hour:02}:{minute:02}:{second:02}")
}

/// `09:14`.
fn minute(time: Time) -> String {
    clock(time)[..5].to_owned()
}

/// `2,392`.
fn thousands(number: usize) -> String {
    let (high, low) = (number / 1000, number % 1000);
    if high == 0 {
        low.to_string()
    } else {
        format!("{high},{low:03}")
    }
}

fn between(time: Time, (from, to): (Micros, Micros)) -> bool {
    (from..to).contains(&time.0)
}

/// What started on the computer that `short` names and whose command line holds `part`.
fn started(short: &str, part: &str) -> Vec<&'static DeviceProcessEvents> {
    let device = format!("{}.", short.to_lowercase());
    let rows = week().processes.iter();
    rows.filter(|row| row.DeviceName.starts_with(&device) && row.ProcessCommandLine.contains(part))
        .collect()
}

/// The events of the Security log of the computer that `short` names.
fn logged(short: &str, event: i32) -> Vec<&'static SecurityEvent> {
    let computer = format!("{short}.");
    let rows = week().security.iter();
    rows.filter(|row| row.EventID == Some(event) && row.Computer.starts_with(&computer))
        .collect()
}

fn from_the_spray() -> impl Iterator<Item = &'static SigninLogs> {
    let rows = week().signins.iter();
    rows.filter(|row| SPRAY_ADDRESSES.contains(&row.IPAddress.as_ref()))
}

fn distinct<'a>(values: impl Iterator<Item = &'a Text>) -> usize {
    values.collect::<BTreeSet<_>>().len()
}

#[test]
fn the_spray() {
    let night = (at(1, 22, 0, 0), at(2, 4, 0, 0));
    let spray: Vec<_> = from_the_spray()
        .filter(|row| between(row.TimeGenerated, night))
        .collect();
    let of = |code: &str| spray.iter().filter(|row| row.ResultType == code).count();
    assert!(
        spray
            .iter()
            .all(|row| row.Location == "UY" && row.UserAgent == SPRAY_AGENT)
    );
    assert_eq!(distinct(spray.iter().map(|row| &row.IPAddress)), 5);
    told("203.0.113.17, .54, .88, .131, .201 (UY), two rounds");
    let accounts = distinct(spray.iter().map(|row| &row.UserPrincipalName));
    told(&format!(
        "{accounts} accounts, {} x 50126, {} x 50053",
        of("50126"),
        of("50053")
    ));
    let (first, last) = (spray[0].TimeGenerated, spray[spray.len() - 1].TimeGenerated);
    told(&format!(
        "Tue 3 March {} to Wed {}",
        minute(first),
        minute(last)
    ));
    let hits: Vec<_> = spray.iter().filter(|row| row.ResultType == "0").collect();
    let [hit] = hits[..] else {
        panic!("{} accounts fall", hits.len());
    };
    assert_eq!(hit.UserPrincipalName, "ingrid.vos@haldenfreight.example");
    assert_eq!(hit.AuthenticationRequirement, "singleFactorAuthentication");
    told(&format!(
        "Wed 4 March {} | Entra ID | `ingrid.vos` (finance, Rotterdam) falls, from {}, single factor",
        clock(hit.TimeGenerated),
        hit.IPAddress
    ));
}

#[test]
fn the_mailbox() {
    let later: Vec<_> = from_the_spray()
        .filter(|row| row.TimeGenerated.0 >= at(2, 4, 0, 0))
        .collect();
    assert!(later.iter().all(|row| row.IPAddress == "203.0.113.88"
        && row.ResultType == "0"
        && row.UserPrincipalName.starts_with("ingrid.vos@")));
    let [first, .., last] = &later[..] else {
        panic!("{} sign-ins", later.len());
    };
    assert_eq!(later.len(), 4);
    let office = |time| {
        let rows = week().signins.iter();
        rows.filter(|row| row.TimeGenerated == Time(time))
            .any(|row| {
                row.IPAddress == "198.51.100.10" && row.UserPrincipalName == first.UserPrincipalName
            })
    };
    let seen = [at(2, 9, 21, 9), at(2, 9, 58, 9)];
    assert!(seen.into_iter().all(office));
    told(&format!(
        "Wed {} to {} | Entra ID | her mailbox and SharePoint, four sign-ins from 203.0.113.88; she is in the office ({}, {})",
        clock(first.TimeGenerated),
        clock(last.TimeGenerated),
        clock(Time(seen[0])),
        clock(Time(seen[1]))
    ));
}

#[test]
fn the_foothold() {
    let document = &started(DESK, "Demurrage_invoice_0305.docm")[..];
    let [document] = document else {
        panic!("the document is opened {} times", document.len());
    };
    assert_eq!(document.TimeGenerated, Time(FOOTHOLD));
    assert_eq!(document.AccountName, "tomasz.zielinski");
    // Office starts PowerShell once in the whole week.
    let shells: Vec<_> = week()
        .processes
        .iter()
        .filter(|row| {
            row.FileName == "powershell.exe" && row.InitiatingProcessFolderPath.contains("Office")
        })
        .collect();
    let [shell] = shells[..] else {
        panic!("{} shells", shells.len());
    };
    assert_eq!(shell.InitiatingProcessFileName, "WINWORD.EXE");
    assert!(shell.ProcessCommandLine.contains(" -Enc "));
    told(&format!(
        "Thu 5 March {} | {DESK} (10.20.2.62) | `tomasz.zielinski` opens `Demurrage_invoice_0305.docm`; {} WINWORD starts `powershell -Enc`",
        clock(document.TimeGenerated),
        clock(shell.TimeGenerated)
    ));
    let library = started(DESK, "cdnsync.dll\",Start")[0];
    told(&format!(
        "Thu {} | {DESK} | `rundll32",
        clock(library.TimeGenerated)
    ));
    let tasks: Vec<_> = week()
        .security
        .iter()
        .filter(|row| row.EventID == Some(4698))
        .collect();
    let [task] = tasks[..] else {
        panic!("{} tasks", tasks.len());
    };
    assert!(task.ObjectName.contains("OneDrive Sync Helper") && task.Computer.starts_with(DESK));
    told(&format!(
        "Thu {} | {DESK} | task `OneDrive Sync Helper` | DeviceProcessEvents, SecurityEvent 4698, alert",
        clock(started(DESK, "OneDrive Sync Helper")[0].TimeGenerated)
    ));
    assert_eq!(
        task.TimeGenerated,
        started(DESK, "OneDrive Sync Helper")[0].TimeGenerated
    );
}

#[test]
fn the_beacon_and_the_names() {
    let calls: Vec<_> = week()
        .network
        .iter()
        .filter(|row| row.RemoteUrl == C2_NAME)
        .collect();
    assert!(calls.iter().all(|row| row.RemoteIP == "203.0.113.66"
        && row.RemotePort == Some(443)
        && row.LocalIP == "10.20.2.62"));
    let by: Vec<_> = calls
        .iter()
        .map(|row| row.InitiatingProcessFileName.as_ref())
        .collect();
    assert_eq!(by[0], "powershell.exe");
    assert!(by[1..].iter().all(|file| *file == "rundll32.exe"));
    let gaps = calls[1..]
        .windows(2)
        .map(|pair| pair[1].TimeGenerated.0 - pair[0].TimeGenerated.0);
    assert!(
        gaps.clone()
            .all(|gap| (48 * SECOND..=72 * SECOND).contains(&gap))
    );
    assert!(gaps.clone().any(|gap| gap < 50 * SECOND) && gaps.clone().any(|gap| gap > 70 * SECOND));
    told(&format!(
        "Thu {} to Sat {} | {DESK} | beacon to `cdn-sync.example` (203.0.113.66:443), every 48 to 72 s: {} connections, the first by PowerShell",
        clock(calls[0].TimeGenerated),
        clock(calls[calls.len() - 1].TimeGenerated),
        thousands(calls.len())
    ));
    let asked = week().dns.iter().filter(|row| row.Name == C2_NAME).count();
    assert_eq!(asked, calls.len());
    // What people mistype is of the company or of one site.
    let made_up: Vec<_> = week()
        .dns
        .iter()
        .filter(|row| row.Result == "NXDOMAIN")
        .filter(|row| {
            !row.Name.ends_with(".haldenfreight.example") && row.Name != "outlok.office.example"
        })
        .collect();
    assert!(made_up.iter().all(|row| row.ClientIP == "10.20.2.62"));
    told(&format!(
        "{} made-up names that do not exist",
        made_up.len()
    ));
}

#[test]
fn looking_around_and_the_dump() {
    let thursday = (at(3, 9, 31, 0), at(3, 9, 53, 0));
    let looks: Vec<_> = started(DESK, "")
        .into_iter()
        .filter(|row| {
            between(row.TimeGenerated, thursday) && row.InitiatingProcessCommandLine == "cmd.exe"
        })
        .collect();
    let files: BTreeSet<_> = looks
        .iter()
        .map(|row| row.FileName.trim_end_matches(".exe"))
        .collect();
    assert_eq!(
        files,
        BTreeSet::from(["net", "nltest", "tasklist", "whoami"])
    );
    told(&format!(
        "Thu {} to {} | {DESK} | whoami, net, nltest, tasklist",
        minute(looks[0].TimeGenerated),
        minute(looks[looks.len() - 1].TimeGenerated)
    ));
    let dump = &started(DESK, "comsvcs.dll, MiniDump 688")[..];
    let [dump] = dump else {
        panic!("{} dumps", dump.len());
    };
    let reads = logged(DESK, 4663);
    assert!(reads.len() == 1 && reads[0].ObjectName.ends_with("lsass.exe"));
    assert_eq!(dump.ProcessIntegrityLevel, "System");
    told(&format!(
        "Thu {} | {DESK} | `comsvcs.dll, MiniDump 688` as SYSTEM",
        clock(dump.TimeGenerated)
    ));
}

#[test]
fn moving_on() {
    let backup = |row: &&&SecurityEvent| row.TargetUserName == "svc-backup";
    let desk = logged(DESK, 4624);
    let bait: Vec<_> = desk.iter().filter(backup).collect();
    let [bait] = bait[..] else {
        panic!("{} sign-ins", bait.len());
    };
    assert_eq!(bait.IpAddress, "10.20.0.18");
    told(&format!(
        "Thu {} | {DESK} | `svc-backup` signs in from SRV-BKP01",
        clock(bait.TimeGenerated)
    ));
    // Anywhere in the week, the account comes from one place that is not the backup server.
    let strange: Vec<_> = week()
        .security
        .iter()
        .filter(|row| row.EventID == Some(4624) && row.TargetUserName == "svc-backup")
        .filter(|row| row.IpAddress != "10.20.0.18")
        .collect();
    let [one, two] = strange[..] else {
        panic!("{} sign-ins", strange.len());
    };
    for (row, server) in [(one, "SRV-FS01"), (two, "SRV-FS02")] {
        assert!(row.Computer.starts_with(server));
        assert_eq!(row.IpAddress, "10.20.2.62");
        assert_eq!(row.AuthenticationPackageName, "NTLM");
        let services = logged(server, 4697);
        assert!(services.len() == 1 && services[0].ServiceName == "WinSyncHelper");
        assert!(!started(server, "cdnsync.dll").is_empty());
        assert!(
            logged(server, 4688)
                .iter()
                .any(|row| row.CommandLine.contains("cdnsync.dll"))
        );
    }
    told(&format!(
        "Fri 6 March {}, {} | SRV-FS01, SRV-FS02 | `svc-backup` from {DESK} (NTLM), service `WinSyncHelper`",
        clock(one.TimeGenerated),
        clock(two.TimeGenerated)
    ));
    let refused = logged("SRV-DC01", 4625);
    let refused: Vec<_> = refused.iter().filter(backup).collect();
    assert_eq!(refused.len(), 3);
    told(&format!(
        "Fri {} to {} | SRV-DC01 | the same account fails three times",
        clock(refused[0].TimeGenerated),
        clock(refused[2].TimeGenerated)
    ));
}

#[test]
fn the_theft() {
    let packed = started("SRV-FS01", "7z.exe a ");
    assert_eq!(packed.len(), 4);
    let logged_too = logged("SRV-FS01", 4688);
    assert_eq!(
        logged_too
            .iter()
            .filter(|row| row.CommandLine.contains("7z.exe a "))
            .count(),
        4
    );
    told(&format!(
        "Fri {} to {} | SRV-FS01 | the finance share is packed by `7z.exe`, four times",
        minute(packed[0].TimeGenerated),
        minute(packed[3].TimeGenerated)
    ));
    let sent: Vec<_> = week()
        .network
        .iter()
        .filter(|row| row.RemoteUrl == DROP_NAME)
        .collect();
    assert!(sent.iter().all(
        |row| row.RemoteIP == "203.0.113.140" && row.InitiatingProcessFileName == "rclone.exe"
    ));
    let bytes: i64 = sent
        .iter()
        .filter_map(|row| serde_json::from_str::<serde_json::Value>(&row.AdditionalFields.0).ok())
        .filter_map(|fields| fields["BytesSent"].as_i64())
        .sum();
    told(&format!(
        "Fri {} to Sat {} | SRV-FS01 | `rclone.exe` to `files.parcel-drop.example` (203.0.113.140): {} connections, {:.2} GB by",
        clock(sent[0].TimeGenerated),
        clock(sent[sent.len() - 1].TimeGenerated),
        sent.len(),
        bytes as f64 / 1e9
    ));
    let cleared: Vec<_> = week()
        .security
        .iter()
        .filter(|row| row.EventID == Some(1102))
        .collect();
    let [cleared] = cleared[..] else {
        panic!("cleared {} times", cleared.len());
    };
    assert!(cleared.Computer.starts_with("SRV-FS01."));
    told(&format!(
        "Sat 7 March {} | SRV-FS01 | the Security log is cleared",
        clock(cleared.TimeGenerated)
    ));
}

#[test]
fn the_alerts() {
    let named = |name: &str| {
        week()
            .alerts
            .iter()
            .filter(|row| row.AlertName == name)
            .count()
    };
    assert_eq!(named("Password spray"), 1);
    assert_eq!(named("Suspicious PowerShell command line"), 1);
    assert_eq!(named("Suspicious scheduled task"), 1);
    assert!(week().alerts.len() > 30);
}

#[test]
fn what_looks_bad_and_is_not() {
    let failed = || week().signins.iter().filter(|row| row.ResultType != "0");
    let vera: Vec<_> = failed()
        .filter(|row| row.UserPrincipalName.starts_with("vera.sim@") && row.ResultType == "50126")
        .collect();
    let phone: Vec<_> = vera
        .iter()
        .filter(|row| row.IPAddress.contains(':'))
        .collect();
    assert_eq!(distinct(phone.iter().map(|row| &row.IPAddress)), 1);
    told(&format!(
        "`vera.sim`: a phone with an old password, {} failures, {} of them from one address",
        vera.len(),
        phone.len()
    ));
    let office =
        failed().filter(|row| row.IPAddress == "198.51.100.10" && row.ResultType == "50126");
    let users = distinct(office.map(|row| &row.UserPrincipalName));
    told(&format!(
        "The Rotterdam office's address fails for {users} users"
    ));
    let scans = logged("SRV-FS02", 4625);
    let scans = scans.iter().filter(|row| row.TargetUserName == "svc-scan");
    assert_eq!(
        scans.filter(|row| row.SubStatus == "0xc0000071").count(),
        7 * 24
    );
    let travels = |account: &str, country: &str| {
        let rows = week().signins.iter();
        rows.filter(|row| row.Location == country && row.ResultType == "0")
            .any(|row| row.UserPrincipalName.starts_with(&format!("{account}@")))
    };
    for (account, country) in [
        ("beth.maas", "DE"),
        ("yara.taylor", "DE"),
        ("hui.ng", "BE"),
        ("marek.lewandowski", "US"),
    ] {
        assert!(travels(account, country), "{account}");
        told(&format!("`{account}`"));
    }
}

/// Degrees north and east of the place that a sign-in is located in.
fn place(row: &SigninLogs) -> Option<(f64, f64)> {
    let details: serde_json::Value = serde_json::from_str(&row.LocationDetails.0).ok()?;
    let of = |name: &str| details["geoCoordinates"][name].as_f64();
    Some((of("latitude")?.to_radians(), of("longitude")?.to_radians()))
}

/// Kilometres between two places, by the haversine formula.
fn distance(from: (f64, f64), to: (f64, f64)) -> f64 {
    let half = |a: f64, b: f64| ((b - a) / 2.0).sin().powi(2);
    let chord = half(from.0, to.0) + from.0.cos() * to.0.cos() * half(from.1, to.1);
    2.0 * 6_371.0 * chord.sqrt().asin()
}

#[test]
fn who_travels_too_fast() {
    const FASTEST: f64 = 900.0;
    let mut last = HashMap::new();
    let mut too_fast = BTreeSet::new();
    for row in week().signins.iter().filter(|row| row.ResultType == "0") {
        let Some(here) = place(row) else {
            continue;
        };
        let user = row.UserPrincipalName.as_ref();
        if let Some((there, then)) = last.insert(user, (here, row.TimeGenerated.0)) {
            let hours = (row.TimeGenerated.0 - then) as f64 / HOUR as f64;
            if distance(there, here) > FASTEST * hours {
                too_fast.insert(user);
            }
        }
    }
    assert_eq!(
        too_fast,
        BTreeSet::from(["ingrid.vos@haldenfreight.example"])
    );
    told(&format!(
        "No journey but the intruder's is faster than {FASTEST:.0} km/h"
    ));
}

#[test]
fn the_secrets() {
    const SECRETS: [&str; 10] = [
        "Vault-Winter-2025",
        "Depl0y.Me.Daily",
        "R4tes#Report",
        "L0ad-Every-Night",
        "tug-Harbour-77",
        "eyJhbGciOiJIUzI1NiJ9.",
        "Moor1ngLine",
        "glx-7f3K9sQ2mVt8",
        "Salaris!Maart",
        "Quay-Side-12",
    ];
    let with = |secret: &str| {
        let rows = week().processes.iter();
        rows.filter(|row| row.ProcessCommandLine.contains(secret))
            .count()
    };
    assert!(SECRETS.iter().all(|secret| with(secret) > 0));
    let commands: usize = SECRETS.iter().map(|secret| with(secret)).sum();
    told(&format!(
        "Ten secrets in {commands} commands, by ten people and one service"
    ));
    // All that people type but the dump of SQL Server's memory.
    assert_eq!(LEAKS.len() - 1, 10);
    assert_eq!(with("-pTide-Table-9"), 4);
    told("An eleventh, in four commands, is the intruder's (`7z.exe -p`)");
}

#[test]
fn another_seed_tells_the_same_story_in_another_week() {
    let other = crate::week_of(7);
    let calls = other
        .network
        .iter()
        .filter(|row| row.RemoteUrl == C2_NAME)
        .count();
    assert!((2_000..3_000).contains(&calls), "{calls} calls");
    assert!(other.signins.len() != week().signins.len());
    let cleared = other
        .security
        .iter()
        .filter(|row| row.EventID == Some(1102));
    assert_eq!(
        cleared.map(|row| row.TimeGenerated).collect::<Vec<_>>(),
        [Time(at(5, 0, 52, 8))]
    );
}
