//! The data catalogue: which tables there are, and the way from a declared file to a table.
//!
//! A source is declared first, read when a query needs it, parsed in slices, and then a table of
//! the engine. A source that cannot be read fails the queries that need it, not the others, and
//! is tried again the next time it is needed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Instant;

use serde_json::{Map, Value, json};
use spoor_data::{Limits, Loader, Progress};
use spoor_kql::bind::{self, BindInput};
use spoor_kql::{Engine, EngineOptions, RESULT_ROWS};
use spoor_kql_syntax::{Diagnostic, parse};
use spoor_protocol::{DataFormat, Effect, SourceSpec, Told};
use spoor_table::{Table, format as write};

use crate::bundle::{From, Origin};
use crate::output::{Failure, Output, object};
use crate::plugins::{Adding, Plugins};

/// The most rows of a table's description.
const DESCRIBED: usize = 100;
/// The most characters of a value in it.
const VALUE: usize = 200;

/// All tables of a session, loaded or not.
pub(crate) struct Catalogue {
    /// The query engine with the tables that are loaded.
    pub engine: Engine,
    pub plugins: Plugins,
    sources: BTreeMap<String, Source>,
    /// What kept results lack, those that are not whole.
    lacking: BTreeMap<String, Vec<String>>,
    /// The names of tables that were taken away with a word on why.
    dropped: BTreeSet<String>,
}

/// A table's rows and its columns with their types.
pub(crate) type Shape = (usize, Vec<(String, &'static str)>);

struct Source {
    spec: SourceSpec,
    state: State,
}

enum State {
    Declared,
    /// A `Read` is out; these bytes have come.
    Reading(Vec<u8>),
    /// All bytes are there.
    Held(Vec<u8>),
    Parsing(Box<Loader>),
    Loaded,
    /// Told to the request that needs it, then forgotten.
    Failed(String),
}

/// How far a list of sources has come.
pub(crate) enum Loading {
    /// All are tables.
    Ready,
    /// A driver's `Data` is awaited.
    Waiting,
    /// The slice is over.
    More,
    /// One cannot be read.
    Failed(Failure),
}

/// One table in the list that Python and completion see.
pub(crate) struct Listed {
    pub name: String,
    /// Its shape, if it is loaded.
    pub shape: Option<Shape>,
}

impl Catalogue {
    pub(crate) fn new(memory_bytes: Option<usize>) -> Result<Self, String> {
        let mut options = EngineOptions {
            threads: 1,
            result_rows: Some(RESULT_ROWS),
            ..EngineOptions::default()
        };
        if let Some(bytes) = memory_bytes {
            options.memory_bytes = bytes;
        }
        let engine = Engine::new(options).map_err(|error| error.to_string())?;
        Ok(Self {
            engine,
            plugins: Plugins::default(),
            sources: BTreeMap::new(),
            lacking: BTreeMap::new(),
            dropped: BTreeSet::new(),
        })
    }

    /// Declares a source, or declares it anew. Fails while the old one is being read.
    pub(crate) fn declare(&mut self, spec: SourceSpec) -> Result<(), String> {
        if let Some(Source {
            state: State::Reading(_),
            ..
        }) = self.sources.get(&spec.name)
        {
            return Err(format!(
                "the source '{}' is being read and cannot be replaced",
                spec.name
            ));
        }
        self.engine.remove(&spec.name);
        if let Some((name, hint)) = spoor_data::other_name(&spec.label, &spec.name) {
            self.engine.set_hint(&name, Some(hint));
        }
        self.sources.insert(
            spec.name.clone(),
            Source {
                spec,
                state: State::Declared,
            },
        );
        Ok(())
    }

    /// Forgets a source and its table. Fails while it is being read.
    pub(crate) fn take_away(&mut self, name: &str) -> Result<(), String> {
        match self.sources.get(name).map(|source| &source.state) {
            None => return Err(format!("there is no source '{name}'")),
            Some(State::Reading(_)) => {
                return Err(format!(
                    "the source '{name}' is being read and cannot be taken away"
                ));
            }
            Some(_) => {}
        }
        self.engine.remove(name);
        self.sources.remove(name);
        Ok(())
    }

    /// A table's rows, columns and first rows; none where it is not loaded.
    pub(crate) fn describe(&self, name: &str, rows: usize) -> Option<Map<String, Value>> {
        let table = self.engine.table(name)?;
        let columns = table.columns().iter();
        let columns: Vec<Value> = columns
            .map(|column| json!({ "name": column.name, "type": column.ty.name() }))
            .collect();
        let mut first: Vec<Vec<String>> = Vec::new();
        let some = table.slice(0, rows.min(DESCRIBED).min(table.rows()));
        some.for_each_row(|row| {
            first.push(row.iter().map(|cell| cut(write::text(*cell))).collect());
            true
        });
        Some(object(
            json!({ "rows": table.rows(), "columns": columns, "first": first }),
        ))
    }

    /// Adds a plugin, whose module these bytes are.
    pub(crate) fn add_plugin(
        &mut self,
        bytes: &[u8],
        adding: &Adding,
        out: &mut Output,
    ) -> Result<Map<String, Value>, Failure> {
        self.plugins.add(&mut self.engine, bytes, adding, out)
    }

    /// Takes a plugin away; `false` if there is none of that name.
    pub(crate) fn remove_plugin(&mut self, name: &str) -> bool {
        self.plugins.remove(&mut self.engine, name)
    }

    /// Whether `name` is a data source, loaded or not.
    pub(crate) fn is_source(&self, name: &str) -> bool {
        self.sources.contains_key(name)
    }

    /// Whether `name` is a table that the session made: a kept result, or a frame of the guest's.
    pub(crate) fn is_result(&self, name: &str) -> bool {
        !self.is_source(name) && self.engine.table(name).is_some()
    }

    /// Takes bytes of a source that is being read.
    pub(crate) fn data(
        &mut self,
        name: &str,
        bytes: Vec<u8>,
        last: bool,
        error: Option<String>,
    ) -> Result<(), String> {
        let source = self
            .sources
            .get_mut(name)
            .ok_or_else(|| format!("there is no source '{name}'"))?;
        let State::Reading(held) = &mut source.state else {
            return Err(format!("the source '{name}' is not being read"));
        };
        if let Some(cause) = error {
            source.state = State::Failed(format!("{}: {cause}", source.spec.label));
            return Ok(());
        }
        if held.is_empty() {
            *held = bytes;
        } else {
            held.extend_from_slice(&bytes);
        }
        if last {
            source.state = State::Held(std::mem::take(held));
        }
        Ok(())
    }

    /// The tables that a query may read, loaded or not.
    pub(crate) fn references(&self, query: &str) -> Vec<String> {
        let names: Vec<String> = self.list().into_iter().map(|table| table.name).collect();
        self.engine.references(query, &names)
    }

    /// Those of `names` that are sources and not tables yet.
    pub(crate) fn unloaded(&self, names: &[String]) -> VecDeque<String> {
        let open = |name: &&String| {
            self.sources
                .get(*name)
                .is_some_and(|s| !matches!(s.state, State::Loaded))
        };
        names.iter().filter(open).cloned().collect()
    }

    /// The bytes that are yet to be read for `names`, as far as known.
    pub(crate) fn unread_bytes(&self, names: &VecDeque<String>) -> u64 {
        names
            .iter()
            .filter_map(|name| self.sources.get(name))
            .map(|s| s.spec.bytes.unwrap_or(0))
            .sum()
    }

    /// Every table, in order of name.
    pub(crate) fn list(&self) -> Vec<Listed> {
        let names: BTreeSet<&str> = self
            .sources
            .keys()
            .map(String::as_str)
            .chain(self.engine.names())
            .collect();
        let listed = |name: &str| Listed {
            name: name.to_string(),
            shape: self.engine.table(name).map(shape),
        };
        names.into_iter().map(listed).collect()
    }

    /// The results of the session, as tables for completion and inspection.
    pub(crate) fn results(&self) -> impl Iterator<Item = (String, bind::CatalogueTable)> {
        let all = self.engine.catalogue().iter();
        let results = all.filter(|(name, _)| !self.is_source(name));
        results.map(|(name, table)| (name.clone(), table.clone()))
    }

    /// The tables for completion, inspection and diagnosis. Those that are not loaded are there by name.
    pub(crate) fn for_names(&self) -> bind::Catalogue {
        let mut names = self.engine.catalogue().clone();
        for name in self.sources.keys() {
            if self.engine.table(name).is_none() {
                names.insert(name.clone(), bind::CatalogueTable::unread());
            }
        }
        names
    }

    /// Starts a query over the tables and those that it alone reads.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn start(
        &mut self,
        query: &str,
        beside: Vec<(String, Table)>,
        now: i64,
    ) -> Result<spoor_kql::Query, Vec<Diagnostic>> {
        let mut names = Vec::with_capacity(beside.len());
        for (name, table) in beside {
            self.engine.register(&name, table);
            names.push(name);
        }
        let started = self.engine.start(query, now);
        let started = started.map_err(|refused| self.explained(query, refused));
        // A query that runs keeps what it has begun with.
        for name in names {
            self.engine.remove(&name);
        }
        started
    }

    /// What is wrong with a query that the engine refused, with hints that know the names of all
    /// tables, loaded or not.
    fn explained(&self, query: &str, refused: Vec<Diagnostic>) -> Vec<Diagnostic> {
        let parsed = parse(query);
        if !parsed.diagnostics.is_empty() {
            return refused;
        }
        let catalogue = self.for_names();
        let input = BindInput {
            catalogue: &catalogue,
            now_ticks: 0,
            stages: &[],
        };
        let explained = bind::bind(&parsed.query, &input).err();
        explained
            .filter(|found| !found.is_empty())
            .unwrap_or(refused)
    }

    /// Works on `wanted` until they are loaded, data is awaited or `deadline` has passed.
    pub(crate) fn load(
        &mut self,
        wanted: &mut VecDeque<String>,
        deadline: Instant,
        out: &mut Output,
    ) -> Loading {
        while let Some(name) = wanted.front() {
            match self.load_one(&name.clone(), deadline, out) {
                Loading::Ready => wanted.pop_front(),
                other => return other,
            };
            if Instant::now() >= deadline {
                return if wanted.is_empty() {
                    Loading::Ready
                } else {
                    Loading::More
                };
            }
        }
        Loading::Ready
    }

    fn load_one(&mut self, name: &str, deadline: Instant, out: &mut Output) -> Loading {
        let Some(source) = self.sources.get_mut(name) else {
            return Loading::Ready;
        };
        loop {
            match std::mem::replace(&mut source.state, State::Declared) {
                State::Declared => {
                    out.push(Effect::Read {
                        name: name.to_string(),
                    });
                    source.state = State::Reading(Vec::new());
                    return Loading::Waiting;
                }
                State::Reading(bytes) => {
                    source.state = State::Reading(bytes);
                    return Loading::Waiting;
                }
                State::Held(bytes) => {
                    let format = format(source.spec.format);
                    let loader = Loader::new(&source.spec.label, format, bytes, Limits::default());
                    source.state = State::Parsing(Box::new(loader));
                }
                State::Parsing(mut loader) => {
                    let budget = deadline.saturating_duration_since(Instant::now());
                    match loader.step(budget) {
                        Ok(Progress::More) => {
                            source.state = State::Parsing(loader);
                            return Loading::More;
                        }
                        Ok(Progress::Done(table)) => {
                            source.state = State::Loaded;
                            self.engine.register(name, table);
                            return Loading::Ready;
                        }
                        Err(error) => return unreadable(name, &error.to_string()),
                    }
                }
                State::Loaded => {
                    source.state = State::Loaded;
                    return Loading::Ready;
                }
                State::Failed(cause) => return unreadable(name, &cause),
            }
        }
    }

    /// Makes `table` a table of the engine under `name`, and remembers what it `lacks`. Fails for the name of a source.
    pub(crate) fn keep(
        &mut self,
        name: &str,
        table: Table,
        lacks: Vec<String>,
    ) -> Result<(), Failure> {
        if self.is_source(name) {
            let message = format!(
                "'{name}' is the name of a data source and cannot be given to a result; choose another"
            );
            return Err(Failure::new("KqlError", message));
        }
        self.engine.register(name, table);
        if self.dropped.remove(name) {
            self.engine.set_hint(name, None);
        }
        match lacks.is_empty() {
            true => self.lacking.remove(name),
            false => self.lacking.insert(name.to_string(), lacks),
        };
        Ok(())
    }

    /// Drops a table that is not a source's, and says `why` to who asks for it; `false` if there is none of that name.
    pub(crate) fn drop(&mut self, name: &str, why: Option<String>) -> bool {
        if self.is_source(name) || !self.engine.remove(name) {
            return false;
        }
        self.lacking.remove(name);
        if why.is_some() {
            self.dropped.insert(name.to_string());
            self.engine.set_hint(name, why);
        }
        true
    }

    /// Where a result comes from that reads these tables and `lacks` what the engine says: nothing to say of it where it is whole.
    pub(crate) fn origin(&self, reads: &[String], lacks: Vec<String>) -> Option<Box<Origin>> {
        let lacking = reads
            .iter()
            .filter_map(|name| self.lacking.get_key_value(name));
        let (tables, of_tables): (Vec<_>, Vec<_>) = lacking.unzip();
        let mut told = Told {
            partial: lacks,
            ..Told::default()
        };
        for why in of_tables.into_iter().flatten() {
            if !told.partial.contains(why) {
                told.partial.push(why.clone());
            }
        }
        let from = From::Kept(tables.into_iter().cloned().collect());
        (!told.partial.is_empty()).then(|| Box::new(Origin { from, told }))
    }

    /// Drops every table that is not a source's.
    pub(crate) fn forget_kept(&mut self) {
        let kept: Vec<String> = self
            .engine
            .names()
            .filter(|name| !self.is_source(name))
            .map(String::from)
            .collect();
        for name in kept {
            self.engine.remove(&name);
        }
        for name in std::mem::take(&mut self.dropped) {
            self.engine.set_hint(&name, None);
        }
        self.lacking.clear();
    }
}

/// A value's text, shortened where it is long.
fn cut(mut text: String) -> String {
    if let Some((at, _)) = text.char_indices().nth(VALUE) {
        text.truncate(at);
        text.push('…');
    }
    text
}

fn shape(table: &Table) -> Shape {
    let columns = table
        .columns()
        .iter()
        .map(|c| (c.name.clone(), c.ty.name()))
        .collect();
    (table.rows(), columns)
}

fn unreadable(name: &str, cause: &str) -> Loading {
    Loading::Failed(Failure::new(
        "DataError",
        format!("the table '{name}' could not be read. {cause}"),
    ))
}

fn format(format: DataFormat) -> Option<spoor_data::Format> {
    match format {
        DataFormat::Csv => Some(spoor_data::Format::Csv),
        DataFormat::Json | DataFormat::JsonLines => Some(spoor_data::Format::Json),
        DataFormat::Parquet => Some(spoor_data::Format::Parquet),
        DataFormat::Arrow => Some(spoor_data::Format::Arrow),
        DataFormat::Auto => None,
    }
}
