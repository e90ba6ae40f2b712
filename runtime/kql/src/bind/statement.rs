//! Statements, and functions of the query's own.

use std::rc::Rc;

use spoor_kql_syntax::ast::{
    Argument, Expr, ExprKind, Name, OperatorKind, Parameter, ParameterType, Query, Span, Statement,
    StatementKind,
};
use spoor_kql_syntax::{Diagnostic, Fix, as_written, suggest};
use spoor_table::KustoType;

use super::expression::Row;
use super::relation::Relation;
use super::scope::{Entity, Function, Scope};
use super::{Bind, Binder, BoundPlan, CALL_LIMIT, Mode, Stop};
use crate::functions;
use crate::typed::Typed;

/// The options of `set` that change what a query gives.
const CHANGING: [&str; 5] = [
    "query_datetimescope_column",
    "query_datetimescope_from",
    "query_datetimescope_to",
    "query_now",
    "query_take_max_records",
];

impl Binder<'_> {
    /// A whole query: the plan of its one tabular statement.
    pub(super) fn query(&mut self, query: &Query) -> Bind<BoundPlan> {
        match self.statements(query)?.1 {
            Some((relation, span)) => self.finish(relation, span),
            None => Err(self.no_result(query)),
        }
    }

    pub(super) fn no_result(&mut self, query: &Query) -> Stop {
        let end = query
            .statements
            .last()
            .map_or(Span::default(), |statement| statement.span);
        let hint = Some("end it with a table or a pipe: T | take 10");
        self.error_hint(end, "this query has no result", hint)
    }

    /// The names that a query defines, and its result.
    pub(super) fn statements(&mut self, query: &Query) -> Bind<(Scope, Option<(Relation, Span)>)> {
        let mut scope = Scope::root();
        let mut result: Option<(Relation, Span)> = None;
        let mut missing = None;
        for statement in &query.statements {
            match &statement.kind {
                StatementKind::Expression(expr) if expr.kind == ExprKind::Missing => {
                    missing = Some(expr.span);
                }
                StatementKind::Expression(expr) => {
                    if result.is_some() {
                        let hint =
                            Some("a cell gives one result: put each query into its own cell");
                        return Err(self.error_hint(expr.span, "this is a second query", hint));
                    }
                    let bound = self.result(expr, &scope);
                    result = Some((self.or_unknown(bound)?, expr.span));
                }
                _ => scope = self.definition(statement, &scope)?,
            }
        }
        // What could not be parsed may have been the result.
        if let (None, Some(span), Mode::Check) = (&result, missing, self.mode) {
            result = Some((self.or_unknown(Err(Stop::Reported))?, span));
        }
        Ok((scope, result))
    }

    /// The query's result: a tabular expression, whose last operator may be `render`.
    fn result(&mut self, expr: &Expr, scope: &Scope) -> Bind<Relation> {
        if !self.is_tabular(expr, scope) {
            if let ExprKind::Name(name) = &expr.kind
                && scope.get(name).is_none()
            {
                return self.table(name, expr.span, scope);
            }
            self.expression(expr, &self.constant_row(scope))?;
            let message = "this is a scalar, and a query's result is a table";
            let problem = Diagnostic::error(expr.span, message)
                .hint("write `print` before it")
                .fix(Fix::insert(expr.span.start, "print "));
            return Err(self.report(problem));
        }
        if let ExprKind::Pipe { source, operators } = &expr.kind
            && let Some((last, before)) = operators.split_last()
            && let OperatorKind::Render(render) = &last.kind
        {
            self.render = Some(render.clone());
            return match before {
                [] => self.tabular(source, scope, None),
                _ => self.pipe(source, before, scope, None),
            };
        }
        self.tabular(expr, scope, None)
    }

    /// A statement that is not the result: what is in scope after it.
    pub(super) fn definition(&mut self, statement: &Statement, scope: &Scope) -> Bind<Scope> {
        match &statement.kind {
            StatementKind::Let { name, value } => {
                let bound = self.let_value(value, scope);
                Ok(scope.with(&name.text, self.or_unknown_entity(bound)?))
            }
            StatementKind::Set { name, .. } => self.option(name).map(|()| scope.clone()),
            StatementKind::DeclareParameters(parameters) => {
                self.query_parameters(parameters, scope)
            }
            StatementKind::Expression(_) => Err(Stop::Reported),
        }
    }

    /// Most options steer Kusto's service: truncation, caching, consistency. Those that change an answer are refused.
    fn option(&mut self, name: &Name) -> Bind<()> {
        if !CHANGING
            .iter()
            .any(|option| name.text.eq_ignore_ascii_case(option))
        {
            return Ok(());
        }
        let message = format!(
            "the option `{}` is not supported, and the answer would be another without it",
            name.text
        );
        let hint = Some("say it in the query: filter by time with where, count rows with take");
        Err(self.error_hint(name.span, message, hint))
    }

    fn query_parameters(&mut self, parameters: &[Parameter], scope: &Scope) -> Bind<Scope> {
        let mut inner = scope.clone();
        for parameter in parameters {
            let bound = self.query_parameter(parameter, scope);
            let entity = self.or_unknown_entity(bound.map(Entity::Scalar))?;
            inner = inner.with(&parameter.name.text, entity);
        }
        Ok(inner)
    }

    fn query_parameter(&mut self, parameter: &Parameter, scope: &Scope) -> Bind<Typed> {
        let Some(default) = &parameter.default else {
            let message = format!("the parameter `{}` has no value", parameter.name.text);
            let hint = Some("give it a default: name:type = value");
            return Err(self.error_hint(parameter.name.span, message, hint));
        };
        let typed = self.expression(default, &self.constant_row(scope))?;
        self.as_declared(typed, parameter, default.span)
    }

    /// What a name stands for; one of which nothing is known where that has a mistake and is not to be run.
    fn or_unknown_entity(&self, bound: Bind<Entity>) -> Bind<Entity> {
        match bound {
            Err(Stop::Reported) if self.mode != Mode::Run => Ok(Entity::Unknown),
            other => other,
        }
    }

    fn let_value(&mut self, value: &Expr, scope: &Scope) -> Bind<Entity> {
        if let ExprKind::Lambda {
            view,
            parameters,
            body,
        } = &value.kind
        {
            let function = Function::new(*view, parameters, body, scope);
            return Ok(Entity::Function(Rc::new(function)));
        }
        if let ExprKind::Name(name) = &value.kind
            && let Some(Entity::Function(function)) = scope.get(name)
        {
            return Ok(Entity::Function(function.clone()));
        }
        if self.is_tabular(value, scope) {
            let mut relation = self.tabular(value, scope, None)?;
            relation.source = None;
            return Ok(Entity::Table(relation));
        }
        Ok(Entity::Scalar(
            self.expression(value, &self.constant_row(scope))?,
        ))
    }

    /// Whether an expression is a table. What cannot be told is no table: binding it as a scalar reports why.
    pub(super) fn is_tabular(&self, expr: &Expr, scope: &Scope) -> bool {
        match &expr.kind {
            ExprKind::Pipe { .. }
            | ExprKind::Source(_)
            | ExprKind::DataTable { .. }
            | ExprKind::ExternalData { .. }
            | ExprKind::Context => true,
            ExprKind::Paren(inner) => self.is_tabular(inner, scope),
            ExprKind::Name(name) => match scope.get(name) {
                Some(Entity::Function(function)) => {
                    function.parameters.iter().all(|p| p.default.is_some())
                        && self.is_tabular_function(function)
                }
                Some(entity) => matches!(entity, Entity::Table(_)),
                None => self.input.catalogue.contains_key(name),
            },
            ExprKind::Call { name, arguments } => match scope.get(&name.text) {
                Some(Entity::Function(function)) => self.is_tabular_function(function),
                _ => match name.text.as_str() {
                    "table" | "totable" => true,
                    "materialize" => arguments
                        .first()
                        .is_some_and(|a| self.is_tabular(&a.value, scope)),
                    _ => false,
                },
            },
            ExprKind::Member { base, .. } | ExprKind::MemberCall { base, .. } => is_database(base),
            _ => false,
        }
    }

    fn is_tabular_function(&self, function: &Function) -> bool {
        if let Some(known) = function.tabular.get() {
            return known;
        }
        let depth = self.probes.get();
        self.probes.set(depth + 1);
        // A call that goes deeper is refused when it is bound.
        let tabular = depth < CALL_LIMIT && self.has_tabular_body(function);
        self.probes.set(depth);
        function.tabular.set(Some(tabular));
        tabular
    }

    fn has_tabular_body(&self, function: &Function) -> bool {
        let mut scope = function.scope.clone();
        for parameter in &function.parameters {
            let entity = match &parameter.ty {
                ParameterType::Scalar(_) => {
                    Entity::Scalar(functions::literal(spoor_table::Value::Bool(false)))
                }
                _ => Entity::Table(self.no_rows()),
            };
            scope = scope.with(&parameter.name.text, entity);
        }
        for statement in &function.body.statements {
            match &statement.kind {
                StatementKind::Let { name, value } => {
                    let entity = match &value.kind {
                        ExprKind::Lambda {
                            view,
                            parameters,
                            body,
                        } => {
                            let function = Function::new(*view, parameters, body, &scope);
                            Entity::Function(Rc::new(function))
                        }
                        _ if self.is_tabular(value, &scope) => Entity::Table(self.no_rows()),
                        _ => Entity::Scalar(functions::literal(spoor_table::Value::Bool(false))),
                    };
                    scope = scope.with(&name.text, entity);
                }
                StatementKind::Expression(expr) => return self.is_tabular(expr, &scope),
                _ => {}
            }
        }
        false
    }

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
    fn as_declared(&mut self, typed: Typed, parameter: &Parameter, span: Span) -> Bind<Typed> {
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
            let hint = "it is one of Sentinel's parsers (ASIM), which a workspace has: run the query there with \
                --workspace, or define it first with `let` over the tables at hand";
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

/// Whether a function's name is that of a parser of Sentinel's: `_Im_Dns`, `_ASim_Dns`, `imDns`, `ASimDns`.
fn is_parser(name: &str) -> bool {
    let rest = ["_Im_", "_ASim_", "ASim", "im", "vim"]
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix));
    rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()))
}

/// Whether an expression names a database or the like.
fn is_database(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Call { name, .. } => matches!(
            name.text.as_str(),
            "database" | "cluster" | "workspace" | "app" | "adx" | "arg"
        ),
        ExprKind::MemberCall { base, .. } => is_database(base),
        _ => false,
    }
}
