//! What passes the company's firewall: the connections that the sensors saw, with the bytes that they did not count, and
//! those of devices that no sensor runs on. One of these, a camera recorder, is not its owners' alone.

use crate::company::{Company, Computer, Department, OFFICES};
use crate::desktops::{EDGE, SERVICES};
use crate::rng::Rng;
use crate::servers::BACKUP;
use crate::story::{C2_NAME, DROP_NAME};
use crate::tables::{CommonSecurityLog, DeviceNetworkEvents, Text, Time};
use crate::time::{DAY, DAYS, END, HOUR, MINUTE, Micros, SECOND, START, at};
use crate::week::{Actor, Process, Remote, Week, in_week, resolver};

/// Where the backup server's second copy goes.
pub(crate) const VAULT_NAME: &str = "vault.offsite-backup.example";
/// An advertising network whose name was drawn by lot.
pub(crate) const AD_NAME: &str = "px7rk2vq9d4t.example";
/// The recorder that somebody else is in.
pub(crate) const RECORDER: &str = "10.20.3.240";
/// Whom it calls, on port 8443 and without a name.
pub(crate) const LISTENER: &str = "192.0.2.181";

const BOARD: (&str, &str) = ("board.portcalls.example", "192.0.2.52");
const CAMERAS: (&str, &str) = ("cloud.viewport-cam.example", "192.0.2.90");
const PRINTERS: (&str, &str) = ("fleet.inkworks.example", "192.0.2.91");
const NEWS: &str = "news.example";

/// Adds what the sensors see of it: pages that refresh themselves, advertisements, the backup's second copy.
pub(crate) fn ordinary(seed: u64, company: &Company, week: &mut Week) {
    boards(seed, company, week);
    advertisements(seed, company, week);
    second_copies(seed, company, week);
}

/// Three planners leave the board of port calls open; it refreshes itself every two minutes while they work.
fn boards(seed: u64, company: &Company, week: &mut Week) {
    let planners = company
        .users
        .iter()
        .filter(|user| user.department == Department::Operations);
    for user in planners.skip(4).step_by(9).take(3) {
        let mut rng = Rng::of(seed, "board", &[user.index]);
        for day in 0..DAYS {
            let Some(shift) = company.shift(seed, user, day) else {
                continue;
            };
            let edge = Process::new(&mut rng, &EDGE, format!("\"{}\"", EDGE.path()));
            let actor = Actor::of(user);
            let mut time = shift.begin + rng.range(5, 40) * MINUTE;
            while time < shift.end {
                let remote = remote(BOARD);
                let at = (time, &user.computer, &actor);
                if rng.chance(0.3) {
                    let server = resolver(company, &mut rng);
                    week.query(server, &user.computer, time - 20_000, BOARD.0, BOARD.1);
                }
                week.connect(&mut rng, at, &edge, &remote);
                time += 2 * MINUTE + rng.range(0, 3_000_000);
            }
        }
    }
}

fn remote((name, address): (&'static str, &'static str)) -> Remote<'static> {
    Remote {
        address: address.into(),
        port: 443,
        url: name,
    }
}

/// Whoever reads the news fetches its advertisements from a name that no person would choose.
fn advertisements(seed: u64, company: &Company, week: &mut Week) {
    let mut rng = Rng::of(seed, "advertisements", &[]);
    let readers: Vec<(Micros, Text)> = week
        .network
        .iter()
        .filter(|row| row.RemoteUrl == NEWS)
        .map(|row| (row.TimeGenerated.0, row.LocalIP.clone()))
        .collect();
    for (time, address) in readers {
        if !rng.chance(0.12) {
            continue;
        }
        let Some(user) = company
            .users
            .iter()
            .find(|user| user.computer.address == address)
        else {
            continue;
        };
        let edge = Process::new(&mut rng, &EDGE, format!("\"{}\"", EDGE.path()));
        let time = time + rng.range(200, 900) * 1_000;
        let server = resolver(company, &mut rng);
        week.query(
            server,
            &user.computer,
            time - 20_000,
            AD_NAME,
            "192.0.2.140",
        );
        let at = (time, &user.computer, &Actor::of(user));
        week.connect(&mut rng, at, &edge, &remote((AD_NAME, "192.0.2.140")));
    }
}

/// Every night at half past two the backup server sends what is new to a vault elsewhere, on Sunday everything.
fn second_copies(seed: u64, company: &Company, week: &mut Week) {
    let mut rng = Rng::of(seed, "second copies", &[]);
    let from = company.server("BKP01");
    let account = Actor::service("svc-backup");
    let services = Process::new(&mut rng, &SERVICES, "C:\\Windows\\system32\\services.exe");
    for day in 0..DAYS {
        let mut time = START + day as i64 * DAY + 150 * MINUTE + rng.range(0, 60) * SECOND;
        let command = format!(
            "\"{}\" copy --store E:\\Vault --to {VAULT_NAME}",
            BACKUP.path()
        );
        let job = week.start(
            &mut rng,
            (time, from, &account),
            &services,
            &BACKUP,
            command,
        );
        let server = resolver(company, &mut rng);
        week.query(server, from, time + SECOND, VAULT_NAME, "192.0.2.100");
        let pieces = if day == 6 { 170 } else { rng.range(58, 66) };
        for _ in 0..pieces {
            time += rng.range(80, 140) * SECOND;
            let at = (time, from, &account);
            week.connect(&mut rng, at, &job, &remote((VAULT_NAME, "192.0.2.100")));
        }
    }
}

/// Writes the firewall's log, when everything else is there.
pub(crate) fn firewall(seed: u64, company: &Company, week: &mut Week) {
    let mut rng = Rng::of(seed, "firewall", &[]);
    let seen = week.network.iter();
    week.firewall = seen
        .filter(|row| row.RemoteIPType == "Public")
        .map(|row| logged(&mut rng, row))
        .collect();
    for office in &OFFICES {
        let network = format!("10.20.{}", office.subnet);
        let mut rng = Rng::of(seed, "devices", &[u64::from(office.subnet)]);
        for host in [1, 230, 231, 240] {
            clock(&mut rng, &format!("{network}.{host}"), week);
        }
        for host in [230, 231] {
            let printer = device(&format!("{network}.{host}"));
            call_vendor(&mut rng, company, &printer, (PRINTERS, 6 * HOUR), week);
        }
        let recorder = device(&format!("{network}.240"));
        call_vendor(&mut rng, company, &recorder, (CAMERAS, 5 * MINUTE), week);
    }
    recorder(seed, week);
}

/// A device without a sensor: it has an address and no name that anyone would log.
fn device(address: &str) -> Computer {
    Computer {
        name: String::new(),
        address: address.to_owned(),
        id: String::new(),
    }
}

/// A row for a connection that a sensor saw.
fn logged(rng: &mut Rng, row: &DeviceNetworkEvents) -> CommonSecurityLog {
    let (sent, received) = bytes(rng, row);
    let service = if row.RemotePort == Some(443) {
        ("tcp", "ssl")
    } else {
        ("tcp", "unknown")
    };
    CommonSecurityLog {
        DestinationHostName: row.RemoteUrl.clone(),
        ..passed(
            row.TimeGenerated.0,
            row.LocalIP.clone(),
            (row.RemoteIP.clone(), row.RemotePort.unwrap_or_default()),
            service,
            (sent, received),
        )
    }
}

/// Bytes sent and received, as the destination has it.
fn bytes(rng: &mut Rng, row: &DeviceNetworkEvents) -> (i64, i64) {
    match row.RemoteUrl.as_ref() {
        DROP_NAME => dropped(row),
        C2_NAME if row.InitiatingProcessFileName == "powershell.exe" => (760, 412_160),
        C2_NAME => (rng.range(420, 560), rng.range(180, 260)),
        VAULT_NAME => (rng.range(250_000_000, 310_000_000), rng.range(4_000, 9_000)),
        "intake.hostmonitor.example" => (rng.range(1_800, 2_600), rng.range(300, 500)),
        "sharepoint.office.example" => (tail(rng, 65_536, 12), tail(rng, 8_192, 10)),
        "outlook.office.example" => (tail(rng, 4_096, 9), tail(rng, 8_192, 9)),
        _ => (tail(rng, 1_024, 6), tail(rng, 4_096, 9)),
    }
}

/// What the sensor itself counted.
fn dropped(row: &DeviceNetworkEvents) -> (i64, i64) {
    let fields: serde_json::Value =
        serde_json::from_str(&row.AdditionalFields.0).unwrap_or_default();
    let of = |name: &str| fields[name].as_i64().unwrap_or_default();
    (of("BytesSent"), of("BytesReceived"))
}

/// Sizes as traffic has them: most are small, and each doubling is as likely as the one before.
fn tail(rng: &mut Rng, least: i64, doublings: u64) -> i64 {
    (least << rng.below(doublings)) + rng.range(0, least)
}

fn passed(
    time: Micros,
    source: Text,
    (address, port): (Text, i32),
    (protocol, application): (&'static str, &'static str),
    (sent, received): (i64, i64),
) -> CommonSecurityLog {
    CommonSecurityLog {
        TimeGenerated: Time(time / SECOND * SECOND),
        DeviceVendor: "Quayside".into(),
        DeviceProduct: "Edge Firewall".into(),
        Activity: "traffic".into(),
        DeviceAction: "allow".into(),
        SourceIP: source,
        DestinationIP: address,
        DestinationPort: Some(port),
        Protocol: protocol.into(),
        ApplicationProtocol: application.into(),
        SentBytes: Some(sent),
        ReceivedBytes: Some(received),
        Type: "CommonSecurityLog".into(),
        ..CommonSecurityLog::default()
    }
}

/// Every 1,024 seconds a device asks what time it is, as NTP does when it is content.
fn clock(rng: &mut Rng, address: &str, week: &mut Week) {
    let mut time = START + rng.range(0, 1_024) * SECOND;
    while time < END {
        let to = ("192.0.2.123".into(), 123);
        let row = passed(
            time,
            address.to_owned().into(),
            to,
            ("udp", "ntp"),
            (90, 90),
        );
        week.firewall.push(row);
        time += 1_024 * SECOND + rng.range(-2, 3) * SECOND;
    }
}

/// A device reports to those who made it.
fn call_vendor(
    rng: &mut Rng,
    company: &Company,
    device: &Computer,
    ((name, server), every): ((&'static str, &'static str), Micros),
    week: &mut Week,
) {
    let mut time = START + rng.range(0, every / SECOND) * SECOND;
    while time < END {
        if every > HOUR || rng.chance(0.08) {
            let resolver = resolver(company, rng);
            week.query(resolver, device, time - 20_000, name, server);
        }
        let sizes = (rng.range(900, 1_500), rng.range(400, 600));
        let row = passed(
            time,
            device.address.clone().into(),
            (server.into(), 443),
            ("tcp", "ssl"),
            sizes,
        );
        week.firewall.push(CommonSecurityLog {
            DestinationHostName: name.into(),
            ..row
        });
        time += every + rng.range(0, 3) * SECOND;
    }
}

/// Felixstowe's recorder: from Tuesday, 03:12, it calls an address that has no name, every quarter of an hour give or
/// take two fifths. One call in eight does not get through.
fn recorder(seed: u64, week: &mut Week) {
    let mut rng = Rng::of(seed, "recorder", &[]);
    let mut time = at(1, 3, 12, 40);
    while in_week(time) {
        if !rng.chance(0.125) {
            let sizes = (rng.range(310, 370), rng.range(90, 140));
            let to = (LISTENER.into(), 8443);
            let row = passed(time, RECORDER.into(), to, ("tcp", "unknown"), sizes);
            week.firewall.push(row);
        }
        time += rng.range(540, 1_260) * SECOND;
    }
}
