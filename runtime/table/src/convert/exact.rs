//! Numbers that their usual Kusto type would cut: under the next type that holds all of their digits.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use arrow::datatypes::DataType;

use super::{array_to_kusto, cast, mismatch};
use crate::table::TableError;
use crate::types::{DECIMAL_SCALE, KustoType};

/// As [`array_to_kusto`], but nothing is lost: unsigned numbers beyond a `long` make all of them `decimal`, and decimals that
/// have more than 26 digits before the point or 12 after it, the most that a column of `decimal` holds, make all of
/// them `string`. Gives the type that it came to, with the values.
pub fn exact(array: &ArrayRef, ty: KustoType) -> Result<(KustoType, ArrayRef), TableError> {
    match array.data_type() {
        DataType::Dictionary(_, value) => exact(&cast(array, value)?, ty),
        DataType::RunEndEncoded(_, value) => exact(&cast(array, value.data_type())?, ty),
        DataType::UInt64 => {
            let longs = array_to_kusto(array, ty)?;
            if longs.null_count() == array.null_count() {
                return Ok((ty, longs));
            }
            let wide = KustoType::Decimal;
            Ok((wide, cast(array, &wide.arrow())?))
        }
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => decimals(array, *scale),
        _ => Ok((ty, array_to_kusto(array, ty)?)),
    }
}

/// Whether [`exact`] gives arrays of this type the same type whatever their values are.
pub fn is_settled(ty: &DataType) -> bool {
    match ty {
        DataType::Dictionary(_, value) => is_settled(value),
        DataType::RunEndEncoded(_, value) => is_settled(value.data_type()),
        DataType::UInt64
        | DataType::Decimal32(..)
        | DataType::Decimal64(..)
        | DataType::Decimal128(..)
        | DataType::Decimal256(..) => false,
        _ => true,
    }
}

fn decimals(array: &ArrayRef, scale: i8) -> Result<(KustoType, ArrayRef), TableError> {
    let narrow = cast(array, &KustoType::Decimal.arrow())?;
    let fits = narrow.null_count() == array.null_count();
    // Only digits beyond the scale can be rounded away, and then the way back does not lead here.
    let is_whole = || -> Result<bool, TableError> {
        Ok(scale <= DECIMAL_SCALE || *cast(&narrow, array.data_type())? == **array)
    };
    if fits && is_whole()? {
        return Ok((KustoType::Decimal, narrow));
    }
    let text = cast(array, &DataType::Utf8)?;
    let Some(text) = text.as_string_opt::<i32>() else {
        return Err(mismatch(array.data_type(), KustoType::String));
    };
    let mut out = StringBuilder::with_capacity(text.len(), text.values().len());
    for value in text {
        out.append_value(trimmed(value.unwrap_or_default()));
    }
    Ok((KustoType::String, Arc::new(out.finish())))
}

/// A number's text without the zeros at its end, as decimals print.
fn trimmed(text: &str) -> &str {
    match text.contains('.') && !text.contains(['e', 'E']) {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use arrow::array::{Decimal128Array, Decimal256Array, UInt64Array};
    use arrow::datatypes::i256;

    use super::*;
    use crate::{Cell, convert, format};

    fn read(array: impl Array + 'static) -> (KustoType, Vec<String>) {
        let array: ArrayRef = Arc::new(array);
        let ty = convert::kusto_type(array.data_type()).unwrap();
        let (ty, values) = exact(&array, ty).unwrap();
        let text = |row| format::text(Cell::of(&values, ty, row));
        (ty, (0..values.len()).map(text).collect())
    }

    #[test]
    fn numbers_keep_their_digits() {
        use KustoType::{Decimal, Long, String};
        let large = UInt64Array::from(vec![Some(1), None, Some(u64::MAX)]);
        let of = |values: Vec<Option<i128>>, precision, scale| {
            let array = Decimal128Array::from(values);
            array.with_precision_and_scale(precision, scale).unwrap()
        };
        let digits = 123_456_789_012_345_678_901_234_567_123_456;
        let cases = [
            (read(large.slice(0, 2)), Long, vec!["1", ""]),
            (read(large), Decimal, vec!["1", "", "18446744073709551615"]),
            (
                read(of(vec![Some(digits), None, Some(-500_000)], 38, 6)),
                String,
                vec!["123456789012345678901234567.123456", "", "-0.5"],
            ),
            (
                read(of(vec![Some(12_345_678_901_234_567_890)], 38, 20)),
                String,
                vec!["0.1234567890123456789"],
            ),
            // More digits in the type than in the values.
            (
                read(of(vec![Some(1_500_000_000_000_000_000), None], 38, 18)),
                Decimal,
                vec!["1.5", ""],
            ),
            (
                read(
                    Decimal256Array::from(vec![i256::from_i128(-25)])
                        .with_precision_and_scale(76, 1)
                        .unwrap(),
                ),
                Decimal,
                vec!["-2.5"],
            ),
        ];
        for ((ty, values), wanted, texts) in cases {
            assert_eq!(
                (ty, values),
                (wanted, texts.iter().map(|t| t.to_string()).collect())
            );
        }
    }
}
