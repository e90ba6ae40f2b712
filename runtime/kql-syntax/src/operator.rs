//! The tabular operators and the scalar operators of the syntax tree. `ast` re-exports all of it.

pub use crate::graph::*;

use crate::ast::{ColumnDeclaration, Expr, Name, NamedExpr, Parameter, Property, Span};

/// A tabular operator, in a pipe or as a source.
#[derive(Debug, Clone, PartialEq)]
pub struct Operator {
    /// What it is.
    pub kind: OperatorKind,
    /// The whole operator, without the `|`.
    pub span: Span,
    /// Its name alone, for diagnostics.
    pub name_span: Span,
}

/// The kinds of tabular operator.
#[derive(Debug, Clone, PartialEq)]
pub enum OperatorKind {
    /// `as name`.
    As(Name),
    /// `assert-schema (schema)`.
    AssertSchema(Vec<ColumnDeclaration>),
    /// `consume`.
    Consume,
    /// `count`.
    Count,
    /// `distinct a, b` or `distinct *`.
    Distinct(Vec<NamedExpr>),
    /// `evaluate name(arguments) : (schema)`.
    Evaluate(Evaluate),
    /// `extend a = x, ...`.
    Extend(Vec<NamedExpr>),
    /// `getschema`.
    GetSchema,
    /// `graph-mark-components kind=weak with_component_id=name`.
    GraphMarkComponents(Vec<Property>),
    /// `graph-match (a)-[e]->(b) where predicate project a.x`.
    GraphMatch(GraphMatch),
    /// `graph-shortest-paths output=all (a)-[e*1..3]->(b) where predicate project a.x`.
    GraphShortestPaths(GraphMatch),
    /// `graph-to-table nodes`.
    GraphToTable(Vec<GraphTable>),
    /// `invoke f(arguments)`.
    Invoke(Expr),
    /// `join kind=inner (right) on a, $left.x == $right.y`.
    Join(Join),
    /// `lookup (right) on a`.
    Lookup(Join),
    /// `make-graph source --> target`.
    MakeGraph(MakeGraph),
    /// `make-series`.
    MakeSeries(Box<MakeSeries>),
    /// `mv-expand`.
    MvExpand(MvExpand),
    /// `mv-apply ... on ( subquery )`.
    MvApply(MvApply),
    /// `parse` and `parse-where`.
    Parse(Parse),
    /// `parse-kv x as (schema) with (properties)`.
    ParseKv {
        /// The text.
        source: Expr,
        /// The columns to find.
        schema: Vec<ColumnDeclaration>,
        /// Delimiters and the like.
        properties: Vec<Property>,
    },
    /// `partition by column ( subquery )`.
    Partition {
        /// The key.
        by: Expr,
        /// Run for each key.
        subquery: Expr,
    },
    /// `print a = x, ...`.
    Print(Vec<NamedExpr>),
    /// `project a, b = x`.
    Project(Vec<NamedExpr>),
    /// `project-away a, b*`.
    ProjectAway(Vec<Expr>),
    /// `project-keep a, b*`.
    ProjectKeep(Vec<Expr>),
    /// `project-rename new = old`.
    ProjectRename(Vec<NamedExpr>),
    /// `project-reorder a, b* asc`.
    ProjectReorder(Vec<Reorder>),
    /// `range x from a to b step c`.
    Range {
        /// The column.
        column: Name,
        /// The first value.
        from: Expr,
        /// The last, inclusive.
        to: Expr,
        /// The distance.
        step: Expr,
    },
    /// `reduce by text with threshold=0.1, characters=" "`.
    Reduce(Reduce),
    /// `render kind with (properties)`.
    Render(Render),
    /// `find in (tables) where predicate project a, b`.
    Find(Find),
    /// `scan declare (...) with (step ...)`.
    Scan(Scan),
    /// `sample n`.
    Sample(Expr),
    /// `sample-distinct n of x`.
    SampleDistinct {
        /// How many.
        count: Expr,
        /// Of what.
        of: Expr,
    },
    /// `search in (tables) term`.
    Search {
        /// Empty: everything in scope.
        tables: Vec<Expr>,
        /// `kind=case_sensitive`.
        properties: Vec<Property>,
        /// Strings, comparisons, `col:term`.
        predicate: Expr,
    },
    /// `serialize a = x, ...`.
    Serialize(Vec<NamedExpr>),
    /// `sort by a desc nulls last, ...`; `order by`.
    Sort(Vec<SortKey>),
    /// `summarize a = f() by b`.
    Summarize(Summarize),
    /// `take n`, `limit n`.
    Take(Expr),
    /// `top n by a desc`.
    Top {
        /// How many rows.
        count: Expr,
        /// The order.
        by: Vec<SortKey>,
    },
    /// `top-hitters n of x by y`.
    TopHitters {
        /// How many.
        count: Expr,
        /// Of what.
        of: Expr,
        /// The weight.
        by: Option<Expr>,
    },
    /// `top-nested n of x by f(), ...`.
    TopNested(Vec<TopNested>),
    /// `union kind=outer withsource=S T1, T2*`.
    Union(Union),
    /// `where predicate`, `filter predicate`.
    Where(Expr),
    /// An operator of Kusto's that this parser knows by name only (`scan`, `graph-match`, ...); its text is skipped.
    Unsupported(String),
    /// Something that could not be parsed and has been reported; what stands before it is still of use.
    Missing,
}

/// `find`.
#[derive(Debug, Clone, PartialEq)]
pub struct Find {
    /// `withsource=name`.
    pub with_source: Option<Name>,
    /// Empty: every table.
    pub tables: Vec<Expr>,
    /// What holds for the rows that are found.
    pub predicate: Expr,
    /// `project a, b: type`; none for the columns that matter (`project-smart`).
    pub project: Option<Vec<FindColumn>>,
}

/// A column of `find`'s `project`.
#[derive(Debug, Clone, PartialEq)]
pub enum FindColumn {
    /// `a` or `a: long`.
    Column {
        /// The column.
        name: Name,
        /// Its type as written.
        ty: Option<Name>,
    },
    /// `pack(*)`: the other columns as a bag.
    Pack(Span),
}

/// `scan`.
#[derive(Debug, Clone, PartialEq)]
pub struct Scan {
    /// `with_match_id=name`.
    pub match_id: Option<Name>,
    /// `declare (a: long = 0, ...)`.
    pub declared: Vec<Parameter>,
    /// In order.
    pub steps: Vec<ScanStep>,
}

/// A step of `scan`.
#[derive(Debug, Clone, PartialEq)]
pub struct ScanStep {
    /// Its name.
    pub name: Name,
    /// `optional`: a match may go past it.
    pub optional: bool,
    /// `output=all|last|none`.
    pub output: Option<Name>,
    /// When a row belongs to it.
    pub condition: Expr,
    /// `=> a = x, ...`.
    pub assignments: Vec<NamedExpr>,
}

/// `evaluate`.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluate {
    /// The plugin's call: `ExprKind::Call`.
    pub call: Expr,
    /// Hints.
    pub properties: Vec<Property>,
    /// `: (a:long, ...)`, and whether it says `*` too.
    pub schema: Option<EvaluateSchema>,
}

/// The schema that a query declares for a plugin's result.
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluateSchema {
    /// `*`: the input's columns come first.
    pub input: bool,
    /// The declared columns.
    pub columns: Vec<ColumnDeclaration>,
}

/// `join` and `lookup`.
#[derive(Debug, Clone, PartialEq)]
pub struct Join {
    /// `kind=inner` with its place; none for the default.
    pub kind: Option<Name>,
    /// Hints and the like.
    pub properties: Vec<Property>,
    /// The right table.
    pub right: Box<Expr>,
    /// `a`, or `$left.a == $right.b`, also joined by `and`.
    pub on: Vec<Expr>,
}

/// `mv-expand`.
#[derive(Debug, Clone, PartialEq)]
pub struct MvExpand {
    /// `bagexpansion=array`, `kind=bag`, `with_itemindex=i`.
    pub properties: Vec<Property>,
    /// What is expanded.
    pub columns: Vec<MvColumn>,
    /// `limit n`.
    pub limit: Option<Expr>,
}

/// One array of `mv-expand` and `mv-apply`: `a = x to typeof(long)`.
#[derive(Debug, Clone, PartialEq)]
pub struct MvColumn {
    /// Name and array.
    pub value: NamedExpr,
    /// `to typeof(...)`: the type as written.
    pub to: Option<Name>,
}

/// `mv-apply`.
#[derive(Debug, Clone, PartialEq)]
pub struct MvApply {
    /// `with_itemindex=i`.
    pub properties: Vec<Property>,
    /// What is expanded.
    pub columns: Vec<MvColumn>,
    /// `limit n`.
    pub limit: Option<Expr>,
    /// Run for each row's elements; its source is `ExprKind::Context`.
    pub subquery: Expr,
}

/// `parse` and `parse-where`.
#[derive(Debug, Clone, PartialEq)]
pub struct Parse {
    /// `parse-where`: rows that do not match are dropped.
    pub only_matches: bool,
    /// `kind=simple|regex|relaxed`.
    pub kind: Option<Name>,
    /// `flags=Ui`.
    pub flags: Option<Name>,
    /// The text.
    pub source: Expr,
    /// In order.
    pub pattern: Vec<ParsePart>,
}

/// A part of `parse`'s pattern.
#[derive(Debug, Clone, PartialEq)]
pub enum ParsePart {
    /// `"text"`.
    Text(String, Span),
    /// `*`.
    Star(Span),
    /// `name:type`; string where no type is given.
    Column {
        /// The new column.
        name: Name,
        /// Its type as written.
        ty: Option<Name>,
    },
}

/// One column of `project-reorder`.
#[derive(Debug, Clone, PartialEq)]
pub struct Reorder {
    /// A name or a pattern.
    pub column: Expr,
    /// How a pattern's columns are ordered.
    pub order: Option<ReorderBy>,
}

/// How `project-reorder` orders the columns of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReorderBy {
    /// By name.
    Asc,
    /// By name, descending.
    Desc,
    /// Numbers in names count as numbers.
    GrannyAsc,
    /// The same, descending.
    GrannyDesc,
}

/// `reduce`.
#[derive(Debug, Clone, PartialEq)]
pub struct Reduce {
    /// `kind=source` with its place.
    pub kind: Option<Name>,
    /// The text.
    pub by: Expr,
    /// `threshold=`, `characters=`.
    pub properties: Vec<Property>,
}

/// `render`.
#[derive(Debug, Clone, PartialEq)]
pub struct Render {
    /// `timechart`, `table`, ...
    pub kind: Name,
    /// `with (title="x", xcolumn=a, ycolumns=b, c)`; a list of columns is several properties of one name.
    pub properties: Vec<Property>,
}

/// One key of `sort` and `top`.
#[derive(Debug, Clone, PartialEq)]
pub struct SortKey {
    /// What is compared.
    pub value: NamedExpr,
    /// `asc` or `desc`; descending where not said.
    pub ascending: bool,
    /// `nulls first`; where not said, first when ascending and last when descending.
    pub nulls_first: Option<bool>,
}

/// `summarize`.
#[derive(Debug, Clone, PartialEq)]
pub struct Summarize {
    /// Hints.
    pub properties: Vec<Property>,
    /// May be empty.
    pub aggregates: Vec<NamedExpr>,
    /// May be empty.
    pub by: Vec<NamedExpr>,
}

/// `make-series`.
#[derive(Debug, Clone, PartialEq)]
pub struct MakeSeries {
    /// Hints, `kind=nonempty`.
    pub properties: Vec<Property>,
    /// The series.
    pub series: Vec<SeriesColumn>,
    /// The axis.
    pub on: NamedExpr,
    /// The first point.
    pub from: Option<Expr>,
    /// The end, exclusive.
    pub to: Option<Expr>,
    /// The distance; none only where it could not be parsed.
    pub step: Expr,
    /// `in range(from, to, step)` was used: the end is inclusive.
    pub in_range: bool,
    /// The keys.
    pub by: Vec<NamedExpr>,
}

/// `a = sum(x) default=0`.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesColumn {
    /// The aggregate.
    pub value: NamedExpr,
    /// What stands in empty bins.
    pub default: Option<Expr>,
}

/// One level of `top-nested`.
#[derive(Debug, Clone, PartialEq)]
pub struct TopNested {
    /// How many; all where not said.
    pub count: Option<Expr>,
    /// Of what.
    pub of: NamedExpr,
    /// `with others = "x"`.
    pub others: Option<Expr>,
    /// The measure.
    pub by: NamedExpr,
    /// Its order.
    pub ascending: bool,
}

/// `union`.
#[derive(Debug, Clone, PartialEq)]
pub struct Union {
    /// `kind=`, `isfuzzy=`, hints.
    pub properties: Vec<Property>,
    /// `withsource=name`.
    pub with_source: Option<Name>,
    /// Tables, patterns, subqueries.
    pub tables: Vec<Expr>,
}

/// `-x`, `+x`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnaryOp {
    /// `-x`.
    Minus,
    /// `+x`.
    Plus,
}

macro_rules! operators {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[allow(missing_docs)] // Each variant's text says what it is.
        pub enum $name { $($variant,)* }

        impl $name {
            /// All of them.
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];

            /// As Kusto writes it.
            pub fn text(self) -> &'static str {
                match self { $($name::$variant => $text,)* }
            }

            /// The operator that Kusto writes so.
            pub fn from_text(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|op| op.text() == text)
            }
        }
    };
}

operators! {
    /// The operators of two operands.
    BinaryOp {
        Or = "or",
        And = "and",
        Add = "+",
        Subtract = "-",
        Multiply = "*",
        Divide = "/",
        Modulo = "%",
        Equal = "==",
        NotEqual = "!=",
        Less = "<",
        LessOrEqual = "<=",
        Greater = ">",
        GreaterOrEqual = ">=",
        EqualTilde = "=~",
        NotEqualTilde = "!~",
        Has = "has",
        NotHas = "!has",
        HasCs = "has_cs",
        NotHasCs = "!has_cs",
        HasPrefix = "hasprefix",
        NotHasPrefix = "!hasprefix",
        HasPrefixCs = "hasprefix_cs",
        NotHasPrefixCs = "!hasprefix_cs",
        HasSuffix = "hassuffix",
        NotHasSuffix = "!hassuffix",
        HasSuffixCs = "hassuffix_cs",
        NotHasSuffixCs = "!hassuffix_cs",
        Contains = "contains",
        NotContains = "!contains",
        ContainsCs = "contains_cs",
        NotContainsCs = "!contains_cs",
        StartsWith = "startswith",
        NotStartsWith = "!startswith",
        StartsWithCs = "startswith_cs",
        NotStartsWithCs = "!startswith_cs",
        EndsWith = "endswith",
        NotEndsWith = "!endswith",
        EndsWithCs = "endswith_cs",
        NotEndsWithCs = "!endswith_cs",
        Like = "like",
        NotLike = "notlike",
        LikeCs = "like_cs",
        NotLikeCs = "notlike_cs",
        MatchesRegex = "matches regex",
        Search = ":",
    }
}

operators! {
    /// The operators whose right side is a list.
    ListOp {
        In = "in",
        NotIn = "!in",
        InTilde = "in~",
        NotInTilde = "!in~",
        HasAny = "has_any",
        HasAll = "has_all",
    }
}
