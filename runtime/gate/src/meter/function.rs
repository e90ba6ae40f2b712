//! One function, rewritten:
//!
//! ```text
//! take the frame's bytes; load the fuel
//! block                        ;; out of fuel: br here
//!   block (result R*)          ;; the function's own label: return is a br here
//!     the body, with a charge at the head of each run
//!   end
//!   store the fuel; ask; give the frame's bytes back; return
//! end
//! store the fuel; say why; unreachable
//! ```

use std::iter::Peekable;
use std::slice::Iter;

use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{BlockType, Function, Instruction, ValType};
use wasmparser::{FunctionBody, Operator};

use super::emit::{Emit, Globals, Locals};
use super::float::Shape;
use super::plan::{Plan, Run, plan};

/// A leaf function with a frame no larger than this takes nothing from the stack's budget.
const SMALL_FRAME: u32 = 1_024;

/// What all functions of a module share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shared {
    pub(super) globals: Globals,
    /// How many functions are imported.
    pub(super) imported: u32,
    /// The most pages of memory.
    pub(super) pages: u64,
}

/// What a function's type and frame say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    pub(super) parameters: u32,
    /// The type of a block with the function's results.
    pub(super) results: BlockType,
    /// The bytes of a frame.
    pub(super) frame: u32,
}

type Fault = wasm_encoder::reencode::Error;

/// Rewrites one body.
pub(super) fn rewrite(
    body: &FunctionBody<'_>,
    facts: Facts,
    shared: &Shared,
) -> Result<Function, Fault> {
    let plan = plan(body, shared.imported)?;
    let (out, locals) = locals(body, facts.parameters, &plan)?;
    let takes = plan.calls || facts.frame > SMALL_FRAME;
    let emit = Emit {
        out,
        globals: shared.globals,
        locals,
        frame: takes.then_some(facts.frame),
        label: 1,
    };
    let mut writer = Writer {
        emit,
        depth: 0,
        imported_pages: shared.pages,
        runs: plan.runs.iter().peekable(),
        floats: plan.floats.iter().peekable(),
    };
    writer.write(body, facts.results, plan.short)?;
    Ok(writer.emit.out)
}

/// The function's locals and those that metering adds after them.
fn locals(
    body: &FunctionBody<'_>,
    parameters: u32,
    plan: &Plan,
) -> Result<(Function, Locals), Fault> {
    let mut groups = Vec::new();
    let mut next = parameters;
    for group in body.get_locals_reader()? {
        let (count, ty) = group?;
        next = next.saturating_add(count);
        groups.push((count, RoundtripReencoder.val_type(ty)?));
    }
    let mut add = |ty| {
        groups.push((1, ty));
        next += 1;
        next - 1
    };
    let mut locals = Locals {
        fuel: add(ValType::I64),
        ..Locals::default()
    };
    if plan.bulk {
        locals.length = add(ValType::I32);
    }
    let has = |shapes: &[Shape]| plan.floats.iter().any(|(_, shape)| shapes.contains(shape));
    if has(&[Shape::F32]) {
        locals.floats[0] = add(ValType::F32);
    }
    if has(&[Shape::F64]) {
        locals.floats[1] = add(ValType::F64);
    }
    if has(&[Shape::F32x4, Shape::F64x2]) {
        locals.floats[2] = add(ValType::V128);
    }
    Ok((Function::new(groups), locals))
}

struct Writer<'p> {
    emit: Emit,
    /// How many blocks of the body are open.
    depth: u32,
    imported_pages: u64,
    runs: Peekable<Iter<'p, Run>>,
    floats: Peekable<Iter<'p, (u32, Shape)>>,
}

impl Writer<'_> {
    fn write(
        &mut self,
        body: &FunctionBody<'_>,
        results: BlockType,
        short: bool,
    ) -> Result<(), Fault> {
        self.emit.enter();
        self.emit.put(&[
            Instruction::Block(BlockType::Empty),
            Instruction::Block(results),
        ]);
        self.charge(None);
        let mut operators = body.get_operators_reader()?;
        let mut place = 0;
        while !operators.eof() {
            let operator = operators.read()?;
            self.operator(place, operator)?;
            place += 1;
        }
        // The body's own end has closed the inner block.
        self.emit.label = 0;
        self.emit.leave(!short);
        self.emit.put(&[Instruction::End]);
        self.emit.out_of_fuel();
        self.emit.put(&[Instruction::End]);
        Ok(())
    }

    fn operator(&mut self, place: u32, operator: Operator<'_>) -> Result<(), Fault> {
        self.before(&operator);
        let calls = matches!(
            operator,
            Operator::Call { .. } | Operator::CallIndirect { .. }
        );
        if matches!(operator, Operator::Return) {
            self.emit.put(&[Instruction::Br(self.depth)]);
        } else {
            self.follow(&operator);
            self.emit.put(&[RoundtripReencoder.instruction(operator)?]);
        }
        if calls {
            self.emit.load();
        }
        if let Some((_, shape)) = self.floats.next_if(|(at, _)| *at == place) {
            self.emit.canonical(*shape);
        }
        self.charge(Some(place));
        Ok(())
    }

    fn before(&mut self, operator: &Operator<'_>) {
        match operator {
            Operator::Call { .. } | Operator::CallIndirect { .. } | Operator::Unreachable => {
                self.emit.store()
            }
            Operator::MemoryCopy { .. }
            | Operator::MemoryFill { .. }
            | Operator::MemoryInit { .. } => {
                self.emit.charge_bulk();
            }
            Operator::MemoryGrow { .. } => self.emit.charge_grow(self.imported_pages),
            _ => {}
        }
    }

    /// Keeps count of the open blocks.
    fn follow(&mut self, operator: &Operator<'_>) {
        match operator {
            Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => self.depth += 1,
            Operator::End => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        self.emit.label = self.depth + 1;
    }

    fn charge(&mut self, after: Option<u32>) {
        if let Some(run) = self.runs.next_if(|run| run.after == after) {
            self.emit.charge(run.units, run.asks);
        }
    }
}
