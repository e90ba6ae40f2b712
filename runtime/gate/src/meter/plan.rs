//! What a function's rewriting needs to know before its first instruction is written: the runs and what each costs, which
//! float results are seen, and whether the function calls at all.
//!
//! A run is what is got to whenever its head is: after a block that nothing leaves but by its end, the run from before
//! the block goes on. Where a way out comes between, it takes [`SPARE`] units more on trust, and then another begins.

use std::collections::BTreeSet;

use wasmparser::{FunctionBody, Operator};

use super::float::{Seen, Shape};

/// A function takes so many units without asking whether any are left; every run after that asks.
pub(super) const UNASKED: u32 = 4_096;

/// An imported call, in units: it leaves WebAssembly.
const IMPORTED: u32 = 100;

/// The most units of a run that may be taken and not be used, as they lie behind a way out.
const SPARE: u32 = 16;

/// A function that takes no more than this, and neither calls nor goes round, asks at its entry and not at its exit.
const SHORT: u32 = 256;

/// A run of instructions: it begins after the operation at `after`, or at the function's entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// The place of the operation that it follows; `None` at the function's entry.
    pub(super) after: Option<u32>,
    /// Units.
    pub(super) units: u32,
    /// Whether it asks if fuel is left.
    pub(super) asks: bool,
}

/// What is known of a function's body.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// The runs that cost something, in order.
    pub(super) runs: Vec<Run>,
    /// The operations whose results have to be made canonical, in order.
    pub(super) floats: Vec<(u32, Shape)>,
    /// Whether it calls.
    pub(super) calls: bool,
    /// Whether it has bulk operations or `memory.grow`.
    pub(super) bulk: bool,
    /// Whether so little is done before its exit that nothing is asked there.
    pub(super) short: bool,
}

/// A block that is open.
#[derive(Clone, Copy, Debug)]
struct Open {
    kind: Kind,
    /// Whether its end leads straight to `unreachable`.
    is_doomed: bool,
    /// Whether a branch leads to its end.
    targeted: bool,
    /// The outermost block that a way out of its body leads to, by how many are around that; its own number where there is none.
    reach: usize,
    /// Where it was opened.
    before: At,
}

/// Where the reader is, as far as runs go.
#[derive(Clone, Copy, Debug)]
struct At {
    /// The run that takes the units.
    run: usize,
    /// Whether a way out lies between the run's head and here.
    cut: bool,
    /// Whether anything gets here.
    live: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Block,
    Loop,
    If,
}

/// Reads a body of a module in which `imported` functions come first.
pub(super) fn plan(body: &FunctionBody<'_>, imported: u32) -> Result<Plan, wasmparser::Error> {
    let mut locals = 0u32;
    for group in body.get_locals_reader()? {
        locals = locals.saturating_add(group?.0);
    }
    let doomed = doomed(body)?;
    let mut planner = Planner::new(imported, 1 + locals.div_ceil(4), doomed);
    let mut operators = body.get_operators_reader()?;
    let mut place = 0;
    while !operators.eof() {
        planner.operator(place, &operators.read()?);
        place += 1;
    }
    Ok(planner.finish())
}

/// The places of the blocks whose end leads straight to `unreachable`: a branch to it ends the call, and what was taken for
/// what it passes by does not matter.
fn doomed(body: &FunctionBody<'_>) -> Result<BTreeSet<u32>, wasmparser::Error> {
    let (mut doomed, mut open, mut ended) = (BTreeSet::new(), Vec::new(), Vec::new());
    let mut operators = body.get_operators_reader()?;
    let mut place = 0;
    while !operators.eof() {
        match operators.read()? {
            Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => {
                ended.clear();
                open.push(place);
            }
            Operator::End => ended.extend(open.pop()),
            Operator::Unreachable => doomed.extend(ended.drain(..)),
            Operator::Else
            | Operator::Br { .. }
            | Operator::BrIf { .. }
            | Operator::BrTable { .. }
            | Operator::Return => ended.clear(),
            _ => {}
        }
        place += 1;
    }
    Ok(doomed)
}

struct Planner {
    imported: u32,
    plan: Plan,
    seen: Seen,
    open: Vec<Open>,
    /// The places of blocks to whose end a branch is no way out.
    doomed: BTreeSet<u32>,
    runs: Vec<Run>,
    /// What each run has taken on trust.
    trusted: Vec<u32>,
    at: At,
    loops: bool,
}

impl Planner {
    fn new(imported: u32, entry: u32, doomed: BTreeSet<u32>) -> Self {
        let at = At {
            run: 0,
            cut: false,
            live: true,
        };
        let function = Open {
            kind: Kind::Block,
            is_doomed: false,
            targeted: false,
            reach: 0,
            before: at,
        };
        Planner {
            imported,
            plan: Plan::default(),
            seen: Seen::default(),
            open: vec![function],
            doomed,
            runs: vec![Run {
                after: None,
                units: entry,
                asks: true,
            }],
            trusted: vec![0],
            at,
            loops: false,
        }
    }

    fn operator(&mut self, place: u32, operator: &Operator<'_>) {
        self.seen.operator(place, operator);
        self.take(place, units(operator, self.imported));
        match operator {
            Operator::Block { .. } => self.open(place, Kind::Block),
            Operator::Loop { .. } => {
                self.open(place, Kind::Loop);
                self.loops = true;
                self.begin(Some(place), true);
            }
            Operator::If { .. } => {
                self.open(place, Kind::If);
                self.at.cut = true;
            }
            Operator::Else => self.otherwise(),
            Operator::End => self.end(),
            Operator::Br { relative_depth } => {
                self.leave(*relative_depth);
                self.at.live = false;
            }
            Operator::BrIf { relative_depth } => self.leave(*relative_depth),
            Operator::BrTable { targets } => {
                targets
                    .targets()
                    .flatten()
                    .for_each(|depth| self.leave(depth));
                self.leave(targets.default());
                self.at.live = false;
            }
            Operator::Return => {
                self.leave(u32::MAX);
                self.at.live = false;
            }
            Operator::Unreachable => self.at.live = false,
            Operator::Call { .. } | Operator::CallIndirect { .. } => self.plan.calls = true,
            Operator::MemoryCopy { .. }
            | Operator::MemoryFill { .. }
            | Operator::MemoryInit { .. }
            | Operator::MemoryGrow { .. } => self.plan.bulk = true,
            _ => {}
        }
    }

    /// Gives units to the run, or to one that begins before the operation at `place`.
    fn take(&mut self, place: u32, units: u32) {
        if units == 0 || !self.at.live {
            return;
        }
        if self.at.cut {
            let trusted = self.trusted.get(self.at.run).copied().unwrap_or(SPARE);
            if trusted.saturating_add(units) > SPARE {
                self.begin(place.checked_sub(1), false);
            } else if let Some(trusted) = self.trusted.get_mut(self.at.run) {
                *trusted += units;
            }
        }
        if let Some(run) = self.runs.get_mut(self.at.run) {
            run.units = run.units.saturating_add(units);
        }
    }

    fn begin(&mut self, after: Option<u32>, asks: bool) {
        if !self.at.live {
            return;
        }
        self.at.run = self.runs.len();
        self.at.cut = false;
        self.trusted.push(0);
        self.runs.push(Run {
            after,
            units: 0,
            asks,
        });
    }

    fn open(&mut self, place: u32, kind: Kind) {
        self.open.push(Open {
            kind,
            is_doomed: self.doomed.contains(&place),
            targeted: false,
            reach: self.open.len(),
            before: self.at,
        });
    }

    /// A branch: of the bodies that it leaves, the rest may be passed by. Those around this one hear of it as it ends, so that a
    /// branch costs the same however deep it is.
    fn leave(&mut self, depth: u32) {
        if !self.at.live {
            return;
        }
        let last = self.open.len().saturating_sub(1);
        let target = last.saturating_sub(depth as usize);
        let Some(open) = self.open.get_mut(target) else {
            return;
        };
        open.targeted |= open.kind != Kind::Loop;
        if open.is_doomed && open.kind != Kind::Loop {
            return;
        }
        self.at.cut = true;
        if let Some(open) = self.open.get_mut(last) {
            open.reach = open.reach.min(target);
        }
    }

    /// The second arm of an `if` is got to when the `if` is.
    fn otherwise(&mut self) {
        let Some(open) = self.open.last_mut() else {
            return;
        };
        open.kind = Kind::Block;
        open.targeted |= self.at.live;
        self.at = At {
            cut: true,
            ..open.before
        };
    }

    /// After a block the run from before it goes on.
    fn end(&mut self) {
        let Some(mut open) = self.open.pop() else {
            return;
        };
        // A way out that led further than to this block's end has passed by the rest of the body around it.
        if open.reach < self.open.len() {
            open.before.cut = true;
            if let Some(around) = self.open.last_mut() {
                around.reach = around.reach.min(open.reach);
            }
        }
        match open.kind {
            Kind::If => self.at = open.before,
            Kind::Loop => {
                self.at = At {
                    live: self.at.live,
                    ..open.before
                }
            }
            // Where no branch leads to the end, what comes after is got to as the block's last instruction is.
            Kind::Block if open.targeted => self.at = open.before,
            Kind::Block => {}
        }
    }

    /// The runs with what they cost: those that cost nothing go.
    fn finish(mut self) -> Plan {
        let (mut unasked, mut total) = (0u32, 0u32);
        for mut run in self.runs {
            if !run.asks {
                run.asks = unasked.saturating_add(run.units) > UNASKED;
                if !run.asks {
                    unasked += run.units;
                }
            }
            // A loop without an instruction cannot go round; a head that asks costs at least one.
            if run.asks {
                run.units = run.units.max(1);
            }
            total = total.saturating_add(run.units);
            if run.units > 0 {
                self.plan.runs.push(run);
            }
        }
        self.plan.short = total <= SHORT && !self.plan.calls && !self.plan.bulk && !self.loops;
        self.seen.flush();
        self.plan.floats = self.seen.seen;
        self.plan.floats.sort_unstable_by_key(|(place, _)| *place);
        self.plan
    }
}

fn units(operator: &Operator<'_>, imported: u32) -> u32 {
    match operator {
        Operator::Block { .. }
        | Operator::Loop { .. }
        | Operator::Else
        | Operator::End
        | Operator::Nop => 0,
        Operator::Call { function_index } if *function_index < imported => IMPORTED,
        _ => 1,
    }
}
