//! `name=value` options and hints of operators, and hints for habits from other languages.

use super::{Parse, Parser};
use crate::ast::{Expr, ExprKind, Name, Property, Span};
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

/// What someone who knows another query language should write here instead.
pub(super) fn habit(text: &str, next: (Kind, Span), source: &str) -> Option<&'static str> {
    let next = source.get(next.1.range()).unwrap_or("");
    Some(match text {
        "&&" => "write `and`",
        "||" => "write `or`",
        "=" => "`==` compares; a single `=` names a column",
        "AND" | "And" => "keywords are lower case: `and`",
        "OR" | "Or" => "keywords are lower case: `or`",
        "NOT" => "`not` is a function: not(...)",
        "LIKE" | "ILIKE" => "use `contains`, `startswith`, `endswith` or `matches regex`",
        "IN" => "keywords are lower case: `in`",
        "is" | "IS" => "use isnull(x), isnotnull(x), isempty(x) or isnotempty(x)",
        "-" if next == "-" => "comments begin with //",
        "/" if next == "*" => "comments begin with //",
        "#" => "comments begin with //",
        _ => return None,
    })
}

/// The tabular operator that does what a word of another language does.
pub(super) fn operator_habit(word: &str) -> Option<&'static str> {
    Some(match word.to_ascii_lowercase().as_str() {
        "select" => "use `project` to choose columns",
        "from" => "a query begins with the table's name: T | ...",
        "group" | "groupby" | "aggregate" | "stats" => "use `summarize ... by ...`",
        "having" => "use `where` after `summarize`",
        "head" | "first" => "use `take`, or `top ... by ...` for an order",
        "filter_by" | "grep" => "use `where`",
        "with" | "eval" | "mutate" => "use `extend` to add columns",
        "rename" => "use `project-rename new = old`",
        "dedup" | "uniq" | "unique" => "use `distinct`, or `summarize take_any(*) by ...`",
        "drop" | "fields" => "use `project-away` or `project`",
        "rex" => "use `parse`, or `extend x = extract(...)`",
        "len" | "length" => "use `count`",
        _ => return None,
    })
}
