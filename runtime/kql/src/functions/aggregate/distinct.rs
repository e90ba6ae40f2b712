//! `dcount`: the number of distinct values, by a set of 64-bit hashes of (group, value). Two values with one hash would
//! count once, which for a million values happens once in ten million queries.

use std::collections::HashSet;
use std::hash::BuildHasherDefault;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryBuilder, Int64Array};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::Expr;
use spoor_table::{KustoType, hash};

use super::udaf::{Shape, State, call};
use super::{Bound, one};
use crate::functions::args::{P, accept, count};
use crate::functions::hll::hash_of;
use crate::functions::udf::Reader;
use crate::typed::{BindContext, FunctionError, Typed};

pub(super) fn bind(_: &BindContext, args: &[Typed], name: &'static str, options: usize) -> Bound {
    count(args, 1, 1 + options)?;
    one(name, distinct(&args[0], None))
}

pub(super) fn bind_if(
    ctx: &BindContext,
    args: &[Typed],
    name: &'static str,
    options: usize,
) -> std::result::Result<crate::typed::AggregateTyped, FunctionError> {
    count(args, 2, 2 + options)?;
    let filter = accept(ctx, &args[1], P::Bool, 1)?.expr;
    one(name, distinct(&args[0], Some(filter)))
}

fn distinct(value: &Typed, filter: Option<Expr>) -> Typed {
    let shape = Shape {
        args: vec![value.ty],
        options: vec![],
        ret: DataType::Int64,
        state: vec![DataType::Binary],
    };
    let expr = call(
        "dcount",
        shape,
        |shape| Ok(Box::new(Distinct::new(shape.args[0]))),
        vec![value.expr.clone()],
        filter,
    );
    Typed::new(expr, KustoType::Long)
}

type Set = HashSet<(u32, u64), BuildHasherDefault<hash::Fold>>;

struct Distinct {
    ty: KustoType,
    seen: Set,
    counts: Vec<i64>,
}

impl Distinct {
    fn new(ty: KustoType) -> Self {
        Distinct {
            ty,
            seen: Set::default(),
            counts: Vec::new(),
        }
    }

    fn insert(&mut self, group: usize, hash: u64) {
        if self.seen.insert((group as u32, hash)) {
            self.counts[group] += 1;
        }
    }

    /// Takes the first groups out of the set, and moves the others up.
    fn leave(&mut self, count: usize) -> Vec<Vec<u64>> {
        let mut left = vec![Vec::new(); count];
        let all = count == self.counts.len();
        let seen = std::mem::take(&mut self.seen);
        for (group, hash) in seen {
            match left.get_mut(group as usize) {
                Some(hashes) => hashes.push(hash),
                None if all => {}
                None => {
                    self.seen.insert((group - count as u32, hash));
                }
            }
        }
        self.counts.drain(..count);
        left
    }
}

impl State for Distinct {
    fn grow(&mut self, count: usize) {
        self.counts.resize(count, 0);
    }

    fn update(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        keep: &dyn Fn(usize) -> bool,
    ) -> Result<()> {
        let reader = Reader::new(&values[0], self.ty, false)?;
        for (row, group) in groups.iter().enumerate() {
            let cell = reader.cell(row);
            if !cell.is_null() && keep(row) {
                self.insert(*group, hash_of(cell));
            }
        }
        Ok(())
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &[usize]) -> Result<()> {
        let states = states[0].as_binary::<i32>();
        for (row, group) in groups.iter().enumerate() {
            if states.is_valid(row) {
                let (hashes, _) = states.value(row).as_chunks::<8>();
                for hash in hashes {
                    self.insert(*group, u64::from_le_bytes(*hash));
                }
            }
        }
        Ok(())
    }

    fn finish(&mut self, count: usize) -> Result<ArrayRef> {
        let counts: Int64Array = self.counts.iter().take(count).copied().collect();
        self.leave(count);
        Ok(Arc::new(counts))
    }

    fn save(&mut self, count: usize) -> Result<Vec<ArrayRef>> {
        let mut out = BinaryBuilder::new();
        for hashes in self.leave(count) {
            let bytes: Vec<u8> = hashes.iter().flat_map(|hash| hash.to_le_bytes()).collect();
            out.append_value(bytes);
        }
        Ok(vec![Arc::new(out.finish())])
    }

    fn size(&self) -> usize {
        self.seen.capacity() * 17 + self.counts.capacity() * 8
    }
}
