//! Constants: from the syntax tree's literals to values.

use spoor_kql_syntax::ast::{Dynamic as DynamicLiteral, Literal, Span};
use spoor_table::dynamic::Builder;
use spoor_table::{KustoType, Value, parse};

use super::{Bind, Binder};

impl Binder<'_> {
    /// The value of a literal; an error where its text is no value of its type.
    pub(super) fn literal(&mut self, literal: &Literal, span: Span) -> Bind<Value> {
        let value = match literal {
            Literal::Bool(value) => value
                .map(Value::Bool)
                .unwrap_or(Value::Null(KustoType::Bool)),
            Literal::Int(value) => value.map(Value::Int).unwrap_or(Value::Null(KustoType::Int)),
            Literal::Long(value) => value
                .map(Value::Long)
                .unwrap_or(Value::Null(KustoType::Long)),
            Literal::Real(value) => value
                .map(Value::Real)
                .unwrap_or(Value::Null(KustoType::Real)),
            Literal::TimeSpan(value) => value
                .map(Value::TimeSpan)
                .unwrap_or(Value::Null(KustoType::TimeSpan)),
            Literal::Guid(value) => value
                .clone()
                .map(Value::Guid)
                .unwrap_or(Value::Null(KustoType::Guid)),
            Literal::String(value) => Value::String(value.clone()),
            Literal::Decimal(None) => Value::Null(KustoType::Decimal),
            Literal::Decimal(Some(text)) => match parse::decimal(text) {
                Some(value) => Value::Decimal(value),
                None => {
                    return Err(self.error(
                        span,
                        format!("`{text}` has more digits than a decimal keeps"),
                    ));
                }
            },
            Literal::DateTime(None) => Value::Null(KustoType::DateTime),
            Literal::DateTime(Some(text)) if text == "now" || text == "now()" => {
                Value::DateTime(self.input.now_ticks)
            }
            Literal::DateTime(Some(text)) => match parse::datetime(text)
                .or_else(|| spaced_date(text))
            {
                Some(ticks) => Value::DateTime(ticks),
                None => {
                    let hint = Some("write it as 2024-01-31, or 2024-01-31T12:30:00Z");
                    return Err(self.error_hint(span, format!("`{text}` is no datetime"), hint));
                }
            },
            Literal::TimeSpanText(text) => match parse::timespan(text) {
                Some(ticks) => Value::TimeSpan(ticks),
                None => {
                    let hint = Some("write it as 1d, 2h, 90s, or 1.02:03:04");
                    return Err(self.error_hint(span, format!("`{text}` is no timespan"), hint));
                }
            },
            Literal::Dynamic(value) => {
                let mut builder = Builder::new();
                self.dynamic(value, span, &mut builder)?;
                Value::Dynamic(builder.finish())
            }
        };
        Ok(value)
    }

    fn dynamic(&mut self, value: &DynamicLiteral, span: Span, out: &mut Builder) -> Bind<()> {
        match value {
            DynamicLiteral::Null => out.null(),
            DynamicLiteral::Scalar(literal) => {
                self.literal(literal, span)?.cell().write_dynamic(out)
            }
            DynamicLiteral::Array(items) => {
                let mark = out.begin_array();
                for item in items {
                    self.dynamic(item, span, out)?;
                    out.item(&mark);
                }
                out.end(mark);
            }
            DynamicLiteral::Bag(properties) => {
                let mark = out.begin_object();
                for (key, item) in properties {
                    out.key(&mark, key);
                    self.dynamic(item, span, out)?;
                    out.item(&mark);
                }
                out.end(mark);
            }
        }
        Ok(())
    }
}

/// A date whose parts stand apart: `2025, 6, 14`, `2017 - 08 - 01`.
fn spaced_date(text: &str) -> Option<i64> {
    let parts: Vec<&str> = text.split([',', '-']).map(str::trim).collect();
    let [year, month, day] = parts.as_slice() else {
        return None;
    };
    let number = |part: &str| part.parse::<u32>().ok();
    parse::datetime(&format!(
        "{:04}-{:02}-{:02}",
        number(year)?,
        number(month)?,
        number(day)?
    ))
}
