//! Sigma detection rules, run over a table.
//!
//! Rules are YAML after the [Sigma specification] 2.1: a log source, named searches over fields, and a condition over
//! searches. [`sigma`] answers the rows that rules match; [`sigma_rules`] tells of each rule whether it can be run, what
//! stands in its way, and which columns it needs. Correlations, aggregations, Sigma filters and `expand` are not run.
//!
//! Every field's texts are looked for at once, by one automaton for all rules (Aho and Corasick, 1975), and whatever
//! several rules ask is asked once, so that hundreds of rules cost little more than one.
//!
//! [Sigma specification]: https://github.com/SigmaHQ/sigma-specification

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use serde_json::Value;
use spoor_plugin::abi::Type;
use spoor_plugin::value::FromOption;
use spoor_plugin::{Input, Json, Output, Sink, function, plugin};

pub mod compile;
pub mod condition;
pub mod encoding;
pub mod engine;
pub mod event;
pub mod fold;
pub mod modifier;
pub mod names;
pub mod needles;
pub mod pattern;
pub mod problem;
pub mod rule;
pub mod search;
pub mod skim;
pub mod source;
pub mod spec;
#[cfg(test)]
mod tests;
pub mod yaml;

use compile::{How, compile};
use engine::{Engine, Known};
use event::Event;
use names::{Mapping, columns};
use rule::{Rule, rules};
use skim::Layout;

/// Bytes of rules that are read.
const LONGEST: usize = 16 << 20;
/// Rules that a message names.
const NAMED: usize = 8;

/// A row of the events.
#[derive(Input)]
pub struct Row<'a> {
    /// The event's columns, as `pack_all()` makes them; rows without are passed over.
    pub row: &'a str,
}

/// A rule that an event matches.
#[derive(Output)]
pub struct Match {
    /// The rule's `id`; null where it has none.
    pub rule_id: Option<String>,
    /// The rule's `title`.
    pub rule_title: String,
    /// The rule's `level`: `informational`, `low`, `medium`, `high` or `critical`; null where it has none.
    pub rule_level: Option<String>,
    /// The rule's `tags`: an array, empty where it has none.
    pub rule_tags: Json<String>,
    /// The names of the rule's searches that the event matches: an array.
    pub rule_searches: Json<String>,
}

/// Rules, as an option's text; made ready once a call.
#[derive(Clone)]
pub struct Rules(Rc<Prepared>);

struct Prepared {
    text: String,
    engine: OnceCell<Result<Engine, String>>,
    known: RefCell<(Layout, Known)>,
}

impl FromOption for Rules {
    const TYPE: Type = Type::String;

    fn from_json(value: &Value) -> Option<Self> {
        Some(Rules(Rc::new(Prepared {
            text: value.as_str()?.to_owned(),
            engine: OnceCell::new(),
            known: RefCell::default(),
        })))
    }
}

/// The rows that Sigma rules match, and the rules.
///
/// A row comes once for each rule that it matches, in the order of the rules. Give all columns of the row with
/// `pack_all()`, and the rules as the YAML of one or several, apart by `---`. A rule's field is the column of that name, or
/// the one that SecurityEvent (4688 and others) or Defender's tables have for it; `fields` says others. When a rule
/// cannot be run the call ends and says which and why, unless `partial` is true; `sigma_rules` tells of each.
#[function]
#[allow(clippy::too_many_arguments)]
pub fn sigma(
    row: Row<'_>,
    out: &mut Sink<'_, Match>,
    /// The rules: YAML, several apart by `---`.
    #[option]
    rules: Rules,
    /// Columns for fields, looked at first: {"Image": "ProcessPath", "User": ["Account", "UserName"]}.
    #[option(default = None)]
    fields: Option<Mapping>,
    /// Whether fields also are what SecurityEvent and Defender's tables call them.
    #[option(default = true)]
    aliases: bool,
    /// Whether a rule is run only on events that may be of its log source, as EventID, Channel or ActionType say.
    #[option(default = true)]
    logsource: bool,
    /// Whether to run the rules that can be run when there are others.
    #[option(default = false)]
    partial: bool,
) -> Result<(), String> {
    let how = || How {
        mapping: fields.unwrap_or_default(),
        built_in: aliases,
        by_source: logsource,
    };
    let prepared = rules
        .0
        .engine
        .get_or_init(|| prepare(&rules.0.text, how(), partial));
    let engine = prepared.as_ref().map_err(String::clone)?;
    let mut known = rules
        .0
        .known
        .try_borrow_mut()
        .map_err(|error| error.to_string())?;
    let (layout, known) = &mut *known;
    let event = Event::read(row.row, &engine.wanted, layout)?;
    engine.run(&event, known, |rule, searches| {
        out.push(Match {
            rule_id: Some(rule.id.clone()).filter(|id| !id.is_empty()),
            rule_title: rule.title.clone(),
            rule_level: Some(rule.level.clone()).filter(|level| !level.is_empty()),
            rule_tags: array(rule.tags.iter().map(String::as_str)),
            rule_searches: array(searches.iter().copied()),
        });
    });
    Ok(())
}

fn prepare(text: &str, how: How, partial: bool) -> Result<Engine, String> {
    if text.len() > LONGEST {
        return Err(format!("the rules are longer than {LONGEST} bytes"));
    }
    let found = rules(text);
    if found.is_empty() {
        return Err("`rules` has no rules: give their YAML".into());
    }
    let total = found.len();
    let engine = compile(found, &how)?;
    match engine.refused.is_empty() || partial {
        true => Ok(engine),
        false => Err(refusal(&engine.refused, total)),
    }
}

fn refusal(refused: &[Rule], total: usize) -> String {
    let named: Vec<String> = refused
        .iter()
        .take(NAMED)
        .flat_map(|rule| {
            let problem = rule.problems.first();
            problem.map(|problem| format!("{}: {problem}", rule.name()))
        })
        .collect();
    let more = match refused.len() > NAMED {
        true => "; and others",
        false => "",
    };
    format!(
        "{} of {total} rules cannot be run. {}{more}. `sigma_rules` tells of each; `partial=true` runs the others",
        refused.len(),
        named.join("; ")
    )
}

/// Text that holds rules.
#[derive(Input)]
pub struct Text<'a> {
    /// Rules: YAML, several apart by `---`. A rule's file, say; rows without are passed over.
    pub rules: &'a str,
}

/// What there is to say of a rule.
#[derive(Output)]
pub struct About {
    /// The line of the text that it begins on, from 1.
    pub rule_line: i64,
    /// Its `id`; null where it has none.
    pub rule_id: Option<String>,
    /// Its `title`; empty where it has none.
    pub rule_title: String,
    /// Its `level`; null where it has none.
    pub rule_level: Option<String>,
    /// Its `tags`: an array, empty where it has none.
    pub rule_tags: Json<String>,
    /// Its log source: product, category and service, as far as it says.
    pub log_source: String,
    /// The fields that it asks: an array.
    pub fields: Json<String>,
    /// Of these, the ones that no column of `columns` is; null where `columns` is not given.
    pub missing: Option<Json<String>>,
    /// Whether it can be run.
    pub runs: bool,
    /// Why it cannot, with lines and columns; null where it can.
    pub problem: Option<String>,
}

/// Names of columns.
#[derive(Clone)]
pub struct Columns(Vec<String>);

impl FromOption for Columns {
    const TYPE: Type = Type::Dynamic;

    fn from_json(value: &Value) -> Option<Self> {
        let names = value.as_array()?.iter();
        let names = names.map(|name| name.as_str().map(str::to_owned));
        names.collect::<Option<_>>().map(Columns)
    }
}

/// What Sigma rules ask, and whether they can be run.
///
/// A row for each rule in the text, also for those that cannot be read. With the columns of a table
/// (`columns=column_names_of(T)`) it says which of a rule's fields the table has not: without them a rule seldom matches.
#[function]
pub fn sigma_rules(
    text: Text<'_>,
    out: &mut Sink<'_, About>,
    /// The columns of the table that the rules are to be run on.
    #[option(default = None)]
    columns: Option<Columns>,
    /// Columns for fields, as `sigma` takes them.
    #[option(default = None)]
    fields: Option<Mapping>,
    /// Whether fields also are what SecurityEvent and Defender's tables call them.
    #[option(default = true)]
    aliases: bool,
) -> Result<(), String> {
    if text.rules.len() > LONGEST {
        return Err(format!("the rules are longer than {LONGEST} bytes"));
    }
    let mapping = fields.unwrap_or_default();
    for rule in rules(text.rules) {
        let missing = columns
            .as_ref()
            .map(|has| missing(&rule, has, &mapping, aliases));
        out.push(about(rule, missing));
    }
    Ok(())
}

fn missing(rule: &Rule, has: &Columns, mapping: &Mapping, aliases: bool) -> Json<String> {
    let is_there = |name: &str| {
        let first = name.split_once('.').map_or(name, |(first, _)| first);
        has.0.iter().any(|column| column == name || column == first)
    };
    let fields = rule.fields();
    array(fields.iter().map(String::as_str).filter(|field| {
        let names = columns(field, &rule.source.category, mapping, aliases);
        !names.iter().any(|name| is_there(name))
    }))
}

fn about(rule: Rule, missing: Option<Json<String>>) -> About {
    let problems: Vec<String> = rule.problems.iter().map(ToString::to_string).collect();
    About {
        rule_line: rule.line as i64,
        log_source: rule.source.label(),
        fields: array(rule.fields().iter().map(String::as_str)),
        missing,
        runs: problems.is_empty(),
        problem: Some(problems.join("; ")).filter(|text| !text.is_empty()),
        rule_tags: array(rule.tags.iter().map(String::as_str)),
        rule_level: Some(rule.level).filter(|level| !level.is_empty()),
        rule_id: Some(rule.id).filter(|id| !id.is_empty()),
        rule_title: rule.title,
    }
}

fn array<'t>(texts: impl Iterator<Item = &'t str>) -> Json<String> {
    Json(Value::Array(texts.map(Value::from).collect()).to_string())
}

plugin! {
    name: "sigma",
    functions: [sigma, sigma_rules],
}
