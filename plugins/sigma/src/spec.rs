//! What a rule asks of one field, before it is made to run: comparable, so that what many rules ask is asked once.

use std::net::IpAddr;

use regex_automata::meta::{BuildError, Regex};
use regex_automata::util::syntax;

use crate::pattern::{Pattern, Stands};
use crate::problem::quoted;

/// What is asked of a field's value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ask {
    /// It is like one of these patterns. Without `cased` these are in lower case, and compared so.
    Text {
        /// Whether capitals count.
        cased: bool,
        /// The patterns; none is empty text, or any text.
        patterns: Vec<Pattern>,
    },
    /// A regular expression is found in it.
    Regex(Expression),
    /// It is an address of this network.
    Cidr(Network),
    /// It compares so with a number.
    Compare(Order, Number),
    /// It is this number.
    Equals(Number),
    /// It is there and not empty.
    Something,
    /// It is empty text.
    Empty,
    /// It compares so with another field's value.
    Field {
        /// The other field, as the rule calls it.
        other: String,
        /// Where the other's value has to stand in this one's.
        stands: Stands,
        /// Whether capitals count.
        cased: bool,
    },
}

/// A regular expression, known by its text. It is run in time linear in what it is run on.
#[derive(Clone, Debug)]
pub struct Expression {
    text: String,
    regex: Regex,
}

impl Expression {
    /// Bytes of an expression as it is compiled.
    const LARGEST: usize = 2 << 20;
    /// Bytes of what a run keeps of it.
    const CACHE: usize = 1 << 18;
    /// Groups in groups.
    const DEEPEST: u32 = 50;

    /// Compiles one. The message says what about it is not taken: look-around and back-references, above all.
    pub fn new(text: String) -> Result<Self, String> {
        let built = Regex::builder()
            .syntax(syntax::Config::new().nest_limit(Self::DEEPEST))
            .configure(
                Regex::config()
                    .nfa_size_limit(Some(Self::LARGEST))
                    .hybrid_cache_capacity(Self::CACHE),
            )
            .build(&text);
        match built {
            Ok(regex) => Ok(Expression { text, regex }),
            Err(error) => Err(format!(
                "the regular expression {} is not taken: {}",
                quoted(&text),
                gist(&error)
            )),
        }
    }

    /// Whether it is found in a text.
    pub fn is_in(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// The most memory that it takes, in bytes.
    pub fn memory(&self) -> usize {
        self.regex.memory_usage() + Self::CACHE
    }
}

/// The last line of the many that the library draws.
fn gist(error: &BuildError) -> String {
    match error.syntax_error() {
        None => "it is too large".into(),
        Some(syntax) => {
            let text = syntax.to_string();
            let last = text.lines().last().unwrap_or_default();
            last.trim_start_matches("error: ").to_owned()
        }
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Expression {}

impl PartialOrd for Expression {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Expression {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.text.cmp(&other.text)
    }
}

/// `lt`, `lte`, `gt` and `gte`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Order {
    /// Less.
    Less,
    /// Less or equal.
    LessOrEqual,
    /// Greater.
    Greater,
    /// Greater or equal.
    GreaterOrEqual,
}

impl Order {
    /// Whether a value compares so.
    pub fn holds(self, value: f64, with: f64) -> bool {
        match self {
            Order::Less => value < with,
            Order::LessOrEqual => value <= with,
            Order::Greater => value > with,
            Order::GreaterOrEqual => value >= with,
        }
    }
}

/// A rule's number, by its bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Number(u64);

impl Number {
    /// Of a value.
    pub fn new(value: f64) -> Self {
        Number(value.to_bits())
    }

    /// The value.
    pub fn value(self) -> f64 {
        f64::from_bits(self.0)
    }
}

/// A network of IPv4 or IPv6 addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Network {
    address: IpAddr,
    prefix: u32,
}

impl Network {
    /// Reads `10.0.0.0/8`, `fe80::/10`, or an address alone.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse::<u32>().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(bits);
        (prefix <= bits).then_some(Network { address, prefix })
    }

    /// Whether an address is in it. An IPv4 address that is written as IPv6 (`::ffff:10.0.0.1`) is IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let differs = u32::from(own) ^ u32::from(other);
                differs.checked_shr(32 - self.prefix).unwrap_or(0) == 0
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let differs = u128::from(own) ^ u128::from(other);
                differs.checked_shr(128 - self.prefix).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

/// What a search asks of an event.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    /// Of a field, as the rule calls it; of every value of the event where there is no name.
    Of(Option<String>, Ask),
    /// All of these.
    All(Vec<Asked>),
    /// One of these.
    One(Vec<Asked>),
    /// Not this.
    Not(Box<Asked>),
}

impl Asked {
    /// The fields' names, each once, in order.
    pub fn fields(&self, into: &mut std::collections::BTreeSet<String>) {
        match self {
            Asked::Of(field, ask) => {
                into.extend(field.clone());
                if let Ask::Field { other, .. } = ask {
                    into.insert(other.clone());
                }
            }
            Asked::All(of) | Asked::One(of) => of.iter().for_each(|asked| asked.fields(into)),
            Asked::Not(of) => of.fields(into),
        }
    }
}
