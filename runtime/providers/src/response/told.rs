//! An outcome as drivers hand it to the kernel: tables, and what is said beside their rows.

use serde_json::Value;
use spoor_protocol::Told;
use spoor_table::Table;

use super::{Cause, Completeness, Outcome, Reason, Render, status};

impl Outcome {
    /// The tables, of which there is at least one, and what the service says of them.
    pub fn told(self) -> (Vec<Table>, Told) {
        let mut partial: Vec<&Reason> = Vec::new();
        for reason in self.completeness.reasons() {
            if !partial.iter().any(|known| is_the_same(known, reason)) {
                partial.push(reason);
            }
        }
        let told = Told {
            partial: partial.into_iter().map(ToString::to_string).collect(),
            render: self.render.map(rendered),
            statistics: self.statistics,
            recorded: None,
        };
        let mut tables: Vec<Table> = self.tables.into_iter().map(|named| named.table).collect();
        if tables.is_empty() {
            tables.push(Table::empty([]));
        }
        (tables, told)
    }

    /// Has `change` look at each text that the service says beside its rows: drivers take out what nobody may see. Names in
    /// objects are left as they are: services make them up, and not from what they were sent.
    pub fn change_texts(&mut self, change: &dyn Fn(&mut String)) {
        if let Completeness::Partial { reasons } = &mut self.completeness {
            for fault in reasons.iter_mut().map(|reason| &mut reason.fault) {
                change(&mut fault.code);
                change(&mut fault.message);
                fault.activity_id.iter_mut().for_each(change);
                for inner in &mut fault.inner {
                    change(&mut inner.code);
                    change(&mut inner.message);
                }
            }
        }
        let properties = self.render.iter_mut().flat_map(|render| {
            change(&mut render.visualization);
            render.properties.iter_mut().map(|(_, value)| value)
        });
        let values = self.statistics.iter_mut().chain(properties);
        values.for_each(|value| change_in(value, change));
    }
}

/// Whether two reasons tell one thing: Kusto tells an error where it happened and again at the end, in other words and with another
/// code.
fn is_the_same(a: &Reason, b: &Reason) -> bool {
    let (one, other) = (&a.fault.message, &b.fault.message);
    let is_within = |part: &str, whole: &str| !part.is_empty() && whole.contains(part);
    let by_service = |reason: &Reason| {
        matches!(reason.cause, Cause::Truncated | Cause::Cancelled)
            && status::cause_of(&reason.fault) == reason.cause
    };
    let is_told = is_within(one, other) || is_within(other, one);
    a.cause == b.cause && (is_told || by_service(a) && by_service(b))
}

fn change_in(value: &mut Value, change: &dyn Fn(&mut String)) {
    match value {
        Value::String(text) => change(text),
        Value::Array(values) => values.iter_mut().for_each(|value| change_in(value, change)),
        Value::Object(object) => object
            .values_mut()
            .for_each(|value| change_in(value, change)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A service's `render` as KQL's: lists of columns are several properties of one name.
fn rendered(render: Render) -> (String, Vec<(String, String)>) {
    let mut properties = Vec::new();
    for (name, value) in render.properties {
        match value {
            Value::Array(values) => {
                let texts = values.into_iter().map(text);
                properties.extend(texts.map(|text| (name.clone(), text)));
            }
            value => properties.push((name, text(value))),
        }
    }
    (render.visualization, properties)
}

fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Fault;
    use super::*;

    fn drawn() -> Outcome {
        Outcome {
            render: Some(Render {
                visualization: "timechart".into(),
                properties: vec![
                    ("title".into(), json!("Failures")),
                    ("ycolumns".into(), json!(["a", "b"])),
                    ("legend".into(), json!(true)),
                ],
            }),
            statistics: Some(json!({ "cpu": 1, "of": ["a"] })),
            ..Outcome::default()
        }
    }

    #[test]
    fn what_a_service_says_of_a_result_is_what_the_cell_says() {
        let (tables, told) = drawn().told();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let properties = vec![
            pair("title", "Failures"),
            pair("ycolumns", "a"),
            pair("ycolumns", "b"),
            pair("legend", "true"),
        ];
        assert_eq!(told.render, Some(("timechart".to_owned(), properties)));
        assert_eq!(tables.len(), 1);
        assert_eq!(tables.first().map(|table| table.columns().len()), Some(0));
    }

    #[test]
    fn an_error_that_kusto_tells_in_several_ways_is_told_once() {
        let mut completeness = Completeness::Complete;
        let mut add = |cause, code: &str, message: &str| {
            let fault = Fault {
                code: code.into(),
                message: message.into(),
                ..Fault::default()
            };
            completeness.add(cause, fault);
        };
        add(Cause::Truncated, "LimitsExceeded", "Request is invalid");
        add(Cause::Truncated, "E_QUERY_RESULT_SET_TOO_LARGE", "too many");
        add(Cause::Service, "A", "the source 'x' is away");
        add(Cause::Service, "B", "General: the source 'x' is away");
        add(Cause::Service, "B", "the source 'y' is away");
        let outcome = Outcome {
            completeness,
            ..Outcome::default()
        };
        let (_, told) = outcome.told();
        assert_eq!(told.partial.len(), 3, "{:?}", told.partial);
    }

    #[test]
    fn every_text_beside_the_rows_can_be_changed() {
        let mut outcome = drawn();
        outcome.change_texts(&|text| *text = text.replace('a', "x"));
        let (_, told) = outcome.told();
        let (_, properties) = told.render.unwrap_or_default();
        let values: Vec<&str> = properties.iter().map(|(_, value)| value.as_str()).collect();
        assert_eq!(values, ["Fxilures", "x", "b", "true"]);
        assert_eq!(told.statistics, Some(json!({ "cpu": 1, "of": ["x"] })));
    }
}
