//! Scalar expressions, and the places where a pipe may stand in one. Precedence as in Kusto's grammar, loosest first: `or`,
//! `and`, equality with `in` and `between`, comparison, sum, product, string operators, sign, path.

use super::{Parse, Parser, Reported};
use crate::ast::{Argument, BinaryOp, Expr, ExprKind, ListOp, Name, Span, UnaryOp};
use crate::lexer::Kind;

/// Operators of one level in a row, other than `and` and `or`, whose chains are balanced: the tree grows with each.
const CHAIN_LIMIT: usize = 300;

/// How tightly an operator binds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Or,
    And,
    Equality,
    Comparison,
    Sum,
    Product,
    Text,
}

impl Level {
    fn next(self) -> Option<Level> {
        match self {
            Level::Or => Some(Level::And),
            Level::And => Some(Level::Equality),
            Level::Equality => Some(Level::Comparison),
            Level::Comparison => Some(Level::Sum),
            Level::Sum => Some(Level::Product),
            Level::Product => Some(Level::Text),
            Level::Text => None,
        }
    }

    fn of(op: BinaryOp) -> Level {
        use BinaryOp::*;
        match op {
            Or => Level::Or,
            And => Level::And,
            Equal | NotEqual => Level::Equality,
            Less | LessOrEqual | Greater | GreaterOrEqual => Level::Comparison,
            Add | Subtract => Level::Sum,
            Multiply | Divide | Modulo => Level::Product,
            _ => Level::Text,
        }
    }
}

impl Parser<'_> {
    /// An expression without a pipe.
    pub(super) fn expression(&mut self) -> Parse<Expr> {
        self.deeper(|parser| parser.level(Level::Or))
    }

    /// An expression, or a tabular expression with its pipe: in parentheses, in arguments, after `let x =`.
    pub(super) fn pipe_expression(&mut self) -> Parse<Expr> {
        self.deeper(|parser| {
            let source = parser.level(Level::Or)?;
            parser.pipe_after(source)
        })
    }

    fn level(&mut self, level: Level) -> Parse<Expr> {
        self.apart(|parser| parser.row(level))
    }

    /// Operands of one level with its operators between them.
    fn row(&mut self, level: Level) -> Parse<Expr> {
        let mut operands = vec![self.tighter(level)?];
        let mut ops = Vec::new();
        loop {
            if level == Level::Equality && self.special_equality(&mut operands)? {
                self.grow(1, self.span())?;
                continue;
            }
            let Some((op, words)) = self
                .binary_operator()
                .filter(|(op, _)| Level::of(*op) == level)
            else {
                break;
            };
            let op_span = self.operator_span(words);
            let written = self.text_of(op_span);
            if words == 1 && written != op.text() && written != "<>" {
                self.warn_of_old_name(written, op.text(), op_span);
            }
            self.limit_chain(ops.len(), level, op_span)?;
            operands.push(self.tighter(level)?);
            ops.push((op, op_span));
        }
        let balanced = matches!(level, Level::Or | Level::And);
        let levels = match balanced {
            true => ops.len().checked_ilog2().map_or(0, |log| log as usize + 1),
            false => ops.len(),
        };
        self.grow(levels, self.span())?;
        Ok(combine(operands, &ops, balanced))
    }

    fn tighter(&mut self, level: Level) -> Parse<Expr> {
        match level.next() {
            Some(next) => self.level(next),
            None => self.signed(),
        }
    }

    fn limit_chain(&mut self, length: usize, level: Level, span: Span) -> Parse<()> {
        if length >= CHAIN_LIMIT && level > Level::And {
            let message = format!("more than {CHAIN_LIMIT} operators in a row");
            return Err(self.error_hint(
                span,
                message,
                "name parts of the expression with `extend` or `let`",
            ));
        }
        Ok(())
    }

    /// The binary operator here and how many tokens it takes.
    fn binary_operator(&self) -> Option<(BinaryOp, usize)> {
        let text = self.text();
        match self.kind() {
            Kind::Word if text == "matches" && self.word_ahead(1, "regex") => {
                Some((BinaryOp::MatchesRegex, 2))
            }
            Kind::Word => Some((word_operator(text)?, 1)),
            Kind::Punctuation if text == "<>" => Some((BinaryOp::NotEqual, 1)),
            Kind::Punctuation => Some((BinaryOp::from_text(text)?, 1)),
            _ => None,
        }
    }

    fn operator_span(&mut self, words: usize) -> Span {
        let start = self.advance();
        if words > 1 {
            self.advance();
        }
        self.since(start)
    }

    /// `in (...)`, `has_any (...)`, `between (a .. b)` after the last operand; false where none follows.
    fn special_equality(&mut self, operands: &mut Vec<Expr>) -> Parse<bool> {
        if self.kind() != Kind::Word {
            return Ok(false);
        }
        let text = self.text();
        let list = ListOp::from_text(text);
        let between = matches!(text, "between" | "!between");
        if list.is_none() && !between {
            return Ok(false);
        }
        let negated = text == "!between";
        let op_span = self.advance();
        let Some(operand) = operands.pop() else {
            return Err(Reported);
        };
        let start = operand.span;
        let operand = Box::new(operand);
        let kind = match list {
            Some(op) => ExprKind::List {
                op,
                op_span,
                operand,
                items: self.list_operands(op)?,
            },
            None => {
                let (low, high) = self.range_operand()?;
                ExprKind::Between {
                    negated,
                    operand,
                    low,
                    high,
                }
            }
        };
        operands.push(Expr {
            kind,
            span: self.since(start),
        });
        Ok(true)
    }

    fn list_operands(&mut self, op: ListOp) -> Parse<Vec<Expr>> {
        if !self.at_mark("(") {
            // `x in T` and `x has_any list`, as Kusto allows.
            return Ok(vec![self.postfix()?]);
        }
        self.advance();
        let context = format!("after the list of `{}`", op.text());
        self.list_until(")", &context, |parser| parser.pipe_expression())
    }

    fn range_operand(&mut self) -> Parse<(Box<Expr>, Box<Expr>)> {
        self.expect_mark("(", "after `between`")?;
        let low = self.expression()?;
        self.expect_mark("..", "between the two ends of the range")?;
        let high = self.expression()?;
        self.expect_mark(")", "after the range")?;
        Ok((Box::new(low), Box::new(high)))
    }

    fn signed(&mut self) -> Parse<Expr> {
        let start = self.span();
        let op = match self.text() {
            "-" => UnaryOp::Minus,
            "+" => UnaryOp::Plus,
            _ => return self.postfix(),
        };
        self.advance();
        let operand = Box::new(self.deeper(|parser| parser.signed())?);
        Ok(Expr {
            kind: ExprKind::Unary { op, operand },
            span: self.since(start),
        })
    }

    /// A primary expression and what is reached from it by `.` and `[]`.
    pub(super) fn postfix(&mut self) -> Parse<Expr> {
        self.apart(|parser| parser.path())
    }

    fn path(&mut self) -> Parse<Expr> {
        let mut expr = self.primary()?;
        let mut steps = 0;
        loop {
            let start = expr.span;
            // `a.[0]` is `a[0]`.
            let dotted_index =
                self.at_mark(".") && self.mark_ahead(1, "[") && self.name_length(1) == 0;
            let kind = if dotted_index {
                self.advance();
                self.index(expr)?
            } else if self.eat_mark(".") {
                self.member(Box::new(expr))?
            } else if self.at_mark("[") {
                self.index(expr)?
            } else {
                return Ok(expr);
            };
            expr = Expr {
                kind,
                span: self.since(start),
            };
            steps += 1;
            self.grow(1, self.span())?;
            if steps > CHAIN_LIMIT {
                return Err(self.error(
                    expr.span,
                    format!("a path of more than {CHAIN_LIMIT} steps"),
                ));
            }
        }
    }

    fn index(&mut self, base: Expr) -> Parse<ExprKind> {
        self.expect_mark("[", "before the index")?;
        let index = Box::new(self.expression()?);
        self.expect_mark("]", "after the index")?;
        Ok(ExprKind::Index {
            base: Box::new(base),
            index,
        })
    }

    fn member(&mut self, base: Box<Expr>) -> Parse<ExprKind> {
        let name = if self.name_length(0) == 3 {
            self.name("")?
        } else {
            self.word("a name", "after the `.`")?
        };
        if self.at_mark("(") {
            let arguments = self.arguments()?;
            return Ok(ExprKind::MemberCall {
                base,
                name,
                arguments,
            });
        }
        Ok(ExprKind::Member { base, name })
    }

    fn primary(&mut self) -> Parse<Expr> {
        let start = self.span();
        match self.kind() {
            Kind::String
            | Kind::Long
            | Kind::Real
            | Kind::TimeSpan
            | Kind::Typed
            | Kind::RawGuid => self.literal(),
            Kind::Word => self.word_expression(),
            Kind::Punctuation if self.at_mark("(") => {
                self.advance();
                let inner = Box::new(self.pipe_expression()?);
                self.expect_mark(")", "to close the parenthesis")?;
                Ok(Expr {
                    kind: ExprKind::Paren(inner),
                    span: self.since(start),
                })
            }
            Kind::Punctuation if self.at_mark("*") => {
                self.advance();
                Ok(Expr {
                    kind: ExprKind::Star,
                    span: start,
                })
            }
            Kind::Punctuation if self.name_length(0) == 3 => {
                let name = self.name("")?;
                Ok(Expr {
                    kind: ExprKind::Name(name.text),
                    span: name.span,
                })
            }
            _ => Err(self.expected("an expression", "here")),
        }
    }

    fn word_expression(&mut self) -> Parse<Expr> {
        let start = self.span();
        let word = self.text();
        if let Some(literal) = self.word_literal()? {
            return Ok(literal);
        }
        if let Some(source) = self.source_operator()? {
            return Ok(source);
        }
        if word == "typeof" && self.mark_ahead(1, "(") {
            return self.type_of_expression();
        }
        if self.mark_ahead(1, "(") && may_call(word) {
            let name = self.word("a function", "")?;
            let arguments = self.arguments()?;
            return Ok(Expr {
                kind: ExprKind::Call { name, arguments },
                span: self.since(start),
            });
        }
        if word == "not" {
            let hint = "`not` is a function: write not(...)";
            return Err(self.error_hint(start, "expected `(` after `not`", hint));
        }
        let name = self.name("of a column, a table or a variable")?;
        Ok(Expr {
            kind: ExprKind::Name(name.text),
            span: name.span,
        })
    }

    /// `typeof(long)`: a call whose argument is a type's name.
    fn type_of_expression(&mut self) -> Parse<Expr> {
        let start = self.span();
        let name = self.word("a function", "")?;
        self.advance();
        let ty = self.word("a type", "in `typeof`")?;
        self.expect_mark(")", "after the type")?;
        let value = Expr {
            kind: ExprKind::Name(ty.text),
            span: ty.span,
        };
        let arguments = vec![Argument { name: None, value }];
        Ok(Expr {
            kind: ExprKind::Call { name, arguments },
            span: self.since(start),
        })
    }

    /// `(a, b = c)`.
    pub(super) fn arguments(&mut self) -> Parse<Vec<Argument>> {
        self.expect_mark("(", "before the arguments")?;
        self.list_until(")", "after the arguments", |parser| parser.argument())
    }

    fn argument(&mut self) -> Parse<Argument> {
        let length = self.name_length(0);
        let name: Option<Name> = if length > 0 && self.mark_ahead(length, "=") {
            let name = self.name("")?;
            self.advance();
            Some(name)
        } else {
            None
        };
        Ok(Argument {
            name,
            value: self.pipe_expression()?,
        })
    }
}

/// Reserved words that are functions too.
fn may_call(word: &str) -> bool {
    matches!(
        word,
        "materialize" | "toscalar" | "totable" | "has_any" | "has_all"
    ) || !super::names::is_reserved(word)
}

/// The binary operators that are words, with the spellings of old queries.
fn word_operator(text: &str) -> Option<BinaryOp> {
    match text {
        "containscs" => Some(BinaryOp::ContainsCs),
        "notcontains" => Some(BinaryOp::NotContains),
        "notcontainscs" => Some(BinaryOp::NotContainsCs),
        "likecs" => Some(BinaryOp::LikeCs),
        "notlikecs" => Some(BinaryOp::NotLikeCs),
        _ => BinaryOp::from_text(text),
    }
}

/// Operands and the operators between them as one tree: to the left, or balanced where the operator is associative.
fn combine(mut operands: Vec<Expr>, ops: &[(BinaryOp, Span)], balanced: bool) -> Expr {
    if balanced && ops.len() > 2 {
        let middle = ops.len() / 2;
        let right = combine(operands.split_off(middle + 1), &ops[middle + 1..], true);
        let left = combine(operands, &ops[..middle], true);
        return binary(left, ops[middle], right);
    }
    let mut operands = operands.into_iter();
    let first = operands.next().unwrap_or(Expr {
        kind: ExprKind::Missing,
        span: Span::default(),
    });
    ops.iter()
        .zip(operands)
        .fold(first, |left, (op, right)| binary(left, *op, right))
}

fn binary(left: Expr, (op, op_span): (BinaryOp, Span), right: Expr) -> Expr {
    let span = left.span.to(right.span);
    Expr {
        kind: ExprKind::Binary {
            op,
            op_span,
            left: Box::new(left),
            right: Box::new(right),
        },
        span,
    }
}
