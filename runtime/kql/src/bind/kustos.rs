//! Kusto's own plugins, which `evaluate` calls as it calls those of others: which there are, and what those that are built do.

use super::documentation::Entry;

/// The plugins that are built: name, form, what it does, an example.
pub(super) const PLUGINS: &[Entry] = &[
    (
        "bag_unpack",
        "bag_unpack(column, OutputColumnPrefix=text, columnsConflict=text, ignoredProperties=array)",
        "Makes a column of each property of the bags in a column. Which there are is found out first, unless `: (*, name: type)` says it.",
        "Logins | evaluate bag_unpack(Details)",
    ),
    (
        "geo_line_lookup",
        "geo_line_lookup(table, line, longitude, latitude, radius, return_unmatched=false, return_lookup_key=false)",
        "Puts beside each row the rows of a table whose line is within some metres of the row's point.",
        "Logins | extend Lon = 1.0, Lat = 2.0 | evaluate geo_line_lookup((print Road = dynamic({\"type\": \"LineString\", \"coordinates\": [[1, 2], [3, 4]]})), Road, Lon, Lat, 100)",
    ),
    (
        "geo_polygon_lookup",
        "geo_polygon_lookup(table, polygon, longitude, latitude, return_unmatched=false, return_lookup_key=false)",
        "Puts beside each row the rows of a table whose polygon the row's point is in.",
        "Logins | extend Lon = 1.0, Lat = 2.0 | evaluate geo_polygon_lookup((print Area = dynamic({\"type\": \"Polygon\", \"coordinates\": [[[0, 0], [3, 0], [3, 3], [0, 0]]]})), Area, Lon, Lat)",
    ),
    (
        "ipv4_lookup",
        "ipv4_lookup(table, address, network, key, ..., return_unmatched=false)",
        "Puts beside each row the rows of a table whose IPv4 network the row's address is in, and whose keys are equal.",
        "Logins | extend Ip = \"10.0.0.1\" | evaluate ipv4_lookup((print Net = \"10.0.0.0/8\", Place = \"here\"), Ip, Net)",
    ),
    (
        "ipv6_lookup",
        "ipv6_lookup(table, address, network, key, ..., return_unmatched=false)",
        "Puts beside each row the rows of a table whose IPv6 network the row's address is in, and whose keys are equal.",
        "Logins | extend Ip = \"10.0.0.1\" | evaluate ipv6_lookup((print Net = \"10.0.0.0/8\", Place = \"here\"), Ip, Net)",
    ),
    (
        "pivot",
        "pivot(column, aggregate, key, ...)",
        "Makes a column of each value of one, with an aggregate of its rows.",
        "Logins | evaluate pivot(Result, count(), User)",
    ),
];

/// Those that are not here yet.
const ABSENT: &[&str] = &[
    "active_users_count",
    "activity_counts_metrics",
    "activity_engagement",
    "activity_metrics",
    "autocluster",
    "basket",
    "cosmosdb_sql_request",
    "dcount_intersect",
    "diffpatterns",
    "funnel_sequence",
    "funnel_sequence_completion",
    "http_request",
    "infer_storage_schema",
    "narrow",
    "new_activity_metrics",
    "preview",
    "rolling_percentile",
    "rows_near",
    "sequence_detect",
    "session_count",
    "sliding_window_counts",
    "sql_request",
];

/// Whether a plugin of Kusto's own has this name. No other may take it: a query means Kusto's.
pub fn is_kustos(name: &str) -> bool {
    PLUGINS.iter().any(|(known, ..)| *known == name) || ABSENT.contains(&name)
}
