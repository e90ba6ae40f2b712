//! The interface between the binder (`bind`) and Kusto's functions and operators (`functions`): what a bound
//! expression is, what a function may know while it is bound, and what it answers.
//!
//! The binder resolves names, function and operator syntax; everything about argument types, null logic and
//! implicit conversions is the functions' business. The binder relies on this of `functions`:
//!
//! - `functions::literal(Value) -> Typed`: a constant.
//! - `functions::scalar(name) -> Option<&'static ScalarFunction>`, `functions::aggregate(name)`, and `functions::names()`, an iterator
//!   over the names of both, for suggestions and completion.
//! - `functions::operators::binary(&BindContext, BinaryOp, Typed, Typed)`, `unary(&BindContext, UnaryOp, Typed)`,
//!   `list(&BindContext, ListOp, Typed, Vec<Typed>)` (`in`, `has_any`, ...), `between(&BindContext, negated, Typed, Typed,
//!   Typed)`, `element(&BindContext, base: Typed, index: Typed)` (`d[0]`, `d["a"]`; `d.a` is bound as `d["a"]`),
//!   all answering `Result<Typed, FunctionError>`.
//! - `functions::convert(&BindContext, Typed, KustoType) -> Result<Typed, FunctionError>`: the conversion that `to<type>()`
//!   does, used by `mv-expand to typeof()`, `parse`, `datatable` and user functions' parameters.
//!
//! `typeof(long)` reaches a function (`extract`) as the constant string "long". `x in (T | ...)` and a list in a variable reach
//! `operators::list` as one constant dynamic array. `toscalar`, `materialize`, `table`, `pack_all`, `column_ifexists` are the binder's.
//!
//! Every `Typed::expr` evaluates to exactly `ty.arrow()`, and an expression of type string never yields null.

use datafusion::logical_expr::Expr;
use datafusion::logical_expr::SortExpr;
use spoor_table::{KustoType, Value};

/// A bound expression: the DataFusion expression that computes it and its Kusto type.
#[derive(Debug, Clone)]
pub struct Typed {
    /// Evaluates to an array of `ty.arrow()`. Columns are referred to by the binder's internal ids, never by
    /// Kusto's names.
    pub expr: Expr,
    /// The type that Kusto gives the expression.
    pub ty: KustoType,
    /// The value, where it is known while binding (literals, `now()`, functions of constants).
    pub constant: Option<Value>,
}

impl Typed {
    /// An expression whose value is not known while binding.
    pub fn new(expr: Expr, ty: KustoType) -> Self {
        Self {
            expr,
            ty,
            constant: None,
        }
    }
}

/// What a function may know while it is bound.
#[derive(Debug, Clone, Default)]
pub struct BindContext {
    /// The query's `now()`, in ticks of 100 ns since 0001-01-01; one value for the whole query.
    pub now_ticks: i64,
    /// Whether the rows reach the expression in a defined order (`sort`, `serialize`, `range`, ...). Window functions
    /// (`prev`, `next`, `row_number`, `row_cumsum`, ...) must refuse to bind otherwise.
    pub serialized: bool,
    /// The order that window functions must use in `OVER (ORDER BY ...)`. Not empty when `serialized`.
    pub order: Vec<SortExpr>,
}

/// Why a call cannot be bound. The binder adds the place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FunctionError {
    /// What is wrong, in terms of the call: "expects a string, not a long".
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The argument to point at, counted from 0; the whole call where `None`.
    pub argument: Option<usize>,
}

impl FunctionError {
    /// An error about the whole call.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
            argument: None,
        }
    }

    /// Points at one argument, counted from 0.
    pub fn at(mut self, argument: usize) -> Self {
        self.argument = Some(argument);
        self
    }

    /// Adds what to do about it.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// A bound aggregate: usually one output; several for `arg_max(x, *)` or `percentiles(x, 5, 95)`.
#[derive(Debug, Clone)]
pub struct AggregateTyped {
    /// The outputs, in column order.
    pub outputs: Vec<AggregateOutput>,
}

/// One column that an aggregate gives.
#[derive(Debug, Clone)]
pub struct AggregateOutput {
    /// How the column is called when the query does not name it.
    pub name: OutputName,
    /// Holds one or more `Expr::AggregateFunction`s, possibly inside scalar expressions (`avg` as `sum / count`).
    pub value: Typed,
}

/// Kusto's default name of an aggregate's column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutputName {
    /// `{prefix}_{first argument's name}`: `sum_x`, `list_x` for `make_list(x)`, `count_` and `sum_` where the argument is
    /// no plain column.
    Prefix(&'static str),
    /// `{prefix}_{first argument's name}_{suffix}`: `percentile_x_95`.
    PrefixSuffix(&'static str, String),
    /// `{prefix}_{first argument's name}_{second argument's name}`: `covariance_x_y`.
    Pair(&'static str),
    /// The name of that argument, counted from 0: `arg_max(ts, user)` gives `ts` and `user`. The binder keeps it even
    /// where the query names the first output.
    Argument(usize),
}

/// A documented call form, for hover and completion.
#[derive(Debug, Clone, Copy)]
pub struct Documentation {
    /// `bin(value, roundTo)`; several forms are several lines.
    pub signature: &'static str,
    /// One or two sentences of our own.
    pub summary: &'static str,
}

/// A scalar or window function of Kusto's.
#[derive(Clone, Copy)]
pub struct ScalarFunction {
    /// Kusto's name; case-sensitive.
    pub name: &'static str,
    /// For people.
    pub docs: Documentation,
    /// Checks arguments, converts them and builds the expression.
    pub bind: fn(&BindContext, &[Typed]) -> Result<Typed, FunctionError>,
}

/// An aggregate function of Kusto's. The binder expands `*` (in `arg_max(ts, *)`, `take_any(*)`) to the other columns before
/// it binds.
#[derive(Clone, Copy)]
pub struct AggregateFunction {
    /// Kusto's name; case-sensitive.
    pub name: &'static str,
    /// For people.
    pub docs: Documentation,
    /// Checks arguments, converts them and builds the outputs.
    pub bind: fn(&BindContext, &[Typed]) -> Result<AggregateTyped, FunctionError>,
}
