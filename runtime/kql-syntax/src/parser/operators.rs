//! The insides of tabular operators: columns, rows and joins. `series` has those with many clauses.

use super::{Parse, Parser};
use crate::ast::{
    Evaluate, EvaluateSchema, Expr, ExprKind, Join, Name, NamedExpr, OperatorKind, Property,
    Reduce, Render, Reorder, ReorderBy, SortKey, Summarize, Union,
};
use crate::lexer::Kind;

impl Parser<'_> {
    pub(super) fn as_operator(&mut self) -> Parse<OperatorKind> {
        self.properties(true)?;
        self.name("after `as`").map(OperatorKind::As)
    }

    pub(super) fn count_operator(&mut self) -> Parse<OperatorKind> {
        if self.eat_word("as") {
            self.name("after `as`")?;
        }
        Ok(OperatorKind::Count)
    }

    pub(super) fn distinct_operator(&mut self) -> Parse<OperatorKind> {
        self.properties(true)?;
        self.list(Self::named_expression)
            .map(OperatorKind::Distinct)
    }

    pub(super) fn project_operator(&mut self) -> Parse<OperatorKind> {
        if self.kind() == Kind::End || self.at_mark("|") {
            return Err(self.expected("columns", "after `project`"));
        }
        self.list(Self::named_expression).map(OperatorKind::Project)
    }

    pub(super) fn serialize_operator(&mut self) -> Parse<OperatorKind> {
        if self.kind() == Kind::End || matches!(self.text(), "|" | ";" | ")" | "}") {
            return Ok(OperatorKind::Serialize(Vec::new()));
        }
        self.list(Self::named_expression)
            .map(OperatorKind::Serialize)
    }

    pub(super) fn column_list(&mut self, context: &str) -> Parse<Vec<Expr>> {
        self.list(|parser| parser.name_or_pattern(context))
    }

    pub(super) fn reorder_operator(&mut self) -> Parse<OperatorKind> {
        let columns = self.list(|parser| {
            let column = parser.name_or_pattern("after `project-reorder`")?;
            Ok(Reorder {
                column,
                order: parser.reorder_by(),
            })
        })?;
        Ok(OperatorKind::ProjectReorder(columns))
    }

    fn reorder_by(&mut self) -> Option<ReorderBy> {
        let hyphen = self.mark_ahead(1, "-") && self.touches_next(0);
        if self.at_word("granny") && hyphen {
            let order = if self.word_ahead(2, "desc") {
                ReorderBy::GrannyDesc
            } else {
                ReorderBy::GrannyAsc
            };
            self.at += 3;
            return Some(order);
        }
        if self.eat_word("asc") {
            return Some(ReorderBy::Asc);
        }
        self.eat_word("desc").then_some(ReorderBy::Desc)
    }

    pub(super) fn evaluate_operator(&mut self) -> Parse<OperatorKind> {
        let properties = self.properties(true)?;
        let call = self.postfix()?;
        if !matches!(call.kind, ExprKind::Call { .. }) {
            return Err(self.error(
                call.span,
                "`evaluate` takes a plugin's call: evaluate name(...)",
            ));
        }
        let schema = if self.eat_mark(":") {
            Some(self.evaluate_schema()?)
        } else {
            None
        };
        Ok(OperatorKind::Evaluate(Evaluate {
            call,
            properties,
            schema,
        }))
    }

    fn evaluate_schema(&mut self) -> Parse<EvaluateSchema> {
        self.expect_mark("(", "before the schema")?;
        let input = self.eat_mark("*");
        if input {
            self.eat_mark(",");
        }
        let columns = self.list_until(")", "after the schema", |parser| {
            parser.column_declaration()
        })?;
        Ok(EvaluateSchema { input, columns })
    }

    pub(super) fn join_operator(&mut self, is_join: bool) -> Parse<OperatorKind> {
        let mut properties = self.properties(false)?;
        let kind = take_kind(&mut properties);
        let right = Box::new(self.postfix()?);
        self.expect_word("on", "before the columns to join on")?;
        let on = self.list(|parser| parser.expression())?;
        let join = Join {
            kind,
            properties,
            right,
            on,
        };
        Ok(if is_join {
            OperatorKind::Join(join)
        } else {
            OperatorKind::Lookup(join)
        })
    }

    pub(super) fn union_operator(&mut self) -> Parse<OperatorKind> {
        let mut properties = self.properties(false)?;
        let source = properties
            .iter()
            .position(|p| matches!(p.name.text.as_str(), "withsource" | "with_source"));
        let with_source = source.and_then(|at| as_name(&properties.remove(at)));
        let tables = self.list(|parser| parser.union_table())?;
        Ok(OperatorKind::Union(Union {
            properties,
            with_source,
            tables,
        }))
    }

    pub(super) fn union_table(&mut self) -> Parse<Expr> {
        let starred = self.at_mark("*") || (self.mark_ahead(1, "*") && self.touches_next(0));
        if starred {
            self.name_or_pattern("of a table")
        } else {
            self.postfix()
        }
    }

    pub(super) fn reduce_operator(&mut self) -> Parse<OperatorKind> {
        let mut properties = self.properties(false)?;
        let kind = take_kind(&mut properties);
        self.expect_word("by", "after `reduce`")?;
        let by = self.expression()?;
        if self.eat_word("with") {
            properties.extend(self.properties(false)?);
        }
        Ok(OperatorKind::Reduce(Reduce {
            kind,
            by,
            properties,
        }))
    }

    pub(super) fn render_operator(&mut self) -> Parse<OperatorKind> {
        let kind = self.word("a kind of chart", "after `render`")?;
        let properties = if self.eat_word("with") {
            self.property_list()?
        } else {
            self.properties(false)?
        };
        Ok(OperatorKind::Render(Render { kind, properties }))
    }

    pub(super) fn sort_operator(&mut self, name: &str) -> Parse<OperatorKind> {
        self.properties(true)?;
        self.expect_word("by", &format!("after `{name}`"))?;
        self.sort_keys().map(OperatorKind::Sort)
    }

    fn sort_keys(&mut self) -> Parse<Vec<SortKey>> {
        self.list(|parser| {
            let value = parser.named_expression()?;
            parser.sort_key(value)
        })
    }

    fn sort_key(&mut self, value: NamedExpr) -> Parse<SortKey> {
        let ascending = self.direction();
        let mut nulls_first = None;
        if self.eat_word("nulls") {
            nulls_first = Some(self.at_word("first"));
            if !self.eat_word("first") {
                self.expect_word("last", "or `first` after `nulls`")?;
            }
        }
        Ok(SortKey {
            value,
            ascending,
            nulls_first,
        })
    }

    /// `asc` or `desc`; descending where not said.
    pub(super) fn direction(&mut self) -> bool {
        let ascending = self.eat_word("asc");
        if !ascending {
            self.eat_word("desc");
        }
        ascending
    }

    pub(super) fn top_operator(&mut self) -> Parse<OperatorKind> {
        self.properties(true)?;
        let count = self.expression()?;
        self.expect_word("by", "after the number of rows")?;
        Ok(OperatorKind::Top {
            count,
            by: self.sort_keys()?,
        })
    }

    pub(super) fn top_hitters_operator(&mut self) -> Parse<OperatorKind> {
        let count = self.expression()?;
        self.expect_word("of", "after the number of values")?;
        let of = self.expression()?;
        let by = if self.eat_word("by") {
            Some(self.expression()?)
        } else {
            None
        };
        Ok(OperatorKind::TopHitters { count, of, by })
    }

    pub(super) fn sample_distinct_operator(&mut self) -> Parse<OperatorKind> {
        let count = self.expression()?;
        self.expect_word("of", "after the number of values")?;
        Ok(OperatorKind::SampleDistinct {
            count,
            of: self.expression()?,
        })
    }

    pub(super) fn search_operator(&mut self) -> Parse<OperatorKind> {
        let properties = self.properties(false)?;
        let tables = if self.at_word("in") && self.mark_ahead(1, "(") {
            self.at += 2;
            self.list_until(")", "after the tables", |parser| parser.union_table())?
        } else {
            Vec::new()
        };
        Ok(OperatorKind::Search {
            tables,
            properties,
            predicate: self.expression()?,
        })
    }

    pub(super) fn summarize_operator(&mut self) -> Parse<OperatorKind> {
        let mut properties = self.properties(true)?;
        let bare = self.at_word("by") || self.kind() == Kind::End;
        let aggregates = if bare {
            Vec::new()
        } else {
            self.list(Self::named_expression)?
        };
        let by = if self.eat_word("by") {
            properties.extend(self.properties(true)?);
            self.list(Self::named_expression)?
        } else {
            Vec::new()
        };
        if aggregates.is_empty() && by.is_empty() {
            return Err(self.expected("aggregates or `by`", "after `summarize`"));
        }
        Ok(OperatorKind::Summarize(Summarize {
            properties,
            aggregates,
            by,
        }))
    }

    pub(super) fn partition_operator(&mut self) -> Parse<OperatorKind> {
        self.properties(true)?;
        self.expect_word("by", "after `partition`")?;
        let by = self.name("after `by`")?;
        let by = Expr {
            kind: ExprKind::Name(by.text),
            span: by.span,
        };
        let close = if self.eat_mark("{") { "}" } else { ")" };
        if close == ")" {
            self.expect_mark("(", "before the subquery")?;
        }
        let subquery = if close == "}" {
            self.braced_subquery()?
        } else {
            self.context_subquery(")")?
        };
        Ok(OperatorKind::Partition { by, subquery })
    }

    fn braced_subquery(&mut self) -> Parse<Expr> {
        let subquery = self.pipe_expression()?;
        self.expect_mark("}", "after the subquery")?;
        Ok(subquery)
    }
}

/// Takes `kind=...` out of an operator's options.
pub(super) fn take_kind(properties: &mut Vec<Property>) -> Option<Name> {
    let at = properties
        .iter()
        .position(|property| property.name.text == "kind")?;
    as_name(&properties.remove(at))
}

/// An option's value as a bare word.
pub(super) fn as_name(property: &Property) -> Option<Name> {
    match &property.value.kind {
        ExprKind::Name(text) => Some(Name {
            text: text.clone(),
            span: property.value.span,
        }),
        ExprKind::Literal(crate::ast::Literal::String(text)) => Some(Name {
            text: text.clone(),
            span: property.value.span,
        }),
        _ => None,
    }
}
