//! A function's body: valid, of metered instructions, and within the caps. Also how large a frame of it is.

use wasmparser::{
    FuncValidator, FunctionBody, Operator, OperatorsReader, ValType, ValidatorResources,
};

use super::FEATURES;
use crate::policy::Policy;
use crate::refusal::{Refusal, Rule};

/// A refusal, or what wasmparser says.
pub(super) type Fault = Result<Refusal, wasmparser::Error>;

/// What an engine keeps for a frame beside its values, in bytes: return address, saved registers, padding.
const FRAME: u32 = 64;

/// Checks a body and answers with the bytes that a frame of it is taken to need: its locals and the most operands that
/// it ever has at once, 16 bytes each when one is a vector and 8 otherwise.
pub(super) fn check(
    validator: &mut FuncValidator<ValidatorResources>,
    body: &FunctionBody<'_>,
    policy: &Policy,
) -> Result<u32, Fault> {
    check_size(body, policy)?;
    let mut reader = body.get_binary_reader();
    let start = reader.original_position();
    check_locals(body, policy)?;
    validator.read_locals(&mut reader).map_err(Err)?;
    let locals = validator.len_locals();
    if locals > policy.locals {
        let words = format!(
            "a function has {locals} locals, and {} are allowed",
            policy.locals
        );
        return Err(Ok(Refusal::new(Rule::Locals, start, words)));
    }
    reader.set_features(FEATURES);
    let mut operators = OperatorsReader::new(reader);
    let mut operands = 0;
    let mut wide = (0..locals).any(|at| validator.get_local_type(at) == Some(ValType::V128));
    while !operators.eof() {
        let (operator, offset) = operators.read_with_offset().map_err(Err)?;
        validator.op(offset, &operator).map_err(Err)?;
        check_operator(&operator, offset, policy).map_err(Ok)?;
        if validator.control_stack_height() > policy.nesting {
            let words = format!(
                "a function has more than {} blocks within one another",
                policy.nesting
            );
            return Err(Ok(Refusal::new(Rule::Nesting, offset, words)));
        }
        operands = operands.max(validator.operand_stack_height());
        wide |= validator.get_operand_type(0) == Some(Some(ValType::V128));
    }
    operators.finish().map_err(Err)?;
    let slot = if wide { 16 } else { 8 };
    Ok(locals
        .saturating_add(operands)
        .saturating_mul(slot)
        .saturating_add(FRAME))
}

fn check_size(body: &FunctionBody<'_>, policy: &Policy) -> Result<(), Fault> {
    let size = body.range().len();
    if size <= policy.function_bytes {
        return Ok(());
    }
    let words = format!(
        "a function has {size} bytes, and {} are allowed",
        policy.function_bytes
    );
    Err(Ok(Refusal::new(
        Rule::FunctionSize,
        body.range().start,
        words,
    )))
}

/// Before the validator writes down the type of each: a few bytes can declare four thousand million.
fn check_locals(body: &FunctionBody<'_>, policy: &Policy) -> Result<(), Fault> {
    let mut total = 0u64;
    for group in body.get_locals_reader().map_err(Err)? {
        let (count, ty) = group.map_err(Err)?;
        total += u64::from(count);
        let start = body.range().start;
        if total > u64::from(policy.locals) {
            let words = format!(
                "a function declares {total} locals or more, and {} are allowed",
                policy.locals
            );
            return Err(Ok(Refusal::new(Rule::Locals, start, words)));
        }
        if ty.is_reference_type() {
            let words = format!("a local of the type {ty} is not admitted");
            return Err(Ok(Refusal::new(Rule::Locals, start, words)));
        }
    }
    Ok(())
}

/// What the validator admits and the gate does not: everything on references and tables but the indirect call. Toolchains
/// for C, Rust and AssemblyScript write none of it.
fn check_operator(operator: &Operator<'_>, offset: usize, policy: &Policy) -> Result<(), Refusal> {
    if let Operator::BrTable { targets } = operator
        && targets.len() > policy.branch_targets
    {
        let words = format!(
            "a branch table has {} targets, and {} are allowed",
            targets.len(),
            policy.branch_targets
        );
        return Err(Refusal::new(Rule::BranchTable, offset, words));
    }
    let name = match operator {
        Operator::RefNull { .. } => "ref.null",
        Operator::RefIsNull => "ref.is_null",
        Operator::RefFunc { .. } => "ref.func",
        Operator::TableGet { .. } => "table.get",
        Operator::TableSet { .. } => "table.set",
        Operator::TableGrow { .. } => "table.grow",
        Operator::TableSize { .. } => "table.size",
        Operator::TableFill { .. } => "table.fill",
        Operator::TableCopy { .. } => "table.copy",
        Operator::TableInit { .. } => "table.init",
        Operator::ElemDrop { .. } => "elem.drop",
        _ => return Ok(()),
    };
    Err(Refusal::new(
        Rule::Instruction,
        offset,
        format!("it uses {name}"),
    ))
}
