//! Kusto's aggregate functions. Counts, sums, minima and maxima are DataFusion's own; what Kusto alone has (sets, lists,
//! bags, `arg_max`, `dcount`, percentiles) are states of ours behind one DataFusion shape ([`udaf`]).
//!
//! `dcount` is exact, where Kusto's is an estimate; `percentile` too, by nearest rank.

mod arg;
mod distinct;
mod list;
mod moments;
mod percentile;
mod sketch;
mod udaf;

use datafusion::functions_aggregate::bit_and_or_xor::{bit_and_udaf, bit_or_udaf, bit_xor_udaf};
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::functions_aggregate::min_max::{max_udaf, min_udaf};
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::logical_expr::expr::AggregateFunction as DfAggregate;
use datafusion::logical_expr::{AggregateUDF, Expr, Operator, SortExpr, binary_expr, cast, lit};
use spoor_table::{KustoType, Value};
use std::sync::Arc;

use super::args::{P, accept, article, count};
use super::{implicit, literal};
use crate::typed::{
    AggregateFunction, AggregateOutput, AggregateTyped, BindContext, Documentation, FunctionError,
    OutputName, Typed,
};

type Bound = Result<AggregateTyped, FunctionError>;

macro_rules! aggregates {
    ($($name:literal, $signature:literal, $summary:literal, $bind:expr;)*) => {
        pub(super) const FUNCTIONS: &[AggregateFunction] = &[$(
            AggregateFunction {
                name: $name,
                docs: Documentation { signature: $signature, summary: $summary },
                bind: $bind,
            },
        )*];
    };
}

aggregates! {
    "count", "count(value)", "Counts rows.", |_, a| { count(a, 0, 1)?; one("count", counted(lit(1_i64), None)) };
    "countif", "countif(condition)", "Counts the rows for which a condition holds.", |c, a| { count(a, 1, 1)?; let f = accept(c, &a[0], P::Bool, 0)?; one("countif", counted(lit(1_i64), Some(f.expr))) };
    "dcount", "dcount(value, accuracy)", "Counts distinct values, exactly; the accuracy is accepted and not needed.", |c, a| distinct::bind(c, a, "dcount", 1);
    "dcountif", "dcountif(value, condition, accuracy)", "Counts the distinct values of rows for which a condition holds.", |c, a| distinct::bind_if(c, a, "dcountif", 1);
    "count_distinct", "count_distinct(value)", "Counts distinct values.", |c, a| distinct::bind(c, a, "count_distinct", 0);
    "count_distinctif", "count_distinctif(value, condition)", "Counts the distinct values of rows for which a condition holds.", |c, a| distinct::bind_if(c, a, "count_distinctif", 0);
    "sum", "sum(number)", "Adds up; nothing adds up to 0.", |c, a| { count(a, 1, 1)?; one("sum", sum(c, &a[0], None)?) };
    "sumif", "sumif(number, condition)", "Adds up the rows for which a condition holds.", |c, a| { let f = filter(c, a)?; one("sumif", sum(c, &a[0], Some(f))?) };
    "avg", "avg(number)", "The mean; NaN of nothing.", |c, a| { count(a, 1, 1)?; one("avg", average(c, &a[0], None)?) };
    "avgif", "avgif(number, condition)", "The mean of the rows for which a condition holds.", |c, a| { let f = filter(c, a)?; one("avgif", average(c, &a[0], Some(f))?) };
    "min", "min(value)", "The least value.", |c, a| { count(a, 1, 1)?; one("min", extreme(c, &a[0], min_udaf(), None)?) };
    "minif", "minif(value, condition)", "The least value of the rows for which a condition holds.", |c, a| { let f = filter(c, a)?; one("minif", extreme(c, &a[0], min_udaf(), Some(f))?) };
    "max", "max(value)", "The greatest value.", |c, a| { count(a, 1, 1)?; one("max", extreme(c, &a[0], max_udaf(), None)?) };
    "maxif", "maxif(value, condition)", "The greatest value of the rows for which a condition holds.", |c, a| { let f = filter(c, a)?; one("maxif", extreme(c, &a[0], max_udaf(), Some(f))?) };
    "make_list", "make_list(value, max_size)", "Collects values in an array; nulls are left out.", |c, a| list::bind(c, a, "list", list::LIST);
    "makelist", "makelist(value, max_size)", "Collects values in an array; the older name of make_list.", |c, a| list::bind(c, a, "list", list::LIST);
    "make_list_if", "make_list_if(value, condition, max_size)", "Collects the values of the rows for which a condition holds.", |c, a| list::bind_if(c, a, "list", list::LIST);
    "make_list_with_nulls", "make_list_with_nulls(value)", "Collects values in an array, nulls too.", |c, a| list::bind(c, a, "list", list::WITH_NULLS);
    "make_set", "make_set(value, max_size)", "Collects distinct values in an array; nulls are left out.", |c, a| list::bind(c, a, "set", list::SET);
    "makeset", "makeset(value, max_size)", "Collects distinct values in an array; the older name of make_set.", |c, a| list::bind(c, a, "set", list::SET);
    "make_set_if", "make_set_if(value, condition, max_size)", "Collects the distinct values of the rows for which a condition holds.", |c, a| list::bind_if(c, a, "set", list::SET);
    "make_bag", "make_bag(bag, max_size)", "Joins property bags.", |c, a| list::bind_bag(c, a, false);
    "make_bag_if", "make_bag_if(bag, condition, max_size)", "Joins the property bags of the rows for which a condition holds.", |c, a| list::bind_bag(c, a, true);
    "make_dictionary", "make_dictionary(bag, max_size)", "Joins property bags; the older name of make_bag.", |c, a| list::bind_bag(c, a, false);
    "arg_max", "arg_max(value, column, ...)", "The columns of the row in which a value is greatest.", |c, a| arg::bind(c, a, true);
    "argmax", "argmax(value, column, ...)", "The columns of the row in which a value is greatest; the older name of arg_max.", |c, a| arg::bind(c, a, true);
    "arg_min", "arg_min(value, column, ...)", "The columns of the row in which a value is least.", |c, a| arg::bind(c, a, false);
    "argmin", "argmin(value, column, ...)", "The columns of the row in which a value is least; the older name of arg_min.", |c, a| arg::bind(c, a, false);
    "take_any", "take_any(column, ...)", "The columns of some row.", |c, a| arg::bind_any(c, a, "");
    "any", "any(column, ...)", "The columns of some row; the older name of take_any.", |c, a| arg::bind_any(c, a, "any");
    "take_anyif", "take_anyif(column, condition)", "A column of some row for which a condition holds.", |c, a| arg::bind_any_if(c, a, "");
    "anyif", "anyif(column, condition)", "A column of some row for which a condition holds; the older name of take_anyif.", |c, a| arg::bind_any_if(c, a, "any");
    "percentile", "percentile(value, percentage)", "The value below or at which a percentage of the values lie.", percentile::bind_one;
    "percentiles", "percentiles(value, percentage, ...)", "A column for each percentage.", percentile::bind_many;
    "percentiles_array", "percentiles_array(value, percentage, ...)", "An array with a value for each percentage.", percentile::bind_array;
    "percentilew", "percentilew(value, weight, percentage)", "A percentile of values that count as often as their weight says.", percentile::bind_weighted_one;
    "percentilesw", "percentilesw(value, weight, percentage, ...)", "Percentiles of values that count as often as their weight says.", percentile::bind_weighted;
    "percentilesw_array", "percentilesw_array(value, weight, percentage, ...)", "An array of percentiles of values that count as often as their weight says.", percentile::bind_weighted_array;
    "hll", "hll(value, accuracy)", "A sketch of the distinct values, for dcount_hll and hll_merge.", |c, a| sketch::hll(c, a, false);
    "hll_if", "hll_if(value, condition, accuracy)", "A sketch of the distinct values of rows for which a condition holds.", |c, a| sketch::hll(c, a, true);
    "hll_merge", "hll_merge(sketch)", "One sketch of the values of all sketches.", sketch::hll_merge;
    "tdigest", "tdigest(number, weight)", "A digest of the numbers, for percentile_tdigest and merge_tdigest.", sketch::tdigest;
    "tdigest_merge", "tdigest_merge(digest)", "One digest of the numbers of all digests.", |c, a| sketch::tdigest_merge(c, a, "tdigest_merge");
    "merge_tdigest", "merge_tdigest(digest)", "One digest of the numbers of all digests.", |c, a| sketch::tdigest_merge(c, a, "merge_tdigest");
    "buildschema", "buildschema(value)", "The least schema that all dynamic values fit.", sketch::buildschema;
    "stdev", "stdev(number)", "The standard deviation of a sample.", |c, a| moments::bind(c, a, "stdev", moments::STDEV);
    "stdevif", "stdevif(number, condition)", "The standard deviation of the rows for which a condition holds.", |c, a| moments::bind_if(c, a, "stdevif", moments::STDEV);
    "stdevp", "stdevp(number)", "The standard deviation of a population.", |c, a| moments::bind(c, a, "stdevp", moments::STDEVP);
    "variance", "variance(number)", "The variance of a sample.", |c, a| moments::bind(c, a, "variance", moments::VARIANCE);
    "varianceif", "varianceif(number, condition)", "The variance of the rows for which a condition holds.", |c, a| moments::bind_if(c, a, "varianceif", moments::VARIANCE);
    "variancep", "variancep(number)", "The variance of a population.", |c, a| moments::bind(c, a, "variancep", moments::VARIANCEP);
    "variancepif", "variancepif(number, condition)", "The variance of a population of the rows for which a condition holds.", |c, a| moments::bind_if(c, a, "variancepif", moments::VARIANCEP);
    "stdevpif", "stdevpif(number, condition)", "The standard deviation of a population of the rows for which a condition holds.", |c, a| moments::bind_if(c, a, "stdevpif", moments::STDEVP);
    "covariance", "covariance(x, y)", "The covariance of a sample.", |c, a| moments::bind_pair(c, a, "covariance", moments::COVARIANCE);
    "covariancep", "covariancep(x, y)", "The covariance of a population.", |c, a| moments::bind_pair(c, a, "covariancep", moments::COVARIANCEP);
    "covarianceif", "covarianceif(x, y, condition)", "The covariance of a sample of the rows for which a condition holds.", |c, a| moments::bind_pair_if(c, a, "covarianceif", moments::COVARIANCE);
    "covariancepif", "covariancepif(x, y, condition)", "The covariance of a population of the rows for which a condition holds.", |c, a| moments::bind_pair_if(c, a, "covariancepif", moments::COVARIANCEP);
    "binary_all_and", "binary_all_and(number)", "The bits that all numbers have.", |c, a| bits(c, a, "binary_all_and", bit_and_udaf());
    "binary_all_or", "binary_all_or(number)", "The bits that any number has.", |c, a| bits(c, a, "binary_all_or", bit_or_udaf());
    "binary_all_xor", "binary_all_xor(number)", "The bits that an odd count of numbers have.", |c, a| bits(c, a, "binary_all_xor", bit_xor_udaf());
}

/// A bound aggregate of one output that is named after the function.
fn one(prefix: &'static str, value: Typed) -> Bound {
    Ok(AggregateTyped {
        outputs: vec![AggregateOutput {
            name: OutputName::Prefix(prefix),
            value,
        }],
    })
}

/// The aggregate of two columns, which it is called after.
fn pair(prefix: &'static str, value: Typed) -> Bound {
    Ok(AggregateTyped {
        outputs: vec![AggregateOutput {
            name: OutputName::Pair(prefix),
            value,
        }],
    })
}

/// The condition of an `...if` function, its second argument.
fn filter(ctx: &BindContext, args: &[Typed]) -> Result<Expr, FunctionError> {
    count(args, 2, 2)?;
    Ok(accept(ctx, &args[1], P::Bool, 1)?.expr)
}

fn aggregate(udaf: Arc<AggregateUDF>, args: Vec<Expr>, filter: Option<Expr>) -> Expr {
    ordered(udaf, args, filter, &[])
}

/// An aggregate that sees its rows in an order.
fn ordered(
    udaf: Arc<AggregateUDF>,
    args: Vec<Expr>,
    filter: Option<Expr>,
    order: &[SortExpr],
) -> Expr {
    Expr::AggregateFunction(DfAggregate::new_udf(
        udaf,
        args,
        false,
        filter.map(Box::new),
        order.to_vec(),
        None,
    ))
}

fn counted(value: Expr, filter: Option<Expr>) -> Typed {
    Typed::new(
        aggregate(count_udaf(), vec![value], filter),
        KustoType::Long,
    )
}

/// `value`, or `otherwise` where it is null.
fn or(value: Expr, otherwise: &Value) -> Expr {
    let missing = Expr::IsNull(Box::new(value.clone()));
    let case = datafusion::logical_expr::expr::Case::new(
        None,
        vec![(Box::new(missing), Box::new(literal(otherwise.clone()).expr))],
        Some(Box::new(value)),
    );
    Expr::Case(case)
}

fn summand(ctx: &BindContext, arg: &Typed, name: &str) -> Result<Typed, FunctionError> {
    match arg.ty {
        KustoType::Int => implicit(ctx, arg, KustoType::Long),
        KustoType::Long | KustoType::Real | KustoType::Decimal | KustoType::TimeSpan => {
            Ok(arg.clone())
        }
        KustoType::Dynamic => implicit(ctx, arg, KustoType::Real),
        KustoType::Bool => implicit(ctx, arg, KustoType::Long),
        ty => Err(
            FunctionError::new(format!("{name} cannot add up values of type {ty}"))
                .at(0)
                .hint("convert with tolong() or todouble()"),
        ),
    }
}

fn sum(ctx: &BindContext, arg: &Typed, filter: Option<Expr>) -> Result<Typed, FunctionError> {
    let value = summand(ctx, arg, "sum")?;
    let zero = match value.ty {
        KustoType::Real => Value::Real(0.0),
        KustoType::Decimal => Value::Decimal(0),
        KustoType::TimeSpan => Value::TimeSpan(0),
        _ => Value::Long(0),
    };
    let total = aggregate(sum_udaf(), vec![value.expr], filter);
    // DataFusion's sum of decimals has another precision than ours.
    let total = if value.ty == KustoType::Decimal {
        cast(total, value.ty.arrow())
    } else {
        total
    };
    Ok(Typed::new(or(total, &zero), value.ty))
}

fn average(ctx: &BindContext, arg: &Typed, filter: Option<Expr>) -> Result<Typed, FunctionError> {
    if matches!(arg.ty, KustoType::DateTime | KustoType::TimeSpan) {
        return Ok(moments::mean_of_ticks(arg, filter));
    }
    let value = summand(ctx, arg, "avg")?;
    let n = aggregate(count_udaf(), vec![value.expr.clone()], filter.clone());
    if value.ty == KustoType::Decimal {
        let total = sum(ctx, &value, filter)?;
        let n = implicit(ctx, &Typed::new(n, KustoType::Long), KustoType::Decimal)?;
        return super::operators::binary(ctx, spoor_kql_syntax::ast::BinaryOp::Divide, total, n);
    }
    let total = cast(sum(ctx, &value, filter)?.expr, KustoType::Real.arrow());
    let mean = binary_expr(total, Operator::Divide, cast(n, KustoType::Real.arrow()));
    Ok(Typed::new(mean, KustoType::Real))
}

fn extreme(
    ctx: &BindContext,
    arg: &Typed,
    udaf: Arc<AggregateUDF>,
    filter: Option<Expr>,
) -> Result<Typed, FunctionError> {
    let value = match arg.ty {
        KustoType::Dynamic | KustoType::Guid => {
            return Err(FunctionError::new(format!(
                "{} have no order",
                match arg.ty {
                    KustoType::Guid => "guids",
                    _ => "dynamic values",
                }
            ))
            .at(0)
            .hint("convert them, for example with tolong() or tostring()"));
        }
        KustoType::Bool => implicit(ctx, arg, KustoType::Bool)?,
        _ => arg.clone(),
    };
    let found = aggregate(udaf, vec![value.expr], filter);
    let found = if value.ty == KustoType::String {
        or(found, &Value::String(String::new()))
    } else {
        found
    };
    Ok(Typed::new(found, value.ty))
}

fn bits(ctx: &BindContext, args: &[Typed], name: &'static str, udaf: Arc<AggregateUDF>) -> Bound {
    count(args, 1, 1)?;
    if !args[0].ty.is_integer() {
        return Err(FunctionError::new(format!(
            "{name} needs whole numbers, not {}",
            article(args[0].ty)
        ))
        .at(0));
    }
    let value = implicit(ctx, &args[0], KustoType::Long)?;
    one(
        name,
        Typed::new(aggregate(udaf, vec![value.expr], None), KustoType::Long),
    )
}
