//! What `ANSWERS.md` says of the firewall's log.

use super::*;
use crate::perimeter::{AD_NAME, LISTENER, RECORDER, VAULT_NAME};
use crate::tables::CommonSecurityLog;

fn to(name: &str) -> Vec<&'static CommonSecurityLog> {
    let rows = week().firewall.iter();
    rows.filter(|row| row.DestinationHostName == name).collect()
}

fn sources(rows: &[&CommonSecurityLog]) -> Vec<String> {
    let sources: BTreeSet<_> = rows.iter().map(|row| row.SourceIP.to_string()).collect();
    sources.into_iter().collect()
}

#[test]
fn the_firewall_sees_what_the_sensors_see_and_more() {
    let public = week().network.iter();
    let public = public.filter(|row| row.RemoteIPType == "Public");
    let seen: BTreeSet<_> = week().network.iter().map(|row| &row.LocalIP).collect();
    let (with, without): (Vec<_>, Vec<_>) = week()
        .firewall
        .iter()
        .partition(|row| seen.contains(&row.SourceIP));
    assert_eq!(with.len(), public.count());
    assert_eq!(sources(&without).len(), 16);
    told("those of sixteen devices without one");
    let events = week().signins.len()
        + week().security.len()
        + week().processes.len()
        + week().network.len()
        + week().dns.len()
        + week().firewall.len()
        + week().alerts.len();
    told(&format!("About {}0,000 events", (events + 5_000) / 10_000));
}

#[test]
fn the_recorder() {
    let calls: Vec<_> = week()
        .firewall
        .iter()
        .filter(|row| row.DestinationIP == LISTENER)
        .collect();
    assert!(calls.iter().all(|row| row.SourceIP == RECORDER
        && row.DestinationPort == Some(8443)
        && row.DestinationHostName.is_empty()));
    told(&format!(
        "from Tue 3 March {} to the week's end, {} connections to 203.0.113.181:8443",
        clock(calls[0].TimeGenerated),
        calls.len()
    ));
    let sizes = calls.iter().filter_map(|row| row.SentBytes);
    told(&format!(
        "each of {} to {} bytes",
        sizes.clone().min().unwrap_or_default(),
        sizes.max().unwrap_or_default()
    ));
    let gaps = calls
        .windows(2)
        .map(|pair| pair[1].TimeGenerated.0 - pair[0].TimeGenerated.0);
    assert!(
        gaps.clone()
            .all(|gap| (9 * MINUTE - SECOND..90 * MINUTE).contains(&gap))
    );
    let missed = gaps.filter(|gap| *gap > 21 * MINUTE).count();
    assert!(
        (30..120).contains(&missed),
        "{missed} calls did not get through"
    );
    assert!(
        week()
            .dns
            .iter()
            .all(|row| !row.IPAddresses.contains(LISTENER))
    );
}

#[test]
fn clocks_that_are_innocent() {
    let clocks: Vec<_> = week()
        .firewall
        .iter()
        .filter(|row| row.DestinationPort == Some(123))
        .collect();
    assert_eq!(sources(&clocks).len(), 16);
    let cameras = to("cloud.viewport-cam.example");
    assert_eq!(sources(&cameras).len(), 4);
    told("the four recorders report to `cloud.viewport-cam.example` every five minutes");
    let boards = to("board.portcalls.example");
    told(&format!("three planners ({})", sources(&boards).join(", ")));
}

#[test]
fn the_second_copy() {
    let pieces = to(VAULT_NAME);
    assert_eq!(sources(&pieces), ["10.20.0.18"]);
    let of = |day: i64| {
        let night = (at(day, 0, 0, 0), at(day + 1, 0, 0, 0));
        let pieces = pieces
            .iter()
            .filter(move |row| between(row.TimeGenerated, night));
        let bytes: i64 = pieces.clone().filter_map(|row| row.SentBytes).sum();
        (pieces.count(), bytes)
    };
    let stolen: i64 = to(DROP_NAME).iter().filter_map(|row| row.SentBytes).sum();
    assert!((0..7).all(|day| of(day).1 > stolen));
    told(&format!("it sends everything, {} pieces", of(6).0));
}

#[test]
fn a_name_that_looks_made_up() {
    let asked = week().dns.iter().filter(|row| row.Name == AD_NAME);
    assert!(asked.clone().all(|row| row.Result == "Success"));
    told(&format!(
        "which {} computers ask for",
        distinct(asked.map(|row| &row.ClientIP))
    ));
}
