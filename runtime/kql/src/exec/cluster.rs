//! Like rows, for `evaluate autocluster(...)` and `evaluate diffpatterns(...)`. A segment is some columns' values of one row, and
//! the rows that share them. It grows from a row, a column at a time, as long as it scores better; rows to begin from are spread
//! over the table, so that the same table always gives the same segments.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, UInt32Array,
};
use arrow::compute::take;
use arrow::row::{RowConverter, SortField};
use datafusion::common::{Result, internal_err};

/// Segments that are given at most.
const MOST: usize = 25;

/// The share of the rows that a cluster has at least.
const LEAST_SHARE: f64 = 0.05;

/// A set of rows, a bit for each.
type Rows = Vec<u64>;

/// What `autocluster` looks for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clusters {
    /// How much a segment's size counts beside how much it says.
    pub(crate) size_weight: f64,
    /// Rows to begin from.
    pub(crate) seeds: usize,
}

/// What `diffpatterns` looks for. The first two columns say of each row whether it is of either side.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Differences {
    /// How far the shares of both sides are apart at least.
    pub(crate) threshold: f64,
    /// How many columns a segment has values of at most.
    pub(crate) dimensions: usize,
}

/// Some columns' values of a row.
#[derive(Clone)]
struct Segment {
    row: u32,
    columns: Vec<bool>,
    rows: Rows,
    score: f64,
}

/// The columns with a number for each value.
struct Coded {
    columns: Vec<Vec<u32>>,
    count: usize,
}

impl Clusters {
    /// Number, count and percentage of each segment, and its value of each column or null.
    pub(crate) fn find(&self, batch: &RecordBatch) -> Result<Vec<ArrayRef>> {
        let coded = Coded::of(batch.columns(), batch.num_rows())?;
        let total = batch.num_rows() as f64;
        let width = coded.columns.len() as f64;
        let score = |rows: &Rows, depth: usize| {
            let share = ones(rows) as f64 / total;
            share.powf(self.size_weight) * (depth as f64 / width).powf(1.0 - self.size_weight)
        };
        let mut left = coded.all();
        let mut found: Vec<Segment> = Vec::new();
        while found.len() < MOST {
            let Some(best) = coded.best(&left, self.seeds, coded.columns.len(), &score) else {
                break;
            };
            if (ones(&best.rows) as f64) < LEAST_SHARE * total {
                break;
            }
            left = and_not(&left, &best.rows);
            found.push(best);
        }
        let counts: Vec<u64> = found.iter().map(|s| ones(&coded.matching(s))).collect();
        let mut columns: Vec<ArrayRef> = vec![
            numbers(0..found.len() as i64),
            numbers(counts.iter().map(|count| *count as i64)),
            percentages(counts.iter().map(|count| *count as f64), total),
        ];
        columns.extend(values(batch.columns(), &found)?);
        Ok(columns)
    }
}

impl Differences {
    /// Number, counts and percentages of both sides, their difference, and its value of each column or null.
    pub(crate) fn find(&self, batch: &RecordBatch) -> Result<Vec<ArrayRef>> {
        let [a, b, columns @ ..] = batch.columns() else {
            return internal_err!("the two sides are missing");
        };
        let (a, b) = (marked(a)?, marked(b)?);
        let (all_a, all_b) = (ones(&a) as f64, ones(&b) as f64);
        let coded = Coded::of(columns, batch.num_rows())?;
        let share =
            |rows: &Rows, side: &Rows, all: f64| ones(&and(rows, side)) as f64 / all.max(1.0);
        let score = |rows: &Rows, _: usize| (share(rows, &a, all_a) - share(rows, &b, all_b)).abs();
        let mut left: Rows = a.iter().zip(&b).map(|(a, b)| a | b).collect();
        let either = left.clone();
        let mut found = Vec::new();
        while found.len() < MOST {
            let Some(mut best) = coded.best(&left, MOST, self.dimensions, &score) else {
                break;
            };
            left = and_not(&left, &best.rows);
            best.rows = and(&coded.matching(&best), &either);
            best.score = score(&best.rows, 0);
            if best.score >= self.threshold {
                found.push(best);
            }
        }
        found.sort_by(|a, b| b.score.total_cmp(&a.score));
        let count =
            |side: &Rows| -> Vec<u64> { found.iter().map(|s| ones(&and(&s.rows, side))).collect() };
        let (in_a, in_b) = (count(&a), count(&b));
        let mut given: Vec<ArrayRef> = vec![
            numbers(0..found.len() as i64),
            numbers(in_a.iter().map(|count| *count as i64)),
            numbers(in_b.iter().map(|count| *count as i64)),
            percentages(in_a.iter().map(|count| *count as f64), all_a),
            percentages(in_b.iter().map(|count| *count as f64), all_b),
            percentages(found.iter().map(|s| s.score), 1.0),
        ];
        given.extend(values(columns, &found)?);
        Ok(given)
    }
}

impl Coded {
    fn of(columns: &[ArrayRef], count: usize) -> Result<Coded> {
        let mut coded = Vec::with_capacity(columns.len());
        for array in columns {
            let converter = RowConverter::new(vec![SortField::new(array.data_type().clone())])?;
            let values = converter.convert_columns(std::slice::from_ref(array))?;
            let mut known: HashMap<&[u8], u32> = HashMap::new();
            let mut codes = Vec::with_capacity(count);
            for value in &values {
                let next = known.len() as u32;
                codes.push(*known.entry(value.data()).or_insert(next));
            }
            coded.push(codes);
        }
        Ok(Coded {
            columns: coded,
            count,
        })
    }

    fn all(&self) -> Rows {
        self.those(|_| true)
    }

    fn those(&self, keep: impl Fn(usize) -> bool) -> Rows {
        let mut bits = vec![0; self.count.div_ceil(64)];
        for row in (0..self.count).filter(|row| keep(*row)) {
            if let Some(word) = bits.get_mut(row / 64) {
                *word |= 1_u64 << (row % 64);
            }
        }
        bits
    }

    /// The rows that have a row's value of a column.
    fn like(&self, column: usize, row: u32) -> Rows {
        let Some(codes) = self.columns.get(column) else {
            return self.all();
        };
        let wanted = codes.get(row as usize);
        self.those(|at| codes.get(at) == wanted)
    }

    fn matching(&self, segment: &Segment) -> Rows {
        let kept = (0..self.columns.len()).filter(|c| segment.columns.get(*c) == Some(&true));
        kept.fold(self.all(), |rows, column| {
            and(&rows, &self.like(column, segment.row))
        })
    }

    /// The segment with the best score that grows from one of some rows of a set.
    fn best(
        &self,
        left: &Rows,
        seeds: usize,
        dimensions: usize,
        score: &dyn Fn(&Rows, usize) -> f64,
    ) -> Option<Segment> {
        let rows: Vec<u32> = (0..self.count as u32)
            .filter(|row| has(left, *row))
            .collect();
        let step = rows.len().div_ceil(seeds.max(1)).max(1);
        let grown = rows.iter().step_by(step);
        let grown = grown.filter_map(|row| self.grow(*row, left, dimensions, score));
        grown.reduce(|best, next| match next.score > best.score {
            true => next,
            false => best,
        })
    }

    fn grow(
        &self,
        row: u32,
        left: &Rows,
        dimensions: usize,
        score: &dyn Fn(&Rows, usize) -> f64,
    ) -> Option<Segment> {
        let width = self.columns.len();
        let alike: Vec<Rows> = (0..width).map(|column| self.like(column, row)).collect();
        let mut columns = vec![false; width];
        let mut rows = left.clone();
        let mut best: Option<Segment> = None;
        for depth in 1..=width.min(dimensions) {
            let open = alike.iter().enumerate().zip(&columns);
            let open = open.filter(|(_, taken)| !**taken).map(|((at, like), _)| {
                let both = and(&rows, like);
                (at, score(&both, depth), both)
            });
            let (at, scored, both) = open.reduce(|a, b| if b.1 > a.1 { b } else { a })?;
            if let Some(taken) = columns.get_mut(at) {
                *taken = true;
            }
            rows = both;
            // Of segments that are as good, the one that says more.
            if best.as_ref().is_none_or(|best| scored >= best.score) {
                best = Some(Segment {
                    row,
                    columns: columns.clone(),
                    rows: rows.clone(),
                    score: scored,
                });
            }
        }
        best
    }
}

fn ones(rows: &Rows) -> u64 {
    rows.iter().map(|bits| u64::from(bits.count_ones())).sum()
}

fn and(a: &Rows, b: &Rows) -> Rows {
    a.iter().zip(b).map(|(a, b)| a & b).collect()
}

fn and_not(a: &Rows, b: &Rows) -> Rows {
    a.iter().zip(b).map(|(a, b)| a & !b).collect()
}

fn has(rows: &Rows, row: u32) -> bool {
    let word = rows.get(row as usize / 64).copied().unwrap_or(0);
    word >> (row % 64) & 1 == 1
}

/// The rows for which a column is true.
fn marked(array: &ArrayRef) -> Result<Rows> {
    let Some(array) = array.as_any().downcast_ref::<BooleanArray>() else {
        return internal_err!("a side is no condition");
    };
    let mut bits = vec![0; array.len().div_ceil(64)];
    for (row, is_in) in array.iter().enumerate() {
        if let Some(word) = bits.get_mut(row / 64) {
            *word |= u64::from(is_in == Some(true)) << (row % 64);
        }
    }
    Ok(bits)
}

fn numbers(values: impl Iterator<Item = i64>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(values))
}

fn percentages(parts: impl Iterator<Item = f64>, whole: f64) -> ArrayRef {
    let shares = parts.map(|part| part * 100.0 / whole.max(1.0));
    Arc::new(Float64Array::from_iter_values(shares))
}

/// The segments' values of each column, null where a segment says nothing of it.
fn values(columns: &[ArrayRef], found: &[Segment]) -> Result<Vec<ArrayRef>> {
    let one = |(at, column): (usize, &ArrayRef)| {
        let told = |s: &Segment| (s.columns.get(at) == Some(&true)).then_some(s.row);
        let rows: UInt32Array = found.iter().map(told).collect();
        Ok(take(column, &rows, None)?)
    };
    columns.iter().enumerate().map(one).collect()
}
