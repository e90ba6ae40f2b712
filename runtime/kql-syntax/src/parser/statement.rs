//! Statements, function definitions and whole queries.

use super::{Parse, Parser, Reported};
use crate::ast::{Expr, ExprKind, Parameter, ParameterType, Query, Span, Statement, StatementKind};
use crate::diagnostic::Diagnostic;
use crate::fix::Fix;
use crate::lexer::Kind;

impl Parser<'_> {
    /// The whole text.
    pub(super) fn query(&mut self) -> Query {
        let query = self.statements();
        if self.kind() != Kind::End {
            self.stray("`;` or `|` or the end");
        }
        query
    }

    /// Statements up to the end or a closing brace.
    fn statements(&mut self) -> Query {
        let mut statements = Vec::new();
        loop {
            while self.eat_mark(";") {}
            if self.kind() == Kind::End || self.at_mark("}") {
                return Query { statements };
            }
            let start = self.span();
            match self.statement() {
                Ok(kind) => statements.push(Statement {
                    kind,
                    span: self.since(start),
                }),
                Err(Reported) => {
                    self.skip_statement();
                    let missing = self.missing(self.since(start));
                    statements.push(Statement {
                        kind: StatementKind::Expression(missing),
                        span: self.since(start),
                    });
                }
            }
            if self.semicolon_is_missing(&statements) {
                continue;
            }
            if !self.at_mark(";") && !self.at_mark("}") && self.kind() != Kind::End {
                self.stray("`|`, `;` or the end of the query");
                self.skip_statement();
            }
        }
    }

    /// Reports that a definition ends without its `;`, where the next statement begins on a line of its own.
    fn semicolon_is_missing(&mut self, statements: &[Statement]) -> bool {
        let defines = statements
            .last()
            .is_some_and(|last| !matches!(last.kind, StatementKind::Expression(_)));
        let end = self.previous_end();
        let gap = self.text_of(Span::new(end, self.span().start));
        let missing = defines && self.kind() == Kind::Word && gap.contains('\n');
        if missing {
            let fix = Fix::insert(end, ";").safe();
            let problem = self
                .unexpected("`;`", "after the statement before")
                .fix(fix);
            self.report(problem);
        }
        missing
    }

    fn skip_statement(&mut self) {
        loop {
            self.skip_operator();
            if !self.eat_mark("|") && !self.eat_mark(")") && !self.eat_mark("]") {
                return;
            }
        }
    }

    fn statement(&mut self) -> Parse<StatementKind> {
        let text = self.text();
        let word = match self.is_capital_keyword() {
            true => self.lower_keyword(text),
            false => text.to_owned(),
        };
        match word.as_str() {
            "let" => self.let_statement(),
            "set" => self.set_statement(),
            "declare" => self.declare_statement(),
            "alias" | "restrict" => {
                let message = format!("`{}` statements are not supported", self.text());
                let hint = "there is one database here: name its tables directly";
                Err(self.error_hint(self.span(), message, hint))
            }
            "SELECT" | "select" => {
                let hint = "KQL begins with the table: T | where ... | project ...";
                Err(self.error_hint(self.span(), "this looks like SQL", hint))
            }
            "." => {
                let hint =
                    "it administers a cluster; here a query begins with a table: T | take 10";
                Err(self.error_hint(self.span(), "this is a management command", hint))
            }
            _ if word != text => Err(Reported),
            _ => self.pipe_expression().map(StatementKind::Expression),
        }
    }

    /// Reports a keyword that is not in lower case, and gives it as it should be.
    fn lower_keyword(&mut self, text: &str) -> String {
        let word = text.to_ascii_lowercase();
        let problem = Diagnostic::error(self.span(), format!("`{text}` is no keyword"))
            .hint(format!("keywords are lower case: `{word}`"))
            .fix(Fix::replace(self.span(), word.clone()).safe());
        self.report(problem);
        word
    }

    /// Whether `LET x`, `Print 1` or the like begins here: a keyword but for its case, and no table's name by what follows.
    fn is_capital_keyword(&self) -> bool {
        const WORDS: [&str; 6] = ["datatable", "declare", "let", "print", "set", "union"];
        let text = self.text();
        let lower = text.to_ascii_lowercase();
        let follows = matches!(
            self.token(1).0,
            Kind::Word | Kind::String | Kind::Long | Kind::Real
        );
        self.kind() == Kind::Word && text != lower && follows && WORDS.contains(&lower.as_str())
    }

    fn let_statement(&mut self) -> Parse<StatementKind> {
        self.advance();
        let name = self.name("after `let`")?;
        self.expect_mark("=", "after the name")?;
        let start = self.span();
        let value = if self.is_lambda() {
            self.lambda()
        } else {
            self.pipe_expression()
        };
        // A name that is defined somehow is not unknown later on.
        let value = value.unwrap_or_else(|Reported| {
            self.skip_statement();
            self.missing(self.since(start))
        });
        Ok(StatementKind::Let { name, value })
    }

    fn set_statement(&mut self) -> Parse<StatementKind> {
        self.advance();
        let name = self.word("an option's name", "after `set`")?;
        let value = if self.eat_mark("=") {
            Some(self.expression()?)
        } else {
            None
        };
        Ok(StatementKind::Set { name, value })
    }

    fn declare_statement(&mut self) -> Parse<StatementKind> {
        self.advance();
        self.expect_word("query_parameters", "after `declare`")?;
        self.expect_mark("(", "after `query_parameters`")?;
        let parameters =
            self.list_until(")", "after the parameters", |parser| parser.parameter())?;
        Ok(StatementKind::DeclareParameters(parameters))
    }

    /// Whether `(...) {` or `view (...) {` or `{` follows.
    fn is_lambda(&self) -> bool {
        let mut ahead = usize::from(self.at_word("view"));
        if self.mark_ahead(0, "{") {
            return true;
        }
        if !self.mark_ahead(ahead, "(") {
            return false;
        }
        let mut open = 0usize;
        loop {
            let (kind, span) = self.token(ahead);
            match (kind, self.text_of(span)) {
                (Kind::End, _) => return false,
                (Kind::Punctuation, "(") => open += 1,
                (Kind::Punctuation, ")") => open = open.saturating_sub(1),
                _ => {}
            }
            ahead += 1;
            if open == 0 {
                return self.mark_ahead(ahead, "{");
            }
        }
    }

    fn lambda(&mut self) -> Parse<Expr> {
        self.deeper(|parser| {
            let start = parser.span();
            let view = parser.eat_word("view");
            let parameters = match parser.eat_mark("(") {
                true => {
                    parser.list_until(")", "after the parameters", |parser| parser.parameter())?
                }
                false => Vec::new(),
            };
            parser.expect_mark("{", "before the function's body")?;
            let body = parser.statements();
            parser.expect_mark("}", "after the function's body")?;
            Ok(Expr {
                kind: ExprKind::Lambda {
                    view,
                    parameters,
                    body,
                },
                span: parser.since(start),
            })
        })
    }

    pub(super) fn parameter(&mut self) -> Parse<Parameter> {
        let name = self.name("of a parameter")?;
        self.expect_mark(":", "between a parameter's name and its type")?;
        let ty = self.parameter_type()?;
        let default = if self.eat_mark("=") {
            Some(self.expression()?)
        } else {
            None
        };
        Ok(Parameter { name, ty, default })
    }

    fn parameter_type(&mut self) -> Parse<ParameterType> {
        if !self.at_mark("(") {
            return Ok(ParameterType::Scalar(self.word("a type", "after the `:`")?));
        }
        if self.mark_ahead(1, "*") {
            self.advance();
            self.advance();
            self.expect_mark(")", "after `*`")?;
            return Ok(ParameterType::AnyTable);
        }
        Ok(ParameterType::Table(self.schema("of a table")?))
    }

    /// `( subquery )` whose source is the enclosing operator's rows.
    pub(super) fn context_subquery(&mut self, close: &str) -> Parse<Expr> {
        self.deeper(|parser| {
            let start = parser.span();
            let mut operators = Vec::new();
            loop {
                operators.push(parser.operator());
                if !parser.pipe_follows() {
                    break;
                }
            }
            parser.expect_mark(close, "after the subquery")?;
            let source = Box::new(Expr {
                kind: ExprKind::Context,
                span: Span::new(start.start, start.start),
            });
            Ok(Expr {
                kind: ExprKind::Pipe { source, operators },
                span: parser.since(start),
            })
        })
    }
}
