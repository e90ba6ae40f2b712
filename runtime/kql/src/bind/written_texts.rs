//! The texts of the plugins that `written` plans.

use spoor_table::Value;

/// A plugin as KQL.
pub(super) struct Written {
    pub name: &'static str,
    /// How it is called.
    pub form: &'static str,
    /// The columns that have a part in it; `$part` in the text.
    pub columns: &'static [&'static str],
    /// The names of its constants, for each number of them that it takes.
    pub constants: &'static [&'static [&'static str]],
    /// What a constant is that is not given.
    pub defaults: &'static [(&'static str, Value)],
    /// Whether further columns tell results apart; `$dims` in the text, each after a comma.
    pub dimensions: bool,
    /// Whether a table of ids may be given that were there before: `Lookback` in the text.
    pub lookback: bool,
    /// What is made of the rows, which are `Input`. Besides the columns there are `$dims_first` and `$dims_changed` for sorting by
    /// dimensions, `$from_` and `$to_` before a column for names like its own, `$time_bin` and `$steps` for windows, and
    /// `$cohort` and `$past` for what may be left out.
    pub text: &'static str,
}

impl Written {
    /// The names of so many constants; none where the plugin takes another number.
    pub(super) fn constants_of(&self, count: usize) -> Option<&'static [&'static str]> {
        let mut known = self.constants.iter().copied();
        known.find(|names| names.len() == count)
    }
}

/// The plugin called `name`, if it is one of these.
pub(super) fn written(name: &str) -> Option<&'static Written> {
    WRITTEN.iter().find(|plugin| plugin.name == name)
}

/// From when to when, each within a window.
const SPAN: &[&str] = &["Start", "End", "Window"];

const WRITTEN: &[Written] = &[
    Written {
        name: "active_users_count",
        form: "active_users_count(id, time, start, end, lookback, period, least_periods, bin, dimension, ...)",
        columns: &["id", "time"],
        constants: &[&["Start", "End", "Lookback", "Period", "Least", "Bin"]],
        defaults: &[],
        dimensions: true,
        lookback: false,
        text: "let Seen = Input | where $time > Start - Lookback and $time <= End \
                | summarize by $id, __at = bin_at($time, Period, Start)$dims; \
            Seen | where __at between (Start .. End) \
            | join kind=inner (Seen | project $id, __past = __at$dims) on $id$dims \
            | where __past <= __at and __past > __at - Lookback \
            | summarize __periods = count() by $id, __at$dims \
            | where __periods >= Least \
            | summarize dcount = dcount($id) by $time = bin_at(__at, Bin, Start)$dims",
    },
    Written {
        name: "activity_counts_metrics",
        form: "activity_counts_metrics(id, time, start, end, window, dimension, ...)",
        columns: &["id", "time"],
        constants: &[SPAN],
        defaults: &[],
        dimensions: true,
        lookback: false,
        text: "let Seen = Input | where $time between (Start .. End) | extend __at = bin_at($time, Window, Start); \
            let First = Seen | summarize __at = min(__at) by $id$dims | summarize __new = dcount($id) by __at$dims; \
            Seen | summarize ['count'] = count(), dcount = dcount($id) by __at$dims \
            | join kind=leftouter First on __at$dims \
            | extend new_dcount = coalesce(__new, 0) \
            | sort by $dims_first__at asc \
            | extend aggregated_dcount = row_cumsum(new_dcount, row_number() == 1$dims_changed) \
            | project $time = __at$dims, ['count'], dcount, new_dcount, aggregated_dcount",
    },
    Written {
        name: "activity_engagement",
        form: "activity_engagement(id, time, start, end, inner_window, outer_window, dimension, ...)",
        columns: &["id", "time"],
        constants: &[&["Start", "End", "Inner", "Outer"]],
        defaults: &[],
        dimensions: true,
        lookback: false,
        text: "let Seen = Input | where $time between (Start .. End) | summarize by $id, __at = bin_at($time, Inner, Start)$dims; \
            Seen | summarize dcount_activities_inner = dcount($id) by __at$dims \
            | join kind=inner (Seen | mv-expand __then = range(__at, __at + Outer, Inner) to typeof($time_type) \
                | where __then < __at + Outer \
                | summarize dcount_activities_outer = dcount($id) by __at = __then$dims) on __at$dims \
            | project $time = __at$dims, dcount_activities_inner, dcount_activities_outer, \
                activity_ratio = todouble(dcount_activities_inner) / dcount_activities_outer",
    },
    Written {
        name: "activity_metrics",
        form: "activity_metrics(id, time, start, end, window, dimension, ...)",
        columns: &["id", "time"],
        constants: &[SPAN],
        defaults: &[],
        dimensions: true,
        lookback: false,
        text: "let Seen = Input | where $time between (Start .. End) | summarize by $id, __at = bin_at($time, Window, Start)$dims; \
            let First = Seen | summarize __at = min(__at) by $id$dims | summarize __new = dcount($id) by __at$dims; \
            let Next = Seen | project $id, __at = __at + Window$dims; \
            let Kept = Seen | join kind=inner Next on $id, __at$dims | summarize __kept = dcount($id) by __at$dims; \
            let Before = Next | summarize __before = dcount($id) by __at$dims; \
            Seen | summarize dcount_values = dcount($id) by __at$dims \
            | join kind=leftouter First on __at$dims | join kind=leftouter Kept on __at$dims | join kind=leftouter Before on __at$dims \
            | extend retention_rate = iff(isnull(__before), real(nan), todouble(coalesce(__kept, 0)) / __before) \
            | project $time = __at$dims, dcount_values, dcount_newvalues = coalesce(__new, 0), retention_rate, churn_rate = 1 - retention_rate",
    },
    Written {
        name: "new_activity_metrics",
        form: "new_activity_metrics(id, time, start, end, window, cohort, dimension, ..., lookback)",
        columns: &["id", "time"],
        constants: &[SPAN, &["Start", "End", "Window", "Cohort"]],
        defaults: &[],
        dimensions: true,
        lookback: true,
        text: "let Seen = Input | where $time between (Start .. End) | summarize by $id, __at = $time_bin$dims; \
            let First = Seen$past | summarize __first = min(__at) by $id$dims; \
            let Kept = Seen | join kind=inner First on $id$dims | summarize __kept = dcount($id) by __first, __to = __at$dims; \
            let Pairs = Kept | where __first == __to$cohort | project __first, __size = __kept$dims$steps; \
            let Later = Kept | project __from = __first, __to, __kept$dims; \
            let New = Pairs | join kind=inner Later on __to$dims | where __from > __first \
                | summarize __new = sum(__kept) by __first, __to$dims; \
            Pairs | join kind=leftouter Kept on __first, __to$dims | join kind=leftouter New on __first, __to$dims \
            | sort by $dims_first__first asc, __to asc \
            | extend __kept = coalesce(__kept, 0) \
            | project $from_time = __first, $to_time = __to, \
                dcount_new_values = iff(__first == __to, __size, coalesce(__new, 0)), \
                dcount_retained_values = __kept, dcount_churn_values = __size - __kept, \
                retention_rate = todouble(__kept) / __size, churn_rate = todouble(__size - __kept) / __size$dims",
    },
    Written {
        name: "rolling_percentile",
        form: "rolling_percentile(value, percentile, index, bin, bins, dimension, ...)",
        columns: &["value", "index"],
        constants: &[&["Percentile", "Bin", "Bins"]],
        defaults: &[],
        dimensions: true,
        lookback: false,
        text: "let Seen = Input | extend __at = bin($index, Bin); \
            Seen | mv-expand __then = range(__at, __at + Bin * Bins, Bin) to typeof($index_type) | where __then < __at + Bin * Bins \
            | join kind=inner (Seen | summarize by __then = __at$dims) on __then$dims \
            | summarize $result = percentile($value, Percentile) by $index = __then$dims",
    },
    Written {
        name: "schema_merge",
        form: "schema_merge(preserve_order)",
        columns: &[],
        constants: &[&[], &["Keep"]],
        defaults: &[("Keep", Value::Bool(true))],
        dimensions: false,
        lookback: false,
        text: "Input | summarize __low = min(ColumnOrdinal), __high = max(ColumnOrdinal), __types = dcount(ColumnType), \
                DataType = take_any(DataType), ColumnType = take_any(ColumnType) by ColumnName \
            | extend __why = case(__types > 1, 'type mismatch', Keep and __low != __high, 'columns are out of order', '') \
            | extend ColumnType = iff(__why == '', ColumnType, strcat('ERROR(', __why, ')')) \
            | sort by __low asc, __high asc \
            | project ColumnName, ColumnOrdinal = iff(__why == '', tolong(__low), -1), \
                DataType = iff(__why == '', DataType, strcat('ERROR(unknown CSL type:', ColumnType, ')')), ColumnType",
    },
    Written {
        name: "session_count",
        form: "session_count(id, time, start, end, bin, lookback, dimension, ...)",
        columns: &["id", "time"],
        constants: &[&["Start", "End", "Bin", "Lookback"]],
        defaults: &[],
        dimensions: true,
        lookback: false,
        text: "Input | where $time between (Start .. End) \
            | sort by $dims_first$id asc, $time asc \
            | extend __begins = row_number() == 1 or $id != prev($id) or $time - prev($time) >= Lookback$dims_changed \
            | where __begins \
            | summarize count_sessions = count() by $time = bin($time, Bin)$dims",
    },
    Written {
        name: "sliding_window_counts",
        form: "sliding_window_counts(id, time, start, end, lookback, bin, dimension, ...)",
        columns: &["id", "time"],
        constants: &[&["Start", "End", "Lookback", "Bin"]],
        defaults: &[],
        dimensions: true,
        lookback: false,
        text: "Input | where $time > Start - Lookback and $time <= End \
            | extend __at = bin_at($time, Bin, Start) \
            | mv-expand __then = range(__at, __at + Lookback, Bin) to typeof($time_type) \
            | where __then < __at + Lookback and __then between (Start .. End) \
            | summarize Count = count(), Dcount = dcount($id) by $time = __then$dims",
    },
];
