//! Figures of a column over a view's rows: how many, how many different, the least and the greatest, the most
//! frequent, and how numbers and instants are spread.
//!
//! All of them are exact, but for values whose 64-bit hashes meet, which count as one.

use std::cmp::Ordering;

use spoor_messages::results::{Histogram, Stats};
use spoor_table::{Cell, KustoType, format, hash, ticks};

use crate::data::{Data, cut};
use crate::error::ResultsError;
use crate::filter::is_empty;
use crate::order::{self, compare};
use crate::sorter::Sorter;
use crate::view::Ids;
use crate::{Over, STRIDE};

/// The most frequent values that are named.
const TOP: usize = 12;
/// Characters of a value that are shown.
const TEXT: usize = 200;
/// Characters of a frequent value, which is there to filter by: what is longer than this does not come whole, and is found by no test.
const VALUE: usize = 100_000;
/// The most bins of a histogram.
const BINS: usize = 40;

/// Figures in the making.
pub(crate) struct Counting {
    column: usize,
    ty: KustoType,
    ids: Ids,
    next: usize,
    items: Vec<(u64, u32)>,
    sorter: Option<Sorter>,
    extremes: Option<(u32, u32)>,
    sum: Sum,
    spread: Option<Spread>,
}

impl Counting {
    pub(crate) fn new(data: &Data, column: u32, ids: Ids) -> Result<Self, ResultsError> {
        let (column, about) = data.column(column)?;
        Ok(Self {
            column,
            ty: about.ty,
            ids,
            next: 0,
            items: Vec::new(),
            sorter: None,
            extremes: None,
            sum: Sum::default(),
            spread: None,
        })
    }

    /// Goes on; gives the figures when they are there.
    pub(crate) fn advance(&mut self, data: &Data, over: Over<'_>) -> Option<Stats> {
        if self.sorter.is_none() {
            if !self.collect(data, over) {
                return None;
            }
            self.sorter = Some(Sorter::new(std::mem::take(&mut self.items)));
            self.spread = self.begin_spread(data);
            self.next = 0;
        }
        let sorter = self.sorter.as_mut()?;
        if !sorter.advance(&|_, _| Ordering::Equal, over) {
            return None;
        }
        if !self.count_bins(data, over) {
            return None;
        }
        let items = self.sorter.as_mut()?.take();
        Some(self.figures(data, &items))
    }

    /// Passes over all rows: values' numbers, extremes, sums.
    fn collect(&mut self, data: &Data, over: Over<'_>) -> bool {
        let mut text = String::new();
        while self.next < self.ids.len() {
            let end = (self.next + STRIDE).min(self.ids.len());
            for place in self.next..end {
                let Some(row) = self.ids.at(place) else {
                    continue;
                };
                let cell = data.cell(row, self.column);
                if !is_empty(cell) {
                    self.items.push((number(cell, &mut text), row));
                    self.sum.add(cell);
                    self.widen(data, row, cell);
                }
            }
            self.next = end;
            if over() {
                return false;
            }
        }
        true
    }

    fn widen(&mut self, data: &Data, row: u32, cell: Cell<'_>) {
        let (low, high) = self.extremes.get_or_insert((row, row));
        if compare(cell, data.cell(*low, self.column)).is_lt() {
            *low = row;
        } else if compare(cell, data.cell(*high, self.column)).is_gt() {
            *high = row;
        }
    }

    fn begin_spread(&self, data: &Data) -> Option<Spread> {
        let (low, high) = self.extremes?;
        Spread::new(data.cell(low, self.column), data.cell(high, self.column))
    }

    fn count_bins(&mut self, data: &Data, over: Over<'_>) -> bool {
        let Some(spread) = &mut self.spread else {
            return true;
        };
        while self.next < self.ids.len() {
            let end = (self.next + STRIDE).min(self.ids.len());
            for row in self.ids.between(self.next, end) {
                spread.add(data.cell(row, self.column));
            }
            self.next = end;
            if over() {
                return false;
            }
        }
        true
    }

    fn figures(&mut self, data: &Data, items: &[(u64, u32)]) -> Stats {
        let mut top: Vec<(u32, u32)> = Vec::new();
        let mut distinct = 0;
        for same in items.chunk_by(|a, b| a.0 == b.0) {
            distinct += 1;
            let (count, row) = (same.len() as u32, same.first().map_or(0, |item| item.1));
            if top.len() < TOP || top.last().is_some_and(|least| least.0 < count) {
                let at = top.partition_point(|other| other.0 >= count);
                top.insert(at, (count, row));
                top.truncate(TOP);
            }
        }
        let text = |row: u32, most: usize| cut(data.text(row, self.column), most).0;
        let shown = |row: u32| text(row, TEXT);
        let ordered = self.extremes.filter(|_| self.ty != KustoType::Dynamic);
        Stats {
            column: self.column as u32,
            rows: self.ids.len() as u32,
            empty: (self.ids.len() - items.len()) as u32,
            distinct,
            min: ordered.map(|(low, _)| shown(low)),
            max: ordered.map(|(_, high)| shown(high)),
            mean: self.sum.mean(self.ty),
            top: top
                .into_iter()
                .map(|(count, row)| (text(row, VALUE), count))
                .collect(),
            histogram: self.spread.take().map(Spread::finish),
        }
    }
}

/// A number that equal values share: of what has no exact key the hash.
fn number(cell: Cell<'_>, text: &mut String) -> u64 {
    match cell {
        Cell::String(value) | Cell::Guid(value) => hash::of(value.as_bytes()),
        Cell::Dynamic(_) => {
            text.clear();
            format::push_text(text, cell);
            hash::of(text.as_bytes())
        }
        Cell::Decimal(value) => hash::of(&value.to_le_bytes()),
        cell => order::key(cell),
    }
}

/// A sum of numbers: whole ones exactly, as far as they are.
#[derive(Default)]
struct Sum {
    whole: i128,
    real: f64,
    count: u32,
}

impl Sum {
    fn add(&mut self, cell: Cell<'_>) {
        self.count += 1;
        match cell {
            Cell::Real(value) => self.real += value,
            Cell::Decimal(value) => self.real += decimal(value),
            cell => self.whole += i128::from(whole(cell).unwrap_or(0)),
        }
    }

    fn mean(&self, ty: KustoType) -> Option<String> {
        let count = i128::from(self.count);
        if count == 0 {
            return None;
        }
        let mut out = String::new();
        match ty {
            KustoType::Int | KustoType::Long => {
                format::push_real(&mut out, self.whole as f64 / f64::from(self.count));
            }
            KustoType::Real | KustoType::Decimal => {
                format::push_real(&mut out, self.real / f64::from(self.count));
            }
            KustoType::DateTime => {
                ticks::write_datetime(&mut out, ticks::clamp_datetime(self.whole / count));
            }
            KustoType::TimeSpan => {
                ticks::write_timespan(&mut out, ticks::clamp_timespan(self.whole / count));
            }
            _ => return None,
        }
        Some(out)
    }
}

fn whole(cell: Cell<'_>) -> Option<i64> {
    match cell {
        Cell::Int(value) => Some(i64::from(value)),
        Cell::Long(value) | Cell::DateTime(value) | Cell::TimeSpan(value) => Some(value),
        _ => None,
    }
}

fn decimal(value: i128) -> f64 {
    value as f64 / 10_f64.powi(i32::from(spoor_table::DECIMAL_SCALE))
}

/// Bins of equal width, and what fell into them.
enum Spread {
    /// Of whole numbers and ticks: from here on, this wide each.
    Whole {
        low: i64,
        width: u64,
        ty: fn(i64) -> String,
        counts: Vec<u32>,
    },
    /// Of reals and decimals.
    Real {
        low: f64,
        width: f64,
        counts: Vec<u32>,
    },
}

impl Spread {
    /// Bins from the least to the greatest value, if those are numbers.
    fn new(low: Cell<'_>, high: Cell<'_>) -> Option<Self> {
        if let (Some(least), Some(most)) = (whole(low), whole(high)) {
            let span = most.abs_diff(least);
            let width = span / BINS as u64 + 1;
            let counts = vec![0; (span / width) as usize + 1];
            return Some(Spread::Whole {
                low: least,
                width,
                ty: printer(low),
                counts,
            });
        }
        let real = |cell| match cell {
            Cell::Real(value) => Some(value),
            Cell::Decimal(value) => Some(decimal(value)),
            _ => None,
        };
        let (least, most) = (real(low)?, real(high)?);
        let width = (most - least) / BINS as f64;
        if !width.is_finite() {
            return None;
        }
        let bins = if width > 0.0 { BINS } else { 1 };
        Some(Spread::Real {
            low: least,
            width,
            counts: vec![0; bins],
        })
    }

    fn add(&mut self, cell: Cell<'_>) {
        let (bin, counts) = match self {
            Spread::Whole {
                low, width, counts, ..
            } => {
                let Some(value) = whole(cell) else { return };
                ((value.abs_diff(*low) / *width) as usize, counts)
            }
            Spread::Real { low, width, counts } => {
                let value = match cell {
                    Cell::Real(value) => value,
                    Cell::Decimal(value) => decimal(value),
                    _ => return,
                };
                let bin = if *width > 0.0 {
                    (value - *low) / *width
                } else {
                    0.0
                };
                // The greatest value is in the last bin; the cast saturates.
                ((bin as usize).min(counts.len() - 1), counts)
            }
        };
        if let Some(count) = counts.get_mut(bin) {
            *count += 1;
        }
    }

    fn finish(self) -> Histogram {
        let (bounds, counts): (Vec<String>, _) = match self {
            Spread::Whole {
                low,
                width,
                ty,
                counts,
            } => {
                let bound =
                    |bin: usize| low.saturating_add_unsigned(width.saturating_mul(bin as u64));
                (
                    (0..=counts.len()).map(|bin| ty(bound(bin))).collect(),
                    counts,
                )
            }
            Spread::Real { low, width, counts } => {
                let bound = |bin: usize| {
                    // No more digits than tell the bins apart.
                    format!("{:.4}", low + width * bin as f64)
                };
                ((0..=counts.len()).map(bound).collect(), counts)
            }
        };
        Histogram { counts, bounds }
    }
}

fn printer(cell: Cell<'_>) -> fn(i64) -> String {
    match cell {
        Cell::DateTime(_) => {
            |value| format::text(Cell::DateTime(ticks::clamp_datetime(value.into())))
        }
        Cell::TimeSpan(_) => |value| format::text(Cell::TimeSpan(value)),
        _ => |value| value.to_string(),
    }
}
