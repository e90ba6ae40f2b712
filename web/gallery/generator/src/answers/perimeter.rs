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

/// The median time from a connection to the next of the same source, in microseconds.
fn period<'a>(connections: impl Iterator<Item = (&'a Text, Time)>) -> Micros {
    let mut last = HashMap::new();
    let mut gaps: Vec<_> = connections
        .filter_map(|(source, time)| Some(time.0 - last.insert(source, time.0)?))
        .collect();
    gaps.sort_unstable();
    gaps[gaps.len() / 2]
}

fn logged_period(rows: &[&'static CommonSecurityLog]) -> Micros {
    period(rows.iter().map(|row| (&row.SourceIP, row.TimeGenerated)))
}

fn nearest(time: Micros, unit: Micros) -> usize {
    ((time + unit / 2) / unit) as usize
}

/// The least and the most that the connections sent, in bytes.
fn sizes(rows: &[&CommonSecurityLog]) -> (i64, i64) {
    let sizes = rows.iter().filter_map(|row| row.SentBytes);
    (
        sizes.clone().min().unwrap_or_default(),
        sizes.max().unwrap_or_default(),
    )
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
        "from Tue 3 March {} to the week's end, {} connections to {LISTENER}:8443",
        clock(calls[0].TimeGenerated),
        calls.len()
    ));
    let (least, most) = sizes(&calls);
    told(&format!("each of {least} to {most} bytes"));
    let gaps = calls
        .windows(2)
        .map(|pair| pair[1].TimeGenerated.0 - pair[0].TimeGenerated.0);
    let (kept, longer): (Vec<_>, Vec<_>) = gaps.partition(|gap| *gap <= 21 * MINUTE);
    let (least, most) = (kept.iter().min(), kept.iter().max());
    told(&format!(
        "every {} to {} minutes but for {} gaps that are longer",
        nearest(*least.unwrap_or(&0), MINUTE),
        nearest(*most.unwrap_or(&0), MINUTE),
        longer.len()
    ));
}

/// Nobody signs in from the recorder's listener, no name server gives it out, no sensor sees it or the recorder, and it
/// shares no network with the intruder.
#[test]
fn nothing_links_the_recorder_to_the_intrusion() {
    let week = week();
    let listener = |address: &Text| address.contains(LISTENER);
    assert!(!week.signins.iter().any(|row| listener(&row.IPAddress)));
    assert!(!week.dns.iter().any(|row| listener(&row.IPAddresses)));
    assert!(!week.security.iter().any(|row| listener(&row.IpAddress)));
    assert!(!week.alerts.iter().any(|row| listener(&row.Entities)));
    assert!(!week.network.iter().any(|row| listener(&row.RemoteIP)));
    assert!(!week.network.iter().any(|row| row.RemoteIP == RECORDER));
    let network = |address: &str| {
        address
            .rsplit_once('.')
            .map(|(network, _)| network.to_owned())
    };
    let theirs = week
        .network
        .iter()
        .filter(|row| row.RemoteUrl == C2_NAME || row.RemoteUrl == DROP_NAME)
        .map(|row| row.RemoteIP.as_ref())
        .chain(SPRAY_ADDRESSES);
    let theirs: BTreeSet<_> = theirs.map(network).collect();
    assert_eq!(theirs.len(), 1);
    assert!(!theirs.contains(&network(LISTENER)));
}

#[test]
fn clocks_that_are_innocent() {
    let clocks: Vec<_> = week()
        .firewall
        .iter()
        .filter(|row| row.DestinationPort == Some(123))
        .collect();
    assert_eq!(sources(&clocks).len(), 16);
    told(&format!(
        "Sixteen devices ask {} for the time every {} s",
        clocks[0].DestinationIP,
        thousands(nearest(logged_period(&clocks), SECOND))
    ));
    let cameras = to("cloud.viewport-cam.example");
    assert_eq!(sources(&cameras).len(), 4);
    told(&format!(
        "the four recorders report to `cloud.viewport-cam.example` every {} minutes",
        nearest(logged_period(&cameras), MINUTE)
    ));
    let boards = to("board.portcalls.example");
    told(&format!(
        "refreshes itself every {} minutes in the browsers of three planners ({})",
        nearest(logged_period(&boards), MINUTE),
        sources(&boards).join(", ")
    ));
    let fleet = week().network.iter();
    let fleet = fleet.filter(|row| row.RemoteUrl == "fleet.haldenfreight.example");
    told(&format!(
        "calls its server every {} minutes from every desk",
        nearest(
            period(fleet.map(|row| (&row.LocalIP, row.TimeGenerated))),
            MINUTE
        )
    ));
    let monitors = to("intake.hostmonitor.example");
    assert_eq!(sources(&monitors).len(), 12);
    told(&format!(
        "the monitoring agent calls out every {} minutes from every server",
        nearest(logged_period(&monitors), MINUTE)
    ));
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
    let began = (0..7).filter_map(|day| {
        let mut rows = pieces.iter();
        rows.find(|row| row.TimeGenerated.0 >= at(day, 0, 0, 0))
            .map(|row| minute(row.TimeGenerated))
    });
    let (least, most) = sizes(&pieces);
    told(&format!(
        "each night, from {} to {} on, in pieces of {:.0} to {:.0} MB",
        began.clone().min().unwrap_or_default(),
        began.max().unwrap_or_default(),
        least as f64 / 1e6,
        most as f64 / 1e6
    ));
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
