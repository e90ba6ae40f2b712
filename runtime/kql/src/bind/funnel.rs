//! `evaluate funnel_sequence(...)` and `evaluate funnel_sequence_completion(...)`: who went through states one after the other. Both are
//! planned as KQL over each id's rows in the order of time. Source: Kusto's documentation of the plugins.

use spoor_kql_syntax::ast::{Argument, Name, Span};
use spoor_table::{KustoType, Value};

use super::relation::Relation;
use super::scope::{Entity, Scope};
use super::written::{column_name, quoted_text};
use super::{Bind, Binder, Stop, kustos};
use crate::functions;

/// States that a sequence may have.
const LONGEST: usize = 32;

/// Ids that are shown of those that went the same way.
const SAMPLES: usize = 128;

/// Which argument is what.
struct Form {
    /// The columns of ids, of times and of states.
    columns: [usize; 3],
    /// Constants, and what the text calls them.
    constants: [(usize, &'static str); 4],
    /// The array of states.
    sequence: usize,
}

/// The arguments of both.
const COUNT: usize = 8;

const SEQUENCE: Form = Form {
    columns: [0, 1, 6],
    constants: [(2, "Start"), (3, "End"), (4, "Longest"), (5, "Step")],
    sequence: 7,
};

const COMPLETION: Form = Form {
    columns: [0, 1, 5],
    constants: [(2, "Start"), (3, "End"), (4, "Step"), (7, "Periods")],
    sequence: 6,
};

/// What a call gives.
struct Funnel {
    id: String,
    time: String,
    time_type: KustoType,
    state: String,
    /// How many states there are: `S0`, `S1` and so on in the text.
    states: usize,
}

impl Binder<'_> {
    pub(super) fn funnel_sequence(
        &mut self,
        input: Relation,
        name: &Name,
        arguments: &[Argument],
        scope: &Scope,
    ) -> Bind<Relation> {
        let (funnel, inner) = self.funnel(&SEQUENCE, &input, name, arguments, scope)?;
        let message = "`funnel_sequence` gives the first of Kusto's three tables, with the states before and after; \
                       the other two are not made";
        self.lacks.push((name.span, message.to_owned()));
        self.text_over(input, &funnel.ways(), &inner, name.span)
    }

    pub(super) fn funnel_sequence_completion(
        &mut self,
        input: Relation,
        name: &Name,
        arguments: &[Argument],
        scope: &Scope,
    ) -> Bind<Relation> {
        let (funnel, inner) = self.funnel(&COMPLETION, &input, name, arguments, scope)?;
        self.text_over(input, &funnel.completion(), &inner, name.span)
    }

    fn funnel(
        &mut self,
        form: &Form,
        input: &Relation,
        name: &Name,
        arguments: &[Argument],
        scope: &Scope,
    ) -> Bind<(Funnel, Scope)> {
        if !input.parts.is_empty() {
            let message = "plugins cannot be called in the subquery of `mv-apply` or `partition`";
            return Err(self.error(name.span, message));
        }
        self.whole(input)?;
        if arguments.len() != COUNT {
            return Err(self.funnel_form(name));
        }
        let mut columns = Vec::new();
        for at in form.columns {
            columns.push(self.funnel_column(&arguments[at], input)?);
        }
        let mut inner = Scope::root();
        for (at, constant) in form.constants {
            let value = &arguments[at].value;
            let typed = self.expression(value, &self.constant_row(scope))?;
            inner = inner.with(constant, Entity::Scalar(typed));
        }
        let states = self.funnel_states(&arguments[form.sequence], scope)?;
        let count = states.len();
        for (at, state) in states.into_iter().enumerate() {
            let state = functions::literal(Value::String(state));
            inner = inner.with(&format!("S{at}"), Entity::Scalar(state));
        }
        let [id, time, state] = columns.as_slice() else {
            return Err(Stop::Reported);
        };
        let ty = input.find(&time.text).map_or(KustoType::Dynamic, |c| c.ty);
        let funnel = Funnel {
            id: quoted_text(&id.text),
            time: quoted_text(&time.text),
            time_type: ty,
            state: quoted_text(&state.text),
            states: count,
        };
        Ok((funnel, inner))
    }

    fn funnel_form(&mut self, name: &Name) -> Stop {
        let message = format!("`{}` is called with other arguments", name.text);
        self.error_hint(name.span, message, kustos::form(&name.text))
    }

    fn funnel_column(&mut self, argument: &Argument, input: &Relation) -> Bind<Name> {
        let column = column_name(&argument.value, input);
        let message = "this must be a column of the table";
        column.ok_or_else(|| self.error(argument.value.span, message))
    }

    /// The states of a sequence, as text.
    fn funnel_states(&mut self, argument: &Argument, scope: &Scope) -> Bind<Vec<String>> {
        let span: Span = argument.value.span;
        let given = self.constant(&argument.value, scope, "the sequence of states")?;
        let states: Vec<String> = match &given {
            Value::Dynamic(states) => {
                let each = states
                    .view()
                    .as_array()
                    .into_iter()
                    .flat_map(|all| all.iter());
                let text = each.map(|s| s.as_str().map_or_else(|| s.to_json(), str::to_owned));
                text.collect()
            }
            _ => Vec::new(),
        };
        if (1..=LONGEST).contains(&states.len()) {
            return Ok(states);
        }
        let message = format!("the sequence is an array of 1 to {LONGEST} states");
        let hint = Some("such as dynamic([\"opened\", \"paid\"])");
        Err(self.error_hint(span, message, hint))
    }
}

impl Funnel {
    /// The rows that count, under names of their own.
    fn rows(&self) -> String {
        format!(
            "Input | where {time} between (Start .. End) \
             | project __id = {id}, __at = {time}, __state = tostring({state}) \
             | sort by __id asc, __at asc",
            time = self.time,
            id = self.id,
            state = self.state,
        )
    }

    /// From which state ids came to the sequence, and to which they went. A state that comes again at once is one state, and no step
    /// of a sequence may take longer than the longest.
    fn ways(&self) -> String {
        let later: String = (1..self.states)
            .map(|n| {
                format!(
                    " and next(__id, {n}) == __id and next(__state, {n}) == S{n} and next(__gap, {n}) <= Longest"
                )
            })
            .collect();
        format!(
            "{rows} \
             | extend __again = iff(row_number() > 1 and __id == prev(__id) and __state == prev(__state), true, false), \
                __gap = __at - prev(__at) \
             | where not(__again) \
             | extend __holds = iff(__state == S0{later}, true, false), \
                __from = iff(__id == prev(__id), prev(__state), ''), __to = iff(__id == next(__id, {k}), next(__state, {k}), '') \
             | where __holds \
             | summarize dcount = dcount(__id), samples = make_set(__id, {SAMPLES}) \
                by {time} = bin_at(__at, Step, Start), ['prev'] = __from, ['next'] = __to \
             | sort by {time} asc, dcount desc, ['prev'] asc, ['next'] asc",
            rows = self.rows(),
            k = self.states,
            time = self.time,
        )
    }

    /// How many ids came how far, for each period that the way from the first state may take.
    fn completion(&self) -> String {
        let steps: String = (0..self.states)
            .map(|n| match n.checked_sub(1) {
                None => "step s0: __state == S0 => __first = __at, __stage = 0; ".to_owned(),
                Some(before) => format!(
                    "step s{n}: __state == S{n} and __id == s{before}.__id => __first = s{before}.__first, __stage = {n}; "
                ),
            })
            .collect();
        let period = match self.time_type {
            KustoType::DateTime | KustoType::TimeSpan => KustoType::TimeSpan,
            other => other,
        };
        format!(
            "{rows} | scan declare (__first: {ty}, __stage: long) with ({steps}) \
             | mv-expand Period = Periods to typeof({period}) \
             | where __at - __first <= Period \
             | summarize dcount = dcount(__id) by {time} = bin_at(__first, Step, Start), __stage, {state} = __state, Period \
             | sort by {time} asc, Period asc, __stage asc \
             | project {time}, {state}, Period, dcount",
            rows = self.rows(),
            ty = self.time_type,
            time = self.time,
            state = self.state,
        )
    }
}
