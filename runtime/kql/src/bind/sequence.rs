//! `evaluate sequence_detect(...)`: rows that follow one another in time, each of which a predicate holds for. It is planned as a `scan`
//! with a step for each predicate. Source: Kusto's documentation of the plugin.

use spoor_kql_syntax::ast::{Argument, Name, Span};
use spoor_table::KustoType;

use super::naming::Projection;
use super::relation::Relation;
use super::scope::{Entity, Scope};
use super::written::{column_name, quoted_text};
use super::{Bind, Binder, Stop};
use crate::typed::Typed;

const FORM: &str = "sequence_detect(time, longest_step, longest_sequence, name = (predicate), ..., dimension, ...)";

impl Binder<'_> {
    pub(super) fn sequence_detect(
        &mut self,
        input: Relation,
        arguments: &[Argument],
        scope: &Scope,
        span: Span,
    ) -> Bind<Relation> {
        self.whole(&input)?;
        let [time, step, whole, rest @ ..] = arguments else {
            return Err(self.sequence_form(span));
        };
        let Some(time) = column_name(&time.value, &input) else {
            return Err(self.error(time.value.span, "this must be the column of times"));
        };
        let mut inner = Scope::root();
        for (name, limit) in [("Step", step), ("Whole", whole)] {
            let row = self.constant_row(scope);
            let value = self.expression(&limit.value, &row)?;
            inner = inner.with(name, Entity::Scalar(value));
        }
        let mut projection = Projection::of(&input.columns);
        let mut predicates: Vec<Name> = Vec::new();
        let mut dimensions: Vec<String> = Vec::new();
        for argument in rest {
            if let Some(name) = &argument.name {
                let row = self.row(&input, scope);
                let holds = self.expression(&argument.value, &row)?;
                let holds = self.condition(holds, argument.value.span)?;
                let hidden = format!("__p{}", predicates.len());
                let (expr, column) = self.computed(&hidden, &Typed::new(holds, KustoType::Bool));
                projection.exprs.push(expr);
                projection.columns.push(column);
                predicates.push(name.clone());
            } else {
                let column = column_name(&argument.value, &input);
                let problem = "this is neither a dimension's column nor name = (predicate)";
                let column = column.ok_or_else(|| self.error(argument.value.span, problem))?;
                dimensions.push(quoted_text(&column.text));
            }
        }
        if predicates.is_empty() {
            return Err(self.sequence_form(span));
        }
        let ty = input.find(&time.text).map_or(KustoType::Dynamic, |c| c.ty);
        let text = sequence_text(&time.text, ty, &predicates, &dimensions);
        let input = self.project_to(input, projection.exprs, projection.columns, span)?;
        self.text_over(input, &text, &inner, span)
    }

    fn sequence_form(&mut self, span: Span) -> Stop {
        let message = "`sequence_detect` is called with other arguments";
        self.error_hint(span, message, Some(FORM))
    }
}

/// The sequences as KQL: a step goes on from the one before it, within its dimensions and its limits.
fn sequence_text(time: &str, ty: KustoType, predicates: &[Name], dimensions: &[String]) -> String {
    let at = quoted_text(time);
    let last = predicates.len() - 1;
    let kept = |upto: usize, from: usize| -> String {
        (0..upto)
            .map(|n| format!("__t{n} = s{from}.__t{n}, "))
            .collect()
    };
    let declared: Vec<String> = (0..=last).map(|n| format!("__t{n}: {ty}")).collect();
    let steps: String = (0..=last)
        .map(|n| match n.checked_sub(1) {
            None => format!("step s0: __p0 => __t0 = {at}; "),
            Some(before) => {
                let same = dimensions.iter().map(|d| format!(" and {d} == s{before}.{d}"));
                format!(
                    "step s{n}: __p{n} and {at} - s{before}.{at} <= Step and {at} - s{before}.__t0 <= Whole{} => {}__t{n} = {at}; ",
                    same.collect::<String>(),
                    kept(n, before)
                )
            }
        })
        .collect();
    let sorted: String = dimensions.iter().map(|d| format!("{d} asc, ")).collect();
    let listed: String = dimensions.iter().map(|d| format!("{d}, ")).collect();
    let times: String = predicates
        .iter()
        .enumerate()
        .map(|(n, name)| {
            let name = quoted_text(&format!("{}_{time}", name.text));
            format!("{name} = __t{n}, ")
        })
        .collect();
    format!(
        "Input | sort by {sorted}{at} asc | scan declare ({}) with ({steps}) | where isnotnull(__t{last}) \
         | project {listed}{times}Duration = __t{last} - __t0",
        declared.join(", ")
    )
}
