//! Kusto's own plugins, which `evaluate` calls as it calls those of others: which there are, and what those that are built do.

use super::documentation::Entry;

/// The plugins that are built: name, form, what it does, an example.
pub(super) const PLUGINS: &[Entry] = &[
    (
        "active_users_count",
        "active_users_count(id, time, start, end, lookback, period, least_periods, bin, dimension, ...)",
        "Counts, bin by bin, the ids that were seen in so many periods of the time before.",
        "Logins | evaluate active_users_count(User, When, ago(30d), now(), 8d, 1d, 3, 7d)",
    ),
    (
        "activity_counts_metrics",
        "activity_counts_metrics(id, time, start, end, window, dimension, ...)",
        "Rows, ids, new ids and all ids so far, for each window of time.",
        "Logins | evaluate activity_counts_metrics(User, When, ago(7d), now(), 1d)",
    ),
    (
        "activity_engagement",
        "activity_engagement(id, time, start, end, inner_window, outer_window, dimension, ...)",
        "The ids of each inner window, as a share of those of the outer window that ends with it.",
        "Logins | evaluate activity_engagement(User, When, ago(30d), now(), 1d, 7d)",
    ),
    (
        "activity_metrics",
        "activity_metrics(id, time, start, end, window, dimension, ...)",
        "Ids and new ids of each window, and which shares of the window before came again or stayed away.",
        "Logins | evaluate activity_metrics(User, When, ago(30d), now(), 7d)",
    ),
    (
        "autocluster",
        "autocluster(size_weight=0.5, '~', seeds=25)",
        "Groups of rows that have some values in common, chosen so that a few of them say much of many rows; an empty value stands for any.",
        "Logins | project User, Result | evaluate autocluster()",
    ),
    (
        "bag_unpack",
        "bag_unpack(column, OutputColumnPrefix=text, columnsConflict=text, ignoredProperties=array)",
        "Makes a column of each property of the bags in a column. Which there are is found out first, unless `: (*, name: type)` says it.",
        "Logins | evaluate bag_unpack(Details)",
    ),
    (
        "basket",
        "basket(share=0.05, '~', dimensions=5)",
        "Values that come together in a share of the rows at least, the most frequent first; an empty value stands for any.",
        "Logins | project User, Result | evaluate basket(0.1)",
    ),
    (
        "dcount_intersect",
        "dcount_intersect(sketch, ...)",
        "How many values the first sketch has, how many the first two have in common, the first three, and so on.",
        "Logins | summarize All = hll(User), Failed = hll_if(User, Result != 0) | evaluate dcount_intersect(All, Failed)",
    ),
    (
        "diffpatterns",
        "diffpatterns(column, a, b, '~', threshold=0.05, dimensions)",
        "Values that are much more frequent where a column is a than where it is b, or the other way; an empty value stands for any.",
        "Logins | extend Failed = Result != 0 | project User, Failed | evaluate diffpatterns(Failed, true, false)",
    ),
    (
        "funnel_sequence",
        "funnel_sequence(id, time, start, end, longest_step, bin, state, sequence)",
        "The ids that went through states one after the other, by the state that each came from and the one that it went to, \
         with up to 128 of them. Kusto's further tables, of the states before and of those after alone, are not made.",
        "Logins | evaluate funnel_sequence(User, When, ago(7d), now(), 10m, 1d, Result, dynamic([1, 0]))",
    ),
    (
        "funnel_sequence_completion",
        "funnel_sequence_completion(id, time, start, end, bin, state, sequence, longest_sequences)",
        "How many ids came as far as each state of a sequence, for each time that this may take.",
        "Logins | evaluate funnel_sequence_completion(User, When, ago(7d), now(), 1d, Result, dynamic([1, 0]), dynamic([10m, 1h]))",
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
        "narrow",
        "narrow()",
        "Makes a row of each value: the row's number, the column's name, the value as text.",
        "Logins | evaluate narrow()",
    ),
    (
        "new_activity_metrics",
        "new_activity_metrics(id, time, start, end, window, cohort, dimension, ..., lookback)",
        "Of the ids that are new in a window, how many come again in each later one, and how many newer ones that has. The window \
         may be \"week\", \"month\" or \"year\"; the cohort picks one; ids in the table of the past are never new.",
        "Logins | evaluate new_activity_metrics(User, When, ago(28d), now(), 7d)",
    ),
    (
        "pivot",
        "pivot(column, aggregate, key, ...)",
        "Makes a column of each value of one, with an aggregate of its rows.",
        "Logins | evaluate pivot(Result, count(), User)",
    ),
    (
        "rolling_percentile",
        "rolling_percentile(value, percentile, index, bin, bins, dimension, ...)",
        "A percentile of the values in each window of so many bins.",
        "Logins | evaluate rolling_percentile(Result, 50, When, 1d, 3)",
    ),
    (
        "rows_near",
        "rows_near(condition, rows_before, rows_after)",
        "The rows for which a condition holds, with so many rows before and after each.",
        "Logins | sort by When asc | evaluate rows_near(Result != 0, 1)",
    ),
    (
        "schema_merge",
        "schema_merge(preserve_order=true)",
        "One schema of several, which getschema gave; columns that do not agree are marked.",
        "union (Logins | getschema), (Hosts | getschema) | evaluate schema_merge()",
    ),
    (
        "sequence_detect",
        "sequence_detect(time, longest_step, longest_sequence, name=(predicate), ..., dimension, ...)",
        "Rows that follow one another, each for a predicate: when each came, and how long the whole took.",
        "Logins | evaluate sequence_detect(When, 5m, 1h, failed=(Result != 0), then=(Result == 0), User)",
    ),
    (
        "session_count",
        "session_count(id, time, start, end, bin, lookback, dimension, ...)",
        "Counts, bin by bin, the sessions that begin: an id's rows with no gap as long as the lookback.",
        "Logins | evaluate session_count(User, When, ago(1d), now(), 1h, 30m)",
    ),
    (
        "sliding_window_counts",
        "sliding_window_counts(id, time, start, end, lookback, bin, dimension, ...)",
        "Rows and ids of the window that ends with each bin.",
        "Logins | evaluate sliding_window_counts(User, When, ago(7d), now(), 3d, 1d)",
    ),
];

/// How one of them is called.
pub(super) fn form(name: &str) -> Option<&'static str> {
    let mut known = PLUGINS.iter().filter(|(known, ..)| *known == name);
    known.next().map(|(_, form, ..)| *form)
}

/// Those that are not here yet.
pub(super) const ABSENT: &[&str] = &[
    "cosmosdb_sql_request",
    "http_request",
    "infer_storage_schema",
    "preview",
    "sql_request",
];

/// Whether a plugin of Kusto's own has this name. No other may take it: a query means Kusto's.
pub fn is_kustos(name: &str) -> bool {
    PLUGINS.iter().any(|(known, ..)| *known == name) || ABSENT.contains(&name)
}
