//! The syntax tree of KQL: what the parser builds and the binder reads. It says what the text says: no name is resolved
//! and no type is known here. Every node has its place in the source.
//!
//! Tabular and scalar expressions are one type, as in Kusto's grammar: `toscalar(T | count)` and `x in (T)` mix them.

use std::ops::Range;

pub use crate::operator::*;

/// A place in the source: byte offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The bytes from `start` to before `end`.
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// The smallest span that covers both.
    pub fn to(self, other: Span) -> Span {
        Span::new(self.start.min(other.start), self.end.max(other.end))
    }

    /// As a range, for slicing and for diagnostics.
    pub fn range(self) -> Range<usize> {
        self.start..self.end
    }
}

/// A query: its statements in order. The results are those of the `StatementKind::Expression`s.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Query {
    /// As written.
    pub statements: Vec<Statement>,
}

/// One statement, without its `;`.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// What it is.
    pub kind: StatementKind,
    /// Its place.
    pub span: Span,
}

/// The kinds of statement.
#[derive(Debug, Clone, PartialEq)]
pub enum StatementKind {
    /// `let name = value`; a function is a value of kind `ExprKind::Lambda`, a view likewise.
    Let {
        /// What is defined.
        name: Name,
        /// Its value.
        value: Expr,
    },
    /// `set name` or `set name = value`.
    Set {
        /// The option.
        name: Name,
        /// Its value.
        value: Option<Expr>,
    },
    /// `declare query_parameters(a:string = "x", ...)`.
    DeclareParameters(Vec<Parameter>),
    /// A tabular (or scalar) expression whose value the query gives.
    Expression(Expr),
}

/// An identifier, bare or bracketed (`['a b']`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// Without brackets and quotes.
    pub text: String,
    /// Its place, brackets included.
    pub span: Span,
}

/// A parameter of a function or a column of a schema.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: Name,
    /// Its type.
    pub ty: ParameterType,
    /// The value where the caller gives none.
    pub default: Option<Expr>,
}

/// The type of a parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum ParameterType {
    /// `x:long`; the type's name as written.
    Scalar(Name),
    /// `T:(a:long, b:string)`.
    Table(Vec<ColumnDeclaration>),
    /// `T:(*)`.
    AnyTable,
}

/// `name:type`, in schemas.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnDeclaration {
    /// The column.
    pub name: Name,
    /// Its type as written.
    pub ty: Name,
}

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Its place.
    pub span: Span,
}

/// The kinds of expression.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// A constant.
    Literal(Literal),
    /// A column, a table, a let-bound name. `['a b']` too.
    Name(String),
    /// `*`, where an operator or a function takes it.
    Star,
    /// A name with wildcards (`Sec*`), where an operator takes it.
    Pattern(String),
    /// `(inner)`.
    Paren(Box<Expr>),
    /// `-x`, `+x`.
    Unary {
        /// Which.
        op: UnaryOp,
        /// Of what.
        operand: Box<Expr>,
    },
    /// `left op right`.
    Binary {
        /// Which.
        op: BinaryOp,
        /// The operator's place.
        op_span: Span,
        /// Left operand.
        left: Box<Expr>,
        /// Right operand.
        right: Box<Expr>,
    },
    /// `operand in (items)` and its kin; one tabular item is a subquery.
    List {
        /// Which.
        op: ListOp,
        /// The operator's place.
        op_span: Span,
        /// What is looked for.
        operand: Box<Expr>,
        /// Where.
        items: Vec<Expr>,
    },
    /// `operand between (low .. high)`.
    Between {
        /// `!between`.
        negated: bool,
        /// What is compared.
        operand: Box<Expr>,
        /// Inclusive.
        low: Box<Expr>,
        /// Inclusive; a timespan is an offset from a datetime `low`.
        high: Box<Expr>,
    },
    /// `name(arguments)`.
    Call {
        /// The function.
        name: Name,
        /// As written.
        arguments: Vec<Argument>,
    },
    /// `base.name`.
    Member {
        /// A dynamic value, or a database or a cluster.
        base: Box<Expr>,
        /// The property or the table.
        name: Name,
    },
    /// `base.name(arguments)`: `database("x").table("y")`.
    MemberCall {
        /// The object.
        base: Box<Expr>,
        /// The function.
        name: Name,
        /// As written.
        arguments: Vec<Argument>,
    },
    /// `base[index]`.
    Index {
        /// A dynamic value.
        base: Box<Expr>,
        /// An integer or a property's name.
        index: Box<Expr>,
    },
    /// `source | operator | ...`. In `mv-apply`'s and `partition`'s subqueries the source is `ExprKind::Context`.
    Pipe {
        /// A tabular expression.
        source: Box<Expr>,
        /// At least one.
        operators: Vec<Operator>,
    },
    /// The rows that an enclosing operator hands to its subquery.
    Context,
    /// An operator that needs no source: `print`, `range`, `union`, `search`, `find`, `datatable`...
    Source(Box<Operator>),
    /// `datatable(schema)[values]`.
    DataTable {
        /// The columns.
        schema: Vec<ColumnDeclaration>,
        /// Row by row.
        values: Vec<Expr>,
        /// `[...]`'s place.
        values_span: Span,
    },
    /// `externaldata(schema)[uris] with (properties)`.
    ExternalData {
        /// The columns.
        schema: Vec<ColumnDeclaration>,
        /// Where the data is.
        uris: Vec<Expr>,
        /// `format="csv"`...
        properties: Vec<Property>,
    },
    /// `(parameters) { body }`, `view () { body }`, or `{ body }`.
    Lambda {
        /// `view`: `union` knows it by name and by patterns.
        view: bool,
        /// May be empty.
        parameters: Vec<Parameter>,
        /// Statements, of which the last is the value.
        body: Query,
    },
    /// Something that could not be parsed and has been reported.
    Missing,
}

impl Expr {
    /// The scalar expressions that this one is made of, in the order of the source; a subquery is not looked into.
    pub fn parts(&self) -> Vec<&Expr> {
        match &self.kind {
            ExprKind::Paren(inner) => vec![inner],
            ExprKind::Unary { operand, .. } => vec![operand],
            ExprKind::Binary { left, right, .. } => vec![left, right],
            ExprKind::List { operand, items, .. } => {
                std::iter::once(&**operand).chain(items).collect()
            }
            ExprKind::Between {
                operand, low, high, ..
            } => vec![operand, low, high],
            ExprKind::Call { arguments, .. } => arguments.iter().map(|a| &a.value).collect(),
            ExprKind::Member { base, .. } => vec![base],
            ExprKind::Index { base, index } => vec![base, index],
            _ => Vec::new(),
        }
    }

    /// The same, to be changed.
    pub fn parts_mut(&mut self) -> Vec<&mut Expr> {
        match &mut self.kind {
            ExprKind::Paren(inner) => vec![inner],
            ExprKind::Unary { operand, .. } => vec![operand],
            ExprKind::Binary { left, right, .. } => vec![left, right],
            ExprKind::List { operand, items, .. } => {
                std::iter::once(&mut **operand).chain(items).collect()
            }
            ExprKind::Between {
                operand, low, high, ..
            } => vec![operand, low, high],
            ExprKind::Call { arguments, .. } => {
                arguments.iter_mut().map(|a| &mut a.value).collect()
            }
            ExprKind::Member { base, .. } => vec![base],
            ExprKind::Index { base, index } => vec![base, index],
            _ => Vec::new(),
        }
    }
}

/// An argument of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct Argument {
    /// `f(name=value)`.
    pub name: Option<Name>,
    /// The value.
    pub value: Expr,
}

/// A constant, as written. Datetimes, and the timespans written inside `timespan(...)`, stay text: the reader of Kusto's date
/// forms is shared with `todatetime()` and lives with the types.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// `true`, `bool(null)`.
    Bool(Option<bool>),
    /// `int(5)`.
    Int(Option<i32>),
    /// `5`, `0x1F`, `long(null)`.
    Long(Option<i64>),
    /// `1.5`, `1e3`, `real(nan)`.
    Real(Option<f64>),
    /// `decimal(1.5)`: the number as text.
    Decimal(Option<String>),
    /// `datetime(2020-01-01)`: what stands in the parentheses.
    DateTime(Option<String>),
    /// `1d`, `1.5h`: ticks of 100 ns.
    TimeSpan(Option<i64>),
    /// `timespan(1.02:03:04)`, `time("1.00:00:00")`: what stands in the parentheses, unquoted.
    TimeSpanText(String),
    /// `guid(...)`: 32 hexadecimal digits with dashes, lower case.
    Guid(Option<String>),
    /// Any form of string, unescaped.
    String(String),
    /// `dynamic(...)`.
    Dynamic(Dynamic),
}

/// What stands in `dynamic(...)`: JSON, with Kusto's literals inside.
#[derive(Debug, Clone, PartialEq)]
pub enum Dynamic {
    /// `null`.
    Null,
    /// A string, a number, a bool, a datetime, a timespan, a guid.
    Scalar(Box<Literal>),
    /// `[...]`.
    Array(Vec<Dynamic>),
    /// `{...}`, in order; a repeated key is kept.
    Bag(Vec<(String, Dynamic)>),
}

/// `name = expression`, `(a, b) = expression`, or the expression alone.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedExpr {
    /// Empty where not named; more than one for `(a, b) = f()`.
    pub names: Vec<Name>,
    /// The value.
    pub value: Expr,
    /// From the name to the end.
    pub span: Span,
}

/// `name = value`, a hint or an option of an operator (`kind=inner`, `hint.strategy=broadcast`, `with (title="x")`).
#[derive(Debug, Clone, PartialEq)]
pub struct Property {
    /// Dots included.
    pub name: Name,
    /// A literal, or a bare word as `ExprKind::Name`.
    pub value: Expr,
}
