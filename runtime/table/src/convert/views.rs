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
    let rows = views.views().iter().enumerate();
    let rows = rows.map(|(row, view)| (*view, if views.is_valid(row) { *view as u32 } else { 0 }));
    let total: u64 = rows.clone().map(|(_, length)| u64::from(length)).sum();
    if i32::try_from(total).is_err() {
        return Err(ArrowError::OffsetOverflowError(total as usize));
    }
    let mut bytes: Vec<u8> = Vec::with_capacity(total as usize + INLINE);
    let mut ends = Vec::with_capacity(views.len() + 1);
    ends.push(0);
    for (view, length) in rows {
        let end = bytes.len() + length as usize;
        if length as usize <= INLINE {
            // All that there is room for: a copy whose length is known takes no call.
            let inline: [u8; INLINE] = std::array::from_fn(|at| view.to_le_bytes()[at + 4]);
            bytes.extend_from_slice(&inline);
            bytes.truncate(end);
        } else {
            let (buffer, start) = ((view >> 64) as u32 as usize, (view >> 96) as usize);
            let buffer = views.data_buffers().get(buffer);
            let text = buffer.and_then(|bytes| bytes.get(start..start + length as usize));
            bytes.extend_from_slice(text.unwrap_or_default());
        }
        ends.push(bytes.len() as i32);
    }
    let ends = OffsetBuffer::new(ends.into());
    StringArray::try_new(ends, Buffer::from_vec(bytes), views.nulls().cloned())
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
