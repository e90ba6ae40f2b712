//! What all sessions of a process share: compiled code.

use std::sync::{Arc, Mutex, PoisonError};

use spoor_plugin_abi::Capability;

use crate::aot::{Cache, Progress};
use crate::assets::Assets;
use crate::error::Error;
use crate::kernel;
use crate::plugins::Ready;
use crate::python::PythonAssets;
use crate::python::session::Interpreter;

/// Hears of compilations, on whatever thread needs one.
pub type OnProgress = Box<dyn Fn(Progress) + Send + Sync>;

/// The kernel's code, and the Python interpreter once a session has needed it.
pub struct Runtime {
    assets: Assets,
    cache: Cache,
    kernel: kernel::Code,
    interpreter: Mutex<Option<Arc<Interpreter>>>,
    progress: OnProgress,
}

impl Runtime {
    /// Loads kernel.wasm. Python's own code is loaded when a session first needs it.
    pub fn load(assets: Assets, cache: Cache, progress: OnProgress) -> Result<Arc<Self>, Error> {
        let kernel = kernel::Code::load(&assets.kernel(), &cache, &progress)?;
        Ok(Arc::new(Self {
            assets,
            cache,
            kernel,
            interpreter: Mutex::new(None),
            progress,
        }))
    }

    /// The kernel's code.
    pub fn kernel(&self) -> &kernel::Code {
        &self.kernel
    }

    /// A plugin's module, metered and so made ready to be called.
    pub(super) fn plugin(
        &self,
        name: &str,
        metered: &[u8],
        imports: &[Capability],
    ) -> Result<Ready, Error> {
        Ready::compile(&self.cache, name, metered, imports, &self.progress)
    }

    /// The Python interpreter, loaded on the first call. Sessions that ask meanwhile wait.
    pub(super) fn interpreter(&self) -> Result<Arc<Interpreter>, Error> {
        let mut loaded = self
            .interpreter
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(interpreter) = loaded.as_ref() {
            return Ok(interpreter.clone());
        }
        let assets = PythonAssets::open(self.assets.python())?;
        let interpreter = Interpreter::load(&assets, &self.cache, &self.progress)?;
        *loaded = Some(interpreter.clone());
        Ok(interpreter)
    }
}
