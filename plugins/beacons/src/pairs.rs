//! Connections by pair.

use std::collections::HashMap;

use crate::Connection;

/// The connections of one source to one destination.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair<'a> {
    /// Who connected.
    pub source: &'a str,
    /// To whom.
    pub destination: &'a str,
    /// When, in ticks of 100 ns, in order.
    pub times: Vec<i64>,
    /// The bytes that are known, in the rows' order.
    pub bytes: Vec<i64>,
}

impl Pair<'_> {
    /// The first and the last time.
    pub fn ends(&self) -> (i64, i64) {
        let first = self.times.first().copied().unwrap_or_default();
        (first, self.times.last().copied().unwrap_or(first))
    }
}

/// The pairs in the order in which they first come. Connections whose source or destination is empty, as what is missing
/// in KQL's text, are left out.
pub fn of<'a>(connections: impl Iterator<Item = Connection<'a>>) -> Vec<Pair<'a>> {
    // Looked up only: its order never shows.
    let mut places: HashMap<(&str, &str), usize> = HashMap::new();
    let mut pairs: Vec<Pair<'a>> = Vec::new();
    for connection in connections {
        let key = (connection.source, connection.destination);
        if key.0.is_empty() || key.1.is_empty() {
            continue;
        }
        let place = *places.entry(key).or_insert_with(|| {
            pairs.push(Pair {
                source: key.0,
                destination: key.1,
                times: Vec::new(),
                bytes: Vec::new(),
            });
            pairs.len() - 1
        });
        if let Some(pair) = pairs.get_mut(place) {
            pair.times.push(connection.timestamp.0);
            pair.bytes.extend(connection.bytes);
        }
    }
    pairs.iter_mut().for_each(|pair| pair.times.sort_unstable());
    pairs
}

/// The time from the first connection of all to the last, in ticks.
pub fn span(pairs: &[Pair<'_>]) -> f64 {
    let first = pairs.iter().map(|pair| pair.ends().0).min();
    let last = pairs.iter().map(|pair| pair.ends().1).max();
    match (first, last) {
        (Some(first), Some(last)) => apart(first, last),
        _ => 0.0,
    }
}

/// The ticks from one time to a later one; no two times are too far apart for it.
pub fn apart(one: i64, other: i64) -> f64 {
    (i128::from(other) - i128::from(one)) as f64
}

#[cfg(test)]
mod tests {
    use spoor_plugin::Datetime;

    use super::*;

    #[test]
    fn empty_ends_are_no_pair() {
        let connections = [("a", "b"), ("", "b"), ("a", ""), ("", "")];
        let found = of(connections
            .into_iter()
            .map(|(source, destination)| Connection {
                timestamp: Datetime(0),
                source,
                destination,
                bytes: None,
            }));
        let ends: Vec<_> = found
            .iter()
            .map(|pair| (pair.source, pair.destination))
            .collect();
        assert_eq!(ends, [("a", "b")]);
    }
}
