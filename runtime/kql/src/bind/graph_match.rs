//! `graph-match`: a pattern is joins of edges with nodes, on their numbers. A path of one to three edges is three patterns, of one,
//! of two and of three edges, whose rows are put together; the memory of a query bounds what they give, and filters reach the tables
//! as in any join. Source: Kusto's pages on graph-match and on graph-scalar functions.

use std::collections::HashMap;

use datafusion::common::{Column as PlanColumn, JoinType};
use datafusion::logical_expr::{Expr as PlanExpr, LogicalPlanBuilder};
use spoor_kql_syntax::ast::{
    Direction, Expr, ExprKind, GraphMatch, GraphPattern, Literal, Name, NamedExpr, PatternEdge,
    PatternNode, Property, Span,
};
use spoor_table::{KustoType, Table, Value};

use super::graph_names::{Element, Names};
use super::graph_shortest::Pruning;
use super::naming::default_name;
use super::relation::{BoundColumn, Relation, column};
use super::scope::Scope;
use super::{Bind, Binder, TokenSense};
use crate::exec::{EDGE, Graph, NODE, SOURCE, TARGET};

/// Edges that a path may have.
const LONGEST: i64 = 16;

/// Patterns that a pattern with paths may stand for.
const MOST_PATTERNS: usize = 64;

/// What may come more than once in a match.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Cycles {
    All,
    UniqueEdges,
    None,
}

/// Which matches are wanted, and what of them.
pub(super) struct Wanted<'a> {
    pub(super) cycles: Cycles,
    pub(super) scope: &'a Scope,
    /// What to give besides the columns.
    pub(super) known: &'a [Known],
    /// Which rows to leave out after each edge.
    pub(super) pruning: Option<&'a Pruning>,
}

/// What is known of a match besides its columns.
#[derive(Clone, Copy)]
pub(super) enum Known {
    /// The number of the first pattern's first node.
    First,
    /// The number of its last one.
    Last,
    /// How many edges there are.
    Length,
}

impl Known {
    /// What its column is called, which a query has no reason to name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Known::First => "#first",
            Known::Last => "#last",
            Known::Length => "#length",
        }
    }

    fn column(self, lengths: &[usize], span: Span) -> NamedExpr {
        let kind = match self {
            Known::Length => {
                ExprKind::Literal(Literal::Long(Some(lengths.iter().sum::<usize>() as i64)))
            }
            _ => ExprKind::Name(self.name().to_owned()),
        };
        let text = self.name().to_owned();
        NamedExpr {
            names: vec![Name { text, span }],
            value: Expr { kind, span },
            span,
        }
    }
}

/// An edge of a pattern, or of a path: from which node to which, by their names.
pub(super) struct Step {
    from: String,
    pub(super) to: String,
    pub(super) edge: String,
    direction: Direction,
    pub(super) span: Span,
}

/// A match while it is put together.
pub(super) struct Walk<'g> {
    graph: &'g Graph,
    both_ways: Option<Table>,
    pub(super) names: &'g Names,
    cycles: Cycles,
    rows: Option<Relation>,
    /// For each node that is bound, the plan's column of its number.
    pub(super) nodes: HashMap<String, String>,
    /// The plan's columns of the edges' numbers.
    pub(super) edges: Vec<String>,
}

impl Binder<'_> {
    pub(super) fn graph_match(
        &mut self,
        graph: &Graph,
        found: &GraphMatch,
        scope: &Scope,
        span: Span,
    ) -> Bind<Relation> {
        let cycles = self.cycles(&found.properties)?;
        let wanted = Wanted {
            cycles,
            scope,
            known: &[],
            pruning: None,
        };
        self.matches(graph, found, &wanted, span)
    }

    /// The columns of all matches, and some of what is known of a match besides.
    pub(super) fn matches(
        &mut self,
        graph: &Graph,
        found: &GraphMatch,
        wanted: &Wanted<'_>,
        span: Span,
    ) -> Bind<Relation> {
        let scope = wanted.scope;
        let Some(project) = &found.project else {
            let hint = Some("say which: ... project a.name, b.name");
            return Err(self.error_hint(span, "a pattern needs the columns to give", hint));
        };
        let lengths = self.lengths(&found.patterns, scope, span)?;
        let mut tables = Vec::new();
        for lengths in lengths {
            let names = self.names_of(graph, found, &lengths)?;
            let mut rows = self.walk(graph, found, &names, wanted, &lengths, span)?;
            if let Some(predicate) = &found.predicate {
                let predicate = self.with_columns(predicate, &names)?;
                rows = self.filter(rows, &predicate, scope)?;
            }
            let mut exprs =
                self.each(project, |binder, named| binder.match_column(named, &names))?;
            let known = wanted.known.iter();
            exprs.extend(known.map(|known| known.column(&lengths, span)));
            tables.push(self.project(rows, &exprs, scope, span)?);
        }
        match tables.len() {
            1 => tables.pop().ok_or(super::Stop::Reported),
            _ => self.united(tables, false, None, span),
        }
    }

    /// A column to give, under the name that it has before its parts are columns of a table.
    fn match_column(&mut self, named: &NamedExpr, names: &Names) -> Bind<NamedExpr> {
        let mut named = named.clone();
        if let (true, Some(text)) = (named.names.is_empty(), default_name(&named.value)) {
            let span = named.value.span;
            named.names.push(Name { text, span });
        }
        named.value = self.with_columns(&named.value, names)?;
        Ok(named)
    }

    pub(super) fn cycles(&mut self, properties: &[Property]) -> Bind<Cycles> {
        let mut cycles = Cycles::UniqueEdges;
        for property in properties {
            cycles = match (property.name.text.as_str(), &property.value.kind) {
                ("cycles", ExprKind::Name(name)) if name == "all" => Cycles::All,
                ("cycles", ExprKind::Name(name)) if name == "none" => Cycles::None,
                ("cycles", ExprKind::Name(name)) if name == "unique_edges" => Cycles::UniqueEdges,
                (name, _) if name.starts_with("hint.") => cycles,
                _ => {
                    return Err(self.no_option(property, "cycles=all, none or unique_edges"));
                }
            };
        }
        Ok(cycles)
    }

    /// For each way in which the paths of a pattern may be long, how long each is; of an edge that is no path, 1.
    fn lengths(
        &mut self,
        patterns: &[GraphPattern],
        scope: &Scope,
        span: Span,
    ) -> Bind<Vec<Vec<usize>>> {
        let mut ways = vec![Vec::new()];
        for (edge, _) in patterns.iter().flat_map(|pattern| &pattern.steps) {
            let range = self.range_of(edge, scope)?;
            let longer = |way: &Vec<usize>, length: usize| {
                let mut way = way.clone();
                way.push(length);
                way
            };
            ways = ways
                .iter()
                .flat_map(|way| range.clone().map(move |length| longer(way, length)))
                .collect();
            if ways.len() > MOST_PATTERNS {
                let hint = Some("ask for shorter paths, or for one path at a time");
                return Err(self.error_hint(span, "the paths may be long in too many ways", hint));
            }
        }
        Ok(ways)
    }

    fn range_of(
        &mut self,
        edge: &PatternEdge,
        scope: &Scope,
    ) -> Bind<std::ops::RangeInclusive<usize>> {
        let Some((least, most)) = &edge.length else {
            return Ok(1..=1);
        };
        let mut ends = [0; 2];
        for (end, expr) in ends.iter_mut().zip([least, most]) {
            let value = self.constant(expr, scope, "the length of a path")?;
            *end = match value {
                Value::Long(length @ 1..=LONGEST) => length as usize,
                Value::Int(length @ 1..=16) => length as usize,
                _ => {
                    let message = format!("a path has 1 to {LONGEST} edges");
                    return Err(self.error(expr.span, message));
                }
            };
        }
        match ends {
            [least, most] if least <= most => Ok(least..=most),
            _ => Err(self.error(edge.span, "the most edges are fewer than the fewest")),
        }
    }

    /// What the pattern's names stand for, where its paths are so long.
    fn names_of(&mut self, graph: &Graph, found: &GraphMatch, lengths: &[usize]) -> Bind<Names> {
        let mut names = Names::new(graph);
        let mut lengths = lengths.iter();
        for pattern in &found.patterns {
            self.node_name(&mut names, &pattern.first)?;
            for (edge, node) in &pattern.steps {
                let length = lengths.next().copied().unwrap_or(1);
                self.node_name(&mut names, node)?;
                let Some(name) = &edge.name else { continue };
                self.sense(name.span, TokenSense::Variable);
                let element = match edge.length {
                    None => Element::Edge,
                    Some(_) => Element::Path(length),
                };
                if names.elements.insert(name.text.clone(), element).is_some() {
                    let message = format!("`{}` names two things of the pattern", name.text);
                    return Err(self.error(name.span, message));
                }
            }
        }
        names.note_uses(found);
        Ok(names)
    }

    fn node_name(&mut self, names: &mut Names, node: &PatternNode) -> Bind<()> {
        let Some(name) = &node.name else {
            return Ok(());
        };
        self.sense(name.span, TokenSense::Variable);
        match names.elements.insert(name.text.clone(), Element::Node) {
            None | Some(Element::Node) => Ok(()),
            Some(_) => {
                let message = format!("`{}` names two things of the pattern", name.text);
                Err(self.error(name.span, message))
            }
        }
    }

    /// The rows of all matches of patterns whose paths are so long.
    fn walk(
        &mut self,
        graph: &Graph,
        found: &GraphMatch,
        names: &Names,
        wanted: &Wanted<'_>,
        lengths: &[usize],
        span: Span,
    ) -> Bind<Relation> {
        let mut steps = steps(&found.patterns, lengths);
        let undirected = steps.iter().any(|s| s.direction == Direction::Either);
        let both_ways = undirected.then(|| graph.both_ways()).transpose();
        let mut walk = Walk {
            graph,
            both_ways: both_ways.map_err(|error| self.internal(span, error))?,
            names,
            cycles: wanted.cycles,
            rows: None,
            nodes: HashMap::new(),
            edges: Vec::new(),
        };
        for (at, pattern) in found.patterns.iter().enumerate() {
            if pattern.steps.is_empty() {
                self.lone_node(
                    &mut walk,
                    &node_text(&pattern.first, at, 0),
                    pattern.first.span,
                )?;
            }
        }
        while !steps.is_empty() {
            let bound = |name: &String| walk.nodes.contains_key(name);
            let next = match &walk.rows {
                None => Some(0),
                Some(_) => steps.iter().position(|s| bound(&s.from) || bound(&s.to)),
            };
            let Some(next) = next else {
                let hint = Some("name a node that both have, such as (a)-->(b), (b)-->(c)");
                let message = "this pattern has no node in common with those before it";
                return Err(self.error_hint(steps[0].span, message, hint));
            };
            let step = steps.remove(next);
            self.match_step(&mut walk, &step)?;
            if let Some(pruning) = wanted.pruning {
                let rows = walk.rows.take().ok_or(super::Stop::Reported)?;
                walk.rows = Some(self.pruned(rows, pruning, (&walk, &step), wanted.scope)?);
            }
        }
        let mut rows = walk.rows.ok_or(super::Stop::Reported)?;
        if let Some(first) = found.patterns.first() {
            let last = first.steps.last().map_or(&first.first, |(_, node)| node);
            let ends = [
                (Known::First, node_text(&first.first, 0, 0)),
                (Known::Last, node_text(last, 0, first.steps.len())),
            ];
            for (known, node) in ends {
                let id = walk.nodes.get(&node).cloned();
                rows.columns.extend(id.map(|id| BoundColumn {
                    name: known.name().to_owned(),
                    ty: KustoType::Long,
                    id,
                }));
            }
        }
        Ok(rows)
    }

    fn lone_node(&mut self, walk: &mut Walk<'_>, name: &str, span: Span) -> Bind<()> {
        if walk.nodes.contains_key(name) {
            return Ok(());
        }
        if walk.rows.is_some() {
            let message = "this pattern has no node in common with those before it";
            return Err(self.error(span, message));
        }
        let nodes = self.pattern_part(&walk.graph.nodes.clone(), name, span)?;
        if let Some(number) = nodes.find(&format!("{name}.{NODE}")) {
            walk.nodes.insert(name.to_owned(), number.id.clone());
        }
        walk.rows = Some(nodes);
        Ok(())
    }

    /// Adds an edge to a match, and the nodes at its ends.
    fn match_step(&mut self, walk: &mut Walk<'_>, step: &Step) -> Bind<()> {
        let edges = match (&walk.both_ways, step.direction) {
            (Some(both), Direction::Either) => both.clone(),
            _ => walk.graph.edges.clone(),
        };
        let edges = self.pattern_part(&edges, &step.edge, step.span)?;
        let id = |of: &str| {
            edges
                .find(&format!("{}.{of}", step.edge))
                .map(|c| c.id.clone())
        };
        let (Some(number), Some(source), Some(target)) = (id(EDGE), id(SOURCE), id(TARGET)) else {
            return Err(super::Stop::Reported);
        };
        let ends = match step.direction {
            Direction::Back => [(&step.from, target), (&step.to, source)],
            _ => [(&step.from, source), (&step.to, target)],
        };
        let keys = ends
            .iter()
            .filter_map(|(name, id)| Some((walk.nodes.get(*name)?.clone(), id.clone())));
        let keys: Vec<(String, String)> = keys.collect();
        let rows = match walk.rows.take() {
            None => edges,
            Some(rows) => self.matched(rows, edges, &keys, step.span)?,
        };
        let mut conditions = Vec::new();
        if walk.cycles != Cycles::All {
            let others = walk.edges.iter();
            conditions.extend(others.map(|other| column(&number).not_eq(column(other))));
        }
        walk.edges.push(number);
        walk.rows = Some(rows);
        for (name, id) in ends {
            match walk.nodes.get(name) {
                // An edge from a node to itself is the first of all: nothing has been joined.
                Some(known) if keys.iter().all(|(_, key)| *key != id) => {
                    conditions.push(column(known).eq(column(&id)));
                }
                Some(_) => {}
                None => {
                    if walk.cycles == Cycles::None {
                        let others = walk.nodes.values();
                        conditions.extend(others.map(|other| column(&id).not_eq(column(other))));
                    }
                    self.node(walk, name, id, step.span)?;
                }
            }
        }
        self.narrowed(walk, conditions, step.span)
    }

    /// Binds a node to a column of its number, and adds its properties where they are used.
    fn node(&mut self, walk: &mut Walk<'_>, name: &str, id: String, span: Span) -> Bind<()> {
        if walk.names.used(name)
            && let Some(rows) = walk.rows.take()
        {
            let nodes = self.pattern_part(&walk.graph.nodes.clone(), name, span)?;
            let number = nodes.find(&format!("{name}.{NODE}"));
            let key = number.map(|number| (id.clone(), number.id.clone()));
            let keys: Vec<(String, String)> = key.into_iter().collect();
            walk.rows = Some(self.matched(rows, nodes, &keys, span)?);
        }
        walk.nodes.insert(name.to_owned(), id);
        Ok(())
    }

    fn narrowed(&mut self, walk: &mut Walk<'_>, conditions: Vec<PlanExpr>, span: Span) -> Bind<()> {
        if let Some(condition) = conditions.into_iter().reduce(PlanExpr::and)
            && let Some(rows) = walk.rows.take()
        {
            let plan = LogicalPlanBuilder::from(rows.plan.clone())
                .filter(condition)
                .and_then(LogicalPlanBuilder::build);
            walk.rows = Some(Relation {
                plan: self.plan(span, plan)?,
                ..rows
            });
        }
        Ok(())
    }

    /// The nodes or the edges, whose columns are called after what they are in the pattern.
    fn pattern_part(&mut self, table: &Table, name: &str, span: Span) -> Bind<Relation> {
        let mut relation = self.constant_table(table.clone(), span)?;
        for column in &mut relation.columns {
            column.name = format!("{name}.{}", column.name);
        }
        Ok(relation)
    }

    /// The rows so far, each with those of the other table that fit.
    fn matched(
        &mut self,
        rows: Relation,
        other: Relation,
        keys: &[(String, String)],
        span: Span,
    ) -> Bind<Relation> {
        let (left, right): (Vec<_>, Vec<_>) = keys
            .iter()
            .map(|(left, right)| {
                let bare = |id: &String| PlanColumn::new_unqualified(id);
                (bare(right), bare(left))
            })
            .unzip();
        let plan = LogicalPlanBuilder::from(other.plan)
            .join(rows.plan, JoinType::Inner, (left, right), None)
            .and_then(LogicalPlanBuilder::build);
        let columns = rows.columns.into_iter().chain(other.columns).collect();
        Ok(Relation::unordered(self.plan(span, plan)?, columns))
    }
}

/// The edges of the patterns, and those of their paths.
fn steps(patterns: &[GraphPattern], lengths: &[usize]) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut lengths = lengths.iter();
    for (at, pattern) in patterns.iter().enumerate() {
        let mut from = node_text(&pattern.first, at, 0);
        for (place, (edge, node)) in pattern.steps.iter().enumerate() {
            let to = node_text(node, at, place + 1);
            let unnamed = format!("#edge{at}_{place}");
            let name = edge.name.as_ref().map_or(unnamed, |name| name.text.clone());
            let length = lengths.next().copied().unwrap_or(1);
            let mut path = Vec::new();
            for step in 1..=length {
                let end = match step == length {
                    true => to.clone(),
                    false => Names::inner_node(&name, step),
                };
                path.push(Step {
                    from: std::mem::replace(&mut from, end.clone()),
                    to: end,
                    edge: match edge.length {
                        None => name.clone(),
                        Some(_) => Names::edge_of(&name, step),
                    },
                    direction: edge.direction,
                    span: edge.span,
                });
            }
            steps.extend(path);
        }
    }
    steps
}

pub(super) fn node_text(node: &PatternNode, pattern: usize, place: usize) -> String {
    let unnamed = format!("#node{pattern}_{place}");
    node.name.as_ref().map_or(unnamed, |name| name.text.clone())
}
