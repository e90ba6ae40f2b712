//! Literals: numbers, strings, typed literals such as `datetime(...)`, and `dynamic(...)`.

use super::{Parse, Parser};
use crate::ast::{Dynamic, Expr, ExprKind, Literal, Span};
use crate::lexer::Kind;
use crate::text;

impl Parser<'_> {
    /// The literal here, which must be one by its token.
    pub(super) fn literal(&mut self) -> Parse<Expr> {
        let start = self.span();
        let literal = self.literal_value()?;
        Ok(Expr {
            kind: ExprKind::Literal(literal),
            span: self.since(start),
        })
    }

    fn literal_value(&mut self) -> Parse<Literal> {
        let span = self.advance();
        let source = self.text_of(span);
        let kind = self
            .tokens
            .get(self.at - 1)
            .map_or(Kind::Unknown, |token| token.kind);
        match kind {
            Kind::String => Ok(Literal::String(
                self.joined_strings(text::string_value(source)),
            )),
            Kind::Long => self.required(span, long(source), "a long has 64 bits", |v| {
                Literal::Long(Some(v))
            }),
            Kind::Real => self.required(span, real(source), "write it as 1.5 or 1e10", |v| {
                Literal::Real(Some(v))
            }),
            Kind::TimeSpan => self.required(
                span,
                text::timespan_ticks(source),
                "a timespan has 64 bits of 100 ns",
                |v| Literal::TimeSpan(Some(v)),
            ),
            Kind::RawGuid => Ok(Literal::Guid(Some(source.to_lowercase()))),
            _ => self.typed(span, source),
        }
    }

    /// Strings that follow each other are one.
    fn joined_strings(&mut self, mut value: String) -> String {
        while self.kind() == Kind::String {
            let span = self.advance();
            value.push_str(&text::string_value(self.text_of(span)));
        }
        value
    }

    fn required<T>(
        &mut self,
        span: Span,
        value: Option<T>,
        hint: &str,
        make: impl Fn(T) -> Literal,
    ) -> Parse<Literal> {
        match value {
            Some(value) => Ok(make(value)),
            None => {
                let message = format!("`{}` is out of range", self.text_of(span));
                Err(self.error_hint(span, message, hint))
            }
        }
    }

    /// `type(raw)`.
    fn typed(&mut self, span: Span, source: &str) -> Parse<Literal> {
        let (ty, raw) = source.split_once('(').unwrap_or((source, ""));
        let raw = unquoted(raw.strip_suffix(')').unwrap_or(raw).trim());
        let null = raw == "null" || raw.is_empty();
        let literal = match ty {
            "bool" | "boolean" => nullable(null, boolean(raw)).map(Literal::Bool),
            "int" => nullable(null, int(raw)).map(Literal::Int),
            "long" => nullable(null, long(raw)).map(Literal::Long),
            "real" | "double" => nullable(null, real(raw)).map(Literal::Real),
            "decimal" => {
                nullable(null, is_decimal(raw).then(|| raw.to_owned())).map(Literal::Decimal)
            }
            "guid" => nullable(null, guid(raw)).map(Literal::Guid),
            "datetime" | "date" => Some(Literal::DateTime((!null).then(|| raw.to_owned()))),
            _ if null => Some(Literal::TimeSpan(None)),
            _ => Some(Literal::TimeSpanText(raw.to_owned())),
        };
        literal.ok_or_else(|| self.error(span, format!("`{raw}` is no {ty}")))
    }

    /// `true`, `false` and `dynamic(...)`; `None` where another word stands here.
    pub(super) fn word_literal(&mut self) -> Parse<Option<Expr>> {
        let start = self.span();
        let literal = match self.text() {
            "true" | "True" | "TRUE" => Literal::Bool(Some(true)),
            "false" | "False" | "FALSE" => Literal::Bool(Some(false)),
            "dynamic" if self.mark_ahead(1, "(") => {
                self.advance();
                self.advance();
                let value = self.dynamic()?;
                self.expect_mark(")", "after the dynamic value")?;
                return Ok(Some(Expr {
                    kind: ExprKind::Literal(Literal::Dynamic(value)),
                    span: self.since(start),
                }));
            }
            _ => return Ok(None),
        };
        self.advance();
        Ok(Some(Expr {
            kind: ExprKind::Literal(literal),
            span: start,
        }))
    }

    /// A value of a `datatable`: a literal, which may have a sign; or an expression, which the binder refuses.
    pub(super) fn data_table_value(&mut self) -> Parse<Expr> {
        let start = self.span();
        if !self.at_mark("-")
            || !matches!(self.token(1).0, Kind::Long | Kind::Real | Kind::TimeSpan)
        {
            return self.expression();
        }
        self.advance();
        let smallest = self.text() == "9223372036854775808";
        let literal = if smallest {
            self.advance();
            Some(Literal::Long(Some(i64::MIN)))
        } else {
            negated(self.literal_value()?)
        };
        let kind = literal.map_or(ExprKind::Missing, ExprKind::Literal);
        Ok(Expr {
            kind,
            span: self.since(start),
        })
    }

    fn dynamic(&mut self) -> Parse<Dynamic> {
        self.deeper(|parser| match parser.text() {
            "[" => {
                parser.advance();
                Ok(Dynamic::Array(parser.list_until(
                    "]",
                    "after the elements",
                    |parser| parser.dynamic(),
                )?))
            }
            "{" => {
                parser.advance();
                Ok(Dynamic::Bag(parser.list_until(
                    "}",
                    "after the properties",
                    |parser| parser.dynamic_property(),
                )?))
            }
            "null" => {
                parser.advance();
                Ok(Dynamic::Null)
            }
            _ => parser.dynamic_scalar(),
        })
    }

    fn dynamic_property(&mut self) -> Parse<(String, Dynamic)> {
        if self.kind() != Kind::String {
            return Err(self.expected("a property's name in quotes", "in a dynamic value"));
        }
        let key = self.advance();
        let key = text::string_value(self.text_of(key));
        self.expect_mark(":", "after a property's name")?;
        Ok((key, self.dynamic()?))
    }

    fn dynamic_scalar(&mut self) -> Parse<Dynamic> {
        let negative = self.eat_mark("-");
        let start = self.span();
        let literal = match self.kind() {
            // The least long, whose digits alone are none.
            Kind::Long if negative && self.text() == "9223372036854775808" => {
                self.advance();
                Literal::Long(Some(i64::MIN))
            }
            Kind::Long if long(self.text()).is_none() => {
                let span = self.advance();
                Literal::Real(real(self.text_of(span)))
            }
            Kind::String
            | Kind::Long
            | Kind::Real
            | Kind::TimeSpan
            | Kind::Typed
            | Kind::RawGuid => self.literal_value()?,
            _ => match self.word_literal()?.map(|expr| expr.kind) {
                Some(ExprKind::Literal(literal)) => literal,
                _ => return Err(self.expected("a value", "in dynamic(...)")),
            },
        };
        let literal = if negative {
            negated(literal)
        } else {
            Some(literal)
        };
        match literal {
            Some(literal) => Ok(Dynamic::Scalar(Box::new(literal))),
            None => Err(self.error(start, "only a number can be negative")),
        }
    }
}

fn negated(literal: Literal) -> Option<Literal> {
    Some(match literal {
        Literal::Long(value) => Literal::Long(value.map(i64::wrapping_neg)),
        Literal::Real(value) => Literal::Real(value.map(|v| -v)),
        Literal::TimeSpan(value) => Literal::TimeSpan(value.map(i64::wrapping_neg)),
        _ => return None,
    })
}

/// `Some(None)` for a null, `None` where the text is no value.
fn nullable<T>(null: bool, value: Option<T>) -> Option<Option<T>> {
    if null { Some(None) } else { value.map(Some) }
}

fn unquoted(raw: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some(inner) = raw
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote))
        {
            return inner.trim();
        }
    }
    raw
}

fn long(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest.trim_start()),
        None => (false, text),
    };
    let value = match digits
        .strip_prefix("0x")
        .or_else(|| digits.strip_prefix("0X"))
    {
        // Hexadecimal literals give bits: 0xFFFFFFFFFFFFFFFF is -1.
        Some(hex) => u64::from_str_radix(hex, 16).ok()? as i64,
        None if negative => return format!("-{digits}").parse().ok(),
        None => digits.parse().ok()?,
    };
    Some(if negative {
        value.wrapping_neg()
    } else {
        value
    })
}

/// A 32-bit integer; eight hexadecimal digits give its bits.
fn int(text: &str) -> Option<i32> {
    let value = long(text)?;
    let hexadecimal = text.starts_with("0x") || text.starts_with("0X");
    if hexadecimal {
        return u32::try_from(value).ok().map(|bits| bits as i32);
    }
    i32::try_from(value).ok()
}

fn real(text: &str) -> Option<f64> {
    match text.to_ascii_lowercase().as_str() {
        "nan" => Some(f64::NAN),
        "inf" | "+inf" => Some(f64::INFINITY),
        "-inf" => Some(f64::NEG_INFINITY),
        number if number.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) => {
            number.parse().ok()
        }
        _ => None,
    }
}

fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        number => number.parse::<i64>().ok().map(|v| v != 0),
    }
}

fn is_decimal(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c))
        && text.parse::<f64>().is_ok()
}

/// 32 hexadecimal digits with or without dashes, in braces or not, as text with dashes.
fn guid(text: &str) -> Option<String> {
    let inner = text
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .unwrap_or(text);
    let digits: String = inner
        .chars()
        .filter(|c| *c != '-')
        .collect::<String>()
        .to_ascii_lowercase();
    if digits.len() != 32 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or("");
    Some(format!(
        "{}-{}-{}-{}-{}",
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32)
    ))
}
