//! Where in a query a service sees its mistake.
//!
//! Log Analytics gives `line` and `pos` beside the innermost error; everyone else names them in the message, as `on line [1,4]` or
//! `[line:position=1:4]`. Lines count from 1. Whether positions count from 0 or from 1 is documented nowhere and examples disagree,
//! so that the token, which is given too, decides where it stands at one of the two.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A line and a position in it, as a service counts them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// From 1.
    pub line: usize,
    /// From 0 or from 1.
    pub position: usize,
    /// What stands there; empty where the service does not say.
    pub token: String,
}

impl Place {
    /// The place in an error's own fields.
    pub(super) fn of(error: &Map<String, Value>) -> Option<Self> {
        let number = |name: &str| usize::try_from(error.get(name)?.as_u64()?).ok();
        Some(Place {
            line: number("line")?,
            position: number("pos").or_else(|| number("position"))?,
            token: error
                .get("token")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
        })
    }

    /// The place that a message names.
    pub(super) fn in_message(message: &str) -> Option<Self> {
        let (before, line, position) = [("on line [", ','), ("[line:position=", ':')]
            .into_iter()
            .find_map(|(mark, between)| {
            let (before, rest) = message.split_once(mark)?;
            let (inside, _) = rest.split_once(']')?;
            let (line, position) = inside.split_once(between)?;
            Some((
                before,
                line.trim().parse().ok()?,
                position.trim().parse().ok()?,
            ))
        })?;
        Some(Place {
            line,
            position,
            token: quoted(before),
        })
    }

    /// The mistake's start and end in Unicode code points of the query, within it.
    pub fn span(&self, query: &str) -> (usize, usize) {
        let lines = query
            .split_inclusive('\n')
            .take(self.line.saturating_sub(1));
        let start: usize = lines.map(|line| line.chars().count()).sum();
        let line: Vec<char> = query
            .chars()
            .skip(start)
            .take_while(|c| *c != '\n')
            .collect();
        let token: Vec<char> = self.token.chars().take_while(|c| *c != '\n').collect();
        let stands = |at: usize| line.get(at..).is_some_and(|rest| rest.starts_with(&token));
        let from_one = self.position.checked_sub(1);
        let at = match from_one {
            Some(one) if !token.is_empty() && !stands(self.position) && stands(one) => one,
            _ => self.position,
        };
        let at = at.min(line.len());
        let length = if !token.is_empty() && stands(at) {
            token.len()
        } else {
            1
        };
        (start + at, start + (at + length).min(line.len().max(at)))
    }
}

/// What stands in the last quotation marks of a text.
fn quoted(text: &str) -> String {
    let Some((rest, _)) = text.rsplit_once('\'') else {
        return String::new();
    };
    rest.rsplit_once('\'')
        .map_or(String::new(), |(_, token)| token.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_places() {
        let place = Place::in_message("Query could not be parsed at 'string' on line [1,4]");
        let wanted = Place {
            line: 1,
            position: 4,
            token: "string".into(),
        };
        assert_eq!(place, Some(wanted));
        let place = Place::in_message(
            "SYN0002: A recognition error occurred. [line:position=3:12]. Query: 'x'",
        );
        assert_eq!(
            place.map(|place| (place.line, place.position)),
            Some((3, 12))
        );
        assert_eq!(Place::in_message("on line [x,y]"), None);
        assert_eq!(
            Place::in_message("on line [99999999999999999999999,1]"),
            None
        );
    }

    #[test]
    fn the_token_says_from_where_positions_count() {
        let span = |query, line, position, token: &str| {
            Place {
                line,
                position,
                token: token.into(),
            }
            .span(query)
        };
        assert_eq!(span("let string", 1, 4, "string"), (4, 10));
        assert_eq!(span("T\n| whre x", 2, 1, "|"), (2, 3));
        assert_eq!(span("T\n| whre x", 2, 2, "whre"), (4, 8));
        assert_eq!(span("é\n| whre x", 2, 3, "whre"), (4, 8));
        assert_eq!(span("T", 1, 1, ""), (1, 1));
        assert_eq!(span("T", 9, 9, "x"), (1, 1));
        assert_eq!(span("", 0, 0, ""), (0, 0));
        assert_eq!(span("T\n", 1, usize::MAX, "x"), (1, 1));
    }
}
