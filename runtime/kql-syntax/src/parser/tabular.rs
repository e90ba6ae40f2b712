//! Pipes, the choice of the tabular operator by its name, and the operators that need no source.

use super::{Parse, Parser, Reported};
use crate::ast::{Expr, ExprKind, Operator, OperatorKind, Span};
use crate::lexer::Kind;

/// Every tabular operator of Kusto that may follow a `|`, for completion and suggestions.
pub const OPERATORS: &[&str] = &[
    "as",
    "assert-schema",
    "consume",
    "count",
    "distinct",
    "evaluate",
    "extend",
    "facet",
    "filter",
    "fork",
    "getschema",
    "graph-mark-components",
    "graph-match",
    "graph-shortest-paths",
    "graph-to-table",
    "invoke",
    "join",
    "limit",
    "lookup",
    "make-graph",
    "make-series",
    "mv-apply",
    "mv-expand",
    "order",
    "parse",
    "parse-kv",
    "parse-where",
    "partition",
    "project",
    "project-away",
    "project-keep",
    "project-rename",
    "project-reorder",
    "reduce",
    "render",
    "sample",
    "sample-distinct",
    "scan",
    "search",
    "serialize",
    "sort",
    "summarize",
    "take",
    "top",
    "top-hitters",
    "top-nested",
    "union",
    "where",
];

/// Operators that are known by name only.
const UNSUPPORTED: &[&str] = &["facet", "fork"];

impl Parser<'_> {
    /// `| operator | ...` after a source; the source alone where no pipe follows.
    pub(super) fn pipe_after(&mut self, source: Expr) -> Parse<Expr> {
        let mut operators = Vec::new();
        while self.pipe_follows() {
            operators.push(self.operator());
        }
        if operators.is_empty() {
            return Ok(source);
        }
        let span = Span::new(source.span.start, self.previous_end());
        Ok(Expr {
            kind: ExprKind::Pipe {
                source: Box::new(source),
                operators,
            },
            span,
        })
    }

    /// One operator. What cannot be parsed is reported, and its text skipped.
    pub(super) fn operator(&mut self) -> Operator {
        let start = self.span();
        let (name, length) = self.operator_name();
        self.at += length;
        let name_span = self.since(start);
        let kind = if length == 0 {
            self.expected("a tabular operator", "after `|`");
            Err(Reported)
        } else {
            self.deeper(|parser| parser.operator_body(&name, name_span))
        };
        let kind = kind.unwrap_or_else(|Reported| {
            self.skip_operator_within(self.opened_since(start));
            OperatorKind::Missing
        });
        if !self.ends_operator() && !self.at_operator() {
            self.operator_goes_on(&name);
            self.skip_operator();
        }
        Operator {
            kind,
            span: self.since(start),
            name_span,
        }
    }

    fn ends_operator(&self) -> bool {
        self.kind() == Kind::End || matches!(self.text(), "|" | ";" | ")" | "]" | "}")
    }

    /// The operator's name, which may hold hyphens, and how many tokens it takes.
    pub(super) fn operator_name(&self) -> (String, usize) {
        if self.kind() != Kind::Word {
            return (String::new(), 0);
        }
        let mut length = 1;
        let mut end = self.span().end;
        while self.mark_ahead(length, "-")
            && self.token(length + 1).0 == Kind::Word
            && self.touches_next(length - 1)
            && self.touches_next(length)
        {
            length += 2;
            end = self.token(length - 1).1.end;
        }
        (
            self.text_of(Span::new(self.span().start, end)).to_owned(),
            length,
        )
    }

    fn operator_body(&mut self, name: &str, name_span: Span) -> Parse<OperatorKind> {
        self.warn_of_old_operator(name, name_span);
        match name {
            "as" => self.as_operator(),
            "assert-schema" => self
                .schema("after `assert-schema`")
                .map(OperatorKind::AssertSchema),
            "consume" => self.properties(false).map(|_| OperatorKind::Consume),
            "count" => self.count_operator(),
            "distinct" => self.distinct_operator(),
            "evaluate" => self.evaluate_operator(),
            "extend" => self.list(Self::named_expression).map(OperatorKind::Extend),
            "getschema" => Ok(OperatorKind::GetSchema),
            "graph-mark-components" => self
                .properties(false)
                .map(OperatorKind::GraphMarkComponents),
            "graph-match" => self.graph_match_operator().map(OperatorKind::GraphMatch),
            "graph-shortest-paths" => self
                .graph_match_operator()
                .map(OperatorKind::GraphShortestPaths),
            "graph-to-table" => self.graph_to_table_operator(),
            "invoke" => self.postfix().map(OperatorKind::Invoke),
            "join" => self.join_operator(true),
            "lookup" => self.join_operator(false),
            "make-graph" => self.make_graph_operator(),
            "make-series" => self.make_series_operator(),
            "mv-expand" | "mvexpand" => self.mv_expand_operator(),
            "mv-apply" | "mvapply" => self.mv_apply_operator(),
            "order" | "sort" => self.sort_operator(name),
            "parse" | "parse-where" => self.parse_operator(name == "parse-where"),
            "parse-kv" => self.parse_kv_operator(),
            "partition" => self.partition_operator(),
            "print" => self.list(Self::named_expression).map(OperatorKind::Print),
            "project" => self.project_operator(),
            "project-away" => self
                .column_list("after `project-away`")
                .map(OperatorKind::ProjectAway),
            "project-keep" => self
                .column_list("after `project-keep`")
                .map(OperatorKind::ProjectKeep),
            "project-rename" => self
                .list(Self::named_expression)
                .map(OperatorKind::ProjectRename),
            "project-reorder" => self.reorder_operator(),
            "reduce" => self.reduce_operator(),
            "render" => self.render_operator(),
            "scan" => self.scan_operator(),
            "sample" => self.expression().map(OperatorKind::Sample),
            "sample-distinct" => self.sample_distinct_operator(),
            "search" => self.search_operator(),
            "serialize" => self.serialize_operator(),
            "summarize" => self.summarize_operator(),
            "take" | "limit" => self.expression().map(OperatorKind::Take),
            "top" => self.top_operator(),
            "top-hitters" => self.top_hitters_operator(),
            "top-nested" => self.top_nested_operator(),
            "union" => self.union_operator(),
            "where" | "filter" => self.expression().map(OperatorKind::Where),
            _ => self.other_operator(name, name_span),
        }
    }

    fn other_operator(&mut self, name: &str, span: Span) -> Parse<OperatorKind> {
        if UNSUPPORTED.contains(&name) {
            self.skip_operator();
            return Ok(OperatorKind::Unsupported(name.to_owned()));
        }
        let problem = self.unknown_operator(name, span);
        Err(self.report(problem))
    }

    /// An operator that begins an expression: `print`, `range`, `union`, `datatable`...; `None` where none does.
    pub(super) fn source_operator(&mut self) -> Parse<Option<Expr>> {
        let start = self.span();
        let name = self.text();
        let kind = match name {
            "datatable" => self.data_table()?,
            "externaldata" | "external_data" => self.external_data()?,
            "range" if self.name_length(1) > 0 && !self.mark_ahead(1, "(") => {
                self.advance();
                let kind = self.range_operator()?;
                self.source(kind, start)
            }
            "evaluate" if self.token(1).0 == Kind::Word => {
                self.advance();
                let kind = self.evaluate_operator()?;
                self.source(kind, start)
            }
            "print" | "union" | "search" => {
                self.advance();
                let kind = self.operator_body(name, start)?;
                self.source(kind, start)
            }
            "find" => {
                self.advance();
                let kind = self.find_operator()?;
                self.source(kind, start)
            }
            _ => return Ok(None),
        };
        Ok(Some(Expr {
            kind,
            span: self.since(start),
        }))
    }

    fn source(&self, kind: OperatorKind, name_span: Span) -> ExprKind {
        ExprKind::Source(Box::new(Operator {
            kind,
            span: self.since(name_span),
            name_span,
        }))
    }

    fn data_table(&mut self) -> Parse<ExprKind> {
        self.advance();
        let schema = self.schema("after `datatable`")?;
        let open = self.expect_mark("[", "after the schema")?;
        let values =
            self.list_until("]", "after the values", |parser| parser.data_table_value())?;
        Ok(ExprKind::DataTable {
            schema,
            values,
            values_span: self.since(open),
        })
    }

    fn external_data(&mut self) -> Parse<ExprKind> {
        self.advance();
        let schema = self.schema("after `externaldata`")?;
        self.expect_mark("[", "after the schema")?;
        let uris = self.list_until("]", "after the URIs", |parser| parser.expression())?;
        let properties = if self.eat_word("with") {
            self.property_list()?
        } else {
            Vec::new()
        };
        Ok(ExprKind::ExternalData {
            schema,
            uris,
            properties,
        })
    }

    fn range_operator(&mut self) -> Parse<OperatorKind> {
        let column = self.name("after `range`")?;
        self.expect_word("from", "after the column")?;
        let from = self.expression()?;
        self.expect_word("to", "after the first value")?;
        let to = self.expression()?;
        self.expect_word("step", "after the last value")?;
        let step = self.expression()?;
        Ok(OperatorKind::Range {
            column,
            from,
            to,
            step,
        })
    }
}
