//! Calls of the query's own functions, in scalar and in tabular expressions, and by `invoke`.

use std::rc::Rc;

use spoor_kql_syntax::ast::{
    Argument, Expr, ExprKind, Name, Parameter, ParameterType, Span, StatementKind,
};
use spoor_kql_syntax::{Diagnostic, Fix, as_written, suggest};
use spoor_table::KustoType;

use super::expression::Row;
use super::parsers::{is_parser, table_of_parser};
use super::relation::Relation;
use super::scope::{Entity, Function, Scope};
use super::{Bind, Binder, CALL_LIMIT, Stop};
use crate::functions;
use crate::typed::Typed;

impl Binder<'_> {
    /// A call of the query's own function in a scalar expression.
    pub(super) fn scalar_function(
        &mut self,
        name: &str,
        function: &Rc<Function>,
        arguments: &[Argument],
        span: Span,
        row: &Row<'_>,
    ) -> Bind<Typed> {
        self.called(span, |binder| {
            let (scope, body) = binder.called_scope(name, function, arguments, span, row, None)?;
            if binder.is_tabular(body, &scope) {
                let hint = Some("toscalar(...) makes a scalar of its first row");
                return Err(binder.error_hint(
                    span,
                    format!("`{name}(...)` is a table where a scalar is needed"),
                    hint,
                ));
            }
            // The body sees its parameters, not the caller's columns.
            let inner = Row {
                columns: &[],
                scope: &scope,
                ..row.clone()
            };
            binder.expression(body, &inner)
        })
    }

    /// A call of the query's own function where a table is needed; `input` is `invoke`'s.
    pub(super) fn tabular_function(
        &mut self,
        name: &str,
        function: &Rc<Function>,
        arguments: &[Argument],
        span: Span,
        scope: &Scope,
        input: Option<Relation>,
    ) -> Bind<Relation> {
        self.called(span, |binder| {
            let row = binder.constant_row(scope);
            let (inner, body) =
                binder.called_scope(name, function, arguments, span, &row, input)?;
            binder.tabular(body, &inner, None)
        })
    }

    /// A call of a function that is built in as a text of KQL. What is wrong in the text is told at the place of the call.
    pub(super) fn built_in_function(
        &mut self,
        name: &str,
        function: &Rc<Function>,
        arguments: &[Argument],
        span: Span,
        scope: &Scope,
    ) -> Bind<Relation> {
        self.called(span, |binder| {
            let row = binder.constant_row(scope);
            let (inner, body) = binder.called_scope(name, function, arguments, span, &row, None)?;
            binder.foreign(span, |binder| binder.tabular(body, &inner, None))
        })
    }

    fn called<T>(&mut self, span: Span, body: impl FnOnce(&mut Self) -> Bind<T>) -> Bind<T> {
        if self.depth >= CALL_LIMIT {
            return Err(self.error(
                span,
                format!("functions call each other more than {CALL_LIMIT} deep"),
            ));
        }
        self.count_call(span)?;
        self.depth += 1;
        let result = body(self);
        self.depth -= 1;
        result
    }

    /// The scope of a function's result expression, and that expression.
    fn called_scope<'f>(
        &mut self,
        name: &str,
        function: &'f Rc<Function>,
        arguments: &[Argument],
        span: Span,
        row: &Row<'_>,
        input: Option<Relation>,
    ) -> Bind<(Scope, &'f Expr)> {
        let mut scope = function.scope.clone();
        let mut parameters = function.parameters.iter();
        if let Some(input) = input {
            let Some(first) = parameters.next() else {
                return Err(self.error(span, format!("`{name}` takes no table to invoke it on")));
            };
            scope = scope.with(
                &first.name.text,
                Entity::Table(self.as_table(input, first, span)?),
            );
        }
        let parameters: Vec<&Parameter> = parameters.collect();
        let chosen = self.match_arguments(name, &parameters, arguments, span)?;
        for (parameter, argument) in parameters.into_iter().zip(chosen) {
            let entity = self.argument(parameter, argument, span, row, &function.scope)?;
            scope = scope.with(&parameter.name.text, entity);
        }
        for statement in &function.body.statements {
            match &statement.kind {
                StatementKind::Expression(expr) => return Ok((scope, expr)),
                _ => scope = self.definition(statement, &scope)?,
            }
        }
        Err(self.error(span, format!("the body of `{name}` has no result")))
    }

    /// Which argument each parameter gets, if any.
    fn match_arguments<'e>(
        &mut self,
        name: &str,
        parameters: &[&Parameter],
        arguments: &'e [Argument],
        span: Span,
    ) -> Bind<Vec<Option<&'e Expr>>> {
        let mut chosen: Vec<Option<&Expr>> = vec![None; parameters.len()];
        for (at, argument) in arguments.iter().enumerate() {
            let place = match &argument.name {
                Some(wanted) => parameters.iter().position(|p| p.name.text == wanted.text),
                None => Some(at),
            };
            match place.and_then(|place| chosen.get_mut(place)) {
                Some(slot) if slot.is_none() => *slot = Some(&argument.value),
                _ => {
                    let message = format!("`{name}` takes {} arguments", parameters.len());
                    return Err(self.error(argument.value.span, message));
                }
            }
        }
        for (parameter, argument) in parameters.iter().zip(&chosen) {
            if argument.is_none() && parameter.default.is_none() {
                let message = format!("`{name}` needs a value for `{}`", parameter.name.text);
                return Err(self.error(span, message));
            }
        }
        Ok(chosen)
    }

    fn argument(
        &mut self,
        parameter: &Parameter,
        argument: Option<&Expr>,
        span: Span,
        row: &Row<'_>,
        definition: &Scope,
    ) -> Bind<Entity> {
        let Some(argument) = argument else {
            let default = parameter.default.as_ref().ok_or(Stop::Reported)?;
            let typed = self.expression(default, &self.constant_row(definition))?;
            return Ok(Entity::Scalar(self.as_declared(
                typed,
                parameter,
                default.span,
            )?));
        };
        if matches!(parameter.ty, ParameterType::Scalar(_)) {
            let typed = self.expression(argument, row)?;
            return Ok(Entity::Scalar(self.as_declared(
                typed,
                parameter,
                argument.span,
            )?));
        }
        let relation = self.tabular(argument, row.scope, None)?;
        Ok(Entity::Table(self.as_table(relation, parameter, span)?))
    }

    /// A scalar argument as its parameter's type.
    pub(super) fn as_declared(
        &mut self,
        typed: Typed,
        parameter: &Parameter,
        span: Span,
    ) -> Bind<Typed> {
        let ParameterType::Scalar(name) = &parameter.ty else {
            return Err(self.error(
                span,
                format!("the parameter `{}` takes a table", parameter.name.text),
            ));
        };
        let ty = self.type_named(name)?;
        self.implicitly(typed, ty, span)
    }

    /// A value as another type, where Kusto converts without being asked.
    pub(super) fn implicitly(&mut self, typed: Typed, ty: KustoType, span: Span) -> Bind<Typed> {
        if typed.ty == ty {
            return Ok(typed);
        }
        let widens = typed.ty.is_numeric() && ty.is_numeric()
            || typed.ty == KustoType::Dynamic
            || ty == KustoType::Dynamic;
        if !widens {
            let (found, wanted) = (functions::article(typed.ty), functions::article(ty));
            let message = format!("this is {found} where {wanted} is needed");
            let convert = format!("to{}(", ty.name());
            let problem = Diagnostic::error(span, message)
                .hint(format!("convert it with {convert}...)"))
                .fix(Fix::wrap(span, &convert, ")"));
            return Err(self.report(problem));
        }
        let context = self.constant_row(&Scope::root()).context.clone();
        let converted = functions::convert(&context, typed, ty);
        self.applied(converted, span, &[])
    }

    /// A tabular argument as its parameter declares it: with the declared columns.
    fn as_table(
        &mut self,
        relation: Relation,
        parameter: &Parameter,
        span: Span,
    ) -> Bind<Relation> {
        let ParameterType::Table(schema) = &parameter.ty else {
            return Ok(relation);
        };
        for declared in schema {
            let ty = self.type_named(&declared.ty)?;
            match relation.find(&declared.name.text) {
                Some(column) if column.ty == ty => {}
                None if relation.open => {}
                found => {
                    let found = found.map_or("lacks it".to_owned(), |column| {
                        format!("has it as {}", column.ty)
                    });
                    let message = format!(
                        "this table must have a column `{}` of type {ty}, but {found}",
                        declared.name.text
                    );
                    return Err(self.error(span, message));
                }
            }
        }
        Ok(relation)
    }

    /// `T | invoke f(arguments)`.
    pub(super) fn invoke(&mut self, input: Relation, call: &Expr, scope: &Scope) -> Bind<Relation> {
        let ExprKind::Call { name, arguments } = &call.kind else {
            return Err(self.error(call.span, "`invoke` takes a call: invoke f(...)"));
        };
        match scope.get(&name.text).cloned() {
            Some(Entity::Function(function)) => self.tabular_function(
                &name.text,
                &function,
                arguments,
                call.span,
                scope,
                Some(input),
            ),
            Some(Entity::Unknown) => Err(Stop::Reported),
            _ => Err(self.unknown_tabular_function(name, scope)),
        }
    }

    pub(super) fn unknown_tabular_function(&mut self, name: &Name, scope: &Scope) -> Stop {
        let own = scope
            .names()
            .filter(|(_, entity)| matches!(entity, Entity::Function(_)))
            .map(|(name, _)| name);
        let message = format!("no function that gives a table is called `{}`", name.text);
        let problem = Diagnostic::error(name.span, message);
        if is_parser(&name.text) {
            let there = match table_of_parser(&name.text) {
                Some(table) => format!(
                    "load the normalized table {table}, which it reads here, run the query there"
                ),
                None => "run the query there".to_owned(),
            };
            let hint = format!(
                "it is one of Sentinel's parsers (ASIM), which a workspace has: {there} with \
                 --workspace, or define it first with `let` over the tables at hand"
            );
            return self.report(problem.hint(hint));
        }
        let problem = match suggest(&name.text, own) {
            Some(found) => problem.meant(found, name.span, &as_written(found), &name.text),
            None => problem.hint(format!(
                "define it first: let {} = (...) {{ ... }};",
                name.text
            )),
        };
        self.report(problem)
    }
}
