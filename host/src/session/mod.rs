//! A notebook session under wasmtime: one kernel, its Python guest, and the thread they live on.
//!
//! `run` uses one; a server would use many, side by side in one process. A front end sends
//! requests (events of the protocol) and gets [`Report`]s as things happen: streams arrive as
//! they are written. What effects mean is in [`driver`]; what outputs look like is the front
//! end's business.

mod budget;
mod driver;
mod fetch;
mod plugins;
mod runtime;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::{Map, Value};
use spoor_protocol::{Channel, Event};

use crate::engine::THREAD_STACK;
use crate::error::Error;
use crate::kernel;
use crate::native::Providers;
use crate::python::Interrupter;
use crate::sources::Data;

pub use plugins::PluginFile;
pub use runtime::Runtime;

/// How a session is to be.
#[derive(Debug, Default)]
pub struct Options {
    /// The tables, and what the guest sees under `/data`.
    pub data: Data,
    /// Who runs the queries of cells that name a provider.
    pub providers: Providers,
    /// The workspace that runs queries which name none; none for the kernel.
    pub workspace: Option<String>,
    /// The workspaces that are the session's own data.
    pub local_workspaces: Vec<String>,
    /// The plugins whose functions its queries may call.
    pub plugins: Vec<PluginFile>,
    /// The longest that a request may take. At the limit it is interrupted; Python that does not
    /// heed that is stopped and rolled back.
    pub cell_time: Option<Duration>,
    /// What the kernel may use.
    pub kernel: kernel::Limits,
    /// The Python guest's linear memory, in bytes; `None` for the driver's default.
    pub python_memory: Option<u64>,
    /// Where to record the session. The file must not exist.
    pub record: Option<PathBuf>,
}

/// Something that happened in a session. Reports come on the session's thread. What one request
/// puts out is limited, so a front end that is slow may let them queue.
#[derive(Debug)]
pub enum Report {
    /// A Jupyter message.
    Message(Message),
    /// A line for the person who waits: a module is being compiled, the kernel was restarted.
    Note(String),
    /// Python's engine is being made ready, which takes a first start some time, and none of anyone's limits.
    Preparing,
    /// It is ready, or cannot be.
    Prepared,
    /// A request has been carried out. An error means that the session is over; a panic of the
    /// session's own code is one, too.
    Done(Result<End, Error>),
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The kernel carried it out; whether the cell succeeded is in its `execute_reply`.
    Carried,
    /// It was interrupted because it passed [`Options::cell_time`].
    TimedOut,
}

/// A Jupyter message from the kernel.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Where it goes.
    pub channel: Channel,
    /// Jupyter's message type.
    pub msg_type: String,
    /// The id of the request that caused it.
    pub parent: String,
    /// Its content.
    pub content: Map<String, Value>,
    /// Its metadata.
    pub metadata: Map<String, Value>,
    /// Its raw buffers.
    pub buffers: Vec<Vec<u8>>,
}

/// A running session. Dropping it ends it.
pub struct Session {
    requests: Option<Sender<Event>>,
    interrupt: Interrupt,
    ended: Receiver<()>,
}

impl Session {
    /// Starts a session: a kernel with the data declared. Python starts with its first cell.
    /// `report` is called on the session's thread.
    pub fn open(
        runtime: &Arc<Runtime>,
        options: Options,
        mut report: impl FnMut(Report) + Send + 'static,
    ) -> Result<Self, Error> {
        let (requests, inbox) = channel::<Event>();
        let (opened, was_opened) = channel();
        let (ending, ended) = channel::<()>();
        let interrupt = Interrupt::default();
        let (runtime, flags) = (runtime.clone(), interrupt.clone());
        thread::Builder::new()
            .name("spoor-session".into())
            .stack_size(THREAD_STACK)
            .spawn(move || {
                // Dropped when the thread has let go of everything else.
                let _ending = ending;
                // Nothing that the closure leaves behind half-done is looked at again.
                let served = catch_unwind(AssertUnwindSafe(|| {
                    match driver::Driver::open(runtime, options, flags, &mut report) {
                        Ok(mut driver) => {
                            if opened.send(Ok(())).is_ok() {
                                serve(&mut driver, &inbox, &mut report);
                            }
                        }
                        // Nobody waits if this fails.
                        Err(error) => drop(opened.send(Err(error))),
                    }
                }));
                if let Err(panic) = served {
                    let words = words_of(&*panic);
                    // Whichever of the two someone waits for.
                    let _ = opened.send(Err(Error::Internal(words.clone())));
                    report(Report::Done(Err(Error::Internal(words))));
                }
            })
            .map_err(|e| Error::Engine(format!("no thread for the session: {e}")))?;
        was_opened.recv().unwrap_or_else(|_| Err(ended_early()))?;
        Ok(Self {
            requests: Some(requests),
            interrupt,
            ended,
        })
    }

    /// Sends a request: `Execute`, `Complete`, `Inspect`, `IsComplete` or `Restart`. Requests are
    /// carried out in order; each ends with a [`Report::Done`].
    pub fn send(&self, request: Event) -> Result<(), Error> {
        // An interrupt that came before the request was for nothing.
        self.interrupt.take();
        let sent = self
            .requests
            .as_ref()
            .map(|requests| requests.send(request).is_ok());
        if sent == Some(true) {
            Ok(())
        } else {
            Err(ended_early())
        }
    }

    /// What stops the request that runs.
    pub fn interrupt(&self) -> Interrupt {
        self.interrupt.clone()
    }

    /// Ends the session, interrupting what runs, and waits up to `grace` for it to let go.
    /// Returns whether it did.
    pub fn close(mut self, grace: Duration) -> bool {
        self.end(grace)
    }

    fn end(&mut self, grace: Duration) -> bool {
        if self.requests.take().is_none() {
            return true;
        }
        self.interrupt.now();
        // The other end sends nothing: an error other than the time-out is the end.
        self.ended.recv_timeout(grace) != Err(std::sync::mpsc::RecvTimeoutError::Timeout)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Long enough for temporary folders to go; a guest that heeds nothing is left behind.
        self.end(Duration::from_secs(5));
    }
}

/// What a panic said.
fn words_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "it panicked without a word".into())
}

fn ended_early() -> Error {
    Error::Kernel("the session has ended".into())
}

fn serve(driver: &mut driver::Driver, inbox: &Receiver<Event>, report: &mut dyn FnMut(Report)) {
    while let Ok(request) = inbox.recv() {
        let end = driver.request(request, report);
        let over = end.is_err();
        report(Report::Done(end));
        if over {
            return;
        }
    }
}

/// Stops what a session is doing, from any thread.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<Flags>);

#[derive(Debug, Default)]
struct Flags {
    /// An interrupt waits for the end of the kernel's slice.
    wanted: AtomicBool,
    /// The guest whose turn runs.
    python: Mutex<Option<Interrupter>>,
}

impl Interrupt {
    /// A query ends at its next slice, within some tens of milliseconds; a Python loop raises
    /// `KeyboardInterrupt`. Does nothing when nothing runs.
    pub fn now(&self) {
        self.0.wanted.store(true, Ordering::Relaxed);
        if let Some(python) = self.python().as_ref() {
            python.interrupt();
        }
    }

    /// Whether an interrupt waits for the kernel.
    fn is_wanted(&self) -> bool {
        self.0.wanted.load(Ordering::Relaxed)
    }

    /// Takes the interrupt that waits for the kernel, if there is one.
    fn take(&self) -> bool {
        self.0.wanted.swap(false, Ordering::Relaxed)
    }

    fn set_python(&self, interrupter: Option<Interrupter>) {
        *self.python() = interrupter;
    }

    fn python(&self) -> std::sync::MutexGuard<'_, Option<Interrupter>> {
        self.0.python.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
