//! Plugins of Kusto's that are written in KQL: activity and windows over time, tables turned on their side, schemas. Each is a text
//! of `written_texts` whose `$names` become the columns that the call names; its constants are variables there. `bind/evaluate.rs`
//! calls it; what such a text plans to is not known here. Source: Kusto's documentation of each plugin.

use spoor_kql_syntax::ast::{Argument, Expr, ExprKind, Name, Span, StatementKind};
use spoor_table::{KustoType, Value};

use super::naming::Projection;
use super::relation::{BoundColumn, Relation};
use super::scope::{Entity, Scope};
use super::written_texts::{Written, written};
use super::{Bind, Binder, Stop};
use crate::functions;
use crate::typed::Typed;

/// Windows of the calendar, which are not all as long.
const CALENDAR: &[&str] = &["week", "month", "year"];

/// What a call gives a plugin.
struct Given {
    columns: Vec<Name>,
    /// Columns that results are told apart by.
    dimensions: Vec<Name>,
    constants: Vec<Typed>,
    /// The ids that were there before.
    lookback: Option<(Relation, Span)>,
}

impl Given {
    /// The window's name where it is one of the calendar's.
    fn calendar(&self) -> Option<&str> {
        match self
            .constants
            .get(2)
            .and_then(|window| window.constant.as_ref())
        {
            Some(Value::String(name)) if CALENDAR.contains(&name.as_str()) => Some(name),
            _ => None,
        }
    }

    /// The beginning of the window that a time is in.
    fn binned(&self, time: &str) -> String {
        match self.calendar() {
            Some(window) => format!("startof{window}({time})"),
            None => format!("bin_at({time}, Window, Start)"),
        }
    }

    /// A row for each window from a row's first one on.
    fn steps(&self) -> String {
        match self.calendar() {
            Some(window) => format!(
                " | mv-expand __n = range(0, datetime_diff('{window}', End, __first), 1) to typeof(long) \
                 | extend __to = datetime_add('{window}', __n, __first) | project-away __n"
            ),
            None => {
                " | mv-expand __to = range(__first, End, Window) to typeof($time_type)".to_owned()
            }
        }
    }

    /// Picks one window where the call names it.
    fn cohort(&self, plugin: &Written) -> String {
        let names = plugin.constants_of(self.constants.len()).unwrap_or(&[]);
        match names.contains(&"Cohort") {
            true => format!(" and __first == {}", self.binned("Cohort")),
            false => String::new(),
        }
    }

    /// Leaves out what was there before.
    fn past(&self) -> &'static str {
        match self.lookback {
            Some(_) => " | join kind=leftanti Lookback on $id",
            None => "",
        }
    }
}

impl Binder<'_> {
    /// The plugin's rows.
    pub(super) fn written_plugin(
        &mut self,
        input: Relation,
        name: &Name,
        arguments: &[Argument],
        scope: &Scope,
    ) -> Bind<Relation> {
        let Some(plugin) = written(&name.text) else {
            return Err(Stop::Reported);
        };
        if !input.parts.is_empty() {
            let message = "plugins cannot be called in the subquery of `mv-apply` or `partition`";
            return Err(self.error(name.span, message));
        }
        self.whole(&input)?;
        let mut given = self.given_to_written(plugin, name, arguments, &input, scope)?;
        let text = self.text_of(plugin, &given, &input, name.span)?;
        let mut inner = Scope::root();
        if let Some((lookback, span)) = given.lookback.take() {
            let ids = self.ids_of(lookback, given.columns.first(), span)?;
            inner = inner.with("Lookback", Entity::Table(ids));
        }
        let names = plugin.constants_of(given.constants.len()).unwrap_or(&[]);
        for (name, value) in names.iter().zip(given.constants) {
            inner = inner.with(name, Entity::Scalar(value));
        }
        for (name, default) in plugin.defaults {
            if inner.get(name).is_none() {
                inner = inner.with(name, Entity::Scalar(functions::literal(default.clone())));
            }
        }
        self.text_over(input, &text, &inner, name.span)
    }

    /// What a text of KQL makes of rows, which it calls `Input`. What is wrong in it is told at the place of the call.
    pub(super) fn text_over(
        &mut self,
        input: Relation,
        text: &str,
        scope: &Scope,
        span: Span,
    ) -> Bind<Relation> {
        let scope = scope.with("Input", Entity::Table(input));
        self.foreign(span, |binder| binder.text_bound(text, scope, span))
    }

    /// Binds what is not the query's text: its places mean nothing there, and are taken for that of the call.
    pub(super) fn foreign<T>(
        &mut self,
        span: Span,
        bind: impl FnOnce(&mut Self) -> Bind<T>,
    ) -> Bind<T> {
        let (told, sensed) = (self.diagnostics.len(), self.senses.len());
        let result = bind(self);
        self.senses.truncate(sensed);
        for diagnostic in self.diagnostics.iter_mut().skip(told) {
            diagnostic.span = span.range();
            diagnostic.fixes.clear();
        }
        result
    }

    fn text_bound(&mut self, text: &str, mut scope: Scope, span: Span) -> Bind<Relation> {
        let parsed = spoor_kql_syntax::parse(text);
        if let Some(problem) = parsed.diagnostics.first() {
            let message = format!("this cannot be planned: {}", problem.message);
            return Err(self.error(span, message));
        }
        for statement in &parsed.query.statements {
            match &statement.kind {
                StatementKind::Expression(expr) => return self.tabular(expr, &scope, None),
                _ => scope = self.definition(statement, &scope)?,
            }
        }
        Err(Stop::Reported)
    }

    /// Sorts arguments: the first columns have roles, further ones are dimensions, and what is no column is a constant.
    fn given_to_written(
        &mut self,
        plugin: &Written,
        name: &Name,
        arguments: &[Argument],
        input: &Relation,
        scope: &Scope,
    ) -> Bind<Given> {
        let mut given = Given {
            columns: Vec::new(),
            dimensions: Vec::new(),
            constants: Vec::new(),
            lookback: None,
        };
        for argument in arguments {
            match column_name(&argument.value, input) {
                Some(column) if given.columns.len() < plugin.columns.len() => {
                    given.columns.push(column);
                }
                Some(column) if plugin.dimensions => given.dimensions.push(column),
                None if plugin.lookback && self.is_tabular(&argument.value, scope) => {
                    let table = self.tabular(&argument.value, scope, None)?;
                    given.lookback = Some((table, argument.value.span));
                }
                _ => {
                    let row = self.constant_row(scope);
                    let value = self.expression(&argument.value, &row)?;
                    if value.constant.is_none() {
                        let message = format!("`{}` takes a constant here", name.text);
                        return Err(self.error(argument.value.span, message));
                    }
                    given.constants.push(value);
                }
            }
        }
        let fits = plugin.constants_of(given.constants.len()).is_some();
        if given.columns.len() == plugin.columns.len() && fits {
            return Ok(given);
        }
        let message = format!("`{}` is called with other arguments", name.text);
        Err(self.error_hint(name.span, message, Some(plugin.form)))
    }

    /// The ids that a table of the past has: its column of that name, or its only one.
    fn ids_of(&mut self, table: Relation, id: Option<&Name>, span: Span) -> Bind<Relation> {
        self.whole(&table)?;
        self.is_table(&table, span)?;
        let id = id.map_or("", |id| id.text.as_str());
        let only = match table.columns.as_slice() {
            [only] => Some(only),
            _ => None,
        };
        let Some(column) = table.find(id).or(only).cloned() else {
            let message = format!("this table of ids has no column `{id}`");
            let hint = Some("keep the ids alone: | distinct id");
            return Err(self.error_hint(span, message, hint));
        };
        let named = BoundColumn {
            name: id.to_owned(),
            ..column.clone()
        };
        self.project_to(table, vec![column.expr()], vec![named], span)
    }

    fn text_of(
        &mut self,
        plugin: &Written,
        given: &Given,
        input: &Relation,
        span: Span,
    ) -> Bind<String> {
        let dimensions: Vec<String> = given.dimensions.iter().map(quoted).collect();
        let listed =
            |each: &dyn Fn(&String) -> String| -> String { dimensions.iter().map(each).collect() };
        let mut text = plugin
            .text
            .replace("$cohort", &given.cohort(plugin))
            .replace("$past", given.past())
            .replace("$time_bin", &given.binned("$time"))
            .replace("$steps", &given.steps())
            .replace("$dims_first", &listed(&|name| format!("{name} asc, ")))
            .replace(
                "$dims_changed",
                &listed(&|name| format!(" or {name} != prev({name})")),
            )
            .replace("$dims", &listed(&|name| format!(", {name}")));
        for (role, column) in plugin.columns.iter().zip(&given.columns) {
            let ty = input
                .find(&column.text)
                .map_or(KustoType::Dynamic, |c| c.ty);
            text = text
                .replace(
                    &format!("$from_{role}"),
                    &quoted_text(&format!("from_{}", column.text)),
                )
                .replace(
                    &format!("$to_{role}"),
                    &quoted_text(&format!("to_{}", column.text)),
                )
                .replace(&format!("${role}_type"), ty.name())
                .replace(&format!("${role}"), &quoted(column));
        }
        if text.contains("$result") {
            let name = self.rolling_name(given, span)?;
            text = text.replace("$result", &name);
        }
        Ok(text)
    }

    /// What Kusto calls a percentile over a window that moves.
    fn rolling_name(&mut self, given: &Given, span: Span) -> Bind<String> {
        let number = |at: usize| match given.constants.get(at).and_then(|c| c.constant.as_ref()) {
            Some(Value::Null(_)) | None => None,
            Some(value) => Some(spoor_table::format::text(value.cell())),
        };
        let (Some(percentile), Some(bins), Some(column)) =
            (number(0), number(2), given.columns.first())
        else {
            return Err(self.error(span, "the percentile and the number of bins must be known"));
        };
        let text = format!("rolling_{bins}_percentile_{}_{percentile}", column.text);
        Ok(quoted_text(&text))
    }

    /// `narrow()`: a row for each value.
    pub(super) fn narrow(&mut self, input: Relation, span: Span) -> Bind<Relation> {
        self.whole(&input)?;
        let pairs: Vec<String> = input
            .columns
            .iter()
            .map(|column| {
                let name = quoted_text(&column.name);
                let text = name.trim_start_matches('[').trim_end_matches(']');
                format!("pack_array({text}, tostring({name}))")
            })
            .collect();
        let text = format!(
            "Input | serialize __row = row_number(0) | project __row, __pairs = pack_array({}) \
             | mv-expand __pairs | project Row = __row, Column = tostring(__pairs[0]), Value = tostring(__pairs[1])",
            pairs.join(", ")
        );
        self.text_over(input, &text, &Scope::root(), span)
    }

    /// `rows_near(condition, before, after)`: the rows around those for which a condition holds.
    pub(super) fn rows_near(
        &mut self,
        input: Relation,
        arguments: &[Argument],
        scope: &Scope,
        span: Span,
    ) -> Bind<Relation> {
        let (condition, before, after) = match arguments {
            [condition, before] => (condition, before, before),
            [condition, before, after] => (condition, before, after),
            _ => {
                let hint = Some("rows_near(condition, rows_before, rows_after)");
                return Err(self.error_hint(span, "`rows_near` takes a condition", hint));
            }
        };
        let row = self.row(&input, scope);
        let holds = self.expression(&condition.value, &row)?;
        let holds = self.condition(holds, condition.value.span)?;
        let mut projection = Projection::of(&input.columns);
        let (expr, column) = self.computed("__near", &Typed::new(holds, KustoType::Bool));
        projection.exprs.push(expr);
        projection.columns.push(column);
        let input = self.project_to(input, projection.exprs, projection.columns, span)?;
        let mut inner = Scope::root();
        for (name, rows) in [("Before", before), ("After", after)] {
            let rows = self.count(&rows.value, scope, "the number of rows")?;
            let rows = i64::try_from(rows).unwrap_or(i64::MAX);
            let rows = functions::literal(Value::Long(rows));
            inner = inner.with(name, Entity::Scalar(rows));
        }
        let text = "let N = Input | serialize __n = row_number(); \
            N | where __n in ((N | where __near | mv-expand __m = range(__n - Before, __n + After, 1) to typeof(long) | distinct __m)) \
            | project-away __near, __n";
        self.text_over(input, text, &inner, span)
    }

    /// `dcount_intersect(sketch, ...)`: how many values the first sketches have in common, one more in each column.
    pub(super) fn dcount_intersect(
        &mut self,
        input: Relation,
        arguments: &[Argument],
        scope: &Scope,
        span: Span,
    ) -> Bind<Relation> {
        let row = self.row(&input, scope);
        let sketches = self.bound_arguments(arguments, &row)?;
        let spans: Vec<Span> = arguments.iter().map(|a| a.value.span).collect();
        let mut projection = Projection::default();
        for at in 0..sketches.len() {
            let shared = functions::shared_count(&row.context, &sketches[..=at]);
            let shared = self.applied(shared, span, &spans)?;
            let (expr, column) = self.computed(&format!("s{at}"), &shared);
            projection.exprs.push(expr);
            projection.columns.push(column);
        }
        self.project_to(input, projection.exprs, projection.columns, span)
    }
}

/// The column of the input that an argument is, if it is one.
pub(super) fn column_name(expr: &Expr, input: &Relation) -> Option<Name> {
    match &expr.kind {
        ExprKind::Name(name) if input.find(name).is_some() => Some(Name {
            text: name.clone(),
            span: expr.span,
        }),
        ExprKind::Paren(inner) => column_name(inner, input),
        _ => None,
    }
}

fn quoted(name: &Name) -> String {
    quoted_text(&name.text)
}

/// A column's name as KQL takes any.
pub(super) fn quoted_text(name: &str) -> String {
    format!("['{}']", name.replace('\\', "\\\\").replace('\'', "\\'"))
}
