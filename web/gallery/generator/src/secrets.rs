//! Passwords and keys that people left on command lines, as they do: what the credential scan is there to find. None of
//! them opens anything.

use crate::company::{Company, Department, User};
use crate::desktops::{CMD, EXPLORER, POWERSHELL, SERVICES, SYSTEM32};
use crate::rng::Rng;
use crate::time::{SECOND, at};
use crate::week::{Actor, Process, Program, Week};

const NET: Program = Program::new(SYSTEM32, "net.exe");
const SCHTASKS: Program = Program::new(SYSTEM32, "schtasks.exe");
const CURL: Program = Program::new(SYSTEM32, "curl.exe");
const SQLCMD: Program = Program::new(
    "C:\\Program Files\\Microsoft SQL Server\\170\\Tools\\Binn",
    "sqlcmd.exe",
);
const PSEXEC: Program = Program::new("C:\\Tools\\Sysinternals", "PsExec64.exe");
const PROCDUMP: Program = Program::new("C:\\Tools\\Sysinternals", "procdump64.exe");
const MYSQL: Program = Program::new("C:\\Program Files\\MySQL\\bin", "mysql.exe");
const GIT: Program = Program::new("C:\\Program Files\\Git\\cmd", "git.exe");

/// Who, by department and place in it; when, as day, hour, minute; and what.
pub(crate) type Leak = (Department, usize, (i64, i64, i64), Program, &'static str);

pub(crate) const LEAKS: [Leak; 11] = [
    (
        Department::It,
        0,
        (0, 9, 12),
        NET,
        "net use Z: \\\\SRV-FS01\\backup$ /user:HALDEN\\svc-backup Vault-Winter-2025",
    ),
    (
        Department::It,
        3,
        (0, 13, 40),
        SCHTASKS,
        "schtasks.exe /create /tn Inventory /tr C:\\Scripts\\inv.cmd /sc daily /ru HALDEN\\svc-deploy /rp Depl0y.Me.Daily",
    ),
    (
        Department::It,
        5,
        (1, 10, 5),
        PSEXEC,
        "PsExec64.exe \\\\SRV-WEB01 -u HALDEN\\svc-deploy -p Depl0y.Me.Daily cmd.exe /c iisreset",
    ),
    (
        Department::It,
        7,
        (2, 14, 21),
        PROCDUMP,
        "procdump64.exe -accepteula -ma sqlservr.exe C:\\Dumps\\sqlservr.dmp",
    ),
    (
        Department::Engineering,
        1,
        (1, 11, 48),
        SQLCMD,
        "sqlcmd.exe -S SRV-SQL01 -U rates_report -P R4tes#Report -Q \"SELECT TOP 10 * FROM rates\"",
    ),
    (
        Department::Engineering,
        4,
        (2, 9, 33),
        CURL,
        "curl.exe -u ci-bot:tug-Harbour-77 https://builds.haldenfreight.example/api/v2/jobs",
    ),
    (
        Department::Engineering,
        6,
        (3, 15, 2),
        CURL,
        "curl.exe -H \"Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJkZW1vIn0.c2lnbmF0dXJlLW9mLWEtZGVtbw\" https://freightdesk.example/api/bookings",
    ),
    (
        Department::Engineering,
        9,
        (4, 10, 27),
        MYSQL,
        "mysql.exe --host=srv-app01 --user=tracker --password=Moor1ngLine tracker",
    ),
    (
        Department::Engineering,
        11,
        (1, 16, 9),
        GIT,
        "git.exe clone https://deploy:glx-7f3K9sQ2mVt8@code.haldenfreight.example/freight/tracker.git",
    ),
    (
        Department::Finance,
        9,
        (3, 8, 55),
        NET,
        "net use \\\\SRV-FS02\\payroll /user:HALDEN\\payroll Salaris!Maart",
    ),
    (
        Department::Operations,
        17,
        (4, 7, 41),
        POWERSHELL,
        "powershell.exe -Command \"$p = ConvertTo-SecureString 'Quay-Side-12' -AsPlainText -Force; New-Object PSCredential('HALDEN\\\\portcall', $p)\"",
    ),
];

/// Adds them to the computers of those who typed them, and one to a server's nightly job.
pub(crate) fn leaks(seed: u64, company: &Company, week: &mut Week) {
    let mut rng = Rng::of(seed, "leaks", &[]);
    for (department, nth, (day, hour, minute), program, command) in LEAKS {
        let mut members = company
            .users
            .iter()
            .filter(|user| user.department == department);
        let Some(user) = members.nth(nth) else {
            continue;
        };
        let time = at(day, hour, minute, 0) + rng.range(0, 55) * SECOND;
        typed(&mut rng, user, time, &program, command, week);
    }
    nightly_job(&mut rng, company, week);
}

fn typed(
    rng: &mut Rng,
    user: &User,
    time: i64,
    program: &Program,
    command: &'static str,
    week: &mut Week,
) {
    let actor = Actor::of(user);
    let explorer = Process::new(rng, &EXPLORER, "C:\\Windows\\Explorer.EXE");
    let shell = week.start(
        rng,
        (time - 20 * SECOND, &user.computer, &actor),
        &explorer,
        &CMD,
        "\"C:\\Windows\\system32\\cmd.exe\"",
    );
    week.start(
        rng,
        (time, &user.computer, &actor),
        &shell,
        program,
        command,
    );
}

/// The same password every night, in the Security log of the application server as well.
fn nightly_job(rng: &mut Rng, company: &Company, week: &mut Week) {
    let server = company.server("APP01");
    let account = Actor::service("svc-sql");
    let services = Process::new(rng, &SERVICES, "C:\\Windows\\system32\\services.exe");
    for day in 0..7 {
        let time = at(day, 2, 30, 0) + rng.range(0, 20) * SECOND;
        let command =
            "sqlcmd.exe -S SRV-SQL01 -U nightly_load -P L0ad-Every-Night -i D:\\Jobs\\load.sql";
        week.start(rng, (time, server, &account), &services, &SQLCMD, command);
    }
}
