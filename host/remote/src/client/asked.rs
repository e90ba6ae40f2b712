//! What is asked of a workspace.

/// A query.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ask<'a> {
    /// KQL.
    pub text: &'a str,
    /// The time that it looks at, in ISO 8601: a duration (`P1D`), or two of times and duration (`start/end`). Of Log Analytics and
    /// Defender alone.
    pub timespan: Option<&'a str>,
}
