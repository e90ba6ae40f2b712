//! `dcount`: the number of distinct values, by their 64-bit hashes. Two values with one hash would count once, which for a million
//! values happens once in ten million queries.
//!
//! The same values mostly come in many groups. So each value is numbered once, and what a group has is bits: the tables that a row
//! looks into stay small enough for the processor's caches.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryBuilder, Int64Array, StringArray};
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

type Map<V> = HashMap<u64, V, BuildHasherDefault<hash::Fold>>;

struct Distinct {
    ty: KustoType,
    /// The number of each value, by its hash, and the hashes by number.
    numbers: Map<u32>,
    hashes: Vec<u64>,
    /// By group and a sixty-fourth of numbers, the numbers that the group has.
    seen: Map<u64>,
    counts: Vec<i64>,
}

impl Distinct {
    fn new(ty: KustoType) -> Self {
        Distinct {
            ty,
            numbers: Map::default(),
            hashes: Vec::new(),
            seen: Map::default(),
            counts: Vec::new(),
        }
    }

    fn insert(&mut self, group: usize, hash: u64) {
        let next = self.hashes.len() as u32;
        let number = *self.numbers.entry(hash).or_insert(next);
        if number == next {
            self.hashes.push(hash);
        }
        let bits = self.seen.entry(place(group as u32, number)).or_default();
        let bit = 1 << (number % 64);
        self.counts[group] += i64::from(*bits & bit == 0);
        *bits |= bit;
    }

    /// Takes in texts, of rows that count.
    fn insert_texts(
        &mut self,
        texts: &StringArray,
        groups: &[usize],
        keep: &dyn Fn(usize) -> bool,
    ) {
        for (row, (group, text)) in groups.iter().zip(texts).enumerate() {
            if keep(row) {
                self.insert(*group, hash::of(text.unwrap_or_default().as_bytes()));
            }
        }
    }

    /// Takes the first groups' values out, and moves the other groups up.
    fn leave(&mut self, count: usize) -> Vec<Vec<u64>> {
        let mut left = vec![Vec::new(); count];
        let all = count == self.counts.len();
        self.counts.drain(..count);
        for (place, bits) in std::mem::take(&mut self.seen) {
            let group = (place >> 32) as usize;
            match left.get_mut(group) {
                Some(hashes) => hashes.extend(numbered(place as u32, bits, &self.hashes)),
                None if all => {}
                None => {
                    self.seen.insert(place - ((count as u64) << 32), bits);
                }
            }
        }
        left
    }
}

/// Where the bit of a group's number is.
fn place(group: u32, number: u32) -> u64 {
    u64::from(group) << 32 | u64::from(number / 64)
}

/// The hashes of a sixty-fourth's numbers.
fn numbered(sixty_fourth: u32, bits: u64, hashes: &[u64]) -> impl Iterator<Item = u64> + '_ {
    let first = sixty_fourth as usize * 64;
    let set = (0..64).filter(move |bit| bits >> bit & 1 == 1);
    set.filter_map(move |bit| hashes.get(first + bit).copied())
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
        if let (KustoType::String, Some(texts)) = (self.ty, values[0].as_string_opt::<i32>()) {
            self.insert_texts(texts, groups, keep);
            return Ok(());
        }
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
        let tables = (self.numbers.capacity() + self.seen.capacity()) * 17;
        tables + (self.hashes.capacity() + self.counts.capacity()) * 8
    }
}
