//! Completion: what may stand at a place of a query. The kernel calls it. What is offered comes from the tables of operators and
//! functions that the engine itself has, so what is built is offered.

use std::collections::HashSet;
use std::ops::Range;

use spoor_kql_syntax::{OPERATORS, as_written};
use spoor_table::KustoType;

use super::documentation::{self, CHARTS};
use super::evaluate::signature;
use super::kustos::PLUGINS;
use super::place::Place;
use super::relation::BoundColumn;
use super::scope::Entity;
use super::{Catalogue, Shape, expand, join, parse, references, union};
use crate::functions;

/// What may stand at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completions {
    /// The bytes that a completion replaces: the word before the place.
    pub range: Range<usize>,
    /// Best first.
    pub items: Vec<Completion>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// What to insert.
    pub text: String,
    /// What it is.
    pub kind: CompletionKind,
    /// A type, a signature; may be empty.
    pub detail: String,
    /// A sentence or two; may be empty.
    pub documentation: String,
}

/// What a completion is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CompletionKind {
    /// A table of the catalogue or of the query.
    Table,
    /// A column in scope.
    Column,
    /// A name inside a dynamic value.
    Property,
    /// A tabular operator.
    Operator,
    /// A scalar function.
    Function,
    /// An aggregate function.
    Aggregate,
    /// A scalar that `let` defines.
    Variable,
    /// A word of an operator's syntax, an option's value, a type.
    Keyword,
}

/// What may stand at `offset`, a byte of the text.
pub fn complete(text: &str, offset: usize, catalogue: &Catalogue) -> Completions {
    let place = Place::new(text, offset);
    let scene = Scene {
        shape: if place.inert {
            None
        } else {
            place.shape(catalogue)
        },
        place,
        catalogue,
    };
    let mut items = scene.candidates();
    let prefix = scene.place.prefix().to_lowercase();
    let mut offered = HashSet::new();
    items.retain(|item| {
        let bare = item.text.trim_start_matches("['").to_lowercase();
        bare.starts_with(&prefix) && offered.insert((item.text.clone(), item.kind))
    });
    Completions {
        range: scene.place.word,
        items,
    }
}

/// A place, and what is in scope there.
struct Scene<'t> {
    place: Place<'t>,
    shape: Option<Shape>,
    catalogue: &'t Catalogue,
}

impl Scene<'_> {
    fn candidates(&self) -> Vec<Completion> {
        let place = &self.place;
        if place.inert {
            return Vec::new();
        }
        match place.back(0) {
            "|" => return operators(),
            "" | ";" => return self.start_of_query(),
            // A value in braces, and no function's body.
            "{" if place.back(1) != ")" && place.back(1) != "=" => return Vec::new(),
            "{" => {
                let mut items = self.start_of_query();
                items.extend(self.in_expression());
                return items;
            }
            "." => return self.members(),
            // A name that is made here.
            "let" | "as" | "set" => return Vec::new(),
            "declare" => return keywords(["query_parameters("]),
            "render" => return keywords(CHARTS.iter().copied()),
            "evaluate" => return self.plugins(),
            ":" if !matches!(place.operator(), "where" | "filter") => return types(),
            "(" if place.back(1) == "typeof" => return types(),
            _ => {}
        }
        if let Some(items) = self.option_values() {
            return items;
        }
        if place.operator() == "render" {
            return self.in_render();
        }
        if self.takes_table() {
            let mut items = self.tables();
            items.extend(keywords(self.options()));
            return items;
        }
        self.in_expression()
    }

    /// The functions of plugins.
    fn plugins(&self) -> Vec<Completion> {
        let functions = self.catalogue.functions.values();
        let described = functions.map(|function| {
            let declared = &function.function;
            let kind = CompletionKind::Function;
            item(
                &declared.name,
                kind,
                &signature(function),
                &declared.summary,
            )
        });
        let kustos = PLUGINS
            .iter()
            .map(|(name, form, summary, _)| item(name, CompletionKind::Function, form, summary));
        described.chain(kustos).collect()
    }

    fn in_expression(&self) -> Vec<Completion> {
        let place = &self.place;
        let operator = place.operator();
        let mut items = Vec::new();
        if place.after_operand() {
            items.extend(keywords(self.words_after_operand()));
            if takes_operands(operator) {
                items.extend(documentation::operator_words().map(between_operands));
            }
            return items;
        }
        items.extend(self.columns());
        items.extend(variables(self.shape.as_ref()));
        items.extend(keywords(self.words_at_start()));
        items.extend(keywords(self.options()));
        let aggregates = matches!(operator, "summarize" | "make-series") && !place.after_word("by");
        items.extend(all_functions(aggregates));
        if place.back(0) == "(" {
            items.extend(self.tables());
        }
        items
    }

    fn columns(&self) -> Vec<Completion> {
        columns_of(self.shape.as_ref())
    }

    /// What follows a `.`: a column of a join's side, a hint's name, a name inside a dynamic column.
    fn members(&self) -> Vec<Completion> {
        let path = self.place.path();
        match path.as_slice() {
            ["$left"] => self.columns(),
            ["$right"] => {
                let right = self.place.between(self.place.operator(), "on");
                let shape = right
                    .and_then(|right| self.place.shape_of(without_options(right), self.catalogue));
                columns_of(shape.as_ref())
            }
            ["hint"] => {
                let hints = join::HINTS.iter().filter_map(|h| h.strip_prefix("hint."));
                let hints = hints.map(|hint| format!("{hint}="));
                hints
                    .map(|hint| item(&hint, CompletionKind::Keyword, "", ""))
                    .collect()
            }
            path => self.properties(path),
        }
    }

    /// The names that the first rows of the query's tables have inside a dynamic column.
    fn properties(&self, path: &[&str]) -> Vec<Completion> {
        let Some((root, _)) = path.split_first() else {
            return Vec::new();
        };
        let columns = self.shape.as_ref().map_or(&[][..], |shape| &shape.columns);
        let is_root =
            |column: &BoundColumn| column.name == *root && column.ty == KustoType::Dynamic;
        if !columns.iter().any(is_root) {
            return Vec::new();
        }
        let prefix = format!("{}.", path.join("."));
        let names: Vec<String> = self.catalogue.keys().cloned().collect();
        let mut items = Vec::new();
        for table in references(self.place.text, &names) {
            let paths = self.catalogue.get(&table).map_or(&[][..], |t| &t.paths[..]);
            let under = paths.iter().filter_map(|path| path.strip_prefix(&prefix));
            let direct = under.filter(|rest| !rest.contains('.'));
            items.extend(direct.map(|name| item(name, CompletionKind::Property, "dynamic", "")));
        }
        items
    }

    /// What may be an option's value, after its `=`.
    fn option_values(&self) -> Option<Vec<Completion>> {
        let place = &self.place;
        if place.back(0) != "=" {
            return None;
        }
        if place.back(2) == "." && place.back(3) == "hint" {
            return Some(match place.back(1) {
                "strategy" => keywords(["broadcast", "shuffle"]),
                "remote" => keywords(["auto", "left", "local", "right"]),
                "distribution" => keywords(["per_node", "per_shard", "single"]),
                "shufflekey" => self.columns(),
                _ => Vec::new(),
            });
        }
        let words: &[&str] = match (place.operator(), place.back(1)) {
            ("join", "kind") => join::KINDS,
            ("lookup", "kind") => join::LOOKUP_KINDS,
            ("parse" | "parse-where", "kind") => parse::PARSE_KINDS,
            ("make-series", "kind") => &["nonempty"],
            ("reduce", "kind") => &["source"],
            ("graph-match" | "graph-shortest-paths", "cycles") => &["all", "none", "unique_edges"],
            ("graph-shortest-paths", "output") => &["all", "any"],
            ("graph-mark-components", "kind") => &["strong", "weak"],
            ("union", name) => values_of(union::UNION_OPTIONS, name)?,
            ("mv-expand" | "mv-apply", name) => values_of(expand::EXPAND_OPTIONS, name)?,
            ("render", name) => return self.render_values(name),
            ("", "kind") => join::KINDS,
            _ => return None,
        };
        Some(keywords(words.iter().copied()))
    }

    fn render_values(&self, name: &str) -> Option<Vec<Completion>> {
        let values = values_of(RENDER_OPTIONS, name)?;
        Some(match values {
            ["column"] => self.columns(),
            values => keywords(values.iter().copied()),
        })
    }

    /// After the kind of chart, and between the brackets of `with (...)`.
    fn in_render(&self) -> Vec<Completion> {
        if self.place.back(1) == "render" {
            return keywords(["with ("]);
        }
        let mut items = Vec::new();
        if matches!(self.place.back(0), "(" | ",") {
            let list = matches!(
                self.place.option(),
                "ycolumns" | "series" | "anomalycolumns"
            );
            if list && self.place.back(0) == "," {
                items.extend(self.columns());
            }
            let options = RENDER_OPTIONS.iter().map(|(name, _)| format!("{name}="));
            items.extend(options.map(|name| item(&name, CompletionKind::Keyword, "", "")));
        }
        items
    }

    /// The options of an operator that may stand right behind its name.
    fn options(&self) -> Vec<&'static str> {
        let place = &self.place;
        if place.back(0) != place.operator() {
            return Vec::new();
        }
        match place.operator() {
            "join" => vec![
                "kind=",
                "hint.strategy=",
                "hint.shufflekey=",
                "hint.remote=",
            ],
            "lookup" => vec!["kind="],
            "union" => vec!["kind=", "withsource=", "isfuzzy="],
            "mv-expand" => vec!["kind=", "with_itemindex="],
            "mv-apply" => vec!["with_itemindex="],
            "parse" | "parse-where" => vec!["kind=", "flags="],
            "make-series" => vec!["kind=nonempty"],
            "reduce" => vec!["kind=source"],
            "graph-match" => vec!["cycles="],
            "graph-shortest-paths" => vec!["cycles=", "output="],
            "graph-mark-components" => vec!["kind=", "with_component_id="],
            "summarize" => vec!["hint.strategy=", "hint.shufflekey="],
            _ => Vec::new(),
        }
    }

    /// Words of an operator's syntax where an operand may stand too.
    fn words_at_start(&self) -> Vec<&'static str> {
        let place = &self.place;
        let first = place.back(0) == place.operator();
        match place.operator() {
            "sort" | "order" | "partition" | "reduce" if first => vec!["by"],
            "summarize" if !place.after_word("by") => vec!["by"],
            "reduce" if place.after_word("with") => vec!["threshold=", "characters="],
            "join" | "lookup" if place.after_word("on") => vec!["$left.", "$right."],
            "distinct" | "project-away" | "project-keep" | "project-reorder" if first => vec!["*"],
            _ => Vec::new(),
        }
    }

    /// Words of an operator's syntax that may follow an operand.
    fn words_after_operand(&self) -> Vec<&'static str> {
        let place = &self.place;
        let unless = |word: &'static str| (!place.after_word(word)).then_some(word);
        let directions = ["asc", "desc", "nulls first", "nulls last"];
        match place.operator() {
            "summarize" => unless("by").into_iter().collect(),
            "sort" | "order" => directions.to_vec(),
            "top" if place.after_word("by") => directions.to_vec(),
            "top" => vec!["by"],
            "join" | "lookup" => unless("on").into_iter().collect(),
            "mv-expand" => vec!["limit", "to typeof("],
            "mv-apply" => vec!["limit", "on (", "to typeof("],
            "parse" | "parse-where" => unless("with").into_iter().collect(),
            "partition" => vec!["("],
            "reduce" if place.after_word("with") => vec!["threshold=", "characters="],
            "reduce" if place.after_word("by") => vec!["with threshold=", "with characters="],
            "reduce" => vec!["by"],
            "project-reorder" => vec!["asc", "desc", "granny-asc", "granny-desc"],
            "range" => ["from", "to", "step"]
                .into_iter()
                .filter_map(unless)
                .collect(),
            "make-series" => ["on", "from", "to", "step", "by"]
                .into_iter()
                .filter_map(unless)
                .chain(["default=", "in range("])
                .collect(),
            _ => Vec::new(),
        }
    }

    /// Whether a table must stand here.
    fn takes_table(&self) -> bool {
        let place = &self.place;
        let before = place.back(0);
        match place.operator() {
            "join" | "lookup" => {
                before == place.operator() || before == "(" && !place.after_word("on")
            }
            "union" => matches!(before, "union" | ","),
            _ => before == "(" && matches!(place.back(1), "materialize" | "toscalar" | "table"),
        }
    }

    fn tables(&self) -> Vec<Completion> {
        let own = self.shape.iter().flat_map(|shape| shape.scope.names());
        let own = own.filter(|(_, entity)| matches!(entity, Entity::Table(_)));
        let mut items: Vec<Completion> = own
            .map(|(name, _)| defined(name, CompletionKind::Table, "let"))
            .collect();
        for (name, table) in self.catalogue.iter() {
            let detail = match table.open {
                true => "not read yet".to_owned(),
                false => format!("{} columns", table.columns.len()),
            };
            items.push(item(&as_written(name), CompletionKind::Table, &detail, ""));
        }
        items
    }

    fn start_of_query(&self) -> Vec<Completion> {
        let mut items = self.tables();
        items.extend(
            variables(self.shape.as_ref())
                .into_iter()
                .filter(|item| item.kind == CompletionKind::Function),
        );
        let begins = [
            "datatable",
            "declare",
            "let",
            "print",
            "range",
            "set",
            "union",
        ];
        items.extend(
            begins
                .into_iter()
                .map(|word| match documentation::operator(word) {
                    Some(docs) => item(
                        word,
                        CompletionKind::Keyword,
                        &docs.signature,
                        &docs.summary,
                    ),
                    None => item(word, CompletionKind::Keyword, "", ""),
                }),
        );
        items
    }
}

/// The properties of a chart, and what may be their values: words, or a column.
pub(super) const RENDER_OPTIONS: &[(&str, &[&str])] = &[
    ("accumulate", &["false", "true"]),
    ("anomalycolumns", &["column"]),
    ("kind", &["default", "stacked", "stacked100", "unstacked"]),
    ("legend", &["hidden", "visible"]),
    ("series", &["column"]),
    ("title", &[]),
    ("xaxis", &["linear", "log"]),
    ("xcolumn", &["column"]),
    ("xmax", &[]),
    ("xmin", &[]),
    ("xtitle", &[]),
    ("yaxis", &["linear", "log"]),
    ("ycolumns", &["column"]),
    ("ymax", &[]),
    ("ymin", &[]),
    ("ytitle", &[]),
];

fn values_of(
    options: &[(&str, &'static [&'static str])],
    name: &str,
) -> Option<&'static [&'static str]> {
    let found = options.iter().find(|(known, _)| *known == name);
    found.map(|(_, values)| *values)
}

/// The text behind the `name=value` options that it begins with.
fn without_options(text: &str) -> &str {
    let word = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    let mut rest = text.trim_start();
    while let Some((name, behind)) = rest.split_once('=') {
        if !name.trim_end().chars().all(word) {
            break;
        }
        rest = behind.trim_start().trim_start_matches(word).trim_start();
    }
    rest
}

/// Whether an operator's arguments are expressions, in which operators may join operands.
fn takes_operands(operator: &str) -> bool {
    matches!(
        operator,
        "distinct"
            | "extend"
            | "filter"
            | "let"
            | "make-series"
            | "order"
            | "print"
            | "project"
            | "serialize"
            | "sort"
            | "summarize"
            | "top"
            | "where"
    )
}

fn item(text: &str, kind: CompletionKind, detail: &str, documentation: &str) -> Completion {
    Completion {
        text: text.to_owned(),
        kind,
        detail: detail.to_owned(),
        documentation: documentation.to_owned(),
    }
}

/// A name that the query defines.
fn defined(name: &str, kind: CompletionKind, detail: &str) -> Completion {
    item(&as_written(name), kind, detail, "Defined in the query.")
}

fn columns_of(shape: Option<&Shape>) -> Vec<Completion> {
    let columns = shape.map_or(&[][..], |shape| &shape.columns);
    columns
        .iter()
        .map(|column| {
            let written = as_written(&column.name);
            item(&written, CompletionKind::Column, column.ty.name(), "")
        })
        .collect()
}

fn keywords<'w>(words: impl IntoIterator<Item = &'w str>) -> Vec<Completion> {
    words
        .into_iter()
        .map(|word| item(word, CompletionKind::Keyword, "", ""))
        .collect()
}

fn types() -> Vec<Completion> {
    keywords(KustoType::ALL.map(KustoType::name))
}

fn between_operands(word: &'static str) -> Completion {
    match documentation::between_operands(word) {
        Some(docs) => item(
            word,
            CompletionKind::Keyword,
            &docs.signature,
            &docs.summary,
        ),
        None => item(word, CompletionKind::Keyword, "", ""),
    }
}

fn operators() -> Vec<Completion> {
    let documented = OPERATORS
        .iter()
        .filter_map(|name| Some((name, documentation::operator(name)?)));
    documented
        .map(|(name, docs)| {
            item(
                name,
                CompletionKind::Operator,
                &docs.signature,
                &docs.summary,
            )
        })
        .collect()
}

fn variables(shape: Option<&Shape>) -> Vec<Completion> {
    let names = shape.into_iter().flat_map(|shape| shape.scope.names());
    let items = names.filter_map(|(name, entity)| match entity {
        Entity::Scalar(typed) => Some(defined(name, CompletionKind::Variable, typed.ty.name())),
        Entity::Function(_) => Some(defined(name, CompletionKind::Function, "let")),
        Entity::Unknown => Some(defined(name, CompletionKind::Variable, "")),
        Entity::Table(_) => None,
    });
    items.collect()
}

/// Functions, aggregates first where they may stand.
fn all_functions(aggregates: bool) -> Vec<Completion> {
    let mut names: Vec<&str> = functions::names()
        .chain(documentation::own_functions())
        .collect();
    names.sort_unstable();
    names.dedup();
    let mut items = Vec::new();
    if aggregates {
        let found = names
            .iter()
            .filter_map(|name| Some((name, functions::aggregate(name)?.docs)));
        items.extend(found.map(|(name, docs)| {
            item(
                name,
                CompletionKind::Aggregate,
                docs.signature,
                docs.summary,
            )
        }));
    }
    let scalar = names
        .into_iter()
        .filter(|name| functions::aggregate(name).is_none() || functions::scalar(name).is_some());
    items.extend(scalar.filter_map(|name| {
        let docs = functions::scalar(name).map(|f| f.docs);
        match docs {
            Some(docs) => Some(item(
                name,
                CompletionKind::Function,
                docs.signature,
                docs.summary,
            )),
            None => documentation::function(name).map(|docs| {
                item(
                    name,
                    CompletionKind::Function,
                    &docs.signature,
                    &docs.summary,
                )
            }),
        }
    }));
    items
}
