//! Names: identifiers, bracketed names, names with wildcards, and which words are reserved.

use super::{Parse, Parser};
use crate::ast::{ColumnDeclaration, Expr, ExprKind, Name, NamedExpr, Span};
use crate::diagnostic::Diagnostic;
use crate::fix::Fix;
use crate::lexer::Kind;
use crate::text;

/// Words that are no names unless bracketed. Source: the keywords of Kusto's query language.
const RESERVED: &[&str] = &[
    "accumulate",
    "and",
    "as",
    "asc",
    "bagexpansion",
    "between",
    "by",
    "consume",
    "contains",
    "contains_cs",
    "containscs",
    "datatable",
    "date",
    "datetime",
    "decimal",
    "declare",
    "desc",
    "distinct",
    "double",
    "dynamic",
    "endswith",
    "endswith_cs",
    "extend",
    "externaldata",
    "external_data",
    "filter",
    "first",
    "flags",
    "float",
    "getschema",
    "has",
    "has_all",
    "has_any",
    "has_cs",
    "hasprefix",
    "hasprefix_cs",
    "hassuffix",
    "hassuffix_cs",
    "in",
    "in~",
    "int",
    "int16",
    "int32",
    "int64",
    "int8",
    "invoke",
    "join",
    "last",
    "let",
    "like",
    "limit",
    "long",
    "materialize",
    "missing",
    "notlike",
    "of",
    "on",
    "or",
    "parse",
    "print",
    "project",
    "real",
    "regex",
    "relaxed",
    "restrict",
    "sample",
    "scan",
    "search",
    "serialize",
    "set",
    "simple",
    "sort",
    "startswith",
    "startswith_cs",
    "string",
    "summarize",
    "take",
    "time",
    "timespan",
    "to",
    "top",
    "toscalar",
    "totable",
    "uint",
    "uint16",
    "uint32",
    "uint64",
    "uint8",
    "ulong",
    "union",
    "uniqueid",
    "where",
    "with",
];

/// Whether a word must be bracketed to be a name.
pub fn is_reserved(word: &str) -> bool {
    word.starts_with('!') || RESERVED.contains(&word)
}

/// A name as a query writes it: bare, or in brackets where it must be.
pub fn as_written(name: &str) -> String {
    let word = name.chars().all(crate::lexer::is_word)
        && name.starts_with(|c: char| c.is_alphabetic() || c == '_');
    let lower = name.to_ascii_lowercase();
    let meant_otherwise = matches!(lower.as_str(), "true" | "false" | "find" | "not" | "select");
    if word && !is_reserved(name) && !meant_otherwise {
        return name.to_owned();
    }
    let mut text = String::from("['");
    for c in name.chars() {
        match c {
            '\\' | '\'' => text.extend(['\\', c]),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            c => text.push(c),
        }
    }
    text + "']"
}

impl Parser<'_> {
    /// Whether a name starts `ahead` tokens ahead, and how many tokens it takes.
    pub(super) fn name_length(&self, ahead: usize) -> usize {
        let (kind, span) = self.token(ahead);
        match kind {
            Kind::Word if !is_reserved(self.text_of(span)) => 1,
            // Kusto reads it as a name where a value follows.
            Kind::Word if self.text_of(span) == "to" && self.mark_ahead(ahead + 1, "=") => 1,
            Kind::Punctuation
                if self.mark_ahead(ahead, "[")
                    && self.token(ahead + 1).0 == Kind::String
                    && self.mark_ahead(ahead + 2, "]") =>
            {
                3
            }
            _ => 0,
        }
    }

    /// A name.
    pub(super) fn name(&mut self, context: &str) -> Parse<Name> {
        match self.name_length(0) {
            1 => {
                let span = self.advance();
                Ok(Name {
                    text: self.text_of(span).to_owned(),
                    span,
                })
            }
            3 => {
                let start = self.advance();
                let literal = self.advance();
                self.advance();
                Ok(Name {
                    text: text::string_value(self.text_of(literal)),
                    span: self.since(start),
                })
            }
            _ if self.kind() == Kind::Word => {
                let word = self.text().to_owned();
                let message = format!("`{word}` is a reserved word and no name {context}");
                let written = format!("['{word}']");
                let problem = Diagnostic::error(self.span(), message)
                    .hint(format!("write {written} to use it as a name"))
                    .fix(Fix::replace(self.span(), written));
                Err(self.report(problem))
            }
            _ => Err(self.expected("a name", context)),
        }
    }

    /// Any word, reserved or not: a type, an option.
    pub(super) fn word(&mut self, what: &str, context: &str) -> Parse<Name> {
        if self.kind() != Kind::Word {
            return Err(self.expected(what, context));
        }
        let span = self.advance();
        Ok(Name {
            text: self.text_of(span).to_owned(),
            span,
        })
    }

    /// A name that may hold `*`: `Sec*`, `*`, `a*b`; or any other name.
    pub(super) fn name_or_pattern(&mut self, context: &str) -> Parse<Expr> {
        let start = self.span();
        let mut length = 0;
        let part = |parser: &Self, ahead: usize| {
            parser.name_length(ahead) == 1 || parser.mark_ahead(ahead, "*")
        };
        while part(self, length) && (length == 0 || self.touches_next(length - 1)) {
            length += 1;
        }
        let starred = (0..length).any(|ahead| self.mark_ahead(ahead, "*"));
        if !starred {
            let name = self.name(context)?;
            return Ok(Expr {
                kind: ExprKind::Name(name.text),
                span: name.span,
            });
        }
        self.at += length;
        let span = self.since(start);
        let text = self.text_of(span);
        let kind = if text == "*" {
            ExprKind::Star
        } else {
            ExprKind::Pattern(text.to_owned())
        };
        Ok(Expr { kind, span })
    }

    /// `name = expression`, `(a, b) = expression`, or an expression.
    pub(super) fn named_expression(&mut self) -> Parse<NamedExpr> {
        self.named(|parser| parser.expression())
    }

    /// `name =` or `(a, b) =` and a rule.
    pub(super) fn named(
        &mut self,
        rule: impl FnOnce(&mut Self) -> Parse<Expr>,
    ) -> Parse<NamedExpr> {
        let start = self.span();
        let names = self.assigned_names()?;
        let value = rule(self)?;
        Ok(NamedExpr {
            names,
            value,
            span: self.since(start),
        })
    }

    fn assigned_names(&mut self) -> Parse<Vec<Name>> {
        let length = self.name_length(0);
        if length > 0 && self.mark_ahead(length, "=") {
            let name = self.name("")?;
            self.advance();
            return Ok(vec![name]);
        }
        if self.kind() == Kind::Word && self.mark_ahead(1, "=") {
            return self.name("here").map(|name| vec![name]);
        }
        if !self.is_tuple() {
            return Ok(Vec::new());
        }
        self.advance();
        let names = self.list_until(")", "after the names", |parser| {
            parser.name("in the list of names")
        })?;
        self.expect_mark("=", "after the list of names")?;
        Ok(names)
    }

    /// Whether `(a, b) =` follows.
    fn is_tuple(&self) -> bool {
        if !self.at_mark("(") {
            return false;
        }
        let mut ahead = 1;
        loop {
            match self.name_length(ahead) {
                0 => return false,
                length => ahead += length,
            }
            if self.mark_ahead(ahead, ")") {
                return self.mark_ahead(ahead + 1, "=");
            }
            if !self.mark_ahead(ahead, ",") {
                return false;
            }
            ahead += 1;
        }
    }

    /// `(a:long, b:string)`.
    pub(super) fn schema(&mut self, context: &str) -> Parse<Vec<ColumnDeclaration>> {
        self.expect_mark("(", context)?;
        self.list_until(")", "after the schema", |parser| {
            parser.column_declaration()
        })
    }

    pub(super) fn column_declaration(&mut self) -> Parse<ColumnDeclaration> {
        let name = self.name("of a column")?;
        self.expect_mark(":", "between a column's name and its type")?;
        let ty = self.word("a type", "after the `:`")?;
        Ok(ColumnDeclaration { name, ty })
    }

    /// An expression that could not be parsed, at a place.
    pub(super) fn missing(&self, span: Span) -> Expr {
        Expr {
            kind: ExprKind::Missing,
            span,
        }
    }
}
