//! Creation events: rows with their hosts, ids and names as numbers.

use std::collections::HashMap;

use spoor_plugin::abi::Type;
use spoor_plugin::column::Column;
use spoor_plugin::value::FromColumn;

use crate::Created;

/// An id of a process: a number, also one written as text (4688 has `0x1a4`), or other text, as a GUID of Sysmon's, in lower
/// case and without braces.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Id {
    /// A number.
    Number(i64),
    /// Text that is no number.
    Text(String),
}

impl Id {
    /// An id as text has it.
    pub fn of_text(text: &str) -> Self {
        let text = text.trim_ascii();
        let number = match text.strip_prefix("0x").or(text.strip_prefix("0X")) {
            Some(digits) => i64::from_str_radix(digits, 16),
            None => text.parse(),
        };
        number
            .map(Id::Number)
            .unwrap_or_else(|_| Id::Text(text.trim_matches(['{', '}']).to_ascii_lowercase()))
    }

    /// Whether it is no process's: the idle process started what the kernel did.
    fn is_none(&self) -> bool {
        match self {
            Id::Number(number) => *number == 0,
            Id::Text(text) => text.is_empty(),
        }
    }
}

impl<'a> FromColumn<'a> for Id {
    const TYPES: &'static [Type] = &[Type::String, Type::Guid, Type::Long, Type::Int];

    fn get(column: &Column<'a>, row: usize) -> Option<Self> {
        match column.text(row) {
            Some(text) => Some(Id::of_text(text)),
            None => i64::get(column, row).map(Id::Number),
        }
    }
}

/// A number for each text, in the order of its first coming.
#[derive(Debug, Default)]
pub struct Names<'a> {
    /// By the text as it came, so that most need no folding.
    exact: HashMap<&'a str, u32>,
    folded: HashMap<String, u32>,
    shown: Vec<&'a str>,
}

impl<'a> Names<'a> {
    /// The number of a text. Letters of ASCII are the same in either case.
    pub fn number(&mut self, text: &'a str) -> u32 {
        if let Some(number) = self.exact.get(text) {
            return *number;
        }
        let next = self.shown.len() as u32;
        let folded = text.to_ascii_lowercase();
        let number = *self.folded.entry(folded).or_insert(next);
        if number == next {
            self.shown.push(text);
        }
        self.exact.insert(text, number);
        number
    }

    /// The text of a number, as it first came.
    pub fn text(&self, number: u32) -> &'a str {
        self.shown.get(number as usize).copied().unwrap_or("")
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.shown.len()
    }
}

/// A process that was created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// The input's row.
    pub row: u32,
    /// Which host.
    pub host: u32,
    /// When, in ticks.
    pub time: i64,
    /// Its id.
    pub id: u32,
    /// Its program, without the folder, as a number; `None` where the row does not say it.
    pub name: Option<u32>,
    /// Its program as the row has it, without the folder; may be empty.
    pub program: &'a str,
    /// The parent's id; `None` where there is no parent.
    pub parent: Option<u32>,
    /// The parent's program, where the row says it.
    pub parent_name: Option<u32>,
    /// When the parent was created, where the row says it.
    pub parent_time: Option<i64>,
}

/// All events, in the order of hosts' names, of time and of rows; each process once.
#[derive(Debug, Default)]
pub struct Events<'a> {
    /// The events.
    pub list: Vec<Event<'a>>,
    /// The names of programs.
    pub names: Names<'a>,
    /// The ids of processes.
    pub ids: Vec<Id>,
    places: HashMap<Id, u32>,
}

/// The events of rows. A row that comes again, with the same host, time, ids and names, is left out.
pub fn read<'a>(rows: impl Iterator<Item = (u32, Created<'a>)>) -> Events<'a> {
    let mut events = Events::default();
    let mut hosts = Names::default();
    for (row, created) in rows {
        let host = hosts.number(created.host.unwrap_or("").trim_ascii());
        if let Some(event) = events.event(row, host, created) {
            events.list.push(event);
        }
    }
    let order = in_order(&hosts);
    for event in &mut events.list {
        event.host = order.get(event.host as usize).copied().unwrap_or(0);
    }
    let key = |event: &Event<'_>| (event.host, event.time, event.id, event.name, event.parent);
    let list = &mut events.list;
    list.sort_unstable_by_key(|event| (key(event), event.row));
    list.dedup_by_key(|event| key(event));
    list.sort_unstable_by_key(|event| (event.host, event.time, event.row));
    events
}

impl<'a> Events<'a> {
    /// The event of a row; `None` where its id is no process's.
    fn event(&mut self, row: u32, host: u32, created: Created<'a>) -> Option<Event<'a>> {
        let program = created.process_name.map_or("", program);
        Some(Event {
            row,
            host,
            time: created.time.0,
            id: self.id(created.process_id)?,
            name: self.name(program),
            program,
            parent: created.parent_id.and_then(|id| self.id(id)),
            parent_name: self.name(created.parent_name.map_or("", self::program)),
            parent_time: created.parent_time.map(|time| time.0),
        })
    }

    fn id(&mut self, id: Id) -> Option<u32> {
        if id.is_none() {
            return None;
        }
        let next = self.ids.len() as u32;
        Some(*self.places.entry(id).or_insert_with_key(|id| {
            self.ids.push(id.clone());
            next
        }))
    }

    fn name(&mut self, program: &'a str) -> Option<u32> {
        (!program.is_empty()).then(|| self.names.number(program))
    }
}

/// The place of each host by its name, so that trees do not depend on the order of rows.
fn in_order(hosts: &Names<'_>) -> Vec<u32> {
    let mut sorted: Vec<u32> = (0..hosts.len() as u32).collect();
    sorted.sort_by_cached_key(|host| hosts.text(*host).to_ascii_lowercase());
    let mut places = vec![0; hosts.len()];
    for (place, host) in sorted.into_iter().enumerate() {
        if let Some(held) = places.get_mut(host as usize) {
            *held = place as u32;
        }
    }
    places
}

/// What follows the last slash of a path, either way round, without quotes and spaces around.
fn program(path: &str) -> &str {
    let name = path.trim_ascii().trim_matches('"');
    let slash = name.bytes().rposition(|byte| matches!(byte, b'\\' | b'/'));
    let start = slash.map_or(0, |slash| slash + 1);
    name.get(start..).unwrap_or(name).trim_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_the_same_however_they_are_written() {
        for text in ["0x1A4", " 420 ", "420", "0X1a4"] {
            assert_eq!(Id::of_text(text), Id::Number(420));
        }
        for (text, id) in [
            ("{AB-1}", "ab-1"),
            ("", ""),
            ("0x", "0x"),
            ("99999999999999999999", "99999999999999999999"),
        ] {
            assert_eq!(Id::of_text(text), Id::Text(id.into()));
        }
    }

    #[test]
    fn programs_have_no_folders() {
        for (path, name) in [
            (r"C:\Windows\System32\cmd.exe", "cmd.exe"),
            ("/usr/bin/bash", "bash"),
            ("cmd.exe", "cmd.exe"),
            (r#""C:\a b\c.exe""#, "c.exe"),
            ("C:\\", ""),
            ("", ""),
        ] {
            assert_eq!(program(path), name);
        }
    }
}
