//! How a query asks to be drawn, under the names that KQL's `render` has for it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What `| render` said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Render {
    /// The visualization: `timechart`, `piechart`, ...
    pub visualization: String,
    /// Its properties that were given, by their names in KQL: `title`, `xcolumn`, `ysplit`, ...; in the service's order.
    pub properties: Vec<(String, Value)>,
}

impl Render {
    /// Of a service's object, whose names Log Analytics begins in lower and Kusto in upper case; `None` where the query has
    /// no `render`.
    pub(super) fn of(object: &Map<String, Value>) -> Option<Self> {
        let mut visualization = None;
        let mut properties = Vec::new();
        for (name, value) in object {
            let name = name.to_ascii_lowercase();
            if name == "visualization" {
                visualization = value.as_str().filter(|text| !text.is_empty());
            } else if is_given(value) {
                properties.push((name, value.clone()));
            }
        }
        let visualization = visualization?.to_owned();
        Some(Render {
            visualization,
            properties,
        })
    }
}

/// Services list every property. Those that the query does not give are null, empty, or the text `NaN`.
fn is_given(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty() && text != "NaN",
        _ => true,
    }
}
