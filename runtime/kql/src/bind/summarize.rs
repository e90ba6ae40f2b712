//! `summarize`: aggregates by keys, with Kusto's names.

use datafusion::functions_aggregate::count::count_udaf;
use datafusion::logical_expr::utils::find_aggregate_exprs;
use datafusion::logical_expr::{Expr as PlanExpr, LogicalPlanBuilder, SortExpr, lit};
use spoor_kql_syntax::ast::{Argument, ExprKind, Name, NamedExpr, Span, Summarize};

use super::expression::Row;
use super::naming::{Projection, default_name};
use super::relation::{BoundColumn, Relation, column};
use super::scope::Scope;
use super::{Bind, Binder, Stop, TokenSense};
use crate::functions;
use crate::typed::{AggregateFunction, AggregateTyped, OutputName, Typed};

/// Aggregates whose result follows the order of the rows.
const ORDERED: &[&str] = &[
    "make_list",
    "make_list_if",
    "make_list_with_nulls",
    "make_set",
    "make_set_if",
    "makelist",
    "makeset",
];

/// An aggregate's column before the plan is made.
#[derive(Clone)]
pub(super) struct Output {
    /// Whether the query names it.
    pub(super) declared: bool,
    pub(super) name: String,
    /// What to number where the name is taken.
    pub(super) base: String,
    pub(super) typed: Typed,
    pub(super) span: Span,
}

impl Binder<'_> {
    pub(super) fn summarize(
        &mut self,
        input: Relation,
        summarize: &Summarize,
        scope: &Scope,
        span: Span,
    ) -> Bind<Relation> {
        // Without keys each part gives a row, if need be by its stand-in; with keys only rows do.
        let input = match summarize.by.is_empty() {
            true => input,
            false => self.without_stand_ins(input, span)?,
        };
        let row = self.row(&input, scope);
        let keys = self.keys_of(summarize, &row);
        let known = plain_keys(&summarize.by, &row);
        let (keys, outputs) = self.both(keys, |binder| {
            binder.each(&summarize.aggregates, |binder, named| {
                binder.aggregate(named, &row, &known)
            })
        })?;
        let outputs = outputs.into_iter().flatten().collect();
        self.aggregated(&input, keys, outputs, span)
    }

    fn keys_of(&mut self, summarize: &Summarize, row: &Row<'_>) -> Bind<Projection> {
        let mut keys = self.projection(&summarize.by, row)?;
        for (at, named) in summarize.by.iter().enumerate() {
            let taken = |name: &str| row.columns.iter().any(|column| column.name == name);
            let unnamed = named.names.is_empty() && default_name(&named.value).is_none();
            if unnamed && keys.columns.get(at).is_some_and(|key| taken(&key.name)) {
                // A column of the input that is called so keeps its name.
                let free = (1..)
                    .map(|number| format!("Column{number}"))
                    .find(|name| !taken(name) && !keys.contains(name));
                if let (Some(key), Some(free)) = (keys.columns.get_mut(at), free) {
                    key.name = free;
                }
            }
        }
        for (key, named) in keys.columns.iter().zip(&summarize.by) {
            self.refuse_dynamic(key, named.span, "summarize ... by")?;
        }
        Ok(keys)
    }

    /// The plan: keys and aggregates, and above them what is computed of aggregates.
    pub(super) fn aggregated(
        &mut self,
        input: &Relation,
        keys: Projection,
        outputs: Vec<Output>,
        span: Span,
    ) -> Bind<Relation> {
        let mut projection = Projection::default();
        for key in &keys.columns {
            projection.declare(key.expr(), key.clone());
        }
        let declared = outputs.iter().filter(|output| output.declared);
        projection.reserve(declared.map(|output| output.name.clone()));
        let mut named = Vec::new();
        let found = find_aggregate_exprs(outputs.iter().map(|output| &output.typed.expr));
        for aggregate in found {
            named.push((aggregate, self.id()));
        }
        for output in outputs {
            let expr = self.replace(output.typed.expr.clone(), &named, output.span)?;
            let (expr, column) = self.computed(&output.name, &Typed::new(expr, output.typed.ty));
            if !output.declared {
                projection.add(expr, column, &output.base);
            } else if !projection.declare(expr, column) {
                return Err(self.error(
                    output.span,
                    format!("the column `{}` is given twice", output.name),
                ));
            }
        }
        let (parts, carried) = input.hidden_in_aggregate();
        let group = each_once(keys.exprs.into_iter().chain(parts));
        let genuine = input.genuine.as_deref();
        let mut aggregates: Vec<PlanExpr> = named
            .iter()
            .map(|(expr, id)| {
                let expr = ordered(expr.clone(), &input.order.keys);
                of_genuine_rows(expr, genuine).alias(id)
            })
            .chain(carried)
            .collect();
        if group.is_empty() && aggregates.is_empty() {
            aggregates.push(count_udaf().call(vec![lit(1i64)]).alias(self.id()));
        }
        let plan = LogicalPlanBuilder::from(input.plan.clone())
            .aggregate(group, aggregates)
            .and_then(LogicalPlanBuilder::build);
        let mut relation = Relation::unordered(self.plan(span, plan)?, Vec::new());
        relation.parts.clone_from(&input.parts);
        relation.carried.clone_from(&input.carried);
        self.project_to(relation, projection.exprs, projection.columns, span)
    }

    /// One aggregate of `summarize`: one column, or several.
    pub(super) fn aggregate(
        &mut self,
        named: &NamedExpr,
        row: &Row<'_>,
        keys: &[BoundColumn],
    ) -> Bind<Vec<Output>> {
        if let ExprKind::Call { name, arguments } = &named.value.kind
            && let Some(function) = functions::aggregate(&name.text)
            && row.scope.get(&name.text).is_none()
        {
            self.sense(name.span, TokenSense::Aggregate);
            let bound =
                self.bind_aggregate(function, arguments, name, named.value.span, row, keys)?;
            return self.outputs(named, bound, arguments, row, keys);
        }
        let inside = Row {
            aggregates: true,
            ..row.clone()
        };
        let typed = self.expression(&named.value, &inside)?;
        let name = match named.names.as_slice() {
            [] => None,
            [name] => Some(name.text.clone()),
            [_, second, ..] => {
                return Err(self.error(
                    second.span,
                    "this expression has one value, but more names are given",
                ));
            }
        };
        let declared = name.is_some();
        let base = default_name(&named.value).unwrap_or_else(|| "Column".to_owned());
        let default = default_name(&named.value).unwrap_or_else(|| "Column1".to_owned());
        let name = name.unwrap_or(default);
        Ok(vec![Output {
            declared,
            name,
            base,
            typed,
            span: named.span,
        }])
    }

    fn outputs(
        &mut self,
        named: &NamedExpr,
        bound: AggregateTyped,
        arguments: &[Argument],
        row: &Row<'_>,
        keys: &[BoundColumn],
    ) -> Bind<Vec<Output>> {
        if let Some(extra) = named.names.get(bound.outputs.len()) {
            return Err(self.error(
                extra.span,
                format!("`{}` has no value: the aggregate gives fewer", extra.text),
            ));
        }
        let names = argument_names(arguments, row, keys);
        let argument = |at: usize| names.get(at).cloned().unwrap_or_default();
        let outputs = bound.outputs.into_iter().enumerate().map(|(at, output)| {
            let default = match &output.name {
                OutputName::Prefix(prefix) => format!("{prefix}_{}", argument(0)),
                OutputName::PrefixSuffix(prefix, suffix) => {
                    format!("{prefix}_{}_{suffix}", argument(0))
                }
                OutputName::Pair(prefix) => format!("{prefix}_{}_{}", argument(0), argument(1)),
                OutputName::Argument(at) => argument(*at),
            };
            let given = named.names.get(at).map(|name| name.text.clone());
            Output {
                declared: given.is_some(),
                name: given.unwrap_or_else(|| default.clone()),
                base: default,
                typed: output.value,
                span: named.span,
            }
        });
        Ok(outputs.collect())
    }

    /// An aggregate inside an expression: `sum(x) / count()`.
    pub(super) fn lone_aggregate(
        &mut self,
        function: &AggregateFunction,
        arguments: &[Argument],
        name: &Name,
        span: Span,
        row: &Row<'_>,
    ) -> Bind<Typed> {
        if !row.aggregates {
            let message = format!("`{}` is an aggregate function", name.text);
            return Err(self.error_hint(
                name.span,
                message,
                Some("aggregates stand in `summarize`"),
            ));
        }
        let mut bound = self.bind_aggregate(function, arguments, name, span, row, &[])?;
        match (bound.outputs.pop(), bound.outputs.is_empty()) {
            (Some(output), true) => Ok(output.value),
            _ => Err(self.error(
                span,
                format!(
                    "`{}` gives several columns, which cannot stand in an expression",
                    name.text
                ),
            )),
        }
    }

    fn bind_aggregate(
        &mut self,
        function: &AggregateFunction,
        arguments: &[Argument],
        name: &Name,
        span: Span,
        row: &Row<'_>,
        keys: &[BoundColumn],
    ) -> Bind<AggregateTyped> {
        let inside = row.inside_aggregate();
        let mut bound = Vec::new();
        let mut spans = Vec::new();
        for argument in arguments {
            if matches!(argument.value.kind, ExprKind::Star) {
                if row.open {
                    return Err(Stop::Reported);
                }
                for column in starred(arguments, row, keys) {
                    bound.push(column.typed());
                    spans.push(argument.value.span);
                }
                continue;
            }
            bound.push(self.expression(&argument.value, &inside)?);
            spans.push(argument.value.span);
        }
        let result = (function.bind)(&inside.context, &bound);
        self.applied(
            result,
            if spans.is_empty() { name.span } else { span },
            &spans,
        )
    }
}

/// The columns that `*` means in `arg_max(x, *)`: all that are neither keys nor named before it.
fn starred<'r>(
    arguments: &[Argument],
    row: &Row<'r>,
    keys: &[BoundColumn],
) -> Vec<&'r BoundColumn> {
    let named = |column: &BoundColumn| {
        arguments.iter().any(
            |argument| matches!(&argument.value.kind, ExprKind::Name(name) if *name == column.name),
        )
    };
    row.columns
        .iter()
        .filter(|c| !keys.iter().any(|key| key.name == c.name) && !named(c))
        .collect()
}

/// The columns of the input that are keys as they are, under whatever name.
fn plain_keys(by: &[NamedExpr], row: &Row<'_>) -> Vec<BoundColumn> {
    let plain = by.iter().filter_map(|named| match &named.value.kind {
        ExprKind::Name(name) => row.columns.iter().find(|column| column.name == *name),
        _ => None,
    });
    plain.cloned().collect()
}

/// What each argument is called, with `*` expanded.
fn argument_names(arguments: &[Argument], row: &Row<'_>, keys: &[BoundColumn]) -> Vec<String> {
    let mut names = Vec::new();
    for argument in arguments {
        match argument.value.kind {
            ExprKind::Star => names.extend(
                starred(arguments, row, keys)
                    .into_iter()
                    .map(|c| c.name.clone()),
            ),
            _ => names.push(default_name(&argument.value).unwrap_or_default()),
        }
    }
    names
}

/// An aggregate that lists values, over rows in an order.
fn ordered(expr: PlanExpr, order: &[SortExpr]) -> PlanExpr {
    match expr {
        PlanExpr::AggregateFunction(mut function)
            if !order.is_empty() && is_ordered(function.func.name()) =>
        {
            function.params.order_by = order.to_vec();
            PlanExpr::AggregateFunction(function)
        }
        other => other,
    }
}

/// An aggregate that leaves stand-ins out: see [`Relation::genuine`].
pub(super) fn of_genuine_rows(aggregate: PlanExpr, genuine: Option<&str>) -> PlanExpr {
    match (aggregate, genuine) {
        (PlanExpr::AggregateFunction(mut function), Some(genuine)) => {
            let condition = match function.params.filter.take() {
                Some(filter) => filter.and(column(genuine)),
                None => column(genuine),
            };
            function.params.filter = Some(Box::new(condition));
            PlanExpr::AggregateFunction(function)
        }
        (other, _) => other,
    }
}

/// Expressions to group by, each once.
pub(super) fn each_once(exprs: impl Iterator<Item = PlanExpr>) -> Vec<PlanExpr> {
    let mut once: Vec<PlanExpr> = Vec::new();
    for expr in exprs {
        if !once.contains(&expr) {
            once.push(expr);
        }
    }
    once
}

fn is_ordered(name: &str) -> bool {
    ORDERED.contains(&name)
}
