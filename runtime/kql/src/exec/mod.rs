//! Running plans: DataFusion on a tokio runtime that is driven in slices, a memory limit that ends in an error, and
//! scans of tables in memory. The engine calls it; nothing here knows KQL.

mod apply;
mod basket;
mod cluster;
mod desk;
mod give_way;
mod graph;
mod in_turn;
mod keep;
mod made;
mod once;
mod operator;
mod pace;
mod range;
mod reduce;
mod scan;
mod shared;
mod sort;
mod source;
mod split;
mod steps;
mod stored;
mod whole;
mod window;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::DataFusionError;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::functions_aggregate::first_last::first_value_udaf;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::execute_stream;
use datafusion::prelude::SessionConfig;
use futures::StreamExt;
use spoor_table::{Column, Table, TableError};
use tokio::runtime::Runtime;

pub(crate) use apply::Applied;
pub(crate) use basket::Basket;
pub(crate) use cluster::{Clusters, Differences};
pub use desk::Called;
pub(crate) use desk::Desk;
pub(crate) use graph::{EDGE, Graph, KEY, Keyed, NODE, SOURCE, TARGET};
pub(crate) use made::KeptTable;
pub(crate) use once::SharedTable;
use pace::Pacer;
pub(crate) use range::{RangeTable, Steps};
pub(crate) use reduce::Patterns;
pub(crate) use scan::MemoryTable;
pub(crate) use steps::{Slot as ScanSlot, Step as ScanStep, SteppedTable, Stepping};
pub(crate) use stored::StoredTable;
pub use stored::{StoredBatches, StoredRows, Wanted};
pub(crate) use whole::{WholeTable, Work};
pub(crate) use window::{SlicedEvaluator, SlicedWindow};

/// Rows of a batch between operators.
pub(crate) const BATCH_ROWS: usize = 8192;

/// What a running plan can end in besides its result.
#[derive(Debug, thiserror::Error)]
pub enum ExecutionError {
    /// The query needs more memory than it may have.
    #[error(
        "the query needs more than its {} MiB of memory: filter earlier, keep fewer columns, or summarize before joining",
        .limit >> 20
    )]
    OutOfMemory {
        /// Bytes that the query may use.
        limit: usize,
    },
    /// A plugin that it calls gave no answer, or none that can be believed.
    #[error("{0}")]
    Plugin(String),
    /// A table's rows, which are read as the query asks for them, cannot be read: what the reader says.
    #[error("{0}")]
    Unreadable(String),
    /// An operator failed.
    #[error("the query failed while running: {0}")]
    Failed(String),
    /// The result does not have the columns that were planned.
    #[error("the query's result is not what was planned: {0}")]
    Shape(#[from] TableError),
}

/// Where plans run: shared by all queries of an engine.
pub(crate) struct Executor {
    runtime: Arc<Runtime>,
    environment: Arc<RuntimeEnv>,
    memory_bytes: usize,
    threads: usize,
}

impl Executor {
    /// `threads` 1 runs everything on the caller's thread, in slices; more run plans in as many partitions.
    pub(crate) fn new(memory_bytes: usize, threads: usize) -> Result<Executor, ExecutionError> {
        let failed = |error: &dyn std::fmt::Display| ExecutionError::Failed(error.to_string());
        let runtime = build_runtime(threads).map_err(|e| failed(&e))?;
        // Spilling needs files, which a kernel has none of: a query that outgrows its memory fails.
        let disk = DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled);
        let environment = RuntimeEnvBuilder::new()
            .with_memory_limit(memory_bytes, 1.0)
            .with_disk_manager_builder(disk)
            .build_arc()
            .map_err(|e| failed(&e))?;
        Ok(Executor {
            runtime: Arc::new(runtime),
            environment,
            memory_bytes,
            threads: threads.max(1),
        })
    }

    /// Starts a plan whose result has these columns. Once there are more rows than `most`, no more are asked for: the table
    /// then has some more rows than that.
    pub(crate) fn start(
        &self,
        plan: LogicalPlan,
        columns: Vec<Column>,
        most: Option<usize>,
    ) -> Running {
        let pacer = Arc::new(Pacer::new(self.threads == 1));
        let desk = Arc::new(Desk::default());
        let state = self.session(pacer.clone(), desk.clone(), in_turn::shows(&plan));
        let limit = self.memory_bytes;
        Running {
            runtime: self.runtime.clone(),
            future: Box::pin(run(state, plan, (columns, most), limit)),
            pacer,
            desk,
            threaded: self.threads > 1,
        }
    }

    /// A session for a query whose answer shows its rows' order, or does not.
    fn session(&self, pacer: Arc<Pacer>, desk: Arc<Desk>, in_order: bool) -> SessionState {
        let mut config = SessionConfig::new()
            .with_target_partitions(self.threads)
            .with_batch_size(BATCH_ROWS)
            .with_information_schema(false)
            .with_extension(pacer)
            .with_extension(desk);
        let options = config.options_mut();
        // Sorting keeps ties as they came only while one stream feeds it, which is Kusto's behaviour in practice.
        options.optimizer.repartition_sorts = self.threads > 1;
        // What is dealt out a batch at a time is in no order any more.
        options.optimizer.enable_round_robin_repartition = !in_order;
        options.sql_parser.enable_ident_normalization = false;
        options.execution.collect_statistics = false;
        SessionStateBuilder::new()
            .with_config(config)
            .with_runtime_env(self.environment.clone())
            // What `distinct on` is rewritten to; all other functions come with the plans that call them.
            .with_aggregate_functions(vec![first_value_udaf()])
            .with_session_id("spoor".to_owned())
            .build()
    }
}

#[cfg(not(target_family = "wasm"))]
fn build_runtime(threads: usize) -> std::io::Result<Runtime> {
    if threads > 1 {
        return tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads)
            .enable_time()
            .build();
    }
    tokio::runtime::Builder::new_current_thread().build()
}

/// WebAssembly has no threads: plans always run on the caller's.
#[cfg(target_family = "wasm")]
fn build_runtime(_: usize) -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread().build()
}

type Outcome = Result<Table, ExecutionError>;

/// A plan that is running. Dropping it cancels it.
pub(crate) struct Running {
    runtime: Arc<Runtime>,
    future: Pin<Box<dyn Future<Output = Outcome> + Send>>,
    pacer: Arc<Pacer>,
    desk: Arc<Desk>,
    threaded: bool,
}

impl Running {
    /// The calls that it leaves to others.
    pub(crate) fn desk(&self) -> &Desk {
        &self.desk
    }

    /// Runs for about `budget`; `None` when there is more to do.
    pub(crate) fn step(&mut self, budget: Duration) -> Option<Outcome> {
        let Running {
            runtime,
            future,
            pacer,
            desk,
            threaded,
        } = self;
        if *threaded {
            // It may wait for calls that nobody here can make, and that its threads leave.
            let calls = std::future::poll_fn(|context| {
                desk.watch(context.waker());
                match future.as_mut().poll(context) {
                    Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
                    Poll::Pending if desk.waits() => Poll::Ready(None),
                    Poll::Pending => Poll::Pending,
                }
            });
            return runtime
                .block_on(async { tokio::time::timeout(budget, calls).await.ok().flatten() });
        }
        let deadline = Instant::now() + budget;
        pacer.open(deadline);
        let slice = std::future::poll_fn(|context| {
            pacer.watch(context.waker());
            desk.watch(context.waker());
            match future.as_mut().poll(context) {
                Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
                // Nobody here can make the calls that it may be waiting for.
                Poll::Pending if Instant::now() >= deadline || desk.waits() => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            }
        });
        runtime.block_on(async {
            let outcome = slice.await;
            if outcome.is_none() {
                // Inputs that run as tasks of their own get on in each slice too, however short it is.
                tokio::task::yield_now().await;
            }
            outcome
        })
    }
}

async fn run(
    state: SessionState,
    plan: LogicalPlan,
    wanted: (Vec<Column>, Option<usize>),
    limit: usize,
) -> Outcome {
    collect(state, plan, wanted)
        .await
        .map_err(|error| match error {
            Failure::Shape(error) => ExecutionError::Shape(error),
            Failure::Plan(error) => explain(error, limit),
        })
}

enum Failure {
    Plan(DataFusionError),
    Shape(TableError),
}

impl From<DataFusionError> for Failure {
    fn from(error: DataFusionError) -> Self {
        Failure::Plan(error)
    }
}

async fn collect(
    state: SessionState,
    plan: LogicalPlan,
    (columns, most): (Vec<Column>, Option<usize>),
) -> Result<Table, Failure> {
    let physical = give_way::between_batches(state.create_physical_plan(&plan).await?)?;
    let reservation = MemoryConsumer::new("result").register(&state.runtime_env().memory_pool);
    let mut stream = execute_stream(in_turn::whole(physical), state.task_ctx())?;
    let mut table = Table::empty(columns);
    while let Some(batch) = stream.next().await {
        let batch = batch?;
        reservation.try_grow(rows_memory(&batch)?)?;
        table.push(batch).map_err(Failure::Shape)?;
        if most.is_some_and(|most| table.rows() > most) {
            break;
        }
    }
    Ok(table)
}

/// The bytes of a batch's own rows. Batches that a scan gives are slices of one another's buffers, which count once.
fn rows_memory(batch: &RecordBatch) -> Result<usize, DataFusionError> {
    let sizes = batch
        .columns()
        .iter()
        .map(|column| column.to_data().get_slice_memory_size());
    Ok(sizes.sum::<Result<usize, _>>()?)
}

fn explain(error: DataFusionError, limit: usize) -> ExecutionError {
    match error.find_root() {
        DataFusionError::ResourcesExhausted(_) => ExecutionError::OutOfMemory { limit },
        DataFusionError::External(error) if error.is::<apply::PluginFailed>() => {
            ExecutionError::Plugin(error.to_string())
        }
        DataFusionError::External(error) if error.is::<stored::Unreadable>() => {
            ExecutionError::Unreadable(error.to_string())
        }
        root => ExecutionError::Failed(root.strip_backtrace()),
    }
}
