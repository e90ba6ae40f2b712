//! A view's rows as trees of processes: who started whom, by the columns that Sentinel and Defender give such events.
//!
//! Process ids are used again, so a parent is looked for on the same host, and of several processes of that id it is
//! the last that began before its child. What the data says need not be so: a cycle is cut where it closes, and a
//! process whose parent is not in the rows hangs below a node that only has the parent's name.

use std::collections::HashMap;

use spoor_messages::results::{Process, Processes};
use spoor_table::{Cell, Column, parse};

use crate::data::{Data, cut};
use crate::error::ResultsError;
use crate::view::Ids;
use crate::{Over, STRIDE};

/// Processes that a tree is made of at most, and those that the page gets.
const MOST: usize = 200_000;
const SHOWN: usize = 5_000;
/// Characters of a command line.
const COMMAND: usize = 400;

/// The columns that a kind of event tells of processes in; each a list of names, the first that is there counts.
struct Source {
    name: &'static str,
    id: &'static [&'static str],
    parent: &'static [&'static str],
    image: &'static [&'static str],
    parent_image: &'static [&'static str],
    command: &'static [&'static str],
}

const SOURCES: [Source; 4] = [
    Source {
        name: "Sysmon",
        id: &["ProcessGuid", "process_guid"],
        parent: &["ParentProcessGuid", "parent_process_guid"],
        image: &["Image", "process_path", "NewProcessName"],
        parent_image: &["ParentImage", "parent_process_path", "ParentProcessName"],
        command: &["CommandLine", "process_command_line"],
    },
    Source {
        name: "SecurityEvent",
        id: &["NewProcessId"],
        parent: &["ProcessId", "CreatorProcessId"],
        image: &["NewProcessName", "Process"],
        parent_image: &["ParentProcessName"],
        command: &["CommandLine"],
    },
    Source {
        name: "DeviceProcessEvents",
        id: &["ProcessId"],
        parent: &["InitiatingProcessId"],
        image: &["FileName", "FolderPath"],
        parent_image: &["InitiatingProcessFileName"],
        command: &["ProcessCommandLine"],
    },
    Source {
        name: "Processes",
        id: &["ProcessId", "pid", "process_id"],
        parent: &["ParentProcessId", "ppid", "parent_pid", "parent_process_id"],
        image: &["Image", "ProcessName", "Name", "process_name", "exe"],
        parent_image: &["ParentImage", "ParentProcessName", "parent_process_name"],
        command: &["CommandLine", "command_line", "cmdline", "Command"],
    },
];
const HOSTS: [&str; 7] = [
    "Computer",
    "DeviceName",
    "DeviceId",
    "HostName",
    "Hostname",
    "Host",
    "device",
];
const TIMES: [&str; 7] = [
    "ProcessCreationTime",
    "UtcTime",
    "Timestamp",
    "TimeGenerated",
    "TimeCreated",
    "EventTime",
    "time",
];

/// The columns of a result that a tree is made of.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Columns {
    source: &'static str,
    id: usize,
    parent: usize,
    host: Option<usize>,
    time: Option<usize>,
    image: Option<usize>,
    parent_image: Option<usize>,
    command: Option<usize>,
}

/// The columns to make a tree of, if there are any.
pub(crate) fn columns(columns: &[Column]) -> Option<Columns> {
    let find = |names: &[&str]| {
        let mut names = names.iter();
        names.find_map(|name| {
            columns
                .iter()
                .position(|c| c.name.eq_ignore_ascii_case(name))
        })
    };
    SOURCES.iter().find_map(|source| {
        Some(Columns {
            source: source.name,
            id: find(source.id)?,
            parent: find(source.parent)?,
            host: find(&HOSTS),
            time: find(&TIMES),
            image: find(source.image),
            parent_image: find(source.parent_image),
            command: find(source.command),
        })
    })
}

/// A process that a row tells of, or a parent that is only named.
#[derive(Debug)]
struct Node {
    row: Option<u32>,
    host: u32,
    id: u64,
    /// Ticks, where the row has them.
    time: Option<i64>,
    parent: Option<usize>,
}

/// A tree in the making.
pub(crate) struct Growing {
    columns: Columns,
    ids: Ids,
    next: usize,
    nodes: Vec<Node>,
    /// Each node's parent's id; 0 for none.
    parents: Vec<u64>,
    hosts: HashMap<String, u32>,
    /// Ids as numbers, 0 apart.
    names: HashMap<String, u64>,
    others: u32,
}

impl Growing {
    pub(crate) fn new(data: &Data, ids: Ids) -> Result<Self, ResultsError> {
        Ok(Self {
            columns: columns(data.columns()).ok_or(ResultsError::NoProcesses)?,
            ids,
            next: 0,
            nodes: Vec::new(),
            parents: Vec::new(),
            hosts: HashMap::new(),
            names: HashMap::new(),
            others: 0,
        })
    }

    /// Goes on; gives the trees when all rows were seen.
    pub(crate) fn advance(
        &mut self,
        data: &Data,
        over: Over<'_>,
    ) -> Result<Option<Processes>, ResultsError> {
        while self.next < self.ids.len() {
            let end = (self.next + STRIDE).min(self.ids.len());
            for place in self.next..end {
                if let Some(row) = self.ids.at(place) {
                    self.take(data, row);
                }
            }
            self.next = end;
            if self.nodes.len() > MOST {
                return Err(ResultsError::TooManyProcesses(MOST));
            }
            if over() {
                return Ok(None);
            }
        }
        self.find_parents();
        cut_cycles(&mut self.nodes);
        self.name_missing_parents();
        Ok(Some(self.flat(data)))
    }

    fn take(&mut self, data: &Data, row: u32) {
        let id = self.number(&data.text(row, self.columns.id));
        if id == 0 {
            self.others += 1;
            return;
        }
        let parent = self.number(&data.text(row, self.columns.parent));
        let host = self
            .columns
            .host
            .map_or_else(String::new, |column| data.text(row, column));
        let next = self.hosts.len() as u32;
        let host = *self.hosts.entry(host.to_lowercase()).or_insert(next);
        let time = self
            .columns
            .time
            .and_then(|column| ticks(data.cell(row, column)));
        self.nodes.push(Node {
            row: Some(row),
            host,
            id,
            time,
            parent: None,
        });
        self.parents.push(parent);
    }

    /// An id's number: the same for `0x1a4` and `420`, and for a guid with and without braces.
    fn number(&mut self, text: &str) -> u64 {
        let text = text.trim();
        if text.is_empty() {
            return 0;
        }
        let name = parse::long(text)
            .map(|number| number.to_string())
            .or_else(|| parse::guid(text))
            .unwrap_or_else(|| text.to_lowercase());
        let next = self.names.len() as u64 + 1;
        *self.names.entry(name).or_insert(next)
    }

    /// Finds each process's parent: the last of that id on that host that began before it; where none did, the first.
    fn find_parents(&mut self) {
        let mut by_id: HashMap<(u32, u64), Vec<usize>> = HashMap::new();
        let mut order: Vec<usize> = (0..self.nodes.len()).collect();
        order.sort_by_key(|at| self.nodes[*at].time);
        let mut place = vec![0; order.len()];
        for (nth, at) in order.iter().enumerate() {
            place[*at] = nth;
            let node = &self.nodes[*at];
            by_id.entry((node.host, node.id)).or_default().push(*at);
        }
        for at in 0..self.nodes.len() {
            let key = (self.nodes[at].host, self.parents[at]);
            let Some(found) = by_id.get(&key).filter(|_| key.1 != 0) else {
                continue;
            };
            let before = found.partition_point(|other| place[*other] < place[at]);
            let parent = match before.checked_sub(1) {
                Some(last) => found.get(last),
                None => found.iter().find(|other| **other != at),
            };
            self.nodes[at].parent = parent.copied().filter(|parent| {
                let times = (self.nodes[*parent].time, self.nodes[at].time);
                // A process that is known to have begun later is another one of the same id.
                !matches!(times, (Some(parent), Some(child)) if parent > child)
            });
        }
    }

    /// Gives processes whose parent is not in the rows a node for it, one for each host and id.
    fn name_missing_parents(&mut self) {
        let mut missing: HashMap<(u32, u64), usize> = HashMap::new();
        for at in 0..self.parents.len() {
            let (host, parent) = (self.nodes[at].host, self.parents[at]);
            if self.nodes[at].parent.is_some() || parent == 0 || parent == self.nodes[at].id {
                continue;
            }
            let named = *missing.entry((host, parent)).or_insert_with(|| {
                self.nodes.push(Node {
                    row: None,
                    host,
                    id: parent,
                    time: self.nodes[at].time,
                    parent: None,
                });
                self.nodes.len() - 1
            });
            self.nodes[at].parent = Some(named);
        }
    }

    /// The trees as a list, each node before its children, both in the order of time.
    fn flat(&self, data: &Data) -> Processes {
        let mut children: Vec<Vec<usize>> = vec![Vec::new(); self.nodes.len()];
        let mut order: Vec<usize> = (0..self.nodes.len()).collect();
        order.sort_by_key(|at| (self.nodes[*at].time, *at));
        let mut roots = Vec::new();
        for at in order {
            match self.nodes[at].parent {
                Some(parent) => children[parent].push(at),
                None => roots.push(at),
            }
        }
        let mut nodes = Vec::new();
        let mut open: Vec<(usize, u32)> = roots.into_iter().rev().map(|root| (root, 0)).collect();
        while let Some((at, depth)) = open.pop() {
            if nodes.len() == SHOWN {
                break;
            }
            nodes.push(self.shown(data, at, depth, &children[at]));
            open.extend(children[at].iter().rev().map(|child| (*child, depth + 1)));
        }
        Processes {
            source: self.columns.source.to_owned(),
            total: self.nodes.len() as u32,
            nodes,
            others: self.others,
        }
    }

    fn shown(&self, data: &Data, at: usize, depth: u32, children: &[usize]) -> Process {
        let node = &self.nodes[at];
        // What is known of a parent that has no row is what its first child says of it.
        let child = children.first().and_then(|child| self.nodes[*child].row);
        let from = |column: Option<usize>, row: Option<u32>| match (column, row) {
            (Some(column), Some(row)) => data.text(row, column),
            _ => String::new(),
        };
        let columns = &self.columns;
        let (id, image) = match node.row {
            Some(_) => (columns.id, columns.image),
            None => (columns.parent, columns.parent_image),
        };
        let teller = node.row.or(child);
        Process {
            row: node.row,
            depth,
            children: children.len() as u32,
            name: file_name(&from(image, teller)),
            id: from(Some(id), teller),
            host: from(columns.host, teller),
            time: from(columns.time, node.row),
            command: cut(from(columns.command, node.row), COMMAND).0,
        }
    }
}

fn ticks(cell: Cell<'_>) -> Option<i64> {
    match cell {
        Cell::DateTime(ticks) => Some(ticks),
        Cell::String(text) => parse::datetime(text),
        _ => None,
    }
}

fn file_name(path: &str) -> String {
    let name = path.rsplit(['\\', '/']).next().unwrap_or(path);
    if name.is_empty() { path } else { name }.to_owned()
}

/// Takes the parent away from one process of every cycle.
fn cut_cycles(nodes: &mut [Node]) {
    // 0: not seen; else the walk that saw it.
    let mut seen = vec![0_usize; nodes.len()];
    for start in 0..nodes.len() {
        let (walk, mut at) = (start + 1, start);
        while seen[at] == 0 {
            seen[at] = walk;
            match nodes[at].parent {
                Some(parent) if seen[parent] == walk => nodes[at].parent = None,
                Some(parent) => at = parent,
                None => {}
            }
        }
    }
}
