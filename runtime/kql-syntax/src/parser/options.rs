//! `name=value` options and hints of operators.

use super::{Parse, Parser};
use crate::ast::{Expr, ExprKind, Name, Property};
use crate::lexer::Kind;

impl Parser<'_> {
    /// Any number of `name=value`, where names may hold dots (`hint.strategy`). With `only_hints`, names without a dot are left
    /// alone: they may be columns (`summarize x=count()`).
    pub(super) fn properties(&mut self, only_hints: bool) -> Parse<Vec<Property>> {
        let mut properties = Vec::new();
        while let Some(length) = self
            .property_length()
            .filter(|length| !only_hints || *length > 1)
        {
            let name = self.property_name(length);
            self.advance();
            properties.push(Property {
                name,
                value: self.property_value()?,
            });
            // Kusto takes options with spaces or commas between.
            if self.mark_ahead(0, ",") && self.property_starts(1) && !only_hints {
                self.advance();
            }
        }
        Ok(properties)
    }

    /// How many tokens the name of the option here takes.
    fn property_length(&self) -> Option<usize> {
        self.property_at(0)
    }

    fn property_starts(&self, ahead: usize) -> bool {
        self.property_at(ahead).is_some()
    }

    fn property_at(&self, ahead: usize) -> Option<usize> {
        let word = |at: usize| self.token(ahead + at).0 == Kind::Word;
        let mut length = usize::from(word(0));
        while length > 0 && self.mark_ahead(ahead + length, ".") && word(length + 1) {
            length += 2;
        }
        (length > 0 && self.mark_ahead(ahead + length, "=")).then_some(length)
    }

    fn property_name(&mut self, length: usize) -> Name {
        let start = self.span();
        self.at += length;
        let span = self.since(start);
        Name {
            text: self
                .text_of(span)
                .chars()
                .filter(|c| !c.is_whitespace())
                .collect(),
            span,
        }
    }

    /// A literal or a bare word.
    pub(super) fn property_value(&mut self) -> Parse<Expr> {
        let span = self.span();
        if self.kind() == Kind::Word && !matches!(self.text(), "true" | "false" | "dynamic") {
            self.advance();
            return Ok(Expr {
                kind: ExprKind::Name(self.text_of(span).to_owned()),
                span,
            });
        }
        if self.name_length(0) == 3 {
            let name = self.name("")?;
            return Ok(Expr {
                kind: ExprKind::Name(name.text),
                span: name.span,
            });
        }
        self.postfix_or_signed()
    }

    fn postfix_or_signed(&mut self) -> Parse<Expr> {
        if self.at_mark("-") || self.at_mark("+") {
            self.expression()
        } else {
            self.postfix()
        }
    }

    /// `(a=x, b=y, c)`: a value without a name belongs to the option before it.
    pub(super) fn property_list(&mut self) -> Parse<Vec<Property>> {
        self.expect_mark("(", "after `with`")?;
        let mut last: Option<Name> = None;
        self.list_until(")", "after the options", |parser| {
            if let Some(length) = parser.property_length() {
                let name = parser.property_name(length);
                parser.advance();
                last = Some(name);
            }
            match &last {
                Some(name) => Ok(Property {
                    name: name.clone(),
                    value: parser.property_value()?,
                }),
                None => Err(parser.expected("an option's name and `=`", "in the list")),
            }
        })
    }
}
