//! One frame of version 2. Its rows go straight into its table, if what they need to know stands before them; it does in what
//! Kusto writes. Where it does not, they are skipped, and the frame is read once more.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use spoor_table::Column;

use super::super::DecodeError;
use super::super::columns::ColumnsSeed;
use super::super::rows::RowsSeed;
use super::super::small::Small;
use super::Reader;

/// Everything of a frame but its rows.
#[derive(Debug, Default)]
pub(super) struct Head {
    pub(super) frame_type: String,
    pub(super) version: String,
    pub(super) table_id: Option<i64>,
    pub(super) table_kind: String,
    pub(super) table_name: String,
    pub(super) columns: Option<Vec<Column>>,
    pub(super) fragment_type: String,
    pub(super) progress: Option<f64>,
    pub(super) row_count: Option<u64>,
    pub(super) has_errors: bool,
    pub(super) cancelled: bool,
    /// Values of which each is an error.
    pub(super) errors: Vec<Value>,
    /// The table that this frame's rows opened.
    pub(super) opened: Option<usize>,
    pub(super) rows: Rows,
}

/// What became of a frame's rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Rows {
    /// There are none.
    #[default]
    None,
    /// They are in their table, or nobody wants them.
    Done,
    /// They came too early.
    Skipped,
    /// They came too early, and now everything else is known.
    Wanted,
}

/// Reads a frame.
pub(super) fn read(reader: &mut Reader, head: Head, body: &[u8]) -> Result<Head, DecodeError> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let read = FrameSeed { reader, head }.deserialize(&mut json);
    read.and_then(|head| json.end().map(|()| head))
        .map_err(|error| DecodeError::of(&error, body))
}

struct FrameSeed<'a> {
    reader: &'a mut Reader,
    head: Head,
}

impl<'de> DeserializeSeed<'de> for FrameSeed<'_> {
    type Value = Head;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Head, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for FrameSeed<'_> {
    type Value = Head;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a frame, which is an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<Head, A::Error> {
        let again = self.head.rows == Rows::Wanted;
        while let Some(key) = entries.next_key::<std::borrow::Cow<'de, str>>()? {
            match key.as_ref() {
                "Rows" => self.rows(&mut entries, again)?,
                // The first reading has it.
                _ if again => drop(entries.next_value::<IgnoredAny>()?),
                key => field(&mut self.head, key, &mut entries)?,
            }
        }
        Ok(self.head)
    }
}

impl FrameSeed<'_> {
    fn rows<'de, A: MapAccess<'de>>(
        &mut self,
        entries: &mut A,
        again: bool,
    ) -> Result<(), A::Error> {
        let Some(at) = self.target(again).map_err(Error::custom)? else {
            self.head.rows = if again { Rows::Done } else { Rows::Skipped };
            entries.next_value::<IgnoredAny>()?;
            return Ok(());
        };
        self.head.rows = Rows::Done;
        let (table, budget) = self.reader.table(at);
        let filling = &mut table.filling;
        entries.next_value_seed(RowsSeed { filling, budget })
    }

    /// The table that the rows go into, if enough is known to say so.
    fn target(&mut self, again: bool) -> Result<Option<usize>, DecodeError> {
        if matches!(self.head.rows, Rows::Done | Rows::Skipped) {
            return Err(DecodeError::Shape("a frame has rows twice".to_owned()));
        }
        let head = &self.head;
        let known = again || head.table_id.is_some();
        match head.frame_type.as_str() {
            "DataTable"
                if known && (again || head.columns.is_some() && !head.table_kind.is_empty()) =>
            {
                let at = self.reader.open(&mut self.head)?;
                self.head.opened = Some(at);
                Ok(Some(at))
            }
            "TableFragment" if known && (again || !head.fragment_type.is_empty()) => {
                self.reader.fragment(&self.head).map(Some)
            }
            _ => Ok(None),
        }
    }
}

fn field<'de, A: MapAccess<'de>>(
    head: &mut Head,
    key: &str,
    entries: &mut A,
) -> Result<(), A::Error> {
    match key {
        "FrameType" => head.frame_type = text(entries)?,
        "Version" => head.version = text(entries)?,
        "TableId" => head.table_id = entries.next_value()?,
        "TableKind" => head.table_kind = text(entries)?,
        "TableName" => head.table_name = text(entries)?,
        "Columns" => {
            head.columns = Some(entries.next_value_seed(ColumnsSeed)?);
        }
        "TableFragmentType" => head.fragment_type = text(entries)?,
        "TableProgress" => head.progress = entries.next_value()?,
        "RowCount" => head.row_count = entries.next_value()?,
        "HasErrors" => head.has_errors = entries.next_value::<Option<bool>>()?.unwrap_or_default(),
        "Cancelled" => head.cancelled = entries.next_value::<Option<bool>>()?.unwrap_or_default(),
        "OneApiErrors" | "error" => match entries.next_value_seed(Small)? {
            Value::Null => {}
            Value::Array(errors) => head.errors.extend(errors),
            error => head.errors.push(error),
        },
        _ => drop(entries.next_value::<IgnoredAny>()?),
    }
    Ok(())
}

fn text<'de, A: MapAccess<'de>>(entries: &mut A) -> Result<String, A::Error> {
    Ok(entries.next_value::<Option<String>>()?.unwrap_or_default())
}
