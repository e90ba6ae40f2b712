//! What people's computers do on an ordinary day: programs, connections and name lookups, with the noise that makes
//! hunting hard: scripts of administrators, macros that start shells, agents that call home like clockwork.

use crate::company::{Company, Department, Shift, User};
use crate::rng::Rng;
use crate::time::{DAY, DAYS, HOUR, MINUTE, Micros, SECOND, START};
use crate::week::{Actor, Process, Program, Remote, Week, resolver};

pub(crate) const SYSTEM32: &str = "C:\\Windows\\System32";
const OFFICE16: &str = "C:\\Program Files\\Microsoft Office\\root\\Office16";

pub(crate) const EXPLORER: Program = Program::new("C:\\Windows", "explorer.exe");
pub(crate) const SERVICES: Program = Program::new(SYSTEM32, "services.exe");
pub(crate) const SVCHOST: Program = Program::new(SYSTEM32, "svchost.exe");
pub(crate) const CMD: Program = Program::new(SYSTEM32, "cmd.exe");
pub(crate) const RUNDLL32: Program = Program::new(SYSTEM32, "rundll32.exe");
pub(crate) const POWERSHELL: Program = Program::new(
    "C:\\Windows\\System32\\WindowsPowerShell\\v1.0",
    "powershell.exe",
);
pub(crate) const OUTLOOK: Program = Program::new(OFFICE16, "OUTLOOK.EXE");
pub(crate) const WINWORD: Program = Program::new(OFFICE16, "WINWORD.EXE");
const EXCEL: Program = Program::new(OFFICE16, "EXCEL.EXE");
pub(crate) const EDGE: Program = Program::new(
    "C:\\Program Files (x86)\\Microsoft\\Edge\\Application",
    "msedge.exe",
);
const TEAMS: Program = Program::new("C:\\Program Files\\WindowsApps\\MSTeams", "ms-teams.exe");
const FREIGHT: Program = Program::new("C:\\Program Files\\Freight Desk", "FreightDesk.exe");
const TASKHOST: Program = Program::new(SYSTEM32, "taskhostw.exe");
const BROKER: Program = Program::new(SYSTEM32, "RuntimeBroker.exe");
const BACKGROUND: Program = Program::new(SYSTEM32, "backgroundTaskHost.exe");
const CONHOST: Program = Program::new(SYSTEM32, "conhost.exe");
const CODE: Program = Program::new("C:\\Program Files\\Microsoft VS Code", "Code.exe");
const GIT: Program = Program::new("C:\\Program Files\\Git\\cmd", "git.exe");
const AGENT: Program = Program::new("C:\\Program Files\\Fleet Agent", "fleetagent.exe");

/// Names on the internet that people's programs ask for, the most frequent first, with the address each has.
const SITES: [(&str, &str); 16] = [
    ("outlook.office.example", "192.0.2.10"),
    ("teams.office.example", "192.0.2.11"),
    ("sharepoint.office.example", "192.0.2.12"),
    ("login.identity.example", "192.0.2.13"),
    ("search.example", "192.0.2.20"),
    ("freightdesk.example", "192.0.2.30"),
    ("news.example", "192.0.2.40"),
    ("cdn.news.example", "192.0.2.41"),
    ("portcalls.example", "192.0.2.50"),
    ("customs.example", "192.0.2.51"),
    ("weather.example", "192.0.2.60"),
    ("video.example", "192.0.2.61"),
    ("maps.example", "192.0.2.62"),
    ("bank.example", "192.0.2.63"),
    ("shop.example", "192.0.2.64"),
    ("social.example", "192.0.2.65"),
];

/// The update and telemetry services of an operating system.
const SERVICE_SITES: [(&str, &str); 4] = [
    ("update.windows.example", "192.0.2.14"),
    ("telemetry.windows.example", "192.0.2.15"),
    ("defender.windows.example", "192.0.2.16"),
    ("time.windows.example", "192.0.2.17"),
];

/// A user at a computer, and the processes that are always there.
struct Desk<'a> {
    company: &'a Company,
    user: &'a User,
    actor: Actor,
    explorer: Process,
    svchost: Process,
}

/// Fills processes, connections and DNS for everyone's computer.
pub(crate) fn ordinary(seed: u64, company: &Company, week: &mut Week) {
    for user in &company.users {
        for day in 0..DAYS {
            let mut rng = Rng::of(seed, "desktop", &[user.index, day]);
            let desk = Desk::new(&mut rng, company, user);
            let midnight = START + day as i64 * DAY;
            desk.idle(&mut rng, midnight, week);
            if let Some(shift) = company.shift(seed, user, day) {
                desk.working_day(&mut rng, &shift, week);
            }
        }
    }
}

impl<'a> Desk<'a> {
    fn new(rng: &mut Rng, company: &'a Company, user: &'a User) -> Desk<'a> {
        let explorer = Process {
            parent: "userinit.exe".into(),
            ..Process::new(rng, &EXPLORER, "C:\\Windows\\Explorer.EXE")
        };
        let svchost = Process::new(
            rng,
            &SVCHOST,
            "C:\\Windows\\system32\\svchost.exe -k netsvcs -p -s Schedule",
        );
        Desk {
            company,
            user,
            actor: Actor::of(user),
            explorer,
            svchost,
        }
    }

    /// What the computer does by itself, day and night.
    fn idle(&self, rng: &mut Rng, midnight: Micros, week: &mut Week) {
        let system = Actor::system();
        for _ in 0..rng.about(9.0) {
            let time = midnight + rng.range(0, DAY);
            let program = *rng.favour(&[TASKHOST, BACKGROUND, BROKER]);
            week.start(
                rng,
                (time, &self.user.computer, &system),
                &self.svchost,
                &program,
                program.file,
            );
        }
        let agent = Process::new(
            rng,
            &AGENT,
            "\"C:\\Program Files\\Fleet Agent\\fleetagent.exe\" --service",
        );
        // Each computer has its own minute, the same every day.
        let mut time = midnight + (self.user.index as i64 * 7 % 30) * MINUTE;
        while time < midnight + DAY {
            // The fleet agent is as regular as any implant, and everyone has it.
            let late = rng.range(0, 2 * SECOND);
            self.visit(
                rng,
                (time + late, &system),
                &agent,
                ("fleet.haldenfreight.example", "10.20.0.15"),
                week,
            );
            time += 30 * MINUTE;
        }
        for _ in 0..rng.about(8.0) {
            let site = *rng.favour(&SERVICE_SITES);
            let time = midnight + rng.range(0, DAY);
            self.visit(rng, (time, &system), &self.svchost, site, week);
        }
    }

    fn working_day(&self, rng: &mut Rng, shift: &Shift, week: &mut Week) {
        let (begin, end) = (shift.begin, shift.end);
        let open = self.open_programs(rng, begin, week);
        for _ in 0..rng.about(62.0) {
            let time = rng.range(begin, end);
            let (process, _) = rng.favour(&open).clone();
            let site = *rng.favour(&SITES);
            self.visit(rng, (time, &self.actor), &process, site, week);
        }
        for _ in 0..rng.about(12.0) {
            let time = rng.range(begin, end);
            self.file_server(rng, time, week);
        }
        for _ in 0..rng.about(34.0) {
            let time = rng.range(begin, end);
            self.activity(rng, time, &open, week);
        }
        self.special(rng, begin, end, week);
        self.mistyped_name(rng, begin, end, week);
    }

    /// The programs that stay open all day.
    fn open_programs(
        &self,
        rng: &mut Rng,
        begin: Micros,
        week: &mut Week,
    ) -> Vec<(Process, Program)> {
        let mut programs = vec![EDGE, OUTLOOK, TEAMS];
        programs.push(match self.user.department {
            Department::Finance | Department::Hr | Department::Legal => EXCEL,
            Department::Engineering | Department::It => CODE,
            Department::Operations | Department::Sales => FREIGHT,
        });
        let mut time = begin;
        let mut open = Vec::new();
        for program in programs {
            time += rng.range(5, 240) * SECOND;
            let command = format!("\"{}\"", program.path());
            let process = week.start(
                rng,
                (time, &self.user.computer, &self.actor),
                &self.explorer,
                &program,
                command,
            );
            open.push((process, program));
        }
        open
    }

    /// A lookup (unless it is still cached) and a connection.
    fn visit(
        &self,
        rng: &mut Rng,
        (time, actor): (Micros, &Actor),
        process: &Process,
        (name, address): (&str, &'static str),
        week: &mut Week,
    ) {
        let computer = &self.user.computer;
        if rng.chance(0.8) {
            week.query(
                resolver(self.company, rng),
                computer,
                time - rng.range(5, 60) * 1_000,
                name,
                address,
            );
        }
        let remote = Remote {
            address: address.into(),
            port: 443,
            url: name,
        };
        week.connect(rng, (time, computer, actor), process, &remote);
    }

    fn file_server(&self, rng: &mut Rng, time: Micros, week: &mut Week) {
        let server = self
            .company
            .server(if rng.chance(0.7) { "FS01" } else { "FS02" });
        let system = Process {
            file: "System".into(),
            path: "".into(),
            id: 4,
            command: "".into(),
            parent: "".into(),
        };
        let name = server.full();
        let remote = Remote {
            address: server.address.clone().into(),
            port: 445,
            url: &name,
        };
        week.connect(
            rng,
            (time, &self.user.computer, &Actor::system()),
            &system,
            &remote,
        );
    }

    /// A process of the kind that comes and goes.
    fn activity(&self, rng: &mut Rng, time: Micros, open: &[(Process, Program)], week: &mut Week) {
        let at = (time, &self.user.computer, &self.actor);
        let (parent, program) = rng.pick(open).clone();
        if program.file == EDGE.file || program.file == TEAMS.file || rng.chance(0.45) {
            let (edge, _) = &open[0];
            let kind = *rng.favour(&["renderer", "utility", "gpu-process"]);
            let command = format!(
                "\"{}\" --type={kind} --field-trial-handle={}",
                EDGE.path(),
                rng.below(90_000)
            );
            week.start(rng, at, edge, &EDGE, command);
        } else if program.file == CODE.file {
            let verb = *rng.pick(&[
                "status -z -uall",
                "fetch",
                "log -1 --format=%H",
                "rev-parse --show-toplevel",
            ]);
            week.start(rng, at, &parent, &GIT, format!("git.exe {verb}"));
        } else if program.file == OUTLOOK.file {
            let file = *rng.pick(&[
                "manifest", "rates", "booking", "invoice", "planning", "minutes",
            ]);
            let number = rng.range(1_000, 9_999);
            let (program, ending) = *rng.pick(&[(WINWORD, "docx"), (EXCEL, "xlsx")]);
            let folder = format!(
                "{}\\AppData\\Local\\Microsoft\\Windows\\INetCache\\Content.Outlook",
                self.user.profile()
            );
            let command = format!(
                "\"{}\" /n \"{folder}\\{file}_{number}.{ending}\"",
                program.path()
            );
            week.start(rng, at, &parent, &program, command);
        } else {
            let program = *rng.favour(&[BROKER, BACKGROUND, CONHOST]);
            week.start(
                rng,
                at,
                &self.svchost,
                &program,
                format!("{} -Embedding", program.path()),
            );
        }
    }

    /// What some departments do that looks bad and is not.
    fn special(&self, rng: &mut Rng, begin: Micros, end: Micros, week: &mut Week) {
        let at = (rng.range(begin, end), &self.user.computer, &self.actor);
        match self.user.department {
            Department::Finance if rng.chance(0.4) => {
                // The month's rates come in by a macro that somebody wrote years ago.
                let book = format!(
                    "\"{}\" /dde \\\\SRV-FS01\\finance\\rates.xlsm",
                    EXCEL.path()
                );
                let excel = week.start(rng, at, &self.explorer, &EXCEL, book);
                let at = (at.0 + 8 * SECOND, at.1, at.2);
                week.start(
                    rng,
                    at,
                    &excel,
                    &CMD,
                    "cmd.exe /c \\\\SRV-FS01\\finance\\tools\\refresh.bat /quiet",
                );
            }
            Department::It => self.administration(rng, begin, end, week),
            _ => {}
        }
    }

    /// An administrator's scripts.
    fn administration(&self, rng: &mut Rng, begin: Micros, end: Micros, week: &mut Week) {
        const SCRIPTS: [&str; 5] = [
            "powershell.exe -NoProfile -File C:\\Scripts\\Get-DiskReport.ps1",
            "powershell.exe -NoProfile -Command \"Get-ADUser -Filter * -Properties LastLogonDate\"",
            "powershell.exe -ExecutionPolicy Bypass -File \\\\SRV-MGT01\\scripts\\Install-Agent.ps1",
            "powershell.exe -NoProfile -Command \"Invoke-Command -ComputerName SRV-WEB01 -ScriptBlock { Get-Service }\"",
            "powershell.exe -Command \"Get-WinEvent -LogName Security -MaxEvents 200\"",
        ];
        for _ in 0..rng.about(5.0) {
            let at = (rng.range(begin, end), &self.user.computer, &self.actor);
            let shell = week.start(
                rng,
                at,
                &self.explorer,
                &CMD,
                "\"C:\\Windows\\system32\\cmd.exe\"",
            );
            let at = (at.0 + rng.range(3, 90) * SECOND, at.1, at.2);
            let script = *rng.pick(&SCRIPTS);
            week.start(rng, at, &shell, &POWERSHELL, script);
        }
    }

    /// Names that do not exist: typing errors, and the suffixes that Windows tries.
    fn mistyped_name(&self, rng: &mut Rng, begin: Micros, end: Micros, week: &mut Week) {
        const NAMES: [&str; 6] = [
            "wpad",
            "printer-3rd-floor",
            "srv-fs03",
            "intranet-old",
            "outlok.office.example",
            "isatap",
        ];
        for _ in 0..rng.about(5.0) {
            let name = *rng.favour(&NAMES);
            let full = if name.contains('.') {
                name.to_owned()
            } else {
                format!("{name}.haldenfreight.example")
            };
            let time = rng.range(begin, end);
            week.query(
                resolver(self.company, rng),
                &self.user.computer,
                time,
                &full,
                "",
            );
        }
    }
}

/// An hour of the week, for what runs on the hour.
pub(crate) fn hours() -> impl Iterator<Item = Micros> {
    (0..DAYS as i64 * 24).map(|hour| START + hour * HOUR)
}
