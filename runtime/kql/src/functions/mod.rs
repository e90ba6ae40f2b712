//! Kusto's functions and operators for the binder: what arguments they take, how those convert, and the DataFusion
//! expressions that compute them. `typed.rs` states what the binder relies on.

mod absent;
mod aggregate;
mod args;
mod beta;
mod cast;
mod conditional;
mod constant;
mod convert;
mod datetime;
mod decompose;
mod dynamic;
mod encode;
mod geo;
mod hll;
mod math;
mod net;
pub mod operators;
pub(crate) mod plugin;
mod punycode;
mod regexes;
mod schema;
mod series;
mod several;
mod tdigest;
mod text;
mod udf;
mod window;
mod xml;
mod zone;

use spoor_table::{KustoType, Value};

#[cfg(test)]
pub(crate) use absent::ABSENT;
pub use absent::absent;
pub use args::article;
pub use cast::convert;
pub(crate) use dynamic::sort_arrays;
pub(crate) use dynamic::{bag_column, bag_columns, without_empty};
pub(crate) use hll::shared_count;
pub use math::is_nan;
pub use several::{Several, several};
pub(crate) use udf::scalar_value;

use crate::typed::{
    AggregateFunction, BindContext, Documentation, FunctionError, ScalarFunction, Typed,
};

/// A constant.
pub fn literal(value: Value) -> Typed {
    Typed {
        expr: constant::expression(udf::scalar_value(&value)),
        ty: value.ty(),
        constant: Some(value),
    }
}

/// Every table of scalar functions, with the family that `docs/kql.md` lists it under.
const SCALAR: [(&str, &[ScalarFunction]); 19] = [
    ("Conversions", cast::FUNCTIONS),
    ("Choosing and testing", conditional::FUNCTIONS),
    ("Text", text::FUNCTIONS),
    ("Dates and times", datetime::FUNCTIONS),
    ("Numbers", math::FUNCTIONS),
    ("Dynamic values", dynamic::FUNCTIONS),
    ("Addresses, URLs and paths", net::FUNCTIONS),
    ("Encodings and hashes", encode::FUNCTIONS),
    ("Geography", geo::FUNCTIONS),
    ("Series", series::FUNCTIONS),
    ("Windows", window::FUNCTIONS),
    ("Units", convert::FUNCTIONS),
    ("Encodings and hashes", punycode::FUNCTIONS),
    ("Dynamic values", xml::FUNCTIONS),
    ("Series", decompose::FUNCTIONS),
    ("Numbers", beta::FUNCTIONS),
    ("Sketches and digests", hll::FUNCTIONS),
    ("Sketches and digests", tdigest::FUNCTIONS),
    ("Dates and times", zone::FUNCTIONS),
];

/// The scalar or window function called `name`.
pub fn scalar(name: &str) -> Option<&'static ScalarFunction> {
    SCALAR
        .iter()
        .flat_map(|(_, table)| table.iter())
        .find(|f| f.name == name)
}

/// Bytes of text or dynamic values that a function may make of one batch of rows: no query needs more, and the memory that
/// functions fill is nobody else's to count.
pub(crate) const BATCH_BYTES: usize = 256 << 20;

/// The aggregate function called `name`.
pub fn aggregate(name: &str) -> Option<&'static AggregateFunction> {
    aggregate::FUNCTIONS.iter().find(|f| f.name == name)
}

/// What a function is, for completion and hover.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Kusto's name.
    pub name: &'static str,
    /// Its call form and what it does.
    pub docs: Documentation,
    /// Whether it belongs in `summarize`.
    pub aggregate: bool,
}

/// Every function, scalar ones first.
pub fn all() -> impl Iterator<Item = Entry> {
    let scalar = SCALAR.iter().flat_map(|(_, table)| table.iter());
    let scalar = scalar.map(|f| Entry {
        name: f.name,
        docs: f.docs,
        aggregate: false,
    });
    let several = several::FUNCTIONS.iter().map(|f| Entry {
        name: f.name,
        docs: f.docs,
        aggregate: false,
    });
    scalar
        .chain(several)
        .chain(aggregate::FUNCTIONS.iter().map(|f| Entry {
            name: f.name,
            docs: f.docs,
            aggregate: true,
        }))
}

/// The scalar functions by family, families in the order in which they first come.
#[cfg(test)]
pub(crate) fn families() -> Vec<(&'static str, Vec<Documentation>)> {
    let scalar = SCALAR
        .iter()
        .flat_map(|(family, table)| table.iter().map(|f| (*family, f.docs)));
    let several = several::FUNCTIONS.iter().map(|f| ("Series", f.docs));
    let mut families: Vec<(&str, Vec<Documentation>)> = Vec::new();
    for (family, docs) in scalar.chain(several) {
        match families.iter_mut().find(|(known, _)| *known == family) {
            Some((_, functions)) => functions.push(docs),
            None => families.push((family, vec![docs])),
        }
    }
    families
}

/// Every function's name; one that is both scalar and aggregate comes twice.
pub fn names() -> impl Iterator<Item = &'static str> {
    all().map(|entry| entry.name)
}

type Bound = Result<Typed, FunctionError>;

/// A table of functions: name, call form, what it does, how it binds.
macro_rules! function_table {
    ($($name:literal, $signature:literal, $summary:literal, $bind:expr;)*) => {
        pub(super) const FUNCTIONS: &[crate::typed::ScalarFunction] = &[$(
            crate::typed::ScalarFunction {
                name: $name,
                docs: crate::typed::Documentation { signature: $signature, summary: $summary },
                bind: $bind,
            },
        )*];
    };
}
use function_table;

/// The conversion that Kusto does unasked where a value of type `to` is wanted.
fn implicit(ctx: &BindContext, arg: &Typed, to: KustoType) -> Bound {
    convert(ctx, arg.clone(), to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_documented() {
        let mut names = std::collections::BTreeSet::new();
        for entry in all() {
            assert!(
                names.insert((entry.name, entry.aggregate)),
                "{} is there twice",
                entry.name
            );
            assert!(
                entry.docs.signature.starts_with(entry.name),
                "{}",
                entry.name
            );
            assert!(entry.docs.summary.ends_with('.'), "{}", entry.name);
        }
    }
}
