//! Alerts of the week: a few dozen that mean little, and the three that belong to the intrusion. Nobody was told of the
//! credential dump, the movement or the theft.

use serde_json::json;

use crate::company::{Company, Computer, DOMAIN, User};
use crate::rng::Rng;
use crate::story::{FOOTHOLD, SPRAY_ADDRESSES};
use crate::tables::{SecurityAlert, Text, Time};
use crate::time::{DAYS, HOUR, MINUTE, Micros, SECOND, START, at};
use crate::week::Week;

/// What kind of alert it is: name, severity, provider, product, tactics, techniques, description.
struct Kind {
    name: &'static str,
    severity: &'static str,
    provider: &'static str,
    product: &'static str,
    tactics: &'static str,
    techniques: &'static str,
    description: &'static str,
}

const MDATP: (&str, &str) = ("MDATP", "Microsoft Defender for Endpoint");
const IPC: (&str, &str) = ("IPC", "Microsoft Entra ID Protection");

const EVERYDAY: [Kind; 5] = [
    Kind {
        name: "Unwanted software was blocked",
        severity: "Low",
        provider: MDATP.0,
        product: MDATP.1,
        tactics: "Execution",
        techniques: "[\"T1204\"]",
        description: "Defender Antivirus blocked an installer that bundles unwanted software.",
    },
    Kind {
        name: "Unfamiliar sign-in properties",
        severity: "Low",
        provider: IPC.0,
        product: IPC.1,
        tactics: "InitialAccess",
        techniques: "[\"T1078\"]",
        description: "A sign-in has properties that were not seen for this user before.",
    },
    Kind {
        name: "Suspicious use of an administrative tool",
        severity: "Medium",
        provider: MDATP.0,
        product: MDATP.1,
        tactics: "LateralMovement",
        techniques: "[\"T1569\"]",
        description: "A remote administration tool ran on a computer of the IT department.",
    },
    Kind {
        name: "Email messages containing a phishing URL were removed after delivery",
        severity: "Informational",
        provider: "OATP",
        product: "Microsoft Defender for Office 365",
        tactics: "InitialAccess",
        techniques: "[\"T1566\"]",
        description: "Messages with a URL that was found malicious after delivery were removed.",
    },
    Kind {
        name: "Multiple failed sign-ins to a server",
        severity: "Low",
        provider: "ASI Scheduled Alerts",
        product: "Azure Sentinel",
        tactics: "CredentialAccess",
        techniques: "[\"T1110\"]",
        description: "One account failed to sign in to one server more than ten times in a day.",
    },
];

const SPRAY: Kind = Kind {
    name: "Password spray",
    severity: "Medium",
    provider: IPC.0,
    product: IPC.1,
    tactics: "CredentialAccess",
    techniques: "[\"T1110\"]",
    description: "Many accounts were tried with common passwords from a set of addresses.",
};

const ENCODED: Kind = Kind {
    name: "Suspicious PowerShell command line",
    severity: "High",
    provider: MDATP.0,
    product: MDATP.1,
    tactics: "Execution",
    techniques: "[\"T1059\"]",
    description: "An Office application started PowerShell with a hidden window and an encoded command.",
};

const TASK: Kind = Kind {
    name: "Suspicious scheduled task",
    severity: "Medium",
    provider: MDATP.0,
    product: MDATP.1,
    tactics: "Persistence",
    techniques: "[\"T1053\"]",
    description: "A scheduled task runs a library from a user's profile.",
};

/// Fills the table.
pub(crate) fn all(seed: u64, company: &Company, week: &mut Week) {
    let mut rng = Rng::of(seed, "alerts", &[]);
    for _ in 0..34 {
        let kind = rng.favour(&EVERYDAY);
        let user = rng.pick(&company.users);
        let time = START + rng.range(0, DAYS as i64 * 24) * HOUR + rng.range(0, 3_600) * SECOND;
        let entities = host_and_account(&user.computer, user);
        raise(&mut rng, time, kind, &user.computer.name, entities, week);
    }
    let addresses = SPRAY_ADDRESSES.iter().enumerate();
    let addresses = addresses.map(
        |(at, address)| json!({"$id": (at + 2).to_string(), "Address": address, "Type": "ip"}),
    );
    let entities = serde_json::Value::from_iter(addresses).to_string();
    let sprayed = &company.users[company.sprayed];
    raise(
        &mut rng,
        at(2, 5, 12, 44),
        &SPRAY,
        &sprayed.upn,
        entities,
        week,
    );
    let victim = &company.users[company.phished];
    for (delay, kind) in [(4 * MINUTE, &ENCODED), (12 * MINUTE, &TASK)] {
        let entities = host_and_account(&victim.computer, victim);
        raise(
            &mut rng,
            FOOTHOLD + delay,
            kind,
            &victim.computer.name,
            entities,
            week,
        );
    }
}

fn host_and_account(computer: &Computer, user: &User) -> String {
    json!([
        {"$id": "2", "HostName": computer.name, "DnsDomain": DOMAIN, "OSFamily": "Windows", "Type": "host"},
        {"$id": "3", "Name": user.account, "UPNSuffix": DOMAIN, "NTDomain": "HALDEN", "Sid": user.sid, "Type": "account"},
    ])
    .to_string()
}

fn raise(
    rng: &mut Rng,
    time: Micros,
    kind: &Kind,
    entity: &str,
    entities: String,
    week: &mut Week,
) {
    let name: Text = kind.name.into();
    week.alerts.push(SecurityAlert {
        TimeGenerated: Time(time + rng.range(20, 200) * SECOND),
        StartTime: Time(time - rng.range(5, 60) * SECOND),
        EndTime: Time(time),
        AlertName: name.clone(),
        DisplayName: name,
        AlertSeverity: kind.severity.into(),
        AlertType: format!(
            "{}_{}",
            kind.provider.replace(' ', ""),
            kind.name.replace(' ', "")
        )
        .into(),
        Description: kind.description.into(),
        ProviderName: kind.provider.into(),
        ProductName: kind.product.into(),
        VendorName: "Microsoft".into(),
        CompromisedEntity: entity.to_owned().into(),
        Entities: entities.into(),
        ExtendedProperties: "{}".into(),
        Tactics: kind.tactics.into(),
        Techniques: kind.techniques.into(),
        Status: "New".into(),
        SystemAlertId: rng.guid().into(),
        Type: "SecurityAlert".into(),
    });
}
