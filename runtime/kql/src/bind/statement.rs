//! Statements: what they define, and which of them is the query's result.

use std::rc::Rc;

use spoor_kql_syntax::ast::{
    Expr, ExprKind, Name, OperatorKind, Parameter, ParameterType, Query, Span, Statement,
    StatementKind,
};
use spoor_kql_syntax::{Diagnostic, Fix};

use super::relation::Relation;
use super::scope::{Entity, Function, Scope};
use super::{Bind, Binder, BoundPlan, CALL_LIMIT, Mode, Stop};
use crate::cut;
use crate::functions;
use crate::typed::Typed;

/// The options of `set` that change what a query gives.
pub(super) const CHANGING: [&str; 5] = [
    "query_datetimescope_column",
    "query_datetimescope_from",
    "query_datetimescope_to",
    "query_now",
    "query_take_max_records",
];

/// Whether a statement is a query's result, not a definition.
fn gives_more(statements: &[Statement]) -> bool {
    let gives = |s: &Statement| matches!(s.kind, StatementKind::Expression(_));
    statements.iter().any(gives)
}

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
        for (at, statement) in query.statements.iter().enumerate() {
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
                    let relation = self.or_unknown(bound)?;
                    // What only names tables for a later statement is no result.
                    if self.named.is_empty() || !gives_more(&query.statements[at + 1..]) {
                        result = Some((relation, expr.span));
                    }
                }
                _ => scope = self.definition(statement, &scope)?,
            }
            for (name, relation) in std::mem::take(&mut self.named) {
                scope = scope.with(&name, Entity::Table(relation));
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
            StatementKind::Set { name, value } => {
                self.option(name, value.as_ref()).map(|()| scope.clone())
            }
            StatementKind::DeclareParameters(parameters) => {
                self.query_parameters(parameters, scope)
            }
            StatementKind::Expression(_) => Err(Stop::Reported),
        }
    }

    /// Most options steer Kusto's service: caching, consistency. Truncation is the engine's ([`crate::cut`]). Those that change an
    /// answer in other ways are refused.
    fn option(&mut self, name: &Name, value: Option<&Expr>) -> Bind<()> {
        if name.text.eq_ignore_ascii_case("truncationmaxrecords")
            && value.and_then(cut::count).is_none()
        {
            let message = format!("`{}` is a number of rows", name.text);
            let hint = Some(
                "say how many: set truncationmaxrecords = 1000000; or set notruncation; for all of them",
            );
            return Err(self.error_hint(
                value.map_or(name.span, |value| value.span),
                message,
                hint,
            ));
        }
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
                    name => self.parser_function(name).is_some(),
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
