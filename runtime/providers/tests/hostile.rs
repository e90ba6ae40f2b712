//! Bytes that mean harm: an error or a result within its limits, never a panic, whatever comes.
#![allow(clippy::unwrap_used)]

mod show;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use spoor_providers::config::{Config, Limits};
use spoor_providers::endpoint::{Allow, Origin};
use spoor_providers::response::{Answer, Decoder, Form, decode, decode_schema, failure};
use spoor_providers::retry::wait_of;

const FORMS: [Form; 5] = [
    Form::LogAnalytics,
    Form::KustoV1,
    Form::KustoV2,
    Form::Defender,
    Form::ResourceGraph,
];

const BODIES: [(Form, &str); 8] = [
    (
        Form::LogAnalytics,
        include_str!("data/types.log-analytics.json"),
    ),
    (
        Form::LogAnalytics,
        include_str!("data/permissions.log-analytics.json"),
    ),
    (
        Form::LogAnalytics,
        include_str!("data/late.log-analytics.json"),
    ),
    (
        Form::KustoV2,
        include_str!("data/progressive.kusto-v2.json"),
    ),
    (Form::KustoV2, include_str!("data/status.kusto-v2.json")),
    (Form::KustoV1, include_str!("data/query.kusto-v1.json")),
    (Form::Defender, include_str!("data/hunt.defender.json")),
    (
        Form::ResourceGraph,
        include_str!("data/table.resource-graph.json"),
    ),
];

const LIMITS: Limits = Limits {
    timeout_seconds: 1,
    rows: 20,
    bytes: 1 << 16,
    concurrent: 1,
};

/// Reads a body in one go and in parts: both fail, or both come to the same within the limits.
fn read(form: Form, body: &[u8], part: usize) {
    let headers = &[("retry-after", "x")];
    let answer = Answer {
        status: 200,
        headers,
        body,
    };
    let whole = decode(form, LIMITS, &answer);
    let mut decoder = Decoder::new(form, LIMITS, headers);
    let pushed = body
        .chunks(part.max(1))
        .try_for_each(|part| decoder.push(part).map(drop));
    let parts = pushed.and_then(|()| decoder.finish());
    match (&whole, &parts) {
        (Ok(whole), Ok(parts)) => assert_eq!(show::show(whole), show::show(parts)),
        (Err(_), Err(_)) => {}
        (whole, parts) => panic!(
            "{form:?}: {:?} in one go, {:?} in parts",
            whole.is_ok(),
            parts.is_ok()
        ),
    }
    if let Ok(outcome) = whole {
        assert!(outcome.rows() <= LIMITS.rows);
        for named in &outcome.tables {
            let columns = named.table.columns().len();
            assert!(
                named
                    .table
                    .batches()
                    .iter()
                    .all(|batch| batch.num_columns() == columns)
            );
        }
    }
    for form in [Form::LogAnalyticsSchema, Form::KustoSchema] {
        drop(decode_schema(form, LIMITS, &answer));
    }
    let config: Config = toml::from_str("[workspaces.w]\nkind = 'defender'").unwrap();
    let workspace = &config.check().unwrap().list()[0].clone();
    let error = failure(
        workspace,
        &Answer {
            status: 400,
            ..answer
        },
    );
    drop(error.to_fetch_error("T | x\n| y"));
}

/// Scraps of the protocols, put together without sense.
fn scrap() -> impl Strategy<Value = String> {
    let words = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "null",
        "true",
        "1",
        "-1",
        "1e400",
        "18446744073709551616",
        "\"\"",
        "\"x\"",
        "\"NaN\"",
        "\"rows\":",
        "\"columns\":",
        "\"tables\":",
        "\"Tables\":",
        "\"Rows\":",
        "\"Columns\":",
        "\"FrameType\":",
        "\"DataTable\"",
        "\"TableHeader\"",
        "\"TableFragment\"",
        "\"TableCompletion\"",
        "\"DataSetCompletion\"",
        "\"TableId\":1",
        "\"TableId\":",
        "\"TableKind\":\"PrimaryResult\"",
        "\"TableFragmentType\":\"DataReplace\"",
        "\"schema\":",
        "\"results\":",
        "\"data\":",
        "\"name\":\"N\"",
        "\"type\":\"long\"",
        "\"ColumnName\":\"N\"",
        "\"ColumnType\":\"dynamic\"",
        "\"error\":",
        "\"innererror\":",
        "\"OneApiErrors\":",
        "\"RowCount\":",
        "\"line\":",
        "\"pos\":18446744073709551615",
        "\"\\ud800\"",
        "\u{feff}",
        " ",
    ];
    vec(select(words.to_vec()), 0..60).prop_map(|words| words.concat())
}

/// Any JSON, shallow and small, with the protocols' own names among its keys.
fn json() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value;
    let keys = [
        "tables",
        "Tables",
        "name",
        "type",
        "columns",
        "rows",
        "Rows",
        "Columns",
        "ColumnName",
        "ColumnType",
        "FrameType",
        "TableId",
        "TableKind",
        "schema",
        "results",
        "data",
        "$skipToken",
        "error",
        "innererror",
        "details",
        "permissions",
        "render",
        "statistics",
        "resources",
        "dataSources",
        "denyTables",
        "message",
        "@context",
        "OneApiErrors",
    ];
    let texts = [
        "PrimaryResult",
        "long",
        "string",
        "dynamic",
        "DataTable",
        "DataSetHeader",
        "v2.0",
        "x",
        "1",
        "{\"a\":1}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        select(texts.to_vec()).prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 60, 6, move |inner| {
        let entry = (select(keys.to_vec()), inner.clone());
        prop_oneof![
            vec(inner, 0..5).prop_map(Value::from),
            vec(entry, 0..6).prop_map(|entries| entries
                .into_iter()
                .map(|(k, v)| (k.to_owned(), v))
                .collect()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(form in select(FORMS.to_vec()), body in vec(any::<u8>(), 0..300), part in 1_usize..50) {
        read(form, &body, part);
    }

    #[test]
    fn any_scraps(form in select(FORMS.to_vec()), body in scrap(), part in 1_usize..50) {
        read(form, body.as_bytes(), part);
    }

    #[test]
    fn any_json(form in select(FORMS.to_vec()), body in json(), part in 1_usize..50) {
        read(form, body.to_string().as_bytes(), part);
    }

    #[test]
    fn answers_with_a_few_bytes_changed(
        at in select(BODIES.to_vec()),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        part in 1_usize..200,
    ) {
        let (form, body) = at;
        let mut body = body.as_bytes().to_vec();
        for (index, byte) in changes {
            let index = index.index(body.len());
            body[index] = byte;
        }
        read(form, &body, part);
    }

    #[test]
    fn answers_with_a_part_cut_out_or_doubled(
        at in select(BODIES.to_vec()),
        range in any::<(prop::sample::Index, prop::sample::Index)>(),
        doubled in any::<bool>(),
    ) {
        let (form, body) = at;
        let body = body.as_bytes();
        let (a, b) = (range.0.index(body.len()), range.1.index(body.len()));
        let (start, end) = (a.min(b), a.max(b));
        let again = if doubled { start } else { end };
        read(form, &[&body[..if doubled { end } else { start }], &body[again..]].concat(), 64);
    }

    #[test]
    fn every_address_that_passes_is_the_server(
        text in "(https?|HTTPS|ws):(//|/|\\\\\\\\)?([-a-z.@:%\\\\/#?]{0,3})api\\.example([-a-z0-9.@:%\\\\/#?\t ]{0,8})(@evil\\.example)?",
    ) {
        let server = Origin::parse("https://api.example", Allow::default()).unwrap();
        if let Ok(url) = server.check(&text) {
            prop_assert_eq!(url.host_str(), Some("api.example"));
            prop_assert_eq!((url.scheme(), url.port_or_known_default()), ("https", Some(443)));
            prop_assert!(url.username().is_empty() && url.password().is_none());
        }
    }

    #[test]
    fn any_origin_and_any_wait(text in any::<String>()) {
        drop(Origin::parse(&text, Allow { plain_loopback: true }));
        let _ = wait_of(&text, std::time::Duration::from_secs(1));
    }

    #[test]
    fn any_configuration(
        kind in select(vec!["log-analytics", "kusto", "defender", "resource-graph", "spoor", "local"]),
        fields in proptest::collection::btree_map(
            select(vec!["cloud", "endpoint", "authority", "scope", "tenant", "client-id", "database", "workspace-id"]),
            "(custom|public|https://|HTTPS:|api://|a\\.kusto\\.windows\\.net|graph\\.microsoft\\.com|login\\.microsoftonline\\.com|é|/|:| |[0-9a-f]){0,6}",
            0..6,
        ),
    ) {
        let fields: String = fields.iter().map(|(name, value)| format!("{name} = '{value}'\n")).collect();
        let config: Config = toml::from_str(&format!("[workspaces.w]\nkind = '{kind}'\n{fields}")).unwrap();
        match config.check() {
            Ok(made) => prop_assert_eq!(made.list().len(), 1),
            Err(mistakes) => prop_assert!(!mistakes.is_empty()),
        }
    }
}
