//! What the names of a graph's pattern mean in its predicate and its columns: `a.x` becomes the column `a.x` of the matches, and what is
//! said of a path, such as `all(e, x > 1)`, is said of each of its edges. Source: Kusto's pages on graph functions.

use std::collections::{HashMap, HashSet};

use spoor_kql_syntax::ast::{Argument, BinaryOp, Expr, ExprKind, GraphMatch, Literal, Name, Span};
use spoor_kql_syntax::{Diagnostic, suggest};
use spoor_table::Column;

use super::search::names;
use super::{Bind, Binder, TokenSense};
use crate::exec::Graph;

/// What a name of a pattern stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    Node,
    Edge,
    /// So many edges.
    Path(usize),
}

/// The names of a pattern.
pub(super) struct Names {
    pub(super) elements: HashMap<String, Element>,
    nodes: Vec<String>,
    edges: Vec<String>,
    used: HashSet<String>,
    /// Paths whose inner nodes are asked for.
    inner: HashSet<String>,
}

impl Names {
    pub(super) fn new(graph: &Graph) -> Names {
        let shown = |columns: &[Column], hidden| -> Vec<String> {
            let shown = columns.iter().skip(hidden);
            shown.map(|column| column.name.clone()).collect()
        };
        Names {
            elements: HashMap::new(),
            nodes: shown(graph.nodes.columns(), 2),
            edges: shown(graph.edges.columns(), 3),
            used: HashSet::new(),
            inner: HashSet::new(),
        }
    }

    /// What an edge of a path is called.
    pub(super) fn edge_of(path: &str, at: usize) -> String {
        format!("{path}#{at}")
    }

    /// What a node between two edges of a path is called.
    pub(super) fn inner_node(path: &str, at: usize) -> String {
        format!("{path}#node{at}")
    }

    /// What is said of each edge of a path, of one of them.
    pub(super) fn of_edge(&self, said: &Expr, edge: &str) -> Expr {
        let mut said = said.clone();
        of_part(&mut said, edge, &self.edges);
        said
    }

    /// Whether a node's properties are asked for.
    pub(super) fn used(&self, name: &str) -> bool {
        self.used.contains(name)
            || name
                .split_once("#node")
                .is_some_and(|(path, _)| self.inner.contains(path))
    }

    /// Notes which names the predicate and the columns use.
    pub(super) fn note_uses(&mut self, found: &GraphMatch) {
        let columns = found.project.iter().flatten().map(|named| &named.value);
        for expr in columns.chain(&found.predicate) {
            self.used.extend(names(expr).into_iter().map(str::to_owned));
            let mut pending = vec![expr];
            while let Some(expr) = pending.pop() {
                self.inner.extend(inner_nodes(expr).map(str::to_owned));
                pending.extend(expr.parts());
            }
        }
    }

    fn properties(&self, element: Element) -> &[String] {
        match element {
            Element::Node => &self.nodes,
            Element::Edge | Element::Path(_) => &self.edges,
        }
    }

    /// The parts that a path, or its inner nodes, are made of, and the properties that these have.
    fn parts_of(&self, expr: &Expr) -> Option<(Vec<String>, &[String])> {
        let (path, inner) = match &expr.kind {
            ExprKind::Name(name) => (name.as_str(), false),
            _ => (inner_nodes(expr)?, true),
        };
        let Element::Path(length) = *self.elements.get(path)? else {
            return None;
        };
        Some(match inner {
            true => {
                let between = (1..length).map(|at| Names::inner_node(path, at));
                (between.collect(), &self.nodes)
            }
            false => {
                let edges = (1..=length).map(|at| Names::edge_of(path, at));
                (edges.collect(), &self.edges)
            }
        })
    }
}

/// The path of `inner_nodes(path)`.
fn inner_nodes(expr: &Expr) -> Option<&str> {
    match &expr.kind {
        ExprKind::Call { name, arguments } if name.text == "inner_nodes" => {
            match &arguments.first()?.value.kind {
                ExprKind::Name(path) => Some(path),
                _ => None,
            }
        }
        _ => None,
    }
}

impl Binder<'_> {
    /// An expression over a pattern's names as one over the columns of its matches.
    pub(super) fn with_columns(&mut self, expr: &Expr, names: &Names) -> Bind<Expr> {
        let mut expr = expr.clone();
        self.columns_in(&mut expr, names)?;
        Ok(expr)
    }

    fn columns_in(&mut self, expr: &mut Expr, names: &Names) -> Bind<()> {
        let kind = match &expr.kind {
            ExprKind::Member { base, name } => match &base.kind {
                ExprKind::Name(of) => self.property(of, name, base.span, names)?,
                _ => None,
            },
            ExprKind::Name(name) => match names.elements.get(name) {
                Some(element) => return Err(self.bare(name, *element, expr.span)),
                None => None,
            },
            ExprKind::Call { name, arguments } => {
                self.of_path(name, arguments, names, expr.span)?
            }
            _ => None,
        };
        match kind {
            Some(kind) => expr.kind = kind,
            None => {
                for part in expr.parts_mut() {
                    self.columns_in(part, names)?;
                }
            }
        }
        Ok(())
    }

    /// `a.x`, where `a` is of the pattern.
    fn property(
        &mut self,
        of: &str,
        name: &Name,
        span: Span,
        names: &Names,
    ) -> Bind<Option<ExprKind>> {
        let Some(element) = names.elements.get(of) else {
            return Ok(None);
        };
        self.sense(span, TokenSense::Variable);
        if let Element::Path(_) = element {
            let hint = format!(
                "say map({of}, {}) for the values of all its edges",
                name.text
            );
            let message = format!("`{of}` is a path, whose edges each have a `{}`", name.text);
            return Err(self.error_hint(name.span, message, Some(hint)));
        }
        let known = names.properties(*element);
        if known.contains(&name.text) {
            self.sense(name.span, TokenSense::Column);
            return Ok(Some(ExprKind::Name(format!("{of}.{}", name.text))));
        }
        let what = if *element == Element::Node {
            "node"
        } else {
            "edge"
        };
        let message = format!("the {what} `{of}` has no property `{}`", name.text);
        let problem = Diagnostic::error(name.span, message);
        let known = known.iter().map(String::as_str);
        Err(self.report(match suggest(&name.text, known) {
            Some(found) => problem.meant(found, name.span, found, &name.text),
            None => problem,
        }))
    }

    fn bare(&mut self, name: &str, element: Element, span: Span) -> super::Stop {
        let (what, hint) = match element {
            Element::Node => ("a node", format!("name a property of it: {name}.property")),
            Element::Edge => ("an edge", format!("name a property of it: {name}.property")),
            Element::Path(_) => (
                "a path",
                format!("use it in all({name}, ...), any({name}, ...) or map({name}, ...)"),
            ),
        };
        self.error_hint(
            span,
            format!("`{name}` is {what}, and no value"),
            Some(hint),
        )
    }

    /// `all(e, x)`, `any(e, x)` and `map(e, x)` of a path, or of `inner_nodes(e)`.
    fn of_path(
        &mut self,
        name: &Name,
        arguments: &[Argument],
        names: &Names,
        span: Span,
    ) -> Bind<Option<ExprKind>> {
        let [path, each] = arguments else {
            return Ok(None);
        };
        if !matches!(name.text.as_str(), "all" | "any" | "map") {
            return Ok(None);
        }
        let Some((parts, known)) = names.parts_of(&path.value) else {
            let hint = "its first argument is a path, such as e of -[e*1..3]->, or inner_nodes(e)";
            let message = format!("`{}` is asked of no path", name.text);
            return Err(self.error_hint(path.value.span, message, Some(hint)));
        };
        self.sense(name.span, TokenSense::Function);
        self.sense(path.value.span, TokenSense::Variable);
        let mut of_each = Vec::new();
        for part in &parts {
            let mut value = each.value.clone();
            of_part(&mut value, part, known);
            self.columns_in(&mut value, names)?;
            of_each.push(value);
        }
        Ok(Some(match name.text.as_str() {
            "all" => together(BinaryOp::And, of_each, span),
            "any" => together(BinaryOp::Or, of_each, span),
            _ => packed(of_each, span),
        }))
    }
}

/// Has the names of properties mean those of one part of a path.
fn of_part(expr: &mut Expr, part: &str, known: &[String]) {
    if let ExprKind::Name(name) = &mut expr.kind
        && known.contains(name)
    {
        *name = format!("{part}.{name}");
        return;
    }
    for inner in expr.parts_mut() {
        of_part(inner, part, known);
    }
}

/// Conditions as one; of none, what holds for nothing.
fn together(op: BinaryOp, conditions: Vec<Expr>, span: Span) -> ExprKind {
    let all = conditions.into_iter().map(|expr| Expr {
        kind: ExprKind::Paren(Box::new(expr)),
        span,
    });
    let joined = all.reduce(|left, right| Expr {
        kind: ExprKind::Binary {
            op,
            op_span: span,
            left: Box::new(left),
            right: Box::new(right),
        },
        span,
    });
    match joined {
        Some(expr) => ExprKind::Paren(Box::new(expr)),
        None => ExprKind::Literal(Literal::Bool(Some(op == BinaryOp::And))),
    }
}

fn packed(values: Vec<Expr>, span: Span) -> ExprKind {
    if values.is_empty() {
        return ExprKind::Literal(Literal::Dynamic(spoor_kql_syntax::ast::Dynamic::Array(
            Vec::new(),
        )));
    }
    let name = Name {
        text: "pack_array".to_owned(),
        span,
    };
    let arguments = values
        .into_iter()
        .map(|value| Argument { name: None, value });
    ExprKind::Call {
        name,
        arguments: arguments.collect(),
    }
}
