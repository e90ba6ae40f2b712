//! Text that is given as views: a copy of each value, end to end.

use arrow::array::{Array, StringArray, StringViewArray};
use arrow::buffer::{Buffer, OffsetBuffer};
use arrow::error::ArrowError;

/// The bytes that a view itself has room for.
const INLINE: usize = 12;

/// The same texts end to end.
///
/// # Errors
/// When there is more text than 31 bits count.
pub fn texts_of_views(views: &StringViewArray) -> Result<StringArray, ArrowError> {
    let nulls = views.nulls();
    let length = |row: usize, view: u128| match nulls.is_none_or(|nulls| nulls.is_valid(row)) {
        true => view as u32 as usize,
        false => 0,
    };
    let rows = views.views().iter().enumerate();
    let total: usize = rows.clone().map(|(row, view)| length(row, *view)).sum();
    if i32::try_from(total).is_err() {
        return Err(ArrowError::OffsetOverflowError(total));
    }
    let mut bytes = vec![0; total + INLINE];
    let mut ends = Vec::with_capacity(views.len() + 1);
    let mut at = 0;
    ends.push(0);
    for (row, &view) in rows {
        let length = length(row, view);
        let held = view.to_le_bytes();
        let room = bytes.get_mut(at..).unwrap_or_default();
        match (held.last_chunk::<INLINE>(), room.first_chunk_mut()) {
            // All that there is room for: a copy whose length is known takes no call.
            (Some(inline), Some(room)) if length <= INLINE => *room = *inline,
            _ => {
                let text = elsewhere(views, view, length);
                room.get_mut(..text.len())
                    .unwrap_or_default()
                    .copy_from_slice(text);
            }
        }
        at += length;
        ends.push(at as i32);
    }
    bytes.truncate(total);
    let ends = OffsetBuffer::new(ends.into());
    StringArray::try_new(ends, Buffer::from_vec(bytes), nulls.cloned())
}

/// A text that its view has no room for.
fn elsewhere(views: &StringViewArray, view: u128, length: usize) -> &[u8] {
    let (buffer, start) = ((view >> 64) as u32 as usize, (view >> 96) as usize);
    let buffer = views.data_buffers().get(buffer);
    let text = buffer.and_then(|bytes| bytes.get(start..start + length));
    text.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn texts_of_any_length_are_themselves() {
        let long = "é".repeat(40);
        let texts = vec![
            Some(""),
            None,
            Some("twelve bytes"),
            Some("thirteen byte"),
            Some(&long),
            Some("x"),
        ];
        let views = StringViewArray::from(texts.clone());
        assert_eq!(
            texts_of_views(&views).unwrap(),
            StringArray::from(texts.clone())
        );
        let slice = texts_of_views(&views.slice(3, 2)).unwrap();
        assert_eq!(slice, StringArray::from(texts[3..5].to_vec()));
    }
}
