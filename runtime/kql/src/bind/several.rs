//! Calls that give several columns: `extend (slope, fit) = series_fit_line(x)`, and `array_sort_asc(a, b)`.

use spoor_kql_syntax::ast::{Argument, ExprKind, Name, NamedExpr, Span};
use spoor_table::{KustoType, Value};

use super::expression::Row;
use super::naming::{Projection, default_name};
use super::{Bind, Binder, Stop, TokenSense};
use crate::functions::{self, operators};
use crate::typed::Typed;

impl Binder<'_> {
    /// Adds the columns of such a call; false where the expression is none.
    pub(super) fn several_columns(
        &mut self,
        projection: &mut Projection,
        named: &NamedExpr,
        row: &Row<'_>,
    ) -> Bind<bool> {
        let ExprKind::Call { name, arguments } = &named.value.kind else {
            return Ok(false);
        };
        if row.scope.get(&name.text).is_some() {
            return Ok(false);
        }
        let values = match self.parts_of(name, arguments, named.value.span, row)? {
            Some(values) => values,
            None => return Ok(false),
        };
        if let Some(extra) = named.names.get(values.len()) {
            let message = format!("`{}` has no value: the function gives fewer", extra.text);
            return Err(self.error(extra.span, message));
        }
        // One name is for the first value; without names all have their own.
        let kept = match named.names.len() {
            0 => values.len(),
            count => count,
        };
        for (at, (default, value)) in values.into_iter().take(kept).enumerate() {
            let given = named.names.get(at).map(|name| name.text.clone());
            let is_given = given.is_some();
            let (expr, column) = self.computed(&given.unwrap_or_else(|| default.clone()), &value);
            if !is_given {
                projection.add(expr, column, &default);
            } else if !projection.declare(expr, column) {
                return Err(self.error(named.span, "a column is given twice"));
            }
        }
        Ok(true)
    }

    /// The values of a call with the names that they have by themselves.
    fn parts_of(
        &mut self,
        name: &Name,
        arguments: &[Argument],
        span: Span,
        row: &Row<'_>,
    ) -> Bind<Option<Vec<(String, Typed)>>> {
        if let Some(descending) = sorts(&name.text) {
            return self.sorted_arrays(name, arguments, descending, span, row);
        }
        let Some(function) = functions::several(&name.text) else {
            return Ok(None);
        };
        let Some(of) = functions::scalar(function.of) else {
            return Err(Stop::Reported);
        };
        self.sense(name.span, TokenSense::Function);
        let bound = self.bound_arguments(arguments, row)?;
        let spans: Vec<Span> = arguments.iter().map(|a| a.value.span).collect();
        let bag = self.applied((of.bind)(&row.context, &bound), span, &spans)?;
        let first = arguments.first().and_then(|a| default_name(&a.value));
        let prefix = format!("{}_{}", name.text, first.unwrap_or_default());
        let mut values = Vec::new();
        for (part, ty) in function.parts {
            let key = functions::literal(Value::String((*part).to_owned()));
            let value = self.element_of(bag.clone(), key, *ty, row, span)?;
            values.push((format!("{prefix}_{part}"), value));
        }
        Ok(Some(values))
    }

    fn sorted_arrays(
        &mut self,
        name: &Name,
        arguments: &[Argument],
        descending: bool,
        span: Span,
        row: &Row<'_>,
    ) -> Bind<Option<Vec<(String, Typed)>>> {
        if arguments.len() < 2 {
            return Ok(None);
        }
        let bound = self.bound_arguments(arguments, row)?;
        let arrays = bound
            .iter()
            .filter(|arg| arg.ty == KustoType::Dynamic)
            .count();
        if arrays < 2 {
            return Ok(None);
        }
        self.sense(name.span, TokenSense::Function);
        let spans: Vec<Span> = arguments.iter().map(|a| a.value.span).collect();
        let sorted = functions::sort_arrays(&row.context, &bound, descending);
        let sorted = self.applied(sorted, span, &spans)?;
        let mut values = Vec::new();
        for (at, argument) in arguments.iter().take(arrays).enumerate() {
            let key = functions::literal(Value::Long(at as i64));
            let value = self.element_of(sorted.clone(), key, KustoType::Dynamic, row, span)?;
            let own = default_name(&argument.value).unwrap_or_else(|| format!("array{at}"));
            values.push((format!("{own}_sorted"), value));
        }
        Ok(Some(values))
    }

    fn element_of(
        &mut self,
        base: Typed,
        key: Typed,
        ty: KustoType,
        row: &Row<'_>,
        span: Span,
    ) -> Bind<Typed> {
        let element = operators::element(&row.context, base, key);
        let element = self.applied(element, span, &[])?;
        match ty {
            KustoType::Dynamic => Ok(element),
            ty => {
                let converted = functions::convert(&row.context, element, ty);
                self.applied(converted, span, &[])
            }
        }
    }
}

/// Whether a function sorts arrays, and whether downwards.
fn sorts(name: &str) -> Option<bool> {
    match name {
        "array_sort_asc" => Some(false),
        "array_sort_desc" => Some(true),
        _ => None,
    }
}
