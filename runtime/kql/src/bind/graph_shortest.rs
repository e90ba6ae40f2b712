//! `graph-shortest-paths`: of the matches of a pattern between the same two nodes, those with the fewest edges. They are found as all
//! matches are, by joins. Where one path between two nodes is enough, and what the query says of a path it says of each of its edges,
//! one is kept after each edge for each node that is reached: any part of a shortest path is one, so that another will not do better.
//! Source: Kusto's page on the operator.

use std::collections::HashSet;

use datafusion::functions_aggregate::first_last::first_value_udaf;
use datafusion::logical_expr::LogicalPlanBuilder;
use spoor_kql_syntax::as_written;
use spoor_kql_syntax::ast::{BinaryOp, Expr, ExprKind, GraphMatch, Literal, Property, Span};

use super::graph_match::{Known, Step, Walk, Wanted, node_text};
use super::relation::{Relation, column};
use super::scope::Scope;
use super::search::names;
use super::{Bind, Binder, Stop};
use crate::exec::Graph;

/// Which paths need not be followed.
pub(super) struct Pruning {
    /// The node that paths begin at.
    first: String,
    /// What holds for it.
    of_first: Vec<Expr>,
    /// What holds for each edge.
    of_edges: Vec<Expr>,
}

impl Binder<'_> {
    pub(super) fn shortest_paths(
        &mut self,
        graph: &Graph,
        found: &GraphMatch,
        scope: &Scope,
        span: Span,
    ) -> Bind<Relation> {
        let (all, rest) = self.output_of(&found.properties)?;
        let cycles = self.cycles(&rest)?;
        self.one_sequence(found, span)?;
        let known = [Known::First, Known::Last, Known::Length];
        let pruning = if all { None } else { pruning(found) };
        let wanted = Wanted {
            cycles,
            scope,
            known: &known,
            pruning: pruning.as_ref(),
        };
        let matches = self.matches(graph, found, &wanted, span)?;
        let shown = matches.columns.iter();
        let shown = shown.take(matches.columns.len().saturating_sub(known.len()));
        let shown: Vec<String> = shown.map(|column| as_written(&column.name)).collect();
        let text = shortest(&shown.join(", "), all);
        self.text_over(matches, &text, &Scope::root(), span)
    }

    /// The rows of a walk that may still become shortest paths, after one more edge.
    pub(super) fn pruned(
        &mut self,
        mut rows: Relation,
        pruning: &Pruning,
        (walk, step): (&Walk<'_>, &Step),
        scope: &Scope,
    ) -> Bind<Relation> {
        let mut said: Vec<Expr> = Vec::new();
        if walk.edges.len() == 1 {
            said.extend(pruning.of_first.iter().cloned());
        }
        let of_edge = |said: &Expr| walk.names.of_edge(said, &step.edge);
        said.extend(pruning.of_edges.iter().map(of_edge));
        for said in said {
            let said = self.with_columns(&said, walk.names)?;
            rows = self.filter(rows, &said, scope)?;
        }
        let node = |name: &str| walk.nodes.get(name).cloned();
        let (Some(first), Some(reached)) = (node(&pruning.first), node(&step.to)) else {
            return Err(Stop::Reported);
        };
        let (keys, rest): (Vec<_>, Vec<_>) = (rows.plan.schema().columns().into_iter())
            .partition(|of| of.name == first || of.name == reached);
        let keys = keys.iter().map(|of| column(&of.name));
        let any = |id: &str| first_value_udaf().call(vec![column(id)]).alias(id);
        let plan = LogicalPlanBuilder::from(rows.plan.clone())
            .aggregate(keys, rest.iter().map(|of| any(&of.name)))
            .and_then(LogicalPlanBuilder::build);
        Ok(Relation {
            plan: self.plan(step.span, plan)?,
            ..rows
        })
    }

    /// Whether all of the shortest paths are asked for, and the other options.
    fn output_of(&mut self, properties: &[Property]) -> Bind<(bool, Vec<Property>)> {
        let (mut all, mut rest) = (false, Vec::new());
        for property in properties {
            match (property.name.text.as_str(), &property.value.kind) {
                ("output", ExprKind::Name(name)) if name == "all" || name == "any" => {
                    all = name == "all";
                }
                ("output", _) => return Err(self.no_option(property, "output=any or all")),
                _ => rest.push(property.clone()),
            }
        }
        Ok((all, rest))
    }

    /// Refuses patterns that are no single sequence with a path.
    fn one_sequence(&mut self, found: &GraphMatch, span: Span) -> Bind<()> {
        let [pattern] = found.patterns.as_slice() else {
            let hint = Some("`graph-match` finds several sequences at once");
            let message = "`graph-shortest-paths` follows one sequence of nodes";
            return Err(self.error_hint(span, message, hint));
        };
        if pattern.steps.iter().any(|(edge, _)| edge.length.is_some()) {
            return Ok(());
        }
        let hint = Some("say how long it may be: (a)-[e*1..5]->(b)");
        Err(self.error_hint(span, "this pattern has no path to be short", hint))
    }
}

/// How to prune, where the pattern is one path from one edge on between two nodes, and nothing is said of a path as a whole.
fn pruning(found: &GraphMatch) -> Option<Pruning> {
    let [pattern] = found.patterns.as_slice() else {
        return None;
    };
    let [(edge, last)] = pattern.steps.as_slice() else {
        return None;
    };
    let (least, _) = edge.length.as_ref()?;
    let first = node_text(&pattern.first, 0, 0);
    let last = node_text(last, 0, 1);
    if least.kind != ExprKind::Literal(Literal::Long(Some(1))) || first == last {
        return None;
    }
    let path = edge.name.as_ref().map_or("", |name| name.text.as_str());
    let named: HashSet<&str> = [path, first.as_str(), last.as_str()].into();
    let mut pruning = Pruning {
        first: first.clone(),
        of_first: Vec::new(),
        of_edges: Vec::new(),
    };
    for said in found.predicate.iter().flat_map(conjuncts) {
        let of: HashSet<&str> = names(said).into_iter().collect();
        match of_each(said, path) {
            Some(each) if names(each).iter().all(|name| !named.contains(name)) => {
                pruning.of_edges.push(each.clone());
            }
            None if !of.contains(path) => {
                if of.contains(first.as_str()) && !of.contains(last.as_str()) {
                    pruning.of_first.push(said.clone());
                }
            }
            _ => return None,
        }
    }
    Some(pruning)
}

/// What all of which must hold.
fn conjuncts(expr: &Expr) -> Vec<&Expr> {
    let (mut found, mut pending) = (Vec::new(), vec![expr]);
    while let Some(expr) = pending.pop() {
        match &expr.kind {
            ExprKind::Paren(inner) => pending.push(inner),
            ExprKind::Binary {
                op: BinaryOp::And,
                left,
                right,
                ..
            } => pending.extend([right.as_ref(), left.as_ref()]),
            _ => found.push(expr),
        }
    }
    found
}

/// What `all(path, ...)` says of each edge.
fn of_each<'e>(said: &'e Expr, path: &str) -> Option<&'e Expr> {
    let ExprKind::Call { name, arguments } = &said.kind else {
        return None;
    };
    match arguments.as_slice() {
        [of, each] if name.text == "all" => match &of.value.kind {
            ExprKind::Name(name) if name == path => Some(&each.value),
            _ => None,
        },
        _ => None,
    }
}

/// The rows with the fewest edges between their nodes, or one of them each.
fn shortest(shown: &str, all: bool) -> String {
    let [first, last, length] =
        [Known::First, Known::Last, Known::Length].map(|known| as_written(known.name()));
    let between = format!("{first} != prev({first}) or {last} != prev({last})");
    let rank = match all {
        true => format!("row_rank_dense({length}, {between})"),
        false => format!("row_number(1, {between})"),
    };
    format!(
        "Input | sort by {first} asc, {last} asc, {length} asc | extend ['#rank'] = {rank} \
         | where ['#rank'] == 1 | project {shown}"
    )
}
