//! Plugins as projects: what a new one begins with, and how each kind is built.
//!
//! The C and AssemblyScript ones are the examples of `plugins/examples`, whole: they are meant to be changed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::Error;
use crate::save::write_atomically;

const RUST: &str = include_str!("project/rust.rs.txt");
const RUST_CARGO: &str = include_str!("project/Cargo.toml.txt");
const C: &str = include_str!("../../../plugins/examples/c/entropy.c");
const C_MANIFEST: &str = include_str!("../../../plugins/examples/c/manifest.json");
const C_SECTION: &str = include_str!("../../../plugins/examples/c/manifest.s");
const AS: &str = include_str!("../../../plugins/examples/assemblyscript/entropy.ts");
const AS_BUILD: &str = include_str!("../../../plugins/examples/assemblyscript/build.mjs");
const AS_PACKAGE: &str = include_str!("../../../plugins/examples/assemblyscript/package.json");
const AS_MANIFEST: &str = include_str!("../../../plugins/examples/assemblyscript/manifest.json");

/// A language that a project can be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Rust, with the SDK.
    Rust,
    /// C, with clang and nothing else.
    C,
    /// AssemblyScript, with npm.
    AssemblyScript,
}

impl Language {
    /// The language of the project in a folder.
    ///
    /// # Errors
    /// It is no project of a plugin.
    pub fn of(folder: &Path) -> Result<Self, Error> {
        let has = |name: &str| folder.join(name).is_file();
        if has("Cargo.toml") {
            return Ok(Language::Rust);
        }
        if has("build.mjs") && has("package.json") {
            return Ok(Language::AssemblyScript);
        }
        if has("manifest.s") && has("manifest.json") {
            return Ok(Language::C);
        }
        Err(Error::Data(format!(
            "{} is no project of a plugin: it has no Cargo.toml, no build.mjs and no manifest.s. Begin one with \
             `spoor plugin new NAME`",
            folder.display()
        )))
    }
}

/// Writes a project into a new folder.
///
/// # Errors
/// The name is none for a plugin, the folder is there, or a file cannot be written.
pub fn begin(
    name: &str,
    folder: &Path,
    language: Language,
    sdk: Option<&Path>,
) -> Result<(), Error> {
    check_name(name)?;
    if folder.exists() {
        return Err(Error::Data(format!(
            "{} is there already: name another place with --dir",
            folder.display()
        )));
    }
    let files: Vec<(&str, String)> = match language {
        Language::Rust => vec![
            ("Cargo.toml", rust_manifest(name, sdk)),
            ("src/lib.rs", RUST.replace("NAME", name)),
            (".gitignore", "/target\n*.wasm\n".into()),
        ],
        Language::C => vec![
            (
                "plugin.c",
                C.replace("entropy.c", "plugin.c")
                    .replace("entropy.o", "plugin.o"),
            ),
            ("manifest.json", renamed(C_MANIFEST, "entropy-c", name)),
            ("manifest.s", C_SECTION.into()),
            (".gitignore", "*.o\n*.wasm\n".into()),
        ],
        Language::AssemblyScript => vec![
            ("entropy.ts", AS.into()),
            ("build.mjs", AS_BUILD.into()),
            ("package.json", renamed(AS_PACKAGE, "entropy-as", name)),
            ("manifest.json", renamed(AS_MANIFEST, "entropy-as", name)),
            (".gitignore", "node_modules\n*.wasm\n".into()),
        ],
    };
    for (file, text) in files {
        let path = folder.join(file);
        if let Some(around) = path.parent() {
            fs::create_dir_all(around).map_err(Error::file("cannot make the folder", around))?;
        }
        write_atomically(&path, text.as_bytes())?;
    }
    Ok(())
}

/// The example's text with its name replaced.
fn renamed(text: &str, example: &str, name: &str) -> String {
    let quoted = |name: &str| format!("\"{name}\"");
    text.replace(&quoted(example), &quoted(name))
}

fn rust_manifest(name: &str, sdk: Option<&Path>) -> String {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/sdk");
    let sdk = sdk.map(Path::to_owned).or_else(|| own.canonicalize().ok());
    let dependency = match sdk {
        Some(path) => format!("{{ path = {:?} }}", path.to_string_lossy()),
        None => format!("\"{}\"", env!("CARGO_PKG_VERSION")),
    };
    RUST_CARGO.replace("NAME", name).replace("SDK", &dependency)
}

/// By the ABI's rule for names; hyphens and digits are Cargo's too.
fn check_name(name: &str) -> Result<(), Error> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    let good = (1..=64).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(plain);
    if good {
        return Ok(());
    }
    Err(Error::Data(format!(
        "'{name}' is no name for a plugin: a lower-case letter, then lower-case letters, digits, - and _, 64 at most"
    )))
}

/// Builds the project in a folder, and tells where the module is.
///
/// # Errors
/// A tool is missing or fails, with what to do.
pub fn build(folder: &Path) -> Result<PathBuf, Error> {
    match Language::of(folder)? {
        Language::Rust => build_rust(folder),
        Language::C => build_c(folder),
        Language::AssemblyScript => build_assemblyscript(folder),
    }
}

const TARGET: &str = "wasm32-unknown-unknown";

fn build_rust(folder: &Path) -> Result<PathBuf, Error> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    command.args(["build", "--release", "--target", TARGET]);
    // Where there is no library for the target, `SPOOR_CARGO_FLAGS=-Zbuild-std=std,panic_abort` builds it.
    let flags = std::env::var("SPOOR_CARGO_FLAGS").unwrap_or_default();
    command.args(flags.split_whitespace());
    command.args(["--message-format", "json-render-diagnostics"]);
    let hint = "install Rust from https://rustup.rs";
    let output = run(command.current_dir(folder), hint)?;
    if !output.status.success() {
        return Err(failed("cargo build", &rust_hint()));
    }
    let built = String::from_utf8_lossy(&output.stdout);
    let mut modules = built.lines().filter_map(module_of);
    modules.next_back().ok_or_else(|| {
        Error::Data(format!(
            "{} builds no WebAssembly module: its Cargo.toml needs [lib] with crate-type = [\"cdylib\"]",
            folder.display()
        ))
    })
}

fn rust_hint() -> String {
    format!(
        "what cargo said stands above. Where it misses the target or `core`: `rustup target add {TARGET}`"
    )
}

/// The module that one of cargo's messages tells of.
fn module_of(message: &str) -> Option<PathBuf> {
    let message: serde_json::Value = serde_json::from_str(message).ok()?;
    let files = message.get("filenames")?.as_array()?;
    let names = files.iter().filter_map(|file| file.as_str());
    names
        .filter(|name| name.ends_with(".wasm"))
        .map(PathBuf::from)
        .next()
}

fn build_c(folder: &Path) -> Result<PathBuf, Error> {
    let clang = std::env::var("CC_wasm32_unknown_unknown").unwrap_or("clang".into());
    let sources = sources_of(folder)?;
    let mut command = Command::new(&clang);
    command
        .args(["--target=wasm32", "-O2", "-nostdlib", "-fno-builtin"])
        .args(["-Wl,--no-entry", "-Wl,--strip-debug", "-o", "plugin.wasm"])
        .args(&sources)
        .arg("manifest.s");
    let hint = "install clang and lld";
    let output = run(command.current_dir(folder), hint)?;
    if !output.status.success() {
        let hint = "what clang said stands above. Where it misses wasm-ld, install lld";
        return Err(failed(&clang, hint));
    }
    Ok(folder.join("plugin.wasm"))
}

fn sources_of(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let entries = fs::read_dir(folder).map_err(Error::file("cannot list", folder))?;
    let mut sources: Vec<PathBuf> = entries
        .filter_map(|entry| Some(PathBuf::from(entry.ok()?.file_name())))
        .filter(|name| name.extension().is_some_and(|ext| ext == "c"))
        .collect();
    sources.sort();
    Ok(sources)
}

fn build_assemblyscript(folder: &Path) -> Result<PathBuf, Error> {
    let hint = "install Node.js, which brings npm";
    if !folder.join("node_modules").is_dir() {
        let output = run(Command::new("npm").arg("install").current_dir(folder), hint)?;
        if !output.status.success() {
            return Err(failed("npm install", "what npm said stands above"));
        }
    }
    let mut command = Command::new("node");
    command.args(["build.mjs", "plugin.wasm"]);
    let output = run(command.current_dir(folder), hint)?;
    if !output.status.success() {
        return Err(failed("node build.mjs", "what it said stands above"));
    }
    Ok(folder.join("plugin.wasm"))
}

/// Runs the tests that the project has of its own; whether there are any.
///
/// # Errors
/// A test fails, or cargo does not start.
pub fn test(folder: &Path) -> Result<bool, Error> {
    if Language::of(folder)? != Language::Rust {
        return Ok(false);
    }
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    command.arg("test").stdout(Stdio::inherit());
    let output = run(
        command.current_dir(folder),
        "install Rust from https://rustup.rs",
    )?;
    match output.status.success() {
        true => Ok(true),
        false => Err(failed("cargo test", "what failed stands above")),
    }
}

/// Runs a tool whose words for people go to standard error.
fn run(command: &mut Command, hint: &str) -> Result<std::process::Output, Error> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output();
    output.map_err(|e| Error::Data(format!("{name} does not start ({e}): {hint}")))
}

fn failed(what: &str, hint: &str) -> Error {
    Error::Data(format!("{what} failed: {hint}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn projects_are_told_apart_and_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        for language in [Language::Rust, Language::C, Language::AssemblyScript] {
            let folder = dir.path().join(format!("{language:?}"));
            begin("my-plugin", &folder, language, None).unwrap();
            assert_eq!(Language::of(&folder).unwrap(), language);
            assert!(begin("my-plugin", &folder, language, None).is_err());
            let manifest = fs::read_to_string(folder.join("manifest.json"));
            if language != Language::Rust {
                let manifest = manifest.unwrap();
                let manifest = spoor_plugin_abi::Manifest::parse(manifest.as_bytes()).unwrap();
                assert_eq!(manifest.name, "my-plugin");
            }
        }
        assert!(Language::of(dir.path()).is_err());
        assert!(begin("My", &dir.path().join("x"), Language::C, None).is_err());
    }

    #[test]
    fn a_module_is_found_among_cargos_messages() {
        let message = r#"{"reason":"compiler-artifact","filenames":["/t/x.rlib","/t/x.wasm"]}"#;
        assert_eq!(module_of(message), Some(PathBuf::from("/t/x.wasm")));
        assert_eq!(module_of("{}"), None);
    }
}
