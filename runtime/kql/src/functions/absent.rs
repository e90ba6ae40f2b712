//! Functions of Kusto's that Spoor refuses by name: why, and what to use instead.

/// Groups of names, and what to tell whoever calls one.
pub(crate) const ABSENT: &[(&[&str], &str)] = &[
    (
        &[
            "extent_id",
            "extent_tags",
            "cursor_after",
            "cursor_before_or_at",
            "cursor_current",
            "rowid",
        ],
        "tables here do not record when and how rows came in: use the event's own time, for example TimeGenerated",
    ),
    (
        &["geo_info_from_ip_address"],
        "it needs a database of locations, which does not ship with Spoor: load one as a table and use lookup or ipv4_lookup",
    ),
    (
        &[
            "current_principal",
            "current_principal_details",
            "current_principal_is_member_of",
            "current_cluster_endpoint",
            "current_database",
            "estimate_data_size",
            "workspace",
            "app",
            "resource",
        ],
        "it asks a Kusto cluster, and this query runs on your own machine",
    ),
    (
        &["parse_user_agent"],
        "it needs long lists of browsers and devices, which are not part of this: take the parts with extract() or parse",
    ),
    (
        &["extract_data"],
        "it is not built yet: take the parts with extract(), parse or parse_json()",
    ),
    (
        &[
            "series_fit_poly",
            "series_periods_detect",
            "series_periods_validate",
            "series_fft",
            "series_ifft",
            "series_fbprophet_forecast",
        ],
        "it is not built yet: hand the series to Python with kql(...), where statsmodels and scipy have it",
    ),
];

/// Why a function of Kusto's is refused, and what to use instead; `None` for a name that is not known to be one.
pub fn absent(name: &str) -> Option<&'static str> {
    if name.starts_with("geo_") {
        return Some("it is not built yet");
    }
    ABSENT
        .iter()
        .find(|(names, _)| names.contains(&name))
        .map(|(_, reason)| *reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_not_called_absent() {
        for (names, _) in ABSENT {
            for name in *names {
                assert!(
                    super::super::scalar(name).is_none() && super::super::aggregate(name).is_none(),
                    "{name}"
                );
            }
        }
    }
}
