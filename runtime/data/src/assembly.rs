//! Puts the chunks that readers make together into one table: the union of their columns, each under the narrowest
//! Kusto type that holds all of its values.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryBuilder, BooleanArray, Float64Array, Int64Array, RecordBatch,
    RecordBatchOptions, StringArray, StringBuilder, new_null_array,
};
use arrow::datatypes::Schema;
use spoor_table::dynamic::Builder;
use spoor_table::{Cell, Column, KustoType, Table, convert, format};

use crate::error::Problem;
use crate::facts::{self, Facts};

/// Rows in a chunk: DataFusion's batch size, so that a query's slices are short.
pub(crate) const CHUNK_ROWS: usize = 8_192;

/// Columns beyond this are keys that are data.
pub(crate) const MOST_COLUMNS: usize = 10_000;

/// One column of one chunk.
pub(crate) enum Part {
    /// Text whose type is not settled; no nulls.
    Text(StringArray, Facts),
    /// Values in the Arrow form of their Kusto type.
    Typed(KustoType, ArrayRef),
    /// Arrow's binary, which becomes text: hexadecimal digits if any value of the whole column is not UTF-8.
    Bytes(ArrayRef),
}

/// What an array takes beside its values, about. Many small chunks of many columns are mostly this.
const ARRAY_BYTES: u64 = 256;

/// Everything read so far.
#[derive(Default)]
pub(crate) struct Assembly {
    columns: Vec<Gathered>,
    index: HashMap<String, usize>,
    /// Rows of each chunk.
    chunks: Vec<usize>,
    meter: Meter,
}

/// Watches what the table takes.
#[derive(Default, Clone, Copy)]
struct Meter {
    /// The most bytes that it may take.
    limit: u64,
    /// Bytes of values.
    bytes: u64,
    rows: u64,
}

impl Meter {
    /// Refuses what is beyond the limit.
    fn check(&self, chunks: usize, columns: usize) -> Result<(), Problem> {
        let arrays = (chunks as u64).saturating_mul(columns as u64);
        let total = arrays
            .saturating_mul(ARRAY_BYTES)
            .saturating_add(self.bytes);
        if total <= self.limit {
            return Ok(());
        }
        Err(Problem::TableTooLarge {
            limit: self.limit,
            rows: self.rows,
            columns,
        })
    }

    /// Counts values that took `before` bytes and now take `after`.
    fn change(&mut self, before: u64, after: u64) {
        self.bytes = self.bytes.saturating_sub(before).saturating_add(after);
    }
}

/// A column over all chunks.
struct Gathered {
    name: String,
    kind: Kind,
    /// Whether bytes in it become hexadecimal digits.
    hexadecimal: bool,
    /// Parts by chunk, in order; a chunk without one has nulls.
    parts: Vec<(usize, Part)>,
}

/// What the values of a column have in common.
#[derive(Clone, Copy)]
enum Kind {
    Text(Facts),
    Typed(KustoType),
}

impl Kind {
    /// The kind that holds the values of both.
    fn join(self, other: Kind) -> Kind {
        use KustoType::{Decimal, Dynamic, Int, Long, Real, String};
        match (self, other) {
            (Kind::Text(a), Kind::Text(b)) => Kind::Text(a.and(b)),
            (Kind::Text(facts), typed) | (typed, Kind::Text(facts)) if !facts.seen => typed,
            (Kind::Typed(a), Kind::Typed(b)) if a == b => self,
            (Kind::Typed(Dynamic), _) | (_, Kind::Typed(Dynamic)) => Kind::Typed(Dynamic),
            (Kind::Typed(Int), Kind::Typed(Long)) | (Kind::Typed(Long), Kind::Typed(Int)) => {
                Kind::Typed(Long)
            }
            (Kind::Typed(Int | Long | Real), Kind::Typed(Int | Long | Real)) => Kind::Typed(Real),
            // A decimal holds every long.
            (Kind::Typed(Int | Long), Kind::Typed(Decimal))
            | (Kind::Typed(Decimal), Kind::Typed(Int | Long)) => Kind::Typed(Decimal),
            _ => Kind::Typed(String),
        }
    }

    fn settle(self) -> KustoType {
        match self {
            Kind::Typed(ty) => ty,
            Kind::Text(facts) if !facts.seen => KustoType::String,
            Kind::Text(facts) if facts.bool => KustoType::Bool,
            Kind::Text(facts) if facts.long => KustoType::Long,
            Kind::Text(facts) if facts.real => KustoType::Real,
            Kind::Text(facts) if facts.datetime => KustoType::DateTime,
            Kind::Text(_) => KustoType::String,
        }
    }
}

impl Assembly {
    /// Nothing yet, and never more than `limit` bytes.
    pub(crate) fn within(limit: u64) -> Self {
        Assembly {
            meter: Meter {
                limit,
                ..Meter::default()
            },
            ..Assembly::default()
        }
    }

    /// The index of the column called `name`, which is made if there is none. A column without a name is called after
    /// its place: `Column1`.
    pub(crate) fn column(&mut self, name: &str) -> Result<usize, Problem> {
        if let Some(at) = self.index.get(name) {
            return Ok(*at);
        }
        let at = self.columns.len();
        if at >= MOST_COLUMNS {
            return Err(Problem::TooManyColumns {
                limit: MOST_COLUMNS,
            });
        }
        let shown = if name.is_empty() {
            self.free_name(&format!("Column{}", at + 1))
        } else {
            name.to_owned()
        };
        self.index.insert(name.to_owned(), at);
        self.index.insert(shown.clone(), at);
        self.columns.push(Gathered {
            name: shown,
            kind: Kind::Text(Facts::UNTYPED),
            hexadecimal: false,
            parts: Vec::new(),
        });
        Ok(at)
    }

    /// `name`, or the first of `name1`, `name2`, ... that no column has.
    fn free_name(&self, name: &str) -> String {
        let mut candidates =
            std::iter::once(name.to_owned()).chain((1..).map(|n| format!("{name}{n}")));
        candidates
            .find(|name| !self.index.contains_key(name))
            .unwrap_or_default()
    }

    /// How many columns there are.
    pub(crate) fn width(&self) -> usize {
        self.columns.len()
    }

    /// Adds a chunk of `rows` rows. Parts name their column by index and have that many rows each. Fails when the table
    /// has become larger than it may.
    pub(crate) fn push(&mut self, rows: usize, parts: Vec<(usize, Part)>) -> Result<(), Problem> {
        let chunk = self.chunks.len();
        self.chunks.push(rows);
        self.meter.rows += rows as u64;
        for (at, part) in parts {
            if let Some(column) = self.columns.get_mut(at) {
                self.meter.change(0, part.bytes());
                column.kind = column.kind.join(part.kind());
                column.hexadecimal = column.hexadecimal || part.is_no_text();
                column.parts.push((chunk, part));
            }
        }
        self.meter.check(self.chunks.len(), self.columns.len())
    }

    /// Settles the columns' types; the table is then finished chunk by chunk.
    pub(crate) fn finish(self) -> Finisher {
        let columns: Vec<Column> = self
            .columns
            .iter()
            .map(|column| Column::new(&column.name, column.kind.settle()))
            .collect();
        let parts = self
            .columns
            .into_iter()
            .map(|column| (column.hexadecimal, column.parts.into_iter().peekable()))
            .collect();
        let table = Table::empty(columns);
        Finisher {
            table,
            parts,
            meter: self.meter,
            chunks: self.chunks.into_iter().enumerate(),
            absent: HashMap::new(),
        }
    }
}

impl Part {
    fn kind(&self) -> Kind {
        match self {
            Part::Text(_, facts) => Kind::Text(*facts),
            Part::Typed(ty, _) => Kind::Typed(*ty),
            Part::Bytes(_) => Kind::Typed(KustoType::String),
        }
    }

    /// Whether it has bytes that are not UTF-8.
    fn is_no_text(&self) -> bool {
        matches!(self, Part::Bytes(array) if !convert::is_text(array))
    }

    /// Bytes of its values.
    fn bytes(&self) -> u64 {
        match self {
            Part::Text(strings, _) => array_bytes(strings),
            Part::Typed(_, array) | Part::Bytes(array) => array_bytes(array.as_ref()),
        }
    }

    /// The part under the column's type.
    fn into_array(self, ty: KustoType, hexadecimal: bool) -> Result<ArrayRef, Problem> {
        match self {
            Part::Bytes(array) => {
                let text = convert::text_of(&array, hexadecimal).map_err(table_problem)?;
                Part::Typed(KustoType::String, text).into_array(ty, hexadecimal)
            }
            Part::Text(strings, _) => text_array(strings, ty),
            Part::Typed(own, array) if own == ty => Ok(array),
            Part::Typed(own, array) => typed_array(array.as_ref(), own, ty),
        }
    }
}

/// Bytes of an array's own rows; what it shares with a longer array is not its own.
fn array_bytes(array: &dyn Array) -> u64 {
    let own = array.to_data().get_slice_memory_size();
    own.unwrap_or_else(|_| array.get_array_memory_size()) as u64
}

type Parts = std::iter::Peekable<std::vec::IntoIter<(usize, Part)>>;

/// Brings chunk after chunk under the final types.
pub(crate) struct Finisher {
    table: Table,
    /// The parts of each column, and whether its bytes become hexadecimal digits.
    parts: Vec<(bool, Parts)>,
    /// Wider types take more: text of a number, a dynamic value of a truth value.
    meter: Meter,
    chunks: std::iter::Enumerate<std::vec::IntoIter<usize>>,
    /// A chunk of nulls of each type that was needed: wide, sparse files would be mostly copies of it.
    absent: HashMap<KustoType, ArrayRef>,
}

impl Finisher {
    /// Converts one chunk; `false` when there was none left.
    pub(crate) fn step(&mut self) -> Result<bool, Problem> {
        let Some((chunk, rows)) = self.chunks.next() else {
            return Ok(false);
        };
        let columns = self.table.shared_columns();
        let mut arrays = Vec::with_capacity(columns.len());
        for (column, (hexadecimal, parts)) in columns.iter().zip(&mut self.parts) {
            arrays.push(match parts.next_if(|(at, _)| *at == chunk) {
                Some((_, part)) => settled(part, column.ty, *hexadecimal, &mut self.meter)?,
                None => absent(&mut self.absent, column.ty, rows),
            });
        }
        self.meter.check(chunk + 1, columns.len())?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let schema: Arc<Schema> = self.table.schema().clone();
        let batch =
            RecordBatch::try_new_with_options(schema, arrays, &options).map_err(table_problem)?;
        self.table.push(batch).map_err(table_problem)?;
        Ok(true)
    }

    /// The table, once [`Finisher::step`] has said `false`.
    pub(crate) fn into_table(self) -> Table {
        self.table
    }
}

/// A part under its column's final type, counted anew.
fn settled(
    part: Part,
    ty: KustoType,
    hexadecimal: bool,
    meter: &mut Meter,
) -> Result<ArrayRef, Problem> {
    let before = part.bytes();
    let array = part.into_array(ty, hexadecimal)?;
    meter.change(before, array_bytes(array.as_ref()));
    Ok(array)
}

fn table_problem(error: impl std::fmt::Display) -> Problem {
    Problem::Table {
        cause: error.to_string(),
    }
}

/// A column's rows in a chunk that has no value of it.
fn absent(made: &mut HashMap<KustoType, ArrayRef>, ty: KustoType, rows: usize) -> ArrayRef {
    if rows > CHUNK_ROWS {
        return nothing(ty, rows);
    }
    made.entry(ty)
        .or_insert_with(|| nothing(ty, CHUNK_ROWS))
        .slice(0, rows)
}

fn nothing(ty: KustoType, rows: usize) -> ArrayRef {
    if ty == KustoType::String {
        return Arc::new(StringArray::from_iter_values(std::iter::repeat_n("", rows)));
    }
    new_null_array(&ty.arrow(), rows)
}

/// Text as a type that every text of the column has; empty text is null.
fn text_array(strings: StringArray, ty: KustoType) -> Result<ArrayRef, Problem> {
    let texts = strings.iter().map(Option::unwrap_or_default);
    Ok(match ty {
        KustoType::Bool => Arc::new(texts.map(facts::boolean).collect::<BooleanArray>()),
        KustoType::Long => Arc::new(texts.map(facts::long).collect::<Int64Array>()),
        KustoType::Real => Arc::new(texts.map(facts::real).collect::<Float64Array>()),
        KustoType::DateTime => Arc::new(texts.map(facts::timestamp).collect::<Int64Array>()),
        KustoType::Dynamic => return text_values(texts),
        KustoType::String => Arc::new(strings),
        // Text joins no other type: see `Kind::join`. It could only be empty.
        _ => new_null_array(&ty.arrow(), strings.len()),
    })
}

fn text_values<'a>(texts: impl Iterator<Item = &'a str>) -> Result<ArrayRef, Problem> {
    let mut array = BinaryBuilder::new();
    let mut builder = Builder::new();
    for text in texts {
        builder.clear();
        builder.string(text);
        // An absent key and an empty string are the same by now; null is the better guess.
        array.append_option((!text.is_empty()).then_some(builder.bytes()));
    }
    Ok(Arc::new(array.finish()))
}

/// Typed values under a wider type.
fn typed_array(array: &dyn Array, own: KustoType, ty: KustoType) -> Result<ArrayRef, Problem> {
    match ty {
        KustoType::Dynamic => Ok(dynamic_array(array, own)),
        KustoType::String => Ok(string_array(array, own)),
        _ => arrow::compute::cast(array, &ty.arrow()).map_err(table_problem),
    }
}

fn dynamic_array(array: &dyn Array, own: KustoType) -> ArrayRef {
    let mut out = BinaryBuilder::with_capacity(array.len(), array.len() * 9);
    let mut builder = Builder::new();
    for row in 0..array.len() {
        let cell = Cell::of(array, own, row);
        builder.clear();
        cell.write_dynamic(&mut builder);
        out.append_option((!cell.is_null()).then_some(builder.bytes()));
    }
    Arc::new(out.finish())
}

fn string_array(array: &dyn Array, own: KustoType) -> ArrayRef {
    let mut out = StringBuilder::with_capacity(array.len(), array.len() * 8);
    for row in 0..array.len() {
        out.append_value(scalar_text(Cell::of(array, own, row)));
    }
    Arc::new(out.finish())
}

/// A scalar in a column of text: as the file wrote it, near enough. Truth values keep JSON's lower case.
pub(crate) fn scalar_text(cell: Cell<'_>) -> String {
    match cell {
        Cell::Bool(value) => value.to_string(),
        cell => format::text(cell),
    }
}
