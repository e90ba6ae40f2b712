//! Binary columns as text: one encoding for all of a column's values, which only who sees all of them can choose.

use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use arrow::datatypes::DataType;

use super::cast;
use crate::table::TableError;

/// Whether the values are bytes that nothing says to be text: binary of any layout, and dictionaries and runs of it.
pub fn is_binary(ty: &DataType) -> bool {
    match ty {
        DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => true,
        DataType::Dictionary(_, value) => is_binary(value),
        DataType::RunEndEncoded(_, value) => is_binary(value.data_type()),
        _ => false,
    }
}

/// Whether an array's values can stand as text: they are not binary, or each is UTF-8.
pub fn is_text(array: &ArrayRef) -> bool {
    let utf8 = |value: Option<&[u8]>| value.is_none_or(|v| std::str::from_utf8(v).is_ok());
    match array.data_type() {
        DataType::Binary => array.as_binary::<i32>().iter().all(utf8),
        DataType::LargeBinary => array.as_binary::<i64>().iter().all(utf8),
        DataType::BinaryView => array.as_binary_view().iter().all(utf8),
        DataType::FixedSizeBinary(_) => array.as_fixed_size_binary().iter().all(utf8),
        DataType::Dictionary(..) => is_text(array.as_any_dictionary().values()),
        ty if is_binary(ty) => cast(array, &DataType::Binary).is_ok_and(|plain| is_text(&plain)),
        _ => true,
    }
}

/// Binary as text without nulls: the bytes as UTF-8, which they must be, or `hexadecimal` digits of all of them.
pub fn text_of(array: &ArrayRef, hexadecimal: bool) -> Result<ArrayRef, TableError> {
    let bytes = cast(array, &DataType::Binary)?;
    if !hexadecimal {
        return Ok(crate::without_nulls(&cast(&bytes, &DataType::Utf8)?));
    }
    let bytes = bytes.as_binary::<i32>();
    let mut out = StringBuilder::with_capacity(bytes.len(), bytes.values().len().saturating_mul(2));
    let mut text = String::new();
    for value in bytes {
        text.clear();
        push_hexadecimal(&mut text, value.unwrap_or_default());
        out.append_value(&text);
    }
    Ok(Arc::new(out.finish()))
}

/// Guids of 16 bytes each, the first digits first (RFC 9562, section 4), as their text. What has another length is null.
pub fn guids(array: &ArrayRef) -> Result<ArrayRef, TableError> {
    let bytes = cast(array, &DataType::Binary)?;
    let mut out = StringBuilder::with_capacity(bytes.len(), bytes.len().saturating_mul(36));
    let mut text = String::new();
    for value in bytes.as_binary::<i32>() {
        let Some(value) = value.filter(|value| value.len() == 16) else {
            out.append_null();
            continue;
        };
        text.clear();
        for part in [0..4, 4..6, 6..8, 8..10, 10..16] {
            if part.start > 0 {
                text.push('-');
            }
            push_hexadecimal(&mut text, value.get(part).unwrap_or_default());
        }
        out.append_value(&text);
    }
    Ok(Arc::new(out.finish()))
}

fn push_hexadecimal(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(out, "{byte:02x}");
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use arrow::array::{BinaryArray, DictionaryArray, FixedSizeBinaryArray, Int8Array};

    #[test]
    fn one_value_decides_for_all() {
        let text: ArrayRef = Arc::new(BinaryArray::from(vec![Some(&b"a"[..]), None]));
        let values: ArrayRef = Arc::new(BinaryArray::from(vec![&b"a"[..], &b"\xfe"[..]]));
        let keys = Int8Array::from(vec![0, 1, 0]);
        let coded: ArrayRef = Arc::new(DictionaryArray::new(keys, values));
        assert!(is_text(&text) && !is_text(&coded) && is_binary(coded.data_type()));
        let shown = text_of(&coded, true).unwrap();
        let shown: Vec<&str> = shown.as_string::<i32>().iter().flatten().collect();
        assert_eq!(shown, ["61", "fe", "61"]);
        let shown = text_of(&text, false).unwrap();
        assert_eq!(
            (shown.as_string::<i32>().value(0), shown.null_count()),
            ("a", 0)
        );
    }

    #[test]
    fn guids_have_their_text() {
        let bytes: Vec<u8> = (0..16).collect();
        let array = FixedSizeBinaryArray::try_from_iter([bytes].into_iter()).unwrap();
        let text = guids(&(Arc::new(array) as ArrayRef)).unwrap();
        assert_eq!(
            text.as_string::<i32>().value(0),
            "00010203-0405-0607-0809-0a0b0c0d0e0f"
        );
    }
}
