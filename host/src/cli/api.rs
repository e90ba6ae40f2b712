//! `spoor serve --api`: the files of `--data` as a store that clients of Log Analytics and Kusto query.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use spoor_kql::QueryResult;
use spoor_kql_syntax::ast;
use spoor_store::pieces::Limits;
use spoor_store::tls::ServerConfig;
use spoor_store::{
    Answer, Asked, Engine, Fault, Options, Origins, Problem, Render, Stop, Store, TableSchema,
    Tokens,
};

use super::local::Local;
use super::{Exit, Failure, say};
use crate::native::{self, AT_ONCE};
use crate::sources::Source;

/// Bytes of one answer's rows, as Kusto has it.
const BYTES: usize = 64 << 20;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "A store in the page's stead")]
pub struct Args {
    /// Answer the query protocols of Log Analytics and of Kusto (Azure Data Explorer) instead of serving the page
    ///
    /// The data is one database, and one workspace. Microsoft's clients, such as azure-kusto-data and azure-monitor-query,
    /// query it once they are given the printed address; azure-monitor-query asks over TLS alone, so for it --tls-cert is needed.
    #[arg(long, conflicts_with_all = ["open", "notebooks", "site"])]
    api: bool,
    /// What clients call the database and the workspace
    #[arg(long, value_name = "NAME", default_value = "spoor", requires = "api")]
    api_name: String,
    /// Who may ask: `NAME SHA256` a line, of bearer tokens. Without it, any program of this machine, and nobody else
    #[arg(long, value_name = "FILE", requires = "api")]
    api_tokens: Option<PathBuf>,
    /// Let pages of this origin ask, such as Spoor's own where it is served: https://host or https://host:port
    #[arg(long, value_name = "ORIGIN", requires = "api")]
    api_origin: Vec<String>,
    /// Cut answers at this many rows, unless the client says otherwise
    #[arg(long, value_name = "ROWS", default_value_t = 500_000, requires = "api")]
    api_rows: usize,
}

/// A store, and how its port is guarded.
pub struct Wanted {
    /// What is served.
    pub store: Store,
    /// The certificate, if there is TLS.
    pub tls: Option<Arc<ServerConfig>>,
}

impl Args {
    /// Whether the API is wanted.
    pub fn is_wanted(&self) -> bool {
        self.api
    }

    /// The store over `local`, to be served at `address`, with TLS or without; a query may take `time`.
    pub fn store(
        self,
        local: Arc<Local>,
        address: SocketAddr,
        tls: Option<Arc<ServerConfig>>,
        time: Duration,
    ) -> Result<Wanted, Failure> {
        let wrong = |error: String| Failure::new(Exit::Usage, error);
        let tokens = self.api_tokens.as_deref().map(Tokens::open).transpose();
        let tokens = tokens.map_err(|error| wrong(error.to_string()))?;
        let origins = Origins::read(&self.api_origin).map_err(|error| wrong(error.to_string()))?;
        guarded(address, tokens.is_some(), tls.is_some())?;
        let options = Options {
            name: self.api_name,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            tokens,
            origins,
            limits: Limits {
                rows: self.api_rows,
                bytes: BYTES,
            },
            time,
            at_once: AT_ONCE,
            is_encrypted: tls.is_some(),
        };
        let files = Files {
            local,
            bad: Mutex::default(),
        };
        let store = Store::new(Arc::new(files), options);
        Ok(Wanted { store, tls })
    }
}

/// Refuses to be open to everyone, and says aloud what is not encrypted.
fn guarded(address: SocketAddr, tokens: bool, tls: bool) -> Result<(), Failure> {
    if address.ip().is_loopback() {
        return Ok(());
    }
    if !tokens {
        return Err(Failure::new(
            Exit::Usage,
            "without --api-tokens the API is for programs of this machine: leave out --host, or say who may ask",
        ));
    }
    if !tls {
        say::warning(format_args!(
            "OTHER MACHINES CAN REACH THIS SERVER at {}. What it sends and is sent, the tokens included, is not encrypted: \
             give it --tls-cert and --tls-key",
            address.ip()
        ));
    }
    Ok(())
}

/// The data files as the store asks them.
struct Files {
    local: Arc<Local>,
    /// Files that are known to be no tables.
    bad: Mutex<BTreeSet<PathBuf>>,
}

impl Files {
    /// Says once of a file that it is left out of the schema.
    fn left_out(&self, source: &Source, problem: &native::Problem) {
        let mut bad = self.bad.lock().unwrap_or_else(PoisonError::into_inner);
        if bad.insert(source.path.clone()) {
            say::warning(format_args!(
                "the table {} is left out of what clients are told of tables: {}",
                source.spec.name, problem.message
            ));
        }
    }
}

impl Engine for Files {
    fn run(&self, asked: &Asked<'_>, stop: &dyn Fn() -> Option<Stop>) -> Result<Answer, Problem> {
        let result = self
            .local
            .answer(asked.text, asked.between, &|| native(stop));
        result
            .map(|result| answer(result, asked.text))
            .map_err(|problem| told(problem, asked.text, stop))
    }

    fn schema(&self, stop: &dyn Fn() -> Option<Stop>) -> Result<Vec<TableSchema>, Problem> {
        let mut tables = Vec::new();
        for source in self.local.sources() {
            match self.local.table(source, &|| native(stop)) {
                Ok(table) => tables.push(TableSchema {
                    name: source.spec.name.clone(),
                    columns: table.columns().to_vec(),
                }),
                // The other tables are there all the same; a query for this one says why it is not.
                Err(problem) if stop().is_none() => self.left_out(source, &problem),
                Err(problem) => return Err(told(problem, "", stop)),
            }
        }
        Ok(tables)
    }
}

fn native(stop: &dyn Fn() -> Option<Stop>) -> Option<native::Stop> {
    stop().map(|stop| match stop {
        Stop::TimeUp => native::Stop::TimeUp,
        Stop::Gone | Stop::Cancelled => native::Stop::Gone,
    })
}

fn answer(result: QueryResult, text: &str) -> Answer {
    Answer {
        table: result.table,
        render: result.render.map(|render| rendered(&render, text)),
    }
}

fn rendered(render: &ast::Render, text: &str) -> Render {
    let value = |expr: &ast::Expr| match &expr.kind {
        ast::ExprKind::Literal(ast::Literal::String(value)) => value.clone(),
        ast::ExprKind::Name(name) => name.clone(),
        _ => text.get(expr.span.range()).unwrap_or_default().to_owned(),
    };
    let properties = render.properties.iter();
    Render {
        kind: render.kind.text.clone(),
        properties: properties
            .map(|p| (p.name.text.clone(), value(&p.value)))
            .collect(),
    }
}

fn told(problem: native::Problem, text: &str, stop: &dyn Fn() -> Option<Stop>) -> Problem {
    let fault = match stop() {
        _ if !problem.mistakes.is_empty() => {
            let is_kql = spoor_kql_syntax::parse(text).diagnostics.is_empty();
            if is_kql {
                Fault::Semantic
            } else {
                Fault::Syntax
            }
        }
        Some(stop) => Fault::Stopped(stop),
        None => Fault::Failed,
    };
    Problem {
        fault,
        message: problem.message,
        hint: problem.hint,
        mistakes: problem.mistakes,
    }
}
