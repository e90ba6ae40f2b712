//! Running rules on events: every question is asked at most once of an event, however many rules ask it.

use crate::condition::Condition;
use crate::event::{Event, Value};
use crate::fold::{fold, fold_into};
use crate::needles::Needles;
use crate::pattern::Stands;
use crate::rule::Rule;
use crate::skim::Wanted;
use crate::source::{Facts, Source, Tells};
use crate::spec::{Expression, Network, Order};

/// Rules, ready to be run.
#[derive(Debug, Default)]
pub struct Engine {
    /// The rules that are run.
    pub rules: Vec<Runnable>,
    /// The rules that cannot be run, each with its problems.
    pub refused: Vec<Rule>,
    /// The columns that are read of an event.
    pub wanted: Wanted,
    pub(crate) tells: Tells,
    pub(crate) fields: Vec<Field>,
    pub(crate) tests: Vec<Test>,
    pub(crate) sources: Vec<Source>,
    pub(crate) by_source: bool,
}

/// A rule that is run.
#[derive(Debug)]
pub struct Runnable {
    /// What it says of itself; its searches and condition are here instead.
    pub rule: Rule,
    pub(crate) source: usize,
    /// A test without which the rule does not match.
    pub(crate) gate: Option<usize>,
    pub(crate) searches: Vec<(String, Check)>,
    pub(crate) condition: Condition,
}

/// A search, as tests.
#[derive(Debug)]
pub(crate) enum Check {
    Test(usize),
    All(Vec<Check>),
    One(Vec<Check>),
    Not(Box<Check>),
}

/// A field: where its value is, and what is looked for in it.
#[derive(Debug)]
pub(crate) struct Field {
    /// The first of these that has a value; `None` for every value of the event.
    pub places: Option<Vec<Place>>,
    /// In lower case.
    pub plain: Needles,
    /// As it is written.
    pub cased: Needles,
}

/// Where a field's value may be.
#[derive(Debug)]
pub(crate) enum Place {
    /// In the column with this number.
    Column(usize),
    /// In a bag in the column with this number, at this path.
    Inside(usize, String),
}

impl Place {
    fn value<'v, 'e>(&self, event: &'v Event<'e>) -> Option<&'v Value<'e>> {
        match self {
            Place::Column(slot) => event.at(*slot),
            Place::Inside(slot, path) => event.at(*slot)?.within(path),
        }
    }
}

/// A question to a field.
#[derive(Debug)]
pub(crate) struct Test {
    pub field: usize,
    pub way: Way,
}

/// How a question is answered.
#[derive(Debug)]
pub(crate) enum Way {
    /// By looking for all of the field's texts at once.
    Text,
    Regex(Expression),
    Cidr(Network),
    Compare(Order, f64),
    Equals(f64),
    Something,
    Empty,
    Field {
        other: usize,
        stands: Stands,
        cased: bool,
    },
}

/// What is known of the event at hand; kept from one to the next for its room.
#[derive(Debug, Default)]
pub struct Known {
    tests: Vec<Option<bool>>,
    scanned: Vec<bool>,
    folded: String,
    tried: Vec<bool>,
}

impl Engine {
    /// Calls `f` with each rule that matches an event, and with the names of its searches that do.
    pub fn run(&self, event: &Event<'_>, known: &mut Known, mut f: impl FnMut(&Rule, &[&str])) {
        known.tests.clear();
        known.tests.resize(self.tests.len(), None);
        known.scanned.clear();
        known.scanned.resize(self.fields.len(), false);
        let facts = Facts::of(event, &self.tells);
        let fits = |source: &Source| !self.by_source || source.may_have(&facts);
        let fitting: Vec<bool> = self.sources.iter().map(fits).collect();
        let mut asking = Asking {
            engine: self,
            event,
            known,
        };
        for runnable in &self.rules {
            let is_fitting = fitting.get(runnable.source).copied().unwrap_or(false);
            let is_open = is_fitting && runnable.gate.is_none_or(|test| asking.test(test));
            if is_open && asking.condition(&runnable.condition, runnable) {
                let searches = runnable.searches.iter();
                let matched: Vec<&str> = searches
                    .filter(|(_, check)| asking.check(check))
                    .map(|(name, _)| name.as_str())
                    .collect();
                f(&runnable.rule, &matched);
            }
        }
    }
}

/// An event being asked.
struct Asking<'a, 'e> {
    engine: &'a Engine,
    event: &'a Event<'e>,
    known: &'a mut Known,
}

impl<'a> Asking<'a, '_> {
    fn condition(&mut self, condition: &Condition, of: &Runnable) -> bool {
        match condition {
            Condition::Search(at) => {
                let found = of.searches.get(*at);
                found.is_some_and(|(_, check)| self.check(check))
            }
            Condition::All(terms) => terms.iter().all(|term| self.condition(term, of)),
            Condition::One(terms) => terms.iter().any(|term| self.condition(term, of)),
            Condition::Not(term) => !self.condition(term, of),
        }
    }

    fn check(&mut self, check: &Check) -> bool {
        match check {
            Check::Test(test) => self.test(*test),
            Check::All(of) => of.iter().all(|check| self.check(check)),
            Check::One(of) => of.iter().any(|check| self.check(check)),
            Check::Not(of) => !self.check(of),
        }
    }

    fn test(&mut self, at: usize) -> bool {
        if let Some(Some(holds)) = self.known.tests.get(at) {
            return *holds;
        }
        let Some(test) = self.engine.tests.get(at) else {
            return false;
        };
        let holds = match test.way {
            Way::Text => self.scan(test.field, at),
            _ => self.ask(test),
        };
        if let Some(known) = self.known.tests.get_mut(at) {
            *known = Some(holds);
        }
        holds
    }

    /// Looks for all texts of a field, unless that has been done, and answers for one.
    fn scan(&mut self, field: usize, test: usize) -> bool {
        let is_new = self.known.scanned.get_mut(field);
        if is_new.is_some_and(|scanned| !std::mem::replace(scanned, true))
            && let Some(of) = self.engine.fields.get(field)
        {
            let known = &mut *self.known;
            each_text(self.event, of, &mut |text| {
                if !of.plain.is_empty() {
                    fold_into(text, &mut known.folded);
                    of.plain
                        .find(&known.folded, &mut known.tests, &mut known.tried);
                }
                if !of.cased.is_empty() {
                    of.cased.find(text, &mut known.tests, &mut known.tried);
                }
            });
        }
        self.known.tests.get(test).copied().flatten() == Some(true)
    }

    fn ask(&self, test: &Test) -> bool {
        let Some(field) = self.engine.fields.get(test.field) else {
            return false;
        };
        match &test.way {
            Way::Text => false,
            Way::Something => values(self.event, field).any(Value::is_something),
            Way::Empty => is_empty(self.event, field),
            Way::Regex(expression) => self.any_text(field, |text| expression.is_in(text)),
            Way::Cidr(network) => self.any_text(field, |text| {
                let address = text.trim().parse();
                address.is_ok_and(|address| network.contains(address))
            }),
            Way::Compare(order, with) => {
                self.any_number(field, |number| order.holds(number, *with))
            }
            Way::Equals(with) => self.any_number(field, |number| number == *with),
            Way::Field {
                other,
                stands,
                cased,
            } => self.compare(field, *other, *stands, *cased),
        }
    }

    fn any_text(&self, field: &Field, mut holds: impl FnMut(&str) -> bool) -> bool {
        let mut found = false;
        each_text(self.event, field, &mut |text| found = found || holds(text));
        found
    }

    fn any_number(&self, field: &Field, holds: impl Fn(f64) -> bool) -> bool {
        let mut found = false;
        for value in values(self.event, field) {
            value.scalars(&mut |scalar| {
                found = found || scalar.number().is_some_and(&holds);
            });
        }
        found
    }

    fn compare(&self, field: &Field, other: usize, stands: Stands, cased: bool) -> bool {
        let Some(other) = self.engine.fields.get(other) else {
            return false;
        };
        let as_asked = |text: &str| if cased { text.to_owned() } else { fold(text) };
        let mut needles: Vec<String> = Vec::new();
        each_text(self.event, other, &mut |text| needles.push(as_asked(text)));
        self.any_text(field, |text| {
            let text = as_asked(text);
            needles.iter().any(|needle| is_at(&text, needle, stands))
        })
    }
}

fn is_at(text: &str, needle: &str, stands: Stands) -> bool {
    match stands {
        Stands::Whole => text == needle,
        Stands::Inside => text.contains(needle),
        Stands::First => text.starts_with(needle),
        Stands::Last => text.ends_with(needle),
    }
}

/// The values that a field has: one, or all of the event's.
fn values<'v, 'e>(
    event: &'v Event<'e>,
    field: &'v Field,
) -> impl Iterator<Item = &'v Value<'e>> + use<'v, 'e> {
    let own = field.places.as_ref().map(|places| {
        let mut found = places.iter().filter_map(|place| place.value(event));
        found.find(|value| value.is_something())
    });
    let (own, all) = match own {
        Some(own) => (own, None),
        None => (None, Some(event.values())),
    };
    own.into_iter().chain(all.into_iter().flatten())
}

/// Calls `f` with every text that is not empty of a field's values.
fn each_text(event: &Event<'_>, field: &Field, f: &mut impl FnMut(&str)) {
    for value in values(event, field) {
        value.scalars(&mut |scalar| {
            if let Some(text) = scalar.text().filter(|text| !text.is_empty()) {
                f(&text);
            }
        });
    }
}

/// Whether a field is there, as empty text alone.
fn is_empty(event: &Event<'_>, field: &Field) -> bool {
    let places = field.places.iter().flatten();
    let mut found = places.filter_map(|place| place.value(event)).peekable();
    found.peek().is_some() && found.all(|value| *value == Value::Text("".into()))
}
