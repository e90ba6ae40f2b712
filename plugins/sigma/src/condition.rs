//! Conditions: `selection and not 1 of filter_*`.

use crate::problem::quoted;

/// Parentheses and `not`s inside each other.
const DEEPEST: usize = 64;
/// Words of a condition.
const LONGEST: usize = 4_096;

/// A condition over a rule's searches, which are counted from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// A search matches.
    Search(usize),
    /// All of these hold.
    All(Vec<Condition>),
    /// One of these holds.
    One(Vec<Condition>),
    /// This does not hold.
    Not(Box<Condition>),
}

/// Reads a condition. `names` are the rule's searches. The message says what cannot be run, and why.
pub fn parse(text: &str, names: &[&str]) -> Result<Condition, String> {
    if text.contains('|') {
        return Err("aggregations (`| count() ...`, `| near ...`) are not run".into());
    }
    let words = words(text);
    if words.len() > LONGEST {
        return Err(format!("the condition has more than {LONGEST} words"));
    }
    let mut parser = Reader {
        words: &words,
        names,
        depth: 0,
    };
    let condition = parser.any()?;
    match parser.words.first() {
        None => Ok(condition),
        Some(word) => Err(format!(
            "{} is not expected here: join with `and` or `or`",
            quoted(word)
        )),
    }
}

fn words(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for word in text.split_whitespace() {
        let mut rest = word;
        while let Some(at) = rest.find(['(', ')']) {
            let (before, after) = rest.split_at(at);
            let (parenthesis, after) = after.split_at(1);
            found.extend((!before.is_empty()).then_some(before));
            found.push(parenthesis);
            rest = after;
        }
        found.extend((!rest.is_empty()).then_some(rest));
    }
    found
}

struct Reader<'w, 't> {
    words: &'w [&'t str],
    names: &'w [&'t str],
    depth: usize,
}

impl<'t> Reader<'_, 't> {
    fn next(&mut self) -> Option<&'t str> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(first)
    }

    fn next_is(&mut self, word: &str) -> bool {
        let is = self
            .words
            .first()
            .is_some_and(|next| next.eq_ignore_ascii_case(word));
        if is {
            self.next();
        }
        is
    }

    fn any(&mut self) -> Result<Condition, String> {
        let mut terms = vec![self.all()?];
        while self.next_is("or") {
            terms.push(self.all()?);
        }
        Ok(joined(terms, Condition::One))
    }

    fn all(&mut self) -> Result<Condition, String> {
        let mut terms = vec![self.one()?];
        while self.next_is("and") {
            terms.push(self.one()?);
        }
        Ok(joined(terms, Condition::All))
    }

    fn one(&mut self) -> Result<Condition, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("the condition is more than {DEEPEST} deep"));
        }
        let found = match self.next() {
            None => Err("the condition ends where a search should follow".into()),
            Some("(") => self.parenthesised(),
            Some(word) if word.eq_ignore_ascii_case("not") => {
                self.one().map(|of| Condition::Not(Box::new(of)))
            }
            Some(word) if self.next_is("of") => self.quantified(word),
            Some(word) => self.search(word),
        };
        self.depth -= 1;
        found
    }

    fn parenthesised(&mut self) -> Result<Condition, String> {
        let inside = self.any()?;
        match self.next_is(")") {
            true => Ok(inside),
            false => Err("a `(` is not closed".into()),
        }
    }

    fn search(&self, word: &str) -> Result<Condition, String> {
        let at = self.names.iter().position(|name| *name == word);
        at.map(Condition::Search)
            .ok_or_else(|| format!("there is no search called {}", quoted(word)))
    }

    fn quantified(&mut self, how_many: &str) -> Result<Condition, String> {
        let of = self
            .next()
            .ok_or("`of` is followed by `them` or a search's name")?;
        let found: Vec<Condition> = self
            .names
            .iter()
            .enumerate()
            .filter(|(_, name)| is_among(of, name))
            .map(|(at, _)| Condition::Search(at))
            .collect();
        if found.is_empty() {
            return Err(format!("no search is called like {}", quoted(of)));
        }
        match how_many.to_ascii_lowercase().as_str() {
            "1" | "any" => Ok(joined(found, Condition::One)),
            "all" => Ok(joined(found, Condition::All)),
            other => Err(format!(
                "{} is not run: it is `1 of`, `any of` or `all of`",
                quoted(&format!("{other} of"))
            )),
        }
    }
}

fn joined(mut terms: Vec<Condition>, join: fn(Vec<Condition>) -> Condition) -> Condition {
    match (terms.pop(), terms.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            terms.extend(last);
            join(terms)
        }
    }
}

/// `them` are all searches but those that begin with `_`; otherwise `*` stands for any letters.
fn is_among(of: &str, name: &str) -> bool {
    if of.eq_ignore_ascii_case("them") {
        return !name.starts_with('_');
    }
    let mut parts = of.split('*');
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}
