//! The graph operators of the syntax tree. `operator` re-exports all of it.

use crate::ast::{Expr, Name, NamedExpr, Property, Span};

/// `make-graph source --> target with nodes on key`.
#[derive(Debug, Clone, PartialEq)]
pub struct MakeGraph {
    /// The edges' column of where they begin.
    pub source: Name,
    /// The edges' column of where they end.
    pub target: Name,
    /// The nodes' tables; none where the edges alone tell.
    pub nodes: Vec<GraphNodes>,
    /// `with_node_id=name`: what the nodes' only property is called.
    pub node_id: Option<Name>,
}

/// `table on key` of `make-graph`.
#[derive(Debug, Clone, PartialEq)]
pub struct GraphNodes {
    /// A name, or a tabular expression in parentheses.
    pub table: Expr,
    /// The column that edges name.
    pub key: Name,
}

/// `graph-match` and `graph-shortest-paths`.
#[derive(Debug, Clone, PartialEq)]
pub struct GraphMatch {
    /// `cycles=none`, `output=all`.
    pub properties: Vec<Property>,
    /// What has to be found, all of it.
    pub patterns: Vec<GraphPattern>,
    /// `where predicate`.
    pub predicate: Option<Expr>,
    /// `project a = x, ...`.
    pub project: Option<Vec<NamedExpr>>,
}

/// `(a)-[e]->(b)-[f*1..3]-(c)`: a node, and each edge with the node after it.
#[derive(Debug, Clone, PartialEq)]
pub struct GraphPattern {
    /// The first node.
    pub first: PatternNode,
    /// What follows.
    pub steps: Vec<(PatternEdge, PatternNode)>,
}

/// `(name)`.
#[derive(Debug, Clone, PartialEq)]
pub struct PatternNode {
    /// Its name, if it has one.
    pub name: Option<Name>,
    /// Its place, with the parentheses.
    pub span: Span,
}

/// `-[name*1..3]->`.
#[derive(Debug, Clone, PartialEq)]
pub struct PatternEdge {
    /// Its name, if it has one.
    pub name: Option<Name>,
    /// Where it leads, as written.
    pub direction: Direction,
    /// The fewest and the most edges of a path; none for one edge.
    pub length: Option<(Expr, Expr)>,
    /// Its place.
    pub span: Span,
}

/// Where an edge of a pattern leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// `-->`.
    Forward,
    /// `<--`.
    Back,
    /// `--`.
    Either,
}

/// One of `graph-to-table`'s tables: `nodes as N with_node_id=i`.
#[derive(Debug, Clone, PartialEq)]
pub struct GraphTable {
    /// `nodes` or `edges`.
    pub kind: Name,
    /// `as name`.
    pub name: Option<Name>,
    /// `with_node_id=`, `with_source_id=`, `with_target_id=`.
    pub properties: Vec<Property>,
}
