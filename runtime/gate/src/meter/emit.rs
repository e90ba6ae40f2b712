//! The instructions that metering adds, each sequence leaving the operand stack as it was.

use wasm_encoder::{BlockType, Function, Ieee32, Ieee64, Instruction as I};

use super::float::Shape;
use crate::trap;

/// Bytes of a bulk operation for one unit, as a power of two.
const BULK_SHIFT: i64 = 3;

/// Units of a page that `memory.grow` adds.
const PAGE_UNITS: i64 = 65_536 >> BULK_SHIFT;

/// The globals that a metered module has beside its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Globals {
    pub(super) fuel: u32,
    pub(super) reason: u32,
    pub(super) stack: u32,
}

/// The locals that metering adds to a function.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Locals {
    /// `i64`: the fuel that is left.
    pub(super) fuel: u32,
    /// `i32`: the length of a bulk operation.
    pub(super) length: u32,
    /// One for each shape of float whose results are seen.
    pub(super) floats: [u32; 3],
}

/// Where the instructions of one function go.
pub(super) struct Emit {
    pub(super) out: Function,
    pub(super) globals: Globals,
    pub(super) locals: Locals,
    /// The bytes of a frame, where the function takes them from the budget.
    pub(super) frame: Option<u32>,
    /// The label of the block whose end is the out-of-fuel trap.
    pub(super) label: u32,
}

impl Emit {
    pub(super) fn put(&mut self, instructions: &[I<'_>]) {
        for instruction in instructions {
            self.out.instruction(instruction);
        }
    }

    /// Before the function's first block: the frame's bytes are taken, and the fuel is loaded.
    pub(super) fn enter(&mut self) {
        if let Some(frame) = self.frame {
            let stack = self.globals.stack;
            self.put(&[
                I::GlobalGet(stack),
                I::I32Const(frame as i32),
                I::I32Sub,
                I::GlobalSet(stack),
                I::GlobalGet(stack),
                I::I32Const(0),
                I::I32LtS,
                I::If(BlockType::Empty),
                I::I32Const(trap::STACK),
                I::GlobalSet(self.globals.reason),
                I::Unreachable,
                I::End,
            ]);
        }
        self.load();
    }

    /// After the function's last block: the fuel is put back, asked for where that is due, and the frame's bytes are given back.
    pub(super) fn leave(&mut self, asks: bool) {
        self.store();
        if asks {
            self.put(&[I::LocalGet(self.locals.fuel)]);
            self.ask();
        }
        if let Some(frame) = self.frame {
            let stack = self.globals.stack;
            self.put(&[
                I::GlobalGet(stack),
                I::I32Const(frame as i32),
                I::I32Add,
                I::GlobalSet(stack),
            ]);
        }
        self.put(&[I::Return]);
    }

    /// Where a function goes that has no fuel left.
    pub(super) fn out_of_fuel(&mut self) {
        self.store();
        self.put(&[
            I::I32Const(trap::FUEL),
            I::GlobalSet(self.globals.reason),
            I::Unreachable,
        ]);
    }

    /// Takes a run's units.
    pub(super) fn charge(&mut self, units: u32, asks: bool) {
        let fuel = self.locals.fuel;
        self.put(&[I::LocalGet(fuel), I::I64Const(i64::from(units)), I::I64Sub]);
        self.take(asks);
    }

    /// Takes a bulk operation's units, by the length on the stack, and asks.
    pub(super) fn charge_bulk(&mut self) {
        let Locals { fuel, length, .. } = self.locals;
        self.put(&[
            I::LocalTee(length),
            I::LocalGet(fuel),
            I::LocalGet(length),
            I::I64ExtendI32U,
            I::I64Const(BULK_SHIFT),
            I::I64ShrU,
            I::I64Sub,
        ]);
        self.take(true);
    }

    /// Takes the units of the pages on the stack. More than the memory can have costs nothing, as it gets none.
    pub(super) fn charge_grow(&mut self, pages: u64) {
        let Locals { fuel, length, .. } = self.locals;
        self.put(&[
            I::LocalTee(length),
            I::LocalGet(fuel),
            I::LocalGet(length),
            I::I64ExtendI32U,
            I::I64Const(PAGE_UNITS),
            I::I64Mul,
            I::I64Const(0),
            I::LocalGet(length),
            I::I32Const(pages as u32 as i32),
            I::I32LeU,
            I::Select,
            I::I64Sub,
        ]);
        self.take(true);
    }

    /// Fuel from the global into the local.
    pub(super) fn load(&mut self) {
        self.put(&[
            I::GlobalGet(self.globals.fuel),
            I::LocalSet(self.locals.fuel),
        ]);
    }

    /// Fuel from the local into the global.
    pub(super) fn store(&mut self) {
        self.put(&[
            I::LocalGet(self.locals.fuel),
            I::GlobalSet(self.globals.fuel),
        ]);
    }

    /// The result on the stack, and the canonical NaN in its place where it is none.
    pub(super) fn canonical(&mut self, shape: Shape) {
        let [f32, f64, v128] = self.locals.floats;
        let (local, nan, equal, choose) = match shape {
            Shape::F32 => (
                f32,
                I::F32Const(Ieee32::new(0x7fc0_0000)),
                I::F32Eq,
                I::Select,
            ),
            Shape::F64 => (
                f64,
                I::F64Const(Ieee64::new(0x7ff8_0000_0000_0000)),
                I::F64Eq,
                I::Select,
            ),
            Shape::F32x4 => (
                v128,
                I::V128Const(0x7fc00000_7fc00000_7fc00000_7fc00000),
                I::F32x4Eq,
                I::V128Bitselect,
            ),
            Shape::F64x2 => (
                v128,
                I::V128Const(0x7ff8000000000000_7ff8000000000000),
                I::F64x2Eq,
                I::V128Bitselect,
            ),
        };
        self.put(&[
            I::LocalTee(local),
            nan,
            I::LocalGet(local),
            I::LocalGet(local),
            equal,
            choose,
        ]);
    }

    fn take(&mut self, asks: bool) {
        let fuel = self.locals.fuel;
        if asks {
            self.put(&[I::LocalTee(fuel)]);
            self.ask();
        } else {
            self.put(&[I::LocalSet(fuel)]);
        }
    }

    /// Leaves for the trap when the fuel on the stack is less than none.
    fn ask(&mut self) {
        self.put(&[I::I64Const(0), I::I64LtS, I::BrIf(self.label)]);
    }
}
