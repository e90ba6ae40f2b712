//! Rules: a document's parts, and all that stands in the way of running it.

use std::collections::BTreeSet;

use crate::condition::{self, Condition};
use crate::problem::{Place, Problem, quoted};
use crate::search::search;
use crate::source::Source;
use crate::spec::Asked;
use crate::yaml::{self, Document, Kind, Node, documents};

/// Searches of a rule.
const MOST_SEARCHES: usize = 1_000;

/// A rule, or what there is of one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rule {
    /// The line that it begins on, from 1.
    pub line: usize,
    /// Its `id`; empty where it has none.
    pub id: String,
    /// Its `title`; empty where it has none.
    pub title: String,
    /// Its `level`; empty where it has none.
    pub level: String,
    /// Its `tags`.
    pub tags: Vec<String>,
    /// Its `logsource`.
    pub source: Source,
    /// Its searches, by name.
    pub searches: Vec<(String, Asked)>,
    /// What has to hold of them.
    pub condition: Option<Condition>,
    /// Why it cannot be run; empty where it can.
    pub problems: Vec<Problem>,
}

impl Rule {
    /// The fields that it asks, each once, in order.
    pub fn fields(&self) -> BTreeSet<String> {
        let mut fields = BTreeSet::new();
        for (_, asked) in &self.searches {
            asked.fields(&mut fields);
        }
        fields
    }

    /// Its title, its id, or where it stands.
    pub fn name(&self) -> String {
        match (self.title.as_str(), self.id.as_str()) {
            ("", "") => format!("the rule on line {}", self.line),
            ("", id) => quoted(id),
            (title, _) => quoted(title),
        }
    }
}

/// Reads rules: YAML documents apart by `---`. Each is a rule, also one that cannot be read.
pub fn rules(text: &str) -> Vec<Rule> {
    documents(text).into_iter().map(rule).collect()
}

fn rule(document: Document<'_>) -> Rule {
    let mut rule = Rule {
        line: document.before + 1,
        ..Rule::default()
    };
    match yaml::read(document) {
        Ok(node) => fill(&mut rule, &node),
        Err(problem) => {
            // What a reader knows the rule by.
            rule.title = line_of(document.text, "title:");
            rule.id = line_of(document.text, "id:");
            rule.problems.push(problem);
        }
    }
    rule
}

/// The rest of the line that begins with a key; empty where there is none.
fn line_of(text: &str, key: &str) -> String {
    let found = text.lines().find_map(|line| line.strip_prefix(key));
    let plain = found.unwrap_or_default().trim().trim_matches(['\'', '"']);
    plain.chars().take(256).collect()
}

fn fill(rule: &mut Rule, node: &Node) {
    rule.line = node.at.line;
    let text = |key: &str| {
        node.get(key)
            .and_then(Node::text)
            .unwrap_or_default()
            .to_owned()
    };
    (rule.id, rule.title, rule.level) = (text("id"), text("title"), text("level"));
    let tags = node.get("tags").map(Node::items).unwrap_or_default();
    rule.tags = tags
        .iter()
        .filter_map(Node::text)
        .map(str::to_owned)
        .collect();
    rule.source = Source::of(node.get("logsource"));
    if let Some(problem) = other_kind(node) {
        rule.problems.push(problem);
        return;
    }
    match node.get("detection") {
        Some(detection) => detect(rule, detection),
        None => rule
            .problems
            .push(Problem::new(node.at, "there is no `detection`")),
    }
}

/// Documents that are not rules over single events.
fn other_kind(node: &Node) -> Option<Problem> {
    const KINDS: [(&str, &str); 3] = [
        (
            "correlation",
            "correlations are not run: they join events, and rules are run over single ones",
        ),
        (
            "filter",
            "Sigma filters are not run: write the filter into the rule's condition",
        ),
        (
            "action",
            "rule collections (`action: global`) are not run: write each rule out",
        ),
    ];
    if !matches!(node.kind, Kind::Map(_)) {
        return Some(Problem::new(
            node.at,
            "a rule is a map with `title`, `logsource` and `detection`",
        ));
    }
    KINDS.iter().find_map(|(key, message)| {
        let found = node.get(key)?;
        Some(Problem::new(found.at, *message))
    })
}

fn detect(rule: &mut Rule, detection: &Node) {
    let Kind::Map(entries) = &detection.kind else {
        let message = "`detection` is a map of searches and a `condition`";
        rule.problems.push(Problem::new(detection.at, message));
        return;
    };
    if entries.len() > MOST_SEARCHES {
        let message = format!("there are more than {MOST_SEARCHES} searches");
        rule.problems.push(Problem::new(detection.at, message));
        return;
    }
    let mut names = Vec::new();
    for entry in entries {
        match entry.key.as_str() {
            "condition" => {}
            "timeframe" => rule.problems.push(Problem::new(
                entry.at,
                "`timeframe` belongs to aggregations, which are not run",
            )),
            name => {
                names.push(name);
                match search(&entry.value) {
                    Ok(asked) => rule.searches.push((name.to_owned(), asked)),
                    Err(problem) => rule.problems.push(problem),
                }
            }
        }
    }
    conclude(rule, detection, &names);
}

fn conclude(rule: &mut Rule, detection: &Node, names: &[&str]) {
    let Some(node) = detection.get("condition") else {
        let message = "`detection` has no `condition`";
        rule.problems.push(Problem::new(detection.at, message));
        return;
    };
    let mut any = Vec::new();
    for item in node.items() {
        match read_condition(item, names) {
            Ok(condition) => any.push(condition),
            Err(problem) => rule.problems.push(problem),
        }
    }
    if rule.problems.is_empty() {
        rule.condition = Some(Condition::One(any));
    }
}

fn read_condition(node: &Node, names: &[&str]) -> Result<Condition, Problem> {
    let at: Place = node.at;
    let text = node
        .text()
        .ok_or_else(|| Problem::new(at, "a condition is text"))?;
    condition::parse(text, names).map_err(|message| Problem::new(at, message))
}
