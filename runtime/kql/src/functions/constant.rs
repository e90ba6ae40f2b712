//! Long constants in plans. DataFusion names an expression after what its literals hold, byte by byte and again at each step of
//! planning, and where it wants a column it copies a literal once for every row, however long it is. So a long constant is a
//! function without arguments instead: its name is short, it is shared, and it refuses to fill the memory.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::udf::check_bytes;

/// Bytes of a constant that is a plain literal. A batch of copies of it is no more than a batch of any values may be.
const LONGEST_LITERAL: usize = 16 << 10;

/// A constant as an expression, whose value stands in each row.
pub(super) fn expression(value: ScalarValue) -> Expr {
    let text_bytes = bytes_of(&value).filter(|bytes| bytes.len() > LONGEST_LITERAL);
    let Some(bytes) = text_bytes else {
        return Expr::Literal(value, None);
    };
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    let constant = LongConstant {
        bytes: bytes.len(),
        hash: hasher.finish(),
        value: Arc::new(value),
        in_rows: true,
        // Anything else would be computed while planning, and be a literal again.
        signature: Signature::nullary(Volatility::Volatile),
    };
    constant.call()
}

/// The same expression for an operation that takes one value for all rows.
pub(super) fn for_all_rows(expr: &Expr) -> Expr {
    if let Expr::ScalarFunction(function) = expr
        && let Some(constant) = function.func.inner().downcast_ref::<LongConstant>()
    {
        let once = LongConstant {
            in_rows: false,
            ..constant.clone()
        };
        return once.call();
    }
    expr.clone()
}

fn bytes_of(value: &ScalarValue) -> Option<&[u8]> {
    match value {
        ScalarValue::Binary(Some(bytes)) => Some(bytes),
        ScalarValue::Utf8(Some(text)) => Some(text.as_bytes()),
        _ => None,
    }
}

/// Refuses to copy a value to so many rows that the copies fill the memory.
pub(super) fn check_copies(value: &ScalarValue, rows: usize) -> Result<()> {
    let bytes = bytes_of(value).map_or(0, <[u8]>::len);
    check_bytes(bytes.saturating_mul(rows))
}

#[derive(Clone)]
struct LongConstant {
    value: Arc<ScalarValue>,
    bytes: usize,
    hash: u64,
    /// Whether it gives an array of the value in each row, or the value by itself.
    in_rows: bool,
    signature: Signature,
}

impl LongConstant {
    fn call(self) -> Expr {
        let udf = Arc::new(ScalarUDF::new_from_impl(self));
        Expr::ScalarFunction(ScalarFunction::new_udf(udf, Vec::new()))
    }
}

impl fmt::Debug for LongConstant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes {:016x}", self.bytes, self.hash)
    }
}

impl PartialEq for LongConstant {
    fn eq(&self, other: &Self) -> bool {
        self.in_rows == other.in_rows
            && self.hash == other.hash
            && (Arc::ptr_eq(&self.value, &other.value) || self.value == other.value)
    }
}

impl Eq for LongConstant {}

impl Hash for LongConstant {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.hash.hash(state);
        self.in_rows.hash(state);
    }
}

impl ScalarUDFImpl for LongConstant {
    fn name(&self) -> &str {
        "constant"
    }

    fn schema_name(&self, _: &[Expr]) -> Result<String> {
        Ok(format!("{self:?}"))
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.value.data_type())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        if !self.in_rows {
            return Ok(ColumnarValue::Scalar(ScalarValue::clone(&self.value)));
        }
        check_copies(&self.value, args.number_rows)?;
        let rows = self.value.to_array_of_size(args.number_rows)?;
        Ok(ColumnarValue::Array(rows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn constant(byte: u8) -> Expr {
        expression(ScalarValue::Binary(Some(vec![byte; 1 << 20])))
    }

    #[test]
    fn long_constants_have_short_names_of_their_own() {
        let [one, two] = [1, 2].map(constant);
        let names = [&one, &two].map(|expr| expr.schema_name().to_string());
        assert!(names[0].len() < 60 && names[0] != names[1], "{names:?}");
        assert!(format!("{one:?}{one}").len() < 2000);
        assert_eq!(one, constant(1));
        assert_ne!(one, two);
        assert_ne!(one, for_all_rows(&one));
    }

    #[test]
    fn short_constants_are_literals() {
        let short = expression(ScalarValue::from("a"));
        assert!(matches!(short, Expr::Literal(..)));
        assert_eq!(for_all_rows(&short), short);
    }
}
