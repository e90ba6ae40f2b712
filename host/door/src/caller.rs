//! Somebody who asks.

use serde_json::{Value, json};

use axum::http::StatusCode;

use crate::reply::Refusal;
use crate::roles::{Grant, Need, Place};

/// What kind of caller it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Somebody who signed in.
    Person,
    /// A machine with a token.
    Machine,
}

impl Kind {
    /// As it is written in the audit log.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Person => "person",
            Kind::Machine => "machine",
        }
    }
}

/// Somebody who is known. The handlers of guarded routes find it among a request's extensions, as `Arc<Caller>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// What kind.
    pub kind: Kind,
    /// Who it is for ever: the authority's subject, or the machine's name.
    pub subject: String,
    /// What people call it.
    pub name: String,
    /// What it may do, and where.
    pub grants: Vec<Grant>,
}

impl Caller {
    /// Whether it may do what needs this.
    pub fn may(&self, need: &Need) -> bool {
        self.grants.iter().any(|grant| grant.meets(need))
    }

    /// Refuses what needs more, in words that name the role and the place that are missing.
    ///
    /// # Errors
    /// When the caller may not.
    pub fn check(&self, need: &Need) -> Result<(), Refusal> {
        if self.may(need) {
            return Ok(());
        }
        let message = format!(
            "this needs the role '{}' for {}, which {} does not have",
            need.role, need.place, self.name
        );
        Err(Refusal::new(StatusCode::FORBIDDEN, message)
            .with("role", need.role.to_string())
            .with("scope", scope(&need.place))
            .hint("ask whoever runs this server for it; `/api/me` tells the roles you have"))
    }

    /// As `/api/me` tells it.
    pub(crate) fn told(&self) -> Value {
        json!({
            "kind": self.kind.as_str(),
            "subject": self.subject,
            "name": self.name,
            "roles": self.grants,
        })
    }
}

fn scope(place: &Place) -> Value {
    match place {
        Place::Anywhere => Value::Null,
        Place::Folder(folder) => json!({ "folder": folder }),
        Place::Workspace(name) => json!({ "workspace": name }),
    }
}
