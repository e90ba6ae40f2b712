//! `mv-expand`: a row for each element of arrays and each property of bags.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayBuilder, ArrayRef, AsArray, BinaryBuilder, Int64Array, Int64Builder, ListArray,
    ListBuilder,
};
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::{
    Column as PlanColumn, NullHandling, Result as PlanResult, UnnestOptions, exec_err,
};
use datafusion::logical_expr::{
    ColumnarValue, Expr as PlanExpr, LogicalPlanBuilder, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature, Volatility, lit,
};
use spoor_kql_syntax::Diagnostic;
use spoor_kql_syntax::ast::{
    Expr, ExprKind, MvApply, MvColumn, MvExpand, OperatorKind, Property, Span,
};
use spoor_table::KustoType;
use spoor_table::dynamic::{Builder, DynamicRef, Kind};

use super::naming::default_name;
use super::relation::{BoundColumn, Relation, column};
use super::scope::Scope;
use super::{Bind, Binder};
use crate::exec::BATCH_ROWS;
use crate::functions::{self, BATCH_BYTES};
use crate::typed::Typed;

/// The options of `mv-expand` and `mv-apply`, and the words that may be their values.
pub(super) const EXPAND_OPTIONS: &[(&str, &[&str])] = &[
    ("bagexpansion", &["array", "bag"]),
    ("kind", &["array", "bag"]),
    ("with_itemindex", &[]),
];

/// How rows are made of lists.
struct Spread {
    /// Properties of a bag come as arrays of name and value.
    as_pairs: bool,
    /// Elements of each list at most.
    limit: i64,
    /// The column for an element's position.
    index: Option<String>,
    /// Whether each row with elements gets a stand-in besides: see `Relation::genuine`.
    stand_ins: bool,
}

/// What one clause of `mv-expand` makes.
struct Expanded {
    /// Its place among the relation's columns, where it takes one's place.
    place: Option<usize>,
    name: String,
    /// The unnested column's id.
    id: String,
    ty: Option<KustoType>,
    /// The list.
    list: PlanExpr,
    span: Span,
}

impl Binder<'_> {
    pub(super) fn mv_expand(
        &mut self,
        input: Relation,
        expand: &MvExpand,
        scope: &Scope,
        span: Span,
    ) -> Bind<Relation> {
        let (as_pairs, index) = self.mv_options(&expand.properties)?;
        let spread = Spread {
            as_pairs,
            limit: self.mv_limit(expand.limit.as_ref(), scope)?,
            index,
            stand_ins: false,
        };
        self.expand_columns(input, &expand.columns, &spread, scope, span)
    }

    /// `mv-apply`: the elements of each row go through a subquery of their own, whose columns are added to the row's.
    pub(super) fn mv_apply(
        &mut self,
        input: Relation,
        apply: &MvApply,
        scope: &Scope,
        span: Span,
    ) -> Bind<Relation> {
        let (as_pairs, index) = self.mv_options(&apply.properties)?;
        let spread = Spread {
            as_pairs,
            limit: self.mv_limit(apply.limit.as_ref(), scope)?,
            index,
            stand_ins: has_lone_aggregate(&apply.subquery),
        };
        let row_columns = input.columns.clone();
        let open = input.open;
        let (mut rows, row_id) = self.with_row_id(input, span)?;
        rows.parts.push(row_id);
        rows.carried = row_columns.iter().map(|column| column.id.clone()).collect();
        let elements = self.expand_columns(rows, &apply.columns, &spread, scope, span)?;
        let result = self.tabular(&apply.subquery, scope, Some(&elements))?;
        let mut result = self.without_stand_ins(result, span)?;
        result.open |= open;
        result.parts.pop();
        result.carried.clear();
        // An expanded column is the subquery's own, which may have dropped it.
        let expanded: Vec<String> = apply.columns.iter().map(clause_name).collect();
        let kept = row_columns.into_iter().filter_map(|column| {
            let own = result.find(&column.name).cloned();
            match expanded.contains(&column.name) {
                true => own,
                false => own.or(Some(column)),
            }
        });
        let mut columns: Vec<BoundColumn> = kept.collect();
        for column in &result.columns {
            if !columns.iter().any(|other| other.name == column.name) {
                columns.push(column.clone());
            }
        }
        let exprs = columns.iter().map(BoundColumn::expr).collect();
        self.project_to(result, exprs, columns, span)
    }

    /// `partition by column (subquery)`: the rows of each value go through a subquery of their own.
    pub(super) fn partition(
        &mut self,
        mut input: Relation,
        by: &Expr,
        subquery: &Expr,
        scope: &Scope,
    ) -> Bind<Relation> {
        let ExprKind::Name(name) = &by.kind else {
            return Err(self.error(by.span, "`partition by` takes a column"));
        };
        if !matches!(&subquery.kind, ExprKind::Pipe { source, .. } if source.kind == ExprKind::Context)
        {
            let message = "a subquery of `partition` with a source of its own is not supported";
            return Err(self.error_hint(
                subquery.span,
                message,
                Some("write partition by column (operator | ...)"),
            ));
        }
        let key = self.column_named(&input, name, by.span)?;
        self.refuse_dynamic(&key, by.span, "partition")?;
        input.parts.push(key.id);
        let mut result = self.tabular(subquery, scope, Some(&input))?;
        result.parts.pop();
        Ok(result)
    }

    fn mv_limit(&mut self, limit: Option<&Expr>, scope: &Scope) -> Bind<i64> {
        match limit {
            Some(limit) => Ok(self.count(limit, scope, "the limit")? as i64),
            None => Ok(i64::MAX),
        }
    }

    fn expand_columns(
        &mut self,
        input: Relation,
        clauses: &[MvColumn],
        spread: &Spread,
        scope: &Scope,
        span: Span,
    ) -> Bind<Relation> {
        // The order of elements must survive a sort that is yet to come.
        let input = if input.order.keys.is_empty() {
            input
        } else {
            self.totally_ordered(input, span)?
        };
        let expanded = self.each(clauses, |binder, clause| {
            binder.expanded(&input, clause, spread, scope)
        })?;
        let index = self.id();
        let lists = expanded.iter().map(|e| e.list.clone()).collect();
        let index_list = ScalarUDF::from(Indices::new()).call(lists).alias(&index);
        self.unnested(input, expanded, index, index_list, spread, span)
    }

    fn mv_options(&mut self, properties: &[Property]) -> Bind<(bool, Option<String>)> {
        let (mut as_pairs, mut index) = (false, None);
        for property in properties {
            match (property.name.text.as_str(), &property.value.kind) {
                ("kind" | "bagexpansion", ExprKind::Name(kind))
                    if kind == "bag" || kind == "array" =>
                {
                    as_pairs = kind == "array"
                }
                ("with_itemindex", ExprKind::Name(name)) => index = Some(name.clone()),
                (name, _) => {
                    let message = format!("`{name}` is no such option of `mv-expand`");
                    let problem = Diagnostic::error(property.name.span, message)
                        .hint("its options are kind=bag|array and with_itemindex=name");
                    return Err(self.no_such_option(problem, property, EXPAND_OPTIONS));
                }
            }
        }
        Ok((as_pairs, index))
    }

    fn expanded(
        &mut self,
        input: &Relation,
        clause: &MvColumn,
        spread: &Spread,
        scope: &Scope,
    ) -> Bind<Expanded> {
        let value = &clause.value.value;
        let typed = self.expression(value, &self.row(input, scope))?;
        if typed.ty != KustoType::Dynamic {
            let message = format!(
                "this is {} where a dynamic array or bag is needed",
                functions::article(typed.ty)
            );
            let hint = Some("split(...) and parse_json(...) make dynamic values of strings");
            return Err(self.error_hint(value.span, message, hint));
        }
        let ty = match &clause.to {
            Some(name) => Some(self.type_named(name)?),
            None => None,
        };
        let name = clause_name(clause);
        let list = ScalarUDF::from(Elements::new()).call(vec![
            typed.expr,
            lit(spread.as_pairs),
            lit(spread.limit),
            lit(spread.stand_ins),
        ]);
        let place = input.columns.iter().position(|column| column.name == name);
        Ok(Expanded {
            place,
            name,
            id: self.id(),
            ty,
            list,
            span: value.span,
        })
    }

    /// The unnested rows: first the lists beside the columns, then a row for each element, then elements as their types.
    fn unnested(
        &mut self,
        input: Relation,
        expanded: Vec<Expanded>,
        index: String,
        index_list: PlanExpr,
        spread: &Spread,
        span: Span,
    ) -> Bind<Relation> {
        let mut exprs: Vec<PlanExpr> = input.columns.iter().map(BoundColumn::expr).collect();
        exprs.extend(expanded.iter().map(|e| e.list.clone().alias(&e.id)));
        exprs.push(index_list);
        let mut columns = input.columns.clone();
        let listed = self.project_to(input, exprs, Vec::new(), span)?;
        let unnest: Vec<PlanColumn> = expanded
            .iter()
            .map(|e| &e.id)
            .chain([&index])
            .map(PlanColumn::new_unqualified)
            .collect();
        let options = UnnestOptions {
            null_handling: NullHandling::Drop,
            recursions: Vec::new(),
        };
        let plan = LogicalPlanBuilder::from(listed.plan)
            .unnest_columns_with_options(unnest, options)
            .and_then(LogicalPlanBuilder::build);
        let mut relation = Relation {
            plan: self.plan(span, plan)?,
            ..listed
        };
        let mut outputs: Vec<(BoundColumn, PlanExpr)> = columns
            .drain(..)
            .map(|column| (column.clone(), column.expr()))
            .collect();
        for clause in expanded {
            let element = Typed::new(column(&clause.id), KustoType::Dynamic);
            let output = self.element_as(element, clause.ty, &clause.name, clause.span)?;
            match clause.place.and_then(|place| outputs.get_mut(place)) {
                Some(slot) => *slot = output,
                None => outputs.push(output),
            }
        }
        // A stand-in comes before the elements.
        let before = i64::from(spread.stand_ins);
        if let Some(name) = &spread.index {
            let position = Typed::new(column(&index) - lit(before), KustoType::Long);
            let (expr, bound) = self.computed(name, &position);
            outputs.push((bound, expr));
        }
        if !relation.order.keys.is_empty() {
            relation.order.keys.push(column(&index).sort(true, true));
        }
        let (columns, mut exprs): (_, Vec<PlanExpr>) = outputs.into_iter().unzip();
        if spread.stand_ins {
            let genuine = self.id();
            exprs.push(column(&index).gt_eq(lit(before)).alias(&genuine));
            relation.genuine = Some(genuine);
        }
        self.project_to(relation, exprs, columns, span)
    }

    fn element_as(
        &mut self,
        element: Typed,
        ty: Option<KustoType>,
        name: &str,
        span: Span,
    ) -> Bind<(BoundColumn, PlanExpr)> {
        let Some(ty) = ty.filter(|ty| *ty != KustoType::Dynamic) else {
            let (expr, column) = self.computed(name, &element);
            return Ok((column, expr));
        };
        let context = self.constant_row(&Scope::root()).context;
        let converted = self.applied(functions::convert(&context, element, ty), span, &[])?;
        let (expr, column) = self.computed(name, &converted);
        Ok((column, expr))
    }
}

/// Whether a subquery sums up all of its rows in one.
fn has_lone_aggregate(subquery: &Expr) -> bool {
    match &subquery.kind {
        ExprKind::Paren(inner) => has_lone_aggregate(inner),
        ExprKind::Pipe { operators, .. } => operators.iter().any(|operator| match &operator.kind {
            OperatorKind::Count => true,
            OperatorKind::Summarize(summarize) => summarize.by.is_empty(),
            _ => false,
        }),
        _ => false,
    }
}

/// The column that a clause makes.
fn clause_name(clause: &MvColumn) -> String {
    match clause.value.names.as_slice() {
        [] => default_name(&clause.value.value).unwrap_or_else(|| "Column1".to_owned()),
        [name, ..] => name.text.clone(),
    }
}

/// The elements of a dynamic value as a list of dynamic values: `(value, bags as pairs, limit, stand-in)`. A null gives one null, what
/// is neither array nor bag itself. A stand-in is a null more at the start of a list that has elements.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Elements {
    signature: Signature,
}

impl Elements {
    fn new() -> Self {
        Self {
            signature: Signature::any(4, Volatility::Immutable),
        }
    }
}

fn item_field(ty: DataType) -> Arc<Field> {
    Arc::new(Field::new_list_field(ty, true))
}

impl ScalarUDFImpl for Elements {
    fn name(&self) -> &str {
        "mv_elements"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> PlanResult<DataType> {
        Ok(DataType::List(item_field(DataType::Binary)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> PlanResult<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let [values, pairs, limit, stand_in] = arrays.as_slice() else {
            return datafusion::common::internal_err!("mv_elements takes four arguments");
        };
        let stand_in = stand_in.as_boolean();
        let pairs = pairs.as_boolean();
        let limit = limit.as_primitive::<datafusion::arrow::datatypes::Int64Type>();
        let values = values.as_binary::<i32>();
        let mut lists = ListBuilder::new(BinaryBuilder::new());
        for row in 0..values.len() {
            let limit = usize::try_from(limit.value(row)).unwrap_or(usize::MAX);
            let value = if values.is_null(row) {
                None
            } else {
                Some(DynamicRef::new(values.value(row)))
            };
            append_elements(
                &mut lists,
                value,
                pairs.value(row),
                limit,
                stand_in.value(row),
            );
            check_size(lists.values_ref())?;
        }
        Ok(ColumnarValue::Array(Arc::new(lists.finish())))
    }
}

fn append_elements(
    lists: &mut ListBuilder<BinaryBuilder>,
    value: Option<DynamicRef<'_>>,
    pairs: bool,
    limit: usize,
    stand_in: bool,
) {
    let value = value.filter(|value| !value.is_null());
    let items = lists.values();
    if stand_in && value.is_none_or(|value| limit > 0 && !has_no_elements(value)) {
        items.append_null();
    }
    match value {
        None => items.append_null(),
        Some(value) => match (value.kind(), value.as_array(), value.as_object()) {
            (_, Some(array), _) => array.iter().take(limit).for_each(|item| {
                if item.is_null() {
                    items.append_null()
                } else {
                    items.append_value(item.as_bytes())
                }
            }),
            (_, _, Some(bag)) => bag.iter().take(limit).for_each(|(key, item)| {
                items.append_value(property(key, item, pairs).as_slice());
            }),
            (Kind::Null, ..) => items.append_null(),
            _ => items.append_value(value.as_bytes()),
        },
    }
    lists.append(true);
}

fn has_no_elements(value: DynamicRef<'_>) -> bool {
    match (value.as_array(), value.as_object()) {
        (Some(array), _) => array.is_empty(),
        (_, Some(bag)) => bag.iter().next().is_none(),
        _ => false,
    }
}

/// Refuses lists of one batch that would fill the memory.
fn check_size(items: &BinaryBuilder) -> PlanResult<()> {
    if items.values_slice().len() < BATCH_BYTES && items.len() < BATCH_BYTES / 8 {
        return Ok(());
    }
    exec_err!(
        "the elements that `mv-expand` makes of {BATCH_ROWS} rows take more than {} MiB: expand fewer rows or shorter arrays",
        BATCH_BYTES >> 20
    )
}

/// A property of a bag as a bag of its own, or as the array of its name and its value.
fn property(key: &str, item: DynamicRef<'_>, pair: bool) -> Vec<u8> {
    let mut builder = Builder::new();
    if pair {
        let mark = builder.begin_array();
        builder.string(key);
        builder.item(&mark);
        builder.value(item);
        builder.item(&mark);
        builder.end(mark);
    } else {
        let mark = builder.begin_object();
        builder.key(&mark, key);
        builder.value(item);
        builder.item(&mark);
        builder.end(mark);
    }
    builder.finish().as_bytes().to_vec()
}

/// The numbers from 0 to below the length of the longest of some lists.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Indices {
    signature: Signature,
}

impl Indices {
    fn new() -> Self {
        Self {
            signature: Signature::variadic_any(Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for Indices {
    fn name(&self) -> &str {
        "mv_indices"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> PlanResult<DataType> {
        Ok(DataType::List(item_field(DataType::Int64)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> PlanResult<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let lists: Vec<&ListArray> = arrays.iter().map(|array| array.as_list::<i32>()).collect();
        let mut indices = ListBuilder::new(Int64Builder::new());
        for row in 0..args.number_rows {
            let longest = lists
                .iter()
                .map(|list| length(list, row))
                .max()
                .unwrap_or(0);
            indices
                .values()
                .append_slice(Int64Array::from_iter_values(0..longest).values());
            indices.append(true);
        }
        Ok(ColumnarValue::Array(Arc::new(indices.finish()) as ArrayRef))
    }
}

fn length(list: &ListArray, row: usize) -> i64 {
    if row >= list.len() || list.is_null(row) {
        0
    } else {
        i64::from(list.value_length(row))
    }
}
