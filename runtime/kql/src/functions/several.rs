//! Functions that give several columns where they stand alone in `extend`, `project` or `print`: each is another function's property bag,
//! taken apart.

use spoor_table::KustoType;

use crate::typed::Documentation;

use KustoType::{Dynamic, Long, Real};

/// One of them.
pub struct Several {
    /// Kusto's name.
    pub name: &'static str,
    /// For people.
    pub docs: Documentation,
    /// The function that gives the bag.
    pub of: &'static str,
    /// The bag's properties, which columns are called after, and their types.
    pub parts: &'static [(&'static str, KustoType)],
}

macro_rules! several {
    ($($name:literal, $signature:literal, $summary:literal, $of:literal, $parts:expr;)*) => {
        pub(super) const FUNCTIONS: &[Several] = &[$(
            Several {
                name: $name,
                docs: Documentation { signature: $signature, summary: $summary },
                of: $of,
                parts: $parts,
            },
        )*];
    };
}

several! {
    "series_stats", "series_stats(series)", "Least, greatest, mean and spread of a series, a column each.", "series_stats_dynamic", &[("min", Real), ("min_idx", Long), ("max", Real), ("max_idx", Long), ("avg", Real), ("stdev", Real), ("variance", Real)];
    "series_fit_line", "series_fit_line(series)", "The straight line that fits a series best: how well, its slope, its start and its points, a column each.", "series_fit_line_dynamic", &[("rsquare", Real), ("slope", Real), ("variance", Real), ("rvariance", Real), ("interception", Real), ("line_fit", Dynamic)];
    "series_fit_2lines", "series_fit_2lines(series)", "The two straight lines, one after the other, that fit a series best, in columns.", "series_fit_2lines_dynamic", &[("rsquare", Real), ("split_idx", Long), ("variance", Real), ("rvariance", Real), ("line_fit", Dynamic), ("right_rsquare", Real), ("right_slope", Real), ("right_interception", Real), ("right_variance", Real), ("right_rvariance", Real), ("left_rsquare", Real), ("left_slope", Real), ("left_interception", Real), ("left_variance", Real), ("left_rvariance", Real)];
    "series_decompose", "series_decompose(series, seasonality, trend, test_points, threshold)", "The baseline, season, trend and rest of a series, a column each.", "series_decompose_dynamic", &[("baseline", Dynamic), ("seasonal", Dynamic), ("trend", Dynamic), ("residual", Dynamic)];
    "series_decompose_anomalies", "series_decompose_anomalies(series, threshold, seasonality, trend, test_points, method, season_threshold)", "Which numbers of a series are out of the ordinary (1 above, -1 below), how far, and its baseline, a column each.", "series_decompose_anomalies_dynamic", &[("ad_flag", Dynamic), ("ad_score", Dynamic), ("baseline", Dynamic)];
}

/// The function called `name`, if it is one of these.
pub fn several(name: &str) -> Option<&'static Several> {
    FUNCTIONS.iter().find(|function| function.name == name)
}
