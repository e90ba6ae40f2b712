//! Divides kernel.wasm for pages: what common work runs, and the rest.
//!
//! A page's time to its first result goes by the byte of what it compiles first, and a query runs a
//! small share of the query engine. What common work is, recordings of sessions say: they are replayed on a kernel that
//! [watches](super::watch) its functions. Whatever else is called makes the page load the rest
//! ([`crate::parts`]), so a division that knows too little costs time and is never wrong.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use spoor_protocol::{Effect, Effects, Event, Frame, FrameError};
use wasmtime::{Config, Engine, Module, OptLevel};

use super::watch::{MARKS, Watched, watched};
use super::{Code, FILE, Kernel, Limits};
use crate::ambient::Ambient;
use crate::aot::hex;
use crate::engine::{THREAD_STACK, WASM_STACK};
use crate::error::Error;
use crate::parts::{self, Assign, Memory};
use crate::recording::{Reader, Record};

/// How many parts there are.
const PARTS: usize = 2;
/// Changes when the dividing itself does, so that old results are made anew.
const RECIPE: u32 = 2;
/// What is written last, and says what the parts were made of.
const MANIFEST: &str = "kernel.json";

/// The parts as they were written.
#[derive(Debug)]
pub enum Divided {
    /// They were there already, made of the same.
    Before,
    /// They were made.
    Now {
        /// How many functions the kernel has, imports among them.
        functions: usize,
        /// How many of them ran, and so are in the first part, with what must not wait.
        used: usize,
    },
}

#[derive(Serialize)]
struct Manifest {
    inputs: String,
    /// The SHA-256 of the kernel.wasm that was divided.
    kernel: String,
    parts: Vec<String>,
}

/// Divides the kernel at `kernel` by what `recordings` run, and writes the parts into `out`.
pub fn divide(kernel: &Path, recordings: &[PathBuf], out: &Path) -> Result<Divided, Error> {
    let bytes = fs::read(kernel).map_err(Error::file("cannot read", kernel))?;
    let inputs = digest(&bytes, recordings)?;
    let manifest = out.join(MANIFEST);
    let before = fs::read(&manifest).ok();
    let before = before.and_then(|text| serde_json::from_slice::<serde_json::Value>(&text).ok());
    let is_whole = (0..PARTS).all(|part| out.join(file_of(part)).is_file());
    if is_whole && before.is_some_and(|before| before["inputs"] == json!(inputs)) {
        return Ok(Divided::Before);
    }
    let used = used(&bytes, recordings)?;
    let assign = Assign::Used {
        used: &used,
        waiting: &["step"],
    };
    let parts = parts::divide(&bytes, &assign, PARTS, Memory::AsItIs)
        .map_err(|why| unfit(&format!("it cannot be divided: {why}")))?;
    fs::create_dir_all(out).map_err(Error::file("cannot make", out))?;
    // Parts of which it is not sure that they belong together are none.
    if manifest.exists() {
        fs::remove_file(&manifest).map_err(Error::file("cannot remove", &manifest))?;
    }
    let mut names = Vec::new();
    for (number, part) in parts.iter().enumerate() {
        let name = file_of(number);
        write(&out.join(&name), part)?;
        names.push(name);
    }
    let text = json!(Manifest {
        inputs,
        kernel: hex(&Sha256::digest(&bytes)),
        parts: names
    })
    .to_string();
    write(&manifest, text.as_bytes())?;
    Ok(Divided::Now {
        functions: used.len(),
        used: used.iter().filter(|used| **used).count(),
    })
}

fn file_of(part: usize) -> String {
    format!("kernel{part}.wasm")
}

fn digest(kernel: &[u8], recordings: &[PathBuf]) -> Result<String, Error> {
    let mut digest = Sha256::new();
    digest.update(RECIPE.to_le_bytes());
    digest.update(Sha256::digest(kernel));
    for path in recordings {
        let bytes = fs::read(path).map_err(Error::file("cannot read", path))?;
        digest.update(Sha256::digest(bytes));
    }
    Ok(hex(&digest.finalize()))
}

/// Whether each function ran, by index.
fn used(kernel: &[u8], recordings: &[PathBuf]) -> Result<Vec<bool>, Error> {
    let Watched { module, functions } =
        watched(kernel).map_err(|why| unfit(&format!("it cannot be watched: {why}")))?;
    let engine = Engine::new(
        Config::new()
            .wasm_exceptions(true)
            .max_wasm_stack(WASM_STACK)
            .async_stack_size(WASM_STACK + (1 << 20))
            .cranelift_opt_level(OptLevel::None),
    )
    .map_err(|error| Error::Engine(format!("{error:#}")))?;
    let module = Module::new(&engine, &module).map_err(|error| unfit(&format!("{error:#}")))?;
    let code = Code::of(module);
    let mut used = vec![false; functions];
    let mut play_all = || {
        recordings
            .iter()
            .try_for_each(|recording| play(&code, recording, &mut used))
    };
    thread::scope(|scope| {
        let player = thread::Builder::new()
            .stack_size(THREAD_STACK)
            .spawn_scoped(scope, &mut play_all);
        let player = player.map_err(|e| Error::Engine(format!("no thread for the kernel: {e}")))?;
        let played = player.join();
        played.unwrap_or_else(|_| Err(Error::Engine("the kernel's thread broke".into())))
    })?;
    Ok(used)
}

/// Runs what a recorded session ran, as it was on the host and as a page would.
fn play(code: &Code, recording: &Path, used: &mut [bool]) -> Result<(), Error> {
    for page in [false, true] {
        let mut reader = Reader::open(recording)?;
        let mut kernel: Option<Kernel> = None;
        while let Some(record) = reader.read()? {
            match record {
                Record::Instance => {
                    let fresh = Kernel::start(code, Limits::default(), &Ambient::live(false))?;
                    if let Some(mut old) = kernel.replace(fresh) {
                        take_marks(&mut old, used);
                    }
                }
                Record::Event(event) => {
                    let kernel = kernel.as_mut();
                    let kernel =
                        kernel.ok_or_else(|| unfit("an event stands before any kernel"))?;
                    for event in events(&event, page)? {
                        run(kernel, &event)?;
                    }
                }
                Record::Answer(_) | Record::Broke(_) | Record::Draw(_) => {}
            }
        }
        if let Some(mut kernel) = kernel {
            take_marks(&mut kernel, used);
        }
    }
    Ok(())
}

/// One event, and all slices of the work that comes of it: how many they are is the clock's to say, and the recording's was
/// another's.
fn run(kernel: &mut Kernel, event: &[u8]) -> Result<(), Error> {
    let go_on = Frame::new(Event::Continue).encode().map_err(unreadable)?;
    let mut answer = kernel.step(event)?;
    loop {
        let effects = Frame::<Effects>::decode(&answer)
            .map_err(unreadable)?
            .header;
        if let Some(Effect::Refuse { reason }) = effects
            .iter()
            .find(|effect| matches!(effect, Effect::Refuse { .. }))
        {
            return Err(Error::Recording(format!(
                "the kernel does not take what was recorded: {reason}"
            )));
        }
        if !effects.contains(&Effect::Continue) {
            return Ok(());
        }
        answer = kernel.step(&go_on)?;
    }
}

fn unreadable(error: FrameError) -> Error {
    Error::Recording(error.to_string())
}

/// What is given to the kernel where a recording has `event`: nothing for its slices, and of a page, which asks about a cell before it
/// runs it and wants rows, some more.
fn events(event: &[u8], page: bool) -> Result<Vec<Vec<u8>>, Error> {
    let mut frame = Frame::<Event>::decode(event).map_err(unreadable)?;
    let mut events = Vec::new();
    match &mut frame.header {
        Event::Continue => return Ok(events),
        Event::Open { options } if page => {
            options.extend(BTreeMap::from([("results".to_owned(), json!("arrow"))]));
        }
        // Only KQL is looked at: what is asked about Python, Python is asked.
        Event::Execute { code, .. } if page && code.starts_with("%%kql") => {
            for event in asked_of(code) {
                events.push(Frame::new(event).encode().map_err(unreadable)?);
            }
        }
        _ => {}
    }
    events.push(frame.encode().map_err(unreadable)?);
    Ok(events)
}

/// What a page asks while a cell is written: at every third of it, and at its end.
fn asked_of(code: &str) -> impl Iterator<Item = Event> {
    let all = code.chars().count();
    (1..=3).flat_map(move |third| {
        let cursor_pos = all * third / 3;
        let code: String = code.chars().take(cursor_pos).collect();
        let (id, language, detail_level) = (String::from("watch"), None, 0);
        [
            Event::Diagnose {
                id: id.clone(),
                code: code.clone(),
                language,
            },
            Event::Complete {
                id: id.clone(),
                code: code.clone(),
                cursor_pos,
            },
            Event::Inspect {
                id,
                code,
                cursor_pos,
                detail_level,
            },
        ]
    })
}

fn take_marks(kernel: &mut Kernel, used: &mut [bool]) {
    let Some(marks) = kernel.instance.get_memory(&mut kernel.store, MARKS) else {
        return;
    };
    for (used, mark) in used.iter_mut().zip(marks.data(&kernel.store)) {
        *used |= *mark != 0;
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let fresh = path.with_extension("new");
    fs::write(&fresh, bytes).map_err(Error::file("cannot write", &fresh))?;
    fs::rename(&fresh, path).map_err(Error::file("cannot write", path))
}

fn unfit(reason: &str) -> Error {
    Error::Module {
        name: FILE.into(),
        reason: reason.into(),
    }
}
