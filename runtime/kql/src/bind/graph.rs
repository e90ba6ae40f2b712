//! `make-graph`, and what follows it but patterns. A graph is made of rows that have been read: those of the edges and of the nodes
//! are stages of the query. Source: Kusto's pages on the graph operators.

use std::rc::Rc;

use datafusion::common::DataFusionError;
use spoor_kql_syntax::as_written;
use spoor_kql_syntax::ast::{
    ExprKind, GraphTable, MakeGraph, Name, Operator, OperatorKind, Property, Span,
};
use spoor_table::{Column, KustoType};

use super::relation::Relation;
use super::scope::Scope;
use super::{Bind, Binder, TokenSense};
use crate::exec::{Graph, KEY, Keyed, NODE, SOURCE, TARGET};

impl Binder<'_> {
    /// Rows of edges as a graph.
    pub(super) fn make_graph(
        &mut self,
        input: Relation,
        make: &MakeGraph,
        scope: &Scope,
        span: Span,
    ) -> Bind<Relation> {
        if !input.parts.is_empty() {
            let message = "graphs cannot be made in the subquery of `mv-apply` or `partition`";
            return Err(self.error(span, message));
        }
        self.whole(&input)?;
        let (source, ty) = self.key_of(&input, &make.source, None)?;
        let (target, _) = self.key_of(&input, &make.target, Some(ty))?;
        let mut tables = Vec::new();
        for nodes in &make.nodes {
            let relation = self.tabular(&nodes.table, scope, None)?;
            self.whole(&relation)?;
            self.is_table(&relation, nodes.table.span)?;
            let (key, _) = self.key_of(&relation, &nodes.key, Some(ty))?;
            tables.push((relation, key, nodes.table.span));
        }
        let edges = self.stage(input, span)?;
        let mut nodes = Vec::new();
        for (relation, key, place) in tables {
            let table = self.stage(relation, place)?;
            nodes.push(Keyed { table, key });
        }
        let node_id = make.node_id.as_ref().map(|name| name.text.as_str());
        let graph = Graph::new(&edges, [source, target], &nodes, node_id);
        self.of_graph(graph, span)
    }

    /// The place and the type of a column that names nodes.
    fn key_of(
        &mut self,
        relation: &Relation,
        name: &Name,
        wanted: Option<KustoType>,
    ) -> Bind<(usize, KustoType)> {
        let column = self.column_named(relation, &name.text, name.span)?;
        if column.ty == KustoType::Dynamic {
            let message = format!("`{}` is dynamic, which cannot name a node", name.text);
            return Err(self.error(name.span, message));
        }
        if let Some(wanted) = wanted.filter(|wanted| *wanted != column.ty) {
            let message = format!(
                "`{}` is {}, and the other names of nodes are {wanted}",
                name.text, column.ty
            );
            return Err(self.error(name.span, message));
        }
        let place = relation.columns.iter().position(|c| c.name == column.name);
        Ok((place.unwrap_or_default(), column.ty))
    }

    fn of_graph(&mut self, graph: Result<Graph, DataFusionError>, span: Span) -> Bind<Relation> {
        let graph = graph.map_err(|error| self.internal(span, error))?;
        let mut relation = self.one_row(span)?;
        relation.graph = Some(Rc::new(graph));
        Ok(relation)
    }

    /// Refuses a graph where rows are needed.
    pub(super) fn is_table(&mut self, relation: &Relation, span: Span) -> Bind<()> {
        if relation.graph.is_none() {
            return Ok(());
        }
        let hint =
            Some("`graph-match` finds patterns in it, `graph-to-table` gives its nodes or edges");
        Err(self.error_hint(span, "this is a graph where a table is needed", hint))
    }

    /// An operator over a graph.
    pub(super) fn graph_operator(
        &mut self,
        graph: &Rc<Graph>,
        operator: &Operator,
        scope: &Scope,
    ) -> Bind<Relation> {
        match &operator.kind {
            OperatorKind::GraphMatch(found) => {
                self.graph_match(graph, found, scope, operator.name_span)
            }
            OperatorKind::GraphShortestPaths(found) => {
                self.shortest_paths(graph, found, scope, operator.name_span)
            }
            OperatorKind::GraphToTable(tables) => {
                self.graph_to_tables(graph, tables, operator.name_span)
            }
            OperatorKind::GraphMarkComponents(properties) => {
                self.mark_components(graph, properties, operator.name_span)
            }
            OperatorKind::Missing => Err(super::Stop::Reported),
            _ => {
                let hint = "`graph-match` and `graph-to-table` make tables of a graph";
                let message = "this operator works on a table, and this is a graph";
                Err(self.error_hint(operator.name_span, message, Some(hint)))
            }
        }
    }

    /// Refuses a table where a graph is needed.
    pub(super) fn needs_graph(&mut self, input: &Relation, span: Span) -> Bind<Relation> {
        self.whole(input)?;
        let hint = Some("make a graph of it first: make-graph source --> target");
        let message = "this operator works on a graph, and this is a table";
        Err(self.error_hint(span, message, hint))
    }

    /// The nodes or the edges; of several tables, which all have names for later statements, the graph still stands for all.
    fn graph_to_tables(
        &mut self,
        graph: &Rc<Graph>,
        tables: &[GraphTable],
        span: Span,
    ) -> Bind<Relation> {
        if let [table] = tables {
            let relation = self.graph_to_table(graph, table, span)?;
            self.name_table(table, &relation);
            return Ok(relation);
        }
        for table in tables {
            if table.name.is_none() {
                let hint = Some("give each a name: nodes as N, edges as E; then N");
                let message = "of several tables each has a name";
                return Err(self.error_hint(table.kind.span, message, hint));
            }
            let relation = self.graph_to_table(graph, table, span)?;
            self.name_table(table, &relation);
        }
        let mut relation = self.one_row(span)?;
        relation.graph = Some(graph.clone());
        Ok(relation)
    }

    fn name_table(&mut self, table: &GraphTable, relation: &Relation) {
        if let Some(name) = &table.name {
            self.sense(name.span, TokenSense::Table);
            self.named.push((name.text.clone(), relation.clone()));
        }
    }

    fn graph_to_table(
        &mut self,
        graph: &Rc<Graph>,
        table: &GraphTable,
        span: Span,
    ) -> Bind<Relation> {
        let mut ids = Vec::new();
        for property in &table.properties {
            let of = match (table.kind.text.as_str(), property.name.text.as_str()) {
                ("nodes", "with_node_id") => NODE,
                ("edges", "with_source_id") => SOURCE,
                ("edges", "with_target_id") => TARGET,
                _ => {
                    return Err(self.no_option(
                        property,
                        "with_node_id for nodes, with_source_id and with_target_id for edges",
                    ));
                }
            };
            ids.push((of, self.column_to_be(property)?));
        }
        match table.kind.text.as_str() {
            "nodes" => self.nodes_table(graph, &ids, span),
            "edges" => self.edges_table(graph, &ids, span),
            _ => Err(self.error(table.kind.span, "a graph has `nodes` and `edges`")),
        }
    }

    /// The nodes with their properties. Ids are hashes of what names the nodes, as Kusto's are.
    fn nodes_table(&mut self, graph: &Graph, ids: &[(&str, String)], span: Span) -> Bind<Relation> {
        let id = |(_, name): &(&str, String)| format!("{} = hash(['{KEY}'])", as_written(name));
        let shown = ids.iter().map(id).chain(written(graph.nodes.columns(), 2));
        let text = format!("Input | project {}", shown.collect::<Vec<_>>().join(", "));
        let nodes = self.constant_table(graph.nodes.clone(), span)?;
        if ids.is_empty() && graph.nodes.columns().len() == 2 {
            let hint = Some("name the nodes: make-graph a --> b with_node_id=Name");
            return Err(self.error_hint(span, "the nodes have no properties to show", hint));
        }
        self.text_over(nodes, &text, &Scope::root(), span)
    }

    fn edges_table(&mut self, graph: &Graph, ids: &[(&str, String)], span: Span) -> Bind<Relation> {
        let edges = self.constant_table(graph.edges.clone(), span)?;
        let nodes = self.constant_table(graph.nodes.clone(), span)?;
        let scope = Scope::root().with("Nodes", super::scope::Entity::Table(nodes));
        let mut text = String::from("Input");
        for (of, name) in ids {
            text += &format!(
                " | lookup (Nodes | project ['{of}'] = ['{NODE}'], {} = hash(['{KEY}'])) on ['{of}']",
                as_written(&format!("{of}{name}"))
            );
        }
        let id = |(of, name): &(&str, String)| {
            format!(
                "{} = {}",
                as_written(name),
                as_written(&format!("{of}{name}"))
            )
        };
        let shown = ids.iter().map(id).chain(written(graph.edges.columns(), 3));
        text += &format!(" | project {}", shown.collect::<Vec<_>>().join(", "));
        self.text_over(edges, &text, &scope, span)
    }

    fn mark_components(
        &mut self,
        graph: &Rc<Graph>,
        properties: &[Property],
        span: Span,
    ) -> Bind<Relation> {
        let (mut strong, mut name) = (false, "ComponentId".to_owned());
        for property in properties {
            match (property.name.text.as_str(), &property.value.kind) {
                ("kind", ExprKind::Name(kind)) if kind == "weak" || kind == "strong" => {
                    strong = kind == "strong";
                }
                ("with_component_id", _) => name = self.column_to_be(property)?,
                _ => {
                    let options = "kind=weak or strong, with_component_id=name";
                    return Err(self.no_option(property, options));
                }
            }
        }
        let marked = graph.with_components(&name, strong);
        self.of_graph(marked, span)
    }

    /// The name that an option gives a column.
    fn column_to_be(&mut self, property: &Property) -> Bind<String> {
        match &property.value.kind {
            ExprKind::Name(name) => Ok(name.clone()),
            _ => Err(self.error(property.value.span, "this must be a column's name")),
        }
    }

    pub(super) fn no_option(&mut self, property: &Property, options: &str) -> super::Stop {
        let message = format!("`{}` is no such option here", property.name.text);
        self.error_hint(
            property.name.span,
            message,
            Some(format!("options: {options}")),
        )
    }
}

/// Columns as a query writes them, but the first, which are hidden.
fn written(columns: &[Column], hidden: usize) -> impl Iterator<Item = String> {
    columns.iter().skip(hidden).map(|c| as_written(&c.name))
}
