//! `make_list`, `make_set` and `make_bag`: values of a group in one dynamic value.

use std::collections::HashSet;
use std::hash::BuildHasherDefault;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryBuilder};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::Expr;
use spoor_table::dynamic::Builder;
use spoor_table::{Cell, DynamicRef, KustoType, hash};

use super::udaf::{Shape, State, call_ordered};
use super::{Bound, one};
use crate::functions::args::{P, accept, constant_long, count};
use crate::functions::udf::Reader;
use crate::typed::{BindContext, FunctionError, Typed};

/// What is collected.
pub(super) const LIST: u64 = 0;
pub(super) const WITH_NULLS: u64 = 1;
pub(super) const SET: u64 = 2;
const BAG: u64 = 3;

/// Elements that a list holds when the query does not say.
const MOST: u64 = 1_048_576;

pub(super) fn bind(ctx: &BindContext, args: &[Typed], prefix: &'static str, kind: u64) -> Bound {
    count(args, 1, 2)?;
    one(
        prefix,
        collect(ctx, &args[0], kind, limit(ctx, args, 1)?, None),
    )
}

pub(super) fn bind_if(ctx: &BindContext, args: &[Typed], prefix: &'static str, kind: u64) -> Bound {
    count(args, 2, 3)?;
    let filter = accept(ctx, &args[1], P::Bool, 1)?.expr;
    one(
        prefix,
        collect(ctx, &args[0], kind, limit(ctx, args, 2)?, Some(filter)),
    )
}

pub(super) fn bind_bag(ctx: &BindContext, args: &[Typed], filtered: bool) -> Bound {
    let options = if filtered { 2 } else { 1 };
    count(args, options, options + 1)?;
    let filter = match filtered {
        true => Some(accept(ctx, &args[1], P::Bool, 1)?.expr),
        false => None,
    };
    let value = accept(ctx, &args[0], P::Dynamic, 0)?;
    one(
        "bag",
        collect(ctx, &value, BAG, limit(ctx, args, options)?, filter),
    )
}

fn limit(ctx: &BindContext, args: &[Typed], at: usize) -> std::result::Result<u64, FunctionError> {
    match args.get(at) {
        None => Ok(MOST),
        Some(arg) => Ok(u64::try_from(constant_long(ctx, arg, at)?)
            .unwrap_or(0)
            .min(MOST)),
    }
}

pub(super) fn collect(
    ctx: &BindContext,
    value: &Typed,
    kind: u64,
    limit: u64,
    filter: Option<Expr>,
) -> Typed {
    // What was sorted before stays sorted in the list.
    let order = if ctx.serialized {
        ctx.order.as_slice()
    } else {
        &[]
    };
    let shape = Shape {
        args: vec![value.ty],
        options: vec![kind, limit],
        ret: DataType::Binary,
        state: vec![DataType::Binary],
    };
    let make = |shape: &Shape| -> Result<Box<dyn State>> {
        Ok(Box::new(Lists {
            ty: shape.args[0],
            kind: shape.options[0],
            limit: shape.options[1] as usize,
            groups: Vec::new(),
            seen: Seen::default(),
            scratch: Builder::new(),
            bytes: 0,
        }))
    };
    Typed::new(
        call_ordered(
            "make_list",
            shape,
            make,
            vec![value.expr.clone()],
            filter,
            order,
        ),
        KustoType::Dynamic,
    )
}

type Seen = HashSet<(u32, u64), BuildHasherDefault<hash::Fold>>;

/// A group's values end to end, in the encoding of dynamic values; of a bag, names and values in turn.
#[derive(Default)]
struct Items {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

impl Items {
    fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.ends.push(self.bytes.len() as u32);
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| {
            self.bytes
                .get(start as usize..*end as usize)
                .unwrap_or_default()
        })
    }
}

struct Lists {
    ty: KustoType,
    kind: u64,
    limit: usize,
    groups: Vec<Items>,
    /// Of sets, the values, and of bags, the names that a group has.
    seen: Seen,
    scratch: Builder,
    bytes: usize,
}

impl Lists {
    fn add(&mut self, group: usize, value: &[u8]) {
        if self.kind == SET && !self.seen.insert((group as u32, hash::of(value))) {
            return;
        }
        let items = &mut self.groups[group];
        if items.ends.len() < self.limit {
            items.push(value);
            self.bytes += value.len() + 4;
        }
    }

    /// Adds a bag's properties that the group does not have yet.
    fn add_bag(&mut self, group: usize, value: DynamicRef<'_>) {
        let Some(object) = value.as_object() else {
            return;
        };
        for (key, value) in object.iter() {
            if self.seen.insert((group as u32, hash::of(key.as_bytes())))
                && self.groups[group].ends.len() < self.limit.saturating_mul(2)
            {
                self.groups[group].push(key.as_bytes());
                self.groups[group].push(value.as_bytes());
                self.bytes += key.len() + value.as_bytes().len() + 8;
            }
        }
    }

    /// Adds a dynamic value: arrays are taken apart.
    fn add_dynamic(&mut self, group: usize, value: DynamicRef<'_>) {
        match (self.kind, value.as_array()) {
            (BAG, _) => self.add_bag(group, value),
            (_, Some(items)) => items
                .iter()
                .for_each(|item| self.add(group, item.as_bytes())),
            (_, None) => self.add(group, value.as_bytes()),
        }
    }

    fn add_cell(&mut self, group: usize, cell: Cell<'_>) {
        match cell {
            Cell::Dynamic(value) => self.add_dynamic(group, value),
            Cell::Null if self.kind == BAG => {}
            // A null of the other types has no place in a list; a dynamic null has.
            Cell::Null if self.kind != WITH_NULLS && self.ty != KustoType::Dynamic => {}
            cell => {
                let mut scratch = std::mem::take(&mut self.scratch);
                scratch.clear();
                cell.write_dynamic(&mut scratch);
                self.add(group, scratch.bytes());
                self.scratch = scratch;
            }
        }
    }

    fn leave(&mut self, count: usize) -> Vec<Items> {
        if !self.seen.is_empty() {
            let moved = std::mem::take(&mut self.seen);
            let by = count as u32;
            self.seen = moved
                .into_iter()
                .filter_map(|(group, hash)| Some((group.checked_sub(by)?, hash)))
                .collect();
        }
        self.groups.drain(..count).collect()
    }
}

impl State for Lists {
    fn grow(&mut self, count: usize) {
        self.groups.resize_with(count, Items::default);
    }

    fn update(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        keep: &dyn Fn(usize) -> bool,
    ) -> Result<()> {
        let reader = Reader::new(&values[0], self.ty, false)?;
        for (row, group) in groups.iter().enumerate() {
            if keep(row) {
                self.add_cell(*group, reader.cell(row));
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
            let value = DynamicRef::new(states.value(row));
            match value.as_array() {
                // Saved elements are whole: an array among them was put there on purpose.
                Some(items) => items
                    .iter()
                    .for_each(|item| self.add(*group, item.as_bytes())),
                None => self.add_bag(*group, value),
            }
        }
        Ok(())
    }

    fn finish(&mut self, count: usize) -> Result<ArrayRef> {
        let bag = self.kind == BAG;
        let mut out = BinaryBuilder::new();
        let mut builder = Builder::new();
        for items in self.leave(count) {
            builder.clear();
            let mark = if bag {
                builder.begin_object()
            } else {
                builder.begin_array()
            };
            let mut parts = items.iter();
            while let Some(part) = parts.next() {
                if bag {
                    builder.key(&mark, std::str::from_utf8(part).unwrap_or_default());
                    builder.value(DynamicRef::new(parts.next().unwrap_or_default()));
                } else {
                    builder.value(DynamicRef::new(part));
                }
                builder.item(&mark);
            }
            builder.end(mark);
            out.append_value(builder.bytes());
        }
        self.bytes = self.groups.iter().map(|items| items.bytes.len()).sum();
        Ok(Arc::new(out.finish()))
    }

    fn save(&mut self, count: usize) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.finish(count)?])
    }

    fn size(&self) -> usize {
        self.bytes + self.groups.capacity() * size_of::<Items>() + self.seen.capacity() * 17
    }
}
