//! The week's events while they are being made: a list for each table, and the few ways in which rows are filled.

use crate::company::{Company, Computer, DOMAIN, NETBIOS, User};
use crate::rng::Rng;
use crate::tables::{
    CommonSecurityLog, DeviceNetworkEvents, DeviceProcessEvents, DnsEvents, SecurityAlert,
    SecurityEvent, SigninLogs, Text, Time,
};
use crate::time::{END, Micros, START};

/// All events so far.
#[derive(Default)]
pub(crate) struct Week {
    pub(crate) signins: Vec<SigninLogs>,
    pub(crate) security: Vec<SecurityEvent>,
    pub(crate) processes: Vec<DeviceProcessEvents>,
    pub(crate) network: Vec<DeviceNetworkEvents>,
    pub(crate) dns: Vec<DnsEvents>,
    pub(crate) firewall: Vec<CommonSecurityLog>,
    pub(crate) alerts: Vec<SecurityAlert>,
}

/// A program: where it lies and how it is called.
#[derive(Clone, Copy)]
pub(crate) struct Program {
    pub(crate) folder: &'static str,
    pub(crate) file: &'static str,
}

impl Program {
    pub(crate) const fn new(folder: &'static str, file: &'static str) -> Program {
        Program { folder, file }
    }

    pub(crate) fn path(&self) -> String {
        format!("{}\\{}", self.folder, self.file)
    }
}

/// A process that starts another or opens a connection.
#[derive(Clone)]
pub(crate) struct Process {
    pub(crate) file: Text,
    pub(crate) path: Text,
    pub(crate) id: i64,
    pub(crate) command: Text,
    /// The file name of its own parent.
    pub(crate) parent: Text,
}

impl Process {
    /// A process of a program, with an id of its own.
    pub(crate) fn new(rng: &mut Rng, program: &Program, command: impl Into<Text>) -> Process {
        Process {
            file: program.file.into(),
            path: program.path().into(),
            id: process_id(rng),
            command: command.into(),
            parent: "services.exe".into(),
        }
    }
}

pub(crate) fn process_id(rng: &mut Rng) -> i64 {
    rng.range(250, 8_000) * 4
}

/// Who runs a process or signs in.
#[derive(Clone)]
pub(crate) struct Actor {
    pub(crate) domain: Text,
    pub(crate) name: Text,
    pub(crate) upn: Text,
    pub(crate) integrity: &'static str,
}

impl Actor {
    pub(crate) fn of(user: &User) -> Actor {
        Actor {
            domain: NETBIOS.into(),
            name: user.account.clone().into(),
            upn: user.upn.clone().into(),
            integrity: if user.is_admin() { "High" } else { "Medium" },
        }
    }

    pub(crate) fn system() -> Actor {
        Actor {
            domain: "NT AUTHORITY".into(),
            name: "system".into(),
            upn: "".into(),
            integrity: "System",
        }
    }

    pub(crate) fn service(account: &'static str) -> Actor {
        let upn = format!("{account}@{DOMAIN}").into();
        Actor {
            domain: NETBIOS.into(),
            name: account.into(),
            upn,
            integrity: "High",
        }
    }
}

impl Week {
    /// Records that `parent` started `program`, and gives the new process.
    pub(crate) fn start(
        &mut self,
        rng: &mut Rng,
        (time, computer, actor): (Micros, &Computer, &Actor),
        parent: &Process,
        program: &Program,
        command: impl Into<Text>,
    ) -> Process {
        let process = Process {
            parent: parent.file.clone(),
            ..Process::new(rng, program, command)
        };
        if in_week(time) {
            let row = process_row(rng, (time, computer, actor), parent, &process);
            self.processes.push(row);
        }
        process
    }

    /// Records a connection that `process` opened.
    pub(crate) fn connect(
        &mut self,
        rng: &mut Rng,
        (time, computer, actor): (Micros, &Computer, &Actor),
        process: &Process,
        remote: &Remote<'_>,
    ) {
        if !in_week(time) {
            return;
        }
        self.network.push(DeviceNetworkEvents {
            TimeGenerated: Time(time),
            DeviceName: computer.full().into(),
            DeviceId: computer.id.clone().into(),
            ActionType: "ConnectionSuccess".into(),
            LocalIP: computer.address.clone().into(),
            LocalPort: Some(rng.range(49_152, 65_535) as i32),
            RemoteIP: remote.address.clone(),
            RemotePort: Some(remote.port),
            RemoteUrl: remote.url.to_owned().into(),
            RemoteIPType: if remote.address.starts_with("10.") {
                "Private"
            } else {
                "Public"
            }
            .into(),
            Protocol: "Tcp".into(),
            InitiatingProcessAccountName: actor.name.clone(),
            InitiatingProcessFileName: process.file.clone(),
            InitiatingProcessFolderPath: process.path.clone(),
            InitiatingProcessId: Some(process.id),
            InitiatingProcessCommandLine: process.command.clone(),
            ReportId: Some(rng.range(1_000, 900_000)),
            Type: "DeviceNetworkEvents".into(),
            ..DeviceNetworkEvents::default()
        });
    }

    /// Records a DNS query; no addresses mean that the name does not exist.
    pub(crate) fn query(
        &mut self,
        server: &Computer,
        client: &Computer,
        time: Micros,
        name: &str,
        answer: &str,
    ) {
        if !in_week(time) {
            return;
        }
        let found = !answer.is_empty();
        self.dns.push(DnsEvents {
            TimeGenerated: Time(time),
            Computer: server.dotted().into(),
            ClientIP: client.address.clone().into(),
            Name: name.to_owned().into(),
            QueryType: "A".into(),
            ResultCode: Some(if found { 0 } else { 3 }),
            Result: if found { "Success" } else { "NXDOMAIN" }.into(),
            IPAddresses: answer.to_owned().into(),
            SubType: "LookupQuery".into(),
            EventId: Some(256),
            Type: "DnsEvents".into(),
        });
    }

    /// Records a row of the Security log; `event` is its id and what it is called.
    pub(crate) fn log(
        &mut self,
        time: Micros,
        computer: &Computer,
        event: (i32, &'static str),
        row: SecurityEvent,
    ) {
        if !in_week(time) {
            return;
        }
        self.security.push(SecurityEvent {
            TimeGenerated: Time(time),
            Computer: computer.dotted().into(),
            EventID: Some(event.0),
            Activity: event.1.into(),
            Channel: "Security".into(),
            EventSourceName: "Microsoft-Windows-Security-Auditing".into(),
            Type: "SecurityEvent".into(),
            ..row
        });
    }

    /// Orders every table by time. Events of one instant stay in the order in which they were made.
    pub(crate) fn sort(&mut self) {
        self.signins.sort_by_key(|row| row.TimeGenerated);
        self.security.sort_by_key(|row| row.TimeGenerated);
        self.processes.sort_by_key(|row| row.TimeGenerated);
        self.network.sort_by_key(|row| row.TimeGenerated);
        self.dns.sort_by_key(|row| row.TimeGenerated);
        self.firewall.sort_by_key(|row| row.TimeGenerated);
        self.alerts.sort_by_key(|row| row.TimeGenerated);
    }
}

/// The far end of a connection.
pub(crate) struct Remote<'a> {
    pub(crate) address: Text,
    pub(crate) port: i32,
    /// The name it was asked for by; empty where there was none.
    pub(crate) url: &'a str,
}

pub(crate) fn in_week(time: Micros) -> bool {
    (START..END).contains(&time)
}

fn process_row(
    rng: &mut Rng,
    (time, computer, actor): (Micros, &Computer, &Actor),
    parent: &Process,
    process: &Process,
) -> DeviceProcessEvents {
    DeviceProcessEvents {
        TimeGenerated: Time(time),
        DeviceName: computer.full().into(),
        DeviceId: computer.id.clone().into(),
        ActionType: "ProcessCreated".into(),
        AccountDomain: actor.domain.clone(),
        AccountName: actor.name.clone(),
        AccountUpn: actor.upn.clone(),
        FileName: process.file.clone(),
        FolderPath: process.path.clone(),
        ProcessId: Some(process.id),
        ProcessCommandLine: process.command.clone(),
        ProcessCreationTime: Time(time),
        ProcessIntegrityLevel: actor.integrity.into(),
        SHA256: hash_of(&process.path).into(),
        InitiatingProcessAccountName: actor.name.clone(),
        InitiatingProcessFileName: parent.file.clone(),
        InitiatingProcessFolderPath: parent.path.clone(),
        InitiatingProcessId: Some(parent.id),
        InitiatingProcessCommandLine: parent.command.clone(),
        InitiatingProcessParentFileName: parent.parent.clone(),
        ReportId: Some(rng.range(1_000, 900_000)),
        Type: "DeviceProcessEvents".into(),
    }
}

/// What stands for a file's SHA-256: the same for the same file name, whatever the computer.
pub(crate) fn hash_of(path: &str) -> String {
    let file = path.rsplit('\\').next().unwrap_or(path).to_lowercase();
    Rng::of(0, &file, &[]).hex(64)
}

/// The domain controller that answers a computer's DNS queries.
pub(crate) fn resolver<'a>(company: &'a Company, rng: &mut Rng) -> &'a Computer {
    company.controller(rng)
}
