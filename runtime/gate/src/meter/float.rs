//! Which operations can make a NaN whose bits WebAssembly leaves open, and who can tell.
//!
//! Engines agree on every float but for the sign and payload of NaNs that arithmetic makes. `abs`, `neg`, `copysign`,
//! `pmin`, `pmax`, loads and constants pass bits on and are left alone.

use wasmparser::Operator;

/// A float's shape: what a NaN is depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    F32,
    F64,
    F32x4,
    F64x2,
}

/// The shape of the operation's result where that can be a NaN of open bits.
pub(super) fn makes_nan(operator: &Operator<'_>) -> Option<Shape> {
    use Operator as O;
    Some(match operator {
        O::F32Add | O::F32Sub | O::F32Mul | O::F32Div | O::F32Min | O::F32Max | O::F32Sqrt => {
            Shape::F32
        }
        O::F32Ceil | O::F32Floor | O::F32Trunc | O::F32Nearest | O::F32DemoteF64 => Shape::F32,
        O::F64Add | O::F64Sub | O::F64Mul | O::F64Div | O::F64Min | O::F64Max | O::F64Sqrt => {
            Shape::F64
        }
        O::F64Ceil | O::F64Floor | O::F64Trunc | O::F64Nearest | O::F64PromoteF32 => Shape::F64,
        O::F32x4Add | O::F32x4Sub | O::F32x4Mul | O::F32x4Div | O::F32x4Min | O::F32x4Max => {
            Shape::F32x4
        }
        O::F32x4Sqrt | O::F32x4Ceil | O::F32x4Floor | O::F32x4Trunc | O::F32x4Nearest => {
            Shape::F32x4
        }
        O::F32x4DemoteF64x2Zero => Shape::F32x4,
        O::F64x2Add | O::F64x2Sub | O::F64x2Mul | O::F64x2Div | O::F64x2Min | O::F64x2Max => {
            Shape::F64x2
        }
        O::F64x2Sqrt | O::F64x2Ceil | O::F64x2Floor | O::F64x2Trunc | O::F64x2Nearest => {
            Shape::F64x2
        }
        O::F64x2PromoteLowF32x4 => Shape::F64x2,
        _ => return None,
    })
}

/// The shape that the operation takes its operands to be of, where its result does not depend on a NaN's bits: all
/// arithmetic (its own result is made canonical), comparisons and conversions to integers.
pub(super) fn blind_to(operator: &Operator<'_>) -> Option<Shape> {
    use Operator as O;
    Some(match operator {
        O::F64PromoteF32 => Shape::F32,
        O::F32DemoteF64 => Shape::F64,
        O::F64x2PromoteLowF32x4 => Shape::F32x4,
        O::F32x4DemoteF64x2Zero => Shape::F64x2,
        O::F32Eq | O::F32Ne | O::F32Lt | O::F32Gt | O::F32Le | O::F32Ge => Shape::F32,
        O::F64Eq | O::F64Ne | O::F64Lt | O::F64Gt | O::F64Le | O::F64Ge => Shape::F64,
        O::F32x4Eq | O::F32x4Ne | O::F32x4Lt | O::F32x4Gt | O::F32x4Le | O::F32x4Ge => Shape::F32x4,
        O::F64x2Eq | O::F64x2Ne | O::F64x2Lt | O::F64x2Gt | O::F64x2Le | O::F64x2Ge => Shape::F64x2,
        O::I32TruncF32S | O::I32TruncF32U | O::I64TruncF32S | O::I64TruncF32U => Shape::F32,
        O::I32TruncF64S | O::I32TruncF64U | O::I64TruncF64S | O::I64TruncF64U => Shape::F64,
        O::I32TruncSatF32S | O::I32TruncSatF32U | O::I64TruncSatF32S | O::I64TruncSatF32U => {
            Shape::F32
        }
        O::I32TruncSatF64S | O::I32TruncSatF64U | O::I64TruncSatF64S | O::I64TruncSatF64U => {
            Shape::F64
        }
        other => return makes_nan(other),
    })
}

/// Which results of a straight run of instructions have to be made canonical. It follows the operand stack as far as the
/// run goes; what the run does not consume counts as seen.
#[derive(Debug, Default)]
pub(super) struct Seen {
    stack: Vec<Option<(u32, Shape)>>,
    /// The operations, by their place in the function, whose results are seen; not in order.
    pub(super) seen: Vec<(u32, Shape)>,
}

/// Nothing that needs to know the module's types or blocks is asked of it: those operations end a run.
struct NoModule;

impl wasmparser::ModuleArity for NoModule {
    fn sub_type_at(&self, _: u32) -> Option<&wasmparser::SubType> {
        None
    }
    fn tag_type_arity(&self, _: u32) -> Option<(u32, u32)> {
        None
    }
    fn type_index_of_function(&self, _: u32) -> Option<u32> {
        None
    }
    fn func_type_of_cont_type(&self, _: &wasmparser::ContType) -> Option<&wasmparser::FuncType> {
        None
    }
    fn sub_type_of_ref_type(&self, _: &wasmparser::RefType) -> Option<&wasmparser::SubType> {
        None
    }
    fn control_stack_height(&self) -> u32 {
        0
    }
    fn label_block(&self, _: u32) -> Option<(wasmparser::BlockType, wasmparser::FrameKind)> {
        None
    }
}

impl Seen {
    /// Takes in the operation at `place`.
    pub(super) fn operator(&mut self, place: u32, operator: &Operator<'_>) {
        let Some((pops, pushes)) = arity(operator) else {
            return self.flush();
        };
        let blind = blind_to(operator);
        let drops = matches!(operator, Operator::Drop);
        for _ in 0..pops {
            if let Some(Some((producer, shape))) = self.stack.pop()
                && !drops
                && blind != Some(shape)
            {
                self.seen.push((producer, shape));
            }
        }
        let made = makes_nan(operator).map(|shape| (place, shape));
        self.stack.extend((0..pushes).map(|_| made));
    }

    /// Ends the run: what lies on the stack is seen.
    pub(super) fn flush(&mut self) {
        self.seen.extend(self.stack.drain(..).flatten());
    }
}

/// How many operands an operation takes and leaves; `None` for control and calls.
fn arity(operator: &Operator<'_>) -> Option<(u32, u32)> {
    use Operator as O;
    match operator {
        O::Block { .. } | O::Loop { .. } | O::If { .. } | O::Else | O::End | O::Unreachable => None,
        O::Br { .. } | O::BrIf { .. } | O::BrTable { .. } | O::Return => None,
        O::Call { .. } | O::CallIndirect { .. } => None,
        other => other.operator_arity(&NoModule),
    }
}
