//! Like rows, for `evaluate autocluster(...)` and `evaluate diffpatterns(...)`. A segment is some columns' values of one row, and
//! the rows that share them. It grows from a row, a column at a time, as long as it scores better; rows to begin from are spread
//! over the table, so that the same table always gives the same segments.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, UInt32Array,
};
use arrow::compute::take;
use async_trait::async_trait;
use datafusion::common::{Result, internal_err};

use super::shared::{Codes, Rows, and, and_not, coded, each, marked, ones};
use super::whole::{Bench, Work};

/// Segments that are given at most.
const MOST: usize = 25;

/// The share of the rows that a cluster has at least.
const LEAST_SHARE: f64 = 0.05;

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

/// How good a set of rows is that has the values of so many columns.
type Score<'a> = &'a (dyn Fn(&Rows, usize) -> f64 + Send + Sync);

/// A search for the best segment of the rows that are left.
struct Search<'a> {
    columns: &'a [Codes],
    left: &'a Rows,
    seeds: usize,
    dimensions: usize,
    score: Score<'a>,
}

#[async_trait]
impl Work for Clusters {
    /// Number, count and percentage of each segment, and its value of each column or null.
    async fn of(&self, batch: &RecordBatch, bench: &mut Bench) -> Result<Vec<ArrayRef>> {
        let coded = coded(batch.columns(), bench).await?;
        let total = batch.num_rows() as f64;
        let width = coded.len() as f64;
        let score = |rows: &Rows, depth: usize| {
            let share = ones(rows) as f64 / total;
            share.powf(self.size_weight) * (depth as f64 / width).powf(1.0 - self.size_weight)
        };
        let all = marked((0..batch.num_rows()).map(|_| true));
        let mut left = all.clone();
        let (mut found, mut counts) = (Vec::new(), Vec::new());
        while found.len() < MOST {
            let search = Search {
                columns: &coded,
                left: &left,
                seeds: self.seeds,
                dimensions: coded.len(),
                score: &score,
            };
            let Some(best) = search.best(bench).await? else {
                break;
            };
            if (ones(&best.rows) as f64) < LEAST_SHARE * total {
                break;
            }
            left = and_not(&left, &best.rows);
            counts.push(ones(&matching(&coded, &best, &all, bench).await));
            found.push(best);
        }
        let mut columns: Vec<ArrayRef> = vec![
            numbers(0..found.len() as i64),
            numbers(counts.iter().map(|count| *count as i64)),
            percentages(counts.iter().map(|count| *count as f64), total),
        ];
        columns.extend(values(batch.columns(), &found)?);
        Ok(columns)
    }
}

#[async_trait]
impl Work for Differences {
    /// Number, counts and percentages of both sides, their difference, and its value of each column or null.
    async fn of(&self, batch: &RecordBatch, bench: &mut Bench) -> Result<Vec<ArrayRef>> {
        let [a, b, columns @ ..] = batch.columns() else {
            return internal_err!("the two sides are missing");
        };
        let (a, b) = (side(a)?, side(b)?);
        let (all_a, all_b) = (ones(&a) as f64, ones(&b) as f64);
        let coded = coded(columns, bench).await?;
        let share =
            |rows: &Rows, side: &Rows, all: f64| ones(&and(rows, side)) as f64 / all.max(1.0);
        let score = |rows: &Rows, _: usize| (share(rows, &a, all_a) - share(rows, &b, all_b)).abs();
        let either: Rows = a.iter().zip(&b).map(|(a, b)| a | b).collect();
        let mut left = either.clone();
        let mut found = Vec::new();
        while found.len() < MOST {
            let search = Search {
                columns: &coded,
                left: &left,
                seeds: MOST,
                dimensions: self.dimensions,
                score: &score,
            };
            let Some(mut best) = search.best(bench).await? else {
                break;
            };
            left = and_not(&left, &best.rows);
            best.rows = matching(&coded, &best, &either, bench).await;
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

impl Search<'_> {
    /// The segment with the best score that grows from one of the rows.
    async fn best(&self, bench: &mut Bench) -> Result<Option<Segment>> {
        let count = ones(self.left) as usize;
        let step = count.div_ceil(self.seeds.max(1)).max(1);
        let seeds: Vec<u32> = each(self.left).step_by(step).collect();
        bench.did(64 * self.left.len()).await;
        // Each column's rows, and those of the segments on the way.
        let bytes = (self.columns.len() + 4) * self.left.len() * size_of::<u64>();
        bench.hold(bytes)?;
        let mut best: Option<Segment> = None;
        for row in seeds {
            let Some(grown) = self.grow(row, bench).await else {
                continue;
            };
            if best.as_ref().is_none_or(|best| grown.score > best.score) {
                best = Some(grown);
            }
        }
        bench.free(bytes);
        Ok(best)
    }

    async fn grow(&self, row: u32, bench: &mut Bench) -> Option<Segment> {
        let width = self.columns.len();
        let mut alike: Vec<Rows> = Vec::with_capacity(width);
        for codes in self.columns {
            alike.push(codes.like(row));
            bench.did(64 * self.left.len()).await;
        }
        let mut columns = vec![false; width];
        let mut rows = self.left.clone();
        let mut best: Option<Segment> = None;
        for depth in 1..=width.min(self.dimensions) {
            let mut next: Option<(usize, f64, Rows)> = None;
            for (at, like) in alike.iter().enumerate() {
                if columns.get(at) == Some(&true) {
                    continue;
                }
                let both = and(&rows, like);
                let scored = (self.score)(&both, depth);
                if next.as_ref().is_none_or(|(_, best, _)| scored > *best) {
                    next = Some((at, scored, both));
                }
                bench.did(4 * rows.len()).await;
            }
            let (at, scored, both) = next?;
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

/// The rows of a set that have a segment's values.
async fn matching(coded: &[Codes], segment: &Segment, of: &Rows, bench: &mut Bench) -> Rows {
    let mut rows = of.clone();
    for (codes, told) in coded.iter().zip(&segment.columns) {
        if *told {
            rows = and(&rows, &codes.like(segment.row));
            bench.did(64 * rows.len()).await;
        }
    }
    rows
}

/// The rows for which a column is true.
fn side(array: &ArrayRef) -> Result<Rows> {
    match array.as_any().downcast_ref::<BooleanArray>() {
        Some(array) => Ok(marked(array.iter().map(|is_in| is_in == Some(true)))),
        None => internal_err!("a side is no condition"),
    }
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
