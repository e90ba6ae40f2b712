//! `evaluate`: a plugin's function over the rows before it. Arguments go by position or by name: columns may be any expression
//! over the input, options are constants.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::datasource::provider_as_source;
use spoor_kql_syntax::ast::{Argument, Evaluate, ExprKind, Name, Span};
use spoor_kql_syntax::{Diagnostic, as_written, suggest};
use spoor_plugin_abi::{Parameter, ParameterKind, RowMode, Type};
use spoor_plugins::{Bound, Call, fitting, option_value, output_columns, type_names};
use spoor_table::{Column, KustoType, Value};

use super::kustos::{self, is_kustos};
use super::lookups;
use super::naming::Projection;
use super::relation::Relation;
use super::scope::Scope;
use super::written_texts::written;
use super::{Bind, Binder, Stop, TokenSense};
use crate::exec::Applied;
use crate::functions::plugin::PluginFunction;
use crate::typed::Typed;

/// What a call gives the function.
#[derive(Default)]
struct Given {
    columns: Vec<(Parameter, Typed)>,
    options: BTreeMap<String, serde_json::Value>,
}

impl Binder<'_> {
    pub(super) fn evaluate(
        &mut self,
        input: Relation,
        evaluate: &Evaluate,
        scope: &Scope,
        span: Span,
    ) -> Bind<Relation> {
        let ExprKind::Call { name, arguments } = &evaluate.call.kind else {
            return Err(Stop::Reported);
        };
        if kustos::form(&name.text).is_some() {
            self.sense(name.span, TokenSense::Function);
            return self.own_plugin(input, name, evaluate, arguments, scope, span);
        }
        let function = self.plugin_function(name)?;
        self.sense(name.span, TokenSense::Function);
        if let Some(schema) = &evaluate.schema {
            let at = schema.columns.first().map_or(span, |first| first.name.span);
            let hint = Some("the plugin declares its columns itself: leave `: (...)` out");
            return Err(self.error_hint(at, "this plugin takes no schema", hint));
        }
        if !input.parts.is_empty() {
            let message = "plugins cannot be called in the subquery of `mv-apply` or `partition`";
            return Err(self.error(name.span, message));
        }
        let given = self.given(&function, name, arguments, &input, scope)?;
        self.apply(input, function, given, name.span)
    }

    /// What a plugin of Kusto's own gives.
    fn own_plugin(
        &mut self,
        input: Relation,
        name: &Name,
        evaluate: &Evaluate,
        arguments: &[Argument],
        scope: &Scope,
        span: Span,
    ) -> Bind<Relation> {
        let at = name.span;
        match name.text.as_str() {
            "bag_unpack" => self.bag_unpack(input, arguments, evaluate.schema.as_ref(), scope, at),
            "pivot" => self.pivot(input, arguments, scope, span),
            "basket" => self.basket(input, arguments, scope, at),
            "autocluster" => self.autocluster(input, arguments, scope, at),
            "diffpatterns" => self.diffpatterns(input, arguments, scope, at),
            "narrow" if arguments.is_empty() => self.narrow(input, at),
            "rows_near" => self.rows_near(input, arguments, scope, at),
            "funnel_sequence" => self.funnel_sequence(input, name, arguments, scope),
            "funnel_sequence_completion" => {
                self.funnel_sequence_completion(input, name, arguments, scope)
            }
            "sequence_detect" => self.sequence_detect(input, arguments, scope, at),
            "dcount_intersect" => self.dcount_intersect(input, arguments, scope, at),
            known if lookups::is_lookup(known) => {
                self.lookup_plugin(input, name, arguments, scope, span)
            }
            known if written(known).is_some() => self.written_plugin(input, name, arguments, scope),
            known => {
                let message = format!("`{known}` is called with other arguments");
                Err(self.error_hint(at, message, kustos::form(known)))
            }
        }
    }

    fn plugin_function(&mut self, name: &Name) -> Bind<Arc<PluginFunction>> {
        let functions = &self.input.catalogue.functions;
        if is_kustos(&name.text) {
            let message = format!("`evaluate {}` is not supported yet", name.text);
            return Err(self.error(name.span, message));
        }
        if let Some(function) = functions.get(&name.text) {
            return Ok(function.clone());
        }
        let message = format!("no plugin has a function called `{}`", name.text);
        let problem = Diagnostic::error(name.span, message);
        let known = functions.keys().map(String::as_str);
        let problem = match suggest(&name.text, known.clone()) {
            Some(found) => problem.meant(found, name.span, &as_written(found), &name.text),
            None if functions.is_empty() => {
                problem.hint("there are no plugins here: add one first")
            }
            None => {
                let names: Vec<&str> = known.take(12).collect();
                problem.hint(format!("functions here: {}", names.join(", ")))
            }
        };
        Err(self.report(problem))
    }

    fn given(
        &mut self,
        function: &PluginFunction,
        name: &Name,
        arguments: &[Argument],
        input: &Relation,
        scope: &Scope,
    ) -> Bind<Given> {
        let parameters = &function.function.parameters;
        let mut given = Given::default();
        let mut seen: Vec<&str> = Vec::new();
        for (position, argument) in arguments.iter().enumerate() {
            let parameter = match &argument.name {
                Some(name) => parameters.iter().find(|p| p.name == name.text),
                None => parameters.get(position),
            };
            let Some(parameter) = parameter else {
                return Err(self.no_parameter(function, argument));
            };
            if seen.contains(&parameter.name.as_str()) {
                let message = format!("`{}` is given twice", parameter.name);
                return Err(self.error(argument.value.span, message));
            }
            seen.push(&parameter.name);
            self.take(&mut given, parameter, argument, input, scope)?;
        }
        let missing = parameters
            .iter()
            .find(|p| p.default.is_none() && !seen.contains(&p.name.as_str()));
        // A plugin takes its columns by their places.
        let place = |name: &str| parameters.iter().position(|p| p.name == name);
        given
            .columns
            .sort_by_key(|(parameter, _)| place(&parameter.name));
        match missing {
            Some(parameter) => Err(self.missing(function, parameter, name.span)),
            None => Ok(given),
        }
    }

    fn take(
        &mut self,
        given: &mut Given,
        parameter: &Parameter,
        argument: &Argument,
        input: &Relation,
        scope: &Scope,
    ) -> Bind<()> {
        let span = argument.value.span;
        let types = parameter.types.to_vec();
        if parameter.kind == ParameterKind::Column {
            let row = self.row(input, scope);
            let typed = self.expression(&argument.value, &row)?;
            if fitting(typed.ty, &types).is_none() {
                return Err(self.wrong_type(parameter, typed.ty, span));
            }
            given.columns.push((parameter.clone(), typed));
            return Ok(());
        }
        let value = self.constant(&argument.value, scope, &format!("`{}`", parameter.name))?;
        // `3` is a long; that an int holds it is seen below.
        let narrows = value.ty() == KustoType::Long && types.contains(&Type::Int);
        let fits = narrows || fitting(value.ty(), &types).is_some();
        let value = match (fits, &value) {
            (false, _) => return Err(self.wrong_type(parameter, value.ty(), span)),
            (true, Value::Null(_)) => {
                let message = format!("`{}` cannot be null", parameter.name);
                return Err(self.error(span, message));
            }
            (true, value) => option_value(value),
        };
        let Some(value) = value.filter(|value| types.iter().any(|ty| ty.admits(value))) else {
            let message = format!("this is no value for `{}`", parameter.name);
            return Err(self.error(span, message));
        };
        given.options.insert(parameter.name.clone(), value);
        Ok(())
    }

    fn wrong_type(&mut self, parameter: &Parameter, ty: KustoType, span: Span) -> Stop {
        let wanted = type_names(&parameter.types.to_vec());
        let message = format!("this is {ty}, and `{}` takes {wanted}", parameter.name);
        self.error(span, message)
    }

    fn no_parameter(&mut self, function: &PluginFunction, argument: &Argument) -> Stop {
        let known: Vec<&str> = function
            .function
            .parameters
            .iter()
            .map(|parameter| parameter.name.as_str())
            .collect();
        let takes = match known.is_empty() {
            true => "it takes no arguments".to_owned(),
            false => format!("it takes {}", known.join(", ")),
        };
        let Some(name) = &argument.name else {
            let message = format!("`{}` has fewer arguments", function.function.name);
            return self.error_hint(argument.value.span, message, Some(takes));
        };
        let message = format!("`{}` has no `{}`", function.function.name, name.text);
        let problem = Diagnostic::error(name.span, message);
        let problem = match suggest(&name.text, known.iter().copied()) {
            Some(found) => problem.meant(found, name.span, found, &name.text),
            None => problem.hint(takes),
        };
        self.report(problem)
    }

    fn missing(&mut self, function: &PluginFunction, parameter: &Parameter, span: Span) -> Stop {
        let what = match parameter.kind {
            ParameterKind::Column => "the column",
            ParameterKind::Option => "the option",
        };
        let message = format!("{what} `{}` is missing", parameter.name);
        let hint = Some(signature(function));
        self.error_hint(span, message, hint)
    }

    /// The relation of the function's rows: the input's columns, then what the function is given, become its input.
    fn apply(
        &mut self,
        input: Relation,
        function: Arc<PluginFunction>,
        given: Given,
        span: Span,
    ) -> Bind<Relation> {
        let declared = &function.function;
        let own: Vec<Column> = input
            .columns
            .iter()
            .map(|column| Column::new(&column.name, column.ty))
            .collect();
        let kept = own.len();
        let mut bound = Vec::new();
        let mut projection = Projection::of(&input.columns);
        for (index, (parameter, typed)) in given.columns.iter().enumerate() {
            bound.push(Bound {
                name: parameter.name.clone(),
                index: kept + index,
                ty: fitting(typed.ty, &parameter.types.to_vec()).ok_or(Stop::Reported)?,
            });
            let (expr, column) = self.computed(&parameter.name, typed);
            projection.exprs.push(expr);
            projection.columns.push(column);
        }
        let is_open = input.open && declared.output.rows != RowMode::Free;
        let relation = self.project_to(input, projection.exprs, projection.columns, span)?;
        let plan = self.finish(relation, span)?.plan;
        let call = Call::new(declared.clone(), bound, &given.options);
        let call = call.map_err(|failure| self.error(span, failure.to_string()))?;
        let columns = output_columns(declared, &own);
        let applied = Applied::new(function.clone(), call, plan, kept, columns.clone());
        let mut relation = self.scan(provider_as_source(Arc::new(applied)), &columns, span)?;
        relation.open = is_open;
        Ok(relation)
    }
}

/// `name(column: string or dynamic, [option: long = 3])`.
pub(super) fn signature(function: &PluginFunction) -> String {
    let parameters = function.function.parameters.iter().map(|parameter| {
        let types = type_names(&parameter.types.to_vec());
        match &parameter.default {
            None => format!("{}: {types}", parameter.name),
            Some(serde_json::Value::Null) => format!("[{}: {types}]", parameter.name),
            Some(default) => format!("[{}: {types} = {default}]", parameter.name),
        }
    });
    let parameters: Vec<String> = parameters.collect();
    format!("{}({})", function.function.name, parameters.join(", "))
}
