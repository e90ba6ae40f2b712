//! Value modifiers: `CommandLine|windash|contains|all`.

use crate::encoding::Encoding;
use crate::pattern::Stands;
use crate::problem::quoted;
use crate::spec::Order;

/// What the modifiers of a field say together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Modifiers {
    /// `contains`, `startswith`, `endswith`.
    pub stands: Option<Stands>,
    /// What is done to the values first, in this order.
    pub encodings: Vec<Encoding>,
    /// `all`: every value has to match.
    pub all: bool,
    /// `cased`: capitals count.
    pub cased: bool,
    /// `neq`: the field differs.
    pub neq: bool,
    /// How values are compared, where not as text.
    pub compare: Option<Compare>,
}

/// A way to compare that is not text's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    /// `re`, with its flags.
    Regex(Flags),
    /// `cidr`.
    Cidr,
    /// `exists`.
    Exists,
    /// `fieldref`.
    Field,
    /// `lt`, `lte`, `gt`, `gte`.
    Order(Order),
}

/// `re|i|m|s`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// Capitals do not count.
    pub i: bool,
    /// `^` and `$` are at lines' ends.
    pub m: bool,
    /// `.` is a line's end, too.
    pub s: bool,
}

impl Modifiers {
    /// Reads the words after a field's name.
    pub fn parse(words: &[&str]) -> Result<Self, String> {
        let mut found = Modifiers::default();
        for word in words {
            found.add(word)?;
        }
        found.agree()?;
        Ok(found)
    }

    fn add(&mut self, word: &str) -> Result<(), String> {
        match word {
            "contains" => self.stand(Stands::Inside),
            "startswith" => self.stand(Stands::First),
            "endswith" => self.stand(Stands::Last),
            "all" | "cased" | "neq" => {
                self.set(word);
                Ok(())
            }
            "windash" => self.encode(Encoding::Windash),
            "wide" | "utf16le" => self.encode(Encoding::Utf16Le),
            "utf16be" => self.encode(Encoding::Utf16Be),
            "utf16" => self.encode(Encoding::Utf16Bom),
            "base64" => self.encode(Encoding::Base64),
            "base64offset" => self.encode(Encoding::Base64Offset),
            "re" => self.compare(Compare::Regex(Flags::default())),
            "i" | "m" | "s" => self.flag(word),
            "cidr" => self.compare(Compare::Cidr),
            "exists" => self.compare(Compare::Exists),
            "fieldref" => self.compare(Compare::Field),
            "lt" => self.compare(Compare::Order(Order::Less)),
            "lte" => self.compare(Compare::Order(Order::LessOrEqual)),
            "gt" => self.compare(Compare::Order(Order::Greater)),
            "gte" => self.compare(Compare::Order(Order::GreaterOrEqual)),
            other => Err(unsupported(other)),
        }
    }

    fn set(&mut self, word: &str) {
        match word {
            "all" => self.all = true,
            "cased" => self.cased = true,
            _ => self.neq = true,
        }
    }

    fn stand(&mut self, stands: Stands) -> Result<(), String> {
        match self.stands.replace(stands) {
            None => Ok(()),
            Some(_) => Err("`contains`, `startswith` and `endswith` exclude each other".into()),
        }
    }

    fn encode(&mut self, encoding: Encoding) -> Result<(), String> {
        if self.stands.is_some() {
            return Err(
                "`contains`, `startswith` and `endswith` come after what encodes values".into(),
            );
        }
        self.encodings.push(encoding);
        Ok(())
    }

    fn compare(&mut self, compare: Compare) -> Result<(), String> {
        match self.compare.replace(compare) {
            None => Ok(()),
            Some(_) => {
                Err("of `re`, `cidr`, `exists`, `fieldref` and comparisons there can be one".into())
            }
        }
    }

    fn flag(&mut self, word: &str) -> Result<(), String> {
        let Some(Compare::Regex(flags)) = &mut self.compare else {
            return Err(format!("`{word}` has to follow `re`"));
        };
        match word {
            "i" => flags.i = true,
            "m" => flags.m = true,
            _ => flags.s = true,
        }
        Ok(())
    }

    fn agree(&self) -> Result<(), String> {
        let Some(compare) = self.compare else {
            return Ok(());
        };
        if !self.encodings.is_empty() {
            return Err("what encodes text does not go with `re`, `cidr` and comparisons".into());
        }
        if (self.stands.is_some() || self.cased) && compare != Compare::Field {
            return Err(
                "`contains`, `startswith`, `endswith` and `cased` do not go with `re`, `cidr`, \
                 `exists` and comparisons"
                    .into(),
            );
        }
        Ok(())
    }
}

fn unsupported(word: &str) -> String {
    match word {
        "expand" => "`expand` is not run: write the placeholder's values into the rule".into(),
        "minute" | "hour" | "day" | "week" | "month" | "year" => {
            format!("the time modifier `{word}` is not run")
        }
        "" => "an empty modifier".into(),
        other => format!("the modifier {} is not known", quoted(other)),
    }
}
