//! Searches: what stands under a name in a rule's `detection`, as questions to fields.

use crate::encoding::encode;
use crate::modifier::{Compare, Flags, Modifiers};
use crate::pattern::{Pattern, Shape, Stands};
use crate::problem::{Problem, quoted};
use crate::spec::{Ask, Asked, Expression, Network, Number};
use crate::yaml::{Entry, Kind, Node, number};

/// Reads a search: a map (all of its entries), a list of maps or of keywords (one of them), or a keyword.
pub fn search(node: &Node) -> Result<Asked, Problem> {
    match &node.kind {
        Kind::Map(entries) => map(entries, node),
        Kind::List(items) if items.is_empty() => Err(Problem::new(node.at, "the list is empty")),
        Kind::List(items) => {
            let found: Result<Vec<Asked>, Problem> = items.iter().map(list_item).collect();
            Ok(one(found?))
        }
        _ => keyword(node),
    }
}

fn list_item(node: &Node) -> Result<Asked, Problem> {
    match &node.kind {
        Kind::Map(entries) => map(entries, node),
        Kind::List(_) => Err(Problem::new(
            node.at,
            "a list in a list: it holds maps or keywords",
        )),
        _ => keyword(node),
    }
}

fn map(entries: &[Entry], node: &Node) -> Result<Asked, Problem> {
    if entries.is_empty() {
        return Err(Problem::new(node.at, "the map is empty"));
    }
    let found: Result<Vec<Asked>, Problem> = entries.iter().map(entry).collect();
    Ok(all(found?))
}

/// A keyword is looked for in every value.
fn keyword(node: &Node) -> Result<Asked, Problem> {
    values(None, &Modifiers::default(), node)
}

fn entry(entry: &Entry) -> Result<Asked, Problem> {
    let mut words = entry.key.split('|');
    let field = words.next().filter(|name| !name.is_empty());
    let words: Vec<&str> = words.collect();
    let modifiers = Modifiers::parse(&words).map_err(|message| Problem::new(entry.at, message))?;
    if field.is_none() && modifiers.compare == Some(Compare::Exists) {
        return Err(Problem::new(
            entry.at,
            "`exists` has to be asked of a field",
        ));
    }
    values(field, &modifiers, &entry.value)
}

fn values(field: Option<&str>, modifiers: &Modifiers, node: &Node) -> Result<Asked, Problem> {
    let items = node.items();
    if items.is_empty() {
        return Err(Problem::new(node.at, "the list of values is empty"));
    }
    let mut found = Vec::new();
    let mut texts = Vec::new();
    for item in items {
        let problem = |message| Problem::new(item.at, message);
        match value(field, modifiers, item).map_err(problem)? {
            Value::Texts(patterns) if modifiers.all => {
                found.push(text(field, modifiers.cased, patterns));
            }
            Value::Texts(patterns) => texts.extend(patterns),
            Value::Asked(asked) => found.push(asked),
        }
    }
    if !texts.is_empty() {
        found.push(text(field, modifiers.cased, texts));
    }
    let joined = if modifiers.all {
        all(found)
    } else {
        one(found)
    };
    Ok(match modifiers.neq {
        true => Asked::Not(Box::new(joined)),
        false => joined,
    })
}

/// What a value asks: text that others can be asked with at once, or something else.
enum Value {
    Texts(Vec<Pattern>),
    Asked(Asked),
}

fn value(field: Option<&str>, modifiers: &Modifiers, node: &Node) -> Result<Value, String> {
    let of = |ask: Ask| Ok(Value::Asked(Asked::Of(field.map(str::to_owned), ask)));
    if matches!(node.kind, Kind::List(_) | Kind::Map(_)) {
        return Err("a value is text, a number, `true`, `false` or `null`".into());
    }
    if let Some(compare) = modifiers.compare {
        return compared(field, modifiers, compare, node).map(Value::Asked);
    }
    let is_bare = modifiers.stands.is_none() && modifiers.encodings.is_empty();
    match (&node.kind, node.text()) {
        (_, None) if is_bare && field.is_some() => Ok(Value::Asked(Asked::Not(Box::new(
            Asked::Of(field.map(str::to_owned), Ask::Something),
        )))),
        (_, None) => Err("`null` is asked of a field, without modifiers".into()),
        (Kind::Number(digits), _) if is_bare && field.is_some() => of(Ask::Equals(figure(digits)?)),
        (Kind::Text(text), _) => patterns(field, modifiers, Pattern::parse(text)),
        (_, Some(text)) => patterns(field, modifiers, Pattern::plain(text)),
    }
}

fn patterns(field: Option<&str>, modifiers: &Modifiers, pattern: Pattern) -> Result<Value, String> {
    let (before, after) = match modifiers.stands {
        // Keywords are found anywhere.
        None => (field.is_none(), field.is_none()),
        Some(Stands::First) => (false, true),
        Some(Stands::Last) => (true, false),
        Some(_) => (true, true),
    };
    let encoded = encode(pattern, &modifiers.encodings)?;
    let patterns = encoded.into_iter().map(|pattern| {
        let pattern = pattern.with_any(before, after);
        match modifiers.cased {
            true => pattern,
            false => pattern.folded(),
        }
    });
    Ok(Value::Texts(patterns.collect()))
}

/// One question for all patterns of a field, and its own for empty text and any text.
fn text(field: Option<&str>, cased: bool, mut patterns: Vec<Pattern>) -> Asked {
    let of = |ask| Asked::Of(field.map(str::to_owned), ask);
    let mut found = Vec::new();
    for (shape, ask) in [
        (Shape::Empty, Ask::Empty),
        (Shape::Anything, Ask::Something),
    ] {
        let before = patterns.len();
        patterns.retain(|pattern| pattern.shape() != shape);
        if patterns.len() < before {
            found.push(of(ask));
        }
    }
    patterns.sort();
    patterns.dedup();
    if !patterns.is_empty() {
        found.push(of(Ask::Text { cased, patterns }));
    }
    one(found)
}

fn compared(
    field: Option<&str>,
    modifiers: &Modifiers,
    compare: Compare,
    node: &Node,
) -> Result<Asked, String> {
    let given = node.text().ok_or("`null` does not go with this modifier")?;
    let ask = match compare {
        Compare::Regex(flags) => Ask::Regex(Expression::new(flagged(given, flags))?),
        Compare::Cidr => Ask::Cidr(
            Network::parse(given)
                .ok_or_else(|| format!("{} is no network like `10.0.0.0/8`", quoted(given)))?,
        ),
        Compare::Order(order) => Ask::Compare(order, figure(given)?),
        Compare::Field => Ask::Field {
            other: given.to_owned(),
            stands: modifiers.stands.unwrap_or(Stands::Whole),
            cased: modifiers.cased,
        },
        Compare::Exists => Ask::Something,
    };
    let asked = Asked::Of(field.map(str::to_owned), ask);
    match (compare, &node.kind) {
        (Compare::Exists, Kind::Bool(true)) => Ok(asked),
        (Compare::Exists, Kind::Bool(false)) => Ok(Asked::Not(Box::new(asked))),
        (Compare::Exists, _) => Err("`exists` is `true` or `false`".into()),
        _ => Ok(asked),
    }
}

fn figure(text: &str) -> Result<Number, String> {
    number(text)
        .map(Number::new)
        .ok_or_else(|| format!("{} is no number", quoted(text)))
}

fn flagged(text: &str, flags: Flags) -> String {
    let letters: String = [(flags.i, 'i'), (flags.m, 'm'), (flags.s, 's')]
        .into_iter()
        .filter_map(|(is_set, letter)| is_set.then_some(letter))
        .collect();
    match letters.is_empty() {
        true => text.to_owned(),
        false => format!("(?{letters}){text}"),
    }
}

fn all(of: Vec<Asked>) -> Asked {
    single(of).unwrap_or_else(Asked::All)
}

fn one(of: Vec<Asked>) -> Asked {
    single(of).unwrap_or_else(Asked::One)
}

fn single(mut of: Vec<Asked>) -> Result<Asked, Vec<Asked>> {
    match (of.pop(), of.is_empty()) {
        (Some(only), true) => Ok(only),
        (last, _) => {
            of.extend(last);
            Err(of)
        }
    }
}
