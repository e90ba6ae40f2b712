//! Tabular expressions: sources, pipes, and the choice of the operator.

use std::sync::Arc;

use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::logical_expr::{LogicalPlanBuilder, TableSource};
use spoor_kql_syntax::ast::{
    BinaryOp, ColumnDeclaration, Expr, ExprKind, Operator, OperatorKind, Span,
};
use spoor_kql_syntax::{Diagnostic, as_written, suggest};
use spoor_table::{Column, KustoType, Table, Value};

use super::relation::Relation;
use super::scope::{Entity, Scope};
use super::{Bind, Binder, Mode, Stop, TokenSense};
use crate::typed::Typed;

impl Binder<'_> {
    /// Binds a tabular expression. `context` is what an enclosing `mv-apply` or `partition` hands to its subquery.
    pub(super) fn tabular(
        &mut self,
        expr: &Expr,
        scope: &Scope,
        context: Option<&Relation>,
    ) -> Bind<Relation> {
        self.within(expr.span, |binder| binder.table_of(expr, scope, context))
    }

    fn table_of(
        &mut self,
        expr: &Expr,
        scope: &Scope,
        context: Option<&Relation>,
    ) -> Bind<Relation> {
        match &expr.kind {
            ExprKind::Paren(inner) => self.tabular(inner, scope, context),
            ExprKind::Name(name) => self.table(name, expr.span, scope),
            ExprKind::Pipe { source, operators } => self.pipe(source, operators, scope, context),
            ExprKind::Source(operator) => self.source(operator, scope),
            ExprKind::DataTable {
                schema,
                values,
                values_span,
            } => self.data_table(schema, values, *values_span, scope),
            ExprKind::Context => context.cloned().ok_or(Stop::Reported),
            ExprKind::Call { name, arguments } => {
                match (name.text.as_str(), arguments.as_slice()) {
                    ("materialize", [argument]) => {
                        let rows = self.tabular(&argument.value, scope, context)?;
                        self.materialized(rows, expr.span)
                    }
                    ("totable", [argument]) => self.tabular(&argument.value, scope, context),
                    ("table", [argument, ..]) => {
                        match self.constant(&argument.value, scope, "a table's name")? {
                            Value::String(name) => self.table(&name, argument.value.span, scope),
                            _ => {
                                Err(self
                                    .error(argument.value.span, "a table's name must be a string"))
                            }
                        }
                    }
                    _ => match scope.get(&name.text).cloned() {
                        Some(Entity::Function(function)) => {
                            self.sense(name.span, TokenSense::Function);
                            self.tabular_function(
                                &name.text, &function, arguments, expr.span, scope, None,
                            )
                        }
                        Some(Entity::Unknown) => Err(Stop::Reported),
                        None if let Some(parser) = self.parser_function(&name.text) => {
                            self.sense(name.span, TokenSense::Function);
                            self.call_parser(name, &parser, arguments, expr.span, scope)
                        }
                        _ => Err(self.unknown_tabular_function(name, scope)),
                    },
                }
            }
            ExprKind::ExternalData { .. } => {
                let hint =
                    Some("download the file and give it with --data: its name becomes a table");
                Err(self.error_hint(
                    expr.span,
                    "`externaldata` is not supported: queries open no connections",
                    hint,
                ))
            }
            ExprKind::Member { .. } | ExprKind::MemberCall { .. } => {
                let hint = Some("name the table alone");
                Err(self.error_hint(
                    expr.span,
                    "other databases and workspaces are not reachable from here",
                    hint,
                ))
            }
            ExprKind::Missing => Err(Stop::Reported),
            ExprKind::Binary {
                op: BinaryOp::Subtract,
                ..
            } if let Some(name) = dashed(expr)
                && self.may_be_meant(&name) =>
            {
                Err(self.unknown_table(&name, expr.span, scope))
            }
            _ => Err(self.error(expr.span, "this is a scalar where a table is needed")),
        }
    }

    /// A table by its name: of the query's or of the catalogue.
    pub(super) fn table(&mut self, name: &str, span: Span, scope: &Scope) -> Bind<Relation> {
        match scope.get(name).cloned() {
            Some(Entity::Table(relation)) => {
                self.sense(span, TokenSense::Table);
                return self.fresh(&relation, span);
            }
            Some(Entity::Unknown) => return Err(Stop::Reported),
            Some(Entity::Function(function))
                if function.parameters.iter().all(|p| p.default.is_some()) =>
            {
                let mut result = self.tabular_function(name, &function, &[], span, scope, None)?;
                result.source = function.view.then(|| name.to_owned());
                return Ok(result);
            }
            Some(_) => {
                return Err(self.error(
                    span,
                    format!("`{name}` is a scalar where a table is needed"),
                ));
            }
            None => {}
        }
        let Some(table) = self.input.catalogue.get(name).cloned() else {
            return Err(self.unknown_table(name, span, scope));
        };
        self.sense(span, TokenSense::Table);
        let mut relation = self.scan(table.source, &table.columns, span)?;
        relation.source = Some(name.to_owned());
        relation.open = table.open;
        Ok(relation)
    }

    /// Whether a name with dashes is a table's, or one of which there is something to say.
    fn may_be_meant(&self, name: &str) -> bool {
        let catalogue = self.input.catalogue;
        catalogue.contains_key(name) || catalogue.hints.contains_key(name)
    }

    fn unknown_table(&mut self, name: &str, span: Span, scope: &Scope) -> Stop {
        let known = self.input.catalogue.keys().map(String::as_str);
        let own = scope
            .names()
            .filter(|(_, entity)| matches!(entity, Entity::Table(_)))
            .map(|(name, _)| name);
        let problem = Diagnostic::error(span, format!("no table is called `{name}`"));
        let told = self.input.catalogue.hints.get(name).cloned();
        if let Some(found) = suggest(name, known.clone().chain(own)) {
            let mut problem = problem.meant(found, span, &as_written(found), name);
            problem.hint = told.or(problem.hint);
            return self.report(problem);
        }
        if let Some(told) = told {
            return self.report(problem.hint(told));
        }
        let names: Vec<&str> = known.take(12).collect();
        self.report(problem.hint(match names.is_empty() {
            true => "no tables are loaded".to_owned(),
            false => format!("tables here: {}", names.join(", ")),
        }))
    }

    /// A source and the operators after it.
    pub(super) fn pipe(
        &mut self,
        source: &Expr,
        operators: &[Operator],
        scope: &Scope,
        context: Option<&Relation>,
    ) -> Bind<Relation> {
        let bound = self.tabular(source, scope, context);
        let mut relation = self.or_unknown(bound)?;
        let mut scope = scope.clone();
        for operator in operators {
            if let OperatorKind::As(name) = &operator.kind {
                relation.source = Some(name.text.clone());
                scope = scope.with(&name.text, Entity::Table(relation.clone()));
                continue;
            }
            let before = (self.mode == Mode::Check).then(|| relation.clone());
            let bound = self.operator(relation, operator, &scope);
            relation = self.or_recovered(bound, before, operator)?;
        }
        Ok(relation)
    }

    fn operator(&mut self, input: Relation, operator: &Operator, scope: &Scope) -> Bind<Relation> {
        let span = operator.span;
        if !input.parts.is_empty() && joins_tables(&operator.kind) {
            let message =
                "this operator is not supported in the subquery of `mv-apply` or `partition`";
            return Err(self.error(operator.name_span, message));
        }
        if let Some(graph) = input.graph.clone() {
            return self.graph_operator(&graph, operator, scope);
        }
        match &operator.kind {
            OperatorKind::Where(predicate) => self.filter(input, predicate, scope),
            OperatorKind::Extend(exprs) => self.extend(input, exprs, scope, span),
            OperatorKind::Serialize(exprs) => self.serialize(input, exprs, scope, span),
            OperatorKind::Project(exprs) => self.project(input, exprs, scope, span),
            OperatorKind::ProjectAway(columns) => self.project_away(input, columns, span),
            OperatorKind::ProjectKeep(columns) => self.project_keep(input, columns, span),
            OperatorKind::ProjectRename(exprs) => self.project_rename(input, exprs),
            OperatorKind::ProjectReorder(columns) => self.project_reorder(input, columns),
            OperatorKind::Summarize(summarize) => self.summarize(input, summarize, scope, span),
            OperatorKind::Distinct(exprs) => self.distinct(input, exprs, scope, span),
            OperatorKind::Count => self.count_rows(input, span),
            OperatorKind::Sort(keys) => self.sort(input, keys, scope, span),
            OperatorKind::Top { count, by } => {
                let rows = self.count(count, scope, "the number of rows")?;
                let sorted = self.sort(input, by, scope, span)?;
                self.sorted(sorted, Some(rows), span)
            }
            OperatorKind::Take(count) | OperatorKind::Sample(count) => {
                let rows = self.count(count, scope, "the number of rows")?;
                self.sorted(input, Some(rows), span)
            }
            OperatorKind::Join(join) => self.join(input, join, scope, span),
            OperatorKind::Lookup(join) => self.lookup(input, join, scope, span),
            OperatorKind::Union(union) => self.union(Some(input), union, scope, span),
            OperatorKind::MvExpand(expand) => self.mv_expand(input, expand, scope, span),
            OperatorKind::MakeGraph(make) => self.make_graph(input, make, scope, span),
            OperatorKind::GraphMatch(_)
            | OperatorKind::GraphShortestPaths(_)
            | OperatorKind::GraphToTable(_)
            | OperatorKind::GraphMarkComponents(_) => self.needs_graph(&input, operator.name_span),
            OperatorKind::MakeSeries(make) => self.make_series(input, make, scope, span),
            OperatorKind::MvApply(apply) => self.mv_apply(input, apply, scope, span),
            OperatorKind::Partition { by, subquery } => self.partition(input, by, subquery, scope),
            OperatorKind::Parse(parse) => self.parse(input, parse, scope, span),
            OperatorKind::Invoke(call) => self.invoke(input, call, scope),
            OperatorKind::Evaluate(evaluate) => self.evaluate(input, evaluate, scope, span),
            OperatorKind::Reduce(reduce) => self.reduce(input, reduce, scope, span),
            OperatorKind::ParseKv {
                source,
                schema,
                properties,
            } => self.parse_kv(input, source, schema, properties, scope, span),
            OperatorKind::Search {
                tables,
                properties,
                predicate,
            } if tables.is_empty() => {
                let searched = vec![input];
                self.search(searched, properties, predicate, scope, operator.name_span)
            }
            OperatorKind::TopHitters { count, of, by } => {
                self.top_hitters(input, count, of, by.as_ref(), scope, span)
            }
            OperatorKind::TopNested(levels) => self.top_nested(input, levels, scope, span),
            OperatorKind::SampleDistinct { count, of } => {
                self.sample_distinct(input, count, of, scope, span)
            }
            OperatorKind::Scan(scan) => self.scan_steps(input, scan, scope, span),
            OperatorKind::GetSchema => self.get_schema(&input, span),
            OperatorKind::AssertSchema(schema) => {
                self.assert_schema(input, schema, operator.name_span)
            }
            OperatorKind::Consume => {
                let mut nothing = self.sorted(input, Some(0), span)?;
                nothing.columns.clear();
                Ok(nothing)
            }
            OperatorKind::Render(_) => Err(self.error(
                operator.name_span,
                "`render` must be the query's last operator",
            )),
            OperatorKind::Print(_) | OperatorKind::Range { .. } => Err(self.error(
                operator.name_span,
                "this operator begins a query: it takes no input",
            )),
            OperatorKind::As(_) | OperatorKind::Missing => Err(Stop::Reported),
            other => self.unsupported(operator_name(other), operator.name_span),
        }
    }

    fn unsupported(&mut self, name: &str, span: Span) -> Bind<Relation> {
        let hint = match name {
            "facet" | "fork" => Some("a cell gives one result: put each query into its own cell"),
            _ => None,
        };
        Err(self.error_hint(span, format!("`{name}` is not supported yet"), hint))
    }

    fn source(&mut self, operator: &Operator, scope: &Scope) -> Bind<Relation> {
        match &operator.kind {
            OperatorKind::Print(exprs) => self.print(exprs, scope, operator.span),
            OperatorKind::Union(union) => self.union(None, union, scope, operator.span),
            OperatorKind::Range {
                column,
                from,
                to,
                step,
            } => self.range(column, [from, to, step], scope, operator.span),
            OperatorKind::Search {
                tables,
                properties,
                predicate,
            } => {
                let searched = self.searched(tables, scope, operator.name_span)?;
                self.search(searched, properties, predicate, scope, operator.name_span)
            }
            OperatorKind::Find(find) => self.find(find, scope, operator.name_span),
            OperatorKind::Missing => Err(Stop::Reported),
            other => self.unsupported(operator_name(other), operator.name_span),
        }
    }

    /// Rows that are known while binding.
    pub(super) fn constant_table(&mut self, table: Table, span: Span) -> Bind<Relation> {
        let source = memory_source(&table);
        match source {
            Ok(source) => self.scan(source, table.columns(), span),
            Err(error) => Err(self.internal(span, error)),
        }
    }

    /// A relation without columns and rows, where only its being a table matters.
    pub(super) fn no_rows(&self) -> Relation {
        Relation::unordered(
            datafusion::logical_expr::LogicalPlan::EmptyRelation(
                datafusion::logical_expr::EmptyRelation {
                    produce_one_row: false,
                    schema: Arc::new(datafusion::common::DFSchema::empty()),
                },
            ),
            Vec::new(),
        )
    }

    fn data_table(
        &mut self,
        schema: &[ColumnDeclaration],
        values: &[Expr],
        values_span: Span,
        scope: &Scope,
    ) -> Bind<Relation> {
        let columns = self.declared_columns(schema)?;
        if columns.is_empty() || !values.len().is_multiple_of(columns.len()) {
            let message = format!(
                "{} values do not fill rows of {} columns",
                values.len(),
                columns.len()
            );
            return Err(self.error(values_span, message));
        }
        let mut rows = Vec::with_capacity(values.len() / columns.len());
        for row in values.chunks(columns.len()) {
            let mut cells = Vec::with_capacity(columns.len());
            for (value, column) in row.iter().zip(&columns) {
                cells.push(self.data_table_value(value, column, scope)?);
            }
            rows.push(cells);
        }
        match Table::from_values(columns, &rows) {
            Ok(table) => self.constant_table(table, values_span),
            Err(error) => Err(self.error(values_span, error.to_string())),
        }
    }

    /// The columns of a schema in the query.
    pub(super) fn declared_columns(&mut self, schema: &[ColumnDeclaration]) -> Bind<Vec<Column>> {
        let mut columns: Vec<Column> = Vec::new();
        for declared in schema {
            let ty = self.type_named(&declared.ty)?;
            let name = declared.name.text.as_str();
            if matches!(name, "true" | "false") && declared.name.span.range().len() == name.len() {
                let hint = Some(format!("write it as ['{name}']"));
                let message = format!("`{name}` is a value, not a column's name");
                return Err(self.error_hint(declared.name.span, message, hint));
            }
            if columns
                .iter()
                .any(|column| column.name == declared.name.text)
            {
                let message = format!("the column `{}` is declared twice", declared.name.text);
                return Err(self.error(declared.name.span, message));
            }
            columns.push(Column::new(&declared.name.text, ty));
        }
        Ok(columns)
    }

    fn data_table_value(&mut self, value: &Expr, column: &Column, scope: &Scope) -> Bind<Value> {
        if !matches!(value.kind, ExprKind::Literal(_)) && !is_constant_name(value, scope) {
            return Err(self.error_hint(
                value.span,
                "a datatable holds literals only",
                Some("compute with `extend`"),
            ));
        }
        let typed = self.expression(value, &self.constant_row(scope))?;
        let Some(constant) = typed.constant.clone() else {
            return Err(self.error(value.span, "a datatable holds constants only"));
        };
        if constant.ty() == column.ty {
            return Ok(constant);
        }
        self.converted_constant(typed, column.ty, value.span)
    }

    /// A constant as another type; what does not convert is null, as in Kusto.
    fn converted_constant(&mut self, typed: Typed, ty: KustoType, span: Span) -> Bind<Value> {
        let context = self.constant_row(&Scope::root()).context;
        let converted = crate::functions::convert(&context, typed, ty);
        let converted = self.applied(converted, span, &[])?;
        converted
            .constant
            .ok_or_else(|| self.error(span, format!("this is no {ty}")))
    }

    fn get_schema(&mut self, input: &Relation, span: Span) -> Bind<Relation> {
        let columns = vec![
            Column::new("ColumnName", KustoType::String),
            Column::new("ColumnOrdinal", KustoType::Int),
            Column::new("DataType", KustoType::String),
            Column::new("ColumnType", KustoType::String),
        ];
        let rows: Vec<Vec<Value>> = input
            .columns
            .iter()
            .enumerate()
            .map(|(at, column)| {
                let text = |value: &str| Value::String(value.to_owned());
                vec![
                    text(&column.name),
                    Value::Int(at as i32),
                    text(dot_net(column.ty)),
                    text(column.ty.name()),
                ]
            })
            .collect();
        match Table::from_values(columns, &rows) {
            Ok(table) => self.constant_table(table, span),
            Err(error) => Err(self.error(span, error.to_string())),
        }
    }

    /// `assert-schema`: the rows as they are, if their columns are the declared ones, in order.
    fn assert_schema(
        &mut self,
        input: Relation,
        schema: &[ColumnDeclaration],
        span: Span,
    ) -> Bind<Relation> {
        self.whole(&input)?;
        let mut declared = Vec::new();
        for column in schema {
            declared.push((column.name.text.clone(), self.type_named(&column.ty)?));
        }
        let found = input.columns.iter().map(|c| (c.name.clone(), c.ty));
        let found: Vec<(String, KustoType)> = found.collect();
        if found == declared {
            return Ok(input);
        }
        let columns = found
            .iter()
            .map(|(name, ty)| format!("{}: {ty}", as_written(name)));
        let columns: Vec<String> = columns.collect();
        let hint = format!("the columns here: ({})", columns.join(", "));
        let message = "the columns are not those that `assert-schema` declares";
        Err(self.error_hint(span, message, Some(hint)))
    }

    /// A relation of one row and no columns.
    pub(super) fn one_row(&mut self, span: Span) -> Bind<Relation> {
        let plan = LogicalPlanBuilder::empty(true).build();
        Ok(Relation::unordered(self.plan(span, plan)?, Vec::new()))
    }
}

/// A source over rows in memory.
fn memory_source(
    table: &Table,
) -> Result<Arc<dyn TableSource>, datafusion::common::DataFusionError> {
    let provider = MemTable::try_new(table.schema().clone(), vec![table.batches().to_vec()])?;
    Ok(provider_as_source(Arc::new(provider)))
}

/// The name that `my-file` is without brackets: differences of names.
fn dashed(expr: &Expr) -> Option<String> {
    match &expr.kind {
        ExprKind::Name(name) => Some(name.clone()),
        ExprKind::Binary {
            op: BinaryOp::Subtract,
            left,
            right,
            ..
        } => Some(format!("{}-{}", dashed(left)?, dashed(right)?)),
        _ => None,
    }
}

fn is_constant_name(expr: &Expr, scope: &Scope) -> bool {
    match &expr.kind {
        ExprKind::Name(name) => {
            matches!(scope.get(name), Some(Entity::Scalar(typed)) if typed.constant.is_some())
        }
        _ => false,
    }
}

/// The .NET type that `getschema` reports for a type.
fn dot_net(ty: KustoType) -> &'static str {
    match ty {
        KustoType::Bool => "System.SByte",
        KustoType::Int => "System.Int32",
        KustoType::Long => "System.Int64",
        KustoType::Real => "System.Double",
        KustoType::Decimal => "System.Data.SqlTypes.SqlDecimal",
        KustoType::DateTime => "System.DateTime",
        KustoType::TimeSpan => "System.TimeSpan",
        KustoType::String => "System.String",
        KustoType::Guid => "System.Guid",
        KustoType::Dynamic => "System.Object",
    }
}

/// Whether an operator brings in rows of other tables, which belong to no part.
fn joins_tables(kind: &OperatorKind) -> bool {
    if let OperatorKind::TopNested(levels) = kind {
        return levels.len() > 1 || levels.iter().any(|level| level.others.is_some());
    }
    matches!(
        kind,
        OperatorKind::Join(_)
            | OperatorKind::Lookup(_)
            | OperatorKind::Union(_)
            | OperatorKind::Invoke(_)
            | OperatorKind::GetSchema
            | OperatorKind::Reduce(_)
            | OperatorKind::Search { .. }
            | OperatorKind::Scan(_)
            | OperatorKind::MvApply(_)
            | OperatorKind::Partition { .. }
    )
}

fn operator_name(kind: &OperatorKind) -> &str {
    match kind {
        OperatorKind::Unsupported(name) => name,
        OperatorKind::Evaluate(_) => "evaluate",
        OperatorKind::Search { .. } => "search",
        _ => "this operator",
    }
}
