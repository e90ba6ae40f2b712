//! One shape for all of Kusto's scalar functions in DataFusion: a name, the types of arguments and result, and a plain
//! function that computes rows or whole batches. A struct around a function pointer, not a type per function, keeps
//! the WebAssembly small.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BinaryBuilder, BooleanArray, BooleanBuilder,
    Decimal128Array, Decimal128Builder, Float64Array, Float64Builder, Int32Array, Int32Builder,
    Int64Array, Int64Builder, StringArray, StringBuilder,
};
use arrow::datatypes::{DataType, Decimal128Type, Float64Type, Int32Type, Int64Type, Schema};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::common::{DFSchema, DataFusionError, Result, ScalarValue, exec_err, internal_err};
use datafusion::execution::context::ExecutionProps;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::physical_expr::create_physical_expr;
use spoor_table::dynamic::Builder;
use spoor_table::{Cell, DynamicRef, KustoType, Value};

use super::BATCH_BYTES;
use super::constant::{check_copies, for_all_rows};
use crate::typed::Typed;

/// Bytes of a constant that stand whole in the name of a call.
const LONG_CONSTANT: usize = 64;

/// Computes one row: reads the arguments, and writes exactly one value.
pub(crate) type RowFn = fn(&[Cell<'_>], &mut Out);

/// Computes a batch of rows at once.
pub(crate) type BatchFn = fn(&Batch<'_>) -> Result<ArrayRef>;

/// How a function computes.
#[derive(Clone, Copy)]
pub(crate) enum Body {
    /// Row by row; a null argument makes the row null without a call.
    Strict(RowFn),
    /// Row by row, nulls included.
    Rows(RowFn),
    /// By the batch.
    Batch(BatchFn),
}

/// A scalar function bound to its types.
pub(crate) struct Udf {
    name: &'static str,
    args: Vec<KustoType>,
    ret: KustoType,
    body: Body,
    signature: Signature,
}

impl Udf {
    pub(crate) fn is_named(&self, name: &str) -> bool {
        self.name == name
    }

    pub(crate) fn arg_types(&self) -> &[KustoType] {
        &self.args
    }
}

impl std::fmt::Debug for Udf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Udf")
            .field("name", &self.name)
            .field("args", &self.args)
            .finish()
    }
}

// A name and types stand for one body: that is a rule of this module's callers.
impl PartialEq for Udf {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
            && self.args == other.args
            && self.ret == other.ret
            && self.signature.volatility == other.signature.volatility
    }
}

impl Eq for Udf {}

impl Hash for Udf {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
        self.args.hash(state);
        self.ret.hash(state);
    }
}

/// An argument as a call's name has it: a long constant by its length and a hash.
fn argument_name(argument: &Expr) -> String {
    let long: Option<&[u8]> = match argument {
        Expr::Literal(ScalarValue::Binary(Some(bytes)), _) => Some(bytes),
        Expr::Literal(ScalarValue::Utf8(Some(text)), _) => Some(text.as_bytes()),
        _ => None,
    };
    match long.filter(|bytes| bytes.len() > LONG_CONSTANT) {
        Some(bytes) => {
            let mut hasher = DefaultHasher::new();
            bytes.hash(&mut hasher);
            format!("{} bytes {:016x}", bytes.len(), hasher.finish())
        }
        None => argument.schema_name().to_string(),
    }
}

impl ScalarUDFImpl for Udf {
    fn name(&self) -> &str {
        self.name
    }

    // Planning asks for it again and again, and a constant may be megabytes long.
    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        let args: Vec<String> = args.iter().map(argument_name).collect();
        Ok(format!("{}({})", self.name, args.join(",")))
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.ret.arrow())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let volatile = self.signature.volatility == Volatility::Volatile;
        let constant = !volatile
            && args
                .args
                .iter()
                .all(|a| matches!(a, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { args.number_rows };
        let batch = Batch {
            args: &args.args,
            types: &self.args,
            rows,
        };
        let array = match self.body {
            Body::Batch(run) => run(&batch)?,
            Body::Rows(run) => batch.by_row(self.ret, run, false)?,
            Body::Strict(run) => batch.by_row(self.ret, run, true)?,
        };
        if array.data_type() != &self.ret.arrow() || array.len() != rows {
            return internal_err!(
                "{} gave {} of {} rows",
                self.name,
                array.data_type(),
                array.len()
            );
        }
        if constant {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(
                &array, 0,
            )?));
        }
        Ok(ColumnarValue::Array(array))
    }
}

/// The arguments of one call.
pub(crate) struct Batch<'a> {
    args: &'a [ColumnarValue],
    types: &'a [KustoType],
    /// How many rows to compute.
    pub(crate) rows: usize,
}

impl<'a> Batch<'a> {
    pub(crate) fn new(args: &'a [ColumnarValue], types: &'a [KustoType], rows: usize) -> Self {
        Batch { args, types, rows }
    }

    /// The type of an argument.
    pub(crate) fn ty(&self, index: usize) -> KustoType {
        self.types.get(index).copied().unwrap_or(KustoType::Dynamic)
    }

    /// How many arguments there are.
    pub(crate) fn len(&self) -> usize {
        self.args.len()
    }

    /// The argument as an array of `rows` values.
    pub(crate) fn array(&self, index: usize) -> Result<ArrayRef> {
        match self.args.get(index) {
            Some(ColumnarValue::Array(array)) => Ok(array.clone()),
            Some(ColumnarValue::Scalar(value)) => {
                check_copies(value, self.rows)?;
                value.to_array_of_size(self.rows)
            }
            None => internal_err!("argument {index} is missing"),
        }
    }

    /// The argument's value, if it is the same for all rows.
    pub(crate) fn constant(&self, index: usize) -> Option<Value> {
        match (self.args.get(index)?, self.types.get(index)?) {
            (ColumnarValue::Scalar(scalar), ty) => {
                let array = scalar.to_array().ok()?;
                Some(Value::of(&array, *ty, 0))
            }
            _ => None,
        }
    }

    /// The argument's text, if it is the same for all rows.
    pub(crate) fn constant_text(&self, index: usize) -> Option<String> {
        match self.constant(index)? {
            Value::String(text) | Value::Guid(text) => Some(text),
            _ => None,
        }
    }

    /// A reader of the argument; a constant answers for every row.
    pub(crate) fn reader(&self, index: usize) -> Result<Reader> {
        let Some((arg, ty)) = self.args.get(index).zip(self.types.get(index)) else {
            return internal_err!("argument {index} is missing");
        };
        match arg {
            ColumnarValue::Scalar(scalar) => Reader::new(&scalar.to_array()?, *ty, true),
            ColumnarValue::Array(array) => Reader::new(array, *ty, false),
        }
    }

    /// Runs a function row by row.
    pub(crate) fn by_row(&self, ret: KustoType, run: RowFn, strict: bool) -> Result<ArrayRef> {
        let readers: Result<Vec<Reader>> = (0..self.len()).map(|i| self.reader(i)).collect();
        let readers = readers?;
        let mut out = Out::new(ret, self.rows);
        let mut cells: Vec<Cell<'_>> = readers.iter().map(|r| r.cell(0)).collect();
        for row in 0..self.rows {
            for (slot, reader) in cells.iter_mut().zip(&readers) {
                if !reader.constant {
                    *slot = reader.cell(row);
                }
            }
            if strict && cells.iter().any(|cell| cell.is_null()) {
                out.null();
            } else {
                check_bytes(cells.iter().map(bytes_of).sum())?;
                run(&cells, &mut out);
                check_bytes(out.bytes())?;
            }
        }
        Ok(out.finish())
    }
}

/// Refuses to fill the memory.
pub(super) fn check_bytes(bytes: usize) -> Result<()> {
    if bytes <= BATCH_BYTES {
        return Ok(());
    }
    exec_err!(
        "texts or dynamic values that a function reads or makes at a time take more than {} MiB: keep them shorter",
        BATCH_BYTES >> 20
    )
}

/// The bytes of a text or a dynamic value.
fn bytes_of(cell: &Cell<'_>) -> usize {
    match cell {
        Cell::String(text) | Cell::Guid(text) => text.len(),
        Cell::Dynamic(value) => value.as_bytes().len(),
        _ => 0,
    }
}

/// A column made ready to be read cell by cell.
pub(crate) struct Reader {
    data: Data,
    constant: bool,
}

enum Data {
    Bool(BooleanArray),
    Int(Int32Array),
    Long(Int64Array),
    Real(Float64Array),
    Decimal(Decimal128Array),
    DateTime(Int64Array),
    TimeSpan(Int64Array),
    String(StringArray),
    Guid(StringArray),
    Dynamic(BinaryArray),
    Null,
}

impl Reader {
    pub(crate) fn new(array: &ArrayRef, ty: KustoType, constant: bool) -> Result<Reader> {
        let data = match (ty, array.data_type()) {
            (_, DataType::Null) => Data::Null,
            (ty, found) if *found != ty.arrow() => {
                return internal_err!("{ty} data came as {found}");
            }
            (KustoType::Bool, _) => Data::Bool(array.as_boolean().clone()),
            (KustoType::Int, _) => Data::Int(array.as_primitive::<Int32Type>().clone()),
            (KustoType::Long, _) => Data::Long(array.as_primitive::<Int64Type>().clone()),
            (KustoType::Real, _) => Data::Real(array.as_primitive::<Float64Type>().clone()),
            (KustoType::Decimal, _) => {
                Data::Decimal(array.as_primitive::<Decimal128Type>().clone())
            }
            (KustoType::DateTime, _) => Data::DateTime(array.as_primitive::<Int64Type>().clone()),
            (KustoType::TimeSpan, _) => Data::TimeSpan(array.as_primitive::<Int64Type>().clone()),
            (KustoType::String, _) => Data::String(array.as_string::<i32>().clone()),
            (KustoType::Guid, _) => Data::Guid(array.as_string::<i32>().clone()),
            (KustoType::Dynamic, _) => Data::Dynamic(array.as_binary::<i32>().clone()),
        };
        Ok(Reader { data, constant })
    }

    /// The cell of a row; a string's null is the empty text.
    pub(crate) fn cell(&self, row: usize) -> Cell<'_> {
        let row = if self.constant { 0 } else { row };
        macro_rules! read {
            ($array:expr, $make:expr, $null:expr) => {
                if row >= $array.len() || $array.is_null(row) {
                    $null
                } else {
                    $make($array.value(row))
                }
            };
        }
        match &self.data {
            Data::Bool(array) => read!(array, Cell::Bool, Cell::Null),
            Data::Int(array) => read!(array, Cell::Int, Cell::Null),
            Data::Long(array) => read!(array, Cell::Long, Cell::Null),
            Data::Real(array) => read!(array, Cell::Real, Cell::Null),
            Data::Decimal(array) => read!(array, Cell::Decimal, Cell::Null),
            Data::DateTime(array) => read!(array, Cell::DateTime, Cell::Null),
            Data::TimeSpan(array) => read!(array, Cell::TimeSpan, Cell::Null),
            Data::String(array) => read!(array, Cell::String, Cell::String("")),
            Data::Guid(array) => read!(array, Cell::Guid, Cell::Null),
            Data::Dynamic(array) => {
                let make = |bytes| match DynamicRef::new(bytes) {
                    value if value.is_null() => Cell::Null,
                    value => Cell::Dynamic(value),
                };
                read!(array, make, Cell::Null)
            }
            Data::Null => Cell::Null,
        }
    }
}

/// A column being made. Every row calls exactly one of the methods; one that does not fit the column's type is a null.
pub(crate) enum Out {
    Bool(BooleanBuilder),
    Int(Int32Builder),
    Long(Int64Builder),
    Real(Float64Builder),
    Decimal(Decimal128Builder),
    String(StringBuilder),
    Guid(StringBuilder),
    Dynamic(BinaryBuilder, Builder),
}

impl Out {
    pub(crate) fn new(ty: KustoType, rows: usize) -> Out {
        match ty {
            KustoType::Bool => Out::Bool(BooleanBuilder::with_capacity(rows)),
            KustoType::Int => Out::Int(Int32Builder::with_capacity(rows)),
            KustoType::Long | KustoType::DateTime | KustoType::TimeSpan => {
                Out::Long(Int64Builder::with_capacity(rows))
            }
            KustoType::Real => Out::Real(Float64Builder::with_capacity(rows)),
            KustoType::Decimal => {
                Out::Decimal(Decimal128Builder::with_capacity(rows).with_data_type(ty.arrow()))
            }
            KustoType::String => Out::String(StringBuilder::with_capacity(rows, rows * 8)),
            KustoType::Guid => Out::Guid(StringBuilder::with_capacity(rows, rows * 36)),
            KustoType::Dynamic => Out::Dynamic(
                BinaryBuilder::with_capacity(rows, rows * 16),
                Builder::new(),
            ),
        }
    }

    /// A null; the empty text in a string column.
    pub(crate) fn null(&mut self) {
        match self {
            Out::Bool(b) => b.append_null(),
            Out::Int(b) => b.append_null(),
            Out::Long(b) => b.append_null(),
            Out::Real(b) => b.append_null(),
            Out::Decimal(b) => b.append_null(),
            Out::String(b) => b.append_value(""),
            Out::Guid(b) => b.append_null(),
            Out::Dynamic(b, _) => b.append_null(),
        }
    }

    pub(crate) fn bool(&mut self, value: bool) {
        match self {
            Out::Bool(b) => b.append_value(value),
            Out::Dynamic(..) => self.dynamic(|b| b.bool(value)),
            _ => self.null(),
        }
    }

    /// A whole number, datetime or timespan. An int column wraps, as Kusto's conversion does.
    pub(crate) fn long(&mut self, value: i64) {
        match self {
            Out::Long(b) => b.append_value(value),
            Out::Int(b) => b.append_value(value as i32),
            Out::Dynamic(..) => self.dynamic(|b| b.long(value)),
            _ => self.null(),
        }
    }

    pub(crate) fn real(&mut self, value: f64) {
        match self {
            Out::Real(b) => b.append_value(value),
            Out::Dynamic(..) => self.dynamic(|b| b.real(value)),
            _ => self.null(),
        }
    }

    pub(crate) fn decimal(&mut self, value: i128) {
        match self {
            Out::Decimal(b) => b.append_value(value),
            _ => self.null(),
        }
    }

    pub(crate) fn text(&mut self, value: &str) {
        match self {
            Out::String(b) | Out::Guid(b) => b.append_value(value),
            Out::Dynamic(..) => self.dynamic(|b| b.string(value)),
            _ => self.null(),
        }
    }

    /// Text written piece by piece into the column's own memory.
    pub(crate) fn write_text(&mut self, write: impl FnOnce(&mut String)) {
        let mut text = String::new();
        write(&mut text);
        self.text(&text);
    }

    /// A dynamic value; `write` writes exactly one.
    pub(crate) fn dynamic(&mut self, write: impl FnOnce(&mut Builder)) {
        match self {
            Out::Dynamic(b, scratch) => {
                scratch.clear();
                write(scratch);
                if DynamicRef::new(scratch.bytes()).is_null() {
                    b.append_null();
                } else {
                    b.append_value(scratch.bytes());
                }
            }
            _ => self.null(),
        }
    }

    /// A copy of a cell of the column's type.
    pub(crate) fn cell(&mut self, cell: Cell<'_>) {
        match (&mut *self, cell) {
            (_, Cell::Null) => self.null(),
            (Out::Dynamic(..), cell) => self.dynamic(|b| cell.write_dynamic(b)),
            (_, Cell::Bool(value)) => self.bool(value),
            (_, Cell::Int(value)) => self.long(i64::from(value)),
            (_, Cell::Long(value) | Cell::DateTime(value) | Cell::TimeSpan(value)) => {
                self.long(value)
            }
            (_, Cell::Real(value)) => self.real(value),
            (_, Cell::Decimal(value)) => self.decimal(value),
            (_, Cell::String(value) | Cell::Guid(value)) => self.text(value),
            (_, Cell::Dynamic(_)) => self.null(),
        }
    }

    /// The bytes of the texts or dynamic values so far.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Out::String(b) | Out::Guid(b) => b.values_slice().len(),
            Out::Dynamic(b, _) => b.values_slice().len(),
            _ => 0,
        }
    }

    /// The value if there is one, else null.
    pub(crate) fn maybe<T>(&mut self, value: Option<T>, put: impl FnOnce(&mut Self, T)) {
        match value {
            Some(value) => put(self, value),
            None => self.null(),
        }
    }

    pub(crate) fn finish(self) -> ArrayRef {
        match self {
            Out::Bool(mut b) => Arc::new(b.finish()),
            Out::Int(mut b) => Arc::new(b.finish()),
            Out::Long(mut b) => Arc::new(b.finish()),
            Out::Real(mut b) => Arc::new(b.finish()),
            Out::Decimal(mut b) => Arc::new(b.finish()),
            Out::String(mut b) | Out::Guid(mut b) => Arc::new(b.finish()),
            Out::Dynamic(mut b, _) => Arc::new(b.finish()),
        }
    }
}

/// The call of a function on bound arguments, whose types must be what the body reads. Calls of constants are
/// computed at once.
pub(crate) fn call(name: &'static str, args: &[Typed], ret: KustoType, body: Body) -> Typed {
    let expr = call_expr(name, args, ret, body, Volatility::Immutable);
    fold(expr, ret, args)
}

/// The call of a function that gives another value each time.
pub(crate) fn call_volatile(
    name: &'static str,
    args: &[Typed],
    ret: KustoType,
    body: Body,
) -> Typed {
    Typed::new(call_expr(name, args, ret, body, Volatility::Volatile), ret)
}

fn call_expr(
    name: &'static str,
    args: &[Typed],
    ret: KustoType,
    body: Body,
    volatility: Volatility,
) -> Expr {
    let signature = match args.len() {
        0 => Signature::nullary(volatility),
        count => Signature::any(count, volatility),
    };
    let udf = Udf {
        name,
        args: args.iter().map(|arg| arg.ty).collect(),
        ret,
        body,
        signature,
    };
    let udf = Arc::new(ScalarUDF::new_from_impl(udf));
    let exprs = args.iter().map(|arg| for_all_rows(&arg.expr)).collect();
    Expr::ScalarFunction(ScalarFunction::new_udf(udf, exprs))
}

/// An expression over arguments; a constant when they all are.
pub(crate) fn fold(expr: Expr, ty: KustoType, args: &[Typed]) -> Typed {
    if args.iter().all(|arg| arg.constant.is_some())
        && let Ok(value) = evaluate(&expr, ty)
    {
        return super::literal(value);
    }
    Typed::new(expr, ty)
}

/// The value of an expression without columns.
fn evaluate(expr: &Expr, ty: KustoType) -> Result<Value, DataFusionError> {
    let schema = Arc::new(Schema::empty());
    let physical = create_physical_expr(
        expr,
        &DFSchema::empty(),
        &ExecutionProps::new(),
        &PhysicalPlanningContext::default(),
    )?;
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    let batch = RecordBatch::try_new_with_options(schema, vec![], &options)?;
    let array = physical.evaluate(&batch)?.to_array(1)?;
    Ok(Value::of(&array, ty, 0))
}

/// A value as DataFusion's literal.
pub(crate) fn scalar_value(value: &Value) -> ScalarValue {
    use spoor_table::{DECIMAL_PRECISION, DECIMAL_SCALE};
    match value {
        Value::Null(KustoType::String) => ScalarValue::Utf8(Some(String::new())),
        Value::Null(ty) => ScalarValue::try_from(&ty.arrow()).unwrap_or(ScalarValue::Null),
        Value::Bool(value) => ScalarValue::Boolean(Some(*value)),
        Value::Int(value) => ScalarValue::Int32(Some(*value)),
        Value::Long(value) | Value::DateTime(value) | Value::TimeSpan(value) => {
            ScalarValue::Int64(Some(*value))
        }
        Value::Real(value) => ScalarValue::Float64(Some(*value)),
        Value::Decimal(value) => {
            ScalarValue::Decimal128(Some(*value), DECIMAL_PRECISION, DECIMAL_SCALE)
        }
        Value::String(value) | Value::Guid(value) => ScalarValue::Utf8(Some(value.clone())),
        Value::Dynamic(value) if value.view().is_null() => ScalarValue::Binary(None),
        Value::Dynamic(value) => ScalarValue::Binary(Some(value.as_bytes().to_vec())),
    }
}
