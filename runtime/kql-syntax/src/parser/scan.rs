//! The insides of `scan`, whose steps read like statements, and of `find`, which looks into many tables.

use super::operators::as_name;
use super::{Parse, Parser};
use crate::ast::{Expr, ExprKind, Find, FindColumn, Literal, OperatorKind, Scan, ScanStep};

impl Parser<'_> {
    pub(super) fn scan_operator(&mut self) -> Parse<OperatorKind> {
        let properties = self.properties(false)?;
        let match_id = properties
            .iter()
            .find(|property| property.name.text == "with_match_id")
            .and_then(as_name);
        let declared = if self.eat_word("declare") {
            self.expect_mark("(", "after `declare`")?;
            self.list_until(")", "after the declared columns", |parser| {
                parser.parameter()
            })?
        } else {
            Vec::new()
        };
        self.expect_word("with", "before the steps")?;
        self.expect_mark("(", "before the steps")?;
        let mut steps = Vec::new();
        while !self.eat_mark(")") {
            steps.push(self.scan_step()?);
            if !self.eat_mark(";") {
                self.expect_mark(")", "after the steps")?;
                break;
            }
        }
        Ok(OperatorKind::Scan(Scan {
            match_id,
            declared,
            steps,
        }))
    }

    fn scan_step(&mut self) -> Parse<ScanStep> {
        self.expect_word("step", "before a step's name")?;
        let name = self.name("of a step")?;
        let optional = self.eat_word("optional");
        let mut output = None;
        if self.at_word("output") && self.mark_ahead(1, "=") {
            self.at += 2;
            output = Some(self.word("all, last or none", "after `output=`")?);
        }
        self.expect_mark(":", "before the step's condition")?;
        let condition = self.expression()?;
        let assignments = if self.eat_mark("=>") {
            self.list(Self::named_expression)?
        } else {
            Vec::new()
        };
        Ok(ScanStep {
            name,
            optional,
            output,
            condition,
            assignments,
        })
    }

    /// `find` after its name.
    pub(super) fn find_operator(&mut self) -> Parse<OperatorKind> {
        let properties = self.properties(false)?;
        let with_source = properties
            .iter()
            .find(|property| matches!(property.name.text.as_str(), "withsource" | "with_source"))
            .and_then(as_name);
        let tables = if self.at_word("in") && self.mark_ahead(1, "(") {
            self.at += 2;
            self.list_until(")", "after the tables", |parser| parser.union_table())?
        } else {
            Vec::new()
        };
        let predicate = if self.eat_word("where") || !self.at_find_project() {
            self.expression()?
        } else {
            Expr {
                kind: ExprKind::Literal(Literal::Bool(Some(true))),
                span: self.span(),
            }
        };
        Ok(OperatorKind::Find(Find {
            with_source,
            tables,
            predicate,
            project: self.find_project()?,
        }))
    }

    fn at_find_project(&self) -> bool {
        self.at_word("project")
    }

    fn find_project(&mut self) -> Parse<Option<Vec<FindColumn>>> {
        if !self.eat_word("project") {
            return Ok(None);
        }
        if self.at_mark("-") && self.word_ahead(1, "smart") {
            self.at += 2;
            return Ok(None);
        }
        self.list(|parser| parser.find_column()).map(Some)
    }

    fn find_column(&mut self) -> Parse<FindColumn> {
        let start = self.span();
        let packs = (self.at_word("pack") || self.at_word("pack_all")) && self.mark_ahead(1, "(");
        if packs {
            self.at += 2;
            self.eat_mark("*");
            self.expect_mark(")", "after `pack(`")?;
            return Ok(FindColumn::Pack(self.since(start)));
        }
        let name = self.name("of a column")?;
        let ty = match self.eat_mark(":") {
            true => Some(self.word("a type", "after the `:`")?),
            false => None,
        };
        Ok(FindColumn::Column { name, ty })
    }
}
