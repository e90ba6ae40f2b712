//! From a module's bytes to one that can be called: admitted, metered, compiled, and linked with what was granted.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Mutex, PoisonError};

use spoor_gate::{Admitted, Identity, Policy, PublicKey, admit, meter};
use spoor_plugin_abi::{Capability, Function, Manifest};
use wasmtime::{InstancePre, Linker, Module};

use super::call::{self, Called, Outcome, State};
use super::control::Control;
use super::{Failure, Limits, Wish, engine};
use crate::aot::{Cache, Progress};

/// Compiled modules that a runner keeps at most; then it begins anew.
const KEPT: usize = 64;

/// What admits and compiles plugins. Compiled code is kept in memory, and in the cache by the SHA-256 of the metered
/// module: another gate that meters otherwise never meets an old entry.
#[derive(Debug)]
pub struct Runner {
    cache: Cache,
    made: Mutex<HashMap<(Identity, u64), Made>>,
}

#[derive(Clone)]
struct Made {
    module: Module,
    metered: usize,
}

impl fmt::Debug for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Made").finish_non_exhaustive()
    }
}

impl Runner {
    /// A runner that keeps compiled code in `cache`.
    pub fn new(cache: Cache) -> Self {
        Runner {
            cache,
            made: Mutex::default(),
        }
    }

    /// Admits a module and makes it ready to be called, with the user's word on its limits and its capabilities. Whether
    /// it may run at all ([`spoor_gate::Trust`]) is for the caller to have decided.
    ///
    /// # Errors
    /// The gate's refusal, or what was not granted.
    pub fn load(
        &self,
        bytes: &[u8],
        wish: &Wish,
        granted: &BTreeSet<Capability>,
        progress: &dyn Fn(Progress),
    ) -> Result<Plugin, Failure> {
        let admitted = admit(bytes, &Policy::default())?;
        check_granted(&admitted, granted)?;
        let limits = Limits::of(&admitted.manifest.limits, wish);
        let made = self.module(&admitted, &limits, progress)?;
        Ok(Plugin {
            pre: link(&made.module, &admitted.imports)?,
            size: bytes.len(),
            metered: made.metered,
            identity: admitted.identity,
            publisher: admitted.publisher,
            manifest: admitted.manifest,
            imports: admitted.imports,
            limits,
        })
    }

    fn module(
        &self,
        admitted: &Admitted<'_>,
        limits: &Limits,
        progress: &dyn Fn(Progress),
    ) -> Result<Made, Failure> {
        let key = (admitted.identity, limits.memory);
        let kept = || self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = kept().get(&key) {
            return Ok(made.clone());
        }
        let gate = spoor_gate::Limits {
            memory: limits.memory,
            ..spoor_gate::Limits::default()
        };
        let metered = meter(admitted, &gate)?;
        let name = format!("the plugin {}", admitted.manifest.name);
        let made = Made {
            module: self
                .cache
                .load_bytes(engine::shared()?, &name, &metered.bytes, progress)?,
            metered: metered.bytes.len(),
        };
        let mut kept = kept();
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(key, made.clone());
        Ok(made)
    }
}

fn check_granted(module: &Admitted<'_>, granted: &BTreeSet<Capability>) -> Result<(), Failure> {
    let missing: Vec<&str> = module
        .imports
        .iter()
        .filter(|capability| !granted.contains(capability))
        .map(|capability| capability.name())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Failure::NotGranted {
        plugin: module.manifest.name.clone(),
        capabilities: missing.join(", "),
    })
}

fn link(module: &Module, imports: &[Capability]) -> Result<InstancePre<State>, Failure> {
    let mut linker = Linker::new(module.engine());
    let linked = imports
        .iter()
        .try_for_each(|capability| call::link(&mut linker, *capability))
        .and_then(|()| linker.instantiate_pre(module));
    linked.map_err(|error| Failure::Engine(format!("{error:#}")))
}

/// A metered module that can be called: what a session's kernel, which has admitted it, hands over.
#[derive(Clone)]
pub struct Ready {
    pre: InstancePre<State>,
}

impl fmt::Debug for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ready").finish_non_exhaustive()
    }
}

impl Ready {
    /// Compiles a metered module, through the cache, and links it with what was granted.
    ///
    /// # Errors
    /// It does not compile, or imports more.
    pub fn compile(
        cache: &Cache,
        name: &str,
        metered: &[u8],
        granted: &[Capability],
        progress: &dyn Fn(Progress),
    ) -> Result<Self, crate::Error> {
        let name = format!("the plugin {name}");
        let module = cache.load_bytes(engine::shared()?, &name, metered, progress)?;
        let pre = link(&module, granted).map_err(|failure| crate::Error::Module {
            name,
            reason: failure.to_string(),
        })?;
        Ok(Ready { pre })
    }

    /// One call, as [`Plugin::call`], whose answer's bytes are for the kernel to read.
    pub fn call(&self, limits: &Limits, frame: &[u8], control: &Control) -> Called {
        call::call(&self.pre, limits, frame, control)
    }
}

/// A plugin that can be called, from many threads at once: each call has an instance of its own.
pub struct Plugin {
    manifest: Manifest,
    identity: Identity,
    publisher: Option<PublicKey>,
    imports: Vec<Capability>,
    limits: Limits,
    size: usize,
    metered: usize,
    pre: InstancePre<State>,
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugin")
            .field("name", &self.manifest.name)
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}

impl Plugin {
    /// What it says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The SHA-256 of its bytes.
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// Whose signature it bears.
    pub fn publisher(&self) -> Option<PublicKey> {
        self.publisher
    }

    /// The capabilities that it uses, all of them granted.
    pub fn imports(&self) -> &[Capability] {
        &self.imports
    }

    /// What each of its calls may use.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Bytes of the module as it came, and as it runs.
    pub fn sizes(&self) -> (usize, usize) {
        (self.size, self.metered)
    }

    /// The function of this name.
    ///
    /// # Errors
    /// That there is none, and which there are.
    pub fn function(&self, name: &str) -> Result<&Function, Failure> {
        self.manifest.function(name).ok_or_else(|| {
            let known: Vec<&str> = self
                .manifest
                .functions
                .iter()
                .map(|function| function.name.as_str())
                .collect();
            Failure::NoFunction {
                plugin: self.manifest.name.clone(),
                name: name.to_owned(),
                known: known.join(", "),
            }
        })
    }

    /// One call: a frame as plugins/ABI.md has it, of a table of `rows` rows (0 where there is none). The instance is
    /// fresh and gone afterwards, whatever came of it.
    pub fn call(&self, function: &Function, frame: &[u8], rows: u64, control: &Control) -> Outcome {
        call::run(
            &self.pre,
            &self.limits.for_rows(rows),
            function,
            frame,
            rows,
            control,
        )
    }
}
