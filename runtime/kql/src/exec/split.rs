//! Cuts the batches below an unnesting so that each piece gives few rows: a batch of rows with long arrays would else come out as
//! one batch without bounds, all other columns repeated.

use std::ops::Range;

use arrow::array::{Array, AsArray};
use arrow::record_batch::RecordBatch;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::StreamExt;

use super::BATCH_ROWS;

/// The batches in pieces whose lists together have about a batch's number of elements.
pub(super) fn in_pieces(
    input: SendableRecordBatchStream,
    _: &TaskContext,
) -> SendableRecordBatchStream {
    let schema = input.schema();
    let pieces = input.flat_map(|batch| {
        let pieces = match batch {
            Ok(batch) => pieces(&lengths(&batch))
                .into_iter()
                .map(|rows| Ok(batch.slice(rows.start, rows.len())))
                .collect(),
            Err(error) => vec![Err(error)],
        };
        futures::stream::iter(pieces)
    });
    Box::pin(RecordBatchStreamAdapter::new(schema, pieces))
}

/// How many elements the longest list of each row has.
fn lengths(batch: &RecordBatch) -> Vec<usize> {
    let mut longest = vec![0; batch.num_rows()];
    let lists = batch
        .columns()
        .iter()
        .filter_map(|c| c.as_list_opt::<i32>());
    for list in lists {
        for (row, most) in longest.iter_mut().enumerate() {
            if list.is_valid(row) {
                *most = usize::try_from(list.value_length(row))
                    .unwrap_or(0)
                    .max(*most);
            }
        }
    }
    longest
}

/// Rows in pieces of about a batch's number of elements, each of one row at least.
fn pieces(lengths: &[usize]) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let (mut start, mut elements) = (0, 0);
    for (row, length) in lengths.iter().enumerate() {
        if row > start && elements + length > BATCH_ROWS {
            pieces.push(start..row);
            (start, elements) = (row, 0);
        }
        elements += length;
    }
    if start < lengths.len() {
        pieces.push(start..lengths.len());
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_hold_a_batch_of_elements_or_one_row() {
        assert!(pieces(&[]).is_empty());
        assert_eq!(pieces(&[0, 5, 0]), vec![0..3]);
        assert_eq!(pieces(&[9000, 1, 8192, 1]), vec![0..1, 1..2, 2..3, 3..4]);
        assert_eq!(pieces(&[4096, 4096, 1, 8191]), vec![0..2, 2..4]);
    }
}
