//! Kusto's commands that create tables, as people keep them beside their queries: `.create table T (a: string, b: long)`. They are
//! read for the tables' columns alone, so that queries can be checked without data.

use super::{Parse, Parser};
use crate::ast::{ColumnDeclaration, Name};
use crate::diagnostic::Diagnostic;
use crate::lexer::Kind;

/// A table that a command creates.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateTable {
    /// Its name.
    pub name: Name,
    /// Its columns, in order.
    pub columns: Vec<ColumnDeclaration>,
}

/// Reads `.create table`, `.create-merge table`, `.alter table` and `.alter-merge table` commands, also of several tables.
/// What follows a table's columns, such as `with (folder="x")`, is passed over.
///
/// # Errors
/// What is no such command, with its place.
pub fn parse_create_tables(source: &str) -> Result<Vec<CreateTable>, Vec<Diagnostic>> {
    let mut parser = Parser::new(source);
    let mut tables = Vec::new();
    while parser.kind() != Kind::End {
        if parser.eat_mark(";") {
            continue;
        }
        if parser.create_command(&mut tables).is_err() {
            break;
        }
    }
    let diagnostics = parser.into_diagnostics();
    if diagnostics.is_empty() {
        Ok(tables)
    } else {
        Err(diagnostics)
    }
}

impl Parser<'_> {
    fn create_command(&mut self, tables: &mut Vec<CreateTable>) -> Parse<()> {
        self.expect_mark(".", "before a command such as `.create table`")?;
        self.command_name()?;
        tables.extend(self.list(Self::created_table)?);
        if self.eat_word("with") {
            self.property_list()?;
        }
        Ok(())
    }

    /// `create table`, `create-merge tables` and their kin.
    fn command_name(&mut self) -> Parse<()> {
        let start = self.span();
        let (verb, length) = self.operator_name();
        let known = matches!(
            verb.as_str(),
            "create" | "create-merge" | "alter" | "alter-merge"
        );
        if !known {
            let hint = "a schema has `.create table NAME (column: type, ...)` commands";
            return Err(self.error_hint(start, "this is no command that creates a table", hint));
        }
        self.at += length;
        if self.eat_word("tables") {
            return Ok(());
        }
        self.expect_word("table", "after the command").map(|_| ())
    }

    fn created_table(&mut self) -> Parse<CreateTable> {
        let name = self.name("of a table")?;
        let columns = self.schema("before the columns")?;
        match columns.is_empty() {
            true => Err(self.error(name.span, "this table has no columns")),
            false => Ok(CreateTable { name, columns }),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn commands_in_every_form_are_read() {
        let source = "// sign-ins\n.create table Logins (When: datetime, ['a b']: string)\n\
                      .create-merge table Hosts(Name:string) with (folder = \"x\");\n\
                      .create tables A (x: long), ['B c'] (y: real)";
        let tables = parse_create_tables(source).unwrap();
        let shown: Vec<String> = tables
            .iter()
            .map(|table| {
                let columns: Vec<String> = table
                    .columns
                    .iter()
                    .map(|column| format!("{}:{}", column.name.text, column.ty.text))
                    .collect();
                format!("{}({})", table.name.text, columns.join(","))
            })
            .collect();
        assert_eq!(
            shown,
            [
                "Logins(When:datetime,a b:string)",
                "Hosts(Name:string)",
                "A(x:long)",
                "B c(y:real)"
            ]
        );
    }

    #[test]
    fn what_is_no_schema_has_a_place() {
        for (source, place) in [
            (".create table T", 15..15),
            (".drop table T (a: long)", 1..5),
            ("T | take 1", 0..1),
            (".create table T ()", 14..15),
        ] {
            let problems = parse_create_tables(source).unwrap_err();
            assert_eq!(problems.first().unwrap().span, place, "{source}");
        }
    }
}
