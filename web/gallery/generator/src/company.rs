//! The company whose week it is: Halden Freight, four offices, 120 people, their computers and a dozen servers.
//!
//! All addresses and names come from what is reserved for documentation (RFC 2606, RFC 3849, RFC 5737) or for private
//! networks (RFC 1918), so nothing here points at anyone.

use crate::rng::Rng;
use crate::time::{DAY, HOUR, MINUTE, Micros, START, is_weekend};

/// The company's mail domain.
pub(crate) const DOMAIN: &str = "haldenfreight.example";
/// Its Active Directory name.
pub(crate) const NETBIOS: &str = "HALDEN";

/// An office.
pub(crate) struct Office {
    pub(crate) code: &'static str,
    pub(crate) city: &'static str,
    pub(crate) state: &'static str,
    pub(crate) country: &'static str,
    pub(crate) latitude: f64,
    pub(crate) longitude: f64,
    /// Local time less UTC.
    pub(crate) offset: Micros,
    /// The address that the office's traffic comes from.
    pub(crate) egress: &'static str,
    /// The third byte of its private network.
    pub(crate) subnet: u8,
}

pub(crate) const OFFICES: [Office; 4] = [
    Office {
        code: "RTM",
        city: "Rotterdam",
        state: "Zuid-Holland",
        country: "NL",
        latitude: 51.92,
        longitude: 4.48,
        offset: HOUR,
        egress: "198.51.100.10",
        subnet: 1,
    },
    Office {
        code: "GDN",
        city: "Gdansk",
        state: "Pomorskie",
        country: "PL",
        latitude: 54.35,
        longitude: 18.65,
        offset: HOUR,
        egress: "198.51.100.20",
        subnet: 2,
    },
    Office {
        code: "FXT",
        city: "Felixstowe",
        state: "Suffolk",
        country: "GB",
        latitude: 51.96,
        longitude: 1.35,
        offset: 0,
        egress: "198.51.100.30",
        subnet: 3,
    },
    Office {
        code: "SIN",
        city: "Singapore",
        state: "Central Singapore",
        country: "SG",
        latitude: 1.35,
        longitude: 103.82,
        offset: 8 * HOUR,
        egress: "198.51.100.40",
        subnet: 4,
    },
];

/// A department.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Department {
    Operations,
    Finance,
    Sales,
    It,
    Hr,
    Legal,
    Engineering,
}

const DEPARTMENTS: [(Department, usize); 7] = [
    (Department::Operations, 40),
    (Department::Finance, 18),
    (Department::Sales, 22),
    (Department::It, 12),
    (Department::Hr, 8),
    (Department::Legal, 6),
    (Department::Engineering, 14),
];

/// A person and the computer they work at.
pub(crate) struct User {
    pub(crate) index: u64,
    pub(crate) first: &'static str,
    pub(crate) last: &'static str,
    /// `first.last`.
    pub(crate) account: String,
    pub(crate) upn: String,
    pub(crate) id: String,
    pub(crate) sid: String,
    pub(crate) department: Department,
    pub(crate) office: &'static Office,
    /// Where they live, as far as sign-ins tell.
    pub(crate) home_address: String,
    pub(crate) computer: Computer,
}

impl User {
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.first, self.last)
    }

    /// The profile folder on their computer.
    pub(crate) fn profile(&self) -> String {
        format!("C:\\Users\\{}", self.account)
    }

    pub(crate) fn is_admin(&self) -> bool {
        self.department == Department::It
    }
}

/// A computer.
#[derive(Clone)]
pub(crate) struct Computer {
    /// The short name, upper case.
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) id: String,
}

impl Computer {
    /// The full name, lower case, as Defender writes it.
    pub(crate) fn full(&self) -> String {
        format!("{}.{DOMAIN}", self.name.to_lowercase())
    }

    /// The full name, as Windows' Security log writes it.
    pub(crate) fn dotted(&self) -> String {
        format!("{}.{DOMAIN}", self.name)
    }
}

/// What a server does, which decides what it logs.
pub(crate) const SERVERS: [&str; 12] = [
    "DC01", "DC02", "FS01", "FS02", "SQL01", "APP01", "WEB01", "MAIL01", "BKP01", "JMP01", "PRN01",
    "MGT01",
];

/// A service account and where it is at home.
pub(crate) struct ServiceAccount {
    pub(crate) name: &'static str,
    /// The server that it works from.
    pub(crate) home: &'static str,
    /// The servers that it signs in to, every hour.
    pub(crate) targets: &'static [&'static str],
}

pub(crate) const SERVICE_ACCOUNTS: [ServiceAccount; 5] = [
    ServiceAccount {
        name: "svc-backup",
        home: "BKP01",
        targets: &["FS01", "FS02", "SQL01", "APP01", "MAIL01"],
    },
    ServiceAccount {
        name: "svc-sql",
        home: "APP01",
        targets: &["SQL01"],
    },
    ServiceAccount {
        name: "svc-monitor",
        home: "MGT01",
        targets: &SERVERS,
    },
    ServiceAccount {
        name: "svc-deploy",
        home: "MGT01",
        targets: &["APP01", "WEB01", "JMP01"],
    },
    // Its password ran out long ago and nobody told the scanner.
    ServiceAccount {
        name: "svc-scan",
        home: "PRN01",
        targets: &[],
    },
];

/// Everyone and everything.
pub(crate) struct Company {
    pub(crate) users: Vec<User>,
    pub(crate) servers: Vec<Computer>,
    /// The account whose password is sprayed.
    pub(crate) sprayed: usize,
    /// The colleague who opens the document.
    pub(crate) phished: usize,
}

impl Company {
    pub(crate) fn new(seed: u64) -> Company {
        let mut rng = Rng::of(seed, "company", &[]);
        let departments = DEPARTMENTS
            .iter()
            .flat_map(|(department, count)| std::iter::repeat_n(*department, *count));
        let mut users: Vec<User> = departments
            .enumerate()
            .map(|(index, department)| user(&mut rng, index, department))
            .collect();
        let sprayed = cast(&mut users, "RTM", "Ingrid", "Vos");
        let phished = cast(&mut users, "GDN", "Tomasz", "Zielinski");
        let servers = SERVERS.iter().enumerate().map(|(at, name)| Computer {
            name: format!("SRV-{name}"),
            address: format!("10.20.0.{}", 10 + at),
            id: rng.hex(40),
        });
        Company {
            servers: servers.collect(),
            users,
            sprayed,
            phished,
        }
    }

    /// The server that is called `name`.
    pub(crate) fn server(&self, name: &str) -> &Computer {
        let at = SERVERS
            .iter()
            .position(|server| *server == name)
            .unwrap_or(0);
        &self.servers[at]
    }

    /// One of the two domain controllers.
    pub(crate) fn controller(&self, rng: &mut Rng) -> &Computer {
        &self.servers[rng.below(2) as usize]
    }
}

fn user(rng: &mut Rng, index: usize, department: Department) -> User {
    let first = FIRST[index % FIRST.len()];
    let last = LAST[(index * 11 + index / FIRST.len()) % LAST.len()];
    let office = rng.favour(&OFFICES);
    let mut user = User {
        index: index as u64,
        first,
        last,
        account: String::new(),
        upn: String::new(),
        id: rng.guid(),
        sid: format!("S-1-5-21-2741900335-1182044713-3350981127-{}", 1104 + index),
        department,
        office,
        home_address: format!(
            "2001:db8:{:x}:{}::{}",
            0x100 + u16::from(office.subnet),
            rng.hex(4),
            rng.hex(4)
        ),
        computer: Computer {
            name: format!("WS-{}-{:03}", office.code, index + 1),
            address: format!("10.20.{}.{}", office.subnet, 20 + index),
            id: rng.hex(40),
        },
    };
    user.rename(first, last);
    user
}

impl User {
    fn rename(&mut self, first: &'static str, last: &'static str) {
        (self.first, self.last) = (first, last);
        self.account = format!("{first}.{last}").to_lowercase();
        self.upn = format!("{}@{DOMAIN}", self.account);
    }
}

/// Gives the first person of an office's finance department the name that the story knows them by.
fn cast(users: &mut [User], office: &str, first: &'static str, last: &'static str) -> usize {
    let fits = |user: &User| user.department == Department::Finance && user.office.code == office;
    let at = users.iter().position(fits).unwrap_or(0);
    users[at].rename(first, last);
    at
}

/// A day at work.
pub(crate) struct Shift {
    /// In UTC.
    pub(crate) begin: Micros,
    /// In UTC.
    pub(crate) end: Micros,
    /// Whether they stay at home.
    pub(crate) remote: bool,
}

impl Company {
    /// When and where someone works on a day; `None` when they do not. The same for all tables.
    pub(crate) fn shift(&self, seed: u64, user: &User, day: u64) -> Option<Shift> {
        let mut rng = Rng::of(seed, "shift", &[user.index, day]);
        let in_story =
            [self.sprayed, self.phished].contains(&(user.index as usize)) && !is_weekend(day);
        let present = rng.chance(if is_weekend(day) { 0.06 } else { 0.94 });
        if !present && !in_story {
            return None;
        }
        let begin = rng.normal(8.6, 0.4).max(6.0);
        let length = rng.normal(8.7, 0.6).max(4.0);
        let begin = START + day as i64 * DAY + (begin * 60.0) as i64 * MINUTE - user.office.offset;
        Some(Shift {
            begin,
            end: begin + (length * 60.0) as i64 * MINUTE,
            remote: rng.chance(0.3) && !in_story,
        })
    }
}

const FIRST: [&str; 40] = [
    "Anna", "Bram", "Carla", "Daan", "Ewa", "Femke", "Grzegorz", "Hanneke", "Ian", "Julia",
    "Kamil", "Lotte", "Mei", "Niels", "Olga", "Pieter", "Rachel", "Sander", "Teresa", "Umar",
    "Vera", "Wei", "Yara", "Zofia", "Adam", "Beth", "Chris", "Dorota", "Erik", "Fatima", "George",
    "Hui", "Iris", "Jakub", "Karin", "Liam", "Marek", "Nora", "Oliver", "Priya",
];

const LAST: [&str; 48] = [
    "Bakker",
    "Nowak",
    "Tan",
    "Smith",
    "Visser",
    "Kowalski",
    "Lim",
    "Jones",
    "Smit",
    "Wisniewski",
    "Lee",
    "Taylor",
    "Meijer",
    "Wojcik",
    "Ng",
    "Brown",
    "Mulder",
    "Kaminski",
    "Wong",
    "Evans",
    "Bos",
    "Lewandowski",
    "Goh",
    "Walker",
    "Peters",
    "Dabrowski",
    "Chua",
    "Wright",
    "Hendriks",
    "Kozlowski",
    "Ong",
    "Green",
    "Dekker",
    "Jankowski",
    "Koh",
    "Hall",
    "Brouwer",
    "Mazur",
    "Teo",
    "Wood",
    "Dijkstra",
    "Krawczyk",
    "Low",
    "Clarke",
    "Maas",
    "Piotrowski",
    "Sim",
    "Hughes",
];
