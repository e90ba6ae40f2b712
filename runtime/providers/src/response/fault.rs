//! What a service says went wrong: Microsoft's "OneApi" errors, in each of the spellings that its services have.
//!
//! `{"error": {"code", "message", "innererror": {...}, "details": [...]}}`, with `innerError` in Graph, and in Kusto `@message`,
//! `@type`, `@permanent` and `@context`, of which the activity's identifier is. Sources: Microsoft's REST guidelines, section on
//! error conditions; Azure Data Explorer's page on the version 2 response; Microsoft Graph's page on errors.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::place::Place;

/// Errors within errors, at most.
const MOST_INNER: usize = 20;

/// The longest message that is kept, in characters.
const MOST_MESSAGE: usize = 4_000;

/// An error as a service tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Fault {
    /// The code of the outermost error; empty where there is none.
    pub code: String,
    /// The message that says most: the innermost.
    pub message: String,
    /// The errors within it, outermost first, and then its details.
    pub inner: Vec<Inner>,
    /// By which the service's people find it.
    pub activity_id: Option<String>,
    /// Where in the query it is.
    pub place: Option<Place>,
    /// Whether the service says that trying again is no use.
    pub permanent: Option<bool>,
}

/// An error within another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Inner {
    /// Its code; empty where there is none.
    pub code: String,
    /// Its message; empty where there is none.
    pub message: String,
}

impl Fault {
    /// One of this crate's own.
    pub(crate) fn told(message: impl Into<String>) -> Self {
        Fault {
            message: message.into(),
            ..Fault::default()
        }
    }

    /// The fault of an error, with or without `error` around it; `None` where it says nothing.
    pub(crate) fn of(value: &Value) -> Option<Self> {
        if let Value::String(message) = value {
            return Some(Self::told(clipped(message)).placed());
        }
        let object = value.as_object()?;
        // As OAuth has them: RFC 6749, section 5.2.
        if let Some(Value::String(error)) = object.get("error") {
            let description = text(object, "error_description");
            let (code, message) = if description.is_empty() {
                (String::new(), clipped(error))
            } else {
                (clipped(error), description)
            };
            let fault = Fault {
                code,
                message,
                activity_id: context(object),
                ..Fault::default()
            };
            let said = !fault.message.is_empty();
            return said.then_some(fault).map(Self::placed);
        }
        let error = object
            .get("error")
            .and_then(Value::as_object)
            .unwrap_or(object);
        let mut fault = Fault {
            code: text(error, "code"),
            message: message(error),
            activity_id: context(error),
            permanent: error.get("@permanent").and_then(Value::as_bool),
            ..Fault::default()
        };
        fault.descend(error);
        for detail in error
            .get("details")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            fault.detail(detail);
        }
        let said = !fault.code.is_empty() || !fault.message.is_empty();
        said.then_some(fault).map(Self::placed)
    }

    /// The fault of an `error` beside a result: whatever it is but null, there is one.
    pub(crate) fn beside(error: &Value) -> Option<Self> {
        if error.is_null() {
            return None;
        }
        let silent = || Self::told("the service reports an error, and not which");
        Some(Self::of(error).unwrap_or_else(silent))
    }

    /// Goes to the innermost error, whose message is the one to show.
    fn descend(&mut self, outer: &Map<String, Value>) {
        let mut at = outer;
        while let Some(inner) = inner_error(at) {
            let (code, message) = (text(inner, "code"), message(inner));
            if !message.is_empty() {
                self.message.clone_from(&message);
            }
            self.place = Place::of(inner).or(self.place.take());
            self.activity_id = self.activity_id.take().or_else(|| id(inner));
            // Graph's inner errors may have neither.
            if !(code.is_empty() && message.is_empty()) {
                self.inner.push(Inner { code, message });
            }
            if self.inner.len() >= MOST_INNER {
                return;
            }
            at = inner;
        }
    }

    /// Takes in one of several errors that make up this one. The first says more than their sum does, which only says that
    /// there are some.
    fn detail(&mut self, detail: &Value) {
        let Some(detail) = Fault::of(detail) else {
            return;
        };
        if self.inner.is_empty() && !detail.message.is_empty() {
            self.message.clone_from(&detail.message);
            self.place = self.place.take().or(detail.place);
        }
        self.activity_id = self.activity_id.take().or(detail.activity_id);
        let own = Inner {
            code: detail.code,
            message: detail.message,
        };
        let room = MOST_INNER.saturating_sub(self.inner.len());
        let innermost = detail
            .inner
            .into_iter()
            .filter(|inner| inner.code != own.code);
        let all: Vec<Inner> = std::iter::once(own.clone())
            .chain(innermost)
            .take(room)
            .collect();
        self.inner.extend(all);
    }

    /// With the place that the message names, if no field does.
    fn placed(mut self) -> Self {
        self.place = self
            .place
            .take()
            .or_else(|| Place::in_message(&self.message));
        self
    }
}

fn inner_error(error: &Map<String, Value>) -> Option<&Map<String, Value>> {
    let names = ["innererror", "innerError", "innerException"];
    names.iter().find_map(|name| error.get(*name)?.as_object())
}

/// Kusto's own `@message` says more than its `message`, which is the same for all errors of a kind.
fn message(error: &Map<String, Value>) -> String {
    let own = text(error, "@message");
    if own.is_empty() {
        text(error, "message")
    } else {
        own
    }
}

fn context(error: &Map<String, Value>) -> Option<String> {
    let context = error.get("@context").and_then(Value::as_object);
    context.and_then(id).or_else(|| id(error))
}

/// An identifier by which the service's people find the request.
fn id(object: &Map<String, Value>) -> Option<String> {
    let names = ["activityId", "request-id", "requestId", "correlationId"];
    let found = names.iter().find_map(|name| object.get(*name)?.as_str());
    let plain = |id: &&str| id.len() <= 200 && !id.contains(char::is_control);
    found.filter(plain).map(str::to_owned)
}

fn text(object: &Map<String, Value>, name: &str) -> String {
    match object.get(name) {
        Some(Value::String(text)) => clipped(text),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

/// The beginning of a text, with what moves a terminal's cursor or changes its colours escaped.
pub(super) fn clipped(text: &str) -> String {
    let mut clipped = String::new();
    for c in text.chars().take(MOST_MESSAGE) {
        match c {
            '\r' => {}
            '\n' | '\t' => clipped.push(c),
            c if c.is_control() => clipped.extend(c.escape_default()),
            c => clipped.push(c),
        }
    }
    clipped
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let says = |inner: &&Inner| inner.message == self.message && !inner.code.is_empty();
        let innermost = self
            .inner
            .iter()
            .rev()
            .find(says)
            .map_or(&self.code, |inner| &inner.code);
        let code = if innermost.is_empty() {
            &self.code
        } else {
            innermost
        };
        match (self.message.as_str(), code.as_str()) {
            ("", code) => f.write_str(code)?,
            (message, code) if code.is_empty() || message.contains(code) => f.write_str(message)?,
            (message, code) => write!(f, "{message} ({code})")?,
        }
        if let Some(id) = &self.activity_id {
            write!(f, " [activity {id}]")?;
        }
        Ok(())
    }
}
