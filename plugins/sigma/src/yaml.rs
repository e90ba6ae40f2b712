//! YAML as a tree that knows where it stands, bounded against documents that are small as text and vast as trees.
//!
//! Plain scalars are what the core schema of YAML 1.2 makes of them (`yes` and dates are text). Tags are not heeded.

use std::borrow::Cow;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use crate::problem::{Place, Problem};

/// Nodes of one document, those counted again that an alias repeats.
const MOST_NODES: usize = 50_000;
/// Lists and maps inside each other.
const DEEPEST: usize = 32;

/// A node of a document.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where it begins.
    pub at: Place,
    /// What it is.
    pub kind: Kind,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Nothing: `~`, `null`, or no text.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as it is written.
    Number(String),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A map, in the order of the text; keys that are no scalars are refused.
    Map(Vec<Entry>),
}

/// An entry of a map.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Where the key stands.
    pub at: Place,
    /// The key, as text.
    pub key: String,
    /// Its value.
    pub value: Node,
}

impl Node {
    /// The value of a key, of a map that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.kind {
            Kind::Map(entries) => entries
                .iter()
                .find(|entry| entry.key == key)
                .map(|e| &e.value),
            _ => None,
        }
    }

    /// A scalar's text, as it is written; `None` for nothing, lists and maps.
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) | Kind::Number(text) => Some(text),
            Kind::Bool(true) => Some("true"),
            Kind::Bool(false) => Some("false"),
            _ => None,
        }
    }

    /// The items of a list, or the node itself as the only one.
    pub fn items(&self) -> &[Node] {
        match &self.kind {
            Kind::List(items) => items,
            _ => std::slice::from_ref(self),
        }
    }

    fn count(&self) -> usize {
        1 + match &self.kind {
            Kind::List(items) => items.iter().map(Node::count).sum::<usize>(),
            Kind::Map(entries) => entries.iter().map(|e| 1 + e.value.count()).sum(),
            _ => 0,
        }
    }
}

/// A document's text and the number of lines before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Document<'t> {
    /// The text, without the `---` before it.
    pub text: &'t str,
    /// Lines before it.
    pub before: usize,
}

/// The documents of a text: `---` at the start of a line always begins another, so that one that is broken does not take
/// the others with it. Those without anything but comments are left out.
pub fn documents(text: &str) -> Vec<Document<'_>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (mut found, mut start, mut offset, mut before) = (Vec::new(), 0, 0, 0);
    for (number, line) in text.split_inclusive('\n').enumerate() {
        if is_marker(line) {
            found.push((start..offset, before));
            start = offset + 3;
            before = number;
        }
        offset += line.len();
    }
    found.push((start..offset, before));
    found
        .into_iter()
        .filter_map(|(range, before)| {
            let text = text.get(range)?;
            has_content(text).then_some(Document { text, before })
        })
        .collect()
}

fn is_marker(line: &str) -> bool {
    line.strip_prefix("---")
        .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
}

fn has_content(text: &str) -> bool {
    text.lines().map(str::trim).any(|line| {
        !(line.is_empty() || line.starts_with('#') || line == "..." || line.starts_with('%'))
    })
}

/// Reads a document.
pub fn read(document: Document<'_>) -> Result<Node, Problem> {
    let mut builder = Builder {
        before: document.before,
        ..Builder::default()
    };
    let mut parser = Parser::new_from_str(document.text);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| {
            let at = builder.place(error.marker().line(), error.marker().col());
            Problem::new(at, format!("this is not YAML: {}", error.info()))
        })?;
        builder.take(event, span)?;
    }
    builder.root.ok_or_else(|| {
        let at = builder_start(document);
        Problem::new(at, "the document is empty")
    })
}

fn builder_start(document: Document<'_>) -> Place {
    Place {
        line: document.before + 1,
        column: 1,
    }
}

/// A list or a map that is not finished.
struct Open {
    node: Node,
    anchor: usize,
    /// A map's key that waits for its value.
    key: Option<(Place, String)>,
}

/// Makes a tree of events.
#[derive(Default)]
struct Builder {
    before: usize,
    root: Option<Node>,
    open: Vec<Open>,
    anchors: Vec<(usize, Node)>,
    nodes: usize,
}

impl Builder {
    fn place(&self, line: usize, column: usize) -> Place {
        Place {
            line: self.before + line,
            column: column + 1,
        }
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Problem> {
        let at = self.place(span.start.line(), span.start.col());
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let kind = scalar(text, style);
                self.put(Node { at, kind }, anchor, 1)
            }
            Event::SequenceStart(anchor, _) => self.enter(at, Kind::List(Vec::new()), anchor),
            Event::MappingStart(anchor, _) => self.enter(at, Kind::Map(Vec::new()), anchor),
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(open) => self.put(open.node, open.anchor, 1),
                None => Ok(()),
            },
            Event::Alias(anchor) => self.alias(at, anchor),
            _ => Ok(()),
        }
    }

    fn enter(&mut self, at: Place, kind: Kind, anchor: usize) -> Result<(), Problem> {
        if self.open.len() >= DEEPEST {
            return Err(Problem::new(
                at,
                format!("lists and maps are more than {DEEPEST} deep"),
            ));
        }
        self.open.push(Open {
            node: Node { at, kind },
            anchor,
            key: None,
        });
        Ok(())
    }

    fn alias(&mut self, at: Place, anchor: usize) -> Result<(), Problem> {
        let found = self.anchors.iter().rposition(|(id, _)| *id == anchor);
        let found = found.and_then(|index| self.anchors.get(index));
        // Counted before it is copied.
        let left = MOST_NODES.saturating_sub(self.nodes);
        let node = match found.map(|(_, node)| (node, node.count())) {
            Some((node, count)) if count <= left => node.clone(),
            Some(_) => return Err(too_many(at)),
            None => return Err(Problem::new(at, "the alias is inside what it names")),
        };
        self.spend(at, node.count())?;
        self.put(node, 0, 0)
    }

    fn spend(&mut self, at: Place, count: usize) -> Result<(), Problem> {
        self.nodes += count;
        match self.nodes > MOST_NODES {
            true => Err(too_many(at)),
            false => Ok(()),
        }
    }

    fn put(&mut self, node: Node, anchor: usize, cost: usize) -> Result<(), Problem> {
        self.spend(node.at, cost)?;
        if anchor > 0 {
            self.spend(node.at, node.count())?;
            self.anchors.push((anchor, node.clone()));
        }
        let Some(open) = self.open.last_mut() else {
            self.root.get_or_insert(node);
            return Ok(());
        };
        match (&mut open.node.kind, open.key.take()) {
            (Kind::List(items), _) => items.push(node),
            (Kind::Map(entries), Some((at, key))) => entries.push(Entry {
                at,
                key,
                value: node,
            }),
            (Kind::Map(_), None) => open.key = Some((node.at, key(&node)?)),
            _ => {}
        }
        Ok(())
    }
}

fn too_many(at: Place) -> Problem {
    let message = format!("the document has more than {MOST_NODES} nodes, aliases written out");
    Problem::new(at, message)
}

fn key(node: &Node) -> Result<String, Problem> {
    match &node.kind {
        Kind::Null => Ok(String::new()),
        _ => node
            .text()
            .map(str::to_owned)
            .ok_or_else(|| Problem::new(node.at, "a key has to be text")),
    }
}

fn scalar(text: Cow<'_, str>, style: ScalarStyle) -> Kind {
    if style != ScalarStyle::Plain {
        return Kind::Text(text.into_owned());
    }
    match &*text {
        "" | "~" | "null" | "Null" | "NULL" => Kind::Null,
        "true" | "True" | "TRUE" => Kind::Bool(true),
        "false" | "False" | "FALSE" => Kind::Bool(false),
        other if number(other).is_some() => Kind::Number(text.into_owned()),
        _ => Kind::Text(text.into_owned()),
    }
}

/// The number that a plain scalar is: decimal, `0x` or `0o`.
pub fn number(text: &str) -> Option<f64> {
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let begins = unsigned.strip_prefix('.').unwrap_or(unsigned);
    let is_number = begins.starts_with(|c: char| c.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

fn radix(digits: &str, radix: u32) -> Option<f64> {
    // A sign after the prefix is no number.
    let is_number = digits.chars().all(|c| c.is_digit(radix));
    let value = u64::from_str_radix(digits, radix).ok()?;
    is_number.then_some(value as f64)
}
