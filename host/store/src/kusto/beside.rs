//! What Kusto says beside a result: how to draw it, and how the query went.

use serde_json::{Value, json};

use super::Identity;
use crate::engine::Render;
use crate::pieces::Written;

/// The status of a result that was cut: E_QUERY_RESULT_SET_TOO_LARGE.
pub(super) const TOO_LARGE: i64 = -2_133_196_797;

/// How the query asks to be drawn, as the text of a JSON object: every property, null where the query does not give it.
pub(super) fn visualization(render: Option<&Render>) -> String {
    let given = |name: &str| render.and_then(|render| render.given(name));
    let mut object = json!({ "Visualization": render.map(|render| render.kind.as_str()) });
    for name in [
        "Title",
        "XColumn",
        "Series",
        "YColumns",
        "AnomalyColumns",
        "XTitle",
        "YTitle",
        "XAxis",
        "YAxis",
        "Legend",
        "YSplit",
        "Kind",
    ] {
        object[name] = given(name).map_or(Value::Null, Value::String);
    }
    let is_on = given("accumulate").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    object["Accumulate"] = is_on.into();
    object["IsQuerySorted"] = false.into();
    object["Ymin"] = given("ymin").unwrap_or_else(|| "NaN".into()).into();
    object["Ymax"] = given("ymax").unwrap_or_else(|| "NaN".into()).into();
    object.to_string()
}

/// How a query went, and when: what the tables of completion are made of.
#[derive(Clone, Debug)]
pub(super) struct Went {
    /// ISO 8601.
    pub(super) when: String,
    pub(super) seconds: f64,
    pub(super) identity: Identity,
}

impl Went {
    /// Level, its name, status, its name, type of the event, its name, and payload: a row for each thing that is said.
    pub(super) fn events(&self, written: Written) -> Vec<(u8, &'static str, i64, String, Value)> {
        let ended = match written.cut {
            None => (
                4,
                "Info",
                0,
                "S_OK (0)".to_owned(),
                json!({ "Count": 1, "Text": "Query completed successfully" }),
            ),
            Some(cut) => (
                2,
                "Error",
                TOO_LARGE,
                "E_QUERY_RESULT_SET_TOO_LARGE (80DA0003)".to_owned(),
                json!({ "Count": 1, "Text": cut.told() }),
            ),
        };
        let took = json!({
            "ExecutionTime": self.seconds,
            "dataset_statistics": [{ "table_row_count": written.rows, "table_size": written.bytes }],
        });
        let stats = (6, "Stats", 0, "S_OK (0)".to_owned(), took);
        vec![ended, stats]
    }
}
