//! Which fields each kind of workspace has.

/// What a kind does with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// There has to be one.
    Needed,
    /// There may be one.
    Taken,
    /// There has to be one in a custom cloud, and may be one in others.
    NeededIfCustom,
    /// There may be one in a custom cloud.
    TakenIfCustom,
    /// There cannot be one.
    Refused,
}

use Use::{Needed, NeededIfCustom, Refused, Taken, TakenIfCustom};

/// Every field but `kind`, with what each kind does with it, in the order of [`super::Service::KINDS`]: Log Analytics, Kusto,
/// Defender, Resource Graph, Spoor, local.
pub const FIELDS: [(&str, [Use; 6]); 11] = [
    ("cloud", [Taken, Taken, Taken, Taken, Refused, Refused]),
    (
        "endpoint",
        [
            NeededIfCustom,
            Needed,
            NeededIfCustom,
            NeededIfCustom,
            Needed,
            Refused,
        ],
    ),
    (
        "plain-loopback",
        [
            TakenIfCustom,
            TakenIfCustom,
            TakenIfCustom,
            TakenIfCustom,
            Taken,
            Refused,
        ],
    ),
    (
        "authority",
        [
            TakenIfCustom,
            TakenIfCustom,
            TakenIfCustom,
            TakenIfCustom,
            Taken,
            Refused,
        ],
    ),
    (
        "scope",
        [
            TakenIfCustom,
            TakenIfCustom,
            TakenIfCustom,
            TakenIfCustom,
            Taken,
            Refused,
        ],
    ),
    ("tenant", [Taken, Taken, Taken, Taken, Taken, Refused]),
    ("client-id", [Taken, Taken, Taken, Taken, Taken, Refused]),
    (
        "database",
        [Refused, Needed, Refused, Refused, Taken, Refused],
    ),
    (
        "workspace-id",
        [Needed, Refused, Refused, Refused, Refused, Refused],
    ),
    (
        "subscriptions",
        [Refused, Refused, Refused, Taken, Refused, Refused],
    ),
    ("limits", [Taken, Taken, Taken, Taken, Taken, Taken]),
];

/// The fields of `limits`.
pub const LIMIT_FIELDS: [&str; 4] = ["timeout-seconds", "rows", "bytes", "concurrent"];
