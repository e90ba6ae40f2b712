//! Answers and errors of Kusto's REST protocols, versions 1 and 2.

mod beside;
pub mod fault;
pub mod manage;
pub mod v1;
pub mod v2;

/// By what a request is known, to both sides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The client's own: `x-ms-client-request-id`.
    pub client_request_id: String,
    /// Ours: `x-ms-activity-id`.
    pub activity_id: String,
}
