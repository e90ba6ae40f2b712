//! What a function's rewriting needs to know before its first instruction is written: the straight runs and what each
//! costs, which float results are seen, and whether the function calls at all.

use wasmparser::{FunctionBody, Operator};

use super::float::{Seen, Shape};

/// A function takes so many units without asking whether any are left; every run after that asks.
pub(super) const UNASKED: u32 = 4_096;

/// An imported call, in units: it leaves WebAssembly.
const IMPORTED: u32 = 100;

/// A straight run of instructions: it begins after the operation at `after`, or at the function's entry.
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
}

/// A block that is open.
#[derive(Clone, Copy, Debug)]
struct Open {
    kind: Kind,
    /// Whether a branch leads to its end.
    targeted: bool,
    /// Whether it begins where nothing gets to.
    dead: bool,
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
    let mut planner = Planner::new(imported, 1 + locals.div_ceil(4));
    let mut operators = body.get_operators_reader()?;
    let mut place = 0;
    while !operators.eof() {
        planner.operator(place, &operators.read()?);
        place += 1;
    }
    Ok(planner.finish())
}

struct Planner {
    imported: u32,
    plan: Plan,
    seen: Seen,
    open: Vec<Open>,
    /// The run that is being read; `None` where nothing gets to.
    run: Option<Run>,
    unasked: u32,
}

impl Planner {
    fn new(imported: u32, entry: u32) -> Self {
        let function = Open {
            kind: Kind::Block,
            targeted: false,
            dead: false,
        };
        Planner {
            imported,
            plan: Plan::default(),
            seen: Seen::default(),
            open: vec![function],
            run: Some(Run {
                after: None,
                units: entry,
                asks: true,
            }),
            unasked: 0,
        }
    }

    fn operator(&mut self, place: u32, operator: &Operator<'_>) {
        self.seen.operator(place, operator);
        if let Some(run) = &mut self.run {
            run.units = run.units.saturating_add(units(operator, self.imported));
        }
        match operator {
            Operator::Block { .. } => self.open(Kind::Block),
            Operator::Loop { .. } => {
                self.open(Kind::Loop);
                self.next(place, true);
            }
            Operator::If { .. } => {
                self.open(Kind::If);
                self.next(place, false);
            }
            Operator::Else => self.revive(place),
            Operator::End => self.end(place),
            Operator::Br { relative_depth } => {
                self.target(*relative_depth);
                self.close();
            }
            Operator::BrIf { relative_depth } => {
                self.target(*relative_depth);
                self.next(place, false);
            }
            Operator::BrTable { targets } => {
                targets
                    .targets()
                    .flatten()
                    .for_each(|depth| self.target(depth));
                self.target(targets.default());
                self.close();
            }
            Operator::Return | Operator::Unreachable => self.close(),
            Operator::Call { .. } | Operator::CallIndirect { .. } => self.plan.calls = true,
            Operator::MemoryCopy { .. }
            | Operator::MemoryFill { .. }
            | Operator::MemoryInit { .. }
            | Operator::MemoryGrow { .. } => self.plan.bulk = true,
            _ => {}
        }
    }

    fn open(&mut self, kind: Kind) {
        self.open.push(Open {
            kind,
            targeted: false,
            dead: self.run.is_none(),
        });
    }

    fn target(&mut self, depth: u32) {
        let at = self.open.len().checked_sub(1 + depth as usize);
        if let Some(open) = at.and_then(|at| self.open.get_mut(at)) {
            open.targeted |= open.kind != Kind::Loop && self.run.is_some();
        }
    }

    /// The second arm of an `if` is got to when the `if` is.
    fn revive(&mut self, place: u32) {
        let dead = self.open.last().is_none_or(|open| open.dead);
        self.close();
        if !dead {
            self.begin(place, false);
        }
    }

    /// After a block, the run goes on unless another way leads here.
    fn end(&mut self, place: u32) {
        let Some(open) = self.open.pop() else {
            return;
        };
        if !open.dead && (open.targeted || open.kind == Kind::If) {
            self.close();
            self.begin(place, false);
        }
    }

    fn next(&mut self, place: u32, asks: bool) {
        if self.run.is_some() {
            self.close();
            self.begin(place, asks);
        }
    }

    fn begin(&mut self, place: u32, asks: bool) {
        self.run = Some(Run {
            after: Some(place),
            units: 0,
            asks,
        });
    }

    /// Ends the run. The units are those of its instructions: what the block's end adds is nothing.
    fn close(&mut self) {
        let Some(mut run) = self.run.take() else {
            return;
        };
        if !run.asks {
            run.asks = self.unasked.saturating_add(run.units) > UNASKED;
            if !run.asks {
                self.unasked += run.units;
            }
        }
        // A loop without an instruction cannot go round; a head that asks costs at least one.
        if run.asks {
            run.units = run.units.max(1);
        }
        if run.units > 0 {
            self.plan.runs.push(run);
        }
    }

    fn finish(mut self) -> Plan {
        self.close();
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
