//! Percentiles by nearest rank, exact: the value at position ceil(percentage / 100 * count) of the sorted values.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryBuilder};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use spoor_table::dynamic::{Builder, Kind};
use spoor_table::{Cell, KustoType, Value};

use super::Bound;
use super::udaf::{Shape, State, call};
use crate::functions::args::{article, count};
use crate::functions::udf::Reader;
use crate::functions::{dynamic, implicit, literal};
use crate::typed::{
    AggregateOutput, AggregateTyped, BindContext, FunctionError, OutputName, Typed,
};

pub(super) fn bind_one(ctx: &BindContext, args: &[Typed]) -> Bound {
    count(args, 2, 2)?;
    columns(ctx, args, false, "percentile")
}

pub(super) fn bind_many(ctx: &BindContext, args: &[Typed]) -> Bound {
    count(args, 2, 64)?;
    columns(ctx, args, false, "percentile")
}

pub(super) fn bind_weighted_one(ctx: &BindContext, args: &[Typed]) -> Bound {
    count(args, 3, 3)?;
    columns(ctx, args, true, "percentile")
}

pub(super) fn bind_weighted(ctx: &BindContext, args: &[Typed]) -> Bound {
    count(args, 3, 64)?;
    columns(ctx, args, true, "percentile")
}

pub(super) fn bind_array(ctx: &BindContext, args: &[Typed]) -> Bound {
    count(args, 2, 64)?;
    array(ctx, args, false, "percentiles")
}

pub(super) fn bind_weighted_array(ctx: &BindContext, args: &[Typed]) -> Bound {
    count(args, 3, 64)?;
    array(ctx, args, true, "percentiles")
}

fn columns(ctx: &BindContext, args: &[Typed], weighted: bool, prefix: &'static str) -> Bound {
    let percentages = percentages(
        &args[if weighted { 2 } else { 1 }..],
        if weighted { 2 } else { 1 },
    )?;
    let (values, ty) = collect(ctx, args, weighted, &percentages)?;
    let mut outputs = Vec::new();
    for (at, percentage) in percentages.iter().enumerate() {
        let element = dynamic::path(values.clone(), literal(Value::Long(at as i64)));
        let suffix = spoor_table::format::text(Cell::Real(*percentage)).replace('.', "_");
        outputs.push(AggregateOutput {
            name: OutputName::PrefixSuffix(prefix, suffix),
            value: implicit(ctx, &element, ty)?,
        });
    }
    Ok(AggregateTyped { outputs })
}

fn array(ctx: &BindContext, args: &[Typed], weighted: bool, prefix: &'static str) -> Bound {
    let percentages = percentages(
        &args[if weighted { 2 } else { 1 }..],
        if weighted { 2 } else { 1 },
    )?;
    let (values, _) = collect(ctx, args, weighted, &percentages)?;
    super::one(prefix, values)
}

/// The constants of a call, numbers or an array of them.
fn percentages(args: &[Typed], first: usize) -> std::result::Result<Vec<f64>, FunctionError> {
    let mut out = Vec::new();
    for (at, arg) in args.iter().enumerate() {
        let wrong =
            || FunctionError::new("expects a constant percentage from 0 to 100").at(at + first);
        match arg.constant.as_ref().ok_or_else(wrong)? {
            Value::Int(v) => out.push(f64::from(*v)),
            Value::Long(v) => out.push(*v as f64),
            Value::Real(v) => out.push(*v),
            Value::Dynamic(v) => {
                let items = v.view().as_array().ok_or_else(wrong)?;
                for item in items.iter() {
                    out.push(match item.kind() {
                        Kind::Long(v) => v as f64,
                        Kind::Real(v) => v,
                        _ => return Err(wrong()),
                    });
                }
            }
            _ => return Err(wrong()),
        }
        if out.iter().any(|p| !(0.0..=100.0).contains(p)) {
            return Err(wrong());
        }
    }
    Ok(out)
}

/// One dynamic array with the values for all percentages, and the values' type.
fn collect(
    ctx: &BindContext,
    args: &[Typed],
    weighted: bool,
    percentages: &[f64],
) -> std::result::Result<(Typed, KustoType), FunctionError> {
    let ty = match args[0].ty {
        KustoType::Int | KustoType::Long => KustoType::Long,
        KustoType::Real | KustoType::Decimal | KustoType::Dynamic => KustoType::Real,
        ty @ (KustoType::DateTime | KustoType::TimeSpan) => ty,
        ty => {
            return Err(FunctionError::new(format!(
                "expects numbers or times, not {}",
                article(ty)
            ))
            .at(0));
        }
    };
    let mut exprs = vec![implicit(ctx, &args[0], ty)?.expr];
    let mut types = vec![ty];
    if weighted {
        exprs.push(implicit(ctx, &args[1], KustoType::Long)?.expr);
        types.push(KustoType::Long);
    }
    let shape = Shape {
        args: types,
        options: percentages.iter().map(|p| p.to_bits()).collect(),
        ret: DataType::Binary,
        state: vec![DataType::Binary],
    };
    let make = |shape: &Shape| -> Result<Box<dyn State>> {
        Ok(Box::new(Percentiles {
            types: shape.args.clone(),
            percentages: shape
                .options
                .iter()
                .map(|bits| f64::from_bits(*bits))
                .collect(),
            groups: Vec::new(),
        }))
    };
    let expr = call("percentiles", shape, make, exprs, None);
    let result = if args[0].ty == KustoType::Int {
        KustoType::Int
    } else {
        ty
    };
    Ok((Typed::new(expr, KustoType::Dynamic), result))
}

/// Values with their weights; a real is kept as bits in an order that integers have too.
type Weighted = Vec<(i64, i64)>;

struct Percentiles {
    types: Vec<KustoType>,
    percentages: Vec<f64>,
    groups: Vec<Weighted>,
}

/// Bits that sort as the number does.
fn ordered(value: f64) -> i64 {
    let bits = value.to_bits() as i64;
    bits ^ (((bits >> 63) as u64) >> 1) as i64
}

fn unordered(bits: i64) -> f64 {
    f64::from_bits((bits ^ (((bits >> 63) as u64) >> 1) as i64) as u64)
}

impl Percentiles {
    fn write(&self, builder: &mut Builder, mut values: Weighted) {
        values.sort_unstable();
        let total: i128 = values.iter().map(|(_, weight)| i128::from(*weight)).sum();
        let mark = builder.begin_array();
        for percentage in &self.percentages {
            let wanted = ((percentage / 100.0 * total as f64).ceil() as i128).max(1);
            let mut reached = 0_i128;
            let found = values.iter().find(|(_, weight)| {
                reached += i128::from(*weight);
                reached >= wanted
            });
            match (found, self.types[0]) {
                (None, _) => builder.null(),
                (Some((value, _)), KustoType::Real) => builder.real(unordered(*value)),
                (Some((value, _)), KustoType::DateTime) => builder.datetime(*value),
                (Some((value, _)), KustoType::TimeSpan) => builder.timespan(*value),
                (Some((value, _)), _) => builder.long(*value),
            }
            builder.item(&mark);
        }
        builder.end(mark);
    }
}

impl State for Percentiles {
    fn grow(&mut self, count: usize) {
        self.groups.resize_with(count, Vec::new);
    }

    fn update(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        keep: &dyn Fn(usize) -> bool,
    ) -> Result<()> {
        let reader = Reader::new(&values[0], self.types[0], false)?;
        let weights = values
            .get(1)
            .map(|w| Reader::new(w, KustoType::Long, false))
            .transpose()?;
        for (row, group) in groups.iter().enumerate() {
            if !keep(row) {
                continue;
            }
            let weight = match weights.as_ref().map(|w| w.cell(row)) {
                None => 1,
                Some(Cell::Long(weight)) if weight > 0 => weight,
                Some(_) => continue,
            };
            match reader.cell(row) {
                Cell::Long(v) | Cell::DateTime(v) | Cell::TimeSpan(v) => {
                    self.groups[*group].push((v, weight))
                }
                Cell::Real(v) => self.groups[*group].push((ordered(v), weight)),
                _ => {}
            }
        }
        Ok(())
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &[usize]) -> Result<()> {
        let states = states[0].as_binary::<i32>();
        for (row, group) in groups.iter().enumerate() {
            if states.is_null(row) {
                continue;
            }
            let (pairs, _) = states.value(row).as_chunks::<16>();
            for pair in pairs {
                let both = i128::from_le_bytes(*pair);
                self.groups[*group].push((both as i64, (both >> 64) as i64));
            }
        }
        Ok(())
    }

    fn finish(&mut self, count: usize) -> Result<ArrayRef> {
        let leaving: Vec<Weighted> = self.groups.drain(..count).collect();
        let mut out = BinaryBuilder::new();
        let mut builder = Builder::new();
        for values in leaving {
            builder.clear();
            self.write(&mut builder, values);
            out.append_value(builder.bytes());
        }
        Ok(Arc::new(out.finish()))
    }

    fn save(&mut self, count: usize) -> Result<Vec<ArrayRef>> {
        let mut out = BinaryBuilder::new();
        for values in self.groups.drain(..count) {
            let pack = |(value, weight): &(i64, i64)| {
                (i128::from(*weight) << 64 | i128::from(*value as u64)).to_le_bytes()
            };
            out.append_value(values.iter().flat_map(pack).collect::<Vec<u8>>());
        }
        Ok(vec![Arc::new(out.finish())])
    }

    fn size(&self) -> usize {
        self.groups
            .iter()
            .map(|values| values.capacity() * 16 + 24)
            .sum()
    }
}
