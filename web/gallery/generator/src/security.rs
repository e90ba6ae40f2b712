//! The Security logs of an ordinary week: people at their computers, services on servers, and the failures that every
//! network has.

use crate::company::{Company, Computer, NETBIOS, SERVICE_ACCOUNTS, Shift, User};
use crate::desktops::hours;
use crate::rng::Rng;
use crate::tables::{SecurityEvent, Text};
use crate::time::{DAY, DAYS, HOUR, MINUTE, Micros, SECOND, START};
use crate::week::Week;

pub(crate) const LOGON: (i32, &str) = (4624, "4624 - An account was successfully logged on.");
pub(crate) const FAILURE: (i32, &str) = (4625, "4625 - An account failed to log on.");
pub(crate) const LOGOFF: (i32, &str) = (4634, "4634 - An account was logged off.");
pub(crate) const PRIVILEGES: (i32, &str) =
    (4672, "4672 - Special privileges assigned to new logon.");
pub(crate) const OBJECT_ACCESS: (i32, &str) =
    (4663, "4663 - An attempt was made to access an object.");
pub(crate) const PROCESS: (i32, &str) = (4688, "4688 - A new process has been created.");
pub(crate) const SERVICE_INSTALLED: (i32, &str) =
    (4697, "4697 - A service was installed in the system.");
pub(crate) const TASK_CREATED: (i32, &str) = (4698, "4698 - A scheduled task was created.");
pub(crate) const LOG_CLEARED: (i32, &str) = (1102, "1102 - The audit log was cleared.");
const KERBEROS: (i32, &str) = (4769, "4769 - A Kerberos service ticket was requested.");
pub(crate) const SHARE: (i32, &str) = (5140, "5140 - A network share object was accessed.");

/// A sign-in to a computer.
pub(crate) struct Logon<'a> {
    pub(crate) account: Text,
    pub(crate) sid: Text,
    /// 2 interactive, 3 network, 5 service, 7 unlock, 10 remote interactive, 11 cached.
    pub(crate) kind: i32,
    /// The computer that it comes from; none for one that begins where it ends.
    pub(crate) from: Option<&'a Computer>,
    pub(crate) package: &'static str,
}

/// Fills the table for everyone and every service.
pub(crate) fn ordinary(seed: u64, company: &Company, week: &mut Week) {
    for user in &company.users {
        for day in 0..DAYS {
            let mut rng = Rng::of(seed, "security", &[user.index, day]);
            machine_account(&mut rng, company, user, START + day as i64 * DAY, week);
            if let Some(shift) = company.shift(seed, user, day) {
                working_day(&mut rng, company, user, &shift, week);
            }
        }
    }
    services(seed, company, week);
}

fn working_day(rng: &mut Rng, company: &Company, user: &User, shift: &Shift, week: &mut Week) {
    let (begin, end) = (shift.begin, shift.end);
    let own = &user.computer;
    while rng.chance(0.08) {
        week.fail(
            rng,
            (begin - 40 * SECOND, own),
            &interactive(user, 2),
            "0xc000006a",
        );
    }
    week.log_on(rng, (begin, own), &interactive(user, 2));
    for _ in 0..rng.about(5.0) {
        let time = rng.range(begin, end);
        week.log_on(rng, (time, own), &interactive(user, 7));
    }
    week.log_off(rng, (end, own), &interactive(user, 2));
    for _ in 0..rng.about(14.0) {
        let server =
            company.server(rng.favour::<&str>(&["FS01", "DC01", "FS02", "DC02", "PRN01", "APP01"]));
        let time = rng.range(begin, end);
        let logon = Logon {
            kind: 3,
            from: Some(own),
            ..interactive(user, 3)
        };
        week.log_on(rng, (time, server), &logon);
        let end = time + rng.range(1, 600) * SECOND;
        week.log_off(rng, (end, server), &logon);
        if server.name.starts_with("SRV-FS") {
            week.share(rng, (time + SECOND, server), &logon);
        }
    }
    for _ in 0..rng.about(18.0) {
        let time = rng.range(begin, end);
        let controller = company.controller(rng);
        week.ticket(rng, (time, controller), user);
    }
    if user.is_admin() && rng.chance(0.6) {
        let jump = company.server("JMP01");
        let logon = Logon {
            kind: 10,
            from: Some(own),
            package: "Negotiate",
            ..interactive(user, 10)
        };
        let time = rng.range(begin, end);
        week.log_on(rng, (time, jump), &logon);
        week.privileges(rng, (time, jump), &logon);
    }
}

fn interactive(user: &User, kind: i32) -> Logon<'static> {
    Logon {
        account: user.account.clone().into(),
        sid: user.sid.clone().into(),
        kind,
        from: None,
        package: if kind == 3 { "Kerberos" } else { "Negotiate" },
    }
}

/// The computer's own account at the domain controllers.
fn machine_account(
    rng: &mut Rng,
    company: &Company,
    user: &User,
    midnight: Micros,
    week: &mut Week,
) {
    let name = format!("{}$", user.computer.name);
    for _ in 0..rng.about(8.0) {
        let time = midnight + rng.range(0, DAY);
        let logon = Logon {
            account: name.clone().into(),
            sid: "S-1-5-18".into(),
            kind: 3,
            from: Some(&user.computer),
            package: "Kerberos",
        };
        let controller = company.controller(rng);
        week.log_on(rng, (time, controller), &logon);
        let end = time + rng.range(1, 60) * SECOND;
        week.log_off(rng, (end, controller), &logon);
    }
}

/// Service accounts, on the hour and from where they belong; and the scanner with its dead password.
fn services(seed: u64, company: &Company, week: &mut Week) {
    let mut rng = Rng::of(seed, "services", &[]);
    for (index, account) in SERVICE_ACCOUNTS.iter().enumerate() {
        let logon = Logon {
            account: account.name.into(),
            sid: format!("S-1-5-21-2741900335-1182044713-3350981127-{}", 1050 + index).into(),
            kind: 3,
            from: Some(company.server(account.home)),
            package: "Kerberos",
        };
        for hour in hours() {
            for target in account.targets {
                let at = (hour + rng.range(0, 50) * MINUTE, company.server(target));
                week.log_on(&mut rng, at, &logon);
                week.privileges(&mut rng, at, &logon);
                week.log_off(&mut rng, (at.0 + 30 * SECOND, at.1), &logon);
            }
            if account.targets.is_empty() {
                let time = hour + rng.range(0, HOUR);
                week.fail(
                    &mut rng,
                    (time, company.server("FS02")),
                    &logon,
                    "0xc0000071",
                );
            }
        }
    }
}

/// What servers start, in the Security log's own form (the desktops' audit policy leaves it out).
pub(crate) fn process_creation(week: &mut Week) {
    let rows: Vec<(Micros, SecurityEvent, Text)> = week
        .processes
        .iter()
        .filter(|row| row.DeviceName.starts_with("srv-"))
        .map(|row| {
            let event = SecurityEvent {
                SubjectUserName: row.AccountName.clone(),
                SubjectDomainName: row.AccountDomain.clone(),
                Account: format!("{}\\{}", row.AccountDomain, row.AccountName).into(),
                AccountType: "User".into(),
                NewProcessId: hexadecimal(row.ProcessId),
                NewProcessName: row.FolderPath.clone(),
                ProcessId: hexadecimal(row.InitiatingProcessId),
                ParentProcessName: row.InitiatingProcessFolderPath.clone(),
                CommandLine: row.ProcessCommandLine.clone(),
                ..SecurityEvent::default()
            };
            (row.TimeGenerated.0, event, row.DeviceName.clone())
        })
        .collect();
    for (time, event, device) in rows {
        let short = device.split('.').next().unwrap_or_default().to_uppercase();
        let computer = Computer {
            name: short,
            address: String::new(),
            id: String::new(),
        };
        week.log(time, &computer, PROCESS, event);
    }
}

fn hexadecimal(id: Option<i64>) -> Text {
    format!("0x{:x}", id.unwrap_or(0)).into()
}

fn logon_type_name(kind: i32) -> &'static str {
    match kind {
        2 => "2 - Interactive",
        3 => "3 - Network",
        5 => "5 - Service",
        7 => "7 - Unlock",
        10 => "10 - RemoteInteractive",
        _ => "11 - CachedInteractive",
    }
}

impl Week {
    /// Records a successful sign-in (4624).
    pub(crate) fn log_on(
        &mut self,
        rng: &mut Rng,
        (time, computer): (Micros, &Computer),
        logon: &Logon<'_>,
    ) {
        let row = logon_row(rng, logon);
        self.log(time, computer, LOGON, row);
    }

    /// Records the end of a session (4634).
    pub(crate) fn log_off(
        &mut self,
        rng: &mut Rng,
        (time, computer): (Micros, &Computer),
        logon: &Logon<'_>,
    ) {
        let full = logon_row(rng, logon);
        let row = SecurityEvent {
            IpAddress: Text::default(),
            IpPort: Text::default(),
            WorkstationName: Text::default(),
            AuthenticationPackageName: Text::default(),
            LogonProcessName: Text::default(),
            ..full
        };
        self.log(time, computer, LOGOFF, row);
    }

    /// Records a failed sign-in (4625) with its sub-status: 0xc000006a for a wrong password, 0xc0000071 for one that
    /// has run out.
    pub(crate) fn fail(
        &mut self,
        rng: &mut Rng,
        (time, computer): (Micros, &Computer),
        logon: &Logon<'_>,
        reason: &'static str,
    ) {
        let row = SecurityEvent {
            Status: "0xc000006d".into(),
            SubStatus: reason.into(),
            ..logon_row(rng, logon)
        };
        self.log(time, computer, FAILURE, row);
    }

    /// Records that a new session has administrative rights (4672).
    pub(crate) fn privileges(
        &mut self,
        rng: &mut Rng,
        (time, computer): (Micros, &Computer),
        logon: &Logon<'_>,
    ) {
        let row = SecurityEvent {
            Account: format!("{NETBIOS}\\{}", logon.account).into(),
            AccountType: "User".into(),
            SubjectUserName: logon.account.clone(),
            SubjectDomainName: NETBIOS.into(),
            SubjectUserSid: logon.sid.clone(),
            SubjectLogonId: session_id(rng),
            PrivilegeList:
                "SeSecurityPrivilege SeBackupPrivilege SeRestorePrivilege SeDebugPrivilege".into(),
            ..SecurityEvent::default()
        };
        self.log(time, computer, PRIVILEGES, row);
    }

    fn share(&mut self, rng: &mut Rng, (time, computer): (Micros, &Computer), logon: &Logon<'_>) {
        let share = *rng.favour(&[
            "\\\\*\\shared",
            "\\\\*\\finance",
            "\\\\*\\operations",
            "\\\\*\\profiles",
        ]);
        let row = SecurityEvent {
            Account: format!("{NETBIOS}\\{}", logon.account).into(),
            SubjectUserName: logon.account.clone(),
            SubjectDomainName: NETBIOS.into(),
            SubjectUserSid: logon.sid.clone(),
            IpAddress: logon
                .from
                .map_or(Text::default(), |from| from.address.clone().into()),
            ShareName: share.into(),
            AccessMask: "0x1".into(),
            ..SecurityEvent::default()
        };
        self.log(time, computer, SHARE, row);
    }

    fn ticket(&mut self, rng: &mut Rng, (time, computer): (Micros, &Computer), user: &User) {
        let service = *rng.favour(&[
            "SRV-FS01$",
            "SRV-DC01$",
            "SRV-MAIL01$",
            "SRV-APP01$",
            "SRV-PRN01$",
        ]);
        let row = SecurityEvent {
            TargetUserName: user.upn.clone().into(),
            TargetDomainName: NETBIOS.into(),
            ServiceName: service.into(),
            IpAddress: user.computer.address.clone().into(),
            Status: "0x0".into(),
            ..SecurityEvent::default()
        };
        self.log(time, computer, KERBEROS, row);
    }
}

pub(crate) fn session_id(rng: &mut Rng) -> Text {
    format!("0x{}", rng.hex(7)).into()
}

fn logon_row(rng: &mut Rng, logon: &Logon<'_>) -> SecurityEvent {
    let address = logon
        .from
        .map_or("127.0.0.1".into(), |from| from.address.clone().into());
    let machine = logon.account.ends_with('$');
    SecurityEvent {
        Account: format!("{NETBIOS}\\{}", logon.account).into(),
        AccountType: if machine { "Machine" } else { "User" }.into(),
        SubjectUserName: "-".into(),
        SubjectUserSid: "S-1-0-0".into(),
        TargetUserName: logon.account.clone(),
        TargetDomainName: NETBIOS.into(),
        TargetUserSid: logon.sid.clone(),
        TargetLogonId: session_id(rng),
        LogonType: Some(logon.kind),
        LogonTypeName: logon_type_name(logon.kind).into(),
        LogonProcessName: if logon.package == "Kerberos" {
            "Kerberos"
        } else {
            "User32"
        }
        .into(),
        AuthenticationPackageName: logon.package.into(),
        WorkstationName: logon
            .from
            .map_or(Text::default(), |from| from.name.clone().into()),
        IpAddress: address,
        IpPort: rng.range(49_152, 65_535).to_string().into(),
        ..SecurityEvent::default()
    }
}
