//! Makes the guest's files at set-up: from the pinned wheels to `python.wasm`, `python.image`,
//! the folders that the guest sees, and `guest.json`.
//!
//! The published interpreter is split into code and memory ([`super::split`]). A guest is
//! started from them twice: once to compile the pure-Python wheels and the package `spoor` into
//! one archive, once to import what every session needs. The second one's linear memory becomes
//! the image. The addresses that raise `KeyboardInterrupt` are found by calling the
//! interpreter's own function for it and comparing memory before and after.
//!
//! For the browser the same code is divided ([`crate::parts`]), and there are two images: with
//! pandas, and a smaller one without.
//!
//! Everything is made in a folder beside the wanted one, which takes its place in the end. It
//! is all determined by the wheels, the package and this code, save that Python's hash seed and
//! the order in which memory was handed out are frozen with it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use spoor_protocol::Outcome;

use super::assets::{Asset, AssetMount, FORMAT, Image, MANIFEST, Manifest, Poke, Web};
use super::instance::{Guest, Interpreter};
use super::session::PythonGuest;
use super::split::{self, Halves, PARTS, RESET_PREOPENS};
use super::wheels::{self, Wheels};
use super::{Door, Limits, Mount, PythonAssets, pages};
use crate::aot::{Cache, Progress, hex};
use crate::engine::THREAD_STACK;
use crate::error::Error;
use crate::parts::{self, Assign, Memory};

/// Changes when the making itself does, so that old results are made anew.
const RECIPE: u32 = 5;
/// Where the guest has its libraries.
const LIB: &str = "/usr/local/lib";
/// Compiles the sources under `/stage` into `/out/spoor-site.zip`.
const PACK: &str = include_str!("../../../runtime/python/build/pack.py");
/// Imports what every session needs, pandas only where `PANDAS` is true.
const WARM: &str = include_str!("../../../runtime/python/build/warm.py");
/// A loop that an interrupt ends, and that then ends well.
const LOOP: &str = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n\
    try:\n while True: pass\nexcept KeyboardInterrupt: pass\n";

/// What the guest is made from, and where to.
#[derive(Debug, Clone)]
pub struct Inputs {
    /// A folder with the wheels that the lock names; other files in it are ignored.
    pub wheels: PathBuf,
    /// The lock: `name==version --hash=sha256:HEX` lines, as pip has them.
    pub lock: PathBuf,
    /// The package `spoor` for the guest.
    pub package: PathBuf,
    /// The folder to make.
    pub out: PathBuf,
}

/// Makes the guest's files, unless `inputs.out` holds the result of the same inputs already.
/// `progress` gets a line per step; the slow one, compiling the interpreter, is kept in `cache`.
pub fn build(
    inputs: &Inputs,
    cache: &Cache,
    progress: &(dyn Fn(String) + Sync),
) -> Result<PythonAssets, Error> {
    let wheels = Wheels::find(&inputs.lock, &inputs.wheels)?;
    let digest = digest(&wheels, &inputs.package)?;
    if let Ok(made) = PythonAssets::open(&inputs.out)
        && made.manifest().inputs == digest
        && made.verify().is_ok()
    {
        progress("the Python guest is up to date".into());
        return Ok(made);
    }
    let parent = inputs
        .out
        .parent()
        .ok_or_else(|| failed("the folder to make has no parent"))?;
    fs::create_dir_all(parent).map_err(Error::file("cannot make", parent))?;
    let stage = tempfile::Builder::new()
        .prefix(".python-")
        .tempdir_in(parent)
        .map_err(Error::file("cannot make a folder in", parent))?;
    // CPython needs more stack than a main thread has.
    thread::scope(|scope| {
        let work = || {
            Build {
                stage: stage.path(),
                cache,
                progress,
            }
            .run(&wheels, &inputs.package, digest)
        };
        let thread = thread::Builder::new()
            .stack_size(THREAD_STACK)
            .spawn_scoped(scope, work);
        let thread = thread.map_err(|e| failed(&format!("no thread: {e}")))?;
        thread.join().map_err(|_| failed("it panicked"))?
    })?;
    replace(stage, &inputs.out)?;
    PythonAssets::open(&inputs.out)
}

fn failed(why: &str) -> Error {
    Error::Engine(format!("the Python guest could not be made: {why}"))
}

/// A digest of everything that decides what is made.
fn digest(wheels: &Wheels, package: &Path) -> Result<String, Error> {
    let mut sha = Sha256::new();
    sha.update(format!("{RECIPE}\n{FORMAT}\n{PACK}\0{WARM}\0"));
    for wheel in wheels.all() {
        sha.update(format!("{}\n", wheel.sha256));
    }
    for file in wheels::sources(package)? {
        let bytes = fs::read(package.join(&file))
            .map_err(Error::file("cannot read", package.join(&file)))?;
        sha.update(format!("{}\n{}\n", file.display(), bytes.len()));
        sha.update(bytes);
    }
    Ok(hex(&sha.finalize()))
}

/// Puts the finished folder in its place; the one that was there goes.
fn replace(stage: tempfile::TempDir, out: &Path) -> Result<(), Error> {
    let old = stage.path().with_extension("old");
    if out.exists() {
        fs::rename(out, &old).map_err(Error::file("cannot move away", out))?;
    }
    let made = stage.keep();
    fs::rename(&made, out).map_err(Error::file("cannot move into place", out))?;
    if old.exists() {
        fs::remove_dir_all(&old).map_err(Error::file("cannot remove", &old))?;
    }
    Ok(())
}

struct Build<'a> {
    stage: &'a Path,
    cache: &'a Cache,
    progress: &'a (dyn Fn(String) + Sync),
}

impl Build<'_> {
    fn run(&self, wheels: &Wheels, package: &Path, digest: String) -> Result<(), Error> {
        let say = self.progress;
        say("unpacking the interpreter".into());
        let unpacked = wheels.unpack_interpreter(self.stage)?;
        let halves = split::split(&unpacked.module)
            .map_err(|why| failed(&format!("its module is not as expected: {why}")))?;
        self.write("python.wasm", &halves.code)?;
        self.write("python.image", &halves.memory)?;
        let mut versions = unpacked.versions;
        versions.extend(
            wheels
                .all()
                .iter()
                .map(|wheel| (wheel.name.clone(), wheel.version.clone())),
        );
        let mut manifest = self.manifest(digest, versions)?;
        self.store(&manifest)?;
        let cold = self.load()?;

        say("compiling the Python packages".into());
        let sources = tempfile::tempdir()
            .map_err(Error::file("cannot make a folder in", std::env::temp_dir()))?;
        wheels.unpack_sources(package, sources.path())?;
        let mounts = [
            self.mount(sources.path(), "/stage", true),
            self.mount(&self.stage.join("lib"), "/out", false),
        ];
        Bench::new(&cold, &mounts)?.run(PACK)?;
        self.copy(&sources.path().join(wheels::THEMES), "ipython-themes")?;

        say("importing what every session needs".into());
        manifest.mounts = self.mounts()?;
        self.store(&manifest)?;
        let cold = self.load()?;
        let (bare, bare_pokes) = warmed(&cold, false, halves.stack_top)?;
        let (image, pokes) = warmed(&cold, true, halves.stack_top)?;
        if bare_pokes != pokes {
            return Err(failed("its images differ in how they are interrupted"));
        }
        manifest.interrupt = pokes;
        self.write("python.image", &image)?;
        manifest.image = self.asset("python.image")?;

        say("dividing it for the browser".into());
        manifest.web = self.web(&halves, &bare, &image)?;
        self.store(&manifest)?;

        say("trying it".into());
        try_out(&self.load()?)
    }

    /// What a page loads in place of the whole module and its image.
    fn web(&self, halves: &Halves, bare: &[u8], pandas: &[u8]) -> Result<Web, Error> {
        let parts = parts::divide(
            &halves.code,
            &Assign::Stretches(&halves.markers),
            PARTS,
            Memory::Shared,
        )
        .map_err(|why| failed(&format!("its module cannot be divided: {why}")))?;
        let mut web = Web::default();
        for (number, part) in parts.iter().enumerate() {
            let file = format!("part{number}.wasm");
            self.write(&file, part)?;
            web.parts.push(self.asset(&file)?);
        }
        for (name, memory, parts) in [("bare", bare, 1), ("pandas", pandas, 2)] {
            let (runs, packed) = pages::pack(memory);
            let file = format!("{name}.pages");
            self.write(&file, &packed)?;
            let memory = memory.len() as u64;
            let asset = self.asset(&file)?;
            web.images.insert(
                name.into(),
                Image {
                    asset,
                    memory,
                    runs,
                    parts,
                },
            );
        }
        Ok(web)
    }

    fn load(&self) -> Result<Arc<Interpreter>, Error> {
        let report = |p: Progress| (self.progress)(p.to_string());
        Interpreter::load(&PythonAssets::open(self.stage)?, self.cache, &report)
    }

    fn manifest(
        &self,
        inputs: String,
        versions: BTreeMap<String, String>,
    ) -> Result<Manifest, Error> {
        let environment = [
            ("HOME", "/tmp"),
            ("TMPDIR", "/tmp"),
            ("PYTHONTZPATH", ""),
            ("MPLCONFIGDIR", "/tmp/.matplotlib"),
            ("IPYTHONDIR", "/tmp/.ipython"),
        ];
        Ok(Manifest {
            format: FORMAT,
            inputs,
            module: self.asset("python.wasm")?,
            image: self.asset("python.image")?,
            mounts: self.mounts()?,
            web: Web::default(),
            environment: environment
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            interrupt: Vec::new(),
            versions,
        })
    }

    /// The folders made so far, and where the guest sees them. Archives cannot be opened as
    /// folders, so what a package reads as files is mounted over its place inside of one.
    fn mounts(&self) -> Result<Vec<AssetMount>, Error> {
        let places = [
            ("lib", LIB.to_owned()),
            (
                "mpl-data",
                format!("{LIB}/{}/matplotlib/mpl-data", wheels::STDLIB),
            ),
            (
                "ipython-themes",
                format!("{LIB}/{}/{}", wheels::SITE, wheels::THEMES),
            ),
        ];
        let mut mounts = vec![AssetMount {
            guest: "/tmp".into(),
            dir: None,
            files: Vec::new(),
        }];
        for (dir, guest) in places {
            if self.stage.join(dir).is_dir() {
                mounts.push(AssetMount {
                    guest,
                    dir: Some(dir.into()),
                    files: self.files(dir)?,
                });
            }
        }
        Ok(mounts)
    }

    fn copy(&self, from: &Path, to: &str) -> Result<(), Error> {
        let to = self.stage.join(to);
        fs::create_dir_all(&to).map_err(Error::file("cannot make", &to))?;
        for file in wheels::sources(from)? {
            fs::copy(from.join(&file), to.join(&file))
                .map_err(Error::file("cannot copy", from.join(&file)))?;
        }
        Ok(())
    }

    fn files(&self, dir: &str) -> Result<Vec<Asset>, Error> {
        let found = wheels::sources(&self.stage.join(dir))?;
        found
            .iter()
            .map(|file| Asset::of(self.stage, &self.stage.join(dir).join(file)))
            .collect()
    }

    fn asset(&self, file: &str) -> Result<Asset, Error> {
        Asset::of(self.stage, &self.stage.join(file))
    }

    /// Writes a file anew: the old one may be mapped.
    fn write(&self, file: &str, bytes: &[u8]) -> Result<(), Error> {
        let path = self.stage.join(file);
        let fresh = path.with_extension("new");
        fs::write(&fresh, bytes).map_err(Error::file("cannot write", &fresh))?;
        fs::rename(&fresh, &path).map_err(Error::file("cannot write", &path))
    }

    fn store(&self, manifest: &Manifest) -> Result<(), Error> {
        let text = serde_json::to_vec_pretty(manifest).map_err(|e| failed(&e.to_string()))?;
        self.write(MANIFEST, &text)
    }

    fn mount(&self, host: &Path, guest: &str, read_only: bool) -> Mount {
        Mount {
            host: host.to_owned(),
            guest: guest.to_owned(),
            read_only,
        }
    }
}

/// A guest that runs scripts, each of which must end without an exception.
struct Bench {
    guest: Guest,
    output: Arc<Mutex<Vec<u8>>>,
}

impl Bench {
    fn new(interpreter: &Arc<Interpreter>, mounts: &[Mount]) -> Result<Self, Error> {
        let output = Arc::new(Mutex::new(Vec::new()));
        let keep = |output: &Mutex<Vec<u8>>, bytes: &[u8]| {
            if let Ok(mut output) = output.lock() {
                output.extend_from_slice(bytes);
            }
        };
        let (asked, written) = (output.clone(), output.clone());
        let nobody = Box::new(move |request: Vec<u8>| {
            keep(&asked, &request);
            Err(failed("it asked for something before there was a session"))
        });
        let keep = Arc::new(move |_fd: u8, bytes: &[u8]| keep(&written, bytes));
        let guest = Guest::new(
            interpreter.clone(),
            Limits::default(),
            mounts,
            nobody,
            keep,
            Arc::default(),
        )?;
        Ok(Self { guest, output })
    }

    fn run(&mut self, script: &str) -> Result<(), Error> {
        let outcome = self.guest.turn(script);
        let output = self
            .output
            .lock()
            .map(|mut bytes| std::mem::take(&mut *bytes))
            .unwrap_or_default();
        match outcome {
            Outcome::Returned if self.guest.last_status() == 0 => Ok(()),
            other => Err(failed(&format!(
                "{other:?}\n{}",
                String::from_utf8_lossy(&output)
            ))),
        }
    }
}

/// The memory of an interpreter that is ready for a session, and how to interrupt it.
fn warmed(
    cold: &Arc<Interpreter>,
    pandas: bool,
    stack_top: u32,
) -> Result<(Vec<u8>, Vec<Poke>), Error> {
    let mut bench = Bench::new(cold, &[])?;
    let flag = if pandas { "True" } else { "False" };
    bench.run(&format!("PANDAS = {flag}\n{WARM}"))?;
    let pokes = interrupt_pokes(&mut bench, stack_top)?;
    bench.run("import spoor.guest; spoor.guest.freeze()")?;
    bench.guest.call(RESET_PREOPENS)?;
    Ok((bench.guest.memory_image()?, pokes))
}

/// The bytes that the interpreter's own function for a pending interrupt changes, above the C
/// stack. Looked for twice; both must agree.
fn interrupt_pokes(bench: &mut Bench, stack_top: u32) -> Result<Vec<Poke>, Error> {
    let mut look = || {
        let before = bench.guest.memory_image()?;
        bench.guest.mark_interrupted()?;
        let after = bench.guest.memory_image()?;
        // The image's handler does nothing; running anything at all clears the flags.
        bench.run("pass")?;
        difference(&before, &after, stack_top as usize)
    };
    let first = look()?;
    if first.is_empty() || first.len() > 16 || first != look()? {
        return Err(failed("the flags of a pending interrupt were not found"));
    }
    Ok(first)
}

fn difference(before: &[u8], after: &[u8], from: usize) -> Result<Vec<Poke>, Error> {
    let mut pokes = Vec::new();
    for (at, (was, is)) in before.iter().zip(after).enumerate().skip(from) {
        if was == is {
            continue;
        }
        if was & !is != 0 {
            return Err(failed("a pending interrupt clears bits"));
        }
        pokes.push(Poke {
            address: u32::try_from(at).map_err(|e| failed(&e.to_string()))?,
            or: is & !was,
        });
    }
    Ok(pokes)
}

/// Interrupts a loop of the finished guest, as a session would.
fn try_out(interpreter: &Arc<Interpreter>) -> Result<(), Error> {
    struct Nobody(Vec<u8>);
    impl Door for Nobody {
        fn call(&mut self, _request: &[u8]) -> Result<Vec<u8>, Error> {
            Err(failed("it asked for something before there was a session"))
        }
        fn output(&mut self, _fd: u8, bytes: &[u8]) {
            self.0.extend_from_slice(bytes);
        }
    }
    let limits = Limits {
        turn_time: Some(Duration::from_secs(20)),
        ..Limits::default()
    };
    let mut guest = PythonGuest::start(interpreter, limits, &[])?;
    let interrupter = guest.interrupter();
    let began = Instant::now();
    let soon = thread::spawn(move || {
        thread::sleep(Duration::from_millis(200));
        interrupter.interrupt();
    });
    let mut door = Nobody(Vec::new());
    let outcome = guest.turn(LOOP, &mut door);
    let in_time = began.elapsed() < Duration::from_secs(10);
    if soon.join().is_err() || outcome != Outcome::Returned || !in_time {
        let output = String::from_utf8_lossy(&door.0).into_owned();
        return Err(failed(&format!(
            "an interrupt did not end a loop: {outcome:?}\n{output}"
        )));
    }
    Ok(())
}
