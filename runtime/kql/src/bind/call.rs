//! Calls: the functions that the binder itself must understand, Kusto's scalar functions, and aggregates where they may stand.

use spoor_kql_syntax::ast::{Argument, ExprKind, Literal, Name, Span};
use spoor_kql_syntax::{Diagnostic, Fix, as_written, suggest};
use spoor_table::dynamic::Builder;
use spoor_table::{KustoType, Value};

use super::expression::Row;
use super::scope::Entity;
use super::{Bind, Binder, Stop, TokenSense};
use crate::functions;
use crate::typed::Typed;

/// Functions of other languages, and Kusto's that take the same arguments.
const ELSEWHERE: &[(&str, &str)] = &[
    ("concat", "strcat"),
    ("lcase", "tolower"),
    ("lower", "tolower"),
    ("substr", "substring"),
    ("ucase", "toupper"),
    ("upper", "toupper"),
];

impl Binder<'_> {
    /// Binds a call in a scalar expression.
    pub(super) fn call(
        &mut self,
        name: &Name,
        arguments: &[Argument],
        span: Span,
        row: &Row<'_>,
    ) -> Bind<Typed> {
        match row.scope.get(&name.text).cloned() {
            Some(Entity::Function(function)) => {
                self.sense(name.span, TokenSense::Function);
                return self.scalar_function(&name.text, &function, arguments, span, row);
            }
            Some(Entity::Unknown) => return Err(Stop::Reported),
            _ => {}
        }
        match name.text.as_str() {
            "toscalar" => return self.scalar_of(arguments, span, row),
            "column_ifexists" | "columnifexists" => {
                return self.column_if_exists(arguments, span, row);
            }
            "column_names_of" => return self.column_names_of(arguments, span, row),
            "pack_all" => return self.pack_all(arguments, span, row),
            "typeof" => return self.type_of(arguments, span),
            "materialize" | "table" | "totable" => {
                let hint = Some("toscalar(...) makes a scalar of its first row");
                let message = format!("`{}(...)` is a table where a scalar is needed", name.text);
                return Err(self.error_hint(span, message, hint));
            }
            _ => {}
        }
        if functions::several(&name.text).is_some() {
            let hint = Some(
                "let it stand alone: extend (a, b) = f(x), or use the function's `_dynamic` form",
            );
            let message = format!(
                "`{}` gives several columns, which cannot stand in an expression",
                name.text
            );
            return Err(self.error_hint(span, message, hint));
        }
        if let Some(aggregate) = functions::aggregate(&name.text)
            && (row.aggregates || functions::scalar(&name.text).is_none())
        {
            self.sense(name.span, TokenSense::Aggregate);
            return self.lone_aggregate(aggregate, arguments, name, span, row);
        }
        let Some(function) = functions::scalar(&name.text) else {
            return Err(self.unknown_function(name, row));
        };
        self.sense(name.span, TokenSense::Function);
        let bound = self.bound_arguments(arguments, row)?;
        let spans: Vec<Span> = arguments
            .iter()
            .map(|argument| argument.value.span)
            .collect();
        let result = (function.bind)(&row.context, &bound);
        self.applied(result, span, &spans)
    }

    fn unknown_function(&mut self, name: &Name, row: &Row<'_>) -> Stop {
        if let Some(reason) = functions::absent(&name.text) {
            let message = format!("Kusto's function `{}` is not supported here", name.text);
            return self.error_hint(name.span, message, Some(reason));
        }
        let own = row
            .scope
            .names()
            .filter(|(_, entity)| matches!(entity, Entity::Function(_)))
            .map(|(name, _)| name);
        let problem =
            Diagnostic::error(name.span, format!("no function is called `{}`", name.text));
        let hint = match name.text.as_str() {
            "len" | "length" => Some("use strlen(...) or array_length(...)".to_owned()),
            "if" | "ifnull" | "nvl" => Some("use iff(...) or coalesce(...)".to_owned()),
            "cast" | "convert" => {
                Some("use tostring(...), tolong(...), todatetime(...)".to_owned())
            }
            other => {
                if let Some((_, instead)) = ELSEWHERE.iter().find(|(word, _)| *word == other) {
                    let problem = problem.hint(format!("use {instead}(...)"));
                    return self.report(problem.fix(Fix::replace(name.span, *instead)));
                }
                let known = own.chain(functions::names().map(|name| name as &str));
                if let Some(found) = suggest(other, known) {
                    let written = as_written(found);
                    return self.report(problem.meant(found, name.span, &written, other));
                }
                None
            }
        };
        self.report(Diagnostic { hint, ..problem })
    }

    /// `toscalar(T)`: the first value of the first row, known before the query runs.
    fn scalar_of(&mut self, arguments: &[Argument], span: Span, row: &Row<'_>) -> Bind<Typed> {
        let [argument] = arguments else {
            return Err(self.error(span, "toscalar takes one tabular expression"));
        };
        if !self.is_tabular(&argument.value, row.scope) {
            return self.expression(&argument.value, row);
        }
        let relation = self.tabular(&argument.value, row.scope, None)?;
        self.whole(&relation)?;
        let Some(first) = relation.columns.first().cloned() else {
            return Err(self.error(argument.value.span, "this table has no columns"));
        };
        let mut relation = self.sorted(relation, Some(1), span)?;
        relation.columns = vec![first.clone()];
        let table = self.stage(relation, span)?;
        let value = if table.rows() == 0 {
            Value::null(first.ty)
        } else {
            table.value(0, 0)
        };
        Ok(functions::literal(value))
    }

    fn column_if_exists(
        &mut self,
        arguments: &[Argument],
        span: Span,
        row: &Row<'_>,
    ) -> Bind<Typed> {
        let [column, default] = arguments else {
            return Err(self.error(
                span,
                "column_ifexists takes a column's name as a string, and a default",
            ));
        };
        let name = match self
            .expression(&column.value, &self.constant_row(row.scope))?
            .constant
        {
            Some(Value::String(name)) => name,
            _ => {
                return Err(self.error(
                    column.value.span,
                    "the column's name must be a constant string",
                ));
            }
        };
        match row.columns.iter().find(|column| column.name == name) {
            Some(found) => Ok(found.typed()),
            None if row.open => Err(Stop::Reported),
            None => self.expression(&default.value, row),
        }
    }

    /// `column_names_of(T)`: the names of a table's columns as a dynamic array.
    fn column_names_of(
        &mut self,
        arguments: &[Argument],
        span: Span,
        row: &Row<'_>,
    ) -> Bind<Typed> {
        let [argument] = arguments else {
            return Err(self.error(span, "column_names_of takes one table"));
        };
        let relation = self.tabular(&argument.value, row.scope, None)?;
        self.whole(&relation)?;
        let mut builder = Builder::new();
        let mark = builder.begin_array();
        for column in &relation.columns {
            builder.string(&column.name);
            builder.item(&mark);
        }
        builder.end(mark);
        Ok(functions::literal(Value::Dynamic(builder.finish())))
    }

    fn pack_all(&mut self, arguments: &[Argument], span: Span, row: &Row<'_>) -> Bind<Typed> {
        if row.open {
            return Err(Stop::Reported);
        }
        let ignore = match arguments {
            [] => false,
            [flag] => matches!(
                flag.value.kind,
                ExprKind::Literal(Literal::Bool(Some(true)))
            ),
            _ => {
                return Err(self.error(
                    span,
                    "pack_all takes at most one argument: ignore_null_empty",
                ));
            }
        };
        let Some(function) = functions::scalar("bag_pack") else {
            return Err(Stop::Reported);
        };
        let pairs: Vec<Typed> = row
            .columns
            .iter()
            .flat_map(|column| {
                [
                    functions::literal(Value::String(column.name.clone())),
                    column.typed(),
                ]
            })
            .collect();
        let packed = (function.bind)(&row.context, &pairs);
        let packed = self.applied(packed, span, &[])?;
        Ok(match ignore {
            true => functions::without_empty(&packed),
            false => packed,
        })
    }

    /// `typeof(long)`: the type's name as a constant.
    fn type_of(&mut self, arguments: &[Argument], span: Span) -> Bind<Typed> {
        let name = match arguments.first().map(|argument| &argument.value.kind) {
            Some(ExprKind::Name(name)) => name,
            _ => return Err(self.error(span, "typeof takes a type's name")),
        };
        let ty = self.type_named(&Name {
            text: name.clone(),
            span,
        })?;
        Ok(functions::literal(Value::String(ty.name().to_owned())))
    }

    /// A type by its name.
    pub(super) fn type_named(&mut self, name: &Name) -> Bind<KustoType> {
        KustoType::from_name(&name.text).ok_or_else(|| {
            let names = KustoType::ALL.iter().map(|ty| ty.name());
            let problem = Diagnostic::error(name.span, format!("`{}` is no type", name.text));
            let found = suggest(&name.text, names);
            self.report(match found {
                Some(found) => problem.meant(found, name.span, found, &name.text),
                None => problem,
            })
        })
    }
}
