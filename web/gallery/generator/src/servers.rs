//! What servers do around the clock: services, scheduled tasks, the management agent's encoded scripts, backups.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::company::{Company, Computer, SERVICE_ACCOUNTS};
use crate::desktops::{CMD, POWERSHELL, SERVICES, SVCHOST, SYSTEM32, hours};
use crate::rng::Rng;
use crate::time::{HOUR, MINUTE, SECOND};
use crate::week::{Actor, Process, Program, Remote, Week, resolver};

const MONITOR: Program = Program::new("C:\\Program Files\\Host Monitor", "hostmon.exe");
pub(crate) const BACKUP: Program =
    Program::new("C:\\Program Files\\Vault Backup", "vaultbackup.exe");
const WMIPRVSE: Program = Program::new("C:\\Windows\\System32\\wbem", "WmiPrvSE.exe");
const TASKHOST: Program = Program::new(SYSTEM32, "taskhostw.exe");

/// PowerShell's `-EncodedCommand`: the script's UTF-16 in base64.
pub(crate) fn encoded(script: &str) -> String {
    let bytes: Vec<u8> = script.encode_utf16().flat_map(u16::to_le_bytes).collect();
    STANDARD.encode(bytes)
}

/// Fills processes, connections and DNS for every server.
pub(crate) fn ordinary(seed: u64, company: &Company, week: &mut Week) {
    for (index, server) in company.servers.iter().enumerate() {
        let mut rng = Rng::of(seed, "server", &[index as u64]);
        let services = Process {
            parent: "wininit.exe".into(),
            ..Process::new(&mut rng, &SERVICES, "C:\\Windows\\system32\\services.exe")
        };
        let svchost = Process::new(
            &mut rng,
            &SVCHOST,
            "C:\\Windows\\system32\\svchost.exe -k netsvcs -p",
        );
        let monitor = Process::new(
            &mut rng,
            &MONITOR,
            "\"C:\\Program Files\\Host Monitor\\hostmon.exe\" -run",
        );
        for hour in hours() {
            housekeeping(&mut rng, (hour, server), &svchost, week);
            telemetry(&mut rng, company, (hour, server), &monitor, week);
            if rng.chance(0.2) {
                managed_script(&mut rng, (hour, server), &services, week);
            }
        }
    }
    backups(seed, company, week);
}

fn housekeeping(
    rng: &mut Rng,
    (hour, server): (i64, &Computer),
    svchost: &Process,
    week: &mut Week,
) {
    let system = Actor::system();
    for _ in 0..rng.about(5.0) {
        let program = *rng.pick(&[TASKHOST, WMIPRVSE, SVCHOST]);
        let time = hour + rng.range(0, HOUR);
        week.start(
            rng,
            (time, server, &system),
            svchost,
            &program,
            started_as(&program),
        );
    }
}

fn started_as(program: &Program) -> String {
    if program.file == SVCHOST.file {
        return format!("{} -k netsvcs -p -s Schedule", program.path());
    }
    program.path()
}

/// The monitoring agent reports every five minutes to one address on the internet: a beacon, and an honest one.
fn telemetry(
    rng: &mut Rng,
    company: &Company,
    (hour, server): (i64, &Computer),
    monitor: &Process,
    week: &mut Week,
) {
    let name = "intake.hostmonitor.example";
    for slot in 0..12 {
        let time = hour + slot * 5 * MINUTE + rng.range(0, SECOND);
        if slot % 3 == 0 {
            week.query(
                resolver(company, rng),
                server,
                time - 20_000,
                name,
                "192.0.2.80",
            );
        }
        let remote = Remote {
            address: "192.0.2.80".into(),
            port: 443,
            url: name,
        };
        week.connect(rng, (time, server, &Actor::system()), monitor, &remote);
    }
}

/// The management agent runs its inventory as an encoded command: what an attacker does too, so encoding alone is no
/// finding.
fn managed_script(
    rng: &mut Rng,
    (hour, server): (i64, &Computer),
    services: &Process,
    week: &mut Week,
) {
    let deploy = Actor::service("svc-deploy");
    let agent = Process {
        file: "fleetagent.exe".into(),
        path: "C:\\Program Files\\Fleet Agent\\fleetagent.exe".into(),
        command: "\"C:\\Program Files\\Fleet Agent\\fleetagent.exe\" --service".into(),
        ..services.clone()
    };
    let script = *rng.pick(&[
        "Get-CimInstance Win32_Product | Select-Object Name, Version | ConvertTo-Json",
        "Get-HotFix | Sort-Object InstalledOn | Select-Object -Last 5 | ConvertTo-Json",
        "Get-Volume | Select-Object DriveLetter, SizeRemaining | ConvertTo-Json",
    ]);
    let command = format!(
        "powershell.exe -NoProfile -NonInteractive -EncodedCommand {}",
        encoded(script)
    );
    let time = hour + rng.range(0, HOUR);
    week.start(rng, (time, server, &deploy), &agent, &POWERSHELL, command);
}

/// Every night at one the backup server fetches from the others.
fn backups(seed: u64, company: &Company, week: &mut Week) {
    let mut rng = Rng::of(seed, "backups", &[]);
    let from = company.server("BKP01");
    let account = Actor::service("svc-backup");
    let services = Process::new(&mut rng, &SERVICES, "C:\\Windows\\system32\\services.exe");
    for night in hours().step_by(24) {
        let time = night + HOUR + rng.range(0, 90) * SECOND;
        let at = (time, from, &account);
        let shell = week.start(
            &mut rng,
            at,
            &services,
            &CMD,
            "cmd.exe /c C:\\Jobs\\nightly.cmd",
        );
        for target in SERVICE_ACCOUNTS[0].targets {
            let server = company.server(target);
            let command = format!(
                "\"{}\" run --source \\\\{}\\backup$ --store E:\\Vault",
                BACKUP.path(),
                server.name
            );
            let time = time + rng.range(5, 1_800) * SECOND;
            let job = week.start(&mut rng, (time, from, &account), &shell, &BACKUP, command);
            let name = server.full();
            for part in 0..6 {
                let remote = Remote {
                    address: server.address.clone().into(),
                    port: 445,
                    url: &name,
                };
                week.connect(
                    &mut rng,
                    (time + part * 40 * SECOND, from, &account),
                    &job,
                    &remote,
                );
            }
        }
    }
}
