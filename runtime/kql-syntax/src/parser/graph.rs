//! The insides of the graph operators. A pattern is drawn with marks, which are taken as they come: `-` `[` `e` `]` `-` `>`.

use super::operators::as_name;
use super::{Parse, Parser};
use crate::ast::{
    Direction, GraphMatch, GraphNodes, GraphPattern, GraphTable, MakeGraph, Name, OperatorKind,
    PatternEdge, PatternNode,
};
use crate::lexer::Kind;

impl Parser<'_> {
    pub(super) fn make_graph_operator(&mut self) -> Parse<OperatorKind> {
        self.properties(true)?;
        let source = self.name("after `make-graph`")?;
        self.expect_mark("-->", "after the column of the source")?;
        let target = self.name("after `-->`")?;
        let nodes = match self.eat_word("with") {
            true => self.list(|parser| parser.graph_nodes())?,
            false => Vec::new(),
        };
        let properties = self.properties(false)?;
        let node_id = properties
            .iter()
            .find(|property| property.name.text == "with_node_id")
            .and_then(as_name);
        if self.at_word("partitioned") && self.mark_ahead(1, "-") {
            let span = self.span();
            let hint = "make a graph of each part, one after the other";
            return Err(self.error_hint(span, "`partitioned-by` is not supported yet", hint));
        }
        Ok(OperatorKind::MakeGraph(MakeGraph {
            source,
            target,
            nodes,
            node_id,
        }))
    }

    fn graph_nodes(&mut self) -> Parse<GraphNodes> {
        let table = self.postfix()?;
        self.expect_word("on", "after the nodes")?;
        let key = self.name("after `on`")?;
        Ok(GraphNodes { table, key })
    }

    pub(super) fn graph_match_operator(&mut self) -> Parse<GraphMatch> {
        let properties = self.properties(false)?;
        let patterns = self.list(|parser| parser.graph_pattern())?;
        let predicate = match self.eat_word("where") {
            true => Some(self.expression()?),
            false => None,
        };
        let project = match self.eat_word("project") {
            true => Some(self.list(Self::named_expression)?),
            false => None,
        };
        Ok(GraphMatch {
            properties,
            patterns,
            predicate,
            project,
        })
    }

    fn graph_pattern(&mut self) -> Parse<GraphPattern> {
        let first = self.pattern_node()?;
        let mut steps = Vec::new();
        while matches!(self.text(), "-" | "<" | "-->" | "<--") {
            steps.push((self.pattern_edge()?, self.pattern_node()?));
        }
        Ok(GraphPattern { first, steps })
    }

    fn pattern_node(&mut self) -> Parse<PatternNode> {
        let start = self.expect_mark("(", "before a node")?;
        let name = self.pattern_name("of a node")?;
        self.expect_mark(")", "after the node")?;
        let span = self.since(start);
        Ok(PatternNode { name, span })
    }

    fn pattern_name(&mut self, context: &str) -> Parse<Option<Name>> {
        match self.kind() == Kind::Word || self.at_mark("[") {
            true => self.name(context).map(Some),
            false => Ok(None),
        }
    }

    fn pattern_edge(&mut self) -> Parse<PatternEdge> {
        let start = self.span();
        let mut edge = PatternEdge {
            name: None,
            direction: Direction::Either,
            length: None,
            span: start,
        };
        if self.eat_mark("-->") {
            edge.direction = Direction::Forward;
            return Ok(edge);
        }
        if self.eat_mark("<--") {
            edge.direction = Direction::Back;
            return Ok(edge);
        }
        let back = self.eat_mark("<");
        self.expect_mark("-", "in an edge")?;
        if self.eat_mark("[") {
            edge.name = self.pattern_name("of an edge")?;
            if self.eat_mark("*") {
                let least = self.postfix()?;
                let most = match self.eat_mark("..") {
                    true => self.postfix()?,
                    false => least.clone(),
                };
                edge.length = Some((least, most));
            }
            self.expect_mark("]", "after the edge")?;
        }
        self.expect_mark("-", "in an edge")?;
        let forward = self.eat_mark(">");
        edge.span = self.since(start);
        edge.direction = match (back, forward) {
            (true, false) => Direction::Back,
            (false, true) => Direction::Forward,
            _ => Direction::Either,
        };
        Ok(edge)
    }

    pub(super) fn graph_to_table_operator(&mut self) -> Parse<OperatorKind> {
        let tables = self.list(|parser| {
            let kind = parser.word("nodes or edges", "after `graph-to-table`")?;
            let name = match parser.eat_word("as") {
                true => Some(parser.name("after `as`")?),
                false => None,
            };
            let properties = parser.properties(false)?;
            Ok(GraphTable {
                kind,
                name,
                properties,
            })
        })?;
        Ok(OperatorKind::GraphToTable(tables))
    }
}
