//! The texts that `parse` and `parse-kv` take out of a text: one scalar function, whose result is a struct of strings.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringBuilder, StructArray};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

/// What finds the texts.
pub(super) trait Take: fmt::Debug + Send + Sync + 'static {
    /// The function's name.
    const NAME: &'static str;

    /// A text for each field; none makes the struct null.
    fn take<'t>(&self, text: &'t str) -> Option<Vec<Cow<'t, str>>>;
}

/// The call of `take` on a text; its struct has so many fields, `f0`, `f1`...
pub(super) fn taken<T: Take>(take: T, fields: usize, text: Expr) -> Expr {
    let fields: Fields = (0..fields)
        .map(|at| Field::new(format!("f{at}"), DataType::Utf8, true))
        .collect();
    let taken = Taken {
        signature: Signature::any(1, Volatility::Immutable),
        key: format!("{fields:?} {take:?}"),
        take,
        fields,
    };
    ScalarUDF::from(taken).call(vec![text])
}

#[derive(Debug)]
struct Taken<T> {
    signature: Signature,
    take: T,
    /// What tells two of them apart.
    key: String,
    fields: Fields,
}

impl<T> PartialEq for Taken<T> {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl<T> Eq for Taken<T> {}

impl<T> Hash for Taken<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

impl<T: Take> ScalarUDFImpl for Taken<T> {
    fn name(&self) -> &str {
        T::NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Struct(self.fields.clone()))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let Some(texts) = arrays.first().map(|array| array.as_string::<i32>()) else {
            return datafusion::common::internal_err!("{} takes one argument", T::NAME);
        };
        let mut columns: Vec<StringBuilder> =
            self.fields.iter().map(|_| StringBuilder::new()).collect();
        let mut matched = Vec::with_capacity(texts.len());
        for row in 0..texts.len() {
            let text = match texts.is_null(row) {
                true => "",
                false => texts.value(row),
            };
            let found = self.take.take(text);
            matched.push(found.is_some());
            let found = found.unwrap_or_default();
            for (at, column) in columns.iter_mut().enumerate() {
                column.append_option(found.get(at));
            }
        }
        let arrays: Vec<ArrayRef> = columns
            .iter_mut()
            .map(|column| Arc::new(column.finish()) as ArrayRef)
            .collect();
        let nulls = Some(NullBuffer::from(matched));
        let rows = texts.len();
        let result = StructArray::try_new_with_length(self.fields.clone(), arrays, nulls, rows)?;
        Ok(ColumnarValue::Array(Arc::new(result)))
    }
}
