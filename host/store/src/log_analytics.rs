//! Answers and errors of Log Analytics' query API, version 1.
//!
//! Sources: Azure Monitor's pages on the API's response format, on its errors and on the `Prefer` options, and the reference of the
//! metadata operation.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};
use spoor_table::Column;

use crate::cells::Spelling;
use crate::engine::{Answer, Fault, Problem, Render, Stop, TableSchema};
use crate::pieces::{Cut, Limits, Pieces, Written};

/// What a client asks for beside rows: the header `Prefer`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prefer {
    /// How the query asks to be drawn.
    pub render: bool,
    /// What the query took.
    pub statistics: bool,
    /// Seconds that the query may take.
    pub wait: Option<u64>,
    /// The whole of what Kusto would say, in its version 1, as Kqlmagic wants it: `ai.response-thinning=false`.
    pub unthinned: bool,
}

impl Prefer {
    /// Reads the header: `wait=60, include-statistics=true, include-render`.
    pub fn read(header: &str) -> Self {
        let mut prefer = Prefer::default();
        for option in header.split([',', ';']) {
            let (name, value) = option.split_once('=').unwrap_or((option, "true"));
            let is_on = !value.trim().eq_ignore_ascii_case("false");
            match name.trim().to_ascii_lowercase().as_str() {
                "include-render" => prefer.render = is_on,
                "include-statistics" => prefer.statistics = is_on,
                "wait" => prefer.wait = value.trim().parse().ok(),
                "ai.response-thinning" => prefer.unthinned = !is_on,
                _ => {}
            }
        }
        prefer
    }
}

/// A result. `seconds` is what the query took.
pub fn answer(answer: Answer, prefer: Prefer, limits: Limits, seconds: f64) -> Pieces {
    let Answer { table, render } = answer;
    let columns: Vec<Value> = table.columns().iter().map(described).collect();
    let start = format!(
        r#"{{"tables":[{{"name":"PrimaryResult","columns":{},"rows":["#,
        Value::Array(columns)
    );
    let render = prefer.render.then(|| rendered(render.as_ref()));
    Pieces::new(limits)
        .text(start)
        .rows(table, Spelling::LogAnalytics)
        .late(move |written| {
            let mut beside = Map::new();
            if prefer.statistics {
                beside.insert("statistics".into(), statistics(seconds, written));
            }
            if let Some(render) = render {
                beside.insert("render".into(), render);
            }
            if let Some(cut) = written.cut {
                beside.insert("error".into(), partial(cut));
            }
            let beside = Value::Object(beside).to_string();
            match beside.strip_prefix('{') {
                Some(fields) if fields.len() > 1 => format!("]}}],{fields}"),
                _ => "]}]}".to_owned(),
            }
        })
}

fn described(column: &Column) -> Value {
    json!({ "name": column.name, "type": column.ty.name() })
}

fn statistics(seconds: f64, written: Written) -> Value {
    json!({ "query": {
        "executionTime": seconds,
        "datasetStatistics": [{ "tableRowCount": written.rows, "tableSize": written.bytes }],
    } })
}

/// Every property, as the service lists them: what the query does not give is null, and `NaN` where a number belongs.
fn rendered(render: Option<&Render>) -> Value {
    let given = |name: &str| render.and_then(|render| render.given(name));
    let text = |name: &str| given(name).map_or(Value::Null, Value::String);
    let number = |name: &str| given(name).unwrap_or_else(|| "NaN".into());
    let truth = |name: &str| given(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let columns = given("ycolumns").map_or(Value::Null, |list| list.split(',').collect());
    json!({
        "visualization": render.map(|render| render.kind.as_str()),
        "title": text("title"),
        "accumulate": truth("accumulate"),
        "isQuerySorted": false,
        "kind": text("kind"),
        "legend": text("legend"),
        "series": text("series"),
        "yMin": number("ymin"),
        "yMax": number("ymax"),
        "xAxis": text("xaxis"),
        "xColumn": text("xcolumn"),
        "xTitle": text("xtitle"),
        "yAxis": text("yaxis"),
        "yColumns": columns,
        "ySplit": text("ysplit"),
        "yTitle": text("ytitle"),
        "anomalyColumns": text("anomalycolumns"),
    })
}

/// What stands beside the rows of a result that is not whole.
fn partial(cut: Cut) -> Value {
    json!({
        "code": "PartialError",
        "message": "There were some errors when processing your query.",
        "details": [{
            "code": "EngineError",
            "message": "Something went wrong processing your query on the server.",
            "innererror": {
                "code": "-2133196797",
                "message": cut.told(),
                "severity": 2,
                "severityName": "Error",
            },
        }],
    })
}

/// An error's status and body. `text` is the query, for places in it.
pub fn failure(problem: &Problem, text: &str) -> (StatusCode, Value) {
    let invalid = "The request had some invalid properties";
    let (status, code, message) = match problem.fault {
        Fault::Syntax | Fault::Semantic => (StatusCode::BAD_REQUEST, "BadArgumentError", invalid),
        Fault::Stopped(Stop::TimeUp) => (
            StatusCode::GATEWAY_TIMEOUT,
            "GatewayTimeout",
            "The query took longer than it may",
        ),
        Fault::Stopped(_) => (
            StatusCode::BAD_REQUEST,
            "QueryCancelled",
            "The query was cancelled",
        ),
        Fault::Failed => (
            StatusCode::BAD_REQUEST,
            "QueryExecutionError",
            "The query could not be run to its end",
        ),
        Fault::Broken => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "InternalServerError",
            "An internal error occurred",
        ),
    };
    (status, error(code, message, Some(inner(problem, text))))
}

fn inner(problem: &Problem, text: &str) -> Value {
    let (code, detail) = match problem.fault {
        Fault::Syntax => ("SyntaxError", "SYN0002"),
        Fault::Semantic => ("SemanticError", "SEM0100"),
        Fault::Stopped(_) | Fault::Failed | Fault::Broken => {
            return json!({ "code": "EngineError", "message": problem.told() });
        }
    };
    let within = match problem.place(text) {
        Some(place) => json!({
            "code": detail,
            "message": format!("{} on line [{},{}]", problem.told(), place.line, place.column),
            "line": place.line,
            "pos": place.column,
            "token": place.token,
        }),
        None => json!({ "code": detail, "message": problem.told() }),
    };
    let message = match problem.fault {
        Fault::Syntax => "A recognition error occurred in the query.",
        _ => "A semantic error occurred.",
    };
    json!({ "code": code, "message": message, "innererror": within })
}

/// An error's body.
pub fn error(code: &str, message: &str, inner: Option<Value>) -> Value {
    let mut error = json!({ "message": message, "code": code });
    if let (Some(inner), Some(fields)) = (inner, error.as_object_mut()) {
        fields.insert("innererror".into(), inner);
    }
    json!({ "error": error })
}

/// The tables of a workspace, as its metadata tells them.
pub fn metadata(workspace: &str, tables: &[TableSchema]) -> Value {
    let told = |table: &TableSchema| {
        json!({
            "id": format!("t/{}", table.name),
            "name": table.name,
            "timespanColumn": time_column(table),
            "columns": table.columns.iter().map(described).collect::<Vec<_>>(),
        })
    };
    let ids: Vec<String> = tables
        .iter()
        .map(|table| format!("t/{}", table.name))
        .collect();
    json!({
        "tables": tables.iter().map(told).collect::<Vec<_>>(),
        "workspaces": [{ "id": workspace, "name": workspace, "tables": ids }],
    })
}

fn time_column(table: &TableSchema) -> Option<&'static str> {
    let has = table
        .columns
        .iter()
        .any(|column| column.name == "TimeGenerated");
    has.then_some("TimeGenerated")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use spoor_protocol::Mistake;
    use spoor_table::{KustoType, Table, Value as Own};

    use super::*;

    fn table() -> Table {
        let columns = vec![Column::new("n", KustoType::Long)];
        Table::from_values(columns, &[vec![Own::Long(1)], vec![Own::Long(2)]]).unwrap()
    }

    #[test]
    fn preferences() {
        let read = Prefer::read("wait=30,include-statistics=true,include-render=true");
        let all = Prefer {
            render: true,
            statistics: true,
            wait: Some(30),
            unthinned: false,
        };
        assert_eq!(read, all);
        assert!(Prefer::read("ai.response-thinning=false, wait=9").unthinned);
        assert!(!Prefer::read("ai.response-thinning=true").unthinned);
        let some = Prefer::read("include-render, respond-async, include-statistics=false");
        assert!(some.render && !some.statistics && some.wait.is_none());
    }

    #[test]
    fn a_result_and_what_stands_beside_it() {
        let plain = Answer {
            table: table(),
            render: None,
        };
        let room = Limits {
            rows: 9,
            bytes: 999,
        };
        assert_eq!(
            answer(plain, Prefer::default(), room, 0.0).whole(),
            r#"{"tables":[{"name":"PrimaryResult","columns":[{"name":"n","type":"long"}],"rows":[[1],[2]]}]}"#
        );
        let render = Render {
            kind: "piechart".into(),
            properties: vec![("title".into(), "x".into())],
        };
        let full = Answer {
            table: table(),
            render: Some(render),
        };
        let limits = Limits {
            rows: 1,
            bytes: 100,
        };
        let text = answer(full, Prefer::read("include-render"), limits, 0.5).whole();
        let read: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["render"]["visualization"], "piechart");
        assert_eq!(read["render"]["title"], "x");
        assert_eq!(read["error"]["code"], "PartialError");
        assert_eq!(read["tables"][0]["rows"], json!([[1]]));
        assert!(read.get("statistics").is_none());
    }

    #[test]
    fn errors_have_their_place() {
        let mistakes = vec![Mistake {
            start: 4,
            end: 9,
            message: "no".into(),
            hint: None,
        }];
        let problem = Problem {
            mistakes,
            ..Problem::new(Fault::Syntax, "no such operator")
        };
        let (status, body) = failure(&problem, "T\n| wheer x");
        let innermost = &body["error"]["innererror"]["innererror"];
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert_eq!(
            (&innermost["line"], &innermost["pos"]),
            (&json!(2), &json!(3))
        );
        assert_eq!(innermost["token"], "wheer");
    }
}
