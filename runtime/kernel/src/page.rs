//! What the page gets of a KQL cell's result: its rows as an Arrow IPC stream, written in slices.
//!
//! The stream is a buffer of the message that shows the result, and `spoor.result` in the message's metadata says
//! what is in it. Neither is part of the message's content, so neither is ever saved: a notebook keeps the text, the
//! HTML and the chart of a result, and nothing that refers to bytes which are gone.

use std::time::Instant;

use serde_json::{Map, Value, json};
use spoor_table::Column;
use spoor_table::ipc::Stream;

use crate::bundle::Answer;
use crate::output::object;

/// The most bytes of a stream. Of a result that takes more the page gets the first rows that fit, and is told.
const STREAM_BYTES: usize = 256 << 20;

/// A result whose rows are being written for the page.
pub(crate) struct ForPage {
    answer: Answer,
    /// None if it could not be written, which loses the page its table and the cell nothing.
    stream: Option<Stream>,
}

/// Metadata of a message, and its buffers.
pub(crate) type Attached = (Map<String, Value>, Vec<Vec<u8>>);

impl ForPage {
    /// Begins to write a result's rows.
    pub(crate) fn new(answer: Answer) -> Self {
        let stream = Stream::new(answer.table.clone(), STREAM_BYTES).ok();
        Self { answer, stream }
    }

    /// Writes until `deadline`; `false` when all is written.
    pub(crate) fn write(&mut self, deadline: Instant) -> bool {
        while let Some(stream) = &mut self.stream {
            match stream.write_piece() {
                Ok(true) if Instant::now() < deadline => {}
                Ok(more) => return more,
                Err(_) => self.stream = None,
            }
        }
        false
    }

    /// The result, and what goes with the message that shows it.
    pub(crate) fn finish(self) -> (Answer, Attached) {
        let written = self.stream.and_then(|stream| stream.finish().ok());
        let attached = written.map_or_else(Attached::default, |(bytes, shown)| {
            let rows = self.answer.table.rows();
            let columns: Vec<Value> = self.answer.table.columns().iter().map(column).collect();
            let about = json!({
                "buffer": 0, "rows": rows, "shown": shown, "truncated": shown < rows, "columns": columns,
            });
            let metadata = json!({ "spoor": { "result": about } });
            (object(metadata), vec![bytes])
        });
        (self.answer, attached)
    }
}

fn column(column: &Column) -> Value {
    json!({ "name": column.name, "type": column.ty.name() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use spoor_table::{KustoType, Table, Value as Kusto};

    #[test]
    fn a_slice_that_is_over_leaves_the_rest_for_the_next() {
        let rows: Vec<Vec<Kusto>> = (0..100_000).map(|n| vec![Kusto::Long(n)]).collect();
        let columns = vec![Column::new("n", KustoType::Long)];
        let table = Table::from_values(columns, &rows).unwrap();
        let mut page = ForPage::new(Answer::of(table));
        let over = Instant::now();
        let mut slices = 1;
        while page.write(over) {
            slices += 1;
        }
        assert!(slices > 3, "{slices}");
        let (answer, (metadata, buffers)) = page.finish();
        assert_eq!(metadata["spoor"]["result"]["shown"], answer.table.rows());
        assert_eq!(
            spoor_table::ipc::from_stream(&buffers[0]).unwrap().rows(),
            100_000
        );
    }
}
