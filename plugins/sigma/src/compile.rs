//! From rules to what is run: fields and tests, each once for all rules that ask the same.

use std::collections::{BTreeMap, BTreeSet};

use crate::condition::Condition;
use crate::engine::{Check, Engine, Field, Place, Runnable, Test, Way};
use crate::names::{Mapping, columns};
use crate::needles::Gathered;
use crate::problem::{self, Problem};
use crate::rule::Rule;
use crate::skim::Wanted;
use crate::source::{self, Source, Tells};
use crate::spec::{Ask, Asked};

/// Bytes of text that all rules together look for.
const MOST_TEXT: usize = 1 << 20;
/// Bytes of memory that all regular expressions together may take.
const MOST_MEMORY: usize = 128 << 20;

/// How rules are run.
#[derive(Clone, Debug, Default)]
pub struct How {
    /// Columns for fields.
    pub mapping: Mapping,
    /// Whether fields also are what SecurityEvent and Defender call them.
    pub built_in: bool,
    /// Whether a rule is run on the events of its log source alone.
    pub by_source: bool,
}

/// Makes rules ready. Those that have problems are in [`Engine::refused`]. The message says that they are too much together.
pub fn compile(rules: Vec<Rule>, how: &How) -> Result<Engine, String> {
    let mut compiler = Compiler::new(how);
    let mut engine = Engine::default();
    for mut rule in rules {
        match rule.condition.take().filter(|_| rule.problems.is_empty()) {
            Some(condition) => {
                let searches = std::mem::take(&mut rule.searches);
                let category = rule.source.category.clone();
                let searches: Vec<(String, Check)> = searches
                    .iter()
                    .map(|(name, asked)| (name.clone(), compiler.check(asked, &category)))
                    .collect();
                engine.rules.push(Runnable {
                    gate: gate(&condition, &searches),
                    searches,
                    source: compiler.source(&rule.source),
                    condition,
                    rule,
                });
            }
            None => engine.refused.push(unexplained(rule)),
        }
    }
    compiler.finish(engine)
}

/// A test without which a rule does not match, if there is one that is seen at once.
fn gate(condition: &Condition, searches: &[(String, Check)]) -> Option<usize> {
    match condition {
        Condition::Search(at) => searches.get(*at).and_then(|(_, check)| needed(check)),
        Condition::All(terms) => terms.iter().find_map(|term| gate(term, searches)),
        Condition::One(terms) => match terms.as_slice() {
            [only] => gate(only, searches),
            _ => None,
        },
        Condition::Not(_) => None,
    }
}

fn needed(check: &Check) -> Option<usize> {
    match check {
        Check::Test(test) => Some(*test),
        Check::All(of) => of.iter().find_map(needed),
        Check::One(of) => match of.as_slice() {
            [only] => needed(only),
            _ => None,
        },
        Check::Not(_) => None,
    }
}

/// A rule that is refused says why.
fn unexplained(mut rule: Rule) -> Rule {
    if rule.problems.is_empty() {
        let at = problem::Place {
            line: rule.line,
            column: 1,
        };
        rule.problems.push(Problem::new(at, "it has no condition"));
    }
    rule
}

struct Compiler<'h> {
    how: &'h How,
    /// By columns; `None` is every value.
    fields: BTreeMap<Option<Vec<String>>, usize>,
    /// The plain and the cased patterns of each field.
    gathered: Vec<[Gathered; 2]>,
    tests: BTreeMap<(usize, Ask), usize>,
    made: Vec<Test>,
    sources: BTreeMap<Source, usize>,
    /// The fields that are asked for empty text.
    empty: BTreeSet<usize>,
    text: usize,
    memory: usize,
}

impl<'h> Compiler<'h> {
    fn new(how: &'h How) -> Self {
        Compiler {
            how,
            fields: BTreeMap::new(),
            gathered: Vec::new(),
            tests: BTreeMap::new(),
            made: Vec::new(),
            sources: BTreeMap::new(),
            empty: BTreeSet::new(),
            text: 0,
            memory: 0,
        }
    }

    fn source(&mut self, source: &Source) -> usize {
        let next = self.sources.len();
        *self.sources.entry(source.clone()).or_insert(next)
    }

    fn field(&mut self, name: Option<&str>, category: &str) -> usize {
        let columns =
            name.map(|name| columns(name, category, &self.how.mapping, self.how.built_in));
        let next = self.gathered.len();
        let at = *self.fields.entry(columns).or_insert(next);
        if at == next {
            self.gathered.push(Default::default());
        }
        at
    }

    fn check(&mut self, asked: &Asked, category: &str) -> Check {
        match asked {
            Asked::Of(field, ask) => {
                let field = self.field(field.as_deref(), category);
                Check::Test(self.test(field, ask, category))
            }
            Asked::All(of) => {
                Check::All(of.iter().map(|asked| self.check(asked, category)).collect())
            }
            Asked::One(of) => {
                Check::One(of.iter().map(|asked| self.check(asked, category)).collect())
            }
            Asked::Not(of) => Check::Not(Box::new(self.check(of, category))),
        }
    }

    fn test(&mut self, field: usize, ask: &Ask, category: &str) -> usize {
        // Another field depends on the category, too.
        if let Ask::Field { .. } = ask {
            return self.make(field, ask, category);
        }
        if let Some(test) = self.tests.get(&(field, ask.clone())) {
            return *test;
        }
        let test = self.make(field, ask, category);
        self.tests.insert((field, ask.clone()), test);
        test
    }

    fn make(&mut self, field: usize, ask: &Ask, category: &str) -> usize {
        let test = self.made.len();
        let way = self.way(test, field, ask, category);
        self.made.push(Test { field, way });
        test
    }

    fn way(&mut self, test: usize, field: usize, ask: &Ask, category: &str) -> Way {
        match ask {
            Ask::Text { cased, patterns } => {
                if let Some(gathered) = self.gathered.get_mut(field) {
                    let [plain, with_case] = gathered;
                    let to = if *cased { with_case } else { plain };
                    patterns.iter().for_each(|pattern| to.add(test, pattern));
                }
                self.text += patterns
                    .iter()
                    .map(|pattern| pattern.length())
                    .sum::<usize>();
                Way::Text
            }
            Ask::Regex(expression) => {
                self.memory += expression.memory();
                Way::Regex(expression.clone())
            }
            Ask::Cidr(network) => Way::Cidr(*network),
            Ask::Compare(order, number) => Way::Compare(*order, number.value()),
            Ask::Equals(number) => Way::Equals(number.value()),
            Ask::Something => Way::Something,
            Ask::Empty => {
                self.empty.insert(field);
                Way::Empty
            }
            Ask::Field {
                other,
                stands,
                cased,
            } => Way::Field {
                other: self.field(Some(other), category),
                stands: *stands,
                cased: *cased,
            },
        }
    }

    fn finish(self, mut engine: Engine) -> Result<Engine, String> {
        if self.text > MOST_TEXT {
            return Err(format!(
                "the rules look for more than {MOST_TEXT} bytes of text together: run fewer at a time"
            ));
        }
        if self.memory > MOST_MEMORY {
            return Err("the rules have too many regular expressions: run fewer at a time".into());
        }
        let mut columns: Vec<Option<Vec<String>>> = vec![None; self.fields.len()];
        for (names, at) in self.fields {
            if let Some(slot) = columns.get_mut(at) {
                *slot = names;
            }
        }
        engine.wanted = wanted(&columns, &self.empty);
        engine.tells = Tells::new(&engine.wanted);
        for ([plain, cased], columns) in self.gathered.into_iter().zip(columns) {
            let places = columns.map(|names| places(&names, &engine.wanted));
            engine.fields.push(Field {
                places,
                plain: plain.build()?,
                cased: cased.build()?,
            });
        }
        engine.tests = self.made;
        engine.sources = vec![Source::default(); self.sources.len()];
        for (source, at) in self.sources {
            if let Some(slot) = engine.sources.get_mut(at) {
                *slot = source;
            }
        }
        engine.by_source = self.how.by_source;
        Ok(engine)
    }
}

/// The columns that are read of an event: all of them for keywords.
fn wanted(fields: &[Option<Vec<String>>], empty: &BTreeSet<usize>) -> Wanted {
    let empty = empty.iter().filter_map(|at| fields.get(*at)?.clone());
    let empty = empty.flatten().collect();
    let of_sources = source::columns().map(str::to_owned);
    let of_fields = fields.iter().flatten().flatten().flat_map(|name| {
        // A path begins in the column of its first name.
        let first = name.split_once('.').map(|(first, _)| first.to_owned());
        [name.clone()].into_iter().chain(first)
    });
    Wanted::new(of_sources.chain(of_fields), empty, fields.contains(&None))
}

/// Where the values of a field's columns are.
fn places(names: &[String], wanted: &Wanted) -> Vec<Place> {
    let mut places = Vec::new();
    for name in names {
        places.extend(wanted.slot(name).map(Place::Column));
        if let Some((first, rest)) = name.split_once('.') {
            let slot = wanted.slot(first);
            places.extend(slot.map(|slot| Place::Inside(slot, rest.to_owned())));
        }
    }
    places
}
