//! Sign-ins of an ordinary week: from the office or from home, with mistyped passwords, prompts for a second factor, a
//! few people travelling, and a handset that keeps trying an old password.

use serde_json::json;

use crate::company::{Company, Department, Shift, User};
use crate::rng::Rng;
use crate::tables::{Dynamic, SigninLogs, Text, Time};
use crate::time::{DAY, DAYS, HOUR, MINUTE, Micros, SECOND, START};
use crate::week::{Week, in_week};

/// An application: name, id, and how often it is used.
type App = (&'static str, &'static str);

const APPS: [App; 7] = [
    (
        "Office 365 Exchange Online",
        "00000002-0000-0ff1-ce00-000000000000",
    ),
    ("Microsoft Teams", "1fec8e78-bce4-4aaf-ab1b-5451cc387264"),
    (
        "Office 365 SharePoint Online",
        "00000003-0000-0ff1-ce00-000000000000",
    ),
    ("Halden VPN", "5c1b7a0e-6f53-4f0b-9f0e-6d4c2f7f1a11"),
    ("Freight Desk", "a4d2c6f7-12f1-4f5d-8f2b-0f3b1f6f9c22"),
    ("My Profile", "8c59ead7-d703-4a27-9e55-c96a0054c8d2"),
    ("OfficeHome", "4765445b-32c6-49b0-83e6-1d93765276ca"),
];

const AZURE_PORTAL: App = ("Azure Portal", "c44b4083-3bb0-49c1-b47d-974e53cbdf3c");

const BROWSERS: [&str; 4] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/145.0.0.0 Safari/537.36 Edg/145.0.0.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/145.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_3 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.3 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/145.0.0.0 Mobile Safari/537.36",
];

/// Where a sign-in comes from.
pub(crate) struct Origin<'a> {
    pub(crate) address: Text,
    pub(crate) city: &'a str,
    pub(crate) state: &'a str,
    pub(crate) country: &'a str,
    pub(crate) latitude: f64,
    pub(crate) longitude: f64,
    pub(crate) network: &'a str,
}

/// How a sign-in ended: Entra's code and what it says.
pub(crate) type Outcome = (&'static str, &'static str);

pub(crate) const SUCCESS: Outcome = ("0", "");
pub(crate) const WRONG_PASSWORD: Outcome = (
    "50126",
    "Error validating credentials due to invalid username or password.",
);
pub(crate) const LOCKED: Outcome = (
    "50053",
    "Account is locked because user tried to sign in too many times with an incorrect user ID or password.",
);
const SECOND_FACTOR: Outcome = (
    "50074",
    "User did not pass the MFA challenge (strong authentication is required).",
);
const STAY_SIGNED_IN: Outcome = (
    "50140",
    "This occurred due to 'Keep me signed in' interrupt when the user was signing-in.",
);
const EXPIRED: Outcome = ("50055", "The password is expired.");

/// Fills the table for everyone.
pub(crate) fn ordinary(seed: u64, company: &Company, week: &mut Week) {
    for user in &company.users {
        for day in 0..DAYS {
            let mut rng = Rng::of(seed, "signins", &[user.index, day]);
            if let Some(shift) = company.shift(seed, user, day) {
                working_day(&mut rng, user, &shift, week);
            }
        }
    }
    travellers(seed, company, week);
    old_password(seed, company, week);
}

/// The office, or home on about three days in ten.
fn working_day(rng: &mut Rng, user: &User, shift: &Shift, week: &mut Week) {
    let origin = if shift.remote {
        home(user)
    } else {
        office(user)
    };
    for _ in 0..rng.about(14.0) {
        let time = rng.range(shift.begin, shift.end);
        session(rng, user, time, &origin, week);
    }
}

/// One sign-in with what may come before it.
fn session(rng: &mut Rng, user: &User, time: Micros, origin: &Origin<'_>, week: &mut Week) {
    let mut time = time;
    while rng.chance(0.03) {
        week.sign_in(rng, user, time, origin, WRONG_PASSWORD, None);
        time += rng.range(4, 40) * SECOND;
    }
    let pause = rng.range(5, 30) * SECOND;
    if rng.chance(0.05) {
        let interrupt = *rng.favour(&[SECOND_FACTOR, STAY_SIGNED_IN, EXPIRED]);
        week.sign_in(rng, user, time, origin, interrupt, None);
        time += pause;
    }
    week.sign_in(rng, user, time, origin, SUCCESS, None);
}

pub(crate) fn office(user: &User) -> Origin<'static> {
    let office = user.office;
    Origin {
        address: office.egress.into(),
        city: office.city,
        state: office.state,
        country: office.country,
        latitude: office.latitude,
        longitude: office.longitude,
        network: "64500",
    }
}

fn home(user: &User) -> Origin<'_> {
    Origin {
        address: user.home_address.clone().into(),
        network: "64511",
        ..office(user)
    }
}

/// Two people go to a trade fair in Hamburg, one to a customer in Antwerp, one over the weekend to New York: new countries
/// that mean nothing.
fn travellers(seed: u64, company: &Company, week: &mut Week) {
    let hamburg = place("192.0.2.71", "Hamburg", "Hamburg", "DE", 53.55, 9.99);
    let antwerp = place("192.0.2.118", "Antwerp", "Antwerpen", "BE", 51.22, 4.40);
    let new_york = place("192.0.2.203", "New York", "New York", "US", 40.71, -74.01);
    // Nobody goes so far that they could not be back at their desk the next morning.
    let sells = |user: &&User| user.department == Department::Sales && user.office.code != "SIN";
    let sales: Vec<&User> = company.users.iter().filter(sells).collect();
    for (nth, day, origin) in [
        (2, 2, &hamburg),
        (5, 2, &hamburg),
        (9, 3, &antwerp),
        (14, 6, &new_york),
    ] {
        let Some(user) = sales.get(nth) else { continue };
        let mut rng = Rng::of(seed, "travel", &[user.index]);
        for _ in 0..9 {
            // In the evening, after the last sign-in from the office and time for the journey.
            let time = START + day * DAY + 20 * HOUR + rng.range(0, 3 * 60) * MINUTE;
            session(&mut rng, user, time, origin, week);
        }
    }
}

fn place<'a>(
    address: &'static str,
    city: &'a str,
    state: &'a str,
    country: &'a str,
    latitude: f64,
    longitude: f64,
) -> Origin<'a> {
    Origin {
        address: address.into(),
        city,
        state,
        country,
        latitude,
        longitude,
        network: "64505",
    }
}

/// A phone with last month's password: many failures of one user, from one address, all week long.
fn old_password(seed: u64, company: &Company, week: &mut Week) {
    let Some(user) = company
        .users
        .iter()
        .find(|user| user.department == Department::Legal)
    else {
        return;
    };
    let mut rng = Rng::of(seed, "old password", &[user.index]);
    let mut time = START + 7 * HOUR;
    while time < START + 5 * DAY {
        week.sign_in(
            &mut rng,
            user,
            time,
            &home(user),
            WRONG_PASSWORD,
            Some(("Office 365 Exchange Online", BROWSERS[2])),
        );
        time += rng.range(35, 55) * MINUTE;
    }
}

impl Week {
    /// Records a sign-in. `client` names the application and the user agent where they are not to be the user's own.
    pub(crate) fn sign_in(
        &mut self,
        rng: &mut Rng,
        user: &User,
        time: Micros,
        origin: &Origin<'_>,
        outcome: Outcome,
        client: Option<(&'static str, &'static str)>,
    ) {
        if !in_week(time) {
            return;
        }
        let own_app = if user.is_admin() && rng.chance(0.3) {
            &AZURE_PORTAL
        } else {
            rng.favour(&APPS)
        };
        let app = client
            .and_then(|(name, _)| APPS.iter().find(|app| app.0 == name))
            .unwrap_or(own_app);
        let own_agent = BROWSERS[if rng.chance(0.2) {
            2 + (user.index % 2) as usize
        } else {
            (user.index % 2) as usize
        }];
        let agent = client.map_or(own_agent, |(_, agent)| agent);
        let known = client.is_none();
        self.signins.push(SigninLogs {
            IPAddress: origin.address.clone(),
            Location: origin.country.to_owned().into(),
            LocationDetails: location(origin),
            AutonomousSystemNumber: origin.network.to_owned().into(),
            UserAgent: agent.into(),
            DeviceDetail: device(user, agent, known),
            DurationMs: Some(rng.range(80, 900)),
            CorrelationId: rng.guid().into(),
            ..sign_in_row(user, time, app, outcome, known)
        });
    }
}

fn sign_in_row(user: &User, time: Micros, app: &App, outcome: Outcome, known: bool) -> SigninLogs {
    let (code, description) = outcome;
    let failed = code != SUCCESS.0;
    let multi = known && code != WRONG_PASSWORD.0;
    let reason = if failed {
        description
    } else {
        "MFA requirement satisfied by claim in the token"
    };
    let status = json!({"errorCode": code.parse::<i64>().unwrap_or(0), "failureReason": if failed { description } else { "Other." }, "additionalDetails": if multi { reason } else { "" }});
    SigninLogs {
        TimeGenerated: Time(time),
        UserPrincipalName: user.upn.clone().into(),
        UserDisplayName: user.name().into(),
        UserId: user.id.clone().into(),
        UserType: "Member".into(),
        AppDisplayName: app.0.into(),
        AppId: app.1.into(),
        ResourceDisplayName: app.0.into(),
        ResultType: code.into(),
        ResultDescription: description.into(),
        Status: Dynamic::of(&status),
        ClientAppUsed: "Browser".into(),
        AuthenticationRequirement: if multi {
            "multiFactorAuthentication"
        } else {
            "singleFactorAuthentication"
        }
        .into(),
        ConditionalAccessStatus: if failed { "notApplied" } else { "success" }.into(),
        MfaDetail: if multi && !failed {
            Dynamic::of(&json!({"authMethod": "Authenticator notification"}))
        } else {
            Dynamic::default()
        },
        RiskLevelDuringSignIn: "none".into(),
        RiskState: "none".into(),
        IsInteractive: true,
        Category: "SignInLogs".into(),
        OperationName: "Sign-in activity".into(),
        Type: "SigninLogs".into(),
        ..SigninLogs::default()
    }
}

fn location(origin: &Origin<'_>) -> Dynamic {
    Dynamic::of(&json!({
        "city": origin.city,
        "state": origin.state,
        "countryOrRegion": origin.country,
        "geoCoordinates": {"latitude": origin.latitude, "longitude": origin.longitude},
    }))
}

fn device(user: &User, agent: &str, known: bool) -> Dynamic {
    let (system, browser) = match agent {
        agent if agent.contains("iPhone") => ("Ios", "Mobile Safari"),
        agent if agent.contains("Android") => ("Android", "Chrome Mobile"),
        agent if agent.contains("Windows") => (
            "Windows10",
            if agent.contains("Edg/") {
                "Edge 145.0"
            } else {
                "Chrome 145.0"
            },
        ),
        _ => ("", ""),
    };
    let managed = known && system == "Windows10";
    Dynamic::of(&json!({
        "deviceId": if managed { user.computer.id.get(..32).unwrap_or_default() } else { "" },
        "displayName": if managed { user.computer.name.as_str() } else { "" },
        "operatingSystem": system,
        "browser": browser,
        "isCompliant": managed,
        "isManaged": managed,
        "trustType": if managed { "Azure AD joined" } else { "" },
    }))
}
