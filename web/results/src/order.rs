//! The order of rows: values as 64-bit keys that sort as Kusto sorts them.
//!
//! A null is the least value of its type, then NaN: so nulls come first upwards and last downwards, as Kusto's
//! `sort by` has it by default.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{Array, StringDictionaryBuilder};
use arrow::datatypes::UInt32Type;
use spoor_messages::results::Sort;
use spoor_table::{Cell, KustoType};

use crate::data::Data;
use crate::error::ResultsError;
use crate::ranking::{Ranking, prefix};
use crate::sorter::Sorter;
use crate::{Over, STRIDE};

/// Different texts up to which a text column is sorted by their ranks.
const MOST_RANKS: usize = 1 << 16;

/// The order of two values of one type.
pub(crate) fn compare(a: Cell<'_>, b: Cell<'_>) -> Ordering {
    match (a, b) {
        (Cell::String(a) | Cell::Guid(a), Cell::String(b) | Cell::Guid(b)) => a.cmp(b),
        (Cell::Decimal(a), Cell::Decimal(b)) => a.cmp(&b),
        (Cell::Dynamic(a), Cell::Dynamic(b)) => a.order(b),
        (a, b) => {
            let nulls = b.is_null().cmp(&a.is_null());
            nulls.then_with(|| key(a).cmp(&key(b)))
        }
    }
}

/// A value as a number that sorts like it: exactly, but for text of eight bytes and more, decimals, dynamic values,
/// and a null beside the least 64-bit number.
pub(crate) fn key(cell: Cell<'_>) -> u64 {
    match cell {
        Cell::Null => 0,
        Cell::Bool(value) => 1 + u64::from(value),
        Cell::Int(value) => (i64::from(value) - i64::from(i32::MIN)) as u64 + 1,
        Cell::Long(value) | Cell::TimeSpan(value) | Cell::DateTime(value) => flipped(value),
        Cell::Real(value) => real(value),
        Cell::Decimal(value) => flipped((value >> 64) as i64),
        Cell::String(text) | Cell::Guid(text) => prefix(text.as_bytes()),
        Cell::Dynamic(_) => 1,
    }
}

fn flipped(value: i64) -> u64 {
    value as u64 ^ (1 << 63)
}

fn real(value: f64) -> u64 {
    if value.is_nan() {
        return 1;
    }
    // Minus zero is zero.
    let bits = (value + 0.0).to_bits();
    let sortable = if bits >> 63 == 1 {
        !bits
    } else {
        bits | 1 << 63
    };
    sortable + 2
}

/// Which equal keys may stand for different values.
#[derive(Clone, Copy, PartialEq)]
enum Ties {
    None,
    Zero,
    All,
}

impl Ties {
    fn of(ty: KustoType) -> Self {
        match ty {
            KustoType::Bool | KustoType::Int | KustoType::Real => Ties::None,
            // Their keys are their ranks.
            KustoType::String | KustoType::Guid => Ties::None,
            KustoType::Long | KustoType::DateTime | KustoType::TimeSpan => Ties::Zero,
            KustoType::Decimal | KustoType::Dynamic => Ties::All,
        }
    }

    fn may_differ(self, key: u64) -> bool {
        match self {
            Ties::None => false,
            Ties::Zero => key == 0,
            Ties::All => true,
        }
    }
}

/// The keys of one column's rows, in the making or made.
pub(crate) struct Keys {
    column: usize,
    ascending: bool,
    ties: Ties,
    keys: Vec<u64>,
    /// The different texts so far, while they are few.
    texts: Option<StringDictionaryBuilder<UInt32Type>>,
    /// The order of texts that are many.
    ranking: Option<Ranking>,
}

impl Keys {
    pub(crate) fn new(data: &Data, sort: &Sort) -> Result<Self, ResultsError> {
        let (column, about) = data.column(sort.column)?;
        let is_text = matches!(about.ty, KustoType::String | KustoType::Guid);
        Ok(Self {
            column,
            ascending: sort.ascending,
            ties: Ties::of(about.ty),
            keys: Vec::with_capacity(data.rows() as usize),
            texts: is_text.then(StringDictionaryBuilder::new),
            ranking: None,
        })
    }

    /// Goes on; `true` when the keys of all rows are there.
    fn advance(&mut self, data: &Data, over: Over<'_>) -> bool {
        if let Some(ranking) = &mut self.ranking {
            let Some(ranks) = ranking.advance(over) else {
                return false;
            };
            self.keys = ranks;
            return true;
        }
        while let Some((batch, range)) = data.piece(self.keys.len(), STRIDE) {
            let Some(about) = data.columns().get(self.column) else {
                return true;
            };
            let array = batch.column(self.column);
            for row in range {
                let cell = Cell::of(array, about.ty, row);
                let key = match &mut self.texts {
                    Some(texts) => code(texts, cell),
                    None => key(cell),
                };
                self.keys.push(key);
            }
            if self.too_many_texts() {
                self.texts = None;
                self.ranking = Some(Ranking::new(data, self.column));
                return false;
            }
            if over() {
                return false;
            }
        }
        self.rank();
        true
    }

    fn too_many_texts(&self) -> bool {
        self.keys
            .iter()
            .rev()
            .take(STRIDE)
            .any(|key| *key > MOST_RANKS as u64)
            && self.texts.is_some()
    }

    /// Turns codes of texts into the texts' places in their order.
    fn rank(&mut self) {
        let Some(mut texts) = self.texts.take() else {
            return;
        };
        let texts = texts.finish();
        let Some(values) = texts
            .values()
            .as_any()
            .downcast_ref::<arrow::array::StringArray>()
        else {
            return;
        };
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_unstable_by_key(|at| values.value(*at));
        let mut ranks = vec![0; values.len() + 1];
        for (rank, at) in order.into_iter().enumerate() {
            ranks[at + 1] = rank as u64 + 1;
        }
        for key in &mut self.keys {
            *key = ranks.get(*key as usize).copied().unwrap_or(0);
        }
    }

    fn key(&self, row: u32) -> u64 {
        self.keys.get(row as usize).copied().unwrap_or(0)
    }

    fn compare(&self, data: &Data, a: u32, b: u32) -> Ordering {
        let (first, second) = (self.key(a), self.key(b));
        let order = first.cmp(&second).then_with(|| {
            if self.ties.may_differ(first) {
                compare(data.cell(a, self.column), data.cell(b, self.column))
            } else {
                Ordering::Equal
            }
        });
        if self.ascending {
            order
        } else {
            order.reverse()
        }
    }

    /// The key of a row in the sorter, where less is always earlier.
    fn item(&self, row: u32) -> (u64, u32) {
        let key = self.key(row);
        (if self.ascending { key } else { !key }, row)
    }
}

/// A text's number among the different ones, from 1 on; 0 for a null.
fn code(texts: &mut StringDictionaryBuilder<UInt32Type>, cell: Cell<'_>) -> u64 {
    match cell {
        Cell::String(text) | Cell::Guid(text) => texts
            .append(text)
            .map_or(u64::MAX, |code| u64::from(code) + 1),
        _ => 0,
    }
}

/// Sorts rows by columns.
pub(crate) struct RowSort {
    data: Arc<Data>,
    keys: Vec<Keys>,
    ready: usize,
    rows: Vec<u32>,
    sorter: Option<Sorter>,
}

impl RowSort {
    /// Sorts `rows`, which are in their own order.
    pub(crate) fn new(
        data: Arc<Data>,
        sorts: &[Sort],
        rows: Vec<u32>,
    ) -> Result<Self, ResultsError> {
        let keys = sorts.iter().map(|sort| Keys::new(&data, sort));
        Ok(Self {
            keys: keys.collect::<Result<_, _>>()?,
            data,
            ready: 0,
            rows,
            sorter: None,
        })
    }

    /// Goes on; gives the rows when they are sorted.
    pub(crate) fn advance(&mut self, over: Over<'_>) -> Option<Vec<u32>> {
        while let Some(keys) = self.keys.get_mut(self.ready) {
            if !keys.advance(&self.data, over) {
                return None;
            }
            self.ready += 1;
        }
        let Some(first) = self.keys.first() else {
            return Some(std::mem::take(&mut self.rows));
        };
        let rows = &mut self.rows;
        let sorter = self.sorter.get_or_insert_with(|| {
            Sorter::new(
                std::mem::take(rows)
                    .into_iter()
                    .map(|row| first.item(row))
                    .collect(),
            )
        });
        let (keys, data) = (&self.keys, &self.data);
        let tie = |a: u32, b: u32| {
            let mut orders = keys.iter().map(|keys| keys.compare(data, a, b));
            orders
                .find(|order| order.is_ne())
                .unwrap_or(Ordering::Equal)
        };
        if !sorter.advance(&tie, over) {
            return None;
        }
        Some(sorter.take().into_iter().map(|(_, row)| row).collect())
    }
}
