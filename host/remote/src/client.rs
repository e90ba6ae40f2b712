//! A client of all workspaces: what the sessions of one process share.

mod asked;
mod cancel;
mod exchange;
mod failed;
mod gate;
mod run;

use std::sync::Arc;
use std::time::Duration;

use spoor_protocol::FetchError;
use spoor_providers::config::Workspace;
use spoor_providers::response::{Outcome, TableSchema};

use crate::options::Options;
use crate::tokens::Tokens;
use crate::watch::Watch;
use crate::wire::Wire;
use spoor_providers::progress::Progress;

use cancel::Cancels;
use gate::Gate;
use run::Run;

pub use asked::Ask;

/// Asks workspaces. One serves all threads of a process, so that a workspace's queries wait for each other.
#[derive(Debug, Default)]
pub struct Client {
    wire: Arc<Wire>,
    gate: Gate,
    cancels: Cancels,
}

impl Client {
    /// A client that behaves so. Nothing is connected yet.
    pub fn new(options: Options) -> Self {
        Client {
            wire: Arc::new(Wire::new(options)),
            gate: Gate::default(),
            cancels: Cancels::default(),
        }
    }

    /// Runs a query of a workspace: waits for its turn, asks for a token, sends the query, reads the answer as it comes and all of its
    /// pages, and asks again where that may help. It ends within 100 ms once `watch` says that nobody waits; the connection is then
    /// closed, and Kusto is told to end the query. Blocks; see the crate's own page for where it may be called.
    ///
    /// # Errors
    /// Why there is no result, in words for people, which never contain a token.
    pub fn query(
        &self,
        workspace: &Workspace,
        ask: &Ask<'_>,
        tokens: &dyn Tokens,
        watch: &dyn Watch,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Outcome, FetchError> {
        let mut run = Run::new(self, workspace, tokens, watch, progress)?;
        let done = run.query(ask);
        done.map_err(|failed| run.told(&failed, ask.text))
    }

    /// The tables and columns of a workspace; none where the service does not tell them. It counts as a query of the workspace.
    ///
    /// # Errors
    /// As of [`Client::query`].
    pub fn schema(
        &self,
        workspace: &Workspace,
        tokens: &dyn Tokens,
        watch: &dyn Watch,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Vec<TableSchema>, FetchError> {
        let mut run = Run::new(self, workspace, tokens, watch, progress)?;
        let done = run.schema();
        done.map_err(|failed| run.told(&failed, ""))
    }

    /// How many queries of the workspace of this name run, and how many wait.
    pub fn load(&self, workspace: &str) -> (usize, usize) {
        self.gate.load(workspace)
    }

    /// Waits until services were told of all queries that were stopped, for `most` at the longest: for a process that is about
    /// to end. Whether they all were.
    pub fn settle(&self, most: Duration) -> bool {
        self.cancels.settle(most)
    }
}
