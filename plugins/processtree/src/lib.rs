//! Process trees from creation events: Windows' 4688, Sysmon's 1, Defender's `DeviceProcessEvents`, Linux' execve.
//!
//! `event` reads rows, `link` finds each process's parent though ids are used again, `tree` orders what comes of it, and
//! `rare` measures how usual each parent is for its child. README.md compares it with MSTICPy's.

mod event;
mod link;
mod rare;
mod show;
#[cfg(test)]
mod tests;
mod tree;

use spoor_plugin::{At, Datetime, Input, Output, Rows, Timespan, function, plugin};

pub use event::Id;

/// A row of the input: a process was created.
#[derive(Clone, Debug, Input)]
pub struct Created<'a> {
    /// When the process was created: TimeGenerated, UtcTime, ProcessCreationTime. Rows without are left out.
    pub time: Datetime,
    /// Its id: NewProcessId of 4688, ProcessId or ProcessGuid. A number, also as text (0x1a4), or other text. Rows without are left out.
    pub process_id: Id,
    /// Its program, with the folder or without: NewProcessName, Image, FileName.
    pub process_name: Option<&'a str>,
    /// The id of the process that started it: ProcessId of 4688, ParentProcessId or ParentProcessGuid, InitiatingProcessId.
    pub parent_id: Option<Id>,
    /// The program of the process that started it: ParentProcessName, ParentImage, InitiatingProcessFileName. A parent has to have this name.
    #[input(optional)]
    pub parent_name: Option<&'a str>,
    /// The host: Computer, DeviceName. Left out, all rows are one host's.
    #[input(optional)]
    pub host: Option<&'a str>,
    /// When the process that started it was created: InitiatingProcessCreationTime. Then a parent has to have this time.
    #[input(optional)]
    pub parent_time: Option<Datetime>,
}

/// A process's place in its tree.
#[derive(Clone, Debug, Output)]
pub struct Placed {
    /// The number of its tree, from 0: by host, then by time.
    pub tree: i64,
    /// How many processes its tree has, those alone whose creation is a row.
    pub tree_size: i64,
    /// Steps from the tree's root, which is 0.
    pub depth: i32,
    /// Its program, indented by depth: read down the column, it is the tree. An inferred root stands in parentheses before its
    /// children.
    pub outline: String,
    /// The programs from the root to it, joined by ' > '. Of more than 32, the root and the last 30.
    pub path: String,
    /// The number of its row in the input, from 0.
    pub row: i64,
    /// The number of its parent's row; null where that has none.
    pub parent_row: Option<i64>,
    /// Whether it names a parent whose creation is not among the rows: the tree's root is then inferred, and has no row.
    pub parent_inferred: bool,
    /// How many processes it started.
    pub children: i64,
    /// How many processes it started, or what it started did, and so on.
    pub descendants: i64,
    /// How often its parent's program started its program, on all hosts; null where the parent's program is not known.
    pub pair_count: Option<i64>,
    /// The share of starts that are in pairs as rare as this one, of those by its parent's program or of those of its own, whichever
    /// is less: 0 to 1, small for a parent that is not usual. Null where PairCount is.
    pub pair_rarity: Option<f64>,
    /// Whether PairRarity is no more than the option `rare`.
    pub rare_pair: bool,
}

/// Process trees from creation events, with rare parents marked.
///
/// `DeviceProcessEvents | evaluate process_tree(ProcessCreationTime, ProcessId, FileName, InitiatingProcessId,
/// InitiatingProcessFileName, host=DeviceName)`
///
/// Answers a row for each process, tree by tree, parents before children and those by time, with what the row had before
/// it. A parent is the last process with that id on that host that was created before the child (or, clocks being what
/// they are, at most `slack` after it), and has the name and the time that the child's row gives it. Where there is
/// none, it is inferred: children of the same one are in one tree. A row that comes again is left out.
#[function]
pub fn process_tree<'a>(
    rows: Rows<'a, Created<'a>>,
    /// How much later than its child a parent may seem to be created, as 1s.
    #[option(default = 10000000)]
    slack: Timespan,
    /// The rarity up to which a pair of parent and child is marked. A pair that came once can be marked when its parent, or its
    /// child, came 1 / rare times.
    #[option(default = 0.02)]
    rare: f64,
) -> Result<Vec<At<Placed>>, String> {
    if slack.0 < 0 {
        return Err("slack is below 0: give a timespan, as 1s".into());
    }
    if !(0.0..=1.0).contains(&rare) {
        return Err(format!("rare is {rare}: give a share from 0 to 1"));
    }
    show::trees(&event::read(rows.iter()), slack.0, rare)
}

plugin! {
    name: "processtree",
    functions: [process_tree],
}
