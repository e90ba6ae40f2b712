//! The insides of the operators with many clauses: `mv-expand`, `mv-apply`, `parse`, `make-series`, `top-nested`.

use super::operators::{as_name, take_kind};
use super::{Parse, Parser};
use crate::ast::{
    Expr, MakeSeries, MvApply, MvColumn, MvExpand, Name, NamedExpr, OperatorKind,
    Parse as ParseAst, ParsePart, Property, SeriesColumn, TopNested,
};
use crate::lexer::Kind;
use crate::text;

impl Parser<'_> {
    pub(super) fn mv_expand_operator(&mut self) -> Parse<OperatorKind> {
        let properties = self.mv_properties()?;
        let (columns, limit) = self.mv_columns()?;
        Ok(OperatorKind::MvExpand(MvExpand {
            properties,
            columns,
            limit,
        }))
    }

    pub(super) fn mv_apply_operator(&mut self) -> Parse<OperatorKind> {
        let properties = self.mv_properties()?;
        let (columns, limit) = self.mv_columns()?;
        self.expect_word("on", "before the subquery")?;
        self.expect_mark("(", "before the subquery")?;
        let subquery = self.context_subquery(")")?;
        Ok(OperatorKind::MvApply(MvApply {
            properties,
            columns,
            limit,
            subquery,
        }))
    }

    /// The options of `mv-expand`; other `name=` are columns.
    fn mv_properties(&mut self) -> Parse<Vec<Property>> {
        let mut properties = Vec::new();
        while ["bagexpansion", "kind", "with_itemindex"]
            .iter()
            .any(|option| self.at_word(option))
            && self.mark_ahead(1, "=")
        {
            properties.push(self.property()?);
        }
        Ok(properties)
    }

    /// `name=value`, which is known to stand here.
    fn property(&mut self) -> Parse<Property> {
        let name = self.word("", "")?;
        self.advance();
        Ok(Property {
            name,
            value: self.property_value()?,
        })
    }

    /// The columns to unnest, and how many rows of each at the most.
    fn mv_columns(&mut self) -> Parse<(Vec<MvColumn>, Option<Expr>)> {
        let columns = self.list(|parser| parser.mv_column())?;
        let limit = match self.eat_word("limit") {
            true => Some(self.expression()?),
            false => None,
        };
        Ok((columns, limit))
    }

    fn mv_column(&mut self) -> Parse<MvColumn> {
        let value = self.named_expression()?;
        let to = if self.eat_word("to") {
            Some(self.type_of()?)
        } else {
            None
        };
        Ok(MvColumn { value, to })
    }

    /// `typeof(long)`.
    fn type_of(&mut self) -> Parse<Name> {
        self.expect_word("typeof", "after `to`")?;
        self.expect_mark("(", "after `typeof`")?;
        let ty = self.word("a type", "in `typeof`")?;
        self.expect_mark(")", "after the type")?;
        Ok(ty)
    }

    pub(super) fn parse_operator(&mut self, only_matches: bool) -> Parse<OperatorKind> {
        let mut properties = self.properties(false)?;
        let kind = take_kind(&mut properties);
        let flags = properties
            .iter()
            .find(|p| p.name.text == "flags")
            .and_then(as_name);
        let source = self.expression()?;
        self.expect_word("with", "before the pattern")?;
        let mut pattern = Vec::new();
        while let Some(part) = self.parse_part()? {
            pattern.push(part);
        }
        if pattern.is_empty() {
            return Err(self.expected("a pattern", "after `with`"));
        }
        Ok(OperatorKind::Parse(ParseAst {
            only_matches,
            kind,
            flags,
            source,
            pattern,
        }))
    }

    fn parse_part(&mut self) -> Parse<Option<ParsePart>> {
        let span = self.span();
        if self.kind() == Kind::String {
            self.advance();
            return Ok(Some(ParsePart::Text(
                text::string_value(self.text_of(span)),
                span,
            )));
        }
        if self.eat_mark("*") {
            return Ok(Some(ParsePart::Star(span)));
        }
        if self.kind() != Kind::Word && self.name_length(0) == 0 {
            return Ok(None);
        }
        let name = self.name("of a column to parse")?;
        let ty = if self.eat_mark(":") {
            Some(self.word("a type", "after the `:`")?)
        } else {
            None
        };
        Ok(Some(ParsePart::Column { name, ty }))
    }

    pub(super) fn parse_kv_operator(&mut self) -> Parse<OperatorKind> {
        let source = self.expression()?;
        self.expect_word("as", "before the columns")?;
        let schema = self.schema("after `as`")?;
        let properties = if self.eat_word("with") {
            self.property_list()?
        } else {
            Vec::new()
        };
        Ok(OperatorKind::ParseKv {
            source,
            schema,
            properties,
        })
    }

    pub(super) fn make_series_operator(&mut self) -> Parse<OperatorKind> {
        let properties = self.make_series_properties()?;
        let series = self.list(|parser| parser.series_column())?;
        self.expect_word("on", "before the axis")?;
        let on = self.named_expression_before_in()?;
        let mut make = MakeSeries {
            properties,
            series,
            on,
            from: None,
            to: None,
            step: self.missing(self.span()),
            in_range: false,
            by: Vec::new(),
        };
        self.series_range(&mut make)?;
        if self.eat_word("by") {
            make.by = self.list(Self::named_expression)?;
        }
        Ok(OperatorKind::MakeSeries(Box::new(make)))
    }

    fn make_series_properties(&mut self) -> Parse<Vec<Property>> {
        let mut properties = self.properties(true)?;
        if self.at_word("kind") && self.mark_ahead(1, "=") && self.word_ahead(2, "nonempty") {
            properties.push(self.property()?);
        }
        Ok(properties)
    }

    /// The axis, which `in range(...)` may follow: only a path, or `in` would take the range for a list.
    fn named_expression_before_in(&mut self) -> Parse<NamedExpr> {
        self.named(|parser| parser.postfix())
    }

    fn series_column(&mut self) -> Parse<SeriesColumn> {
        let value = self.named_expression()?;
        let default = if self.at_word("default") && self.mark_ahead(1, "=") {
            self.at += 2;
            Some(self.expression()?)
        } else {
            None
        };
        Ok(SeriesColumn { value, default })
    }

    fn series_range(&mut self, make: &mut MakeSeries) -> Parse<()> {
        if self.eat_word("in") {
            self.expect_word("range", "after `in`")?;
            let mut arguments = self.arguments()?.into_iter().map(|argument| argument.value);
            make.in_range = true;
            make.from = arguments.next();
            make.to = arguments.next();
            make.step = match arguments.next() {
                Some(step) => step,
                None => return Err(self.expected("range(from, to, step)", "after `in`")),
            };
            return Ok(());
        }
        if self.eat_word("from") {
            make.from = Some(self.expression()?);
        }
        if self.eat_word("to") {
            make.to = Some(self.expression()?);
        }
        self.expect_word("step", "after the axis")?;
        make.step = self.expression()?;
        Ok(())
    }

    pub(super) fn top_nested_operator(&mut self) -> Parse<OperatorKind> {
        let first = self.top_nested_level()?;
        let mut levels = vec![first];
        while self.eat_mark(",") {
            // Later levels may repeat the operator's name.
            if self.at_word("top") && self.mark_ahead(1, "-") && self.word_ahead(2, "nested") {
                self.at += 3;
            }
            levels.push(self.top_nested_level()?);
        }
        Ok(OperatorKind::TopNested(levels))
    }

    fn top_nested_level(&mut self) -> Parse<TopNested> {
        let count: Option<Expr> = if self.at_word("of") {
            None
        } else {
            Some(self.expression()?)
        };
        self.expect_word("of", "in `top-nested`")?;
        let of = self.named_expression()?;
        let others = if self.eat_word("with") {
            self.expect_word("others", "after `with`")?;
            self.expect_mark("=", "after `others`")?;
            Some(self.expression()?)
        } else {
            None
        };
        self.expect_word("by", "before the measure")?;
        let by = self.named_expression()?;
        let ascending = self.direction();
        Ok(TopNested {
            count,
            of,
            others,
            by,
            ascending,
        })
    }
}
