//! Tables: columns of Kusto's types over Arrow record batches. Readers make them, the engine scans and returns them.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, StringBuilder};
use arrow::datatypes::{Schema, SchemaRef};

use crate::types::{Column, KustoType};
use crate::value::{Cell, Value, array_of};

/// What can be wrong with the parts of a table.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// A batch has another number of columns than the table.
    #[error("a batch has {found} columns where the table has {wanted}")]
    ColumnCount {
        /// Columns of the table.
        wanted: usize,
        /// Columns of the batch.
        found: usize,
    },
    /// A column's array is not what its Kusto type asks for.
    #[error("column '{column}' is {ty}, which is held as {wanted}, but its data is {found}")]
    ColumnType {
        /// The column's name.
        column: String,
        /// Its Kusto type.
        ty: KustoType,
        /// The Arrow type that belongs to it.
        wanted: String,
        /// The Arrow type of the data.
        found: String,
    },
    /// Arrow refused: an encoding, a length, a stream.
    #[error(transparent)]
    Arrow(#[from] arrow::error::ArrowError),
    /// An Arrow type that has no Kusto form, or a malformed header.
    #[error("{0}")]
    Unsupported(String),
}

/// A table: columns, and rows in batches. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Table {
    columns: Arc<[Column]>,
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
    rows: usize,
}

impl Table {
    /// A table of `batches`, whose arrays go by position: their own names are replaced. Nulls of string columns become
    /// empty strings; empty batches are dropped. Fails when a batch does not fit the columns.
    pub fn try_new(
        columns: impl Into<Arc<[Column]>>,
        batches: Vec<RecordBatch>,
    ) -> Result<Self, TableError> {
        let mut table = Table::empty(columns);
        table.batches.reserve(batches.len());
        for batch in batches {
            table.push(batch)?;
        }
        Ok(table)
    }

    /// A table without rows.
    pub fn empty(columns: impl Into<Arc<[Column]>>) -> Self {
        let columns = columns.into();
        let fields: Vec<_> = columns.iter().map(Column::field).collect();
        Table {
            schema: Arc::new(Schema::new(fields)),
            columns,
            batches: Vec::new(),
            rows: 0,
        }
    }

    /// A table of one batch from whole columns of values, for constants and tests. Short columns end in nulls.
    pub fn from_values(
        columns: impl Into<Arc<[Column]>>,
        rows: &[Vec<Value>],
    ) -> Result<Self, TableError> {
        let mut table = Table::empty(columns);
        let arrays = table.columns.iter().enumerate().map(|(at, column)| {
            let null = Value::null(column.ty);
            let values: Vec<&Value> = rows
                .iter()
                .map(|row| row.get(at).unwrap_or(&null))
                .collect();
            array_of(column.ty, values)
        });
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        let batch =
            RecordBatch::try_new_with_options(table.schema.clone(), arrays.collect(), &options)?;
        table.push(batch)?;
        Ok(table)
    }

    /// Adds a batch: see [`Table::try_new`].
    pub fn push(&mut self, batch: RecordBatch) -> Result<(), TableError> {
        if batch.num_columns() != self.columns.len() {
            return Err(TableError::ColumnCount {
                wanted: self.columns.len(),
                found: batch.num_columns(),
            });
        }
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let arrays: Result<Vec<ArrayRef>, TableError> = self
            .columns
            .iter()
            .zip(batch.columns())
            .map(|(column, array)| fit(column, array))
            .collect();
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let batch = RecordBatch::try_new_with_options(self.schema.clone(), arrays?, &options)?;
        self.rows += batch.num_rows();
        self.batches.push(batch);
        Ok(())
    }

    /// The columns, in order.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The columns, shared.
    pub fn shared_columns(&self) -> Arc<[Column]> {
        self.columns.clone()
    }

    /// The batches, none of them empty; their arrays are of the columns' Arrow types.
    pub fn batches(&self) -> &[RecordBatch] {
        &self.batches
    }

    /// The Arrow schema of every batch.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The position of the column called `name`, exactly.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// Bytes of memory that the arrays hold; shared buffers count each time.
    pub fn memory(&self) -> usize {
        self.batches
            .iter()
            .map(RecordBatch::get_array_memory_size)
            .sum()
    }

    /// All rows in one batch.
    pub fn concat(&self) -> Result<RecordBatch, TableError> {
        Ok(arrow::compute::concat_batches(&self.schema, &self.batches)?)
    }

    /// At most `len` rows from row `offset` on, without copying.
    pub fn slice(&self, offset: usize, len: usize) -> Table {
        let mut out = Table::empty(self.columns.clone());
        let (mut skip, mut left) = (offset, len);
        for batch in &self.batches {
            if left == 0 {
                break;
            }
            let start = skip.min(batch.num_rows());
            let take = left.min(batch.num_rows() - start);
            skip -= start;
            if take > 0 {
                out.batches.push(batch.slice(start, take));
                out.rows += take;
                left -= take;
            }
        }
        out
    }

    /// The value at a row and column; null when either is out of range.
    pub fn value(&self, row: usize, column: usize) -> Value {
        let Some(ty) = self.columns.get(column).map(|c| c.ty) else {
            return Value::Null(KustoType::Dynamic);
        };
        let mut row = row;
        for batch in &self.batches {
            if row < batch.num_rows() {
                return Value::of(batch.column(column), ty, row);
            }
            row -= batch.num_rows();
        }
        Value::null(ty)
    }

    /// Calls `each` with every row's cells, in order, until it returns `false`.
    pub fn for_each_row(&self, mut each: impl FnMut(&[Cell<'_>]) -> bool) {
        for batch in &self.batches {
            for row in 0..batch.num_rows() {
                let cells: Vec<Cell<'_>> = self
                    .columns
                    .iter()
                    .zip(batch.columns())
                    .map(|(column, array)| Cell::of(array, column.ty, row))
                    .collect();
                if !each(&cells) {
                    return;
                }
            }
        }
    }
}

fn fit(column: &Column, array: &ArrayRef) -> Result<ArrayRef, TableError> {
    let wanted = column.ty.arrow();
    if array.data_type() != &wanted {
        return Err(TableError::ColumnType {
            column: column.name.clone(),
            ty: column.ty,
            wanted: wanted.to_string(),
            found: array.data_type().to_string(),
        });
    }
    if column.ty == KustoType::String && array.null_count() > 0 {
        return Ok(without_nulls(array));
    }
    Ok(array.clone())
}

/// A string array in which nulls are empty strings.
pub fn without_nulls(array: &ArrayRef) -> ArrayRef {
    let Some(strings) = array.as_string_opt::<i32>().filter(|s| s.null_count() > 0) else {
        return array.clone();
    };
    let mut builder = StringBuilder::with_capacity(strings.len(), strings.value_data().len());
    for value in strings {
        builder.append_value(value.unwrap_or_default());
    }
    Arc::new(builder.finish())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn numbers() -> Table {
        let columns = vec![
            Column::new("n", KustoType::Long),
            Column::new("s", KustoType::String),
        ];
        let mut table = Table::empty(columns);
        for start in [0_i64, 3] {
            let rows: Vec<Vec<Value>> = (start..start + 3).map(|n| vec![Value::Long(n)]).collect();
            let part = Table::from_values(table.shared_columns(), &rows).unwrap();
            table.push(part.batches()[0].clone()).unwrap();
        }
        table
    }

    #[test]
    fn slices_cross_batches() {
        let table = numbers();
        let part = table.slice(2, 3);
        assert_eq!(part.rows(), 3);
        let values: Vec<Value> = (0..3).map(|row| part.value(row, 0)).collect();
        assert_eq!(values, [Value::Long(2), Value::Long(3), Value::Long(4)]);
        assert_eq!(table.slice(9, 1).rows(), 0);
        assert_eq!(part.value(0, 1), Value::String(String::new()));
    }

    #[test]
    fn wrong_types_and_counts_are_refused() {
        let mut table = Table::empty(vec![Column::new("n", KustoType::Int)]);
        let message = table
            .push(numbers().concat().unwrap())
            .unwrap_err()
            .to_string();
        assert!(message.contains("2 columns"), "{message}");
        let one = numbers().concat().unwrap().project(&[0]).unwrap();
        let message = table.push(one).unwrap_err().to_string();
        assert!(
            message.contains("Int32") && message.contains("Int64"),
            "{message}"
        );
    }
}
