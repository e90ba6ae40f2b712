//! Variances, standard deviations, covariances, and means of times.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array, Int64Array};
use arrow::datatypes::{DataType, Float64Type};
use datafusion::common::Result;
use datafusion::logical_expr::Expr;
use spoor_table::{Cell, KustoType};

use super::udaf::{Shape, State, call};
use super::{Bound, filter, one};
use crate::functions::args::{P, accept, count};
use crate::functions::udf::Reader;
use crate::typed::{BindContext, Typed};

pub(super) const STDEV: u64 = 0;
pub(super) const STDEVP: u64 = 1;
pub(super) const VARIANCE: u64 = 2;
pub(super) const VARIANCEP: u64 = 3;
pub(super) const COVARIANCE: u64 = 4;
pub(super) const COVARIANCEP: u64 = 5;
const MEAN: u64 = 6;

pub(super) fn bind(ctx: &BindContext, args: &[Typed], name: &'static str, kind: u64) -> Bound {
    count(args, 1, 1)?;
    let value = accept(ctx, &args[0], P::Real, 0)?;
    one(name, moments(&[value.clone(), value], kind, None))
}

pub(super) fn bind_if(ctx: &BindContext, args: &[Typed], name: &'static str, kind: u64) -> Bound {
    let filter = filter(ctx, args)?;
    let value = accept(ctx, &args[0], P::Real, 0)?;
    one(name, moments(&[value.clone(), value], kind, Some(filter)))
}

pub(super) fn bind_pair(ctx: &BindContext, args: &[Typed], name: &'static str, kind: u64) -> Bound {
    count(args, 2, 2)?;
    let pair = [
        accept(ctx, &args[0], P::Real, 0)?,
        accept(ctx, &args[1], P::Real, 1)?,
    ];
    super::pair(name, moments(&pair, kind, None))
}

pub(super) fn bind_pair_if(
    ctx: &BindContext,
    args: &[Typed],
    name: &'static str,
    kind: u64,
) -> Bound {
    count(args, 3, 3)?;
    let pair = [
        accept(ctx, &args[0], P::Real, 0)?,
        accept(ctx, &args[1], P::Real, 1)?,
    ];
    let filter = accept(ctx, &args[2], P::Bool, 2)?.expr;
    super::pair(name, moments(&pair, kind, Some(filter)))
}

/// The mean of datetimes or timespans, whose sum may be beyond 64 bits.
pub(super) fn mean_of_ticks(arg: &Typed, filter: Option<Expr>) -> Typed {
    let expr = call(
        "mean",
        shape(arg.ty, MEAN, DataType::Int64),
        make,
        vec![arg.expr.clone(), arg.expr.clone()],
        filter,
    );
    Typed::new(expr, arg.ty)
}

fn moments(pair: &[Typed; 2], kind: u64, filter: Option<Expr>) -> Typed {
    let exprs = pair.iter().map(|arg| arg.expr.clone()).collect();
    Typed::new(
        call(
            "moments",
            shape(KustoType::Real, kind, DataType::Float64),
            make,
            exprs,
            filter,
        ),
        KustoType::Real,
    )
}

fn shape(ty: KustoType, kind: u64, ret: DataType) -> Shape {
    Shape {
        args: vec![ty, ty],
        options: vec![kind],
        ret,
        state: vec![DataType::Float64; 4],
    }
}

fn make(shape: &Shape) -> Result<Box<dyn State>> {
    Ok(Box::new(Moments {
        ty: shape.args[0],
        kind: shape.options[0],
        groups: Vec::new(),
    }))
}

/// Count, means, and the sum of products of differences from the means, kept up to date value by value (Welford).
#[derive(Clone, Copy, Default)]
struct Moment {
    count: f64,
    x: f64,
    y: f64,
    product: f64,
}

impl Moment {
    fn add(&mut self, x: f64, y: f64) {
        self.count += 1.0;
        let before = x - self.x;
        self.x += before / self.count;
        self.y += (y - self.y) / self.count;
        self.product += before * (y - self.y);
    }

    fn join(&mut self, other: Moment) {
        if other.count == 0.0 {
            return;
        }
        let count = self.count + other.count;
        let (dx, dy) = (other.x - self.x, other.y - self.y);
        self.product += other.product + dx * dy * self.count * other.count / count;
        self.x += dx * other.count / count;
        self.y += dy * other.count / count;
        self.count = count;
    }

    fn result(self, kind: u64) -> f64 {
        let sample = self.product / (self.count - 1.0).max(1.0);
        let population = self.product / self.count;
        match (kind, self.count == 0.0) {
            // Kusto's spread of nothing is none.
            (_, true) => 0.0,
            (STDEV, _) => sample.sqrt(),
            (STDEVP, _) => population.sqrt(),
            (VARIANCE | COVARIANCE, _) => sample,
            (VARIANCEP | COVARIANCEP, _) => population,
            _ => self.x,
        }
    }
}

struct Moments {
    ty: KustoType,
    kind: u64,
    groups: Vec<Moment>,
}

/// Times are measured from here, so that a real holds them to the tick for centuries around it.
const ORIGIN: i64 = 638_000_000_000_000_000;

fn number(cell: Cell<'_>) -> Option<f64> {
    match cell {
        Cell::Real(v) => Some(v),
        Cell::DateTime(v) => Some((v - ORIGIN) as f64),
        Cell::TimeSpan(v) => Some(v as f64),
        _ => None,
    }
}

impl State for Moments {
    fn grow(&mut self, count: usize) {
        self.groups.resize(count, Moment::default());
    }

    fn update(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        keep: &dyn Fn(usize) -> bool,
    ) -> Result<()> {
        let (xs, ys) = (
            Reader::new(&values[0], self.ty, false)?,
            Reader::new(&values[1], self.ty, false)?,
        );
        for (row, group) in groups.iter().enumerate() {
            if let (true, Some(x), Some(y)) =
                (keep(row), number(xs.cell(row)), number(ys.cell(row)))
            {
                self.groups[*group].add(x, y);
            }
        }
        Ok(())
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &[usize]) -> Result<()> {
        let [count, x, y, product] =
            [0, 1, 2, 3].map(|i: usize| states[i].as_primitive::<Float64Type>());
        for (row, group) in groups.iter().enumerate() {
            let other = Moment {
                count: count.value(row),
                x: x.value(row),
                y: y.value(row),
                product: product.value(row),
            };
            self.groups[*group].join(other);
        }
        Ok(())
    }

    fn finish(&mut self, count: usize) -> Result<ArrayRef> {
        let leaving = self.groups.drain(..count);
        if self.kind != MEAN {
            let kind = self.kind;
            return Ok(Arc::new(
                leaving
                    .map(|moment| Some(moment.result(kind)))
                    .collect::<Float64Array>(),
            ));
        }
        let origin = if self.ty == KustoType::DateTime {
            ORIGIN
        } else {
            0
        };
        let means = leaving
            .map(|moment| (moment.count > 0.0).then(|| (moment.x as i64).saturating_add(origin)));
        Ok(Arc::new(means.collect::<Int64Array>()))
    }

    fn save(&mut self, count: usize) -> Result<Vec<ArrayRef>> {
        let leaving: Vec<Moment> = self.groups.drain(..count).collect();
        let column = |part: fn(&Moment) -> f64| -> ArrayRef {
            Arc::new(
                leaving
                    .iter()
                    .map(|moment| Some(part(moment)))
                    .collect::<Float64Array>(),
            )
        };
        Ok(vec![
            column(|m| m.count),
            column(|m| m.x),
            column(|m| m.y),
            column(|m| m.product),
        ])
    }

    fn size(&self) -> usize {
        self.groups.capacity() * size_of::<Moment>()
    }
}
